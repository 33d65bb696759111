//! Scenario 4: the day is closed.
//!
//! Lock the journal → which period? → add up the records of its range → perpetual totals go on from the last Z → sign → the period is
//! closed → commit. With the journal locked nothing can be recorded meanwhile: each ticket is in exactly one Z, and two closings of one day give
//! one Z. Months and years are sums of closings: [`super::closing_long`].

use super::refusing::{self, Tried};
use super::{anchoring, closing_long, journal, printing, recording};
use crate::db;
use crate::db::journal::Locked;
use crate::db::periods::{End, Period};
use crate::error::{Error, Result};
use crate::state::{House, REGISTER, software};
use domain::Cents;
use domain::api::{CloseDone, CloseKind, CloseRequest, CloseSummary, ClosingView, Paper, SessionUser};
use domain::fiscal::{CONTENT_VERSION, ClosingContent, ClosingDetail, ClosingTotals, Counted, EventCode, Record, local_timestamp};
use domain::receipt::x_lines;
use domain::service_day::service_day;
use futures::StreamExt;
use sqlx::PgConnection;
use time::{Date, Duration, PrimitiveDateTime};

/// How many past closings the page shows.
const SHOWN: i64 = 14;

/// Closes a day, a month or a year. Nothing recorded since its closing: the same record again.
///
/// # Errors
/// [`Error::PreviousPeriodOpen`] when an older day is open; [`Error::UnresolvedPayments`] while nobody knows how a payment by card ended, or whose
/// money a terminal took;
/// [`Error::Invalid`] for a day in the future, one that was never open, or a month or year that has not ended.
pub async fn close(house: &House, user: &SessionUser, request: &CloseRequest) -> Result<CloseDone> {
    let done = match request.kind {
        CloseKind::Z => close_day(house, user, request.date).await,
        CloseKind::Month | CloseKind::Year => closing_long::close(house, &user.name, request.kind, request.date).await,
    };
    if let Err(error) = &done {
        refusing::record(house, Tried::Closing, &user.name, error, None).await;
    }
    let done = done?;
    let paper = printing::closing_paper(house, done.audit_log_id).await?;
    Ok(CloseDone { paper, ..done })
}

async fn close_day(house: &House, user: &SessionUser, date: Option<Date>) -> Result<CloseDone> {
    let mut tx = house.db.begin().await?;
    let locked = journal::lock(house, &mut tx, house.closing_chain()).await?;
    if date.is_some_and(|date| date > service_day(locked.local)) {
        return Err(Error::invalid("date", "in_the_future"));
    }
    let period = match period_to_close(house, &mut tx, date, locked.local).await? {
        Found::Open(period) => period,
        Found::Closed(record) => return closed(&record, true),
    };
    let record = close_period(house, &mut tx, &locked, &period, &user.name).await?;
    tx.commit().await?;
    anchoring::keep(house, &record);
    printing::print_z(house, user, &record).await;
    closed(&record, false)
}

/// Writes the Z of a period, in a transaction that holds the journal.
async fn close_period(house: &House, tx: &mut PgConnection, locked: &Locked, period: &Period, operator: &str) -> Result<Record> {
    // A card that may have been charged belongs to the day on which it was.
    let payment_ids = db::attempts::unresolved(&mut *tx, house.training).await?;
    let strays = db::words::undecided_strays(&mut *tx, house.training).await?;
    if !payment_ids.is_empty() || !strays.is_empty() {
        return Err(Error::UnresolvedPayments { payment_ids, strays });
    }
    let content = add_up(house, tx, period, operator, locked.local).await?;
    let record = recording::write(house, tx, &content, locked, period.service_day).await?;
    let detail = content.detail.as_ref();
    let end = End { ticket: content.last_ticket, record: detail.map_or(record.id - 1, |detail| detail.last_record) };
    db::periods::close(tx, REGISTER, house.training, period.no, end, record.id).await?;
    if !house.training {
        say_closed(house, tx, "Z", period.no, &period.service_day.to_string(), operator).await?;
        let open = detail.map(|detail| detail.open_tables.join(", ")).filter(|open| !open.is_empty());
        if let Some(open) = open {
            let details = [("z", period.no.to_string()), ("tables", open)];
            recording::event(house, tx, EventCode::OpenTables, operator, details).await?;
        }
    }
    tracing::info!(z = period.no, day = %period.service_day, tickets = content.ticket_count, "day closed");
    Ok(record)
}

/// The technical event of a closing.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn say_closed(house: &House, tx: &mut PgConnection, kind: &str, number: i64, period: &str, operator: &str) -> Result<()> {
    let details = [("kind", kind.to_owned()), ("number", number.to_string()), ("period", period.to_owned())];
    recording::event(house, tx, EventCode::PeriodClosed, operator, details).await?;
    Ok(())
}

enum Found {
    Open(Period),
    Closed(Box<Record>),
}

async fn period_to_close(house: &House, db: &mut PgConnection, date: Option<Date>, now: PrimitiveDateTime) -> Result<Found> {
    let training = house.training;
    let oldest = db::periods::oldest_open(&mut *db, REGISTER, training).await?;
    if let Some(open) = oldest {
        match date {
            Some(date) if open.service_day < date => return Err(Error::PreviousPeriodOpen { service_day: open.service_day }),
            Some(date) if open.service_day > date => {}
            _ => return Ok(Found::Open(open)),
        }
    }
    if let Some(closed) = db::periods::newest_closed(&mut *db, REGISTER, training, date).await? {
        let id = closed.audit_log_id.ok_or_else(|| Error::internal("a closed period without its record"))?;
        return Ok(Found::Closed(Box::new(record(db, id).await?)));
    }
    // Nothing was sold on that day: an empty day closes too, as long as it is not before a day that is already there.
    let newest = db::periods::newest(&mut *db, REGISTER, training).await?;
    let closed_month = db::long_periods::last_closed_day(&mut *db, REGISTER, training).await?;
    let day = date.unwrap_or_else(|| service_day(now));
    let (no, newest_day) = newest.map_or((1, service_day(now)), |period| (period.no + 1, period.service_day));
    if day < newest_day || closed_month.is_some_and(|closed| day <= closed) {
        return Err(Error::invalid("date", "nothing_to_close"));
    }
    let end = db::journal::end(&mut *db, REGISTER, house.ticket_chain()).await?;
    let period = Period::beginning(no, day, end, now);
    db::periods::open(db, REGISTER, training, &period).await?;
    Ok(Found::Open(period))
}

/// Reads a record that has to be there.
///
/// # Errors
/// When it is not.
pub(super) async fn record(db: &mut PgConnection, id: i64) -> Result<Record> {
    db::journal::record(db, id).await?.ok_or_else(|| Error::internal(format!("record {id} is missing")))
}

/// Adds up the records of a period, from their signed contents.
async fn add_up(house: &House, db: &mut PgConnection, period: &Period, operator: &str, at: PrimitiveDateTime) -> Result<ClosingContent> {
    let training = house.training;
    let end = match (period.end_seq, period.last_record) {
        (Some(ticket), Some(record)) => End { ticket, record },
        _ => db::journal::end(&mut *db, REGISTER, house.ticket_chain()).await?,
    };
    let mut totals = ClosingTotals::default();
    {
        let mut records = std::pin::pin!(db::journal::adding(&mut *db, REGISTER, training, period.first_record, end.record));
        while let Some(record) = records.next().await {
            let (kind, content) = record?;
            if let Some(adds) = Counted::read(kind, &content)? {
                totals.count(&adds);
            }
        }
    }
    let training_count = match training {
        true => 0,
        false => db::journal::training_records(&mut *db, REGISTER, period.first_record, end.record).await?,
    };
    let chains = db::journal::chain_ends(&mut *db, REGISTER).await?.into_iter().filter(|end| end.chain != house.closing_chain());
    let detail = ClosingDetail {
        first_record: period.first_record,
        last_record: end.record,
        training_count: u32::try_from(training_count).unwrap_or(u32::MAX),
        notes_left: db::papers::notes_left(&mut *db, REGISTER, training, period.first_record, end.record).await?,
        open_tables: db::floor::open_tables(&mut *db).await?,
        chains: chains.collect(),
        ..ClosingDetail::summing(&totals)
    };
    let (perpetual_total, perpetual_absolute) = perpetual_before(house, db).await?;
    Ok(ClosingContent {
        version: CONTENT_VERSION,
        identity: house.identity.clone(),
        software: software(),
        z_number: period.no,
        register: REGISTER.to_owned(),
        service_day: period.service_day,
        opened_at_local: local_timestamp(period.opened_local),
        closed_at_local: local_timestamp(at),
        operator: operator.to_owned(),
        first_ticket: period.start_seq,
        last_ticket: end.ticket,
        ticket_count: totals.ticket_count,
        payment_count: totals.payment_count,
        vat: totals.vat,
        total: totals.total,
        by_method: totals.by_method,
        perpetual_total: perpetual_total + totals.total,
        perpetual_absolute: perpetual_absolute + totals.absolute,
        training,
        detail: Some(detail),
    })
}

/// The perpetual totals of the last Z: the next one goes on from there.
async fn perpetual_before(house: &House, db: &mut PgConnection) -> Result<(Cents, Cents)> {
    let Some(last) = db::periods::newest_closed(&mut *db, REGISTER, house.training, None).await? else {
        return Ok((Cents::ZERO, Cents::ZERO));
    };
    let id = last.audit_log_id.ok_or_else(|| Error::internal("a closed period without its record"))?;
    let content: ClosingContent = serde_json::from_str(&record(db, id).await?.content_text)?;
    Ok((content.perpetual_total, content.perpetual_absolute))
}

fn closed(record: &Record, already_closed: bool) -> Result<CloseDone> {
    let content: ClosingContent = serde_json::from_str(&record.content_text)?;
    Ok(CloseDone {
        audit_log_id: record.id,
        ticket: printing::text_of(record)?,
        hash: record.hash_current.clone(),
        signature: record.signature.clone(),
        summary: content.summary(),
        already_closed,
        paper: Paper::default(),
    })
}

/// X report: what the oldest open day comes to so far. Nothing is recorded. `None` when nothing was recorded since the last Z.
///
/// # Errors
/// When the database does not answer.
pub async fn x_report(house: &House) -> Result<Option<CloseSummary>> {
    Ok(so_far(house).await?.map(|content| CloseSummary { z_number: None, ..content.summary() }))
}

/// What a Z would say now.
async fn so_far(house: &House) -> Result<Option<ClosingContent>> {
    let mut tx = house.db.begin_with(db::SNAPSHOT).await?;
    let Some(period) = db::periods::oldest_open(&mut *tx, REGISTER, house.training).await? else { return Ok(None) };
    let now = db::journal::local_now(&mut tx, &house.zone).await?;
    Ok(Some(add_up(house, &mut tx, &period, "", now).await?))
}

/// The closing page.
///
/// # Errors
/// When the database does not answer.
pub async fn view(house: &House) -> Result<ClosingView> {
    let so_far = so_far(house).await?;
    let open = so_far.as_ref().map(|content| CloseSummary { z_number: None, ..content.summary() });
    let x = so_far.as_ref().map(|content| printing::paper(x_lines(content)));
    let open_tables = db::floor::open_tables(&house.db).await?;
    let mut closed_days = Vec::new();
    for id in db::periods::closing_records(&house.db, REGISTER, house.training, SHOWN).await? {
        if let Some(record) = db::journal::record(&house.db, id).await? {
            closed_days.push(closed(&record, true)?);
        }
    }
    let mut tx = house.db.begin_with(db::SNAPSHOT).await?;
    let unresolved = db::attempts::unresolved(&mut *tx, house.training).await?;
    let strays = db::words::undecided_strays(&mut *tx, house.training).await?;
    let due = closing_long::due(house, &mut tx).await?;
    let closed_long = closing_long::closed_before(house, &mut tx, SHOWN).await?;
    let movements = match db::periods::oldest_open(&mut *tx, REGISTER, house.training).await? {
        Some(period) => super::cash::movements(house, &mut tx, &period).await?,
        None => Vec::new(),
    };
    let has_printer = house.printing.is_some();
    let flaws = house.integrity.flaws();
    let anchors_away = !house.anchoring.is_there();
    let closed = closed_days;
    Ok(ClosingView { open, open_tables, closed, unresolved, strays, due, closed_long, movements, x, has_printer, flaws, anchors_away })
}

/// Closes what was forgotten: days that ended more than a day ago, then months and years that ended. Nobody is at the till; the record says so by
/// naming no operator. Returns how many closings were written.
///
/// # Errors
/// When the database does not answer. What blocks a closing (a card payment that nobody knows the end of) is no error: it is tried again.
pub async fn catch_up(house: &House) -> Result<u32> {
    let mut written = 0;
    loop {
        let mut tx = house.db.begin().await?;
        let locked = journal::lock(house, &mut tx, house.closing_chain()).await?;
        let forgotten_until = service_day(locked.local) - Duration::days(2);
        let open = db::periods::oldest_open(&mut *tx, REGISTER, house.training).await?;
        let Some(period) = open.filter(|period| period.service_day <= forgotten_until) else { break };
        match close_period(house, &mut tx, &locked, &period, "").await {
            Ok(record) => {
                tx.commit().await?;
                anchoring::keep(house, &record);
            }
            Err(Error::UnresolvedPayments { .. }) => return Ok(written),
            Err(error) => return Err(error),
        }
        tracing::warn!(z = period.no, day = %period.service_day, "a forgotten day was closed");
        written += 1;
    }
    for kind in [CloseKind::Month, CloseKind::Year] {
        loop {
            match closing_long::close(house, "", kind, None).await {
                Ok(done) if !done.already_closed => written += 1,
                Ok(_) | Err(Error::Invalid(_) | Error::PreviousPeriodOpen { .. }) => break,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(written)
}
