//! The versioned HTTP route of orders.
//!
//! An order may have to wait for a network, so it does not go through the server functions of the page but through the route that
//! programs use, under the number that the phone chose: sending it again after a lost answer changes nothing.

use crate::error::CallError;
use domain::api::{DeviceReport, DropRequest, SyncRequest};
use domain::order::OrderRequest;
use domain::sync::{Answer, read_answer, read_drop_answer};
use serde::Serialize;
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

async fn ask(method: &str, path: &str, body: &impl Serialize, read: fn(u16, &str) -> Answer) -> Answer {
    let Ok(body) = serde_json::to_string(body) else { return Answer::Unanswered("not JSON".to_owned()) };
    match send(method, path, Some(body), PATIENCE_MS).await {
        Ok((status, text)) => read(status, &text),
        Err(error) => Answer::Unanswered(match error {
            CallError::Unreachable(why) => why,
            CallError::Refused(problem) => problem.code,
        }),
    }
}

/// Whether the server answers within so many milliseconds.
pub async fn is_there(patience_ms: u32) -> bool {
    matches!(send("GET", "/health/live", None, patience_ms).await, Ok((200, _)))
}

#[cfg(feature = "hydrate")]
async fn send(method: &str, path: &str, body: Option<String>, patience_ms: u32) -> Result<(u16, String), CallError> {
    use gloo_net::http::{Method, RequestBuilder};
    let unreachable = |error: gloo_net::Error| CallError::Unreachable(error.to_string());
    let abort = web_sys::AbortController::new().ok();
    let signal = abort.as_ref().map(web_sys::AbortController::signal);
    // Dropped, and so stopped, when the answer is there.
    let _patience = gloo_timers::callback::Timeout::new(patience_ms, move || {
        if let Some(abort) = abort {
            abort.abort();
        }
    });
    let request = RequestBuilder::new(path)
        .method(method.parse::<Method>().unwrap_or(Method::GET))
        .cache(web_sys::RequestCache::NoStore)
        .abort_signal(signal.as_ref());
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body),
        None => request.build(),
    };
    let answer = request.map_err(unreachable)?.send().await.map_err(unreachable)?;
    let text = answer.text().await.map_err(unreachable)?;
    Ok((answer.status(), text))
}

#[cfg(not(feature = "hydrate"))]
async fn send(method: &str, path: &str, _body: Option<String>, _patience_ms: u32) -> Result<(u16, String), CallError> {
    Err(CallError::Unreachable(format!("{method} {path}: only browsers send orders")))
}
