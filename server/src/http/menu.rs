//! The menu: for whoever orders, and for whoever keeps it.

use super::orders::{created, request_id};
use super::parse::{Json, PathId, PathTexts};
use crate::error::Result;
use crate::services::menu;
use crate::state::Shared;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use domain::ItemId;
use domain::api::{Availability, Heading, ItemDraft, ItemView, PairingDraft, SessionUser};

/// `GET /api/menu`: the menu, or 304 when the caller has this very one.
///
/// The most frequent question of all. A copy that is believed costs one shared lock, one pointer and no byte of the body.
///
/// # Errors
/// When the database does not answer.
pub async fn get(State(house): State<Shared>, request: Request) -> Result<Response> {
    let cached = house.menu.get(&house.db).await?;
    let etag = cached.etag.as_bytes();
    let known = request.headers().get(header::IF_NONE_MATCH).map(HeaderValue::as_bytes);
    let mut response = if known.is_some_and(|known| names(known, etag)) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::from(cached.body.clone()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    };
    response.headers_mut().insert(header::ETAG, cached.etag.clone());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// Whether an `If-None-Match` names this validator, strongly or weakly, or any.
fn names(known: &[u8], etag: &[u8]) -> bool {
    known == b"*" || known.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).any(|tag| tag.strip_prefix(b"W/").unwrap_or(tag) == etag)
}

/// `PUT /api/menu/items/{id}/availability`
///
/// # Errors
/// 404; 422 when it is to come back in the past.
pub async fn availability(State(house): State<Shared>, PathId(item): PathId<ItemId>, Json(said): Json<Availability>) -> Result<StatusCode> {
    menu::set_availability(&house, item, &said).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/menu/items`
///
/// # Errors
/// When the database does not answer.
pub async fn items(State(house): State<Shared>) -> Result<Json<Vec<ItemView>>> {
    Ok(Json(menu::items(&house).await?))
}

/// `POST /api/menu/items`
///
/// # Errors
/// 409 id reused; 422 with every faulty field.
pub async fn add(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    headers: HeaderMap,
    Json(mut draft): Json<ItemDraft>,
) -> Result<Response> {
    draft.uuid = request_id(&headers, draft.uuid)?;
    Ok(created(menu::add(&house, &user, &draft).await?))
}

/// `PUT /api/menu/items/{id}`
///
/// # Errors
/// 404; 422 with every faulty field.
pub async fn change(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(item): PathId<ItemId>,
    Json(draft): Json<ItemDraft>,
) -> Result<Json<ItemView>> {
    Ok(Json(menu::change(&house, &user, item, &draft).await?))
}

/// `PUT /api/menu/items/{id}/pairings`
///
/// # Errors
/// 404; 422 with every faulty field.
pub async fn pairings(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(item): PathId<ItemId>,
    Json(draft): Json<Vec<PairingDraft>>,
) -> Result<Json<ItemView>> {
    Ok(Json(menu::pair(&house, &user, item, &draft).await?))
}

/// `GET /api/menu/headings`
///
/// # Errors
/// When the database does not answer.
pub async fn headings(State(house): State<Shared>) -> Result<Json<Vec<Heading>>> {
    Ok(Json(menu::headings(&house).await?))
}

/// `PUT /api/menu/headings/{category}/pairings`
///
/// # Errors
/// 404; 422 with every faulty field.
pub async fn heading_pairings(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathTexts(category): PathTexts<String>,
    Json(draft): Json<Vec<PairingDraft>>,
) -> Result<Json<Heading>> {
    Ok(Json(menu::pair_heading(&house, &user, &category, &draft).await?))
}

/// `GET /api/menu/notes`
///
/// # Errors
/// When the database does not answer.
pub async fn notes(State(house): State<Shared>) -> Result<Json<Vec<String>>> {
    Ok(Json(menu::notes(&house).await?))
}

/// `PUT /api/menu/notes`
///
/// # Errors
/// 422 with every faulty field.
pub async fn set_notes(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    Json(notes): Json<Vec<String>>,
) -> Result<Json<Vec<String>>> {
    Ok(Json(menu::set_notes(&house, &user, &notes).await?))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_validator_is_found_among_others_strong_or_weak() {
        assert!(names(b"\"a\"", b"\"a\"") && names(b"\"b\", W/\"a\" ", b"\"a\"") && names(b"*", b"\"a\""));
        assert!(!names(b"\"ab\"", b"\"a\"") && !names(b"", b"\"a\"") && !names(b"a", b"\"a\""));
    }
}
