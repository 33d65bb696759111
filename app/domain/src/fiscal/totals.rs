//! Amounts in contents, in whole cents, and the sums that a closing states.
//!
//! The bodies of the outside contract write euros as decimal numbers; canonical JSON does not allow them, so signed contents have
//! their own types. Sums saturate instead of overflowing: the verifier reads numbers that somebody may have altered.

use super::TicketContent;
use crate::api::{ByMethod, Method};
use crate::vat::{VatLine, breakdown};
use crate::{Cents, VatRate};
use serde::{Deserialize, Serialize};

fn plus(a: Cents, b: Cents) -> Cents {
    Cents(a.0.saturating_add(b.0))
}

/// Adds without overflowing.
pub(super) fn sum(amounts: impl IntoIterator<Item = Cents>) -> Cents {
    amounts.into_iter().fold(Cents::ZERO, plus)
}

/// One rate of a ticket or of a closing: [`VatLine`] in whole cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VatCents {
    /// The rate, in basis points.
    pub rate: VatRate,
    /// Without tax.
    pub net: Cents,
    /// The tax.
    pub vat: Cents,
    /// With tax.
    pub gross: Cents,
}

impl VatCents {
    /// The VAT of a ticket: taken out once per rate on the sum of its lines, lowest rate first.
    #[must_use]
    pub fn breakdown(amounts: impl IntoIterator<Item = (VatRate, Cents)>) -> Vec<Self> {
        breakdown(amounts).into_iter().map(Self::from).collect()
    }
}

impl From<VatLine> for VatCents {
    fn from(VatLine { rate, net, vat, gross }: VatLine) -> Self {
        Self { rate, net, vat, gross }
    }
}
impl From<VatCents> for VatLine {
    fn from(VatCents { rate, net, vat, gross }: VatCents) -> Self {
        Self { rate, net, vat, gross }
    }
}

/// Totals by means of payment: [`ByMethod`] in whole cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE", deny_unknown_fields)]
pub struct ByMethodCents {
    /// Card.
    pub cb: Cents,
    /// Cash, change taken off.
    pub especes: Cents,
    /// Meal vouchers.
    pub tr: Cents,
    /// Cheques.
    pub cheque: Cents,
}

impl ByMethodCents {
    /// Adds an amount to the total of a means.
    pub fn add(&mut self, method: Method, amount: Cents) {
        let total = match method {
            Method::Cb => &mut self.cb,
            Method::Especes => &mut self.especes,
            Method::Tr => &mut self.tr,
            Method::Cheque => &mut self.cheque,
        };
        *total = plus(*total, amount);
    }

    /// The total of a means.
    #[must_use]
    pub const fn get(&self, method: Method) -> Cents {
        match method {
            Method::Cb => self.cb,
            Method::Especes => self.especes,
            Method::Tr => self.tr,
            Method::Cheque => self.cheque,
        }
    }
}

impl From<ByMethod> for ByMethodCents {
    fn from(ByMethod { cb, especes, tr, cheque }: ByMethod) -> Self {
        Self { cb, especes, tr, cheque }
    }
}
impl From<ByMethodCents> for ByMethod {
    fn from(ByMethodCents { cb, especes, tr, cheque }: ByMethodCents) -> Self {
        Self { cb, especes, tr, cheque }
    }
}

/// What tickets come to together. The closing and its verification both add tickets up here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClosingTotals {
    /// How many tickets.
    pub ticket_count: u32,
    /// How many payments.
    pub payment_count: u32,
    /// Sums of the tickets' own VAT, lowest rate first, so that a Z is to the cent the sum of the tickets in customers' hands. Taking
    /// the tax out of the day's gross again could differ by a cent per ticket.
    pub vat: Vec<VatCents>,
    /// Sales less refunds.
    pub total: Cents,
    /// Sales plus refunds.
    pub absolute: Cents,
    /// By means of payment.
    pub by_method: ByMethodCents,
}

impl ClosingTotals {
    /// Adds a ticket.
    pub fn add(&mut self, ticket: &TicketContent) {
        self.ticket_count = self.ticket_count.saturating_add(1);
        self.total = plus(self.total, ticket.total);
        self.absolute = plus(self.absolute, Cents(ticket.total.0.saturating_abs()));
        for payment in &ticket.payments {
            self.payment_count = self.payment_count.saturating_add(1);
            self.by_method.add(payment.method, payment.amount);
        }
        self.add_vat(&ticket.vat);
    }

    /// Adds the tickets of another sum.
    pub fn merge(&mut self, other: &Self) {
        self.ticket_count = self.ticket_count.saturating_add(other.ticket_count);
        self.payment_count = self.payment_count.saturating_add(other.payment_count);
        self.total = plus(self.total, other.total);
        self.absolute = plus(self.absolute, other.absolute);
        for method in Method::ALL {
            self.by_method.add(method, other.by_method.get(method));
        }
        self.add_vat(&other.vat);
    }

    /// A rate whose sales and refunds cancel out to nothing is left out.
    fn add_vat(&mut self, lines: &[VatCents]) {
        for line in lines {
            match self.vat.binary_search_by_key(&line.rate, |known| known.rate) {
                Ok(at) => {
                    let known = &mut self.vat[at];
                    known.net = plus(known.net, line.net);
                    known.vat = plus(known.vat, line.vat);
                    known.gross = plus(known.gross, line.gross);
                }
                Err(at) => self.vat.insert(at, *line),
            }
        }
        self.vat.retain(|line| (line.net, line.vat, line.gross) != (Cents::ZERO, Cents::ZERO, Cents::ZERO));
    }
}

impl<'a> Extend<&'a TicketContent> for ClosingTotals {
    fn extend<I: IntoIterator<Item = &'a TicketContent>>(&mut self, tickets: I) {
        for ticket in tickets {
            self.add(ticket);
        }
    }
}
