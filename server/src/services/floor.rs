//! The plan, and telling everybody when a table changes.

use crate::adapters::bus::Audience;
use crate::db;
use crate::error::Result;
use crate::state::House;
use domain::api::{Event, TableView};
use domain::{OrderId, TableId};

/// All tables.
///
/// # Errors
/// When the database does not answer.
pub async fn plan(house: &House) -> Result<Vec<TableView>> {
    db::floor::tables(&house.db, None).await
}

/// Tells open screens that a table and its order changed. After commit. That the plan cannot be read now is no reason to fail what was
/// just committed: screens reload when they reconnect.
pub async fn announce(house: &House, table: TableId, order: OrderId) {
    house.bus.send(Audience::House, Event::OrderChanged { order_id: order });
    match db::floor::tables(&house.db, Some(table)).await {
        Ok(tables) => {
            for table in tables {
                let event = Event::TableChanged { table_id: table.id, status: table.status, order_id: table.order_id };
                house.bus.send(Audience::House, event);
            }
        }
        Err(error) => tracing::warn!(%error, table = table.get(), "table change not announced"),
    }
}
