//! Amounts in contents, in whole cents, and the sums that a closing states.
//!
//! The bodies of the outside contract write euros as decimal numbers; canonical JSON does not allow them, so signed contents have
//! their own types. Sums saturate instead of overflowing: the verifier reads numbers that somebody may have altered.

use super::{CashCents, MoneyContent, MoneyKind, RecordKind, TicketContent};
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

/// What the records of a period come to together. The closing and its verification both add them up here, in the order of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClosingTotals {
    /// How many tickets, counter-entries included.
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
    /// By means of payment, corrections included.
    pub by_method: ByMethodCents,
    /// How many counter-entries.
    pub refund_count: u32,
    /// What they come to; not positive.
    pub refund_total: Cents,
    /// Discounts.
    pub discount_total: Cents,
    /// Tips, outside the total.
    pub tips: ByMethodCents,
    /// What corrections moved between means.
    pub transfers: ByMethodCents,
    /// The drawer.
    pub cash: CashCents,
    /// Provisional notes.
    pub note_count: u32,
    /// Duplicatas.
    pub duplicate_count: u32,
}

/// What one record adds to its period: kept by the verifier until a closing names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counted {
    /// A ticket or a counter-entry.
    Ticket {
        /// VAT included.
        total: Cents,
        /// It is a counter-entry.
        corrects: bool,
        /// Discounts of its lines.
        discounts: Cents,
        /// Means, amount and tip.
        payments: Vec<(Method, Cents, Cents)>,
        /// Its VAT.
        vat: Vec<VatCents>,
    },
    /// A movement of money.
    Money {
        /// What.
        kind: MoneyKind,
        /// How much.
        amount: Cents,
        /// The means.
        method: Method,
        /// Of a transfer: the other means.
        to: Option<Method>,
    },
    /// A provisional note.
    Note,
    /// A duplicata.
    Duplicate,
}

impl From<&TicketContent> for Counted {
    fn from(ticket: &TicketContent) -> Self {
        Self::Ticket {
            total: ticket.total,
            corrects: ticket.corrects.is_some(),
            discounts: ticket.discounts(),
            payments: ticket.payments.iter().map(|payment| (payment.method, payment.amount, payment.tip)).collect(),
            vat: ticket.vat.clone(),
        }
    }
}

impl From<&MoneyContent> for Counted {
    fn from(money: &MoneyContent) -> Self {
        Self::Money { kind: money.kind, amount: money.amount, method: money.method, to: money.to }
    }
}

impl Counted {
    /// What a record adds by what its content says; `None` for what adds nothing to a day.
    ///
    /// # Errors
    /// When the content is not one of its kind.
    pub fn read(kind: RecordKind, content: &str) -> serde_json::Result<Option<Self>> {
        Ok(match kind {
            RecordKind::Sale | RecordKind::Refund => Some(Self::from(&serde_json::from_str::<TicketContent>(content)?)),
            RecordKind::Float
            | RecordKind::CashIn
            | RecordKind::CashOut
            | RecordKind::CashCount
            | RecordKind::Tip
            | RecordKind::Transfer => Some(Self::from(&serde_json::from_str::<MoneyContent>(content)?)),
            RecordKind::Note => Some(Self::Note),
            RecordKind::Duplicate => Some(Self::Duplicate),
            RecordKind::Original
            | RecordKind::ClosureZ
            | RecordKind::ClosureMonth
            | RecordKind::ClosureYear
            | RecordKind::TechnicalEvent
            | RecordKind::Archive => None,
        })
    }
}

impl ClosingTotals {
    /// Adds a ticket or a counter-entry.
    pub fn add(&mut self, ticket: &TicketContent) {
        self.count(&Counted::from(ticket));
    }

    /// Adds a record.
    pub fn count(&mut self, counted: &Counted) {
        match counted {
            Counted::Ticket { total, corrects, discounts, payments, vat } => {
                self.ticket_count = self.ticket_count.saturating_add(1);
                self.total = plus(self.total, *total);
                self.absolute = plus(self.absolute, Cents(total.0.saturating_abs()));
                if *corrects {
                    self.refund_count = self.refund_count.saturating_add(1);
                    self.refund_total = plus(self.refund_total, *total);
                }
                self.discount_total = plus(self.discount_total, *discounts);
                for (method, amount, tip) in payments {
                    self.payment_count = self.payment_count.saturating_add(1);
                    self.by_method.add(*method, *amount);
                    self.cash_taken(*method, *amount);
                    self.tip(*method, *tip);
                }
                self.add_vat(vat);
            }
            Counted::Money { kind, amount, method, to } => self.move_money(*kind, *amount, *method, *to),
            Counted::Note => self.note_count = self.note_count.saturating_add(1),
            Counted::Duplicate => self.duplicate_count = self.duplicate_count.saturating_add(1),
        }
    }

    fn move_money(&mut self, kind: MoneyKind, amount: Cents, method: Method, to: Option<Method>) {
        let cash = &mut self.cash;
        match kind {
            MoneyKind::Float => cash.float = amount,
            MoneyKind::In => cash.put_in = plus(cash.put_in, amount),
            MoneyKind::Out => cash.taken_out = plus(cash.taken_out, amount),
            MoneyKind::Count => {
                cash.counted = Some(amount);
                cash.difference = Some(plus(amount, Cents(cash.expected().0.saturating_neg())));
            }
            MoneyKind::Tip => self.tip(method, amount),
            MoneyKind::Transfer => {
                let away = Cents(amount.0.saturating_neg());
                for (method, amount) in [(Some(method), away), (to, amount)] {
                    let Some(method) = method else { continue };
                    self.by_method.add(method, amount);
                    self.transfers.add(method, amount);
                    self.cash_taken(method, amount);
                }
            }
        }
    }

    fn tip(&mut self, method: Method, amount: Cents) {
        self.tips.add(method, amount);
        self.cash_taken(method, amount);
    }

    fn cash_taken(&mut self, method: Method, amount: Cents) {
        if method == Method::Especes {
            self.cash.takings = plus(self.cash.takings, amount);
        }
    }

    /// Adds a closing: of a day to its month, of a month to its year. What only a day has is left out.
    pub fn add_closing(&mut self, tickets: u32, payments: u32, vat: &[VatCents], total: Cents, by_method: &ByMethodCents) {
        self.ticket_count = self.ticket_count.saturating_add(tickets);
        self.payment_count = self.payment_count.saturating_add(payments);
        self.total = plus(self.total, total);
        for method in Method::ALL {
            self.by_method.add(method, by_method.get(method));
        }
        self.add_vat(vat);
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
