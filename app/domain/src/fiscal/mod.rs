//! The fiscal record: what makes the journal of a till impossible to change unnoticed.
//!
//! French law (CGI art. 286-I-3° bis) asks that takings be inalterable, secured, conserved and archived. Every fact is therefore a
//! record: its whole content as canonical JSON ([`jcs`]), a short text of fixed fields that holds the digest of that content and the
//! signature of the record before it ([`Draft::seal`]), and a signature over that text, made elsewhere by a key that this crate never
//! sees. Records of one register and one kind of fact form a [`Chain`], numbered without a gap.
//!
//! [`Verifier`] reads a journal from its beginning and names everything that does not hold. It is the same code for the closing page,
//! for the command line and for the page on which anybody checks an archive, so that nobody has to believe the machine that sold.
//!
//! Canonical form [`FORMAT`], fields separated by commas, each made of `[A-Za-z0-9:|_.+-]` only:
//!
//! ```text
//! F1,chain,register,number,type,local time,UTC time,VAT,total,[fields of the type…],SHA-256 of the content,O or N,previous signature
//! F1,T,01,1057,TICKET,20260214213045,20260214T203045Z,1000:2400|2000:2800,5200,3f…9a,O,kX…Aw
//! ```
//!
//! `VAT` is gross cents per rate in basis points, lowest rate first, `0:0` when there is none. `O` (*oui*) says that the signature of
//! a previous record is carried over; the first record of a chain has `N` and an empty last field. Changing any of this makes a new
//! format and a new [`CORE_VERSION`].

mod anchor;
mod canonical;
mod chain;
mod content;
pub mod jcs;
mod record;
mod totals;
mod verify;

pub use anchor::Anchor;
pub use canonical::{digits_of, local_timestamp, sha256_hex, utc_timestamp};
pub use chain::{Chain, Head, RecordKind};
pub use content::{
    ArchiveContent, CONTENT_VERSION, CashCents, ChainEnd, ClosingContent, ClosingDetail, Correction, Discount, EventCode, EventContent,
    Fact, Identity, LongClosingContent, LongKind, MoneyContent, MoneyKind, NotAnIdentity, NoteContent, NoteLeft, NoteLine, PrintContent,
    PrintMeans, SharePart, TicketContent, TicketLine, TicketPayment,
};
pub use record::{Draft, NotCanonical, Record, Sealed};
pub use totals::{ByMethodCents, ClosingTotals, Counted, VatCents};
pub use verify::{CheckSignature, Checkpoint, FlawCode, Judged, SignatureCheck, Verifier};

/// Version of the canonical form; the first field of every signed text.
pub const FORMAT: &str = "F1";

/// Version of the fiscal core, which is this module. It changes only when what is recorded, signed or checked changes; the version of
/// the product moves on its own.
pub const CORE_VERSION: &str = "2.2";
