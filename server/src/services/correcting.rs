//! A payment is corrected by a fact of its own: money goes back, or its means was recorded wrongly. The payment and its ticket stay.
//!
//! Take the request's id → hold the order → what of the payment is left? → write and sign the counter-entry → store it → commit → tell the
//! screens. Money goes back by the means by which it came; at a terminal a person gives it back first, and types its number here.

use super::charging::plain_code;
use super::discounting::check_reason;
use super::once::{self, Answered};
use super::paying::ticket_line;
use super::recording::{self, NewMoney, NewTicket};
use super::refusing::{self, Tried};
use super::{billing, floor};
use crate::db;
use crate::db::corrections::{NewRefund, Paid};
use crate::error::{Error, Result};
use crate::state::House;
use domain::api::{LineView, Method, MethodChange, MethodChanged, RefundDone, RefundRequest, SessionUser};
use domain::fiscal::{MoneyKind, Record, TicketPayment};
use domain::share::{LineDue, SharePart, carve, total_due};
use domain::{Cents, PaymentId};
use sqlx::PgConnection;

/// Gives money back. The same `uuid` again gives nothing back.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] without a reason, for more than is left, or for a card without its number.
pub async fn refund(house: &House, user: &SessionUser, id: PaymentId, request: &RefundRequest) -> Result<Answered<RefundDone>> {
    let done = db::again!(refund_once(house, user, id, request).await);
    if let Err(error) = &done {
        refusing::record(house, Tried::Refund, &user.name, error, Some(("payment", id.to_string()))).await;
    }
    done
}

async fn refund_once(house: &House, user: &SessionUser, id: PaymentId, request: &RefundRequest) -> Result<Answered<RefundDone>> {
    let reason = check_reason(&request.reason)?;
    let mut tx = house.db.begin().await?;
    if let Some(answered) = once::earlier(&mut tx, request.uuid, &format!("refund {id}"), user.id, request).await? {
        return Ok(answered);
    }
    let (paid, original) = hold(house, &mut tx, id).await?;
    let parts = what_goes_back(&paid, request)?;
    let amount: Cents = parts.iter().map(|part| part.amount).sum();
    let code = code_of(&paid, request)?;
    let head = db::orders::head(&mut tx, paid.order, false).await?.ok_or(Error::NotFound("cette commande"))?;
    let lines = db::orders::lines(&mut *tx, paid.order).await?;
    let new = NewTicket {
        table: &head.table,
        covers: head.covers,
        share: None,
        operator: &user.name,
        order_ref: head.uuid.to_string(),
        lines: parts.iter().filter_map(|part| Some(ticket_line(line_of(&lines, part)?, -part.amount))).collect(),
        payments: vec![TicketPayment { approval_code: code.clone(), ..TicketPayment::of(paid.method, -amount) }],
        notes: Vec::new(),
    };
    let record = recording::refund(house, &mut tx, original.seq, reason, new).await?;
    let new = NewRefund {
        payment: id,
        method: paid.method,
        amount,
        parts: &parts,
        approval_code: code.as_deref(),
        reason,
        user: user.id,
        audit_log_id: record.id,
    };
    let refund_id = db::corrections::insert_refund(&mut tx, &new).await?;
    let done = RefundDone { refund_id, payment_id: id, amount, method: paid.method, ticket_no: record.seq, corrects: original.seq };
    once::remember(&mut tx, request.uuid, 201, &done).await?;
    tx.commit().await?;
    tracing::warn!(payment = id.get(), cents = amount.0, ticket = record.seq, user = user.id.get(), "refunded");
    floor::announce(house, head.table_id, paid.order);
    Ok(Answered::now(done))
}

/// Says that a payment came by another means than its ticket says. The same `uuid` again corrects nothing.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] without a reason, for the same means, or when a terminal itself says that it took the money.
pub async fn change_method(house: &House, user: &SessionUser, id: PaymentId, request: &MethodChange) -> Result<Answered<MethodChanged>> {
    let done = db::again!(change_method_once(house, user, id, request).await);
    if let Err(error) = &done {
        refusing::record(house, Tried::Method, &user.name, error, Some(("payment", id.to_string()))).await;
    }
    done
}

async fn change_method_once(house: &House, user: &SessionUser, id: PaymentId, request: &MethodChange) -> Result<Answered<MethodChanged>> {
    let reason = check_reason(&request.reason)?;
    let mut tx = house.db.begin().await?;
    if let Some(answered) = once::earlier(&mut tx, request.uuid, &format!("method {id}"), user.id, request).await? {
        return Ok(answered);
    }
    let (paid, original) = hold(house, &mut tx, id).await?;
    if paid.method == request.method {
        return Err(Error::invalid("method", "same_method"));
    }
    if paid.by_terminal {
        return Err(Error::invalid("method", "taken_by_terminal"));
    }
    let amount = paid.amount - paid.refunded;
    if amount <= Cents::ZERO {
        return Err(Error::invalid("method", "more_than_paid"));
    }
    let new = NewMoney {
        kind: MoneyKind::Transfer,
        amount,
        method: paid.method,
        to: Some(request.method),
        ticket_no: Some(original.seq),
        reason,
        operator: &user.name,
    };
    let record = recording::money(house, &mut tx, new).await?;
    db::corrections::insert_transfer(&mut tx, id, paid.method, request.method, reason, user.id, record.id).await?;
    let done = MethodChanged { payment_id: id, from: paid.method, to: request.method, record_no: record.seq };
    once::remember(&mut tx, request.uuid, 201, &done).await?;
    let table = billing::ledger(&mut tx, paid.order, false).await?.head.table_id;
    tx.commit().await?;
    tracing::warn!(payment = id.get(), from = paid.method.as_str(), to = request.method.as_str(), user = user.id.get(), "means corrected");
    floor::announce(house, table, paid.order);
    Ok(Answered::now(done))
}

/// Locks the order of a payment and reads what of it is left, with its ticket. What was paid in training is corrected in training.
async fn hold(house: &House, db: &mut PgConnection, id: PaymentId) -> Result<(Paid, Record)> {
    const WHAT: Error = Error::NotFound("ce paiement");
    let order = db::corrections::paid(db, id).await?.ok_or(WHAT)?.order;
    db::orders::head(db, order, true).await?;
    let paid = db::corrections::paid(db, id).await?.ok_or(WHAT)?;
    let original = db::journal::record(&mut *db, paid.audit_log_id).await?.ok_or(WHAT)?;
    if original.chain == house.ticket_chain() { Ok((paid, original)) } else { Err(WHAT) }
}

fn line_of<'l>(lines: &'l [LineView], part: &SharePart) -> Option<&'l LineView> {
    lines.iter().find(|line| line.line_id == part.line_id)
}

/// How much of each line goes back: of the lines that were named, or of all; all of it, or the same fraction of each.
fn what_goes_back(paid: &Paid, request: &RefundRequest) -> Result<Vec<SharePart>> {
    if request.lines.iter().any(|line| paid.left.iter().all(|part| part.line_id != *line)) {
        return Err(Error::invalid("lines", "unknown_line"));
    }
    let named = |part: &&SharePart| request.lines.is_empty() || request.lines.contains(&part.line_id);
    let mut left: Vec<LineDue> = paid.left.iter().filter(named).map(|part| LineDue { line_id: part.line_id, due: part.amount }).collect();
    let amount = request.amount.unwrap_or_else(|| total_due(&left));
    if amount.is_negative() || request.amount == Some(Cents::ZERO) {
        return Err(Error::invalid("amount", "not_positive"));
    }
    let mut parts = carve(amount, &mut left).ok_or_else(|| Error::invalid("amount", "more_than_paid"))?;
    parts.retain(|part| part.amount > Cents::ZERO);
    if parts.is_empty() { Err(Error::invalid("amount", "more_than_paid")) } else { Ok(parts) }
}

/// The number of a refund at the terminal; nothing else has one.
fn code_of(paid: &Paid, request: &RefundRequest) -> Result<Option<String>> {
    let typed = request.approval_code.as_deref().map(str::trim).filter(|typed| !typed.is_empty());
    match (paid.method, typed) {
        (Method::Cb, typed) => match typed.and_then(plain_code) {
            Some(code) => Ok(Some(code)),
            None => Err(Error::invalid("approval_code", "approval_code_required")),
        },
        (_, None) => Ok(None),
        (_, Some(_)) => Err(Error::invalid("approval_code", "not_expected")),
    }
}
