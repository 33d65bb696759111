//! Answers already given, by the id that the client chose.

use crate::error::{Error, Result};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// How many days an answer is remembered at least.
const REMEMBERED_DAYS: i32 = 30;

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
    loop {
        let new = sqlx::query!("insert into idempotency (key, digest) values ($1, $2) on conflict (key) do nothing", key, digest)
            .execute(&mut *db)
            .await?;
        if new.rows_affected() == 1 {
            return Ok(Claim::New);
        }
        let known = sqlx::query!("select digest, status, answer::text as answer from idempotency where key = $1", key);
        // Forgotten between the two: nothing came of the request that had it, and it is ours.
        let Some(row) = known.fetch_optional(&mut *db).await? else { continue };
        if row.digest != digest {
            return Err(Error::IdempotencyMismatch);
        }
        return Ok(match (row.status, row.answer) {
            (Some(status), Some(answer)) => Claim::Done { status: status.unsigned_abs(), answer },
            _ => Claim::UnderWay,
        });
    }
}

/// The answer that a request was given, if it was.
///
/// # Errors
/// When the database does not answer.
pub async fn answer(db: impl PgExecutor<'_>, key: Uuid) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!("select answer::text from idempotency where key = $1", key).fetch_optional(db).await?.flatten())
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

/// Forgets old answers, where that cannot make anything happen twice.
///
/// A phone may come back after a month with a request whose answer it never heard. If the answer is forgotten by then, the request must not
/// look like a new one. So only ids that say themselves how old they are (UUID v7) are forgotten, and only if what they said was true when
/// the request arrived; [`may_be_forgotten`] then recognises them for ever. Ids without an age are kept for ever: they come from programs,
/// and are few.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_old(db: impl PgExecutor<'_>) -> Result<u64> {
    // The first 48 bits of a v7 are milliseconds since 1970. By them the primary key finds the old ones, among few others.
    let done = sqlx::query!(
        "delete from idempotency
         where key < (lpad(to_hex((extract(epoch from now() - make_interval(days => $1 - 1)) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
           and created_at < now() - make_interval(days => $1)
           and substr(key::text, 15, 1) = '7'
           and abs(extract(epoch from created_at)
                   - ('x' || lpad(replace(substr(key::text, 1, 13), '-', ''), 16, '0'))::bit(64)::bigint / 1000.0) < 86400",
        REMEMBERED_DAYS
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Whether an id that is not known may be one that [`forget_old`] forgot: it says that it is older than what is remembered, and not
/// older than the house. A phone that lost the time altogether (1970, or the year it was built) sells on.
///
/// # Errors
/// When the database does not answer.
pub async fn may_be_forgotten(db: impl PgExecutor<'_>, key: Uuid) -> Result<bool> {
    let Some(made_at) = made_at(key).filter(|_| is_old(key)) else { return Ok(false) };
    Ok(sqlx::query_scalar!(
        r#"select $1 < now() - make_interval(days => $2 - 1)
               and $1 > (select min(created_at) - interval '1 day' from users) as "forgotten!""#,
        made_at,
        REMEMBERED_DAYS
    )
    .fetch_one(db)
    .await?)
}

/// Whether an id says that it is older than what is remembered for certain, by clocks that may differ by a day.
#[must_use]
pub fn is_old(key: Uuid) -> bool {
    made_at(key).is_some_and(|made_at| made_at <= OffsetDateTime::now_utc() - time::Duration::days(i64::from(REMEMBERED_DAYS) - 2))
}

/// When a v7 says that it was made.
fn made_at(key: Uuid) -> Option<OffsetDateTime> {
    let (seconds, _) = key.get_timestamp().filter(|_| key.get_version_num() == 7)?.to_unix();
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_v7_says_when_it_was_made() {
        assert!(made_at(Uuid::new_v4()).is_none());
        let age = OffsetDateTime::now_utc() - made_at(Uuid::now_v7()).unwrap();
        assert!(age.whole_seconds().abs() <= 1, "{age}");
    }
}
