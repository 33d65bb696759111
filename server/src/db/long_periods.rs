//! Months and years, once they are closed.

use crate::error::Result;
use sqlx::{PgConnection, PgExecutor};
use time::Date;

/// A closed month or year.
#[derive(Debug, Clone)]
pub struct LongPeriod {
    /// Its place among the closings of its kind.
    pub number: i64,
    /// `2026-02`, `2026`.
    pub period: String,
    /// Its last day.
    pub last_day: Date,
    /// First closing that it sums.
    pub first_no: i64,
    /// Last closing that it sums.
    pub last_no: i64,
    /// The record of its closing.
    pub audit_log_id: i64,
}

/// The last day of the newest closed month: nothing is recorded on it or before it any more.
///
/// # Errors
/// When the database does not answer.
pub async fn last_closed_day(db: impl PgExecutor<'_>, register: &str, training: bool) -> Result<Option<Date>> {
    Ok(sqlx::query_scalar!("select max(last_day) from fiscal_long_periods where register = $1 and training = $2", register, training)
        .fetch_one(db)
        .await?)
}

/// Closed months or years, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn closed(db: impl PgExecutor<'_>, register: &str, training: bool, kind: &str, limit: i64) -> Result<Vec<LongPeriod>> {
    Ok(sqlx::query_as!(
        LongPeriod,
        "select number, period, last_day, first_no, last_no, audit_log_id from fiscal_long_periods
         where register = $1 and training = $2 and kind = $3 order by number desc limit $4",
        register,
        training,
        kind,
        limit
    )
    .fetch_all(db)
    .await?)
}

/// Stores a closed month or year. The journal must be locked.
///
/// # Errors
/// When the database does not answer.
pub async fn add(db: &mut PgConnection, register: &str, training: bool, kind: &str, new: &LongPeriod) -> Result<()> {
    sqlx::query!(
        "insert into fiscal_long_periods (register, training, kind, number, period, last_day, first_no, last_no, audit_log_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        register,
        training,
        kind,
        new.number,
        new.period,
        new.last_day,
        new.first_no,
        new.last_no,
        new.audit_log_id
    )
    .execute(db)
    .await?;
    Ok(())
}
