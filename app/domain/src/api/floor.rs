//! The plan.

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
    /// Where it stands.
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
    /// Guests of the open order.
    pub covers: Option<u16>,
    /// What is left to pay.
    #[serde(with = "euros_opt", default)]
    pub remaining: Option<Cents>,
    /// Left edge on the plan, in hundredths of the room's width.
    pub x: u16,
    /// Upper edge on the plan, in hundredths of the room's height.
    pub y: u16,
    /// Round rather than square.
    pub round: bool,
}
