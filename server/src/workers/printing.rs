//! Prints what waits, one document after the other.

use crate::services::printing;
use crate::state::Shared;
use tokio_util::sync::CancellationToken;

/// Until the server stops; ends at once without a printer. A document that is going out is ended first.
pub async fn tend(house: Shared, stopping: CancellationToken) {
    let Some(queue) = house.printing.clone() else { return };
    while !stopping.is_cancelled() {
        if let Err(error) = printing::work(&house, &queue).await {
            tracing::warn!(%error, "prints wait for the database");
        }
        tokio::select! {
            () = stopping.cancelled() => {}
            () = queue.rest() => {}
        }
    }
}
