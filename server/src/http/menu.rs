//! The menu.

use crate::error::Result;
use crate::state::Shared;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// `GET /api/menu`: the menu, or 304 when the caller has this very one.
///
/// # Errors
/// When the database does not answer.
pub async fn get(State(house): State<Shared>, headers: HeaderMap) -> Result<Response> {
    let cached = house.menu.get(&house.db).await?;
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let validators = [(header::ETAG, cached.etag.clone()), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    if known.is_some_and(|known| known == "*" || known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == cached.etag)) {
        return Ok((StatusCode::NOT_MODIFIED, validators).into_response());
    }
    Ok((validators, [(header::CONTENT_TYPE, "application/json")], cached.body.clone()).into_response())
}
