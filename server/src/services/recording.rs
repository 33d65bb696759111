//! One function per kind of record: what the other services call when something must be in the journal.
//!
//! Each locks the journal for the rest of the caller's transaction, so it comes last in it; several in one transaction are fine. Number, time,
//! service day, identity and software are put in here, under that lock; the caller says what happened.

use super::journal;
use crate::db;
use crate::error::{Error, Result};
use crate::state::{House, REGISTER, software};
use domain::api::Method;
use domain::fiscal::{
    CONTENT_VERSION, Chain, Correction, Draft, EventCode, EventContent, Fact, MoneyContent, MoneyKind, NoteContent, NoteLine, PrintContent,
    PrintMeans, Record, RecordKind, SharePart, TicketContent, TicketLine, TicketPayment, VatCents, local_timestamp,
};
use domain::service_day::service_day;
use domain::{Cents, OrderId, VatRate};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use time::Date;

/// A ticket about to be recorded. What it comes to is the sum of its lines.
pub struct NewTicket<'a> {
    /// The table.
    pub table: &'a str,
    /// How many guests.
    pub covers: u16,
    /// The share that it settles; none: everything.
    pub share: Option<SharePart>,
    /// Who takes the money.
    pub operator: &'a str,
    /// The order, by the uuid that its creator chose.
    pub order_ref: String,
    /// What is sold; of a counter-entry, what is given back, with negative amounts.
    pub lines: Vec<TicketLine>,
    /// How it is paid; comes to the sum of the lines.
    pub payments: Vec<TicketPayment>,
    /// Provisional notes of the order, see [`notes_of`].
    pub notes: Vec<i64>,
}

/// Records a sale.
///
/// # Errors
/// When payments and lines do not come to the same, which is a fault of ours; when the database does not answer.
pub async fn sale(house: &House, db: &mut PgConnection, new: NewTicket<'_>) -> Result<Record> {
    ticket(house, db, new, None).await
}

/// A sale, signed and not appended: the caller appends it in the statement that stores what it records. The journal is locked from here on.
///
/// # Errors
/// As [`sale`].
pub(super) async fn signed_sale(house: &House, db: &mut PgConnection, new: NewTicket<'_>) -> Result<(Record, Date)> {
    let (locked, day) = journal::begin(house, db, house.ticket_chain()).await?;
    Ok((sign_sale(house, new, &locked)?, day))
}

/// Signs a sale that is to follow what was read of the journal.
///
/// # Errors
/// When payments and lines do not come to the same, which is a fault of ours.
pub(super) fn sign_sale(house: &House, new: NewTicket<'_>, locked: &db::journal::Locked) -> Result<Record> {
    let content = ticket_content(house, new, None, locked)?;
    let draft = Draft::of(&content, locked.local, locked.utc).map_err(Error::internal)?;
    journal::sign(house, draft, &locked.head)
}

/// Records a counter-entry to a ticket. It belongs to today, whatever day the ticket is of.
///
/// # Errors
/// [`Error::NotFound`] when there is no such sale; [`Error::Invalid`] `more_than_sold` when more would be given back than is left of it, at any
/// rate; as [`sale`].
pub async fn refund(house: &House, db: &mut PgConnection, ticket_no: i64, reason: &str, new: NewTicket<'_>) -> Result<Record> {
    // Before anything is compared: two counter-entries to one ticket meet here.
    journal::lock(house, db, house.ticket_chain()).await?;
    let original = db::journal::by_number(&mut *db, REGISTER, house.ticket_chain(), ticket_no)
        .await?
        .filter(|record| record.kind == RecordKind::Sale)
        .ok_or(Error::NotFound("ce ticket"))?;
    let mut left = BTreeMap::<VatRate, Cents>::new();
    let corrections = db::papers::corrections(&mut *db, REGISTER, house.ticket_chain(), ticket_no).await?;
    for text in [&original.content_text].into_iter().chain(&corrections) {
        for (rate, gross) in serde_json::from_str::<TicketContent>(text)?.vat_by_rate() {
            *left.entry(rate).or_default() += gross;
        }
    }
    for line in &new.lines {
        *left.entry(line.rate).or_default() += line.amount;
    }
    if new.lines.iter().any(|line| line.amount > Cents::ZERO) || left.values().any(|left| *left < Cents::ZERO) {
        return Err(Error::invalid("amount", "more_than_sold"));
    }
    let record = ticket(house, db, new, Some(Correction { ticket_no, reason: reason.to_owned() })).await?;
    db::papers::add_correction(db, &record, ticket_no).await?;
    Ok(record)
}

async fn ticket(house: &House, db: &mut PgConnection, new: NewTicket<'_>, corrects: Option<Correction>) -> Result<Record> {
    let (locked, day) = journal::begin(house, db, house.ticket_chain()).await?;
    let content = ticket_content(house, new, corrects, &locked)?;
    write(house, db, &content, &locked, day).await
}

fn ticket_content(house: &House, new: NewTicket<'_>, corrects: Option<Correction>, locked: &db::journal::Locked) -> Result<TicketContent> {
    let content = TicketContent {
        version: CONTENT_VERSION,
        identity: house.identity.clone(),
        software: software(),
        ticket_no: locked.head.last_seq + 1,
        register: REGISTER.to_owned(),
        table: new.table.to_owned(),
        covers: new.covers,
        share: new.share,
        operator: new.operator.to_owned(),
        order_ref: new.order_ref,
        issued_at_local: local_timestamp(locked.local),
        vat: VatCents::breakdown(new.lines.iter().map(|line| (line.rate, line.amount))),
        total: new.lines.iter().map(|line| line.amount).sum(),
        lines: new.lines,
        payments: new.payments,
        training: house.training,
        corrects,
        notes: new.notes,
        responsible: None,
    };
    if content.adds_up() { Ok(content) } else { Err(Error::internal(format!("ticket {} does not add up", content.ticket_no))) }
}

/// The provisional notes of an order, for its tickets.
///
/// # Errors
/// When the database does not answer.
pub async fn notes_of(house: &House, db: &mut PgConnection, order: OrderId) -> Result<Vec<i64>> {
    db::papers::notes_of(db, order, house.training).await
}

/// A provisional note about to be recorded.
pub struct NewNote<'a> {
    /// The order.
    pub order: OrderId,
    /// The same, by the uuid that its creator chose.
    pub order_ref: String,
    /// The table.
    pub table: &'a str,
    /// How many guests.
    pub covers: u16,
    /// Who asked for it.
    pub operator: &'a str,
    /// What is owed for.
    pub lines: Vec<NoteLine>,
}

/// Records a provisional note. It replaces the last one of the same order.
///
/// # Errors
/// When the database does not answer.
pub async fn note(house: &House, db: &mut PgConnection, new: NewNote<'_>) -> Result<Record> {
    let (locked, day) = journal::begin(house, db, Chain::N.or_training(house.training)).await?;
    let replaces = db::papers::notes_of(&mut *db, new.order, house.training).await?.last().copied();
    let content = NoteContent {
        version: CONTENT_VERSION,
        identity: house.identity.clone(),
        software: software(),
        note_no: locked.head.last_seq + 1,
        register: REGISTER.to_owned(),
        at_local: local_timestamp(locked.local),
        operator: new.operator.to_owned(),
        table: new.table.to_owned(),
        covers: new.covers,
        order_ref: new.order_ref,
        replaces,
        total: new.lines.iter().map(|line| line.amount).sum(),
        lines: new.lines,
        training: house.training,
    };
    let record = write(house, db, &content, &locked, day).await?;
    db::papers::add_note(db, &record, new.order, new.table, house.training).await?;
    Ok(record)
}

/// Records a print of a ticket, a Z or a note, or that nobody wanted one. Returns its number (0 for the original) and its record.
///
/// # Errors
/// When the database does not answer.
pub async fn print(house: &House, db: &mut PgConnection, of: &Record, means: PrintMeans, operator: &str) -> Result<(u32, Record)> {
    let training = of.chain == Chain::X;
    let chain = Chain::D.or_training(training);
    let (locked, day) = match of.kind {
        // The paper of a closing comes after it: that alone must not open the next day.
        RecordKind::ClosureZ | RecordKind::ClosureMonth | RecordKind::ClosureYear => {
            let locked = journal::lock(house, db, chain).await?;
            let day = service_day(locked.local);
            (locked, day)
        }
        _ => journal::begin(house, db, chain).await?,
    };
    let print_no = db::papers::last_print(&mut *db, of).await?.map_or(0, |last| last.saturating_add(1));
    let content = PrintContent {
        version: CONTENT_VERSION,
        software: software(),
        register: of.register.clone(),
        at_local: local_timestamp(locked.local),
        operator: operator.to_owned(),
        of: of.chain,
        seq: of.seq,
        print_no,
        means,
        training,
    };
    let record = write(house, db, &content, &locked, day).await?;
    db::papers::add_print(db, of, print_no, record.id).await?;
    Ok((print_no, record))
}

/// A movement of money about to be recorded.
pub struct NewMoney<'a> {
    /// What.
    pub kind: MoneyKind,
    /// How much; never negative.
    pub amount: Cents,
    /// The means; of a transfer, what the ticket says.
    pub method: Method,
    /// Of a transfer: what was really used.
    pub to: Option<Method>,
    /// The ticket of a transfer or of a tip.
    pub ticket_no: Option<i64>,
    /// Why.
    pub reason: &'a str,
    /// Who.
    pub operator: &'a str,
}

/// Records a movement of money that is not a sale.
///
/// # Errors
/// When it is not whole, which is a fault of ours; when the database does not answer.
pub async fn money(house: &House, db: &mut PgConnection, new: NewMoney<'_>) -> Result<Record> {
    let (locked, day) = journal::begin(house, db, Chain::P.or_training(house.training)).await?;
    let content = MoneyContent {
        version: CONTENT_VERSION,
        software: software(),
        register: REGISTER.to_owned(),
        at_local: local_timestamp(locked.local),
        operator: new.operator.to_owned(),
        kind: new.kind,
        amount: new.amount,
        method: new.method,
        to: new.to,
        ticket_no: new.ticket_no,
        reason: new.reason.to_owned(),
        training: house.training,
    };
    if !content.is_whole() {
        return Err(Error::internal("a movement of money that is not whole"));
    }
    write(house, db, &content, &locked, day).await
}

/// Records a technical event: who (empty: the machine), what, and what else there is to know.
///
/// # Errors
/// When the database does not answer.
pub async fn event(
    house: &House,
    db: &mut PgConnection,
    code: EventCode,
    operator: &str,
    details: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<Record> {
    let locked = journal::lock(house, db, Chain::J).await?;
    let content = event_content(code, operator, details, &locked);
    // The technical journal has no period: it goes on when nothing is sold.
    write(house, db, &content, &locked, service_day(locked.local)).await
}

pub(super) fn event_content(
    code: EventCode,
    operator: &str,
    details: impl IntoIterator<Item = (&'static str, String)>,
    locked: &db::journal::Locked,
) -> EventContent {
    EventContent {
        version: CONTENT_VERSION,
        software: software(),
        register: REGISTER.to_owned(),
        at_local: local_timestamp(locked.local),
        operator: operator.to_owned(),
        code,
        nf525_code: code.nf525(),
        label: code.label().to_owned(),
        details: details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}

/// Signs and appends a content that was numbered and dated under this lock.
///
/// # Errors
/// As [`journal::append`].
pub(super) async fn write(
    house: &House,
    db: &mut PgConnection,
    content: &impl Fact,
    locked: &db::journal::Locked,
    day: Date,
) -> Result<Record> {
    let draft = Draft::of(content, locked.local, locked.utc).map_err(Error::internal)?;
    journal::append(house, db, draft, &locked.head, day).await
}
