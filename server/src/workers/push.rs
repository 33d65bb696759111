//! Pushes to phones that sleep.

use crate::services::pushing;
use crate::state::Shared;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How late a phone is pushed to at most, besides the time that it has to say that it is awake.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Pushes for as long as the server runs. Returns at once when the house does not push.
pub async fn run(house: Shared, stopping: CancellationToken) {
    if house.push.is_none() {
        return;
    }
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = pushing::push_news(&house).await {
            tracing::warn!(%error, "phones that sleep not told yet");
        }
    }
}
