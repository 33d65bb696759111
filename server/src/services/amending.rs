//! Scenario 1, afterwards: what changes an order that was taken. Something is taken off, a course waits or is called for, the guests move,
//! sit down with others, are served by somebody else, or leave.
//!
//! Each locks the order, checks, writes the change and the fact that names who did it, and commits; then the screens are told. None of
//! them tells the kitchen to cook anything a second time.

use super::once::Answered;
use super::{billing, floor, notifying, once, paying, recording};
use crate::db;
use crate::db::amendments::NewVoid;
use crate::db::orders::{OpenOrder, OrderHead};
use crate::error::{Error, Result};
use crate::state::House;
use domain::api::{
    Colleague, CourseCall, CoversRequest, HandoverRequest, LineView, MergeRequest, OrderStatus, OrderView, SessionUser, TransferRequest,
    VoidRequest,
};
use domain::attempt::AttemptState;
use domain::fiscal::EventCode;
use domain::order::{LineState, MAX_COURSE, MAX_COVERS, MAX_REASON};
use domain::{Cents, LineId, OrderId};
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// The order as it is then; the same `uuid` again changes nothing and returns the first answer.
type Amended = Result<Answered<OrderView>>;

/// What is stored when nobody has to say why: the kitchen had not been told.
const NOT_SENT_YET: &str = "Pas encore envoyé en cuisine";

/// Takes something off a line. The same `uuid` again takes nothing off and returns the first answer.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderClosed`], [`Error::PartlyPaid`], [`Error::Invalid`] without a reason or with more than there is.
pub async fn void_line(house: &House, user: &SessionUser, order: OrderId, line: LineId, request: &VoidRequest) -> Amended {
    db::again!(void_line_once(house, user, order, line, request).await)
}

async fn void_line_once(house: &House, user: &SessionUser, order: OrderId, line: LineId, request: &VoidRequest) -> Amended {
    let mut tx = house.db.begin().await?;
    if let Some(earlier) = once::earlier(&mut tx, request.uuid, &format!("void {line}"), user.id, request).await? {
        return Ok(earlier);
    }
    let ledger = billing::ledger(&mut tx, order, true).await?;
    if ledger.head.status != OrderStatus::Open {
        return Err(Error::OrderClosed);
    }
    let (line, due) = ledger.lines.iter().zip(&ledger.due).find(|(of, _)| of.line_id == line).ok_or(Error::NotFound("cette ligne"))?;
    let reason = reason(&request.reason, line)?;
    if request.qty == 0 || request.qty > line.qty {
        return Err(Error::invalid("qty", "out_of_range"));
    }
    let gross = line.unit_price.times(i64::from(request.qty)).ok_or_else(|| Error::invalid("qty", "out_of_range"))?;
    // What is taken off takes its part of the discount with it.
    let off = domain::share::of_discount(line.discount, request.qty, line.qty);
    let price = gross - off;
    if price > due.due {
        // What an attempt to charge a card may settle cannot be taken off meanwhile.
        return Err(
            match ledger.held.iter().find(|held| held.parts.iter().any(|part| part.line_id == line.line_id && part.amount > Cents::ZERO)) {
                Some(held) => Error::PaymentInProgress { payment_id: Some(held.id), unknown: held.state == AttemptState::Unknown },
                None => Error::PartlyPaid,
            },
        );
    }
    if off > Cents::ZERO {
        db::discounts::take_back(&mut tx, order, line.line_id, off, reason, user.id).await?;
    }
    let new = NewVoid { line: line.line_id, qty: request.qty, reason, user: user.id };
    db::amendments::void(&mut tx, &new, house.kitchen).await?;
    billing::keep_after_reduction(&mut tx, order).await?;
    // What was left is what was taken off: the guests have paid for everything else.
    if ledger.remaining() == price && !ledger.settled.is_empty() {
        db::orders::complete(&mut tx, order).await?;
    }
    let view = whole(&mut tx, order).await?;
    once::remember(&mut tx, request.uuid, 200, &view).await?;
    // What nobody besides the waiter knows of is typing, and no matter of the technical journal.
    if line.was_told() || !recording::notes_of(house, &mut tx, order).await?.is_empty() {
        let details = [
            ("table", view.table.clone()),
            ("line", line.name.clone()),
            ("qty", request.qty.to_string()),
            ("amount", price.to_french()),
            ("reason", reason.to_owned()),
        ];
        recording::event(house, &mut tx, EventCode::LineVoided, &user.name, details).await?;
    }
    tx.commit().await?;
    house.wake_outbox();
    tracing::info!(order = order.get(), line = line.line_id.get(), qty = request.qty, user = user.id.get(), "taken off");
    floor::announce(house, view.table_id, order);
    Ok(Answered::now(view))
}

fn reason<'r>(said: &'r str, line: &LineView) -> Result<&'r str> {
    let said = said.trim();
    if said.chars().count() > MAX_REASON {
        return Err(Error::invalid("reason", "too_long"));
    }
    if said.chars().any(char::is_control) {
        return Err(Error::invalid("reason", "control_character"));
    }
    if domain::card::is_in(said) {
        return Err(Error::invalid("reason", "card_number"));
    }
    match said {
        "" if line.was_told() => Err(Error::invalid("reason", "reason_required")),
        "" => Ok(NOT_SENT_YET),
        said => Ok(said),
    }
}

/// Calls for a course, or lets it wait. Saying again what is already so changes nothing.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderClosed`]; [`Error::AlreadyInKitchen`] when it can no longer wait, [`Error::BeyondCall`] when there is nobody
/// who would hear the call.
pub async fn course(house: &House, user: &SessionUser, order: OrderId, course: u8, call: CourseCall, uuid: Option<Uuid>) -> Amended {
    db::again!(course_once(house, user, order, course, call, uuid).await)
}

async fn course_once(house: &House, user: &SessionUser, order: OrderId, course: u8, call: CourseCall, uuid: Option<Uuid>) -> Amended {
    if course > MAX_COURSE {
        return Err(Error::NotFound("ce service"));
    }
    let mut tx = house.db.begin().await?;
    if let Some(earlier) = once::earlier(&mut tx, uuid, &format!("course {order} {course}"), user.id, &call).await? {
        return Ok(earlier);
    }
    let head = open_order(&mut tx, order).await?;
    let course = i16::from(course);
    let (kind, touched) = match call {
        CourseCall::Fire => {
            let (_, touched) = db::amendments::fire(&mut tx, order, head.table_id, course, house.kitchen).await?;
            ("fire", touched)
        }
        // A system that is not ours cannot be told to wait: what was sent, or may have been, is sent.
        CourseCall::Hold if house.kitchen.is_built_in => ("hold", db::amendments::hold(&mut tx, order, course).await?),
        CourseCall::Hold => ("hold", 0),
    };
    let view = whole(&mut tx, order).await?;
    let of_course = || view.lines.iter().filter(|line| i16::from(line.course) == course && line.kind.is_cooked());
    let begun = |line: &LineView| matches!(line.state, LineState::Received | LineState::Cooking | LineState::Ready);
    if call == CourseCall::Hold && touched == 0 && of_course().any(begun) {
        return Err(Error::AlreadyInKitchen);
    }
    // A system that is not ours has what it was told, and hears nothing more about it: saying *réclamé* would be a lie.
    let is_there = |line: &LineView| matches!(line.state, LineState::Received | LineState::Cooking);
    let nobody_hears = touched == 0 && of_course().any(is_there) && !of_course().any(|line| line.called);
    if call == CourseCall::Fire && !house.kitchen.is_built_in && nobody_hears {
        return Err(Error::BeyondCall);
    }
    if touched > 0 {
        db::amendments::remember(&mut tx, order, kind, user.id, json!({ "course": course, "lines": touched })).await?;
    }
    once::remember(&mut tx, uuid, 200, &view).await?;
    tx.commit().await?;
    house.wake_outbox();
    floor::announce(house, view.table_id, order);
    Ok(Answered::now(view))
}

/// Moves the guests to a free table.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderClosed`]; [`Error::TableOccupied`] when somebody sits there: then it is a merge.
pub async fn transfer(house: &House, user: &SessionUser, order: OrderId, request: &TransferRequest) -> Amended {
    db::again!(transfer_once(house, user, order, request).await)
}

async fn transfer_once(house: &House, user: &SessionUser, order: OrderId, request: &TransferRequest) -> Amended {
    let mut tx = house.db.begin().await?;
    if let Some(earlier) = once::earlier(&mut tx, request.uuid, &format!("transfer {order}"), user.id, request).await? {
        return Ok(earlier);
    }
    let from = db::orders::head(&mut tx, order, false).await?.ok_or(Error::NotFound("cette commande"))?.table_id;
    // Tables before orders, and in the order of their numbers, as everybody who locks them does.
    let mut tables = [from, request.table_id];
    tables.sort();
    for table in tables {
        if db::floor::lock_table(&mut tx, table).await?.is_none() {
            return Err(Error::invalid("table_id", "unknown_table"));
        }
    }
    let head = open_order(&mut tx, order).await?;
    if head.table_id != from {
        return Err(Error::OrderMoved);
    }
    if request.table_id == from {
        let view = whole(&mut tx, order).await?;
        once::remember(&mut tx, request.uuid, 200, &view).await?;
        tx.commit().await?;
        return Ok(Answered::now(view));
    }
    if let Some(there) = db::orders::lock_open(&mut tx, request.table_id).await? {
        return Err(Error::TableOccupied { order_id: there.id.get(), opened_by: (there.server.0.get(), there.server.1) });
    }
    db::amendments::move_to(&mut tx, order, request.table_id).await?;
    db::amendments::remember(&mut tx, order, "transfer", user.id, json!({ "from": from, "to": request.table_id })).await?;
    let view = whole(&mut tx, order).await?;
    once::remember(&mut tx, request.uuid, 200, &view).await?;
    tx.commit().await?;
    tracing::info!(order = order.get(), from = from.get(), to = request.table_id.get(), user = user.id.get(), "guests moved");
    floor::announce(house, from, order);
    floor::announce(house, request.table_id, order);
    Ok(Answered::now(view))
}

/// Puts two tables together: everything ordered at one goes to the bill of the other. Nothing of the first may be paid.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderClosed`], [`Error::PartlyPaid`], [`Error::Invalid`] for an order into itself.
pub async fn merge(house: &House, user: &SessionUser, from: OrderId, request: &MergeRequest) -> Amended {
    db::again!(merge_once(house, user, from, request).await)
}

async fn merge_once(house: &House, user: &SessionUser, from: OrderId, request: &MergeRequest) -> Amended {
    let into = request.into_order_id;
    if into == from {
        return Err(Error::invalid("into_order_id", "same_order"));
    }
    let mut tx = house.db.begin().await?;
    if let Some(earlier) = once::earlier(&mut tx, request.uuid, &format!("merge {from}"), user.id, request).await? {
        return Ok(earlier);
    }
    let mut both = [from, into];
    both.sort();
    for order in both {
        if db::orders::head(&mut tx, order, true).await?.is_none() {
            return Err(if order == from { Error::NotFound("cette commande") } else { Error::invalid("into_order_id", "unknown_order") });
        }
    }
    let (left, joined) = (open_order(&mut tx, from).await?, open_order(&mut tx, into).await?);
    nothing_paid(&mut tx, from).await?;
    db::amendments::merge(&mut tx, from, into).await?;
    let detail = json!({ "from_order": from, "from_table": left.table_id, "into_order": into, "into_table": joined.table_id });
    for order in both {
        db::amendments::remember(&mut tx, order, "merge", user.id, detail.clone()).await?;
    }
    let view = whole(&mut tx, into).await?;
    once::remember(&mut tx, request.uuid, 200, &view).await?;
    let told_again = joined.server_user_id != left.server_user_id && notifying::say_again(&mut tx, into).await?;
    tx.commit().await?;
    tracing::info!(from = from.get(), into = into.get(), user = user.id.get(), "tables put together");
    if told_again {
        notifying::tell(house);
    }
    floor::announce(house, left.table_id, from);
    floor::announce(house, joined.table_id, into);
    Ok(Answered::now(view))
}

/// Gives a table to somebody else, who is told of its dishes from now on.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderClosed`], [`Error::Invalid`] when that person takes no orders.
pub async fn hand_over(house: &House, user: &SessionUser, order: OrderId, request: &HandoverRequest) -> Amended {
    db::again!(hand_over_once(house, user, order, request).await)
}

async fn hand_over_once(house: &House, user: &SessionUser, order: OrderId, request: &HandoverRequest) -> Amended {
    let mut tx = house.db.begin().await?;
    if let Some(earlier) = once::earlier(&mut tx, request.uuid, &format!("handover {order}"), user.id, request).await? {
        return Ok(earlier);
    }
    let head = open_order(&mut tx, order).await?;
    if !db::amendments::hand_over(&mut tx, order, request.user_id).await? {
        return Err(Error::invalid("user_id", "unknown_user"));
    }
    db::amendments::remember(&mut tx, order, "handover", user.id, json!({ "from": head.server_user_id, "to": request.user_id })).await?;
    let view = whole(&mut tx, order).await?;
    once::remember(&mut tx, request.uuid, 200, &view).await?;
    let told_again = head.server_user_id != request.user_id && notifying::say_again(&mut tx, order).await?;
    tx.commit().await?;
    if told_again {
        notifying::tell(house);
    }
    floor::announce(house, view.table_id, order);
    Ok(Answered::now(view))
}

/// Corrects how many guests sit there. A bill is divided by covers unless the table chose otherwise, so once a share is paid, or a card is
/// being charged for one, the number stays.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderClosed`], [`Error::PartlyPaid`], [`Error::PaymentInProgress`], [`Error::Invalid`].
pub async fn set_covers(house: &House, user: &SessionUser, order: OrderId, request: &CoversRequest) -> Amended {
    db::again!(set_covers_once(house, user, order, request).await)
}

async fn set_covers_once(house: &House, user: &SessionUser, order: OrderId, request: &CoversRequest) -> Amended {
    if !(1..=MAX_COVERS).contains(&request.covers) {
        return Err(Error::invalid("covers", "out_of_range"));
    }
    let mut tx = house.db.begin().await?;
    if let Some(earlier) = once::earlier(&mut tx, request.uuid, &format!("covers {order}"), user.id, request).await? {
        return Ok(earlier);
    }
    let head = open_order(&mut tx, order).await?;
    if head.covers != request.covers {
        nothing_paid(&mut tx, order).await?;
        db::amendments::set_covers(&mut tx, order, request.covers).await?;
        db::amendments::remember(&mut tx, order, "covers", user.id, json!({ "from": head.covers, "to": request.covers })).await?;
    }
    let view = whole(&mut tx, order).await?;
    once::remember(&mut tx, request.uuid, 200, &view).await?;
    tx.commit().await?;
    floor::announce(house, view.table_id, order);
    Ok(Answered::now(view))
}

/// How many guests somebody said there are while ordering something for an order that is locked. Once a share is paid, or a card is being
/// charged for one, the number stays; so it does when somebody said another after this was typed.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn covers_said(
    db: &mut PgConnection,
    user: &SessionUser,
    order: &OpenOrder,
    covers: u16,
    typed_at: Option<OffsetDateTime>,
) -> Result<()> {
    if covers == order.covers {
        return Ok(());
    }
    if let Some(at) = typed_at
        && db::amendments::covers_changed_since(db, order.id, at).await?
    {
        return Ok(());
    }
    match nothing_paid(db, order.id).await {
        Ok(()) => {}
        Err(Error::PartlyPaid | Error::PaymentInProgress { .. }) => return Ok(()),
        Err(error) => return Err(error),
    }
    db::amendments::set_covers(db, order.id, covers).await?;
    db::amendments::remember(db, order.id, "covers", user.id, json!({ "from": order.covers, "to": covers })).await
}

/// Says that the guests want to pay, so that the plan shows it. Needs no id: what is asked for is how it shall be and no change of it, so a
/// second tap, or one after a lost answer, finds it so, stores no second fact and leaves the time since which they wait.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderClosed`].
pub async fn ask_bill(house: &House, user: &SessionUser, order: OrderId, asked: bool) -> Result<OrderView> {
    db::again!(ask_bill_once(house, user, order, asked).await)
}

async fn ask_bill_once(house: &House, user: &SessionUser, order: OrderId, asked: bool) -> Result<OrderView> {
    let mut tx = house.db.begin().await?;
    let head = open_order(&mut tx, order).await?;
    if head.bill_asked != asked {
        db::amendments::ask_bill(&mut tx, order, asked).await?;
        db::amendments::remember(&mut tx, order, "bill_asked", user.id, json!({ "asked": asked })).await?;
    }
    let view = whole(&mut tx, order).await?;
    tx.commit().await?;
    floor::announce(house, view.table_id, order);
    Ok(view)
}

/// Frees the table of guests who left and owe nothing. What was all on the house leaves a ticket over nothing; an order of which everything was
/// removed leaves none. An order is freed once for ever: whoever freed it and asks again, under whatever id or under none, changes nothing and is
/// answered with it as it is now.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderClosed`], [`Error::NotSettled`].
pub async fn release(house: &House, user: &SessionUser, order: OrderId, uuid: Option<Uuid>) -> Amended {
    db::again!(release_once(house, user, order, uuid).await)
}

async fn release_once(house: &House, user: &SessionUser, order: OrderId, uuid: Option<Uuid>) -> Amended {
    let mut tx = house.db.begin().await?;
    if let Some(earlier) = once::earlier(&mut tx, uuid, &format!("release {order}"), user.id, &()).await? {
        return Ok(earlier);
    }
    let ledger = billing::ledger(&mut tx, order, true).await?;
    if ledger.head.status != OrderStatus::Open {
        let released = db::amendments::released(&mut tx, order, user.id).await?.ok_or(Error::OrderClosed)?;
        let view = OrderView { ticket_no: released.ticket, ..whole(&mut tx, order).await? };
        once::remember(&mut tx, uuid, 200, &view).await?;
        tx.commit().await?;
        return Ok(Answered { value: view, replayed: true });
    }
    if ledger.remaining() > Cents::ZERO {
        return Err(Error::NotSettled);
    }
    let ticket = paying::over_nothing(house, &mut tx, &ledger, &user.name).await?;
    match ticket {
        Some(_) => db::orders::complete(&mut tx, order).await?,
        None => db::amendments::cancel(&mut tx, order).await?,
    }
    let given_up = ticket.is_none();
    let ticket = ticket.map(|record| record.seq);
    db::amendments::remember(&mut tx, order, "release", user.id, json!({ "ticket": ticket })).await?;
    let view = OrderView { ticket_no: ticket, ..whole(&mut tx, order).await? };
    let notes = if given_up { recording::notes_of(house, &mut tx, order).await? } else { Vec::new() };
    if !notes.is_empty() {
        let numbers = notes.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let details = [("table", view.table.clone()), ("notes", numbers)];
        recording::event(house, &mut tx, EventCode::NoteCancelled, &user.name, details).await?;
    }
    once::remember(&mut tx, uuid, 200, &view).await?;
    tx.commit().await?;
    floor::announce(house, view.table_id, order);
    Ok(Answered::now(view))
}

/// Who may look after a table.
///
/// # Errors
/// When the database does not answer.
pub async fn colleagues(house: &House) -> Result<Vec<Colleague>> {
    db::amendments::colleagues(&house.db).await
}

/// Refuses when money of an order was taken, or a card is being charged for it.
async fn nothing_paid(db: &mut PgConnection, order: OrderId) -> Result<()> {
    let bill = db::bills::read(db, order).await?.ok_or(Error::NotFound("cette commande"))?;
    if !bill.settled.is_empty() {
        return Err(Error::PartlyPaid);
    }
    match bill.held.first() {
        Some(held) => Err(Error::PaymentInProgress { payment_id: Some(held.id), unknown: held.state == AttemptState::Unknown }),
        None => Ok(()),
    }
}

async fn open_order(db: &mut PgConnection, order: OrderId) -> Result<OrderHead> {
    let head = db::orders::head(db, order, true).await?.ok_or(Error::NotFound("cette commande"))?;
    if head.status == OrderStatus::Open { Ok(head) } else { Err(Error::OrderClosed) }
}

async fn whole(db: &mut PgConnection, order: OrderId) -> Result<OrderView> {
    db::orders::whole(db, order).await?.ok_or(Error::NotFound("cette commande"))
}
