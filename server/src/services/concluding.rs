//! Scenario 2, by card: how an attempt ends.
//!
//! A terminal's word is stored first, by itself, and only then acted upon: hold the order → hold the attempt → where does the word lead? →
//! with an approval the ticket, the payment and the answer to the request → the word has had its effect → commit. Whoever dies in between
//! leaves a stored word, which [`super::recovering`] takes up; whoever comes second finds that it has had its effect.
//!
//! A word that leads nowhere any more either repeats what is known, or contradicts it: then it stays as a contradiction, with its amount,
//! and no day is closed until a person has decided.

use super::charging::owns_the_same;
use super::paying::{Sale, settle};
use super::{billing, floor, recording};
use crate::db;
use crate::db::attempts::{Attempt, Step};
use crate::db::words::{Effect, Waiting};
use crate::error::{Error, Result};
use crate::state::{House, Turn};
use domain::api::{Method, OrderStatus, PaidStatus, PaymentDone};
use domain::attempt::{AttemptEvent, AttemptState};
use domain::fiscal::{EventCode, TicketPayment};
use domain::share::{LineDue, OpenShare, carve};
use domain::terminal::Outcome;
use domain::{Cents, OrderId, PaymentId, TableId, UserId};
use sqlx::PgConnection;
use std::time::Duration;

/// Whose word ends an attempt, and what it is.
pub(super) struct Word<'a> {
    /// Why, as the history shows it.
    pub why: &'a str,
    /// A person; nobody: the machine.
    pub by: Option<UserId>,
    /// Their name, for the technical journal.
    pub operator: &'a str,
    /// The authorisation number that a person typed.
    pub code: Option<String>,
    /// What a person says was taken; nothing: what was asked for.
    pub amount: Option<Cents>,
    /// How long the terminal is listened to from now on, where nobody knows and the line is open.
    pub listening: Option<Duration>,
}

impl<'a> Word<'a> {
    /// The machine's.
    pub const fn of_the_machine(why: &'a str) -> Self {
        Self { why, by: None, operator: "", code: None, amount: None, listening: None }
    }
}

/// What came of it.
pub(super) enum Concluded {
    /// The attempt has ended so.
    Ended {
        /// The answer to its request.
        answer: Result<PaymentDone>,
        /// Of which order.
        order: OrderId,
        /// At which table.
        table: TableId,
        /// At the journal, where something was booked: dropped after the commit.
        turn: Option<Turn>,
    },
    /// It had ended before, and so.
    Before,
}

/// Ends an attempt by what needs no booking, or by what a person says. The inner result is the answer to its request.
///
/// # Errors
/// [`Error::NotUnknown`] when the attempt has ended already, or cannot end so; [`Error::NotFound`]; [`Error::StillListening`];
/// [`Error::OtherMode`].
pub(super) async fn conclude(house: &House, id: PaymentId, event: &AttemptEvent, word: &Word<'_>) -> Result<Result<PaymentDone>> {
    let concluded = db::again!(conclude_once(house, id, event, word).await)?;
    match concluded {
        Concluded::Before => Err(Error::NotUnknown),
        Concluded::Ended { answer, order, table, .. } => {
            floor::announce(house, table, order);
            if matches!(event, AttemptEvent::Told(Outcome::Unknown(_)) | AttemptEvent::Orphaned | AttemptEvent::Resolved { .. }) {
                floor::announce_money(house);
            }
            Ok(answer)
        }
    }
}

async fn conclude_once(house: &House, id: PaymentId, event: &AttemptEvent, word: &Word<'_>) -> Result<Concluded> {
    let mut tx = house.db.begin().await?;
    let concluded = conclude_in(house, &mut tx, id, event, word).await?;
    if let (Concluded::Ended { .. }, AttemptEvent::Resolved { accepted }) = (&concluded, event) {
        let mut details = vec![("payment", id.to_string()), ("accepted", accepted.to_string()), ("reason", word.why.to_owned())];
        details.extend(word.amount.map(|amount| ("amount_cents", amount.0.to_string())));
        recording::event(house, &mut tx, EventCode::PaymentResolved, word.operator, details).await?;
    }
    tx.commit().await?;
    Ok(concluded)
}

/// The same, in a transaction that has more to do.
///
/// # Errors
/// As [`conclude`], except that an attempt that has ended is no error.
pub(super) async fn conclude_in(
    house: &House,
    tx: &mut PgConnection,
    id: PaymentId,
    event: &AttemptEvent,
    word: &Word<'_>,
) -> Result<Concluded> {
    let (ledger, attempt) = hold(tx, id).await?;
    let Ok(next) = attempt.state.after(event) else { return Ok(Concluded::Before) };
    if let AttemptEvent::Resolved { accepted } = event {
        // The terminal has spoken meanwhile: its word is taken before a person's.
        if !db::words::all_waiting(&mut *tx, Some(id)).await?.is_empty() {
            return Err(Error::NotUnknown);
        }
        match attempt.listening_until {
            Some(until) if !accepted => return Err(Error::StillListening { until }),
            _ => {}
        }
    }
    end(house, tx, &ledger, &attempt, event, next, word).await
}

/// Holds the order and then the attempt, as everybody who settles: under these locks an attempt ends no more than once.
pub(super) async fn hold(tx: &mut PgConnection, id: PaymentId) -> Result<(billing::Ledger, Attempt)> {
    let seen = db::attempts::get(&mut *tx, id).await?.ok_or(Error::NotFound("ce paiement"))?;
    let ledger = billing::ledger(tx, seen.order, true).await?;
    Ok((ledger, hold_attempt(tx, id).await?))
}

async fn hold_attempt(tx: &mut PgConnection, id: PaymentId) -> Result<Attempt> {
    db::attempts::hold(tx, id).await?.ok_or(Error::NotFound("ce paiement"))
}

/// Books what a terminal approved after its attempt had ended otherwise, as a person decided: the decision is stored in this transaction. The
/// order and the attempt are held by it.
///
/// # Errors
/// [`Error::Invalid`] `share_is_gone` when the share was paid or divided otherwise since; as [`conclude_in`].
pub(super) async fn book_after_all(
    house: &House,
    tx: &mut PgConnection,
    ledger: &billing::Ledger,
    attempt: &Attempt,
    word: &Word<'_>,
) -> Result<Option<Turn>> {
    if !share_is_open(tx, ledger, attempt.id, attempt.share_number).await? {
        return Err(Error::invalid("decision", "share_is_gone"));
    }
    // Its share is held again, and it ends as any that nobody knew the end of.
    let reopened = Step { why: word.why, by: word.by, ..Step::default() };
    if !db::attempts::step(&mut *tx, attempt.id, attempt.state, AttemptState::Unknown, &reopened).await? {
        return Err(Error::internal(format!("attempt {} moved on while it was held", attempt.id)));
    }
    match conclude_in(house, tx, attempt.id, &AttemptEvent::Resolved { accepted: true }, word).await? {
        Concluded::Ended { answer, turn, .. } => answer.map(|_| turn),
        Concluded::Before => Err(Error::internal("an attempt that nobody knew the end of had ended")),
    }
}

/// Whether the share of an attempt that ended without money is still there, and owns the same.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn share_is_open(db: &mut PgConnection, ledger: &billing::Ledger, attempt: PaymentId, number: u32) -> Result<bool> {
    let parts = db::attempts::parts(db, attempt).await?;
    let same = |share: &OpenShare| share.number == number && owns_the_same(&share.parts, &parts);
    Ok(ledger.head.status == OrderStatus::Open && ledger.open.iter().any(same))
}

/// Takes a step that ends an attempt, with all that belongs to it.
async fn end(
    house: &House,
    tx: &mut PgConnection,
    ledger: &billing::Ledger,
    attempt: &Attempt,
    event: &AttemptEvent,
    next: AttemptState,
    word: &Word<'_>,
) -> Result<Concluded> {
    let (booked, code, refused) = match event {
        AttemptEvent::Told(Outcome::Approved { approval_code, amount }) => (Some(*amount), approval_code.clone(), None),
        AttemptEvent::Told(Outcome::Declined { code } | Outcome::Cancelled { code } | Outcome::Failed { code }) => {
            (None, None, Some(code.clone()))
        }
        AttemptEvent::Told(Outcome::Unknown(doubt)) => (None, None, Some(doubt.as_str().to_owned())),
        AttemptEvent::TypedIn | AttemptEvent::Resolved { accepted: true } => {
            let asked = attempt.charge().amount;
            let taken = word.amount.unwrap_or(asked);
            if taken > asked {
                return Err(Error::invalid("amount", "more_than_was_asked"));
            }
            (Some(taken), word.code.clone(), None)
        }
        AttemptEvent::Resolved { accepted: false } => (None, None, Some("not_accepted".to_owned())),
        _ => (None, None, Some(word.why.to_owned())),
    };
    // Money of training and money that counts never meet on one chain: a process of the right mode books it.
    if booked.is_some() && attempt.training != house.training {
        return Err(Error::OtherMode);
    }
    let step = Step {
        booked,
        approval_code: code.as_deref(),
        error_code: refused.as_deref(),
        why: word.why,
        by: word.by,
        listening: word.listening.filter(|_| next == AttemptState::Unknown),
    };
    if !db::attempts::step(&mut *tx, attempt.id, attempt.state, next, &step).await? {
        return Err(Error::internal(format!("attempt {} moved on while it was held", attempt.id)));
    }
    let (answer, turn) = match booked {
        Some(booked) => {
            let (done, turn) = book(house, tx, ledger, attempt, booked, code).await?;
            (Ok(done), Some(turn))
        }
        None => (Err(refusal(attempt.id, next, refused)), None),
    };
    if let (AttemptState::NotSent | AttemptState::Failed, Some(uuid)) = (next, attempt.uuid) {
        db::idempotency::forget(tx, uuid).await?;
    }
    house.metrics.attempt_ended(next);
    tracing::info!(payment = attempt.id.get(), from = attempt.state.as_str(), to = next.as_str(), why = word.why, "attempt");
    Ok(Concluded::Ended { answer, order: attempt.order, table: ledger.head.table_id, turn })
}

/// The ticket and the payment of an approval: what the attempt owned, or, when the terminal took less, the same fraction of each line.
async fn book(
    house: &House,
    tx: &mut PgConnection,
    ledger: &billing::Ledger,
    attempt: &Attempt,
    taken: Cents,
    code: Option<String>,
) -> Result<(PaymentDone, Turn)> {
    // What the guest adds comes after what the guest owes.
    let booked = taken.min(attempt.amount);
    let mut parts = match ledger.held.iter().find(|held| held.id == attempt.id) {
        Some(held) => held.parts.clone(),
        None => db::attempts::parts(&mut *tx, attempt.id).await?,
    };
    if booked < attempt.amount {
        let mut owned: Vec<LineDue> = parts.iter().map(|part| LineDue { line_id: part.line_id, due: part.amount }).collect();
        parts = carve(booked, &mut owned).ok_or_else(|| Error::internal("a terminal took more than the share owed"))?;
    }
    let sale = Sale {
        number: attempt.id,
        key: attempt.uuid,
        share_number: attempt.share_number,
        owed: attempt.amount,
        meant: attempt.amount,
        parts: &parts,
        payment: TicketPayment { approval_code: code, ..TicketPayment::of(Method::Cb, booked) },
        tip: taken - booked,
        user: (attempt.user.0, &attempt.user.1),
        warnings: Vec::new(),
    };
    settle(house, tx, ledger, sale).await
}

/// Acts upon a stored word of a terminal. `None` when somebody else has done it. The inner result is the answer to the attempt's request.
///
/// # Errors
/// When it cannot be booked now: the word stays, its attempt keeps its share locked, and it is tried again. [`Error::OtherMode`] when only a
/// process of the other mode can book it.
pub(super) async fn take(house: &House, id: i64) -> Result<Option<Result<PaymentDone>>> {
    db::again!(take_once(house, id).await)
}

async fn take_once(house: &House, id: i64) -> Result<Option<Result<PaymentDone>>> {
    let Some(taken) = house.cards.transact(async |tx| take_in(house, tx, id).await).await? else { return Ok(None) };
    drop(taken.turn);
    floor::announce(house, taken.table, taken.order);
    if taken.concerns_money {
        floor::announce_money(house);
    }
    Ok(Some(taken.answer))
}

/// What came of a word, when it is committed.
struct Taken {
    answer: Result<PaymentDone>,
    order: OrderId,
    table: TableId,
    /// Whoever looks after money has something to look at.
    concerns_money: bool,
    /// At the journal, where something was booked.
    turn: Option<Turn>,
}

async fn take_in(house: &House, tx: &mut PgConnection, id: i64) -> Result<Option<Taken>> {
    let Some(said) = db::words::hold_waiting(&mut *tx, id).await? else { return Ok(None) };
    let ledger = billing::read(tx, said.order).await?;
    let attempt = hold_attempt(tx, said.attempt).await?;
    let event = AttemptEvent::Told(said.outcome.clone());
    let (effect, answer, turn) = match attempt.state.after(&event) {
        Ok(next) => {
            let why = why(&said);
            match end(house, tx, &ledger, &attempt, &event, next, &Word::of_the_machine(&why)).await? {
                Concluded::Ended { answer, turn, .. } => (Effect::Taken, answer, turn),
                Concluded::Before => return Err(Error::internal("an attempt that can end had ended")),
            }
        }
        Err(_) if repeats(&attempt, &said.outcome) => (Effect::Repeated, known(tx, &attempt).await, None),
        Err(_) => {
            db::attempts::remark(&mut *tx, attempt.id, attempt.state, &contradiction(&said.outcome), None).await?;
            let (payment, stood, says) = (attempt.id.get(), attempt.state.as_str(), why(&said));
            tracing::error!(payment, stood, says, "the terminal contradicts how a payment ended: somebody has to decide");
            (Effect::Contradicts, known(tx, &attempt).await, None)
        }
    };
    db::words::settle(&mut *tx, id, effect, attempt.state).await?;
    if effect == Effect::Contradicts {
        let (payment, stood) = (attempt.id.to_string(), attempt.state.as_str().to_owned());
        let mut details = vec![("payment", payment), ("stood", stood), ("says", why(&said))];
        if let Outcome::Approved { amount, .. } = &said.outcome {
            details.push(("amount_cents", amount.0.to_string()));
        }
        recording::event(house, tx, EventCode::PaymentContradicted, "", details).await?;
    }
    let concerns_money = effect == Effect::Contradicts || attempt.state == AttemptState::Unknown;
    Ok(Some(Taken { answer, order: attempt.order, table: ledger.head.table_id, concerns_money, turn }))
}

/// Whether a word says nothing new about an attempt that has ended.
fn repeats(attempt: &Attempt, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Approved { amount, .. } => attempt.state == AttemptState::Approved && attempt.booked == Some(*amount),
        _ => attempt.state != AttemptState::Approved,
    }
}

/// A contradiction as the history shows it.
fn contradiction(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Approved { amount, .. } => format!("contradiction: terminal approved {amount}"),
        _ => "contradiction: terminal took nothing".to_owned(),
    }
}

/// The terminal's word as the history shows it.
fn why(said: &Waiting) -> String {
    let says = match &said.outcome {
        Outcome::Approved { .. } => "approved",
        Outcome::Declined { code } | Outcome::Cancelled { code } | Outcome::Failed { code } => code,
        Outcome::Unknown(doubt) => doubt.as_str(),
    };
    format!("{}terminal: {says}", if said.late { "late, " } else { "" })
}

/// What the request of an attempt is answered by now.
///
/// # Errors
/// What it was refused for; what a state that is no end answers.
pub(super) async fn known(tx: &mut PgConnection, attempt: &Attempt) -> Result<PaymentDone> {
    if attempt.state != AttemptState::Approved {
        return Err(refusal(attempt.id, attempt.state, attempt.error_code.clone()));
    }
    if let Some(uuid) = attempt.uuid
        && let Some(answer) = db::idempotency::answer(&mut *tx, uuid).await?
    {
        return Ok(serde_json::from_str(&answer)?);
    }
    // A request without an id: what it comes to is told as of now.
    let payment = db::payments::get(&mut *tx, attempt.id).await?.ok_or_else(|| Error::internal("approved and not booked"))?;
    let ledger = billing::ledger(tx, attempt.order, false).await?;
    let is_partial = payment.amount < attempt.amount;
    Ok(PaymentDone {
        payment_id: attempt.id,
        status: match (ledger.remaining(), is_partial) {
            (Cents::ZERO, _) => PaidStatus::OrderComplete,
            (_, true) => PaidStatus::Partial,
            _ => PaidStatus::Paid,
        },
        remaining: format!("{}/{}", ledger.held.len() + ledger.open.len(), ledger.shares()),
        remaining_amount: ledger.remaining(),
        change: Cents::ZERO,
        ticket_no: payment.ticket_no,
        amount_booked: is_partial.then_some(payment.amount),
        warnings: Vec::new(),
    })
}

/// What a state that is no approval answers.
pub(super) fn refusal(payment_id: PaymentId, state: AttemptState, code: Option<String>) -> Error {
    let code = code.unwrap_or_default();
    match state {
        AttemptState::Declined => Error::CardDeclined { payment_id, code },
        AttemptState::Cancelled => Error::CardCancelled { payment_id, code },
        AttemptState::Failed | AttemptState::NotSent => Error::TerminalUnavailable { payment_id, code },
        AttemptState::Created | AttemptState::Sending | AttemptState::Sent => {
            Error::PaymentInProgress { payment_id: Some(payment_id), unknown: false }
        }
        AttemptState::Unknown | AttemptState::Approved => Error::TerminalUnknown { payment_id },
    }
}
