//! All that is known about the money of an order, read in one statement.

use super::attempts::{Held, HeldRow, held};
use super::orders::{LineRow, OrderHead, order_head, to_head};
use super::payments::{Settled, SettledRow, settled};
use super::{count, word};
use crate::error::Result;
use domain::api::LineView;
use domain::share::{Chosen, Plan};
use domain::{OrderId, TableId, UserId};
use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::types::Json;

/// The money of an order.
pub struct Bill {
    /// The order.
    pub head: OrderHead,
    /// Its lines, in the order in which they came; voided ones too.
    pub lines: Vec<LineView>,
    /// Its settled shares, by number.
    pub settled: Vec<Settled>,
    /// Its shares that attempts hold, by number.
    pub held: Vec<Held>,
    /// Its provisional notes, oldest first.
    pub notes: Vec<Note>,
}

/// A provisional note.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Note {
    /// Its number in its chain.
    pub note_no: i64,
    /// Whether that is the training chain.
    pub training: bool,
}

/// Holds an order until the end of the transaction; nothing when there is none. What is read before that may be old by then.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection, order: OrderId) -> Result<()> {
    sqlx::query!("select from orders where id = $1 for update", order.get()).fetch_optional(db).await?;
    Ok(())
}

/// The money of an order; `None` when there is no such order.
///
/// # Errors
/// When the database does not answer.
pub async fn read(db: &mut PgConnection, order: OrderId) -> Result<Option<Bill>> {
    let row = order_head!(
        r#",
                  (select coalesce(json_agg(l), '[]') from (
                      select l.id, l.item_id, l.kind, l.name, l.qty, l.voided_qty, l.unit_price_cents, l.vat_rate, l.state, l.note, l.course,
                             l.round, l.part_of, l.options, l.called_at is not null as called, l.discount_cents, l.discount_reason,
                             l.discount_by, s.id is not null as told, s.sent_at is not null as sent
                      from order_lines l left join kitchen_slips s on s.id = l.slip_id where l.order_id = o.id order by l.id
                  ) l) as "lines!: Json<Vec<LineRow>>",
                  (select coalesce(json_agg(m), '[]') from (
                      select m.id, m.share_number, m.amount_cents, p.line_id, p.amount_cents as part, p.discount_cents as off
                      from payments m left join share_parts p on p.payment_id = m.id
                      where m.order_id = o.id order by m.share_number, p.line_id
                  ) m) as "settled!: Json<Vec<SettledRow>>",
                  (select coalesce(json_agg(a), '[]') from (
                      select a.id, a.share_number, a.amount_cents, a.state, p.line_id, p.amount_cents as part
                      from payment_attempts a join attempt_parts p on p.attempt_id = a.id
                      where a.order_id = o.id and a.state in ('created', 'sending', 'sent', 'unknown') order by a.share_number, p.line_id
                  ) a) as "held!: Json<Vec<HeldRow>>",
                  (select coalesce(json_agg(n), '[]') from (
                      select n.note_no, n.training from fiscal_notes n where n.order_id = o.id order by n.audit_log_id
                  ) n) as "notes!: Json<Vec<Note>>""#,
        order.get()
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Bill {
        lines: row.lines.0.into_iter().map(LineView::try_from).collect::<Result<_>>()?,
        settled: settled(row.settled.0),
        held: held(row.held.0)?,
        notes: row.notes.0,
        head: to_head!(row),
    }))
}
