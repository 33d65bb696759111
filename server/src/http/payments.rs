//! Payments.

use super::orders::{created, request_id};
use super::parse::{Json, PathId, PathTexts};
use crate::error::{Error, Result};
use crate::services::{correcting, doubts, paying, querying, resolving};
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::PaymentId;
use domain::api::{
    DecideRequest, MethodChange, MoneyToCheck, PaymentRequest, PaymentView, RefundRequest, ResolveRequest, SessionUser, StrayView,
    TerminalSays,
};

/// `POST /api/payments/split`
///
/// # Errors
/// 402 card declined, card cancelled; 409 already paid, payment in progress, amount mismatch, terminal busy, order closed, id reused; 422; 503
/// terminal unavailable; 504 terminal unknown.
pub async fn pay(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    headers: HeaderMap,
    Json(mut request): Json<PaymentRequest>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(created(paying::pay(&house, &user, &request).await?))
}

/// `GET /api/payments/{id}`
///
/// # Errors
/// 404.
pub async fn get(State(house): State<Shared>, PathId(id): PathId<PaymentId>) -> Result<Json<PaymentView>> {
    Ok(Json(resolving::view(&house, id).await?))
}

/// `POST /api/payments/{id}/resolve`
///
/// # Errors
/// 404; 409 unless unknown, still listening, other mode; 422.
pub async fn resolve(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(id): PathId<PaymentId>,
    Json(request): Json<ResolveRequest>,
) -> Result<Json<PaymentView>> {
    Ok(Json(resolving::resolve(&house, &user, id, &request).await?))
}

/// `POST /api/payments/{id}/contradictions/{word_id}`
///
/// # Errors
/// 404; 409 when it is decided; 422.
pub async fn decide(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathTexts((id, contradiction)): PathTexts<(String, String)>,
    Json(request): Json<DecideRequest>,
) -> Result<Json<PaymentView>> {
    let unknown = || Error::NotFound("cette contradiction");
    let id = id.parse::<PaymentId>().map_err(|_| unknown())?;
    let contradiction = contradiction.parse().map_err(|_| unknown())?;
    Ok(Json(resolving::decide(&house, &user, id, contradiction, &request).await?))
}

/// `POST /api/payments/{id}/query`
///
/// # Errors
/// 404; 409 unless unknown, still listening, terminal busy.
pub async fn query(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(id): PathId<PaymentId>,
) -> Result<Json<TerminalSays>> {
    Ok(Json(querying::query(&house, &user, id).await?))
}

/// `POST /api/payments/{id}/abort`
///
/// # Errors
/// 404; 409 when the terminal has the request.
pub async fn abort(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(id): PathId<PaymentId>,
) -> Result<Json<PaymentView>> {
    Ok(Json(querying::abort(&house, &user, id).await?))
}

/// `GET /api/payments/to-check`
///
/// # Errors
/// When the database does not answer.
pub async fn to_check(State(house): State<Shared>) -> Result<Json<MoneyToCheck>> {
    Ok(Json(doubts::to_check(&house).await?))
}

/// `GET /api/payments/strays`
///
/// # Errors
/// When the database does not answer.
pub async fn strays(State(house): State<Shared>) -> Result<Json<Vec<StrayView>>> {
    Ok(Json(doubts::strays(&house).await?))
}

/// `POST /api/payments/strays/{id}`
///
/// # Errors
/// 404; 409 when it is decided; 422.
pub async fn decide_stray(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathTexts(id): PathTexts<String>,
    Json(request): Json<DecideRequest>,
) -> Result<Json<StrayView>> {
    let id = id.parse().map_err(|_| Error::NotFound("ce débit"))?;
    Ok(Json(doubts::decide_stray(&house, &user, id, &request).await?))
}

/// `POST /api/payments/{id}/refund`
///
/// # Errors
/// 404; 409 id reused; 422.
pub async fn refund(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    headers: HeaderMap,
    PathId(id): PathId<PaymentId>,
    Json(mut request): Json<RefundRequest>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(created(correcting::refund(&house, &user, id, &request).await?))
}

/// `POST /api/payments/{id}/method`
///
/// # Errors
/// 404; 409 id reused; 422.
pub async fn change_method(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    headers: HeaderMap,
    PathId(id): PathId<PaymentId>,
    Json(mut request): Json<MethodChange>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(created(correcting::change_method(&house, &user, id, &request).await?))
}
