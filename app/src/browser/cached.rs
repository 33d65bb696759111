//! Data for a page: first what the phone remembers, then what the server says.
//!
//! A waiter who opens the plan in a cellar sees the last plan at once and reads that it is not fresh. A failed call never takes away what
//! is shown. On the server nothing is loaded: pages render their skeleton there.

use super::live::{Told, use_live};
use super::store;
use crate::error::CallError;
use crate::session::use_session;
use domain::api::Event;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;

/// Data that a page shows.
#[derive(Debug)]
pub struct Cached<T: Send + Sync + 'static> {
    /// What is known; `None` until the phone or the server said something.
    pub data: RwSignal<Option<T>>,
    /// Why the last call gave nothing; `None` when what is shown is fresh.
    pub error: RwSignal<Option<CallError>>,
    asked: RwSignal<u32>,
    answered: StoredValue<u32>,
    /// Questions that are not answered yet.
    open: StoredValue<u32>,
}

impl<T: Send + Sync + 'static> Clone for Cached<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Send + Sync + 'static> Copy for Cached<T> {}

impl<T: Send + Sync + 'static> Cached<T> {
    /// Asks the server again. What is shown stays until it answers.
    pub fn refresh(self) {
        self.asked.try_update(|count| *count = count.wrapping_add(1));
    }

    /// Asks again whenever the server tells of something that concerns this data, and after every reconnection.
    pub fn follow(self, concerns: impl Fn(&Event) -> bool + Send + Sync + 'static) {
        use_live().listen(move |told| match told {
            Told::Connected => self.refresh(),
            Told::Event(event) if concerns(event) => self.refresh(),
            Told::Event(_) => {}
        });
    }

    /// Changes what is shown by what an event told, without asking. A question that is under way may be answered with what was so before
    /// the event, so it is asked once more.
    pub fn amend(self, change: impl FnOnce(&mut T)) {
        if self.open.try_get_value().is_some_and(|open| open > 0) {
            self.refresh();
        }
        self.data.try_update(|data| data.as_mut().map(change));
    }

    /// Whether what is shown may be old, because the server could not be asked.
    pub fn is_stale(self) -> bool {
        self.error.with(Option::is_some)
    }
}

/// Data under one fixed name, for example `use_cached("floor", calls::floor)`.
pub fn use_cached<T, F, Fut>(name: &'static str, call: F) -> Cached<T>
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, CallError>> + 'static,
{
    use_cached_for(|| Some(()), move |()| name.to_owned(), move |()| call())
}

/// Data of something that may change or be unknown at first, for example
/// `use_cached_for(move || order_id.get(), |id| format!("order-{id}"), calls::order)`. While `source` is `None` there is no data.
pub fn use_cached_for<K, T, F, Fut>(
    source: impl Fn() -> Option<K> + Send + Sync + 'static,
    name: impl Fn(&K) -> String + Send + Sync + 'static,
    call: F,
) -> Cached<T>
where
    K: Clone + PartialEq + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    F: Fn(K) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, CallError>> + 'static,
{
    let cached = Cached {
        data: RwSignal::new(None),
        error: RwSignal::new(None),
        asked: RwSignal::new(0),
        answered: StoredValue::new(0),
        open: StoredValue::new(0),
    };
    let session = use_session();
    let live = use_live();
    // Questions are numbered, so that a late answer never replaces a newer one, nor data of another thing.
    let numbers = StoredValue::new(0_u32);
    Effect::new(move |before: Option<Option<K>>| {
        cached.asked.track();
        let wanted = source();
        let number = numbers.try_update_value(|number| {
            *number = number.wrapping_add(1);
            *number
        });
        let is_new = before.is_none_or(|before| before != wanted);
        if is_new {
            cached.data.set(None);
            cached.error.set(None);
            // Answers to earlier questions are about something else.
            cached.answered.set_value(number.unwrap_or(0));
        }
        if let (Some(key), Some(number)) = (wanted.clone(), number) {
            let stored_under = name(&key);
            let answer = call(key);
            cached.open.update_value(|open| *open += 1);
            spawn_local(async move {
                if is_new && let Some(stored) = store::get_json::<T>(&stored_under).await {
                    cached.show_stored(stored, number);
                }
                let answer = answer.await;
                cached.open.try_update_value(|open| *open = open.saturating_sub(1));
                live.heard_of_call(&answer);
                match answer {
                    Ok(fresh) => {
                        if cached.show_fresh(fresh.clone(), number) {
                            store::put_json(stored_under, fresh).await;
                        }
                    }
                    Err(error) => {
                        session.heed(&error);
                        cached.error.try_set(Some(error));
                    }
                }
            });
        }
        wanted
    });
    cached
}

impl<T: Send + Sync + 'static> Cached<T> {
    fn show_stored(self, stored: T, number: u32) {
        if self.answered.try_get_value() == Some(number) && self.data.try_with_untracked(Option::is_none) == Some(true) {
            self.data.try_set(Some(stored));
        }
    }

    /// Shows an answer unless a newer one is shown already; says whether it did.
    fn show_fresh(self, fresh: T, number: u32) -> bool {
        if self.answered.try_get_value().is_none_or(|shown| shown > number) {
            return false;
        }
        self.answered.try_set_value(number);
        self.error.try_set(None);
        self.data.try_set(Some(fresh));
        true
    }
}
