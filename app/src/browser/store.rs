//! What the phone keeps, in IndexedDB.
//!
//! `snapshots` holds the last plan, menu, order … as JSON text, and who is signed in. `drafts` holds orders being typed, by table: a
//! reload, a flat battery or a closed tab never loses what was typed. A phone that keeps nothing (private mode, disk full) still works
//! online; the caller of [`put_draft`] is told, because there a promise is broken.

#[cfg(feature = "hydrate")]
use super::database::{self as idb, DRAFTS, SNAPSHOTS};
use domain::TableId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::Cell;

#[cfg(not(feature = "hydrate"))]
const SNAPSHOTS: &str = "snapshots";
#[cfg(not(feature = "hydrate"))]
const DRAFTS: &str = "drafts";

/// Money is not kept on phones: bills, tickets and closings are asked for each time.
fn is_money(name: &str) -> bool {
    name == "closing" || name.starts_with("bill-") || name.starts_with("ticket-")
}

thread_local! {
    /// Somebody left, and nobody came since: answers that were on their way to that person are kept no more.
    static NOBODY: Cell<bool> = const { Cell::new(false) };
}

/// Whether snapshots are kept from now on: they belong to whoever is signed in.
pub fn keep_snapshots(kept: bool) {
    NOBODY.set(!kept);
}

/// The phone could not keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the browser keeps nothing")]
pub struct NotKept;

/// What was kept under this name; `None` too when it is no longer readable (an older app wrote it).
pub async fn get_json<T: DeserializeOwned>(name: &str) -> Option<T> {
    let text = idb::get(SNAPSHOTS, name).await.ok().flatten()?;
    crate::json::read(&text).ok()
}

/// Keeps this under a name. A snapshot that is not kept is only a slower start, so nobody is told.
pub async fn put_json<T: Serialize>(name: impl Into<String>, value: T) {
    let name = name.into();
    if let Ok(text) = serde_json::to_string(&value)
        && !is_money(&name)
        && !NOBODY.get()
    {
        let _not_kept = idb::put(SNAPSHOTS, &name, &text).await;
    }
}

/// Forgets what was kept under this name.
pub async fn forget(name: &'static str) {
    let _still_there = idb::delete(SNAPSHOTS, name).await;
}

/// Forgets the orders that are not among these, and whatever an older app kept that is not kept any more.
pub async fn forget_orders_but(these: &[String]) {
    for name in idb::keys(SNAPSHOTS).await.unwrap_or_default() {
        if is_money(&name) || (name.starts_with("order-") && !these.contains(&name)) {
            let _still_there = idb::delete(SNAPSHOTS, &name).await;
        }
    }
}

/// Forgets everything, also what was typed: the person who leaves said so.
pub async fn forget_everything() {
    forget_snapshots().await;
    let _still_there = idb::clear(DRAFTS).await;
}

/// Forgets everything but the drafts.
pub async fn forget_snapshots() {
    let _still_there = idb::clear(SNAPSHOTS).await;
}

/// The order being typed for this table.
pub async fn draft<T: DeserializeOwned>(table: TableId) -> Option<T> {
    let text = idb::get(DRAFTS, &table.to_string()).await.ok().flatten()?;
    crate::json::read(&text).ok()
}

/// Keeps the order being typed for this table.
///
/// # Errors
/// [`NotKept`] when the browser refuses.
pub async fn put_draft<T: Serialize>(table: TableId, draft: &T) -> Result<(), NotKept> {
    let text = serde_json::to_string(draft).map_err(|_| NotKept)?;
    idb::put(DRAFTS, &table.to_string(), &text).await
}

/// Keeps what is typed for another table from now on, and not for this one any more: both or neither.
///
/// # Errors
/// [`NotKept`] when the browser refuses.
pub async fn move_draft<T: Serialize>(from: TableId, to: TableId, draft: &T) -> Result<(), NotKept> {
    let text = serde_json::to_string(draft).map_err(|_| NotKept)?;
    idb::put_and_delete(DRAFTS, (&to.to_string(), &text), &from.to_string()).await
}

/// Forgets the draft of this table.
pub async fn drop_draft(table: TableId) {
    let _still_there = idb::delete(DRAFTS, &table.to_string()).await;
}

/// The tables for which something typed has not reached the server.
pub async fn tables_with_drafts() -> Vec<TableId> {
    let keys = idb::keys(DRAFTS).await.unwrap_or_default();
    keys.into_iter().filter_map(|key| key.parse().ok()).collect()
}

/// Every order being typed, with its table.
pub async fn drafts<T: DeserializeOwned>() -> Vec<(TableId, T)> {
    let mut drafts = Vec::new();
    for table in tables_with_drafts().await {
        if let Some(draft) = draft(table).await {
            drafts.push((table, draft));
        }
    }
    drafts
}

/// On the server: nothing is kept, nothing was.
#[cfg(not(feature = "hydrate"))]
mod idb {
    use super::NotKept;

    pub(super) async fn get(_: &str, _: &str) -> Result<Option<String>, NotKept> {
        Err(NotKept)
    }
    pub(super) async fn keys(_: &str) -> Result<Vec<String>, NotKept> {
        Err(NotKept)
    }
    pub(super) async fn put(_: &str, _: &str, _: &str) -> Result<(), NotKept> {
        Err(NotKept)
    }
    pub(super) async fn put_and_delete(_: &str, _: (&str, &str), _: &str) -> Result<(), NotKept> {
        Err(NotKept)
    }
    pub(super) async fn delete(_: &str, _: &str) -> Result<(), NotKept> {
        Err(NotKept)
    }
    pub(super) async fn clear(_: &str) -> Result<(), NotKept> {
        Err(NotKept)
    }
}
