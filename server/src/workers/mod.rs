//! What goes on without anybody asking. A worker takes one step at a time, so that a test can drain it; its loop is a few lines, until the
//! server stops.

pub mod attempts;
pub mod escalation;
pub mod fiscal;
pub mod menu;
pub mod outbox;
pub mod printing;
pub mod push;
pub mod relay;
pub mod teller;
pub mod way;

use crate::state::Shared;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What brings events to the sockets of this process, until the server stops.
#[must_use]
pub fn keep_telling(house: &Shared, stopping: &CancellationToken) -> JoinSet<()> {
    let mut working = JoinSet::new();
    let with = || (Arc::clone(house), stopping.clone());
    let (house, stopping) = with();
    working.spawn(supervised("teller", move || teller::run(Arc::clone(&house), stopping.clone())));
    let (house, stopping) = with();
    working.spawn(supervised("push", move || push::run(Arc::clone(&house), stopping.clone())));
    let (house, stopping) = with();
    working.spawn(supervised("relay", move || relay::run(Arc::clone(&house), stopping.clone())));
    let (house, stopping) = with();
    working.spawn(supervised("escalation", move || escalation::run(Arc::clone(&house), stopping.clone())));
    working
}

/// How long a worker that panicked rests: a panic at every step must not fill the log in a minute.
const RESTS: Duration = Duration::from_secs(1);

/// Does a work until it ends by itself. One that panics is logged and begun anew: what it had in hand is in the database.
pub async fn supervised<W: Future<Output = ()>>(name: &'static str, mut begin: impl FnMut() -> W) {
    // What a panic leaves half done belonged to the work that is thrown away with it.
    while AssertUnwindSafe(begin()).catch_unwind().await.is_err() {
        tracing::error!(worker = name, "a worker panicked; it begins anew");
        tokio::time::sleep(RESTS).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn a_worker_that_panics_begins_anew_until_it_ends_by_itself() {
        let begun = Cell::new(0);
        let work = || {
            begun.set(begun.get() + 1);
            let times = begun.get();
            async move {
                tokio::task::yield_now().await;
                assert!(times == 3, "on purpose");
            }
        };
        supervised("test", work).await;
        assert_eq!(begun.get(), 3);
    }
}
