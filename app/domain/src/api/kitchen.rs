//! The kitchen screen.

use crate::order::{KitchenMove, LineState};
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
    /// When the kitchen was told of it; `None` while it is held.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub told_at: Option<OffsetDateTime>,
    /// When it reached that state.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Who said, of a dish at the pass, that they see to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_by: Option<String>,
}

/// Something that was taken off again after the kitchen had been told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitchenVoid {
    /// The removal.
    pub void_id: i64,
    /// The line it takes from.
    pub line_id: LineId,
    /// What.
    pub name: String,
    /// How many are not wanted any more.
    pub qty: u32,
    /// Why.
    pub reason: String,
    /// Of this course.
    pub course: u8,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
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
    /// What was taken off in the last [`VOID_SHOWN_MIN`](crate::kitchen::VOID_SHOWN_MIN) minutes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voids: Vec<KitchenVoid>,
}

/// A course of a slip that the kitchen finished, and may have finished too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedSlip {
    /// The order.
    pub order_id: OrderId,
    /// The table's name.
    pub table: String,
    /// First, second … time.
    pub round: u32,
    /// Served with this course.
    pub course: u8,
    /// When its last dish was finished or served.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Its finished lines.
    pub line_ids: Vec<LineId>,
    /// What they are: `2 × Magret de canard`.
    pub dishes: Vec<String>,
}

/// The kitchen screen: oldest slip first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitchenView {
    /// When this was so.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The slips.
    pub slips: Vec<KitchenSlip>,
    /// What was finished last, the latest first: at most [`FINISHED_SHOWN`](crate::kitchen::FINISHED_SHOWN).
    #[serde(default)]
    pub finished: Vec<FinishedSlip>,
}

/// Moves a whole slip on, or back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlipMove {
    /// Where to.
    pub state: KitchenMove,
    /// The lines that the person saw: a line that joins the slip in that moment is not finished by it. All lines when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_ids: Option<Vec<LineId>>,
}

/// The lines of a slip that were moved, or were there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipMoved {
    /// Where they stand.
    pub state: LineState,
    /// Which.
    pub line_ids: Vec<LineId>,
}
