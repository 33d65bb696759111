//! Signing in and out.

use super::parse::Json;
use super::peer::Peer;
use crate::error::{Error, Result};
use crate::services::signing_in;
use crate::session_store::USER;
use crate::state::Shared;
use axum::extract::State;
use axum::http::StatusCode;
use domain::api::{Login, LoginDone, SessionUser};
use time::{Duration, OffsetDateTime};
use tower_sessions::{Expiry, Session};

/// A long day: nobody signs in twice in one service, and a phone left behind is worthless tomorrow.
const SIGNED_IN_FOR: Duration = Duration::hours(16);

/// Checks name and PIN and opens the session, under an id that nobody knew before.
///
/// # Errors
/// Those of [`signing_in::check`].
pub async fn open_session(house: &Shared, session: &Session, peer: &Peer, login: &Login) -> Result<SessionUser> {
    let proven = signing_in::check(house, &peer.0, login).await?;
    session.cycle_id().await?;
    session.set_expiry(Some(Expiry::AtDateTime(OffsetDateTime::now_utc() + SIGNED_IN_FOR)));
    session.insert(USER, &proven.user).await?;
    // Now, so that a store that does not answer is an answer and not a broken promise.
    session.save().await?;
    // Whoever was given another role or PIN, or dismissed, since the PIN was checked: whoever changes a person ends the sessions that
    // are there, and this one may have come a moment later.
    if !signing_in::still_holds(house, &proven).await? {
        session.flush().await?;
        return Err(Error::WrongPin);
    }
    Ok(proven.user)
}

/// Ends the session.
///
/// # Errors
/// When the store does not answer.
pub async fn close_session(session: &Session) -> Result<()> {
    Ok(session.flush().await?)
}

/// `POST /api/auth/login`
///
/// # Errors
/// 401 wrong name or PIN, 429 too many failures.
pub async fn login(State(house): State<Shared>, session: Session, peer: Peer, Json(login): Json<Login>) -> Result<Json<LoginDone>> {
    Ok(Json(LoginDone { user: open_session(&house, &session, &peer, &login).await? }))
}

/// `POST /api/auth/logout`
///
/// # Errors
/// 401; when the store does not answer.
pub async fn logout(session: Session) -> Result<StatusCode> {
    close_session(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}
