//! Answers already given, by the id that the client chose.

use crate::error::{Error, Result};
use sqlx::PgConnection;
use uuid::Uuid;

/// What is known about a request's id.
pub enum Claim {
    /// Never seen: the effect belongs to this transaction.
    New,
    /// Begun before, and not at its end yet.
    UnderWay,
    /// Done before, with this status and answer.
    Done {
        /// HTTP status of the first answer.
        status: u16,
        /// Its body, to the byte.
        answer: String,
    },
}

/// Takes an id for this transaction. Waits for another transaction that holds the same id, and then sees what it did.
///
/// # Errors
/// [`Error::IdempotencyMismatch`] when the id was used for another body.
pub async fn claim(db: &mut PgConnection, key: Uuid, digest: &[u8]) -> Result<Claim> {
    let new = sqlx::query!("insert into idempotency (key, digest) values ($1, $2) on conflict (key) do nothing", key, digest)
        .execute(&mut *db)
        .await?;
    if new.rows_affected() == 1 {
        return Ok(Claim::New);
    }
    let row = sqlx::query!("select digest, status, answer::text as answer from idempotency where key = $1", key).fetch_one(db).await?;
    if row.digest != digest {
        return Err(Error::IdempotencyMismatch);
    }
    Ok(match (row.status, row.answer) {
        (Some(status), Some(answer)) => Claim::Done { status: status.unsigned_abs(), answer },
        _ => Claim::UnderWay,
    })
}

/// Stores the answer beside the effect.
///
/// # Errors
/// When the database does not answer.
pub async fn settle(db: &mut PgConnection, key: Uuid, status: u16, answer: &str) -> Result<()> {
    // HTTP statuses fit in 15 bits.
    let status = i16::try_from(status).map_err(Error::internal)?;
    sqlx::query!("update idempotency set status = $2, answer = $3::text::json where key = $1", key, status, answer).execute(db).await?;
    Ok(())
}

/// Forgets an id: nothing came of its request, which may be made again.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: &mut PgConnection, key: Uuid) -> Result<()> {
    sqlx::query!("delete from idempotency where key = $1 and status is null", key).execute(db).await?;
    Ok(())
}
