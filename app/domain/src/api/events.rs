//! Frames of the WebSocket.

use super::TableNow;
use crate::order::TableStatus;
use crate::{LineId, OrderId, TableId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A frame that the server sends over the WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// A table changed on the plan.
    TableChanged {
        /// The table.
        table_id: TableId,
        /// Where it stands now.
        status: TableStatus,
        /// Its open order.
        order_id: Option<OrderId>,
        /// What else the plan shows of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        now: Option<TableNow>,
    },
    /// The house was drawn anew: rooms and tables are others.
    FloorChanged {
        /// The new version.
        version: i64,
    },
    /// Something on the menu changed.
    MenuChanged {
        /// The new version.
        version: String,
    },
    /// Lines were added to an order, or a line moved on.
    OrderChanged {
        /// The order.
        order_id: OrderId,
    },
    /// A dish waits at the pass, for the waiter of the table.
    DishReady {
        /// The order.
        order_id: OrderId,
        /// The table's name.
        table: String,
        /// The dish.
        dish: String,
        /// The line.
        line_id: Option<LineId>,
        /// For the eye: `15h23`.
        timestamp: String,
        /// For the program.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// Are you there?
    Ping {},
}

/// A frame that the browser sends over the WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum ClientEvent {
    /// Yes, I am.
    Pong {},
}
