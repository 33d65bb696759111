//! The kitchen screen.

use super::parse::{Json, PathId, PathTexts};
use crate::error::{Error, Result};
use crate::services::{kitchen, notifying};
use crate::state::Shared;
use axum::Extension;
use axum::extract::{Query, State};
use domain::LineId;
use domain::api::{KitchenView, PassWaits, SessionUser, SlipMove, SlipMoved, iso_date};
use domain::order::{KitchenMove, LineState};
use domain::pass::WaitingDish;
use serde::{Deserialize, Serialize};
use time::Date;

/// What is said about a line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    state: KitchenMove,
}

/// Where the line stands now.
#[derive(Debug, Serialize)]
pub struct Moved {
    line_id: LineId,
    state: LineState,
}

/// `GET /api/kitchen`
///
/// # Errors
/// When the database does not answer.
pub async fn slips(State(house): State<Shared>) -> Result<Json<KitchenView>> {
    Ok(Json(kitchen::view(&house).await?))
}

/// `POST /api/kitchen/lines/{line_id}`
///
/// # Errors
/// 404; 409 when the line cannot go there.
pub async fn move_line(State(house): State<Shared>, PathId(line_id): PathId<LineId>, Json(said): Json<Said>) -> Result<Json<Moved>> {
    let state = kitchen::move_line(&house, line_id, said.state).await?;
    Ok(Json(Moved { line_id, state }))
}

/// `POST /api/kitchen/slips/{order_id}/{round}`
///
/// # Errors
/// 404; 409 when no line of it can go there.
pub async fn move_slip(
    State(house): State<Shared>,
    PathTexts((order, round)): PathTexts<(String, String)>,
    Json(wanted): Json<SlipMove>,
) -> Result<Json<SlipMoved>> {
    let order = order.parse().map_err(|_| Error::NotFound("ce bon"))?;
    let round = round.parse().map_err(|_| Error::NotFound("ce bon"))?;
    Ok(Json(kitchen::move_slip(&house, order, round, &wanted).await?))
}

/// `GET /api/pass`: dishes that wait for whoever asks.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(State(house): State<Shared>, Extension(user): Extension<SessionUser>) -> Result<Json<Vec<WaitingDish>>> {
    Ok(Json(notifying::waiting_for(&house, &user).await?))
}

/// Which day.
#[derive(Debug, Default, Deserialize)]
pub struct OfDay {
    #[serde(default, with = "iso_date::option")]
    day: Option<Date>,
}

/// `GET /api/pass/waits?day=2026-02-02`: how long dishes waited on that day of service; today when none is named.
///
/// # Errors
/// 422 for what is no day.
pub async fn waits(
    State(house): State<Shared>,
    asked: std::result::Result<Query<OfDay>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<PassWaits>> {
    let Query(OfDay { day }) = asked.map_err(|_| Error::invalid("day", "malformed"))?;
    Ok(Json(notifying::waits(&house, day).await?))
}
