//! A share is settled: in cash, beside `pgbench` with the same statements plus one signature of the machine's own OpenSSL; and by card, beside
//! what a bare exchange with the terminal takes.

use crate::LONG;
use crate::limits::run_pgbench;
use crate::load::Load;
use crate::report::{Report, Row};
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
        let statements = run_pgbench(options, clients, LONG, &statements(first, clients)).await.max(alone);
        // Tickets follow each other: many clients may get fewer stored than one does.
        alone = statements;
        // Each share is one round of statements and one signature, one after the other.
        let limit = 1.0 / (1.0 / statements + 1.0 / signatures);
        let ours = server.under(&post, clients, LONG).await;
        assert_eq!(ours.refused, 0, "every share is paid");
        report.add(
            Row::new(format!("cash share, signed, {clients} clients"), "shares/s", ours.per_second(), limit)
                .with_target("at least 60 % of pgbench with the same statements and one RSA-2048 signature", |row| row.ratio() >= 0.6)
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

/// What a share in cash asks of the database, in the order in which the server asks; what is signed is a text of the same length. Bills are
/// others than those that the server settles, share numbers are drawn so that hardly any is settled twice. The server lets its own requests at the journal
/// one at a time, and what it reads holds until it stores; clients of `pgbench` do that with an advisory lock.
fn statements(first: i64, clients: usize) -> String {
    let (low, high) = (first + BILLS / 2, first + BILLS - 1);
    let (turn, over) = if clients > 1 { ("select pg_advisory_lock(1);\n", "select pg_advisory_unlock(1);\n") } else { ("", "") };
    format!(
        r"\set o random({low}, {high})
\set s random(5, 30000)
\set k random(1, 9000000000000000000)
{turn}select o.id, o.uuid, o.table_id, t.name as table_name, o.status, o.covers, o.server_user_id, u.name as server_name, o.opened_at, o.unpaid_shares, o.shares_by_choice, o.chosen_shares::text as chosen, o.bill_asked_at is not null as asked, f.facts::text as facts, fiscal_bill_mark(o.id, f.facts) as mark, exists (select from idempotency where key = md5(:k::text)::uuid) as known, nextval('payments_id_seq') as payment, m.last_seq as last, coalesce(h.last_seq, 0) + 1 as seq, coalesce(nullif(h.last_hash, ''), repeat('0', 64)) as hash, coalesce(h.last_signature, '') as signature, date_trunc('second', c.t) as utc, date_trunc('second', c.t at time zone 'Europe/Paris') as local, (select l.utc_ts from audit_logs l where l.id = m.last_seq) as before, p.service_day as day, p.audit_log_id is null as open from (select clock_timestamp() as t) c cross join (select fiscal_bill_facts(:o) as facts offset 0) f join fiscal_heads m on m.register = '*' and m.chain = '*' left join fiscal_heads h on h.register = '01' and h.chain = 'X' left join lateral (select p.service_day, p.audit_log_id from fiscal_periods p where p.register = '01' and p.training order by p.no desc limit 1) p on true cross join orders o join tables t on t.id = o.table_id join users u on u.id = o.server_user_id where o.id = :o \gset
with unchanged as (select fiscal_pay_if_unchanged(:o, :mark, :last, md5(:k::text)::uuid, '\\x00', json_build_object('payment_id', 1)::text) as so), record as (select fiscal_append('01', 'X', :seq, 'TICKET', 2550, current_date, md5(:k::text) || md5(:s::text), :hash, repeat('s', 342), to_json(repeat('x', 1200))::text, 'F1', '20260101000000', now(), '1000=1850', '', md5('c') || md5('c'), repeat('d', 700), (select key_id from fiscal_keys limit 1), 'bench') as id from unchanged where so), payment as (insert into payments (id, order_id, share_number, method, amount_cents, tendered_cents, change_cents, tip_cents, status, user_id, audit_log_id) overriding system value select :payment, :o, :s, 'ESPECES', 2550, 3000, 450, 0, 'approved', 4, record.id from record), parts as (insert into share_parts (payment_id, line_id, amount_cents, discount_cents) select :payment, l.id, 1, 0 from record, order_lines l where l.order_id = :o), completed as (update orders set status = 'paid_complete', closed_at = now() from record where orders.id = :o and false), divided as (update orders set unpaid_shares = null, shares_by_choice = false, chosen_shares = '[]' from record where orders.id = :o and false), answered as (update idempotency set status = 201, answer = '{{}}' where key = md5(:k::text)::uuid and false) select id from record \gset
{over}"
    )
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
