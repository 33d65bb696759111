//! The clock is watched: a till whose clock is set forward would close days that have not been.
//!
//! That a clock goes back shows in the next record ([`super::journal`]). That it goes forward shows nowhere in a journal, in which an hour without
//! guests looks the same. So the database's clock, which dates every record, is compared with how long this machine has been running, which nobody can set: if
//! the first moved further than the second, somebody set it, and the technical journal says from when to when. What happens to the clock while no process of
//! the till runs cannot be seen.

use super::recording;
use crate::db;
use crate::error::{Error, Result};
use crate::state::House;
use domain::fiscal::{EventCode, utc_timestamp};
use time::{Duration, OffsetDateTime};

/// What setting a clock by the network does, and the time between two readings.
const TOLERANCE: Duration = Duration::minutes(5);

/// Two clocks, read together.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The database's.
    pub now: OffsetDateTime,
    /// How long this machine has been running, sleep included.
    pub running: Duration,
}

/// Reads both clocks.
///
/// # Errors
/// When the database does not answer, or the system does not say how long it runs.
pub async fn read(house: &House) -> Result<Reading> {
    let text = tokio::fs::read_to_string("/proc/uptime").await.map_err(Error::internal)?;
    let seconds =
        text.split('.').next().and_then(|whole| whole.parse().ok()).ok_or_else(|| Error::internal("/proc/uptime holds no number"))?;
    Ok(Reading { now: db::journal::utc_now(&house.db).await?, running: Duration::seconds(seconds) })
}

/// Compares two readings, and says in the technical journal when the clock went forward by more than time passed. Returns whether it did.
///
/// # Errors
/// When the database does not answer.
pub async fn compare(house: &House, before: Reading, after: Reading) -> Result<bool> {
    let expected = before.now + (after.running - before.running);
    if after.now - expected <= TOLERANCE {
        return Ok(false);
    }
    let mut tx = house.db.begin().await?;
    let details = [("expected", utc_timestamp(expected)), ("now", utc_timestamp(after.now))];
    recording::event(house, &mut tx, EventCode::ClockWentForward, "", details).await?;
    tx.commit().await?;
    tracing::error!(%expected, now = %after.now, "the clock went forward; recorded in the technical journal");
    Ok(true)
}
