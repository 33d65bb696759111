//! Payments.

use crate::attempt::AttemptState;
use crate::terminal::EURO;
use crate::wire::{euros, euros_opt};
use crate::{Cents, OrderId, PaymentId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// How a share is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Bank card.
    Cb,
    /// Cash.
    Especes,
    /// Meal voucher.
    Tr,
    /// Cheque.
    Cheque,
}

impl Method {
    /// Every means, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Cb, Self::Especes, Self::Tr, Self::Cheque];

    /// The word of the contract and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cb => "CB",
            Self::Especes => "ESPECES",
            Self::Tr => "TR",
            Self::Cheque => "CHEQUE",
        }
    }

    /// The word on a ticket.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cb => "Carte bancaire",
            Self::Especes => "Espèces",
            Self::Tr => "Titre-restaurant",
            Self::Cheque => "Chèque",
        }
    }
}

impl std::str::FromStr for Method {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or("unknown means of payment")
    }
}

/// Settle one share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentRequest {
    /// The order.
    pub order_id: OrderId,
    /// The share.
    pub cover_number: u32,
    /// What the screen showed as owed; refused when the share owes something else by now.
    #[serde(with = "euros")]
    pub amount: Cents,
    /// The means.
    pub method: Method,
    /// Cash handed over; what meal vouchers are worth, when that is more than they settle.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub tendered: Option<Cents>,
    /// Given beside it: outside the sale and outside VAT.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<Cents>,
    /// Only so much of the share now; the rest becomes a share of its own, to be paid by other means.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Cents>,
    /// Other shares that are paid in one with it; `amount` is then what all of them owe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<u32>,
    /// The authorisation number that a terminal of its own printed; only where no terminal is on the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_code: Option<String>,
    /// Chosen by the till; the same one again charges nothing and returns the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidStatus {
    /// The share is settled, others are not.
    Paid,
    /// The whole order is settled.
    OrderComplete,
    /// The terminal took less than the share owed; the rest is a share.
    Partial,
}

/// Answer to a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDone {
    /// The payment.
    pub payment_id: PaymentId,
    /// Whether anything is left.
    pub status: PaidStatus,
    /// Shares left of all shares: `3/4`.
    pub remaining: String,
    /// Euros left.
    #[serde(with = "euros")]
    pub remaining_amount: Cents,
    /// To give back, out of cash.
    #[serde(with = "euros")]
    pub change: Cents,
    /// The ticket's number.
    pub ticket_no: i64,
    /// What the terminal took, when that is less than what the share owed.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub amount_booked: Option<Cents>,
    /// What a cashier should know, and what stopped nothing: `tr_over_daily_limit`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Gives money back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundRequest {
    /// How much; without it, all of the lines below, or all of the payment that was not given back yet.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Cents>,
    /// Only for these lines of its ticket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<crate::LineId>,
    /// Why.
    pub reason: String,
    /// For a card: the number on the terminal's ticket of the refund, which a person makes at the terminal first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_code: Option<String>,
    /// Chosen by the till; the same one again gives nothing back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// Answer to a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundDone {
    /// The refund.
    pub refund_id: i64,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// How much was given back.
    #[serde(with = "euros")]
    pub amount: Cents,
    /// By the means by which it had come.
    pub method: Method,
    /// The number of the counter-entry.
    pub ticket_no: i64,
    /// The ticket that it corrects.
    pub corrects: i64,
}

/// Corrects the means of a payment: the money did not move, the record does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodChange {
    /// What it really was.
    pub method: Method,
    /// Why.
    pub reason: String,
    /// Chosen by the till; the same one again corrects nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// Answer to a correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodChanged {
    /// Of which payment.
    pub payment_id: PaymentId,
    /// What it was said to be.
    pub from: Method,
    /// What it is.
    pub to: Method,
    /// The number of the signed record.
    pub record_no: i64,
}

/// What one holder may pay with meal vouchers on one day (Code du travail, R. 3262-10): more is warned of, not refused.
pub const TR_DAILY_LIMIT: Cents = Cents(2500);

/// One step of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentStep {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Where it stood; nothing at its beginning.
    pub from: Option<String>,
    /// Where it stands since.
    pub to: String,
    /// Why: a stable word, the terminal's code, or what a person wrote.
    pub why: String,
    /// Who; nobody: the machine.
    pub by: Option<String>,
}

/// A payment, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentView {
    /// The payment.
    pub payment_id: PaymentId,
    /// Of which order.
    pub order_id: OrderId,
    /// Of which share.
    pub cover_number: u32,
    /// What the share owed.
    #[serde(with = "euros")]
    pub amount: Cents,
    /// What was taken, when that is less.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub amount_booked: Option<Cents>,
    /// The means.
    pub method: Method,
    /// Where it stands. `sending` is told as `sent`: from outside nobody can tell them apart.
    pub status: AttemptState,
    /// The authorisation number.
    pub approval_code: Option<String>,
    /// The ticket, once it is settled.
    pub ticket_no: Option<i64>,
    /// Every step.
    pub history: Vec<PaymentStep>,
    /// What the guest adds: the terminal was asked for both.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<Cents>,
    /// Until then at most the terminal of an unknown payment may still speak, and nobody can say that it was not accepted.
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub listening_until: Option<OffsetDateTime>,
    /// Nobody knows how it ended, and its terminal can be asked for its last ticket.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub can_ask_terminal: bool,
    /// What the terminal said that contradicts how the payment ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contradictions: Vec<Contradiction>,
}

/// A terminal says one thing about a payment, and it ended with another. No day is closed until somebody has decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// Its number.
    pub id: i64,
    /// About which payment.
    pub payment_id: PaymentId,
    /// When the terminal said it.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What it says.
    pub says: AttemptState,
    /// What it took, where it says that it did.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Cents>,
    /// Its authorisation number.
    pub approval_code: Option<String>,
    /// How the payment had ended.
    pub stood: AttemptState,
    /// What was decided; nothing yet: it is open.
    pub decision: Option<Decision>,
    /// Why, in the person's words.
    pub reason: Option<String>,
    /// Who decided.
    pub by: Option<String>,
}

/// What becomes of a contradiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The money was given back.
    Refunded,
    /// What is booked is right.
    Kept,
    /// It is booked: what was approved late while its share is still open, or money that no payment explained, for a share that a person
    /// names.
    Booked,
}

impl Decision {
    /// The word of the contract and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refunded => "refunded",
            Self::Kept => "kept",
            Self::Booked => "booked",
        }
    }
}

impl std::str::FromStr for Decision {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Refunded, Self::Kept, Self::Booked].into_iter().find(|decision| decision.as_str() == text).ok_or("unknown decision")
    }
}

/// Money that the terminal says it took, and that no payment of this till explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrayView {
    /// Its number.
    pub id: i64,
    /// When the terminal said it.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Which terminal.
    pub terminal: String,
    /// The attempt that it names, where it names one.
    pub reference: Option<String>,
    /// How much.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Cents>,
    /// In which currency, as ISO 4217 numbers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The attempt of ours that it names, which it does not agree with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<PaymentId>,
    /// The payment that it was booked as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booked_as: Option<PaymentId>,
    /// What was decided; nothing yet: it is open.
    pub decision: Option<Decision>,
    /// Why, in the person's words.
    pub reason: Option<String>,
    /// Who decided.
    pub by: Option<String>,
}

impl StrayView {
    /// Whether it can be booked for a share: so many euros.
    #[must_use]
    pub fn can_be_booked(&self) -> bool {
        self.decision.is_none() && self.amount.is_some_and(|amount| amount > Cents::ZERO) && self.currency.as_deref() == Some(EURO)
    }
}

/// Decides about a contradiction, or about money that nobody expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// What becomes of it.
    pub decision: Decision,
    /// Why, in the person's words.
    pub reason: String,
    /// The number on the terminal's ticket: of the refund that a person made there, or of the payment that is booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_code: Option<String>,
    /// For which share money is booked that no payment explains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<ShareName>,
}

/// A share of a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareName {
    /// The order.
    pub order_id: OrderId,
    /// The share.
    pub cover_number: u32,
}

/// Money that waits for a person's word. As long as there is any, no day is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyToCheck {
    /// Payments that a terminal is at, or whose end nobody knows.
    pub open: Vec<PaymentInDoubt>,
    /// The terminal said one thing, and the payment ended with another.
    pub contradictions: Vec<ContradictionInDoubt>,
    /// Money that no payment explains.
    pub strays: Vec<StrayInDoubt>,
}

impl MoneyToCheck {
    /// How many sums wait for a person; what a terminal is at does not.
    #[must_use]
    pub fn count(&self) -> usize {
        let unknown = self.open.iter().filter(|payment| payment.status == AttemptState::Unknown).count();
        unknown + self.contradictions.len() + self.strays.len()
    }
}

/// A payment by card, as a person finds it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentInDoubt {
    /// The payment.
    pub payment_id: PaymentId,
    /// Of which order.
    pub order_id: OrderId,
    /// At which table.
    pub table: String,
    /// Of which share.
    pub cover_number: u32,
    /// What the terminal was asked for, a tip among it.
    #[serde(with = "euros")]
    pub amount: Cents,
    /// Who took the money.
    pub by: String,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Where it stands.
    pub status: AttemptState,
}

/// A contradiction, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContradictionInDoubt {
    /// What the terminal said, and how the payment had ended.
    pub said: Contradiction,
    /// The payment.
    pub payment: PaymentInDoubt,
    /// Nothing is booked, and its share is still there: it can be booked after all.
    pub can_be_booked: bool,
}

/// Money that no payment explains, and the payment that it names, if it names one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrayInDoubt {
    /// The money.
    pub stray: StrayView,
    /// The payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<PaymentInDoubt>,
}

/// What a terminal says that is asked for its last ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSays {
    /// What became of the question.
    pub answer: TerminalAnswer,
    /// What the last ticket is for.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Cents>,
    /// Its authorisation number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_code: Option<String>,
    /// The payment. What the terminal says changes nothing about it: a person does.
    pub payment: PaymentView,
}

/// What became of the question for a terminal's last ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalAnswer {
    /// The last ticket is of this payment: it names it, with the same amount, currency and till.
    SamePayment,
    /// The last ticket names another payment, or another amount.
    OtherPayment,
    /// The last ticket names no payment: a person compares.
    Unnamed,
    /// It printed its last ticket and says nothing about it.
    Reprinted,
    /// It has no last ticket, or does not do this.
    Refused,
    /// Its protocol has no such question.
    Unsupported,
    /// It cannot be reached, or does not answer.
    Silent,
}

impl TerminalAnswer {
    /// The word of the contract and of the history.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SamePayment => "same_payment",
            Self::OtherPayment => "other_payment",
            Self::Unnamed => "unnamed",
            Self::Reprinted => "reprinted",
            Self::Refused => "refused",
            Self::Unsupported => "unsupported",
            Self::Silent => "silent",
        }
    }
}

/// What a person saw on the ticket of a terminal that had not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolveOutcome {
    /// Money was taken.
    Accepted,
    /// Nothing was taken.
    NotAccepted,
}

/// Says how a payment ended that nobody knew the end of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// What the terminal's ticket says.
    pub outcome: ResolveOutcome,
    /// Its authorisation number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_code: Option<String>,
    /// What it says was taken, when that is less than what was asked for.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Cents>,
    /// How that is known, in the person's words.
    pub reason: String,
}
