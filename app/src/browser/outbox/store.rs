//! Where the phone keeps the orders that the server does not have yet.
//!
//! Records are text; the service worker reads them too (`sw-queue.js`), so that they go out even when no page is open. What is typed stands
//! in the same database: an order that begins to wait is no longer typed, in one transaction, and the other way round when it comes back to
//! be corrected. A phone that dies in between has it once.

use crate::browser::store::NotKept;
use domain::TableId;
use std::future::Future;
use uuid::Uuid;

/// What becomes of the draft of a table in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftThen {
    /// Whose draft.
    pub table: TableId,
    /// What is typed there afterwards, as text; nothing when it is forgotten.
    pub text: Option<String>,
}

/// Keeps the records of the queue.
pub trait QueueStore {
    /// Everything that is kept.
    fn all(&self) -> impl Future<Output = Result<Vec<String>, NotKept>>;
    /// Keeps a new one. Both or neither: after this it outlives the app and the tab, and is typed no more.
    fn keep(&self, uuid: Uuid, text: String, draft: Option<DraftThen>) -> impl Future<Output = Result<(), NotKept>>;
    /// Writes one down as it is now, unless it was forgotten meanwhile.
    fn update(&self, uuid: Uuid, text: String) -> impl Future<Output = Result<(), NotKept>>;
    /// Keeps one in the place of another: both or neither.
    fn replace(&self, old: Uuid, uuid: Uuid, text: String) -> impl Future<Output = Result<(), NotKept>>;
    /// Forgets these.
    fn forget(&self, these: &[Uuid]) -> impl Future<Output = Result<(), NotKept>>;
    /// Forgets one that is typed again: both or neither.
    fn take_back(&self, uuid: Uuid, draft: DraftThen) -> impl Future<Output = Result<(), NotKept>>;
    /// The number of this phone; made the first time.
    fn device(&self) -> impl Future<Output = Result<Uuid, NotKept>>;
    /// Whether something written now would be kept.
    fn probe(&self) -> impl Future<Output = Result<(), NotKept>>;
}

/// The store of this browser.
#[cfg(feature = "hydrate")]
pub use indexed_db::IndexedDb as Kept;
#[cfg(not(feature = "hydrate"))]
pub use nothing::Nothing as Kept;

#[cfg(feature = "hydrate")]
mod indexed_db {
    use super::{DraftThen, NotKept, QueueStore};
    use crate::browser::database::{self, DRAFTS, INTENTS, PHONE, committed, promises};
    use rexie::{Transaction, TransactionMode};
    use uuid::Uuid;
    use wasm_bindgen::JsValue;

    const DEVICE: &str = "device";
    /// As much as an order needs, and more: a disk that has no room for this has none for an order.
    const PROBE_CHARACTERS: usize = 16_384;

    /// IndexedDB, database `comptoir-queue`.
    pub struct IndexedDb;

    fn key(uuid: Uuid) -> JsValue {
        JsValue::from_str(&uuid.to_string())
    }

    async fn set_draft(transaction: &Transaction, draft: DraftThen) -> Result<(), NotKept> {
        let drafts = transaction.store(DRAFTS)?;
        let table = JsValue::from_str(&draft.table.to_string());
        match draft.text {
            Some(text) => drop(drafts.put(&JsValue::from_str(&text), Some(&table)).await?),
            None => drafts.delete(table).await?,
        }
        Ok(())
    }

    impl QueueStore for IndexedDb {
        async fn all(&self) -> Result<Vec<String>, NotKept> {
            database::values(INTENTS).await
        }

        async fn keep(&self, uuid: Uuid, text: String, draft: Option<DraftThen>) -> Result<(), NotKept> {
            let transaction = promises(&[INTENTS, DRAFTS], TransactionMode::ReadWrite).await?;
            transaction.store(INTENTS)?.put(&JsValue::from_str(&text), Some(&key(uuid))).await?;
            if let Some(draft) = draft {
                set_draft(&transaction, draft).await?;
            }
            committed(transaction).await
        }

        async fn update(&self, uuid: Uuid, text: String) -> Result<(), NotKept> {
            let transaction = promises(&[INTENTS], TransactionMode::ReadWrite).await?;
            let intents = transaction.store(INTENTS)?;
            if intents.key_exists(key(uuid)).await? {
                intents.put(&JsValue::from_str(&text), Some(&key(uuid))).await?;
            }
            committed(transaction).await
        }

        async fn replace(&self, old: Uuid, uuid: Uuid, text: String) -> Result<(), NotKept> {
            let transaction = promises(&[INTENTS], TransactionMode::ReadWrite).await?;
            let intents = transaction.store(INTENTS)?;
            intents.delete(key(old)).await?;
            intents.put(&JsValue::from_str(&text), Some(&key(uuid))).await?;
            committed(transaction).await
        }

        async fn forget(&self, these: &[Uuid]) -> Result<(), NotKept> {
            let transaction = promises(&[INTENTS], TransactionMode::ReadWrite).await?;
            let intents = transaction.store(INTENTS)?;
            database::all_of(these.iter().map(|uuid| intents.delete(key(*uuid)))).await?;
            committed(transaction).await
        }

        async fn take_back(&self, uuid: Uuid, draft: DraftThen) -> Result<(), NotKept> {
            let transaction = promises(&[INTENTS, DRAFTS], TransactionMode::ReadWrite).await?;
            transaction.store(INTENTS)?.delete(key(uuid)).await?;
            set_draft(&transaction, draft).await?;
            committed(transaction).await
        }

        async fn device(&self) -> Result<Uuid, NotKept> {
            let transaction = promises(&[PHONE], TransactionMode::ReadWrite).await?;
            let phone = transaction.store(PHONE)?;
            let known = phone.get(JsValue::from_str(DEVICE)).await?.and_then(|text| text.as_string()).and_then(|text| text.parse().ok());
            if let Some(known) = known {
                return Ok(known);
            }
            let new = Uuid::now_v7();
            phone.put(&key(new), Some(&JsValue::from_str(DEVICE))).await?;
            committed(transaction).await?;
            Ok(new)
        }

        async fn probe(&self) -> Result<(), NotKept> {
            let transaction = promises(&[PHONE], TransactionMode::ReadWrite).await?;
            let phone = transaction.store(PHONE)?;
            let name = JsValue::from_str("probe");
            phone.put(&JsValue::from_str(&"x".repeat(PROBE_CHARACTERS)), Some(&name)).await?;
            committed(transaction).await?;
            let transaction = promises(&[PHONE], TransactionMode::ReadWrite).await?;
            transaction.store(PHONE)?.delete(name).await?;
            committed(transaction).await
        }
    }
}

/// On the server: nothing is kept, nothing was.
#[cfg(not(feature = "hydrate"))]
mod nothing {
    use super::{DraftThen, NotKept, QueueStore};
    use uuid::Uuid;

    /// Keeps nothing.
    pub struct Nothing;

    impl QueueStore for Nothing {
        async fn all(&self) -> Result<Vec<String>, NotKept> {
            Err(NotKept)
        }
        async fn keep(&self, _: Uuid, _: String, _: Option<DraftThen>) -> Result<(), NotKept> {
            Err(NotKept)
        }
        async fn update(&self, _: Uuid, _: String) -> Result<(), NotKept> {
            Err(NotKept)
        }
        async fn replace(&self, _: Uuid, _: Uuid, _: String) -> Result<(), NotKept> {
            Err(NotKept)
        }
        async fn forget(&self, _: &[Uuid]) -> Result<(), NotKept> {
            Err(NotKept)
        }
        async fn take_back(&self, _: Uuid, _: DraftThen) -> Result<(), NotKept> {
            Err(NotKept)
        }
        async fn device(&self) -> Result<Uuid, NotKept> {
            Err(NotKept)
        }
        async fn probe(&self) -> Result<(), NotKept> {
            Err(NotKept)
        }
    }
}
