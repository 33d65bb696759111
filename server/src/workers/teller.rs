//! Tells the phones of this process what was stored, in the order of the numbers, each number once.
//!
//! Whoever stores something wakes the teller after the commit; a process elsewhere is woken through Redis. Both only say *look*: what is said,
//! and to whom, is read from the database when it is told, so that a table that was handed over a moment ago reaches its new waiter. What a
//! kitchen system says comes with that already, read under the lock under which it got its number, and saves the look. Should nobody wake it (a request that was dropped between its commit and the call, a Redis that is gone), it looks by itself every second.

use crate::adapters::bus::Bus;
use crate::db;
use crate::db::pass::Said;
use crate::error::Result;
use crate::state::{House, Shared};
use domain::api::Event;
use domain::pass::Told;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How late something is told of which nobody woke the teller.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where the telling stands.
pub struct Teller {
    wake: Notify,
    /// The last number that was told here. Held while something is told, so that nothing is told twice or out of order.
    last: Mutex<i64>,
}

impl Teller {
    /// Begins after this number: what was said before is asked for by whoever missed it.
    #[must_use]
    pub fn after(last: i64) -> Self {
        Self { wake: Notify::new(), last: Mutex::new(last) }
    }

    /// Something was stored: here, and every other process, look.
    pub fn wake(&self, bus: &Bus) {
        self.wake_here();
        bus.news_abroad();
    }

    /// Look.
    pub fn wake_here(&self) {
        self.wake.notify_one();
    }

    /// This was stored: it is told here now, if everything before it was told, and in its turn otherwise; every other process looks.
    pub fn tell(&self, bus: &Bus, said: Said) {
        let is_next = {
            let mut last = self.last();
            let is_next = said.id == *last + 1;
            if is_next {
                tell_one(bus, &mut last, said);
            }
            is_next
        };
        if !is_next {
            self.wake_here();
        }
        bus.news_abroad();
    }

    /// The last number that was told here: everything up to it was, and what has a higher one is still to come.
    #[must_use]
    pub fn told(&self) -> i64 {
        *self.last()
    }

    // Nothing panics while it holds this.
    fn last(&self) -> MutexGuard<'_, i64> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells for as long as the server runs.
pub async fn run(house: Shared, stopping: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = house.teller.wake.notified() => {}
            _ = tick.tick() => {}
        }
        if let Err(error) = tell(&house).await {
            tracing::warn!(%error, "dishes at the pass not told yet");
        }
    }
}

/// Tells what is new. Only one caller at a time: the worker.
///
/// # Errors
/// When the database does not answer; the next call goes on where this one stopped.
async fn tell(house: &House) -> Result<()> {
    loop {
        let after = *house.teller.last();
        let said = db::pass::said_after(&house.db, after, &house.zone).await?;
        let is_all = said.len() < usize::try_from(db::pass::PAGE).unwrap_or(usize::MAX);
        for said in said {
            let mut last = house.teller.last();
            // It may have been told meanwhile by whoever stored it.
            if said.id > *last {
                tell_one(&house.bus, &mut last, said);
            }
        }
        if is_all {
            return Ok(());
        }
    }
}

fn tell_one(bus: &Bus, last: &mut i64, said: Said) {
    bus.tell(said.id, &event(said.news, said.level), &said.to);
    *last = said.id;
}

/// What is said of a dish, as it travels.
#[must_use]
pub fn event(news: domain::api::DishNews, level: Told) -> Event {
    match level {
        Told::Waiter => Event::DishReady(news),
        Told::Colleagues | Told::Till => Event::DishEscalated { news, level },
    }
}
