//! The plan: rooms, tables, and what stands open on them.

use super::count;
use crate::error::{Error, Result};
use domain::api::{FloorPlan, RoomPlan, TablePlan, TableView};
use domain::floor::{Stay, standing};
use domain::{Cents, OrderId, RoomId, TableId, UserId};
use sqlx::{PgConnection, PgExecutor};

/// A table that an order is about to be taken for.
pub struct Seats {
    /// Its name on the plan.
    pub name: String,
    /// How many can sit there: the covers when nobody says.
    pub seats: u16,
}

/// All tables, or some, as the plan shows them: room by room.
///
/// # Errors
/// When the database does not answer.
pub async fn tables(db: impl PgExecutor<'_>, only: Option<&[i64]>) -> Result<Vec<TableView>> {
    let rows = sqlx::query!(
        r#"select t.id, t.name, r.name as room, t.seats, t.x, t.y, t.width, t.height, t.rotation, t.round, now() as "as_of!",
                  o.id as "order_id?", o.server_user_id as "server_user_id?", u.name as "server_name?", o.opened_at as "opened_at?",
                  o.covers as "covers?", coalesce(l.total, 0)::bigint as "total!", l.ready_since as "ready_since?",
                  l.pending_since as "pending_since?", l.refused_since as "refused_since?", coalesce(o.bill_asked_at, p.first_at) as "bill_since?",
                  coalesce(p.paid, 0)::bigint as "paid!"
           from tables t
           join rooms r on r.id = t.room_id
           left join orders o on o.table_id = t.id and o.status = 'open'
           left join users u on u.id = o.server_user_id
           left join lateral (
               select sum((l.qty - l.voided_qty) * l.unit_price_cents - l.discount_cents) as total,
                      min(l.state_at) filter (where l.state = 'ready') as ready_since,
                      -- a dish is awaited since the kitchen was told, or since it was called for after it had waited, whenever it began
                      min(coalesce(l.fired_at, s.created_at, l.created_at)) filter (where l.kind = 'dish' and l.state in ('received', 'cooking'))
                          as pending_since,
                      min(s.created_at) filter (where s.sent_at is null and s.refusals > 0 and l.state in ('received', 'cooking'))
                          as refused_since
               from order_lines l left join kitchen_slips s on s.id = l.slip_id
               where l.order_id = o.id and l.state <> 'voided'
           ) l on true
           left join lateral (
               select sum(amount_cents) as paid, min(created_at) as first_at from payments where order_id = o.id
           ) p on true
           where t.active and ($1::bigint[] is null or t.id = any($1))
           order by r.rank, t.id"#,
        only
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let stay = row.opened_at.map(|opened_at| Stay {
                opened_at,
                ready_since: row.ready_since,
                bill_since: row.bill_since,
                pending_since: row.pending_since,
                refused_since: row.refused_since,
            });
            let (status, since) = standing(stay.as_ref(), row.as_of);
            TableView {
                id: TableId::from_row(row.id),
                name: row.name,
                room: row.room,
                seats: count(row.seats),
                status,
                order_id: row.order_id.map(OrderId::from_row),
                server_user_id: row.server_user_id.map(UserId::from_row),
                server_name: row.server_name,
                since,
                pending_since: row.pending_since,
                covers: row.covers.map(count),
                remaining: row.order_id.map(|_| Cents(row.total - row.paid)),
                as_of: row.as_of,
                x: count(row.x),
                y: count(row.y),
                width: count(row.width),
                height: count(row.height),
                rotation: count(row.rotation),
                round: row.round,
            }
        })
        .collect())
}

/// Locks a table until the end of the transaction, so that two phones cannot both open it and no editor removes it meanwhile. `None` when
/// there is no such table on the plan.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_table(db: &mut PgConnection, id: TableId) -> Result<Option<Seats>> {
    let row =
        sqlx::query!("select name, seats from tables where id = $1 and active for no key update", id.get()).fetch_optional(db).await?;
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

/// The drawing of the house.
///
/// # Errors
/// When the database does not answer.
pub async fn drawing(db: &mut PgConnection) -> Result<FloorPlan> {
    let version = sqlx::query_scalar!("select version from floor_plan").fetch_one(&mut *db).await?;
    let rooms = sqlx::query!("select id, name from rooms where active order by rank, id").fetch_all(&mut *db).await?;
    let mut rooms: Vec<RoomPlan> =
        rooms.into_iter().map(|row| RoomPlan { id: Some(RoomId::from_row(row.id)), name: row.name, tables: Vec::new() }).collect();
    let tables = sqlx::query!("select id, name, room_id, seats, x, y, width, height, rotation, round from tables where active order by id")
        .fetch_all(db)
        .await?;
    for row in tables {
        let Some(room) = rooms.iter_mut().find(|room| room.id == Some(RoomId::from_row(row.room_id))) else {
            return Err(Error::internal(format!("table {} stands in room {}, which is not on the plan", row.id, row.room_id)));
        };
        room.tables.push(TablePlan {
            id: Some(TableId::from_row(row.id)),
            name: row.name,
            seats: count(row.seats),
            x: count(row.x),
            y: count(row.y),
            width: count(row.width),
            height: count(row.height),
            rotation: count(row.rotation),
            round: row.round,
        });
    }
    Ok(FloorPlan { version, rooms })
}

/// Holds the drawing until the end of the transaction and returns its version. Editors wait for each other here, and for the orders that
/// are being opened; orders wait for the editor.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_drawing(db: &mut PgConnection) -> Result<i64> {
    let version = sqlx::query_scalar!("select version from floor_plan for update").fetch_one(&mut *db).await?;
    // In the order of their numbers, as everybody who locks tables does.
    sqlx::query!("select from tables where active order by id for no key update").fetch_all(db).await?;
    Ok(version)
}

/// A table on which guests sit and which is not among these.
///
/// # Errors
/// When the database does not answer.
pub async fn in_use_without(db: &mut PgConnection, kept: &[i64]) -> Result<Option<(TableId, String)>> {
    let row = sqlx::query!(
        "select t.id, t.name from tables t join orders o on o.table_id = t.id and o.status = 'open'
         where t.active and t.id <> all($1) order by t.id limit 1",
        kept
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (TableId::from_row(row.id), row.name)))
}

/// Those of these rooms and tables that never were on the plan.
///
/// # Errors
/// When the database does not answer.
pub async fn unknown(db: &mut PgConnection, rooms: &[i64], tables: &[i64]) -> Result<(Vec<i64>, Vec<i64>)> {
    let rooms = sqlx::query_scalar!(r#"select id as "id!" from unnest($1::bigint[]) as id where id not in (select id from rooms)"#, rooms)
        .fetch_all(&mut *db)
        .await?;
    let tables =
        sqlx::query_scalar!(r#"select id as "id!" from unnest($1::bigint[]) as id where id not in (select id from tables)"#, tables)
            .fetch_all(db)
            .await?;
    Ok((rooms, tables))
}

/// Draws the house anew and returns the new version: what is listed is on the plan, whatever else was there no longer is. The drawing was
/// checked, its numbers are known, and it is locked.
///
/// # Errors
/// When the database does not answer.
pub async fn redraw(db: &mut PgConnection, plan: &FloorPlan) -> Result<i64> {
    // Off with everything first: within one statement two tables could not even swap their names.
    sqlx::query!("update tables set active = false where active").execute(&mut *db).await?;
    sqlx::query!("update rooms set active = false where active").execute(&mut *db).await?;
    let mut room_ids = Vec::with_capacity(plan.rooms.len());
    for (rank, room) in (1_i32..).zip(&plan.rooms) {
        room_ids.push(match room.id {
            Some(id) => {
                sqlx::query!("update rooms set name = $2, rank = $3, active = true where id = $1", id.get(), room.name, rank)
                    .execute(&mut *db)
                    .await?;
                id.get()
            }
            None => {
                sqlx::query_scalar!("insert into rooms (name, rank) values ($1, $2) returning id", room.name, rank)
                    .fetch_one(&mut *db)
                    .await?
            }
        });
    }
    let all = || room_ids.iter().zip(&plan.rooms).flat_map(|(room, of)| of.tables.iter().map(move |table| (*room, table)));
    let kept = Columns::of(all().filter(|(_, table)| table.id.is_some()));
    sqlx::query!(
        "update tables t set name = new.name, room_id = new.room_id, seats = new.seats, x = new.x, y = new.y, width = new.width,
                height = new.height, rotation = new.rotation, round = new.round, active = true
         from unnest($1::bigint[], $2::text[], $3::bigint[], $4::smallint[], $5::smallint[], $6::smallint[], $7::smallint[],
                     $8::smallint[], $9::smallint[], $10::boolean[])
              as new (id, name, room_id, seats, x, y, width, height, rotation, round)
         where t.id = new.id",
        &kept.ids,
        &kept.names,
        &kept.rooms,
        &kept.seats,
        &kept.x,
        &kept.y,
        &kept.widths,
        &kept.heights,
        &kept.rotations,
        &kept.round
    )
    .execute(&mut *db)
    .await?;
    let new = Columns::of(all().filter(|(_, table)| table.id.is_none()));
    sqlx::query!(
        "insert into tables (name, room_id, seats, x, y, width, height, rotation, round)
         select name, room_id, seats, x, y, width, height, rotation, round
         from unnest($1::text[], $2::bigint[], $3::smallint[], $4::smallint[], $5::smallint[], $6::smallint[], $7::smallint[],
                     $8::smallint[], $9::boolean[])
              with ordinality as new (name, room_id, seats, x, y, width, height, rotation, round, position)
         order by position",
        &new.names,
        &new.rooms,
        &new.seats,
        &new.x,
        &new.y,
        &new.widths,
        &new.heights,
        &new.rotations,
        &new.round
    )
    .execute(&mut *db)
    .await?;
    Ok(sqlx::query_scalar!("update floor_plan set version = version + 1 returning version").fetch_one(db).await?)
}

/// Tables, column by column, as one statement takes them.
#[derive(Default)]
struct Columns {
    ids: Vec<i64>,
    names: Vec<String>,
    rooms: Vec<i64>,
    seats: Vec<i16>,
    x: Vec<i16>,
    y: Vec<i16>,
    widths: Vec<i16>,
    heights: Vec<i16>,
    rotations: Vec<i16>,
    round: Vec<bool>,
}

impl Columns {
    fn of<'a>(tables: impl Iterator<Item = (i64, &'a TablePlan)>) -> Self {
        let mut columns = Self::default();
        for (room, table) in tables {
            // The check keeps every number far below what 15 bits hold.
            columns.ids.extend(table.id.map(TableId::get));
            columns.names.push(table.name.clone());
            columns.rooms.push(room);
            columns.seats.push(table.seats.cast_signed());
            columns.x.push(table.x.cast_signed());
            columns.y.push(table.y.cast_signed());
            columns.widths.push(table.width.cast_signed());
            columns.heights.push(table.height.cast_signed());
            columns.rotations.push(table.rotation.cast_signed());
            columns.round.push(table.round);
        }
        columns
    }
}
