//! Payments.

use super::orders::created;
use super::parse::Json;
use crate::error::Result;
use crate::services::paying;
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use domain::api::{PaymentRequest, SessionUser};

/// `POST /api/payments/split`
///
/// # Errors
/// 409 already paid, amount mismatch, order closed, id reused; 422.
pub async fn pay(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    Json(request): Json<PaymentRequest>,
) -> Result<Response> {
    Ok(created(paying::pay(&house, &user, &request).await?))
}
