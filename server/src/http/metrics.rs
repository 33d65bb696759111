//! Counting requests, and showing what was counted.

use crate::error::{Error, Result};
use crate::http::pages;
use crate::http::peer::from_this_machine;
use crate::metrics::{self, Metrics};
use crate::state::Shared;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Instant;

/// Counts a request as it ends.
pub async fn count(State(metrics): State<Metrics>, route: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let (method, began) = (request.method().clone(), Instant::now());
    // The pages' calls are one route of the router; each that there is has its own series.
    let call = pages::known_call(request.uri().path());
    let response = next.run(request).await;
    // What no route knows is one series, whatever was asked for.
    let route = call.unwrap_or_else(|| route.as_ref().map_or("other", MatchedPath::as_str));
    metrics.answered(&method, route, response.status().as_u16(), began.elapsed());
    response
}

/// `GET /metrics`, for a program on this machine; a proxy in front does not count as one.
///
/// # Errors
/// 403 from elsewhere.
pub async fn show(State(house): State<Shared>, request: Request) -> Result<Response> {
    if !from_this_machine(&request) {
        return Err(Error::Forbidden);
    }
    show_to_anybody(State(house)).await
}

/// `GET /metrics` where the operator let others in: `METRICS_ADDR`.
///
/// # Errors
/// As [`metrics::page`].
pub async fn show_to_anybody(State(house): State<Shared>) -> Result<Response> {
    let page = metrics::page(&house).await?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], page).into_response())
}
