//! The fiscal journal from the outside: what it signs is frozen, and what is done to it afterwards is found.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod golden;
mod journal;
mod support;
