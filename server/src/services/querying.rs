//! Scenario 2, what can be asked of a terminal that moves no money: its last ticket, to give up, and whether it is there.
//!
//! The last ticket is evidence for whoever has to say how a payment ended. It is shown and written down beside the payment, with who asked; it
//! ends nothing and books nothing, whatever it says: a person compares it with what the guest holds and decides ([`super::resolving`]).

use super::concluding::{Word, conclude};
use super::resolving;
use crate::db;
use crate::db::attempts::Attempt;
use crate::error::{Error, Result};
use crate::state::House;
use domain::PaymentId;
use domain::api::{PaymentView, SessionUser, TerminalAnswer, TerminalSays};
use domain::attempt::{AttemptEvent, AttemptState};
use domain::terminal::{Aborted, LastTicket, Probed, Queried};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How old an answer about the line may be before the terminal is asked again.
const FRESH: Duration = Duration::from_secs(30);
/// Whoever wants to know how the line is waits no longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the terminal of a payment can be asked about it.
pub(super) fn can_ask(house: &House, attempt: &Attempt) -> bool {
    attempt.state == AttemptState::Unknown
        && attempt.listening_until.is_none()
        && house.terminal.as_deref().is_some_and(|terminal| terminal.can_query() && terminal.name() == attempt.terminal)
}

/// Asks the terminal of a payment that nobody knows the end of for its last ticket.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::NotUnknown`] unless nobody knows; [`Error::StillListening`]; [`Error::TerminalBusy`].
pub async fn query(house: &House, user: &SessionUser, id: PaymentId) -> Result<TerminalSays> {
    let attempt = db::attempts::get(&house.db, id).await?.ok_or(Error::NotFound("ce paiement"))?;
    match (attempt.state, attempt.listening_until) {
        (AttemptState::Unknown, None) => {}
        (AttemptState::Unknown, Some(until)) => return Err(Error::StillListening { until }),
        _ => return Err(Error::NotUnknown),
    }
    let asked = match house.terminal.as_deref().filter(|terminal| terminal.name() == attempt.terminal) {
        None => Queried::Unsupported,
        Some(terminal) => {
            // Other processes drive the same terminal: until it has answered, no payment begins at it. Seconds, and cashiers are few.
            let mut tx = house.db.begin().await?;
            let is_kept = db::attempts::keep_terminal(&mut tx, &attempt.terminal).await?;
            if !is_kept || db::attempts::is_busy(&mut *tx, &attempt.terminal).await? {
                return Err(Error::TerminalBusy);
            }
            let asked = terminal.query().await;
            tx.rollback().await?;
            asked
        }
    };
    let ticket = match &asked {
        Queried::Ticket(ticket) => ticket.clone(),
        _ => LastTicket::default(),
    };
    let answer = match asked {
        Queried::Busy => return Err(Error::TerminalBusy),
        Queried::Unsupported => TerminalAnswer::Unsupported,
        Queried::Unreachable | Queried::Silent => TerminalAnswer::Silent,
        Queried::Refused => TerminalAnswer::Refused,
        Queried::Ticket(ticket) => compared(&ticket, &attempt),
    };
    if answer != TerminalAnswer::Unsupported {
        db::attempts::remark(&house.db, id, AttemptState::Unknown, &in_words(answer, &ticket), Some(user.id)).await?;
    }
    tracing::info!(payment = id.get(), answer = answer.as_str(), user = user.id.get(), "the terminal was asked for its last ticket");
    let LastTicket { amount, approval_code, .. } = ticket;
    Ok(TerminalSays { answer, amount, approval_code, payment: resolving::view(house, id).await? })
}

fn compared(ticket: &LastTicket, attempt: &Attempt) -> TerminalAnswer {
    let charge = attempt.charge();
    if ticket.is_of(&charge) {
        TerminalAnswer::SamePayment
    } else if ticket.is_of_another(&charge) {
        TerminalAnswer::OtherPayment
    } else if ticket.amount.is_none() && ticket.approval_code.is_none() {
        TerminalAnswer::Reprinted
    } else {
        TerminalAnswer::Unnamed
    }
}

/// As the history shows it.
fn in_words(answer: TerminalAnswer, ticket: &LastTicket) -> String {
    let mut words = format!("duplicata: {}", answer.as_str());
    if let Some(amount) = ticket.amount {
        words.push_str(&format!(", {amount}"));
    }
    if let Some(code) = &ticket.approval_code {
        words.push_str(&format!(", {code}"));
    }
    words
}

/// Gives up a payment whose request is not out yet. From the first byte on only the red key of the terminal does.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::TooLateToAbort`].
pub async fn abort(house: &House, user: &SessionUser, id: PaymentId) -> Result<PaymentView> {
    let word = Word { by: Some(user.id), operator: &user.name, ..Word::of_the_machine("aborted") };
    match conclude(house, id, &AttemptEvent::GivenUp, &word).await {
        // What it answers to the payment's request is not ours.
        Ok(_answer) => resolving::view(house, id).await,
        Err(Error::NotUnknown) => {
            let requested = match house.terminal.as_deref() {
                Some(terminal) => terminal.abort().await == Aborted::Requested,
                None => false,
            };
            if requested { resolving::view(house, id).await } else { Err(Error::TooLateToAbort) }
        }
        Err(error) => Err(error),
    }
}

/// What is known of the terminal's line. Asked only when somebody wants to know, and not too often.
#[derive(Default)]
pub struct Watch(Mutex<Option<(Instant, Probed)>>);

/// Whether the terminal is there; `None` without one on the line.
pub async fn line(house: &House) -> Option<Probed> {
    let terminal = house.terminal.as_deref()?;
    let mut known = house.line.0.lock().await;
    match *known {
        Some((at, probed)) if at.elapsed() < FRESH => Some(probed),
        _ => {
            let probed = tokio::time::timeout(PATIENCE, terminal.probe()).await.unwrap_or(Probed::Unreachable);
            *known = Some((Instant::now(), probed));
            Some(probed)
        }
    }
}
