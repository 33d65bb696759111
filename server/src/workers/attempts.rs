//! This process, as attempts to charge a card name it: says that it lives, and ends what others left behind.

use crate::db::processes;
use crate::error::Result;
use crate::services::recovering::recover;
use crate::state::{House, Worker};
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often a process says that it lives. Well below the silence after which it is gone.
const BEAT: Duration = Duration::from_millis(500);
/// How long the database may take to hear it.
const HEARD: Duration = Duration::from_secs(2);
/// Between two tries to be heard again.
const AGAIN: Duration = Duration::from_millis(100);
/// How often is looked for what was left behind.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Says for the first time that this process lives.
///
/// # Errors
/// When the database does not answer.
pub async fn announce(options: &PgConnectOptions, id: i64) -> Result<PgConnection> {
    loop {
        if let Some(mut connection) = processes::announce(options, id).await? {
            processes::forget_old(&mut connection).await?;
            return Ok(connection);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Says again and again that this process lives, over a connection of its own, and finds another when that one breaks.
pub async fn stay_alive(connection: PgConnection, options: PgConnectOptions, worker: Arc<Worker>) {
    let leaving = worker.leaving.clone();
    tokio::select! {
        () = leaving.cancelled() => {}
        () = beat(connection, &options, worker.id) => {}
    }
}

async fn beat(connection: PgConnection, options: &PgConnectOptions, id: i64) {
    let mut connection = Some(connection);
    loop {
        match &mut connection {
            Some(heard_over) => {
                tokio::time::sleep(BEAT).await;
                if !matches!(tokio::time::timeout(HEARD, processes::beat(heard_over, id)).await, Ok(Ok(()))) {
                    tracing::warn!("the connection that says that this process lives is lost; another is opened");
                    // Its lock is ours only when it is gone.
                    connection = None;
                }
            }
            None => match tokio::time::timeout(HEARD, processes::announce(options, id)).await {
                Ok(Ok(Some(another))) => connection = Some(another),
                _ => tokio::time::sleep(AGAIN).await,
            },
        }
    }
}

/// Ends what others left behind, as long as the house is open.
pub async fn tend(house: Weak<House>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let Some(house) = house.upgrade() else { return };
        if house.worker.leaving.is_cancelled() {
            return;
        }
        recover(&house).await;
    }
}
