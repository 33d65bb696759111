//! Signing in, and who is signed in.

use crate::{Role, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who signs in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name the house gave.
    pub username: String,
    /// Four to eight digits.
    pub pin: String,
}

/// The PIN stays out of logs.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionUser {
    /// The person.
    pub id: UserId,
    /// As shown on screen and ticket.
    pub name: String,
    /// What the person may do.
    pub role: Role,
}

/// Answer to a sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginDone {
    /// Who is signed in now.
    pub user: SessionUser,
}

/// A name to choose on the sign-in page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInName {
    /// What is sent as `username`.
    pub username: String,
    /// What is shown.
    pub name: String,
    /// Shown under the name.
    pub role: Role,
}

/// Somebody who may look after a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colleague {
    /// The person.
    pub id: UserId,
    /// As shown on screen.
    pub name: String,
}

/// Somebody who works here, as whoever keeps the list sees it. The PIN is known to nobody but that person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// The person.
    pub id: UserId,
    /// What is typed to sign in.
    pub username: String,
    /// As shown on screen and ticket.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// Whether the person may sign in.
    pub active: bool,
}

/// Somebody who begins to work here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What is typed to sign in.
    pub username: String,
    /// As shown on screen and ticket.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// Four to eight digits.
    pub pin: String,
    /// Names the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// What changes about somebody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// As shown on screen and ticket.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// Whether the person may sign in.
    pub active: bool,
    /// A new PIN; without it the old one stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
}

/// The PIN stays out of logs.
impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser").field("username", &self.username).field("role", &self.role).finish_non_exhaustive()
    }
}

/// The PIN stays out of logs.
impl std::fmt::Debug for UserChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pin = self.pin.as_ref().map(|_| "…");
        f.debug_struct("UserChange")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("active", &self.active)
            .field("pin", &pin)
            .finish()
    }
}
