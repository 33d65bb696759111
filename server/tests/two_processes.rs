//! Two server processes on one PostgreSQL and one Redis: a dish that is said ready at one reaches the waiter's phone at the other, and nobody
//! else's; and nothing is lost when a server is killed, when Redis is, and when both come back. Behind one address they share the work, whoever
//! began it: there are no sticky sessions.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

#[path = "ground/door.rs"]
mod door;
#[path = "ground/folder.rs"]
mod folder;

use folder::folder;
use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use server::jwt::{Secret, sign};
use server::sim::erp::{Script, Simulator};
use sqlx::PgPool;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(60);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port()
}

/// `comptoir serve`, once it can be asked.
async fn serve(data: &Path, port: u16, redis: &str, settings: &[(&str, &str)]) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_comptoir"))
        .arg("serve")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .env_remove("DATABASE_URL")
        .env("COMPTOIR_DATA", data)
        .env("COMPTOIR_ADDR", format!("127.0.0.1:{port}"))
        .env("COMPTOIR_DEMO", "1")
        .env("REDIS_URL", redis)
        .env("RUST_LOG", "error")
        .envs(settings.iter().copied())
        .spawn()
        .expect("the server starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("readable").expect("a line");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}

async fn redis(port: u16) -> Child {
    let child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("redis-server is installed by `make setup`");
    until("Redis listens", async || TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
    child
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[derive(Clone)]
struct Person {
    http: reqwest::Client,
    cookie: String,
}

impl Person {
    async fn sign_in(port: u16, username: &str) -> Self {
        // A connection for each request: a load balancer may send each elsewhere.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(Duration::from_secs(20)).build().expect("a client");
        let login = http.post(format!("http://127.0.0.1:{port}/api/auth/login")).json(&json!({"username": username, "pin": "1234"}));
        let answer = login.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{username}");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie").to_owned();
        Self { http, cookie }
    }

    async fn post(&self, port: u16, path: &str, body: &Value) -> Value {
        let (status, said) = self.ask(port, Method::POST, path, Some(body)).await.expect("an answer");
        assert!(status.is_success(), "{path}: {status} {said}");
        said
    }

    async fn get(&self, port: u16, path: &str) -> (StatusCode, Value) {
        self.ask(port, Method::GET, path, None).await.expect("an answer")
    }

    async fn ask(&self, port: u16, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<(StatusCode, Value)> {
        let url = format!("http://127.0.0.1:{port}{path}");
        let mut request = self.http.request(method, url).header("cookie", &self.cookie).header("connection", "close");
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// Says the same again, under the same id, until it is answered.
    async fn insist(&self, port: u16, path: &str, body: &Value) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.ask(port, Method::POST, path, Some(body)).await {
                Ok((status, said)) if status.is_success() => return said,
                Ok((status, said)) => assert!(status.is_server_error(), "{path}: {status} {said}"),
                // Whoever was to answer is dead.
                Err(_) => {}
            }
            assert!(Instant::now() < deadline, "{path} is never answered");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn listen(&self, port: u16, since: i64) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        let mut request = format!("ws://127.0.0.1:{port}/ws?since={since}").into_client_request().expect("an address");
        request.headers_mut().insert("cookie", self.cookie.parse().expect("a cookie"));
        connect_async(request).await.expect("a socket").0
    }
}

/// Dishes that arrive until so many are there, or for a moment longer when none is expected.
async fn dishes(socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>, count: usize) -> Vec<i64> {
    let mut numbers = Vec::new();
    let patience = if count == 0 { Duration::from_millis(300) } else { Duration::from_secs(10) };
    while numbers.len() < count.max(1) {
        let Ok(Some(Ok(frame))) = tokio::time::timeout(patience, socket.next()).await else { break };
        let Message::Text(text) = frame else { continue };
        let event: Value = serde_json::from_str(&text).expect("JSON");
        if event["event"] == "dish_ready" {
            numbers.push(event["id"].as_i64().expect("a number"));
        }
    }
    numbers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dish_said_at_one_process_reaches_its_waiter_at_the_other_whatever_dies() {
    let data = folder();
    let cluster = Cluster::start(data.path(), Durability::Throwaway).await.expect("PostgreSQL starts");
    let redis_port = free_port();
    let redis_url = format!("redis://127.0.0.1:{redis_port}/0");
    let mut the_redis = redis(redis_port).await;
    let (here, there) = (free_port(), free_port());
    let _one = serve(data.path(), here, &redis_url, &[]).await;
    let mut other = serve(data.path(), there, &redis_url, &[]).await;

    let (alice, bob, charlie) =
        (Person::sign_in(here, "alice").await, Person::sign_in(there, "bob").await, Person::sign_in(there, "charlie").await);
    let items: Vec<Value> = (0..40).map(|i| json!({"dish_id": 12, "qty": 1, "note": format!("n° {i}")})).collect();
    let order = alice.post(here, "/api/orders", &json!({"table_id": 5, "items": items})).await["order_id"].clone();
    let whole = alice.http.get(format!("http://127.0.0.1:{here}/api/orders/{order}")).header("cookie", &alice.cookie);
    let whole: Value = whole.send().await.expect("an answer").json().await.expect("an order");
    let lines: Vec<i64> =
        whole["lines"].as_array().expect("lines").iter().map(|line| line["line_id"].as_i64().expect("a number")).collect();
    let ready = async |port: u16, line: i64| alice.post(port, &format!("/api/kitchen/lines/{line}"), &json!({"state": "ready"})).await;

    let mut phone = alice.listen(there, 0).await;
    let (mut of_bob, mut of_charlie) = (bob.listen(there, 0).await, charlie.listen(here, 0).await);
    for line in &lines[..10] {
        ready(here, *line).await;
    }
    assert_eq!(dishes(&mut phone, 10).await, (1..=10).collect::<Vec<_>>(), "from one process to the other");
    assert_eq!((dishes(&mut of_bob, 0).await, dishes(&mut of_charlie, 0).await), (vec![], vec![]), "nobody else is told");

    // The server of her phone dies; meanwhile the kitchen goes on. The phone comes back to the other one, with its last number.
    other.kill().await.expect("it is killed");
    for line in &lines[10..20] {
        ready(here, *line).await;
    }
    let mut phone = alice.listen(here, 10).await;
    assert_eq!(dishes(&mut phone, 10).await, (11..=20).collect::<Vec<_>>(), "what was said while nobody listened");

    // The second one comes back, Redis dies: what is said there reaches her here.
    let _other = serve(data.path(), there, &redis_url, &[]).await;
    the_redis.kill().await.expect("it is killed");
    for line in &lines[20..30] {
        ready(there, *line).await;
    }
    assert_eq!(dishes(&mut phone, 10).await, (21..=30).collect::<Vec<_>>(), "without Redis");
    let _redis = redis(redis_port).await;
    for line in &lines[30..] {
        ready(there, *line).await;
    }
    assert_eq!(dishes(&mut phone, 10).await, (31..=40).collect::<Vec<_>>(), "and when it is back");
    drop((phone, of_bob, of_charlie));
    cluster.stop().await.expect("a clean stop");
}

const SECRET: &str = "what the kitchen and the tills of this test share";

/// How many requests a process has answered, by its own count.
async fn answered(port: u16) -> u64 {
    let page = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await.expect("an answer").text().await.expect("text");
    let counts = page.lines().filter(|line| line.starts_with("comptoir_requests_total{"));
    counts.map(|line| line.rsplit(' ').next().expect("a count").parse::<u64>().expect("a number")).sum()
}

/// What somebody sent, and what was answered.
struct Sent {
    by: Person,
    path: &'static str,
    body: Value,
    answer: Value,
}

/// Orders and pays, in turns, until told to stop.
async fn work(person: Person, door: u16, first_table: u64, evening: Arc<AtomicBool>, count: Arc<AtomicU64>) -> Vec<Sent> {
    let mut sent = Vec::new();
    while !evening.load(Ordering::Relaxed) {
        let table = first_table + sent.len() as u64 / 2 % 3;
        let order = json!({"table_id": table, "covers": 1, "uuid": Uuid::now_v7(), "items": [{"wine_id": 34, "qty": 1}]});
        let taken = person.insist(door, "/api/orders", &order).await;
        let pay = json!({"order_id": taken["order_id"], "cover_number": 1, "amount": 28, "method": "ESPECES", "uuid": Uuid::now_v7()});
        let paid = person.insist(door, "/api/payments/split", &pay).await;
        assert_eq!(paid["status"], "order_complete", "{paid}");
        sent.push(Sent { by: person.clone(), path: "/api/orders", body: order, answer: taken });
        sent.push(Sent { by: person.clone(), path: "/api/payments/split", body: pay, answer: paid });
        count.fetch_add(2, Ordering::Relaxed);
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_one_address_two_processes_share_the_work_and_no_phone_is_tied_to_either() {
    let data = folder();
    let cluster = Cluster::start(data.path(), Durability::Throwaway).await.expect("PostgreSQL starts");
    let db = PgPool::connect_with(cluster.connect_options()).await.expect("a pool");
    let redis_port = free_port();
    let redis_url = format!("redis://127.0.0.1:{redis_port}/0");
    let _redis = redis(redis_port).await;
    let kitchen = Arc::new(Simulator::open(Script::default(), 0, None).expect("a kitchen"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let kitchen_url = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(Arc::clone(&kitchen).serve(listener, CancellationToken::new()));
    let settings = [("ERP_URL", kitchen_url.as_str()), ("ERP_JWT_SECRET", SECRET), ("TPE_URL", "none")];
    let (here, there) = (free_port(), free_port());
    let mut one = serve(data.path(), here, &redis_url, &settings).await;
    let _other = serve(data.path(), there, &redis_url, &settings).await;
    let door = door::open(vec![here, there]).await;

    // Signed in at one of them: each request goes to the next, and what is said again under the same id is said to the other.
    let alice = Person::sign_in(door, "alice").await;
    let (camille, gerant) = (Person::sign_in(door, "camille").await, Person::sign_in(door, "gerant").await);
    let (mut orders, mut cents) = (0, 0);
    // What was answered: the orders, and their payments.
    let (mut taken_orders, mut taken_payments) = (Vec::new(), Vec::new());
    let number = |answer: &Value, name: &str| answer[name].as_i64().unwrap_or_else(|| panic!("{name}: {answer}"));
    let twice = async |person: &Person, path: &str, body: &Value| {
        let first = person.post(door, path, body).await;
        assert_eq!(person.post(door, path, body).await, first, "{path}: the other process says the same");
        first
    };
    let pay = |order: &Value, amount: f64| json!({"order_id": order, "cover_number": 1, "amount": amount, "method": "ESPECES", "uuid": Uuid::now_v7()});
    for table in (1..=5).cycle().take(20) {
        let items = json!([{"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 1}]);
        let order = json!({"table_id": table, "covers": 1, "uuid": Uuid::now_v7(), "items": items});
        let taken = twice(&alice, "/api/orders", &order).await;
        let paid = twice(&camille, "/api/payments/split", &pay(&taken["order_id"], 52.0)).await;
        assert_eq!(paid["status"], "order_complete", "{paid}");
        taken_orders.push(number(&taken, "order_id"));
        taken_payments.push(number(&paid, "payment_id"));
        (orders, cents) = (orders + 1, cents + 5200);
    }
    let at = time::OffsetDateTime::now_utc().format(&time::format_description::well_known::Rfc3339).expect("a time");
    let kept = json!({"uuid": Uuid::now_v7(), "table_id": 6, "covers": 1, "items": [{"dish_id": 12, "qty": 1}], "offline_timestamp": at});
    let synced = twice(&alice, "/api/orders/sync", &kept).await;
    let paid = twice(&camille, "/api/payments/split", &pay(&synced["order_id"], 24.0)).await;
    taken_orders.push(number(&synced, "order_id"));
    taken_payments.push(number(&paid, "payment_id"));
    (orders, cents) = (orders + 1, cents + 2400);

    // What is changed at one costs the same at both.
    let magret = json!({"kind": "dish", "name": "Magret de canard", "category": "Viandes", "price": 26.5, "vat_rate": 10, "course": 2});
    let changed = gerant.ask(door, Method::PUT, "/api/menu/items/12", Some(&magret)).await.expect("an answer");
    assert!(changed.0.is_success(), "{changed:?}");
    for port in [here, there] {
        until("the new price is on both menus", async || {
            let menu = alice.get(port, "/api/menu").await.1;
            menu["items"].as_array().is_some_and(|items| items.iter().any(|item| item["id"] == 12 && item["price"] == json!(26.5)))
        })
        .await;
    }
    let order = json!({"table_id": 7, "covers": 1, "uuid": Uuid::now_v7(), "items": [{"dish_id": 12, "qty": 1}]});
    let order = alice.post(door, "/api/orders", &order).await["order_id"].clone();
    (orders, cents) = (orders + 1, cents + 2650);

    // Her socket is at one of them, the kitchen speaks to the other.
    let mut phone = alice.listen(there, 0).await;
    let mut slip = None;
    until("the kitchen has the slip", async || {
        slip = kitchen.cooked().into_iter().find(|cooked| cooked.slip["order_id"] == order);
        slip.is_some()
    })
    .await;
    let slip = slip.expect("a slip").erp_order_id;
    let secret = Secret::new(SECRET).expect("long enough");
    let token = sign(&secret, "erp", time::OffsetDateTime::now_utc() + Duration::from_secs(300));
    let ready = json!({"erp_order_id": slip, "dish_name": "Magret de canard", "table_id": 7, "event_id": "ready-1"});
    until("the kitchen is heard", async || {
        let url = format!("http://127.0.0.1:{here}/api/webhooks/erp/dish-ready");
        let said = reqwest::Client::new().post(url).bearer_auth(&token).json(&ready).send().await.expect("an answer");
        // The number of the slip may not be written down yet.
        assert!(said.status().is_success() || said.status() == 404, "{}", said.status());
        said.status().is_success()
    })
    .await;
    assert_eq!(dishes(&mut phone, 1).await, [1]);
    drop(phone);
    let paid = twice(&camille, "/api/payments/split", &pay(&order, 26.5)).await;
    taken_orders.push(order.as_i64().expect("a number"));
    taken_payments.push(number(&paid, "payment_id"));

    alice.post(door, "/api/auth/logout", &json!({})).await;
    for port in [here, there] {
        until("her cookie opens nothing any more", async || alice.get(port, "/api/menu").await.0 == 401).await;
    }

    // More of it at once, and one of them dies in the middle.
    let (evening, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let phones = [(&camille, 8), (&gerant, 11), (&camille, 14), (&gerant, 17)];
    let working: Vec<_> = phones
        .into_iter()
        .map(|(person, table)| tokio::spawn(work(person.clone(), door, table, Arc::clone(&evening), Arc::clone(&count))))
        .collect();
    let enough = async |more: u64| until("they go on", async || count.load(Ordering::Relaxed) >= more).await;
    enough(80).await;
    let (by_one, by_other) = (answered(here).await, answered(there).await);
    assert!((40..=60).contains(&(100 * by_one / (by_one + by_other))), "{by_one} and {by_other} requests");
    one.kill().await.expect("it is killed");
    enough(count.load(Ordering::Relaxed) + 80).await;
    evening.store(true, Ordering::Relaxed);
    let mut sent = Vec::new();
    for phone in working {
        sent.extend(phone.await.expect("a phone finishes"));
    }
    // Whatever was answered is answered so for ever, also by who did not answer it.
    for Sent { by, path, body, answer } in &sent {
        assert_eq!(&by.post(door, path, body).await, answer);
        match *path {
            "/api/orders" => taken_orders.push(number(answer, "order_id")),
            _ => taken_payments.push(number(answer, "payment_id")),
        }
    }
    let more = i64::try_from(sent.len() / 2).expect("few");
    (orders, cents) = (orders + more, cents + 2800 * more);

    let (status, report) = camille.get(door, "/api/nf525/verify").await;
    assert!(status == 200 && report["ok"] == true, "{report}");
    let (status, x) = camille.get(door, "/api/nf525/x").await;
    assert_eq!(
        (status, &x["count"], domain::Cents::parse(&x["total_ttc"].to_string())),
        (StatusCode::OK, &json!(orders), Ok(domain::Cents(cents)))
    );
    // Each by its number: one that is lost and one that is there twice would make the same sum. An order of ours has one round.
    let there: Vec<(i64, i64)> =
        sqlx::query_as("select id, generate_series(1, rounds)::bigint from orders order by 1").fetch_all(&db).await.expect("what is there");
    taken_orders.sort_unstable();
    assert_eq!(taken_orders.into_iter().map(|id| (id, 1)).collect::<Vec<_>>(), there, "no order is lost, none is there twice");
    let there: Vec<i64> = sqlx::query_scalar("select id from payments order by 1").fetch_all(&db).await.expect("what is there");
    taken_payments.sort_unstable();
    assert_eq!(taken_payments, there, "no payment is lost, none is there twice");
    let sum: i64 = sqlx::query_scalar("select sum(amount_cents)::bigint from payments").fetch_one(&db).await.expect("a sum");
    assert_eq!((sum, i64::try_from(there.len()).expect("few")), (cents, orders));
    db.close().await;
    cluster.stop().await.expect("a clean stop");
}
