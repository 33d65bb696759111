//! What guests hold besides the ticket: the note before they pay, and every further print of a ticket.

use super::super::totals::sum;
use super::{Fact, Identity};
use crate::Cents;
use crate::fiscal::{Chain, RecordKind};
use serde::{Deserialize, Serialize};

/// A line of a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteLine {
    /// The name.
    pub name: String,
    /// Quantity in thousandths.
    pub qty_thousandths: u64,
    /// Price of one, VAT included.
    pub unit_price: Cents,
    /// VAT included, discount taken off.
    pub amount: Cents,
}

/// A provisional note: what a table owes, before it pays. It shows no VAT and no means of payment, so that it cannot pass for a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteContent {
    /// [`CONTENT_VERSION`](super::CONTENT_VERSION) when it was written.
    pub version: u16,
    /// Who sells.
    pub identity: Identity,
    /// Name and version of the software; the same as `app_version` of the record.
    pub software: String,
    /// Its number: that of the record in its chain.
    pub note_no: i64,
    /// The register.
    pub register: String,
    /// When, `YYYYMMDDHHMMSS`.
    pub at_local: String,
    /// Who asked for it.
    pub operator: String,
    /// The table.
    pub table: String,
    /// How many guests.
    pub covers: u16,
    /// The order, by the uuid that its creator chose.
    pub order_ref: String,
    /// The note that this one replaces: the order changed, or its table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<i64>,
    /// What is owed for.
    pub lines: Vec<NoteLine>,
    /// VAT included.
    pub total: Cents,
    /// Nothing is really owed.
    pub training: bool,
}

impl NoteContent {
    /// Whether its lines come to its total.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        sum(self.lines.iter().map(|line| line.amount)) == self.total
    }
}

impl Fact for NoteContent {
    fn version(&self) -> u16 {
        self.version
    }
    fn software(&self) -> &str {
        &self.software
    }
    fn chain(&self) -> Chain {
        Chain::N.or_training(self.training)
    }
    fn kind(&self) -> RecordKind {
        RecordKind::Note
    }
    fn register(&self) -> &str {
        &self.register
    }
    fn at_local(&self) -> &str {
        &self.at_local
    }
    fn number(&self) -> Option<i64> {
        Some(self.note_no)
    }
    fn total(&self) -> Cents {
        self.total
    }
    /// The note that it replaces, if there is one: `N:12`.
    fn signed_fields(&self) -> Vec<String> {
        self.replaces.iter().map(|no| format!("{}:{no}", self.chain())).collect()
    }
}

/// How a ticket reached its guest, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrintMeans {
    /// On paper, from the printer of the till.
    Paper,
    /// From the browser: paper or a file.
    Browser,
    /// By e-mail.
    Email,
    /// The guest wanted none (Code de l'environnement, L. 541-15-10): only ever of the original.
    Declined,
}

/// A print of a ticket, a Z or a note: number 0 is the original, and every further one a duplicata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrintContent {
    /// [`CONTENT_VERSION`](super::CONTENT_VERSION) when it was written.
    pub version: u16,
    /// Name and version of the software; the same as `app_version` of the record.
    pub software: String,
    /// The register.
    pub register: String,
    /// When, `YYYYMMDDHHMMSS`.
    pub at_local: String,
    /// Who.
    pub operator: String,
    /// The chain of the document: tickets, closings or notes; in training the one that all share.
    pub of: Chain,
    /// Its number in that chain.
    pub seq: i64,
    /// 0: the original; then the number of the duplicata.
    pub print_no: u32,
    /// How.
    pub means: PrintMeans,
    /// Of a document of the training chain.
    pub training: bool,
}

impl Fact for PrintContent {
    fn version(&self) -> u16 {
        self.version
    }
    fn software(&self) -> &str {
        &self.software
    }
    fn chain(&self) -> Chain {
        Chain::D.or_training(self.training)
    }
    fn kind(&self) -> RecordKind {
        if self.print_no == 0 { RecordKind::Original } else { RecordKind::Duplicate }
    }
    fn register(&self) -> &str {
        &self.register
    }
    fn at_local(&self) -> &str {
        &self.at_local
    }
    /// The document and the number of the print: `T:1057,2`.
    fn signed_fields(&self) -> Vec<String> {
        vec![format!("{}:{}", self.of, self.seq), self.print_no.to_string()]
    }
}
