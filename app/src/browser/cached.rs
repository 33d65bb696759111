//! Data for a page: first what the phone remembers, then what the server says.
//!
//! A waiter who opens the plan in a cellar sees the last plan at once and reads that it is not fresh. A failed call never takes away what
//! is shown. On the server nothing is loaded: pages render their skeleton there.
//!
//! However many events arrive, at most one question is on its way and one more waits for its answer.

use super::http::while_alive;
use super::live::{Told, use_live};
use super::pace::Pace;
use super::store;
use crate::error::CallError;
use crate::session::use_session;
use domain::api::Event;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;

/// A question without an answer holds back the next one for so long, in milliseconds.
#[cfg(feature = "hydrate")]
const PATIENCE_MS: u32 = 8_000;

/// What changes all the time is asked for so often, in milliseconds.
const AGAIN_EVERY_MS: u32 = 500;

/// Data that a page shows.
#[derive(Debug)]
pub struct Cached<T: Send + Sync + 'static> {
    /// What is known; `None` until the phone or the server said something.
    pub data: RwSignal<Option<T>>,
    /// Why the last call gave nothing; `None` when what is shown is fresh.
    pub error: RwSignal<Option<CallError>>,
    asked: RwSignal<u32>,
    answered: StoredValue<u32>,
    /// Questions are numbered, so that a late answer never replaces a newer one, nor data of another thing.
    numbers: StoredValue<u32>,
    /// The question that is on its way.
    on_its_way: StoredValue<Option<u32>>,
    /// Somebody asked meanwhile.
    again: StoredValue<bool>,
    asking_again: Pace,
}

impl<T: Send + Sync + 'static> Clone for Cached<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Send + Sync + 'static> Copy for Cached<T> {}

impl<T: Send + Sync + 'static> Cached<T> {
    /// Asks the server again. What is shown stays until it answers. While a question is on its way one more is asked after it, however
    /// often this is called: its answer may be older than what this call is about.
    pub fn refresh(self) {
        if self.on_its_way.try_get_value().flatten().is_some() {
            self.again.try_set_value(true);
            return;
        }
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

    /// Number of the last question. An answer to a later one knows of everything that happened before now.
    pub fn last_asked(self) -> u32 {
        self.numbers.try_get_value().unwrap_or(0)
    }

    /// Number of the question whose answer is shown.
    pub fn last_shown(self) -> u32 {
        self.answered.try_get_value().unwrap_or(0)
    }

    /// Changes what is shown by what an event told, without asking. A question that is under way may be answered with what was so before
    /// the event, so it is asked once more.
    pub fn amend(self, change: impl FnOnce(&mut T)) {
        if self.on_its_way.try_get_value().flatten().is_some() {
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
        numbers: StoredValue::new(0),
        on_its_way: StoredValue::new(None),
        again: StoredValue::new(false),
        asking_again: Pace::new(AGAIN_EVERY_MS),
    };
    let session = use_session();
    let live = use_live();
    Effect::new(move |before: Option<Option<K>>| {
        cached.asked.track();
        let wanted = source();
        let number = cached.numbers.try_update_value(|number| {
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
            cached.set_out(number);
            let answer = call(key);
            spawn_local(async move {
                if is_new && let Some(stored) = store::get_json::<T>(&stored_under).await {
                    cached.show_stored(stored, number);
                }
                let answer = while_alive(answer).await;
                live.heard_of_call(&answer);
                cached.come_back(number);
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
    fn set_out(self, number: u32) {
        self.on_its_way.try_set_value(Some(number));
        self.again.try_set_value(false);
        // A cut network may keep a question for minutes; what happens meanwhile is asked for all the same.
        #[cfg(feature = "hydrate")]
        gloo_timers::callback::Timeout::new(PATIENCE_MS, move || self.come_back(number)).forget();
    }

    /// The question is answered, or given up; whatever was asked for meanwhile is asked now. Does nothing the second time.
    fn come_back(self, number: u32) {
        if self.on_its_way.try_get_value().flatten() == Some(number) {
            self.on_its_way.try_set_value(None);
            if self.again.try_update_value(std::mem::take) == Some(true) {
                self.asking_again.soon(move || self.refresh());
            }
        }
    }

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
