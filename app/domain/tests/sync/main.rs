//! Three phones, one house, and everything that can go wrong between them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_wrap,
    clippy::unreachable,
    reason = "tests: names say what they show, and what cannot go on should stop"
)]

mod indexed;
mod model;
mod previous;
mod schedule;

use model::Model;
use schedule::{Schedule, Summary};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The model answers at once: there is nothing to wait for.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the model never waits"),
    }
}

fn run(seeds: std::ops::Range<u64>) -> Summary {
    let mut all = Summary::default();
    for seed in seeds {
        all += now(Schedule::run(&mut Model::default(), seed, 80, [5, 6, 7], [12, 14, 34]));
    }
    all
}

#[test]
fn every_intent_is_on_one_order_once_or_given_up_and_every_conflict_is_shown() {
    let all = run(0..10_000);
    // A schedule in which nothing goes wrong shows nothing.
    assert!(all.conflicts > 10_000 && all.crashes > 10_000 && all.lost > 10_000 && all.doubled > 1_000 && all.given_up > 1_000, "{all:?}");
}
