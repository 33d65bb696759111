//! Redis, which may die, come back empty or fall silent without anybody noticing.
//!
//! Nothing that is only there is ever needed: whoever asks has a short patience and an own way to go on. After a few answers that did not
//! come nobody waits any more: a silent Redis costs one question every two seconds its patience, and all others nothing.

use domain::breaker::{Breaker, Patience, Phase};
use redis::aio::{ConnectionManager, ConnectionManagerConfig, PubSub};
use redis::{Client, IntoConnectionInfo, RedisResult};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long Redis may take. It is asked to be fast; when it is not, PostgreSQL is.
const PATIENCE: Duration = Duration::from_millis(250);
/// When it is left alone, and for how long.
const LEFT_ALONE: Patience = Patience { failures: 3, pause: Duration::from_secs(2) };
/// How long a connection that listens may take to be made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// A Redis that several processes of the house share.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    connection: ConnectionManager,
    breaker: Arc<Mutex<Breaker>>,
    /// What the breaker's time counts from.
    began: Instant,
}

impl Redis {
    /// Does not connect yet: a Redis that does not answer now is asked again later.
    ///
    /// # Errors
    /// When the address is not usable.
    pub fn open(info: impl IntoConnectionInfo) -> RedisResult<Self> {
        let client = Client::open(info)?;
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), ConnectionManagerConfig::new())?;
        Ok(Self { client, connection, breaker: Arc::new(Mutex::new(Breaker::new(LEFT_ALONE))), began: Instant::now() })
    }

    /// Asks, unless it was silent a moment ago. A fault and a silence are the same: nothing.
    pub async fn ask<T>(&self, question: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>) -> Option<T> {
        let permit = self.breaker().admit(self.began.elapsed())?;
        let answer = self.ask_anyway(question).await;
        match &answer {
            Some(_) => self.breaker().answered(permit),
            None => self.breaker().failed(permit, self.began.elapsed()),
        }
        answer
    }

    /// Tells what must not be kept from it if it lives at all, such as that something it holds is over: silent a moment ago or not.
    pub async fn tell<T>(&self, news: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>) -> Option<T> {
        let answer = self.ask_anyway(news).await;
        if answer.is_some() {
            self.lives();
        }
        answer
    }

    async fn ask_anyway<T>(&self, question: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>) -> Option<T> {
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
        self.tell(async |mut redis| redis::cmd("PING").query_async::<String>(&mut redis).await).await.is_some()
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
        let heard = tokio::time::timeout(CONNECT_PATIENCE, connecting).await??;
        self.lives();
        Ok(heard)
    }

    /// It answered somebody.
    fn lives(&self) {
        let mut breaker = self.breaker();
        if breaker.phase(self.began.elapsed()) != Phase::Closed {
            breaker.heard();
        }
    }

    // Nothing panics while it holds this.
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silent_redis_is_waited_for_three_times_and_no_more() {
        // Connections are accepted by the system, and nobody reads them.
        let door = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let redis = Redis::open(format!("redis://{}", door.local_addr().expect("an address"))).expect("an address");
        let ask = async || {
            let asked = Instant::now();
            assert_eq!(redis.ask(async |mut redis| redis::cmd("GET").arg("x").query_async::<String>(&mut redis).await).await, None);
            asked.elapsed() >= PATIENCE
        };
        for _ in 0..LEFT_ALONE.failures {
            assert!(ask().await);
        }
        for _ in 0..100 {
            assert!(!ask().await, "it is not waited for again");
        }
    }
}
