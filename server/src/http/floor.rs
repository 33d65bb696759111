//! The plan.

use super::parse::Json;
use crate::error::Result;
use crate::services::floor;
use crate::state::Shared;
use axum::extract::State;
use domain::api::TableView;

/// `GET /api/tables`
///
/// # Errors
/// When the database does not answer.
pub async fn tables(State(house): State<Shared>) -> Result<Json<Vec<TableView>>> {
    Ok(Json(floor::plan(&house).await?))
}
