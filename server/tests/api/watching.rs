//! What whoever looks after the till sees of it: its figures and its log.

use crate::charging::caisse_ap;
use crate::events::{caught_up, open};
use crate::folder::folder;
use crate::kitchen_system::{Kitchen, hurried};
use crate::paying::table_12;
use crate::program::Till;
use crate::redis_sessions::Redis;
use crate::support::TestApp;
use domain::breaker::{Patience, Phase};
use reqwest::Method;
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use server::config::Erp;
use server::services::self_check::{Depth, check};
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

#[tokio::test]
async fn each_call_of_the_pages_has_its_own_series_and_what_is_no_call_has_none() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    for (call, body, times) in
        [("floor", json!({}), 2), ("who", json!({}), 1), ("order", json!({"id": 987_654_321}), 1), ("xyzzy", json!({}), 3)]
    {
        for _ in 0..times {
            alice.post(&format!("/call/{call}"), &body).await;
        }
    }
    let page = app.stranger().get("/metrics").await.text;
    for (route, status, count) in [
        ("/call/floor", 200, 2),
        ("/call/who", 200, 1),
        ("/call/order", 404, 1),
        // Whatever was asked for, one series.
        ("/call/{*name}", 404, 3),
    ] {
        let name = format!("comptoir_requests_total{{method=\"POST\",route=\"{route}\",status=\"{status}\"}}");
        assert_eq!(series(&page, &name), Some(count), "{page}");
    }
    assert_eq!(series(&page, "comptoir_request_duration_seconds_count{route=\"/call/floor\"}"), Some(2), "{page}");
    assert!(!page.contains("xyzzy"), "{page}");
}

#[tokio::test]
async fn what_the_process_knows_is_shown_when_postgresql_is_stopped_or_does_not_answer() {
    let folder = folder();
    let cluster = Cluster::start(folder.path(), Durability::Throwaway).await.unwrap();
    let app = TestApp::on(&cluster).await;
    let camille = app.signed_in("camille").await;
    assert_eq!(camille.get("/api/tables").await.status, 200);
    let watcher = app.stranger();
    let counted = "comptoir_requests_total{method=\"GET\",route=\"/api/tables\",status=\"200\"}";
    let look = async || {
        let asked = Instant::now();
        let page = watcher.get("/metrics").await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.ends_with("# EOF\n") && asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
        assert_eq!(series(&page.text, counted), Some(1), "{}", page.text);
        (series(&page.text, "comptoir_database_up"), series(&page.text, "comptoir_money_to_check"))
    };
    assert_eq!(look().await, (Some(1), Some(0)));

    // Somebody holds what is read: nothing comes back.
    let mut held = app.owner.begin().await.unwrap();
    sqlx::raw_sql("lock table kitchen_slips in access exclusive mode").execute(&mut *held).await.unwrap();
    assert_eq!(look().await, (Some(0), None), "what is not known is not said");
    held.rollback().await.unwrap();
    assert_eq!(look().await, (Some(1), Some(0)));

    app.owner.close().await;
    cluster.stop().await.unwrap();
    assert_eq!(look().await, (Some(0), None));
    assert_eq!(watcher.get("/health/ready").await.status, 503);
}

#[tokio::test]
async fn whether_redis_answers_is_a_figure_where_there_is_one() {
    let redis = "comptoir_redis_up";
    let without = TestApp::start().await.stranger().get("/metrics").await.text;
    assert_eq!(series(&without, redis), None, "{without}");
    let mut real = Redis::start();
    let app = TestApp::with_redis(&real.url).await;
    assert_eq!(series(&app.stranger().get("/metrics").await.text, redis), Some(1));
    real.child.kill().unwrap();
    real.child.wait().unwrap();
    assert_eq!(series(&app.stranger().get("/metrics").await.text, redis), Some(0));
}

#[tokio::test]
async fn guesses_are_counted_and_nobody_is_named() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    let figures = async || {
        let page = stranger.get("/metrics").await.text;
        assert!(!page.contains("alice") && !page.contains("Alice"), "{page}");
        ["sign_ins_refused_total{why=\"wrong_pin\"}", "sign_ins_refused_total{why=\"too_many\"}", "names_locked_total"]
            .map(|name| series(&page, &format!("comptoir_{name}")).unwrap_or_else(|| panic!("{name}: {page}")))
    };
    assert_eq!(figures().await, [0, 0, 0]);
    let guess = json!({"username": "alice", "pin": "0000"});
    for _ in 0..4 {
        assert_eq!(stranger.post("/api/auth/login", &guess).await.status, 401);
    }
    assert_eq!(figures().await, [4, 0, 0]);
    assert_eq!(stranger.post("/api/auth/login", &guess).await.status, 401);
    assert_eq!(figures().await, [5, 0, 1], "the fifth locks the name");
    assert_eq!(stranger.post("/call/sign-in", &json!({"login": guess})).await.status, 429, "on the page too");
    assert_eq!(figures().await, [5, 1, 1]);
    app.signed_in("camille").await;
    assert_eq!(figures().await, [5, 1, 1]);
}

#[tokio::test]
async fn a_flawed_journal_and_papers_that_wait_have_their_figures() {
    // Nobody prints there.
    let nowhere = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let app = TestApp::with_printer(&format!("tcp://{nowhere}?columns=48")).await;
    let figures = async || {
        let page = app.stranger().get("/metrics").await.text;
        ["comptoir_journal_flawed", "comptoir_prints_waiting"].map(|name| series(&page, name))
    };
    assert_eq!(figures().await, [Some(0), Some(0)]);
    let camille = app.signed_in("camille").await;
    let order = json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}], "covers": 1});
    let order = camille.post("/api/orders", &order).await.body["order_id"].clone();
    let paid = json!({"order_id": order, "cover_number": 1, "amount": 24, "method": "ESPECES"});
    assert_eq!(camille.post("/api/payments/split", &paid).await.status, 201);
    assert_eq!(camille.post("/api/nf525/close", &json!({})).await.status, 200);
    assert_eq!(figures().await, [Some(0), Some(1)], "the Z waits for its printer");
    let spoilt = std::fs::read_to_string(&app.house.anchoring.file).unwrap().replace("\"register\"", "\"registre\"");
    std::fs::write(&app.house.anchoring.file, spoilt).unwrap();
    assert_eq!(check(&app.house, Depth::Recent(1_000)).await.unwrap(), 1);
    assert_eq!(figures().await, [Some(1), Some(1)]);
}

/// From another machine, or from the one that runs the container: at an address of its own, which has nothing else to say.
#[tokio::test]
async fn whoever_reaches_the_address_for_watchers_sees_the_figures_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let till = Till::serve(&folder.path().join("data"), &[("METRICS_ADDR", &door.to_string())]).await;
    let gerant = till.sign_in("gerant").await;
    let ask = async |base: &str, method: Method, path: &str| {
        let request =
            gerant.http.request(method, format!("{base}{path}")).header("x-forwarded-for", "203.0.113.7").header("cookie", &gerant.cookie);
        let answer = request.send().await.unwrap();
        let policy = answer.headers().get("content-security-policy").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(policy.as_deref(), Some("default-src 'none'; frame-ancestors 'none'"), "{path}");
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let watched = format!("http://{door}");
    let (status, page) = ask(&watched, Method::GET, "/metrics").await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(series(&page, "comptoir_database_up"), Some(1), "{page}");
    assert_eq!(series(&page, "comptoir_requests_total{method=\"POST\",route=\"/api/auth/login\",status=\"200\"}"), Some(1), "{page}");
    assert_eq!(ask(&watched, Method::GET, "/health/live").await.0, 200);
    assert_eq!(ask(&watched, Method::GET, "/health/ready").await.0, 200);
    for (method, path, status) in [
        (Method::GET, "/api/menu", 404),
        (Method::GET, "/", 404),
        (Method::GET, "/api/openapi.json", 404),
        (Method::GET, "/sw.js", 404),
        (Method::POST, "/api/auth/login", 404),
        (Method::POST, "/call/who", 404),
        (Method::POST, "/metrics", 405),
    ] {
        assert_eq!(ask(&watched, method, path).await.0, status, "{path}");
    }
    assert_eq!(ask(&till.base, Method::GET, "/metrics").await.0, 403, "the till's own address shows them to this machine only");
    till.stop().await;
    assert!(tokio::net::TcpStream::connect(door).await.is_err(), "closed with the till");
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
