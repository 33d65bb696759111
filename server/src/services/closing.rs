//! Scenario 4: the day is closed.
//!
//! Lock the journal → which period? → add up the tickets of its range → perpetual totals go on from the last Z → sign → the period is
//! closed → commit. With the journal locked no ticket can be written meanwhile: each is in exactly one Z, and two closings of one day give
//! one Z.

use super::{journal, printing};
use crate::db;
use crate::db::periods::Period;
use crate::error::{Error, Result};
use crate::state::{House, REGISTER, software};
use domain::Cents;
use domain::api::{CloseDone, CloseRequest, CloseSummary, ClosingView, SessionUser};
use domain::fiscal::{CONTENT_VERSION, ClosingContent, ClosingTotals, Draft, Record, TicketContent, local_timestamp};
use domain::service_day::service_day;
use futures::StreamExt;
use sqlx::PgConnection;
use time::{Date, PrimitiveDateTime};

/// How many past closings the page shows.
const SHOWN: i64 = 14;

/// Closes a day. Nothing sold since its Z: the same record again.
///
/// # Errors
/// [`Error::PreviousPeriodOpen`] when an older day is open; [`Error::UnresolvedPayments`] while nobody knows how a payment by card ended;
/// [`Error::Invalid`] for a day in the future or one that was never open.
pub async fn close(house: &House, user: &SessionUser, request: &CloseRequest) -> Result<CloseDone> {
    let mut tx = house.db.begin().await?;
    let locked = journal::lock(house, &mut tx, house.closing_chain()).await?;
    let today = service_day(locked.local);
    if request.date.is_some_and(|date| date > today) {
        return Err(Error::invalid("date", "in_the_future"));
    }
    let period = match period_to_close(house, &mut tx, request.date, locked.local).await? {
        Found::Open(period) => period,
        Found::Closed(record) => return closed(&record, true),
    };
    // A card that may have been charged belongs to the day on which it was.
    let payment_ids = db::attempts::unresolved(&mut *tx).await?;
    if !payment_ids.is_empty() {
        return Err(Error::UnresolvedPayments { payment_ids });
    }
    let content = add_up(house, &mut tx, &period, Some(user), locked.local).await?;
    let draft = Draft::closing(&content, locked.local, locked.utc).map_err(Error::internal)?;
    let record = journal::append(house, &mut tx, draft, &locked.head, period.service_day).await?;
    db::periods::close(&mut tx, REGISTER, house.training, period.no, content.last_ticket, record.id).await?;
    tx.commit().await?;
    tracing::info!(z = period.no, day = %period.service_day, tickets = content.ticket_count, "day closed");
    closed(&record, false)
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
        let record = db::journal::record(db, id).await?.ok_or_else(|| Error::internal(format!("record {id} is missing")))?;
        return Ok(Found::Closed(Box::new(record)));
    }
    // Nothing was sold on that day: an empty day closes too, as long as it is not before a day that is already there.
    let newest = db::periods::newest(&mut *db, REGISTER, training).await?;
    let day = date.unwrap_or_else(|| service_day(now));
    let (no, newest_day) = newest.map_or((1, service_day(now)), |period| (period.no + 1, period.service_day));
    if day < newest_day {
        return Err(Error::invalid("date", "nothing_to_close"));
    }
    let last_seq = db::journal::last_seq(&mut *db, REGISTER, house.ticket_chain()).await?;
    let period = Period::beginning(no, day, last_seq, now);
    db::periods::open(db, REGISTER, training, &period).await?;
    Ok(Found::Open(period))
}

/// Adds up the tickets of a period, from their signed contents.
async fn add_up(
    house: &House,
    db: &mut PgConnection,
    period: &Period,
    operator: Option<&SessionUser>,
    at: PrimitiveDateTime,
) -> Result<ClosingContent> {
    let chain = house.ticket_chain();
    let last_seq = match period.end_seq {
        Some(end) => end,
        None => db::journal::last_seq(&mut *db, REGISTER, chain).await?,
    };
    let mut totals = ClosingTotals::default();
    {
        let mut contents = std::pin::pin!(db::journal::ticket_contents(&mut *db, REGISTER, chain, period.start_seq, last_seq));
        while let Some(text) = contents.next().await {
            totals.add(&serde_json::from_str::<TicketContent>(&text?)?);
        }
    }
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
        operator: operator.map_or_else(String::new, |user| user.name.clone()),
        first_ticket: period.start_seq,
        last_ticket: last_seq,
        ticket_count: totals.ticket_count,
        payment_count: totals.payment_count,
        vat: totals.vat,
        total: totals.total,
        by_method: totals.by_method,
        perpetual_total: perpetual_total + totals.total,
        perpetual_absolute: perpetual_absolute + totals.absolute,
        training: house.training,
    })
}

/// The perpetual totals of the last Z: the next one goes on from there.
async fn perpetual_before(house: &House, db: &mut PgConnection) -> Result<(Cents, Cents)> {
    let Some(last) = db::periods::newest_closed(&mut *db, REGISTER, house.training, None).await? else {
        return Ok((Cents::ZERO, Cents::ZERO));
    };
    let id = last.audit_log_id.ok_or_else(|| Error::internal("a closed period without its record"))?;
    let record = db::journal::record(db, id).await?.ok_or_else(|| Error::internal(format!("record {id} is missing")))?;
    let content: ClosingContent = serde_json::from_str(&record.content_text)?;
    Ok((content.perpetual_total, content.perpetual_absolute))
}

fn closed(record: &Record, already_closed: bool) -> Result<CloseDone> {
    let content: ClosingContent = serde_json::from_str(&record.content_text)?;
    Ok(CloseDone {
        audit_log_id: record.id,
        ticket: printing::z_text(&content, record),
        hash: record.hash_current.clone(),
        signature: record.signature.clone(),
        summary: content.summary(),
        already_closed,
    })
}

/// X report: what the oldest open day comes to so far. Nothing is recorded. `None` when nothing was sold since the last Z.
///
/// # Errors
/// When the database does not answer.
pub async fn x_report(house: &House) -> Result<Option<CloseSummary>> {
    let mut tx = house.db.begin_with(db::SNAPSHOT).await?;
    let Some(period) = db::periods::oldest_open(&mut *tx, REGISTER, house.training).await? else { return Ok(None) };
    let now = db::journal::local_now(&mut tx, &house.zone).await?;
    let content = add_up(house, &mut tx, &period, None, now).await?;
    Ok(Some(CloseSummary { z_number: None, ..content.summary() }))
}

/// The closing page.
///
/// # Errors
/// When the database does not answer.
pub async fn view(house: &House) -> Result<ClosingView> {
    let open = x_report(house).await?;
    let open_tables = db::floor::open_tables(&house.db).await?;
    let mut closed_days = Vec::new();
    for id in db::periods::closing_records(&house.db, REGISTER, house.training, SHOWN).await? {
        if let Some(record) = db::journal::record(&house.db, id).await? {
            closed_days.push(closed(&record, true)?);
        }
    }
    Ok(ClosingView { open, open_tables, closed: closed_days })
}
