//! What the phone keeps: IndexedDB, database `comptoir`.
//!
//! `snapshots` holds the last plan, menu, order … as JSON text, and who is signed in. `drafts` holds orders being typed, by table: a
//! reload, a flat battery or a closed tab never loses what was typed. A phone that keeps nothing (private mode, disk full) still works
//! online; the caller of [`put_draft`] is told, because there a promise is broken.

use domain::TableId;
use serde::Serialize;
use serde::de::DeserializeOwned;

const SNAPSHOTS: &str = "snapshots";
const DRAFTS: &str = "drafts";

/// Money is not kept on phones: bills, tickets and closings are asked for each time.
fn is_money(name: &str) -> bool {
    name == "closing" || name.starts_with("bill-") || name.starts_with("ticket-")
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

#[cfg(feature = "hydrate")]
mod idb {
    use super::{DRAFTS, NotKept, SNAPSHOTS};
    use rexie::{ObjectStore, Rexie, Store, Transaction, TransactionMode};
    use std::cell::RefCell;
    use std::rc::Rc;
    use wasm_bindgen::JsValue;

    thread_local! {
        static DATABASE: RefCell<Option<Rc<Rexie>>> = const { RefCell::new(None) };
    }

    impl From<rexie::Error> for NotKept {
        fn from(_: rexie::Error) -> Self {
            Self
        }
    }

    async fn open() -> Result<Rc<Rexie>, NotKept> {
        if let Some(database) = DATABASE.with_borrow(Clone::clone) {
            return Ok(database);
        }
        let database = Rexie::builder("comptoir")
            .version(1)
            .add_object_store(ObjectStore::new(SNAPSHOTS))
            .add_object_store(ObjectStore::new(DRAFTS))
            .build()
            .await?;
        let database = Rc::new(database);
        DATABASE.set(Some(Rc::clone(&database)));
        Ok(database)
    }

    async fn begin(store: &str, mode: TransactionMode) -> Result<(Transaction, Store), NotKept> {
        let transaction = open().await?.transaction(&[store], mode)?;
        let store = transaction.store(store)?;
        Ok((transaction, store))
    }

    pub(super) async fn get(store: &str, key: &str) -> Result<Option<String>, NotKept> {
        let (_transaction, store) = begin(store, TransactionMode::ReadOnly).await?;
        Ok(store.get(JsValue::from_str(key)).await?.and_then(|value| value.as_string()))
    }

    pub(super) async fn keys(store: &str) -> Result<Vec<String>, NotKept> {
        let (_transaction, store) = begin(store, TransactionMode::ReadOnly).await?;
        Ok(store.get_all_keys(None, None).await?.into_iter().filter_map(|key| key.as_string()).collect())
    }

    pub(super) async fn put(store: &str, key: &str, text: &str) -> Result<(), NotKept> {
        let (transaction, store) = begin(store, TransactionMode::ReadWrite).await?;
        store.put(&JsValue::from_str(text), Some(&JsValue::from_str(key))).await?;
        transaction.done().await?;
        Ok(())
    }

    pub(super) async fn delete(store: &str, key: &str) -> Result<(), NotKept> {
        let (transaction, store) = begin(store, TransactionMode::ReadWrite).await?;
        store.delete(JsValue::from_str(key)).await?;
        transaction.done().await?;
        Ok(())
    }

    pub(super) async fn clear(store: &str) -> Result<(), NotKept> {
        let (transaction, store) = begin(store, TransactionMode::ReadWrite).await?;
        store.clear().await?;
        transaction.done().await?;
        Ok(())
    }
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
    pub(super) async fn delete(_: &str, _: &str) -> Result<(), NotKept> {
        Err(NotKept)
    }
    pub(super) async fn clear(_: &str) -> Result<(), NotKept> {
        Err(NotKept)
    }
}
