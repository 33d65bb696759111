//! Where sessions are kept: in PostgreSQL, or in Redis when one is configured.
//!
//! The cookie holds 128 random bits; the store holds their SHA-256, so that whoever reads the store cannot sign in with what it holds.

use crate::db;
use async_trait::async_trait;
use domain::api::SessionUser;
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::collections::HashMap;
use time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

/// The key under which a session holds who is signed in.
pub const USER: &str = "user";

/// Where sessions are kept.
#[derive(Clone)]
pub enum Store {
    /// Beside everything else.
    Postgres(PgPool),
    /// Shared by several processes without a query each.
    Redis(ConnectionManager),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Postgres(_) => "Store::Postgres",
            Self::Redis(_) => "Store::Redis",
        })
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

/// What Redis holds for a session.
fn redis_value(record: &Record) -> Result<String> {
    let value = (record.expiry_date.unix_timestamp(), &record.data);
    serde_json::to_string(&value).map_err(|error| Error::Encode(error.to_string()))
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // A new session never takes over an id that is in use, however unlikely the collision.
        loop {
            let new = match self {
                Self::Postgres(pool) => {
                    let (user, data) = encoded(record)?;
                    db::sessions::create(pool, &name(&record.id), user, &data, record.expiry_date).await.map_err(backend)?
                }
                Self::Redis(redis) => {
                    let options = redis::SetOptions::default()
                        .conditional_set(redis::ExistenceCheck::NX)
                        .with_expiration(redis::SetExpiry::EXAT(record.expiry_date.unix_timestamp().unsigned_abs()));
                    let value = redis_value(record)?;
                    let set: Option<String> = redis.clone().set_options(redis_key(&record.id), value, options).await.map_err(backend)?;
                    set.is_some()
                }
            };
            if new {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> Result<()> {
        match self {
            Self::Postgres(pool) => {
                let (user, data) = encoded(record)?;
                db::sessions::save(pool, &name(&record.id), user, &data, record.expiry_date).await.map_err(backend)
            }
            Self::Redis(redis) => {
                let expiry = redis::SetExpiry::EXAT(record.expiry_date.unix_timestamp().unsigned_abs());
                let options = redis::SetOptions::default().with_expiration(expiry);
                redis.clone().set_options(redis_key(&record.id), redis_value(record)?, options).await.map_err(backend)
            }
        }
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        match self {
            Self::Postgres(pool) => {
                let found = db::sessions::load(pool, &name(id)).await.map_err(backend)?;
                found.map(|(data, expires_at)| decoded(id, data, expires_at)).transpose()
            }
            Self::Redis(redis) => {
                let found: Option<String> = redis.clone().get(redis_key(id)).await.map_err(backend)?;
                let Some(text) = found else { return Ok(None) };
                let (expires_at, data): (i64, Value) = serde_json::from_str(&text).map_err(|error| Error::Decode(error.to_string()))?;
                let expires_at = OffsetDateTime::from_unix_timestamp(expires_at).map_err(|error| Error::Decode(error.to_string()))?;
                decoded(id, data, expires_at).map(Some)
            }
        }
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        match self {
            Self::Postgres(pool) => db::sessions::delete(pool, &name(id)).await.map_err(backend),
            Self::Redis(redis) => redis.clone().del(redis_key(id)).await.map_err(backend),
        }
    }
}
