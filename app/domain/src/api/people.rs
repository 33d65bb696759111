//! Signing in, and who is signed in.

use crate::{Role, UserId};
use serde::{Deserialize, Serialize};

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
