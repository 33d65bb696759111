//! Discounts: who took how much off which line, and why. Facts; the line keeps their sum.

use crate::error::Result;
use domain::share::SharePart;
use domain::{Cents, LineId, OrderId, UserId};
use sqlx::PgConnection;

/// A discount about to be stored.
pub struct NewDiscount<'a> {
    /// On which order.
    pub order: OrderId,
    /// Off which line; none: off all that was not paid.
    pub line: Option<LineId>,
    /// As it was asked for, in hundredths of a per cent; none: an amount.
    pub basis_points: Option<u16>,
    /// Why.
    pub reason: &'a str,
    /// Who.
    pub user: (UserId, &'a str),
    /// How much off each line.
    pub parts: &'a [SharePart],
}

/// Stores a discount. The order must be locked by this transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(db: &mut PgConnection, new: &NewDiscount<'_>) -> Result<()> {
    let lines: Vec<i64> = new.parts.iter().map(|part| part.line_id.get()).collect();
    let amounts: Vec<i64> = new.parts.iter().map(|part| part.amount.0).collect();
    sqlx::query!(
        "with discount as (
             insert into discounts (order_id, line_id, basis_points, reason, user_id) values ($1, $2, $3, $4, $5) returning id
         ), parts as (
             insert into discount_parts (discount_id, line_id, amount_cents)
             select id, line_id, amount from discount, unnest($6::bigint[], $7::bigint[]) as part (line_id, amount)
             returning line_id, amount_cents
         )
         update order_lines l set discount_cents = l.discount_cents + p.amount_cents, discount_by = $8,
                discount_reason = case when l.discount_reason is null or l.discount_reason = $4 then $4
                                       else left(l.discount_reason || ' ; ' || $4, 200) end
         from parts p where l.id = p.line_id",
        new.order.get(),
        new.line.map(LineId::get),
        new.basis_points.map(i32::from),
        new.reason,
        new.user.0.get(),
        &lines,
        &amounts,
        new.user.1
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes back what a removed part of a line had of its discount.
///
/// # Errors
/// When the database does not answer.
pub async fn take_back(db: &mut PgConnection, order: OrderId, line: LineId, amount: Cents, reason: &str, user: UserId) -> Result<()> {
    sqlx::query!(
        "with discount as (
             insert into discounts (order_id, line_id, reason, user_id) values ($1, $2, $3, $4) returning id
         ), part as (
             insert into discount_parts (discount_id, line_id, amount_cents) select id, $2, -$5::bigint from discount
         )
         update order_lines set discount_cents = discount_cents - $5 where id = $2",
        order.get(),
        line.get(),
        reason,
        user.get(),
        amount.0
    )
    .execute(db)
    .await?;
    Ok(())
}
