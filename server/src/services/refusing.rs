//! What the rules of the journal forbid and somebody tried all the same is in the technical journal, though nothing came of it.
//!
//! Written in a transaction of its own, after the one that was refused is gone. Where it cannot be written, the refusal stands.

use super::{journal, recording};
use crate::db;
use crate::error::Error;
use crate::state::{House, REGISTER};
use domain::fiscal::{Chain, EventCode, EventContent};

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
    let written = async {
        let details: Vec<_> = [("tried", tried.as_str().to_owned()), ("why", why)].into_iter().chain(of).collect();
        let mut tx = house.db.begin().await?;
        journal::lock(house, &mut tx, Chain::J).await?;
        // Whoever presses the same button again and again fills no journal.
        let last = db::journal::last_event(&mut tx, REGISTER, "refused").await?;
        let last = last.and_then(|record| serde_json::from_str::<EventContent>(&record.content_text).ok());
        let is_same =
            |last: &EventContent| last.operator == operator && details.iter().all(|(name, value)| last.details.get(*name) == Some(value));
        if last.as_ref().is_some_and(is_same) {
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
