//! Phones that listen: how soon a kitchen system's word reaches them, what they cost while nothing happens, and how they come back when the
//! server is killed.
//!
//! The limit of the way is a bare publish and subscribe through Redis, measured in the same run, between the webhooks: no store, no rights, no
//! HTTP. Beside it stands what one row costs that PostgreSQL stores durably: without that nothing is told.

use crate::report::{Report, Row};
use crate::watched::{Server, free_address};
use domain::UserId;
use domain::api::SessionUser;
use domain::backoff::{Backoff, WHOLE};
use futures::StreamExt;
use serde_json::json;
use server::adapters::bus::Bus;
use server::jwt::{LONGEST, Secret, sign};
use server::session_store::{Store, USER};
use sqlx::PgPool;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::SessionStore;

/// Waiters, each with a table of their own.
const WAITERS: usize = 100;
/// Phones of each.
const PHONES: usize = 5;
/// Dishes of each table: so many webhooks in all are `WAITERS * DISHES`.
const DISHES: usize = 20;
/// Phones that only listen.
const IDLE: usize = 5_000;
/// So many of them come at the same moment.
const AT_ONCE: usize = 64;
/// After so long five hundred phones have heard that a plan changed.
const QUIET_AFTER: Duration = Duration::from_millis(25);
const SECRET: &str = "a bench and a till share thirty-two bytes";

/// Everything about sockets.
pub async fn measure(folder: &Path, owner: &PgPool, report: &mut Report) {
    let redis = Redis::start().await;
    // There already, unless these are measured alone.
    server::run::load_demo(owner).await.unwrap();
    let cookies = seed(owner).await;
    let address = free_address();
    let env = [("REDIS_URL", redis.url.as_str()), ("ERP_JWT_SECRET", SECRET), ("READY_COLLEAGUES_S", "0"), ("READY_TILL_S", "0")];
    let server = Server::start_at(folder, &address, &env).await;

    let crowd = Crowd::come(&address, &cookies).await;
    let (took, bare, commits) = crowd.hear_webhooks(&address, 0..DISHES / 2, &redis, owner).await;
    let (p50, p99) = (percentile(&took, 50), percentile(&took, 99));
    let detail = json!({
        "p50_us": p50, "worst_us": percentile(&took, 100), "webhooks": took.len() / PHONES,
        "redis_p50_us": percentile(&bare, 50), "redis_p99_us": percentile(&bare, 99),
        "one_durable_row_p50_us": percentile(&commits, 50), "one_durable_row_p99_us": percentile(&commits, 99),
    });
    let sockets = WAITERS * PHONES;
    let what = format!("webhook to a phone's socket, P99, {sockets} sockets");
    report.add(Row::new(what, "µs", p99, 5_000.0).with_target("under 5 ms", |row| row.ours < row.limit).with_detail(detail));
    // The middle of both: how long the slowest of a few hundred bare trips took says more of the machine than of the way.
    let what = format!("webhook to a phone's socket, P50, {sockets} sockets, beside Redis");
    let beside = json!({ "p99_us": p99, "redis_p99_us": percentile(&bare, 99), "p99_in_bare_round_trips": p99 / percentile(&bare, 99) });
    report.add(
        Row::new(what, "µs", p50, 3.0 * percentile(&bare, 50))
            .with_target("under 3 bare round trips (P50)", |row| row.ours < row.limit)
            .with_detail(beside),
    );

    let (server, back, since_kill) = restart(server, folder, &address, &env, &crowd).await;
    let row = Row::new(format!("{} phones back and caught up after kill -9", WAITERS * PHONES), "ms", back, 5_000.0);
    let detail = json!({ "since_the_kill_ms": since_kill, "missed": crowd.missing(), "numbers_each_phone": DISHES });
    report.add(
        row.with_target("within 5 s of the server's return, none missing", |row| row.ours < row.limit && row.detail["missed"] == 0)
            .with_detail(detail),
    );
    drop(crowd);
    server.stop().await;

    // A server that has done nothing else yet.
    let server = Server::start_at(folder, &address, &env).await;
    let before = server.resident_mib();
    let sockets = idle(&address, &cookies).await;
    // What opening them took for a moment is given back.
    tokio::time::sleep(Duration::from_secs(12)).await;
    let resident = server.resident_mib();
    // Whoever opened one goes on without noticing that it was closed; the server counts those that are open.
    let open = gauge(&address, "sockets").await;
    assert_eq!(open, IDLE, "so many sockets are open");
    assert!(sockets.iter().all(|socket| !socket.is_finished()), "each of them is still listened to");
    let row = Row::new(format!("resident memory with {open} idle sockets"), "MiB", resident, 150.0);
    report.add(row.with_target("under 150 MiB", |row| row.ours < row.limit).with_detail(json!({ "before_mib": before })));
    drop(sockets);
    server.stop().await;
}

/// What the server counts under this name.
async fn gauge(address: &str, name: &str) -> usize {
    let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    let says = |line: &str| line.strip_prefix("comptoir_")?.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(says).unwrap_or_else(|| panic!("no gauge {name}: {text}"))
}

/// So many per cent took no longer, in microseconds.
fn percentile(sorted: &[u32], percent: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().map_or(f64::NAN, f64::from)
}

/// A Redis of its own.
struct Redis {
    _child: Child,
    url: String,
}

impl Redis {
    async fn start() -> Self {
        let address = free_address();
        let port = address.rsplit(':').next().unwrap();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", port])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server is installed by `make setup`");
        while TcpStream::connect(&address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { _child: child, url: format!("redis://{address}/0") }
    }

    /// Somebody who publishes and hears it.
    async fn line(&self) -> Line {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        let mut heard = client.get_async_pubsub().await.unwrap();
        heard.subscribe("bench").await.unwrap();
        Line { heard: Box::pin(heard.into_on_message()), speak: client.get_multiplexed_async_connection().await.unwrap() }
    }
}

struct Line {
    heard: futures::stream::BoxStream<'static, redis::Msg>,
    speak: redis::aio::MultiplexedConnection,
}

impl Line {
    /// Publish, and hear it: the way alone, in microseconds.
    async fn round_trip(&mut self) -> u32 {
        let sent = Instant::now();
        let publish = async { redis::cmd("PUBLISH").arg("bench").arg("a dish is ready").query_async::<u32>(&mut self.speak).await };
        let (published, message) = tokio::join!(publish, self.heard.next());
        assert!(published.unwrap() == 1 && message.is_some());
        micros(sent)
    }
}

fn micros(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_micros()).unwrap()
}

/// Waiters with a table, an order and dishes that a kitchen system has; and a session of each, without typing a hundred PINs.
async fn seed(owner: &PgPool) -> Vec<String> {
    let sql = format!(
        "insert into users (id, username, name, role, pin_hash)
         select 1000 + i, 'w' || i, 'Serveur ' || i, 'serveur', pin_hash from users, generate_series(0, {last}) i where username = 'alice';
         insert into tables (id, name, room_id, seats, x, y) select 200000 + i, 'S' || i, 1, 4, 50, 50 from generate_series(0, {last}) i;
         insert into orders (table_id, covers, server_user_id) select 200000 + i, 4, 1000 + i from generate_series(0, {last}) i;
         insert into kitchen_slips (order_id, table_id, round, sent_at, erp_order_id)
         select id, table_id, 1, now(), 'B-' || (table_id - 200000) from orders where table_id >= 200000;
         insert into order_lines (order_id, item_id, kind, name, qty, unit_price_cents, vat_rate, course, round, state, slip_id)
         select s.order_id, 12, 'dish', 'Plat ' || d, 1, 2400, 1000, 2, 1, 'received', s.id
         from kitchen_slips s, generate_series(0, {dishes}) d where s.table_id >= 200000;",
        last = WAITERS - 1,
        dishes = DISHES - 1
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(owner).await.unwrap();
    let store = Store::new(owner.clone(), None, Bus::default());
    let mut cookies = Vec::new();
    for i in 0..WAITERS {
        let user = SessionUser { id: UserId::from_row(1000 + i as i64), name: format!("Serveur {i}"), role: domain::Role::Serveur };
        let data = [(USER.to_owned(), serde_json::to_value(user).unwrap())].into();
        let mut record = Record { id: Id::default(), data, expiry_date: OffsetDateTime::now_utc() + Duration::from_secs(3600) };
        store.create(&mut record).await.unwrap();
        cookies.push(format!("comptoir={}", record.id));
    }
    cookies
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>>;

async fn open(address: &str, cookie: &str, since: i64) -> Option<Socket> {
    let mut request = format!("ws://{address}/ws?since={since}").into_client_request().unwrap();
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    tokio_tungstenite::connect_async(request).await.ok().map(|(socket, _)| socket)
}

/// What a phone heard: when, whose, and the number.
struct Heard {
    at: Instant,
    waiter: usize,
    id: i64,
}

/// Phones that listen, answer pings, and come back as the app does.
struct Crowd {
    heard: tokio::sync::Mutex<mpsc::UnboundedReceiver<Heard>>,
    open: Arc<AtomicUsize>,
    /// How many dishes each phone has heard of.
    counts: Vec<Arc<AtomicI64>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Crowd {
    async fn come(address: &str, cookies: &[String]) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let open = Arc::new(AtomicUsize::new(0));
        let (mut counts, mut tasks) = (Vec::new(), Vec::new());
        for (waiter, cookie) in cookies.iter().enumerate() {
            for _ in 0..PHONES {
                let count = Arc::new(AtomicI64::new(0));
                counts.push(Arc::clone(&count));
                tasks.push(tokio::spawn(phone(address.to_owned(), cookie.clone(), waiter, tell.clone(), Arc::clone(&open), count)));
            }
        }
        let crowd = Self { heard: tokio::sync::Mutex::new(heard), open, counts, tasks };
        crowd.all_open(Duration::from_secs(60)).await;
        crowd
    }

    async fn all_open(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.open.load(Ordering::Relaxed) < WAITERS * PHONES {
            assert!(Instant::now() < deadline, "{} sockets are open", self.open.load(Ordering::Relaxed));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends webhooks one after the other; after each, when all is quiet again, a message goes through Redis and a row into PostgreSQL. Returns
    /// how long each took (the webhook to each phone), sorted, in microseconds.
    async fn hear_webhooks(
        &self,
        address: &str,
        dishes: std::ops::Range<usize>,
        redis: &Redis,
        owner: &PgPool,
    ) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
        let mut kitchen = TcpStream::connect(address).await.unwrap();
        kitchen.set_nodelay(true).unwrap();
        let mut line = redis.line().await;
        let mut store = owner.acquire().await.unwrap();
        sqlx::query("create table if not exists bench_rows (at timestamptz default now())").execute(&mut *store).await.unwrap();
        let mut heard = self.heard.lock().await;
        let (mut took, mut bare, mut commits) = (Vec::new(), Vec::new(), Vec::new());
        for dish in dishes {
            for waiter in 0..WAITERS {
                let request = webhook(address, waiter, dish);
                let sent = Instant::now();
                kitchen.write_all(&request).await.unwrap();
                let mut number = None;
                for _ in 0..PHONES {
                    let told = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await.expect("each phone is told").unwrap();
                    assert!(told.waiter == waiter && *number.get_or_insert(told.id) == told.id, "only the waiter's phones");
                    took.push(u32::try_from((told.at - sent).as_micros()).unwrap());
                }
                let mut answer = [0; 1024];
                let read = kitchen.read(&mut answer).await.unwrap();
                assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..read]));
                // Everybody else hears that the plan changed; the next word comes when that is over.
                tokio::time::sleep(QUIET_AFTER).await;
                bare.push(line.round_trip().await);
                let began = Instant::now();
                sqlx::query("insert into bench_rows default values").execute(&mut *store).await.unwrap();
                commits.push(micros(began));
            }
        }
        for all in [&mut took, &mut bare, &mut commits] {
            all.sort_unstable();
        }
        (took, bare, commits)
    }

    /// How many dishes phones have not heard of.
    fn missing(&self) -> i64 {
        self.counts.iter().map(|count| (DISHES as i64 - count.load(Ordering::Relaxed)).abs()).sum()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// A phone: hears each number once, in order, and comes back with the last one, as late as the app would.
async fn phone(
    address: String,
    cookie: String,
    waiter: usize,
    tell: mpsc::UnboundedSender<Heard>,
    opened: Arc<AtomicUsize>,
    count: Arc<AtomicI64>,
) {
    let (mut last, mut failures) = (0, 0);
    loop {
        if let Some(mut socket) = open(&address, &cookie, last).await {
            failures = 0;
            opened.fetch_add(1, Ordering::Relaxed);
            while let Some(Ok(Message::Text(text))) = socket.next().await {
                let at = Instant::now();
                if text.contains("\"dish_ready\"") {
                    let id = text.strip_prefix("{\"id\":").and_then(|rest| rest.split(',').next()).unwrap().parse().unwrap();
                    assert!(id > last, "in order, each once");
                    last = id;
                    count.fetch_add(1, Ordering::Relaxed);
                    let _ = tell.send(Heard { at, waiter, id });
                } else if text.contains("\"ping\"") {
                    let _ = futures::SinkExt::send(&mut socket, Message::text(r#"{"event":"pong","data":{}}"#)).await;
                }
            }
            opened.fetch_sub(1, Ordering::Relaxed);
        }
        failures += 1;
        tokio::time::sleep(Backoff::SOCKET.delay(failures, rand::random::<u16>() % (WHOLE + 1))).await;
    }
}

fn webhook(address: &str, waiter: usize, dish: usize) -> Vec<u8> {
    let token = sign(&Secret::new(SECRET).unwrap(), "erp", OffsetDateTime::now_utc() + LONGEST);
    let body = json!({
        "erp_order_id": format!("B-{waiter}"), "dish_name": format!("Plat {dish}"), "table_id": 100_000 + waiter,
        "event_id": format!("bench-{waiter}-{dish}"),
    })
    .to_string();
    format!(
        "POST /api/webhooks/erp/dish-ready HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Kills the server in the middle of a busy moment, starts it again, and waits until every phone is back and has heard of everything. Returns how
/// long that took since the server answered again, and since it was killed, in milliseconds.
async fn restart(server: Server, folder: &Path, address: &str, env: &[(&str, &str)], crowd: &Crowd) -> (Server, f64, f64) {
    let say = async |address: &str, dishes: std::ops::Range<usize>| {
        let mut kitchen = TcpStream::connect(address).await.unwrap();
        let mut answer = [0; 1024];
        for dish in dishes {
            for waiter in 0..WAITERS {
                kitchen.write_all(&webhook(address, waiter, dish)).await.unwrap();
                assert!(kitchen.read(&mut answer).await.unwrap() > 0);
            }
        }
    };
    say(address, DISHES / 2..DISHES - 4).await;
    let killed = Instant::now();
    server.kill().await;
    let server = Server::start_at(folder, address, env).await;
    let returned = Instant::now();
    // The kitchen does not wait for phones.
    say(address, DISHES - 4..DISHES).await;
    crowd.all_open(Duration::from_secs(60)).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    while crowd.missing() > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (server, 1e3 * returned.elapsed().as_secs_f64(), 1e3 * killed.elapsed().as_secs_f64())
}

/// Sockets that are opened and left alone, but for answering. Each comes with the number of the last event, as a phone does that was there all
/// evening.
async fn idle(address: &str, cookies: &[String]) -> Vec<tokio::task::JoinHandle<()>> {
    let last = i64::try_from(WAITERS * DISHES).unwrap();
    #[expect(clippy::async_yields_async, reason = "the socket is open by then; who answers on it goes on")]
    let come = |i: usize| async move {
        let mut socket = open(address, &cookies[i % cookies.len()], last).await.expect("a socket");
        tokio::spawn(async move {
            while let Some(Ok(Message::Text(text))) = socket.next().await {
                if text.contains("\"ping\"") {
                    let _ = futures::SinkExt::send(&mut socket, Message::text(r#"{"event":"pong","data":{}}"#)).await;
                }
            }
        })
    };
    futures::stream::iter((0..IDLE).map(come)).buffer_unordered(AT_ONCE).collect().await
}
