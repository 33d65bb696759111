//! The WebSocket under [`super::live`]: opened, watched, opened again.

use super::live::{Live, Told};
use domain::api::{ClientEvent, Event, close_code};
use domain::backoff::Backoff;
use gloo_timers::callback::{Interval, Timeout};
use js_sys::{Function, Promise};
use leptos::prelude::{window, window_event_listener_untyped};
use leptos::task::spawn_local;
use serde::Deserialize;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

/// What is done when a socket closes.
type OnClose = Closure<dyn FnMut(CloseEvent)>;

/// A server that is silent for so long is gone, in seconds.
const SILENCE_S: u32 = 30;
/// A socket that is not open after so long went into a silence.
const OPENS_WITHIN_S: u32 = 10;
/// The watch looks so often, in milliseconds.
const LOOK_EVERY_MS: u32 = 5_000;
/// Where the session has ended and nobody can be asked whether another has begun, a socket is tried again after so long, in milliseconds.
const ENDED_MS: u32 = 10_000;
/// A socket that spoke within so many milliseconds is no old one.
const JUST_NOW_MS: f64 = 1_000.0;

thread_local! {
    static WANTED: Cell<bool> = const { Cell::new(false) };
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    /// The server said that the session has ended: nothing is opened until it is known who is signed in. It would be refused, and browsers
    /// complain of a socket that is.
    static ENDED: Cell<bool> = const { Cell::new(false) };
    /// Ends the wait, or the connection, that is under way.
    static END: RefCell<Option<Function>> = const { RefCell::new(None) };
    /// Number of the last event that was heard.
    static SINCE: Cell<i64> = const { Cell::new(0) };
    /// Whether the server wants to know what was heard.
    static SAY_HEARD: Cell<bool> = const { Cell::new(false) };
    /// What went before says nothing of the next try.
    static AFRESH: Cell<bool> = const { Cell::new(false) };
    /// When something was heard last, in milliseconds since 1970.
    static HEARD_AT: Cell<f64> = const { Cell::new(0.0) };
    /// The socket, while it is open.
    static OPEN: RefCell<Option<WebSocket>> = const { RefCell::new(None) };
}

/// A frame also has the number of its event; it is read apart because `Event` is tagged.
#[derive(Deserialize)]
struct Numbered {
    id: Option<i64>,
}

pub(super) fn keep_open(live: Live, wanted: bool) {
    WANTED.set(wanted);
    if !wanted {
        SINCE.set(0);
        end();
        return;
    }
    let begins_anew = ENDED.replace(false);
    if RUNNING.replace(true) {
        if begins_anew {
            end();
        }
        return;
    }
    // A network that returns is used at once, and a phone taken out of a pocket does not wait either.
    let online = window_event_listener_untyped("online", |_| end());
    let offline = window_event_listener_untyped("offline", move |_| live.set_answered(false));
    spawn_local(async move {
        let mut failures = 0;
        while WANTED.get() {
            failures = if connection(live).await { 0 } else { failures + 1 };
            if AFRESH.replace(false) {
                failures = 0;
            }
            if WANTED.get() {
                wait(if ENDED.get() { ENDED_MS } else { pause_ms(failures) }).await;
            }
        }
        RUNNING.set(false);
        online.remove();
        offline.remove();
    });
}

/// After so many failures in a row; a connection that was open and broke is the first.
fn pause_ms(failures: u32) -> u32 {
    let [chance, more, ..] = uuid::Uuid::new_v4().into_bytes();
    let chance = u16::from_be_bytes([chance, more]) % (domain::backoff::WHOLE + 1);
    u32::try_from(Backoff::SOCKET.delay(failures + 1, chance).as_millis()).unwrap_or(u32::MAX)
}

/// Says something, if the socket is open.
pub(super) fn say(event: &ClientEvent) {
    OPEN.with_borrow(|socket| {
        if let (Some(socket), Ok(text)) = (socket, serde_json::to_string(event)) {
            let _sent = socket.send_with_str(&text);
        }
    });
}

/// Opens a socket anew, whatever the one from before seems to be: a network that was cut leaves sockets open and silent. One that has just
/// spoken stays.
#[expect(clippy::float_arithmetic, reason = "the browser counts its time in fractions of a millisecond")]
pub(super) fn open_again() {
    if OPEN.with_borrow(Option::is_some) && js_sys::Date::now() - HEARD_AT.get() < JUST_NOW_MS {
        return;
    }
    AFRESH.set(true);
    end();
}

pub(super) fn say_what_is_heard(wanted: bool) {
    SAY_HEARD.set(wanted);
    if SINCE.get() > 0 {
        heard(SINCE.get());
    }
}

/// What has this number is on screen, or was shown by the system.
fn heard(id: i64) {
    if SAY_HEARD.get() {
        say(&ClientEvent::Heard { id });
    }
}

fn end() {
    if let Some(end) = END.take() {
        let _ended = end.call0(&JsValue::NULL);
    }
}

/// A promise that [`end`] keeps, or whoever is handed the function.
fn ended_by(mut hand_over: impl FnMut(Function)) -> Promise {
    Promise::new(&mut |resolve, _| {
        END.set(Some(resolve.clone()));
        hand_over(resolve);
    })
}

async fn wait(ms: u32) {
    let timeout = Rc::new(RefCell::new(None));
    let held = Rc::clone(&timeout);
    let over = ended_by(move |resolve| {
        *held.borrow_mut() = Some(Timeout::new(ms, move || {
            let _ended = resolve.call0(&JsValue::NULL);
        }));
    });
    let _over = JsFuture::from(over).await;
}

/// Opens a socket and stays until it is closed or silent. Says whether it was ever open.
async fn connection(live: Live) -> bool {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
    let host = location.host().unwrap_or_default();
    let Ok(socket) = WebSocket::new(&format!("{scheme}://{host}/ws?since={}", SINCE.get())) else { return false };

    let was_open = Rc::new(Cell::new(false));
    let silent_for = Rc::new(Cell::new(0_u32));
    let opened = Closure::<dyn FnMut()>::new({
        let (socket, was_open) = (socket.clone(), Rc::clone(&was_open));
        move || {
            was_open.set(true);
            HEARD_AT.set(js_sys::Date::now());
            OPEN.set(Some(socket.clone()));
            live.set_open(true);
        }
    });
    let heard = Closure::<dyn FnMut(MessageEvent)>::new({
        let (socket, silent_for) = (socket.clone(), Rc::clone(&silent_for));
        move |message: MessageEvent| {
            silent_for.set(0);
            HEARD_AT.set(js_sys::Date::now());
            live.set_answered(true);
            if let Some(text) = message.data().as_string() {
                answer(live, &socket, &text);
            }
        }
    });
    let closed: Rc<RefCell<Option<OnClose>>> = Rc::new(RefCell::new(None));
    let held = Rc::clone(&closed);
    let over = ended_by(|resolve| {
        let ended = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
            if event.code() == close_code::SIGNED_OUT {
                ENDED.set(true);
                live.note_end();
            }
            let _ended = resolve.call0(&JsValue::NULL);
        });
        *held.borrow_mut() = Some(ended);
    });
    socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
    socket.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    socket.set_onclose(closed.borrow().as_ref().map(|closed| closed.as_ref().unchecked_ref()));
    // Closing a dead socket takes minutes to be noticed; the silence ends the wait itself.
    let opens = Rc::clone(&was_open);
    let watch = Interval::new(LOOK_EVERY_MS, move || {
        silent_for.set(silent_for.get() + LOOK_EVERY_MS / 1_000);
        if silent_for.get() > if opens.get() { SILENCE_S } else { OPENS_WITHIN_S } {
            end();
        }
    });
    let _over = JsFuture::from(over).await;
    drop(watch);
    socket.set_onopen(None);
    socket.set_onmessage(None);
    socket.set_onclose(None);
    OPEN.take();
    if socket.ready_state() == WebSocket::CONNECTING && WANTED.get() {
        // It went into a silence. A browser opens one socket to a house at a time: this one would stand in the way of the next for minutes.
        let _closed = socket.close();
    } else if socket.ready_state() == WebSocket::CONNECTING {
        // A browser complains of a socket that is closed before it was open, so this one goes as soon as it is.
        let late = socket.clone();
        socket.set_onopen(Some(Closure::once_into_js(move || late.close().is_ok()).unchecked_ref()));
    } else {
        let _closed = socket.close();
    }
    live.set_open(false);
    if !window().navigator().on_line() {
        live.set_answered(false);
    }
    was_open.get()
}

fn answer(live: Live, socket: &WebSocket, text: &str) {
    // An event that this app does not know comes from a newer server: not ours to understand.
    let Ok(event) = crate::json::read::<Event>(text) else { return };
    // Most have none, and hundreds may come at once: the text is read a second time only where there may be one.
    let number = text.contains("\"id\":").then(|| crate::json::read(text).ok().and_then(|Numbered { id }| id)).flatten();
    if let Some(id) = number {
        SINCE.set(id);
    }
    match event {
        Event::Ping {} => {
            if let Ok(pong) = serde_json::to_string(&ClientEvent::Pong {}) {
                let _sent = socket.send_with_str(&pong);
            }
        }
        // Whoever shows something asks for it again.
        Event::Refresh {} => live.tell(&Told::Connected),
        event => live.tell(&Told::Event(event)),
    }
    if let Some(id) = number {
        heard(id);
    }
}
