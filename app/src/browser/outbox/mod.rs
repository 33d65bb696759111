//! Orders on their way to the server: drives the pure queue of `domain`.
//!
//! *Envoyer* writes an order down on the phone, in one transaction with what remains typed, and only then says so. From there it goes out
//! by itself: at once, and again whenever the network returns, the app comes to the foreground or the socket is open again. One tab per
//! browser sends (Web Locks); the others write down, tell it, and show what it does. What was written down outlives the tab and the app,
//! and is sent again under the same number.

mod keeping;
mod sending;
#[cfg(feature = "hydrate")]
mod signals;
mod store;

pub use store::QueueStore;

use super::http;
use super::live::{Link, Live, Told, use_live};
use super::pace::Pace;
use crate::draft::Draft;
use crate::session::{Session, use_session};
use domain::api::{DeviceReport, SyncAccepted};
use domain::role::Right;
use domain::sync::{Conflict, Intent, IntentState, Queue, Waiting};
use domain::{OrderId, TableId};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::Kept;
use uuid::Uuid;

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The server has it.
    Taken(SyncAccepted),
    /// The server had it already, on this order.
    TakenBefore(Option<OrderId>),
    /// A person has to decide.
    Conflict(Conflict),
    /// Another tab of this browser took it over: it is typed there no more.
    Elsewhere,
}

/// What became of which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The order, as it was.
    pub intent: Intent,
    /// What became of it.
    pub sent: Sent,
}

/// While answers arrive, what the server has is forgotten and the screen follows so often, in milliseconds. A phone that dies in between
/// sends the rest again, and is answered as before.
const FOLLOW_EVERY_MS: u32 = 100;
/// And while so many wait that nobody counts along, so often: each step draws the page anew, on the processor that sends.
const FOLLOW_MANY_EVERY_MS: u32 = 300;
/// So many are many.
const MANY: u32 = 20;

type Listener = Arc<dyn Fn(&News) + Send + Sync>;

/// The orders on this phone; in context everywhere.
#[derive(Clone, Copy)]
pub struct Outbox {
    queue: StoredValue<Queue>,
    /// What the screens show.
    intents: RwSignal<Vec<Arc<Intent>>>,
    waiting: RwSignal<Waiting>,
    listeners: StoredValue<Vec<(u64, Listener)>>,
    last_listener: StoredValue<u64>,
    /// Records that another version of the app wrote: they stay.
    unreadable: RwSignal<u32>,
    /// This tab sends.
    is_sender: StoredValue<bool>,
    showing: Pace,
    /// Counts what this tab adds and writes down: whoever reads what is kept meanwhile may have missed it.
    changes: StoredValue<u32>,
    /// How much of that is being written down.
    unwritten: StoredValue<u32>,
    /// Orders that were typed in this tab.
    typed_here: StoredValue<BTreeSet<Uuid>>,
    /// Orders that the phone could not keep: they are lost with this tab.
    unkept: StoredValue<BTreeSet<Uuid>>,
    /// The server has these. A record that was read before it was forgotten does not come back.
    done: StoredValue<BTreeSet<Uuid>>,
    /// Of these, those that are not forgotten yet.
    to_forget: StoredValue<Vec<Uuid>>,
    /// Whether this phone keeps what is written down. Found out before there is anything to lose.
    keeps: RwSignal<bool>,
    /// The server asks for a newer app.
    outdated: RwSignal<bool>,
    parts: StoredValue<Option<(Session, Live)>>,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

/// The orders on this phone.
#[must_use]
pub fn use_outbox() -> Outbox {
    use_context().unwrap_or_else(Outbox::new)
}

impl Outbox {
    /// Nothing is known yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "there is one, made by the app")]
    pub fn new() -> Self {
        Self {
            queue: StoredValue::new(Queue::default()),
            intents: RwSignal::new(Vec::new()),
            waiting: RwSignal::new(Waiting::default()),
            listeners: StoredValue::new(Vec::new()),
            last_listener: StoredValue::new(0),
            unreadable: RwSignal::new(0),
            is_sender: StoredValue::new(false),
            showing: Pace::new(FOLLOW_EVERY_MS),
            changes: StoredValue::new(0),
            unwritten: StoredValue::new(0),
            typed_here: StoredValue::new(BTreeSet::new()),
            unkept: StoredValue::new(BTreeSet::new()),
            done: StoredValue::new(BTreeSet::new()),
            to_forget: StoredValue::new(Vec::new()),
            keeps: RwSignal::new(true),
            outdated: RwSignal::new(false),
            parts: StoredValue::new(None),
        }
    }

    /// Looks at all of them, oldest first.
    pub fn with_intents<T>(self, look: impl FnOnce(&[Arc<Intent>]) -> T) -> T {
        self.intents.with(|intents| look(intents))
    }

    /// Whether this phone keeps what is written down.
    #[must_use]
    pub fn keeps(self) -> bool {
        self.keeps.get()
    }

    /// Whether the server asks for a newer app before it takes anything.
    #[must_use]
    pub fn outdated(self) -> bool {
        self.outdated.get()
    }

    /// Whether an order was typed in this tab.
    #[must_use]
    pub fn was_typed_here(self, uuid: Uuid) -> bool {
        self.typed_here.with_value(|here| here.contains(&uuid))
    }

    /// Those of one table that are on their way.
    #[must_use]
    pub fn of_table(self, table: TableId) -> Vec<Intent> {
        self.intents.with(|all| {
            let here = |one: &&Arc<Intent>| one.table_id() == table && one.state == IntentState::Waiting;
            all.iter().filter(here).map(|one| Intent::clone(one)).collect()
        })
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(self) -> Waiting {
        self.waiting.get()
    }

    /// How many records nobody here can read.
    #[must_use]
    pub fn unreadable(self) -> u32 {
        self.unreadable.get()
    }

    /// Whether an order of this phone is not with the server.
    #[must_use]
    pub fn holds_something(self) -> bool {
        let Waiting { to_send, conflicts, .. } = self.waiting.get_untracked();
        to_send + conflicts + self.unreadable.get_untracked() > 0
    }

    /// Calls back for whatever becomes of an order, as long as the calling component is on screen.
    pub fn listen(self, heard: impl Fn(&News) + Send + Sync + 'static) {
        let number = self.last_listener.try_update_value(|last| {
            *last += 1;
            *last
        });
        let Some(number) = number else { return };
        self.listeners.update_value(|listeners| listeners.push((number, Arc::new(heard))));
        on_cleanup(move || {
            self.listeners.try_update_value(|listeners| listeners.retain(|(other, _)| *other != number));
        });
    }

    fn tell(self, news: &News) {
        let heard = self.listeners.try_with_value(|all| all.iter().map(|(_, heard)| Arc::clone(heard)).collect::<Vec<_>>());
        for heard in heard.unwrap_or_default() {
            heard(news);
        }
    }

    /// Begins in this tab: what the phone kept, who sends, and what wakes the queue. Does nothing on the server.
    pub(super) fn start(self) {
        let (session, live) = (use_session(), use_live());
        self.parts.set_value(Some((session, live)));
        live.listen(move |told| {
            if *told == Told::Connected {
                self.wake();
            }
        });
        Effect::new(move |before: Option<Link>| {
            let link = live.link();
            let (was_lost, is_lost) = (before == Some(Link::Offline), link == Link::Offline);
            #[cfg(feature = "hydrate")]
            match (was_lost, is_lost) {
                (false, true) => signals::lost(self),
                (true, false) => signals::found_again(),
                _ => {}
            }
            if was_lost && !is_lost {
                self.wake();
            }
            link
        });
        Effect::new(move |_| {
            let person = session.user().map(|user| user.id);
            self.queue.update_value(|queue| queue.signed_in(person));
            self.show();
            self.wake();
            if person.is_some() {
                spawn_local(async move {
                    for (_, mut draft) in super::store::drafts::<Draft>().await {
                        self.adopt(&mut draft).await;
                    }
                });
            }
        });
        super::leaving::ask_before_closing(move || self.unkept.try_with_value(|unkept| !unkept.is_empty()) == Some(true));
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| signals::watch(self));
    }

    /// The number for the next order.
    #[must_use]
    pub fn next_seq(self) -> u64 {
        self.queue.with_value(Queue::next_seq)
    }

    /// The last order that was typed here for a table and is still on its way: what is typed next is for the same guests.
    #[must_use]
    pub fn last_of(self, table: TableId) -> Option<Uuid> {
        self.queue.with_value(|queue| queue.intents().filter(|one| one.table_id() == table).last().map(|one| one.uuid))
    }

    /// Everything may be tried now. Another tab, or the service worker, may have sent or decided something meanwhile.
    pub fn wake(self) {
        self.queue.try_update_value(Queue::wake);
        // The house asked who this is, and the answer to that was lost: nothing is sent until it is known.
        if self.queue.try_with_value(Queue::is_nobodys) == Some(true)
            && let Some((session, live)) = self.parts.try_get_value().flatten().filter(|(session, _)| session.user_untracked().is_some())
        {
            spawn_local(session.find_out(live));
        }
        self.send();
        #[cfg(feature = "hydrate")]
        signals::read_again(self);
    }

    fn show(self) {
        let Some((intents, waiting)) = self.queue.try_with_value(|queue| (queue.shared(), queue.waiting())) else { return };
        if self.waiting.try_get_untracked() != Some(waiting) {
            self.waiting.try_set(waiting);
            #[cfg(feature = "hydrate")]
            signals::report_soon(self);
        }
        self.intents.try_set(intents);
    }

    /// Shows what changed, a little later: hundreds of answers in a row are one change for the eye.
    fn show_soon(self) {
        let are_many = self.waiting.try_get_untracked().is_some_and(|waiting| waiting.to_send > MANY);
        self.showing.every(if are_many { FOLLOW_MANY_EVERY_MS } else { FOLLOW_EVERY_MS }).soon(move || {
            // First: what no screen shows any more is not kept either.
            self.forget_done();
            self.show();
        });
    }

    fn tell_others(self) {
        #[cfg(feature = "hydrate")]
        signals::tell_others();
    }

    /// Tells the house what this phone keeps. With `leaving` its person signs out.
    pub async fn report(self, leaving: bool) {
        let person = self.parts.try_get_value().flatten().and_then(|(session, _)| session.user_untracked());
        // An auditor has no orders.
        if person.is_none_or(|user| !user.role.may(Right::TakeOrders)) {
            return;
        }
        let Waiting { to_send, conflicts, .. } = self.waiting.get_untracked();
        let held = to_send + conflicts + self.unreadable.get_untracked();
        let report = DeviceReport { held, conflicts, app: env!("CARGO_PKG_VERSION").to_owned(), leaving };
        if let Ok(device) = Kept.device().await {
            http::report_device(device, &report).await;
        }
    }
}
