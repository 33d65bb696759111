//! Dishes at the pass: a card for each table that stays until somebody says *Pris* of each of its dishes, and everything that makes a person
//! notice them.
//!
//! They are announced to screen readers, never take the focus, and stand under the heading, where they move the page instead of covering it. What rings, and what is shown, is the rule
//! of [`domain::pass::Pass`]; this feeds it with what the server says and does what comes out: sound, a phone that shakes, a notification when
//! nobody looks. What was tapped without a network is kept and said when it is back.

use super::icon::{Glyph, Icon};
use crate::browser::clock::use_clock;
use crate::browser::http::while_alive;
use crate::browser::live::{Live, Told as Heard, use_live};
use crate::browser::notify::{Notifications, Permission, shake, when_opened};
use crate::browser::sound::{Sound, SoundOf, Tune};
use crate::browser::steady::Settling;
use crate::browser::store;
use crate::calls;
use crate::i18n;
use crate::i18n::pass::{t, tag};
use crate::session::use_session;
use domain::TableId;
use domain::api::{ClientEvent, Event};
use domain::kitchen::{Age, Column};
use domain::pass::{Pass, Told, WaitingDish, WaitingPlates, WaitingTable};
use domain::role::Right;
use leptos::html::Button;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_location, use_navigate};

/// Under which this device keeps what it knows of dishes.
const STORED: &str = "pass";
/// So many tables are shown before somebody asks for the others: a phone is for more than this.
const SHOWN: usize = 3;

/// The pass as this device sees it; in context everywhere.
#[derive(Clone, Copy)]
pub struct PassCards {
    pass: RwSignal<Pass>,
    /// What the device remembers has been read: what is heard before that would ring twice.
    is_read: RwSignal<bool>,
    /// Somebody asked for those beyond the first ones.
    all: RwSignal<bool>,
    /// The cards are on the screen. Where they are not, at the stove, nobody carries them out: it does not ring there.
    is_shown: RwSignal<bool>,
    /// The bell of this device.
    pub sound: Sound,
    /// The notifications of this device.
    pub notifications: Notifications,
    live: Live,
    /// With which browsers ask to be woken; none where the house wakes nobody.
    push_key: RwSignal<Option<String>>,
}

impl PassCards {
    /// Begins with what the device remembers, then listens.
    #[must_use]
    pub fn begin() -> Self {
        let cards = Self {
            pass: RwSignal::new(Pass::default()),
            is_read: RwSignal::new(false),
            all: RwSignal::new(false),
            is_shown: RwSignal::new(false),
            sound: Sound::of_this_device(SoundOf::Waiter),
            notifications: Notifications::of_this_device(),
            live: use_live(),
            push_key: RwSignal::new(None),
        };
        let session = use_session();
        Effect::new(move |_| {
            if !session.may(Right::TakeOrders) {
                // Somebody else's dishes are none of the next person's business.
                cards.is_read.set(false);
                cards.pass.set(Pass::default());
                return;
            }
            spawn_local(async move {
                if let Some(known) = store::get_json::<Pass>(STORED).await {
                    cards.pass.try_set(known);
                }
                cards.is_read.try_set(true);
                cards.ask().await;
            });
        });
        cards.live.listen(move |heard| cards.hear(heard));
        Effect::new(move |_| {
            cards.push_key.set(None);
            cards.live.say_what_is_heard(false);
            if session.may(Right::TakeOrders) {
                spawn_local(async move {
                    // Without an answer this phone is told while it is awake.
                    if let Ok(key) = calls::push_key().await {
                        cards.push_key.try_set(key);
                    }
                });
            }
        });
        Effect::new(move |_| {
            if let (Some(key), Permission::Granted) = (cards.push_key.get(), cards.notifications.permission()) {
                spawn_local(cards.ask_to_be_woken(key));
            }
        });
        cards
    }

    fn hear(self, heard: &Heard) {
        match heard {
            Heard::Connected => {
                self.say_unconfirmed();
                spawn_local(self.ask());
            }
            Heard::Event(event @ (Event::DishReady(_) | Event::DishEscalated { .. })) => {
                let Some(dish) = WaitingDish::of_event(event).filter(|_| self.is_read.get_untracked()) else { return };
                if self.change(|pass| pass.hear(dish.clone())) {
                    self.ring(&[dish]);
                }
            }
            Heard::Event(Event::Ack { event_id } | Event::Nack { event_id }) => {
                self.change(|pass| pass.confirm(*event_id));
                self.notifications.take_away(tag(*event_id));
            }
            // Somebody else took it, it was served, called back, or went to another waiter: the list says.
            Heard::Event(Event::OrderChanged { order_id }) if self.pass.with_untracked(|pass| pass.concerns(*order_id)) => {
                spawn_local(self.ask());
            }
            Heard::Event(_) => {}
        }
    }

    /// Asks what waits for this person. Without an answer what is shown stays.
    async fn ask(self) {
        if !self.is_read.try_get_untracked().unwrap_or(false) {
            return;
        }
        let answer = while_alive(calls::waiting_dishes()).await;
        self.live.heard_of_call(&answer);
        if let Ok(all) = answer {
            let before: Vec<i64> = self.pass.with_untracked(|pass| pass.waiting().iter().map(|dish| dish.news.event_id).collect());
            let missed = self.change(|pass| pass.replace(all));
            for gone in before
                .into_iter()
                .filter(|event| !self.pass.with_untracked(|pass| pass.waiting().iter().any(|dish| dish.news.event_id == *event)))
            {
                self.notifications.take_away(tag(gone));
            }
            self.ring(&missed);
        }
    }

    fn ring(self, dishes: &[WaitingDish]) {
        if dishes.is_empty() {
            return;
        }
        if self.is_shown.get_untracked() {
            self.sound.play(Tune::Ready);
            shake();
        }
        for dish in dishes {
            self.notifications.show_if_hidden(t().notice(&dish.news, dish.told));
        }
    }

    /// From now on this phone is woken when it sleeps, and says over its socket what it heard while it was awake.
    async fn ask_to_be_woken(self, key: String) {
        let Some(subscription) = self.notifications.subscribe(&key).await else { return };
        // Without it the phone is told when it wakes.
        if calls::push_subscribe(subscription).await.is_ok() {
            self.live.say_what_is_heard(true);
        }
    }

    /// Somebody taps *Pris*, or *Tout pris*.
    fn take(self, events: &[i64]) {
        self.change(|pass| events.iter().for_each(|event| pass.take(*event)));
        for event in events {
            self.notifications.take_away(tag(*event));
        }
        self.say_unconfirmed();
    }

    /// Everything that was tapped and is not confirmed: the server writes it down once, however often it is said.
    fn say_unconfirmed(self) {
        let said: Vec<(i64, domain::OrderId)> = self.pass.with_untracked(|pass| pass.unconfirmed().collect());
        for (event_id, order_id) in said {
            self.live.say(&ClientEvent::DishAcknowledged { order_id, event_id: Some(event_id) });
        }
    }

    fn change<T: Default>(self, change: impl FnOnce(&mut Pass) -> T) -> T {
        let result = self.pass.try_update(change).unwrap_or_default();
        if let Some(pass) = self.pass.try_get_untracked() {
            spawn_local(store::put_json(STORED, pass));
        }
        result
    }
}

impl std::fmt::Debug for PassCards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PassCards").finish_non_exhaustive()
    }
}

/// The cards of this tab.
#[must_use]
pub fn use_pass() -> PassCards {
    use_context().unwrap_or_else(PassCards::begin)
}

/// A tap on a notification opens its table; once, in the app.
#[component]
pub fn PassNotifications() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    {
        let navigate = StoredValue::new_local(use_navigate());
        when_opened(move |path| navigate.with_value(|navigate| navigate(&path, leptos_router::NavigateOptions::default())));
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = use_navigate;
        when_opened(|_| {});
    }
}

/// The cards; on every page.
#[component]
pub fn PassTray() -> impl IntoView {
    let t = t();
    let cards = use_pass();
    let all = cards.all;
    // The kitchen's screen shows the pass itself.
    let path = use_location().pathname;
    let is_kitchen = Memo::new(move |_| path.with(|path| path.starts_with("/cuisine")));
    Effect::new(move |_| cards.is_shown.set(!is_kitchen.get()));
    let waiting = Memo::new(move |_| cards.pass.with(Pass::by_table));
    let tables = Memo::new(move |_| {
        let shown = if all.get() { usize::MAX } else { SHOWN };
        waiting.with(|waiting| waiting.iter().take(shown).map(|table| table.table_id).collect::<Vec<_>>())
    });
    let hidden = Memo::new(move |_| waiting.with(|waiting| waiting.len().saturating_sub(SHOWN)));
    let more = move || {
        let count = u32::try_from(hidden.get()).unwrap_or(u32::MAX);
        (count > 0).then(|| {
            let word = move || if all.get() { t.fewer.to_owned() } else { t.more(count) };
            let expanded = move || all.get().to_string();
            view! {
                <button type="button" class="button pass-more" aria-expanded=expanded data-testid="pass-more" on:click=move |_| all.update(|all| *all = !*all)>{word}</button>
            }
        })
    };
    view! {
        <section class="pass-tray" hidden=is_kitchen aria-label=t.ready_dishes aria-live="assertive" aria-relevant="additions">
            <For each=move || tables.get() key=|table| *table let:table><Card cards=cards waiting=waiting id=table/></For>
            {more}
        </section>
    }
}

/// What waits for one table.
#[component]
fn Card(cards: PassCards, waiting: Memo<Vec<WaitingTable>>, id: TableId) -> impl IntoView {
    let t = t();
    let clock = use_clock();
    let table = Memo::new(move |_| waiting.with(|waiting| waiting.iter().find(|table| table.table_id == id).cloned()));
    let minutes =
        Memo::new(move |_| table.with(|table| table.as_ref().map(|table| table.since)).and_then(|since| clock.minutes_since(since)));
    let class = move || {
        let urgent = table.with(|table| table.as_ref().is_some_and(|table| table.told > Told::Waiter));
        let late = minutes.get().is_some_and(|minutes| Column::Pass.age(minutes) == Age::Late);
        if urgent || late { "pass-card is-urgent" } else { "pass-card" }
    };
    let name = Memo::new(move |_| table.with(|table| table.as_ref().map(|table| i18n::t().table_named(&table.table))));
    let why = move || {
        let why = table.with(|table| table.as_ref().and_then(|table| t.told(table.told, &table.server_name)));
        why.map(|why| view! { <span class="pass-why"><Icon glyph=Glyph::Alert/>{why}</span> })
    };
    let age = move || {
        minutes.get().map(|minutes| view! { <span class="pass-age number"><Icon glyph=Glyph::Clock/>{t.ready_since(minutes)}</span> })
    };
    let dishes = Memo::new(move |_| {
        table.with(|table| table.iter().flat_map(|table| &table.dishes).map(|plates| plates.dish.clone()).collect::<Vec<_>>())
    });
    let events = move || {
        table.with_untracked(|table| {
            table.iter().flat_map(|table| &table.dishes).flat_map(|plates| plates.events.clone()).collect::<Vec<_>>()
        })
    };
    let has_several = Memo::new(move |_| dishes.with(Vec::len) > 1);
    let all = move || {
        has_several.get().then(|| {
            let (button, settling) = steady(cards);
            let take = move |_| {
                if !settling.is_too_soon() {
                    cards.take(&events());
                }
            };
            view! {
                <button type="button" class="button pass-all" class:is-settling=move || settling.is_moving() node_ref=button
                    data-testid=format!("take-all-{id}") on:click=take>
                    <Icon glyph=Glyph::CheckAll/>{t.take_all}<span class="visually-hidden">" : "{name}</span>
                </button>
            }
        })
    };
    view! {
        <article class=class data-testid=format!("pass-{id}")>
            <a class="pass-words" href=format!("/table/{id}")>
                <Icon glyph=Glyph::Bell/>
                <span class="pass-what"><strong>{name}</strong>{why}<span class="pass-foot" aria-live="off">{age}<span class="pass-see">{t.see_table}</span></span></span>
            </a>
            <ul class="pass-dishes">
                <For each=move || dishes.get() key=Clone::clone let:dish><Plates cards=cards table=table dish=dish/></For>
            </ul>
            {all}
        </article>
    }
}

/// One dish of a table. A screen reader says the table with each: one that joins a card is read by itself.
#[component]
fn Plates(cards: PassCards, table: Memo<Option<WaitingTable>>, dish: String) -> impl IntoView {
    let t = t();
    let name = StoredValue::new(dish);
    let plates = Memo::new(move |_| {
        table.with(|table| {
            let table = table.as_ref()?;
            let plates = table.dishes.iter().find(|plates| name.with_value(|name| plates.dish == *name))?;
            Some((i18n::t().table_named(&table.table), plates.clone()))
        })
    });
    let words = move || plates.get().map(|(_, WaitingPlates { dish, qty, .. })| t.plates(qty, &dish));
    let of_table = move || plates.with(|plates| plates.as_ref().map(|(table, _)| format!("{table} : ")));
    let (button, settling) = steady(cards);
    let take = move |_| {
        if !settling.is_too_soon() {
            plates.with_untracked(|plates| plates.iter().for_each(|(_, plates)| cards.take(&plates.events)));
        }
    };
    let said = move || plates.with(|plates| plates.as_ref().map(|(table, plates)| format!(" : {table}, {}", plates.dish)));
    view! {
        <li>
            <span class="pass-dish"><span class="visually-hidden">{of_table}</span>{words}<span class="visually-hidden">" — "{t.ready}" "</span></span>
            <button type="button" class="button is-main" class:is-settling=move || settling.is_moving() node_ref=button data-testid="take" on:click=take>
                <Icon glyph=Glyph::Check/>{t.take}<span class="visually-hidden">{said}</span>
            </button>
        </li>
    }
}

/// A button that moves when something else was taken.
fn steady(cards: PassCards) -> (NodeRef<Button>, Settling) {
    let button = NodeRef::<Button>::new();
    (button, Settling::of(button, move || cards.pass.track()))
}

/// Offers notifications, once somebody has a table to be told of: on the plan, above it.
#[component]
pub fn NotifyOffer(
    /// Whether the person looks after a table.
    #[prop(into)]
    has_tables: Signal<bool>,
) -> impl IntoView {
    let t = t();
    let cards = use_pass();
    let here = cards.notifications;
    // No more is promised than the house does.
    let detail = move || if cards.push_key.with(Option::is_some) { t.offer_detail } else { t.offer_detail_awake };
    // A dish that waits comes first.
    let is_offered = Memo::new(move |_| has_tables.get() && here.is_to_be_offered() && cards.pass.with(|pass| pass.waiting().is_empty()));
    view! {
        <Show when=move || is_offered.get()>
            <div class="notice tone-info notify-offer" data-testid="notify-offer">
                <Icon glyph=Glyph::Bell/>
                <div class="notice-text">
                    <p><strong>{t.offer_title}</strong><br/>{detail}</p>
                    <div class="notify-acts">
                        <button type="button" class="button is-main" data-testid="notify-yes" on:click=move |_| here.ask()>{t.offer_yes}</button>
                        <button type="button" class="button quiet" data-testid="notify-later" on:click=move |_| here.put_off()>{t.offer_later}</button>
                    </div>
                </div>
            </div>
        </Show>
    }
}
