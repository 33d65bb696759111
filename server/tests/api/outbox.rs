//! The kitchen system: a real HTTP server on a real socket, which fails as it is told.

use crate::kitchen_system::{Kitchen, TlsKitchen, hurried};
use crate::support::{Client, TestApp};
use async_trait::async_trait;
use domain::TableId;
use domain::api::Event;
use domain::breaker::Phase;
use domain::order::TableStatus;
use serde_json::{Value, json};
use server::adapters::erp::{KitchenSystem, Slip, Undelivered};
use server::config::Erp;
use server::db;
use server::sim::erp::{Cooked, Script};
use server::workers::outbox::{Outbox, Step};
use sqlx::PgPool;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn waiting(db: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from kitchen_slips where sent_at is null").fetch_one(db).await.unwrap()
}

async fn drained(app: &TestApp) {
    until("every slip is delivered", async || waiting(&app.owner).await == 0).await;
}

/// Steps until nothing waits.
async fn step_through(app: &TestApp) {
    let outbox = app.house.outbox.as_ref().unwrap();
    until("every slip is delivered", async || {
        while outbox.step().await.unwrap() == Step::Done {}
        waiting(&app.owner).await == 0
    })
    .await;
}

/// Waits for a slip and tries to deliver it.
async fn tried_once(app: &TestApp) {
    until("a slip is tried", async || app.house.outbox.as_ref().unwrap().step().await.unwrap() == Step::Done).await;
}

async fn order(client: &Client, table: i64, items: Value) -> Value {
    let answer = client.post("/api/orders", &json!({"table_id": table, "items": items})).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.body
}

async fn lines(client: &Client, order: &Value) -> Value {
    client.get(&format!("/api/orders/{}", order["order_id"])).await.body["lines"].clone()
}

/// What was cooked for each table, as rounds in the order in which they came.
fn rounds_by_table(cooked: &[Cooked]) -> HashMap<i64, Vec<i64>> {
    let mut tables: HashMap<i64, Vec<i64>> = HashMap::new();
    for slip in cooked {
        tables.entry(slip.slip["table_id"].as_i64().unwrap()).or_default().push(slip.slip["round"].as_i64().unwrap());
    }
    tables
}

#[tokio::test]
async fn slips_reach_a_kitchen_behind_tls_that_the_named_authority_vouches_for_and_no_other() {
    let tls = TlsKitchen::open().await;
    let items = json!([{"dish_id": 12, "qty": 1}]);
    let why = async |app: &TestApp| {
        sqlx::query_scalar::<_, Option<String>>("select last_error from kitchen_slips")
            .fetch_one(&app.owner)
            .await
            .unwrap()
            .unwrap_or_default()
    };
    // The public authorities do not know it.
    let app = TestApp::with_idle_kitchen(tls.erp("localhost", false)).await;
    let alice = app.signed_in("alice").await;
    let (taken, ()) = tokio::join!(order(&alice, 5, items.clone()), tried_once(&app));
    assert_eq!(taken["status"], "pending_erp");
    assert!(why(&app).await.contains("UnknownIssuer"), "{}", why(&app).await);
    // It is vouched for under another name.
    let app = TestApp::with_idle_kitchen(tls.erp("127.0.0.1", true)).await;
    let alice = app.signed_in("alice").await;
    let (taken, ()) = tokio::join!(order(&alice, 5, items.clone()), tried_once(&app));
    assert_eq!(taken["status"], "pending_erp");
    assert!(why(&app).await.contains("not valid for name"), "{}", why(&app).await);
    assert!(tls.kitchen.cooked().is_empty(), "nothing was told to whom nobody vouches for");

    let app = TestApp::with_kitchen(tls.erp("localhost", true)).await;
    let alice = app.signed_in("alice").await;
    assert_eq!(order(&alice, 5, items).await["status"], "sent");
    assert_eq!(tls.kitchen.cooked().len(), 1);
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_stops_the_start() {
    let kitchen = Kitchen::closed();
    let app = TestApp::start().await;
    for content in ["", "not a certificate"] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let erp = Erp { ca_file: Some(file.path().to_owned()), ..kitchen.erp() };
        let config = server::config::Config { erp: Some(erp), ..app.config.clone() };
        let refused = server::run::open_house(&config, app.house.db.clone()).await.err().unwrap();
        assert!(format!("{refused:#}").starts_with("ERP_CA_FILE: "), "{refused:#}");
    }
}

/// A kitchen whose first delivery panics.
struct Stumbling(AtomicBool);

#[async_trait]
impl KitchenSystem for Stumbling {
    async fn deliver(&self, _: &Slip) -> Result<String, Undelivered> {
        assert!(self.0.swap(true, Ordering::SeqCst), "on purpose");
        Ok("K-1".to_owned())
    }
}

#[tokio::test]
async fn a_delivery_that_panics_ends_alone_and_its_slip_comes_again() {
    let kitchen = Kitchen::closed();
    let app = TestApp::with_idle_kitchen(kitchen.erp()).await;
    let outbox =
        Outbox::new(app.house.db.clone(), app.house.bus.clone(), Arc::new(Stumbling(AtomicBool::new(false))), Duration::ZERO, hurried());
    let stopping = CancellationToken::new();
    let running = tokio::spawn(Arc::new(outbox).run(stopping.clone()));
    let alice = app.signed_in("alice").await;
    let body = json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}]});
    let (taken, ()) = tokio::join!(alice.post("/api/orders", &body), drained(&app));
    assert_eq!(taken.status, 201);
    stopping.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn the_kitchen_is_told_before_the_waiter_is_answered() {
    let kitchen = Kitchen::open(Script::default());
    let app = TestApp::with_kitchen(kitchen.erp()).await;
    let alice = app.signed_in("alice").await;
    let options = json!([{"group": "Cuisson", "choice": "Saignant"}]);
    let items =
        json!([{"dish_id": 11, "qty": 2, "options": options, "note": "sans sel"}, {"dish_id": 14, "qty": 1}, {"wine_id": 34, "qty": 1}]);
    let taken = order(&alice, 5, items).await;
    assert_eq!(taken["status"], "sent");
    let lines = lines(&alice, &taken).await;
    let slip = json!({"order_id": taken["order_id"], "table_id": 5, "round": 1, "items": [
        {"line_id": lines[0]["line_id"], "dish": "Entrecôte", "qty": 2, "note": "Saignant, sans sel"},
        {"line_id": lines[1]["line_id"], "dish": "Bœuf bourguignon", "qty": 1},
    ]});
    assert_eq!(kitchen.cooked()[0].slip, slip, "no wine, and how it is wanted before what was typed");
    assert_eq!((&lines[0]["kitchen"], &lines[2]["kitchen"]), (&json!("sent"), &Value::Null));
    let (key, id): (Uuid, String) = sqlx::query_as("select key, erp_order_id from kitchen_slips").fetch_one(&app.owner).await.unwrap();
    assert_eq!((kitchen.cooked()[0].key.clone(), kitchen.cooked()[0].erp_order_id.clone()), (key.to_string(), id));
}

#[tokio::test]
async fn a_kitchen_that_is_down_is_told_when_it_is_back() {
    let kitchen = Kitchen::closed();
    let app = TestApp::with_kitchen(kitchen.erp()).await;
    let alice = app.signed_in("alice").await;
    let request = json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}], "uuid": Uuid::now_v7()});
    let mut events = app.house.bus.listen();
    let began = Instant::now();
    let taken = alice.post("/api/orders", &request).await;
    assert_eq!((taken.status, &taken.body["status"]), (201, &json!("pending_erp")));
    assert!(began.elapsed() < Duration::from_secs(2), "a refused connection is not waited for");
    assert_eq!(lines(&alice, &taken.body).await[0]["kitchen"], "pending_erp");
    assert_eq!(alice.post("/api/orders", &request).await.body["status"], "pending_erp");
    assert_eq!(alice.get("/health/ready").await.status, 200, "selling goes on");

    kitchen.begin();
    drained(&app).await;
    let told = async {
        let mut changes = 0;
        // Once when it was taken, once when the kitchen had it.
        while changes < 2 {
            changes += i32::from(matches!(events.recv().await.unwrap().1, Event::OrderChanged { .. }));
        }
    };
    tokio::time::timeout(Duration::from_secs(5), told).await.expect("the screens are told");
    assert_eq!(lines(&alice, &taken.body).await[0]["kitchen"], "sent");
    let again = alice.post("/api/orders", &request).await;
    assert_eq!((&again.body["status"], again.header("idempotent-replay")), (&json!("sent"), Some("true")), "what is known by then");
    assert_eq!(again.body["order_id"], taken.body["order_id"]);
    assert_eq!(kitchen.cooked().len(), 1);
}

#[tokio::test]
async fn a_silent_kitchen_is_waited_for_no_longer_than_was_said() {
    let kitchen = Kitchen::open(Script { silent_rate: 100, ..Script::default() });
    let mut erp = kitchen.erp();
    erp.wait = Duration::from_millis(100);
    erp.pace.timeout = Duration::from_secs(5);
    let app = TestApp::with_kitchen(erp).await;
    let alice = app.signed_in("alice").await;
    let began = Instant::now();
    assert_eq!(order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await["status"], "pending_erp");
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(100) && took < Duration::from_secs(3), "{took:?}");
    assert_eq!(kitchen.simulator.calls(), 1, "it was called");
}

#[tokio::test]
async fn every_slip_arrives_once_and_in_order_whatever_the_kitchen_does() {
    let script = Script { fail_rate: 20, silent_rate: 2, duplicate_rate: 20, latency: Duration::from_millis(2), ..Script::default() };
    let kitchen = Kitchen::open(script);
    let mut erp = kitchen.erp();
    erp.wait = Duration::ZERO;
    let app = TestApp::with_kitchen(erp).await;
    let alice = app.signed_in("alice").await;
    let tables = (1..=6).map(|table| {
        let alice = alice.clone();
        async move {
            for _ in 0..8 {
                order(&alice, table, json!([{"dish_id": 12, "qty": 1}])).await;
            }
        }
    });
    futures::future::join_all(tables).await;
    drained(&app).await;
    let cooked = kitchen.cooked();
    assert_eq!(cooked.iter().map(|slip| &slip.key).collect::<HashSet<_>>().len(), 48);
    assert_eq!(cooked.len(), 48);
    for (table, rounds) in rounds_by_table(&cooked) {
        assert_eq!(rounds, (1..=8).collect::<Vec<_>>(), "table {table}");
    }
    assert!(kitchen.simulator.calls() > 48, "some calls failed");
}

#[tokio::test]
async fn five_failures_in_a_row_and_the_kitchen_is_left_alone() {
    let kitchen = Kitchen::open(Script { fail_rate: 100, ..Script::default() });
    let mut erp = kitchen.erp();
    erp.wait = Duration::ZERO;
    let app = TestApp::with_idle_kitchen(erp).await;
    let alice = app.signed_in("alice").await;
    for table in 1..=7 {
        order(&alice, table, json!([{"dish_id": 12, "qty": 1}])).await;
    }
    let outbox = app.house.outbox.as_ref().unwrap();
    for _ in 0..5 {
        assert_eq!(outbox.step().await.unwrap(), Step::Done);
    }
    assert_eq!(outbox.phase(), Phase::Open);
    assert_eq!(outbox.step().await.unwrap(), Step::Empty, "tables 6 and 7 wait too");
    assert_eq!(kitchen.simulator.calls(), 5);

    until("the pause ends", async || outbox.phase() == Phase::HalfOpen).await;
    assert_eq!(outbox.step().await.unwrap(), Step::Done, "the probe");
    assert_eq!((outbox.phase(), kitchen.simulator.calls()), (Phase::Open, 6), "one call, another pause");

    kitchen.simulator.follow(Script::default());
    until("the pause ends", async || outbox.phase() == Phase::HalfOpen).await;
    step_through(&app).await;
    assert_eq!((outbox.phase(), kitchen.cooked().len()), (Phase::Closed, 7));
    let why: i64 =
        sqlx::query_scalar("select count(*) from kitchen_slips where last_error is not null").fetch_one(&app.owner).await.unwrap();
    assert_eq!(why, 0, "what arrived has no error");
}

#[tokio::test]
async fn a_refused_slip_is_kept_tried_again_and_does_not_hold_up_its_table() {
    let kitchen = Kitchen::open(Script { unknown_dish: Some("Magret de canard".to_owned()), ..Script::default() });
    let mut erp = kitchen.erp();
    erp.wait = Duration::ZERO;
    let app = TestApp::with_idle_kitchen(erp).await;
    let outbox = app.house.outbox.as_ref().unwrap();
    let alice = app.signed_in("alice").await;
    let refused = order(&alice, 5, json!([{"dish_id": 12, "qty": 2}])).await;
    let line = lines(&alice, &refused).await[0]["line_id"].clone();
    let void = json!({"qty": 1, "reason": "Erreur de saisie"});
    let path = format!("/api/orders/{}/lines/{line}/void", refused["order_id"]);
    assert_eq!(alice.post(&path, &void).await.status, 200);
    order(&alice, 5, json!([{"dish_id": 14, "qty": 1}])).await;

    assert_eq!(outbox.step().await.unwrap(), Step::Done);
    assert_eq!((outbox.step().await.unwrap(), kitchen.cooked().len()), (Step::Empty, 0), "refused once, it still comes first");
    until("later slips pass it", async || {
        outbox.step().await.unwrap();
        !kitchen.cooked().is_empty()
    })
    .await;
    let (refusals, error): (i32, String) =
        sqlx::query_as("select refusals, last_error from kitchen_slips order by id limit 1").fetch_one(&app.owner).await.unwrap();
    assert!(refusals >= 3 && error.contains("422") && error.contains("unknown dish"), "{refusals} {error}");
    assert_eq!(outbox.phase(), Phase::Closed, "a refusal is an answer");
    assert_eq!(lines(&alice, &refused).await[0]["kitchen"], "pending_erp", "the screen says so");

    kitchen.simulator.follow(Script::default());
    step_through(&app).await;
    let quantities: Vec<Value> = kitchen.cooked().iter().map(|slip| slip.slip["items"][0]["qty"].clone()).collect();
    assert_eq!(quantities, [json!(1), json!(2), json!(-1)], "what was passed came after all, and its removal after it");
}

#[tokio::test]
async fn what_the_kitchen_does_not_want_is_said_on_its_lines_and_on_the_plan_until_it_does() {
    let kitchen = Kitchen::open(Script { unknown_dish: Some("Magret de canard".to_owned()), ..Script::default() });
    let mut erp = kitchen.erp();
    erp.wait = Duration::ZERO;
    let app = TestApp::with_idle_kitchen(erp).await;
    let outbox = app.house.outbox.as_ref().unwrap();
    let alice = app.signed_in("alice").await;
    let taken = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let table = async || {
        let tables = alice.get("/api/tables").await.body;
        tables.as_array().unwrap().iter().find(|table| table["id"] == 5).unwrap()["status"].clone()
    };
    assert_eq!((lines(&alice, &taken).await[0].get("refused"), table().await), (None, json!("occupied")), "slow is not refused");

    let mut events = app.house.bus.listen();
    let mut heard = async |wanted: TableStatus| {
        let both = async {
            let (mut order, mut plan) = (false, false);
            while !order || !plan {
                match &events.recv().await.unwrap().1 {
                    Event::OrderChanged { order_id } => order |= taken["order_id"] == order_id.get(),
                    Event::TableChanged { status, .. } => plan |= *status == wanted,
                    _ => {}
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(5), both).await.expect("the screens are told");
    };
    tried_once(&app).await;
    heard(TableStatus::Waiting).await;
    let line = lines(&alice, &taken).await[0].clone();
    assert_eq!((&line["refused"], &line["kitchen"]), (&json!(true), &json!("pending_erp")), "the words of the contract stay");
    assert_eq!(table().await, "waiting");
    let refused = server::metrics::page(&app.house).await.unwrap();
    assert!(refused.contains("kitchen_slips_refused 1"), "{refused}");

    kitchen.simulator.follow(Script::default());
    step_through(&app).await;
    heard(TableStatus::Occupied).await;
    let line = lines(&alice, &taken).await[0].clone();
    assert_eq!((line.get("refused"), &line["kitchen"], table().await), (None, &json!("sent"), json!("occupied")));
    assert_eq!(outbox.step().await.unwrap(), Step::Empty);
}

#[tokio::test]
async fn a_kitchen_system_that_has_a_course_is_not_said_to_have_been_called_for_it() {
    let kitchen = Kitchen::open(Script::default());
    let app = TestApp::with_kitchen(kitchen.erp()).await;
    let alice = app.signed_in("alice").await;
    let taken = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let fire = format!("/api/orders/{}/courses/2/fire", taken["order_id"]);
    let refused = alice.post(&fire, &json!({})).await;
    assert_eq!((refused.status, refused.code()), (409, "beyond_call"));
    let line = lines(&alice, &taken).await[0].clone();
    assert_eq!((&line["beyond_call"], &line["called"]), (&json!(true), &json!(false)), "and the app does not offer it");

    // What waited is told by the call; called twice it is told once.
    order(&alice, 5, json!([{"dish_id": 14, "qty": 1, "hold": true}])).await;
    assert_eq!(lines(&alice, &taken).await[1].get("beyond_call"), None);
    for _ in 0..2 {
        let called = alice.post(&fire, &json!({})).await;
        assert_eq!(called.status, 200, "{}", called.text);
        let called: Vec<&Value> = called.body["lines"].as_array().unwrap().iter().map(|line| &line["called"]).collect();
        assert_eq!(called, [false, true], "of what it has had before nothing is claimed");
    }
    drained(&app).await;
    assert_eq!(kitchen.cooked().len(), 2);
}

#[tokio::test]
async fn drinks_are_no_business_of_the_kitchen_unless_it_wants_them() {
    let kitchen = Kitchen::open(Script::default());
    let app = TestApp::with_kitchen(kitchen.erp()).await;
    let alice = app.signed_in("alice").await;
    assert_eq!(order(&alice, 5, json!([{"wine_id": 34, "qty": 1}])).await["status"], "sent");
    assert_eq!(kitchen.simulator.calls(), 0);

    let app = TestApp::with_kitchen(Erp { with_drinks: true, ..kitchen.erp() }).await;
    let alice = app.signed_in("alice").await;
    assert_eq!(order(&alice, 5, json!([{"wine_id": 34, "qty": 1}])).await["status"], "sent");
    assert_eq!(kitchen.cooked()[0].slip["items"][0]["dish"], "Cahors 2018");
}

#[tokio::test]
async fn the_kitchen_hears_of_what_is_taken_off_and_of_no_more_than_is_left() {
    let kitchen = Kitchen::open(Script::default());
    let app = TestApp::with_kitchen(kitchen.erp()).await;
    let alice = app.signed_in("alice").await;
    let taken = order(&alice, 5, json!([{"dish_id": 12, "qty": 3}, {"dish_id": 14, "qty": 3, "hold": true}])).await;
    let (now, held) = {
        let lines = lines(&alice, &taken).await;
        (lines[0]["line_id"].clone(), lines[1]["line_id"].clone())
    };
    let path = |rest: String| format!("/api/orders/{}/{rest}", taken["order_id"]);
    let void = json!({"qty": 1, "reason": "Parti", "uuid": Uuid::now_v7()});
    for _ in 0..2 {
        assert_eq!(alice.post(&path(format!("lines/{now}/void")), &void).await.status, 200);
    }
    assert_eq!(alice.post(&path(format!("lines/{held}/void")), &json!({"qty": 1})).await.status, 200);
    assert_eq!(alice.post(&path("courses/2/fire".to_owned()), &json!({})).await.status, 200);
    drained(&app).await;
    let told: Vec<(Value, Value)> = kitchen
        .cooked()
        .iter()
        .flat_map(|slip| slip.slip["items"].as_array().unwrap().clone())
        .map(|item| (item["line_id"].clone(), item["qty"].clone()))
        .collect();
    assert_eq!(told, [(now.clone(), json!(3)), (now, json!(-1)), (held, json!(2))], "three, one less, and two of three that had waited");
}

#[tokio::test]
async fn a_removal_waits_for_what_it_removes_even_after_tables_were_put_together() {
    let kitchen = Kitchen::open(Script::default());
    let mut erp = kitchen.erp();
    erp.wait = Duration::ZERO;
    let app = TestApp::with_idle_kitchen(erp).await;
    let outbox = app.house.outbox.as_ref().unwrap();
    let alice = app.signed_in("alice").await;
    let left = order(&alice, 1, json!([{"dish_id": 12, "qty": 2}])).await;
    let line = lines(&alice, &left).await[0]["line_id"].clone();
    let joined = order(&alice, 2, json!([{"dish_id": 14, "qty": 1}])).await;
    let merge = json!({"into_order_id": joined["order_id"]});
    assert_eq!(alice.post(&format!("/api/orders/{}/merge", left["order_id"]), &merge).await.status, 200);
    let void = json!({"qty": 1, "reason": "Erreur de saisie"});
    assert_eq!(alice.post(&format!("/api/orders/{}/lines/{line}/void", joined["order_id"]), &void).await.status, 200);

    // The first slip has failed and waits for its next attempt: it is of another order and of another table than its removal.
    sqlx::query("update kitchen_slips set next_attempt_at = now() + interval '100 s' where table_id = 1")
        .execute(&app.owner)
        .await
        .unwrap();
    assert_eq!((outbox.step().await.unwrap(), outbox.step().await.unwrap()), (Step::Done, Step::Empty), "only the other table's");
    sqlx::query("update kitchen_slips set next_attempt_at = now() where table_id = 1").execute(&app.owner).await.unwrap();
    step_through(&app).await;
    let quantities: Vec<Value> = kitchen.cooked().iter().map(|slip| slip.slip["items"][0]["qty"].clone()).collect();
    assert_eq!(quantities, [json!(1), json!(2), json!(-1)]);
}

#[tokio::test]
async fn two_processes_do_not_tell_the_same_thing_twice() {
    let kitchen = Kitchen::open(Script { latency: Duration::from_millis(20), ..Script::default() });
    let app = TestApp::with_kitchen(kitchen.erp()).await;
    app.another_process(Some(kitchen.erp())).await;
    let alice = app.signed_in("alice").await;
    let tables = (1..=6).map(|table| {
        let alice = alice.clone();
        async move {
            for _ in 0..5 {
                assert_eq!(order(&alice, table, json!([{"dish_id": 12, "qty": 1}])).await["status"], "sent", "whoever told it");
            }
        }
    });
    futures::future::join_all(tables).await;
    drained(&app).await;
    assert_eq!((kitchen.cooked().len(), kitchen.simulator.calls()), (30, 30), "one call a slip");
    for rounds in rounds_by_table(&kitchen.cooked()).values() {
        assert_eq!(rounds, &[1, 2, 3, 4, 5]);
    }
}

#[tokio::test]
async fn a_crash_before_or_after_the_call_costs_a_second_call_and_nothing_else() {
    let kitchen = Kitchen::open(Script::default());
    let mut erp = kitchen.erp();
    erp.wait = Duration::ZERO;
    let app = TestApp::with_idle_kitchen(erp).await;
    let outbox = app.house.outbox.as_ref().unwrap();
    let alice = app.signed_in("alice").await;
    order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;

    // Claimed by a process that died before it called.
    let dead = db::outbox::claim(&app.house.db, Duration::from_secs(60), Duration::from_secs(60)).await.unwrap().unwrap();
    assert_eq!(outbox.step().await.unwrap(), Step::Empty, "it may be at it");
    sqlx::query("update kitchen_slips set claimed_until = now()").execute(&app.owner).await.unwrap();
    assert_eq!(outbox.step().await.unwrap(), Step::Done);
    assert_eq!(kitchen.cooked().len(), 1);

    // Called by a process that died before it wrote that down.
    sqlx::query("update kitchen_slips set sent_at = null, erp_order_id = null, claimed_until = now()").execute(&app.owner).await.unwrap();
    db::outbox::postpone(&app.house.db, &dead, Duration::from_secs(60), true, "a voice from the grave").await.unwrap();
    assert_eq!(outbox.step().await.unwrap(), Step::Done, "the dead one's word does not count");
    assert_eq!((kitchen.simulator.calls(), kitchen.cooked().len()), (2, 1), "the same key and the same content");
    let id: String =
        sqlx::query_scalar("select erp_order_id from kitchen_slips where sent_at is not null").fetch_one(&app.owner).await.unwrap();
    assert_eq!(id, kitchen.cooked()[0].erp_order_id);
}

#[tokio::test]
async fn without_a_kitchen_system_what_waited_for_it_is_on_our_screen() {
    let kitchen = Kitchen::closed();
    let app = TestApp::with_kitchen(kitchen.erp()).await;
    let alice = app.signed_in("alice").await;
    let taken = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    app.another_process(None).await;
    drained(&app).await;
    assert_eq!(lines(&alice, &taken).await[0]["kitchen"], "sent");
    assert_eq!(alice.get("/api/kitchen").await.body["slips"].as_array().unwrap().len(), 1);
}

/// Takes its time, and notes who was there at once.
#[derive(Default)]
struct SlowKitchen {
    now: Mutex<Vec<TableId>>,
    most: Mutex<usize>,
    crowded: AtomicBool,
}

#[async_trait]
impl KitchenSystem for SlowKitchen {
    async fn deliver(&self, slip: &Slip) -> Result<String, Undelivered> {
        {
            let mut now = self.now.lock().unwrap();
            self.crowded.fetch_or(now.contains(&slip.table_id), Ordering::Relaxed);
            now.push(slip.table_id);
            let mut most = self.most.lock().unwrap();
            *most = now.len().max(*most);
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
        self.now.lock().unwrap().retain(|table| *table != slip.table_id);
        Ok("1".to_owned())
    }
}

#[tokio::test]
async fn tables_are_told_side_by_side_but_not_all_at_once() {
    let kitchen = Kitchen::closed();
    let mut erp = kitchen.erp();
    erp.wait = Duration::ZERO;
    let app = TestApp::with_idle_kitchen(erp).await;
    let alice = app.signed_in("alice").await;
    for table in 1..=20 {
        for _ in 0..2 {
            order(&alice, table, json!([{"dish_id": 12, "qty": 1}])).await;
        }
    }
    let slow = Arc::new(SlowKitchen::default());
    let outbox = Outbox::new(app.house.db.clone(), app.house.bus.clone(), Arc::<SlowKitchen>::clone(&slow), Duration::ZERO, hurried());
    let stopping = CancellationToken::new();
    let worker = tokio::spawn(Arc::new(outbox).run(stopping.clone()));
    drained(&app).await;
    stopping.cancel();
    worker.await.unwrap();
    assert!(!slow.crowded.load(Ordering::Relaxed), "two slips of one table at once");
    let most = *slow.most.lock().unwrap();
    assert!((2..=8).contains(&most), "{most} at once");
}
