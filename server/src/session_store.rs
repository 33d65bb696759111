//! Where sessions are kept: in PostgreSQL, with Redis in front of it when one is configured.
//!
//! PostgreSQL is the truth. Redis saves a query per request and may die, come back or forget without anybody noticing: what it holds lives
//! a minute, so that a session ended elsewhere (a new PIN, a person who left) ends here too.
//!
//! The cookie holds 128 random bits; both stores hold their SHA-256, so that whoever reads a store cannot sign in with what it holds.

use crate::db;
use async_trait::async_trait;
use domain::api::SessionUser;
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::collections::HashMap;
use std::time::Duration;
use time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

/// The key under which a session holds who is signed in.
pub const USER: &str = "user";

/// How long Redis is believed, in seconds.
const CACHED_FOR: u64 = 60;
/// How long Redis may take. It is asked to be fast; when it is not, PostgreSQL is.
const REDIS_PATIENCE: Duration = Duration::from_millis(250);

/// Where sessions are kept.
#[derive(Clone)]
pub struct Store {
    db: PgPool,
    redis: Option<ConnectionManager>,
}

impl Store {
    /// Sessions in PostgreSQL, with Redis in front of it if there is one.
    #[must_use]
    pub const fn new(db: PgPool, redis: Option<ConnectionManager>) -> Self {
        Self { db, redis }
    }

    /// Whether Redis answers; true without one.
    pub async fn redis_answers(&self) -> bool {
        let ping = async |mut redis: ConnectionManager| redis::cmd("PING").query_async::<String>(&mut redis).await;
        self.redis.is_none() || self.ask(ping).await.is_some()
    }

    /// Asks Redis. No Redis, a fault and a silence are all the same: nothing.
    async fn ask<T>(&self, question: impl AsyncFnOnce(ConnectionManager) -> redis::RedisResult<T>) -> Option<T> {
        let answer = tokio::time::timeout(REDIS_PATIENCE, question(self.redis.clone()?)).await;
        match answer {
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

    async fn remember(&self, record: &Record) {
        let Ok(value) = serde_json::to_string(&(record.expiry_date.unix_timestamp(), &record.data)) else { return };
        let key = redis_key(&record.id);
        self.ask(async |mut redis| redis.set_ex::<_, _, ()>(key, value, CACHED_FOR).await).await;
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("redis", &self.redis.is_some()).finish_non_exhaustive()
    }
}

fn name(id: &Id) -> String {
    Sha256::digest(id.0.to_le_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn redis_key(id: &Id) -> String {
    format!("comptoir:session:{}", name(id))
}

fn backend(error: impl std::fmt::Display) -> Error {
    Error::Backend(error.to_string())
}

fn encoded(record: &Record) -> Result<(Option<i64>, Value)> {
    let data = serde_json::to_value(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    let user = record.data.get(USER).and_then(|user| serde_json::from_value::<SessionUser>(user.clone()).ok());
    Ok((user.map(|user| user.id.get()), data))
}

fn decoded(id: &Id, data: Value, expiry_date: OffsetDateTime) -> Result<Record> {
    let data: HashMap<String, Value> = serde_json::from_value(data).map_err(|error| Error::Decode(error.to_string()))?;
    Ok(Record { id: *id, data, expiry_date })
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // A new session never takes over an id that is in use, however unlikely the collision.
        loop {
            let (user, data) = encoded(record)?;
            if db::sessions::create(&self.db, &name(&record.id), user, &data, record.expiry_date).await.map_err(backend)? {
                self.remember(record).await;
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let (user, data) = encoded(record)?;
        db::sessions::save(&self.db, &name(&record.id), user, &data, record.expiry_date).await.map_err(backend)?;
        self.remember(record).await;
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let key = redis_key(id);
        let cached: Option<Option<String>> = self.ask(async |mut redis| redis.get(key).await).await;
        if let Some((expires_at, data)) = cached.flatten().and_then(|text| serde_json::from_str::<(i64, Value)>(&text).ok())
            && let Ok(expires_at) = OffsetDateTime::from_unix_timestamp(expires_at)
            && expires_at > OffsetDateTime::now_utc()
        {
            return decoded(id, data, expires_at).map(Some);
        }
        let Some((data, expires_at)) = db::sessions::load(&self.db, &name(id)).await.map_err(backend)? else { return Ok(None) };
        let record = decoded(id, data, expires_at)?;
        self.remember(&record).await;
        Ok(Some(record))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let key = redis_key(id);
        // First where it is the truth; what Redis cannot forget now it forgets within the minute.
        db::sessions::delete(&self.db, &name(id)).await.map_err(backend)?;
        self.ask(async |mut redis| redis.del::<_, ()>(key).await).await;
        Ok(())
    }
}
