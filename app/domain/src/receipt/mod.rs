//! Ticket, note, X and Z as lines of text, built once for screen, paper and archive.
//!
//! What a customer holds, what the screen shows and what is printed again years later must be the same words, so there is one builder
//! per document and it reads nothing but the signed content and its proof. The width of the paper comes last: [`lay_out`] gives the
//! same lines for 32, 42 or 48 columns; from there [`escpos::encode`] makes the bytes of a thermal printer, the page its HTML, and
//! [`render_text`] a plain text.

mod closing;
pub mod escpos;
mod layout;
mod long_closing;
mod note;
mod ticket;
mod words;

pub use closing::{closing_lines, x_lines};
pub use layout::{Laid, Row, Size, lay_out, render_text};
pub use long_closing::long_closing_lines;
pub use note::note_lines;
pub use ticket::ticket_lines;
pub use words::{is_printable, printable};

use crate::Cents;
use crate::fiscal::{Identity, Record, digits_of};
use serde::{Deserialize, Serialize};

/// From this sum on a guest gets a note unless they refuse it (*arrêté* 83-50/A of 3 October 1983, article 1).
pub const NOTE_DUE_FROM: Cents = Cents(2_500);

/// How much a line wants to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// As everything.
    #[default]
    Normal,
    /// What the eye looks for.
    Bold,
    /// What must not be overlooked: bold, and twice as large where it fits.
    Large,
}

/// A line of a document, before the width of the paper is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// In the middle.
    Title {
        /// The words.
        text: String,
        /// Bold or large.
        weight: Weight,
    },
    /// A sentence, wrapped between words.
    Text {
        /// The words.
        text: String,
        /// In the middle rather than on the left.
        centred: bool,
    },
    /// A label on the left and its value on the right. The value is never cut; when both do not fit it has the next line for itself.
    Pair {
        /// The label.
        left: String,
        /// The value.
        right: String,
        /// How much it wants to be seen.
        weight: Weight,
    },
    /// Columns, the first on the left and the others on the right; a pair per value when the paper is too narrow.
    Table {
        /// What the columns are.
        header: [String; 4],
        /// The values.
        rows: Vec<[String; 4]>,
    },
    /// A line across.
    Rule,
    /// Nothing.
    Blank,
    /// A QR code, for a machine that checks the record.
    Code {
        /// What it says, in ASCII.
        data: String,
    },
    /// The end of a paper.
    Cut,
    /// The drawer of the register opens.
    Drawer,
}

impl Line {
    fn title(text: impl Into<String>) -> Self {
        Self::Title { text: text.into(), weight: Weight::Bold }
    }
    fn banner(text: impl Into<String>) -> Self {
        Self::Title { text: text.into(), weight: Weight::Large }
    }
    fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), centred: false }
    }
    fn centred(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), centred: true }
    }
    fn pair(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Pair { left: left.into(), right: right.into(), weight: Weight::Normal }
    }
    fn strong(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Pair { left: left.into(), right: right.into(), weight: Weight::Bold }
    }
    fn large(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Pair { left: left.into(), right: right.into(), weight: Weight::Large }
    }
}

/// What a print shows of the record behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The record that is printed, as a machine looks it up: `T-01-1057`.
    pub reference: String,
    /// Its number in its chain.
    pub seq: i64,
    /// SHA-256 of its signed text, hexadecimal.
    pub hash: String,
    /// Its signature, base64url.
    pub signature: String,
    /// The key that signed it.
    pub key_id: String,
    /// The print; none is the original.
    pub copy: Option<Copy>,
}

/// A print after the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Which, from 1.
    pub no: u32,
    /// Who asked for it.
    pub operator: String,
    /// When, `YYYYMMDDHHMMSS`.
    pub at_local: String,
    /// The number of its own record.
    pub seq: i64,
    /// The signature of its own record, base64url.
    pub signature: String,
}

impl Proof {
    /// That of the original print of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            reference: format!("{}-{}-{}", record.chain, record.register, record.seq),
            seq: record.seq,
            hash: record.hash_current.clone(),
            signature: record.signature.clone(),
            key_id: record.key_id.clone(),
            copy: None,
        }
    }

    /// Characters 3, 7, 13 and 19 of the signature: enough to compare a paper with the journal.
    #[must_use]
    pub fn signature_extract(&self) -> String {
        extract_of(&self.signature)
    }

    fn short_hash(&self) -> String {
        self.hash.chars().take(16).collect()
    }

    /// What the QR code says: the record and its whole signature, so that a paper alone can be compared with the journal or its archive.
    fn code(&self) -> Line {
        Line::Code { data: format!("{}.{}", self.reference, self.signature) }
    }
}

fn extract_of(signature: &str) -> String {
    [3, 7, 13, 19].into_iter().filter_map(|position| signature.chars().nth(position - 1)).collect()
}

const TRAINING: &str = "FORMATION";
const WORTHLESS: &str = "Exercice : document sans valeur";

/// What stands above any document: the warnings, then who sells.
fn heading(identity: &Identity, training: bool, copy: Option<&Copy>) -> Vec<Line> {
    let mut lines = warnings(training, copy);
    lines.push(Line::banner(&identity.name));
    lines.extend(identity.address.iter().map(Line::centred));
    if !identity.address.iter().any(|line| line.trim().eq_ignore_ascii_case("france")) {
        lines.push(Line::centred("France"));
    }
    lines.push(Line::centred(format!("SIRET {}", identity.siret)));
    if identity.vat_no.is_empty() {
        lines.push(Line::centred(format!("NAF {}", identity.naf)));
        lines.push(Line::centred("TVA non applicable, art. 293 B du CGI"));
    } else {
        lines.push(Line::centred(format!("NAF {} - TVA {}", identity.naf, identity.vat_no)));
    }
    lines.push(Line::Rule);
    lines
}

/// What stands under any recorded document: how to find its record again, and the warnings once more so that no half of the paper passes for a
/// ticket.
fn footing(software: &str, training: bool, proof: &Proof, more: impl IntoIterator<Item = Line>) -> Vec<Line> {
    let print = proof.copy.as_ref().map_or_else(|| "0 (original)".to_owned(), |copy| format!("{} (duplicata)", copy.no));
    let mut lines = vec![
        Line::Rule,
        Line::pair("Enregistrement n°", proof.seq.to_string()),
        Line::pair("Empreinte", proof.short_hash()),
        Line::pair("Signature", proof.signature_extract()),
        Line::pair("Impression n°", print),
    ];
    if let Some(copy) = &proof.copy {
        lines.push(Line::pair("Duplicata du", moment(&copy.at_local)));
        lines.push(Line::pair("  demandé par", &copy.operator));
        lines.push(Line::pair("  enregistré sous n°", copy.seq.to_string()));
        lines.push(Line::pair("  signature", extract_of(&copy.signature)));
    }
    lines.extend(more);
    lines.push(Line::centred(software));
    lines.push(proof.code());
    lines.extend(warnings(training, proof.copy.as_ref()));
    lines
}

fn warnings(training: bool, copy: Option<&Copy>) -> Vec<Line> {
    let mut lines = Vec::new();
    if training {
        lines.extend([Line::banner(TRAINING), Line::title(WORTHLESS)]);
    }
    if let Some(copy) = copy {
        lines.push(Line::banner(format!("DUPLICATA {}", copy.no)));
    }
    lines
}

fn euros(amount: Cents) -> String {
    format!("{} EUR", amount.to_french())
}

/// `14/02/2026 21:30:45`. A moment that is not written in fourteen digits is shown as it is.
fn moment(text: &str) -> String {
    let digits = digits_of(text);
    match (digits.get(..4), digits.get(4..6), digits.get(6..8), digits.get(8..10), digits.get(10..12), digits.get(12..14)) {
        (Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)) if digits.len() == 14 => {
            format!("{day}/{month}/{year} {hour}:{minute}:{second}")
        }
        _ => text.to_owned(),
    }
}
