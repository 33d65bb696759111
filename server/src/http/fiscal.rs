//! Closings, tickets and the check of the journal.

use super::orders::{created, request_id};
use super::parse::{Json, PathId};
use crate::error::{Error, Result};
use crate::services::{cash, closing, journal, printing};
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::api::{CashMovementRequest, CloseDone, CloseRequest, CloseSummary, SessionUser, TicketText, VerifyReport};

/// `POST /api/nf525/close`
///
/// # Errors
/// 409 previous period open; 422.
pub async fn close(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    Json(request): Json<CloseRequest>,
) -> Result<Json<CloseDone>> {
    Ok(Json(closing::close(&house, &user, &request).await?))
}

/// `POST /api/cash/movements`
///
/// # Errors
/// 422.
pub async fn move_cash(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    headers: HeaderMap,
    Json(mut request): Json<CashMovementRequest>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(created(cash::move_cash(&house, &user, &request).await?))
}

/// `GET /api/nf525/x`
///
/// # Errors
/// 404 when nothing was sold since the last Z.
pub async fn x(State(house): State<Shared>) -> Result<Json<CloseSummary>> {
    closing::x_report(&house).await?.map(Json).ok_or(Error::NotFound("une journée ouverte"))
}

/// `GET /api/nf525/verify`
///
/// # Errors
/// When the journal cannot be read.
pub async fn verify(State(house): State<Shared>) -> Result<Json<VerifyReport>> {
    Ok(Json(journal::verify_with_stored_keys(&house.db).await?))
}

/// `GET /api/nf525/tickets/{no}`
///
/// # Errors
/// 404.
pub async fn ticket(State(house): State<Shared>, PathId(no): PathId<i64>) -> Result<Json<TicketText>> {
    Ok(Json(printing::ticket(&house, no).await?))
}
