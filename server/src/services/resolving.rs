//! Scenario 2, when the terminal is silent: a payment is looked at, and a person who has read the terminal's ticket says how it ended.
//!
//! Who, when and why are kept with the attempt for ever. What is accepted is booked with its ticket as if the terminal had said so; what is
//! not frees the share.

use super::charging::plain_code;
use super::concluding::{Word, book_after_all, conclude, hold, take};
use super::doubts::{code, reason};
use super::{floor, querying, recording};
use crate::db;
use crate::db::words::Decided;
use crate::error::{Error, Result};
use crate::state::House;
use domain::api::{DecideRequest, Decision, Method, PaymentStep, PaymentView, ResolveOutcome, ResolveRequest, SessionUser};
use domain::attempt::{AttemptEvent, AttemptState};
use domain::fiscal::EventCode;
use domain::order::FieldError;
use domain::{Cents, PaymentId};

/// A payment, whatever became of it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn view(house: &House, id: PaymentId) -> Result<PaymentView> {
    let mut tx = house.db.begin_with(db::SNAPSHOT).await?;
    let attempt = db::attempts::get(&mut *tx, id).await?;
    let payment = db::payments::get(&mut *tx, id).await?;
    let ticket_no = payment.as_ref().map(|payment| payment.ticket_no);
    match (attempt, payment) {
        (Some(attempt), _) => Ok(PaymentView {
            payment_id: id,
            order_id: attempt.order,
            cover_number: attempt.share_number,
            amount: attempt.amount,
            amount_booked: attempt.booked.filter(|booked| *booked < attempt.amount),
            method: Method::Cb,
            status: if attempt.state == AttemptState::Sending { AttemptState::Sent } else { attempt.state },
            can_ask_terminal: querying::can_ask(house, &attempt),
            approval_code: attempt.approval_code,
            ticket_no,
            history: db::attempts::history(&mut *tx, id).await?,
            tip: Some(attempt.tip).filter(|tip| *tip > Cents::ZERO),
            listening_until: attempt.listening_until,
            contradictions: db::words::contradictions_of(&mut *tx, id).await?,
        }),
        // What needs no terminal is settled as it is made.
        (None, Some(payment)) => Ok(PaymentView {
            payment_id: id,
            order_id: payment.order,
            cover_number: payment.share_number,
            amount: payment.amount,
            amount_booked: None,
            method: payment.method,
            status: AttemptState::Approved,
            approval_code: None,
            ticket_no,
            history: vec![PaymentStep {
                at: payment.created_at,
                from: None,
                to: AttemptState::Approved.as_str().to_owned(),
                why: "settled".to_owned(),
                by: Some(payment.user_name),
            }],
            tip: None,
            listening_until: None,
            can_ask_terminal: false,
            contradictions: Vec::new(),
        }),
        (None, None) => Err(Error::NotFound("ce paiement")),
    }
}

/// Says how a payment ended that nobody knew the end of.
///
/// # Errors
/// [`Error::NotUnknown`] unless nobody knows; [`Error::StillListening`] when it is not accepted and the terminal may still say that it is;
/// [`Error::OtherMode`]; [`Error::Invalid`]; [`Error::NotFound`].
pub async fn resolve(house: &House, user: &SessionUser, id: PaymentId, request: &ResolveRequest) -> Result<PaymentView> {
    let accepted = request.outcome == ResolveOutcome::Accepted;
    let mut errors = Vec::new();
    let reason = reason(&request.reason, &mut errors);
    let typed = request.approval_code.as_deref().map(str::trim);
    let code = typed.and_then(plain_code);
    if (typed.is_some() && code.is_none()) || (code.is_some() && !accepted) {
        errors.push(FieldError::new("approval_code", "malformed"));
    }
    if request.amount.is_some_and(|amount| amount <= Cents::ZERO || !accepted) {
        errors.push(FieldError::new("amount", "out_of_range"));
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    // What the terminal has said and nobody has acted upon yet comes first.
    for word in db::words::all_waiting(&house.db, Some(id)).await? {
        // The answer to the payment's request is not ours.
        let _answer = take(house, word).await?;
    }
    let word = Word { why: reason, by: Some(user.id), operator: &user.name, code, amount: request.amount, listening: None };
    // The answer that the request for the payment would get now is not ours: a refusal is what was said, not a fault.
    let _answer = conclude(house, id, &AttemptEvent::Resolved { accepted }, &word).await?;
    tracing::warn!(payment = id.get(), accepted, user = user.id.get(), "resolved by a person");
    view(house, id).await
}

/// Decides about a contradiction: the terminal said something else than what the payment ended with.
///
/// # Errors
/// [`Error::NotUnknown`] when it is decided; [`Error::NotFound`] when there is none; [`Error::Invalid`], so when money that was taken and is
/// not booked is to be kept, or booked while its share is no longer there; [`Error::OtherMode`].
pub async fn decide(house: &House, user: &SessionUser, id: PaymentId, contradiction: i64, request: &DecideRequest) -> Result<PaymentView> {
    let mut errors = Vec::new();
    let reason = reason(&request.reason, &mut errors);
    let code = code(request, &mut errors);
    if request.share.is_some() {
        errors.push(FieldError::new("share", "not_expected"));
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let decided = Decided { by: user.id, decision: request.decision, reason, approval_code: code.as_deref() };
    db::again!(decide_once(house, user, id, contradiction, &decided).await)?;
    floor::announce_money(house);
    tracing::warn!(payment = id.get(), contradiction, decision = request.decision.as_str(), user = user.id.get(), "decided by a person");
    view(house, id).await
}

async fn decide_once(house: &House, user: &SessionUser, id: PaymentId, number: i64, decided: &Decided<'_>) -> Result<()> {
    let Decided { decision, reason, .. } = *decided;
    let mut tx = house.db.begin().await?;
    let known = db::words::contradictions_of(&mut *tx, id).await?;
    let said = known.into_iter().find(|known| known.id == number).ok_or(Error::NotFound("cette contradiction"))?;
    let (ledger, attempt) = hold(&mut tx, id).await?;
    let is_missing = said.says == AttemptState::Approved && attempt.state != AttemptState::Approved;
    match decision {
        _ if said.decision.is_some() => return Err(Error::NotUnknown),
        // The card is charged: with nothing booked there is nothing to keep.
        Decision::Kept if is_missing => return Err(Error::invalid("decision", "nothing_is_booked")),
        Decision::Booked if !is_missing => return Err(Error::invalid("decision", "is_booked")),
        _ => {}
    }
    if !db::words::decide(&mut tx, id, number, decided).await? {
        return Err(Error::NotUnknown);
    }
    let mut turn = None;
    if decision == Decision::Booked {
        let (by, operator) = (Some(user.id), user.name.as_str());
        let code = said.approval_code.or_else(|| decided.approval_code.map(str::to_owned));
        let word = Word { why: reason, by, operator, code, amount: said.amount, listening: None };
        turn = book_after_all(house, &mut tx, &ledger, &attempt, &word).await?;
    }
    let mut details = vec![("payment", id.to_string()), ("decision", decision.as_str().to_owned()), ("reason", reason.to_owned())];
    details.extend(decided.approval_code.map(|code| ("approval_code", code.to_owned())));
    recording::event(house, &mut tx, EventCode::ContradictionDecided, &user.name, details).await?;
    tx.commit().await?;
    drop(turn);
    floor::announce(house, ledger.head.table_id, attempt.order);
    Ok(())
}
