//! The ticket, and the counter-entry that corrects one.

use super::super::totals::sum;
use super::{Fact, Identity};
use crate::api::Method;
use crate::fiscal::{Chain, RecordKind, VatCents};
use crate::{Cents, VatRate};
use serde::{Deserialize, Serialize};

const fn is_nothing(amount: &Cents) -> bool {
    amount.0 == 0
}

/// Taken off the price of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discount {
    /// How much less, VAT included; positive on a sale. The `amount` of the line is what is left.
    pub amount: Cents,
    /// Basis points, when it was given as a part of the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// Why.
    pub reason: String,
    /// Who allowed it.
    pub by: String,
}

/// What a counter-entry corrects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The ticket, by its number; always an earlier one of the same register.
    pub ticket_no: i64,
    /// Why.
    pub reason: String,
}

/// A line of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketLine {
    /// The name, as on the menu of that day.
    pub name: String,
    /// Quantity in thousandths; a quarter of a bottle is 250.
    pub qty_thousandths: u64,
    /// Price of one, VAT included.
    pub unit_price: Cents,
    /// The part of the line that this ticket settles, VAT included.
    pub amount: Cents,
    /// The rate, in basis points.
    pub rate: VatRate,
    /// Taken off before `amount`. Version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Discount>,
}

/// How a ticket was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketPayment {
    /// The means.
    pub method: Method,
    /// What the ticket received, change taken off.
    pub amount: Cents,
    /// Cash handed over.
    pub tendered: Option<Cents>,
    /// Cash given back.
    pub change: Cents,
    /// The authorisation number of a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_code: Option<String>,
    /// Given on top, outside the sale and outside VAT. Version 2.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub tip: Cents,
    /// What a meal voucher was worth beyond `amount`; it is not given back (Code du travail, R. 3262). Version 2.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub excess: Cents,
}

impl TicketPayment {
    /// An exact payment: nothing handed over beyond it, no tip.
    #[must_use]
    pub const fn of(method: Method, amount: Cents) -> Self {
        Self { method, amount, tendered: None, change: Cents::ZERO, approval_code: None, tip: Cents::ZERO, excess: Cents::ZERO }
    }
}

/// One share of a bill that is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharePart {
    /// Which share, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

/// A ticket: a sale, or with [`Self::corrects`] a counter-entry, whose amounts are negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketContent {
    /// [`CONTENT_VERSION`](super::CONTENT_VERSION) when it was written.
    pub version: u16,
    /// Who sold.
    pub identity: Identity,
    /// Name and version of the software; the same as `app_version` of the record.
    pub software: String,
    /// Its number: that of the record in its chain.
    pub ticket_no: i64,
    /// The register.
    pub register: String,
    /// The table.
    pub table: String,
    /// How many guests.
    pub covers: u16,
    /// The share that this ticket settles; none when it settles the whole bill.
    pub share: Option<SharePart>,
    /// Who took the money.
    pub operator: String,
    /// The order, by the uuid that its creator chose.
    pub order_ref: String,
    /// When, `YYYYMMDDHHMMSS`: the local time of the record.
    pub issued_at_local: String,
    /// What was sold.
    pub lines: Vec<TicketLine>,
    /// VAT, taken out once per rate.
    pub vat: Vec<VatCents>,
    /// VAT included.
    pub total: Cents,
    /// How it was paid.
    pub payments: Vec<TicketPayment>,
    /// Nothing was really sold.
    pub training: bool,
    /// The ticket that this counter-entry corrects. Version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<Correction>,
    /// Provisional notes of the same order that were handed out before. Version 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<i64>,
    /// In training: who answers for the person at the till. Version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<String>,
}

impl TicketContent {
    /// Whether lines, VAT and payments all come to the total.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let mut of_lines: Vec<(VatRate, Cents)> = Vec::new();
        for line in &self.lines {
            match of_lines.iter_mut().find(|(rate, _)| *rate == line.rate) {
                Some((_, gross)) => *gross = sum([*gross, line.amount]),
                None => of_lines.push((line.rate, line.amount)),
            }
        }
        of_lines.retain(|(_, gross)| *gross != Cents::ZERO);
        of_lines.sort_unstable();
        of_lines == self.vat_by_rate()
            && self.vat.iter().all(|line| line.vat == line.rate.tax_in(line.gross) && sum([line.net, line.vat]) == line.gross)
            && sum(self.vat.iter().map(|line| line.gross)) == self.total
            && sum(self.payments.iter().map(|payment| payment.amount)) == self.total
    }

    /// Whether it holds nothing that its version does not know.
    #[must_use]
    pub fn fits_its_version(&self) -> bool {
        let plain_lines = self.lines.iter().all(|line| line.discount.is_none());
        let plain_payments = self.payments.iter().all(|payment| is_nothing(&payment.tip) && is_nothing(&payment.excess));
        let plain = plain_lines && plain_payments && self.corrects.is_none() && self.notes.is_empty() && self.responsible.is_none();
        self.version >= 2 || plain
    }

    /// Discounts of all lines.
    #[must_use]
    pub fn discounts(&self) -> Cents {
        sum(self.lines.iter().filter_map(|line| line.discount.as_ref()).map(|discount| discount.amount))
    }
}

impl Fact for TicketContent {
    fn version(&self) -> u16 {
        self.version
    }
    fn software(&self) -> &str {
        &self.software
    }
    fn chain(&self) -> Chain {
        Chain::T.or_training(self.training)
    }
    fn kind(&self) -> RecordKind {
        if self.corrects.is_some() { RecordKind::Refund } else { RecordKind::Sale }
    }
    fn register(&self) -> &str {
        &self.register
    }
    fn at_local(&self) -> &str {
        &self.issued_at_local
    }
    fn number(&self) -> Option<i64> {
        Some(self.ticket_no)
    }
    fn vat_by_rate(&self) -> Vec<(VatRate, Cents)> {
        self.vat.iter().map(|line| (line.rate, line.gross)).collect()
    }
    fn total(&self) -> Cents {
        self.total
    }
    /// A counter-entry names its ticket: `T:1057`.
    fn signed_fields(&self) -> Vec<String> {
        self.corrects.iter().map(|correction| format!("{}:{}", self.chain(), correction.ticket_no)).collect()
    }
}
