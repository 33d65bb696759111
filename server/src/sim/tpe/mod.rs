//! A simulated card terminal. It speaks as terminals do, misbehaves as terminals do, and keeps a ledger of its own of what it charged: whoever
//! tests a till compares the two.

pub mod line;
mod tcp;

use domain::Cents;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the terminal does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Charges, and says so.
    Approve,
    /// Refuses the card.
    Decline,
    /// The guest presses the red key.
    Cancel,
    /// Takes the request and never answers; charges nothing.
    Silent,
    /// Charges, and drops the line before it says so.
    DropAfterRequest,
    /// Charges half.
    Partial,
    /// Charges, and says so after a while, whether or not anybody still listens.
    Slow(Duration),
    /// Charges, and answers under the name of another attempt.
    WrongEcho,
    /// Does not understand the request.
    Refuse,
}

impl FromStr for Script {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "approve" => Self::Approve,
            "decline" => Self::Decline,
            "cancel" => Self::Cancel,
            "silent" => Self::Silent,
            "drop-after-request" => Self::DropAfterRequest,
            "partial" => Self::Partial,
            "wrong-echo" => Self::WrongEcho,
            "refuse" => Self::Refuse,
            _ => {
                let wait = text.strip_prefix("slow:").and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
                Self::Slow(wait.ok_or_else(|| {
                    format!("{text}: give approve, decline, cancel, silent, drop-after-request, partial, wrong-echo, refuse or slow:MS")
                })?)
            }
        })
    }
}

/// What the terminal took from a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The attempt, as the till named it.
    pub reference: String,
    /// How much.
    pub amount: Cents,
}

/// A terminal.
pub struct Simulator {
    scripts: Vec<Script>,
    played: AtomicUsize,
    ledger: Mutex<Vec<Charged>>,
    /// Told of every request and of what became of it.
    report: Option<fn(&str)>,
}

impl Simulator {
    /// A terminal that plays these scripts, a request each; the last one again and again. Without any it approves.
    #[must_use]
    pub fn playing(scripts: Vec<Script>) -> Arc<Self> {
        Arc::new(Self { scripts, played: AtomicUsize::new(0), ledger: Mutex::default(), report: None })
    }

    /// The same, with somebody watching.
    #[must_use]
    pub fn reporting(scripts: Vec<Script>, report: fn(&str)) -> Arc<Self> {
        Arc::new(Self { scripts, played: AtomicUsize::new(0), ledger: Mutex::default(), report: Some(report) })
    }

    /// Everything that it charged.
    #[must_use]
    pub fn charged(&self) -> Vec<Charged> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests it got.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.played.load(Ordering::SeqCst)
    }

    /// What to do with the request that just came.
    fn next_script(&self, reference: &str, amount: Cents) -> Script {
        let at = self.played.fetch_add(1, Ordering::SeqCst);
        let script = self.scripts.get(at).or(self.scripts.last()).copied().unwrap_or(Script::Approve);
        if let Some(report) = self.report {
            report(&format!("{reference}: asked for {amount}, plays {script:?}"));
        }
        script
    }

    /// Takes money.
    fn charge(&self, reference: &str, amount: Cents) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).push(Charged { reference: reference.to_owned(), amount });
        if let Some(report) = self.report {
            report(&format!("{reference}: charged {amount}"));
        }
    }
}

/// Half of it, at least a cent.
fn half(amount: Cents) -> Cents {
    Cents((amount.0 / 2).max(1))
}
