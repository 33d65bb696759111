//! Something is taken off a price: off a line, or off all that is not paid. What is paid stays as it was.
//!
//! Hold the order → how much is that, to the cent, of each line? → store who, why and how much → the shares owe less → commit → tell the
//! screens. The ticket of each share says what was taken off its part.

use super::{billing, floor, once, paying};
use crate::db;
use crate::db::discounts::NewDiscount;
use crate::error::{Error, Result};
use crate::state::House;
use domain::api::{DiscountRequest, OrderStatus, OrderView, SessionUser};
use domain::order::{FieldError, MAX_REASON};
use domain::share::{LineDue, discount_parts, percent_of, total_due};
use domain::{Cents, OrderId};

/// Takes something off. The same `uuid` again takes nothing off.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderClosed`]; [`Error::Invalid`] without a reason, or for more than what is not paid.
pub async fn discount(house: &House, user: &SessionUser, order: OrderId, request: &DiscountRequest) -> Result<OrderView> {
    db::again!(discount_once(house, user, order, request).await)
}

async fn discount_once(house: &House, user: &SessionUser, order: OrderId, request: &DiscountRequest) -> Result<OrderView> {
    let reason = check_reason(&request.reason)?;
    let mut tx = house.db.begin().await?;
    let route = format!("discount {order}");
    if once::earlier::<()>(&mut tx, request.uuid, &route, user.id, request).await?.is_some() {
        return db::orders::whole(&mut tx, order).await?.ok_or(Error::NotFound("cette commande"));
    }
    let ledger = billing::ledger(&mut tx, order, true).await?;
    if ledger.head.status != OrderStatus::Open {
        return Err(Error::OrderClosed);
    }
    let due: Vec<LineDue> = match request.line_id {
        Some(line) => vec![*ledger.due.iter().find(|due| due.line_id == line).ok_or_else(|| Error::invalid("line_id", "unknown_line"))?],
        None => ledger.due.clone(),
    };
    let (field, off) = match (request.percent, request.amount) {
        (Some(percent), None) => ("percent", percent_of(total_due(&due), percent.basis_points())),
        (None, Some(amount)) => ("amount", amount),
        _ => return Err(Error::invalid("percent", "percent_or_amount")),
    };
    if off <= Cents::ZERO {
        return Err(Error::invalid(field, "not_positive"));
    }
    let parts = discount_parts(off, &due).ok_or_else(|| Error::invalid(field, "more_than_due"))?;
    let new = NewDiscount {
        order,
        line: request.line_id,
        basis_points: request.percent.map(|percent| percent.basis_points()),
        reason,
        user: (user.id, &user.name),
        parts: &parts,
    };
    db::discounts::insert(&mut tx, &new).await?;
    let after = billing::keep_after_reduction(&mut tx, order).await?;
    // The guests had paid everything else. Where nobody has paid anything they may go on: the table is freed by a person
    // ([`super::amending::release`]).
    if after.remaining() == Cents::ZERO && !after.settled.is_empty() {
        paying::over_nothing(house, &mut tx, &after, &user.name).await?;
        db::orders::complete(&mut tx, order).await?;
    }
    once::remember(&mut tx, request.uuid, 200, &()).await?;
    let view = db::orders::whole(&mut tx, order).await?.ok_or(Error::NotFound("cette commande"))?;
    tx.commit().await?;
    tracing::info!(order = order.get(), cents = off.0, user = user.id.get(), "discount");
    floor::announce(house, view.table_id, order);
    Ok(view)
}

/// Why money is handled otherwise than usual, in a person's words.
///
/// # Errors
/// [`Error::Invalid`] when it is empty, too long, cannot be printed or holds the number of a card.
pub(super) fn check_reason(said: &str) -> Result<&str> {
    let said = said.trim();
    let code = if said.is_empty() {
        "say_why"
    } else if said.chars().count() > MAX_REASON {
        "too_long"
    } else if said.chars().any(char::is_control) {
        "control_character"
    } else if domain::card::is_in(said) {
        "card_number"
    } else {
        return Ok(said);
    };
    Err(Error::Invalid(vec![FieldError::new("reason", code)]))
}
