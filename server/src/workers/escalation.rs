//! Dishes that nobody comes for: after a while the other waiters of the room are told, later the till.

use crate::config::Escalation;
use crate::services::notifying;
use crate::state::Shared;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How late somebody is told at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks for as long as the server runs. Several processes may: each dish is escalated once.
pub async fn run(house: Shared, stopping: CancellationToken) {
    if house.escalation == Escalation::NEVER {
        return;
    }
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = notifying::escalate(&house).await {
            tracing::warn!(%error, "nobody else told of dishes that wait; it will be tried again");
        }
    }
}
