//! Scenario 2: a share is settled.
//!
//! Cash, meal vouchers and cheques ask the database twice. Nearly always nobody else touches the bill or the journal meanwhile: read both without a
//! lock → find the share → is it still what the screen showed? → sign the ticket → store, in one statement that is a transaction of its own, ticket,
//! payment, what it owns, what becomes of the order, and the answer, *if both are as they were read*. Where they are not, or anything else is unusual
//! (an id that was used, shares joined or parted, a new day), nothing was stored, and it goes the long way, under locks: take the request's id and hold the
//! order → read the bill → find the share → lock the journal → sign → store → commit. Either way the screens are told after that. A card takes longer
//! than a transaction may: its story is [`super::charging`], and ends in the same `settle`.
//!
//! The long way holds the order's row from the first look to the commit, the short one compares under that lock: of two cashiers on one share the
//! second finds it paid, or held. Plain row locks suffice; whatever they would miss, the unique indexes on (order, share) refuse.

use super::billing::{self, Ledger};
use super::once::{self, Answered};
use super::recording::{self, NewTicket};
use super::{charging, floor, journal, printing};
use crate::db;
use crate::db::payments::{NewPayment, Seen, Then};
use crate::error::{Error, Result};
use crate::state::{House, REGISTER, Shared, Turn};
use domain::api::{LineView, Method, OrderStatus, PaidStatus, PaymentDone, PaymentRequest, SessionUser, TR_DAILY_LIMIT};
use domain::attempt::AttemptState;
use domain::fiscal::{Discount, Record, SharePart as ShareOf, TicketLine, TicketPayment};
use domain::order::FieldError;
use domain::share::{OpenShare, Plan, SharePart};
use domain::{Cents, LineId, PaymentId, TableId, UserId};
use sqlx::PgConnection;
use std::sync::atomic::Ordering;
use time::Date;
use uuid::Uuid;

/// Settles a share. The same `uuid` again charges nothing and returns the first answer.
///
/// # Errors
/// [`Error::AlreadyPaid`], [`Error::PaymentInProgress`], [`Error::AmountMismatch`], [`Error::OrderClosed`], [`Error::Invalid`]; for a card
/// those of [`charging::charge`] too.
pub async fn pay(house: &Shared, user: &SessionUser, request: &PaymentRequest) -> Result<Answered<PaymentDone>> {
    match request.method {
        Method::Cb => charging::charge(house, user, request).await,
        Method::Especes | Method::Tr | Method::Cheque => db::again!(pay_at_hand(house, user, request).await),
    }
}

async fn pay_at_hand(house: &House, user: &SessionUser, request: &PaymentRequest) -> Result<Answered<PaymentDone>> {
    let handed = handed_over(request)?;
    let (done, table) = match pay_if_unchanged(house, user, request, &handed).await? {
        Some(paid) => paid,
        None => {
            let mut tx = house.db.begin().await?;
            let (earlier, number) = once::take_up(&mut tx, user.id, request).await?;
            if let Some(answered) = earlier.at_once()? {
                return Ok(answered);
            }
            let mut ledger = billing::read(&mut tx, request.order_id).await.map_err(order_in_body)?;
            let share = take_share(&mut tx, &mut ledger, request).await?;
            let (done, turn) = settle(house, &mut tx, &ledger, handed.sale(number, user, request, &share)).await?;
            tx.commit().await?;
            drop(turn);
            (done, ledger.head.table_id)
        }
    };
    if request.method == Method::Especes {
        printing::open_drawer(house);
    }
    floor::announce(house, table, request.order_id);
    Ok(Answered::now(done))
}

/// The short way; `None` when nothing was stored and the long one is to be gone.
async fn pay_if_unchanged(
    house: &House,
    user: &SessionUser,
    request: &PaymentRequest,
    handed: &Handed,
) -> Result<Option<(PaymentDone, TableId)>> {
    if !request.also.is_empty() || request.part.is_some() || once::may_be_forgotten(request.uuid) {
        return Ok(None);
    }
    let digest = once::digest("payments", user.id, request)?;
    let paid = house.till.lend(async |db| {
        // Nobody of this process writes to the journal between the two. Waited for with a connection in hand: others wait for their turn while they
        // hold one of the pool.
        let _turn = house.journal.turn().await;
        let seen =
            db::bills::glance(db, request.order_id, request.uuid, (REGISTER, house.ticket_chain(), house.training), &house.zone).await?;
        let Some(seen) = seen.filter(|seen| !seen.is_known) else { return Ok(None) };
        let Some(service_day) = journal::plain_day(&seen.journal, seen.newest) else { return Ok(None) };
        let mut ledger = Ledger::new(seen.bill);
        // What is refused is refused under the lock.
        let Ok(share) = find_share(&mut ledger, request) else { return Ok(None) };
        let mut settling = Settling::of(house, &ledger, handed.sale(seen.payment, user, request, &share));
        let record = recording::sign_sale(house, settling.ticket(), &seen.journal)?;
        let seen = Seen { mark: &seen.mark, last: seen.last, digest: &digest };
        let done = settling.store(db, &record, service_day, Some(seen)).await?;
        Ok(done.map(|done| (done, ledger.head.table_id)))
    });
    match paid.await {
        Ok(Some(paid)) => {
            house.paid_unchanged.fetch_add(1, Ordering::Relaxed);
            Ok(Some(paid))
        }
        Err(error) if error.is_held_by_another() || error.lost_a_race() => Ok(None),
        // So many pay at this moment that no turn came: nothing was asked yet, and the pool has more connections.
        Err(Error::DatabaseDown(sqlx::Error::PoolTimedOut)) => Ok(None),
        other => other,
    }
}

/// What a guest put on the table.
struct Handed {
    tendered: Option<Cents>,
    change: Cents,
    /// What meal vouchers are worth beyond what they settle.
    excess: Cents,
    tip: Cents,
    warnings: Vec<String>,
}

impl Handed {
    /// The money as it is booked for a share.
    fn sale<'a>(&self, number: PaymentId, user: &'a SessionUser, request: &PaymentRequest, share: &'a OpenShare) -> Sale<'a> {
        let amount = share.amount();
        Sale {
            number,
            key: request.uuid,
            share_number: share.number,
            owed: amount,
            meant: request.amount,
            parts: &share.parts,
            payment: TicketPayment {
                tendered: self.tendered,
                change: self.change,
                excess: self.excess,
                ..TicketPayment::of(request.method, amount)
            },
            tip: self.tip,
            user: (user.id, &user.name),
            warnings: self.warnings.clone(),
        }
    }
}

/// Checks what was handed over. Only cash gives change; what a meal voucher is worth beyond what it settles is not given back.
fn handed_over(request: &PaymentRequest) -> Result<Handed> {
    let mut errors = Vec::new();
    if request.amount <= Cents::ZERO {
        errors.push(FieldError::new("amount", "not_positive"));
    }
    if request.part.is_some_and(|part| part <= Cents::ZERO || part > request.amount) {
        errors.push(FieldError::new("part", "out_of_range"));
    }
    if request.approval_code.is_some() {
        errors.push(FieldError::new("approval_code", "not_expected"));
    }
    let tip = request.tip.unwrap_or_default();
    if tip.is_negative() || (tip > Cents::ZERO && request.method == Method::Tr) {
        errors.push(FieldError::new("tip", "not_expected"));
    }
    let paid = request.part.unwrap_or(request.amount);
    let mut handed = Handed { tendered: request.tendered, change: Cents::ZERO, excess: Cents::ZERO, tip, warnings: Vec::new() };
    match request.method {
        Method::Especes => {
            let tendered = request.tendered.unwrap_or(paid + tip);
            handed.tendered = Some(tendered);
            handed.change = tendered - paid - tip;
        }
        Method::Tr => {
            handed.excess = request.tendered.map_or(Cents::ZERO, |worth| worth - paid);
            if paid > TR_DAILY_LIMIT {
                handed.warnings.push("tr_over_daily_limit".to_owned());
            }
        }
        Method::Cheque if request.tendered.is_some() => errors.push(FieldError::new("tendered", "no_change_given")),
        Method::Cheque | Method::Cb => {}
    }
    let needed = if request.method == Method::Especes { paid + tip } else { paid };
    if handed.tendered.is_some_and(|tendered| tendered < needed) {
        errors.push(FieldError::new("tendered", "less_than_due"));
    }
    if errors.is_empty() { Ok(handed) } else { Err(Error::Invalid(errors)) }
}

/// The order is named in the body, not in the path: an unknown one is an invalid body.
pub(super) fn order_in_body(error: Error) -> Error {
    match error {
        Error::NotFound(_) => Error::invalid("order_id", "unknown_order"),
        other => other,
    }
}

/// The share that a request means, if it is free and owes what the screen showed: what is paid at once was joined to it, and what is not paid
/// now was taken out of it. The order must be locked by this transaction.
///
/// # Errors
/// [`Error::AlreadyPaid`], [`Error::PaymentInProgress`], [`Error::AmountMismatch`], [`Error::OrderClosed`], [`Error::Invalid`].
pub(super) async fn take_share(db: &mut PgConnection, ledger: &mut Ledger, request: &PaymentRequest) -> Result<OpenShare> {
    let share = find_share(ledger, request)?;
    if ledger.rules.plan != ledger.head.plan {
        db::orders::set_plan(db, ledger.head.id, &ledger.rules.plan).await?;
    }
    Ok(share)
}

/// The same in a ledger, whose plan it may change.
fn find_share(ledger: &mut Ledger, request: &PaymentRequest) -> Result<OpenShare> {
    let numbers: Vec<u32> = [request.cover_number].into_iter().chain(request.also.iter().copied()).collect();
    for number in &numbers {
        if ledger.settled.iter().any(|share| share.share_number == *number) {
            return Err(Error::AlreadyPaid);
        }
        if let Some(held) = ledger.held.iter().find(|share| share.share_number == *number) {
            return Err(Error::PaymentInProgress { payment_id: Some(held.id), unknown: held.state == AttemptState::Unknown });
        }
    }
    if ledger.head.status != OrderStatus::Open {
        return Err(Error::OrderClosed);
    }
    if !request.also.is_empty() {
        let joined = ledger.rules.join(&numbers).ok_or_else(|| Error::invalid("also", "unknown_share"))?;
        ledger.follow(joined);
    }
    let expected = open_share(ledger, request.cover_number)?.amount();
    if expected != request.amount {
        return Err(Error::AmountMismatch { expected });
    }
    if let Some(part) = request.part.filter(|part| *part != request.amount) {
        let parted = ledger.rules.part(request.cover_number, part).ok_or_else(|| Error::invalid("part", "out_of_range"))?;
        ledger.follow(parted);
    }
    open_share(ledger, request.cover_number).cloned()
}

fn open_share(ledger: &Ledger, number: u32) -> Result<&OpenShare> {
    ledger.open.iter().find(|share| share.number == number).ok_or_else(|| Error::invalid("cover_number", "unknown_share"))
}

/// Money that was taken for a share.
pub(super) struct Sale<'a> {
    /// The number of the payment: that of the attempt that was approved, for a card.
    pub number: PaymentId,
    /// The id of the request.
    pub key: Option<Uuid>,
    /// Which share.
    pub share_number: u32,
    /// What it owed.
    pub owed: Cents,
    /// What the screen showed as owed, of which this may be a part.
    pub meant: Cents,
    /// What the money settles of each line; comes to its amount.
    pub parts: &'a [SharePart],
    /// The money.
    pub payment: TicketPayment,
    /// Given beside it: outside the sale.
    pub tip: Cents,
    /// Who took it.
    pub user: (UserId, &'a str),
    /// What the cashier is told besides.
    pub warnings: Vec<String>,
}

/// Writes the ticket and the payment, and the answer to the request. The order must be locked by this transaction, and `ledger` read under that
/// lock; the journal is locked from here to the commit, and what comes back is dropped after that.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn settle(house: &House, tx: &mut PgConnection, ledger: &Ledger, sale: Sale<'_>) -> Result<(PaymentDone, Turn)> {
    let mut settling = Settling::of(house, ledger, sale);
    let new = settling.ticket();
    let turn = house.journal.turn().await;
    let (record, service_day) = recording::signed_sale(house, tx, new).await?;
    let done = settling.store(tx, &record, service_day, None).await?;
    Ok((done.ok_or_else(|| Error::internal("nothing was compared"))?, turn))
}

/// A share about to be settled, and what follows from that.
struct Settling<'a> {
    ledger: &'a Ledger,
    sale: Sale<'a>,
    /// Provisional notes of the order, for its ticket.
    notes: Vec<i64>,
    /// What the ticket says was taken off each line.
    discounts: Vec<SharePart>,
    /// How what is left is divided.
    plan: Plan,
    /// What is left to pay.
    remaining: Cents,
    /// How many shares the bill has, and how many of them are not paid.
    shares: usize,
    left: usize,
}

impl<'a> Settling<'a> {
    fn of(house: &House, ledger: &'a Ledger, sale: Sale<'a>) -> Self {
        let paid = sale.payment.amount;
        // The rest of a share that a terminal took less for is a share.
        let rest = usize::from(paid < sale.owed);
        Self {
            notes: ledger.notes.iter().filter(|note| note.training == house.training).map(|note| note.note_no).collect(),
            discounts: discounts_of(ledger, &sale),
            plan: ledger.rules.settled(sale.share_number, (rest > 0).then(|| rest_of(ledger, &sale))),
            remaining: ledger.remaining() - paid,
            shares: ledger.shares() + rest,
            left: ledger.held.len() + ledger.open.len() - 1 + rest,
            ledger,
            sale,
        }
    }

    /// The ticket, once.
    fn ticket(&mut self) -> NewTicket<'a> {
        ticket(self.ledger, &self.sale, &self.discounts, self.shares, std::mem::take(&mut self.notes))
    }

    /// Stores all of it, and the record of the ticket with it; `None` when what was seen is no longer so.
    async fn store(self, db: &mut PgConnection, record: &Record, service_day: Date, seen: Option<Seen<'_>>) -> Result<Option<PaymentDone>> {
        let Self { ledger, sale, discounts, plan, remaining, shares, left, .. } = self;
        let payment = &sale.payment;
        let is_partial = payment.amount < sale.owed || sale.owed < sale.meant;
        let done = PaymentDone {
            payment_id: sale.number,
            status: match remaining {
                Cents::ZERO => PaidStatus::OrderComplete,
                _ if is_partial => PaidStatus::Partial,
                _ => PaidStatus::Paid,
            },
            remaining: format!("{left}/{shares}"),
            remaining_amount: remaining,
            change: payment.change,
            ticket_no: record.seq,
            amount_booked: is_partial.then_some(payment.amount),
            warnings: sale.warnings,
        };
        let order = ledger.head.id;
        let new = NewPayment {
            id: sale.number,
            order,
            share_number: sale.share_number,
            method: payment.method,
            amount: payment.amount,
            tendered: payment.tendered,
            change: payment.change,
            tip: sale.tip,
            user: sale.user.0,
            record,
            service_day,
            parts: sale.parts,
            discounts: &discounts,
            then: match remaining {
                Cents::ZERO => Then::Complete,
                _ if plan != ledger.rules.plan => Then::Divided(&plan),
                _ => Then::Stays,
            },
            answer: sale.key.map(|key| Ok::<_, Error>((key, serde_json::to_string(&done)?))).transpose()?,
            seen,
        };
        if db::payments::insert(db, &new).await?.is_none() {
            return Ok(None);
        }
        tracing::info!(
            order = order.get(),
            payment = sale.number.get(),
            ticket = record.seq,
            method = payment.method.as_str(),
            "share settled"
        );
        Ok(Some(done))
    }
}

/// What the held share still owes of each line.
fn rest_of(ledger: &Ledger, sale: &Sale<'_>) -> Vec<SharePart> {
    let held = ledger.held.iter().find(|held| held.share_number == sale.share_number);
    let taken = |line_id| sale.parts.iter().filter(|part| part.line_id == line_id).map(|part| part.amount).sum::<Cents>();
    held.map_or(&[][..], |held| &held.parts)
        .iter()
        .map(|part| SharePart { line_id: part.line_id, amount: part.amount - taken(part.line_id) })
        .collect()
}

/// Everything that the ticket says, copied: later changes of menu, house or people change nothing on it.
fn ticket<'t>(ledger: &'t Ledger, sale: &Sale<'t>, discounts: &[SharePart], count: usize, notes: Vec<i64>) -> NewTicket<'t> {
    // What is on the house is on the ticket of whoever pays last.
    let is_last = ledger.remaining() == sale.payment.amount;
    let lines: Vec<TicketLine> = ledger
        .lines
        .iter()
        .filter_map(|line| {
            // A line that was added while a card was charged is not in the share.
            let part = amount_of(sale.parts, line.line_id);
            let amount = part.unwrap_or_default();
            if is_last && amount == Cents::ZERO && unsaid(ledger, line) > Cents::ZERO {
                return Some(given_away(ledger, line));
            }
            // What costs nothing is on the ticket of whoever pays everything.
            let belongs = amount > Cents::ZERO || (part.is_some() && count == 1);
            let discount = amount_of(discounts, line.line_id).and_then(|off| said(line, off));
            belongs.then(|| TicketLine { discount, ..ticket_line(line, amount) })
        })
        .collect();
    NewTicket {
        table: &ledger.head.table,
        covers: ledger.head.covers,
        share: (count > 1).then(|| ShareOf { number: sale.share_number, of: u32::try_from(count).unwrap_or(u32::MAX) }),
        operator: sale.user.1,
        order_ref: ledger.head.uuid.to_string(),
        lines,
        payments: vec![TicketPayment { tip: sale.tip, ..sale.payment.clone() }],
        notes,
    }
}

fn amount_of(parts: &[SharePart], line: LineId) -> Option<Cents> {
    parts.iter().find(|part| part.line_id == line).map(|part| part.amount)
}

/// What of a line's discount no ticket says yet.
fn unsaid(ledger: &Ledger, line: &LineView) -> Cents {
    let said: Cents = ledger.settled.iter().filter_map(|share| amount_of(&share.discounts, line.line_id)).sum();
    Cents((line.discount - said).0.max(0))
}

/// What the ticket of a share says was taken off each of its lines: of what no ticket says yet, as much as the share pays of what is not paid. Once
/// all shares of a line are settled, their tickets say its discount, to the cent.
fn discounts_of(ledger: &Ledger, sale: &Sale<'_>) -> Vec<SharePart> {
    let off = |part: &SharePart| {
        let line = ledger.lines.iter().find(|line| line.line_id == part.line_id)?;
        let paid: Cents = ledger.settled.iter().filter_map(|share| amount_of(&share.parts, line.line_id)).sum();
        let (unsaid, unpaid) = (unsaid(ledger, line), line.total - paid);
        let exact = i128::from(unsaid.0) * i128::from(part.amount.0);
        let amount = exact.checked_div(i128::from(unpaid.0)).and_then(|cents| i64::try_from(cents).ok()).map_or(unsaid, Cents);
        // What is left over by rounding down is said by whoever pays the last part.
        (amount > Cents::ZERO).then_some(SharePart { line_id: part.line_id, amount: amount.min(unsaid) })
    };
    sale.parts.iter().filter(|part| part.amount > Cents::ZERO).filter_map(off).collect()
}

/// A discount as a ticket says it.
fn said(line: &LineView, off: Cents) -> Option<Discount> {
    (off > Cents::ZERO).then(|| Discount {
        amount: off,
        percent: None,
        reason: line.discount_reason.clone().unwrap_or_default(),
        by: line.discount_by.clone().unwrap_or_default(),
    })
}

/// Writes the ticket over nothing: what was wholly taken off the bill, or would be on no ticket. A sale for nothing is a sale: it has a number, is
/// signed, and says what was given away, by whom and why. `None` when everything is on a ticket. The order must be locked by this transaction,
/// and nothing left to pay.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn over_nothing(house: &House, tx: &mut PgConnection, ledger: &Ledger, operator: &str) -> Result<Option<Record>> {
    let lines: Vec<TicketLine> = ledger
        .lines
        .iter()
        .filter(|line| ledger.settled.is_empty() || unsaid(ledger, line) > Cents::ZERO)
        .map(|line| given_away(ledger, line))
        .collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let notes = recording::notes_of(house, tx, ledger.head.id).await?;
    let new = NewTicket {
        table: &ledger.head.table,
        covers: ledger.head.covers,
        share: None,
        operator,
        order_ref: ledger.head.uuid.to_string(),
        lines,
        payments: Vec::new(),
        notes,
    };
    Ok(Some(recording::sale(house, tx, new).await?))
}

/// A line, or the rest of one, that was taken off the bill and is on no ticket yet: it costs nothing. As many as what was taken off is worth; all
/// of it when nobody paid anything of it.
fn given_away(ledger: &Ledger, line: &LineView) -> TicketLine {
    let off = unsaid(ledger, line);
    let (all, price) = (u128::from(line.qty) * 1000, u128::from((line.total + line.discount).0.unsigned_abs()));
    let doubled = 2 * all * u128::from(off.0.unsigned_abs());
    let thousandths = if line.total == Cents::ZERO { all } else { doubled.checked_div(price).map_or(all, |parts| parts.div_ceil(2)) };
    let qty_thousandths = u64::try_from(thousandths).unwrap_or(u64::MAX).max(1);
    TicketLine { discount: said(line, off), qty_thousandths, ..ticket_line(line, Cents::ZERO) }
}

/// A part of a line on a ticket: as many of it as the amount is of what the line costs. Negative on a counter-entry.
pub(super) fn ticket_line(line: &LineView, amount: Cents) -> TicketLine {
    let (all, total) = (u128::from(line.qty) * 1000, u128::from(line.total.0.unsigned_abs()));
    let doubled = 2 * all * u128::from(amount.0.unsigned_abs());
    // What costs nothing is there as a whole.
    let thousandths = doubled.checked_div(total).map_or(all, |parts| parts.div_ceil(2));
    TicketLine {
        name: line.name.clone(),
        qty_thousandths: u64::try_from(thousandths).unwrap_or(u64::MAX).max(1),
        unit_price: line.unit_price,
        amount,
        rate: line.vat_rate,
        discount: None,
    }
}
