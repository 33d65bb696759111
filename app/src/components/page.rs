//! The frame of every page after sign-in. On a phone: heading above, navigation within the thumb's reach below. On a desktop: navigation
//! as a rail on the left. One DOM for both; the style sheet places it.

use super::icon::{Glyph, Icon};
use super::notice::Tone;
use super::pass::{PassTray, use_pass};
use super::toast::use_toaster;
use crate::browser::install::use_updates;
use crate::browser::live::{Link, use_live};
use crate::browser::notify::Permission;
use crate::browser::outbox::use_outbox;
use crate::browser::sound::SoundState;
use crate::browser::store;
use crate::calls::{JournalState, sign_out};
use crate::i18n::queue::t as words;
use crate::i18n::t;
use crate::session::use_session;
use domain::role::Right;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// A page: heading, way back, navigation, connection, account, dishes at the pass; `children` become its `<main>`.
#[component]
pub fn Page(
    /// The heading, and the title of the tab.
    #[prop(into)]
    title: Signal<String>,
    /// Where "back" leads; no way back when empty.
    #[prop(optional, into)]
    back: Option<String>,
    /// What stands beside the heading.
    #[prop(optional, into)]
    actions: ViewFn,
    /// A class of its own for the style sheet.
    #[prop(optional)]
    class: &'static str,
    /// No navigation on a phone: the page has a bar of its own at the bottom.
    #[prop(optional)]
    own_bar: bool,
    /// The page.
    children: Children,
) -> impl IntoView {
    let t = t();
    let session = use_session();
    // The head of a page is written after the page, when the server may have let go already of what the title was read from.
    let at_first = title.get_untracked();
    view! {
        <Title text=move || title.try_get().unwrap_or_else(|| at_first.clone())/>
        <div class=format!("screen {class}") class:own-bar=own_bar>
            <header class="top">
                <Show when=move || session.training()>
                    <p class="training"><strong>{t.training}</strong>" — "{t.training_detail}</p>
                </Show>
                {move || {
                    let (what, detail) = match session.journal() {
                        JournalState::Sound => return None,
                        JournalState::Unchecked => (t.journal_unchecked, t.journal_unchecked_detail),
                        JournalState::Flawed => (t.journal_broken, t.journal_broken_detail),
                    };
                    Some(view! {
                        <p class="flawed" role="alert"><Icon glyph=Glyph::Shield/><span><strong>{what}</strong>" — "{detail}</span></p>
                    })
                }}
                // Never in the middle of an order.
                <Show when=move || !own_bar><UpdateBar/></Show>
                <KeepingBar/>
                <DecideBar/>
                <div class="top-row">
                    {back.map(|to| view! { <a class="round" href=to aria-label=t.back><Icon glyph=Glyph::Back/></a> })}
                    <h1>{move || title.get()}</h1>
                    <div class="top-actions">{move || actions.run()}</div>
                    <Connection/>
                    <Account/>
                </div>
                <PassTray/>
            </header>
            <Navigation/>
            <main>{children()}</main>
        </div>
    }
}

#[component]
fn Navigation() -> impl IntoView {
    let t = t();
    let session = use_session();
    let path = use_location().pathname;
    let link = move |to: &'static str, glyph: Glyph, word: &'static str| {
        let current = move || path.with(|path| path.starts_with(to)).then_some("page");
        view! { <a class="tab" href=to aria-current=current><Icon glyph=glyph/><span>{word}</span></a> }
    };
    view! {
        <nav class="tabs" aria-label=t.main_nav>
            <span class="brand" aria-hidden="true">"Comptoir"</span>
            <Show when=move || session.may(Right::TakeOrders)>
                {link("/plan", Glyph::Plan, t.plan)}
                {link("/cuisine", Glyph::Flame, t.kitchen)}
            </Show>
            <Show when=move || session.may(Right::VerifyJournal)>{link("/cloture", Glyph::Lock, t.closing)}</Show>
        </nav>
    }
}

/// How this tab stands with the server: icon and word.
#[component]
pub fn Connection() -> impl IntoView {
    let t = t();
    let (live, outbox) = (use_live(), use_outbox());
    let shown = move || match live.link() {
        Link::Connecting => (Glyph::Wifi, t.connecting, "connection is-unknown"),
        Link::Online => (Glyph::Wifi, t.online, "connection is-online"),
        Link::Reconnecting => (Glyph::Refresh, t.reconnecting, "connection is-unknown"),
        Link::Offline => (Glyph::WifiOff, t.offline, "connection is-offline"),
    };
    // Hydration finds what the server rendered: nothing waits there.
    let count = Memo::new(move |_| {
        let waiting = outbox.waiting();
        waiting.to_send + waiting.conflicts + outbox.unreadable()
    });
    let digits = Memo::new(move |_| count.get().max(1).ilog10() + 1);
    view! {
        <div class="connections">
            <p class=move || shown().2 role="status" data-testid="connection">
                {move || view! { <Icon glyph=shown().0/> }}
                <span>{move || shown().1}</span>
            </p>
            <Show when=move || { count.get() > 0 }>
                <a class="connection is-waiting" href="/en-attente" data-testid="waiting">
                    <Icon glyph=Glyph::Phone/><span class="number waiting-count" style=move || format!("width:{}ch", digits.get())>{count}</span><span class="waiting-word">"\u{a0}"{words().waiting}</span>
                </a>
            </Show>
        </div>
    }
}

#[component]
fn Account() -> impl IntoView {
    let t = t();
    let (session, live, toaster) = (use_session(), use_live(), use_toaster());
    let outbox = use_outbox();
    // What was not sent is never left behind without a word.
    let warned = RwSignal::new(false);
    let leave = move |_| {
        spawn_local(async move {
            let keeps_something = outbox.holds_something() || !store::tables_with_drafts().await.is_empty();
            if keeps_something && !warned.get_untracked() {
                warned.set(true);
                return;
            }
            outbox.report(true).await;
            let answer = sign_out().await;
            live.heard_of_call(&answer);
            match answer {
                // Without the server the cookie would stay, and with it the person: say so instead of pretending.
                Err(error) if !error.needs_sign_in() => toaster.say(Tone::Bad, t.sign_out_failed),
                _ => {
                    warned.set(false);
                    session.leave(keeps_something).await;
                }
            }
        });
    };
    let name = move || session.user().map(|user| user.name).unwrap_or_default();
    let role = move || session.user().map(|user| t.role(user.role));
    view! {
        <details class="account">
            <summary class="round" aria-label=t.account><Icon glyph=Glyph::User/></summary>
            <div class="account-card">
                <p class="account-name" data-testid="who">{name}</p>
                <p class="quiet-text">{role}</p>
                <Show when=move || session.may(Right::TakeOrders)><Bell/></Show>
                <Show when=move || warned.get()><p class="account-warning" role="alert" data-testid="leave-warning">{words().leave_warning}</p></Show>
                <button type="button" class="button" data-testid="sign-out" on:click=leave>
                    <Icon glyph=Glyph::Leave/>{move || if warned.get() { words().leave_anyway } else { t.sign_out }}
                </button>
            </div>
        </details>
    }
}

/// How this device calls for ready dishes.
#[component]
fn Bell() -> impl IntoView {
    let t = crate::i18n::pass::t();
    let cards = use_pass();
    let is_on = move || cards.sound.state() != SoundState::Off;
    let shown = move || match cards.sound.state() {
        SoundState::Off => (Glyph::SoundOff, t.sound_off),
        SoundState::Asleep => (Glyph::SoundOff, t.sound_asleep),
        SoundState::On => (Glyph::Sound, t.sound_on),
    };
    let about_notifications = move || {
        match cards.notifications.permission() {
        Permission::NotAsked => {
            view! { <button type="button" class="button" on:click=move |_| cards.notifications.ask()><Icon glyph=Glyph::Bell/>{t.offer_yes}</button> }
                .into_any()
        }
        Permission::Denied => view! { <p class="quiet-text">{t.refused}</p> }.into_any(),
        Permission::Granted | Permission::Impossible => ().into_any(),
    }
    };
    view! {
        <button type="button" class="button" aria-pressed=move || is_on().to_string() data-testid="bell" on:click=move |_| cards.sound.toggle()>
            {move || view! { <Icon glyph=shown().0/> }}<span>{move || shown().1}</span>
        </button>
        {about_notifications}
    }
}

/// An order of this phone waits for a person.
#[component]
fn DecideBar() -> impl IntoView {
    let outbox = use_outbox();
    let path = use_location().pathname;
    view! {
        <Show when=move || { outbox.waiting().conflicts > 0 && path.with(|path| path != "/en-attente") }>
            <p class="update-bar is-decision" role="status" data-testid="decide">
                <span><Icon glyph=Glyph::Alert/>{words().decide_now}</span>
                <a class="button quiet" href="/en-attente">{words().see}</a>
            </p>
        </Show>
    }
}

/// What is typed on this phone would not outlive the page.
#[component]
fn KeepingBar() -> impl IntoView {
    let (outbox, session) = (use_outbox(), use_session());
    view! {
        <Show when=move || !outbox.keeps() && session.may(Right::TakeOrders)>
            <p class="update-bar is-decision" role="status" data-testid="keeps-nothing">
                <span><Icon glyph=Glyph::Alert/>{words().keeps_nothing}</span>
            </p>
        </Show>
    }
}

/// There is a newer version of the app.
#[component]
fn UpdateBar() -> impl IntoView {
    let (updates, outbox) = (use_updates(), use_outbox());
    view! {
        {move || {
            let (said, word) = if outbox.outdated() {
                (words().outdated, t().update)
            } else if updates.waiting() {
                (t().new_version, t().update)
            } else if updates.taken_elsewhere() {
                (words().reload_other, words().reload)
            } else {
                return None;
            };
            Some(view! {
                <p class="update-bar" role="status" data-testid="update">
                    <span>{said}</span>
                    <button type="button" class="button quiet" data-testid="update-now" on:click=move |_| updates.take()>{word}</button>
                </p>
            })
        }}
    }
}
