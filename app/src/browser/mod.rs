//! The only place that touches the browser: what it keeps ([`store`]), what it sends ([`http`], [`outbox`]), what it hears ([`live`]), the time
//! ([`clock`]) and the installed app ([`install`]).
//!
//! Every door is there on the server too and opens on nothing, so that pages read the same on both sides. Pages use [`use_cached`] for
//! data, [`live::Live::listen`] for events, and never `web_sys`.

pub mod awake;
pub mod cached;
pub mod clock;
#[cfg(feature = "hydrate")]
pub mod crash;
#[cfg(feature = "hydrate")]
mod database;
pub mod device;
pub mod grip;
pub mod http;
pub mod install;
pub mod keys;
pub mod leaving;
pub mod live;
pub mod notify;
pub mod outbox;
mod own_orders;
pub mod pace;
pub mod press;
pub mod print;
#[cfg(feature = "hydrate")]
mod socket;
pub mod sound;
pub mod steady;
pub mod store;

pub use cached::{Cached, use_cached, use_cached_for};

use crate::session::use_session;
use leptos::prelude::*;

/// What begins once per browser tab, after the first page is there: who is signed in, the clock, the events, the installed app.
pub(crate) fn start_in_browser() {
    let session = use_session();
    let live = live::use_live();
    let clock = clock::use_clock();
    let updates = install::Updates::new();
    provide_context(updates);
    Effect::new(move |_| {
        leptos::task::spawn_local(session.find_out(live));
        clock.start();
        updates.watch();
    });
    Effect::new(move |_| live.keep_open(session.user().is_some()));
    Effect::new(move |_| {
        if live.ended() > 0 {
            leptos::task::spawn_local(session.find_out(live));
        }
    });
    outbox::use_outbox().start();
    own_orders::keep_own_orders();
}
