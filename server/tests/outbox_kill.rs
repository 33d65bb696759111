//! The kitchen cooks everything once, whoever dies when: the real server is killed with `kill -9` at random moments under load.
//!
//! `COMPTOIR_KILLS` says how often (10 unless said; a campaign is 100 or more).
#![expect(clippy::expect_used, clippy::print_stderr, reason = "a test says what it expected, and a campaign what it did")]

#[path = "ground/folder.rs"]
mod folder;
#[path = "ground/slips.rs"]
mod slips;
#[path = "ground/tally.rs"]
mod tally;

use folder::folder;
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use sqlx::PgPool;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tally::tally;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// Whose phones they are: every phone has two tables of its own.
const PHONES: [&str; 10] = ["alice", "bob", "charlie", "camille", "gerant", "alice", "bob", "charlie", "camille", "gerant"];
const TABLES_EACH: i64 = 2;
/// A hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(120);

fn comptoir(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .env_remove("DATABASE_URL")
        .env_remove("REDIS_URL");
    command
}

/// The first line that it prints.
async fn greeting(child: &mut Child) -> String {
    let stdout = child.stdout.take().expect("its output");
    let mut lines = BufReader::new(stdout).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("readable").expect("a line");
    // Read on, so that it never stops at a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    line
}

fn serve(data: &Path, address: &str, kitchen: &str) -> Child {
    comptoir(&["serve"])
        .env("COMPTOIR_DATA", data)
        .env("COMPTOIR_ADDR", address)
        .env("COMPTOIR_DEMO", "1")
        .env("ERP_URL", kitchen)
        .env("ERP_WAIT_MS", "20")
        .env("RUST_LOG", "error")
        .spawn()
        .expect("the server starts")
}

/// A waiter's phone: repeats what was not answered, under the same id.
struct Phone {
    base: String,
    http: reqwest::Client,
    cookie: String,
    repeated: Arc<AtomicU64>,
}

impl Phone {
    async fn sign_in(base: &str, who: &str, repeated: Arc<AtomicU64>) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().expect("a client");
        let login = http.post(format!("{base}/api/auth/login")).json(&json!({"username": who, "pin": "1234"}));
        let answer = login.send().await.expect("an answer");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie").to_owned();
        Self { base: base.to_owned(), http, cookie, repeated }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let request = self.http.post(format!("{}{path}", self.base)).header("cookie", &self.cookie).json(body);
            if let Ok(answer) = request.send().await {
                let status = answer.status();
                if let Ok(body) = answer.json::<Value>().await {
                    if status.is_success() {
                        return body;
                    }
                    assert!(status.is_server_error(), "{path}: {status} {body}");
                }
            }
            assert!(Instant::now() < deadline, "{path} is never answered");
            self.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Orders, removals and courses that wait, until told to stop. Returns which rounds of which orders were answered.
    async fn work(self, first_table: i64, db: PgPool, evening: Arc<AtomicBool>) -> Vec<(i64, i64)> {
        let (mut orders, mut answered) = (0_i64, Vec::new());
        while !evening.load(Ordering::Relaxed) {
            let table = first_table + orders % TABLES_EACH;
            let hold = orders % 7 == 3;
            let items = json!([{"dish_id": 12, "qty": 2}, {"dish_id": 14, "qty": 1, "hold": hold}, {"wine_id": 34, "qty": 1}]);
            let taken = self.post("/api/orders", &json!({"table_id": table, "items": items, "uuid": Uuid::now_v7()})).await;
            orders += 1;
            let order = &taken["order_id"];
            answered.push((order.as_i64().expect("a number"), taken["round"].as_i64().expect("a number")));
            if hold {
                self.post(&format!("/api/orders/{order}/courses/2/fire"), &json!({})).await;
            }
            if orders % 5 == 2 {
                let line: i64 = sqlx::query_scalar("select id from order_lines where order_id = $1 and round = $2 and qty = 2")
                    .bind(order.as_i64())
                    .bind(taken["round"].as_i64())
                    .fetch_one(&db)
                    .await
                    .expect("the line that was answered is there");
                let void = json!({"qty": 1, "reason": "Erreur de saisie", "uuid": Uuid::now_v7()});
                self.post(&format!("/api/orders/{order}/lines/{line}/void"), &void).await;
            }
        }
        answered
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_slip_is_cooked_exactly_once_whenever_the_server_is_killed() {
    let kills: u32 = std::env::var("COMPTOIR_KILLS").ok().map_or(10, |text| text.parse().expect("COMPTOIR_KILLS is a number"));
    let began = Instant::now();
    let data = folder();
    let log = data.path().join("kitchen.jsonl");
    // The server adopts the cluster of its folder; this test holds it open meanwhile.
    let cluster = Cluster::start(data.path(), Durability::Throwaway).await.expect("PostgreSQL starts");
    let db = PgPool::connect_with(cluster.connect_options()).await.expect("a pool");

    let seed = rand::random::<u32>().to_string();
    let mut kitchen = comptoir(&["sim", "erp", "--listen", "127.0.0.1:0", "--latency-ms", "3", "--seed", &seed])
        .args(["--fail-rate", "4", "--duplicate-rate", "4", "--silent-rate", "1", "--log"])
        .arg(&log)
        .spawn()
        .expect("the kitchen opens");
    let kitchen_url = greeting(&mut kitchen).await.split_once("ERP_URL=").expect("its address").1.to_owned();

    let address = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        free.local_addr().expect("its address").to_string()
    };
    let mut server = serve(data.path(), &address, &kitchen_url);
    greeting(&mut server).await;

    let (evening, repeated) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut waiters = Vec::new();
    for (who, first_table) in PHONES.into_iter().zip((1..).step_by(2)) {
        let phone = Phone::sign_in(&format!("http://{address}"), who, Arc::clone(&repeated)).await;
        waiters.push(tokio::spawn(phone.work(first_table, db.clone(), Arc::clone(&evening))));
    }

    for kill in 0..kills {
        // Most often under load, now and then while it is still starting.
        tokio::time::sleep(Duration::from_millis(rand::random_range(20..1000))).await;
        server.kill().await.expect("it is killed");
        server = serve(data.path(), &address, &kitchen_url);
        if kill % 5 != 4 {
            greeting(&mut server).await;
        }
    }
    evening.store(true, Ordering::Relaxed);
    let mut answered = Vec::new();
    for waiter in waiters {
        answered.extend(waiter.await.expect("a waiter finishes"));
    }
    answered.sort_unstable();
    let left = async || -> i64 {
        sqlx::query_scalar("select count(*) from kitchen_slips where sent_at is null").fetch_one(&db).await.expect("a count")
    };
    let deadline = Instant::now() + PATIENCE;
    while left().await > 0 {
        assert!(Instant::now() < deadline, "{} slips never arrive", left().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.kill().await.expect("the end");
    kitchen.kill().await.expect("the end");

    let (slips, attempts) = slips::check(&db, &log).await;
    let there: Vec<(i64, i64)> = sqlx::query_as("select id, generate_series(1, rounds)::bigint as round from orders order by id, round")
        .fetch_all(&db)
        .await
        .expect("what is there");
    assert!(answered.windows(2).all(|two| two[0] != two[1]), "no round is the answer to two requests");
    assert_eq!(answered, there, "what was answered is there, and nothing else");
    // A round that was written twice would show in its lines, whatever the order counts: each has three.
    let lines: Vec<(i64, i64)> = sqlx::query_as(
        "select order_id, round::bigint from order_lines group by order_id, round having count(*) = 3 order by order_id, round",
    )
    .fetch_all(&db)
    .await
    .expect("what is there");
    assert_eq!(lines, there, "each round once");
    let orders = answered.len();
    eprintln!(
        "{kills} kills, {orders} orders, {slips} slips, {attempts} attempts to deliver them, {} requests repeated by phones, seed {seed}, {:.0?}",
        repeated.load(Ordering::Relaxed),
        began.elapsed()
    );
    tally(&json!({"kills": kills, "orders": orders, "slips": slips, "deliveries": attempts, "repeated": repeated.load(Ordering::Relaxed)}));
    cluster.stop().await.expect("a clean stop");
}
