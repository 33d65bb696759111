//! What the till works with is looked at, and the technical journal says when something of it has failed and when it works again (*mode dégradé*).
//!
//! Selling goes on: sessions are kept in the database without Redis, payments are taken without a terminal, slips wait for the kitchen system, closings
//! wait for the disk on which they are anchored.
//! What phones keep while they have no network is not one of these: those are orders, and no ticket is ever made away from the till.

use super::{anchoring, journal, querying, recording};
use crate::db;
use crate::error::Result;
use crate::state::{House, REGISTER};
use domain::degraded::{Turn, Watched};
use domain::fiscal::{Chain, EventCode};
use domain::terminal::Probed;
use std::collections::BTreeMap;
use std::time::Duration;

/// How old a slip is that the kitchen system was called for and did not answer, when it counts as silent.
const UNHEARD: Duration = Duration::from_secs(10);

/// What is known of each part, by its name in the journal.
#[derive(Debug, Default)]
pub struct Watch(BTreeMap<&'static str, Watched>);

/// Which parts of this house answer. A terminal that took the last payment is left alone: it may be at somebody's card. Only when the last one did not go
/// out to it is its line tried, as for `GET /health/ready`, so that a cable that is plugged in again is a cable again. The kitchen system is called for
/// each slip. What the house does not have cannot fail.
///
/// # Errors
/// When the database does not answer: then nothing can be written either.
pub async fn look(house: &House) -> Result<Vec<(&'static str, bool)>> {
    let redis = house.sessions.redis_answers().await;
    let terminal = match house.terminal.as_deref() {
        Some(terminal) if db::attempts::last_was_not_sent(&house.db, terminal.name()).await? => {
            querying::line(house).await != Some(Probed::Unreachable)
        }
        Some(_) => true,
        None => true,
    };
    let kitchen = house.outbox.is_none() || !db::outbox::is_unheard(&house.db, UNHEARD).await?;
    let anchors = anchoring::works(house).await;
    Ok(vec![("redis", redis), ("terminal", terminal), ("kitchen_system", kitchen), ("anchors", anchors)])
}

/// One look, by the one process of the house whose turn it is: of several, each may reach what another does not.
///
/// # Errors
/// As [`look`] and [`heed`].
pub async fn step(house: &House, watch: &mut Watch, now: Duration) -> Result<()> {
    if !db::processes::is_first(&house.db, house.worker.id).await? {
        *watch = Watch::default();
        return Ok(());
    }
    let parts = look(house).await?;
    heed(house, watch, &parts, now).await
}

/// Writes down what is new, at a moment of a clock that never goes back. Two processes that see the same write it once.
///
/// # Errors
/// When the database does not answer; it is tried again at the next look.
pub async fn heed(house: &House, watch: &mut Watch, parts: &[(&'static str, bool)], now: Duration) -> Result<()> {
    for (part, answers) in parts {
        let watched = watch.0.entry(part).or_default();
        let is_written = db::journal::is_degraded(&house.db, REGISTER, part).await?;
        let Some(turn) = watched.look(*answers, now, is_written) else { continue };
        let mut tx = house.db.begin().await?;
        journal::lock(house, &mut tx, Chain::J).await?;
        if db::journal::is_degraded(&mut *tx, REGISTER, part).await? != is_written {
            continue;
        }
        let code = match turn {
            Turn::Begun => EventCode::DegradedBegun,
            Turn::Ended => EventCode::DegradedEnded,
        };
        recording::event(house, &mut tx, code, "", [("part", (*part).to_owned())]).await?;
        tx.commit().await?;
        tracing::warn!(part, ?turn, "degraded mode; recorded in the technical journal");
    }
    Ok(())
}
