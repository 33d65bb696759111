//! Letters, by SMTP.

use crate::config::MailConfig;
use lettre::message::{Attachment, MultiPart, SinglePart, header::ContentType};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;

/// A mail server that takes longer for one word is asked again later.
const PATIENCE: Duration = Duration::from_secs(10);
/// And one that takes longer for a letter.
pub const FOR_A_LETTER: Duration = Duration::from_secs(20);

/// Writes to one address.
#[derive(Debug)]
pub struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: lettre::Address,
    to: lettre::Address,
}

impl Post {
    /// # Errors
    /// When an address is none.
    pub fn new(config: &MailConfig) -> anyhow::Result<Self> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.server)?.timeout(Some(PATIENCE)).build();
        Ok(Self { transport, from: config.from.parse()?, to: config.to.parse()? })
    }

    /// Sends a letter with a file. Returns once the mail server has taken it.
    ///
    /// # Errors
    /// When it did not. It may have it nevertheless: sent again, it is there twice.
    pub async fn send(&self, subject: &str, text: String, file: (&str, String)) -> anyhow::Result<()> {
        let (name, content) = file;
        let parts = MultiPart::mixed()
            .singlepart(SinglePart::plain(text))
            .singlepart(Attachment::new(name.to_owned()).body(content, ContentType::parse("application/x-ndjson")?));
        let letter = Message::builder().from(self.from.clone().into()).to(self.to.clone().into()).subject(subject).multipart(parts)?;
        tokio::time::timeout(FOR_A_LETTER, self.transport.send(letter)).await??;
        Ok(())
    }
}
