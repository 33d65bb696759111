//! What the kitchen has to do, and how far it is.

use super::word;
use crate::error::Result;
use domain::api::{KitchenLine, KitchenSlip, KitchenView};
use domain::order::{LineState, PricedOption};
use domain::{LineId, OrderId, TableId, UserId};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// Dishes that are not served yet, slip by slip, oldest slip first.
///
/// # Errors
/// When the database does not answer.
pub async fn slips(db: impl PgExecutor<'_>) -> Result<KitchenView> {
    let rows = sqlx::query!(
        r#"select l.id, l.order_id, l.round, l.name, l.qty as "qty!", l.note, l.course, l.state, l.state_at, l.sent_at as "sent_at!",
                  l.options as "options: Json<Vec<PricedOption>>", l.called_at,
                  t.name as table_name, u.name as server_name
           from (
               select id, order_id, round, name, qty - voided_qty as qty, note, course, state, state_at, options, called_at,
                      min(created_at) over (partition by order_id, round) as sent_at from order_lines
               where kind = 'dish' and state in ('held', 'received', 'cooking', 'ready')
           ) l
           join orders o on o.id = l.order_id
           join tables t on t.id = o.table_id
           join users u on u.id = o.server_user_id
           order by l.sent_at, l.order_id, l.round, l.course, l.id"#
    )
    .fetch_all(db)
    .await?;
    let mut slips: Vec<KitchenSlip> = Vec::new();
    for row in rows {
        let order_id = OrderId::from_row(row.order_id);
        let round = row.round.unsigned_abs();
        let line = KitchenLine {
            line_id: LineId::from_row(row.id),
            order_id,
            name: row.name,
            qty: row.qty.unsigned_abs(),
            note: row.note,
            course: row.course.unsigned_abs() as u8,
            state: word(&row.state)?,
            choices: row.options.0.into_iter().map(|option| option.choice).collect(),
            called_at: row.called_at,
            since: row.state_at,
        };
        match slips.last_mut() {
            Some(slip) if slip.order_id == order_id && slip.round == round => slip.lines.push(line),
            _ => slips.push(KitchenSlip {
                order_id,
                table: row.table_name,
                server_name: row.server_name,
                round,
                at: row.sent_at,
                lines: vec![line],
            }),
        }
    }
    Ok(KitchenView { slips })
}

/// A line that is about to move on, and whom that concerns.
pub struct MovingLine {
    /// Where it stands.
    pub state: LineState,
    /// What it is.
    pub name: String,
    /// The order it belongs to.
    pub order_id: OrderId,
    /// Its table.
    pub table: (TableId, String),
    /// Who looks after the table now.
    pub server: UserId,
}

/// A line, locked until the end of the transaction. `None` when there is none of that number.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_line(db: &mut PgConnection, line: LineId) -> Result<Option<MovingLine>> {
    let row = sqlx::query!(
        "select l.state, l.name, l.order_id, o.table_id, o.server_user_id, t.name as table_name
         from order_lines l join orders o on o.id = l.order_id join tables t on t.id = o.table_id
         where l.id = $1 for update of l",
        line.get()
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(MovingLine {
            state: word(&row.state)?,
            name: row.name,
            order_id: OrderId::from_row(row.order_id),
            table: (TableId::from_row(row.table_id), row.table_name),
            server: UserId::from_row(row.server_user_id),
        })
    })
    .transpose()
}

/// Moves a line on and returns when, and that time on the clock of the restaurant.
///
/// # Errors
/// When the database does not answer.
pub async fn set_state(db: &mut PgConnection, line: LineId, state: LineState, zone: &str) -> Result<(OffsetDateTime, String)> {
    let row = sqlx::query!(
        r#"update order_lines set state = $2, state_at = now() where id = $1
           returning state_at, to_char(state_at at time zone $3, 'HH24"h"MI') as "local!""#,
        line.get(),
        state.as_str(),
        zone
    )
    .fetch_one(db)
    .await?;
    Ok((row.state_at, row.local))
}
