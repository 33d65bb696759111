//! `make bench`: what the till does in a second, each figure beside its limit from the same run.
//!
//! The limit of an order is `pgbench` with the same statement on the same cluster, with the same number of clients; the limit of the menu
//! is a bare axum handler that returns the same bytes. Ratios survive a noisy machine, figures alone do not. The load is shown not to be the
//! bottleneck: against a process that answers those bytes and does nothing else it must reach twice the largest figure of the server and of the bare
//! handler; beside it stands how much of the processors the load itself took.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a bench: what cannot go on should stop, a person reads what it prints, and figures are no money"
)]

#[path = "../../tests/ground/folder.rs"]
mod folder;
mod limits;
mod load;
mod report;
mod scale;
mod shares;
mod sockets;
mod statements;
mod watched;

use folder::folder;
use load::{Load, Outcome};
use report::{Report, Row};
use serde_json::json;
use server::cluster::{Cluster, Durability};
use server::db;
use sqlx::Connection;
use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::time::{Duration, Instant};
use watched::Server;

/// As many tables as a chain's busiest evening, so that no two clients wait for the same one more often than in a restaurant.
const TABLES: u32 = 2000;
/// How long each measurement takes.
const LONG: Duration = Duration::from_secs(8);
/// Clients at the same time.
const CLIENTS: [usize; 3] = [1, 8, 32];
/// Slips that the server tells at once.
const LANES: usize = 8;
/// After so many orders memory is looked at.
const MANY: u64 = 100_000;

#[tokio::main]
async fn main() {
    if let Ok(body) = std::env::var("COMPTOIR_BENCH_BARE") {
        return limits::bare_handler(Path::new(&body)).await;
    }
    if let Ok(body) = std::env::var("COMPTOIR_BENCH_FIXED") {
        return limits::fixed_answer(Path::new(&body)).await;
    }
    // `cargo test --all-targets` runs benches too, with this; there is nothing to see then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = folder();
    let cluster = Cluster::start(folder.path(), Durability::Full).await.unwrap();
    let options = cluster.connect_options();
    db::migrate(&options).await.unwrap();
    let mut report = Report::default();
    requests(folder.path(), &options, &mut report).await;
    // Whatever stops it later, what was measured is there.
    report.write("bench");
    if asked("sockets") {
        // Not the role that serves: it lays out what it measures.
        let owner = sqlx::PgPool::connect_with(options).await.unwrap();
        sockets::measure(folder.path(), &owner, &mut report).await;
        owner.close().await;
        report.write("bench");
    }

    if asked("scale") {
        scale::measure(&mut report).await;
    }

    report.print();
    report.write("bench");
    cluster.stop().await.unwrap();
}

/// Is this part to be measured? `cargo bench -- orders shares` measures these two, without a name all are.
fn asked(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    named.peek().is_none() || named.any(|name| name == part)
}

/// What is asked over HTTP.
async fn requests(folder: &Path, options: &PgConnectOptions, report: &mut Report) {
    if !["menus", "orders", "shares", "memory", "kitchen"].iter().any(|part| asked(part)) {
        return;
    }
    let server = Server::start(folder, None).await;
    let cookie = server.sign_in("alice").await;
    let mut owner = sqlx::PgConnection::connect_with(options).await.unwrap();
    limits::seed(&mut owner, TABLES).await;
    if asked("shares") {
        shares::shares(&server, options, &mut owner, report).await;
    }
    if asked("menus") {
        menus(&server, &cookie, folder, report).await;
    }
    if asked("orders") {
        orders(&server, &cookie, options, None, report).await;
    }
    if asked("memory") {
        memory(&server, &cookie, report).await;
    }
    server.stop().await;
    if asked("shares") {
        shares::cards(folder, &mut owner, report).await;
    }
    if asked("kitchen") {
        kitchen(folder, options, &mut owner, report).await;
    }
    owner.close().await.unwrap();
}

/// The menu from the cache, beside a bare handler with the same bytes.
async fn menus(server: &Server, cookie: &str, folder: &Path, report: &mut Report) {
    let get = |address: &str| Load::get(address, "/api/menu", cookie);
    let body = get(&server.address).once().await;
    let file = folder.join("menu.json");
    std::fs::write(&file, body).unwrap();
    let bare = Server::bare(&file).await;
    let (mut ours_most, mut bare_most, mut beside) = (0.0_f64, 0.0_f64, 0.0_f64);
    for clients in [8, 32] {
        let limit = bare.under(&get(&bare.address), clients, LONG).await;
        let ours = server.under(&get(&server.address), clients, LONG).await;
        ours_most = ours_most.max(ours.per_second());
        bare_most = bare_most.max(limit.per_second());
        beside = beside.max(ours.load_processors()).max(limit.load_processors());
        report.add(
            Row::new(format!("GET /api/menu, {clients} clients"), "requests/s", ours.per_second(), limit.per_second())
                .with_target("at least 60 % of a bare handler, or 20000/s per core", |row| {
                    row.ratio() >= 0.6 || row.detail["per_core"].as_f64().unwrap_or(0.0) >= 20_000.0
                })
                // Whichever is nearer.
                .aiming_at((0.6 * limit.per_second()).min(20_000.0 * ours.per_second() / ours.per_cpu_second()))
                .with_detail(json!({
                    "p50_us": ours.percentile(50), "p99_us": ours.percentile(99), "per_core": ours.per_cpu_second(), "limit": "bare axum handler",
                    "processors_of_the_load": ours.load_processors(), "processors_of_the_load_beside_the_bare": limit.load_processors(),
                })),
        );
    }
    bare.stop().await;
    let fixed = Server::fixed(&file).await;
    let clients = CLIENTS[CLIENTS.len() - 1];
    let load = fixed.under(&get(&fixed.address), clients, LONG).await;
    let largest = ours_most.max(bare_most);
    report.add(
        Row::new(
            format!("the load alone, {clients} clients, beside the largest figure of the server and of the bare handler"),
            "answers/s",
            load.per_second(),
            largest,
        )
        .with_target("at least twice: the load is not the bottleneck", |row| row.ratio() >= 2.0)
        .aiming_at(2.0 * largest)
        .with_detail(json!({
            "cpu_us_each_of_the_answering_process": load.cpu_us_each(), "largest_of_the_server": ours_most, "largest_of_the_bare_handler": bare_most,
            "processors_of_the_load": load.load_processors(), "processors_of_the_load_at_most_beside_a_server": beside,
            "processors": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        })),
    );
    fixed.stop().await;
}

/// Orders of two items, each with an id of its own, beside `pgbench` with the same statement. `kitchen` names the kitchen system that its slips
/// wait for; without one they are on the built-in screen.
async fn orders(server: &Server, cookie: &str, options: &PgConnectOptions, kitchen: Option<&str>, report: &mut Report) {
    let post = Load::orders(&server.address, cookie, TABLES);
    let with = kitchen.map(|kitchen| format!(", {kitchen}")).unwrap_or_default();
    let statement = statements::round(1000, 999 + TABLES, kitchen.is_none());
    for clients in CLIENTS {
        let limit = limits::pgbench(options, clients, LONG, &statement).await;
        let ours = server.under(&post, clients, LONG).await;
        assert_eq!(ours.refused, 0, "every order is taken");
        let clients = format!("{clients} clients{with}");
        report.add(
            Row::new(format!("POST /api/orders, {clients}"), "orders/s", ours.per_second(), limit)
                .with_target("at least 85 % of pgbench with the same statement", |row| row.ratio() >= 0.85)
                .aiming_at(0.85 * limit)
                .with_detail(json!({ "p50_us": ours.percentile(50), "p99_us": ours.percentile(99), "limit": "pgbench -M prepared" })),
        );
        let spread = Row::new(format!("P99 of an order, {clients}"), "µs", ours.percentile(99), 5.0 * ours.percentile(50));
        report.add(spread.with_target("under five times its own P50", |row| row.ours < row.limit));
        let cpu = Row::new(format!("processor time of an order, {clients}"), "µs", ours.cpu_us_each(), 150.0);
        report.add(cpu.with_target("under 150 µs in the server process", |row| row.ours < row.limit));
    }
}

/// The same with a kitchen system: one that is not there, so that its slips are written and wait; then one that takes them all.
async fn kitchen(folder: &Path, options: &PgConnectOptions, owner: &mut sqlx::PgConnection, report: &mut Report) {
    let kitchen = Server::kitchen().await;
    let nobody = "http://127.0.0.1:9";
    let server = Server::start(folder, Some(nobody)).await;
    let cookie = server.sign_in("alice").await;
    orders(&server, &cookie, options, Some("kitchen system away"), report).await;
    server.stop().await;
    let bare = Load::slips(&kitchen.address).run(LANES, LONG).await;
    let waiting = limits::waiting(owner).await;
    let server = Server::start(folder, Some(&format!("http://{}", kitchen.address))).await;
    let (began, before) = (Instant::now(), server.cpu());
    tokio::time::sleep(LONG).await;
    let told = waiting - limits::waiting(owner).await;
    let (took, cpu) = (began.elapsed(), server.cpu() - before);
    let each = 1e6 * cpu.as_secs_f64() / told.max(1) as f64;
    let what = "slips that reach a kitchen system that is back, beside calls of it that nobody stores";
    report.add(
        Row::new(what.to_owned(), "slips/s", told as f64 / took.as_secs_f64(), bare.per_second())
            .with_detail(json!({ "cpu_us_each": each, "waiting": waiting, "limit": "the same calls, as many at once, by a bare client" })),
    );
    server.stop().await;
    kitchen.stop().await;
}

/// Memory after a hundred thousand orders.
async fn memory(server: &Server, cookie: &str, report: &mut Report) {
    let post = Load::orders(&server.address, cookie, TABLES);
    // About as many as the measurements before have taken.
    let mut taken = report.sum_of("orders/s") as u64 * LONG.as_secs();
    let deadline = Instant::now() + Duration::from_secs(180);
    while taken < MANY && Instant::now() < deadline {
        let Outcome { answered, .. } = server.under(&post, 32, LONG).await;
        taken += answered;
    }
    let row = Row::new(format!("resident memory after {taken} orders"), "MiB", server.resident_mib(), 50.0);
    let row = row.with_detail(json!({ "orders": taken }));
    // Before so many were taken nothing is known of memory after them.
    let met = |row: &Row| row.ours < row.limit && row.detail["orders"].as_u64().is_some_and(|orders| orders >= MANY);
    report.add(row.with_target("under 50 MiB after 100 000 orders", met));
}
