//! What can be judged of a record alone, on any thread and in any order.

use super::SignatureCheck;
use super::content::{self, Content, Found};
use crate::fiscal::canonical::is_sha256_hex;
use crate::fiscal::{ClosingContent, Counted, EventCode, LongClosingContent, PrintContent, Record};

/// Everything about a record that needs no other record: its digests, its signature, its content. This is what takes time; what remains for
/// [`super::Verifier::feed_judged`] is a few comparisons. It holds nothing of the record, which stays with whoever read it: memory that one processor
/// takes and another gives back costs both.
#[derive(Debug)]
pub struct Judged {
    pub(super) signature: SignatureCheck,
    /// The content is the one whose digest is stored.
    pub(super) intact: bool,
    /// What of the content is needed in the order of the journal.
    pub(super) said: Option<Said>,
    /// The version that the content says it has.
    pub(super) version: Option<u16>,
    /// The hash is that of the signed text.
    pub(super) hash_holds: bool,
    /// The signed text is that of the fields.
    pub(super) fields_hold: bool,
    /// What the content has wrong.
    pub(super) found: Found,
}

/// What others than its own record need of a content.
#[derive(Debug)]
pub(super) enum Said {
    /// What a ticket, or a movement of money, adds to its day.
    Ticket(Counted),
    Money(Counted),
    Note,
    Print(PrintContent),
    Closing(Box<ClosingContent>),
    LongClosing(Box<LongClosingContent>),
    /// `new_key` announces another key.
    Event {
        code: EventCode,
        new_key: Option<String>,
    },
    Archive,
}

impl From<Content> for Said {
    fn from(content: Content) -> Self {
        match content {
            Content::Ticket(ticket) => Self::Ticket(Counted::from(&*ticket)),
            Content::Money(money) => Self::Money(Counted::from(&money)),
            Content::Note(_) => Self::Note,
            Content::Print(print) => Self::Print(print),
            Content::Closing(closing) => Self::Closing(closing),
            Content::LongClosing(closing) => Self::LongClosing(closing),
            Content::Event(mut event) => Self::Event { code: event.code, new_key: event.details.remove("new_key") },
            Content::Archive(_) => Self::Archive,
        }
    }
}

impl Judged {
    /// Whether the record is by itself what was signed: its content, its fields, and a signature that holds.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.signature == SignatureCheck::Valid && self.intact && self.hash_holds && self.fields_hold
    }

    /// Judges a record whose signature was checked.
    #[must_use]
    pub fn of(record: &Record, signature: SignatureCheck) -> Self {
        let intact = is_sha256_hex(&record.content_sha256, record.content_text.as_bytes());
        let mut found = Vec::new();
        let content = content::read(record, intact, &mut found);
        if intact {
            if let Some(content) = &content {
                content::check(content, record, &mut found);
            }
            content::check_software(content.as_ref(), record, &mut found);
        }
        let hash_holds = is_sha256_hex(&record.hash_current, record.data_to_sign.as_bytes());
        let fields_hold = record.rebuilt_fields().as_deref() == Some(parts(&record.data_to_sign).0);
        let version = content.as_ref().map(|content| content.as_fact().version());
        let version = version.or_else(|| content::version_of(&record.content_text).filter(|_| intact));
        Self { signature, intact, said: content.map(Said::from), version, hash_holds, fields_hold, found }
    }
}

/// A signed text before and from the comma at which the link to the record before begins.
pub(super) fn parts(text: &str) -> (&str, &str) {
    text.split_at(text.rmatch_indices(',').nth(1).map_or(text.len(), |(at, _)| at))
}
