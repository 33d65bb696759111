//! Looks into the books while everything goes on.

use super::Fault;
use super::machine::socket_of;
use super::phone::{Ledger, Phone};
use crate::program::PATIENCE;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// After a fault so many answers come before anything is compared: the house works again.
const WORKS_AGAIN: u64 = 4;

/// Reads what is booked, by a way of its own, while everything goes on.
pub struct Auditor {
    pub data: PathBuf,
    pub phone: Phone,
    pub ledger: Arc<Mutex<Ledger>>,
    pub checks: u64,
}

impl Auditor {
    async fn booked(&self) -> BTreeMap<i64, i64> {
        let options = PgConnectOptions::new_without_pgpass().socket(socket_of(&self.data)).username("comptoir").database("comptoir");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let read = async {
                let mut db = PgConnection::connect_with(&options.clone().ssl_mode(PgSslMode::Disable)).await?;
                let booked = "select l.seq, p.amount_cents from payments p join audit_logs l on l.id = p.audit_log_id";
                let booked: Vec<(i64, i64)> = sqlx::query_as(booked).fetch_all(&mut db).await?;
                db.close().await?;
                Ok::<_, sqlx::Error>(booked)
            };
            match read.await {
                Ok(booked) => return booked.into_iter().collect(),
                Err(error) => assert!(Instant::now() < deadline, "the database does not come back: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The house works again, what was answered is booked, what is booked was answered or is about to be, and the journal is sound.
    pub async fn check(&mut self, after: Fault) {
        let ledger = || self.ledger.lock().unwrap().clone();
        let (enough, deadline) = (ledger().answers + WORKS_AGAIN, Instant::now() + 2 * PATIENCE);
        while ledger().answers < enough {
            assert!(Instant::now() < deadline, "nobody is answered any more after {after:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let before = ledger();
        let booked = self.booked().await;
        let now = ledger();
        for (ticket, cents) in &before.tickets {
            assert_eq!(booked.get(ticket), Some(cents), "ticket {ticket} after {after:?}");
        }
        let mut in_flight: Vec<i64> = now.in_flight.into_values().collect();
        for (ticket, cents) in booked.iter().filter(|(ticket, _)| !now.tickets.contains_key(ticket)) {
            let at = in_flight.iter().position(|open| open == cents);
            in_flight.swap_remove(at.unwrap_or_else(|| panic!("nobody paid ticket {ticket}, after {after:?}")));
        }
        let report = self.phone.get("/api/nf525/verify").await;
        assert_eq!(report["ok"], true, "after {after:?}: {report}");
        self.checks += 1;
    }
}
