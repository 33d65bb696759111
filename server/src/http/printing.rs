//! Paper.

use super::parse::{Json, PathId};
use crate::error::Result;
use crate::services::printing;
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use domain::api::{PrintDone, PrintRequest, SessionUser};

/// 202 while the printer has not taken it.
fn answer(done: PrintDone) -> (StatusCode, axum::Json<PrintDone>) {
    let status = if done.status.is_open() { StatusCode::ACCEPTED } else { StatusCode::OK };
    (status, axum::Json(done))
}

/// `POST /api/nf525/tickets/{no}/print`
///
/// # Errors
/// 404; 409 without a printer or when the id was used for another document.
pub async fn ticket(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(no): PathId<i64>,
    Json(request): Json<PrintRequest>,
) -> Result<(StatusCode, axum::Json<PrintDone>)> {
    printing::print_ticket(&house, &user, no, &request).await.map(answer)
}

/// `POST /api/nf525/tickets/{no}/decline`
///
/// # Errors
/// 404.
pub async fn decline(State(house): State<Shared>, Extension(user): Extension<SessionUser>, PathId(no): PathId<i64>) -> Result<StatusCode> {
    printing::decline(&house, &user, no).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/nf525/closings/{id}/print`: by the number of its record.
///
/// # Errors
/// As [`ticket`].
pub async fn closing(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(id): PathId<i64>,
    Json(request): Json<PrintRequest>,
) -> Result<(StatusCode, axum::Json<PrintDone>)> {
    printing::print_closing(&house, &user, id, &request).await.map(answer)
}
