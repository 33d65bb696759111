//! Who is told of ready dishes when, and how connections are watched.

use super::{ConfigError, parse, refuse};
use crate::adapters::push::vapid::Vapid;
use crate::jwt::Secret;
use http::Uri;
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

/// How phones that sleep are told.
#[derive(Debug, Clone, PartialEq)]
pub struct PushConfig {
    /// `VAPID_PRIVATE_KEY`, `VAPID_SUBJECT`: who sends.
    pub vapid: Vapid,
    /// `PUSH_SERVICES`: push services besides those of the browsers, scheme and authority of each.
    pub services: Vec<Uri>,
    /// How long a phone that is awake has to say that it heard. The contract fixes it; tests are in a hurry.
    pub after: Duration,
}

/// A page that is awake says at once that it heard, a network may take a moment, and a push service takes about as long again.
const AWAKE_WITHIN: Duration = Duration::from_secs(2);

pub(super) fn parse_push(
    key: Option<String>,
    subject: Option<String>,
    services: Option<String>,
) -> Result<Option<PushConfig>, ConfigError> {
    const KEY: &str = "give what `comptoir push-key` prints, together with VAPID_SUBJECT";
    const SUBJECT: &str = "give an address at which a push service can complain, mailto:… or https://…, together with VAPID_PRIVATE_KEY";
    const SERVICES: &str = "give https://HOST or https://HOST:PORT, several with commas between them; http:// only on this machine";
    let key = key.map(|text| Vapid::read_key(&text).ok_or_else(|| refuse("VAPID_PRIVATE_KEY", KEY))).transpose()?;
    let is_address = |text: &String| text.strip_prefix("mailto:").is_some_and(|rest| rest.contains('@')) || text.starts_with("https://");
    if subject.as_ref().is_some_and(|subject| !is_address(subject)) {
        return Err(refuse("VAPID_SUBJECT", SUBJECT));
    }
    let services = services.as_deref().unwrap_or_default().split(',').map(str::trim).filter(|text| !text.is_empty());
    let services: Vec<Uri> =
        services.map(|text| parse_service(text).ok_or_else(|| refuse("PUSH_SERVICES", SERVICES))).collect::<Result<_, _>>()?;
    match (key, subject) {
        (None, None) => Ok(None),
        (Some(key), Some(subject)) => Ok(Some(PushConfig { vapid: Vapid::new(key, subject), services, after: AWAKE_WITHIN })),
        (Some(_), None) => Err(refuse("VAPID_SUBJECT", SUBJECT)),
        (None, Some(_)) => Err(refuse("VAPID_PRIVATE_KEY", KEY)),
    }
}

/// A push service of the house: without TLS only where nobody can listen in.
fn parse_service(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@') && !authority.host().is_empty())?;
    let is_here = matches!(authority.host(), "127.0.0.1" | "[::1]" | "localhost");
    let is_private = uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && is_here);
    (is_private && uri.path() == "/" && uri.query().is_none()).then_some(uri)
}
