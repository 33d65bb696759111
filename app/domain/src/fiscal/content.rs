//! What the two records that carry money say in full: the ticket and the closing.
//!
//! Everything a print needs is in here, as it was at that moment: names, prices and the identity of the house are copies, so that
//! renaming a dish never changes an old ticket. No key of the database is in here either: a restored copy must verify. Moments are on
//! the clock of the restaurant and written `YYYYMMDDHHMMSS`, see [`local_timestamp`](super::local_timestamp).

use super::totals::sum;
use super::{ByMethodCents, Chain, ClosingTotals, VatCents, digits_of};
use crate::api::{CloseSummary, Method, iso_date};
use crate::{Cents, VatRate};
use serde::{Deserialize, Serialize};
use time::Date;

/// Version of the contents below.
pub const CONTENT_VERSION: u16 = 1;

/// Who sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The name on the door.
    pub name: String,
    /// Address, line by line.
    pub address: Vec<String>,
    /// SIRET number.
    pub siret: String,
    /// NAF code.
    pub naf: String,
    /// Intra-community VAT number.
    pub vat_no: String,
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

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketContent {
    /// [`CONTENT_VERSION`].
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
}

impl TicketContent {
    /// Gross amount per rate.
    #[must_use]
    pub fn vat_by_rate(&self) -> Vec<(VatRate, Cents)> {
        self.vat.iter().map(|line| (line.rate, line.gross)).collect()
    }

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
}

/// The closing of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosingContent {
    /// [`CONTENT_VERSION`].
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
}

impl ClosingContent {
    /// Gross amount per rate.
    #[must_use]
    pub fn vat_by_rate(&self) -> Vec<(VatRate, Cents)> {
        self.vat.iter().map(|line| (line.rate, line.gross)).collect()
    }

    /// The fields that a closing adds to the signed text: perpetual totals (algebraic, absolute), `start|end`, `T:first-last`.
    #[must_use]
    pub fn signed_fields(&self) -> Vec<String> {
        vec![
            self.perpetual_total.0.to_string(),
            self.perpetual_absolute.0.to_string(),
            format!("{}|{}", digits_of(&self.opened_at_local), digits_of(&self.closed_at_local)),
            format!("{}:{}-{}", Chain::of_tickets(self.training), self.first_ticket, self.last_ticket),
        ]
    }

    /// The tax in the total.
    #[must_use]
    pub fn total_vat(&self) -> Cents {
        sum(self.vat.iter().map(|line| line.vat))
    }

    /// What of this closing is not the sum of `tickets`, in French.
    pub(super) fn differences_from(&self, tickets: &ClosingTotals) -> Vec<&'static str> {
        [
            (self.ticket_count != tickets.ticket_count, "nombre de tickets"),
            (self.payment_count != tickets.payment_count, "nombre de paiements"),
            (self.total != tickets.total, "total"),
            (self.vat != tickets.vat, "TVA par taux"),
            (self.by_method != tickets.by_method, "moyens de paiement"),
        ]
        .into_iter()
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
        }
    }
}
