//! The plan: what stands on each table, telling everybody when one changes, and drawing the house anew.

use crate::adapters::bus::Audience;
use crate::db;
use crate::error::{Error, Result};
use crate::state::House;
use domain::api::{Event, FloorPlan, SessionUser, TableView};
use domain::order::FieldError;
use domain::{OrderId, RoomId, TableId};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// Tables that change within so long are announced together.
const BREATH: Duration = Duration::from_millis(50);

/// All tables.
///
/// # Errors
/// When the database does not answer.
pub async fn plan(house: &House) -> Result<Vec<TableView>> {
    db::floor::tables(&house.db, None).await
}

/// Tables and orders that changed and were not announced yet.
#[derive(Default)]
pub struct Changed {
    news: Mutex<News>,
    wake: Notify,
}

#[derive(Default)]
struct News {
    tables: BTreeSet<i64>,
    orders: BTreeSet<OrderId>,
}

impl Changed {
    // Nothing panics while it holds this.
    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells open screens that a table and its order changed. After commit; whoever changed it does not wait for that. Without a screen nothing is
/// read either: one that opens now asks for the plan, and finds what was committed.
pub fn announce(house: &House, table: TableId, order: OrderId) {
    if !house.bus.is_heard() {
        return;
    }
    {
        let mut news = house.changed.news();
        news.tables.insert(table.get());
        news.orders.insert(order);
    }
    house.changed.wake.notify_one();
}

/// Tells open screens that money waits for a person's word, or was decided about. After commit.
pub fn announce_money(house: &House) {
    house.bus.send(Audience::House, Event::MoneyToCheck {});
}

/// How a table stands, for the open screens.
#[must_use]
pub fn news_of(table: &TableView) -> Event {
    Event::TableChanged { table_id: table.id, status: table.status, order_id: table.order_id, now: Some(table.now()) }
}

/// Announces tables and orders for as long as the house stands. What changed meanwhile is read together, once, and travels with the events, so
/// that twenty phones need not ask for the plan: at once when the house was quiet, and twenty times a second on the busiest evening. Every
/// screen hears this; whoever is called by name hears it before, while the plan is read. What cannot be read now is read a second later.
pub async fn announce_changes(house: Weak<House>, changed: Arc<Changed>) {
    loop {
        changed.wake.notified().await;
        let Some(house) = house.upgrade() else { return };
        let News { tables, orders } = std::mem::take(&mut *changed.news());
        let tables: Vec<i64> = tables.into_iter().collect();
        let read = db::floor::tables(&house.db, Some(&tables)).await;
        for order_id in orders {
            house.bus.send(Audience::House, Event::OrderChanged { order_id });
        }
        match read {
            Ok(tables) => {
                for table in &tables {
                    house.bus.send(Audience::House, news_of(table));
                }
                drop(house);
                tokio::time::sleep(BREATH).await;
            }
            Err(error) => {
                tracing::warn!(%error, ?tables, "table changes not announced yet");
                changed.news().tables.extend(tables);
                tokio::time::sleep(Duration::from_secs(1)).await;
                changed.wake.notify_one();
            }
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // So that the announcer sees that there is nothing left to announce.
        self.changed.wake.notify_one();
    }
}

/// The drawing of the house, as it is at one moment.
///
/// # Errors
/// When the database does not answer.
pub async fn drawing(house: &House) -> Result<FloorPlan> {
    let mut tx = house.db.begin_with(db::SNAPSHOT).await?;
    let plan = db::floor::drawing(&mut tx).await?;
    tx.commit().await?;
    Ok(plan)
}

/// Draws the house anew, all of it or nothing. Numbers stay; a table that is no longer listed leaves the plan and stays in the history.
///
/// # Errors
/// [`Error::Invalid`] names every fault; [`Error::PlanChanged`] when somebody else saved since this drawing was read;
/// [`Error::TableInUse`] when guests sit at a table that is not listed.
pub async fn redraw(house: &House, user: &SessionUser, plan: FloorPlan) -> Result<FloorPlan> {
    let plan = plan.tidied();
    plan.check().map_err(Error::Invalid)?;
    let mut tx = house.db.begin().await?;
    if db::floor::lock_drawing(&mut tx).await? != plan.version {
        return Err(Error::PlanChanged);
    }
    let room_ids: Vec<i64> = plan.rooms.iter().filter_map(|room| room.id).map(RoomId::get).collect();
    let table_ids: Vec<i64> = plan.rooms.iter().flat_map(|room| &room.tables).filter_map(|table| table.id).map(TableId::get).collect();
    let (rooms, tables) = db::floor::unknown(&mut tx, &room_ids, &table_ids).await?;
    if !rooms.is_empty() || !tables.is_empty() {
        return Err(Error::Invalid(name_unknown(&plan, &rooms, &tables)));
    }
    if let Some((table, name)) = db::floor::in_use_without(&mut tx, &table_ids).await? {
        return Err(Error::TableInUse { table_id: table.get(), name });
    }
    let version = db::floor::redraw(&mut tx, &plan).await?;
    let drawn = db::floor::drawing(&mut tx).await?;
    tx.commit().await?;
    tracing::info!(version, tables = table_ids.len(), user = user.id.get(), "plan drawn anew");
    house.bus.send(Audience::House, Event::FloorChanged { version });
    Ok(drawn)
}

fn name_unknown(plan: &FloorPlan, rooms: &[i64], tables: &[i64]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (i, room) in plan.rooms.iter().enumerate() {
        if room.id.is_some_and(|id| rooms.contains(&id.get())) {
            errors.push(FieldError::new(format!("rooms[{i}].id"), "unknown_room"));
        }
        for (j, table) in room.tables.iter().enumerate() {
            if table.id.is_some_and(|id| tables.contains(&id.get())) {
                errors.push(FieldError::new(format!("rooms[{i}].tables[{j}].id"), "unknown_table"));
            }
        }
    }
    errors
}
