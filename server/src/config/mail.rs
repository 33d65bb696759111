//! Where closings are mailed to.

use super::{ConfigError, refuse};
use http::Uri;
use http::uri::Authority;

const NAME: &str = "FISCAL_ANCHORS_MAIL";
const ACCEPTED: &str = "give smtps://USER:PASSWORD@HOST?from=till@example.fr&to=accountant@example.fr; a server on this machine that asks for no \
                        password: smtp://127.0.0.1:25?from=…&to=…";

/// A mail server, and between whom letters go.
#[derive(Clone, PartialEq, Eq)]
pub struct MailConfig {
    /// The server as `lettre` takes it, with the password.
    pub(crate) server: String,
    /// Who writes.
    pub from: String,
    /// Who keeps it.
    pub to: String,
}

/// The password is in the address of the server.
impl std::fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailConfig").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}

impl MailConfig {
    /// Reads the address of a mail server with `from` and `to`.
    ///
    /// # Errors
    /// When something is missing, or a password would travel in the clear.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let refused = || refuse(NAME, ACCEPTED);
        let uri: Uri = text.parse().map_err(|_| refused())?;
        let authority = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or_else(refused)?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let may_be_clear = scheme == "smtp" && is_this_machine(authority) && !authority.as_str().contains('@');
        if !(scheme == "smtps" || may_be_clear) || uri.path().len() > 1 {
            return Err(refused());
        }
        let (mut from, mut to) = (None, None);
        for pair in uri.query().unwrap_or_default().split('&') {
            match pair.split_once('=') {
                Some(("from", address)) => from = Some(address),
                Some(("to", address)) => to = Some(address),
                _ => return Err(refused()),
            }
        }
        let address = |found: Option<&str>| found.map(|text| text.replace("%40", "@")).filter(|text| is_address(text)).ok_or_else(refused);
        Ok(Self { server: format!("{scheme}://{authority}"), from: address(from)?, to: address(to)? })
    }
}

fn is_this_machine(authority: &Authority) -> bool {
    matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]")
}

/// The mail library has the last word.
fn is_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_and_two_addresses() {
        let mail = MailConfig::parse("smtps://till:s3cret@mail.example:465?from=caisse@comptoir.example&to=comptable@example.fr").unwrap();
        assert_eq!((mail.from.as_str(), mail.to.as_str()), ("caisse@comptoir.example", "comptable@example.fr"));
        assert_eq!(mail.server, "smtps://till:s3cret@mail.example:465");
        assert!(!format!("{mail:?}").contains("s3cret"));
        assert!(MailConfig::parse("smtp://127.0.0.1:2525?to=a%40b.fr&from=c@d.fr").is_ok());
    }

    #[test]
    fn what_is_missing_or_would_travel_in_the_clear_is_refused() {
        for wrong in [
            "mail.example",
            "smtps://mail.example",
            "smtps://mail.example?from=a@b.fr",
            "smtps://mail.example?from=a@b.fr&to=nobody",
            "smtps://mail.example?from=a@b.fr&to=c@d.fr&cc=e@f.fr",
            "smtps://mail.example/path?from=a@b.fr&to=c@d.fr",
            "http://mail.example?from=a@b.fr&to=c@d.fr",
            "smtp://mail.example?from=a@b.fr&to=c@d.fr",
            "smtp://till:s3cret@127.0.0.1?from=a@b.fr&to=c@d.fr",
        ] {
            let refused = MailConfig::parse(wrong).unwrap_err();
            assert_eq!(refused.name, "FISCAL_ANCHORS_MAIL", "{wrong}");
            assert!(!refused.to_string().contains("s3cret"));
        }
    }
}
