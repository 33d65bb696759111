//! Slips that the kitchen system has not taken yet: taking one to deliver it, and writing down what became of it.
//!
//! Each function is one statement, committed by itself: the call to the kitchen happens between two of them, never inside.

use crate::error::Result;
use domain::order::PricedOption;
use domain::{LineId, OrderId, TableId};
use sqlx::PgExecutor;
use sqlx::types::Json;
use std::time::Duration;
use uuid::Uuid;

/// A slip that one worker delivers now.
pub struct Claim {
    /// The slip.
    pub id: i64,
    /// Its key: the same on every attempt.
    pub key: Uuid,
    /// The order it was written for.
    pub order: OrderId,
    /// Where the guests sat then.
    pub table: TableId,
    /// The round it tells.
    pub round: u32,
    /// Which attempt this is, from 1. Whoever takes over after a crash has a higher one, and then this claim writes nothing any more.
    pub attempt: u32,
    /// How often the kitchen system said that it does not want it.
    pub refusals: u32,
}

/// One thing on a slip.
pub struct Item {
    /// The line.
    pub line: LineId,
    /// The order that the line belongs to now: tables are put together.
    pub order: OrderId,
    /// Its name when it was ordered.
    pub name: String,
    /// How many; negative for what is taken off.
    pub qty: i32,
    /// What was asked and answered.
    pub options: Vec<PricedOption>,
    /// Free text.
    pub note: Option<String>,
}

/// Takes the oldest slip whose turn it is. Nobody else takes it before `lease` has passed. No pause is longer than `longest`: what would wait longer
/// began to before the clock went back.
///
/// A slip's turn comes when no earlier one of its table or order is left (the view `kitchen_slips_ahead` says which of them count) and, for a
/// removal, when the kitchen was told of what is removed.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(db: impl PgExecutor<'_>, lease: Duration, longest: Duration) -> Result<Option<Claim>> {
    let row = sqlx::query!(
        "update kitchen_slips set attempts = attempts + 1, claimed_until = now() + make_interval(secs => $1)
         where id = (
             select s.id from kitchen_slips s
             where s.sent_at is null
               and (s.next_attempt_at <= now() or s.next_attempt_at > now() + make_interval(secs => $2))
               and (s.claimed_until is null or s.claimed_until <= now() or s.claimed_until > now() + make_interval(secs => $1 + $2))
               and not exists (select from kitchen_slips_ahead a where a.table_id = s.table_id and a.id < s.id)
               and not exists (select from kitchen_slips_ahead a where a.order_id = s.order_id and a.id < s.id)
               and not exists (
                   select from line_voids v
                   join order_lines l on l.id = v.line_id
                   join kitchen_slips ordered on ordered.id = l.slip_id
                   where v.slip_id = s.id and ordered.sent_at is null
               )
             order by s.id limit 1
             for no key update skip locked
         )
         returning id, key, order_id, table_id, round, attempts, refusals",
        lease.as_secs_f64(),
        longest.as_secs_f64()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Claim {
        id: row.id,
        key: row.key,
        order: OrderId::from_row(row.order_id),
        table: TableId::from_row(row.table_id),
        round: row.round.unsigned_abs(),
        attempt: row.attempts.unsigned_abs(),
        refusals: row.refusals.unsigned_abs(),
    }))
}

/// What a slip says: the same every time it is asked.
///
/// # Errors
/// When the database does not answer.
pub async fn items(db: impl PgExecutor<'_>, slip: i64) -> Result<Vec<Item>> {
    let rows = sqlx::query!(
        r#"select l.id, l.order_id, l.name, l.note, l.options as "options: Json<Vec<PricedOption>>", said.qty as "qty!"
           from (
               select id, coalesce(told_qty, qty) as qty from order_lines where slip_id = $1
               union all
               select line_id, -qty from line_voids where slip_id = $1
           ) said join order_lines l on l.id = said.id
           order by l.id"#,
        slip
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Item {
            line: LineId::from_row(row.id),
            order: OrderId::from_row(row.order_id),
            name: row.name,
            qty: row.qty,
            options: row.options.0,
            note: row.note,
        })
        .collect())
}

/// The kitchen system has it, under its own number. Says so however late it comes: a fact is a fact.
///
/// # Errors
/// When the database does not answer.
pub async fn delivered(db: impl PgExecutor<'_>, slip: i64, erp_order_id: &str) -> Result<()> {
    sqlx::query!(
        "update kitchen_slips set sent_at = now(), erp_order_id = $2, claimed_until = null, last_error = null where id = $1 and sent_at is null",
        slip,
        erp_order_id
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The kitchen system does not have it, or nobody knows: it is tried again after `delay`. `refused`: the system said that it does not want it.
///
/// # Errors
/// When the database does not answer.
pub async fn postpone(db: impl PgExecutor<'_>, claim: &Claim, delay: Duration, refused: bool, why: &str) -> Result<()> {
    sqlx::query!(
        "update kitchen_slips set next_attempt_at = now() + make_interval(secs => $3), claimed_until = null, last_error = $4,
                refusals = refusals + $5
         where id = $1 and attempts = $2 and sent_at is null",
        claim.id,
        claim.attempt.cast_signed(),
        delay.as_secs_f64(),
        why,
        i32::from(refused)
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether the kitchen has a slip.
///
/// # Errors
/// When the database does not answer.
pub async fn is_sent(db: impl PgExecutor<'_>, slip: i64) -> Result<bool> {
    let sent =
        sqlx::query_scalar!(r#"select sent_at is not null as "sent!" from kitchen_slips where id = $1"#, slip).fetch_optional(db).await?;
    Ok(sent.unwrap_or(false))
}

/// Whether the kitchen has the slip with this key.
///
/// # Errors
/// When the database does not answer.
pub async fn is_sent_by_key(db: impl PgExecutor<'_>, key: Uuid) -> Result<bool> {
    let sent =
        sqlx::query_scalar!(r#"select sent_at is not null as "sent!" from kitchen_slips where key = $1"#, key).fetch_optional(db).await?;
    Ok(sent.unwrap_or(false))
}

/// Leaves what a kitchen system never took to the built-in screen, which shows it already. Returns how many slips that were.
///
/// # Errors
/// When the database does not answer.
pub async fn leave_to_screen(db: impl PgExecutor<'_>) -> Result<u64> {
    let left = sqlx::query!("update kitchen_slips set sent_at = now(), claimed_until = null where sent_at is null").execute(db).await?;
    Ok(left.rows_affected())
}

/// Whether the kitchen system was called for any slip and did not answer, or has not yet: it may have a slip whose number we do not know.
///
/// # Errors
/// When the database does not answer.
pub async fn is_any_unanswered(db: impl PgExecutor<'_>) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from kitchen_slips where sent_at is null and kind = 'fire' and attempts > refusals) as "unanswered!""#
    )
    .fetch_one(db)
    .await?)
}

/// Whether the kitchen system was called for a slip of so long ago, and has not answered. A slip that it refused was answered.
///
/// # Errors
/// When the database does not answer.
pub async fn is_unheard(db: impl PgExecutor<'_>, for_so_long: Duration) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from kitchen_slips where sent_at is null and attempts > 0 and refusals = 0
                            and created_at < now() - make_interval(secs => $1)) as "unheard!""#,
        for_so_long.as_secs_f64()
    )
    .fetch_one(db)
    .await?)
}
