//! Who is signed in on this device, as far as the browser knows.
//!
//! The server decides about every call; this only decides what to show. What it knows is also kept on the phone, so that a start without
//! a network shows plan and menu to the person who was signed in. On the server nobody is known while rendering: the frames that it
//! renders are the same for everybody, and hydration finds them as it expects.

use crate::browser::{http::while_alive, live::Live, store};
use crate::calls::{JournalState, Who, who};
use crate::error::CallError;
use domain::Role;
use domain::api::SessionUser;
use domain::role::Right;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Under which the phone keeps who is signed in.
const STORED: &str = "who";

/// Who is signed in on this phone, and until when it believes that without asking the server.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Remembered {
    #[serde(flatten)]
    who: Who,
    /// Seconds since 1970; an app from before did not say.
    #[serde(default)]
    until: i64,
}

/// As long as the server believes it: a long day.
const REMEMBERED_S: i64 = 16 * 3600;

fn now_s() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// Who is signed in here; in context everywhere.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    user: RwSignal<Option<SessionUser>>,
    training: RwSignal<bool>,
    journal: RwSignal<JournalState>,
    known: RwSignal<bool>,
    /// Counts who came, who left and who asked: what was asked before is answered with what is no longer so.
    turns: StoredValue<u32>,
}

impl Session {
    /// Nobody is known yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a session is made once, by the app")]
    pub fn new() -> Self {
        Self {
            user: RwSignal::new(None),
            training: RwSignal::new(false),
            journal: RwSignal::new(JournalState::Sound),
            known: RwSignal::new(false),
            turns: StoredValue::new(0),
        }
    }

    fn turn(self) -> Option<u32> {
        self.turns.try_update_value(|turns| {
            *turns = turns.wrapping_add(1);
            *turns
        })
    }

    fn is_now(self, turn: Option<u32>) -> bool {
        self.turns.try_get_value() == turn
    }

    /// The person, once known.
    #[must_use]
    pub fn user(self) -> Option<SessionUser> {
        self.user.get()
    }

    /// The person, for whoever need not be told when it changes.
    #[must_use]
    pub fn user_untracked(self) -> Option<SessionUser> {
        self.user.get_untracked()
    }

    /// Whether the till is in training.
    #[must_use]
    pub fn training(self) -> bool {
        self.training.get()
    }

    /// What the till's own check had found when the page was opened.
    #[must_use]
    pub fn journal(self) -> JournalState {
        self.journal.get()
    }

    /// Whether the person may do that; `false` while nobody is known.
    #[must_use]
    pub fn may(self, right: Right) -> bool {
        self.user.with(|user| user.as_ref().is_some_and(|user| user.role.may(right)))
    }

    /// Somebody signed in.
    pub fn enter(self, user: SessionUser) {
        let (training, journal) = (self.training.get_untracked(), self.journal.get_untracked());
        let who = Who { user: Some(user.clone()), training, journal };
        self.turn();
        store::keep_snapshots(true);
        spawn_local(store::put_json(STORED, Remembered { who, until: now_s() + REMEMBERED_S }));
        self.user.set(Some(user));
        self.known.set(true);
    }

    /// Nobody is signed in any more: everything that the phone remembers goes. With `keeps_something` orders that were not sent and what
    /// was typed stay: the person was told. Forgotten first: a page that is opened as soon as somebody reads that nobody is signed in finds
    /// nobody, and what was asked for that person is kept no more.
    pub async fn leave(self, keeps_something: bool) {
        self.turn();
        store::keep_snapshots(false);
        if keeps_something {
            store::forget_snapshots().await;
        } else {
            store::forget_everything().await;
        }
        self.user.set(None);
        self.known.set(true);
    }

    /// Looks at what a call said: a person who is no longer signed in is led to the sign-in page.
    pub fn heed(self, error: &CallError) {
        if error.needs_sign_in() {
            self.user.try_set(None);
            spawn_local(store::forget(STORED));
        }
    }

    /// Asks the phone, then the server, who is signed in. Whoever signs in or out meanwhile knows better than the answer.
    pub async fn find_out(self, live: Live) {
        let turn = self.turn();
        let mut until = now_s() + REMEMBERED_S;
        let stored = store::get_json::<Remembered>(STORED).await;
        if let Some(stored) = stored.filter(|_| self.is_now(turn) && self.user.with_untracked(Option::is_none)) {
            if stored.until > 0 {
                until = stored.until;
            }
            // Bound to this phone, and not for ever: who lost it yesterday is not signed in on it today.
            let in_time = until > now_s();
            self.training.set(stored.who.training);
            self.journal.set(stored.who.journal);
            self.user.set(stored.who.user.filter(|_| in_time));
            self.known.set(self.user.with_untracked(Option::is_some));
        }
        let answer = while_alive(who()).await;
        live.heard_of_call(&answer);
        if let Ok(now) = answer {
            // So it is whoever is signed in.
            self.training.set(now.training);
            self.journal.set(now.journal);
            if !self.is_now(turn) {
                return;
            }
            if now.user.is_some() {
                let until = until.max(now_s() + 60);
                store::keep_snapshots(true);
                store::put_json(STORED, Remembered { who: now.clone(), until }).await;
            } else {
                store::forget(STORED).await;
            }
            if self.is_now(turn) {
                self.user.set(now.user);
            }
        }
        if self.is_now(turn) {
            self.known.set(true);
        }
    }
}

/// Who was signed in on this phone last, as far as it remembers.
pub async fn remembered_user() -> Option<SessionUser> {
    store::get_json::<Remembered>(STORED).await?.who.user
}

/// The session of this device.
#[must_use]
pub fn use_session() -> Session {
    use_context().unwrap_or_else(Session::new)
}

/// The first page of a person.
#[must_use]
pub const fn home(role: Role) -> &'static str {
    match role {
        Role::Auditeur => "/cloture",
        Role::Serveur | Role::Caissier | Role::Admin => "/plan",
    }
}

/// Leads whoever is not signed in to the sign-in page, and back afterwards.
#[component]
pub fn Gate() -> impl IntoView {
    let session = use_session();
    let path = use_location().pathname;
    #[cfg(feature = "ssr")]
    send_to_sign_in(&path.get_untracked());
    let navigate = use_navigate();
    Effect::new(move || {
        let (known, signed_in, path) = (session.known.get(), session.user.with(Option::is_some), path.get());
        if known && !signed_in && path != "/connexion" {
            let options = NavigateOptions { replace: true, ..NavigateOptions::default() };
            navigate(&format!("/connexion?suite={path}"), options);
        }
    });
}

/// Without a person, a page other than the sign-in page answers with the way there.
#[cfg(feature = "ssr")]
fn send_to_sign_in(path: &str) {
    let nobody = use_context::<crate::ports::CurrentTill>().is_some_and(|till| till.user().is_none());
    if nobody && path != "/connexion" {
        leptos_axum::redirect(&format!("/connexion?suite={path}"));
    }
}

/// Where to go after signing in: only an address of this app, never one of another house.
#[must_use]
pub fn wanted_page(suite: Option<&str>, role: Role) -> String {
    match suite {
        Some(path) if path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && path != "/" => path.to_owned(),
        _ => home(role).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_out_of_the_house() {
        for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/"] {
            assert_eq!(wanted_page(Some(elsewhere), Role::Serveur), "/plan", "{elsewhere}");
        }
        assert_eq!(wanted_page(Some("/table/5"), Role::Serveur), "/table/5");
        assert_eq!(wanted_page(None, Role::Auditeur), "/cloture");
    }
}
