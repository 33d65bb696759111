//! Exactly once: the client chooses an id, and the same id again returns the first answer instead of having the effect again.

use crate::db::idempotency::{self, Claim};
use crate::error::{Error, Result};
use domain::UserId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

/// An answer, and whether it was given before.
#[derive(Debug)]
pub struct Answered<T> {
    /// The answer.
    pub value: T,
    /// The effect belongs to an earlier request with the same id.
    pub replayed: bool,
}

impl<T> Answered<T> {
    /// An answer given for the first time.
    pub const fn now(value: T) -> Self {
        Self { value, replayed: false }
    }
}

/// What is known of a request's id.
#[derive(Debug)]
pub enum Earlier<T> {
    /// Never seen: go ahead.
    Nothing,
    /// Begun and not at its end yet.
    UnderWay,
    /// The answer that was already given.
    Answered(Answered<T>),
}

/// Takes the request's id for this transaction. `Some` is the answer that was already given; `None` means: go ahead.
///
/// # Errors
/// [`crate::error::Error::IdempotencyMismatch`] when the id was used for another request.
pub async fn earlier<T: DeserializeOwned>(
    db: &mut PgConnection,
    key: Option<Uuid>,
    route: &str,
    user: UserId,
    request: &impl Serialize,
) -> Result<Option<Answered<T>>> {
    match look(db, key, route, user, request).await? {
        Earlier::Nothing => Ok(None),
        Earlier::Answered(answered) => Ok(Some(answered)),
        Earlier::UnderWay => Err(Error::internal("a request that has its effect at once is under way")),
    }
}

/// Takes the request's id for this transaction, for a request whose effect takes longer than one.
///
/// # Errors
/// [`crate::error::Error::IdempotencyMismatch`] when the id was used for another request.
pub async fn look<T: DeserializeOwned>(
    db: &mut PgConnection,
    key: Option<Uuid>,
    route: &str,
    user: UserId,
    request: &impl Serialize,
) -> Result<Earlier<T>> {
    let Some(key) = key else { return Ok(Earlier::Nothing) };
    // What was understood is compared, not how it was spaced.
    let mut digest = Sha256::new();
    digest.update(route);
    digest.update([0]);
    digest.update(user.get().to_le_bytes());
    digest.update(serde_json::to_vec(request)?);
    Ok(match idempotency::claim(db, key, &digest.finalize()).await? {
        Claim::New => Earlier::Nothing,
        Claim::UnderWay => Earlier::UnderWay,
        Claim::Done { answer, .. } => Earlier::Answered(Answered { value: serde_json::from_str(&answer)?, replayed: true }),
    })
}

/// Stores the answer beside the effect, in the same transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn remember(db: &mut PgConnection, key: Option<Uuid>, status: u16, answer: &impl Serialize) -> Result<()> {
    let Some(key) = key else { return Ok(()) };
    idempotency::settle(db, key, status, &serde_json::to_string(answer)?).await
}
