//! What wakes the queue of this browser, and how its tabs speak to each other.

use super::Outbox;
use domain::role::Right;
use gloo_timers::callback::{Interval, Timeout};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::cell::{Cell, RefCell};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

/// Names the lock of the tab that sends, the channel between tabs, and the event of Background Sync.
const NAME: &str = "comptoir-queue";
/// What tabs say to each other when there is nothing more to say; anything else is a new record.
const CHANGED: &str = "changed";
/// Is the server there? Asked so often while somebody looks, in milliseconds: an open socket and an open Wi-Fi say nothing.
const LOOK_EVERY_MS: u32 = 5_000;
/// And has so long to answer.
const PATIENCE_MS: u32 = 3_000;
/// The house is told so often what this phone keeps, in milliseconds.
const REPORT_EVERY_MS: u32 = 60_000;

thread_local! {
    static CHANNEL: RefCell<Option<BroadcastChannel>> = const { RefCell::new(None) };
    static NEXT_LOOK: RefCell<Option<Timeout>> = const { RefCell::new(None) };
    static NEXT_REPORT: RefCell<Option<Timeout>> = const { RefCell::new(None) };
    static ASKED_TO_PERSIST: Cell<bool> = const { Cell::new(false) };
}

/// Once per tab.
pub(super) fn watch(outbox: Outbox) {
    become_sender(outbox);
    if let Ok(channel) = BroadcastChannel::new(NAME) {
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            if let Some(record) = message.data().as_string().filter(|said| said != CHANGED) {
                outbox.kept_elsewhere(&record);
            }
            spawn_local(outbox.reload());
        });
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        heard.forget();
        CHANNEL.set(Some(channel));
    }
    spawn_local(outbox.reload());
    spawn_local(outbox.probe());
    let _whole_life = window_event_listener_untyped("online", move |_| outbox.wake());
    let _whole_life = window_event_listener_untyped("visibilitychange", move |_| {
        if is_visible() {
            look(outbox);
            spawn_local(async move {
                outbox.reload().await;
                outbox.probe().await;
            });
            outbox.wake();
        }
    });
    Interval::new(LOOK_EVERY_MS, move || look(outbox)).forget();
    Interval::new(REPORT_EVERY_MS, move || report_soon(outbox)).forget();
    report_soon(outbox);
}

fn is_visible() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Visible
}

/// A cut network leaves sockets open and silent. The badge says within seconds what is so.
fn look(outbox: Outbox) {
    let Some((session, live)) = outbox.parts.try_get_value().flatten() else { return };
    if !is_visible() || session.user_untracked().is_none() {
        return;
    }
    spawn_local(async move {
        let heard_before = live.times_heard();
        let was_offline = live.link_untracked() == crate::browser::live::Link::Offline;
        let answered = crate::browser::http::is_there(PATIENCE_MS).await;
        // One that got lost among others says nothing.
        if !answered && live.times_heard() != heard_before {
            return;
        }
        live.set_answered(answered);
        if !answered {
            crate::browser::http::stop_waiting();
        }
        if answered && was_offline {
            // A socket from before may be open and deaf.
            crate::browser::socket::open_again();
            outbox.wake();
        }
    });
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
        if may_send && live.link_untracked() != crate::browser::live::Link::Offline {
            spawn_local(outbox.report(false));
        }
    })));
}

/// The phone promised to keep something: the browser is asked not to clear it, and to send it should every page be closed.
pub(super) fn kept_something() {
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
