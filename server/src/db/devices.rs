//! The phones of the house.

use crate::error::Result;
use domain::UserId;
use domain::api::{DeviceReport, DeviceView};
use sqlx::PgExecutor;
use uuid::Uuid;

/// A phone that was not heard of for so many days is no longer shown, unless it keeps orders.
const SHOWN_DAYS: i32 = 2;
/// A phone says every minute what it keeps. After so many without a word it may keep what nobody knows of.
const SILENT_AFTER_MINUTES: i32 = 3;

/// Stores what a phone says of itself.
///
/// # Errors
/// When the database does not answer.
pub async fn report(db: impl PgExecutor<'_>, id: Uuid, user: UserId, report: &DeviceReport) -> Result<()> {
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    sqlx::query!(
        "insert into devices (id, user_id, held, conflicts, app, left_at) values ($1, $2, $3, $4, $5, case when $6 then now() end)
         on conflict (id) do update set user_id = excluded.user_id, held = excluded.held, conflicts = excluded.conflicts,
             app = excluded.app, seen_at = now(), left_at = excluded.left_at",
        id,
        user.get(),
        count(report.held),
        count(report.conflicts),
        report.app,
        report.leaving
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The phones that matter now: those that keep orders, then those that were silent the longest.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<DeviceView>> {
    let rows = sqlx::query!(
        r#"select d.id, d.user_id, u.name, d.held, d.conflicts, d.app, d.seen_at, d.left_at is not null as "left!",
             d.left_at is null and d.seen_at < now() - make_interval(mins => $2) as "silent!"
           from devices d join users u on u.id = d.user_id
           where d.held > 0 or d.seen_at > now() - make_interval(days => $1)
           order by d.held > 0 desc, d.left_at is null desc, d.seen_at limit 200"#,
        SHOWN_DAYS,
        SILENT_AFTER_MINUTES
    )
    .fetch_all(db)
    .await?;
    let views = rows.into_iter().map(|row| DeviceView {
        device_id: row.id,
        user_id: UserId::from_row(row.user_id),
        user_name: row.name,
        held: row.held.unsigned_abs(),
        conflicts: row.conflicts.unsigned_abs(),
        app: row.app,
        seen_at: row.seen_at,
        left: row.left,
        silent: row.silent,
    });
    Ok(views.collect())
}
