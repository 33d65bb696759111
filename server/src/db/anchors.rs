//! Which closings were mailed, and whose turn it is to mail.
//!
//! Each function is one statement, committed by itself: the mail server is asked between two of them, never inside.

use crate::error::Result;
use domain::fiscal::Chain;
use sqlx::PgExecutor;
use std::time::Duration;
use uuid::Uuid;

/// Keeps other processes from mailing the same, for as long as `lease` or until [`give_back`]. False: another one is at it. One that seems to have longer
/// than a lease began before the clock went back.
///
/// # Errors
/// When the database does not answer.
pub async fn take_turn(db: impl PgExecutor<'_>, register: &str, holder: Uuid, lease: Duration) -> Result<bool> {
    let taken = sqlx::query!(
        "insert into anchor_mail_turns as turn (register, holder, until) values ($1, $2, clock_timestamp() + make_interval(secs => $3))
         on conflict (register) do update set holder = excluded.holder, until = excluded.until
         where turn.until <= clock_timestamp() or turn.until > clock_timestamp() + make_interval(secs => $3)",
        register,
        holder,
        lease.as_secs_f64()
    )
    .execute(db)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Lets others mail. Nothing when somebody else took over meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn give_back(db: impl PgExecutor<'_>, register: &str, holder: Uuid) -> Result<()> {
    sqlx::query!("delete from anchor_mail_turns where register = $1 and holder = $2", register, holder).execute(db).await?;
    Ok(())
}

/// Closings that were not mailed yet, oldest first: number in the chain of closings, number in the journal.
///
/// # Errors
/// When the database does not answer.
pub async fn not_mailed(db: impl PgExecutor<'_>, register: &str, limit: i64) -> Result<Vec<(i64, i64)>> {
    let rows = sqlx::query!(
        "select seq, id from audit_logs where register = $1 and chain = $2
            and seq > coalesce((select max(seq) from anchor_mails where register = $1), 0) order by seq limit $3",
        register,
        Chain::of_closings(false).as_str(),
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.seq, row.id)).collect())
}

/// Closings after a number of their chain, oldest first: their numbers in the journal.
///
/// # Errors
/// When the database does not answer.
pub async fn closings_after(db: impl PgExecutor<'_>, register: &str, after: i64, limit: i64) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        "select id from audit_logs where register = $1 and chain = $2 and seq > $3 order by seq limit $4",
        register,
        Chain::of_closings(false).as_str(),
        after,
        limit
    )
    .fetch_all(db)
    .await?)
}

/// The number of the last closing in its chain; 0 before the first.
///
/// # Errors
/// When the database does not answer.
pub async fn last_closing(db: impl PgExecutor<'_>, register: &str) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"select coalesce(max(seq), 0) as "last!" from audit_logs where register = $1 and chain = $2"#,
        register,
        Chain::of_closings(false).as_str()
    )
    .fetch_one(db)
    .await?)
}

/// The mail server has these. Returns how many of them nobody had mailed before.
///
/// # Errors
/// When the database does not answer.
pub async fn mailed(db: impl PgExecutor<'_>, register: &str, closings: &[i64]) -> Result<u64> {
    let stored =
        sqlx::query!("insert into anchor_mails (register, seq) select $1, unnest($2::bigint[]) on conflict do nothing", register, closings)
            .execute(db)
            .await?;
    Ok(stored.rows_affected())
}
