//! Exactly once: the client chooses an id, and the same id again returns the first answer instead of having the effect again.

use crate::db;
use crate::db::idempotency::{self, Claim};
use crate::error::{Error, Result};
use domain::api::PaymentRequest;
use domain::{PaymentId, UserId};
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

impl<T> Earlier<T> {
    /// The answer that was already given, to a request that has its effect in one transaction.
    ///
    /// # Errors
    /// When it is under way all the same, which is a fault of ours.
    pub fn at_once(self) -> Result<Option<Answered<T>>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Answered(answered) => Ok(Some(answered)),
            Self::UnderWay => Err(Error::internal("a request that has its effect at once is under way")),
        }
    }
}

/// Takes the request's id for this transaction. `Some` is the answer that was already given; `None` means: go ahead.
///
/// # Errors
/// [`Error::IdempotencyMismatch`] when the id was used for another request; [`Error::RequestTooOld`] when it may have been answered so long
/// ago that the answer is forgotten.
pub async fn earlier<T: DeserializeOwned>(
    db: &mut PgConnection,
    key: Option<Uuid>,
    route: &str,
    user: UserId,
    request: &impl Serialize,
) -> Result<Option<Answered<T>>> {
    look(db, key, route, user, request).await?.at_once()
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
    let claim = idempotency::claim(&mut *db, key, &digest(route, user, request)?).await?;
    claimed(db, key, claim).await
}

/// The same for a payment, and the order is held: what is read next is as it is under that lock. With it comes the number that the payment has if no
/// attempt comes before it.
///
/// # Errors
/// As [`look`].
pub(super) async fn take_up<T: DeserializeOwned>(
    db: &mut PgConnection,
    user: UserId,
    request: &PaymentRequest,
) -> Result<(Earlier<T>, PaymentId)> {
    let digest = digest("payments", user, request)?;
    let (is_new, number) = db::payments::take_up(&mut *db, request.uuid, &digest, request.order_id).await?;
    let Some(key) = request.uuid else { return Ok((Earlier::Nothing, number)) };
    let claim = if is_new { Claim::New } else { idempotency::claim(&mut *db, key, &digest).await? };
    Ok((claimed(db, key, claim).await?, number))
}

async fn claimed<T: DeserializeOwned>(db: &mut PgConnection, key: Uuid, claim: Claim) -> Result<Earlier<T>> {
    Ok(match claim {
        Claim::New => {
            refuse_if_forgotten(db, Some(key)).await?;
            Earlier::Nothing
        }
        Claim::UnderWay => Earlier::UnderWay,
        Claim::Done { answer, .. } => Earlier::Answered(Answered { value: serde_json::from_str(&answer)?, replayed: true }),
    })
}

/// Refuses an id that may have been answered more than a month ago and forgotten since: then a second time is worse than no time.
///
/// # Errors
/// [`Error::RequestTooOld`].
pub async fn refuse_if_forgotten(db: &mut PgConnection, key: Option<Uuid>) -> Result<()> {
    match key {
        Some(key) if idempotency::may_be_forgotten(&mut *db, key).await? => Err(Error::RequestTooOld),
        _ => Ok(()),
    }
}

/// Whether an id is so old that it has to be looked at closely.
#[must_use]
pub fn may_be_forgotten(key: Option<Uuid>) -> bool {
    key.is_some_and(idempotency::is_old)
}

/// What was asked, by whom and where: what was understood is compared, not how it was spaced.
///
/// # Errors
/// When the request cannot be written as JSON.
pub fn digest(route: &str, user: UserId, request: &impl Serialize) -> Result<[u8; 32]> {
    let mut digest = Sha256::new();
    digest.update(route);
    digest.update([0]);
    digest.update(user.get().to_le_bytes());
    digest.update(serde_json::to_vec(request)?);
    Ok(digest.finalize().into())
}

/// Stores the answer beside the effect, in the same transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn remember(db: &mut PgConnection, key: Option<Uuid>, status: u16, answer: &impl Serialize) -> Result<()> {
    let Some(key) = key else { return Ok(()) };
    idempotency::settle(db, key, status, &serde_json::to_string(answer)?).await
}
