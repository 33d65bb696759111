//! What whoever looks after the till sees of it: its figures and its log.

use crate::charging::caisse_ap;
use crate::events::{caught_up, open};
use crate::kitchen_system::{Kitchen, hurried};
use crate::paying::table_12;
use crate::program::Till;
use crate::support::TestApp;
use domain::breaker::{Patience, Phase};
use reqwest::Method;
use serde_json::{Value, json};
use server::config::Erp;
use server::sim::tpe::Simulator;
use server::workers::outbox::Pace;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// The value of one series on the page.
fn series(page: &str, name: &str) -> Option<i64> {
    page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn whoever_watches_from_this_machine_sees_how_the_house_is() {
    let app = TestApp::start().await;
    let camille = app.signed_in("camille").await;
    for _ in 0..3 {
        assert_eq!(camille.get("/api/orders/987654321").await.status, 404);
    }
    camille.get("/wp-login.php").await;
    let order = json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}], "covers": 1});
    let order = camille.post("/api/orders", &order).await.body["order_id"].clone();
    let paid = json!({"order_id": order, "cover_number": 1, "amount": 24, "method": "ESPECES"});
    assert_eq!(camille.post("/api/payments/split", &paid).await.status, 201);

    let page = app.stranger().get("/metrics").await;
    assert_eq!(page.status, 200);
    assert!(page.text.ends_with("# EOF\n"), "{}", page.text);
    let route = "comptoir_requests_total{method=\"GET\",route=\"/api/orders/{id}\",status=\"404\"}";
    assert_eq!(series(&page.text, route), Some(3), "{}", page.text);
    assert_eq!(series(&page.text, "comptoir_journal_head{register=\"01\",chain=\"T\"}"), Some(1), "{}", page.text);
    assert_eq!(series(&page.text, "comptoir_card_attempts{state=\"unknown\"}"), Some(0), "{}", page.text);
    assert!(series(&page.text, "comptoir_open_day_seconds{kind=\"sales\"}").is_some(), "{}", page.text);
    // What strangers type makes no series of its own.
    assert!(!page.text.contains("wp-login") && !page.text.contains("987654321"), "{}", page.text);

    // Whoever comes through a proxy is not on this machine.
    let stranger = app.stranger();
    let through = stranger.request(Method::GET, "/metrics").header("x-forwarded-for", "203.0.113.7");
    assert_eq!(stranger.send(through).await.status, 403);
}

/// The same of a series whose value has decimals.
fn decimal(page: &str, name: &str) -> Option<f64> {
    page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn every_trouble_has_its_figure() {
    // A kitchen that is away, and a terminal that approves, refuses, and falls silent.
    let kitchen = Kitchen::closed();
    let pace = Pace { patience: Patience { failures: 1, pause: Duration::from_secs(600) }, ..hurried() };
    let erp = Erp { pace, wait: Duration::ZERO, ..kitchen.erp() };
    let terminal = Simulator::playing(["approve", "decline", "silent"].map(|script| script.parse().unwrap()).to_vec());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(terminal.clone().serve(listener));
    let app = TestApp::with(|config| {
        config.erp = Some(erp);
        config.terminal = caisse_ap(port, Duration::from_secs(1), Duration::ZERO);
    })
    .await;
    let camille = app.signed_in("camille").await;
    let mut socket = open(&app, &camille, None).await.unwrap();
    caught_up(&mut socket).await;

    let order = table_12(&camille).await;
    let pay = async |cover: u32, method: &str| {
        let body = json!({"order_id": order, "cover_number": cover, "amount": 25.5, "method": method});
        camille.post("/api/payments/split", &body).await.status
    };
    let answers = [pay(1, "CB").await, pay(2, "CB").await, pay(3, "CB").await, pay(4, "ESPECES").await];
    assert_eq!(answers, [201, 402, 504, 201]);
    app.house.outbox.as_ref().unwrap().step().await.unwrap();
    assert_eq!(app.house.outbox.as_ref().unwrap().phase(), Phase::Open);
    // It has been like that for a while.
    let earlier = "update kitchen_slips set created_at = created_at - interval '90 seconds';
         alter table fiscal_periods disable trigger all;
         update fiscal_periods set opened_local = opened_local - interval '30 hours'";
    sqlx::raw_sql(earlier).execute(&app.owner).await.unwrap();

    let page = app.stranger().get("/metrics").await.text;
    for (name, value) in [
        ("comptoir_requests_total{method=\"POST\",route=\"/api/payments/split\",status=\"201\"}", 2),
        ("comptoir_requests_total{method=\"POST\",route=\"/api/payments/split\",status=\"402\"}", 1),
        ("comptoir_requests_total{method=\"POST\",route=\"/api/payments/split\",status=\"504\"}", 1),
        ("comptoir_request_duration_seconds_count{route=\"/api/payments/split\"}", 4),
        ("comptoir_request_duration_seconds_bucket{le=\"0.5\",route=\"/api/payments/split\"}", 3),
        ("comptoir_kitchen_slips_waiting", 1),
        ("comptoir_kitchen_breaker{state=\"open\"}", 1),
        ("comptoir_kitchen_breaker{state=\"closed\"}", 0),
        ("comptoir_kitchen_breaker{state=\"half_open\"}", 0),
        ("comptoir_card_attempts{state=\"unknown\"}", 1),
        ("comptoir_card_attempts{state=\"sent\"}", 0),
        ("comptoir_card_attempts_ended_total{state=\"approved\"}", 1),
        ("comptoir_card_attempts_ended_total{state=\"declined\"}", 1),
        ("comptoir_card_attempts_ended_total{state=\"unknown\"}", 1),
        ("comptoir_card_attempts_ended_total{state=\"cancelled\"}", 0),
        ("comptoir_card_attempts_ended_total{state=\"failed\"}", 0),
        ("comptoir_card_attempts_ended_total{state=\"not_sent\"}", 0),
        ("comptoir_terminal_up", 1),
        ("comptoir_sockets", 1),
        ("comptoir_journal_head{register=\"01\",chain=\"T\"}", 2),
    ] {
        assert_eq!(series(&page, name), Some(value), "{name}\n{page}");
    }
    // The one that waited for a silent terminal took its second.
    let took = decimal(&page, "comptoir_request_duration_seconds_sum{route=\"/api/payments/split\"}").unwrap();
    assert!((1.0..20.0).contains(&took), "{took}");
    let within = |name: &str, from: i64| {
        let value = series(&page, name).unwrap_or_else(|| panic!("{name} is missing: {page}"));
        assert!((from..from + 60).contains(&value), "{name} {value}");
    };
    within("comptoir_kitchen_oldest_slip_seconds", 90);
    within("comptoir_open_day_seconds{kind=\"sales\"}", 30 * 3_600);
    assert!(series(&page, "comptoir_database_connections").is_some_and(|count| count > 0), "{page}");
    drop(socket);
}

/// One line for each thing, and each line says of which request, by which route, with what result.
#[tokio::test]
async fn the_log_is_for_programs_and_says_which_request_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let till = Till::serve(&folder.path().join("data"), &[("RUST_LOG", "info,tower_http=debug,sqlx::query=debug")]).await;
    let gerant = till.sign_in("gerant").await;
    let asked = gerant.http.request(Method::GET, format!("{}/api/orders/987654321?pin=1234", till.base)).header("cookie", &gerant.cookie);
    let answer = asked.send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.status(), 404);
    let deadline = Instant::now() + Duration::from_secs(20);
    let line = loop {
        let said = till.said.lock().unwrap().clone();
        let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect();
        assert!(lines.iter().all(|line| ["timestamp", "level", "target"].iter().all(|name| line[name].is_string())), "{said}");
        let of_it: Vec<Value> = lines.into_iter().filter(|line| line["spans"][0]["id"] == json!(id)).collect();
        if let Some(answered) = of_it.iter().find(|line| !line["status"].is_null()).cloned() {
            // What was asked of the database for it says so too.
            assert!(of_it.iter().any(|line| line["target"] == "sqlx::query"), "{of_it:#?}");
            break answered;
        }
        assert!(Instant::now() < deadline, "nothing is said of it: {said}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let span = &line["spans"][0];
    assert_eq!(
        (&span["route"], &span["method"], &span["path"]),
        (&json!("/api/orders/{id}"), &json!("GET"), &json!("/api/orders/987654321"))
    );
    assert_eq!(line["status"].to_string().trim_matches('"'), "404");
    assert!(!line.to_string().contains("pin=1234"), "a query may hold what should not be logged: {line}");
    till.kill().await;
}
