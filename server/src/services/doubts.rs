//! Scenario 2, what waits for a person's word: payments whose end nobody knows, terminals that said two things, and money that a terminal took
//! and no payment explains. As long as there is any no day is closed; and whatever it is, somebody can always decide.
//!
//! Money without a payment: refund it at the terminal and say so, say why there is nothing to do, or name the share that it is for. Then, hold
//! the order → take the share → store the attempt that it was → store the decision → book it with its ticket → commit.

use super::charging::plain_code;
use super::concluding::{Concluded, Word, conclude_in, share_is_open};
use super::paying::{order_in_body, take_share};
use super::{billing, floor, recording};
use crate::db;
use crate::db::attempts::NewAttempt;
use crate::db::words::Decided;
use crate::error::{Error, Result};
use crate::state::House;
use domain::api::{
    ContradictionInDoubt, DecideRequest, Decision, Method, MoneyToCheck, PaymentInDoubt, PaymentRequest, SessionUser, ShareName,
    StrayInDoubt, StrayView,
};
use domain::attempt::{AttemptEvent, AttemptState};
use domain::fiscal::EventCode;
use domain::order::{FieldError, MAX_REASON};
use domain::terminal::{Reference, Till};
use domain::{Cents, PaymentId, TableId};
use sqlx::PgConnection;

/// Everything that waits for a person's word.
///
/// # Errors
/// When the database does not answer.
pub async fn to_check(house: &House) -> Result<MoneyToCheck> {
    let mut tx = house.db.begin_with(db::SNAPSHOT).await?;
    let said = db::words::contradictions(&mut *tx, house.training).await?;
    let strays = db::words::strays(&mut *tx, house.training).await?;
    let named: Vec<i64> =
        said.iter().map(|said| said.payment_id.get()).chain(strays.iter().filter_map(|stray| stray.names).map(PaymentId::get)).collect();
    let payments = db::attempts::in_doubt(&mut *tx, house.training, &named).await?;
    let of = |id: PaymentId| payments.iter().find(|payment| payment.payment_id == id).cloned();
    let mut contradictions = Vec::new();
    for said in said {
        let Some(payment) = of(said.payment_id) else { continue };
        let can_be_booked = said.says == AttemptState::Approved && can_be_booked(&mut tx, &payment).await?;
        contradictions.push(ContradictionInDoubt { said, payment, can_be_booked });
    }
    let strays = strays.into_iter().map(|stray| StrayInDoubt { names: stray.names.and_then(of), stray }).collect();
    let open = payments.iter().filter(|payment| payment.status.holds_its_share()).cloned().collect();
    Ok(MoneyToCheck { open, contradictions, strays })
}

/// Whether what a terminal approved late can still be booked.
async fn can_be_booked(db: &mut PgConnection, payment: &PaymentInDoubt) -> Result<bool> {
    if payment.status == AttemptState::Approved || payment.status.holds_its_share() {
        return Ok(false);
    }
    let ledger = billing::ledger(db, payment.order_id, false).await?;
    share_is_open(db, &ledger, payment.payment_id, payment.cover_number).await
}

/// Money that terminals say they took and that no payment explains, until somebody has decided.
///
/// # Errors
/// When the database does not answer.
pub async fn strays(house: &House) -> Result<Vec<StrayView>> {
    db::words::strays(&house.db, house.training).await
}

/// Decides about money that nobody expected.
///
/// # Errors
/// [`Error::NotUnknown`] when it is decided; [`Error::NotFound`] when there is none; [`Error::Invalid`] without a reason, or when it cannot be
/// booked for that share; as [`super::paying::pay`] for a share that is not free.
pub async fn decide_stray(house: &House, user: &SessionUser, id: i64, request: &DecideRequest) -> Result<StrayView> {
    let mut errors = Vec::new();
    let reason = reason(&request.reason, &mut errors);
    let code = code(request, &mut errors);
    if (request.decision == Decision::Booked) != request.share.is_some() {
        errors.push(FieldError::new("share", if request.share.is_some() { "not_expected" } else { "say_which" }));
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let decided = Decided { by: user.id, decision: request.decision, reason, approval_code: code.as_deref() };
    let (stray, table) = db::again!(decide_stray_once(house, user, id, &decided, request.share).await)?;
    tracing::warn!(
        stray = id,
        decision = request.decision.as_str(),
        user = user.id.get(),
        "money that nobody expected: decided by a person"
    );
    floor::announce_money(house);
    if let (Some(table), Some(share)) = (table, request.share) {
        floor::announce(house, table, share.order_id);
    }
    Ok(stray)
}

async fn decide_stray_once(
    house: &House,
    user: &SessionUser,
    id: i64,
    decided: &Decided<'_>,
    share: Option<ShareName>,
) -> Result<(StrayView, Option<TableId>)> {
    const WHAT: Error = Error::NotFound("ce débit");
    let mut tx = house.db.begin().await?;
    let stray = db::words::stray(&mut *tx, id, house.training).await?.ok_or(WHAT)?;
    let begun = match share {
        Some(share) => Some(begin(house, &mut tx, user, &stray, share).await?),
        None => None,
    };
    let booked_as = begun.as_ref().map(|(payment, _)| *payment);
    if !db::words::decide_stray(&mut tx, id, house.training, decided, booked_as).await? {
        return Err(Error::NotUnknown);
    }
    let mut turn = None;
    if let Some(payment) = booked_as {
        let code = decided.approval_code.map(str::to_owned);
        let word = Word { why: decided.reason, by: Some(user.id), operator: &user.name, code, amount: None, listening: None };
        turn = match conclude_in(house, &mut tx, payment, &AttemptEvent::TypedIn, &word).await? {
            Concluded::Ended { answer, turn, .. } => answer.map(|_| turn)?,
            Concluded::Before => return Err(Error::internal("a new attempt had ended")),
        };
    }
    let mut details =
        vec![("stray", id.to_string()), ("decision", decided.decision.as_str().to_owned()), ("reason", decided.reason.to_owned())];
    details.extend(booked_as.map(|payment| ("payment", payment.to_string())));
    details.extend(decided.approval_code.map(|code| ("approval_code", code.to_owned())));
    recording::event(house, &mut tx, EventCode::ContradictionDecided, &user.name, details).await?;
    let stray = db::words::stray(&mut *tx, id, house.training).await?.ok_or(WHAT)?;
    tx.commit().await?;
    drop(turn);
    Ok((stray, begun.map(|(_, table)| table)))
}

/// Takes the share that money is booked for, and stores the attempt that the money was. What the share owes beyond it stays a share.
async fn begin(
    house: &House,
    tx: &mut PgConnection,
    user: &SessionUser,
    stray: &StrayView,
    share: ShareName,
) -> Result<(PaymentId, TableId)> {
    if stray.decision.is_some() {
        return Err(Error::NotUnknown);
    }
    let amount = stray.amount.filter(|_| stray.can_be_booked()).ok_or_else(|| Error::invalid("decision", "no_euros"))?;
    let mut ledger = billing::ledger(tx, share.order_id, true).await.map_err(order_in_body)?;
    let owed = ledger.open.iter().find(|open| open.number == share.cover_number).map_or(Cents::ZERO, |open| open.amount());
    if owed > Cents::ZERO && owed < amount {
        return Err(Error::invalid("share", "owes_less"));
    }
    let request = PaymentRequest {
        order_id: share.order_id,
        cover_number: share.cover_number,
        amount: owed,
        method: Method::Cb,
        tendered: None,
        tip: None,
        part: (amount < owed).then_some(amount),
        also: Vec::new(),
        approval_code: None,
        uuid: None,
    };
    let taken = take_share(tx, &mut ledger, &request).await?;
    let terminal = format!("stray:{}", stray.id);
    let reference = Reference::from_random(rand::random());
    let id = db::attempts::insert(
        tx,
        &NewAttempt {
            uuid: None,
            reference: &reference,
            order: share.order_id,
            share_number: taken.number,
            amount: taken.amount(),
            tip: Cents::ZERO,
            parts: &taken.parts,
            training: house.training,
            // Not under way at any terminal, and not typed in either: its means is certain.
            terminal: &terminal,
            is_asked: false,
            till: house.terminal.as_deref().map_or(Till::FIRST, |terminal| terminal.till()),
            user: user.id,
            worker: house.worker.id,
        },
    )
    .await?;
    Ok((id, ledger.head.table_id))
}

/// Why, in a person's words: some, printable, and not too many.
pub(super) fn reason<'r>(said: &'r str, errors: &mut Vec<FieldError>) -> &'r str {
    let reason = said.trim();
    if reason.is_empty() {
        errors.push(FieldError::new("reason", "say_why"));
    }
    if reason.chars().count() > MAX_REASON {
        errors.push(FieldError::new("reason", "too_long"));
    } else if domain::card::is_in(reason) {
        errors.push(FieldError::new("reason", "card_number"));
    }
    if reason.chars().any(char::is_control) {
        errors.push(FieldError::new("reason", "control_character"));
    }
    reason
}

/// The number on the terminal's ticket, where a person typed one.
pub(super) fn code(request: &DecideRequest, errors: &mut Vec<FieldError>) -> Option<String> {
    let typed = request.approval_code.as_deref().map(str::trim).filter(|typed| !typed.is_empty())?;
    let code = plain_code(typed);
    if code.is_none() {
        errors.push(FieldError::new("approval_code", "malformed"));
    }
    code
}
