//! Where the phone keeps the orders that the server does not have yet.
//!
//! A database of its own: an app of another version in another tab never holds up its opening, and clearing what is only a memory never
//! touches what is a promise. Records are text; the service worker reads them too (`sw-queue.js`), so that they go out even when no page
//! is open.

use crate::browser::store::NotKept;
use std::future::Future;
use uuid::Uuid;

/// Keeps the records of the queue.
pub trait QueueStore {
    /// Everything that is kept, each with its number.
    fn all(&self) -> impl Future<Output = Result<Vec<String>, NotKept>>;
    /// Keeps one; after this it outlives the app, the tab and the battery.
    fn put(&self, uuid: Uuid, text: String) -> impl Future<Output = Result<(), NotKept>>;
    /// Keeps one in the place of another: both or neither.
    fn replace(&self, old: Uuid, uuid: Uuid, text: String) -> impl Future<Output = Result<(), NotKept>>;
    /// Forgets one.
    fn forget(&self, uuid: Uuid) -> impl Future<Output = Result<(), NotKept>>;
    /// The number of this phone; made the first time.
    fn device(&self) -> impl Future<Output = Result<Uuid, NotKept>>;
}

/// The store of this browser.
#[cfg(feature = "hydrate")]
pub use indexed_db::IndexedDb as Kept;
#[cfg(not(feature = "hydrate"))]
pub use nothing::Nothing as Kept;

#[cfg(feature = "hydrate")]
mod indexed_db {
    use super::{NotKept, QueueStore};
    use rexie::{ObjectStore, Rexie, TransactionMode};
    use std::cell::RefCell;
    use std::rc::Rc;
    use uuid::Uuid;
    use wasm_bindgen::JsValue;

    const INTENTS: &str = "intents";
    const PHONE: &str = "phone";
    const DEVICE: &str = "device";

    thread_local! {
        static DATABASE: RefCell<Option<Rc<Rexie>>> = const { RefCell::new(None) };
    }

    /// IndexedDB, database `comptoir-queue`.
    pub struct IndexedDb;

    async fn open() -> Result<Rc<Rexie>, NotKept> {
        if let Some(database) = DATABASE.with_borrow(Clone::clone) {
            return Ok(database);
        }
        let database = Rexie::builder("comptoir-queue")
            .version(1)
            .add_object_store(ObjectStore::new(INTENTS))
            .add_object_store(ObjectStore::new(PHONE))
            .build()
            .await?;
        let database = Rc::new(database);
        DATABASE.set(Some(Rc::clone(&database)));
        Ok(database)
    }

    fn key(uuid: Uuid) -> JsValue {
        JsValue::from_str(&uuid.to_string())
    }

    impl QueueStore for IndexedDb {
        async fn all(&self) -> Result<Vec<String>, NotKept> {
            let transaction = open().await?.transaction(&[INTENTS], TransactionMode::ReadOnly)?;
            let records = transaction.store(INTENTS)?.get_all(None, None).await?;
            Ok(records.into_iter().filter_map(|record| record.as_string()).collect())
        }

        async fn put(&self, uuid: Uuid, text: String) -> Result<(), NotKept> {
            let transaction = open().await?.transaction(&[INTENTS], TransactionMode::ReadWrite)?;
            transaction.store(INTENTS)?.put(&JsValue::from_str(&text), Some(&key(uuid))).await?;
            transaction.done().await?;
            Ok(())
        }

        async fn replace(&self, old: Uuid, uuid: Uuid, text: String) -> Result<(), NotKept> {
            let transaction = open().await?.transaction(&[INTENTS], TransactionMode::ReadWrite)?;
            let store = transaction.store(INTENTS)?;
            store.delete(key(old)).await?;
            store.put(&JsValue::from_str(&text), Some(&key(uuid))).await?;
            transaction.done().await?;
            Ok(())
        }

        async fn forget(&self, uuid: Uuid) -> Result<(), NotKept> {
            let transaction = open().await?.transaction(&[INTENTS], TransactionMode::ReadWrite)?;
            transaction.store(INTENTS)?.delete(key(uuid)).await?;
            transaction.done().await?;
            Ok(())
        }

        async fn device(&self) -> Result<Uuid, NotKept> {
            let transaction = open().await?.transaction(&[PHONE], TransactionMode::ReadWrite)?;
            let store = transaction.store(PHONE)?;
            let known = store.get(JsValue::from_str(DEVICE)).await?.and_then(|text| text.as_string()).and_then(|text| text.parse().ok());
            if let Some(known) = known {
                return Ok(known);
            }
            let new = Uuid::now_v7();
            store.put(&key(new), Some(&JsValue::from_str(DEVICE))).await?;
            transaction.done().await?;
            Ok(new)
        }
    }
}

/// On the server: nothing is kept, nothing was.
#[cfg(not(feature = "hydrate"))]
mod nothing {
    use super::{NotKept, QueueStore};
    use uuid::Uuid;

    /// Keeps nothing.
    pub struct Nothing;

    impl QueueStore for Nothing {
        async fn all(&self) -> Result<Vec<String>, NotKept> {
            Err(NotKept)
        }
        async fn put(&self, _: Uuid, _: String) -> Result<(), NotKept> {
            Err(NotKept)
        }
        async fn replace(&self, _: Uuid, _: Uuid, _: String) -> Result<(), NotKept> {
            Err(NotKept)
        }
        async fn forget(&self, _: Uuid) -> Result<(), NotKept> {
            Err(NotKept)
        }
        async fn device(&self) -> Result<Uuid, NotKept> {
            Err(NotKept)
        }
    }
}
