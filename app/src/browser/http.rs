//! The versioned HTTP route of orders.
//!
//! An order may have to wait for a network, so it does not go through the server functions of the page but through the route that
//! programs use, under the number that the phone chose: sending it again after a lost answer changes nothing.

use crate::error::CallError;
use domain::api::OrderAccepted;
use domain::order::OrderRequest;

/// After this long without an answer the phone stops waiting, in milliseconds; what happened on the server is then unknown.
#[cfg(feature = "hydrate")]
const PATIENCE_MS: u32 = 15_000;

/// Sends an order.
///
/// # Errors
/// [`CallError::Refused`] when the server said no, [`CallError::Unreachable`] when nothing is known about what happened.
pub async fn post_order(request: &OrderRequest) -> Result<OrderAccepted, CallError> {
    let body = serde_json::to_string(request).map_err(|error| CallError::Unreachable(error.to_string()))?;
    let (status, text) = post("/api/orders", body).await?;
    read_answer(status, &text)
}

/// What an answer means. One that is not ours (a proxy, a captive portal) tells nothing about the order.
fn read_answer<T: serde::de::DeserializeOwned>(status: u16, text: &str) -> Result<T, CallError> {
    let unreadable = || CallError::Unreachable(format!("answer {status} is not readable"));
    if (200..300).contains(&status) {
        return crate::json::read(text).map_err(|_| unreadable());
    }
    Err(crate::json::read(text).map_or_else(|_| unreadable(), CallError::Refused))
}

#[cfg(feature = "hydrate")]
async fn post(path: &str, body: String) -> Result<(u16, String), CallError> {
    let unreachable = |error: gloo_net::Error| CallError::Unreachable(error.to_string());
    let abort = web_sys::AbortController::new().ok();
    let signal = abort.as_ref().map(web_sys::AbortController::signal);
    // Dropped, and so stopped, when the answer is there.
    let _patience = gloo_timers::callback::Timeout::new(PATIENCE_MS, move || {
        if let Some(abort) = abort {
            abort.abort();
        }
    });
    let answer = gloo_net::http::Request::post(path)
        .header("content-type", "application/json")
        .abort_signal(signal.as_ref())
        .body(body)
        .map_err(unreachable)?
        .send()
        .await
        .map_err(unreachable)?;
    let text = answer.text().await.map_err(unreachable)?;
    Ok((answer.status(), text))
}

#[cfg(not(feature = "hydrate"))]
async fn post(path: &str, _body: String) -> Result<(u16, String), CallError> {
    Err(CallError::Unreachable(format!("{path}: only browsers send orders")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_from_an_unknown_outcome() {
        let refused = read_answer::<OrderAccepted>(422, r#"{"type":"x","title":"y","status":422,"code":"unavailable","detail":"Épuisé."}"#);
        assert_eq!(refused.unwrap_err().code(), Some("unavailable"));
        for (status, text) in [(200, "<html>"), (502, "<html>"), (201, "{}")] {
            assert!(matches!(read_answer::<OrderAccepted>(status, text), Err(CallError::Unreachable(_))), "{status} {text}");
        }
        let accepted = read_answer::<OrderAccepted>(201, r#"{"order_id":7,"status":"pending_erp","round":1}"#);
        assert!(accepted.is_ok());
    }
}
