//! The closing of a day: the Z.

use super::super::totals::sum;
use super::{Fact, Identity};
use crate::api::{CashSummary, CloseSummary, iso_date};
use crate::fiscal::{ByMethodCents, Chain, ClosingTotals, RecordKind, VatCents, digits_of};
use crate::{Cents, VatRate};
use serde::{Deserialize, Serialize};
use time::Date;

/// The closing of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosingContent {
    /// [`CONTENT_VERSION`](super::CONTENT_VERSION) when it was written.
    pub version: u16,
    /// Who sold.
    pub identity: Identity,
    /// Name and version of the software; the same as `app_version` of the record.
    pub software: String,
    /// Number of the Z.
    pub z_number: i64,
    /// The register.
    pub register: String,
    /// The service day.
    #[serde(with = "iso_date")]
    pub service_day: Date,
    /// Beginning of the period, `YYYYMMDDHHMMSS`.
    pub opened_at_local: String,
    /// Its end, `YYYYMMDDHHMMSS`.
    pub closed_at_local: String,
    /// Who closed.
    pub operator: String,
    /// First number of the range. The next range begins after [`Self::last_ticket`].
    pub first_ticket: i64,
    /// Last number of the range; `first_ticket - 1` when nothing was sold.
    pub last_ticket: i64,
    /// How many tickets.
    pub ticket_count: u32,
    /// How many payments.
    pub payment_count: u32,
    /// Sums of the tickets' VAT.
    pub vat: Vec<VatCents>,
    /// VAT included.
    pub total: Cents,
    /// By means of payment.
    pub by_method: ByMethodCents,
    /// Sales less refunds since the till was first used; never reset.
    pub perpetual_total: Cents,
    /// Sales plus refunds since the till was first used; never reset.
    pub perpetual_absolute: Cents,
    /// Nothing was really sold.
    pub training: bool,
    /// What version 2 adds; none in version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<ClosingDetail>,
}

/// What a closing of version 2 says besides: everything of the period that is no sale.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosingDetail {
    /// First record of the period, by its number in the whole journal. Between two periods there are closings, events and archives only.
    pub first_record: i64,
    /// Last record of the period.
    pub last_record: i64,
    /// Counter-entries among the tickets.
    pub refund_count: u32,
    /// What they come to; not positive.
    pub refund_total: Cents,
    /// Discounts of all tickets.
    pub discount_total: Cents,
    /// Tips, outside the total and outside VAT.
    pub tips: ByMethodCents,
    /// What corrections of a means of payment moved; part of `by_method` already.
    pub transfers: ByMethodCents,
    /// The drawer.
    pub cash: CashCents,
    /// Provisional notes handed out.
    pub note_count: u32,
    /// Duplicatas.
    pub duplicate_count: u32,
    /// Records of the training chain in the same span. Nothing in training.
    pub training_count: u32,
    /// Notes handed out in the period whose order is not settled.
    pub notes_left: Vec<NoteLeft>,
    /// Tables that owed something when the day was closed.
    pub open_tables: Vec<String>,
    /// The last record of every other chain of the register: none of them can lose its end unnoticed.
    pub chains: Vec<ChainEnd>,
}

/// The drawer of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashCents {
    /// The float, as last stated.
    pub float: Cents,
    /// Put in.
    pub put_in: Cents,
    /// Taken out; not negative.
    pub taken_out: Cents,
    /// Takings in cash, change and refunds taken off, with cash tips.
    pub takings: Cents,
    /// As last counted.
    pub counted: Option<Cents>,
    /// Counted less what was expected at that moment.
    pub difference: Option<Cents>,
}

impl CashCents {
    /// What should be in the drawer.
    #[must_use]
    pub fn expected(&self) -> Cents {
        sum([self.float, self.put_in, Cents(self.taken_out.0.saturating_neg()), self.takings])
    }
}

/// A note whose order is not settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteLeft {
    /// Its number.
    pub note_no: i64,
    /// The table.
    pub table: String,
    /// What it came to.
    pub total: Cents,
    /// The order was given up, so that nothing will settle it.
    pub given_up: bool,
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainEnd {
    /// The chain.
    pub chain: Chain,
    /// The number of its last record.
    pub seq: i64,
    /// Its signature.
    pub signature: String,
}

impl ClosingContent {
    /// The tax in the total.
    #[must_use]
    pub fn total_vat(&self) -> Cents {
        sum(self.vat.iter().map(|line| line.vat))
    }

    /// What of this closing is not the sum of `tickets`, in French.
    pub(in crate::fiscal) fn differences_from(&self, tickets: &ClosingTotals) -> Vec<&'static str> {
        [
            (self.ticket_count != tickets.ticket_count, "nombre de tickets"),
            (self.payment_count != tickets.payment_count, "nombre de paiements"),
            (self.total != tickets.total, "total"),
            (self.vat != tickets.vat, "TVA par taux"),
            (self.by_method != tickets.by_method, "moyens de paiement"),
        ]
        .into_iter()
        .chain(self.detail.iter().flat_map(|detail| detail.differences_from(tickets)))
        .filter_map(|(differs, what)| differs.then_some(what))
        .collect()
    }

    /// As the outside contract shows it.
    #[must_use]
    pub fn summary(&self) -> CloseSummary {
        CloseSummary {
            z_number: Some(self.z_number),
            service_day: self.service_day,
            total_ttc: self.total,
            total_tva: self.total_vat(),
            count: self.payment_count,
            by_method: self.by_method.into(),
            vat: self.vat.iter().copied().map(Into::into).collect(),
            perpetual_total: self.perpetual_total,
            perpetual_absolute: self.perpetual_absolute,
            training: self.training,
            cash: self.detail.as_ref().map(|detail| CashSummary::from(&detail.cash)),
            tips: self.detail.as_ref().map(|detail| detail.tips.into()),
            refunds: self.detail.as_ref().map(|detail| detail.refund_total),
            period: None,
        }
    }
}

impl ClosingDetail {
    /// The sums of a period; its bounds, its chains and what is left are said by whoever closes.
    #[must_use]
    pub fn summing(totals: &ClosingTotals) -> Self {
        Self {
            refund_count: totals.refund_count,
            refund_total: totals.refund_total,
            discount_total: totals.discount_total,
            tips: totals.tips,
            transfers: totals.transfers,
            cash: totals.cash,
            note_count: totals.note_count,
            duplicate_count: totals.duplicate_count,
            ..Self::default()
        }
    }

    fn differences_from(&self, totals: &ClosingTotals) -> Vec<(bool, &'static str)> {
        vec![
            ((self.refund_count, self.refund_total) != (totals.refund_count, totals.refund_total), "annulations"),
            (self.discount_total != totals.discount_total, "remises"),
            (self.tips != totals.tips, "pourboires"),
            (self.transfers != totals.transfers, "corrections de règlement"),
            (self.cash != totals.cash, "espèces en caisse"),
            (self.note_count != totals.note_count, "nombre de notes"),
            (self.duplicate_count != totals.duplicate_count, "nombre de duplicatas"),
        ]
    }
}

impl Fact for ClosingContent {
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
        RecordKind::ClosureZ
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
    /// Perpetual totals (algebraic, absolute), `start|end`, `T:first-last`.
    fn signed_fields(&self) -> Vec<String> {
        vec![
            self.perpetual_total.0.to_string(),
            self.perpetual_absolute.0.to_string(),
            format!("{}|{}", digits_of(&self.opened_at_local), digits_of(&self.closed_at_local)),
            format!("{}:{}-{}", Chain::T.or_training(self.training), self.first_ticket, self.last_ticket),
        ]
    }
}
