//! Orders and their lines.

use super::{count, rate, word};
use crate::error::Result;
use domain::api::{LineView, OrderStatus, OrderView};
use domain::order::{LineState, PricedLine};
use domain::{Cents, ItemId, LineId, OrderId, TableId, UserId};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// The open order of a table, as far as adding to it needs.
pub struct OpenOrder {
    /// The order.
    pub id: OrderId,
    /// Who looks after it.
    pub server: (UserId, String),
}

/// The open order of a table, locked until the end of the transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_open(db: &mut PgConnection, table: TableId) -> Result<Option<OpenOrder>> {
    let row = sqlx::query!(
        "select o.id, o.server_user_id, u.name from orders o join users u on u.id = o.server_user_id
         where o.table_id = $1 and o.status = 'open' for update of o",
        table.get()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| OpenOrder { id: OrderId::from_row(row.id), server: (UserId::from_row(row.server_user_id), row.name) }))
}

/// Opens an order on a free table.
///
/// # Errors
/// When the database does not answer, or the table is not free.
pub async fn open(db: &mut PgConnection, table: TableId, covers: u16, server: UserId) -> Result<OrderId> {
    let covers = i16::try_from(covers).unwrap_or(i16::MAX);
    let id = sqlx::query_scalar!(
        "insert into orders (table_id, covers, server_user_id) values ($1, $2, $3) returning id",
        table.get(),
        covers,
        server.get()
    )
    .fetch_one(db)
    .await?;
    Ok(OrderId::from_row(id))
}

/// Adds a round to an order: raises the round, sets the covers when somebody said how many, stores the lines. Returns the round.
///
/// # Errors
/// When the database does not answer.
pub async fn add_round(db: &mut PgConnection, order: OrderId, covers: Option<u16>, lines: &[PricedLine]) -> Result<u32> {
    let covers = covers.and_then(|covers| i16::try_from(covers).ok());
    let round = sqlx::query_scalar!(
        "update orders set rounds = rounds + 1, covers = coalesce($2, covers) where id = $1 returning rounds",
        order.get(),
        covers
    )
    .fetch_one(&mut *db)
    .await?;
    let item_ids: Vec<i64> = lines.iter().map(|line| line.item_id.get()).collect();
    let kinds: Vec<String> = lines.iter().map(|line| line.kind.as_str().to_owned()).collect();
    let names: Vec<String> = lines.iter().map(|line| line.name.clone()).collect();
    let quantities: Vec<i32> = lines.iter().map(|line| line.qty.cast_signed()).collect();
    let prices: Vec<i64> = lines.iter().map(|line| line.unit_price.0).collect();
    let rates: Vec<i16> = lines.iter().map(|line| line.vat_rate.basis_points().cast_signed()).collect();
    let notes: Vec<Option<String>> = lines.iter().map(|line| line.note.clone()).collect();
    let courses: Vec<i16> = lines.iter().map(|line| i16::from(line.course)).collect();
    let parts: Vec<Option<String>> = lines.iter().map(|line| line.part_of.clone()).collect();
    sqlx::query!(
        "insert into order_lines (order_id, round, item_id, kind, name, qty, unit_price_cents, vat_rate, note, course, part_of)
         select $1, $2, item_id, kind, name, qty, price, rate, note, course, part_of
         from unnest($3::bigint[], $4::text[], $5::text[], $6::integer[], $7::bigint[], $8::smallint[], $9::text[], $10::smallint[], $11::text[])
              with ordinality as new (item_id, kind, name, qty, price, rate, note, course, part_of, position)
         order by position",
        order.get(),
        round,
        &item_ids,
        &kinds,
        &names,
        &quantities,
        &prices,
        &rates,
        &notes as &[Option<String>],
        &courses,
        &parts as &[Option<String>],
    )
    .execute(db)
    .await?;
    Ok(round.unsigned_abs())
}

/// An order without its lines.
pub struct OrderHead {
    /// The order.
    pub id: OrderId,
    /// Its name for ever.
    pub uuid: Uuid,
    /// Where.
    pub table_id: TableId,
    /// The table's name.
    pub table: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// Guests.
    pub covers: u16,
    /// Who looks after it.
    pub server_user_id: UserId,
    /// Since when.
    pub opened_at: time::OffsetDateTime,
    /// How many shares the table chose for what is not paid yet.
    pub unpaid_shares: Option<u16>,
}

/// The head of an order. With `lock` it is held until the end of the transaction: whoever settles or divides a bill holds its order.
///
/// # Errors
/// When the database does not answer.
pub async fn head(db: &mut PgConnection, id: OrderId, lock: bool) -> Result<Option<OrderHead>> {
    if lock {
        sqlx::query!("select from orders where id = $1 for update", id.get()).fetch_optional(&mut *db).await?;
    }
    let row = sqlx::query!(
        "select o.id, o.uuid, o.table_id, t.name as table_name, o.status, o.covers, o.server_user_id, o.opened_at, o.unpaid_shares
         from orders o join tables t on t.id = o.table_id where o.id = $1",
        id.get()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| OrderHead {
        id: OrderId::from_row(row.id),
        uuid: row.uuid,
        table_id: TableId::from_row(row.table_id),
        table: row.table_name,
        status: if row.status == "open" { OrderStatus::Open } else { OrderStatus::PaidComplete },
        covers: count(row.covers),
        server_user_id: UserId::from_row(row.server_user_id),
        opened_at: row.opened_at,
        unpaid_shares: row.unpaid_shares.map(count),
    }))
}

/// The lines of an order, in the order in which they came.
///
/// # Errors
/// When the database does not answer.
pub async fn lines(db: impl PgExecutor<'_>, order: OrderId) -> Result<Vec<LineView>> {
    let rows = sqlx::query!(
        "select id, item_id, kind, name, qty, unit_price_cents, vat_rate, state, note, course, round, part_of
         from order_lines where order_id = $1 order by id",
        order.get()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(LineView {
                line_id: LineId::from_row(row.id),
                item_id: ItemId::from_row(row.item_id),
                kind: word(&row.kind)?,
                name: row.name,
                qty: row.qty.unsigned_abs(),
                unit_price: Cents(row.unit_price_cents),
                total: Cents(row.unit_price_cents * i64::from(row.qty)),
                vat_rate: rate(row.vat_rate)?,
                state: word(&row.state)?,
                note: row.note,
                course: row.course.unsigned_abs() as u8,
                round: row.round.unsigned_abs(),
                part_of: row.part_of,
            })
        })
        .collect()
}

/// A whole order; `None` when there is none of that number.
///
/// # Errors
/// When the database does not answer.
pub async fn whole(db: &mut PgConnection, id: OrderId) -> Result<Option<OrderView>> {
    let Some(head) = head(db, id, false).await? else { return Ok(None) };
    let lines = lines(db, id).await?;
    Ok(Some(OrderView {
        order_id: head.id,
        table_id: head.table_id,
        table: head.table,
        covers: head.covers,
        status: head.status,
        server_user_id: head.server_user_id,
        opened_at: head.opened_at,
        total: lines.iter().filter(|line| line.state != LineState::Voided).map(|line| line.total).sum(),
        lines,
    }))
}

/// Remembers into how many shares the rest of a bill is divided.
///
/// # Errors
/// When the database does not answer.
pub async fn set_unpaid_shares(db: &mut PgConnection, order: OrderId, shares: u16) -> Result<()> {
    let shares = i16::try_from(shares).unwrap_or(i16::MAX);
    sqlx::query!("update orders set unpaid_shares = $2 where id = $1", order.get(), shares).execute(db).await?;
    Ok(())
}

/// Closes an order: all is paid.
///
/// # Errors
/// When the database does not answer.
pub async fn complete(db: &mut PgConnection, order: OrderId) -> Result<()> {
    sqlx::query!("update orders set status = 'paid_complete', closed_at = now() where id = $1", order.get()).execute(db).await?;
    Ok(())
}
