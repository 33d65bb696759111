//! The built-in kitchen screen: what there is to do, and saying how far it is.

use super::floor;
use crate::adapters::bus::Audience;
use crate::db;
use crate::error::{Error, Result};
use crate::state::House;
use domain::LineId;
use domain::api::{Event, KitchenView};
use domain::order::{KitchenMove, LineState};

/// Dishes that are not served yet.
///
/// # Errors
/// When the database does not answer.
pub async fn slips(house: &House) -> Result<KitchenView> {
    db::kitchen::slips(&house.db).await
}

/// Says where a line stands. Saying again what is already so changes nothing. A dish that becomes ready is told to whoever looks after the
/// table, and to nobody else.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::LineState`] when the line cannot go there from where it is.
pub async fn move_line(house: &House, line: LineId, said: KitchenMove) -> Result<LineState> {
    let mut tx = house.db.begin().await?;
    let moving = db::kitchen::lock_line(&mut tx, line).await?.ok_or(Error::NotFound("cette ligne"))?;
    let state = moving.state.after(said).ok_or(Error::LineState)?;
    if state == moving.state {
        return Ok(state);
    }
    let (at, timestamp) = db::kitchen::set_state(&mut tx, line, state, &house.zone).await?;
    tx.commit().await?;

    let (table_id, table) = moving.table;
    floor::announce(house, table_id, moving.order_id).await;
    if state == LineState::Ready {
        let event = Event::DishReady { order_id: moving.order_id, table, dish: moving.name, line_id: Some(line), timestamp, at };
        house.bus.send(Audience::Person(moving.server), event);
    }
    Ok(state)
}
