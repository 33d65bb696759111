//! Two server processes on one PostgreSQL and one Redis: a dish that is said ready at one reaches the waiter's phone at the other, and nobody
//! else's; and nothing is lost when a server is killed, when Redis is, and when both come back.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

use futures::StreamExt;
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(60);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port()
}

/// `comptoir serve`, once it can be asked.
async fn serve(data: &Path, port: u16, redis: &str) -> Child {
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

struct Person {
    http: reqwest::Client,
    cookie: String,
}

impl Person {
    async fn sign_in(port: u16, username: &str) -> Self {
        let http = reqwest::Client::new();
        let login = http.post(format!("http://127.0.0.1:{port}/api/auth/login")).json(&json!({"username": username, "pin": "1234"}));
        let answer = login.send().await.expect("an answer");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie").to_owned();
        Self { http, cookie }
    }

    async fn post(&self, port: u16, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("http://127.0.0.1:{port}{path}")).header("cookie", &self.cookie).json(body);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap_or(Value::Null)
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
    let data = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::start(data.path(), Durability::Throwaway).await.expect("PostgreSQL starts");
    let redis_port = free_port();
    let redis_url = format!("redis://127.0.0.1:{redis_port}/0");
    let mut the_redis = redis(redis_port).await;
    let (here, there) = (free_port(), free_port());
    let _one = serve(data.path(), here, &redis_url).await;
    let mut other = serve(data.path(), there, &redis_url).await;

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
    let _other = serve(data.path(), there, &redis_url).await;
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
