//! The menu between PostgreSQL and whoever asks for it: a copy in this process, and one in Redis that several processes share.
//!
//! ```text
//! GET /api/menu → copy here (5 min; 1 s while nobody tells us of changes) → Redis `menu:full` (5 min) → PostgreSQL
//! an order's price → copy here (as long) → PostgreSQL
//! ```
//!
//! What decides about money never comes from Redis: whoever can write there would set the prices. Without Redis both copies are one.
//!
//! A change forgets all copies after its commit. What makes that hold:
//!
//! - a copy is kept here only if nothing was forgotten while it was being read, and put into Redis only if Redis still holds the token
//!   that stood there before PostgreSQL was read: a slow reader never brings an old menu back;
//! - other processes hear of a change on a channel of Redis. While that channel is silent or gone (both sides speak every two seconds) a
//!   copy is believed for one second and Redis is left alone: whoever cannot hear it cannot trust what it holds;
//! - a change that Redis could not be told is owed. Until it is paid this process reads PostgreSQL; a process that comes back to Redis
//!   begins by forgetting what is there.
//!
//! What remains: a process that commits a change, is cut off from a living Redis and dies before it comes back leaves the others with
//! the old menu for five minutes at most. The price of a dish is then the one that they last read in PostgreSQL, on the ticket too.

use super::menu::announce;
use crate::adapters::redis::Redis;
use crate::db;
use crate::error::Result;
use crate::state::House;
use anyhow::Context;
use axum::body::Bytes;
use axum::http::HeaderValue;
use domain::menu::Menu;
use futures::StreamExt;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

/// How long a menu is believed without looking again.
const KEPT: Duration = Duration::from_secs(300);
/// How long a copy here is believed while changes made elsewhere are not heard of.
const KEPT_UNHEARD: Duration = Duration::from_secs(1);
/// How often the channel is tried.
const BEAT: Duration = Duration::from_secs(2);
/// How long the answer may take.
const BEAT_PATIENCE: Duration = Duration::from_secs(1);

/// The whole menu, as sent.
const FULL: &str = "menu:full";
/// Another text after every change.
const TOKEN: &str = "menu:token";
/// Where a process says that the menu changed; the message is who says it.
const CHANNEL: &str = "menu:changed";

/// What there is, how long it still lives (ms), and the token that it must match to be replaced. There always is a token after this, so that
/// a Redis that comes back empty is not mistaken for one that never changed.
const LOOK: &str = "local token = redis.call('GET', KEYS[1])
if not token then token = ARGV[1]; redis.call('SET', KEYS[1], token) end
return {token, redis.call('GET', KEYS[2]), redis.call('PTTL', KEYS[2])}";
/// Puts a menu there unless something changed since the token was read.
const STORE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) return 1 end return 0";
/// Forgets, makes what is being read useless, and tells everybody: at once, so that nobody sees one without the other.
const FORGET: &str = "redis.call('SET', KEYS[1], ARGV[1]); redis.call('DEL', KEYS[2]); redis.call('PUBLISH', ARGV[2], ARGV[3])";

/// The menu with its body ready to send.
pub struct CachedMenu {
    /// What there is, and what it costs.
    pub menu: Menu,
    /// As sent, JSON.
    pub body: Bytes,
    /// Strong validator of that body.
    pub etag: HeaderValue,
}

impl CachedMenu {
    fn new(menu: Menu, body: Vec<u8>) -> Result<Self> {
        let etag = HeaderValue::try_from(format!("\"{}\"", menu.version)).map_err(crate::error::Error::internal)?;
        Ok(Self { menu, body: body.into(), etag })
    }
}

/// The copies. See the module.
pub struct MenuCache {
    redis: Option<Redis>,
    /// Tells our own messages on the channel from those of others.
    me: String,
    /// Held for the time it takes to clone a pointer, never while something is awaited.
    kept: RwLock<Kept>,
    /// Held while the menu is read, so that a hundred requests on an empty cache make one query.
    reading: Mutex<()>,
    /// Whether changes made by other processes are heard of.
    heard: watch::Sender<bool>,
    /// Changes made here, and how many of them Redis has been told.
    changes: AtomicU64,
    told_redis: AtomicU64,
    /// How often PostgreSQL was asked for the menu.
    reads: AtomicU64,
    /// The version that the phones of this process were told of last.
    announced: std::sync::Mutex<Option<String>>,
}

#[derive(Default)]
struct Kept {
    /// Counts what was forgotten.
    generation: u64,
    /// To show.
    copy: Option<Copied>,
    /// To price with: as PostgreSQL has it.
    prices: Option<Copied>,
}

#[derive(Clone)]
struct Copied {
    read_at: Instant,
    until: Instant,
    menu: Arc<CachedMenu>,
}

/// What a menu is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Showing,
    Pricing,
}

/// Where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Redis,
    Database,
}

impl MenuCache {
    /// An empty cache, shared through Redis if there is one.
    #[must_use]
    pub fn new(redis: Option<Redis>) -> Self {
        Self {
            redis,
            me: Uuid::new_v4().to_string(),
            kept: RwLock::default(),
            reading: Mutex::default(),
            heard: watch::Sender::new(false),
            changes: AtomicU64::new(0),
            told_redis: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            announced: std::sync::Mutex::default(),
        }
    }

    /// The menu, to show.
    ///
    /// # Errors
    /// When it has to be read and the database does not answer.
    pub async fn get(&self, db: &PgPool) -> Result<Arc<CachedMenu>> {
        self.believed_or_read(db, For::Showing).await
    }

    /// The menu, to price an order with: as PostgreSQL has it, whatever Redis says.
    ///
    /// # Errors
    /// When it has to be read and the database does not answer.
    pub async fn prices(&self, db: &PgPool) -> Result<Arc<CachedMenu>> {
        self.believed_or_read(db, For::Pricing).await
    }

    async fn believed_or_read(&self, db: &PgPool, purpose: For) -> Result<Arc<CachedMenu>> {
        if let Some(menu) = self.believed(purpose) {
            return Ok(menu);
        }
        let _turn = self.reading.lock().await;
        if let Some(menu) = self.believed(purpose) {
            return Ok(menu);
        }
        let generation = self.kept.read().unwrap_or_else(PoisonError::into_inner).generation;
        let (menu, lives, source) = match purpose {
            For::Showing => self.read(db).await?,
            For::Pricing => (self.read_database(db).await?, KEPT, Source::Database),
        };
        let menu = Arc::new(menu);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever asked before the change may get the menu as it was then; whoever asks later must not.
        if kept.generation == generation {
            let read_at = Instant::now();
            let copy = Copied { read_at, until: read_at + lives, menu: Arc::clone(&menu) };
            match (source, purpose) {
                (Source::Redis, _) => kept.copy = Some(copy),
                (Source::Database, For::Showing) => (kept.copy, kept.prices) = (Some(copy.clone()), Some(copy)),
                // What is shown is looked for in Redis first, and put there: others need not read it then.
                (Source::Database, For::Pricing) if self.redis.is_some() => kept.prices = Some(copy),
                (Source::Database, For::Pricing) => (kept.copy, kept.prices) = (Some(copy.clone()), Some(copy)),
            }
        }
        Ok(menu)
    }

    fn believed(&self, purpose: For) -> Option<Arc<CachedMenu>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let copy = match purpose {
            For::Showing => kept.copy.as_ref()?,
            For::Pricing => kept.prices.as_ref()?,
        };
        let now = Instant::now();
        let fresh = now < copy.until && (now < copy.read_at + KEPT_UNHEARD || self.redis.is_none() || *self.heard.borrow());
        fresh.then(|| Arc::clone(&copy.menu))
    }

    /// The menu from Redis or else from PostgreSQL, and how long it may be kept.
    async fn read(&self, db: &PgPool) -> Result<(CachedMenu, Duration, Source)> {
        let Some(redis) = self.redis.as_ref().filter(|_| *self.heard.borrow() && !self.owes()) else {
            return Ok((self.read_database(db).await?, KEPT, Source::Database));
        };
        let look = async |mut redis| {
            let mut look = redis::cmd("EVAL");
            look.arg(LOOK).arg(2).arg(TOKEN).arg(FULL).arg(Uuid::new_v4().to_string());
            look.query_async::<(String, Option<Vec<u8>>, i64)>(&mut redis).await
        };
        let Some((token, body, lives)) = redis.ask(look).await else {
            return Ok((self.read_database(db).await?, KEPT, Source::Database));
        };
        // What is not a menu of this version is read again, like one that is not there.
        if let Some(body) = body
            && let Ok(menu) = serde_json::from_slice(&body)
        {
            return Ok((CachedMenu::new(menu, body)?, Duration::from_millis(lives.max(0).unsigned_abs()), Source::Redis));
        }
        let menu = self.read_database(db).await?;
        let store = async |mut redis| {
            let mut store = redis::cmd("EVAL");
            store.arg(STORE).arg(2).arg(TOKEN).arg(FULL).arg(token).arg(menu.body.as_ref()).arg(KEPT.as_millis() as u64);
            store.query_async::<()>(&mut redis).await
        };
        redis.ask(store).await;
        Ok((menu, KEPT, Source::Database))
    }

    async fn read_database(&self, db: &PgPool) -> Result<CachedMenu> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let (items, notes) = db::menu::whole(db).await?;
        let digest = Sha256::digest(serde_json::to_vec(&(&items, &notes))?);
        let version: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let menu = Menu { version, items, notes };
        let body = serde_json::to_vec(&menu)?;
        CachedMenu::new(menu, body)
    }

    /// Something on the menu changed and is committed: forgets every copy and tells the other processes.
    pub async fn forget(&self) {
        if self.redis.is_some() {
            // From here on nothing is taken from Redis, until Redis has been told.
            self.changes.fetch_add(1, Ordering::SeqCst);
            self.pay().await;
        }
        self.forget_here();
    }

    fn forget_here(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.generation += 1;
        (kept.copy, kept.prices) = (None, None);
    }

    fn owes(&self) -> bool {
        self.told_redis.load(Ordering::SeqCst) < self.changes.load(Ordering::SeqCst)
    }

    /// Tells Redis of the changes that it does not know of yet.
    async fn pay(&self) {
        let Some(redis) = &self.redis else { return };
        let changes = self.changes.load(Ordering::SeqCst);
        let forget = async |mut redis| {
            let mut forget = redis::cmd("EVAL");
            forget.arg(FORGET).arg(2).arg(TOKEN).arg(FULL).arg(Uuid::new_v4().to_string()).arg(CHANNEL).arg(&self.me);
            forget.query_async::<()>(&mut redis).await
        };
        if redis.tell(forget).await.is_some() {
            self.told_redis.fetch_max(changes, Ordering::SeqCst);
        }
    }

    /// Resolves once changes made by other processes are heard of.
    pub async fn heard(&self) {
        // The sender lives as long as we do.
        let _ = self.heard.subscribe().wait_for(|heard| *heard).await;
    }

    /// How often PostgreSQL was asked for the menu by this process.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Whether the phones of this process have not been told of this version last; they are, from now on.
    #[must_use]
    pub fn is_news(&self, version: &str) -> bool {
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        if announced.as_deref() == Some(version) {
            return false;
        }
        *announced = Some(version.to_owned());
        true
    }
}

/// Hears of changes made by other processes for as long as Redis lets us, and announces each. Returns at once when there is no Redis.
///
/// # Errors
/// Why changes are no longer heard of.
pub async fn hear(house: &House) -> anyhow::Result<()> {
    let cache = &house.menu;
    let Some(redis) = &cache.redis else { return Ok(()) };
    let (mut speak, mut messages) = redis.listen(CHANNEL).await?.split();
    // Nobody knows what was missed: in Redis as little as here.
    cache.forget().await;
    anyhow::ensure!(!cache.owes(), "redis does not take changes");
    let _heard = Heard::from_now_on(&cache.heard);
    announce(house).await;
    let mut beat = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            message = messages.next() => {
                let message = message.context("redis closed the channel")?;
                if message.get_payload_bytes() != cache.me.as_bytes() {
                    cache.forget_here();
                    announce(house).await;
                }
            }
            _ = beat.tick() => {
                // A cut network leaves a channel open and silent.
                tokio::time::timeout(BEAT_PATIENCE, speak.ping::<redis::Value>()).await??;
                if cache.owes() {
                    cache.pay().await;
                }
            }
        }
    }
}

/// Changes are heard of for as long as this lives.
struct Heard<'a>(&'a watch::Sender<bool>);

impl<'a> Heard<'a> {
    fn from_now_on(heard: &'a watch::Sender<bool>) -> Self {
        heard.send_replace(true);
        Self(heard)
    }
}

impl Drop for Heard<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}
