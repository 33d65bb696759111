//! Bills and their shares.

use crate::vat::VatLine;
use crate::wire::{euros, percent};
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
    /// For the line.
    #[serde(with = "euros")]
    pub total: Cents,
    /// The rate.
    #[serde(with = "percent")]
    pub vat_rate: VatRate,
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
    /// The payment that settled it.
    pub payment_id: Option<PaymentId>,
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
    /// All lines that are not voided.
    #[serde(with = "euros")]
    pub total: Cents,
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
}

/// How to divide what is not yet paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase", deny_unknown_fields)]
pub enum SplitRequest {
    /// So many equal parts.
    Equal {
        /// How many.
        parts: u32,
    },
}

/// Answer to a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitDone {
    /// As in the bill.
    pub shares: Vec<ShareView>,
}

/// A count in thousandths, written as a number with at most three decimals.
mod thousandths {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::value::RawValue;

    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:03}", value / 1000, value % 1000);
        let text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
        RawValue::from_string(text).map_err(serde::ser::Error::custom)?.serialize(serializer)
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
