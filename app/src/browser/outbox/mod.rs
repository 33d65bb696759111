//! Orders on their way to the server: drives the pure queue of `domain`.
//!
//! *Envoyer* writes an order down on the phone and only then says so. From there it goes out by itself: at once, and again whenever the
//! network returns, the app comes to the foreground or the socket is open again. One tab per browser sends (Web Locks); the others write
//! down, tell it, and show what it does. What was written down outlives the tab, the app and the battery, and is sent again under the same
//! number.

#[cfg(feature = "hydrate")]
mod signals;
mod store;

pub use store::QueueStore;

use super::http;
use super::live::{Link, Live, Told, use_live};
use super::store::NotKept;
use crate::draft::Draft;
use crate::session::{Session, use_session};
use domain::api::{DeviceReport, SyncAccepted};
use domain::role::Right;
use domain::sync::{Ask, Choice, Conflict, Effect as Act, Intent, IntentState, Queue, Waiting};
use domain::{OrderId, TableId};
use leptos::prelude::*;
use leptos::task::spawn_local;
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
    /// It did not go out; it is kept and goes out by itself.
    Waits,
}

/// What became of which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The order, as it was.
    pub intent: Intent,
    /// What became of it.
    pub sent: Sent,
}

type Listener = Arc<dyn Fn(&News) + Send + Sync>;

/// The orders on this phone; in context everywhere.
#[derive(Clone, Copy)]
pub struct Outbox {
    queue: StoredValue<Queue>,
    /// What the screens show.
    intents: RwSignal<Vec<Intent>>,
    waiting: RwSignal<Waiting>,
    listeners: StoredValue<Vec<(u64, Listener)>>,
    last_listener: StoredValue<u64>,
    /// Records that another version of the app wrote: they stay.
    unreadable: RwSignal<u32>,
    /// This tab sends.
    is_sender: StoredValue<bool>,
    /// A look at the queue is due.
    is_due: StoredValue<bool>,
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
            is_due: StoredValue::new(false),
            parts: StoredValue::new(None),
        }
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn intents(self) -> Vec<Intent> {
        self.intents.get()
    }

    /// Those of one table that are on their way.
    #[must_use]
    pub fn of_table(self, table: TableId) -> Vec<Intent> {
        self.intents.with(|all| all.iter().filter(|one| one.table_id() == table && one.state == IntentState::Waiting).cloned().collect())
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
            if before == Some(Link::Offline) && link != Link::Offline {
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
                    for (table, mut draft) in super::store::drafts::<Draft>().await {
                        self.adopt(table, &mut draft).await;
                    }
                });
            }
        });
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| signals::watch(self));
    }

    /// Keeps an order and lets it go out.
    ///
    /// # Errors
    /// [`NotKept`] when the phone keeps nothing: then nothing is sent either.
    pub async fn keep(self, intent: Intent) -> Result<(), NotKept> {
        let text = intent.write().map_err(|_| NotKept)?;
        Kept.put(intent.uuid, text).await?;
        self.add(intent);
        #[cfg(feature = "hydrate")]
        signals::kept_something();
        Ok(())
    }

    /// Lets an order go out that the phone could not keep: it is lost with this tab, which the person was told.
    pub fn send_unkept(self, intent: Intent) {
        // Nobody else can see it, so nobody else can send it.
        self.is_sender.set_value(true);
        self.add(intent);
    }

    fn add(self, intent: Intent) {
        self.queue.try_update_value(|queue| queue.add(intent));
        self.show();
        self.tell_others();
        self.send();
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

    /// Takes over what an app from before the queue had sent without an answer: it is sent as it was, so that the server knows it again.
    pub async fn adopt(self, table: TableId, draft: &mut Draft) {
        let Some(order) = draft.sending.clone() else { return };
        let (Some(uuid), Some(user)) = (order.uuid, crate::session::remembered_user().await) else { return };
        if self.keep(Intent::new(uuid, self.next_seq(), user.id, Ask::Plain(order))).await.is_ok() {
            draft.accepted();
            if draft.is_empty() {
                super::store::drop_draft(table).await;
            } else {
                let _kept_twice = super::store::put_draft(table, draft).await;
            }
        }
    }

    /// A person decided about a conflict. Says whether that was possible.
    pub async fn decide(self, uuid: Uuid, choice: Choice, other_table: Option<TableId>) -> bool {
        let Some(intent) = self.queue.with_value(|queue| queue.get(uuid).cloned()) else { return false };
        let Some(decided) = intent.decide(choice, other_table, Uuid::now_v7()) else { return false };
        let Ok(text) = decided.write() else { return false };
        if Kept.replace(uuid, decided.uuid, text).await.is_err() {
            return false;
        }
        self.reload().await;
        self.tell_others();
        true
    }

    /// A person gives an order up; the server is told why.
    pub async fn give_up(self, uuid: Uuid, reason: String) -> bool {
        let Some(intent) = self.queue.with_value(|queue| queue.get(uuid).cloned()) else { return false };
        let given_up = intent.give_up(reason);
        let Ok(text) = given_up.write() else { return false };
        if Kept.put(uuid, text).await.is_err() {
            return false;
        }
        self.reload().await;
        self.tell_others();
        true
    }

    /// Takes an order back that waits for a person, to be typed anew: its lines are in the draft by now.
    pub async fn take_back(self, uuid: Uuid) {
        let _still_there = Kept.forget(uuid).await;
        self.reload().await;
        self.tell_others();
    }

    /// Everything may be tried now.
    pub fn wake(self) {
        self.queue.try_update_value(Queue::wake);
        self.send();
    }

    /// Reads what the phone keeps: another tab may have changed it.
    pub(super) async fn reload(self) {
        let Ok(records) = Kept.all().await else { return };
        let (mut intents, mut unreadable) = (Vec::new(), 0);
        for record in records {
            match Intent::read(&record) {
                Ok(intent) => intents.push(intent),
                Err(_) => unreadable += 1,
            }
        }
        self.queue.try_update_value(|queue| queue.load(intents));
        self.unreadable.try_set(unreadable);
        self.show();
        self.send();
    }

    fn show(self) {
        let Some((intents, waiting)) = self.queue.try_with_value(|queue| (queue.intents().cloned().collect::<Vec<_>>(), queue.waiting()))
        else {
            return;
        };
        if self.waiting.try_get_untracked() != Some(waiting) {
            self.waiting.try_set(waiting);
        }
        self.intents.try_set(intents);
    }

    /// Shows what changed, a little later: hundreds of answers in a row are one change for the eye.
    fn show_soon(self) {
        #[cfg(feature = "hydrate")]
        {
            if self.is_due.try_update_value(|due| std::mem::replace(due, true)) != Some(false) {
                return;
            }
            gloo_timers::callback::Timeout::new(60, move || {
                self.is_due.try_set_value(false);
                self.show();
                self.tell_others();
            })
            .forget();
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = self.is_due;
    }

    fn tell_others(self) {
        #[cfg(feature = "hydrate")]
        signals::tell_others();
    }

    /// Sends what can be sent now, if this tab is the one that sends.
    fn send(self) {
        if self.is_sender.try_get_value() != Some(true) {
            return;
        }
        let now = now_ms();
        let effects = self.queue.try_update_value(|queue| queue.send(now)).unwrap_or_default();
        for effect in effects {
            if let Act::Send(intent) = effect {
                spawn_local(async move {
                    let answer = match (&intent.ask, &intent.state) {
                        (_, IntentState::Dropping { reason }) => http::drop_intent(intent.uuid, reason).await,
                        (Ask::Sync(request), _) => http::sync_order(request).await,
                        (Ask::Plain(request), _) => http::send_plain(request).await,
                    };
                    self.answered(*intent, answer);
                });
            }
        }
        #[cfg(feature = "hydrate")]
        if let Some(at) = self.queue.try_with_value(|queue| queue.next_wake(now)).flatten() {
            signals::look_again_in(self, at.saturating_sub(now));
        }
    }

    fn answered(self, intent: Intent, answer: domain::sync::Answer) {
        use domain::sync::Answer;
        let parts = self.parts.try_get_value().flatten();
        if let Some((_, live)) = parts {
            live.set_answered(!matches!(answer, Answer::Unanswered(_)));
        }
        let waits = matches!(answer, Answer::Unanswered(_) | Answer::NotNow(_) | Answer::NotSignedIn);
        let effects = self.queue.try_update_value(|queue| queue.answered(intent.uuid, answer, now_ms(), chance())).unwrap_or_default();
        if waits {
            self.tell(&News { intent: intent.clone(), sent: Sent::Waits });
        }
        for effect in effects {
            self.perform(&intent, effect);
        }
        self.show_soon();
        self.send();
    }

    fn perform(self, intent: &Intent, effect: Act) {
        let tell = |sent: Sent| {
            self.tell(&News { intent: intent.clone(), sent });
        };
        match effect {
            Act::Keep(kept) => spawn_local(async move {
                if let Ok(text) = kept.write() {
                    // It is there already, in an older state: sent again at the worst.
                    let _older = Kept.put(kept.uuid, text).await;
                }
            }),
            Act::Forget(uuid) => spawn_local(async move {
                let _sent_again = Kept.forget(uuid).await;
            }),
            Act::Taken(_, accepted) => tell(Sent::Taken(*accepted)),
            Act::TakenBefore(_, order) => tell(Sent::TakenBefore(order)),
            Act::Show(uuid) => {
                self.show();
                if let Some(conflict) = self.queue.with_value(|queue| queue.get(uuid).and_then(|one| one.conflict().cloned())) {
                    tell(Sent::Conflict(conflict));
                }
            }
            Act::AskWho => {
                if let Some((session, live)) = self.parts.try_get_value().flatten() {
                    spawn_local(session.find_out(live));
                }
            }
            Act::Send(_) => {}
        }
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

/// By the phone's clock, in milliseconds since 1970.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit in 64 bits")]
fn now_ms() -> i64 {
    #[cfg(feature = "hydrate")]
    {
        js_sys::Date::now() as i64
    }
    #[cfg(not(feature = "hydrate"))]
    {
        (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64
    }
}

/// 0 to 10 000, at random.
fn chance() -> u16 {
    let [high, low, ..] = Uuid::new_v4().into_bytes();
    u16::from_be_bytes([high, low]) % 10_001
}
