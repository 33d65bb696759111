//! Is it alive, and can it work?

use crate::db;
use crate::services::querying;
use crate::session_store::Store;
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::terminal::Probed;
use serde_json::json;

/// `GET /health/live`: the process answers.
pub async fn live() -> Response {
    axum::Json(json!({"status": "live"})).into_response()
}

/// `GET /health/ready`: what it needs answers too. 503 names the part that does not. A card terminal that does not answer is `degraded`, and so is a
/// file of anchors that cannot be written: the house sells on without them.
pub async fn ready(State(house): State<Shared>, Extension(sessions): Extension<Store>) -> Response {
    let mut failing = Vec::new();
    if let Err(error) = db::ping(&house.db).await {
        tracing::warn!(%error, "not ready: database");
        failing.push("database");
    }
    if !sessions.redis_answers().await {
        failing.push("redis");
    }
    if failing.is_empty() {
        let terminal = (querying::line(&house).await == Some(Probed::Unreachable)).then_some("terminal");
        let anchors = (!house.anchoring.is_there()).then_some("anchors");
        let degraded: Vec<&str> = terminal.into_iter().chain(anchors).collect();
        let said = if degraded.is_empty() { json!({"status": "ready"}) } else { json!({"status": "ready", "degraded": degraded}) };
        axum::Json(said).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, axum::Json(json!({"status": "not ready", "failing": failing}))).into_response()
    }
}
