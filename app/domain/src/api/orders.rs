//! Orders and their lines.

use crate::menu::ItemKind;
use crate::order::LineState;
use crate::wire::{euros, percent};
use crate::{Cents, ItemId, LineId, OrderId, TableId, UserId, VatRate};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

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

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// The guests are there.
    Open,
    /// All is paid.
    PaidComplete,
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
    /// How many.
    pub qty: u32,
    /// For one.
    #[serde(with = "euros")]
    pub unit_price: Cents,
    /// For the line.
    #[serde(with = "euros")]
    pub total: Cents,
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
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    /// All lines that are not voided.
    #[serde(with = "euros")]
    pub total: Cents,
    /// In the order in which they came.
    pub lines: Vec<LineView>,
}
