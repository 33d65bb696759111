//! A dish is ready: it is stored under a number in the transaction that says so, and told after the commit to whoever looks after the table
//! at that moment. Who sees to it says so; when nobody does, others are told.
//!
//! The kitchen screen and a kitchen system say the same thing through [`ready`].

use super::floor;
use crate::db;
use crate::db::kitchen::{ErpSlip, MovingLine};
use crate::db::pass::{Ready, Said, Word};
use crate::error::{Error, Result};
use crate::state::House;
use domain::api::{DishReadyHook, HookStatus, PassWaits, SessionUser};
use domain::order::LineState;
use domain::pass::{WaitingDish, same_dish};
use domain::service_day::DAY_STARTS_AT_HOUR;
use domain::{OrderId, UserId};
use sqlx::{PgConnection, Postgres, Transaction};
use time::Date;

/// More looks at a slip than it can have lines that others move on meanwhile.
const LOOKS: u32 = 100;

/// Stores that dishes of an order are ready. The last thing in a transaction: from here to the commit nobody else gets a number. After the
/// commit comes [`tell`].
///
/// # Errors
/// When the database does not answer.
pub async fn ready(tx: &mut Transaction<'_, Postgres>, order: OrderId, dishes: &[Ready]) -> Result<()> {
    let first = db::pass::take_numbers(tx, dishes.len()).await?;
    db::pass::say_ready(tx, first, order, dishes).await
}

/// Something was committed that phones must hear of.
pub fn tell(house: &House) {
    house.teller.wake(&house.bus);
}

/// A kitchen system says that a dish is ready.
///
/// The dish is found on the slip by its name, as kitchens write it; the first that is not ready yet is meant. A name that is not on the slip is
/// told all the same: better a puzzled waiter than a cold dish.
///
/// # Errors
/// [`Error::UnknownErpOrder`] when no slip has this number; [`Error::ErpOrderNotKnownYet`] while an answer that may bring it is still on its way
/// to us, or got lost: the kitchen system is to say it again soon.
pub async fn dish_ready(house: &House, said: &DishReadyHook) -> Result<HookStatus> {
    let found = house.pass.lend(async |db| say_dish_ready(db, house, said).await).await;
    let found = match found {
        // Somebody holds what it touches: it waits elsewhere, where no other dish stands behind it.
        Err(error) if error.is_held_by_another() => say_dish_ready(&mut *house.db.acquire().await?, house, said).await?,
        found => found?,
    };
    let told = match found {
        Found::UnknownSlip => return Err(Error::UnknownErpOrder),
        Found::NotKnownYet => return Err(Error::ErpOrderNotKnownYet),
        Found::SaidBefore => return Ok(HookStatus::Duplicate),
        Found::Stored(told) => told,
    };
    if told.news.table_id != said.table_id {
        tracing::info!(told = said.table_id.get(), now = told.news.table_id.get(), "the guests of a ready dish sit elsewhere now");
    }
    let (table, order) = (told.news.table_id, told.news.order_id);
    let is_listening = told.to.iter().any(|person| house.bus.is_listening(*person));
    house.teller.tell(&house.bus, told);
    floor::announce(house, table, order);
    Ok(if is_listening { HookStatus::Notified } else { HookStatus::Stored })
}

/// What became of a kitchen system's word.
enum Found {
    /// It is stored, and to be told.
    Stored(Said),
    /// It said so before.
    SaidBefore,
    /// No slip has this number.
    UnknownSlip,
    /// No slip has this number, and there is one that the kitchen system may have, under whatever number.
    NotKnownYet,
}

/// Finds the dish that a kitchen system means, and stores that it is ready. What it finds is no error: the connection stays whole.
async fn say_dish_ready(db: &mut PgConnection, house: &House, said: &DishReadyHook) -> Result<Found> {
    let erp_event = said.event_id.as_ref().map(|id| id.as_str());
    // Each further look means that somebody else moved on what was seen.
    for _ in 0..LOOKS {
        let slip = match slip_meant(&mut *db, said, erp_event).await? {
            Ok(slip) => slip,
            Err(none) => return Ok(none),
        };
        if slip.is_known {
            return Ok(Found::SaidBefore);
        }
        let Some((dish, was)) = meant(&slip.lines, said) else { return Ok(Found::SaidBefore) };
        match db::pass::say_dish_ready(&mut *db, slip.order, &dish, was, (slip.slip, erp_event), &house.zone).await? {
            Word::Stored(told) => return Ok(Found::Stored(told)),
            Word::SaidBefore => return Ok(Found::SaidBefore),
            Word::LineMoved => {}
        }
    }
    Err(Error::internal("a line that is said ready never stands still"))
}

/// The slip that a kitchen system means, or why there is none. A kitchen may have a slip whose number we do not know: its answer was too slow for
/// our call. Then our own number of the order, if it says that, finds the slip; otherwise nobody can tell until it answers our next call.
async fn slip_meant(db: &mut PgConnection, said: &DishReadyHook, erp_event: Option<&str>) -> Result<std::result::Result<ErpSlip, Found>> {
    let number = said.erp_order_id.as_str();
    if let Some(slip) = db::kitchen::erp_slip(&mut *db, number, erp_event).await? {
        return Ok(Ok(slip));
    }
    if let Some(order) = said.order_id
        && let Some(slip) = db::kitchen::unanswered_slip(&mut *db, order, said.table_id, erp_event).await?
    {
        return Ok(Ok(slip));
    }
    if db::outbox::is_any_unanswered(&mut *db).await? {
        return Ok(Err(Found::NotKnownYet));
    }
    // The answer may have come between the first look and the last.
    Ok(db::kitchen::erp_slip(db, number, erp_event).await?.ok_or(Found::UnknownSlip))
}

/// Which line a kitchen system means and where it stands, if it moves on; `None` when it has said this before.
fn meant(lines: &[MovingLine], said: &DishReadyHook) -> Option<(Ready, Option<LineState>)> {
    let mut named = lines.iter().filter(|line| same_dish(&line.name, &said.dish_name));
    let of = |line: &MovingLine| Ready { line: Some(line.id), dish: line.name.clone() };
    if let Some(line) = named.clone().find(|line| matches!(line.state, LineState::Received | LineState::Cooking)) {
        return Some((of(line), Some(line.state)));
    }
    // Without a name of its own the event is this one, said again. With one it is one more plate of the same line.
    match named.find(|line| matches!(line.state, LineState::Ready | LineState::Served)) {
        Some(_) if said.event_id.is_none() => None,
        Some(line) if line.state == LineState::Ready => Some((of(line), None)),
        _ => Some((Ready { line: None, dish: said.dish_name.clone() }, None)),
    }
}

/// Somebody else looks after this order from now on: what waits at the pass is said again, to them. In the transaction that hands it over,
/// after it has done so; true when something was said, and then [`tell`] comes after the commit.
///
/// # Errors
/// When the database does not answer.
pub async fn say_again(db: &mut PgConnection, order: OrderId) -> Result<bool> {
    let waiting = db::pass::waiting_of(db, order).await?;
    if waiting.is_empty() {
        return Ok(false);
    }
    let first = db::pass::take_numbers(db, waiting.len()).await?;
    db::pass::say_again(db, first, &waiting).await?;
    Ok(true)
}

/// What a person missed after this number, in order, and the last number given at that moment; with no number, what still waits for them.
/// At most a page of it: whoever gets a whole page asks again from its last number.
///
/// # Errors
/// When the database does not answer.
pub async fn missed(house: &House, user: UserId, since: i64) -> Result<(Vec<Said>, i64)> {
    db::pass::missed(&house.db, user, since, &house.zone).await
}

/// What waits for a person.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting_for(house: &House, user: &SessionUser) -> Result<Vec<WaitingDish>> {
    db::pass::waiting_for(&house.db, user.id, &house.zone).await
}

/// A person says that they see to a dish, or to all of an order that wait. Returns which of them are written down, now or before; one that
/// is missing is none of theirs.
///
/// # Errors
/// When the database does not answer.
pub async fn acknowledge(house: &House, user: &SessionUser, order: OrderId, event: Option<i64>) -> Result<Vec<i64>> {
    let seen = db::pass::acknowledge(&house.db, user.id, order, event).await?;
    for dish in seen.iter().filter(|dish| dish.is_news) {
        // The kitchen shows who comes, and every other phone takes the card away.
        floor::announce(house, dish.table, dish.order);
    }
    Ok(seen.into_iter().map(|dish| dish.event_id).collect())
}

/// One step of the worker: whoever else is to know of dishes that have waited too long is told. Returns of how many.
///
/// # Errors
/// When the database does not answer.
pub async fn escalate(house: &House) -> Result<usize> {
    let mut told = 0;
    for (level, after) in [(1, house.escalation.colleagues), (2, house.escalation.till)] {
        let Some(after) = after else { continue };
        let mut tx = house.db.begin().await?;
        let due = db::pass::escalate(&mut tx, level, after).await?;
        tx.commit().await?;
        told += due;
    }
    if told > 0 {
        tracing::info!(dishes = told, "nobody came for dishes at the pass: others are told");
        tell(house);
    }
    Ok(told)
}

/// How long dishes waited at the pass on a day of service; today when none is named.
///
/// # Errors
/// When the database does not answer.
pub async fn waits(house: &House, day: Option<Date>) -> Result<PassWaits> {
    db::pass::waits(&house.db, day, &house.zone, i32::try_from(DAY_STARTS_AT_HOUR).unwrap_or(0)).await
}
