//! What the till works with is looked at, and the technical journal says when something of it has failed and when it works again (*mode dégradé*).
//!
//! Selling goes on: sessions are kept in the database without Redis, payments are taken without a terminal, slips wait for the kitchen system.
//! What phones keep while they have no network is not one of these: those are orders, and no ticket is ever made away from the till.

use super::{journal, querying, recording};
use crate::db;
use crate::error::Result;
use crate::state::{House, REGISTER};
use domain::degraded::{PATIENCE, Turn, Watched};
use domain::fiscal::{Chain, EventCode};
use domain::terminal::Probed;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is known of each part, by its name in the journal.
#[derive(Debug, Default)]
pub struct Watch(BTreeMap<&'static str, Watched>);

/// Which parts of this house answer.
///
/// # Errors
/// When the database does not answer: then nothing can be written either.
pub async fn look(house: &House) -> Result<Vec<(&'static str, bool)>> {
    let mut parts = Vec::new();
    if house.redis.is_some() {
        parts.push(("redis", house.sessions.redis_answers().await));
    }
    if let Some(probed) = querying::line(house).await {
        parts.push(("terminal", probed != Probed::Unreachable));
    }
    if house.outbox.is_some() {
        let waited = db::outbox::oldest_waiting(&house.db).await?;
        parts.push(("kitchen_system", waited.is_none_or(|waited| waited < PATIENCE)));
    }
    Ok(parts)
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
