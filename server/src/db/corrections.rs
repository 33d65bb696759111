//! What corrects a payment, which itself never changes: money given back, and means that were recorded wrongly.

use super::word;
use crate::error::Result;
use domain::api::Method;
use domain::share::SharePart;
use domain::{Cents, LineId, OrderId, PaymentId, UserId};
use sqlx::PgConnection;

/// A payment as far as correcting it needs.
pub struct Paid {
    /// Of which order.
    pub order: OrderId,
    /// Its record in the journal.
    pub audit_log_id: i64,
    /// By which means; after a correction, the right one.
    pub method: Method,
    /// How much.
    pub amount: Cents,
    /// Given back since.
    pub refunded: Cents,
    /// A terminal on the line took it: the means is certain.
    pub by_terminal: bool,
    /// What is left of each line that was not given back.
    pub left: Vec<SharePart>,
}

/// A payment by its number. Its order should be locked: then nothing of it changes until the end of the transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn paid(db: &mut PgConnection, id: PaymentId) -> Result<Option<Paid>> {
    let row = sqlx::query!(
        r#"select p.order_id, p.audit_log_id, p.amount_cents,
                  coalesce((select to_method from method_transfers where payment_id = p.id order by id desc limit 1), p.method) as "method!",
                  coalesce((select sum(amount_cents) from refunds where payment_id = p.id), 0)::bigint as "refunded!",
                  exists (select from payment_attempts a where a.id = p.id and a.terminal <> 'none') as "by_terminal!"
           from payments p where p.id = $1"#,
        id.get()
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let left = sqlx::query!(
        r#"select s.line_id, (s.amount_cents - coalesce(sum(r.amount_cents), 0))::bigint as "left!"
           from share_parts s
           left join (refund_parts r join refunds f on f.id = r.refund_id) on f.payment_id = s.payment_id and r.line_id = s.line_id
           where s.payment_id = $1 group by s.line_id, s.amount_cents order by s.line_id"#,
        id.get()
    )
    .fetch_all(db)
    .await?;
    Ok(Some(Paid {
        order: OrderId::from_row(row.order_id),
        audit_log_id: row.audit_log_id,
        method: word(&row.method)?,
        amount: Cents(row.amount_cents),
        refunded: Cents(row.refunded),
        by_terminal: row.by_terminal,
        left: left.into_iter().map(|row| SharePart { line_id: LineId::from_row(row.line_id), amount: Cents(row.left) }).collect(),
    }))
}

/// A refund about to be stored.
pub struct NewRefund<'a> {
    /// Of which payment.
    pub payment: PaymentId,
    /// By which means.
    pub method: Method,
    /// How much.
    pub amount: Cents,
    /// How much of each line.
    pub parts: &'a [SharePart],
    /// The number on the terminal's ticket.
    pub approval_code: Option<&'a str>,
    /// Why.
    pub reason: &'a str,
    /// Who.
    pub user: UserId,
    /// Its record in the journal.
    pub audit_log_id: i64,
}

/// Stores a refund.
///
/// # Errors
/// When the database does not answer.
pub async fn insert_refund(db: &mut PgConnection, new: &NewRefund<'_>) -> Result<i64> {
    let lines: Vec<i64> = new.parts.iter().map(|part| part.line_id.get()).collect();
    let amounts: Vec<i64> = new.parts.iter().map(|part| part.amount.0).collect();
    Ok(sqlx::query_scalar!(
        r#"with refund as (
             insert into refunds (payment_id, method, amount_cents, approval_code, reason, user_id, audit_log_id)
             values ($1, $2, $3, $4, $5, $6, $7) returning id
         ), parts as (
             insert into refund_parts (refund_id, line_id, amount_cents)
             select id, line_id, amount from refund, unnest($8::bigint[], $9::bigint[]) as part (line_id, amount)
         )
         select id from refund"#,
        new.payment.get(),
        new.method.as_str(),
        new.amount.0,
        new.approval_code,
        new.reason,
        new.user.get(),
        new.audit_log_id,
        &lines,
        &amounts
    )
    .fetch_one(db)
    .await?)
}

/// Stores that the means of a payment was another than its ticket says.
///
/// # Errors
/// When the database does not answer.
pub async fn insert_transfer(
    db: &mut PgConnection,
    payment: PaymentId,
    from: Method,
    to: Method,
    reason: &str,
    user: UserId,
    audit_log_id: i64,
) -> Result<()> {
    sqlx::query!(
        "insert into method_transfers (payment_id, from_method, to_method, reason, user_id, audit_log_id) values ($1, $2, $3, $4, $5, $6)",
        payment.get(),
        from.as_str(),
        to.as_str(),
        reason,
        user.get(),
        audit_log_id
    )
    .execute(db)
    .await?;
    Ok(())
}
