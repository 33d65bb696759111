//! What changes an order after its lines were taken: removals, courses, other tables, other people. Each leaves a row that is never edited.

use crate::db::orders::Way;
use crate::error::Result;
use domain::api::Colleague;
use domain::order::LineState;
use domain::{LineId, OrderId, TableId, UserId};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// Remembers that something happened to an order.
///
/// # Errors
/// When the database does not answer.
pub async fn remember(db: &mut PgConnection, order: OrderId, kind: &str, user: UserId, detail: Value) -> Result<()> {
    sqlx::query!(
        "insert into order_events (order_id, kind, user_id, detail) values ($1, $2, $3, $4)",
        order.get(),
        kind,
        user.get(),
        detail
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A removal about to be stored.
pub struct NewVoid<'a> {
    /// The line.
    pub line: LineId,
    /// How many.
    pub qty: u32,
    /// Why.
    pub reason: &'a str,
    /// Who did it.
    pub user: UserId,
}

/// Takes something off a line of an order that is locked. A kitchen that was told of the line is told of this too; then the slip is returned.
///
/// # Errors
/// When the database does not answer.
pub async fn void(db: &mut PgConnection, new: &NewVoid<'_>, way: Way) -> Result<Option<i64>> {
    let qty = new.qty.cast_signed();
    let slip = sqlx::query_scalar!(
        "insert into kitchen_slips (order_id, table_id, round, kind, sent_at)
         select l.order_id, o.table_id, l.round, 'void', case when $2 then now() end
         from order_lines l join orders o on o.id = l.order_id
         where l.id = $1 and l.slip_id is not null and l.state in ('held', 'received', 'cooking', 'ready')
         returning id",
        new.line.get(),
        way.is_built_in
    )
    .fetch_optional(&mut *db)
    .await?;
    sqlx::query!(
        "insert into line_voids (line_id, qty, reason, user_id, slip_id) values ($1, $2, $3, $4, $5)",
        new.line.get(),
        qty,
        new.reason,
        new.user.get(),
        slip
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "update order_lines set voided_qty = voided_qty + $2,
             state = case when voided_qty + $2 = qty then $3 else state end,
             state_at = case when voided_qty + $2 = qty then now() else state_at end
         where id = $1",
        new.line.get(),
        qty,
        LineState::Voided.as_str()
    )
    .execute(db)
    .await?;
    Ok(slip)
}

/// Calls for a course: what was held goes to the kitchen; what is there already is marked as asked for, if the kitchen is our own screen and shows it.
/// Returns the new slips and how many lines it concerned; what was called for already is left alone.
///
/// # Errors
/// When the database does not answer.
pub async fn fire(db: &mut PgConnection, order: OrderId, table: TableId, course: i16, way: Way) -> Result<(Vec<i64>, u64)> {
    let slips = sqlx::query!(
        "insert into kitchen_slips (order_id, table_id, round, sent_at)
         select $1, $2, round, case when $4 then now() end
         from order_lines where order_id = $1 and course = $3 and state = 'held' and slip_id is null group by round order by round
         returning id, round",
        order.get(),
        table.get(),
        course,
        way.is_built_in
    )
    .fetch_all(&mut *db)
    .await?;
    let ids: Vec<i64> = slips.iter().map(|slip| slip.id).collect();
    let called = sqlx::query!(
        "update order_lines l set called_at = now(),
             fired_at = case when l.state = 'held' then now() else l.fired_at end,
             state_at = case when l.state = 'held' then now() else l.state_at end,
             told_qty = case when l.state = 'held' and l.slip_id is null then l.qty - l.voided_qty else l.told_qty end,
             slip_id = coalesce(l.slip_id, (select s.id from kitchen_slips s where s.id = any($3) and s.round = l.round and l.state = 'held')),
             state = case when l.state = 'held' then 'received' else l.state end
         where l.order_id = $1 and l.course = $2 and l.kind = 'dish'
           and (l.state = 'held' or ($4 and l.state in ('received', 'cooking') and l.called_at is null))",
        order.get(),
        course,
        &ids,
        way.is_built_in
    )
    .execute(db)
    .await?;
    Ok((ids, called.rows_affected()))
}

/// Lets a course wait that the kitchen has not begun. The slip stays: the kitchen was told, and is told again when something is taken off.
/// Returns how many lines it concerned.
///
/// # Errors
/// When the database does not answer.
pub async fn hold(db: &mut PgConnection, order: OrderId, course: i16) -> Result<u64> {
    let held = sqlx::query!(
        "update order_lines set state = 'held', state_at = now(), called_at = null
         where order_id = $1 and course = $2 and kind = 'dish' and state = 'received'",
        order.get(),
        course
    )
    .execute(db)
    .await?;
    Ok(held.rows_affected())
}

/// Moves an open order to another table.
///
/// # Errors
/// When the database does not answer, or the table is not free.
pub async fn move_to(db: &mut PgConnection, order: OrderId, table: TableId) -> Result<()> {
    sqlx::query!("update orders set table_id = $2 where id = $1", order.get(), table.get()).execute(db).await?;
    Ok(())
}

/// Moves all lines of one order to another and closes the first. Both are locked.
///
/// # Errors
/// When the database does not answer.
pub async fn merge(db: &mut PgConnection, from: OrderId, into: OrderId) -> Result<()> {
    sqlx::query!(
        "update order_lines set order_id = $2, round = round + (select rounds from orders where id = $2) where order_id = $1",
        from.get(),
        into.get()
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "update orders i set rounds = i.rounds + f.rounds, covers = least(99, i.covers + f.covers)
         from orders f where i.id = $2 and f.id = $1",
        from.get(),
        into.get()
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("update orders set status = 'merged', merged_into = $2, closed_at = now() where id = $1", from.get(), into.get())
        .execute(db)
        .await?;
    Ok(())
}

/// Closes an order whose guests left and owe nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn cancel(db: &mut PgConnection, order: OrderId) -> Result<()> {
    sqlx::query!("update orders set status = 'cancelled', closed_at = now() where id = $1", order.get()).execute(db).await?;
    Ok(())
}

/// That a table was freed.
pub struct Released {
    /// The ticket over nothing that it left.
    pub ticket: Option<i64>,
}

/// Whether this person freed the table of an order.
///
/// # Errors
/// When the database does not answer.
pub async fn released(db: &mut PgConnection, order: OrderId, by: UserId) -> Result<Option<Released>> {
    let ticket = sqlx::query_scalar!(
        "select (detail ->> 'ticket')::bigint as ticket from order_events where order_id = $1 and kind = 'release' and user_id = $2",
        order.get(),
        by.get()
    );
    Ok(ticket.fetch_optional(db).await?.map(|ticket| Released { ticket }))
}

/// Gives an order to somebody who is there and takes orders; false when there is no such person.
///
/// # Errors
/// When the database does not answer.
pub async fn hand_over(db: &mut PgConnection, order: OrderId, to: UserId) -> Result<bool> {
    let done = sqlx::query!(
        "update orders set server_user_id = u.id from users u
         where orders.id = $1 and u.id = $2 and u.active and u.role in ('serveur', 'caissier', 'admin')",
        order.get(),
        to.get()
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Says how many guests sit there.
///
/// # Errors
/// When the database does not answer.
pub async fn set_covers(db: &mut PgConnection, order: OrderId, covers: u16) -> Result<()> {
    let covers = i16::try_from(covers).unwrap_or(i16::MAX);
    sqlx::query!("update orders set covers = $2 where id = $1", order.get(), covers).execute(db).await?;
    Ok(())
}

/// Whether the number of guests was changed after this moment.
///
/// # Errors
/// When the database does not answer.
pub async fn covers_changed_since(db: &mut PgConnection, order: OrderId, at: OffsetDateTime) -> Result<bool> {
    let changed = sqlx::query_scalar!(
        r#"select exists (select from order_events where order_id = $1 and kind in ('covers', 'merge') and at > $2) as "changed!""#,
        order.get(),
        at
    );
    Ok(changed.fetch_one(db).await?)
}

/// Says that the guests want to pay, or that they have changed their minds.
///
/// # Errors
/// When the database does not answer.
pub async fn ask_bill(db: &mut PgConnection, order: OrderId, asked: bool) -> Result<()> {
    sqlx::query!(
        "update orders set bill_asked_at = case when $2 then coalesce(bill_asked_at, now()) end where id = $1",
        order.get(),
        asked
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Everybody who may look after a table.
///
/// # Errors
/// When the database does not answer.
pub async fn colleagues(db: impl PgExecutor<'_>) -> Result<Vec<Colleague>> {
    let rows = sqlx::query!("select id, name from users where active and role in ('serveur', 'caissier', 'admin') order by id")
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().map(|row| Colleague { id: UserId::from_row(row.id), name: row.name }).collect())
}
