//! What the rules of the journal forbid and somebody tried all the same is in the technical journal, though nothing came of it.
//!
//! Written in a transaction of its own, after the one that was refused is gone. Where it cannot be written, the refusal stands.

use super::{journal, recording};
use crate::db;
use crate::error::Error;
use crate::state::{House, REGISTER};
use domain::fiscal::{Chain, EventCode, EventContent};
use domain::service_day::service_day;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// To give more money back than came.
    Refund,
    /// To correct the means of a payment that a terminal took, or of which nothing is left.
    Method,
    /// To close a day while nobody knows how a payment by card ended.
    Closing,
    /// To guess a PIN.
    SignIn,
}

impl Tried {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Method => "method",
            Self::Closing => "closing",
            Self::SignIn => "sign_in",
        }
    }
}

/// Writes a refusal down. What was mistyped, or does not exist, is none.
pub async fn record(house: &House, tried: Tried, operator: &str, error: &Error, of: Option<(&'static str, String)>) {
    let why = match (tried, error) {
        (Tried::Refund | Tried::Method, Error::Invalid(errors)) => {
            let forbidden = ["more_than_paid", "more_than_sold", "taken_by_terminal"];
            let Some(error) = errors.iter().find(|error| forbidden.contains(&error.code.as_str())) else { return };
            error.code.clone()
        }
        (Tried::Closing, Error::UnresolvedPayments { .. }) => "unresolved_payments".to_owned(),
        (Tried::SignIn, Error::WrongPin) => "locked".to_owned(),
        _ => return,
    };
    let in_the_way = match error {
        Error::UnresolvedPayments { payment_ids, .. } => {
            Some(("payments", payment_ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")))
        }
        _ => None,
    };
    let written = async {
        let details: Vec<_> = [("tried", tried.as_str().to_owned()), ("why", why)].into_iter().chain(of).chain(in_the_way).collect();
        let mut tx = house.db.begin().await?;
        let locked = journal::lock(house, &mut tx, Chain::J).await?;
        // Whoever presses the same button again and again fills no journal: of a service day each is said once. On another day it is another try.
        let said = db::journal::events_of_day(&mut *tx, REGISTER, "refused", service_day(locked.local)).await?;
        let is_same =
            |said: EventContent| said.operator == operator && details.iter().all(|(name, value)| said.details.get(*name) == Some(value));
        if said.iter().filter_map(|content| serde_json::from_str(content).ok()).any(is_same) {
            return Ok(());
        }
        recording::event(house, &mut tx, EventCode::Refused, operator, details).await?;
        tx.commit().await?;
        Ok::<_, Error>(())
    };
    if let Err(error) = written.await {
        tracing::warn!(%error, tried = tried.as_str(), "a refusal is not in the technical journal");
    }
}
