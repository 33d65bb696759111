//! The closing of a month and of a year: sums of the closings below, with the perpetual totals as they stood.

use super::super::totals::sum;
use super::{Fact, Identity};
use crate::fiscal::{ByMethodCents, Chain, RecordKind, VatCents, digits_of};
use crate::{Cents, VatRate};
use serde::{Deserialize, Serialize};

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongKind {
    /// A month: the sum of its days.
    Month,
    /// A year: the sum of its months.
    Year,
}

impl LongKind {
    /// As the database writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// The closing of a month or of a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongClosingContent {
    /// [`CONTENT_VERSION`](super::CONTENT_VERSION) when it was written.
    pub version: u16,
    /// Who sold.
    pub identity: Identity,
    /// Name and version of the software; the same as `app_version` of the record.
    pub software: String,
    /// Month or year.
    pub kind: LongKind,
    /// Its place among the closings of its kind, from 1. Spans in which no day was opened have none.
    pub number: i64,
    /// `2026-02` or `2026`.
    pub period: String,
    /// The register.
    pub register: String,
    /// When it was closed, `YYYYMMDDHHMMSS`.
    pub closed_at_local: String,
    /// Who closed.
    pub operator: String,
    /// First closing that is summed: number of a Z for a month, of a month for a year.
    pub first: i64,
    /// Last closing that is summed.
    pub last: i64,
    /// How many tickets.
    pub ticket_count: u32,
    /// How many payments.
    pub payment_count: u32,
    /// Sums of the closings' VAT.
    pub vat: Vec<VatCents>,
    /// VAT included.
    pub total: Cents,
    /// By means of payment.
    pub by_method: ByMethodCents,
    /// Sales less refunds since the till was first used.
    pub perpetual_total: Cents,
    /// Sales plus refunds since the till was first used.
    pub perpetual_absolute: Cents,
    /// Nothing was really sold.
    pub training: bool,
}

impl LongClosingContent {
    /// The tax in the total.
    #[must_use]
    pub fn total_vat(&self) -> Cents {
        sum(self.vat.iter().map(|line| line.vat))
    }
}

impl Fact for LongClosingContent {
    fn version(&self) -> u16 {
        self.version
    }
    fn software(&self) -> &str {
        &self.software
    }
    fn chain(&self) -> Chain {
        Chain::G.or_training(self.training)
    }
    fn kind(&self) -> RecordKind {
        match self.kind {
            LongKind::Month => RecordKind::ClosureMonth,
            LongKind::Year => RecordKind::ClosureYear,
        }
    }
    fn register(&self) -> &str {
        &self.register
    }
    fn at_local(&self) -> &str {
        &self.closed_at_local
    }
    fn vat_by_rate(&self) -> Vec<(VatRate, Cents)> {
        self.vat.iter().map(|line| (line.rate, line.gross)).collect()
    }
    fn total(&self) -> Cents {
        self.total
    }
    /// Perpetual totals, the period, `Z:first-last` or `M:first-last`.
    fn signed_fields(&self) -> Vec<String> {
        let of = if self.kind == LongKind::Month { "Z" } else { "M" };
        vec![
            self.perpetual_total.0.to_string(),
            self.perpetual_absolute.0.to_string(),
            digits_of(&self.period),
            format!("{of}:{}-{}", self.first, self.last),
        ]
    }
}
