//! What the kitchen has to do, and how far it is.

use super::word;
use crate::error::Result;
use domain::api::{FinishedSlip, KitchenLine, KitchenSlip, KitchenView, KitchenVoid};
use domain::kitchen::{FINISHED_SHOWN, VOID_SHOWN_MIN};
use domain::order::{LineState, PricedOption};
use domain::{LineId, OrderId, TableId};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// So many lines are looked at to find the last finished slips: ten slips of ten lines.
const FINISHED_LINES: i64 = 100;

/// Dishes that are not served yet, slip by slip, oldest slip first, with what was taken off lately and what was finished last. In a
/// transaction that sees one moment, so that a removal and its line never contradict each other.
///
/// # Errors
/// When the database does not answer.
pub async fn view(db: &mut PgConnection) -> Result<KitchenView> {
    let at = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(&mut *db).await?;
    let mut slips: Vec<KitchenSlip> = Vec::new();
    for row in sqlx::query_file!("src/db/kitchen_slips.sql").fetch_all(&mut *db).await? {
        let order_id = OrderId::from_row(row.order_id);
        let slip = slip_of(&mut slips, order_id, row.round, row.table_name, row.server_name, row.sent_at);
        slip.lines.push(KitchenLine {
            line_id: LineId::from_row(row.id),
            order_id,
            name: row.name,
            qty: row.qty.unsigned_abs(),
            note: row.note,
            course: row.course.unsigned_abs() as u8,
            state: word(&row.state)?,
            choices: row.options.0.into_iter().map(|option| option.choice).collect(),
            called_at: row.called_at,
            told_at: row.told_at,
            since: row.state_at,
            seen_by: row.seen_by,
        });
    }
    let minutes = i32::try_from(VOID_SHOWN_MIN).unwrap_or(i32::MAX);
    for row in sqlx::query_file!("src/db/kitchen_voids.sql", minutes).fetch_all(&mut *db).await? {
        let slip = slip_of(&mut slips, OrderId::from_row(row.order_id), row.round, row.table_name, row.server_name, row.created_at);
        slip.voids.push(KitchenVoid {
            void_id: row.id,
            line_id: LineId::from_row(row.line_id),
            name: row.name,
            qty: row.qty.unsigned_abs(),
            reason: row.reason,
            course: row.course.unsigned_abs() as u8,
            at: row.at,
        });
    }
    slips.sort_by_key(|slip| (slip.at, slip.order_id, slip.round));
    Ok(KitchenView { at, slips, finished: finished(db).await? })
}

/// The slip of this round, the last one when it was not there yet.
fn slip_of(
    slips: &mut Vec<KitchenSlip>,
    order_id: OrderId,
    round: i32,
    table: String,
    server_name: String,
    at: OffsetDateTime,
) -> &mut KitchenSlip {
    let round = round.unsigned_abs();
    let known = slips.iter().rposition(|slip| slip.order_id == order_id && slip.round == round);
    let place = known.unwrap_or_else(|| {
        slips.push(KitchenSlip { order_id, table, server_name, round, at, lines: Vec::new(), voids: Vec::new() });
        slips.len() - 1
    });
    &mut slips[place]
}

/// What was finished last, course by course, the latest first.
async fn finished(db: &mut PgConnection) -> Result<Vec<FinishedSlip>> {
    let mut all: Vec<FinishedSlip> = Vec::new();
    for row in sqlx::query_file!("src/db/kitchen_finished.sql", FINISHED_LINES).fetch_all(db).await? {
        let (order_id, round, course) = (OrderId::from_row(row.order_id), row.round.unsigned_abs(), row.course.unsigned_abs() as u8);
        let known = all.iter().position(|slip| (slip.order_id, slip.round, slip.course) == (order_id, round, course));
        if known.is_none() && all.len() == FINISHED_SHOWN {
            continue;
        }
        let place = known.unwrap_or_else(|| {
            let (line_ids, dishes) = (Vec::new(), Vec::new());
            all.push(FinishedSlip { order_id, table: row.table_name, round, course, at: row.state_at, line_ids, dishes });
            all.len() - 1
        });
        all[place].line_ids.push(LineId::from_row(row.id));
        all[place].dishes.push(format!("{} × {}", row.qty, row.name));
    }
    Ok(all)
}

/// A line that is about to move on.
pub struct MovingLine {
    /// The line.
    pub id: LineId,
    /// Where it stands.
    pub state: LineState,
    /// What it is.
    pub name: String,
}

/// Lines of one order that are about to move on, and whom that concerns.
pub struct Moving {
    /// The order they belong to.
    pub order_id: OrderId,
    /// Its table.
    pub table: (TableId, String),
    /// The lines, in the order of their numbers; never none.
    pub lines: Vec<MovingLine>,
}

/// A line, locked until the end of the transaction. `None` when there is none of that number.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_line(db: &mut PgConnection, line: LineId) -> Result<Option<Moving>> {
    lock(db, Some(line), None).await
}

/// So long a kitchen system's number means the slip that it was given to: one service. Some begin at one again every morning.
const ERP_NUMBER_HOLDS_H: i32 = 12;

/// A slip as a kitchen system knows it.
pub struct ErpSlip {
    /// The first of our slips that it knows by this number: its events have their names for it.
    pub slip: i64,
    /// The order it belongs to now.
    pub order: OrderId,
    /// Where its guests sit now.
    pub table: TableId,
    /// Its lines, in the order of their numbers.
    pub lines: Vec<MovingLine>,
    /// Whether the kitchen system has said this event before.
    pub is_known: bool,
}

/// A slip in such a row.
macro_rules! to_erp_slip {
    ($row:ident) => {{
        let lines = $row.ids.into_iter().zip($row.states).zip($row.names);
        let lines = lines.map(|((id, state), name)| Ok(MovingLine { id: LineId::from_row(id), state: word(&state)?, name }));
        ErpSlip {
            slip: $row.slip,
            order: OrderId::from_row($row.order_id),
            table: TableId::from_row($row.table_id),
            lines: lines.collect::<Result<_>>()?,
            is_known: $row.known,
        }
    }};
}

/// The lines of the slips that a kitchen system knows by this number, as they are at this moment. Of several orders that had the number in this
/// service it means the one that got it last. `None` when it knows none by it.
///
/// # Errors
/// When the database does not answer.
pub async fn erp_slip(db: impl PgExecutor<'_>, erp_order_id: &str, event: Option<&str>) -> Result<Option<ErpSlip>> {
    let slip = sqlx::query!(
        r#"with numbered as (
               select s.id, s.sent_at,
                      coalesce((select l.order_id from order_lines l where l.slip_id = s.id limit 1), order_now(s.order_id)) as order_id
               from kitchen_slips s
               where s.erp_order_id = $1 and s.kind = 'fire' and s.sent_at > now() - make_interval(hours => $3)
           ), meant as (
               select order_id from numbered order by sent_at desc, id desc limit 1
           ), slips as (
               select m.order_id, min(n.id) as first, array_agg(n.id) as ids
               from meant m join numbered n on n.order_id = m.order_id group by m.order_id
           )
           select o.id as order_id, o.table_id, s.first as "slip!", lines.ids as "ids!", lines.states as "states!", lines.names as "names!",
                  exists (select from dish_events e where e.erp_slip = s.first and e.erp_event_id = $2) as "known!"
           from slips s
           join orders o on o.id = s.order_id
           cross join lateral (
               select coalesce(array_agg(l.id order by l.id), '{}') as ids, coalesce(array_agg(l.state order by l.id), '{}') as states,
                      coalesce(array_agg(l.name order by l.id), '{}') as names
               from order_lines l where l.slip_id = any(s.ids)
           ) lines"#,
        erp_order_id,
        event,
        ERP_NUMBER_HOLDS_H
    );
    let Some(slip) = slip.fetch_optional(db).await? else { return Ok(None) };
    Ok(Some(to_erp_slip!(slip)))
}

/// The slip of an order that a kitchen system was told of without an answer that reached us: it may have it, and cook it. `table` is where the
/// slip said that the guests sit.
///
/// # Errors
/// When the database does not answer.
pub async fn unanswered_slip(db: impl PgExecutor<'_>, order: OrderId, table: TableId, event: Option<&str>) -> Result<Option<ErpSlip>> {
    let slip = sqlx::query!(
        r#"select o.id as order_id, o.table_id, s.id as slip, lines.ids as "ids!", lines.states as "states!", lines.names as "names!",
                  exists (select from dish_events e where e.erp_slip = s.id and e.erp_event_id = $3) as "known!"
           from kitchen_slips s
           join orders o on o.id = coalesce((select l.order_id from order_lines l where l.slip_id = s.id limit 1), order_now(s.order_id))
           cross join lateral (
               select coalesce(array_agg(l.id order by l.id), '{}') as ids, coalesce(array_agg(l.state order by l.id), '{}') as states,
                      coalesce(array_agg(l.name order by l.id), '{}') as names
               from order_lines l where l.slip_id = s.id
           ) lines
           where s.order_id = $1 and s.table_id = $2 and s.kind = 'fire' and s.sent_at is null and s.attempts > s.refusals
           order by s.id limit 1"#,
        order.get(),
        table.get(),
        event
    );
    let Some(slip) = slip.fetch_optional(db).await? else { return Ok(None) };
    Ok(Some(to_erp_slip!(slip)))
}

/// The lines of a round that the kitchen cooks, locked until the end of the transaction. `None` when there are none.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_slip(db: &mut PgConnection, order: OrderId, round: u32) -> Result<Option<Moving>> {
    // No round has a number that does not fit: it has no lines.
    lock(db, None, Some((order, i32::try_from(round).unwrap_or(i32::MAX)))).await
}

async fn lock(db: &mut PgConnection, line: Option<LineId>, slip: Option<(OrderId, i32)>) -> Result<Option<Moving>> {
    // In the order of their numbers, so that two screens that move one slip wait for each other instead of blocking each other.
    let rows = sqlx::query!(
        "select l.id, l.state, l.name, l.order_id, o.table_id, t.name as table_name
         from order_lines l join orders o on o.id = l.order_id join tables t on t.id = o.table_id
         where l.id = $1 or (l.order_id = $2 and l.round = $3 and l.kind = 'dish')
         order by l.id for update of l",
        line.map(LineId::get),
        slip.map(|(order, _)| order.get()),
        slip.map(|(_, round)| round)
    )
    .fetch_all(db)
    .await?;
    let mut moving: Option<Moving> = None;
    for row in rows {
        let line = MovingLine { id: LineId::from_row(row.id), state: word(&row.state)?, name: row.name };
        let whole = moving.get_or_insert_with(|| Moving {
            order_id: OrderId::from_row(row.order_id),
            table: (TableId::from_row(row.table_id), row.table_name),
            lines: Vec::new(),
        });
        whole.lines.push(line);
    }
    Ok(moving)
}

/// Moves lines on.
///
/// # Errors
/// When the database does not answer.
pub async fn set_state(db: &mut PgConnection, lines: &[LineId], state: LineState) -> Result<()> {
    let ids: Vec<i64> = lines.iter().map(|line| line.get()).collect();
    sqlx::query!("update order_lines set state = $2, state_at = now() where id = any($1)", &ids, state.as_str()).execute(db).await?;
    Ok(())
}
