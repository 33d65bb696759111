//! Scenario 2: a share is settled.
//!
//! Take the request's id → hold the order → find the share → is it still what the screen showed? → lock the journal → write and sign the
//! ticket → store the payment and what it owns → close the order when nothing is left → store the answer → commit → tell the screens.
//!
//! The order's row is locked from the first look to the commit: of two cashiers on one share the second finds it paid. Plain row locks
//! suffice; whatever they would miss, the unique index on (order, share) refuses.

use super::billing::{self, Ledger, OpenShare};
use super::once::{self, Answered};
use super::{floor, journal};
use crate::db;
use crate::db::journal::Locked;
use crate::db::payments::NewPayment;
use crate::error::{Error, Result};
use crate::state::{House, REGISTER, software};
use domain::Cents;
use domain::api::{Method, OrderStatus, PaidStatus, PaymentDone, PaymentRequest, SessionUser};
use domain::fiscal::{CONTENT_VERSION, Draft, SharePart, TicketContent, TicketLine, TicketPayment, VatCents, local_timestamp};
use domain::order::FieldError;

/// Settles a share by cash. The same `uuid` again charges nothing and returns the first answer.
///
/// # Errors
/// [`Error::AlreadyPaid`], [`Error::AmountMismatch`], [`Error::OrderClosed`], [`Error::Invalid`].
pub async fn pay(house: &House, user: &SessionUser, request: &PaymentRequest) -> Result<Answered<PaymentDone>> {
    let tendered = tendered(request)?;
    let mut tx = house.db.begin().await?;
    if let Some(answered) = once::earlier(&mut tx, request.uuid, "payments", user.id, request).await? {
        return Ok(answered);
    }
    let ledger = billing::ledger(&mut tx, request.order_id, true).await.map_err(order_in_body)?;
    let share = share_to_pay(&ledger, request)?;
    let change = tendered - request.amount;

    let chain = house.ticket_chain();
    let locked = journal::lock(house, &mut tx, chain).await?;
    let service_day = journal::period_for_sale(house, &mut tx, &locked).await?;
    let payment = TicketPayment { method: request.method, amount: request.amount, tendered: Some(tendered), change };
    let content = ticket(house, user, &ledger, share, payment, &locked);
    let draft = Draft::ticket(&content, locked.local, locked.utc).map_err(Error::internal)?;
    let record = journal::append(house, &mut tx, draft, &locked.head, service_day).await?;

    let payment_id = db::payments::insert(
        &mut tx,
        &NewPayment {
            order: request.order_id,
            share_number: share.number,
            method: request.method,
            amount: request.amount,
            tendered: Some(tendered),
            change,
            user: user.id,
            audit_log_id: record.id,
            parts: &share.parts,
        },
    )
    .await?;
    let remaining_amount = ledger.remaining() - request.amount;
    let left = ledger.open.len() - 1;
    if remaining_amount == Cents::ZERO {
        db::orders::complete(&mut tx, request.order_id).await?;
    } else if ledger.head.unpaid_shares.is_some() {
        let left = u16::try_from(left.max(1)).map_err(Error::internal)?;
        db::orders::set_unpaid_shares(&mut tx, request.order_id, left).await?;
    }
    let done = PaymentDone {
        payment_id,
        status: if remaining_amount == Cents::ZERO { PaidStatus::OrderComplete } else { PaidStatus::Paid },
        remaining: format!("{left}/{}", ledger.settled.len() + ledger.open.len()),
        remaining_amount,
        change,
        ticket_no: record.seq,
    };
    once::remember(&mut tx, request.uuid, 201, &done).await?;
    tx.commit().await?;

    tracing::info!(order = request.order_id.get(), payment = payment_id.get(), ticket = record.seq, "share settled");
    floor::announce(house, ledger.head.table_id, request.order_id);
    Ok(Answered::now(done))
}

/// What was handed over: as said, or exactly what is due.
fn tendered(request: &PaymentRequest) -> Result<Cents> {
    let mut errors = Vec::new();
    if request.amount <= Cents::ZERO {
        errors.push(FieldError::new("amount", "not_positive"));
    }
    if request.method != Method::Especes {
        errors.push(FieldError::new("method", "unsupported_method"));
    }
    let tendered = request.tendered.unwrap_or(request.amount);
    if tendered < request.amount {
        errors.push(FieldError::new("tendered", "less_than_due"));
    }
    if errors.is_empty() { Ok(tendered) } else { Err(Error::Invalid(errors)) }
}

/// The order is named in the body, not in the path: an unknown one is an invalid body.
fn order_in_body(error: Error) -> Error {
    match error {
        Error::NotFound(_) => Error::invalid("order_id", "unknown_order"),
        other => other,
    }
}

fn share_to_pay<'l>(ledger: &'l Ledger, request: &PaymentRequest) -> Result<&'l OpenShare> {
    if ledger.settled.iter().any(|share| share.share_number == request.cover_number) {
        return Err(Error::AlreadyPaid);
    }
    if ledger.head.status != OrderStatus::Open {
        return Err(Error::OrderClosed);
    }
    let share = ledger
        .open
        .iter()
        .find(|share| share.number == request.cover_number)
        .ok_or_else(|| Error::invalid("cover_number", "unknown_share"))?;
    if share.amount() != request.amount {
        return Err(Error::AmountMismatch { expected: share.amount() });
    }
    Ok(share)
}

/// Everything that the ticket says, copied: later changes of menu, house or people change nothing on it.
fn ticket(house: &House, user: &SessionUser, ledger: &Ledger, share: &OpenShare, payment: TicketPayment, locked: &Locked) -> TicketContent {
    let count = ledger.settled.len() + ledger.open.len();
    let lines: Vec<TicketLine> = ledger
        .lines
        .iter()
        .zip(&share.parts)
        // What costs nothing is on the ticket of whoever pays everything.
        .filter(|(_, part)| part.amount > Cents::ZERO || count == 1)
        .map(|(line, part)| TicketLine {
            name: line.name.clone(),
            qty_thousandths: u64::from(line.qty) * 1000,
            unit_price: line.unit_price,
            amount: part.amount,
            rate: line.vat_rate,
        })
        .collect();
    TicketContent {
        version: CONTENT_VERSION,
        identity: house.identity.clone(),
        software: software(),
        ticket_no: locked.head.last_seq + 1,
        register: REGISTER.to_owned(),
        table: ledger.head.table.clone(),
        covers: ledger.head.covers,
        share: (count > 1).then(|| SharePart { number: share.number, of: u32::try_from(count).unwrap_or(u32::MAX) }),
        operator: user.name.clone(),
        order_ref: ledger.head.uuid.to_string(),
        issued_at_local: local_timestamp(locked.local),
        vat: VatCents::breakdown(lines.iter().map(|line| (line.rate, line.amount))),
        lines,
        total: payment.amount,
        payments: vec![payment],
        training: house.training,
    }
}
