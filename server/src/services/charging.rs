//! Scenario 2, by card: a share is charged, and never twice.
//!
//! Take the request's id → hold the order → find the share → store the attempt with exactly what the share owns → commit. Then, with no lock
//! held and detached from the request: reach the terminal → commit `sending` → the first byte → commit `sent` → wait → commit the outcome,
//! and with an approval its ticket and its payment. The request only waits for that.
//!
//! Whatever the browser, the request or this process does meanwhile, the attempt stays where it was stored last, and its share stays locked until
//! somebody's word ends it: the terminal's, in time or late, or a person's ([`super::resolving`]). Nothing is ever sent again by itself.

use super::once::{self, Answered, Earlier};
use super::paying::{Sale, order_in_body, settle, take_share};
use super::{billing, floor};
use crate::adapters::tpe::Witness;
use crate::db;
use crate::db::attempts::{Attempt, NO_TERMINAL, NewAttempt, Step};
use crate::error::{Error, Result};
use crate::state::{House, Shared};
use async_trait::async_trait;
use domain::api::{Method, PaymentDone, PaymentRequest, SessionUser};
use domain::attempt::{AttemptEvent, AttemptState};
use domain::fiscal::TicketPayment;
use domain::order::FieldError;
use domain::share::{LineDue, carve};
use domain::terminal::{MAX_CHARGE, Outcome, Reference, Stray, Till, approval_code};
use domain::{Cents, OrderId, PaymentId, TableId, UserId};
use sqlx::PgConnection;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

/// Between two looks at an attempt that another request began.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Between two tries to store an outcome, at most. The money is taken: we do not give up easily.
const STORE_EVERY: Duration = Duration::from_secs(5);
/// After so many tries, some twenty seconds, the person is told that the outcome is not known.
const ANSWER_AFTER: u32 = 10;

/// Charges a card for a share. The same `uuid` again charges nothing and returns what is known by then.
///
/// # Errors
/// As [`super::paying::pay`], and [`Error::TerminalBusy`], [`Error::CardDeclined`], [`Error::CardCancelled`], [`Error::TerminalUnavailable`],
/// [`Error::TerminalUnknown`].
pub async fn charge(house: &Shared, user: &SessionUser, request: &PaymentRequest) -> Result<Answered<PaymentDone>> {
    let typed_in = check(house, request)?;
    let mut tx = house.db.begin().await?;
    match once::look(&mut tx, request.uuid, "payments", user.id, request).await? {
        Earlier::Nothing => {}
        Earlier::Answered(answered) => return Ok(answered),
        Earlier::UnderWay => {
            drop(tx);
            return begun_before(house, user, request).await;
        }
    }
    let mut ledger = billing::ledger(&mut tx, request.order_id, true).await.map_err(order_in_body)?;
    let share = take_share(&mut tx, &mut ledger, request).await?;
    let reference = Reference::from_random(rand::random());
    let id = db::attempts::insert(
        &mut tx,
        &NewAttempt {
            uuid: request.uuid,
            reference: &reference,
            order: request.order_id,
            share_number: share.number,
            amount: share.amount(),
            parts: &share.parts,
            terminal: house.terminal.as_deref().map_or(NO_TERMINAL, |terminal| terminal.name()),
            till: house.terminal.as_deref().map_or(Till::FIRST, |terminal| terminal.till()),
            user: user.id,
            worker: house.worker.id,
        },
    )
    .await?;
    // Nobody to wait for: what the cashier typed is the end.
    if let Some(code) = typed_in {
        let word = Word { why: "typed_in", by: Some(user.id), code: Some(code) };
        let concluded = conclude_in(house, &mut tx, id, &AttemptEvent::TypedIn, &word).await?;
        tx.commit().await?;
        floor::announce(house, ledger.head.table_id, request.order_id);
        return match concluded {
            Concluded::Ended { answer, .. } => answer.map(Answered::now),
            Concluded::Contradicted => Err(Error::internal("a new attempt had ended")),
        };
    }
    tx.commit().await?;
    floor::announce(house, ledger.head.table_id, request.order_id);
    ask_terminal(house, id, &reference, share.amount()).await?.map(Answered::now)
}

/// Checks what can be checked without looking anything up. Returns what the cashier typed, where no terminal is on the line.
fn check(house: &House, request: &PaymentRequest) -> Result<Option<String>> {
    let mut errors = Vec::new();
    if request.amount <= Cents::ZERO {
        errors.push(FieldError::new("amount", "not_positive"));
    }
    if request.amount > MAX_CHARGE {
        errors.push(FieldError::new("amount", "out_of_range"));
    }
    if request.tendered.is_some() {
        errors.push(FieldError::new("tendered", "not_expected"));
    }
    if request.part.is_some_and(|part| part <= Cents::ZERO || part > request.amount) {
        errors.push(FieldError::new("part", "out_of_range"));
    }
    if request.tip.is_some_and(|tip| tip != Cents::ZERO) {
        errors.push(FieldError::new("tip", "not_expected"));
    }
    let typed = request.approval_code.as_deref().map(str::trim);
    let code = match (typed, house.terminal.is_some()) {
        (None, true) => None,
        (Some(_), true) => {
            errors.push(FieldError::new("approval_code", "not_expected"));
            None
        }
        (typed, false) => {
            let code = typed.and_then(plain_code);
            if code.is_none() {
                errors.push(FieldError::new("approval_code", "approval_code_required"));
            }
            code
        }
    };
    if errors.is_empty() { Ok(code) } else { Err(Error::Invalid(errors)) }
}

/// An authorisation number that a person typed: taken as it is, or not at all.
pub(super) fn plain_code(typed: &str) -> Option<String> {
    approval_code(typed).filter(|code| code == typed)
}

/// Lets the terminal work, detached from this request, and waits for its first word.
async fn ask_terminal(house: &Shared, id: PaymentId, reference: &Reference, amount: Cents) -> Result<Result<PaymentDone>> {
    let terminal = house.terminal.clone().ok_or_else(|| Error::internal("no terminal is on the line"))?;
    let charge = domain::terminal::Charge { reference: reference.clone(), amount, till: terminal.till() };
    let (answer, answered) = oneshot::channel();
    let witness = Arc::new(Storing { house: house.clone(), id, answer: Mutex::new(Some(answer)) });
    let watched = witness.clone();
    let exchange = tokio::spawn(async move { terminal.pay(charge, watched).await });
    tokio::spawn(async move {
        if exchange.await.is_err() {
            // The exchange panicked: nobody will say any more how it ended.
            witness.conclude(&AttemptEvent::Orphaned, "exchange_broke").await;
        }
    });
    Ok(match answered.await {
        Ok(answer) => answer,
        Err(_) => Err(Error::TerminalUnknown { payment_id: id }),
    })
}

/// What is known of an attempt that the same request began before; waits for it while the terminal is at it.
async fn begun_before(house: &House, user: &SessionUser, request: &PaymentRequest) -> Result<Answered<PaymentDone>> {
    let patience = house.terminal.as_deref().map_or(Duration::ZERO, |terminal| terminal.patience());
    let until = Instant::now() + patience;
    loop {
        let mut tx = house.db.begin().await?;
        match once::look(&mut tx, request.uuid, "payments", user.id, request).await? {
            Earlier::Answered(answered) => return Ok(answered),
            // Nothing came of it: the first request got that answer, and may be made again.
            Earlier::Nothing => return Err(Error::PaymentInProgress { payment_id: None, unknown: false }),
            Earlier::UnderWay => {}
        }
        let uuid = request.uuid.unwrap_or(Uuid::nil());
        let attempt = db::attempts::of_request(&mut *tx, uuid).await?.ok_or_else(|| Error::internal("a request without its attempt"))?;
        drop(tx);
        if !attempt.state.is_under_way() {
            return Err(Error::Again(Box::new(refusal(attempt.id, attempt.state, attempt.error_code))));
        }
        if Instant::now() >= until {
            return Err(Error::Again(Box::new(Error::TerminalUnknown { payment_id: attempt.id })));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What a state that is no approval answers.
fn refusal(payment_id: PaymentId, state: AttemptState, code: Option<String>) -> Error {
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

/// Whose word ends an attempt, and what it is.
pub(super) struct Word<'a> {
    /// Why, as the history shows it.
    pub why: &'a str,
    /// A person; nobody: the machine.
    pub by: Option<UserId>,
    /// The authorisation number that a person typed.
    pub code: Option<String>,
}

/// Stores how an attempt ended. The inner result is the answer to its request.
///
/// # Errors
/// [`Error::NotUnknown`] when the attempt has ended already, or cannot end so; [`Error::NotFound`].
pub(super) async fn conclude(house: &House, id: PaymentId, event: &AttemptEvent, word: &Word<'_>) -> Result<Result<PaymentDone>> {
    let mut tx = house.db.begin().await?;
    let concluded = conclude_in(house, &mut tx, id, event, word).await?;
    tx.commit().await?;
    match concluded {
        Concluded::Contradicted => Err(Error::NotUnknown),
        Concluded::Ended { answer, order, table } => {
            floor::announce(house, table, order);
            Ok(answer)
        }
    }
}

enum Concluded {
    Ended {
        answer: Result<PaymentDone>,
        order: OrderId,
        table: TableId,
    },
    /// Nothing could change any more.
    Contradicted,
}

/// The same, in a transaction that has more to do: with an approval, the ticket, the payment and the answer to the request are in it too.
async fn conclude_in(house: &House, tx: &mut PgConnection, id: PaymentId, event: &AttemptEvent, word: &Word<'_>) -> Result<Concluded> {
    let seen = db::attempts::get(&mut *tx, id).await?.ok_or(Error::NotFound("ce paiement"))?;
    // The order first, as everybody who settles: under its lock the attempt ends no more than once.
    let ledger = billing::ledger(tx, seen.order, true).await?;
    let attempt = db::attempts::get(&mut *tx, id).await?.ok_or(Error::NotFound("ce paiement"))?;
    let Ok(next) = attempt.state.after(event) else {
        note_contradiction(tx, &attempt, event).await?;
        return Ok(Concluded::Contradicted);
    };
    let (booked, code, refused) = match event {
        AttemptEvent::Told(Outcome::Approved { approval_code, amount }) => (Some(*amount), approval_code.clone(), None),
        AttemptEvent::Told(Outcome::Declined { code } | Outcome::Cancelled { code } | Outcome::Failed { code }) => {
            (None, None, Some(code.clone()))
        }
        AttemptEvent::Told(Outcome::Unknown(doubt)) => (None, None, Some(doubt.as_str().to_owned())),
        AttemptEvent::TypedIn | AttemptEvent::Resolved { accepted: true } => (Some(attempt.amount), word.code.clone(), None),
        AttemptEvent::Resolved { accepted: false } => (None, None, Some("not_accepted".to_owned())),
        _ => (None, None, Some(word.why.to_owned())),
    };
    let step = Step { booked, approval_code: code.as_deref(), error_code: refused.as_deref(), why: word.why, by: word.by };
    if !db::attempts::step(&mut *tx, id, attempt.state, next, &step).await? {
        // `sending` became `sent` just now: whoever stores this tries again.
        return Err(Error::internal(format!("attempt {id} moved on")));
    }
    let answer = match booked {
        Some(booked) => {
            let done = book(house, tx, &ledger, &attempt, booked, code).await?;
            once::remember(tx, attempt.uuid, 201, &done).await?;
            Ok(done)
        }
        None => Err(refusal(id, next, refused)),
    };
    if let (AttemptState::NotSent | AttemptState::Failed, Some(uuid)) = (next, attempt.uuid) {
        db::idempotency::forget(tx, uuid).await?;
    }
    tracing::info!(payment = id.get(), from = attempt.state.as_str(), to = next.as_str(), why = word.why, "attempt");
    Ok(Concluded::Ended { answer, order: attempt.order, table: ledger.head.table_id })
}

/// The ticket and the payment of an approval: what the attempt owned, or, when the terminal took less, the same fraction of each line.
async fn book(
    house: &House,
    tx: &mut PgConnection,
    ledger: &billing::Ledger,
    attempt: &Attempt,
    booked: Cents,
    code: Option<String>,
) -> Result<PaymentDone> {
    let mut parts = db::attempts::parts(&mut *tx, attempt.id).await?;
    if booked < attempt.amount {
        let mut owned: Vec<LineDue> = parts.iter().map(|part| LineDue { line_id: part.line_id, due: part.amount }).collect();
        parts = carve(booked, &mut owned).ok_or_else(|| Error::internal("a terminal took more than the share owed"))?;
    }
    let sale = Sale {
        share_number: attempt.share_number,
        owed: attempt.amount,
        parts: &parts,
        payment: TicketPayment { approval_code: code, ..TicketPayment::of(Method::Cb, booked) },
        tip: Cents::ZERO,
        user: (attempt.user.0, &attempt.user.1),
        attempt: Some(attempt.id),
    };
    settle(house, tx, ledger, sale).await
}

/// Something was said that cannot change the attempt any more. Money that was taken after somebody said that it was not is written down, and
/// said loudly.
async fn note_contradiction(tx: &mut PgConnection, attempt: &Attempt, event: &AttemptEvent) -> Result<()> {
    if let AttemptEvent::Told(Outcome::Approved { amount, .. }) = event
        && attempt.state != AttemptState::Approved
    {
        db::attempts::remark(tx, attempt.id, attempt.state, "approved_after_the_end").await?;
        let (payment, state) = (attempt.id.get(), attempt.state.as_str());
        tracing::error!(payment, state, cents = amount.0, "the terminal took money for an attempt that had ended: refund it");
    }
    Ok(())
}

/// Stores every word about one attempt.
struct Storing {
    house: Shared,
    id: PaymentId,
    /// Who waits for the first word.
    answer: Mutex<Option<oneshot::Sender<Result<PaymentDone>>>>,
}

impl Storing {
    /// Stores the end of the attempt, however long that takes, and answers whoever waits. A database that is away keeps the share locked, so
    /// nothing is lost by going on; the person is not kept waiting for it.
    async fn conclude(&self, event: &AttemptEvent, why: &str) {
        let word = Word { why, by: None, code: None };
        let mut tries = 0;
        let answer = loop {
            match conclude(&self.house, self.id, event, &word).await {
                Ok(answer) => break answer,
                Err(error @ (Error::NotUnknown | Error::NotFound(_))) => break Err(error),
                Err(error) => {
                    tries += 1;
                    tracing::error!(%error, payment = self.id.get(), tries, "the outcome is not stored yet");
                    if tries == ANSWER_AFTER {
                        self.answer(Err(Error::TerminalUnknown { payment_id: self.id }));
                    }
                    tokio::time::sleep(STORE_EVERY.min(Duration::from_millis(50) * 2u32.pow(tries.min(7)))).await;
                }
            }
        };
        self.answer(answer);
    }

    fn answer(&self, answer: Result<PaymentDone>) {
        let waiting = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waiting) = waiting {
            // Nobody there any more: the answer is stored, and the same request will get it.
            let _ = waiting.send(answer);
        }
    }

    async fn step(&self, from: AttemptState, event: &AttemptEvent, why: &str) -> bool {
        let Ok(to) = from.after(event) else { return false };
        match db::attempts::step(&self.house.db, self.id, from, to, &Step { why, ..Step::default() }).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::error!(%error, payment = self.id.get(), why, "a step of an attempt is not stored");
                false
            }
        }
    }
}

#[async_trait]
impl Witness for Storing {
    async fn about_to_send(&self) -> bool {
        self.step(AttemptState::Created, &AttemptEvent::AboutToSend, "about_to_send").await
    }

    async fn sent(&self) {
        // When this is not stored, `sending` is: it means the same to whoever comes after us.
        self.step(AttemptState::Sending, &AttemptEvent::RequestSent, "request_sent").await;
    }

    async fn nothing_sent(&self, why: &'static str) {
        self.conclude(&AttemptEvent::NothingSent, why).await;
    }

    async fn told(&self, outcome: Outcome) {
        let why = why(&outcome);
        self.conclude(&AttemptEvent::Told(outcome), &why).await;
    }

    async fn stray(&self, stray: Stray) {
        take_late(&self.house, stray).await;
    }
}

/// The terminal's word as the history shows it.
fn why(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Approved { .. } => "terminal: approved".to_owned(),
        Outcome::Declined { code } | Outcome::Cancelled { code } | Outcome::Failed { code } => format!("terminal: {code}"),
        Outcome::Unknown(doubt) => doubt.as_str().to_owned(),
    }
}

/// Takes an answer that nobody waits for: it ends the attempt that it names, if it agrees in everything. Else it is only said.
async fn take_late(house: &Shared, stray: Stray) {
    let found = match &stray.reference {
        Some(reference) => db::attempts::of_reference(&house.db, reference).await,
        None => Ok(None),
    };
    match found {
        Ok(Some(attempt)) if stray.answers(&attempt.charge()) => {
            tracing::warn!(payment = attempt.id.get(), "a late answer of the terminal");
            let why = format!("late, {}", why(&stray.outcome));
            let storing = Storing { house: house.clone(), id: attempt.id, answer: Mutex::new(None) };
            storing.conclude(&AttemptEvent::Told(stray.outcome), &why).await;
        }
        Ok(_) => tracing::error!(amount = ?stray.amount, outcome = ?stray.outcome, "the terminal speaks of a payment that is not ours"),
        Err(error) => tracing::error!(%error, "a late answer of the terminal could not be looked up"),
    }
}

/// Ends what processes that are gone left behind: what was not sent is not sent, for everything else nobody knows. At the start, and from time
/// to time, since another process may die while this one lives.
///
/// # Errors
/// When the database does not answer.
pub async fn recover(house: &House) -> Result<()> {
    for attempt in db::attempts::of_other_workers(&house.db, house.worker.id).await? {
        let mut tx = house.db.begin().await?;
        if !db::attempts::worker_is_gone(&mut tx, attempt.worker).await? {
            continue;
        }
        match conclude(house, attempt.id, &AttemptEvent::Orphaned, &Word { why: "process_gone", by: None, code: None }).await {
            Ok(_) => tracing::warn!(payment = attempt.id.get(), was = attempt.state.as_str(), "an attempt outlived its process"),
            // Somebody else was faster.
            Err(Error::NotUnknown) => {}
            Err(error) => return Err(error),
        }
        tx.commit().await?;
    }
    Ok(())
}
