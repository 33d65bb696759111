//! Orders and their bills.

use super::parse::{Json, PathId};
use crate::error::{Error, Result};
use crate::services::once::Answered;
use crate::services::{billing, discounting, noting, ordering};
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::OrderId;
use domain::api::{Bill, DiscountRequest, NoteRequest, OrderView, SessionUser, SplitDone, SplitRequest};
use domain::order::OrderRequest;
use serde::Serialize;
use uuid::Uuid;

/// Says that an answer was given before.
pub const IDEMPOTENT_REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");

/// The id of a request: `uuid` of the body, or the header `Idempotency-Key`.
///
/// # Errors
/// 422 when the header is no UUID, or another one than the body's.
pub fn request_id(headers: &HeaderMap, body: Option<Uuid>) -> Result<Option<Uuid>> {
    let Some(header) = headers.get("idempotency-key") else { return Ok(body) };
    let header = header.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| Error::invalid("Idempotency-Key", "not_a_uuid"))?;
    if body.is_some_and(|body| body != header) {
        return Err(Error::invalid("Idempotency-Key", "differs_from_body"));
    }
    Ok(Some(header))
}

/// 201 with what was made; a replay says so in a header.
pub fn created<T: Serialize>(answered: Answered<T>) -> Response {
    (StatusCode::CREATED, done(answered)).into_response()
}

/// 200 with what it is now; a replay says so in a header, and answers what was then.
pub fn done<T: Serialize>(answered: Answered<T>) -> Response {
    let mut response = Json(answered.value).into_response();
    if answered.replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAY, HeaderValue::from_static("true"));
    }
    response
}

/// `POST /api/orders`
///
/// # Errors
/// 409 table occupied, id reused; 422 with every faulty field.
pub async fn place(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    headers: HeaderMap,
    Json(mut request): Json<OrderRequest>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(created(ordering::place(&house, &user, &request).await?))
}

/// `GET /api/orders/{id}`
///
/// # Errors
/// 404.
pub async fn get(State(house): State<Shared>, PathId(id): PathId<OrderId>) -> Result<Json<OrderView>> {
    Ok(Json(ordering::whole(&house, id).await?))
}

/// `GET /api/orders/{id}/bill`
///
/// # Errors
/// 404.
pub async fn bill(State(house): State<Shared>, PathId(id): PathId<OrderId>) -> Result<Json<Bill>> {
    Ok(Json(billing::bill(&house, id).await?))
}

/// `PUT /api/orders/{id}/split`
///
/// # Errors
/// 404; 409 order closed; 422.
pub async fn split(State(house): State<Shared>, PathId(id): PathId<OrderId>, Json(how): Json<SplitRequest>) -> Result<Json<SplitDone>> {
    let bill = billing::split(&house, id, &how).await?;
    Ok(Json(SplitDone { shares: bill.shares }))
}

/// `POST /api/orders/{id}/discount`
///
/// # Errors
/// 404; 409 order closed, id reused; 422.
pub async fn discount(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    headers: HeaderMap,
    PathId(id): PathId<OrderId>,
    Json(mut request): Json<DiscountRequest>,
) -> Result<Json<OrderView>> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(Json(discounting::discount(&house, &user, id, &request).await?))
}

/// `POST /api/orders/{id}/note`. A body is not needed.
///
/// # Errors
/// 404; 409 order closed, id reused; 422 when nothing was ordered.
pub async fn note(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(id): PathId<OrderId>,
    headers: HeaderMap,
    request: Option<Json<NoteRequest>>,
) -> Result<Response> {
    let body = request.map(|Json(request)| request).unwrap_or_default();
    let request = NoteRequest { uuid: request_id(&headers, body.uuid)? };
    Ok(done(noting::note(&house, &user, id, &request).await?))
}
