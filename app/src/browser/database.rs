//! The two databases of this browser.
//!
//! `comptoir` is a memory: the last plan, the last menu. Losing it costs a slower start. `comptoir-queue` is a promise: what is typed and what
//! waits to be sent. Clearing the memory cannot touch the promise. What is typed and what is sent stand in one database, so that one
//! transaction turns the one into the other: a phone that dies in between has either, never both.

use super::store::NotKept;
use js_sys::Promise;
use rexie::{ObjectStore, Rexie, Store, Transaction, TransactionMode};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

/// The last plan, menu, order …, and who is signed in, as JSON text.
pub(super) const SNAPSHOTS: &str = "snapshots";
/// Orders being typed, by table, as JSON text.
pub(super) const DRAFTS: &str = "drafts";
/// Orders that the server does not have yet, by their number, as JSON text.
pub(super) const INTENTS: &str = "intents";
/// What this phone knows of itself.
pub(super) const PHONE: &str = "phone";

thread_local! {
    static MEMORY: RefCell<Option<Rc<Rexie>>> = const { RefCell::new(None) };
    static PROMISE: RefCell<Option<Rc<Rexie>>> = const { RefCell::new(None) };
    /// The opening that is under way: whoever comes meanwhile waits for it.
    static OPENING: RefCell<Option<Promise>> = const { RefCell::new(None) };
}

impl From<rexie::Error> for NotKept {
    fn from(_: rexie::Error) -> Self {
        Self
    }
}

/// The database of what is only a memory.
async fn memory() -> Result<Rc<Rexie>, NotKept> {
    if let Some(database) = MEMORY.with_borrow(Clone::clone) {
        return Ok(database);
    }
    let database = Rexie::builder("comptoir")
        .version(1)
        .add_object_store(ObjectStore::new(SNAPSHOTS))
        // Here an app from before the queue kept what was typed: see [`bring_drafts`].
        .add_object_store(ObjectStore::new(DRAFTS))
        .build()
        .await?;
    let database = Rc::new(database);
    MEMORY.set(Some(Rc::clone(&database)));
    Ok(database)
}

/// The database of what is promised.
async fn promise() -> Result<Rc<Rexie>, NotKept> {
    if let Some(database) = PROMISE.with_borrow(Clone::clone) {
        return Ok(database);
    }
    let opening = OPENING.with_borrow_mut(|opening| opening.get_or_insert_with(|| future_to_promise(open_promise())).clone());
    let opened = JsFuture::from(opening).await;
    OPENING.set(None);
    opened.map_err(|_| NotKept)?;
    PROMISE.with_borrow(Clone::clone).ok_or(NotKept)
}

async fn open_promise() -> Result<JsValue, JsValue> {
    let failed = |_: rexie::Error| JsValue::NULL;
    let database = Rexie::builder("comptoir-queue")
        .version(1)
        .add_object_store(ObjectStore::new(INTENTS))
        .add_object_store(ObjectStore::new(DRAFTS))
        .add_object_store(ObjectStore::new(PHONE))
        .build()
        .await
        .map_err(failed)?;
    // Before anybody sees this database, or what was typed yesterday would be missing in it. What cannot be read now is brought next time.
    let _next_time = bring_drafts(&database).await;
    PROMISE.set(Some(Rc::new(database)));
    Ok(JsValue::UNDEFINED)
}

/// Brings what an app from before the queue kept as typed. Copied first, then forgotten there: after a crash it is found already copied.
async fn bring_drafts(to: &Rexie) -> Result<(), NotKept> {
    let from = memory().await?;
    let reading = from.transaction(&[DRAFTS], TransactionMode::ReadOnly)?;
    let store = reading.store(DRAFTS)?;
    let (keys, values) = (store.get_all_keys(None, None).await?, store.get_all(None, None).await?);
    if keys.is_empty() {
        return Ok(());
    }
    let writing = to.transaction(&[DRAFTS], TransactionMode::ReadWrite)?;
    let drafts = writing.store(DRAFTS)?;
    for (key, value) in keys.iter().zip(&values) {
        if !drafts.key_exists(key.clone()).await? {
            drafts.put(value, Some(key)).await?;
        }
    }
    committed(writing).await?;
    let forgetting = from.transaction(&[DRAFTS], TransactionMode::ReadWrite)?;
    forgetting.store(DRAFTS)?.clear().await?;
    committed(forgetting).await
}

/// A transaction over stores of the database of promises.
pub(super) async fn promises(stores: &[&str], mode: TransactionMode) -> Result<Transaction, NotKept> {
    Ok(promise().await?.transaction(stores, mode)?)
}

/// Waits until it is written. A disk that is full refuses only here: without this answer nothing may be said to be kept.
pub(super) async fn committed(transaction: Transaction) -> Result<(), NotKept> {
    if transaction.done().await?.is_committed() { Ok(()) } else { Err(NotKept) }
}

/// Asks for all of these, and then waits for the answers: one after the other each would cost a turn of its own.
pub(super) async fn all_of<F: Future<Output = rexie::Result<()>>>(requests: impl Iterator<Item = F>) -> Result<(), NotKept> {
    let mut open: Vec<_> = requests.map(Box::pin).collect();
    let mut failed = false;
    poll_fn(|context| {
        open.retain_mut(|request| match request.as_mut().poll(context) {
            Poll::Ready(answer) => {
                failed |= answer.is_err();
                false
            }
            Poll::Pending => true,
        });
        if open.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    if failed { Err(NotKept) } else { Ok(()) }
}

async fn begin(store: &str, mode: TransactionMode) -> Result<(Transaction, Store), NotKept> {
    let transaction = if store == SNAPSHOTS { memory().await?.transaction(&[store], mode)? } else { promises(&[store], mode).await? };
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

pub(super) async fn values(store: &str) -> Result<Vec<String>, NotKept> {
    let (_transaction, store) = begin(store, TransactionMode::ReadOnly).await?;
    Ok(store.get_all(None, None).await?.into_iter().filter_map(|value| value.as_string()).collect())
}

pub(super) async fn put(store: &str, key: &str, text: &str) -> Result<(), NotKept> {
    let (transaction, store) = begin(store, TransactionMode::ReadWrite).await?;
    store.put(&JsValue::from_str(text), Some(&JsValue::from_str(key))).await?;
    committed(transaction).await
}

pub(super) async fn put_and_delete(store: &str, (key, text): (&str, &str), other: &str) -> Result<(), NotKept> {
    let (transaction, store) = begin(store, TransactionMode::ReadWrite).await?;
    store.put(&JsValue::from_str(text), Some(&JsValue::from_str(key))).await?;
    store.delete(JsValue::from_str(other)).await?;
    committed(transaction).await
}

pub(super) async fn delete(store: &str, key: &str) -> Result<(), NotKept> {
    let (transaction, store) = begin(store, TransactionMode::ReadWrite).await?;
    store.delete(JsValue::from_str(key)).await?;
    committed(transaction).await
}

pub(super) async fn clear(store: &str) -> Result<(), NotKept> {
    let (transaction, store) = begin(store, TransactionMode::ReadWrite).await?;
    store.clear().await?;
    committed(transaction).await
}
