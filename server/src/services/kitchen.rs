//! The built-in kitchen screen: what there is to do, and saying how far it is.
//!
//! The screen reads the lines themselves, so it shows the same whether or not a kitchen system of somebody else is told of them too.

use super::{floor, notifying};
use crate::db;
use crate::db::kitchen::Moving;
use crate::db::pass::Ready;
use crate::error::{Error, Result};
use crate::state::House;
use domain::api::{KitchenView, SlipMove, SlipMoved};
use domain::kitchen::after_slip_move;
use domain::order::{KitchenMove, LineState};
use domain::{LineId, OrderId};
use sqlx::{Postgres, Transaction};

/// Dishes that are not served yet, removals that the kitchen must see, and what was finished last.
///
/// # Errors
/// When the database does not answer.
pub async fn view(house: &House) -> Result<KitchenView> {
    let mut tx = house.db.begin_with(db::SNAPSHOT).await?;
    let view = db::kitchen::view(&mut tx).await?;
    tx.commit().await?;
    Ok(view)
}

/// Says where a line stands. Saying again what is already so changes nothing. A dish that becomes ready is told to whoever looks after the
/// table, and to nobody else.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::LineState`] when the line cannot go there from where it is.
pub async fn move_line(house: &House, line: LineId, said: KitchenMove) -> Result<LineState> {
    let mut tx = house.db.begin().await?;
    let moving = db::kitchen::lock_line(&mut tx, line).await?.ok_or(Error::NotFound("cette ligne"))?;
    let state = moving.lines.iter().find_map(|line| line.state.after(said)).ok_or(Error::LineState)?;
    advance(house, tx, moving, state).await?;
    Ok(state)
}

/// Says where a whole slip stands: every line of it that can go there goes, the others stay where they are. Two screens that say the same
/// at once say it once.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::LineState`] when none of the lines can go there.
pub async fn move_slip(house: &House, order: OrderId, round: u32, wanted: &SlipMove) -> Result<SlipMoved> {
    let mut tx = house.db.begin().await?;
    let mut moving = db::kitchen::lock_slip(&mut tx, order, round).await?.ok_or(Error::NotFound("ce bon"))?;
    let is_meant = |line: LineId| wanted.line_ids.as_ref().is_none_or(|ids| ids.contains(&line));
    moving.lines.retain(|line| is_meant(line.id) && after_slip_move(line.state, wanted.state).is_some());
    let state = moving.lines.iter().find_map(|line| after_slip_move(line.state, wanted.state)).ok_or(Error::LineState)?;
    let line_ids = moving.lines.iter().map(|line| line.id).collect();
    advance(house, tx, moving, state).await?;
    Ok(SlipMoved { state, line_ids })
}

/// Stores where the lines stand now, and tells whom it concerns after the commit. Lines that stand there already are left alone.
async fn advance(house: &House, mut tx: Transaction<'_, Postgres>, moving: Moving, state: LineState) -> Result<()> {
    let Moving { order_id, table: (table_id, _), lines, .. } = moving;
    let lines: Vec<_> = lines.into_iter().filter(|line| line.state != state).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let ids: Vec<LineId> = lines.iter().map(|line| line.id).collect();
    db::kitchen::set_state(&mut tx, &ids, state).await?;
    if state == LineState::Ready {
        let dishes: Vec<Ready> = lines.into_iter().map(|line| Ready { line: Some(line.id), dish: line.name }).collect();
        notifying::ready(&mut tx, order_id, &dishes).await?;
    }
    tx.commit().await?;
    if state == LineState::Ready {
        notifying::tell(house);
    }
    floor::announce(house, table_id, order_id);
    Ok(())
}
