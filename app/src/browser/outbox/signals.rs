//! What wakes the queue of this browser, and how its tabs speak to each other.

use super::Outbox;
use crate::browser::live::Link;
use crate::browser::{http, socket};
use domain::role::Right;
use domain::sync::{PATIENCE, Watch};
use gloo_timers::callback::{Interval, Timeout};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::cell::{Cell, RefCell};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

/// Names the lock of the tab that sends, the channel between tabs, and the event of Background Sync.
const NAME: &str = "comptoir-queue";
/// What tabs and the service worker say to each other when the records changed. Anything else is a new record.
const CHANGED: &str = "changed";
/// What a tab says to the others when it met the server again: the one that sends may lie behind it, where nobody looks.
const FOUND_AGAIN: &str = "found-again";
/// What was taken back has ended after so many milliseconds.
const SETTLED_MS: u32 = 20;
/// What was told before the server was met again and has no answer after so many milliseconds was told into the silence.
const TOLD_IN_VAIN_MS: u32 = 1_000;
/// The house is told so often what this phone keeps, in milliseconds.
const REPORT_EVERY_MS: u32 = 60_000;

thread_local! {
    static CHANNEL: RefCell<Option<BroadcastChannel>> = const { RefCell::new(None) };
    static NEXT_LOOK: RefCell<Option<Timeout>> = const { RefCell::new(None) };
    static NEXT_REPORT: RefCell<Option<Timeout>> = const { RefCell::new(None) };
    static ASKED_TO_PERSIST: Cell<bool> = const { Cell::new(false) };
    static WATCH: Cell<Watch> = Cell::new(Watch::default());
    static NEXT_QUESTION: RefCell<Option<Timeout>> = const { RefCell::new(None) };
    /// A question is under way.
    static IS_ASKING: Cell<bool> = const { Cell::new(false) };
    /// Another tab said that the server is there again.
    static IS_TOLD: Cell<bool> = const { Cell::new(false) };
    static READING: Cell<Reading> = const { Cell::new(Reading::Done) };
}

/// Whether this tab reads what the phone keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Done,
    UnderWay,
    /// Something changed since it began.
    Stale,
}

/// Once per tab.
pub(super) fn watch(outbox: Outbox) {
    become_sender(outbox);
    if let Ok(channel) = BroadcastChannel::new(NAME) {
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| match message.data().as_string().as_deref() {
            Some(CHANGED) | None => read_again(outbox),
            Some(FOUND_AGAIN) => spawn_local(found_by_other(outbox)),
            Some(record) => {
                outbox.kept_elsewhere(record);
                read_again(outbox);
            }
        });
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        heard.forget();
        CHANNEL.set(Some(channel));
    }
    read_again(outbox);
    spawn_local(outbox.probe());
    let _whole_life = window_event_listener_untyped("online", move |_| {
        look(outbox);
        outbox.wake();
    });
    let _whole_life = window_event_listener_untyped("visibilitychange", move |_| {
        if is_visible() {
            look(outbox);
            spawn_local(outbox.probe());
            outbox.wake();
        }
    });
    look(outbox);
    Interval::new(REPORT_EVERY_MS, move || report_soon(outbox)).forget();
    report_soon(outbox);
}

fn is_visible() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Visible
}

/// Reads what the phone keeps, once for many who say that it changed.
pub(super) fn read_again(outbox: Outbox) {
    if READING.replace(Reading::Stale) != Reading::Done {
        return;
    }
    spawn_local(async move {
        while READING.replace(Reading::UnderWay) == Reading::Stale {
            outbox.reload().await;
            if READING.get() == Reading::UnderWay {
                READING.set(Reading::Done);
                return;
            }
        }
    });
}

/// A cut network leaves sockets open and silent. The badge says within seconds what is so, while somebody looks.
fn look(outbox: Outbox) {
    if IS_ASKING.replace(true) {
        return;
    }
    spawn_local(async move {
        let is_lost = ask(outbox).await.unwrap_or(false);
        IS_ASKING.set(false);
        look_later(outbox, is_lost);
    });
}

fn look_later(outbox: Outbox, is_lost: bool) {
    let waits = outbox.waiting.try_get_untracked().is_some_and(|waiting| waiting.to_send > 0);
    let pause = WATCH.get().next(is_lost, waits, super::sending::chance()).pause;
    NEXT_QUESTION.set(Some(Timeout::new(u32::try_from(pause.as_millis()).unwrap_or(u32::MAX), move || look(outbox))));
}

/// Asks whether the server is there. Says whether it is thought not to be; nothing when nobody looks.
async fn ask(outbox: Outbox) -> Option<bool> {
    let (session, live) = outbox.parts.try_get_value().flatten()?;
    if !is_visible() || session.user_untracked().is_none() {
        return None;
    }
    let is_lost = || live.link_untracked() == Link::Offline;
    let heard_before = live.times_heard();
    let (was_lost, mut watch, begun) = (is_lost(), WATCH.get(), js_sys::Date::now());
    let patience = watch.next(was_lost, true, 0).patience.min(PATIENCE);
    let answered = http::is_there(u32::try_from(patience.as_millis()).unwrap_or(u32::MAX)).await;
    // One that got lost among others says nothing.
    if !answered && live.times_heard() != heard_before {
        return Some(is_lost());
    }
    if !answered {
        watch.unheard();
        WATCH.set(watch);
        outbox.fell_silent();
        live.set_answered(false);
        return Some(true);
    }
    watch.heard(!was_lost);
    WATCH.set(watch);
    if is_lost() {
        end_silence(begun).await;
    }
    live.set_answered(true);
    Some(false)
}

/// What was asked into the silence before that moment ends, without an answer, before anything is said: or it would be taken for a new silence.
async fn end_silence(before: f64) {
    http::stop_waiting(before);
    gloo_timers::future::TimeoutFuture::new(SETTLED_MS).await;
}

/// Another tab met the server again. This one may lie behind it, where nobody looks, and all tabs of a browser share six connections to a
/// house, of which one at a time may become a socket: whatever hangs here keeps the others waiting.
#[expect(clippy::float_arithmetic, reason = "the browser counts its time in fractions of a millisecond")]
async fn found_by_other(outbox: Outbox) {
    let Some((_, live)) = outbox.parts.try_get_value().flatten() else { return };
    end_silence(js_sys::Date::now() - f64::from(TOLD_IN_VAIN_MS)).await;
    take_back_soon();
    socket::open_again();
    if live.link_untracked() == Link::Offline {
        IS_TOLD.set(true);
        live.set_answered(true);
    }
    outbox.wake();
}

/// From now on the server is thought not to be there.
pub(super) fn lost(outbox: Outbox) {
    let mut watch = WATCH.get();
    watch.lost();
    WATCH.set(watch);
    if !IS_ASKING.get() {
        look_later(outbox, true);
    }
}

/// Nobody waits for answers to what was told before the server was met again: at once what was told long ago, in a moment the rest.
#[expect(clippy::float_arithmetic, reason = "the browser counts its time in fractions of a millisecond")]
fn take_back_soon() {
    let met_at = js_sys::Date::now();
    http::take_back_told(met_at - f64::from(TOLD_IN_VAIN_MS));
    Timeout::new(TOLD_IN_VAIN_MS, move || http::take_back_told(met_at)).forget();
}

/// The server is there again.
pub(super) fn found_again() {
    take_back_soon();
    // A socket from before may be open and deaf.
    socket::open_again();
    // Whoever was told does not tell.
    if !IS_TOLD.replace(false) {
        post(FOUND_AGAIN);
    }
}

/// The first tab that asks sends, until it closes. Where the browser has no locks every tab sends: the server takes each order once.
fn become_sender(outbox: Outbox) {
    let locks = js_sys::Reflect::get(&window().navigator(), &JsValue::from_str("locks")).ok().filter(|locks| !locks.is_undefined());
    let request = locks.as_ref().and_then(|locks| js_sys::Reflect::get(locks, &JsValue::from_str("request")).ok());
    let Some((locks, request)) = locks.zip(request.and_then(|request| request.dyn_into::<js_sys::Function>().ok())) else {
        outbox.is_sender.set_value(true);
        return;
    };
    let granted = Closure::<dyn FnMut(JsValue) -> js_sys::Promise>::new(move |_: JsValue| {
        outbox.is_sender.set_value(true);
        // What the last sender did and did not do is written down; nobody has to wait for the pause that it meant to make.
        spawn_local(async move {
            outbox.reload().await;
            outbox.wake();
        });
        // Kept until the tab closes.
        js_sys::Promise::new(&mut |_, _| {})
    });
    let _pending = request.call2(&locks, &JsValue::from_str(NAME), granted.as_ref());
    granted.forget();
}

/// Tells the other tabs that the records changed.
pub(super) fn tell_others() {
    post(CHANGED);
}

/// Tells the other tabs that this record is new: whoever still shows it as typed must not send it again.
pub(super) fn tell_kept(record: &str) {
    post(record);
}

fn post(message: &str) {
    CHANNEL.with_borrow(|channel| {
        if let Some(channel) = channel {
            let _told = channel.post_message(&JsValue::from_str(message));
        }
    });
}

/// The queue is worth a look by then, should nothing happen before.
pub(super) fn look_again_in(outbox: Outbox, ms: i64) {
    let ms = u32::try_from(ms.clamp(50, 600_000)).unwrap_or(600_000);
    // The one before is dropped, and so stopped.
    NEXT_LOOK.set(Some(Timeout::new(ms, move || outbox.send())));
}

/// Tells the house in a moment what this phone keeps.
pub(super) fn report_soon(outbox: Outbox) {
    if NEXT_REPORT.with_borrow(Option::is_some) {
        return;
    }
    NEXT_REPORT.set(Some(Timeout::new(2_000, move || {
        NEXT_REPORT.set(None);
        let Some((session, live)) = outbox.parts.try_get_value().flatten() else { return };
        let may_send = session.user_untracked().is_some_and(|user| user.role.may(Right::TakeOrders));
        if may_send && live.link_untracked() != Link::Offline {
            spawn_local(outbox.report(false));
        }
    })));
}

/// The phone promised to keep something: the browser is asked not to clear it, and to send it should every page be closed.
pub(super) fn kept_something(outbox: Outbox) {
    let is_lost = outbox.parts.try_get_value().flatten().is_some_and(|(_, live)| live.link_untracked() == Link::Offline);
    if is_lost && !IS_ASKING.get() {
        // From now on it is worth more.
        look_later(outbox, true);
    }
    if !ASKED_TO_PERSIST.replace(true) {
        let _asked = window().navigator().storage().persist();
    }
    spawn_local(async {
        let _where_there_is_none = register_background_sync().await;
    });
}

async fn register_background_sync() -> Option<()> {
    let container = js_sys::Reflect::get(&window().navigator(), &JsValue::from_str("serviceWorker")).ok()?;
    let container: web_sys::ServiceWorkerContainer = container.dyn_into().ok()?;
    container.controller()?;
    let registration = wasm_bindgen_futures::JsFuture::from(container.ready().ok()?).await.ok()?;
    let sync = js_sys::Reflect::get(&registration, &JsValue::from_str("sync")).ok().filter(|sync| !sync.is_undefined())?;
    let register: js_sys::Function = js_sys::Reflect::get(&sync, &JsValue::from_str("register")).ok()?.dyn_into().ok()?;
    let registered = register.call1(&sync, &JsValue::from_str(NAME)).ok()?;
    let _permission_denied = wasm_bindgen_futures::JsFuture::from(registered.unchecked_into::<js_sys::Promise>()).await;
    Some(())
}
