//! Money that is not a sale: what goes into the drawer and out of it, tips left apart, and corrections of a means of payment.

use super::Fact;
use crate::Cents;
use crate::api::Method;
use crate::fiscal::{Chain, RecordKind};
use serde::{Deserialize, Serialize};

/// What was done with money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyKind {
    /// The float is so much. Stated again, the last word counts.
    Float,
    /// Put into the drawer.
    In,
    /// Taken out of it: to the bank, to pay a supplier.
    Out,
    /// The drawer was counted.
    Count,
    /// A tip that came with no payment. One that did is in its ticket.
    Tip,
    /// A ticket was paid otherwise than it says: `amount` moves from `method` to `to`.
    Transfer,
}

/// A movement of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoneyContent {
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
    /// What.
    pub kind: MoneyKind,
    /// How much; never negative.
    pub amount: Cents,
    /// The means; cash for everything that happens in the drawer. Of a transfer: what the ticket says.
    pub method: Method,
    /// Of a transfer: what was really used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Method>,
    /// The ticket that a transfer corrects, or that a tip came after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_no: Option<i64>,
    /// Why.
    pub reason: String,
    /// Nothing was really moved.
    pub training: bool,
}

impl MoneyContent {
    /// Whether it makes sense: only a transfer goes from one means to another, and it names its ticket.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let transfer = self.kind == MoneyKind::Transfer;
        self.amount >= Cents::ZERO
            && self.to.is_some() == transfer
            && (!transfer || (self.ticket_no.is_some() && self.to != Some(self.method)))
            && (matches!(self.kind, MoneyKind::Tip | MoneyKind::Transfer) || self.method == Method::Especes)
    }
}

impl Fact for MoneyContent {
    fn version(&self) -> u16 {
        self.version
    }
    fn software(&self) -> &str {
        &self.software
    }
    fn chain(&self) -> Chain {
        Chain::P.or_training(self.training)
    }
    fn kind(&self) -> RecordKind {
        match self.kind {
            MoneyKind::Float => RecordKind::Float,
            MoneyKind::In => RecordKind::CashIn,
            MoneyKind::Out => RecordKind::CashOut,
            MoneyKind::Count => RecordKind::CashCount,
            MoneyKind::Tip => RecordKind::Tip,
            MoneyKind::Transfer => RecordKind::Transfer,
        }
    }
    fn register(&self) -> &str {
        &self.register
    }
    fn at_local(&self) -> &str {
        &self.at_local
    }
    /// Signed as it changes what the house holds: nothing for a transfer, less for what is taken out.
    fn total(&self) -> Cents {
        match self.kind {
            MoneyKind::Out => Cents(self.amount.0.saturating_neg()),
            MoneyKind::Transfer => Cents::ZERO,
            MoneyKind::Float | MoneyKind::In | MoneyKind::Count | MoneyKind::Tip => self.amount,
        }
    }
    /// `CB:2550`; of a transfer `CB:-2550|ESPECES:2550`; then the ticket, `T:1057`, if there is one.
    fn signed_fields(&self) -> Vec<String> {
        let moved = match self.to {
            Some(to) => format!("{}:-{}|{}:{}", self.method.as_str(), self.amount.0, to.as_str(), self.amount.0),
            None => format!("{}:{}", self.method.as_str(), self.amount.0),
        };
        let ticket = self.ticket_no.map(|no| format!("{}:{no}", Chain::T.or_training(self.training)));
        [Some(moved), ticket].into_iter().flatten().collect()
    }
}
