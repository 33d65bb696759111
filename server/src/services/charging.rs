//! Scenario 2, by card: a share is charged, and never twice.
//!
//! Take the request's id → hold the order → find the share → store the attempt with exactly what the share owns → commit. Then, with no lock
//! held: reach the terminal → commit `sending` → the first byte → commit `sent` → wait → store what it says → and end the attempt by it
//! (`concluding.rs`). All of it is detached from the request, which only waits for the end.
//!
//! Whatever the browser, the request or this process does meanwhile, the attempt stays where it was stored last, and its share stays locked until
//! somebody's word ends it: the terminal's, in time or late, or a person's ([`super::resolving`]). Nothing is ever sent again by itself.

use super::concluding::{Concluded, Word, conclude_in, known, refusal};
use super::once::{self, Answered, Earlier};
use super::paying::{order_in_body, take_share};
use super::witnessing::Storing;
use super::{billing, floor};
use crate::db;
use crate::db::attempts::{NO_TERMINAL, NewAttempt};
use crate::error::{Error, Result};
use crate::state::{Driving, House, Shared, Turn};
use domain::api::{OrderStatus, PaymentDone, PaymentRequest, SessionUser};
use domain::attempt::{AttemptEvent, AttemptState};
use domain::order::FieldError;
use domain::share::{OpenShare, SharePart};
use domain::terminal::{Charge, MAX_CHARGE, Reference, Till, approval_code};
use domain::{Cents, PaymentId, TableId};
use sqlx::PgConnection;
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at an attempt that another request began.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long an attempt whose exchange broke may take until it is known where it stands.
const SOON: Duration = Duration::from_secs(10);

/// Charges a card for a share. The same `uuid` again charges nothing and returns what is known by then.
///
/// # Errors
/// As [`super::paying::pay`], and [`Error::TerminalBusy`], [`Error::CardDeclined`], [`Error::CardCancelled`], [`Error::TerminalUnavailable`],
/// [`Error::TerminalUnknown`].
pub async fn charge(house: &Shared, user: &SessionUser, request: &PaymentRequest) -> Result<Answered<PaymentDone>> {
    let typed_in = check(house, request)?;
    // Detached before anything is stored: a browser that goes away, even during the first commit, leaves nothing half done.
    let story = tokio::spawn(charge_detached(house.clone(), user.clone(), request.clone(), typed_in));
    story.await.map_err(Error::internal)?
}

/// How a charge begins.
enum Begun {
    /// It was answered before.
    Answered(Answered<PaymentDone>),
    /// The same request began it before.
    Before,
    /// It needed no terminal.
    TypedIn { answer: Result<PaymentDone>, turn: Option<Turn> },
    /// The terminal is to be asked.
    Asked { charge: Charge, driving: Driving },
}

async fn charge_detached(
    house: Shared,
    user: SessionUser,
    request: PaymentRequest,
    typed_in: Option<String>,
) -> Result<Answered<PaymentDone>> {
    match db::again!(begin(&house, &user, &request, typed_in.as_deref()).await)? {
        Begun::Answered(answered) => Ok(answered),
        Begun::TypedIn { answer, turn } => {
            drop(turn);
            answer.map(Answered::now)
        }
        Begun::Before => begun_before(&house, &user, &request).await,
        Begun::Asked { charge, driving } => ask_terminal(&house, charge, driving).await.map(Answered::now),
    }
}

/// Stores the attempt, if its share is free.
async fn begin(house: &Shared, user: &SessionUser, request: &PaymentRequest, typed_in: Option<&str>) -> Result<Begun> {
    let (begun, table) = house.cards.transact(async |tx| begin_in(house, tx, user, request, typed_in).await).await?;
    if let Some(table) = table {
        floor::announce(house, table, request.order_id);
    }
    Ok(begun)
}

/// The same in a transaction, with the table where something changed.
async fn begin_in(
    house: &Shared,
    tx: &mut PgConnection,
    user: &SessionUser,
    request: &PaymentRequest,
    typed_in: Option<&str>,
) -> Result<(Begun, Option<TableId>)> {
    match once::take_up(tx, user.id, request).await?.0 {
        Earlier::Nothing => {}
        Earlier::Answered(answered) => return Ok((Begun::Answered(answered), None)),
        Earlier::UnderWay => return Ok((Begun::Before, None)),
    }
    let mut ledger = billing::read(tx, request.order_id).await.map_err(order_in_body)?;
    let share = match taken_before(tx, &ledger, request).await? {
        Some(share) => share,
        None => take_share(tx, &mut ledger, request).await?,
    };
    let tip = request.tip.unwrap_or_default();
    let reference = Reference::from_random(rand::random());
    let till = house.terminal.as_deref().map_or(Till::FIRST, |terminal| terminal.till());
    let id = db::attempts::insert(
        tx,
        &NewAttempt {
            uuid: request.uuid,
            reference: &reference,
            order: request.order_id,
            share_number: share.number,
            amount: share.amount(),
            tip,
            parts: &share.parts,
            training: house.training,
            terminal: house.terminal.as_deref().map_or(NO_TERMINAL, |terminal| terminal.name()),
            is_asked: house.terminal.is_some(),
            till,
            user: user.id,
            worker: house.worker.id,
        },
    )
    .await?;
    let table = Some(ledger.head.table_id);
    // Nobody to wait for: what the cashier typed is the end.
    if let Some(code) = typed_in {
        let word =
            Word { why: "typed_in", by: Some(user.id), operator: &user.name, code: Some(code.to_owned()), amount: None, listening: None };
        return match conclude_in(house, tx, id, &AttemptEvent::TypedIn, &word).await? {
            Concluded::Ended { answer, turn, .. } => Ok((Begun::TypedIn { answer, turn }, table)),
            Concluded::Before => Err(Error::internal("a new attempt had ended")),
        };
    }
    // Ours before anybody can see it: what is not driven is taken for left behind.
    let driving = house.worker.drive(id);
    Ok((Begun::Asked { charge: Charge { reference, amount: share.amount() + tip, till }, driving }, table))
}

/// The share that this request took out of others, or joined, when nothing came of it: it is cut already, and the same request finds it.
async fn taken_before(db: &mut PgConnection, ledger: &billing::Ledger, request: &PaymentRequest) -> Result<Option<OpenShare>> {
    let Some(uuid) = request.uuid.filter(|_| request.part.is_some() || !request.also.is_empty()) else { return Ok(None) };
    let Some(last) = db::attempts::last_of_request(&mut *db, uuid).await? else { return Ok(None) };
    let same = last.order == request.order_id
        && last.share_number == request.cover_number
        && last.amount == request.part.unwrap_or(request.amount)
        && last.tip == request.tip.unwrap_or_default();
    if !same || ledger.head.status != OrderStatus::Open {
        return Ok(None);
    }
    let parts = db::attempts::parts(db, last.id).await?;
    Ok(ledger.open.iter().find(|share| share.number == last.share_number && owns_the_same(&share.parts, &parts)).cloned())
}

/// Whether two shares own the same of each line, in whatever order.
pub(super) fn owns_the_same(one: &[SharePart], other: &[SharePart]) -> bool {
    one.len() == other.len() && one.iter().all(|part| other.contains(part))
}

/// Checks what can be checked without looking anything up. Returns what the cashier typed, where no terminal is on the line.
fn check(house: &House, request: &PaymentRequest) -> Result<Option<String>> {
    let mut errors = Vec::new();
    if request.amount <= Cents::ZERO {
        errors.push(FieldError::new("amount", "not_positive"));
    }
    let tip = request.tip.unwrap_or_default();
    if request.amount > MAX_CHARGE || tip > MAX_CHARGE || request.amount + tip > MAX_CHARGE {
        errors.push(FieldError::new("amount", "out_of_range"));
    }
    if tip.is_negative() {
        errors.push(FieldError::new("tip", "not_expected"));
    }
    if request.part.is_some_and(|part| part <= Cents::ZERO || part > request.amount) {
        errors.push(FieldError::new("part", "out_of_range"));
    }
    if request.tendered.is_some() {
        errors.push(FieldError::new("tendered", "not_expected"));
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

/// Lets the terminal work, and waits for its first word.
async fn ask_terminal(house: &Shared, charge: Charge, driving: Driving) -> Result<PaymentDone> {
    let terminal = house.terminal.clone().ok_or_else(|| Error::internal("no terminal is on the line"))?;
    let id = driving.attempt;
    let (witness, answered) = Storing::watching(house.clone(), driving);
    // It goes on after its first word: a terminal that was given up may still say something.
    tokio::spawn(async move { terminal.pay(charge, witness).await });
    match answered.await {
        Ok(answer) => answer,
        // The exchange broke. Whoever sweeps sees that nobody drives the attempt, and says where it stands.
        Err(_) => end_of(house, id, Instant::now() + SOON).await,
    }
}

/// Waits until an attempt has ended, and says how.
async fn end_of(house: &House, id: PaymentId, until: Instant) -> Result<PaymentDone> {
    loop {
        let mut tx = house.db.begin_with(db::SNAPSHOT).await?;
        let attempt = db::attempts::get(&mut *tx, id).await?.ok_or(Error::NotFound("ce paiement"))?;
        if !attempt.state.is_under_way() {
            return known(&mut tx, &attempt).await;
        }
        drop(tx);
        if Instant::now() >= until {
            return Err(Error::TerminalUnknown { payment_id: id });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What is known of an attempt that the same request began before; waits for it while the terminal is at it.
async fn begun_before(house: &House, user: &SessionUser, request: &PaymentRequest) -> Result<Answered<PaymentDone>> {
    let uuid = request.uuid.ok_or_else(|| Error::internal("a request without an id has nothing before it"))?;
    let patience = house.terminal.as_deref().map_or(Duration::ZERO, |terminal| terminal.patience());
    let until = Instant::now() + patience;
    let again = |error| Err(Error::Again(Box::new(error)));
    loop {
        let mut tx = house.db.begin().await?;
        let earlier = once::look(&mut tx, Some(uuid), "payments", user.id, request).await?;
        drop(tx);
        match earlier {
            Earlier::Answered(answered) => return Ok(answered),
            // Nothing came of it: that is the answer, and the request may be made again.
            Earlier::Nothing => {
                let last = db::attempts::last_of_request(&house.db, uuid).await?;
                let last = last.ok_or(Error::PaymentInProgress { payment_id: None, unknown: false })?;
                return again(refusal(last.id, last.state, last.error_code));
            }
            Earlier::UnderWay => {}
        }
        let attempt = db::attempts::of_request(&house.db, uuid).await?;
        match attempt {
            // It came to nothing, or was booked, between the two looks: the next one sees it.
            None => {}
            Some(attempt) if attempt.state == AttemptState::Approved => {}
            Some(attempt) if !attempt.state.is_under_way() => return again(refusal(attempt.id, attempt.state, attempt.error_code)),
            Some(attempt) if Instant::now() >= until => return again(Error::TerminalUnknown { payment_id: attempt.id }),
            Some(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
