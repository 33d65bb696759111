//! What each record says in full.
//!
//! Everything a print needs is in here, as it was at that moment: names, prices and the identity of the house are copies, so that
//! renaming a dish never changes an old ticket. No key of the database is in here either: a restored copy must verify. Moments are on
//! the clock of the restaurant and written `YYYYMMDDHHMMSS`, see [`local_timestamp`](super::local_timestamp).
//!
//! Version 1 knew tickets and days. Version 2 adds fields that version 1 leaves out and every other content; what version 1 signed is
//! still read, to the byte. A field that is added later makes a version 3: a reader that does not know it says so instead of judging.

mod closing;
mod event;
mod identity;
mod long_closing;
mod money;
mod paper;
mod ticket;

pub use closing::{CashCents, ChainEnd, ClosingContent, ClosingDetail, NoteLeft};
pub use event::{ArchiveContent, EventCode, EventContent};
pub use identity::{Identity, NotAnIdentity};
pub use long_closing::{LongClosingContent, LongKind};
pub use money::{MoneyContent, MoneyKind};
pub use paper::{NoteContent, NoteLine, PrintContent, PrintMeans};
pub use ticket::{Correction, Discount, SharePart, TicketContent, TicketLine, TicketPayment};

use super::{Chain, RecordKind};
use crate::{Cents, VatRate};
use serde::Serialize;

/// Version of the contents that are written today.
pub const CONTENT_VERSION: u16 = 2;

/// What a content gives to the signed text of its record. The verifier compares the two.
pub trait Fact: Serialize {
    /// The version it was written in.
    fn version(&self) -> u16;
    /// Name and version of the software that wrote it.
    fn software(&self) -> &str;
    /// Its numbering.
    fn chain(&self) -> Chain;
    /// What it states.
    fn kind(&self) -> RecordKind;
    /// The register.
    fn register(&self) -> &str;
    /// When, `YYYYMMDDHHMMSS` on the clock of the restaurant; other characters than digits do not count.
    fn at_local(&self) -> &str;
    /// Its number in its chain, where the content repeats it.
    fn number(&self) -> Option<i64> {
        None
    }
    /// Gross amount per rate.
    fn vat_by_rate(&self) -> Vec<(VatRate, Cents)> {
        Vec::new()
    }
    /// Gross total.
    fn total(&self) -> Cents {
        Cents::ZERO
    }
    /// Fields of the type in the signed text.
    fn signed_fields(&self) -> Vec<String> {
        Vec::new()
    }
}
