//! Bills and their shares.

use super::Method;
use crate::share::{Claim, Split, Units};
use crate::vat::VatLine;
use crate::wire::{Euros, euros, percent};
use crate::{Cents, LineId, OrderId, PaymentId, TableId, VatRate};
use serde::{Deserialize, Serialize};

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillItem {
    /// The line.
    pub line_id: LineId,
    /// Its name.
    pub name: String,
    /// How many.
    pub qty: u32,
    /// How many are not paid yet, in thousandths rounded down; a part of a line that is paid by amount counts in proportion.
    #[serde(with = "thousandths")]
    pub remaining_qty: u64,
    /// For one.
    #[serde(with = "euros")]
    pub unit_price: Cents,
    /// For the line, its discount taken off.
    #[serde(with = "euros")]
    pub total: Cents,
    /// What was taken off its price.
    #[serde(with = "euros")]
    pub discount: Cents,
    /// The rate.
    #[serde(with = "percent")]
    pub vat_rate: VatRate,
    /// What of the line can be divided: neither paid nor held by a terminal.
    #[serde(with = "euros")]
    pub due: Cents,
    /// How many of the line no paid or held share claims as items: the claims of a division by items come to this.
    pub unclaimed: Units,
}

impl BillItem {
    /// As far as it can still be divided, for [`crate::share::preview_items`].
    #[must_use]
    pub fn left(&self) -> crate::share::LineLeft {
        let (units, unclaimed) = (Units::whole(self.qty), self.unclaimed);
        crate::share::LineLeft { line_id: self.line_id, units, total: self.total, due: self.due, unclaimed }
    }
}

/// Where a share stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShareStatus {
    /// To be paid.
    Unpaid,
    /// A terminal is at it.
    Pending,
    /// Settled.
    Paid,
    /// A terminal did not say.
    Unknown,
}

/// How many of a line a share has as items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareItem {
    /// The line.
    pub line_id: LineId,
    /// How many.
    pub qty: Units,
    /// What the share pays of the line.
    #[serde(with = "euros")]
    pub amount: Cents,
}

/// What became of the money of a paid share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharePayment {
    /// By which means; after a correction, the right one.
    pub method: Method,
    /// The ticket.
    pub ticket_no: i64,
    /// Given beside it.
    #[serde(with = "euros")]
    pub tip: Cents,
    /// Given back since.
    #[serde(with = "euros")]
    pub refunded: Cents,
}

/// How the shares that are not paid came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Division {
    /// Nobody chose: equally by covers.
    #[default]
    Covers,
    /// Equally, into a number that somebody chose.
    Equal,
    /// One by one: by items, by amounts, or several of these.
    Chosen,
}

/// One share of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareView {
    /// First, second … share.
    pub cover_number: u32,
    /// What it owes or has paid.
    #[serde(with = "euros")]
    pub amount: Cents,
    /// Where it stands.
    pub status: ShareStatus,
    /// For the screen, French.
    pub label: String,
    /// The payment that settled it, or tries to.
    pub payment_id: Option<PaymentId>,
    /// What it has as items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ShareItem>,
    /// How it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<SharePayment>,
}

/// A bill: what was taken, what is paid, what is left and who owes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// The order.
    pub order_id: OrderId,
    /// Where.
    pub table_id: TableId,
    /// The table's name.
    pub table: String,
    /// Guests.
    pub covers: u16,
    /// All lines that are not voided, discounts taken off.
    #[serde(with = "euros")]
    pub total: Cents,
    /// What was taken off in all.
    #[serde(with = "euros")]
    pub discount: Cents,
    /// Settled so far.
    #[serde(with = "euros")]
    pub paid: Cents,
    /// Left.
    #[serde(with = "euros")]
    pub remaining: Cents,
    /// The lines.
    pub items: Vec<BillItem>,
    /// The tax by rate, on the whole bill.
    pub vat: Vec<VatLine>,
    /// The shares.
    pub shares: Vec<ShareView>,
    /// How those that are not paid came about.
    #[serde(default)]
    pub division: Division,
    /// Its guests are gone: settled, or freed with nothing to pay.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// How to divide what is not yet paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SplitBody", into = "SplitBody")]
pub struct SplitRequest(pub Split);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SplitMode {
    Equal,
    Items,
    Amounts,
}

/// As the contract writes it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SplitBody {
    mode: SplitMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shares: Option<Vec<Vec<Claim>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amounts: Option<Vec<Euros>>,
}

impl TryFrom<SplitBody> for SplitRequest {
    type Error = &'static str;
    fn try_from(body: SplitBody) -> Result<Self, Self::Error> {
        match body {
            SplitBody { mode: SplitMode::Equal, parts: Some(parts), shares: None, amounts: None } => Ok(Self(Split::Equal(parts))),
            SplitBody { mode: SplitMode::Items, parts: None, shares: Some(shares), amounts: None } => Ok(Self(Split::Items(shares))),
            SplitBody { mode: SplitMode::Amounts, parts: None, shares: None, amounts: Some(amounts) } => {
                Ok(Self(Split::Amounts(amounts.into_iter().map(|amount| amount.0).collect())))
            }
            _ => Err("equal has parts, items has shares, amounts has amounts, and nothing else"),
        }
    }
}

impl From<SplitRequest> for SplitBody {
    fn from(SplitRequest(split): SplitRequest) -> Self {
        let none = Self { mode: SplitMode::Equal, parts: None, shares: None, amounts: None };
        match split {
            Split::Equal(parts) => Self { parts: Some(parts), ..none },
            Split::Items(shares) => Self { mode: SplitMode::Items, shares: Some(shares), ..none },
            Split::Amounts(amounts) => Self { mode: SplitMode::Amounts, amounts: Some(amounts.into_iter().map(Euros).collect()), ..none },
        }
    }
}

/// Takes something off a price. Exactly one of `percent` and `amount`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscountRequest {
    /// Off which line; without it, off all that is not paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<LineId>,
    /// So much of what is not paid of it, in per cent.
    #[serde(with = "crate::wire::percent_opt", default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<VatRate>,
    /// So many euros.
    #[serde(with = "crate::wire::euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Cents>,
    /// Why.
    pub reason: String,
    /// Chosen by the till; the same one again takes nothing off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<uuid::Uuid>,
}

/// Writes a provisional note.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteRequest {
    /// Chosen by the till; the same one again writes no second note and returns the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<uuid::Uuid>,
}

/// A provisional note was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteDone {
    /// Its number among the notes.
    pub note_no: i64,
    /// As it is printed: 48 columns.
    pub text: String,
}

/// Answer to a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitDone {
    /// As in the bill.
    pub shares: Vec<ShareView>,
}

/// A count in thousandths, written as a number with at most three decimals.
mod thousandths {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::value::RawValue;

    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:03}", value / 1000, value % 1000);
        crate::wire::write_number(text.trim_end_matches('0').trim_end_matches('.'), serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let (whole, fraction) = raw.get().split_once('.').unwrap_or((raw.get(), ""));
        let padded = format!("{fraction:0<3}");
        match (whole.parse::<u64>(), padded.get(..3).and_then(|f| f.parse::<u64>().ok())) {
            (Ok(whole), Some(thousandths)) => Ok(whole * 1000 + thousandths),
            _ => Err(serde::de::Error::custom("expected a count with at most three decimals")),
        }
    }
}
