//! Dishes at the pass: what is said of them, under numbers in the order of the commits; how their waits ended; how long they took.

use crate::error::{Error, Result};
use domain::api::{DishNews, HourOfWaits, PassWaits, Waits};
use domain::order::LineState;
use domain::pass::{Told, WaitingDish};
use domain::{LineId, OrderId, TableId, UserId};
use sqlx::{PgConnection, PgExecutor, PgPool};
use std::time::Duration;
use time::{Date, OffsetDateTime};

/// A dish that nobody saw to is forgotten after so long: guests have left by then.
const AT_THE_PASS_FOR_H: i32 = 3;
/// So much of what was missed is said again: one open service.
const MISSED_FOR_H: i32 = 12;
/// So many are read at once.
pub const PAGE: i64 = 200;

/// Something said of a dish, and who is told.
pub struct Said {
    /// Its number.
    pub id: i64,
    /// What is said.
    pub news: DishNews,
    /// How far it has gone.
    pub level: Told,
    /// Who is told now. Empty where it was not asked for.
    pub to: Vec<UserId>,
}

/// A dish about to be said ready.
pub struct Ready {
    /// The line, when the kitchen named one.
    pub line: Option<LineId>,
    /// The dish, as people call it.
    pub dish: String,
}

struct Row {
    id: i64,
    level: i16,
    event_id: i64,
    at: OffsetDateTime,
    timestamp: String,
    dish: String,
    qty: i32,
    line_id: Option<i64>,
    order_id: i64,
    table_id: i64,
    table_name: String,
    server_name: String,
    settled: bool,
    recipients: Vec<i64>,
}

impl Row {
    fn said(self) -> Result<Said> {
        let level = level(self.level)?;
        let news = DishNews {
            event_id: self.event_id,
            order_id: OrderId::from_row(self.order_id),
            table_id: TableId::from_row(self.table_id),
            table: self.table_name,
            dish: self.dish,
            qty: self.qty.unsigned_abs(),
            line_id: self.line_id.map(LineId::from_row),
            server_name: self.server_name,
            timestamp: self.timestamp,
            at: self.at,
            settled: self.settled,
        };
        Ok(Said { id: self.id, news, level, to: self.recipients.into_iter().map(UserId::from_row).collect() })
    }
}

fn level(level: i16) -> Result<Told> {
    Told::from_level(level).ok_or_else(|| Error::internal(format!("the database holds the level {level}")))
}

/// Takes so many numbers and returns the first. Until the commit nobody else gets one: this comes last in a transaction, after everything
/// that may wait.
///
/// # Errors
/// When the database does not answer.
pub async fn take_numbers(db: &mut PgConnection, count: usize) -> Result<i64> {
    let count = i64::try_from(count).map_err(Error::internal)?;
    let last = sqlx::query_scalar!("update event_head set last = last + $1 returning last", count).fetch_one(db).await?;
    Ok(last - count + 1)
}

/// Says that dishes of an order are ready, under numbers that were taken.
///
/// # Errors
/// When the database does not answer.
pub async fn say_ready(db: &mut PgConnection, first: i64, order: OrderId, dishes: &[Ready]) -> Result<()> {
    let lines: Vec<Option<i64>> = dishes.iter().map(|dish| dish.line.map(LineId::get)).collect();
    let names: Vec<String> = dishes.iter().map(|dish| dish.dish.clone()).collect();
    sqlx::query!(
        "insert into dish_events (id, order_id, line_id, dish)
         select $1 + n - 1, $2, line, dish from unnest($3::bigint[], $4::text[]) with ordinality as new (line, dish, n)",
        first,
        order.get(),
        &lines as &[Option<i64>],
        &names
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What became of a kitchen system's word.
pub enum Word {
    /// It is stored, and to be told.
    Stored(Said),
    /// It has said this event before.
    SaidBefore,
    /// The line was moved on by somebody else meanwhile: it is to be looked at again.
    LineMoved,
}

/// A kitchen system says that a dish of an order is ready; its line, if it has one that moves on, stood at `was`. Stored when this returns.
///
/// # Errors
/// When the database does not answer.
pub async fn say_dish_ready(
    db: impl PgExecutor<'_>,
    order: OrderId,
    dish: &Ready,
    was: Option<LineState>,
    erp_event: Option<&str>,
    zone: &str,
) -> Result<Word> {
    let said = sqlx::query!(
        r#"select id as "id!", at as "at!", to_char(at at time zone $6, 'HH24"h"MI') as "timestamp!", order_id as "order_id!",
                  table_id as "table_id!", table_name as "table_name!", server_user_id as "server!", server_name as "server_name!",
                  qty as "qty!"
           from dish_is_ready($1, $2, $3, $4, $5)"#,
        order.get(),
        dish.line.map(LineId::get),
        was.map(|state| state.as_str()),
        dish.dish,
        erp_event,
        zone
    );
    let said = match said.fetch_optional(db).await {
        Ok(Some(said)) => said,
        Ok(None) => return Ok(Word::LineMoved),
        Err(sqlx::Error::Database(refused)) if refused.constraint() == Some("dish_events_erp_event_id_key") => return Ok(Word::SaidBefore),
        Err(error) => return Err(error.into()),
    };
    let news = DishNews {
        event_id: said.id,
        order_id: OrderId::from_row(said.order_id),
        table_id: TableId::from_row(said.table_id),
        table: said.table_name,
        dish: dish.dish.clone(),
        qty: said.qty.unsigned_abs(),
        line_id: dish.line,
        server_name: said.server_name,
        timestamp: said.timestamp,
        at: said.at,
        settled: false,
    };
    Ok(Word::Stored(Said { id: said.id, news, level: Told::Waiter, to: vec![UserId::from_row(said.server)] }))
}

/// Holds the numbers and says which dishes of these orders wait for somebody. Whoever hands a table over does this after having done so:
/// what the kitchen said before is seen here, and what it says after finds the new waiter.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting_of(db: &mut PgConnection, order: OrderId) -> Result<Vec<i64>> {
    sqlx::query!("select from event_head for no key update").fetch_one(&mut *db).await?;
    let ids = sqlx::query_scalar!(
        r#"select id as "id!" from dish_news
           where order_id = $1 and event_id = id and how is null
             and at > now() - make_interval(hours => $2) and said_at > now() - make_interval(hours => $2) order by id"#,
        order.get(),
        AT_THE_PASS_FOR_H
    );
    Ok(ids.fetch_all(db).await?)
}

/// Says dishes again, to whoever looks after the table now.
///
/// # Errors
/// When the database does not answer.
pub async fn say_again(db: &mut PgConnection, first: i64, events: &[i64]) -> Result<()> {
    sqlx::query!(
        "insert into dish_events (id, about, order_id, dish)
         select $1 + n - 1, e.id, e.order_id, e.dish from unnest($2::bigint[]) with ordinality as again (id, n) join dish_events e on e.id = again.id",
        first,
        events
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The last number that was given.
///
/// # Errors
/// When the database does not answer.
pub async fn last_number(db: impl PgExecutor<'_>) -> Result<i64> {
    Ok(sqlx::query_scalar!("select last from event_head").fetch_one(db).await?)
}

/// What was said after this number, in order, at most [`PAGE`] of it, with those who are told now.
///
/// # Errors
/// When the database does not answer.
pub async fn said_after(db: impl PgExecutor<'_>, number: i64, zone: &str) -> Result<Vec<Said>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id!", level as "level!", event_id as "event_id!", at as "at!", to_char(at at time zone $2, 'HH24"h"MI') as "timestamp!",
                  dish as "dish!", qty as "qty!", line_id, order_id as "order_id!", table_id as "table_id!", table_name as "table_name!",
                  server_name as "server_name!", how is not null as "settled!",
                  array(select distinct told_of(order_id, level)) as "recipients!"
           from dish_news where id > $1 order by id limit $3"#,
        number,
        zone,
        PAGE
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::said).collect()
}

/// What a person missed after this number, in order, at most [`PAGE`] of it, and the last number given at that moment. A number that was
/// never given, or none: what still waits for the person.
///
/// # Errors
/// When the database does not answer.
pub async fn missed(db: &PgPool, user: UserId, since: i64, zone: &str) -> Result<(Vec<Said>, i64)> {
    // One statement sees one moment: what is committed after it has a number after `last`. Most of it is for whoever looks after the table, which
    // the row says: asking `told_of` for each dish of the house made five hundred phones wait for each other when a server came back.
    // The first condition on the number is there for the index.
    let rows = sqlx::query!(
        r#"select h.last, n.id as "id?", n.level as "level?", n.event_id as "event_id?", n.at as "at?",
                  to_char(n.at at time zone $3, 'HH24"h"MI') as "timestamp?", n.dish as "dish?", n.qty as "qty?", n.line_id as "line_id?",
                  n.order_id as "order_id?", n.table_id as "table_id?", n.table_name as "table_name?", n.server_name as "server_name?",
                  n.how is not null as "settled!"
           from event_head h left join lateral (
               select * from dish_news n
               where n.said_at > now() - make_interval(hours => $4)
                 and n.id > case when $2::bigint between 1 and h.last then $2::bigint else 0 end
                 and case when $2::bigint between 1 and h.last
                          then n.id > $2::bigint
                          else n.how is null and n.at > now() - make_interval(hours => $5) end
                 and case n.level when 0 then n.server_user_id = $1 else $1 in (select told_of(n.order_id, n.level)) end
               order by n.id limit $6
           ) n on true
           order by n.id"#,
        user.get(),
        since,
        zone,
        MISSED_FOR_H,
        AT_THE_PASS_FOR_H,
        PAGE
    )
    .fetch_all(db)
    .await?;
    let last = rows.first().map_or(0, |row| row.last);
    let mut missed = Vec::new();
    for row in rows {
        // The left join gives a row of nothing when nothing was missed.
        let (Some(id), Some(level), Some(event_id), Some(at), Some(timestamp)) = (row.id, row.level, row.event_id, row.at, row.timestamp)
        else {
            continue;
        };
        let (Some(dish), Some(qty), Some(order_id), Some(table_id), Some(table_name), Some(server_name)) =
            (row.dish, row.qty, row.order_id, row.table_id, row.table_name, row.server_name)
        else {
            continue;
        };
        let (line_id, settled, recipients) = (row.line_id, row.settled, Vec::new());
        let row = Row {
            id,
            level,
            event_id,
            at,
            timestamp,
            dish,
            qty,
            line_id,
            order_id,
            table_id,
            table_name,
            server_name,
            settled,
            recipients,
        };
        missed.push(row.said()?);
    }
    Ok((missed, last))
}

/// Dishes that wait for this person, each once, as urgent as it is, the longest wait first.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting_for(db: &PgPool, user: UserId, zone: &str) -> Result<Vec<WaitingDish>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select distinct on (at, event_id) id as "id!", level as "level!", event_id as "event_id!", at as "at!",
                  to_char(at at time zone $2, 'HH24"h"MI') as "timestamp!", dish as "dish!", qty as "qty!", line_id, order_id as "order_id!",
                  table_id as "table_id!", table_name as "table_name!", server_name as "server_name!", false as "settled!",
                  '{}'::bigint[] as "recipients!"
           from dish_news
           where how is null and at > now() - make_interval(hours => $3) and said_at > now() - make_interval(hours => $3)
             and case level when 0 then server_user_id = $1 else $1 in (select told_of(order_id, level)) end
           order by at, event_id, level desc limit $4"#,
        user.get(),
        zone,
        AT_THE_PASS_FOR_H,
        PAGE
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|row| row.said().map(|said| WaitingDish { news: said.news, told: said.level })).collect()
}

/// A dish as somebody acknowledges it.
pub struct Acknowledged {
    /// The dish.
    pub event_id: i64,
    /// The order it belongs to now.
    pub order: OrderId,
    /// Its table.
    pub table: TableId,
    /// Whether this is what ended its wait.
    pub is_news: bool,
}

/// Somebody sees to dishes: to this one, or to all of the order that wait. Only who was told of a dish can; a dish whose wait has ended is
/// returned all the same, so that whoever says it again gets the same answer.
///
/// # Errors
/// When the database does not answer.
pub async fn acknowledge(db: &PgPool, user: UserId, order: OrderId, event: Option<i64>) -> Result<Vec<Acknowledged>> {
    let rows = sqlx::query!(
        r#"with theirs as (
               select distinct n.event_id, n.order_id, n.table_id from dish_news n
               where case when $3::bigint is null then n.order_id = $2 and n.how is null else n.event_id = $3 end
                 and n.said_at > now() - make_interval(hours => $4)
                 and ($1 = n.ended_by or $1 in (select told_of(n.order_id, n.level)))
           ), new as (
               insert into dish_ends (event_id, how, user_id) select event_id, 'acknowledged', $1 from theirs order by event_id
               on conflict (event_id) do nothing returning event_id
           )
           select t.event_id as "event_id!", t.order_id as "order_id!", t.table_id as "table_id!", new.event_id is not null as "is_news!"
           from theirs t left join new on new.event_id = t.event_id order by t.event_id"#,
        user.get(),
        order.get(),
        event,
        MISSED_FOR_H
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Acknowledged {
            event_id: row.event_id,
            order: OrderId::from_row(row.order_id),
            table: TableId::from_row(row.table_id),
            is_news: row.is_news,
        })
        .collect())
}

/// Tells further people of the dishes that have waited for so long, in one transaction. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn escalate(db: &mut PgConnection, level: i16, after: Duration) -> Result<usize> {
    let due = sqlx::query_scalar!(
        r#"select e.id from dish_events e
           where e.about is null and e.at between now() - make_interval(hours => $3) and now() - make_interval(secs => $2)
             and not exists (select from dish_ends d where d.event_id = e.id)
             and not exists (select from dish_events s where s.about = e.id and s.level = $1 and s.level > 0)
           order by e.id limit 100"#,
        level,
        after.as_secs_f64(),
        AT_THE_PASS_FOR_H
    );
    if due.fetch_all(&mut *db).await?.is_empty() {
        return Ok(0);
    }
    // Only now are the numbers held, and only one process at a time finds out what is due.
    sqlx::query!("select from event_head for no key update").fetch_one(&mut *db).await?;
    let due = sqlx::query_scalar!(
        r#"select e.id from dish_events e
           where e.about is null and e.at between now() - make_interval(hours => $3) and now() - make_interval(secs => $2)
             and not exists (select from dish_ends d where d.event_id = e.id)
             and not exists (select from dish_events s where s.about = e.id and s.level = $1 and s.level > 0)
           order by e.id limit 100"#,
        level,
        after.as_secs_f64(),
        AT_THE_PASS_FOR_H
    )
    .fetch_all(&mut *db)
    .await?;
    if due.is_empty() {
        return Ok(0);
    }
    let first = take_numbers(db, due.len()).await?;
    sqlx::query!(
        "insert into dish_events (id, about, level, order_id, dish)
         select $1 + n - 1, e.id, $3, e.order_id, e.dish from unnest($2::bigint[]) with ordinality as due (id, n) join dish_events e on e.id = due.id",
        first,
        &due,
        level
    )
    .execute(db)
    .await?;
    Ok(due.len())
}

/// How long dishes waited on a day of service, from ready until somebody saw to them or they were served. `None` for the day: today.
///
/// # Errors
/// When the database does not answer.
pub async fn waits(db: &PgPool, day: Option<Date>, zone: &str, day_starts_at: i32) -> Result<PassWaits> {
    let rows = sqlx::query!(
        r#"with asked as (
               select coalesce($1::date, ((now() at time zone $2) - make_interval(hours => $3))::date) as day
           ), dishes as (
               select e.id, e.at, d.how, d.at as ended_at,
                      exists (select from dish_events s where s.about = e.id and s.level > 0) as escalated
               from asked a
               join dish_events e on e.about is null
                    and e.at >= (a.day + make_interval(hours => $3)) at time zone $2
                    and e.at < (a.day + 1 + make_interval(hours => $3)) at time zone $2
               left join dish_ends d on d.event_id = e.id
           ), waited as (
               select extract(hour from at at time zone $2)::smallint as hour, escalated,
                      greatest(0, extract(epoch from ended_at - at))::bigint as seconds
               from dishes where how in ('acknowledged', 'served')
           )
           select a.day as "day!", w.hour as "hour?", w.dishes as "dishes?", w.median as "median?", w.p95 as "p95?", w.escalated as "escalated?",
                  (select count(*) from dishes where how is null) as "waiting!"
           from asked a left join (
               select hour, count(*) as dishes, percentile_disc(0.5) within group (order by seconds) as median,
                      percentile_disc(0.95) within group (order by seconds) as p95, count(*) filter (where escalated) as escalated
               from waited group by grouping sets ((hour), ())
           ) w on w.dishes > 0
           order by (w.hour - $3 + 24) % 24"#,
        day,
        zone,
        day_starts_at
    )
    .fetch_all(db)
    .await?;
    let number = |value: Option<i64>| u32::try_from(value.unwrap_or(0)).unwrap_or(u32::MAX);
    let day = rows.first().map(|row| row.day).ok_or_else(|| Error::internal("no day"))?;
    let mut waits = PassWaits { day, whole: None, hours: Vec::new(), waiting: number(rows.first().map(|row| row.waiting)) };
    for row in rows.into_iter().filter(|row| row.dishes.is_some()) {
        let of =
            Waits { dishes: number(row.dishes), median_s: number(row.median), p95_s: number(row.p95), escalated: number(row.escalated) };
        match row.hour {
            Some(hour) => waits.hours.push(HourOfWaits { hour: u8::try_from(hour).unwrap_or(0), waits: of }),
            None => waits.whole = Some(of),
        }
    }
    Ok(waits)
}
