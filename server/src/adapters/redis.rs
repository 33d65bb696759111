//! Redis, which may die, come back empty or fall silent without anybody noticing.
//!
//! Nothing that is only there is ever needed: whoever asks has a short patience and an own way to go on.

use redis::aio::{ConnectionManager, ConnectionManagerConfig, PubSub};
use redis::{Client, IntoConnectionInfo, RedisResult};
use std::time::Duration;

/// How long Redis may take. It is asked to be fast; when it is not, PostgreSQL is.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a connection that listens may take to be made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// A Redis that several processes of the house share.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    connection: ConnectionManager,
}

impl Redis {
    /// Does not connect yet: a Redis that does not answer now is asked again later.
    ///
    /// # Errors
    /// When the address is not usable.
    pub fn open(info: impl IntoConnectionInfo) -> RedisResult<Self> {
        let client = Client::open(info)?;
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), ConnectionManagerConfig::new())?;
        Ok(Self { client, connection })
    }

    /// Asks. A fault and a silence are the same: nothing.
    pub async fn ask<T>(&self, question: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>) -> Option<T> {
        match tokio::time::timeout(PATIENCE, question(self.connection.clone())).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                tracing::warn!(%error, "redis: going on without it");
                None
            }
            Err(_) => {
                tracing::warn!("redis: no answer in time, going on without it");
                None
            }
        }
    }

    /// Whether it answers.
    pub async fn answers(&self) -> bool {
        self.ask(async |mut redis| redis::cmd("PING").query_async::<String>(&mut redis).await).await.is_some()
    }

    /// A connection of its own that hears what is published on a channel.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn listen(&self, channel: &str) -> anyhow::Result<PubSub> {
        let connecting = async {
            let mut heard = self.client.get_async_pubsub().await?;
            heard.subscribe(channel).await?;
            RedisResult::Ok(heard)
        };
        Ok(tokio::time::timeout(CONNECT_PATIENCE, connecting).await??)
    }
}
