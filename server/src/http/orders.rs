//! Orders and their bills.

use super::parse::{Json, PathId};
use crate::error::Result;
use crate::services::once::Answered;
use crate::services::{billing, ordering};
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::OrderId;
use domain::api::{Bill, OrderView, SessionUser, SplitDone, SplitRequest};
use domain::order::OrderRequest;
use serde::Serialize;

/// Says that an answer was given before.
pub const IDEMPOTENT_REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");

/// 201 with what was made; a replay says so in a header.
pub fn created<T: Serialize>(answered: Answered<T>) -> Response {
    let mut response = (StatusCode::CREATED, Json(answered.value)).into_response();
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
    Json(request): Json<OrderRequest>,
) -> Result<Response> {
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
