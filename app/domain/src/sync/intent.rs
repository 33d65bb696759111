//! One order that a phone keeps, and how it is written down.

use super::conflict::{Choice, Conflict};
use crate::api::SyncRequest;
use crate::order::{IfOccupied, OrderRequest};
use crate::{Cents, OrderId, TableId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How intents are written down. A number that an app does not know comes from a newer one: it leaves such an intent alone.
pub const FORMAT: u32 = 1;

/// What is asked of the server. It never changes once it was sent: only then is the same number the same request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// `POST /api/orders/sync`.
    Sync(SyncRequest),
    /// `POST /api/orders`: what an app from before the queue had sent and got no answer to.
    Plain(OrderRequest),
}

/// Where an intent stands. Being sent is not written down: after a crash it is simply sent again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    /// To be sent.
    Waiting,
    /// A person decides.
    Conflict(Conflict),
    /// A person gave it up; the server is to be told.
    Dropping {
        /// Why.
        reason: String,
    },
}

/// One order that this phone keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// [`FORMAT`] of whoever wrote it.
    pub v: u32,
    /// Names it for ever.
    pub uuid: Uuid,
    /// Creation order on this phone.
    pub seq: u64,
    /// Who typed it: it is sent in nobody else's name.
    pub user_id: UserId,
    /// What is asked.
    pub ask: Ask,
    /// Where it stands.
    pub state: IntentState,
    /// Tries that got no useful answer, in a row.
    #[serde(default)]
    pub failures: u32,
    /// Not tried before, in milliseconds since 1970 by the phone's clock.
    #[serde(default)]
    pub next_try: i64,
    /// Why the last try gave nothing, for whoever looks for the cause.
    #[serde(default)]
    pub last_error: Option<String>,
}

/// What is written there is no intent that this app understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("written by another version of the app")]
pub struct NotAnIntent;

impl Intent {
    /// Something new, to be sent.
    #[must_use]
    pub fn new(uuid: Uuid, seq: u64, user_id: UserId, ask: Ask) -> Self {
        Self { v: FORMAT, uuid, seq, user_id, ask, state: IntentState::Waiting, failures: 0, next_try: 0, last_error: None }
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// [`NotAnIntent`]: then it must be left as it is.
    pub fn read(text: &str) -> Result<Self, NotAnIntent> {
        let intent: Self = crate::reading::read(text).map_err(|_| NotAnIntent)?;
        if intent.v == FORMAT { Ok(intent) } else { Err(NotAnIntent) }
    }

    /// Writes it down.
    ///
    /// # Errors
    /// [`NotAnIntent`] when it cannot be written as JSON, which what can be typed never is.
    pub fn write(&self) -> Result<String, NotAnIntent> {
        serde_json::to_string(self).map_err(|_| NotAnIntent)
    }

    /// The table at which it was typed.
    #[must_use]
    pub const fn table_id(&self) -> TableId {
        match &self.ask {
            Ask::Sync(request) => request.table_id,
            Ask::Plain(request) => request.table_id,
        }
    }

    /// How many things are on it.
    #[must_use]
    pub fn count(&self) -> u32 {
        match &self.ask {
            Ask::Sync(request) => request.items.iter().map(|wish| wish.qty).sum(),
            Ask::Plain(request) => request.items.iter().map(|wish| wish.qty).sum(),
        }
    }

    /// The conflict that waits for a person.
    #[must_use]
    pub const fn conflict(&self) -> Option<&Conflict> {
        match &self.state {
            IntentState::Conflict(conflict) => Some(conflict),
            IntentState::Waiting | IntentState::Dropping { .. } => None,
        }
    }

    /// What a person decided, as a new intent that takes the place of this one. `None` when the choice is not one of this conflict, or
    /// nothing would be left of it. [`Choice::Drop`] makes no new intent: see [`Self::give_up`].
    #[must_use]
    pub fn decide(&self, choice: Choice, other_table: Option<TableId>, uuid: Uuid) -> Option<Self> {
        let conflict = self.conflict()?;
        let Ask::Sync(before) = &self.ask else { return None };
        if !conflict.choices().contains(&choice) {
            return None;
        }
        let mut request = SyncRequest { uuid: Some(uuid), resolves: Some(self.uuid), after: None, append_until: None, ..before.clone() };
        match (choice, conflict) {
            (Choice::Append, _) => {
                request.order_id = conflict.order_id();
                request.if_occupied = Some(IfOccupied::Append);
            }
            (Choice::OtherTable, _) => {
                request.table_id = other_table?;
                request.order_id = None;
                request.if_occupied = None;
            }
            (Choice::Accept, Conflict::PriceChanged { total_cents }) => request.total = Some(Cents(*total_cents)),
            (Choice::Without, Conflict::DishOut { items }) => {
                let mut at = 0;
                request.items.retain(|_| {
                    at += 1;
                    !items.contains(&(at - 1))
                });
                // What the rest costs is the server's to say; the phone that typed it shows it again.
                request.total = None;
                if request.items.is_empty() {
                    return None;
                }
            }
            _ => return None,
        }
        Some(Self::new(uuid, self.seq, self.user_id, Ask::Sync(request)))
    }

    /// The same, given up by a person.
    #[must_use]
    pub fn give_up(&self, reason: impl Into<String>) -> Self {
        Self { state: IntentState::Dropping { reason: reason.into() }, failures: 0, next_try: 0, ..self.clone() }
    }

    /// The order that it was meant for, as far as this phone knew.
    #[must_use]
    pub const fn order_id(&self) -> Option<OrderId> {
        match &self.ask {
            Ask::Sync(request) => request.order_id,
            Ask::Plain(_) => None,
        }
    }
}
