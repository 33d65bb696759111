//! Months and years are closed: a month is the sum of its days, a year of its months.
//!
//! Which month or year comes next is never asked of the calendar alone: it is that of the oldest closing below it that no longer closing has
//! summed. It may be closed once it has ended and everything of it is closed. Nothing is recorded on its days after that.

use super::closing::{record, say_closed};
use super::{journal, printing, recording};
use crate::db;
use crate::db::long_periods::LongPeriod;
use crate::error::{Error, Result};
use crate::state::{House, REGISTER, software};
use domain::api::{CloseDone, CloseDue, CloseKind, CloseSummary, Paper};
use domain::fiscal::{CONTENT_VERSION, ClosingContent, ClosingTotals, LongClosingContent, LongKind, Record, VatCents, local_timestamp};
use domain::service_day::service_day;
use domain::{Cents, fiscal::ByMethodCents};
use sqlx::PgConnection;
use time::{Date, Month};

/// A closing below: number, a day of it, and its record.
type Below = (i64, Date, i64);

/// Closes the oldest month or year that is not closed, or the one that `date` is in.
///
/// # Errors
/// [`Error::Invalid`] `not_ended`, `in_the_future` or `nothing_to_close`; [`Error::PreviousPeriodOpen`] when a day of it, or an older month, is open.
pub async fn close(house: &House, operator: &str, kind: CloseKind, date: Option<Date>) -> Result<CloseDone> {
    let kind = long(kind);
    let mut tx = house.db.begin().await?;
    let locked = journal::lock(house, &mut tx, house.closing_chain()).await?;
    let today = service_day(locked.local);
    if date.is_some_and(|date| date > today) {
        return Err(Error::invalid("date", "in_the_future"));
    }
    let before = db::long_periods::closed(&mut *tx, REGISTER, house.training, kind.as_str(), i64::MAX).await?;
    let wanted = date.map(|date| name(kind, date));
    if let Some(closed) = before.iter().find(|closed| Some(&closed.period) == wanted.as_ref()) {
        return done(&record(&mut tx, closed.audit_log_id).await?, true);
    }
    let waiting = waiting(house, &mut tx, kind, before.first()).await?;
    let Some((_, first_day, _)) = waiting.first() else {
        // Asked again without a date: the last one, as a day does.
        return match before.first().filter(|_| wanted.is_none()) {
            Some(last) => done(&record(&mut tx, last.audit_log_id).await?, true),
            None => Err(Error::invalid("date", "nothing_to_close")),
        };
    };
    let period = name(kind, *first_day);
    let last_day = last_day(kind, *first_day)?;
    if let Some(wanted) = wanted.filter(|wanted| *wanted != period) {
        return Err(if wanted > period {
            Error::PreviousPeriodOpen { service_day: *first_day }
        } else {
            Error::invalid("date", "nothing_to_close")
        });
    }
    if last_day >= today {
        return Err(Error::invalid("date", "not_ended"));
    }
    if let Some(open) = open_below(house, &mut tx, kind, last_day).await? {
        return Err(Error::PreviousPeriodOpen { service_day: open });
    }
    let of: Vec<&Below> = waiting.iter().filter(|(_, day, _)| *day <= last_day).collect();
    let (Some((first, ..)), Some((last, ..))) = (of.first(), of.last()) else {
        return Err(Error::invalid("date", "nothing_to_close"));
    };
    let mut totals = ClosingTotals::default();
    let mut perpetual = (Cents::ZERO, Cents::ZERO);
    for (_, _, id) in &of {
        let below = Sum::read(kind, &record(&mut tx, *id).await?)?;
        totals.add_closing(below.tickets, below.payments, &below.vat, below.total, &below.by_method);
        perpetual = below.perpetual;
    }
    let content = LongClosingContent {
        version: CONTENT_VERSION,
        identity: house.identity.clone(),
        software: software(),
        kind,
        number: before.first().map_or(1, |last| last.number + 1),
        period: period.clone(),
        register: REGISTER.to_owned(),
        closed_at_local: local_timestamp(locked.local),
        operator: operator.to_owned(),
        first: *first,
        last: *last,
        ticket_count: totals.ticket_count,
        payment_count: totals.payment_count,
        vat: totals.vat,
        total: totals.total,
        by_method: totals.by_method,
        perpetual_total: perpetual.0,
        perpetual_absolute: perpetual.1,
        training: house.training,
    };
    let written = recording::write(house, &mut tx, &content, &locked, last_day).await?;
    let closed = LongPeriod { number: content.number, period, last_day, first_no: *first, last_no: *last, audit_log_id: written.id };
    db::long_periods::add(&mut tx, REGISTER, house.training, kind.as_str(), &closed).await?;
    if !house.training {
        say_closed(house, &mut tx, kind.as_str(), closed.number, &closed.period, operator).await?;
    }
    tx.commit().await?;
    super::anchoring::keep(house, &written);
    tracing::info!(kind = kind.as_str(), period = closed.period, "closed");
    done(&written, false)
}

/// What one closing below says.
struct Sum {
    tickets: u32,
    payments: u32,
    vat: Vec<VatCents>,
    total: Cents,
    by_method: ByMethodCents,
    perpetual: (Cents, Cents),
}

impl Sum {
    /// A Z for a month, a month for a year.
    fn read(kind: LongKind, record: &Record) -> Result<Self> {
        Ok(match kind {
            LongKind::Month => {
                let z: ClosingContent = serde_json::from_str(&record.content_text)?;
                Self {
                    tickets: z.ticket_count,
                    payments: z.payment_count,
                    vat: z.vat,
                    total: z.total,
                    by_method: z.by_method,
                    perpetual: (z.perpetual_total, z.perpetual_absolute),
                }
            }
            LongKind::Year => {
                let month: LongClosingContent = serde_json::from_str(&record.content_text)?;
                Self {
                    tickets: month.ticket_count,
                    payments: month.payment_count,
                    vat: month.vat,
                    total: month.total,
                    by_method: month.by_method,
                    perpetual: (month.perpetual_total, month.perpetual_absolute),
                }
            }
        })
    }
}

/// Closings below that no longer closing has summed, oldest first.
async fn waiting(house: &House, db: &mut PgConnection, kind: LongKind, last: Option<&LongPeriod>) -> Result<Vec<Below>> {
    let after = last.map_or(0, |last| last.last_no);
    match kind {
        LongKind::Month => db::periods::closed_after(db, REGISTER, house.training, after).await,
        LongKind::Year => {
            let months = db::long_periods::closed(db, REGISTER, house.training, LongKind::Month.as_str(), i64::MAX).await?;
            let waiting = months.into_iter().rev().filter(|month| month.number > after);
            Ok(waiting.map(|month| (month.number, month.last_day, month.audit_log_id)).collect())
        }
    }
}

/// A day that has to be closed first: one that is open, or for a year one that no month sums.
async fn open_below(house: &House, db: &mut PgConnection, kind: LongKind, last_day: Date) -> Result<Option<Date>> {
    let open = db::periods::oldest_open(&mut *db, REGISTER, house.training).await?.map(|period| period.service_day);
    let unsummed = match kind {
        LongKind::Month => None,
        LongKind::Year => {
            let month = db::long_periods::closed(&mut *db, REGISTER, house.training, LongKind::Month.as_str(), 1).await?;
            waiting(house, db, LongKind::Month, month.first()).await?.first().map(|(_, day, _)| *day)
        }
    };
    Ok([open, unsummed].into_iter().flatten().filter(|day| *day <= last_day).min())
}

/// Months and years that have ended and wait to be closed, for the closing page: the oldest of each.
///
/// # Errors
/// When the database does not answer.
pub async fn due(house: &House, db: &mut PgConnection) -> Result<Vec<CloseDue>> {
    let today = service_day(db::journal::local_now(db, &house.zone).await?);
    let mut due = Vec::new();
    for (of, kind) in [(CloseKind::Month, LongKind::Month), (CloseKind::Year, LongKind::Year)] {
        let last = db::long_periods::closed(&mut *db, REGISTER, house.training, kind.as_str(), 1).await?;
        if let Some((_, day, _)) = waiting(house, db, kind, last.first()).await?.first()
            && last_day(kind, *day)? < today
        {
            due.push(CloseDue { kind: of, period: name(kind, *day), date: *day });
        }
    }
    Ok(due)
}

/// The last closed months and years, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn closed_before(house: &House, db: &mut PgConnection, limit: i64) -> Result<Vec<CloseDone>> {
    let mut closed = Vec::new();
    for kind in [LongKind::Year, LongKind::Month] {
        for period in db::long_periods::closed(&mut *db, REGISTER, house.training, kind.as_str(), limit).await? {
            closed.push(done(&record(db, period.audit_log_id).await?, true)?);
        }
    }
    Ok(closed)
}

fn done(record: &Record, already_closed: bool) -> Result<CloseDone> {
    let content: LongClosingContent = serde_json::from_str(&record.content_text)?;
    let day = format!("{}{}", content.period, if content.kind == LongKind::Month { "-01" } else { "-12-01" });
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let service_day = last_day(content.kind, Date::parse(&day, format).map_err(Error::internal)?)?;
    Ok(CloseDone {
        audit_log_id: record.id,
        ticket: printing::text_of(record)?,
        hash: record.hash_current.clone(),
        signature: record.signature.clone(),
        summary: CloseSummary {
            z_number: Some(content.number),
            service_day,
            total_ttc: content.total,
            total_tva: content.total_vat(),
            count: content.payment_count,
            by_method: content.by_method.into(),
            vat: content.vat.iter().copied().map(Into::into).collect(),
            perpetual_total: content.perpetual_total,
            perpetual_absolute: content.perpetual_absolute,
            training: content.training,
            cash: None,
            tips: None,
            refunds: None,
            period: Some(content.period),
        },
        already_closed,
        paper: Paper::default(),
    })
}

const fn long(kind: CloseKind) -> LongKind {
    match kind {
        CloseKind::Year => LongKind::Year,
        CloseKind::Z | CloseKind::Month => LongKind::Month,
    }
}

/// `2026-02` or `2026`.
fn name(kind: LongKind, day: Date) -> String {
    match kind {
        LongKind::Month => format!("{:04}-{:02}", day.year(), u8::from(day.month())),
        LongKind::Year => format!("{:04}", day.year()),
    }
}

fn last_day(kind: LongKind, day: Date) -> Result<Date> {
    let month = if kind == LongKind::Year { Month::December } else { day.month() };
    Date::from_calendar_date(day.year(), month, month.length(day.year())).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_month_ends_on_its_last_day_and_a_year_in_december() {
        for (kind, day, last, text) in [
            (LongKind::Month, date!(2026 - 02 - 03), date!(2026 - 02 - 28), "2026-02"),
            (LongKind::Month, date!(2028 - 02 - 29), date!(2028 - 02 - 29), "2028-02"),
            (LongKind::Year, date!(2026 - 02 - 03), date!(2026 - 12 - 31), "2026"),
        ] {
            assert_eq!((last_day(kind, day).unwrap(), name(kind, day).as_str()), (last, text));
        }
    }
}
