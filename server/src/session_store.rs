//! Where sessions are kept: in PostgreSQL, with Redis in front of it when one is configured.
//!
//! PostgreSQL is the truth. Redis saves a query per request and may die, come back or forget without anybody noticing: what it holds lives
//! a minute, so that a session ended elsewhere (a new PIN, a person who left) ends here too.
//!
//! The cookie holds 128 random bits; both stores hold their SHA-256, so that whoever reads a store cannot sign in with what it holds.

use crate::adapters::bus::Bus;
use crate::adapters::redis::Redis;
use crate::db;
use async_trait::async_trait;
use domain::api::SessionUser;
use redis::{AsyncCommands, ExistenceCheck, SetExpiry, SetOptions};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tower_sessions::Session;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

/// The key under which a session holds who is signed in.
pub const USER: &str = "user";

/// How long Redis is believed, in seconds.
const CACHED_FOR: u64 = 60;
/// How long this process believes itself. A phone asks several things in one breath; only the first of them is looked up.
const BELIEVED: Duration = Duration::from_secs(1);
/// More sessions than a restaurant has phones: then all are looked up again.
const MOST_BELIEVED: usize = 4096;
/// What Redis holds instead of a session that has ended.
const ENDED: &str = "ended";
/// In one step: between a look and a word of ours the end could be said.
const UNLESS_ENDED: &str = "if redis.call('get', KEYS[1]) ~= ARGV[3] then redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[2]) end";

/// Where sessions are kept.
#[derive(Clone)]
pub struct Store {
    db: PgPool,
    redis: Option<Redis>,
    /// Tells open sockets, and other processes, whose session is another now.
    bus: Bus,
    believed: Arc<Mutex<Believed>>,
}

/// Sessions looked up a moment ago. Whatever this process says of a session empties it; another process is heard a second later.
#[derive(Default)]
struct Believed {
    /// Rises when it is emptied: what was read before must not be put in after.
    emptied: u64,
    sessions: HashMap<Id, (Instant, Record)>,
}

impl Store {
    /// Sessions in PostgreSQL, with Redis in front of it if there is one.
    #[must_use]
    pub fn new(db: PgPool, redis: Option<Redis>, bus: Bus) -> Self {
        Self { db, redis, bus, believed: Arc::default() }
    }

    fn believed(&self) -> MutexGuard<'_, Believed> {
        self.believed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another process said that sessions have changed: they are looked up again.
    pub fn forget_here(&self) {
        self.believe_nothing();
    }

    fn believe_nothing(&self) {
        let mut believed = self.believed();
        believed.emptied += 1;
        believed.sessions.clear();
    }

    /// Whether Redis answers; true without one.
    pub async fn redis_answers(&self) -> bool {
        match &self.redis {
            Some(redis) => redis.answers().await,
            None => true,
        }
    }

    /// After the commit that ended these sessions in PostgreSQL, by the names they have there: Redis says so too. Saying it beats
    /// forgetting them: a request that read the session just before its end cannot put it back.
    pub async fn ended(&self, names: &[String]) {
        self.believe_nothing();
        let mut all = redis::pipe();
        for name in names {
            all.set_ex(redis_key(name), ENDED, CACHED_FOR).ignore();
        }
        self.send(all).await;
        self.bus.sessions_changed(names);
    }

    /// After the commit that changed what these sessions hold: PostgreSQL is to be asked again.
    pub async fn changed(&self, names: &[String]) {
        self.believe_nothing();
        let mut all = redis::pipe();
        for name in names {
            all.del(redis_key(name)).ignore();
        }
        self.send(all).await;
        self.bus.sessions_changed(names);
    }

    /// What Redis cannot be told now it forgets within the minute.
    async fn send(&self, commands: redis::Pipeline) {
        if let Some(redis) = self.redis.as_ref().filter(|_| !commands.is_empty()) {
            redis.tell(async |mut redis| commands.query_async::<()>(&mut redis).await).await;
        }
    }

    /// What was read or begun a moment ago must not replace what was said since.
    async fn remember(&self, record: &Record) {
        let (Some(redis), Some(value)) = (&self.redis, cached(record)) else { return };
        let options = SetOptions::default().with_expiration(SetExpiry::EX(CACHED_FOR)).conditional_set(ExistenceCheck::NX);
        let key = redis_key(&name(&record.id));
        redis.ask(async |mut redis| redis.set_options::<_, _, ()>(key, value, options).await).await;
    }

    /// What was saved replaces what was there, and never an end that was said meanwhile.
    async fn replace(&self, record: &Record) {
        let (Some(redis), Some(value)) = (&self.redis, cached(record)) else { return };
        let mut asked = redis::cmd("EVAL");
        asked.arg(UNLESS_ENDED).arg(1).arg(redis_key(&name(&record.id))).arg(value).arg(CACHED_FOR).arg(ENDED);
        redis.ask(async |mut redis| asked.query_async::<()>(&mut redis).await).await;
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("redis", &self.redis.is_some()).finish_non_exhaustive()
    }
}

/// The name that both stores have for a session; none before it is there.
#[must_use]
pub fn name_of(session: &Session) -> Option<String> {
    session.id().as_ref().map(name)
}

fn name(id: &Id) -> String {
    Sha256::digest(id.0.to_le_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn redis_key(name: &str) -> String {
    format!("comptoir:session:{name}")
}

fn backend(error: impl std::fmt::Display) -> Error {
    Error::Backend(error.to_string())
}

/// As Redis holds a session.
fn cached(record: &Record) -> Option<String> {
    serde_json::to_string(&(record.expiry_date.unix_timestamp(), &record.data)).ok()
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
        let saved = db::sessions::save(&self.db, &name(&record.id), user, &data, record.expiry_date).await.map_err(backend)?;
        self.believe_nothing();
        // What was ended meanwhile stays so: the next request of whoever holds it is told.
        if saved {
            self.replace(record).await;
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let emptied = {
            let believed = self.believed();
            if let Some((at, record)) = believed.sessions.get(id)
                && at.elapsed() < BELIEVED
                && record.expiry_date > OffsetDateTime::now_utc()
            {
                return Ok(Some(record.clone()));
            }
            believed.emptied
        };
        let found = self.look_up(id).await?;
        if let Some(record) = &found {
            let mut believed = self.believed();
            if believed.emptied == emptied {
                if believed.sessions.len() >= MOST_BELIEVED {
                    believed.sessions.clear();
                }
                believed.sessions.insert(*id, (Instant::now(), record.clone()));
            }
        }
        Ok(found)
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let name = name(id);
        // First where it is the truth.
        let existed = db::sessions::delete(&self.db, &name).await.map_err(backend)?;
        self.believe_nothing();
        if existed {
            self.ended(&[name]).await;
        }
        Ok(())
    }
}

impl Store {
    /// A session as the stores know it.
    async fn look_up(&self, id: &Id) -> Result<Option<Record>> {
        let name = name(id);
        let cached: Option<String> = match &self.redis {
            Some(redis) => redis.ask(async |mut redis| redis.get(redis_key(&name)).await).await.flatten(),
            None => None,
        };
        if cached.as_deref() == Some(ENDED) {
            return Ok(None);
        }
        if let Some((expires_at, data)) = cached.and_then(|text| serde_json::from_str::<(i64, Value)>(&text).ok())
            && let Ok(expires_at) = OffsetDateTime::from_unix_timestamp(expires_at)
            && expires_at > OffsetDateTime::now_utc()
        {
            return decoded(id, data, expires_at).map(Some);
        }
        let Some((data, expires_at)) = db::sessions::load(&self.db, &name).await.map_err(backend)? else { return Ok(None) };
        let record = decoded(id, data, expires_at)?;
        self.remember(&record).await;
        Ok(Some(record))
    }
}
