//! Watches the way to a database that somebody else keeps: when a connection of its own falls silent and another is answered, it was the way that was
//! lost, and everything that was asked over it. See [`crate::adapters::conduit`].

use crate::adapters::conduit::Conduit;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two questions.
const EVERY: Duration = Duration::from_secs(1);
/// How long an answer may take. One statement that asks for nothing is answered by a database that is slow, too.
const PATIENCE: Duration = Duration::from_secs(3);

/// Until the server stops.
pub async fn watch(conduit: Arc<Conduit>, options: PgConnectOptions, stopping: CancellationToken) {
    let (mut connection, mut silent) = (None, false);
    while stopping.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        if let Some(mut asked) = connection.take() {
            match tokio::time::timeout(PATIENCE, PgConnection::ping(&mut asked)).await {
                Ok(Ok(())) => connection = Some(asked),
                // It was closed, and so everybody else has heard.
                Ok(Err(_)) => {}
                Err(_) => silent = true,
            }
        }
        if connection.is_some() {
            continue;
        }
        match tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options)).await {
            Ok(Ok(another)) if !silent => connection = Some(another),
            Ok(Ok(_)) => {
                tracing::error!("the database answers, but not over the connections that there were: they are given up");
                // The one that was just made goes with them.
                conduit.give_up();
                silent = false;
            }
            Ok(Err(_)) => {}
            Err(_) => silent = true,
        }
    }
}
