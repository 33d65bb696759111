//! The versioned HTTP routes: orders, and the menu.
//!
//! An order may have to wait for a network, so it does not go through the server functions of the page but through the route that
//! programs use, under the number that the phone chose: sending it again after a lost answer changes nothing.

use crate::error::CallError;
use domain::api::{DeviceReport, DropRequest, SyncRequest};
use domain::menu::Menu;
use domain::order::OrderRequest;
use domain::sync::{Answer, read_answer, read_drop_answer};
#[cfg(feature = "hydrate")]
use domain::sync::{CONTRACT, CONTRACT_HEADER};
use serde::Serialize;
#[cfg(feature = "hydrate")]
use std::collections::BTreeMap;
use std::future::Future;
#[cfg(feature = "hydrate")]
use std::{cell::Cell, rc::Rc, task::Poll};
use time::OffsetDateTime;
use uuid::Uuid;

/// After this long without an answer the phone stops waiting, in milliseconds; what happened on the server is then unknown.
const PATIENCE_MS: u32 = 15_000;

/// Sends an order that this phone keeps.
pub async fn sync_order(request: &SyncRequest) -> Answer {
    ask("POST", "/api/orders/sync", request, read_answer).await
}

/// Sends an order that an app from before the queue had sent already: as it was, so that the server knows it again.
pub async fn send_plain(request: &OrderRequest) -> Answer {
    ask("POST", "/api/orders", request, read_answer).await
}

/// Tells the server that a person gave an order up.
pub async fn drop_intent(uuid: Uuid, reason: &str) -> Answer {
    ask("POST", &format!("/api/orders/sync/{uuid}/drop"), &DropRequest { reason: reason.to_owned() }, read_drop_answer).await
}

/// Tells the house what this phone keeps. It is told again a minute later, so a report that is lost does not matter.
pub async fn report_device(device: Uuid, report: &DeviceReport) {
    let _told = ask("PUT", &format!("/api/devices/{device}"), report, |status, _| Answer::Unanswered(status.to_string())).await;
}

/// The menu. The browser keeps the last one and says which it is: of one that did not change, nothing travels (304).
///
/// # Errors
/// [`CallError::Refused`] when the server said no, [`CallError::Unreachable`] when it did not answer.
pub async fn menu() -> Result<Menu, CallError> {
    let (status, text) = send("GET", "/api/menu", None, PATIENCE_MS).await.map_err(|failed| match failed {
        Failed::Unanswered(why) => CallError::Unreachable(why),
        Failed::TakenBack => CallError::Unreachable("taken back".to_owned()),
    })?;
    let unreadable = |_| CallError::Unreachable(format!("answer {status} is not readable"));
    if (200..300).contains(&status) {
        crate::json::read(&text).map_err(unreadable)
    } else {
        Err(crate::json::read(&text).map_or_else(unreadable, CallError::Refused))
    }
}

async fn ask(method: &str, path: &str, body: &impl Serialize, read: fn(u16, &str) -> Answer) -> Answer {
    let Ok(body) = serde_json::to_string(body) else { return Answer::Unanswered("not JSON".to_owned()) };
    match send(method, path, Some(body), PATIENCE_MS).await {
        Ok((status, text)) => read(status, &text),
        Err(Failed::Unanswered(why)) => Answer::Unanswered(why),
        Err(Failed::TakenBack) => Answer::TakenBack,
    }
}

/// Why there is no answer.
enum Failed {
    /// None came, for this reason.
    Unanswered(String),
    /// The phone itself stopped waiting for it: see `stop_waiting`.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only browsers send orders"))]
    TakenBack,
}

/// Whether the server answers within so many milliseconds.
pub async fn is_there(patience_ms: u32) -> bool {
    matches!(send("GET", "/health/live", None, patience_ms).await, Ok((200, _)))
}

#[cfg(feature = "hydrate")]
async fn send(method: &str, path: &str, body: Option<String>, patience_ms: u32) -> Result<(u16, String), Failed> {
    use gloo_net::http::{Method, RequestBuilder};
    let under_way = UnderWay::begin(method != "GET");
    let failed = |error: gloo_net::Error| match &under_way {
        Some(under_way) if under_way.0.is_taken_back.get() => Failed::TakenBack,
        _ => Failed::Unanswered(error.to_string()),
    };
    let signal = under_way.as_ref().map(|under_way| under_way.0.abort.signal());
    // Dropped, and so stopped, when the answer is there.
    let abort = under_way.as_ref().map(|under_way| under_way.0.abort.clone());
    let _patience = gloo_timers::callback::Timeout::new(patience_ms, move || {
        if let Some(abort) = abort {
            abort.abort();
        }
    });
    let request = RequestBuilder::new(path)
        .method(method.parse::<Method>().unwrap_or(Method::GET))
        // The server says by itself what may be kept, and that is the menu; it is asked about each time.
        .cache(web_sys::RequestCache::NoCache)
        .header(CONTRACT_HEADER, &CONTRACT.to_string())
        .abort_signal(signal.as_ref());
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body),
        None => request.build(),
    };
    let answer = request.map_err(failed)?.send().await.map_err(failed)?;
    note_house_clock(answer.headers().get("date"));
    let text = answer.text().await.map_err(failed)?;
    Ok((answer.status(), text))
}

#[cfg(feature = "hydrate")]
thread_local! {
    /// What the clock of the house is ahead of the phone's, in milliseconds, once it is known.
    static HOUSE_AHEAD_MS: Cell<Option<i64>> = const { Cell::new(None) };
}

/// Each answer says when it was given, to the second; half a second is lost on average, and the way back makes the clock seem slower.
#[cfg(feature = "hydrate")]
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit in 64 bits")]
fn note_house_clock(date: Option<String>) {
    let said = date.map(|date| js_sys::Date::parse(&date)).filter(|said| said.is_finite());
    if let Some(said) = said {
        let ahead = said as i64 + 500 - js_sys::Date::now() as i64;
        HOUSE_AHEAD_MS.set(Some(ahead));
    }
}

/// What the clock of the house says at this moment of the phone's; `None` when it is not known.
#[must_use]
pub fn house_time(at: OffsetDateTime) -> Option<OffsetDateTime> {
    #[cfg(feature = "hydrate")]
    {
        HOUSE_AHEAD_MS.get().and_then(|ahead| at.checked_add(time::Duration::milliseconds(ahead)))
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = at;
        None
    }
}

#[cfg(feature = "hydrate")]
thread_local! {
    static UNDER_WAY: std::cell::RefCell<Vec<UnderWay>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// A request that waits for its answer.
#[cfg(feature = "hydrate")]
#[derive(Clone)]
struct UnderWay {
    abort: web_sys::AbortController,
    /// It asks for nothing but says something: the queue says it again.
    tells: bool,
    /// Since when, in milliseconds since 1970.
    since: f64,
    /// Nobody waits for it any more.
    is_taken_back: Rc<Cell<bool>>,
}

#[cfg(feature = "hydrate")]
impl UnderWay {
    fn begin(tells: bool) -> Option<Listed> {
        let new = Self { abort: web_sys::AbortController::new().ok()?, tells, since: js_sys::Date::now(), is_taken_back: Rc::default() };
        UNDER_WAY.with_borrow_mut(|all| all.push(new.clone()));
        Some(Listed(new))
    }
}

/// Stands in the list until the answer is there.
#[cfg(feature = "hydrate")]
struct Listed(UnderWay);

#[cfg(feature = "hydrate")]
impl Drop for Listed {
    fn drop(&mut self) {
        UNDER_WAY.with_borrow_mut(|all| all.retain(|other| other.abort != self.0.abort));
    }
}

#[cfg(feature = "hydrate")]
impl UnderWay {
    fn take_back(&self) {
        self.is_taken_back.set(true);
        self.abort.abort();
    }
}

/// Takes back what was told before a moment, into a silence: no answer to it will come, and the queue tells it again. In milliseconds since 1970.
#[cfg(feature = "hydrate")]
pub fn take_back_told(before: f64) {
    for under_way in UNDER_WAY.with_borrow(Clone::clone).iter().filter(|under_way| under_way.tells && under_way.since < before) {
        under_way.take_back();
    }
}

/// The network is known to be dead, or to have been dead until a moment: nobody waits for the answers that were to come through it. Browsers
/// open six connections to a house and no more, so that six questions without an answer would keep the seventh from being asked when it is
/// back. In milliseconds since 1970.
#[cfg(feature = "hydrate")]
pub fn stop_waiting(before: f64) {
    for under_way in UNDER_WAY.with_borrow(Clone::clone).iter().filter(|under_way| under_way.since < before) {
        under_way.take_back();
    }
    DEAD_UNTIL.set(before);
    // Whoever is woken looks, and takes its waker away itself.
    for waker in WAITING.with_borrow(|all| all.values().cloned().collect::<Vec<_>>()) {
        waker.wake();
    }
}

#[cfg(feature = "hydrate")]
thread_local! {
    /// What was asked before has no answer, in milliseconds since 1970.
    static DEAD_UNTIL: Cell<f64> = const { Cell::new(0.0) };
    /// Who waits for an answer, by number.
    static WAITING: std::cell::RefCell<BTreeMap<u64, std::task::Waker>> = const { std::cell::RefCell::new(BTreeMap::new()) };
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// A place among those who wait.
#[cfg(feature = "hydrate")]
struct Place(u64);

#[cfg(feature = "hydrate")]
impl Drop for Place {
    fn drop(&mut self) {
        WAITING.with_borrow_mut(|all| all.remove(&self.0));
    }
}

/// The answer to a question, unless the network dies before: then the question is taken back.
#[cfg(feature = "hydrate")]
pub async fn while_alive<T>(call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    let mut call = Box::pin(call);
    let since = js_sys::Date::now();
    LAST.set(LAST.get() + 1);
    let place = Place(LAST.get());
    std::future::poll_fn(move |context| {
        if since < DEAD_UNTIL.get() {
            return Poll::Ready(Err(CallError::Unreachable("the network died".to_owned())));
        }
        let answered = call.as_mut().poll(context);
        if answered.is_pending() {
            WAITING.with_borrow_mut(|all| all.insert(place.0, context.waker().clone()));
        }
        answered
    })
    .await
}

/// The answer to a question.
#[cfg(not(feature = "hydrate"))]
pub async fn while_alive<T>(call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    call.await
}

#[cfg(not(feature = "hydrate"))]
async fn send(method: &str, path: &str, _body: Option<String>, _patience_ms: u32) -> Result<(u16, String), Failed> {
    Err(Failed::Unanswered(format!("{method} {path}: only browsers send orders")))
}
