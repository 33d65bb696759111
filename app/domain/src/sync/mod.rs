//! Orders that a phone keeps until the server has them.
//!
//! An [`Intent`] is what a waiter meant: *this round, for these guests*. It is written on the phone before the screen says so, under a
//! number that the phone chose, and stays until the server has it or a person gives it up. The [`Queue`] says what is sent when; it is fed
//! with what happens and answers with what to do, and does nothing itself. [`judge()`] is the server's side of the same story: where a round
//! belongs that was typed without knowing what others did meanwhile.
//!
//! What they promise together, whatever is lost, doubled, late or killed: every intent is on exactly one order once, or was given up by a
//! person; a [`Conflict`] is always shown; one that waits for a person holds nobody else back.

mod conflict;
mod contract;
mod intent;
mod judge;
mod queue;
mod watch;

pub use conflict::{Answer, Choice, Conflict, read_answer, read_drop_answer};
pub use contract::{CONTRACT, CONTRACT_HEADER, OLDEST_CONTRACT, Spoken, understood};
pub use intent::{Ask, FORMAT, Intent, IntentState, NotAnIntent};
pub use judge::{Facts, IN_TOUCH, Ruling, SeenOrder, appends, judge};
pub use queue::{Effect, MAX_IN_FLIGHT, Queue, Waiting};
pub use watch::{Look, PATIENCE, Watch};
