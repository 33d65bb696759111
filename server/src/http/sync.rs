//! Orders that phones kept, and the phones.

use super::orders::{IDEMPOTENT_REPLAY, request_id};
use super::parse::{Json, PathId};
use crate::error::{Error, Result};
use crate::services::once::Answered;
use crate::services::syncing;
use crate::state::Shared;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::api::{DeviceReport, DevicesView, DropRequest, SessionUser, SyncRequest};
use domain::sync::{CONTRACT_HEADER, Spoken, understood};
use serde::Serialize;
use uuid::Uuid;

/// Only an app that speaks as this server does is listened to; any other keeps its orders.
///
/// # Errors
/// 426 for an app that is too old, 503 for one that is ahead of this server.
pub async fn speaks(request: Request, next: Next) -> Result<Response> {
    match understood(request.headers().get(CONTRACT_HEADER).map(|spoken| spoken.to_str().unwrap_or_default())) {
        Spoken::Understood => Ok(next.run(request).await),
        Spoken::TooOld => Err(Error::AppOutdated),
        Spoken::TooNew => Err(Error::ServerOutdated),
    }
}

/// The same body again is 200: a phone that hears it knows that nothing happened this time.
fn answer<T: Serialize>(first: StatusCode, answered: Answered<T>) -> Response {
    let status = if answered.replayed { StatusCode::OK } else { first };
    let mut response = (status, Json(answered.value)).into_response();
    if answered.replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAY, HeaderValue::from_static("true"));
    }
    response
}

/// `POST /api/orders/sync`
///
/// # Errors
/// 409 when a person has to decide, and when it is over; 422 with every faulty field.
pub async fn sync(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    headers: HeaderMap,
    Json(mut request): Json<SyncRequest>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(answer(StatusCode::CREATED, syncing::sync(&house, &user, &request).await?))
}

/// `POST /api/orders/sync/{uuid}/drop`
///
/// # Errors
/// 403 when somebody else typed it; 404; 409 when it was taken after all; 422 without a reason.
pub async fn give_up(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(uuid): PathId<Uuid>,
    Json(request): Json<DropRequest>,
) -> Result<Response> {
    Ok(answer(StatusCode::OK, syncing::give_up(&house, &user, uuid, &request).await?))
}

/// `PUT /api/devices/{uuid}`
///
/// # Errors
/// 404; 422.
pub async fn report(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(device): PathId<Uuid>,
    Json(report): Json<DeviceReport>,
) -> Result<StatusCode> {
    syncing::report(&house, &user, device, &report).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/devices`
///
/// # Errors
/// When the database does not answer.
pub async fn devices(State(house): State<Shared>) -> Result<Json<DevicesView>> {
    Ok(Json(syncing::devices(&house).await?))
}
