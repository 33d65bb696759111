//! The plan: what stands on each table now, and how the house is drawn.

use crate::ids::RoomId;
use crate::order::TableStatus;
use crate::wire::euros_opt;
use crate::{Cents, OrderId, TableId, UserId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// One table of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableView {
    /// Its number in the contract.
    pub id: TableId,
    /// Its name on the plan.
    pub name: String,
    /// The room it stands in.
    pub room: String,
    /// How many can sit there.
    pub seats: u16,
    /// Where it stands; the rule is [`crate::floor::standing`].
    pub status: TableStatus,
    /// The open order, if any.
    pub order_id: Option<OrderId>,
    /// Who looks after it.
    pub server_user_id: Option<UserId>,
    /// The name of that person.
    pub server_name: Option<String>,
    /// Since when it is in this state of being occupied.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    /// Since when the oldest dish is awaited from the kitchen.
    #[serde(with = "time::serde::rfc3339::option")]
    pub pending_since: Option<OffsetDateTime>,
    /// Guests of the open order.
    pub covers: Option<u16>,
    /// What is left to pay.
    #[serde(with = "euros_opt", default)]
    pub remaining: Option<Cents>,
    /// When all this was so, by the clock of the database: of two answers the later one counts.
    #[serde(with = "time::serde::rfc3339")]
    pub as_of: OffsetDateTime,
    /// Its middle on the plan, in hundredths of the room's width.
    pub x: u16,
    /// Its middle on the plan, in hundredths of the room's height.
    pub y: u16,
    /// In hundredths of the room's width.
    pub width: u16,
    /// In hundredths of the room's height.
    pub height: u16,
    /// In degrees, clockwise.
    pub rotation: u16,
    /// Round rather than square.
    pub round: bool,
}

/// What changes on a table during a service: travels with the event that says so, so that no phone has to ask for the plan again.
/// The amount is in cents because frames are read in ways that decimals do not survive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableNow {
    /// Who looks after it.
    pub server_user_id: Option<UserId>,
    /// The name of that person.
    pub server_name: Option<String>,
    /// Since when it is in its state.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    /// Since when the oldest dish is awaited.
    #[serde(with = "time::serde::rfc3339::option")]
    pub pending_since: Option<OffsetDateTime>,
    /// Guests of the open order.
    pub covers: Option<u16>,
    /// What is left to pay.
    pub remaining_cents: Option<i64>,
    /// When all this was so, by the clock of the database.
    #[serde(with = "time::serde::rfc3339")]
    pub as_of: OffsetDateTime,
}

impl TableView {
    /// What of this an event carries.
    #[must_use]
    pub fn now(&self) -> TableNow {
        TableNow {
            server_user_id: self.server_user_id,
            server_name: self.server_name.clone(),
            since: self.since,
            pending_since: self.pending_since,
            covers: self.covers,
            remaining_cents: self.remaining.map(|left| left.0),
            as_of: self.as_of,
        }
    }

    /// The table as the house drew it, without what a service changes.
    #[must_use]
    pub fn as_drawn(&self) -> Self {
        Self {
            status: TableStatus::Free,
            order_id: None,
            server_user_id: None,
            server_name: None,
            since: None,
            pending_since: None,
            covers: None,
            remaining: None,
            as_of: OffsetDateTime::UNIX_EPOCH,
            ..self.clone()
        }
    }

    /// Takes over what an event said, unless something later is known already.
    pub fn take(&mut self, status: TableStatus, order_id: Option<OrderId>, now: &TableNow) {
        if now.as_of < self.as_of {
            return;
        }
        let now = now.clone();
        self.status = status;
        self.order_id = order_id;
        self.server_user_id = now.server_user_id;
        self.server_name = now.server_name;
        self.since = now.since;
        self.pending_since = now.pending_since;
        self.covers = now.covers;
        self.remaining = now.remaining_cents.map(Cents);
        self.as_of = now.as_of;
    }
}

/// The house as it is drawn, whole: what the editor reads and writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloorPlan {
    /// Rises with every change. Whoever writes says which one was changed.
    pub version: i64,
    /// In the order of the house.
    pub rooms: Vec<RoomPlan>,
}

/// One room of the drawing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomPlan {
    /// None for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RoomId>,
    /// What it is called.
    pub name: String,
    /// What stands there.
    pub tables: Vec<TablePlan>,
}

/// One table of the drawing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePlan {
    /// None for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<TableId>,
    /// What people call it; typed to jump there.
    pub name: String,
    /// How many can sit there.
    pub seats: u16,
    /// Its middle, in hundredths of the room's width.
    pub x: u16,
    /// Its middle, in hundredths of the room's height.
    pub y: u16,
    /// In hundredths of the room's width.
    pub width: u16,
    /// In hundredths of the room's height.
    pub height: u16,
    /// In degrees, clockwise.
    pub rotation: u16,
    /// Round rather than square.
    pub round: bool,
}
