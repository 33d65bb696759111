//! What the journal costs: signing, checking, closing. `cargo bench -p server --bench journal`.
//!
//! Beside each figure stands what this machine does at most: `openssl speed rsa2048`, run in between. Sizes: `COMPTOIR_RECORDS` (20000), `COMPTOIR_DAY`
//! (20000 tickets in one day), `COMPTOIR_OLDER` (100000 older records).
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "a report: what cannot go on should stop, and figures are no money"
)]

use domain::api::CloseRequest;
use domain::fiscal::{Anchor, SignatureCheck, Verifier};
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

fn size(name: &str, usual: i64) -> i64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// Memory of this process, in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0)
}

/// Signatures and verifications a second of one processor, as openssl measures them.
fn openssl() -> (f64, f64) {
    let run = Command::new("openssl").args(["speed", "-seconds", "2", "rsa2048"]).output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let line = text.lines().rfind(|line| line.starts_with("rsa")).unwrap_or_default();
    let figures: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    (figures.iter().rev().nth(1).copied().unwrap_or(0.0), figures.last().copied().unwrap_or(0.0))
}

fn rate(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path(), Durability::Throwaway).await.unwrap();
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

    // Signing.
    let signer = Signer::open(&config.fiscal_key_file, false).unwrap();
    let mut took: Vec<Duration> = (0..200)
        .map(|i| {
            let begin = Instant::now();
            signer.sign(&format!("F1,T,01,{i},TICKET,20260214213045,20260214T203045Z,1000:2400,2400,{},O,x", "a".repeat(64))).unwrap();
            begin.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!("signing one record              p50 {:7.2} ms   p95 {:7.2} ms", took[100].as_secs_f64() * 1e3, took[190].as_secs_f64() * 1e3);

    // Records, as the till writes them.
    let records = size("COMPTOIR_RECORDS", 20_000);
    let begin = Instant::now();
    for _ in 0..records / 50 {
        let mut tx = house.db.begin().await.unwrap();
        for _ in 0..50 {
            recording::event(&house, &mut tx, domain::fiscal::EventCode::MenuChanged, "banc", [("prix", "24,00".to_owned())])
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
    }
    println!("writing {records} records           {:7.0} a second", rate(usize::try_from(records).unwrap(), begin.elapsed()));

    // Checking: signatures alone on one processor, then everything on all of them.
    let (_, openssl_before) = openssl();
    let sample: Vec<_> = futures::StreamExt::collect::<Vec<_>>(futures::StreamExt::take(db::journal::all(&pool, 0), 5_000)).await;
    let sample: Vec<_> = sample.into_iter().map(|read| read.unwrap().unwrap()).collect();
    let checker = Checker::new(&db::journal::keys(&pool).await.unwrap());
    let begin = Instant::now();
    let valid = sample
        .iter()
        .filter(|record| checker.check(&record.key_id, record.data_to_sign.as_bytes(), &record.signature) == SignatureCheck::Valid)
        .count();
    let one = rate(valid, begin.elapsed());
    assert_eq!(valid, sample.len());
    let (_, openssl_after) = openssl();
    let most = openssl_before.min(openssl_after);
    println!("signatures, one processor       {one:7.0} a second   openssl {most:7.0}   {:5.2} of it", one / most);
    let check = |key_id: &str, signed: &[u8], signature: &str| checker.check(key_id, signed, signature);
    let begin = Instant::now();
    let mut verifier = Verifier::new(&check);
    sample.iter().for_each(|record| verifier.feed(record));
    let whole = rate(sample.len(), begin.elapsed());
    println!("whole check, one processor      {whole:7.0} a second                     {:5.2} of openssl", whole / most);
    drop(verifier);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let in_memory = sample.len();
    let stream = futures::stream::iter(sample.into_iter().map(|record| Ok(Ok(record))));
    let begin = Instant::now();
    let verifier = read_all(Verifier::new(&check), Arc::new(checker.clone()), stream).await.unwrap();
    let all = rate(in_memory, begin.elapsed());
    println!(
        "whole check, {cores} processors       {all:7.0} a second                     {:5.2} of openssl x {cores}",
        all / most / cores as f64
    );
    drop(verifier);
    for part in [10, 1] {
        let before = resident();
        let begin = Instant::now();
        let asked = Asked { from: Some((records - records / part + 1).max(1)), anchors: Vec::<Anchor>::new(), ..Asked::default() };
        let (report, _) = verify_as(&pool, asked).await.unwrap();
        println!(
            "verify {:8} from the database {:7.0} a second   memory {} kB, {} kB more than before",
            report.records,
            rate(usize::try_from(report.records).unwrap(), begin.elapsed()),
            resident(),
            resident().saturating_sub(before)
        );
    }

    // Closing a large day. The tickets are copies of one, put in by the owner: closing reads contents and checks no signature.
    let day = size("COMPTOIR_DAY", 20_000);
    for older in [0, size("COMPTOIR_OLDER", 100_000)] {
        fill(&owner, &house, older).await;
        let z = closing::close(&house, &user(), &CloseRequest::default()).await.unwrap();
        assert!(older == 0 || i64::from(z.summary.count) >= older);
        fill(&owner, &house, day).await;
        let begin = Instant::now();
        let z = closing::close(&house, &user(), &CloseRequest::default()).await.unwrap();
        assert_eq!(i64::from(z.summary.count), day);
        println!("Z of {day} tickets, {older:7} older   {:7.0} ms", begin.elapsed().as_secs_f64() * 1e3);
    }
    pool.close().await;
    owner.close().await;
    cluster.stop().await.unwrap();
}

fn user() -> domain::api::SessionUser {
    domain::api::SessionUser { id: domain::UserId::from_row(4), name: "Camille".to_owned(), role: domain::Role::Caissier }
}

/// Puts so many tickets into the open day.
async fn fill(owner: &PgPool, house: &server::state::House, tickets: i64) {
    if tickets == 0 {
        return;
    }
    let mut tx = house.db.begin().await.unwrap();
    let line = domain::fiscal::TicketLine {
        name: "Magret de canard".to_owned(),
        qty_thousandths: 1000,
        unit_price: domain::Cents(2400),
        amount: domain::Cents(2400),
        rate: domain::VatRate::INTERMEDIATE_10,
        discount: None,
    };
    let new = recording::NewTicket {
        table: "5",
        covers: 2,
        share: None,
        operator: "Camille",
        order_ref: "0194fdc2-0000-7000-8000-000000000005".to_owned(),
        lines: vec![line.clone(), line],
        payments: vec![domain::fiscal::TicketPayment::of(domain::api::Method::Cb, domain::Cents(4800))],
        notes: Vec::new(),
    };
    let record = recording::sale(house, &mut tx, new).await.unwrap();
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
