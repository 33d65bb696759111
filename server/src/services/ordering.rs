//! Scenario 1: an order reaches the house.
//!
//! Check and price the request from our own menu → store the round, the slip and the answer → tell the screens → wait a moment for the kitchen.
//! A further round for guests who are there is one statement, and the usual case. Everything else is a transaction: look for an earlier
//! answer and lock the order that is meant, or the table's → open one when there is none → store → commit.

use super::once::{self, Answered};
use super::syncing::Refusal;
use super::{amending, floor};
use crate::db;
use crate::db::orders::OpenOrder;
use crate::db::rounds::{NewRound, Round, Stored, To, add_round};
use crate::error::{Error, Result};
use crate::state::House;
use crate::workers::outbox::Awaited;
use domain::api::{OrderAccepted, OrderStatus, OrderView, SentStatus, SessionUser};
use domain::order::{IfOccupied, OrderRequest, PricedLine, price};
use domain::{OrderId, TableId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

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
/// [`Error::Invalid`] names every faulty field; [`Error::OrderClosed`] when the guests that it was meant for have left;
/// [`Error::TableOccupied`] when the phone asked to be told; [`Error::Sync`] when it was given up.
pub async fn place(house: &House, user: &SessionUser, request: &OrderRequest) -> Result<Answered<OrderAccepted>> {
    let digest = once::digest("orders", user.id, request)?;
    loop {
        if let Some(answered) = try_place(house, user, request, &digest).await? {
            return Ok(answered);
        }
        // The same request came twice at the same moment, and the other one was first: now its answer can be read.
    }
}

async fn try_place(house: &House, user: &SessionUser, request: &OrderRequest, digest: &[u8]) -> Result<Option<Answered<OrderAccepted>>> {
    let menu = house.menu.prices(&house.db).await?;
    let lines = price(request, &menu.menu);
    if let Ok(lines) = &lines
        && !once::may_be_forgotten(request.uuid)
    {
        // How many guests there are may only change while nothing is paid: that needs the order's lock first.
        let round = NewRound { covers: request.covers, ..new_round(house, lines, request.uuid, digest) };
        let awaited = house.outbox.as_ref().map(|outbox| outbox.expect(round.slip));
        let to = match request.order_id {
            Some(order) => To::Order(order),
            None => To::OpenAt(request.table_id, (request.if_occupied == IfOccupied::Reject).then_some(user.id)),
        };
        match house.rounds.add(to, &round).await? {
            Stored::Round(stored) => return Ok(Some(accepted(house, stored, round.status, awaited).await)),
            Stored::Elsewhere => return Ok(None),
            Stored::Not => {}
        }
    }
    let mut tx = house.db.begin().await?;
    let (here, earlier) = match (request.order_id, request.uuid) {
        (None, uuid) => db::orders::lock_open_unless_done(&mut tx, request.table_id, uuid).await?,
        (Some(_), Some(uuid)) => (None, db::sync::answer(&mut tx, uuid).await?),
        (Some(_), None) => (None, None),
    };
    // Before the price: an order that was taken stays taken, whatever has run out since.
    if let Some((of, answer)) = earlier {
        // Without an answer it is the id of something that takes longer, a payment for example.
        let Some(answer) = answer.filter(|_| of == digest) else { return Err(used_otherwise(&mut tx, request.uuid).await?) };
        return replay(&mut tx, &answer).await.map(Some);
    }
    once::refuse_if_forgotten(&mut tx, request.uuid).await?;
    let lines = lines.map_err(Error::Invalid)?;
    let open = match (request.order_id, here) {
        (Some(meant), _) => find_meant(&mut tx, meant).await?,
        (None, Some(open)) => open,
        (None, None) => open_order(&mut tx, user, request).await?,
    };
    if request.order_id.is_none() && request.if_occupied == IfOccupied::Reject && open.server.0 != user.id {
        return Err(Error::TableOccupied { order_id: open.id.get(), opened_by: (open.server.0.get(), open.server.1) });
    }
    // Said of guests who were put together with others since, it is true no more.
    if let Some(covers) = request.covers.filter(|_| request.order_id.is_none_or(|meant| meant == open.id)) {
        amending::covers_said(&mut tx, user, &open, covers, None).await?;
    }
    let round = new_round(house, &lines, request.uuid, digest);
    // Before the commit, so that no worker is faster.
    let awaited = house.outbox.as_ref().map(|outbox| outbox.expect(round.slip));
    let Stored::Round(stored) = add_round(&mut *tx, house.kitchen, To::Order(open.id), &round).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    tx.commit().await?;
    Ok(Some(accepted(house, stored, round.status, awaited).await))
}

/// A round of these lines, to be answered under this id.
pub(super) fn new_round<'a>(house: &House, lines: &'a [PricedLine], uuid: Option<Uuid>, digest: &'a [u8]) -> NewRound<'a> {
    let way = house.kitchen;
    // The built-in kitchen screen reads the same rows: once this is committed the kitchen has it.
    let waits = !way.is_built_in && lines.iter().any(|line| way.tells_now(line));
    let status = if waits { SentStatus::PendingErp } else { SentStatus::Sent };
    NewRound { lines, slip: Uuid::now_v7(), status, request: uuid.map(|key| (key, digest)), covers: None, kept: None }
}

async fn accepted(house: &House, stored: Round, status: SentStatus, awaited: Option<Awaited<'_>>) -> Answered<OrderAccepted> {
    let status = told(house, stored, status, awaited).await;
    Answered::now(OrderAccepted { order_id: stored.order, status, round: stored.number })
}

/// What is committed is told: the kitchen system, the screens, and the waiter, as far as the kitchen has answered by then. `status` is what is
/// known of the kitchen without asking it.
pub(super) async fn told(house: &House, stored: Round, status: SentStatus, awaited: Option<Awaited<'_>>) -> SentStatus {
    tracing::info!(order = stored.order.get(), table = stored.table.get(), round = stored.number, "order taken");
    floor::announce(house, stored.table, stored.order);
    if stored.slip.is_none() {
        return status;
    }
    house.wake_outbox();
    match awaited {
        Some(awaited) => awaited.status().await,
        None => status,
    }
}

/// The first answer again, with what is known by now about the kitchen.
pub(super) async fn replay(db: &mut PgConnection, answer: &str) -> Result<Answered<OrderAccepted>> {
    let Taken { mut accepted, slip } = serde_json::from_str(answer)?;
    if let Some(slip) = slip
        && db::outbox::is_sent(db, slip).await?
    {
        accepted.status = SentStatus::Sent;
    }
    Ok(Answered { value: accepted, replayed: true })
}

/// Why an id that belongs to something else is refused.
async fn used_otherwise(db: &mut PgConnection, uuid: Option<Uuid>) -> Result<Error> {
    let over = match uuid {
        Some(uuid) => db::sync::is_over(db, uuid).await?,
        None => false,
    };
    Ok(if over { Refusal::Over.into() } else { Error::IdempotencyMismatch })
}

/// The order of the guests that a round is meant for, locked: wherever they sit by now, and with whom.
async fn find_meant(db: &mut PgConnection, order: OrderId) -> Result<OpenOrder> {
    let meant = db::sync::lock_meant(db, order).await?.ok_or_else(|| Error::invalid("order_id", "unknown_order"))?;
    if meant.status == OrderStatus::Open { Ok(meant.order) } else { Err(Error::OrderClosed) }
}

/// Opens an order on a table that had none a moment ago. The table is locked first, so that of two phones the second finds what the first
/// opened.
async fn open_order(db: &mut PgConnection, user: &SessionUser, request: &OrderRequest) -> Result<OpenOrder> {
    let (open, seats) = lock_table(db, request.table_id).await?;
    if let Some(open) = open {
        return Ok(open);
    }
    let covers = request.covers.unwrap_or(seats);
    let id = db::orders::open(db, request.table_id, covers, user.id).await?;
    Ok(OpenOrder { id, rounds: 0, covers, server: (user.id, user.name.clone()) })
}

/// Locks a table, and with it whether an order is open there; with its seats.
pub(super) async fn lock_table(db: &mut PgConnection, table: TableId) -> Result<(Option<OpenOrder>, u16)> {
    let Some(seats) = db::floor::lock_table(db, table).await? else { return Err(Error::invalid("table_id", "unknown_table")) };
    Ok((db::orders::lock_open(db, table).await?, seats.seats))
}

/// The open orders that somebody looks after: what a phone needs of them without a network.
///
/// # Errors
/// When the database does not answer.
pub async fn own(house: &House, user: UserId) -> Result<Vec<OrderView>> {
    let mut connection = house.db.acquire().await?;
    let mut orders = Vec::new();
    for id in db::orders::open_of(&mut *connection, user).await? {
        orders.extend(db::orders::whole(&mut connection, id).await?);
    }
    Ok(orders)
}

/// A whole order.
///
/// # Errors
/// [`Error::NotFound`] when there is none of that number.
pub async fn whole(house: &House, id: OrderId) -> Result<OrderView> {
    let mut connection = house.db.acquire().await?;
    db::orders::whole(&mut connection, id).await?.ok_or(Error::NotFound("cette commande"))
}
