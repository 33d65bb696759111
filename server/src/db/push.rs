//! Phones that are told even while they sleep.

use super::pass::PAGE;
use crate::error::Result;
use domain::UserId;
use sqlx::{PgConnection, PgExecutor, PgPool};
use std::time::Duration;

/// Where a phone is reached.
#[derive(Clone)]
pub struct Subscription {
    /// The session that it belongs to, as the store knows it.
    pub session: String,
    /// The address at its push service.
    pub endpoint: String,
    /// The browser's key.
    pub p256dh: Vec<u8>,
    /// The browser's secret.
    pub auth: Vec<u8>,
}

/// A browser wants to be reached here, for as long as its session lasts. One browser has one subscription: the latest counts, and whoever used
/// it before is no longer reached there. False when the session is over.
///
/// # Errors
/// When the database does not answer.
pub async fn subscribe(db: &PgPool, session: &str, endpoint: &str, p256dh: &[u8], auth: &[u8]) -> Result<bool> {
    let mut tx = db.begin().await?;
    sqlx::query!("delete from push_subscriptions where endpoint = $1 and session_id <> $2", endpoint, session).execute(&mut *tx).await?;
    let done = sqlx::query!(
        "insert into push_subscriptions (session_id, endpoint, p256dh, auth) select s.id, $2, $3, $4 from sessions s where s.id = $1
         on conflict (session_id) do update set endpoint = excluded.endpoint, p256dh = excluded.p256dh, auth = excluded.auth",
        session,
        endpoint,
        p256dh,
        auth
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(done.rows_affected() > 0)
}

/// The browser took it back.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: impl PgExecutor<'_>, session: &str, endpoint: &str) -> Result<()> {
    sqlx::query!("delete from push_subscriptions where session_id = $1 and endpoint = $2", session, endpoint).execute(db).await?;
    Ok(())
}

/// A phone said over its socket that it heard everything up to this number.
///
/// # Errors
/// When the database does not answer.
pub async fn heard(db: impl PgExecutor<'_>, session: &str, number: i64) -> Result<()> {
    let heard = sqlx::query!(
        "update push_subscriptions set heard = least($2, (select last from event_head)) where session_id = $1 and heard < $2",
        session,
        number
    );
    heard.execute(db).await?;
    Ok(())
}

/// Where these people are reached, as long as they are signed in there and have not heard of this number.
///
/// # Errors
/// When the database does not answer.
pub async fn of(db: impl PgExecutor<'_>, people: &[UserId], number: i64) -> Result<Vec<Subscription>> {
    let people: Vec<i64> = people.iter().map(|person| person.get()).collect();
    let rows = sqlx::query_as!(
        Subscription,
        "select p.session_id as session, p.endpoint, p.p256dh, p.auth from push_subscriptions p join sessions s on s.id = p.session_id
         where s.user_id = any($1) and s.expires_at > now() and p.heard < $2 order by p.created_at",
        &people,
        number
    );
    Ok(rows.fetch_all(db).await?)
}

/// Whether this number is still to be pushed there: the dish waits, the person is signed in, and the phone has not heard of it.
///
/// # Errors
/// When the database does not answer.
pub async fn is_wanted(db: impl PgExecutor<'_>, phone: &Subscription, number: i64, event: i64) -> Result<bool> {
    let wanted = sqlx::query_scalar!(
        r#"select exists (
               select from push_subscriptions p join sessions s on s.id = p.session_id
               where p.session_id = $1 and p.endpoint = $2 and s.expires_at > now() and p.heard < $3
           ) and not exists (select from dish_ends where event_id = $4) as "wanted!""#,
        phone.session,
        phone.endpoint,
        number,
        event
    );
    Ok(wanted.fetch_one(db).await?)
}

/// Up to which number was pushed.
///
/// # Errors
/// When the database does not answer.
pub async fn head(db: impl PgExecutor<'_>) -> Result<i64> {
    Ok(sqlx::query_scalar!("select last from push_head").fetch_one(db).await?)
}

/// The same, held until the end of the transaction; `None` when another process holds it.
///
/// # Errors
/// When the database does not answer.
pub async fn hold_head(db: &mut PgConnection) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar!("select last from push_head for no key update skip locked").fetch_optional(db).await?)
}

/// Everything up to this number is pushed, or on its way.
///
/// # Errors
/// When the database does not answer.
pub async fn move_head(db: &mut PgConnection, last: i64) -> Result<()> {
    sqlx::query!("update push_head set last = $1", last).execute(db).await?;
    Ok(())
}

/// The numbers after this one that were given at least so long ago, in order, at most [`PAGE`] of them; not those that are no longer fresh.
///
/// # Errors
/// When the database does not answer.
pub async fn due(db: impl PgExecutor<'_>, after: i64, waited: Duration, fresh: Duration) -> Result<Vec<i64>> {
    // Up to the last that is old enough, so that a clock that was set back leaves none behind.
    let due = sqlx::query_scalar!(
        "select id from dish_events
         where id > $1 and at > now() - make_interval(secs => $3)
           and id <= (select id from dish_events where at <= now() - make_interval(secs => $2) order by at desc limit 1)
         order by id limit $4",
        after,
        waited.as_secs_f64(),
        fresh.as_secs_f64(),
        PAGE
    );
    Ok(due.fetch_all(db).await?)
}
