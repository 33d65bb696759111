//! A card against a terminal that misbehaves: a real one over a real socket or pseudo-terminal, with a ledger of its own.

use crate::paying::table_12;
use crate::support::{Answer, Client, TestApp};
use domain::Cents;
use domain::terminal::Till;
use domain::terminal::caisse_ap::Dialect;
use domain::terminal::concert::Speech;
use serde_json::{Value, json};
use server::config::{CaisseApLine, ConcertLine, Framing, Terminal};
use server::sim::tpe::line::PseudoTerminal;
use server::sim::tpe::{Script, Simulator};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use uuid::Uuid;

pub fn caisse_ap(port: u16, patience: Duration, late: Duration) -> Terminal {
    let (host, till, dialect) = ("127.0.0.1".to_owned(), Till::FIRST, Dialect::default());
    Terminal::CaisseAp(CaisseApLine { host, port, till, dialect, patience, late })
}

/// A till and its terminal, a table of 102.00 for four, and a cashier.
pub struct Scene {
    pub app: TestApp,
    pub terminal: Arc<Simulator>,
    pub camille: Client,
    pub order: Value,
}

impl Scene {
    pub async fn playing(scripts: &[&str]) -> Self {
        Self::patient(scripts, Duration::from_secs(20)).await
    }

    /// The line is closed when the guest had time enough.
    pub async fn patient(scripts: &[&str], patience: Duration) -> Self {
        Self::listening(scripts, patience, Duration::ZERO).await
    }

    /// The line is listened to for a while when the guest had time enough.
    pub async fn listening(scripts: &[&str], patience: Duration, late: Duration) -> Self {
        let terminal = Simulator::playing(scripts.iter().map(|script| script.parse().unwrap()).collect());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(terminal.clone().serve(listener));
        Self::with(terminal, caisse_ap(port, patience, late)).await
    }

    pub async fn with(terminal: Arc<Simulator>, config: Terminal) -> Self {
        let app = TestApp::with_terminal(config).await;
        let camille = app.signed_in("camille").await;
        let order = table_12(&camille).await;
        Self { app, terminal, camille, order }
    }

    pub async fn charge(&self, cover: u32) -> Answer {
        self.charge_as(cover, Uuid::now_v7()).await
    }

    pub async fn charge_as(&self, cover: u32, uuid: Uuid) -> Answer {
        let body = json!({"order_id": self.order, "cover_number": cover, "amount": 25.5, "method": "CB", "uuid": uuid});
        self.camille.post("/api/payments/split", &body).await
    }

    pub async fn cash(&self, cover: u32) -> Answer {
        let body = json!({"order_id": self.order, "cover_number": cover, "amount": 25.5, "method": "ESPECES"});
        self.camille.post("/api/payments/split", &body).await
    }

    pub async fn resolve(&self, payment: &Value, body: Value) -> Answer {
        self.camille.post(&format!("/api/payments/{payment}/resolve"), &body).await
    }

    pub async fn payment(&self, id: &Value) -> Value {
        self.camille.get(&format!("/api/payments/{id}")).await.body
    }

    /// States of an attempt, in the order in which it went through them.
    pub async fn steps(&self, id: &Value) -> Vec<String> {
        let history = self.payment(id).await["history"].clone();
        history.as_array().unwrap().iter().map(|step| step["to"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn share(&self, cover: u32) -> Value {
        let bill = self.camille.get(&format!("/api/orders/{}/bill", self.order)).await.body;
        bill["shares"].as_array().unwrap().iter().find(|share| share["cover_number"] == cover).unwrap().clone()
    }

    /// Charges on the terminal's own ledger = what is booked by card + what nobody knows. Nothing twice.
    pub async fn ledgers_agree(&self) {
        let charged = self.terminal.charged();
        for charge in &charged {
            let (state, booked): (String, Option<i64>) =
                sqlx::query_as("select state, booked_cents from payment_attempts where reference = $1")
                    .bind(&charge.reference)
                    .fetch_one(&self.app.owner)
                    .await
                    .unwrap();
            assert!(state == "unknown" || booked == Some(charge.amount.0), "charged {charge:?}, and {state} with {booked:?}");
            assert_eq!(charged.iter().filter(|other| other.reference == charge.reference).count(), 1, "charged twice: {charge:?}");
        }
        let booked: Vec<(String, i64)> = sqlx::query_as(
            "select a.reference, p.amount_cents from payments p join payment_attempts a on a.id = p.attempt_id where p.method = 'CB'",
        )
        .fetch_all(&self.app.owner)
        .await
        .unwrap();
        for (reference, cents) in booked {
            let found = charged.iter().any(|charge| charge.reference == reference && charge.amount == Cents(cents));
            assert!(found, "{reference} booked {cents} that were never charged");
        }
        let unequal: i64 = sqlx::query_scalar(
            "select count(*) from payments p where amount_cents <> (select sum(amount_cents) from share_parts where payment_id = p.id)",
        )
        .fetch_one(&self.app.owner)
        .await
        .unwrap();
        assert_eq!(unequal, 0, "a payment owns what it paid");
    }

    /// Waits until the payment is there, woken by the events that every step sends to the screens.
    pub async fn until(&self, id: &Value, status: &str, events: &mut tokio::sync::broadcast::Receiver<server::adapters::bus::Envelope>) {
        let waited = async {
            while self.payment(id).await["status"] != status {
                // Not every step is announced.
                let _ = tokio::time::timeout(Duration::from_millis(50), events.recv()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap_or_else(|_| panic!("{id} never became {status}"));
    }

    /// Charges a share and comes back when its request is at the terminal, with its number and what will be answered.
    pub async fn at_the_terminal(&self, cover: u32) -> (Value, tokio::task::JoinHandle<Answer>) {
        let body = json!({"order_id": self.order, "cover_number": cover, "amount": 25.5, "method": "CB", "uuid": Uuid::now_v7()});
        let camille = self.camille.clone();
        let answer = tokio::spawn(async move { camille.post("/api/payments/split", &body).await });
        let mut events = self.app.house.bus.listen();
        let id = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                let share = self.share(cover).await;
                if share["status"] == "pending" && self.payment(&share["payment_id"]).await["status"] == "sent" {
                    break share["payment_id"].clone();
                }
                let _ = tokio::time::timeout(Duration::from_millis(20), events.recv()).await;
            }
        });
        (id.await.expect("it is sent"), answer)
    }
}

pub fn says(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.code())
}

#[tokio::test]
async fn an_approved_card_settles_its_share_with_a_ticket() {
    let scene = Scene::playing(&["approve"]).await;
    let uuid = Uuid::now_v7();
    let paid = scene.charge_as(1, uuid).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    assert_eq!(
        (&paid.body["status"], &paid.body["remaining"], &paid.body["remaining_amount"]),
        (&json!("paid"), &json!("3/4"), &json!(76.5))
    );
    let id = &paid.body["payment_id"];
    let payment = scene.payment(id).await;
    assert_eq!((&payment["status"], &payment["approval_code"], &payment["ticket_no"]), (&json!("approved"), &json!("123456"), &json!(1)));
    assert_eq!(scene.steps(id).await, ["created", "sending", "sent", "approved"]);
    assert_eq!((&scene.share(1).await["status"], &scene.share(1).await["payment_id"]), (&json!("paid"), id));
    let ticket = scene.camille.get("/api/nf525/tickets/1").await.body["text"].as_str().unwrap().to_owned();
    assert!(ticket.contains("Carte bancaire") && ticket.contains("123456") && !ticket.contains("497010"), "{ticket}");

    let again = scene.charge_as(1, uuid).await;
    assert_eq!((again.status, again.header("idempotent-replay"), &again.body), (201, Some("true"), &paid.body));
    for cover in 2..=4 {
        assert_eq!(scene.charge(cover).await.status, 201);
    }
    assert_eq!(scene.charge(4).await.code(), "already_paid");
    let verified = scene.camille.get("/api/nf525/verify").await.body;
    assert_eq!(verified["ok"], json!(true), "{verified}");
    let z = scene.camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!(z.body["summary"]["by_method"]["CB"], json!(102), "{}", z.text);
    assert_eq!(scene.terminal.charged().len(), 4);
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_refused_card_leaves_its_share_free() {
    let scene = Scene::playing(&["decline", "cancel", "approve"]).await;
    let uuid = Uuid::now_v7();
    let declined = scene.charge_as(1, uuid).await;
    assert_eq!((says(&declined), &declined.body["reason"]), ((402, "card_declined"), &json!("AF04")));
    assert_eq!(scene.share(1).await["status"], "unpaid");
    let again = scene.charge_as(1, uuid).await;
    assert_eq!(
        (says(&again), again.header("idempotent-replay")),
        ((402, "card_declined"), Some("true")),
        "the first answer, and no second request"
    );
    assert_eq!(scene.terminal.requests(), 1);
    assert_eq!(says(&scene.charge(1).await), (402, "card_cancelled"));
    assert_eq!(scene.charge(1).await.status, 201);
    let kept: i64 = sqlx::query_scalar("select count(*) from payment_attempts").fetch_one(&scene.app.owner).await.unwrap();
    assert_eq!(kept, 3, "what failed stays");
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_silent_terminal_locks_its_share_until_somebody_has_looked() {
    let scene = Scene::patient(&["silent", "approve"], Duration::from_secs(1)).await;
    let uuid = Uuid::now_v7();
    let silent = scene.charge_as(2, uuid).await;
    assert_eq!(says(&silent), (504, "terminal_unknown"), "{}", silent.text);
    let id = silent.body["payment_id"].clone();
    assert_eq!((&scene.share(2).await["status"], &scene.share(2).await["payment_id"]), (&json!("unknown"), &id));
    assert_eq!(says(&scene.charge_as(2, uuid).await), (504, "terminal_unknown"), "the same request asks nothing again");

    // Locked against any means, against a new division, against removals, against the closing.
    for refused in [scene.charge(2).await, scene.cash(2).await] {
        assert_eq!((says(&refused), &refused.body["payment_id"]), ((409, "payment_in_progress"), &id));
    }
    let order = &scene.order;
    let split = scene.camille.put(&format!("/api/orders/{order}/split"), &json!({"mode": "equal", "parts": 2})).await;
    let shares: Vec<(u64, &Value)> =
        split.body["shares"].as_array().unwrap().iter().map(|share| (share["cover_number"].as_u64().unwrap(), &share["amount"])).collect();
    assert_eq!(shares, [(1, &json!(38.25)), (2, &json!(25.5)), (3, &json!(38.25))], "the locked share is as it was");
    let line = scene.camille.get(&format!("/api/orders/{order}")).await.body["lines"][0]["line_id"].clone();
    let void = scene.camille.post(&format!("/api/orders/{order}/lines/{line}/void"), &json!({"qty": 1, "reason": "Erreur"})).await;
    assert_eq!(says(&void), (409, "payment_in_progress"));
    let close = scene.camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!((says(&close), &close.body["payment_ids"]), ((409, "unresolved_payments"), &json!([id])));

    // The terminal is free for others meanwhile.
    let other = json!({"order_id": order, "cover_number": 1, "amount": 38.25, "method": "CB"});
    assert_eq!(scene.camille.post("/api/payments/split", &other).await.body["remaining"], "2/3");

    let mute = scene.resolve(&id, json!({"outcome": "not_accepted", "reason": " "})).await;
    assert_eq!((mute.status, &mute.body["errors"][0]["field"]), (422, &json!("reason")));
    let freed = scene.resolve(&id, json!({"outcome": "not_accepted", "reason": "Ticket du TPE : transaction abandonnée"})).await;
    assert_eq!((freed.status, &freed.body["status"]), (200, &json!("declined")), "{}", freed.text);
    let last = freed.body["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["by"], &last["why"]), (&json!("Camille"), &json!("Ticket du TPE : transaction abandonnée")));
    assert_eq!(says(&scene.resolve(&id, json!({"outcome": "accepted", "reason": "Non, si"})).await), (409, "not_unknown"));
    assert_eq!(scene.share(2).await["status"], "unpaid");
    assert_eq!(scene.steps(&id).await, ["created", "sending", "sent", "unknown", "declined"]);
    assert_eq!(scene.camille.post("/api/nf525/close", &json!({})).await.status, 200);
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_lost_answer_is_booked_once_a_person_has_read_the_terminal_s_ticket() {
    let scene = Scene::playing(&["drop-after-request"]).await;
    let uuid = Uuid::now_v7();
    let lost = scene.charge_as(1, uuid).await;
    assert_eq!(says(&lost), (504, "terminal_unknown"), "not an error that invites a second charge");
    assert_eq!(scene.terminal.charged().len(), 1);
    scene.ledgers_agree().await;
    let id = &lost.body["payment_id"];
    let booked = scene.resolve(id, json!({"outcome": "accepted", "approval_code": "A77", "reason": "Ticket du TPE lu"})).await;
    assert_eq!(
        (&booked.body["status"], &booked.body["approval_code"], &booked.body["ticket_no"]),
        (&json!("approved"), &json!("A77"), &json!(1))
    );
    let again = scene.charge_as(1, uuid).await;
    assert_eq!((again.status, &again.body["payment_id"], &again.body["remaining"]), (201, id, &json!("3/4")), "what is known by then");
    assert_eq!((scene.terminal.requests(), scene.share(1).await["status"].as_str()), (1, Some("paid")));
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_terminal_that_is_not_there_costs_nothing_and_can_be_tried_again() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let terminal = Simulator::playing(vec![Script::Refuse, Script::Approve]);
    let scene = Scene::with(terminal.clone(), caisse_ap(port, Duration::from_secs(20), Duration::ZERO)).await;
    let uuid = Uuid::now_v7();
    let away = scene.charge_as(1, uuid).await;
    assert_eq!(says(&away), (503, "terminal_unavailable"), "{}", away.text);
    assert_eq!(scene.payment(&away.body["payment_id"]).await["status"], "not_sent");
    assert_eq!(scene.share(1).await["status"], "unpaid");

    tokio::spawn(terminal.serve(TcpListener::bind(("127.0.0.1", port)).await.unwrap()));
    let confused = scene.charge_as(1, uuid).await;
    assert_eq!((says(&confused), &confused.body["reason"]), ((503, "terminal_unavailable"), &json!("AF09")), "it would not do it");
    assert_eq!(scene.charge_as(1, uuid).await.status, 201, "the same request, made again");
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn the_answer_to_another_payment_is_not_ours() {
    let scene = Scene::playing(&["wrong-echo"]).await;
    assert_eq!(says(&scene.charge(1).await), (504, "terminal_unknown"));
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_terminal_may_take_less_and_the_rest_is_a_share() {
    let scene = Scene::playing(&["partial", "approve"]).await;
    let part = scene.charge(1).await;
    assert_eq!((part.status, &part.body["status"], &part.body["amount_booked"]), (201, &json!("partial"), &json!(12.75)), "{}", part.text);
    assert_eq!((&part.body["remaining"], &part.body["remaining_amount"]), (&json!("4/5"), &json!(89.25)));
    assert_eq!(scene.payment(&part.body["payment_id"]).await["amount_booked"], json!(12.75));
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn two_cashiers_on_one_share_one_pays_and_a_terminal_does_one_thing_at_a_time() {
    let scene = Scene::playing(&["slow:1500"]).await;
    let mut events = scene.app.house.bus.listen();
    let (first, others) = tokio::join!(scene.charge(1), async {
        while scene.share(1).await["status"] != "pending" {
            let _ = events.recv().await;
        }
        [scene.charge(1).await, scene.cash(1).await, scene.charge(2).await, scene.cash(3).await]
    });
    assert_eq!(first.status, 201, "{}", first.text);
    let [same_share, same_in_cash, same_terminal, cash] = &others;
    assert_eq!(says(same_share), (409, "payment_in_progress"));
    assert_eq!(says(same_in_cash), (409, "payment_in_progress"));
    assert_eq!(says(same_terminal), (409, "terminal_busy"));
    assert_eq!(cash.status, 201, "cash for another share needs no terminal");
    assert_eq!(scene.terminal.charged().len(), 1);
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn copies_of_one_request_charge_once() {
    let scene = Scene::playing(&["slow:300"]).await;
    let uuid = Uuid::now_v7();
    let answers = futures::future::join_all((0..12).map(|_| scene.charge_as(1, uuid))).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body), "{}", answers[1].text);
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replay").is_none()).count(), 1);
    assert_eq!(scene.terminal.charged().len(), 1);
}

#[tokio::test]
async fn a_late_approval_is_booked_once() {
    let scene = Scene::listening(&["slow:2000"], Duration::from_secs(1), Duration::from_secs(20)).await;
    let uuid = Uuid::now_v7();
    let mut events = scene.app.house.bus.listen();
    let given_up = scene.charge_as(1, uuid).await;
    assert_eq!(says(&given_up), (504, "terminal_unknown"));
    let id = &given_up.body["payment_id"];
    scene.until(id, "approved", &mut events).await;
    assert_eq!(scene.steps(id).await, ["created", "sending", "sent", "unknown", "approved"]);
    assert_eq!(scene.charge_as(1, uuid).await.status, 201, "what is known by then");
    assert_eq!(scene.terminal.charged().len(), 1);
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn the_browser_that_goes_away_changes_nothing() {
    let scene = Scene::playing(&["slow:800"]).await;
    let mut events = scene.app.house.bus.listen();
    let gone = tokio::time::timeout(Duration::from_millis(400), scene.charge(1)).await;
    assert!(gone.is_err(), "the request was dropped");
    let id = scene.share(1).await["payment_id"].clone();
    scene.until(&id, "approved", &mut events).await;
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_terminal_that_is_not_on_the_line_needs_its_approval_code() {
    let scene = Scene::with(Simulator::playing(Vec::new()), Terminal::Manual).await;
    let silent = scene.charge(1).await;
    assert_eq!((silent.status, &silent.body["errors"][0]["code"]), (422, &json!("approval_code_required")));
    let mut body = json!({"order_id": scene.order, "cover_number": 1, "amount": 25.5, "method": "CB", "approval_code": "9F21"});
    let paid = scene.camille.post("/api/payments/split", &body).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    let payment = scene.payment(&paid.body["payment_id"]).await;
    assert_eq!((&payment["approval_code"], &payment["history"][1]["by"]), (&json!("9F21"), &json!("Camille")));
    body["approval_code"] = json!("<script>");
    assert_eq!(scene.camille.post("/api/payments/split", &body).await.status, 422);
    assert_eq!(scene.camille.get("/api/payments/424242").await.status, 404);
    let cash = scene.cash(2).await.body["payment_id"].clone();
    assert_eq!(scene.payment(&cash).await["method"], "ESPECES", "one row of numbers for all means");
}

#[tokio::test]
async fn the_database_keeps_attempts_for_ever() {
    let scene = Scene::playing(&["decline"]).await;
    scene.charge(1).await;
    for attack in [
        "update payment_attempts set state = 'approved', booked_cents = 2550",
        "update payment_attempts set state = 'created'",
        "update payment_attempts set amount_cents = 1",
        "delete from payment_attempts",
        "truncate payment_attempts cascade",
        "update attempt_events set why = 'rien'",
        "delete from attempt_parts",
    ] {
        let refused = sqlx::raw_sql(attack).execute(&scene.app.owner).await.expect_err(attack).to_string();
        assert!(refused.contains("interdite"), "{attack}: {refused}");
    }
}

/// Fifty shares, and for each of them at once, in any order: cards that end in every way, cash, people who say what the terminal's ticket says.
#[tokio::test]
async fn never_two_payments_for_one_share_whatever_happens_meanwhile() {
    const WAYS: [&str; 8] = ["approve", "decline", "cancel", "silent", "drop-after-request", "slow:30", "wrong-echo", "refuse"];
    let scripts: Vec<&str> = (0..400).map(|_| WAYS[rand::random_range(0..WAYS.len())]).collect();
    let scene = Scene::patient(&scripts, Duration::from_millis(250)).await;
    let items = json!([{"dish_id": 12, "qty": 25}, {"wine_id": 34, "qty": 25}]);
    let order = scene.camille.post("/api/orders", &json!({"table_id": 3, "covers": 50, "items": items})).await.body["order_id"].clone();
    let bill = format!("/api/orders/{order}/bill");
    let by_card = async |share: u32| {
        let body = json!({"order_id": order, "cover_number": share, "amount": 26, "method": "CB", "uuid": Uuid::now_v7()});
        scene.camille.post("/api/payments/split", &body).await.status
    };
    let in_cash = async |share: u32| {
        let body = json!({"order_id": order, "cover_number": share, "amount": 26, "method": "ESPECES"});
        scene.camille.post("/api/payments/split", &body).await.status
    };
    // Reads the terminal's ticket and says what it says.
    let by_a_person = async |share: u32| {
        let shares = scene.camille.get(&bill).await.body["shares"].clone();
        let id = shares.as_array().unwrap().iter().find(|view| view["cover_number"] == share).unwrap()["payment_id"].clone();
        let reference: Option<String> = sqlx::query_scalar("select reference from payment_attempts where id = $1 and state = 'unknown'")
            .bind(id.as_i64())
            .fetch_optional(&scene.app.owner)
            .await
            .unwrap();
        let Some(reference) = reference else { return 200 };
        let charged = scene.terminal.charged().iter().any(|charge| charge.reference == reference);
        let outcome = if charged { "accepted" } else { "not_accepted" };
        scene.resolve(&id, json!({"outcome": outcome, "reason": "Ticket du TPE lu"})).await.status
    };
    let mut resolved = 0;
    for share in 1..=50 {
        let acts = (0..5).map(async |_| match rand::random_range(0..6) {
            0..=3 => by_card(share).await,
            4 => in_cash(share).await,
            _ => by_a_person(share).await,
        });
        for status in futures::future::join_all(acts).await {
            assert!([200, 201, 402, 409, 503, 504].contains(&status), "{status}");
        }
        if rand::random() {
            resolved += u32::from(by_a_person(share).await == 200);
        }
    }
    scene.ledgers_agree().await;
    let (payments, shares, attempts): (i64, i64, i64) = sqlx::query_as(
        "select count(*), count(distinct share_number), (select count(*) from payment_attempts where state = 'approved')
         from payments where order_id = $1",
    )
    .bind(order.as_i64().unwrap())
    .fetch_one(&scene.app.owner)
    .await
    .unwrap();
    assert!(payments == shares && attempts <= payments && payments > 0 && resolved > 0, "{payments} {shares} {attempts} {resolved}");
    let bill = scene.camille.get(&bill).await.body;
    assert_eq!(bill["paid"], json!(26 * payments), "shares and payments make the bill");
    assert_eq!(bill["shares"].as_array().unwrap().len(), 50);
}

/// A Concert terminal on a pseudo-terminal.
pub struct OnLine {
    pub scene: Scene,
    stopping: Arc<AtomicBool>,
}

impl OnLine {
    pub async fn playing(scripts: &[&str], patience: Duration) -> Self {
        Self::speaking(Speech::Fixed, scripts, patience, Duration::ZERO).await
    }

    pub async fn speaking(speech: Speech, scripts: &[&str], patience: Duration, late: Duration) -> Self {
        let terminal = Simulator::playing(scripts.iter().map(|script| script.parse().unwrap()).collect());
        let line = PseudoTerminal::open().unwrap();
        let path = line.name().to_owned();
        let stopping = Arc::new(AtomicBool::new(false));
        let (stop, on_line) = (stopping.clone(), terminal.clone());
        std::thread::spawn(move || on_line.serve_line(line, &|| stop.load(Ordering::Relaxed)));
        let (baud, framing, till) = (9600, Framing::EightNone, Till::FIRST);
        let config = ConcertLine { path, baud, framing, speech, till, patience, late };
        Self { scene: Scene::with(terminal, Terminal::Concert(config)).await, stopping }
    }
}

impl Drop for OnLine {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_terminal_on_a_serial_line_approves_refuses_and_gives_up() {
    let line = OnLine::playing(&["approve", "decline", "cancel", "partial"], Duration::from_secs(20)).await;
    let scene = &line.scene;
    let paid = scene.charge(1).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    assert_eq!(scene.steps(&paid.body["payment_id"]).await, ["created", "sending", "sent", "approved"]);
    assert_eq!(says(&scene.charge(2).await), (402, "card_declined"));
    assert_eq!(says(&scene.charge(2).await), (402, "card_cancelled"));
    assert_eq!(scene.charge(2).await.body["amount_booked"], json!(12.75));
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn tagged_text_inside_the_serial_frame_carries_the_authorisation_number() {
    let scripts = ["approve", "decline", "cancel", "refuse", "partial"];
    let tagged = Speech::Tagged(Dialect::default());
    let line = OnLine::speaking(tagged, &scripts, Duration::from_secs(20), Duration::ZERO).await;
    let scene = &line.scene;
    let paid = scene.charge(1).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    assert_eq!(scene.payment(&paid.body["payment_id"]).await["approval_code"], json!("123456"));
    assert_eq!(says(&scene.charge(2).await), (402, "card_declined"));
    assert_eq!(says(&scene.charge(2).await), (402, "card_cancelled"));
    assert_eq!(says(&scene.charge(2).await), (503, "terminal_unavailable"));
    assert_eq!(scene.charge(2).await.body["amount_booked"], json!(12.75));
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_damaged_answer_is_asked_for_again_and_given_up_after_three_times() {
    let line = OnLine::playing(&["bad-lrc", "bad-lrc:3", "approve"], Duration::from_secs(20)).await;
    let scene = &line.scene;
    assert_eq!(scene.charge(1).await.status, 201, "the second copy is whole");
    assert_eq!(says(&scene.charge(2).await), (504, "terminal_unknown"), "charged, and nobody can read it");
    assert_eq!(scene.terminal.charged().len(), 2);
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_till_and_a_terminal_that_speak_at_once_do_not_mix_up_two_payments() {
    let line = OnLine::playing(&["collision"], Duration::from_secs(20)).await;
    let scene = &line.scene;
    let paid = scene.charge(1).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    let strays: Vec<(Option<String>, Option<i64>)> =
        sqlx::query_as("select reference, amount_cents from stray_words").fetch_all(&scene.app.owner).await.unwrap();
    assert_eq!(strays, [(Some("ZZZZZZZZZZ".to_owned()), Some(100))], "what belongs to nobody is kept");
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_cable_that_is_pulled_out_leaves_an_unknown_and_comes_back() {
    // Before there is a device: a database server that is started later would hold its other end open.
    let _database = TestApp::start().await;
    let terminal = Simulator::playing(vec![Script::Silent]);
    let stopping = Arc::new(AtomicBool::new(false));
    let line = PseudoTerminal::open().unwrap();
    let link = tempfile::tempdir().unwrap();
    let path = link.path().join("tpe");
    line.link(&path).unwrap();
    let (stop, on_line) = (stopping.clone(), terminal.clone());
    let unplugged = std::thread::spawn(move || on_line.serve_line(line, &|| stop.load(Ordering::Relaxed)));
    let (baud, framing, till, speech) = (9600, Framing::EightNone, Till::FIRST, Speech::Fixed);
    let (patience, late) = (Duration::from_secs(60), Duration::from_secs(60));
    let path = path.to_str().unwrap().to_owned();
    let scene =
        Scene::with(terminal.clone(), Terminal::Concert(ConcertLine { path: path.clone(), baud, framing, speech, till, patience, late }))
            .await;
    let (id, answer) = scene.at_the_terminal(1).await;
    stopping.store(true, Ordering::Relaxed);
    unplugged.join().unwrap().unwrap();
    let lost = answer.await.unwrap();
    assert_eq!((says(&lost), &lost.body["payment_id"]), ((504, "terminal_unknown"), &id));
    assert_eq!(scene.payment(&id).await["history"][3]["why"], json!("line_lost"));

    // Plugged in again, under the same name.
    let stopping = Arc::new(AtomicBool::new(false));
    let again = PseudoTerminal::open().unwrap();
    again.link(std::path::Path::new(&path)).unwrap();
    terminal.play(vec![Script::Approve]);
    let (stop, on_line) = (stopping.clone(), terminal.clone());
    std::thread::spawn(move || on_line.serve_line(again, &|| stop.load(Ordering::Relaxed)));
    let paid = scene.charge(2).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    stopping.store(true, Ordering::Relaxed);
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_result_left_on_a_serial_line_ends_its_own_attempt_and_not_the_next() {
    // The first answer comes after we gave up, and waits on the line for the next payment.
    let line = OnLine::playing(&["slow:1600", "approve"], Duration::from_secs(1)).await;
    let scene = &line.scene;
    let given_up = scene.charge(1).await;
    assert_eq!(says(&given_up), (504, "terminal_unknown"));
    let earlier = &given_up.body["payment_id"];
    let next = scene.charge(2).await;
    assert_eq!(next.status, 201, "{}", next.text);
    assert_eq!(scene.steps(earlier).await, ["created", "sending", "sent", "unknown", "approved"]);
    assert_eq!(scene.terminal.charged().len(), 2);
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_serial_port_that_is_not_there_costs_nothing() {
    let path = "/dev/no-terminal".to_owned();
    let (baud, framing, till, speech) = (9600, Framing::SevenEven, Till::FIRST, Speech::Fixed);
    let config = ConcertLine { path, baud, framing, speech, till, patience: Duration::from_secs(1), late: Duration::ZERO };
    let scene = Scene::with(Simulator::playing(Vec::new()), Terminal::Concert(config)).await;
    assert_eq!(says(&scene.charge(1).await), (503, "terminal_unavailable"));
}
