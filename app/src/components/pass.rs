//! Dishes at the pass: cards that stay until somebody says *Pris*, and everything that makes a person notice them.
//!
//! They are announced to screen readers, never take the focus, and stand under the heading, where they move the page instead of covering it. What rings, and what is shown, is the rule
//! of [`domain::pass::Pass`]; this feeds it with what the server says and does what comes out: sound, a phone that shakes, a notification when
//! nobody looks. What was tapped without a network is kept and said when it is back.

use super::icon::{Glyph, Icon};
use crate::browser::clock::{spell_minutes, use_clock};
use crate::browser::http::while_alive;
use crate::browser::live::{Live, Told as Heard, use_live};
use crate::browser::notify::{Notifications, Permission, shake, when_opened};
use crate::browser::sound::{Sound, SoundOf, Tune};
use crate::browser::store;
use crate::calls;
use crate::i18n;
use crate::i18n::pass::{t, tag};
use crate::session::use_session;
use domain::api::{ClientEvent, Event};
use domain::kitchen::{Age, Column};
use domain::pass::{Pass, Told, WaitingDish};
use domain::role::Right;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_location, use_navigate};

/// Under which this device keeps what it knows of dishes.
const STORED: &str = "pass";
/// So many cards are shown before somebody asks for the others: a phone is for more than this.
const SHOWN: usize = 3;

/// The pass as this device sees it; in context everywhere.
#[derive(Clone, Copy)]
pub struct PassCards {
    pass: RwSignal<Pass>,
    /// What the device remembers has been read: what is heard before that would ring twice.
    is_read: RwSignal<bool>,
    /// Somebody asked for those beyond the first ones.
    all: RwSignal<bool>,
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
        self.sound.play(Tune::Ready);
        shake();
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

    /// Somebody taps *Pris*.
    fn take(self, event_id: i64) {
        self.change(|pass| pass.take(event_id));
        self.notifications.take_away(tag(event_id));
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
    let events = Memo::new(move |_| {
        let shown = if all.get() { usize::MAX } else { SHOWN };
        cards.pass.with(|pass| pass.waiting().iter().take(shown).map(|dish| dish.news.event_id).collect::<Vec<_>>())
    });
    let hidden = Memo::new(move |_| cards.pass.with(|pass| pass.waiting().len().saturating_sub(SHOWN)));
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
            <For each=move || events.get() key=|event| *event let:event><Card cards=cards event=event/></For>
            {more}
        </section>
    }
}

#[component]
fn Card(cards: PassCards, event: i64) -> impl IntoView {
    let t = t();
    let clock = use_clock();
    let dish = Memo::new(move |_| cards.pass.with(|pass| pass.waiting().iter().find(|dish| dish.news.event_id == event).cloned()));
    let since = Memo::new(move |_| dish.with(|dish| dish.as_ref().map(|dish| dish.news.at)));
    let minutes = Memo::new(move |_| since.get().and_then(|since| clock.minutes_since(since)));
    let class = move || {
        let urgent = dish.with(|dish| dish.as_ref().is_some_and(|dish| dish.told > Told::Waiter));
        let late = minutes.get().is_some_and(|minutes| Column::Pass.age(minutes) == Age::Late);
        if urgent || late { "pass-card is-urgent" } else { "pass-card" }
    };
    let words = move || {
        dish.get().map(|WaitingDish { news, told }| {
            let table = i18n::t().table_named(&news.table);
            let why = t.told(told, &news.server_name).map(|why| view! { <span class="pass-why"><Icon glyph=Glyph::Alert/>{why}</span> });
            view! { <span class="pass-what"><strong>{table}</strong>" · "{news.dish}<span class="visually-hidden">" — "{t.ready}" "</span></span>{why} }
        })
    };
    let age = move || {
        minutes.get().map(|minutes| view! { <span class="pass-age number"><Icon glyph=Glyph::Clock/>{spell_minutes(minutes)}</span> })
    };
    let to_table = move || dish.with(|dish| dish.as_ref().map(|dish| format!("/table/{}", dish.news.table_id)));
    let name =
        move || dish.with(|dish| dish.as_ref().map(|dish| format!(" : {}, {}", i18n::t().table_named(&dish.news.table), dish.news.dish)));
    view! {
        <article class=class data-testid=format!("pass-{event}")>
            <Icon glyph=Glyph::Bell/>
            <a class="pass-words" href=to_table>{words}<span class="pass-foot" aria-live="off">{age}<span class="pass-see">{t.see_table}</span></span></a>
            <button type="button" class="button is-main" data-testid=format!("take-{event}") on:click=move |_| cards.take(event)>
                <Icon glyph=Glyph::Check/>{t.take}<span class="visually-hidden">{name}</span>
            </button>
        </article>
    }
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
