//! The provisional note: what guests look at before they pay. It is no ticket, says so, and is recorded, so that an order for which one was
//! handed out cannot vanish unseen.

use super::once::{self, Answered};
use super::recording::{self, NewNote};
use super::{billing, floor, printing};
use crate::db;
use crate::error::{Error, Result};
use crate::state::House;
use domain::OrderId;
use domain::api::{NoteDone, NoteRequest, OrderStatus, SessionUser};
use domain::fiscal::NoteLine;

/// Writes a provisional note of everything that was ordered. It replaces the last one of the same order. The same `uuid` again writes no second
/// one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::OrderClosed`]; [`Error::Invalid`] when nothing was ordered.
pub async fn note(house: &House, user: &SessionUser, order: OrderId, request: &NoteRequest) -> Result<Answered<NoteDone>> {
    db::again!(note_once(house, user, order, request).await)
}

async fn note_once(house: &House, user: &SessionUser, order: OrderId, request: &NoteRequest) -> Result<Answered<NoteDone>> {
    let mut tx = house.db.begin().await?;
    if let Some(answered) = once::earlier(&mut tx, request.uuid, &format!("note {order}"), user.id, request).await? {
        return Ok(answered);
    }
    let ledger = billing::ledger(&mut tx, order, true).await?;
    if ledger.head.status != OrderStatus::Open {
        return Err(Error::OrderClosed);
    }
    let lines: Vec<NoteLine> = ledger
        .lines
        .iter()
        .map(|line| NoteLine {
            name: line.name.clone(),
            qty_thousandths: u64::from(line.qty) * 1000,
            unit_price: line.unit_price,
            amount: line.total,
        })
        .collect();
    if lines.is_empty() {
        return Err(Error::invalid("order", "empty"));
    }
    if !ledger.head.bill_asked {
        db::amendments::ask_bill(&mut tx, order, true).await?;
    }
    let new = NewNote {
        order,
        order_ref: ledger.head.uuid.to_string(),
        table: &ledger.head.table,
        covers: ledger.head.covers,
        operator: &user.name,
        lines,
    };
    let record = recording::note(house, &mut tx, new).await?;
    let done = NoteDone { note_no: record.seq, text: printing::text_of(&record)? };
    once::remember(&mut tx, request.uuid, 200, &done).await?;
    tx.commit().await?;
    floor::announce(house, ledger.head.table_id, order);
    Ok(Answered::now(done))
}
