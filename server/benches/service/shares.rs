//! A share is settled: in cash, beside `pgbench` with the same statements plus one signature of the machine's own OpenSSL; and by card, beside
//! what the terminal itself takes.

use crate::LONG;
use crate::limits::run_pgbench;
use crate::load::Load;
use crate::report::{Report, Row};
use crate::watched::{Server, free_address};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;
use tokio::process::Command;

/// Bills of four covers, 25.50 each; tables have numbers of their own.
const BILLS: i64 = 30_000;
const FIRST_TABLE: i64 = 100_000;
/// Neighbouring requests go to different bills.
const STRIDE: i64 = 64;
/// Cards to charge, one after the other: there is one terminal.
const CARDS: usize = 25;
/// So long the terminal itself takes, in milliseconds.
const OWN_MS: u64 = 150;

/// All of it.
pub async fn shares(server: &Server, options: &PgConnectOptions, owner: &mut sqlx::PgConnection, report: &mut Report) {
    let cookie = server.sign_in("camille").await;
    let first = seed(owner).await;
    let post = cash(&server.address, &cookie, first);
    let signatures = signatures_a_second().await;
    for clients in [1, 8] {
        let statements = run_pgbench(options, clients, LONG, &statements(first)).await;
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
/// others than those that the server settles, share numbers are drawn so that hardly any is settled twice.
fn statements(first: i64) -> String {
    let (low, high) = (first + BILLS / 2, first + BILLS - 1);
    format!(
        r"\set o random({low}, {high})
\set s random(5, 30000)
\set k random(1, 9000000000000000000)
begin;
with claimed as (insert into idempotency (key, digest) select md5(:k::text)::uuid, '\\x00' on conflict (key) do nothing returning key), held as (select id from orders where id = :o for update) select (select count(*) from claimed) as claimed, (select count(*) from held) as held, nextval('payments_id_seq') as payment \gset
select o.id, o.uuid, o.table_id, t.name, o.status, o.covers, o.server_user_id, u.name, o.opened_at, o.unpaid_shares, o.shares_by_choice, o.chosen_shares, o.bill_asked_at is not null, (select coalesce(json_agg(l), '[]') from (select l.id, l.item_id, l.kind, l.name, l.qty, l.voided_qty, l.unit_price_cents, l.vat_rate, l.state, l.note, l.course, l.round, l.part_of, l.options, l.called_at is not null as called, l.discount_cents, l.discount_reason, l.discount_by, s.id is not null as told, s.sent_at is not null as sent from order_lines l left join kitchen_slips s on s.id = l.slip_id where l.order_id = o.id order by l.id) l), (select coalesce(json_agg(m), '[]') from (select m.id, m.share_number, m.amount_cents, p.line_id, p.amount_cents as part, p.discount_cents as off from payments m left join share_parts p on p.payment_id = m.id where m.order_id = o.id order by m.share_number, p.line_id) m), (select coalesce(json_agg(a), '[]') from (select a.id, a.share_number, a.amount_cents, a.state, p.line_id, p.amount_cents as part from payment_attempts a join attempt_parts p on p.attempt_id = a.id where a.order_id = o.id and a.state in ('created', 'sending', 'sent', 'unknown') order by a.share_number, p.line_id) a), (select coalesce(json_agg(n), '[]') from (select n.note_no, n.training from fiscal_notes n where n.order_id = o.id order by n.audit_log_id) n) from orders o join tables t on t.id = o.table_id join users u on u.id = o.server_user_id where o.id = :o;
select last_seq + 1 as seq, coalesce(nullif(last_hash, ''), repeat('0', 64)) as hash, last_signature as signature, utc_now as utc, local_now as local, last_utc as before, newest_day as day, newest_is_open as open from fiscal_lock_day('01', 'X', 'Europe/Paris', true) \gset
with record as (select fiscal_append('01', 'X', :seq, 'TICKET', 2550, current_date, md5(:k::text) || md5(:s::text), :hash, repeat('s', 342), to_json(repeat('x', 1200))::text, 'F1', '20260101000000', now(), '1000=1850', '', md5('c') || md5('c'), repeat('d', 700), (select key_id from fiscal_keys limit 1), 'bench') as id), payment as (insert into payments (id, order_id, share_number, method, amount_cents, tendered_cents, change_cents, tip_cents, status, user_id, audit_log_id) overriding system value select :payment, :o, :s, 'ESPECES', 2550, 3000, 450, 0, 'approved', 4, record.id from record), parts as (insert into share_parts (payment_id, line_id, amount_cents, discount_cents) select :payment, l.id, 1, 0 from order_lines l where l.order_id = :o), completed as (update orders set status = 'paid_complete', closed_at = now() where id = :o and false), divided as (update orders set unpaid_shares = null, shares_by_choice = false, chosen_shares = '[]' where id = :o and false), answered as (update idempotency set status = 201, answer = json_build_object('payment_id', 1) where key = md5(:k::text)::uuid) select id from record;
commit;
"
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

/// Cards, one after the other: what the till adds to the time that the terminal itself takes, which is known, for it is told how long. The bills
/// are those of [`shares`].
pub async fn cards(folder: &Path, owner: &mut sqlx::PgConnection, report: &mut Report) {
    let terminal = Server::terminal(OWN_MS).await;
    let tpe = format!("caisse-ap://{}", terminal.address);
    let server = Server::start_at(folder, &free_address(), &[("TPE_URL", &tpe), ("COMPTOIR_TRAINING", "1")]).await;
    let cookie = server.sign_in("camille").await;
    let first = first_bill(owner).await;
    let client = reqwest::Client::new();
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
        added.push(1e6 * took - 1e3 * OWN_MS as f64);
    }
    server.stop().await;
    terminal.stop().await;
    added.sort_by(f64::total_cmp);
    let row = Row::new("added to the terminal's own time, by card (median)".to_owned(), "µs", added[CARDS / 2], 5_000.0);
    report.add(
        row.with_target("under 5 ms", |row| row.ours < row.limit).with_detail(json!({ "worst_us": added[CARDS - 1], "cards": CARDS })),
    );
}
