//! Several rounds in one statement and one commit: when many phones send at once, the disk is asked once for all of them.

use super::orders::{NewRound, Stored, To, Way, begins_as};
use crate::error::Result;
use domain::order::PricedOption;
use domain::{OrderId, TableId, UserId};
use sqlx::PgExecutor;
use sqlx::types::Json;
use uuid::Uuid;

/// Adds rounds to different orders, as [`super::orders::add_round`] adds one. Each has an end of its own: what becomes [`Stored::Not`] did not
/// keep the others from being stored. That may also be one whose order somebody else holds at this moment, or one of two for the same
/// order; by itself it waits for its turn. `None` when the database refused them all for the sake of one (somebody stored an answer under its id
/// at the same moment, for example): nothing is stored, and each may be tried by itself.
///
/// # Errors
/// When the database does not answer: whether they are stored is not known.
pub async fn add_rounds(db: impl PgExecutor<'_>, way: Way, rounds: &[(To, NewRound<'_>)]) -> Result<Option<Vec<Stored>>> {
    let numbers: Vec<i32> = (0i32..).take(rounds.len()).collect();
    let mut meant: Vec<Option<i64>> = Vec::with_capacity(rounds.len());
    let mut tables: Vec<Option<i64>> = Vec::with_capacity(rounds.len());
    let mut only_of: Vec<Option<i64>> = Vec::with_capacity(rounds.len());
    for (to, _) in rounds {
        let (order, table, person) = match *to {
            To::Order(order) => (Some(order.get()), None, None),
            To::OpenAt(table, person) => (None, Some(table.get()), person.map(UserId::get)),
        };
        meant.push(order);
        tables.push(table);
        only_of.push(person);
    }
    let keys: Vec<Option<Uuid>> = rounds.iter().map(|(_, round)| round.request.map(|(key, _)| key)).collect();
    let digests: Vec<Option<&[u8]>> = rounds.iter().map(|(_, round)| round.request.map(|(_, digest)| digest)).collect();
    let statuses: Vec<&str> = rounds.iter().map(|(_, round)| round.status.as_str()).collect();
    let slips: Vec<Uuid> = rounds.iter().map(|(_, round)| round.slip).collect();
    let lines = || numbers.iter().zip(rounds).flat_map(|(number, (_, round))| round.lines.iter().map(move |line| (*number, line)));
    let of: Vec<i32> = lines().map(|(number, _)| number).collect();
    let item_ids: Vec<i64> = lines().map(|(_, line)| line.item_id.get()).collect();
    let kinds: Vec<&str> = lines().map(|(_, line)| line.kind.as_str()).collect();
    let names: Vec<&str> = lines().map(|(_, line)| line.name.as_str()).collect();
    let quantities: Vec<i32> = lines().map(|(_, line)| line.qty.cast_signed()).collect();
    let prices: Vec<i64> = lines().map(|(_, line)| line.unit_price.0).collect();
    let rates: Vec<i16> = lines().map(|(_, line)| line.vat_rate.basis_points().cast_signed()).collect();
    let notes: Vec<Option<&str>> = lines().map(|(_, line)| line.note.as_deref()).collect();
    let courses: Vec<i16> = lines().map(|(_, line)| i16::from(line.course)).collect();
    let parts: Vec<Option<&str>> = lines().map(|(_, line)| line.part_of.as_deref()).collect();
    let options: Vec<Json<&[PricedOption]>> = lines().map(|(_, line)| Json(line.options.as_slice())).collect();
    let states: Vec<&str> = lines().map(|(_, line)| begins_as(line).as_str()).collect();
    let to_kitchen: Vec<bool> = lines().map(|(_, line)| way.tells_now(line)).collect();
    let with_slip: Vec<i32> = lines().filter(|(_, line)| way.tells_now(line)).map(|(number, _)| number).collect();
    let rows = sqlx::query!(
        r#"with asked as (
             select a.n, a.at, a.only_of, a.key, a.digest, a.status, a.slip,
                    coalesce(a.meant, (select o.id from orders o where o.table_id = a.at and o.status = 'open')) as id
             from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::uuid[], $6::bytea[], $7::text[], $8::uuid[])
                  as a (n, meant, at, only_of, key, digest, status, slip)
             where not exists (select from idempotency i where i.key = a.key)
         ), held as (
             -- none that somebody else holds: nobody waits for an order of another table, and two such statements never for each other
             select o.id from orders o where o.id in (select id from asked) order by o.id for no key update skip locked
         ), head as (
             update orders o set rounds = o.rounds + 1 from asked a join held h on h.id = a.id
             where o.id = a.id and o.status = 'open' and o.table_id = coalesce(a.at, o.table_id)
               and o.server_user_id = coalesce(a.only_of, o.server_user_id)
             returning o.id, o.rounds, o.table_id, a.n, a.key, a.digest, a.status, a.slip
         ), slip as (
             insert into kitchen_slips (key, order_id, table_id, round, sent_at)
             select h.slip, h.id, h.table_id, h.rounds, case when $9 then now() end from head h where h.n = any($10::integer[])
             returning id, order_id
         ), stored as (
             insert into order_lines
                 (order_id, round, item_id, kind, name, qty, unit_price_cents, vat_rate, note, course, part_of, options, state, slip_id)
             select h.id, h.rounds, new.item_id, new.kind, new.name, new.qty, new.price, new.rate, new.note, new.course, new.part_of,
                    new.options, new.state, case when new.to_kitchen then s.id end
             from unnest($11::integer[], $12::bigint[], $13::text[], $14::text[], $15::integer[], $16::bigint[], $17::smallint[], $18::text[],
                         $19::smallint[], $20::text[], $21::jsonb[], $22::text[], $23::boolean[])
                  with ordinality as new (n, item_id, kind, name, qty, price, rate, note, course, part_of, options, state, to_kitchen, position)
             join head h on h.n = new.n left join slip s on s.order_id = h.id
             order by new.position
         ), answered as (
             insert into idempotency (key, digest, status, answer)
             select h.key, h.digest, 201, json_build_object('order_id', h.id, 'status', h.status, 'round', h.rounds, 'slip', s.id)
             from head h left join slip s on s.order_id = h.id where h.key is not null
         )
         select h.n as "n!", h.id, h.table_id, h.rounds, s.id as "slip?" from head h left join slip s on s.order_id = h.id"#,
        &numbers,
        &meant as &[Option<i64>],
        &tables as &[Option<i64>],
        &only_of as &[Option<i64>],
        &keys as &[Option<Uuid>],
        &digests as &[Option<&[u8]>],
        &statuses as &[&str],
        &slips,
        way.is_built_in,
        &with_slip,
        &of,
        &item_ids,
        &kinds as &[&str],
        &names as &[&str],
        &quantities,
        &prices,
        &rates,
        &notes as &[Option<&str>],
        &courses,
        &parts as &[Option<&str>],
        &options as &[Json<&[PricedOption]>],
        &states as &[&str],
        &to_kitchen,
    )
    .fetch_all(db)
    .await;
    let rows = match rows {
        Ok(rows) => rows,
        // Class 57 is said by a server that stops, and it may say so after the commit.
        Err(sqlx::Error::Database(refused)) if refused.code().is_none_or(|code| !code.starts_with("57")) => {
            tracing::debug!(error = %refused, rounds = rounds.len(), "rounds go one by one");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let mut stored: Vec<Stored> = rounds.iter().map(|_| Stored::Not).collect();
    for row in rows {
        if let Some(place) = usize::try_from(row.n).ok().and_then(|n| stored.get_mut(n)) {
            *place = Stored::Round {
                order: OrderId::from_row(row.id),
                table: TableId::from_row(row.table_id),
                round: row.rounds.unsigned_abs(),
                slip: row.slip,
            };
        }
    }
    Ok(Some(stored))
}
