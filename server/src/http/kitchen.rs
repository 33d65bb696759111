//! The kitchen screen.

use super::parse::{Json, PathId};
use crate::error::{Error, Result};
use crate::services::kitchen;
use crate::state::Shared;
use axum::extract::{Path, State};
use domain::LineId;
use domain::api::{KitchenView, SlipMove, SlipMoved};
use domain::order::{KitchenMove, LineState};
use serde::{Deserialize, Serialize};

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
    Path((order, round)): Path<(String, String)>,
    Json(wanted): Json<SlipMove>,
) -> Result<Json<SlipMoved>> {
    let order = order.parse().map_err(|_| Error::NotFound("ce bon"))?;
    let round = round.parse().map_err(|_| Error::NotFound("ce bon"))?;
    Ok(Json(kitchen::move_slip(&house, order, round, &wanted).await?))
}
