//! What other programs tell us.

use super::parse::Json;
use crate::error::{Error, Result};
use crate::jwt;
use crate::services::notifying;
use crate::state::Shared;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use domain::api::{DishReadyHook, HookDone};
use time::OffsetDateTime;

/// For whom a kitchen system's tokens are.
pub const AUDIENCE: &str = "erp";

/// Lets through the kitchen system, which shares a secret with us. Before the body is read.
///
/// # Errors
/// [`Error::NoSecret`] when we have none; [`Error::BadToken`].
pub async fn kitchen_system(State(house): State<Shared>, request: Request, next: Next) -> Result<Response> {
    let secret = house.erp_secret.as_ref().ok_or(Error::NoSecret)?;
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer).ok_or(Error::BadToken)?;
    jwt::check(token, secret, AUDIENCE, OffsetDateTime::now_utc()).map_err(|fault| {
        tracing::warn!(%fault, "a token for the kitchen system's webhook was refused");
        Error::BadToken
    })?;
    Ok(next.run(request).await)
}

/// The scheme's name is the same in any case (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// `POST /api/webhooks/erp/dish-ready`
///
/// # Errors
/// 401; 404 `unknown_erp_order`; 503 `erp_order_not_known_yet` with `Retry-After`; 503 without a secret.
pub async fn dish_ready(State(house): State<Shared>, Json(said): Json<DishReadyHook>) -> Result<Json<HookDone>> {
    let name = said.dish_name.trim();
    if name.is_empty() || name.contains('\0') {
        return Err(Error::invalid("dish_name", "blank"));
    }
    if name.chars().count() > LONGEST_DISH {
        return Err(Error::invalid("dish_name", "text_too_long"));
    }
    let said = DishReadyHook { dish_name: name.to_owned(), ..said };
    Ok(Json(HookDone { status: notifying::dish_ready(&house, &said).await? }))
}

/// No dish has a longer name, in characters.
const LONGEST_DISH: usize = 200;
