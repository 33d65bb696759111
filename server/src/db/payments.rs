//! Payments and what each owns of each line.

use super::word;
use crate::error::Result;
use domain::api::Method;
use domain::share::SharePart;
use domain::{Cents, LineId, OrderId, PaymentId, UserId};
use sqlx::{PgConnection, PgExecutor};
use std::collections::HashMap;
use time::OffsetDateTime;

/// A settled share.
pub struct Settled {
    /// The payment.
    pub id: PaymentId,
    /// Which share it settled.
    pub share_number: u32,
    /// How much.
    pub amount: Cents,
    /// What it owns of each line.
    pub parts: Vec<SharePart>,
    /// What its ticket says was taken off each line.
    pub discounts: Vec<SharePart>,
}

/// The settled shares of an order, by number.
///
/// # Errors
/// When the database does not answer.
pub async fn settled(db: impl PgExecutor<'_>, order: OrderId) -> Result<Vec<Settled>> {
    let rows = sqlx::query!(
        r#"select m.id, m.share_number, m.amount_cents, p.line_id as "line_id?", p.amount_cents as "part?",
                  p.discount_cents as "off?"
           from payments m left join share_parts p on p.payment_id = m.id
           where m.order_id = $1 order by m.share_number, p.line_id"#,
        order.get()
    )
    .fetch_all(db)
    .await?;
    let mut settled: Vec<Settled> = Vec::new();
    for row in rows {
        if settled.last().is_none_or(|share| share.id.get() != row.id) {
            settled.push(Settled {
                id: PaymentId::from_row(row.id),
                share_number: u32::from(row.share_number.unsigned_abs()),
                amount: Cents(row.amount_cents),
                parts: Vec::new(),
                discounts: Vec::new(),
            });
        }
        let of_line = |cents: Option<i64>| {
            row.line_id.zip(cents).map(|(line, cents)| SharePart { line_id: LineId::from_row(line), amount: Cents(cents) })
        };
        if let Some(share) = settled.last_mut() {
            share.parts.extend(of_line(row.part));
            share.discounts.extend(of_line(row.off));
        }
    }
    Ok(settled)
}

/// What a screen shows of a payment.
pub struct Shown {
    /// By which means; after a correction, the right one.
    pub method: Method,
    /// Its ticket.
    pub ticket_no: i64,
    /// Given beside it.
    pub tip: Cents,
    /// Given back since.
    pub refunded: Cents,
}

/// The payments of an order, with what corrected them.
///
/// # Errors
/// When the database does not answer.
pub async fn shown(db: impl PgExecutor<'_>, order: OrderId) -> Result<HashMap<PaymentId, Shown>> {
    let rows = sqlx::query!(
        r#"select p.id, p.tip_cents, l.seq,
                  coalesce((select to_method from method_transfers where payment_id = p.id order by id desc limit 1), p.method) as "method!",
                  coalesce((select sum(amount_cents) from refunds where payment_id = p.id), 0)::bigint as "refunded!"
           from payments p join audit_logs l on l.id = p.audit_log_id where p.order_id = $1"#,
        order.get()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let shown = Shown { method: word(&row.method)?, ticket_no: row.seq, tip: Cents(row.tip_cents), refunded: Cents(row.refunded) };
            Ok((PaymentId::from_row(row.id), shown))
        })
        .collect()
}

/// A payment about to be stored.
pub struct NewPayment<'a> {
    /// The attempt that was approved, for a card: the payment has its number.
    pub attempt: Option<PaymentId>,
    /// The order.
    pub order: OrderId,
    /// Which share it settles.
    pub share_number: u32,
    /// By which means.
    pub method: Method,
    /// How much.
    pub amount: Cents,
    /// Cash handed over.
    pub tendered: Option<Cents>,
    /// Cash given back.
    pub change: Cents,
    /// Given beside it.
    pub tip: Cents,
    /// Who took it.
    pub user: UserId,
    /// Its record in the journal.
    pub audit_log_id: i64,
    /// What it owns of each line.
    pub parts: &'a [SharePart],
    /// What its ticket says was taken off each line.
    pub discounts: &'a [SharePart],
}

/// Stores a payment and what it owns.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(db: &mut PgConnection, new: &NewPayment<'_>) -> Result<PaymentId> {
    let share_number = i16::try_from(new.share_number).map_err(crate::error::Error::internal)?;
    let lines: Vec<i64> = new.parts.iter().map(|part| part.line_id.get()).collect();
    let amounts: Vec<i64> = new.parts.iter().map(|part| part.amount.0).collect();
    let off = |line| new.discounts.iter().find(|off| off.line_id == line).map_or(0, |off| off.amount.0);
    let discounts: Vec<i64> = new.parts.iter().map(|part| off(part.line_id)).collect();
    let id = sqlx::query_scalar!(
        r#"with payment as (
               insert into payments (id, order_id, share_number, method, amount_cents, tendered_cents, change_cents, tip_cents, status, user_id,
                                     audit_log_id)
               overriding system value
               values (coalesce($9, nextval('payments_id_seq')), $1, $2, $3, $4, $5, $6, $10, 'approved', $7, $8) returning id
           ), parts as (
               insert into share_parts (payment_id, line_id, amount_cents, discount_cents)
               select payment.id, line_id, amount, off
               from payment, unnest($11::bigint[], $12::bigint[], $13::bigint[]) as part (line_id, amount, off)
           )
           select id as "id!" from payment"#,
        new.order.get(),
        share_number,
        new.method.as_str(),
        new.amount.0,
        new.tendered.map(|cents| cents.0),
        new.change.0,
        new.user.get(),
        new.audit_log_id,
        new.attempt.map(PaymentId::get),
        new.tip.0,
        &lines,
        &amounts,
        &discounts
    )
    .fetch_one(db)
    .await?;
    Ok(PaymentId::from_row(id))
}

/// A payment as it is stored, with the number of its ticket.
pub struct Stored {
    /// Of which order.
    pub order: OrderId,
    /// Which share it settled.
    pub share_number: u32,
    /// How much.
    pub amount: Cents,
    /// By which means.
    pub method: Method,
    /// The ticket.
    pub ticket_no: i64,
    /// Who took it.
    pub user_name: String,
    /// When.
    pub created_at: OffsetDateTime,
}

/// A payment by its number.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: impl PgExecutor<'_>, id: PaymentId) -> Result<Option<Stored>> {
    let row = sqlx::query!(
        "select p.order_id, p.share_number, p.amount_cents, p.method, l.seq, u.name, p.created_at
         from payments p join audit_logs l on l.id = p.audit_log_id join users u on u.id = p.user_id where p.id = $1",
        id.get()
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(Stored {
            order: OrderId::from_row(row.order_id),
            share_number: u32::from(row.share_number.unsigned_abs()),
            amount: Cents(row.amount_cents),
            method: word(&row.method)?,
            ticket_no: row.seq,
            user_name: row.name,
            created_at: row.created_at,
        })
    })
    .transpose()
}
