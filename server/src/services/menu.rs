//! The menu, read once and kept for a while.

use crate::adapters::bus::Audience;
use crate::db;
use crate::error::{Error, Result};
use crate::state::House;
use domain::ItemId;
use domain::api::{Availability, Event};
use domain::menu::Menu;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::Mutex;

/// How long a menu is believed without looking again.
const KEPT: Duration = Duration::from_secs(300);

/// The menu with its body ready to send.
pub struct CachedMenu {
    /// For pricing.
    pub menu: Menu,
    /// As sent, JSON.
    pub body: String,
    /// Strong validator of that body.
    pub etag: String,
}

/// The menu as last read. The lock is held while it is read, so that a hundred requests on an empty cache make one query.
#[derive(Default)]
pub struct MenuCache(Mutex<Option<(Instant, Arc<CachedMenu>)>>);

/// Says whether something can be ordered now, and tells the phones.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] when it is to come back in the past.
pub async fn set_availability(house: &House, item: ItemId, said: &Availability) -> Result<()> {
    let back_at = said.until.filter(|_| !said.available);
    if back_at.is_some_and(|at| at <= OffsetDateTime::now_utc()) {
        return Err(Error::invalid("until", "in_the_past"));
    }
    if !db::menu::set_availability(&house.db, item, said.available, back_at).await? {
        return Err(Error::NotFound("cet article"));
    }
    changed(house).await
}

/// After commit: forgets the menu as it was and tells the phones.
async fn changed(house: &House) -> Result<()> {
    house.menu.forget().await;
    let version = house.menu.get(&house.db).await?.menu.version.clone();
    house.bus.send(Audience::House, Event::MenuChanged { version });
    Ok(())
}

impl MenuCache {
    /// The menu, at most five minutes old.
    ///
    /// # Errors
    /// When it has to be read and the database does not answer.
    pub async fn get(&self, db: &PgPool) -> Result<Arc<CachedMenu>> {
        let mut kept = self.0.lock().await;
        if let Some((at, menu)) = kept.as_ref()
            && at.elapsed() < KEPT
        {
            return Ok(Arc::clone(menu));
        }
        let (items, notes) = db::menu::whole(db).await?;
        let digest = Sha256::digest(serde_json::to_vec(&(&items, &notes))?);
        let version: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let menu = Menu { version, items, notes };
        let cached = Arc::new(CachedMenu { body: serde_json::to_string(&menu)?, etag: format!("\"{}\"", menu.version), menu });
        *kept = Some((Instant::now(), Arc::clone(&cached)));
        Ok(cached)
    }

    /// Forgets it: something on the menu changed and is committed.
    pub async fn forget(&self) {
        *self.0.lock().await = None;
    }
}
