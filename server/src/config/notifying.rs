//! Who is told of ready dishes when, and how connections are watched.

use super::{ConfigError, parse, refuse};
use crate::jwt::Secret;
use std::time::Duration;

/// How connections are watched. The contract fixes it; tests are in a hurry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// How often the server asks.
    pub ping_every: Duration,
    /// How long a silence it accepts, and how long a frame may take.
    pub silence: Duration,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { ping_every: Duration::from_secs(10), silence: Duration::from_secs(30) }
    }
}

/// After how long others are told of a dish that nobody came for; `None`: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escalation {
    /// `READY_COLLEAGUES_S`: the other waiters of the room.
    pub colleagues: Option<Duration>,
    /// `READY_TILL_S`: the till.
    pub till: Option<Duration>,
}

impl Escalation {
    /// Nobody else is ever told.
    pub const NEVER: Self = Self { colleagues: None, till: None };
}

/// A minute is a long time for a plate under a lamp, three are too many.
const COLLEAGUES_S: u64 = 60;
const TILL_S: u64 = 180;
/// Whoever waits longer wants never.
const LONGEST_S: u64 = 3600;

pub(super) fn parse_escalation(colleagues: Option<String>, till: Option<String>) -> Result<Escalation, ConfigError> {
    let read = |value, name, otherwise| {
        const ACCEPTED: &str = "give a number of seconds from 1 to 3600, or 0 for never";
        let seconds = parse(value, name, ACCEPTED)?.unwrap_or(otherwise);
        if seconds > LONGEST_S { Err(refuse(name, ACCEPTED)) } else { Ok((seconds > 0).then(|| Duration::from_secs(seconds))) }
    };
    let colleagues = read(colleagues, "READY_COLLEAGUES_S", COLLEAGUES_S)?;
    // Somebody who only says when colleagues are told does not want the till to be told before them.
    let otherwise = TILL_S.max(colleagues.map_or(0, |after| after.as_secs()));
    let till = read(till, "READY_TILL_S", otherwise)?;
    match (colleagues, till) {
        (Some(first), Some(then)) if then < first => {
            Err(refuse("READY_TILL_S", "give at least as many seconds as READY_COLLEAGUES_S (60 unless said), or 0 for never"))
        }
        _ => Ok(Escalation { colleagues, till }),
    }
}

pub(super) fn parse_secret(text: Option<String>) -> Result<Option<Secret>, ConfigError> {
    text.map(|text| Secret::new(&text).ok_or_else(|| refuse("ERP_JWT_SECRET", "give at least 32 bytes drawn at random"))).transpose()
}
