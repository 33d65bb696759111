//! Failed sign-ins by address, over all names.

use crate::error::Result;
use sqlx::PgExecutor;

/// What an address may do.
pub struct Limits<'a> {
    /// Failures that nobody minds.
    pub free: f64,
    /// How many seconds make one failure forgotten, once the address may try again.
    pub drain_s: f64,
    /// How many seconds the address is locked after each failure beyond the free ones; the last one holds for all others.
    pub waits: &'a [i32],
}

/// Claims an attempt for an address, in one statement: counts it as a failure before the PIN is looked at, and locks the address when there
/// were too many. Attempts made at the same moment queue on the row, in this process and in others.
///
/// Nothing drains while the address is locked, or waiting would never get longer. A lock longer than any of them is that of a clock that went back since,
/// and holds nobody. Returns whether the attempt may be made.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(db: impl PgExecutor<'_>, peer: &str, limits: &Limits<'_>) -> Result<bool> {
    // clock_timestamp() and not now(): whoever queued on the row began before the one in front of it ended.
    let claimed = sqlx::query_scalar!(
        "insert into sign_in_peers as p (peer, failures, locked_until) values ($1, 1, clock_timestamp())
         on conflict (peer) do update set (failures, locked_until) = (
             select level, case when level <= $2 then clock_timestamp()
                 else clock_timestamp() + make_interval(secs => ($4::integer[])[least(ceil(level - $2)::integer, cardinality($4::integer[]))]) end
             from (select 1 + greatest(0, p.failures - greatest(0, extract(epoch from clock_timestamp() - p.locked_until)::float8) / $3) as level) now
         )
         where p.locked_until <= clock_timestamp()
            or p.locked_until > clock_timestamp() + make_interval(secs => ($4::integer[])[cardinality($4::integer[])])
         returning failures",
        peer,
        limits.free,
        limits.drain_s,
        limits.waits
    )
    .fetch_optional(db)
    .await?;
    Ok(claimed.is_some())
}

/// Gives failures back that were none, and the lock that came with them.
///
/// # Errors
/// When the database does not answer.
pub async fn give_back(db: impl PgExecutor<'_>, peer: &str, failures: i32, limits: &Limits<'_>) -> Result<()> {
    sqlx::query!(
        "update sign_in_peers set
             failures = greatest(0, failures - $2),
             locked_until = case when failures - $2 <= $3 then least(locked_until, clock_timestamp()) else locked_until end
         where peer = $1",
        peer,
        f64::from(failures),
        limits.free
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many seconds an address is still locked.
///
/// # Errors
/// When the database does not answer.
pub async fn locked_for(db: impl PgExecutor<'_>, peer: &str) -> Result<i64> {
    let wait = sqlx::query_scalar!(
        r#"select greatest(1, ceil(extract(epoch from locked_until - now())))::bigint as "wait!" from sign_in_peers where peer = $1"#,
        peer
    )
    .fetch_optional(db)
    .await?;
    Ok(wait.unwrap_or(1))
}

/// Forgets failures by name and by address that no longer matter, so that made-up names and passing addresses do not pile up.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_old(db: impl PgExecutor<'_>) -> Result<()> {
    sqlx::query!(
        "with names as (delete from sign_in_failures where locked_until < now() - interval '1 day')
         delete from sign_in_peers where locked_until < now() - interval '1 day'"
    )
    .execute(db)
    .await?;
    Ok(())
}
