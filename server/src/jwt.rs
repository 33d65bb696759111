//! JSON Web Tokens (RFC 7519) with HMAC-SHA-256, the one algorithm that the contract allows: small enough to be read as a whole.
//!
//! The server fixes the algorithm; the token's own word for it must agree and decides nothing. Tags are compared in constant time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::time::Duration;
use time::OffsetDateTime;

/// A token that is valid for longer is refused: whoever steals one has an hour.
pub const LONGEST: Duration = Duration::from_secs(3600);
/// Two clocks may differ by so much, in seconds.
const LEEWAY_S: i64 = 30;
/// No token of ours is longer, in bytes.
const LARGEST: usize = 4096;
/// A shorter secret is guessed more easily than the tag (RFC 7518, 3.2), in bytes.
pub const SHORTEST_SECRET: usize = 32;

/// What two programs share.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// `None` when it is shorter than [`SHORTEST_SECRET`].
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (text.len() >= SHORTEST_SECRET).then(|| Self(text.as_bytes().to_vec()))
    }

    fn mac(&self) -> Result<Hmac<Sha256>, Fault> {
        // HMAC takes keys of any length.
        Hmac::new_from_slice(&self.0).map_err(|_| Fault::Tag)
    }
}

/// It stays out of logs.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a token is refused: for the log, not for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not three parts of base64url with JSON inside.
    #[error("not a token")]
    Shape,
    /// Another algorithm, or extensions that must be understood.
    #[error("another algorithm than HS256")]
    Algorithm,
    /// Not made with our secret, or changed since.
    #[error("the signature does not fit")]
    Tag,
    /// For somebody else.
    #[error("another audience")]
    Audience,
    /// Its time is over, or has not begun.
    #[error("expired, or not valid yet")]
    Expired,
    /// Valid for longer than [`LONGEST`].
    #[error("valid for longer than an hour")]
    TooLong,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, wanted: &str) -> bool {
        match self {
            Self::One(name) => name == wanted,
            Self::Several(names) => names.iter().any(|name| name == wanted),
        }
    }
}

/// Whether a token was made with our secret, for this audience, and is valid now for at most an hour.
///
/// # Errors
/// Why it is refused. The signature is looked at before anything inside is believed.
pub fn check(token: &str, secret: &Secret, audience: &str, now: OffsetDateTime) -> Result<(), Fault> {
    if token.len() > LARGEST {
        return Err(Fault::Shape);
    }
    let (signed, tag) = token.rsplit_once('.').ok_or(Fault::Shape)?;
    let (header, claims) = signed.split_once('.').ok_or(Fault::Shape)?;
    let header: Header = part(header)?;
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(Fault::Algorithm);
    }
    let tag = BASE64.decode(tag).map_err(|_| Fault::Shape)?;
    secret.mac()?.chain_update(signed).verify_slice(&tag).map_err(|_| Fault::Tag)?;
    let claims: Claims = part(claims)?;
    if !claims.aud.names(audience) {
        return Err(Fault::Audience);
    }
    let now = now.unix_timestamp();
    if claims.exp <= now || claims.nbf.is_some_and(|from| from > now + LEEWAY_S) {
        return Err(Fault::Expired);
    }
    let longest = i64::try_from(LONGEST.as_secs()).unwrap_or(i64::MAX);
    if claims.exp > now + longest + LEEWAY_S { Err(Fault::TooLong) } else { Ok(()) }
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let bytes = BASE64.decode(text).map_err(|_| Fault::Shape)?;
    serde_json::from_slice(&bytes).map_err(|_| Fault::Shape)
}

/// Makes a token: what a kitchen system does.
#[must_use]
pub fn sign(secret: &Secret, audience: &str, expires_at: OffsetDateTime) -> String {
    #[derive(Serialize)]
    struct Claims<'a> {
        aud: &'a str,
        exp: i64,
    }
    let claims = serde_json::to_vec(&Claims { aud: audience, exp: expires_at.unix_timestamp() }).unwrap_or_default();
    let signed = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#), BASE64.encode(claims));
    let tag = secret.mac().map(|mac| mac.chain_update(&signed).finalize().into_bytes());
    format!("{signed}.{}", tag.map(|tag| BASE64.encode(tag)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("a secret of thirty-two bytes, at least").expect("long enough")
    }

    fn token(header: &str, claims: &str, secret: &Secret) -> String {
        let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let tag = secret.mac().expect("a key").chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", BASE64.encode(tag))
    }

    const NOW: OffsetDateTime = time::macros::datetime!(2026-02-02 15:23 UTC);

    #[test]
    fn the_token_of_rfc_7515_is_understood() {
        // RFC 7515, A.1: its key, its text, its tag.
        let key =
            BASE64.decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow").expect("base64url");
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let tag = Secret(key).mac().expect("a key").chain_update(signed).finalize().into_bytes();
        assert_eq!(BASE64.encode(tag), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn what_we_sign_we_take() {
        let made = sign(&secret(), "erp", NOW + LONGEST);
        assert_eq!(check(&made, &secret(), "erp", NOW), Ok(()));
        let several = token(r#"{"alg":"HS256"}"#, &format!(r#"{{"aud":["till","erp"],"exp":{}}}"#, NOW.unix_timestamp() + 60), &secret());
        assert_eq!(check(&several, &secret(), "erp", NOW), Ok(()));
    }

    #[test]
    fn nothing_else_is_taken() {
        let exp = NOW.unix_timestamp() + 60;
        let good = format!(r#"{{"aud":"erp","exp":{exp}}}"#);
        let hs256 = r#"{"alg":"HS256"}"#;
        let other = Secret::new("another secret of thirty-two bytes, too").expect("long enough");
        let signed = token(hs256, &good, &secret());
        let (text, _) = signed.rsplit_once('.').expect("three parts");
        for (token, fault) in [
            (String::new(), Fault::Shape),
            ("a.b".to_owned(), Fault::Shape),
            (format!("{text}."), Fault::Tag),
            (text.to_owned(), Fault::Shape),
            ("x".repeat(5000), Fault::Shape),
            (token(r#"{"alg":"none"}"#, &good, &secret()), Fault::Algorithm),
            (token(r#"{"alg":"hs256"}"#, &good, &secret()), Fault::Algorithm),
            (token(r#"{"alg":"RS256"}"#, &good, &secret()), Fault::Algorithm),
            (token(r#"{"alg":"HS256","crit":["b64"]}"#, &good, &secret()), Fault::Algorithm),
            (token(hs256, &good, &other), Fault::Tag),
            (signed.replacen("eyJhdWQiOiJlcnAi", "eyJhdWQiOiJlcnIi", 1), Fault::Tag),
            (token(hs256, &format!(r#"{{"aud":"till","exp":{exp}}}"#), &secret()), Fault::Audience),
            (token(hs256, r#"{"aud":"erp"}"#, &secret()), Fault::Shape),
            (token(hs256, &format!(r#"{{"exp":{exp}}}"#), &secret()), Fault::Shape),
            (token(hs256, &format!(r#"{{"aud":"erp","exp":{}}}"#, exp - 61), &secret()), Fault::Expired),
            (token(hs256, &format!(r#"{{"aud":"erp","exp":{exp},"nbf":{exp}}}"#), &secret()), Fault::Expired),
            (token(hs256, &format!(r#"{{"aud":"erp","exp":{}}}"#, exp + 3600), &secret()), Fault::TooLong),
        ] {
            assert_eq!(check(&token, &secret(), "erp", NOW), Err(fault), "{token}");
        }
    }

    #[test]
    fn a_secret_is_long_and_never_printed() {
        assert!(Secret::new("too short").is_none());
        assert!(!format!("{:?}", secret()).contains("thirty"));
    }
}
