//! Phones that order and pay, and repeat what was not answered under the same id.

use crate::program::{PATIENCE, Person};
use serde_json::{Value, json};
use server::sim::tpe::{Script, Simulator};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Who works, and from which table on; each has four tables. The first takes cards, at the only terminal.
pub const PHONES: [(&str, i64); 4] = [("camille", 1), ("gerant", 5), ("camille", 9), ("gerant", 13)];

/// What a phone was answered.
#[derive(Default)]
pub struct Told {
    /// Every order's id and the table's round.
    pub orders: u64,
    /// What each ticket came to, in cents.
    pub tickets: BTreeMap<i64, i64>,
    /// The same of those paid by card.
    pub by_card: BTreeMap<i64, i64>,
    /// What a person said of payments that nobody knew the end of.
    pub resolved: u64,
}

/// Where an order went, as it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    pub order: i64,
    pub round: i64,
}

/// What all phones know at one moment of what they ordered and paid.
#[derive(Clone, Default)]
pub struct Ledger {
    /// How often anything was answered that changed something.
    pub answers: u64,
    /// What was answered to each request for an order.
    pub orders: BTreeMap<Uuid, Taken>,
    /// What each phone is about to order: it may be there, or not.
    pub ordering: BTreeMap<usize, Uuid>,
    /// Of which order each ticket is that was answered, and what it came to, in cents.
    pub tickets: BTreeMap<i64, (i64, i64)>,
    /// The same of what each phone is about to pay: it may be booked, or not.
    pub in_flight: BTreeMap<usize, (i64, i64)>,
}

pub struct Phone {
    pub n: usize,
    pub person: Person,
    pub repeated: Arc<AtomicU64>,
    pub ledger: Arc<Mutex<Ledger>>,
    pub terminal: Option<Arc<Simulator>>,
}

impl Phone {
    /// Repeats what was not answered. What is refused for good is a fault of this test.
    async fn post(&self, path: &str, body: &Value) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let request = self.person.http.post(format!("{}{path}", self.person.base)).header("cookie", &self.person.cookie).json(body);
            if let Ok(answer) = request.timeout(Duration::from_secs(15)).send().await {
                let status = answer.status();
                if let Ok(said) = answer.json::<Value>().await {
                    if status.is_success() {
                        self.ledger.lock().unwrap().answers += 1;
                        return said;
                    }
                    assert!(status.is_server_error(), "{path}: {status} {said}");
                }
            }
            assert!(Instant::now() < deadline, "{path} is never answered");
            self.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks until it is answered.
    pub async fn get(&self, path: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let request = self.person.http.get(format!("{}{path}", self.person.base)).header("cookie", &self.person.cookie);
            if let Ok(answer) = request.timeout(Duration::from_secs(15)).send().await
                && answer.status().is_success()
                && let Ok(said) = answer.json().await
            {
                return said;
            }
            assert!(Instant::now() < deadline, "{path} is never answered");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One tap, which may end in any way, or not be answered at all: what became of it the bill says.
    async fn tap(&self, order: &Value, owed: i64) {
        let pay = json!({"order_id": order, "cover_number": 1, "amount": owed, "method": "CB", "uuid": Uuid::now_v7()});
        let request = self.person.http.post(format!("{}/api/payments/split", self.person.base)).header("cookie", &self.person.cookie);
        if let Ok(answer) = request.json(&pay).timeout(Duration::from_secs(15)).send().await {
            let status = answer.status().as_u16();
            let said = answer.text().await.unwrap_or_default();
            assert!(matches!(status, 201 | 402 | 409 | 500..), "{status} {said}");
        }
    }

    /// The whole bill by card, until it is paid; a person looks at the terminal when nobody knows. Returns the number of the ticket.
    async fn settle_by_card(&self, terminal: &Simulator, order: &Value, owed: i64, resolved: &mut u64) -> i64 {
        let deadline = Instant::now() + PATIENCE * 2;
        let before = terminal.charged().len();
        let mut last = String::new();
        loop {
            assert!(Instant::now() < deadline, "order {order} is never paid: {last}, the terminal talks: {}", terminal.is_talking());
            let bill = self.get(&format!("/api/orders/{order}/bill")).await;
            let share = &bill["shares"][0];
            match share["status"].as_str() {
                Some("paid") => {
                    let payment = self.get(&format!("/api/payments/{}", share["payment_id"])).await;
                    return payment["ticket_no"].as_i64().unwrap_or_else(|| panic!("{payment} of {bill}"));
                }
                Some("unpaid") => {
                    terminal.play(vec![match rand::random_range(0..20) {
                        0..15 => Script::Approve,
                        15..18 => Script::Slow(Duration::from_millis(rand::random_range(0..1_300))),
                        18 => Script::Decline,
                        _ => Script::Silent,
                    }]);
                    self.tap(order, owed).await;
                }
                _ => {
                    let payment = &share["payment_id"];
                    let attempt = self.get(&format!("/api/payments/{payment}")).await;
                    last = format!("{attempt} of {bill}");
                    if attempt["status"] == "unknown" && !terminal.is_talking() {
                        let outcome = if terminal.charged().len() > before { "accepted" } else { "not_accepted" };
                        let said = json!({"outcome": outcome, "reason": "Ticket du TPE lu"});
                        let path = format!("{}/api/payments/{payment}/resolve", self.person.base);
                        let request = self.person.http.post(path).header("cookie", &self.person.cookie).json(&said);
                        if let Ok(answer) = request.timeout(Duration::from_secs(15)).send().await {
                            *resolved += u64::from(answer.status().is_success());
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Orders, perhaps a second round, and the whole bill.
    pub async fn work(self, first_table: i64, evening: Arc<AtomicBool>) -> Told {
        let mut told = Told::default();
        while !evening.load(Ordering::Relaxed) {
            let table = first_table + i64::try_from(told.orders).unwrap() % 4;
            let qty = 1 + told.orders % 3;
            let key = Uuid::now_v7();
            let order =
                json!({"table_id": table, "covers": 1, "uuid": key, "items": [{"dish_id": 12, "qty": qty}, {"wine_id": 34, "qty": 1}]});
            self.ledger.lock().unwrap().ordering.insert(self.n, key);
            let taken = self.post("/api/orders", &order).await;
            told.orders += 1;
            let owed = i64::try_from(24 * qty + 28).unwrap();
            let (place, paid) = {
                let [order, round] = ["order_id", "round"].map(|field| taken[field].as_i64().unwrap());
                (Taken { order, round }, (order, owed * 100))
            };
            {
                let mut ledger = self.ledger.lock().unwrap();
                ledger.ordering.remove(&self.n);
                ledger.orders.insert(key, place);
                ledger.in_flight.insert(self.n, paid);
            }
            let ticket = if let Some(terminal) = &self.terminal {
                let ticket = self.settle_by_card(terminal, &taken["order_id"], owed, &mut told.resolved).await;
                told.by_card.insert(ticket, owed * 100);
                ticket
            } else {
                let pay =
                    json!({"order_id": taken["order_id"], "cover_number": 1, "amount": owed, "method": "ESPECES", "uuid": Uuid::now_v7()});
                let said = self.post("/api/payments/split", &pay).await;
                assert_eq!(said["status"], "order_complete", "{said}");
                said["ticket_no"].as_i64().unwrap()
            };
            {
                let mut ledger = self.ledger.lock().unwrap();
                ledger.in_flight.remove(&self.n);
                ledger.tickets.insert(ticket, paid);
            }
            let again = told.tickets.insert(ticket, owed * 100);
            assert_eq!(again, None, "two payments with one ticket");
        }
        told
    }
}
