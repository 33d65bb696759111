//! The bill of an order: a ledger of shares over one order, computed from facts every time it is looked at.
//!
//! What is paid is fixed, line by line, and so is what an attempt to charge a card holds. What is left is divided equally, by covers unless the
//! table chose another number.

use crate::db;
use crate::db::attempts::Held;
use crate::db::orders::OrderHead;
use crate::db::payments::Settled;
use crate::error::{Error, Result};
use crate::state::House;
use domain::api::{Bill, BillItem, LineView, OrderStatus, ShareStatus, ShareView, SplitRequest};
use domain::attempt::AttemptState;
use domain::order::LineState;
use domain::share::{LineDue, SharePart, equal_shares, total_due};
use domain::vat::breakdown;
use domain::{Cents, OrderId};
use sqlx::PgConnection;
use std::collections::HashMap;

/// Most shares of one bill.
const MAX_SHARES: u32 = 99;

/// A share that nobody has paid yet.
pub struct OpenShare {
    /// Its number: the lowest that no other share has.
    pub number: u32,
    /// What it owns of each line.
    pub parts: Vec<SharePart>,
}

impl OpenShare {
    /// What it owes.
    #[must_use]
    pub fn amount(&self) -> Cents {
        self.parts.iter().map(|part| part.amount).sum()
    }
}

/// All that is known about the money of an order.
pub struct Ledger {
    /// The order.
    pub head: OrderHead,
    /// Its lines, without the voided ones.
    pub lines: Vec<LineView>,
    /// What is neither paid nor held of each, in the same order: this is what can be divided.
    pub due: Vec<LineDue>,
    /// Shares that are paid.
    pub settled: Vec<Settled>,
    /// Shares that an attempt to charge a card holds. They change with nothing but the end of the attempt.
    pub held: Vec<Held>,
    /// Shares that are free to be paid.
    pub open: Vec<OpenShare>,
}

impl Ledger {
    /// What is left to pay.
    #[must_use]
    pub fn remaining(&self) -> Cents {
        total_due(&self.due) + self.held.iter().map(|held| held.amount).sum()
    }

    /// What is not paid of a line, held or not.
    fn unpaid(&self, line: &LineDue) -> Cents {
        let held = self.held.iter().flat_map(|held| &held.parts).filter(|part| part.line_id == line.line_id);
        line.due + held.map(|part| part.amount).sum()
    }

    /// How many shares the bill has.
    #[must_use]
    pub fn shares(&self) -> usize {
        self.settled.len() + self.held.len() + self.open.len()
    }
}

/// Reads the ledger of an order; with `lock`, holds the order until the end of the transaction.
///
/// # Errors
/// [`Error::NotFound`] when there is no such order.
pub async fn ledger(db: &mut PgConnection, order: OrderId, lock: bool) -> Result<Ledger> {
    let head = db::orders::head(db, order, lock).await?.ok_or(Error::NotFound("cette commande"))?;
    let mut lines = db::orders::lines(&mut *db, order).await?;
    lines.retain(|line| line.state != LineState::Voided);
    let mut taken: HashMap<_, Cents> =
        db::payments::paid_by_line(&mut *db, order).await?.into_iter().map(|paid| (paid.line_id, paid.amount)).collect();
    let settled = db::payments::settled(&mut *db, order).await?;
    let held = db::attempts::holding(db, order).await?;
    for part in held.iter().flat_map(|held| &held.parts) {
        *taken.entry(part.line_id).or_default() += part.amount;
    }
    let due: Vec<LineDue> = lines
        .iter()
        .map(|line| LineDue { line_id: line.line_id, due: line.total - taken.get(&line.line_id).copied().unwrap_or_default() })
        .collect();
    let open = open_shares(&head, &due, &settled, &held);
    Ok(Ledger { head, lines, due, settled, held, open })
}

/// Divides what is due. Nobody owes nothing: there are never more shares than cents.
fn open_shares(head: &OrderHead, due: &[LineDue], settled: &[Settled], held: &[Held]) -> Vec<OpenShare> {
    let by_covers = usize::from(head.covers).saturating_sub(settled.len());
    // A chosen number counts what is not paid: each payment lowers it. What is held is among it.
    let wanted = head.unpaid_shares.map_or(by_covers, usize::from).saturating_sub(held.len());
    let cents = usize::try_from(total_due(due).0).unwrap_or(0);
    let is_free =
        |number: &u32| settled.iter().all(|share| share.share_number != *number) && held.iter().all(|share| share.share_number != *number);
    let free_numbers = (1..).filter(is_free);
    equal_shares(due, wanted.max(1).min(cents)).into_iter().zip(free_numbers).map(|(parts, number)| OpenShare { number, parts }).collect()
}

/// The bill as screens and the contract show it.
///
/// # Errors
/// [`Error::NotFound`] when there is no such order.
pub async fn bill(house: &House, order: OrderId) -> Result<Bill> {
    let mut tx = house.db.begin_with(db::SNAPSHOT).await?;
    let bill = to_bill(&ledger(&mut tx, order, false).await?);
    tx.commit().await?;
    Ok(bill)
}

fn to_bill(ledger: &Ledger) -> Bill {
    let total: Cents = ledger.lines.iter().map(|line| line.total).sum();
    let count = ledger.shares();
    let label = |number: u32| if count == 1 { "Toute l’addition".to_owned() } else { format!("Part {number}") };
    let mut shares: Vec<ShareView> = ledger
        .settled
        .iter()
        .map(|share| ShareView {
            cover_number: share.share_number,
            amount: share.amount,
            status: ShareStatus::Paid,
            label: label(share.share_number),
            payment_id: Some(share.id),
        })
        .chain(ledger.held.iter().map(|share| ShareView {
            cover_number: share.share_number,
            amount: share.amount,
            status: if share.state == AttemptState::Unknown { ShareStatus::Unknown } else { ShareStatus::Pending },
            label: label(share.share_number),
            payment_id: Some(share.id),
        }))
        .chain(ledger.open.iter().map(|share| ShareView {
            cover_number: share.number,
            amount: share.amount(),
            status: ShareStatus::Unpaid,
            label: label(share.number),
            payment_id: None,
        }))
        .collect();
    shares.sort_by_key(|share| share.cover_number);
    Bill {
        order_id: ledger.head.id,
        table_id: ledger.head.table_id,
        table: ledger.head.table.clone(),
        covers: ledger.head.covers,
        total,
        paid: total - ledger.remaining(),
        remaining: ledger.remaining(),
        items: ledger
            .lines
            .iter()
            .zip(&ledger.due)
            .map(|(line, due)| BillItem {
                line_id: line.line_id,
                name: line.name.clone(),
                qty: line.qty,
                remaining_qty: remaining_thousandths(line, ledger.unpaid(due)),
                unit_price: line.unit_price,
                total: line.total,
                vat_rate: line.vat_rate,
            })
            .collect(),
        vat: breakdown(ledger.lines.iter().map(|line| (line.vat_rate, line.total))),
        shares,
    }
}

/// The part of a line's quantity that is not paid, in thousandths. A line that costs nothing has nothing left once the rest is paid.
fn remaining_thousandths(line: &LineView, due: Cents) -> u64 {
    let thousandths = u128::from(line.qty) * 1000;
    let total = line.total.0.unsigned_abs();
    if total == 0 {
        return 0;
    }
    let left = thousandths * u128::from(due.0.unsigned_abs()) / u128::from(total);
    u64::try_from(left).unwrap_or(u64::MAX)
}

/// Divides what is not paid yet.
///
/// # Errors
/// [`Error::OrderClosed`]; [`Error::Invalid`] when there are more parts than cents, or none.
pub async fn split(house: &House, order: OrderId, how: &SplitRequest) -> Result<Bill> {
    let SplitRequest::Equal { parts } = *how;
    let mut tx = house.db.begin().await?;
    let before = ledger(&mut tx, order, true).await?;
    if before.head.status != OrderStatus::Open {
        return Err(Error::OrderClosed);
    }
    if parts == 0 || parts > MAX_SHARES {
        return Err(Error::invalid("parts", "out_of_range"));
    }
    if i64::from(parts) > total_due(&before.due).0 {
        return Err(Error::invalid("parts", "more_parts_than_cents"));
    }
    // What attempts hold is not divided, and counts as not paid.
    let parts = u16::try_from(parts as usize + before.held.len()).map_err(Error::internal)?;
    db::orders::set_unpaid_shares(&mut tx, order, parts).await?;
    let after = ledger(&mut tx, order, false).await?;
    tx.commit().await?;
    Ok(to_bill(&after))
}
