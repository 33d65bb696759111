//! Tells the phones of this process what was stored, in the order of the numbers, each number once.
//!
//! Whoever stores something wakes the teller after the commit; a process elsewhere is woken through Redis. Both only say *look*: what is said,
//! and to whom, is read from the database when it is told, so that a table that was handed over a moment ago reaches its new waiter. Should
//! nobody wake it (a request that was dropped between its commit and the call, a Redis that is gone), it looks by itself every second.

use crate::adapters::bus::Bus;
use crate::db;
use crate::error::Result;
use crate::state::{House, Shared};
use domain::api::Event;
use domain::pass::Told;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How late something is told of which nobody woke the teller.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where the telling stands.
pub struct Teller {
    wake: Notify,
    /// The last number that was told here.
    last: AtomicI64,
}

impl Teller {
    /// Begins after this number: what was said before is asked for by whoever missed it.
    #[must_use]
    pub fn after(last: i64) -> Self {
        Self { wake: Notify::new(), last: AtomicI64::new(last) }
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
        let said = db::pass::said_after(&house.db, house.teller.last.load(Ordering::Relaxed), &house.zone).await?;
        let is_all = said.len() < usize::try_from(db::pass::PAGE).unwrap_or(usize::MAX);
        for said in said {
            let event = event(said.news, said.level);
            house.bus.tell(said.id, &event, &said.to);
            house.teller.last.store(said.id, Ordering::Relaxed);
        }
        if is_all {
            return Ok(());
        }
    }
}

/// What is said of a dish, as it travels.
#[must_use]
pub fn event(news: domain::api::DishNews, level: Told) -> Event {
    match level {
        Told::Waiter => Event::DishReady(news),
        Told::Colleagues | Told::Till => Event::DishEscalated { news, level },
    }
}
