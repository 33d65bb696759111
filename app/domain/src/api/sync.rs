//! Orders that a phone kept and sends later, and the phones that keep them.

use super::SentStatus;
use crate::order::{IfOccupied, ItemRequest, OrderRequest};
use crate::wire::euros_opt;
use crate::{Cents, OrderId, TableId, UserId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// `POST /api/orders/sync`: an order as it was typed, perhaps long ago and without a network.
///
/// Phones send what an earlier version of the app stored, so a field is only ever added, and every one that was added is optional.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncRequest {
    /// Chosen by the phone; the same one again changes nothing and returns the same answer. Required, in the body or as `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// Where.
    pub table_id: TableId,
    /// What.
    pub items: Vec<ItemRequest>,
    /// How many guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers: Option<u16>,
    /// When it was typed, by the phone's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub offline_timestamp: OffsetDateTime,
    /// What to do when the table has an open order. Not said: it joins an order of the same person, and a person decides about another's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_occupied: Option<IfOccupied>,
    /// Until when `append` holds, by the server's clock: it was said by somebody who saw the floor as it was. Arriving later, the order is judged
    /// as if nothing had been said. Not said: it holds for ever.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub append_until: Option<OffsetDateTime>,
    /// The open order that the phone saw when this was typed: the guests, wherever they sit by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The round that this phone typed before for the same guests, when it did not know their order yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Uuid>,
    /// What the phone said that it costs. Another price is for a person to accept.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "euros_opt")]
    pub total: Option<Cents>,
    /// The request in whose place a person decided to send this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolves: Option<Uuid>,
    /// Who typed it. A phone may have changed hands: then nobody else's name is put under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed_by: Option<UserId>,
}

impl SyncRequest {
    /// The part that is checked and priced like any other order.
    #[must_use]
    pub fn as_order(&self) -> OrderRequest {
        OrderRequest {
            table_id: self.table_id,
            items: self.items.clone(),
            covers: self.covers,
            uuid: self.uuid,
            if_occupied: self.if_occupied.unwrap_or_default(),
            order_id: self.order_id,
        }
    }
}

/// Answer to a synchronised order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncAccepted {
    /// The order that it joined or opened.
    pub order_id: OrderId,
    /// Whether the kitchen has it.
    pub status: SentStatus,
    /// First, second … time that something was sent for this order.
    pub round: u32,
    /// When the server stored it.
    #[serde(with = "time::serde::rfc3339")]
    pub server_timestamp: OffsetDateTime,
}

/// `POST /api/orders/sync/{uuid}/drop`: a person gives it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropRequest {
    /// Why.
    pub reason: String,
}

/// Answer to a drop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// What was given up.
    pub uuid: Uuid,
    /// When the server stored it.
    #[serde(with = "time::serde::rfc3339")]
    pub server_timestamp: OffsetDateTime,
}

/// `PUT /api/devices/{uuid}`: what a phone says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceReport {
    /// Orders that it keeps and the server does not have.
    pub held: u32,
    /// How many of them wait for a person.
    #[serde(default)]
    pub conflicts: u32,
    /// Version of the app.
    #[serde(default)]
    pub app: String,
    /// Its person signs out with this report.
    #[serde(default)]
    pub leaving: bool,
}

/// A phone, as the house knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// The number that the app gave itself on that phone.
    pub device_id: Uuid,
    /// Who used it last.
    pub user_id: UserId,
    /// The name of that person.
    pub user_name: String,
    /// Orders that it said it keeps.
    pub held: u32,
    /// How many of them wait for a person.
    pub conflicts: u32,
    /// Version of the app.
    pub app: String,
    /// When it was heard of last.
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
    /// Its person signed out.
    pub left: bool,
    /// Nobody signed out there, and it was not heard of for a while: it may keep orders of which nobody knows.
    #[serde(default)]
    pub silent: bool,
}

/// The phones of the house, and what a person has to decide.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DevicesView {
    /// Those heard of lately, the longest silence first.
    pub devices: Vec<DeviceView>,
    /// Orders that arrived after the last closing although they were typed before it.
    pub late: Vec<LateOrder>,
}

/// An order typed before the last closing that arrived after it. It counts in the period in which it is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateOrder {
    /// The order.
    pub order_id: OrderId,
    /// The table's name.
    pub table: String,
    /// Who typed it.
    pub user_name: String,
    /// When, by the phone's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub typed_at: OffsetDateTime,
    /// When the server got it.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
}
