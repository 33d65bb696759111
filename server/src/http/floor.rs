//! The plan.

use super::parse::Json;
use crate::error::Result;
use crate::services::floor;
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use domain::api::{FloorPlan, SessionUser, TableView};

/// `GET /api/tables`
///
/// # Errors
/// When the database does not answer.
pub async fn tables(State(house): State<Shared>) -> Result<Json<Vec<TableView>>> {
    Ok(Json(floor::plan(&house).await?))
}

/// `GET /api/floor`
///
/// # Errors
/// When the database does not answer.
pub async fn drawing(State(house): State<Shared>) -> Result<Json<FloorPlan>> {
    Ok(Json(floor::drawing(&house).await?))
}

/// `PUT /api/floor`
///
/// # Errors
/// Those of [`floor::redraw`].
pub async fn redraw(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    Json(plan): Json<FloorPlan>,
) -> Result<Json<FloorPlan>> {
    Ok(Json(floor::redraw(&house, &user, plan).await?))
}
