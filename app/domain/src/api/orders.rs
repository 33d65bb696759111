//! Orders and their lines.

use crate::menu::ItemKind;
use crate::order::{LineState, PricedOption};
use crate::wire::{euros, percent};
use crate::{Cents, ItemId, LineId, OrderId, TableId, UserId, VatRate};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Answer to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAccepted {
    /// The open order of that table.
    pub order_id: OrderId,
    /// Whether the kitchen has it.
    pub status: SentStatus,
    /// First, second … time that something was sent for this order.
    pub round: u32,
}

/// Whether the kitchen system has taken the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentStatus {
    /// The kitchen has it.
    Sent,
    /// Stored, the kitchen system does not answer yet.
    PendingErp,
}

impl SentStatus {
    /// The word in the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::PendingErp => "pending_erp",
        }
    }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// The guests are there.
    Open,
    /// All is paid.
    PaidComplete,
    /// Its lines went to another order.
    Merged,
    /// The guests left, and nothing was owed.
    Cancelled,
}

impl std::str::FromStr for OrderStatus {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "open" => Ok(Self::Open),
            "paid_complete" => Ok(Self::PaidComplete),
            "merged" => Ok(Self::Merged),
            "cancelled" => Ok(Self::Cancelled),
            _ => Err("unknown order status"),
        }
    }
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// The line.
    pub line_id: LineId,
    /// What was ordered.
    pub item_id: ItemId,
    /// What kind of thing.
    pub kind: ItemKind,
    /// Its name when it was ordered.
    pub name: String,
    /// How many, without those taken off.
    pub qty: u32,
    /// How many were taken off.
    #[serde(default)]
    pub voided_qty: u32,
    /// For one, with what its options add.
    #[serde(with = "euros")]
    pub unit_price: Cents,
    /// For the line, its discount taken off.
    #[serde(with = "euros")]
    pub total: Cents,
    /// What was taken off its price.
    #[serde(with = "euros", default)]
    pub discount: Cents,
    /// Why, and who allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_reason: Option<String>,
    /// Who allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_by: Option<String>,
    /// The rate when it was ordered.
    #[serde(with = "percent")]
    pub vat_rate: VatRate,
    /// Where it stands.
    pub state: LineState,
    /// For the kitchen.
    pub note: Option<String>,
    /// Served with this course.
    pub course: u8,
    /// Sent in this round.
    pub round: u32,
    /// The *formule* it belongs to.
    pub part_of: Option<String>,
    /// What was asked and answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<PricedOption>,
    /// Whether the kitchen has it; `None` for what is not cooked, and while it is held.
    #[serde(default)]
    pub kitchen: Option<SentStatus>,
    /// The waiter asked the kitchen for it.
    #[serde(default)]
    pub called: bool,
    /// The kitchen system said that it does not want the slip: nobody cooks this, unless somebody tells the kitchen. It is asked again all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// A kitchen system that is not ours was told of it: from here it can neither be called for nor be made to wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beyond_call: bool,
}

impl LineView {
    /// Whether somebody besides the waiter knows of it, and has to be given a reason when it is taken off: whatever went its way, and a dish that the
    /// kitchen was told of before it was held. The rest is typing.
    #[must_use]
    pub fn was_told(&self) -> bool {
        self.state != LineState::Held || self.kitchen.is_some()
    }
}

/// A whole order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// The order.
    pub order_id: OrderId,
    /// Where.
    pub table_id: TableId,
    /// The table's name.
    pub table: String,
    /// Guests.
    pub covers: u16,
    /// Where it stands.
    pub status: OrderStatus,
    /// Who looks after it.
    pub server_user_id: UserId,
    /// The name of that person.
    #[serde(default)]
    pub server_name: String,
    /// The guests want to pay.
    #[serde(default)]
    pub bill_asked: bool,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    /// All lines that are not voided.
    #[serde(with = "euros")]
    pub total: Cents,
    /// In the order in which they came.
    pub lines: Vec<LineView>,
    /// The ticket over nothing that was written as the table was freed: what was on the house is on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_no: Option<i64>,
}

/// Take something off an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoidRequest {
    /// How many.
    pub qty: u32,
    /// Why. What the kitchen has not been told of yet may go without.
    #[serde(default)]
    pub reason: String,
    /// Chosen by the phone; the same one again takes nothing off and returns the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// Move the guests to a free table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferRequest {
    /// Where they sit now.
    pub table_id: TableId,
    /// Chosen by the phone; the same one again changes nothing and returns the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// Put two tables together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeRequest {
    /// The order that stays open.
    pub into_order_id: OrderId,
    /// Chosen by the phone; the same one again changes nothing and returns the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// Give a table to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverRequest {
    /// Who looks after it from now on.
    pub user_id: UserId,
    /// Chosen by the phone; the same one again changes nothing and returns the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// Say how many guests sit there, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoversRequest {
    /// How many.
    pub covers: u16,
    /// Chosen by the phone; the same one again changes nothing and returns the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// What the waiter says about a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CourseCall {
    /// *Réclamer*: the kitchen may begin.
    Fire,
    /// *En attente*: the kitchen is to wait.
    Hold,
}
