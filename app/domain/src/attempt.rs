//! The life of an attempt to charge a card.
//!
//! ```text
//! created ─→ sending ─→ sent ─→ approved | declined | cancelled | failed
//!    │          │         └───→ unknown ─→ approved | declined | cancelled | failed   (a late answer, or a person)
//!    └──────────┴→ not_sent
//! ```
//!
//! Each step is stored before the next byte goes out. Until the first byte of the request is out nothing has happened, and the attempt may
//! end as `not_sent`. From then on the share is freed only by somebody's word: the terminal's, or a person's who has looked at its ticket.
//! `unknown` keeps the share locked against any means of payment.
//!
//! What is final stays, with one exception that is no event of this machine: when a terminal says late that it took money for an attempt that
//! had ended without, and a person decides to book it while its share is still open, that decision is stored first, and the attempt is `unknown`
//! for one moment before it is approved. The database refuses that step without the decision.

use crate::terminal::Outcome;
use serde::{Deserialize, Serialize};

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Stored; the terminal knows nothing of it.
    Created,
    /// The first byte of the request may be out.
    Sending,
    /// The request is out.
    Sent,
    /// Money was taken.
    Approved,
    /// The card was refused, or a person says that nothing was taken.
    Declined,
    /// Given up at the terminal.
    Cancelled,
    /// The terminal would not do it.
    Failed,
    /// Nobody can tell.
    Unknown,
    /// Nothing was sent.
    NotSent,
}

/// What happens to an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEvent {
    /// The first byte is about to go out.
    AboutToSend,
    /// The request is out.
    RequestSent,
    /// No byte of the request was written.
    NothingSent,
    /// A person gave it up before anything was said to the terminal.
    GivenUp,
    /// The terminal, or its silence, says how it ended; in time or late.
    Told(Outcome),
    /// The process that worked on it is gone.
    Orphaned,
    /// There is no terminal on the line: the cashier typed what the terminal of its own printed.
    TypedIn,
    /// A person has looked.
    Resolved {
        /// The terminal's ticket says that money was taken.
        accepted: bool,
    },
}

/// An event that cannot happen to an attempt in that state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not possible from {}", .0.as_str())]
pub struct Impossible(pub AttemptState);

impl AttemptState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Sending,
        Self::Sent,
        Self::Approved,
        Self::Declined,
        Self::Cancelled,
        Self::Failed,
        Self::Unknown,
        Self::NotSent,
    ];

    /// The word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::NotSent => "not_sent",
        }
    }

    /// Whether it holds its share: nobody may pay, divide or take off what it owns.
    #[must_use]
    pub const fn holds_its_share(self) -> bool {
        self.is_under_way() || matches!(self, Self::Unknown)
    }

    /// Whether its terminal is at it.
    #[must_use]
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Created | Self::Sending | Self::Sent)
    }

    /// Whether it has ended and stays as it is.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !self.holds_its_share()
    }

    /// Where `event` leads.
    ///
    /// # Errors
    /// [`Impossible`]; nothing changes then.
    pub const fn after(self, event: &AttemptEvent) -> Result<Self, Impossible> {
        use AttemptEvent as E;
        Ok(match (self, event) {
            (Self::Created, E::AboutToSend) => Self::Sending,
            // Nothing is out before the state says that it may be.
            (Self::Created, E::NothingSent | E::Orphaned | E::GivenUp) | (Self::Sending, E::NothingSent) => Self::NotSent,
            (Self::Created, E::TypedIn) => Self::Approved,
            (Self::Sending, E::RequestSent) => Self::Sent,
            (Self::Sending | Self::Sent, E::Orphaned) => Self::Unknown,
            (Self::Sending | Self::Sent, E::Told(outcome)) => Self::told(outcome),
            // A doubt adds nothing to a doubt.
            (Self::Unknown, E::Told(Outcome::Unknown(_))) => return Err(Impossible(self)),
            (Self::Unknown, E::Told(outcome)) => Self::told(outcome),
            (Self::Unknown, E::Resolved { accepted: true }) => Self::Approved,
            (Self::Unknown, E::Resolved { accepted: false }) => Self::Declined,
            _ => return Err(Impossible(self)),
        })
    }

    const fn told(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Approved { .. } => Self::Approved,
            Outcome::Declined { .. } => Self::Declined,
            Outcome::Cancelled { .. } => Self::Cancelled,
            Outcome::Failed { .. } => Self::Failed,
            Outcome::Unknown(_) => Self::Unknown,
        }
    }
}

impl std::str::FromStr for AttemptState {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or("unknown state of an attempt")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cents;
    use crate::terminal::Doubt;
    use proptest::prelude::*;

    fn outcomes() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Approved { approval_code: None, amount: Cents(1) }),
            Just(Outcome::Declined { code: String::new() }),
            Just(Outcome::Cancelled { code: String::new() }),
            Just(Outcome::Failed { code: String::new() }),
            Just(Outcome::Unknown(Doubt::Silence)),
        ]
    }

    fn events() -> impl Strategy<Value = AttemptEvent> {
        prop_oneof![
            Just(AttemptEvent::AboutToSend),
            Just(AttemptEvent::RequestSent),
            Just(AttemptEvent::NothingSent),
            Just(AttemptEvent::GivenUp),
            outcomes().prop_map(AttemptEvent::Told),
            Just(AttemptEvent::Orphaned),
            Just(AttemptEvent::TypedIn),
            any::<bool>().prop_map(|accepted| AttemptEvent::Resolved { accepted }),
        ]
    }

    #[test]
    fn words_are_read_back() {
        for state in AttemptState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }

    proptest! {
        /// Any events in any order.
        #[test]
        fn what_is_final_stays_and_nothing_leads_back(happened in prop::collection::vec(events(), 0..30)) {
            let mut state = AttemptState::Created;
            let mut a_byte_is_out = false;
            for event in happened {
                let Ok(next) = state.after(&event) else { continue };
                prop_assert!(!state.is_final(), "{state:?} is final, {event:?}");
                prop_assert!(!matches!(next, AttemptState::Created), "nothing begins anew");
                if a_byte_is_out {
                    prop_assert!(!matches!(next, AttemptState::Sending | AttemptState::NotSent), "after the first byte: {state:?} {event:?}");
                    let somebody_says_so = matches!(&event, AttemptEvent::Told(outcome) if !matches!(outcome, Outcome::Unknown(_)))
                        || matches!(event, AttemptEvent::Resolved { .. });
                    prop_assert!(next.holds_its_share() || somebody_says_so, "freed by nobody: {state:?} {event:?}");
                }
                if event == AttemptEvent::GivenUp {
                    prop_assert_eq!(state, AttemptState::Created, "what may be at the terminal is given up there");
                }
                if matches!(event, AttemptEvent::Resolved { .. }) {
                    prop_assert_eq!(state, AttemptState::Unknown, "a person is asked only when nobody knows");
                }
                a_byte_is_out |= event == AttemptEvent::RequestSent;
                state = next;
            }
        }
    }
}
