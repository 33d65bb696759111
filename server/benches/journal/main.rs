//! What the journal costs: signing, checking, closing. `cargo bench -p server --bench journal`.
//!
//! Beside each figure stands what this machine does at most: the middle of `openssl speed rsa2048` before it and after it; on all processors, beside itself on all of them
//! (`-multi`). It counts processor time, so checks are counted in processor time too; a loaded machine makes neither slower. Parts by name, all without
//! one: `signing check memory closing verify`. Sizes: `COMPTOIR_RECORDS` (10000), `COMPTOIR_DAY` (100000 tickets in one day), `COMPTOIR_OLDER` (1000000 older
//! records), `COMPTOIR_VERIFIED` (20000 tickets in a database that is verified), `COMPTOIR_TICKET_LINES` (2 lines of each of them).
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_arithmetic,
    reason = "a report: what cannot go on should stop, and figures are no money"
)]

#[path = "../../tests/ground/folder.rs"]
mod folder;
#[path = "../service/report.rs"]
#[expect(dead_code, reason = "shared with the other bench, which asks it more")]
mod report;
mod verifying;

use domain::api::CloseRequest;
use domain::fiscal::{CONTENT_VERSION, Draft, EventCode, EventContent, Head, Judged, SignatureCheck, Verifier};
use folder::folder;
use report::{Report, Row};
use serde_json::json;
use server::adapters::signer::{Checker, Signer};
use server::cluster::{Cluster, Durability};
use server::config::{Config, Terminal};
use server::services::verifying::{Asked, read_all, verify_as};
use server::services::{closing, recording};
use server::{db, run};
use sqlx::{AssertSqlSafe, PgPool};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn size(name: &str, usual: i64) -> i64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// Memory of this process, in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0)
}

/// Verifications a second of one processor, as openssl measures them on so many at once.
fn openssl(processors: usize) -> f64 {
    let multi = processors.to_string();
    let mut arguments = vec!["speed", "-seconds", "2", "rsa2048"];
    if processors > 1 {
        arguments.splice(1..1, ["-multi", &multi]);
    }
    let run = Command::new("openssl").args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let line = text.lines().rfind(|line| line.starts_with("rsa")).unwrap_or_default();
    let last = line.split_whitespace().last().and_then(|word| word.parse::<f64>().ok());
    last.unwrap() / processors as f64
}

fn rate(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

/// Processor time of this process, all threads.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of_threads = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    let first = |text: &str| text.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0_u64);
    Duration::from_nanos(of_threads.map(|text| first(&text)).sum::<u64>().max(first(&text)))
}

fn wants(part: &str) -> bool {
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    named.is_empty() || named.iter().any(|name| name == part)
}

/// The verifier's own memory, over records made on the fly: what the signature says is taken at its word, everything else is judged.
fn memory(report: &mut Report) {
    let trusting = |_: &str, _: &[u8], _: &str| SignatureCheck::Valid;
    let mut verifier = Verifier::new(&trusting);
    let (mut head, mut at_10_000) = (Head::genesis(), 0);
    let begin = Instant::now();
    for number in 1..=1_000_000_i64 {
        let content = EventContent {
            version: CONTENT_VERSION,
            software: "banc".to_owned(),
            register: "01".to_owned(),
            at_local: "20260214213045".to_owned(),
            operator: "banc".to_owned(),
            code: EventCode::MenuChanged,
            nf525_code: 0,
            label: EventCode::MenuChanged.label().to_owned(),
            details: std::collections::BTreeMap::from([("prix".to_owned(), number.to_string())]),
        };
        let draft =
            Draft::of(&content, time::macros::datetime!(2026-02-14 21:30:45), time::macros::datetime!(2026-02-14 20:30:45 UTC)).unwrap();
        let sealed = draft.seal(&head).unwrap();
        let signature = format!("{number:0>342}");
        head = Head { last_seq: sealed.seq, last_signature: signature.clone(), last_hash: sealed.hash.clone() };
        let mut record = draft.into_record(sealed, signature, "K".to_owned(), "banc".to_owned());
        (record.id, record.master_seq) = (number, number);
        verifier.feed(&record);
        if number == 10_000 {
            at_10_000 = resident();
        }
    }
    let (after, found) = (resident(), verifier.finish(&[], None));
    assert!(found.ok && found.records == 1_000_000, "{:?}", found.flaws.first());
    let row = Row::new("memory of a check after 1 000 000 records, beside 10 000".to_owned(), "kB", after as f64, at_10_000 as f64);
    let row = row.with_detail(json!({ "seconds": begin.elapsed().as_secs_f64() }));
    report.add(row.with_target("within 2 MB", |row| row.ours - row.limit < 2_048.0).aiming_at(at_10_000 as f64 + 2_048.0));
}

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let mut report = Report::default();
    if wants("memory") {
        memory(&mut report);
        report.write("journal");
    }
    if wants("verify") {
        // In a database of its own: the other parts write tickets that nothing was paid for.
        let place = Place::open(Durability::Throwaway).await;
        verifying::measure(&place.house, &place.config, &place.owner, &mut report).await;
        report.write("journal");
        place.close().await;
    }
    if ["signing", "check"].into_iter().any(wants) {
        let place = Place::open(Durability::Throwaway).await;
        if wants("signing") {
            signing(&place.config, &mut report);
            report.write("journal");
        }
        if wants("check") {
            checking(&place.house, &place.pool, &mut report).await;
            report.write("journal");
        }
        place.close().await;
    }
    if wants("closing") {
        // A closing ends with a commit that is durable.
        let place = Place::open(Durability::Full).await;
        large_days(&place.house, &place.owner, &mut report).await;
        place.close().await;
    }
    report.print();
    // What was measured before a part that was stopped is there already.
    report.write("journal");
}

/// A house with a cluster of its own. Its files may be lost where what is measured is computed, not stored.
struct Place {
    cluster: Cluster,
    owner: PgPool,
    pool: PgPool,
    config: Config,
    house: server::state::Shared,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn open(durability: Durability) -> Self {
        let folder = folder();
        let cluster = Cluster::start(folder.path(), durability).await.unwrap();
        let options = cluster.connect_options();
        let owner = PgPool::connect_with(options.clone()).await.unwrap();
        db::migrate(&options).await.unwrap();
        let pool = db::connect(options.clone(), 8).await.unwrap();
        assert!(run::load_demo(&pool).await.unwrap());
        let mut config = Config::from_env().unwrap();
        config.data = folder.path().to_owned();
        config.fiscal_key_file = folder.path().join("key.pem");
        config.fiscal_anchors = folder.path().join("anchors.jsonl");
        config.terminal = Terminal::Manual;
        config.training = false;
        let house = run::open_house(&config, pool.clone()).await.unwrap();
        Self { cluster, owner, pool, config, house, _folder: folder }
    }

    async fn close(self) {
        self.pool.close().await;
        self.owner.close().await;
        drop(self.house);
        self.cluster.stop().await.unwrap();
    }
}

/// Signing, which is what a payment waits for besides the database.
fn signing(config: &Config, report: &mut Report) {
    let signer = Signer::open(&config.fiscal_key_file, false).unwrap();
    let mut took: Vec<Duration> = (0..400)
        .map(|i| {
            let begin = Instant::now();
            signer.sign(&format!("F1,T,01,{i},TICKET,20260214213045,20260214T203045Z,1000:2400,2400,{},O,x", "a".repeat(64))).unwrap();
            begin.elapsed()
        })
        .collect();
    took.sort_unstable();
    let us = |duration: Duration| duration.as_secs_f64() * 1e6;
    let row = Row::new("signing one record, P50".to_owned(), "µs", us(took[200]), 3_000.0).with_detail(json!({ "p95_us": us(took[380]) }));
    report.add(row.with_target("under 3 ms", |row| row.ours < row.limit));
}

/// Checking: signatures alone, then everything, on one processor and on all of them, then from the database.
async fn checking(house: &server::state::House, pool: &PgPool, table: &mut Report) {
    let records = size("COMPTOIR_RECORDS", 10_000);
    let begin = Instant::now();
    for _ in 0..records / 50 {
        let mut tx = house.db.begin().await.unwrap();
        for _ in 0..50 {
            recording::event(house, &mut tx, EventCode::MenuChanged, "banc", [("prix", "24,00".to_owned())]).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    println!("  writing {records} records: {:.0} a second", rate(usize::try_from(records).unwrap(), begin.elapsed()));

    // What reading it costs beside judging it. No target: the limit of one is the database's.
    let (before, begin, clock) = (resident(), processor(), Instant::now());
    let (found, _) = verify_as(pool, Asked::default()).await.unwrap();
    assert!(found.ok, "{:?}", found.flaws.first());
    let count = usize::try_from(found.records).unwrap();
    println!(
        "  verify {count} from the database: {:.0} a second, {:.0} per second of a processor of ours, {} kB more than before",
        rate(count, clock.elapsed()),
        rate(count, processor() - begin),
        resident().saturating_sub(before)
    );

    // Tickets, which are the longest records, beside as many events.
    for _ in 0..records / 100 {
        let mut tx = house.db.begin().await.unwrap();
        for _ in 0..50 {
            recording::sale(house, &mut tx, ticket()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    let sample: Vec<_> = futures::StreamExt::collect::<Vec<_>>(futures::StreamExt::take(db::journal::all(pool, records / 2), 10_000)).await;
    let sample: Vec<_> = sample.into_iter().map(|read| read.unwrap().unwrap()).collect();
    let checker = Checker::new(&db::journal::keys(pool).await.unwrap());
    let check = |key_id: &str, signed: &[u8], signature: &str| checker.check(key_id, signed, signature);
    let beside = "at least 80 % of openssl speed";

    let limit = openssl(1);
    let begin = processor();
    let valid =
        sample.iter().filter(|record| check(&record.key_id, record.data_to_sign.as_bytes(), &record.signature) == SignatureCheck::Valid);
    let valid = valid.count();
    let ours = rate(valid, processor() - begin);
    assert_eq!(valid, sample.len());
    let limit = f64::midpoint(limit, openssl(1));
    let row = Row::new("signatures checked, of a processor".to_owned(), "records/s", ours, limit);
    table.add(row.with_target(beside, |row| row.ratio() >= 0.8).aiming_at(0.8 * limit));

    let limit = openssl(1);
    let begin = processor();
    let mut verifier = Verifier::from_the_middle(&check, records / 2 + 1);
    sample.iter().for_each(|record| verifier.feed(record));
    let ours = rate(sample.len(), processor() - begin);
    assert_eq!(verifier.flaws(), 0);
    let begin = processor();
    sample.iter().for_each(|record| drop(std::hint::black_box(Judged::of(record, SignatureCheck::Valid))));
    let rest = (processor() - begin).as_secs_f64() * 1e6 / sample.len() as f64;
    let limit = f64::midpoint(limit, openssl(1));
    let row = Row::new("records checked whole, of a processor".to_owned(), "records/s", ours, limit);
    table.add(
        row.with_target(beside, |row| row.ratio() >= 0.8).aiming_at(0.8 * limit).with_detail(json!({ "us_beside_the_signature": rest })),
    );
    drop(verifier);

    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let limit = openssl(cores);
    let count = sample.len();
    let stream = futures::stream::iter(sample.into_iter().map(|record| Ok(Ok(record))));
    let (begin, clock) = (processor(), Instant::now());
    let verifier = read_all(Verifier::from_the_middle(&check, records / 2 + 1), Arc::new(checker.clone()), stream).await.unwrap();
    let (used, took) = (processor() - begin, clock.elapsed());
    assert_eq!(verifier.flaws(), 0);
    let limit = f64::midpoint(limit, openssl(cores));
    let row = Row::new(format!("records checked whole, of each of {cores}"), "records/s", rate(count, used), limit);
    let detail =
        json!({ "a_second": rate(count, took), "processors": used.as_secs_f64() / took.as_secs_f64(), "limit": "openssl speed -multi" });
    table.add(row.with_target(beside, |row| row.ratio() >= 0.8).aiming_at(0.8 * limit).with_detail(detail));
    drop(verifier);
}

/// The Z of a large day, with little and with much before it. The tickets are copies of one, put in by the owner: closing reads contents and checks no
/// signature.
async fn large_days(house: &server::state::House, owner: &PgPool, report: &mut Report) {
    let day = size("COMPTOIR_DAY", 100_000);
    let mut took = Vec::new();
    for older in [10_000, size("COMPTOIR_OLDER", 1_000_000)] {
        fill(owner, house, older).await;
        closing::close(house, &user(), &CloseRequest::default()).await.unwrap();
        fill(owner, house, day).await;
        // What was filled in is on the disk before anything is measured.
        sqlx::raw_sql("checkpoint").execute(owner).await.unwrap();
        let begin = Instant::now();
        let z = closing::close(house, &user(), &CloseRequest::default()).await.unwrap();
        took.push(begin.elapsed().as_secs_f64());
        assert_eq!(i64::from(z.summary.count), day);
        let row = Row::new(format!("Z of {day} tickets, {older} older records"), "ms", took.last().unwrap() * 1e3, 2_000.0);
        report.add(row.with_target("under 2 s", |row| row.ours < row.limit));
        report.write("journal");
    }
    let row = Row::new("Z of that day, much history beside little".to_owned(), "ms", took[1] * 1e3, took[0] * 1e3);
    report.add(row.with_target("within 20 %", |row| row.ratio() <= 1.2).aiming_at(1.2e3 * took[0]));
}

fn user() -> domain::api::SessionUser {
    domain::api::SessionUser { id: domain::UserId::from_row(4), name: "Camille".to_owned(), role: domain::Role::Caissier }
}

/// A ticket of two lines, paid by card.
fn ticket() -> recording::NewTicket<'static> {
    ticket_of(2)
}

/// A ticket of so many lines, paid by card.
fn ticket_of(lines: i64) -> recording::NewTicket<'static> {
    let line = domain::fiscal::TicketLine {
        name: "Magret de canard".to_owned(),
        qty_thousandths: 1000,
        unit_price: domain::Cents(2400),
        amount: domain::Cents(2400),
        rate: domain::VatRate::INTERMEDIATE_10,
        discount: None,
    };
    recording::NewTicket {
        table: "5",
        covers: 2,
        share: None,
        operator: "Camille",
        order_ref: "0194fdc2-0000-7000-8000-000000000005".to_owned(),
        lines: vec![line; usize::try_from(lines).unwrap()],
        payments: vec![domain::fiscal::TicketPayment::of(domain::api::Method::Cb, domain::Cents(2400 * lines))],
        notes: Vec::new(),
    }
}

/// Puts so many tickets into the open day.
async fn fill(owner: &PgPool, house: &server::state::House, tickets: i64) {
    if tickets == 0 {
        return;
    }
    let mut tx = house.db.begin().await.unwrap();
    let record = recording::sale(house, &mut tx, ticket()).await.unwrap();
    tx.commit().await.unwrap();
    let (id, seq, more) = (record.id, record.seq, tickets - 1);
    let sql = format!(
        "set session_replication_role = replica;
         alter table audit_logs disable trigger all; alter table fiscal_heads disable trigger all;
         insert into audit_logs (id, transaction_type, amount, date, hash_current, hash_previous, signature, metadata, chain, register, seq, format, local_ts,
             utc_ts, vat, extra, content_sha256, data_to_sign, key_id, app_version)
         select {id} + n, transaction_type, amount, date, encode(sha256(n::text::bytea), 'hex'), encode(sha256((n || 'p' || {id})::bytea), 'hex'), signature,
             replace(metadata::text, '\"ticket_no\":{seq},', '\"ticket_no\":' || {seq} + n || ',')::json, chain, register, {seq} + n, format, local_ts, utc_ts, vat,
             extra, content_sha256, data_to_sign, key_id, app_version
         from audit_logs, generate_series(1, {more}) n where id = {id};
         update fiscal_heads set last_seq = last_seq + {more} where chain in ('T', '*');
         alter table audit_logs enable always trigger audit_logs_no_change; alter table fiscal_heads enable always trigger fiscal_heads_no_change;
         set session_replication_role = origin; analyze audit_logs"
    );
    let mut connection = owner.acquire().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await.unwrap();
}
