//! Rounds: what is sent at once, stored with all that belongs to it.
//!
//! A round raises its order's number of rounds and brings its lines, the slip that tells the kitchen, the answer under the id that the client
//! chose and, when a phone had kept it, what became of that request. All of it is one statement, because each costs a way to the database and
//! back; by itself it is a whole transaction. [`add_round`] stores one and waits for its order; [`add_rounds`] stores many with one commit and
//! waits for none. They differ in how the orders are found, and in nothing else.

use super::orders::Way;
use crate::error::Result;
use domain::api::SentStatus;
use domain::order::{LineState, PricedLine, PricedOption};
use domain::{OrderId, TableId, UserId};
use sqlx::PgExecutor;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// Whose round it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// Of this order, if it is open.
    Order(OrderId),
    /// Of whichever order is open at a table, if it is looked after by this person.
    OpenAt(TableId, Option<UserId>),
}

impl To {
    /// Whether both name the same order in the same way. Two that name it in different ways look different.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Order(one), Self::Order(other)) => one == other,
            (Self::OpenAt(one, _), Self::OpenAt(other, _)) => one == other,
            _ => false,
        }
    }

    /// The order, or the table and who has to look after it.
    const fn named(self) -> (Option<i64>, Option<i64>, Option<i64>) {
        match self {
            Self::Order(order) => (Some(order.get()), None, None),
            Self::OpenAt(table, Some(person)) => (None, Some(table.get()), Some(person.get())),
            Self::OpenAt(table, None) => (None, Some(table.get()), None),
        }
    }
}

/// A round about to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewRound<'a> {
    /// What.
    pub lines: &'a [PricedLine],
    /// The key of the slip, should there be one.
    pub slip: Uuid,
    /// What is answered about the kitchen.
    pub status: SentStatus,
    /// The id that the client chose, and what was asked: the answer is stored under it.
    pub request: Option<(Uuid, &'a [u8])>,
    /// Only while so many guests sit there; none: however many.
    pub covers: Option<u16>,
    /// Only if nothing is known of this request, which is then stored as taken. The id is that of the request.
    pub kept: Option<Kept>,
}

/// A request that a phone kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Who typed it.
    pub by: UserId,
    /// Where.
    pub table: TableId,
    /// When, by the phone's clock.
    pub typed_at: OffsetDateTime,
}

/// What became of it.
#[derive(Debug)]
pub enum Stored {
    /// It is stored.
    Round(Round),
    /// There is no such open order with so many guests, or something is known of this id. Nothing was stored.
    Not,
    /// Somebody else stored something under the same id at the same moment. Nothing was stored, and a transaction is to be rolled back.
    Elsewhere,
}

/// A stored round.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// The order.
    pub order: OrderId,
    /// Where its guests sit.
    pub table: TableId,
    /// The round.
    pub number: u32,
    /// The number of the slip that tells the kitchen, when there is anything to cook now.
    pub slip: Option<i64>,
    /// When, by our clock.
    pub at: OffsetDateTime,
}

/// A stored round as the statement returns it, with its place among those that were given.
struct Row {
    n: i32,
    id: i64,
    table_id: i64,
    rounds: i32,
    slip: Option<i64>,
    at: OffsetDateTime,
}

impl From<Row> for Round {
    fn from(row: Row) -> Self {
        Self {
            order: OrderId::from_row(row.id),
            table: TableId::from_row(row.table_id),
            number: row.rounds.unsigned_abs(),
            slip: row.slip,
            at: row.at,
        }
    }
}

/// The lines of some rounds, column by column; `of` says of which round.
struct Columns<'a> {
    of: Vec<i32>,
    item_ids: Vec<i64>,
    kinds: Vec<&'a str>,
    names: Vec<&'a str>,
    quantities: Vec<i32>,
    prices: Vec<i64>,
    rates: Vec<i16>,
    notes: Vec<Option<&'a str>>,
    courses: Vec<i16>,
    parts: Vec<Option<&'a str>>,
    options: Vec<Json<&'a [PricedOption]>>,
    states: Vec<&'a str>,
    to_kitchen: Vec<bool>,
    /// Rounds of which the kitchen is told something now.
    with_slip: Vec<i32>,
}

impl<'a> Columns<'a> {
    fn of(way: Way, rounds: impl Iterator<Item = &'a [PricedLine]> + Clone) -> Self {
        let lines = || (0i32..).zip(rounds.clone()).flat_map(|(number, lines)| lines.iter().map(move |line| (number, line)));
        Self {
            of: lines().map(|(number, _)| number).collect(),
            item_ids: lines().map(|(_, line)| line.item_id.get()).collect(),
            kinds: lines().map(|(_, line)| line.kind.as_str()).collect(),
            names: lines().map(|(_, line)| line.name.as_str()).collect(),
            quantities: lines().map(|(_, line)| line.qty.cast_signed()).collect(),
            prices: lines().map(|(_, line)| line.unit_price.0).collect(),
            rates: lines().map(|(_, line)| line.vat_rate.basis_points().cast_signed()).collect(),
            notes: lines().map(|(_, line)| line.note.as_deref()).collect(),
            courses: lines().map(|(_, line)| i16::from(line.course)).collect(),
            parts: lines().map(|(_, line)| line.part_of.as_deref()).collect(),
            options: lines().map(|(_, line)| Json(line.options.as_slice())).collect(),
            states: lines().map(|(_, line)| begins_as(line).as_str()).collect(),
            to_kitchen: lines().map(|(_, line)| way.tells_now(line)).collect(),
            with_slip: lines().filter(|(_, line)| way.tells_now(line)).map(|(number, _)| number).collect(),
        }
    }
}

/// Where a line stands when it is stored.
const fn begins_as(line: &PricedLine) -> LineState {
    if line.hold { LineState::Held } else { LineState::Received }
}

/// The statement. `head` raises the rounds of the orders that are found and returns `id`, `rounds`, `table_id` of each and of its round `n`,
/// `key`, `digest`, `status`, `slip`; what it is told begins at `$16`. `kept` is another part, or nothing.
macro_rules! store {
    ($db:expr, $way:expr, $lines:expr, head: $($head:literal)+, kept: $kept:literal, $($of_head:expr),+ $(,)?) => {{
        let lines = $lines;
        sqlx::query_as!(
            Row,
            "with " $(+ $head)+
                + r#", slip as (
             insert into kitchen_slips (key, order_id, table_id, round, sent_at)
             select h.slip, h.id, h.table_id, h.rounds, case when $1 then now() end from head h where h.n = any($2::integer[])
             returning id, order_id
         ), stored as (
             insert into order_lines
                 (order_id, round, item_id, kind, name, qty, unit_price_cents, vat_rate, note, course, part_of, options, state, slip_id)
             select h.id, h.rounds, new.item_id, new.kind, new.name, new.qty, new.price, new.rate, new.note, new.course, new.part_of,
                    new.options, new.state, case when new.to_kitchen then s.id end
             from unnest($3::integer[], $4::bigint[], $5::text[], $6::text[], $7::integer[], $8::bigint[], $9::smallint[], $10::text[],
                         $11::smallint[], $12::text[], $13::jsonb[], $14::text[], $15::boolean[])
                  with ordinality as new (n, item_id, kind, name, qty, price, rate, note, course, part_of, options, state, to_kitchen, position)
             join head h on h.n = new.n left join slip s on s.order_id = h.id
             order by new.position
         )"#
                + $kept
                + r#", answered as (
             insert into idempotency (key, digest, status, answer)
             select h.key, h.digest, 201, json_build_object('order_id', h.id, 'status', h.status, 'round', h.rounds, 'slip', s.id)
             from head h left join slip s on s.order_id = h.id where h.key is not null
         )
         select h.n as "n!", h.id as "id!", h.table_id as "table_id!", h.rounds as "rounds!", s.id as "slip?", now() as "at!"
         from head h left join slip s on s.order_id = h.id"#,
            $way.is_built_in,
            &lines.with_slip,
            &lines.of,
            &lines.item_ids,
            &lines.kinds as &[&str],
            &lines.names as &[&str],
            &lines.quantities,
            &lines.prices,
            &lines.rates,
            &lines.notes as &[Option<&str>],
            &lines.courses,
            &lines.parts as &[Option<&str>],
            &lines.options as &[Json<&[PricedOption]>],
            &lines.states as &[&str],
            &lines.to_kitchen,
            $($of_head),+
        )
        // All of the answer is read, not only the rows: outside a transaction they come before the commit.
        .fetch_all($db)
        .await
    }};
}

/// Adds a round to an order. Waits for whoever holds the order.
///
/// # Errors
/// When the database does not answer.
pub async fn add_round(db: impl PgExecutor<'_>, way: Way, to: To, new: &NewRound<'_>) -> Result<Stored> {
    let (order, table, only_of) = to.named();
    let covers = new.covers.map(u16::cast_signed);
    let (key, digest) = new.request.unzip();
    let lines = Columns::of(way, std::iter::once(new.lines));
    // Whose order it is, and that nothing was answered under its id, is asked in the same words of a round that a phone kept and of any other.
    macro_rules! store_one {
        (unless: $known:literal, kept: $kept:literal $(, $of_kept:expr)*) => {
            store!(
                db, way, lines,
                head: r#"head as (
             update orders o set rounds = o.rounds + 1
             where o.id = coalesce($16, (select id from orders where table_id = $17 and status = 'open'))
               and o.status = 'open' and o.table_id = coalesce($17, o.table_id) and o.server_user_id = coalesce($18, o.server_user_id)
               and o.covers = coalesce($19, o.covers) and not exists (select from idempotency where key = $20)"#
                    $known
                    r#"
             returning o.id, o.rounds, o.table_id, 0 as n, $20::uuid as key, $21::bytea as digest, $22::text as status, $23::uuid as slip
         )"#,
                kept: $kept,
                order, table, only_of, covers, key, digest, new.status.as_str(), new.slip $(, $of_kept)*
            )
        };
    }
    let rows = match new.kept {
        None => store_one!(unless: "", kept: ""),
        Some(kept) => store_one!(
            unless: r#"
               and not exists (select from sync_intents where uuid = $20)"#,
            kept: r#", intent as (
             insert into sync_intents (uuid, user_id, table_id, offline_at, outcome, order_id, settled_at)
             select h.key, $24, $25, $26, 'taken', h.id, now() from head h
         )"#,
            kept.by.get(), kept.table.get(), kept.typed_at
        ),
    };
    match rows {
        Ok(mut rows) => Ok(rows.pop().map_or(Stored::Not, |row| Stored::Round(row.into()))),
        Err(sqlx::Error::Database(refused)) if refused.constraint().is_some_and(|name| ONE_OF_EACH_ID.contains(&name)) => {
            Ok(Stored::Elsewhere)
        }
        Err(error) => Err(error.into()),
    }
}

/// Constraints by which something is stored once under an id.
const ONE_OF_EACH_ID: [&str; 2] = ["idempotency_pkey", "sync_intents_pkey"];

/// Adds rounds to different orders, as [`add_round`] adds one. Each has an end of its own: what becomes [`Stored::Not`] did not
/// keep the others from being stored. That may also be one whose order somebody else holds at this moment, or one of two for the same
/// order; by itself it waits for its turn. `None` when the database refused them all for the sake of one (somebody stored an answer under its id
/// at the same moment, for example): nothing is stored, and each may be tried by itself.
///
/// # Errors
/// When the database does not answer: whether they are stored is not known.
pub async fn add_rounds(db: impl PgExecutor<'_>, way: Way, rounds: &[(To, NewRound<'_>)]) -> Result<Option<Vec<Stored>>> {
    let numbers: Vec<i32> = (0i32..).take(rounds.len()).collect();
    let meant: Vec<Option<i64>> = rounds.iter().map(|(to, _)| to.named().0).collect();
    let tables: Vec<Option<i64>> = rounds.iter().map(|(to, _)| to.named().1).collect();
    let only_of: Vec<Option<i64>> = rounds.iter().map(|(to, _)| to.named().2).collect();
    let covers: Vec<Option<i16>> = rounds.iter().map(|(_, round)| round.covers.map(u16::cast_signed)).collect();
    let keys: Vec<Option<Uuid>> = rounds.iter().map(|(_, round)| round.request.map(|(key, _)| key)).collect();
    let digests: Vec<Option<&[u8]>> = rounds.iter().map(|(_, round)| round.request.map(|(_, digest)| digest)).collect();
    let statuses: Vec<&str> = rounds.iter().map(|(_, round)| round.status.as_str()).collect();
    let slips: Vec<Uuid> = rounds.iter().map(|(_, round)| round.slip).collect();
    let typed_by: Vec<Option<i64>> = rounds.iter().map(|(_, round)| round.kept.map(|kept| kept.by.get())).collect();
    let typed_for: Vec<Option<i64>> = rounds.iter().map(|(_, round)| round.kept.map(|kept| kept.table.get())).collect();
    let typed_at: Vec<Option<OffsetDateTime>> = rounds.iter().map(|(_, round)| round.kept.map(|kept| kept.typed_at)).collect();
    let rows = store!(
        db, way, Columns::of(way, rounds.iter().map(|(_, round)| round.lines)),
        head: r#"wanted as (
             select a.n, a.at, a.only_of, a.covers, a.key, a.digest, a.status, a.slip, a.typed_by, a.typed_for, a.typed_at,
                    coalesce(a.meant, (select o.id from orders o where o.table_id = a.at and o.status = 'open')) as id
             from unnest($16::integer[], $17::bigint[], $18::bigint[], $19::bigint[], $20::smallint[], $21::uuid[], $22::bytea[], $23::text[],
                         $24::uuid[], $25::bigint[], $26::bigint[], $27::timestamptz[])
                  as a (n, meant, at, only_of, covers, key, digest, status, slip, typed_by, typed_for, typed_at)
             where not exists (select from idempotency i where i.key = a.key)
               and (a.typed_by is null or not exists (select from sync_intents i where i.uuid = a.key))
         ), held as (
             -- none that somebody else holds: nobody waits for an order of another table, and two such statements never for each other
             select o.id from orders o where o.id in (select id from wanted) order by o.id for no key update skip locked
         ), head as (
             update orders o set rounds = o.rounds + 1 from wanted a join held h on h.id = a.id
             where o.id = a.id and o.status = 'open' and o.table_id = coalesce(a.at, o.table_id)
               and o.server_user_id = coalesce(a.only_of, o.server_user_id) and o.covers = coalesce(a.covers, o.covers)
             returning o.id, o.rounds, o.table_id, a.n, a.key, a.digest, a.status, a.slip, a.typed_by, a.typed_for, a.typed_at
         )"#,
        kept: r#", intent as (
             insert into sync_intents (uuid, user_id, table_id, offline_at, outcome, order_id, settled_at)
             select h.key, h.typed_by, h.typed_for, h.typed_at, 'taken', h.id, now() from head h where h.typed_by is not null
         )"#,
        &numbers,
        &meant as &[Option<i64>],
        &tables as &[Option<i64>],
        &only_of as &[Option<i64>],
        &covers as &[Option<i16>],
        &keys as &[Option<Uuid>],
        &digests as &[Option<&[u8]>],
        &statuses as &[&str],
        &slips,
        &typed_by as &[Option<i64>],
        &typed_for as &[Option<i64>],
        &typed_at as &[Option<OffsetDateTime>],
    );
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
            *place = Stored::Round(row.into());
        }
    }
    Ok(Some(stored))
}
