//! Looks into all the books while everything goes on: the till's, the phones', the terminal's and the kitchen's.

use super::Fault;
use super::machine::socket_of;
use super::phone::{Ledger, Phone, Taken};
use crate::program::PATIENCE;
use server::sim::erp::{Cooked, read_log};
use server::sim::tpe::{Charged, Simulator};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection, PgConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// After a fault so many answers come before anything is compared: the house works again.
const WORKS_AGAIN: u64 = 4;

/// Reads what is booked, by a way of its own, while everything goes on.
pub struct Auditor {
    pub data: PathBuf,
    pub phone: Phone,
    pub ledger: Arc<Mutex<Ledger>>,
    pub terminal: Arc<Simulator>,
    pub kitchen: PathBuf,
    pub checks: u64,
}

/// What the till has at one moment.
struct Books {
    /// By the id of its request: what was taken. One that is made within another transaction is not there.
    orders: BTreeMap<Uuid, Taken>,
    /// All rounds of all tables.
    rounds: u64,
    /// By ticket: of which order, and how much in cents.
    payments: BTreeMap<i64, (i64, i64)>,
    /// By its reference at the terminal: how far it is, and what is booked for it, in cents.
    attempts: BTreeMap<String, (String, Option<i64>)>,
    slips: BTreeSet<String>,
}

impl Auditor {
    async fn books(&self) -> Books {
        let options = PgConnectOptions::new_without_pgpass().socket(socket_of(&self.data)).username("comptoir").database("comptoir");
        let deadline = Instant::now() + PATIENCE;
        loop {
            match read(options.clone().ssl_mode(PgSslMode::Disable)).await {
                Ok(books) => return books,
                Err(error) => assert!(Instant::now() < deadline, "the database does not come back: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The house works again; what was answered is there once, what is there was answered or is about to be; what the terminal charged is booked, or
    /// under way; the kitchen cooks nothing twice, and nothing that was not ordered; the journal is sound.
    pub async fn check(&mut self, after: Fault) {
        let ledger = || self.ledger.lock().unwrap().clone();
        let (enough, deadline) = (ledger().answers + WORKS_AGAIN, Instant::now() + 2 * PATIENCE);
        while ledger().answers < enough {
            assert!(Instant::now() < deadline, "nobody is answered any more after {after:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // What others knew before is in the till's books, and what is in them others know after.
        let (before, charged_before, cooked) = (ledger(), self.terminal.charged(), read_log(&self.kitchen).unwrap());
        let books = self.books().await;
        let (now, charged_now) = (ledger(), self.terminal.charged());

        orders(&books, &before, &now, after);
        payments(&books, &before, &now, after);
        charges(&books, &charged_before, &charged_now, after);
        slips(&books, &cooked, after);
        let report = self.phone.get("/api/nf525/verify").await;
        assert_eq!(report["ok"], true, "after {after:?}: {report}");
        self.checks += 1;
    }
}

/// In one snapshot.
async fn read(options: PgConnectOptions) -> sqlx::Result<Books> {
    let mut db = PgConnection::connect_with(&options).await?;
    sqlx::raw_sql("begin isolation level repeatable read read only").execute(&mut db).await?;
    let orders: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "select key, (answer ->> 'order_id')::bigint, (answer ->> 'round')::bigint from idempotency where answer ->> 'round' is not null",
    )
    .fetch_all(&mut db)
    .await?;
    let rounds: i64 = sqlx::query_scalar("select coalesce(sum(rounds), 0)::bigint from orders").fetch_one(&mut db).await?;
    let payments: Vec<(i64, i64, i64)> =
        sqlx::query_as("select l.seq, p.order_id, p.amount_cents from payments p join audit_logs l on l.id = p.audit_log_id")
            .fetch_all(&mut db)
            .await?;
    let attempts: Vec<(String, String, Option<i64>)> = sqlx::query_as(
        "select a.reference, a.state, p.amount_cents from payment_attempts a left join payments p on p.attempt_id = a.id where a.terminal <> 'none'",
    )
    .fetch_all(&mut db)
    .await?;
    let slips: Vec<(String,)> = sqlx::query_as("select key::text from kitchen_slips").fetch_all(&mut db).await?;
    db.close().await?;
    Ok(Books {
        orders: orders.into_iter().map(|(key, order, round)| (key, Taken { order, round })).collect(),
        rounds: u64::try_from(rounds).unwrap(),
        payments: payments.into_iter().map(|(ticket, order, cents)| (ticket, (order, cents))).collect(),
        attempts: attempts.into_iter().map(|(reference, state, booked)| (reference, (state, booked))).collect(),
        slips: slips.into_iter().map(|(key,)| key).collect(),
    })
}

fn orders(books: &Books, before: &Ledger, now: &Ledger, after: Fault) {
    for (key, taken) in &before.orders {
        assert_eq!(books.orders.get(key), Some(taken), "order {key} after {after:?}");
    }
    for key in books.orders.keys().filter(|key| !now.orders.contains_key(key)) {
        assert!(now.ordering.values().any(|asked| asked == key), "nobody ordered {key}, after {after:?}");
    }
    // Two requests, two rounds: an order that was taken twice would have a round that no request has.
    assert_eq!(u64::try_from(books.orders.len()).unwrap(), books.rounds, "rounds and requests after {after:?}");
    let places: BTreeSet<&Taken> = books.orders.values().collect();
    assert_eq!(places.len(), books.orders.len(), "two requests of one round after {after:?}");
}

fn payments(books: &Books, before: &Ledger, now: &Ledger, after: Fault) {
    for (ticket, paid) in &before.tickets {
        assert_eq!(books.payments.get(ticket), Some(paid), "ticket {ticket} after {after:?}");
    }
    let mut in_flight: Vec<(i64, i64)> = now.in_flight.values().copied().collect();
    for (ticket, paid) in books.payments.iter().filter(|(ticket, _)| !now.tickets.contains_key(ticket)) {
        let at = in_flight.iter().position(|open| open == paid);
        in_flight.swap_remove(at.unwrap_or_else(|| panic!("nobody paid ticket {ticket} ({paid:?}), after {after:?}")));
    }
}

fn charges(books: &Books, before: &[Charged], now: &[Charged], after: Fault) {
    let mut open = 0;
    for charge in before {
        let (state, booked) = books.attempts.get(&charge.reference).unwrap_or_else(|| panic!("{charge:?} is nobody's, after {after:?}"));
        match (state.as_str(), booked) {
            ("approved", Some(cents)) => assert_eq!(*cents, charge.amount.0, "{charge:?} after {after:?}"),
            ("created" | "sending" | "sent" | "unknown", None) => open += 1,
            other => panic!("{charge:?} is {other:?}, after {after:?}"),
        }
    }
    assert!(open <= 1, "the one terminal has one guest, and {open} charges are not booked after {after:?}");
    let charged: BTreeSet<&str> = now.iter().map(|charge| charge.reference.as_str()).collect();
    assert_eq!(charged.len(), now.len(), "one attempt was charged twice, after {after:?}");
    for (reference, _) in books.attempts.iter().filter(|(_, (_, booked))| booked.is_some()) {
        assert!(charged.contains(reference.as_str()), "{reference} is booked and was never charged, after {after:?}");
    }
}

fn slips(books: &Books, cooked: &[Cooked], after: Fault) {
    let mut seen = BTreeSet::new();
    for slip in cooked {
        assert!(books.slips.contains(&slip.key), "nobody wrote slip {}, after {after:?}", slip.key);
        assert!(seen.insert(&slip.key), "slip {} is cooked twice, after {after:?}", slip.key);
    }
}
