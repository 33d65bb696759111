//! The bill of an order: a ledger of shares over one order, computed from facts every time it is looked at.
//!
//! What is paid is fixed, line by line, and so is what an attempt to charge a card holds. What is left is divided as the table chose:
//! the rules are [`domain::share`], which the browser asks too.

use crate::db;
use crate::db::attempts::Held;
use crate::db::bills::Note;
use crate::db::orders::OrderHead;
use crate::db::payments::{Settled, Shown};
use crate::error::{Error, Result};
use crate::services::floor;
use crate::state::House;
use domain::api::{Bill, BillItem, Division, LineView, OrderStatus, ShareItem, SharePayment, ShareStatus, ShareView, SplitRequest};
use domain::attempt::AttemptState;
use domain::order::LineState;
use domain::share::{Line, LineDue, OpenShare, Plan, SharePart, SplitError, Taken, Units, total_due};
use domain::vat::breakdown;
use domain::{Cents, OrderId, PaymentId};
use sqlx::PgConnection;
use std::collections::HashMap;

/// All that is known about the money of an order.
pub struct Ledger {
    /// The order.
    pub head: OrderHead,
    /// Its lines, without the voided ones.
    pub lines: Vec<LineView>,
    /// Shares that are paid.
    pub settled: Vec<Settled>,
    /// Shares that an attempt to charge a card holds. They change with nothing but the end of the attempt.
    pub held: Vec<Held>,
    /// Its provisional notes, oldest first.
    pub notes: Vec<Note>,
    /// What is neither paid nor held of each line, in the same order: this is what can be divided.
    pub due: Vec<LineDue>,
    /// Shares that are free to be paid.
    pub open: Vec<OpenShare>,
    /// The same as the rules see it.
    pub rules: domain::share::Ledger,
}

impl Ledger {
    /// A bill as it was read.
    #[must_use]
    pub fn new(bill: db::bills::Bill) -> Self {
        let db::bills::Bill { head, mut lines, settled, held, notes } = bill;
        lines.retain(|line| line.state != LineState::Voided);
        let taken_by = |number, parts: &[SharePart], paid| Taken { number, parts: parts.to_vec(), paid };
        let rules = domain::share::Ledger {
            lines: lines.iter().map(|line| Line { line_id: line.line_id, units: Units::whole(line.qty), total: line.total }).collect(),
            taken: (settled.iter().map(|share| taken_by(share.share_number, &share.parts, true)))
                .chain(held.iter().map(|share| taken_by(share.share_number, &share.parts, false)))
                .collect(),
            plan: head.plan.clone(),
        };
        let (due, open) = (rules.due(), rules.open());
        Self { head, lines, settled, held, notes, due, open, rules }
    }

    /// Follows another plan, which the caller stores.
    pub fn follow(&mut self, plan: Plan) {
        self.rules.plan = plan;
        self.open = self.rules.open();
    }

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
    if lock {
        db::bills::lock(db, order).await?;
    }
    read(db, order).await
}

/// The same, of an order that the caller has locked, or need not.
///
/// # Errors
/// [`Error::NotFound`] when there is no such order.
pub(super) async fn read(db: &mut PgConnection, order: OrderId) -> Result<Ledger> {
    db::bills::read(db, order).await?.map(Ledger::new).ok_or(Error::NotFound("cette commande"))
}

/// Keeps the plan that follows from a line that costs less than it did. The order must be locked by this transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn keep_after_reduction(db: &mut PgConnection, order: OrderId) -> Result<Ledger> {
    let mut after = ledger(db, order, false).await?;
    let plan = after.rules.after_reduction();
    if plan != after.rules.plan {
        db::orders::set_plan(db, order, &plan).await?;
        after.follow(plan);
    }
    Ok(after)
}

/// The bill as screens and the contract show it.
///
/// # Errors
/// [`Error::NotFound`] when there is no such order.
pub async fn bill(house: &House, order: OrderId) -> Result<Bill> {
    let mut tx = house.db.begin_with(db::SNAPSHOT).await?;
    let ledger = ledger(&mut tx, order, false).await?;
    let bill = shown(&mut tx, &ledger).await?;
    tx.commit().await?;
    Ok(bill)
}

/// A ledger, with what became of its payments since.
async fn shown(db: &mut PgConnection, ledger: &Ledger) -> Result<Bill> {
    let payments = if ledger.settled.is_empty() { HashMap::new() } else { db::payments::shown(db, ledger.head.id).await? };
    Ok(to_bill(ledger, &payments))
}

fn to_bill(ledger: &Ledger, payments: &HashMap<PaymentId, Shown>) -> Bill {
    let total: Cents = ledger.lines.iter().map(|line| line.total).sum();
    Bill {
        order_id: ledger.head.id,
        table_id: ledger.head.table_id,
        table: ledger.head.table.clone(),
        covers: ledger.head.covers,
        total,
        discount: ledger.lines.iter().map(|line| line.discount).sum(),
        paid: total - ledger.remaining(),
        remaining: ledger.remaining(),
        items: items(ledger),
        vat: breakdown(ledger.lines.iter().map(|line| (line.vat_rate, line.total))),
        shares: shares(ledger, payments),
        division: match &ledger.rules.plan {
            plan if plan.by_choice => Division::Chosen,
            plan if plan.equal.is_some() => Division::Equal,
            _ => Division::Covers,
        },
        closed: ledger.head.status != OrderStatus::Open,
    }
}

fn items(ledger: &Ledger) -> Vec<BillItem> {
    let left = ledger.rules.left();
    (ledger.lines.iter().zip(&ledger.due).zip(left))
        .map(|((line, due), left)| BillItem {
            line_id: line.line_id,
            name: line.name.clone(),
            qty: line.qty,
            remaining_qty: remaining_thousandths(line, ledger.unpaid(due)),
            unit_price: line.unit_price,
            total: line.total,
            discount: line.discount,
            vat_rate: line.vat_rate,
            due: due.due,
            unclaimed: left.unclaimed,
        })
        .collect()
}

fn shares(ledger: &Ledger, payments: &HashMap<PaymentId, Shown>) -> Vec<ShareView> {
    let count = ledger.shares();
    let view = |number: u32, amount: Cents, status: ShareStatus, payment_id: Option<PaymentId>, parts: &[SharePart], is_rest: bool| {
        let label = match (count, is_rest) {
            (1, _) => "Toute l’addition".to_owned(),
            (_, true) => "Reste".to_owned(),
            (_, false) => format!("Part {number}"),
        };
        let claims = ledger.rules.plan.chosen.iter().filter(|chosen| chosen.number == number).flat_map(|chosen| &chosen.claims);
        let paid_of = |line_id| parts.iter().filter(|part| part.line_id == line_id).map(|part| part.amount).sum();
        let items = claims.map(|claim| ShareItem { line_id: claim.line_id, qty: claim.units, amount: paid_of(claim.line_id) }).collect();
        let payment = payment_id.and_then(|id| payments.get(&id)).map(|shown| SharePayment {
            method: shown.method,
            ticket_no: shown.ticket_no,
            tip: shown.tip,
            refunded: shown.refunded,
        });
        ShareView { cover_number: number, amount, status, label, payment_id, items, payment }
    };
    let settled =
        ledger.settled.iter().map(|share| view(share.share_number, share.amount, ShareStatus::Paid, Some(share.id), &share.parts, false));
    let held = ledger.held.iter().map(|share| {
        let status = if share.state == AttemptState::Unknown { ShareStatus::Unknown } else { ShareStatus::Pending };
        view(share.share_number, share.amount, status, Some(share.id), &share.parts, false)
    });
    let open = ledger.open.iter().map(|share| view(share.number, share.amount(), ShareStatus::Unpaid, None, &share.parts, share.is_rest));
    let mut shares: Vec<ShareView> = settled.chain(held).chain(open).collect();
    shares.sort_by_key(|share| share.cover_number);
    shares
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
/// [`Error::OrderClosed`]; [`Error::DoesNotAddUp`]; [`Error::Invalid`] for shares that nobody could pay.
pub async fn split(house: &House, order: OrderId, how: &SplitRequest) -> Result<Bill> {
    db::again!(split_once(house, order, how).await)
}

async fn split_once(house: &House, order: OrderId, how: &SplitRequest) -> Result<Bill> {
    let mut tx = house.db.begin().await?;
    let mut ledger = ledger(&mut tx, order, true).await?;
    if ledger.head.status != OrderStatus::Open {
        return Err(Error::OrderClosed);
    }
    let plan = ledger.rules.divide(&how.0).map_err(|error| refused(error, &ledger))?;
    db::orders::set_plan(&mut tx, order, &plan).await?;
    ledger.follow(plan);
    let bill = shown(&mut tx, &ledger).await?;
    tx.commit().await?;
    floor::announce(house, bill.table_id, order);
    Ok(bill)
}

fn refused(error: SplitError, ledger: &Ledger) -> Error {
    match error {
        SplitError::Count => Error::invalid("parts", "out_of_range"),
        SplitError::MoreSharesThanCents => Error::invalid("parts", "more_parts_than_cents"),
        SplitError::ZeroShare(_) => Error::invalid("shares", "zero_share"),
        SplitError::UnknownLine(_) => Error::invalid("shares", "unknown_line"),
        SplitError::DoesNotAddUp { line_id, divided, left } => {
            let line = line_id.and_then(|id| ledger.lines.iter().find(|line| line.line_id == id)).map(|line| line.name.clone());
            Error::DoesNotAddUp { line_id, line, divided, left }
        }
    }
}
