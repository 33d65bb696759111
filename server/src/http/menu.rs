//! The menu.

use super::parse::{Json, PathId};
use crate::error::Result;
use crate::services::menu;
use crate::state::Shared;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::ItemId;
use domain::api::Availability;

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

/// `PUT /api/menu/items/{id}/availability`
///
/// # Errors
/// 404; 422 when it is to come back in the past.
pub async fn availability(State(house): State<Shared>, PathId(item): PathId<ItemId>, Json(said): Json<Availability>) -> Result<StatusCode> {
    menu::set_availability(&house, item, &said).await?;
    Ok(StatusCode::NO_CONTENT)
}
