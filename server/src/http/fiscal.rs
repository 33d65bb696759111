//! Closings, tickets and the check of the journal.

use super::orders::{created, request_id};
use super::parse::{Json, PathId};
use crate::error::{Error, Result};
use crate::services::{archive, cash, closing, printing, verifying};
use crate::state::Shared;
use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use domain::api::{CashMovementRequest, CloseDone, CloseRequest, CloseSummary, SessionUser, TicketText, VerifyReport};
use std::path::PathBuf;
use time::Date;
use tokio_util::io::ReaderStream;

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
    Ok(Json(verifying::verify_asked(&house).await?))
}

/// Which days.
#[derive(serde::Deserialize)]
pub struct SpanQuery {
    #[serde(with = "domain::api::iso_date")]
    from: Date,
    #[serde(with = "domain::api::iso_date")]
    to: Date,
}

/// An archive on its way out, whose file is gone when it is no longer held: also when whoever asked for it went away.
struct Packed(PathBuf);

impl Drop for Packed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// `GET /api/nf525/archive?from&to`
///
/// # Errors
/// 422 for a span that is none, is longer than twelve months or holds nothing.
pub async fn archive(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    span: std::result::Result<Query<SpanQuery>, QueryRejection>,
) -> Result<Response> {
    let Query(SpanQuery { from, to }) = span.map_err(|_| Error::invalid("from", "malformed"))?;
    let packed = Packed(std::env::temp_dir().join(format!("comptoir-archive-{}.zip", uuid::Uuid::new_v4())));
    let made = archive::make(&house, &user.name, from, to, &packed.0).await?;
    let file = tokio::fs::File::open(&packed.0).await.map_err(Error::internal)?;
    // What is open can be read to its end; the name is not needed any more.
    drop(packed);
    let disposition = format!("attachment; filename=\"{}\"", made.name);
    let headers = [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}

/// `GET /api/nf525/tickets/{no}`
///
/// # Errors
/// 404.
pub async fn ticket(State(house): State<Shared>, PathId(no): PathId<i64>) -> Result<Json<TicketText>> {
    Ok(Json(printing::ticket(&house, no).await?))
}
