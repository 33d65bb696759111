//! The kitchen screen.

use crate::order::LineState;
use crate::{LineId, OrderId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// One line on the kitchen screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitchenLine {
    /// The line.
    pub line_id: LineId,
    /// The order it belongs to.
    pub order_id: OrderId,
    /// What.
    pub name: String,
    /// How many.
    pub qty: u32,
    /// What the waiter added.
    pub note: Option<String>,
    /// Served with this course.
    pub course: u8,
    /// Where it stands.
    pub state: LineState,
    /// What was asked and answered, for example the *cuisson*.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// When the waiter asked for it.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub called_at: Option<OffsetDateTime>,
    /// When it reached that state.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// What was sent at one time for one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitchenSlip {
    /// The order.
    pub order_id: OrderId,
    /// The table's name.
    pub table: String,
    /// Who looks after the table.
    pub server_name: String,
    /// First, second … time.
    pub round: u32,
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Dishes that are not served yet.
    pub lines: Vec<KitchenLine>,
}

/// The kitchen screen: oldest slip first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitchenView {
    /// The slips.
    pub slips: Vec<KitchenSlip>,
}
