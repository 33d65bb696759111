//! Keeps the journal honest: closes what was forgotten, checks every hour that everything still holds, once a day all of it, and watches the clock.

use crate::db::guards::CHECK_FAILED;
use crate::services::anchoring;
use crate::services::clock::{self, Reading};
use crate::services::closing;
use crate::services::degraded;
use crate::services::self_check::{Depth, RECENT, check};
use crate::state::Shared;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(3600);
/// Looks between two checks of the whole journal.
const WHOLE_EVERY: u32 = 24;

/// Between two looks at the clock.
const CLOCK_EVERY: Duration = Duration::from_secs(60);

/// Between two looks at what the till works with.
const PARTS_EVERY: Duration = Duration::from_secs(20);

/// A mail server that did not answer is asked again after this.
const MAIL_AGAIN: Duration = Duration::from_secs(300);

/// Mails closings, at the start and whenever one was written, until the server stops. Returns at once when nobody is written to.
pub async fn mail_anchors(house: Shared, stopping: CancellationToken) {
    if house.anchoring.post.is_none() {
        return;
    }
    loop {
        match anchoring::mail(&house).await {
            Ok(0) => {}
            Ok(closings) => tracing::info!(closings, "mailed"),
            Err(error) => tracing::warn!(%error, "FISCAL_ANCHORS_MAIL: closings not mailed yet; it will be tried again"),
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = house.anchoring.due.notified() => {}
            () = tokio::time::sleep(MAIL_AGAIN) => {}
        }
    }
}

/// Watches the clock until the server stops.
pub async fn watch_clock(house: Shared, stopping: CancellationToken) {
    let mut tick = tokio::time::interval(CLOCK_EVERY);
    let mut before: Option<Reading> = None;
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = tick.tick() => {}
        }
        let Ok(after) = clock::read(&house).await else { continue };
        if let Some(before) = before
            && let Err(error) = clock::compare(&house, before, after).await
        {
            tracing::warn!(%error, "a clock that went forward is not in the technical journal yet");
            // Compared again from the same reading.
            continue;
        }
        before = Some(after);
    }
}

/// Looks at what the till works with until the server stops.
pub async fn watch_parts(house: Shared, stopping: CancellationToken) {
    let (mut tick, began, mut watch) = (tokio::time::interval(PARTS_EVERY), Instant::now(), degraded::Watch::default());
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = degraded::step(&house, &mut watch, began.elapsed()).await {
            tracing::warn!(%error, "no look at what the till works with; it will be tried again");
        }
    }
}

/// Until the server stops. The first look is at the start.
pub async fn tend(house: Shared, stopping: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    let mut looks = 0_u32;
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = tick.tick() => {}
        }
        let depth = if looks.is_multiple_of(WHOLE_EVERY) { Depth::Whole } else { Depth::Recent(RECENT) };
        let look = async {
            if let Err(error) = closing::catch_up(&house).await {
                tracing::warn!(%error, "forgotten closings wait; they will be tried again");
            }
            match anchoring::complete(&house).await {
                Ok(0) => {}
                Ok(closings) => tracing::warn!(closings, "closings that were not anchored are now"),
                Err(error) => tracing::error!(%error, "FISCAL_ANCHORS: closings are not anchored yet; it will be tried again"),
            }
            match check(&house, depth).await {
                // Of what somebody held or cancelled meanwhile nothing is known.
                Ok(_) => !house.integrity.flaws().iter().any(|flaw| flaw.code == CHECK_FAILED),
                Err(error) => {
                    tracing::warn!(%error, "the journal was not checked; it will be tried again");
                    false
                }
            }
        };
        tokio::select! {
            () = stopping.cancelled() => return,
            // One that did not work is made again, as deep as it was to be.
            checked = look => looks = looks.wrapping_add(u32::from(checked)),
        }
    }
}
