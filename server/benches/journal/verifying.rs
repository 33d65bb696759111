//! `comptoir fiscal verify` as an inspector starts it, on a database of few and of many tickets: every record signed as the till signs it, and beside each
//! the order, the lines and the payment that it settles, so that all of it is compared.

use crate::report::{Report, Row};
use crate::{openssl, size, ticket_of, user};
use domain::Cents;
use domain::api::{CloseRequest, Method};
use domain::fiscal::{Draft, Head, Record, TicketContent, TicketPayment};
use serde_json::{Value, json};
use server::adapters::signer::Signer;
use server::config::Config;
use server::services::closing;
use server::services::recording::{self, NewTicket};
use server::state::House;
use sqlx::postgres::PgPoolCopyExt;
use sqlx::{AssertSqlSafe, PgPool};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use time::{OffsetDateTime, PrimitiveDateTime};

/// Tickets of a long day, closed by a Z.
const A_DAY: i64 = 1_000;
/// Tickets that are sent to the database at a time.
const AT_A_TIME: i64 = 5_000;
/// Lines of a ticket.
fn lines() -> i64 {
    size("COMPTOIR_TICKET_LINES", 2)
}

/// What the program took.
struct Run {
    records: u64,
    took: Duration,
    processor: Duration,
    /// Most that it ever had in memory, in kB.
    most: f64,
}

/// Verifies a hundredth of the size, and the whole of it (`COMPTOIR_VERIFIED`).
pub async fn measure(house: &House, config: &Config, owner: &PgPool, report: &mut Report) {
    let largest = size("COMPTOIR_VERIFIED", 20_000);
    let each = format!("{} lines", lines());
    let (mut filled, mut first) = (0, None);
    // Fewer than these do not fill what is read ahead; of fewer there is one size.
    let mut sizes = vec![(largest / 100).max(2_000).min(largest), largest];
    sizes.dedup();
    for tickets in sizes {
        let writing = Instant::now();
        while filled < tickets {
            let today = (tickets - filled).min(A_DAY);
            fill(house, config, owner, today).await;
            // What no closing has covered yet has to be remembered, so that days are closed as in a restaurant.
            closing::close(house, &user(), &CloseRequest::default()).await.unwrap();
            filled += today;
        }
        sqlx::raw_sql("analyze").execute(owner).await.unwrap();
        let written = writing.elapsed().as_secs_f64();
        let before = openssl(1);
        let run = verify(config).await;
        let limit = f64::midpoint(before, openssl(1));
        let records = run.records as f64;
        let detail = json!({
            "records": run.records, "lines": tickets * lines(), "a_second": records / run.took.as_secs_f64(), "seconds": run.took.as_secs_f64(),
            "processors": run.processor.as_secs_f64() / run.took.as_secs_f64(), "most_kb": run.most, "written_in_s": written,
        });
        let row = Row::new(
            format!("fiscal verify, {tickets} tickets of {each} in a database, of a processor"),
            "records/s",
            records / run.processor.as_secs_f64(),
            limit,
        );
        // At the smallest size it is the start of the program that counts.
        let row = row.with_detail(detail);
        report.add(if tickets < largest {
            row
        } else {
            row.with_target("at least 80 % of openssl speed", |row| row.ratio() >= 0.8).aiming_at(0.8 * limit)
        });
        let least = *first.get_or_insert(run.most);
        let row = Row::new(format!("memory of fiscal verify, {tickets} tickets of {each}"), "kB", run.most, least);
        report.add(if run.most == least {
            row
        } else {
            row.with_target("within 8 MB of the smallest", |row| row.ours - row.limit < 8_192.0).aiming_at(least + 8_192.0)
        });
    }
}

/// Starts the program and watches it. The database is another process and not counted.
async fn verify(config: &Config) -> Run {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_comptoir"))
        .args(["fiscal", "verify", "--json"])
        .env("COMPTOIR_DATA", &config.data)
        .env("RUST_LOG", "error")
        .env_remove("DATABASE_URL")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut processor, mut most) = (Duration::ZERO, 0.0_f64);
    let status = loop {
        let proc = Path::new("/proc").join(child.id().to_string());
        // The last look before it ends is at most one turn old.
        if let Ok(stat) = std::fs::read_to_string(proc.join("stat")) {
            let fields: Vec<&str> = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
            let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
            processor = processor.max(Duration::from_millis(ticks * 10));
        }
        if let Ok(status) = std::fs::read_to_string(proc.join("status")) {
            let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
            most = most.max(line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0.0));
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let took = began.elapsed();
    let report: Value = serde_json::from_reader(child.stdout.take().unwrap()).unwrap();
    assert!(status.success() && report["ok"] == json!(true), "{report}");
    Run { records: report["records"].as_u64().unwrap(), took, processor, most }
}

/// An open day of so many tickets, each with what it settles.
async fn fill(house: &House, config: &Config, owner: &PgPool, tickets: i64) {
    // The first is the till's own, so that the day is open; its order and payment are put beside it as for the others.
    let mut tx = house.db.begin().await.unwrap();
    let paid = vec![TicketPayment::of(Method::Especes, Cents(2400 * lines()))];
    let model = recording::sale(house, &mut tx, NewTicket { payments: paid, ..ticket_of(lines()) }).await.unwrap();
    tx.commit().await.unwrap();
    let (local, utc): (PrimitiveDateTime, OffsetDateTime) =
        sqlx::query_as("select to_timestamp(local_ts, 'YYYYMMDDHH24MISS')::timestamp, utc_ts from audit_logs where id = $1")
            .bind(model.id)
            .fetch_one(owner)
            .await
            .unwrap();
    guards(owner, false).await;
    beside(owner, model.id, 1).await;
    let signer = Signer::open(&config.fiscal_key_file, false).unwrap();
    let content: TicketContent = serde_json::from_str(&model.content_text).unwrap();
    let mut head = Head { last_seq: model.seq, last_signature: model.signature.clone(), last_hash: model.hash_current.clone() };
    let mut id = model.id;
    let mut left = tickets - 1;
    while left > 0 {
        let some = left.min(AT_A_TIME);
        let first = id + 1;
        let mut rows = String::new();
        for _ in 0..some {
            id += 1;
            let content = TicketContent { ticket_no: head.last_seq + 1, ..content.clone() };
            let draft = Draft::of(&content, local, utc).unwrap();
            let sealed = draft.seal(&head).unwrap();
            let signature = signer.sign(&sealed.data_to_sign).unwrap();
            head = Head { last_seq: sealed.seq, last_signature: signature.clone(), last_hash: sealed.hash.clone() };
            let record = draft.into_record(sealed, signature, signer.key_id().to_owned(), model.app_version.clone());
            push(&mut rows, id, &record);
        }
        let mut copy = owner
            .copy_in_raw(
                "copy audit_logs (id, transaction_type, amount, date, hash_current, hash_previous, signature, metadata, chain, register, seq, format, local_ts,
                 utc_ts, vat, extra, content_sha256, data_to_sign, key_id, app_version) from stdin",
            )
            .await
            .unwrap();
        copy.send(rows.into_bytes()).await.unwrap();
        copy.finish().await.unwrap();
        beside(owner, first, some).await;
        left -= some;
    }
    let (seq, hash, signature) = (head.last_seq, &head.last_hash, &head.last_signature);
    let heads = format!(
        "update fiscal_heads set last_seq = {seq}, last_hash = '{hash}', last_signature = '{signature}' where chain = 'T';
         update fiscal_heads set last_seq = {id} where chain = '*'"
    );
    sqlx::raw_sql(AssertSqlSafe(heads)).execute(owner).await.unwrap();
    guards(owner, true).await;
}

/// A row in PostgreSQL's text format; nothing in it holds a tabulator or a line feed.
fn push(rows: &mut String, id: i64, record: &Record) {
    let cents = record.total.0;
    let day = domain::service_day::service_day(PrimitiveDateTime::parse(&record.local, LOCAL).unwrap());
    let fields = [
        id.to_string(),
        record.kind.as_str().to_owned(),
        format!("{}.{:02}", cents / 100, cents % 100),
        day.to_string(),
        record.hash_current.clone(),
        record.hash_previous.clone(),
        record.signature.clone(),
        record.content_text.replace('\\', "\\\\"),
        record.chain.as_str().to_owned(),
        record.register.clone(),
        record.seq.to_string(),
        record.format.clone(),
        record.local.clone(),
        record.utc.format(&time::format_description::well_known::Rfc3339).unwrap(),
        record.vat.clone(),
        record.extra.clone(),
        record.content_sha256.clone(),
        record.data_to_sign.replace('\\', "\\\\"),
        record.key_id.clone(),
        record.app_version.clone(),
    ];
    rows.push_str(&fields.join("\t"));
    rows.push('\n');
}

const LOCAL: &[time::format_description::BorrowedFormatItem<'static>] =
    time::macros::format_description!("[year][month][day][hour][minute][second]");

/// The order, the lines, the payment and its parts of each of so many tickets.
async fn beside(owner: &PgPool, first: i64, tickets: i64) {
    let last = first + tickets - 1;
    let (lines, total) = (lines(), 2400 * lines());
    let (a, b) = (lines * (first - 1) + 1, lines * last);
    let sql = format!(
        "insert into orders (id, table_id, status, covers, server_user_id, rounds, opened_at, closed_at) overriding system value
         select n, 1, 'paid_complete', 2, 1, 1, now(), now() from generate_series({first}, {last}) n;
         insert into order_lines (id, order_id, item_id, kind, name, qty, unit_price_cents, vat_rate, course, round, state) overriding system value
         select n, (n - 1) / {lines} + 1, 12, 'dish', 'Magret de canard', 1, 2400, 1000, 2, 1, 'served' from generate_series({a}, {b}) n;
         insert into payments (id, order_id, share_number, method, amount_cents, tendered_cents, change_cents, status, user_id, audit_log_id)
         overriding system value
         select n, n, 1, 'ESPECES', {total}, {total}, 0, 'approved', 4, n from generate_series({first}, {last}) n;
         insert into share_parts (payment_id, line_id, amount_cents) select (n - 1) / {lines} + 1, n, 2400 from generate_series({a}, {b}) n"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(owner).await.unwrap();
}

/// Takes the guards away, to write at once what a restaurant writes in years, and puts them back.
async fn guards(owner: &PgPool, on: bool) {
    let how = if on { "enable always" } else { "disable" };
    let sql = format!(
        "do $$ declare r record; begin
           for r in select t.tgrelid::regclass as guarded, t.tgname from pg_trigger t
                    where not t.tgisinternal and t.tgname <> 'a_dish_leaves_the_pass' loop
               execute format('alter table %s {how} trigger %I', r.guarded, r.tgname);
           end loop; end $$"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(owner).await.unwrap();
}
