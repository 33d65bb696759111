//! The plan: rooms, tables, and what stands open on them.

use super::count;
use crate::error::Result;
use domain::api::TableView;
use domain::order::TableStatus;
use domain::{Cents, OrderId, TableId, UserId};
use sqlx::{PgConnection, PgExecutor};

/// A table that an order is about to be taken for.
pub struct Seats {
    /// Its name on the plan.
    pub name: String,
    /// How many can sit there: the covers when nobody says.
    pub seats: u16,
}

/// All tables, or one, as the plan shows them: room by room.
///
/// # Errors
/// When the database does not answer.
pub async fn tables(db: impl PgExecutor<'_>, only: Option<TableId>) -> Result<Vec<TableView>> {
    let rows = sqlx::query!(
        r#"select t.id, t.name, r.name as room, t.seats, t.x, t.y, t.round,
                  o.id as "order_id?", o.server_user_id as "server_user_id?", u.name as "server_name?", o.opened_at as "since?",
                  o.covers as "covers?",
                  coalesce(l.total, 0)::bigint as "total!", coalesce(l.ready, false) as "ready!",
                  o.bill_asked_at is not null as "bill_asked!", coalesce(p.paid, 0)::bigint as "paid!"
           from tables t
           join rooms r on r.id = t.room_id
           left join orders o on o.table_id = t.id and o.status = 'open'
           left join users u on u.id = o.server_user_id
           left join lateral (
               select sum((qty - voided_qty) * unit_price_cents) as total, bool_or(state = 'ready') as ready
               from order_lines where order_id = o.id and state <> 'voided'
           ) l on true
           left join lateral (select sum(amount_cents) as paid from payments where order_id = o.id) p on true
           where $1::bigint is null or t.id = $1
           order by r.rank, t.id"#,
        only.map(TableId::get)
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| TableView {
            id: TableId::from_row(row.id),
            name: row.name,
            room: row.room,
            seats: count(row.seats),
            status: match row.order_id {
                None => TableStatus::Free,
                Some(_) if row.ready => TableStatus::Ready,
                Some(_) if row.paid > 0 || row.bill_asked => TableStatus::Bill,
                Some(_) => TableStatus::Occupied,
            },
            order_id: row.order_id.map(OrderId::from_row),
            server_user_id: row.server_user_id.map(UserId::from_row),
            server_name: row.server_name,
            since: row.since,
            covers: row.covers.map(count),
            remaining: row.order_id.map(|_| Cents(row.total - row.paid)),
            x: count(row.x),
            y: count(row.y),
            round: row.round,
        })
        .collect())
}

/// Locks a table until the end of the transaction, so that two phones cannot both open it. `None` when there is no such table.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_table(db: &mut PgConnection, id: TableId) -> Result<Option<Seats>> {
    let row = sqlx::query!("select name, seats from tables where id = $1 for no key update", id.get()).fetch_optional(db).await?;
    Ok(row.map(|row| Seats { name: row.name, seats: count(row.seats) }))
}

/// Names of the tables whose bill is not settled.
///
/// # Errors
/// When the database does not answer.
pub async fn open_tables(db: impl PgExecutor<'_>) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!("select t.name from orders o join tables t on t.id = o.table_id where o.status = 'open' order by t.id")
        .fetch_all(db)
        .await?)
}
