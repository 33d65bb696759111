//! Payments.

use super::orders::{created, request_id};
use super::parse::Json;
use crate::error::Result;
use crate::services::paying;
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::api::{PaymentRequest, SessionUser};

/// `POST /api/payments/split`
///
/// # Errors
/// 409 already paid, amount mismatch, order closed, id reused; 422.
pub async fn pay(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    headers: HeaderMap,
    Json(mut request): Json<PaymentRequest>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(created(paying::pay(&house, &user, &request).await?))
}
