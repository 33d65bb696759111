//! A share is settled: in cash, beside `pgbench` with the same statements plus one signature of the machine's own OpenSSL; and by card, beside
//! what a bare exchange with the terminal takes.

use crate::LONG;
use crate::limits::pgbench;
use crate::load::Load;
use crate::report::{Report, Row};
use crate::statements::cash_share;
use crate::watched::{Server, free_address};
use domain::terminal::caisse_ap::{self, Dialect, Reader};
use domain::terminal::{Charge, Reference, Till};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

/// Bills of four covers, 25.50 each; tables have numbers of their own.
const BILLS: i64 = 30_000;
const FIRST_TABLE: i64 = 100_000;
/// Neighbouring requests go to different bills.
const STRIDE: i64 = 64;
/// Cards to charge, one after the other: there is one terminal.
const CARDS: usize = 25;
/// So long the terminal thinks, in milliseconds.
const OWN_MS: u64 = 150;

/// All of it.
pub async fn shares(server: &Server, options: &PgConnectOptions, owner: &mut sqlx::PgConnection, report: &mut Report) {
    let cookie = server.sign_in("camille").await;
    let first = seed(owner).await;
    let post = cash(&server.address, &cookie, first);
    let signatures = signatures_a_second().await;
    let mut alone = 0.0;
    for clients in [1, 8] {
        let statements = pgbench(options, clients, LONG, &cash_share(first + BILLS / 2, first + BILLS - 1, clients)).await.max(alone);
        // Tickets follow each other: many clients may get fewer stored than one does.
        alone = statements;
        // Each share is one round of statements and one signature, one after the other.
        let limit = 1.0 / (1.0 / statements + 1.0 / signatures);
        let ours = server.under(&post, clients, LONG).await;
        assert_eq!(ours.refused, 0, "every share is paid");
        report.add(
            Row::new(format!("cash share, signed, {clients} clients"), "shares/s", ours.per_second(), limit)
                .with_target("at least 60 % of pgbench with the same statements and one RSA-2048 signature", |row| row.ratio() >= 0.6)
                .aiming_at(0.6 * limit)
                .with_detail(json!({
                    "p50_us": ours.percentile(50), "p99_us": ours.percentile(99), "cpu_us": ours.cpu_us_each(),
                    "pgbench": statements, "openssl_signatures_per_s": signatures,
                })),
        );
        if clients == 1 {
            let whole = "P50 of a whole cash share, one client: signing adds less than that";
            let row = Row::new(whole.to_owned(), "µs", ours.percentile(50), 3_000.0);
            report.add(row.with_target("under 3 ms", |row| row.ours < row.limit));
        }
        if clients == 8 {
            let row = Row::new("P99 of a cash share, 8 clients on different bills".to_owned(), "µs", ours.percentile(99), 25_000.0);
            report.add(row.with_target("under 25 ms", |row| row.ours < row.limit));
        }
    }
}

/// Open bills of 102.00 for four covers. Returns the number of the first.
async fn seed(owner: &mut sqlx::PgConnection) -> i64 {
    let sql = format!(
        "insert into tables (id, name, room_id, seats, x, y) select i, 'P' || i, 1, 4, 50, 50 from generate_series({FIRST_TABLE}, {last}) i;
         insert into orders (table_id, covers, server_user_id) select id, 4, 1 from tables where id >= {FIRST_TABLE} order by id;
         insert into order_lines (order_id, item_id, kind, name, qty, unit_price_cents, vat_rate, course, round)
         select o.id, 12, 'dish', 'Magret de canard', 1, 7400, 1000, 2, 1 from orders o where o.table_id >= {FIRST_TABLE}
         union all
         select o.id, 34, 'wine', 'Cahors 2018', 1, 2800, 2000, 0, 1 from orders o where o.table_id >= {FIRST_TABLE};
         analyze orders; analyze order_lines;",
        last = FIRST_TABLE + BILLS - 1
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *owner).await.unwrap();
    first_bill(owner).await
}

async fn first_bill(owner: &mut sqlx::PgConnection) -> i64 {
    sqlx::query_scalar("select min(id) from orders where table_id >= $1").bind(FIRST_TABLE).fetch_one(owner).await.unwrap()
}

/// Shares of 25.50 in cash, each once; a request's neighbours are of other bills.
fn cash(address: &str, cookie: &str, first: i64) -> Load {
    let next = Arc::new(AtomicI64::new(0));
    Load::posts(address, "/api/payments/split", cookie, move || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let (order, cover) = (first + number / (4 * STRIDE) * STRIDE + number % STRIDE, number / STRIDE % 4 + 1);
        let uuid = uuid::Uuid::now_v7();
        format!(r#"{{"order_id":{order},"cover_number":{cover},"amount":25.5,"method":"ESPECES","tendered":30,"uuid":"{uuid}"}}"#)
    })
}

/// Signatures of the machine's OpenSSL with one processor, for comparison.
async fn signatures_a_second() -> f64 {
    let output = Command::new("openssl").args(["speed", "-seconds", "3", "rsa2048"]).output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = text
        .lines()
        .find(|line| line.trim_start().to_lowercase().starts_with("rsa") && line.contains("2048 bits"))
        .expect("openssl says how many");
    // `rsa 2048 bits 0.000593s 0.000017s   1686.2  57512.0`: times, then signatures and verifications a second.
    row.split_whitespace().rev().nth(1).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{row}"))
}

/// A charge that nobody stores: call, ask, and hear until the terminal hangs up. In seconds.
async fn bare_exchange(address: &str) -> f64 {
    let charge = Charge { reference: Reference::from_random(rand::random()), amount: domain::Cents(2550), till: Till::FIRST };
    let asked = Instant::now();
    let mut line = TcpStream::connect(address).await.unwrap();
    line.write_all(&caisse_ap::debit(&charge, &Dialect::default())).await.unwrap();
    let mut answer = Vec::new();
    line.read_to_end(&mut answer).await.unwrap();
    assert!(Reader::whole(&answer).is_some_and(|answer| answer.has_result()), "the terminal answers");
    asked.elapsed().as_secs_f64()
}

/// Cards, one after the other: what the till adds to the time that the terminal itself takes, which is known, for it is told how long. The bills
/// are those of [`shares`].
pub async fn cards(folder: &Path, owner: &mut sqlx::PgConnection, report: &mut Report) {
    let terminal = Server::terminal(OWN_MS).await;
    let tpe = format!("caisse-ap://{}", terminal.address);
    let server = Server::start_at(folder, &free_address(), &[("TPE_URL", &tpe), ("COMPTOIR_TRAINING", "1")]).await;
    let cookie = server.sign_in("camille").await;
    let first = first_bill(owner).await;
    let client = reqwest::Client::new();
    // What a bare exchange takes: the terminal's own time is not quite what it is told.
    let mut own = Vec::new();
    for _ in 0..5 {
        own.push(bare_exchange(&terminal.address).await);
    }
    own.sort_by(f64::total_cmp);
    let mut added = Vec::new();
    for number in 0..CARDS {
        let order = first + BILLS / 2 - 1 - number as i64;
        let body = json!({"order_id": order, "cover_number": 1, "amount": 25.5, "method": "CB", "uuid": uuid::Uuid::now_v7()});
        let asked = Instant::now();
        let answer = client
            .post(format!("http://{}/api/payments/split", server.address))
            .header("cookie", &cookie)
            .json(&body)
            .send()
            .await
            .unwrap();
        let took = asked.elapsed().as_secs_f64();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        added.push(1e6 * (took - own[own.len() / 2]));
    }
    server.stop().await;
    terminal.stop().await;
    added.sort_by(f64::total_cmp);
    let row = Row::new("added to a bare exchange with the terminal, by card (median)".to_owned(), "µs", added[CARDS / 2], 5_000.0);
    report.add(
        row.with_target("under 5 ms", |row| row.ours < row.limit)
            .with_detail(json!({ "worst_us": added[CARDS - 1], "cards": CARDS, "bare_exchange_us": own[own.len() / 2] * 1e6 })),
    );
}
