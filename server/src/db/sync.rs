//! Orders that phones kept, what became of each, and what people decided.

use super::orders::OpenOrder;
use super::{count, word};
use crate::error::Result;
use domain::api::{LateOrder, OrderStatus};
use domain::{OrderId, TableId, UserId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Never taken; it may be.
    Open,
    /// It is on this order.
    Taken(OrderId),
    /// That one was sent in its place.
    Resolved(Uuid),
    /// Given up.
    Dropped,
}

/// A request's row, held until the end of the transaction.
pub struct Claimed {
    /// Who typed it.
    pub user: UserId,
    /// The table that it names; none when it was dropped before it arrived.
    pub table: Option<TableId>,
    /// What became of it.
    pub outcome: Outcome,
}

/// Takes a request's row for this transaction, and makes it when there is none. Waits for whoever holds it.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    db: &mut PgConnection,
    uuid: Uuid,
    user: UserId,
    table: Option<TableId>,
    offline_at: Option<OffsetDateTime>,
) -> Result<Claimed> {
    let row = sqlx::query!(
        "insert into sync_intents (uuid, user_id, table_id, offline_at) values ($1, $2, $3, $4)
         on conflict (uuid) do update set table_id = coalesce(sync_intents.table_id, excluded.table_id),
             offline_at = coalesce(sync_intents.offline_at, excluded.offline_at)
         returning user_id, table_id, outcome, order_id, resolved_by",
        uuid,
        user.get(),
        table.map(TableId::get),
        offline_at
    )
    .fetch_one(db)
    .await?;
    let outcome = match (row.outcome.as_str(), row.order_id, row.resolved_by) {
        ("taken", Some(order), _) => Outcome::Taken(OrderId::from_row(order)),
        ("resolved", _, Some(by)) => Outcome::Resolved(by),
        ("dropped", ..) => Outcome::Dropped,
        _ => Outcome::Open,
    };
    Ok(Claimed { user: UserId::from_row(row.user_id), table: row.table_id.map(TableId::from_row), outcome })
}

/// What was answered to a request before, with the digest of that request.
///
/// # Errors
/// When the database does not answer.
pub async fn answer(db: &mut PgConnection, uuid: Uuid) -> Result<Option<(Vec<u8>, Option<String>)>> {
    let row = sqlx::query!("select digest, answer::text as answer from idempotency where key = $1", uuid).fetch_optional(db).await?;
    Ok(row.map(|row| (row.digest, row.answer)))
}

/// The request is on this order. Returns when that was stored.
///
/// # Errors
/// When the database does not answer.
pub async fn taken(db: &mut PgConnection, uuid: Uuid, order: OrderId) -> Result<OffsetDateTime> {
    Ok(sqlx::query_scalar!(
        r#"update sync_intents set outcome = 'taken', order_id = $2, settled_at = now(), conflict = null where uuid = $1
           returning settled_at as "settled_at!""#,
        uuid,
        order.get()
    )
    .fetch_one(db)
    .await?)
}

/// The request was refused, for now.
///
/// # Errors
/// When the database does not answer.
pub async fn refused(db: &mut PgConnection, uuid: Uuid, why: &str) -> Result<()> {
    sqlx::query!("update sync_intents set conflict = $2, received_at = now() where uuid = $1", uuid, why).execute(db).await?;
    Ok(())
}

/// Another request takes its place; it is never taken any more.
///
/// # Errors
/// When the database does not answer.
pub async fn resolved(db: &mut PgConnection, uuid: Uuid, by: Uuid, kind: &str, user: UserId) -> Result<()> {
    sqlx::query!("update sync_intents set outcome = 'resolved', resolved_by = $2, settled_at = now() where uuid = $1", uuid, by)
        .execute(&mut *db)
        .await?;
    sqlx::query!("insert into sync_decisions (uuid, kind, user_id, resolved_by) values ($1, $2, $3, $4)", uuid, kind, user.get(), by)
        .execute(db)
        .await?;
    Ok(())
}

/// It is given up; it is never taken any more. Returns when.
///
/// # Errors
/// When the database does not answer.
pub async fn dropped(db: &mut PgConnection, uuid: Uuid, user: UserId, reason: &str) -> Result<()> {
    sqlx::query!("update sync_intents set outcome = 'dropped', settled_at = now() where uuid = $1", uuid).execute(&mut *db).await?;
    sqlx::query!("insert into sync_decisions (uuid, kind, user_id, reason) values ($1, 'drop', $2, $3)", uuid, user.get(), reason)
        .execute(db)
        .await?;
    Ok(())
}

/// Whether a request was given up, or another was sent in its place.
///
/// # Errors
/// When the database does not answer.
pub async fn is_over(db: &mut PgConnection, uuid: Uuid) -> Result<bool> {
    let over = sqlx::query_scalar!(
        r#"select exists (select from sync_intents where uuid = $1 and outcome in ('dropped', 'resolved')) as "over!""#,
        uuid
    );
    Ok(over.fetch_one(db).await?)
}

/// When a request was settled, by our clock.
///
/// # Errors
/// When the database does not answer.
pub async fn settled_at(db: &mut PgConnection, uuid: Uuid) -> Result<OffsetDateTime> {
    Ok(sqlx::query_scalar!(r#"select coalesce(settled_at, now()) as "at!" from sync_intents where uuid = $1"#, uuid).fetch_one(db).await?)
}

/// The order on which an earlier request is, or the one that was sent in its place.
///
/// # Errors
/// When the database does not answer.
pub async fn order_after(db: &mut PgConnection, uuid: Uuid) -> Result<Option<OrderId>> {
    let order = sqlx::query_scalar!(
        r#"with recursive story as (
             select uuid, order_id, resolved_by from sync_intents where uuid = $1
             union
             select i.uuid, i.order_id, i.resolved_by from sync_intents i join story on i.uuid = story.resolved_by
         ) select order_id as "order_id!" from story where order_id is not null"#,
        uuid
    )
    .fetch_optional(db)
    .await?;
    Ok(order.map(OrderId::from_row))
}

/// An order that a round was meant for, locked until the end of the transaction; when it was joined with another, the other.
pub struct Meant {
    /// As far as adding to it needs.
    pub order: OpenOrder,
    /// Whether they are still there.
    pub status: OrderStatus,
}

/// Finds and locks the order that a round was meant for.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_meant(db: &mut PgConnection, id: OrderId) -> Result<Option<Meant>> {
    let mut id = id.get();
    loop {
        // Only the last of a chain of joined orders is locked: whoever joins two locks both in the order of their numbers.
        let last = sqlx::query_scalar!(
            r#"with recursive way as (
                 select id, merged_into from orders where id = $1
                 union
                 select o.id, o.merged_into from orders o join way on o.id = way.merged_into
             ) select id as "id!" from way where merged_into is null"#,
            id
        )
        .fetch_optional(&mut *db)
        .await?;
        let Some(last) = last else { return Ok(None) };
        let row = sqlx::query!(
            "select o.id, o.status, o.rounds, o.covers, o.server_user_id, u.name
             from orders o join users u on u.id = o.server_user_id where o.id = $1 for no key update of o",
            last
        )
        .fetch_one(&mut *db)
        .await?;
        let status = word(&row.status)?;
        if status == OrderStatus::Merged {
            // Joined while we waited for it.
            id = row.id;
            continue;
        }
        let server = (UserId::from_row(row.server_user_id), row.name);
        let order = OpenOrder { id: OrderId::from_row(row.id), rounds: row.rounds.unsigned_abs(), covers: count(row.covers), server };
        return Ok(Some(Meant { order, status }));
    }
}

/// Orders typed before the last closing that arrived after it, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn late(db: impl PgExecutor<'_>, register: &str, training: bool) -> Result<Vec<LateOrder>> {
    let rows = sqlx::query!(
        r#"select i.order_id as "order_id!", t.name as table_name, u.name as user_name, i.offline_at as "typed_at!", i.settled_at as "received_at!"
           from sync_intents i
           join orders o on o.id = i.order_id join tables t on t.id = o.table_id join users u on u.id = i.user_id
           -- Days are closed one after the other.
           where i.outcome = 'taken'
             and i.settled_at > (select closed_at from fiscal_periods
                                 where register = $1 and training = $2 and closed_at is not null order by no desc limit 1)
             and i.offline_at < (select closed_at from fiscal_periods
                                 where register = $1 and training = $2 and closed_at is not null order by no desc limit 1)
           order by i.settled_at desc limit 50"#,
        register,
        training
    )
    .fetch_all(db)
    .await?;
    let late = rows.into_iter().map(|row| LateOrder {
        order_id: OrderId::from_row(row.order_id),
        table: row.table_name,
        user_name: row.user_name,
        typed_at: row.typed_at,
        received_at: row.received_at,
    });
    Ok(late.collect())
}
