//! The people of the house.

use super::orders::{created, request_id};
use super::parse::{Json, PathId};
use crate::error::Result;
use crate::services::people;
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::UserId;
use domain::api::{NewUser, SessionUser, UserChange, UserView};

/// `GET /api/users`
///
/// # Errors
/// When the database does not answer.
pub async fn list(State(house): State<Shared>) -> Result<Json<Vec<UserView>>> {
    Ok(Json(people::everybody(&house).await?))
}

/// `POST /api/users`
///
/// # Errors
/// 409 name taken, id reused; 422 with every faulty field.
pub async fn add(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    headers: HeaderMap,
    Json(mut new): Json<NewUser>,
) -> Result<Response> {
    new.uuid = request_id(&headers, new.uuid)?;
    Ok(created(people::add(&house, &user, &new).await?))
}

/// `PUT /api/users/{id}`
///
/// # Errors
/// 404; 409 the last admin; 422 with every faulty field.
pub async fn change(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    PathId(id): PathId<UserId>,
    Json(change): Json<UserChange>,
) -> Result<Json<UserView>> {
    Ok(Json(people::change(&house, &user, id, &change).await?))
}
