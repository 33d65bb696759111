//! Server processes on this database, and which of them live.
//!
//! One that lives holds the advisory lock of its number, and says every half second that it does. It is taken for gone only when neither is
//! true: a connection that broke, or a database that began anew, takes the lock away without anybody having died. See
//! [`crate::workers::attempts`].

use crate::error::Result;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgExecutor};

/// How long a process that no longer holds its lock may be silent before it is gone, in seconds.
const SILENT: f64 = 3.0;
/// How long after the database's own start nobody is taken for gone, in seconds: everybody lost their locks at once.
const JUST_BEGUN: f64 = 5.0;

/// Connects, as a process that lives. False when somebody stands in for it just now: try again.
///
/// # Errors
/// When the database does not answer.
pub async fn announce(options: &PgConnectOptions, id: i64) -> Result<Option<PgConnection>> {
    let mut connection = PgConnection::connect_with(options).await?;
    sqlx::query!("set role comptoir_app").execute(&mut connection).await?;
    if !sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "ours!""#, id).fetch_one(&mut connection).await? {
        connection.close().await?;
        return Ok(None);
    }
    beat(&mut connection, id).await?;
    Ok(Some(connection))
}

/// Says that it lives.
///
/// # Errors
/// When the database does not answer.
pub async fn beat(db: impl PgExecutor<'_>, id: i64) -> Result<()> {
    sqlx::query!("insert into processes (id) values ($1) on conflict (id) do update set seen_at = clock_timestamp()", id)
        .execute(db)
        .await?;
    Ok(())
}

/// Whether a process is gone. What was seen in the future, or began there, was seen or began before the clock went back: a database that begins anew and whose
/// clock goes back within the same seconds may have one that lives taken for gone. Its payment by card is then for a person to look at, and nothing worse.
///
/// # Errors
/// When the database does not answer.
pub async fn is_gone(db: impl PgExecutor<'_>, id: i64) -> Result<bool> {
    // The lock is let go with the statement's transaction.
    Ok(sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock($1)
              and not exists (select from processes where id = $1
                                  and seen_at between clock_timestamp() - make_interval(secs => $2) and clock_timestamp() + make_interval(secs => $2))
              and pg_postmaster_start_time() not between clock_timestamp() - make_interval(secs => $3) and clock_timestamp() + make_interval(secs => $3)
              as "gone!""#,
        id,
        SILENT,
        JUST_BEGUN
    )
    .fetch_one(db)
    .await?)
}

/// Forgets processes of long ago.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_old(db: impl PgExecutor<'_>) -> Result<()> {
    sqlx::query!("delete from processes where seen_at < now() - interval '1 day' or seen_at > now() + interval '1 day'")
        .execute(db)
        .await?;
    Ok(())
}

/// Whether a process is the first of those that live, by their numbers: what only one of them should do is its turn.
///
/// # Errors
/// When the database does not answer.
pub async fn is_first(db: impl PgExecutor<'_>, id: i64) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select not exists (select from processes where id < $1
               and seen_at between clock_timestamp() - make_interval(secs => $2) and clock_timestamp() + make_interval(secs => $2)) as "first!""#,
        id,
        SILENT
    )
    .fetch_one(db)
    .await?)
}
