//! Fiscal periods: which tickets belong to which day.

use crate::error::Result;
use sqlx::{PgConnection, PgExecutor};
use time::{Date, PrimitiveDateTime};

/// Where a period ends.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// Number of the last ticket in its chain.
    pub ticket: i64,
    /// Number of the last record in the whole journal.
    pub record: i64,
}

/// A day between two closings.
#[derive(Debug, Clone)]
pub struct Period {
    /// Number of the Z that closes it.
    pub no: i64,
    /// The service day.
    pub service_day: Date,
    /// Number of its first ticket.
    pub start_seq: i64,
    /// Number of its last ticket, once a later period has begun or this one is closed.
    pub end_seq: Option<i64>,
    /// Its first record, by its number in the whole journal.
    pub first_record: i64,
    /// Its last record, known with [`Self::end_seq`].
    pub last_record: Option<i64>,
    /// When it was opened, on the clock of the restaurant.
    pub opened_local: PrimitiveDateTime,
    /// The record of its closing.
    pub audit_log_id: Option<i64>,
}

impl Period {
    /// A period that begins after the last record of the journal and the last ticket.
    #[must_use]
    pub const fn beginning(no: i64, service_day: Date, after: End, opened_local: PrimitiveDateTime) -> Self {
        let (start_seq, first_record) = (after.ticket + 1, after.record + 1);
        Self { no, service_day, start_seq, end_seq: None, first_record, last_record: None, opened_local, audit_log_id: None }
    }
}

/// The newest period of a register, open or closed.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(db: impl PgExecutor<'_>, register: &str, training: bool) -> Result<Option<Period>> {
    Ok(sqlx::query_as!(
        Period,
        "select no, service_day, start_seq, end_seq, first_record, last_record, opened_local, audit_log_id from fiscal_periods
         where register = $1 and training = $2 order by no desc limit 1",
        register,
        training
    )
    .fetch_optional(db)
    .await?)
}

/// The oldest period that is not closed.
///
/// # Errors
/// When the database does not answer.
pub async fn oldest_open(db: impl PgExecutor<'_>, register: &str, training: bool) -> Result<Option<Period>> {
    Ok(sqlx::query_as!(
        Period,
        "select no, service_day, start_seq, end_seq, first_record, last_record, opened_local, audit_log_id from fiscal_periods
         where register = $1 and training = $2 and closed_at is null order by no limit 1",
        register,
        training
    )
    .fetch_optional(db)
    .await?)
}

/// The newest closed period, of one service day or of any.
///
/// # Errors
/// When the database does not answer.
pub async fn newest_closed(db: impl PgExecutor<'_>, register: &str, training: bool, day: Option<Date>) -> Result<Option<Period>> {
    let Some(day) = day else {
        return Ok(sqlx::query_as!(
            Period,
            "select no, service_day, start_seq, end_seq, first_record, last_record, opened_local, audit_log_id from fiscal_periods
             where register = $1 and training = $2 and closed_at is not null order by no desc limit 1",
            register,
            training
        )
        .fetch_optional(db)
        .await?);
    };
    Ok(sqlx::query_as!(
        Period,
        "select no, service_day, start_seq, end_seq, first_record, last_record, opened_local, audit_log_id from fiscal_periods
         where register = $1 and training = $2 and closed_at is not null and service_day = $3 order by no desc limit 1",
        register,
        training,
        day
    )
    .fetch_optional(db)
    .await?)
}

/// The records of the last closings, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn closing_records(db: impl PgExecutor<'_>, register: &str, training: bool, limit: i64) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        r#"select audit_log_id as "id!" from fiscal_periods
           where register = $1 and training = $2 and audit_log_id is not null order by no desc limit $3"#,
        register,
        training,
        limit
    )
    .fetch_all(db)
    .await?)
}

/// Closed periods after a number, oldest first: number, service day, record.
///
/// # Errors
/// When the database does not answer.
pub async fn closed_after(db: impl PgExecutor<'_>, register: &str, training: bool, after: i64) -> Result<Vec<(i64, Date, i64)>> {
    let rows = sqlx::query!(
        r#"select no, service_day, audit_log_id as "id!" from fiscal_periods
           where register = $1 and training = $2 and no > $3 and audit_log_id is not null order by no"#,
        register,
        training,
        after
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.no, row.service_day, row.id)).collect())
}

/// Opens a period. The journal must be locked.
///
/// # Errors
/// When the database does not answer.
pub async fn open(db: &mut PgConnection, register: &str, training: bool, new: &Period) -> Result<()> {
    sqlx::query!(
        "insert into fiscal_periods (register, training, no, service_day, start_seq, first_record, opened_local) values ($1, $2, $3, $4, $5, $6, $7)",
        register,
        training,
        new.no,
        new.service_day,
        new.start_seq,
        new.first_record,
        new.opened_local
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Fixes the end of a period that stays open while a later one begins. The journal must be locked.
///
/// # Errors
/// When the database does not answer.
pub async fn end(db: &mut PgConnection, register: &str, training: bool, no: i64, end: End) -> Result<()> {
    sqlx::query!(
        "update fiscal_periods set end_seq = $4, last_record = $5 where register = $1 and training = $2 and no = $3",
        register,
        training,
        no,
        end.ticket,
        end.record
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Closes a period. The journal must be locked.
///
/// # Errors
/// When the database does not answer.
pub async fn close(db: &mut PgConnection, register: &str, training: bool, no: i64, end: End, audit_log_id: i64) -> Result<()> {
    sqlx::query!(
        "update fiscal_periods set end_seq = $4, last_record = $5, closed_at = now(), audit_log_id = $6
         where register = $1 and training = $2 and no = $3 and closed_at is null",
        register,
        training,
        no,
        end.ticket,
        end.record,
        audit_log_id
    )
    .execute(db)
    .await?;
    Ok(())
}
