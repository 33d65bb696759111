//! What the process counts while it runs, and how the house is when somebody asks: Prometheus' text, for `/metrics`.
//!
//! Requests are counted as they end, under the path as `router.rs` writes it, so that ids and what strangers type make no new series. Everything else is
//! read when it is asked for. What the database would say is missing while it does not answer, and nothing else is: that is when somebody looks.

use crate::db::vitals::{self, Vitals};
use crate::error::{Error, Result};
use crate::services::{querying, self_check};
use crate::state::House;
use domain::attempt::AttemptState;
use domain::breaker::Phase;
use domain::terminal::Probed;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Upper bounds of the answer times, in seconds. Most answers take a few milliseconds; the last bound is where requests are given up.
const BOUNDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 30.0];

/// The database may take so long. Whoever scrapes waits ten seconds, as a rule, for everything.
const DATABASE_WITHIN: Duration = Duration::from_secs(2);

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// What is counted as it happens. Cheap to clone: all copies count together.
#[derive(Clone)]
pub struct Metrics {
    answered: Family<Answered, Counter>,
    took: Family<Route, Histogram>,
    ended: Family<State, Counter>,
    sign_ins_refused: Family<Why, Counter>,
    names_locked: Counter,
    /// Whoever watches asks the database one after the other: its connections are for those who sell.
    asking: Arc<Semaphore>,
}

impl Default for Metrics {
    fn default() -> Self {
        let ended = Family::<State, Counter>::default();
        // All of them always: what never happened is 0, and no series is missing from an alarm.
        for state in AttemptState::ALL.into_iter().filter(|state| !state.is_under_way()) {
            drop(ended.get_or_create(&State { state: state.as_str().to_owned() }));
        }
        let sign_ins_refused = Family::<Why, Counter>::default();
        for why in [Refusal::wrong_pin, Refusal::too_many] {
            drop(sign_ins_refused.get_or_create(&Why { why }));
        }
        Self {
            answered: Family::default(),
            took: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            ended,
            sign_ins_refused,
            names_locked: Counter::default(),
            asking: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Metrics {
    /// A request was answered. `route` is the path as the router knows it.
    pub fn answered(&self, method: &http::Method, route: &str, status: u16, took: Duration) {
        self.answered.get_or_create(&Answered { method: known(method), route: route.to_owned(), status }).inc();
        self.took.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// A card attempt came to an end, or nobody knows of any. Counted as it is decided: should the database not take it, it is decided and counted again.
    pub fn attempt_ended(&self, state: AttemptState) {
        self.ended.get_or_create(&State { state: state.as_str().to_owned() }).inc();
    }

    /// Somebody was not let in. Which name it was is nobody's business here.
    pub fn sign_in_refused(&self, error: &Error) {
        let why = match error {
            Error::WrongPin => Refusal::wrong_pin,
            Error::TooMany { .. } => Refusal::too_many,
            _ => return,
        };
        self.sign_ins_refused.get_or_create(&Why { why }).inc();
    }

    /// A name was locked, or is locked for longer: too many wrong PINs in a row.
    pub fn name_locked(&self) {
        self.names_locked.inc();
    }
}

/// Methods that somebody made up share one name.
fn known(method: &http::Method) -> &'static str {
    ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"].into_iter().find(|name| method == name).unwrap_or("other")
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Link {
    register: String,
    chain: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: Tickets,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "these are the label's values")]
enum Tickets {
    sales,
    training,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    why: Refusal,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "these are the label's values")]
enum Refusal {
    wrong_pin,
    too_many,
}

/// How the house is, as Prometheus reads it.
///
/// # Errors
/// When it cannot be written down.
pub async fn page(house: &House) -> Result<String> {
    let redis = async {
        match &house.redis {
            Some(redis) => Some(redis.answers().await),
            None => None,
        }
    };
    let (vitals, redis, line) = tokio::join!(vitals_of(house), redis, querying::line(house));
    let mut registry = Registry::with_prefix("comptoir");
    registry.register("requests", "Requests answered", house.metrics.answered.clone());
    registry.register("request_duration_seconds", "From the request's head to the answer's", house.metrics.took.clone());
    let ended = house.metrics.ended.clone();
    registry.register("card_attempts_ended", "Card attempts of this process that came to an end, or to unknown, by how", ended);
    let refused = house.metrics.sign_ins_refused.clone();
    registry.register("sign_ins_refused", "Sign-ins that this process refused, by why", refused);
    let locked = house.metrics.names_locked.clone();
    registry.register("names_locked", "Wrong PINs that locked a name, or locked it for longer", locked);
    gauge(&mut registry, "database_up", "1 while PostgreSQL answers; what it would say is missing otherwise", i64::from(vitals.is_some()));
    if let Some(vitals) = vitals {
        tell(&mut registry, vitals);
    }
    if let Some(answers) = redis {
        gauge(&mut registry, "redis_up", "1 while Redis answers", i64::from(answers));
    }
    let flaws = house.integrity.flaws();
    let flawed = self_check::prove_something(&flaws);
    gauge(&mut registry, "journal_flawed", "1 while the till's own check finds the journal wanting", i64::from(flawed));
    let unchecked = !flaws.is_empty() && !flawed;
    gauge(&mut registry, "journal_unchecked", "1 while that check does not work to its end", i64::from(unchecked));
    gauge(&mut registry, "anchors_up", "1 while the file of anchors can be written", i64::from(house.anchoring.is_there()));
    gauge(&mut registry, "closings_not_anchored", "Closings that this process could not anchor yet", house.anchoring.missing());
    gauge(&mut registry, "sockets", "Open WebSockets of this process", house.bus.listeners());
    gauge(&mut registry, "database_connections", "Connections of this process to PostgreSQL", i64::from(house.db.size()));
    if let Some(line) = line {
        gauge(&mut registry, "terminal_up", "1 while the card terminal answers", i64::from(line != Probed::Unreachable));
    }
    if let Some(outbox) = &house.outbox {
        let phases = Family::<State, Gauge>::default();
        for (phase, name) in [(Phase::Closed, "closed"), (Phase::Open, "open"), (Phase::HalfOpen, "half_open")] {
            phases.get_or_create(&State { state: name.to_owned() }).set(i64::from(outbox.phase() == phase));
        }
        registry.register("kitchen_breaker", "1 for the state that the breaker before the kitchen system is in", phases);
    }
    let mut text = String::new();
    encode(&mut text, &registry).map_err(Error::internal)?;
    Ok(text)
}

/// What the database says of the house; nothing when it does not answer in time.
async fn vitals_of(house: &House) -> Option<Vitals> {
    let read = async {
        let _turn = house.metrics.asking.acquire().await.map_err(Error::internal)?;
        vitals::read(&mut *house.db.acquire().await?, &house.zone).await
    };
    match tokio::time::timeout(DATABASE_WITHIN, read).await {
        Ok(Ok(vitals)) => Some(vitals),
        Ok(Err(error)) => {
            tracing::warn!(%error, "figures without those of the database");
            None
        }
        Err(_) => {
            tracing::warn!("figures without those of the database, which does not answer in time");
            None
        }
    }
}

fn tell(registry: &mut Registry, vitals: Vitals) {
    gauge(registry, "money_to_check", "Sums that a terminal took and a person has to decide about", vitals.money_to_check);
    gauge(registry, "kitchen_slips_waiting", "Slips that the kitchen system has not taken", vitals.slips_waiting);
    gauge(registry, "kitchen_slips_refused", "Those of them that it said it does not want", vitals.slips_refused);
    gauge(registry, "kitchen_oldest_slip_seconds", "Age of the oldest of them", vitals.oldest_slip);
    gauge(registry, "prints_waiting", "Papers that the printer of the till has not taken", vitals.prints_waiting);
    let attempts = Family::<State, Gauge>::default();
    // All four always, so that an alarm on `unknown` has a series to look at.
    for state in ["created", "sending", "sent", "unknown"] {
        let count = vitals.attempts.iter().find(|(is, _)| is == state).map_or(0, |(_, count)| *count);
        attempts.get_or_create(&State { state: state.to_owned() }).set(count);
    }
    registry.register("card_attempts", "Card attempts without an end", attempts);
    let heads = Family::<Link, Gauge>::default();
    for (register, chain, seq) in vitals.chain_heads {
        heads.get_or_create(&Link { register, chain }).set(seq);
    }
    registry.register("journal_head", "Number of the last record of each chain", heads);
    let days = Family::<Kind, Gauge>::default();
    for (training, age) in vitals.open_days {
        days.get_or_create(&Kind { kind: if training { Tickets::training } else { Tickets::sales } }).set(age);
    }
    registry.register("open_day_seconds", "Since when the oldest service day waits for its Z", days);
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: i64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}
