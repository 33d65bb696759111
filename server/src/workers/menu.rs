//! Keeps the menu true: brings back what was out for a while, and listens to the other processes.

use crate::services::menu;
use crate::services::menu_cache::hear;
use crate::state::{House, Shared};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How late an article may come back.
const EVERY: Duration = Duration::from_secs(10);
/// How long a Redis that does not let us listen is left alone.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// Brings back what is due, and announces what this process has not announced yet.
pub async fn tend(house: Shared, stopping: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = menu::bring_back(&house).await {
            tracing::warn!(%error, "nothing brought back; it will be tried again");
        }
        menu::announce(&house).await;
    }
}

/// Hears of the changes that other processes make.
pub async fn listen(house: Shared, stopping: CancellationToken) {
    tokio::select! {
        () = stopping.cancelled() => {}
        () = listen_again_and_again(&house) => {}
    }
}

async fn listen_again_and_again(house: &House) {
    while let Err(error) = hear(house).await {
        tracing::warn!(error = format!("{error:#}"), "changes of the menu made elsewhere are not heard of");
        tokio::time::sleep(LISTEN_AGAIN).await;
    }
}
