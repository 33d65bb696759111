//! What the server tells without being asked: tables that change, dishes that are ready.
//!
//! One WebSocket per tab while somebody is signed in. A cut network leaves a socket open and silent, so the server pings and a client that
//! hears nothing for thirty seconds connects again, later each time, sooner when the network returns. After every connection listeners are
//! told [`Told::Connected`] and ask for what they may have missed.

use crate::error::CallError;
use domain::api::{ClientEvent, Event};
use leptos::prelude::*;
use std::sync::Arc;

/// How this tab stands with the server. Each has an icon and a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Not known yet.
    Connecting,
    /// Events arrive.
    Online,
    /// Calls are answered, events do not arrive.
    Reconnecting,
    /// Nothing is answered.
    Offline,
}

/// What listeners are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The events arrive (again); some may have been missed.
    Connected,
    /// Something happened.
    Event(Event),
}

type Listener = Arc<dyn Fn(&Told) + Send + Sync>;

/// The events of this tab; in context everywhere.
#[derive(Clone, Copy)]
pub struct Live {
    wanted: RwSignal<bool>,
    socket_open: RwSignal<bool>,
    calls_answered: RwSignal<Option<bool>>,
    /// How often something was heard of the server.
    heard: StoredValue<u32>,
    /// How often the server said that the session of this device has ended.
    ended: RwSignal<u32>,
    listeners: StoredValue<Vec<(u64, Listener)>>,
    last_listener: StoredValue<u64>,
}

impl Live {
    /// Nothing is heard yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "there is one, made by the app")]
    pub fn new() -> Self {
        Self {
            wanted: RwSignal::new(false),
            socket_open: RwSignal::new(false),
            calls_answered: RwSignal::new(None),
            heard: StoredValue::new(0),
            ended: RwSignal::new(0),
            listeners: StoredValue::new(Vec::new()),
            last_listener: StoredValue::new(0),
        }
    }

    /// Says something to the server, if events arrive. What gets lost is said again: see [`domain::pass::Pass::unconfirmed`].
    pub fn say(self, event: &ClientEvent) {
        #[cfg(feature = "hydrate")]
        super::socket::say(event);
        #[cfg(not(feature = "hydrate"))]
        let _ = event;
    }

    /// Whether the server is told what this tab has heard: where it would otherwise be told again, by being woken.
    pub fn say_what_is_heard(self, wanted: bool) {
        #[cfg(feature = "hydrate")]
        super::socket::say_what_is_heard(wanted);
        #[cfg(not(feature = "hydrate"))]
        let _ = wanted;
    }

    /// How this tab stands with the server.
    #[must_use]
    pub fn link(self) -> Link {
        match (self.socket_open.get(), self.calls_answered.get()) {
            // The last call was not answered: whatever the socket seems to be, that is what the person met.
            (_, Some(false)) => Link::Offline,
            (true, _) => Link::Online,
            (false, None) => Link::Connecting,
            // Nobody is signed in: there are no events to miss.
            (false, Some(true)) if !self.wanted.get() => Link::Online,
            (false, Some(true)) => Link::Reconnecting,
        }
    }

    /// The same, for whoever need not be told when it changes.
    #[must_use]
    pub fn link_untracked(self) -> Link {
        untrack(|| self.link())
    }

    /// Whether nothing is answered right now.
    #[must_use]
    pub fn is_offline(self) -> bool {
        self.link() == Link::Offline
    }

    /// Calls back for everything that is told, as long as the calling component is on screen.
    pub fn listen(self, heard: impl Fn(&Told) + Send + Sync + 'static) {
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

    /// Learns from a call whether the server can be reached.
    pub fn heard_of_call<T>(self, answer: &Result<T, CallError>) {
        self.set_answered(!matches!(answer, Err(CallError::Unreachable(_))));
    }

    /// How often something was heard of the server: whoever waits for one answer in vain may have missed that there were others.
    #[cfg(feature = "hydrate")]
    pub(super) fn times_heard(self) -> u32 {
        self.heard.try_get_value().unwrap_or(0)
    }

    pub(super) fn set_answered(self, answered: bool) {
        if answered {
            self.heard.try_update_value(|times| *times = times.wrapping_add(1));
        }
        if self.calls_answered.get_untracked() != Some(answered) {
            self.calls_answered.set(Some(answered));
        }
    }

    /// Keeps the socket open, or closed when nobody is signed in. Does nothing on the server.
    pub(super) fn keep_open(self, wanted: bool) {
        self.wanted.set(wanted);
        #[cfg(feature = "hydrate")]
        super::socket::keep_open(self, wanted);
    }

    /// How often the server said that the session of this device has ended: each time is a reason to find out who is signed in.
    pub(super) fn ended(self) -> u32 {
        self.ended.get()
    }

    #[cfg(feature = "hydrate")]
    pub(super) fn note_end(self) {
        self.ended.update(|times| *times += 1);
    }

    #[cfg(feature = "hydrate")]
    pub(super) fn set_open(self, open: bool) {
        self.socket_open.set(open);
        if open {
            self.set_answered(true);
            self.tell(&Told::Connected);
        }
    }

    #[cfg(feature = "hydrate")]
    pub(super) fn tell(self, told: &Told) {
        // A listener may add or remove listeners, so none is called while the list is borrowed.
        let listeners: Vec<Listener> = self.listeners.with_value(|all| all.iter().map(|(_, heard)| Arc::clone(heard)).collect());
        for heard in listeners {
            heard(told);
        }
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

/// The events of this tab.
#[must_use]
pub fn use_live() -> Live {
    use_context().unwrap_or_else(Live::new)
}
