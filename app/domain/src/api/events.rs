//! Frames of the WebSocket.

use super::TableNow;
use crate::order::TableStatus;
use crate::pass::Told;
use crate::{LineId, OrderId, TableId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What is said of a dish at the pass. The same dish may be said several times: after a hand-over, after a reconnection, when nobody came.
/// `event_id` stays the same then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DishNews {
    /// The number under which the dish was first said to be ready: what is acknowledged.
    pub event_id: i64,
    /// The order.
    pub order_id: OrderId,
    /// Where the guests sit.
    pub table_id: TableId,
    /// The table's name.
    pub table: String,
    /// The dish.
    pub dish: String,
    /// How many plates of it: the whole line, or one.
    #[serde(default = "one_plate")]
    pub qty: u32,
    /// The line.
    pub line_id: Option<LineId>,
    /// Who looks after the table.
    pub server_name: String,
    /// When it was ready, for the eye: `15h23`.
    pub timestamp: String,
    /// When it was ready, for the program.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Somebody saw to it meanwhile: no reason to run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
}

/// What a phone kept before anybody said how many.
const fn one_plate() -> u32 {
    1
}

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
    /// Lines were added to an order, a line moved on, or a dish was seen to.
    OrderChanged {
        /// The order.
        order_id: OrderId,
    },
    /// Money waits for a person's word, or was decided about.
    MoneyToCheck {},
    /// A dish waits at the pass, for the waiter of the table.
    DishReady(DishNews),
    /// It waits and nobody came: for others.
    DishEscalated {
        /// The dish.
        #[serde(flatten)]
        news: DishNews,
        /// Who is told by now.
        level: Told,
    },
    /// That somebody sees to a dish is written down.
    Ack {
        /// The dish.
        event_id: i64,
    },
    /// That dish is none of theirs, or there is none of that number: not to be said again.
    Nack {
        /// The dish.
        event_id: i64,
    },
    /// Events of other processes may have been missed: whatever is shown is to be asked for again.
    Refresh {},
    /// Are you there?
    Ping {},
}

/// An event as it travels, with its number when it is one of those that are stored.
///
/// # Errors
/// Never for what is in this file; the signature is serde's.
pub fn frame(id: Option<i64>, event: &Event) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Numbered<'e> {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<i64>,
        #[serde(flatten)]
        event: &'e Event,
    }
    serde_json::to_string(&Numbered { id, event })
}

/// A frame that the browser sends over the WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum ClientEvent {
    /// Yes, I am.
    Pong {},
    /// This phone is awake and told what has this number: there is no need to wake it. Said by those that are woken.
    Heard {
        /// The number of the event.
        id: i64,
    },
    /// I see to it.
    DishAcknowledged {
        /// Of which order.
        order_id: OrderId,
        /// Which dish; all of the order that wait when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event_id: Option<i64>,
    },
}

/// Why the server closes a socket, as the code of the close frame says it.
pub mod close_code {
    /// The server stops and will be back.
    pub const RESTARTING: u16 = 1012;
    /// Nobody is signed in with this session any more.
    pub const SIGNED_OUT: u16 = 4401;
    /// Events were lost on the way: come back with the number of the last one that was heard.
    pub const CATCH_UP: u16 = 4408;
}
