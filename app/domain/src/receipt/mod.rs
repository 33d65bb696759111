//! Ticket and Z as lines of text, built once for screen, paper and archive.
//!
//! What a customer holds, what the screen shows and what is printed again years later must be the same words, so there is one builder
//! per document and it reads nothing but the signed content and its proof. The width of the paper comes last: [`lay_out`] gives the
//! same lines for 32, 42 or 48 columns, with their weight for a printer; [`render_text`] is that without the weight.

mod closing;
mod layout;
mod ticket;

pub use closing::closing_lines;
pub use layout::{Laid, lay_out, render_text};
pub use ticket::ticket_lines;

use crate::Cents;
use crate::fiscal::{Identity, digits_of};
use serde::{Deserialize, Serialize};

/// A line of a document, before the width of the paper is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// Centred and bold.
    Title {
        /// The words.
        text: String,
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
        /// What the eye looks for.
        bold: bool,
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
}

impl Line {
    fn title(text: impl Into<String>) -> Self {
        Self::Title { text: text.into() }
    }
    fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), centred: false }
    }
    fn centred(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), centred: true }
    }
    fn pair(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Pair { left: left.into(), right: right.into(), bold: false }
    }
    fn strong(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Pair { left: left.into(), right: right.into(), bold: true }
    }
}

/// What a print shows of the record behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Its number in its chain.
    pub seq: i64,
    /// SHA-256 of its signed text, hexadecimal.
    pub hash: String,
    /// Its signature, base64url.
    pub signature: String,
    /// 0 for the original, then the number of the duplicata.
    pub print_no: u32,
}

impl Proof {
    /// Characters 3, 7, 13 and 19 of the signature: enough to compare a paper with the journal.
    #[must_use]
    pub fn signature_extract(&self) -> String {
        [3, 7, 13, 19].into_iter().filter_map(|position| self.signature.chars().nth(position - 1)).collect()
    }

    fn short_hash(&self) -> String {
        self.hash.chars().take(16).collect()
    }
}

const TRAINING: &str = "*** FORMATION - SANS VALEUR ***";

/// What stands above any document: the warnings, then who sells.
fn heading(identity: &Identity, training: bool, proof: &Proof) -> Vec<Line> {
    let mut lines = warnings(training, proof);
    lines.push(Line::title(&identity.name));
    lines.extend(identity.address.iter().map(Line::centred));
    if !identity.address.iter().any(|line| line.trim().eq_ignore_ascii_case("france")) {
        lines.push(Line::centred("France"));
    }
    lines.push(Line::centred(format!("SIRET {}", identity.siret)));
    lines.push(Line::centred(format!("NAF {} - TVA {}", identity.naf, identity.vat_no)));
    lines.push(Line::Rule);
    lines
}

/// What stands under any document: how to find its record again, and the warnings once more so that no half of the paper passes for a
/// ticket.
fn footing(software: &str, training: bool, proof: &Proof) -> Vec<Line> {
    let mut lines = vec![
        Line::Rule,
        Line::pair("Enregistrement n°", proof.seq.to_string()),
        Line::pair("Empreinte", proof.short_hash()),
        Line::pair("Signature", proof.signature_extract()),
        Line::pair("Impression", if proof.print_no == 0 { "0 (original)".to_owned() } else { format!("{} (duplicata)", proof.print_no) }),
        Line::centred(software),
    ];
    lines.extend(warnings(training, proof));
    lines
}

fn warnings(training: bool, proof: &Proof) -> Vec<Line> {
    let mut lines = Vec::new();
    if training {
        lines.push(Line::title(TRAINING));
    }
    if proof.print_no > 0 {
        lines.push(Line::title(format!("DUPLICATA {}", proof.print_no)));
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
