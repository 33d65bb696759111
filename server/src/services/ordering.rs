//! Scenario 1: an order reaches the house.
//!
//! Check and price it from our own menu → take its id → lock the table → open an order or join the open one → store the round → store
//! the answer → commit → tell the screens → wait a moment for the kitchen.

use super::floor;
use super::once::{self, Answered};
use crate::db;
use crate::error::{Error, Result};
use crate::state::House;
use domain::OrderId;
use domain::api::{OrderAccepted, OrderView, SentStatus, SessionUser};
use domain::order::{IfOccupied, OrderRequest, price};
use serde::{Deserialize, Serialize};

/// What is stored as the answer to an order. Whether the kitchen has it was not known when it was stored: a replay says what is known then.
#[derive(Serialize, Deserialize)]
struct Taken {
    #[serde(flatten)]
    accepted: OrderAccepted,
    /// The slip that waited for the kitchen system.
    slip: Option<i64>,
}

/// Takes an order. The same `uuid` again changes nothing and returns the first answer.
///
/// # Errors
/// [`Error::Invalid`] names every faulty field; [`Error::TableOccupied`] when the phone asked to be told.
pub async fn place(house: &House, user: &SessionUser, request: &OrderRequest) -> Result<Answered<OrderAccepted>> {
    let menu = house.menu.get(&house.db).await?;
    let mut tx = house.db.begin().await?;
    // Before the price: an order that was taken stays taken, whatever has run out since.
    if let Some(Answered { value: Taken { mut accepted, slip }, replayed }) =
        once::earlier(&mut tx, request.uuid, "orders", user.id, request).await?
    {
        if let Some(slip) = slip
            && db::outbox::is_sent(&mut *tx, slip).await?
        {
            accepted.status = SentStatus::Sent;
        }
        return Ok(Answered { value: accepted, replayed });
    }
    let lines = price(request, &menu.menu).map_err(Error::Invalid)?;

    let Some(table) = db::floor::lock_table(&mut tx, request.table_id).await? else {
        return Err(Error::invalid("table_id", "unknown_table"));
    };
    let order = match db::orders::lock_open(&mut tx, request.table_id).await? {
        Some(open) => {
            if request.if_occupied == IfOccupied::Reject && open.server.0 != user.id {
                return Err(Error::TableOccupied { order_id: open.id.get(), opened_by: (open.server.0.get(), open.server.1) });
            }
            open.id
        }
        None => db::orders::open(&mut tx, request.table_id, request.covers.unwrap_or(table.seats), user.id).await?,
    };
    let stored = db::orders::add_round(&mut tx, order, request.covers, &lines, house.kitchen).await?;
    let round = stored.round;

    // The built-in kitchen screen reads the same rows: once this is committed the kitchen has it.
    let slip = stored.slip.filter(|_| !house.kitchen.is_built_in);
    let status = if slip.is_some() { SentStatus::PendingErp } else { SentStatus::Sent };
    let mut taken = Taken { accepted: OrderAccepted { order_id: order, status, round }, slip };
    once::remember(&mut tx, request.uuid, 201, &taken).await?;
    let awaited = house.outbox.as_ref().zip(slip).map(|(outbox, slip)| outbox.expect(slip));
    tx.commit().await?;
    house.wake_outbox();

    tracing::info!(order = order.get(), table = request.table_id.get(), round, lines = lines.len(), "order taken");
    floor::announce(house, request.table_id, order).await;
    if let Some(awaited) = awaited {
        taken.accepted.status = awaited.status().await;
    }
    Ok(Answered::now(taken.accepted))
}

/// A whole order.
///
/// # Errors
/// [`Error::NotFound`] when there is none of that number.
pub async fn whole(house: &House, id: OrderId) -> Result<OrderView> {
    let mut connection = house.db.acquire().await?;
    db::orders::whole(&mut connection, id).await?.ok_or(Error::NotFound("cette commande"))
}
