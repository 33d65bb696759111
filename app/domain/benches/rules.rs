//! What the rules cost: a large bill divided, its VAT, the canonical text of a ticket, the check of a journal without its signatures.
//!
//! `cargo bench -p domain --bench rules`. The median that criterion finds, beside what the machine needs for the unavoidable part of it in the same run, or
//! beside what a person waits for. Rows go to `bench/rules.json` of the target folder, where `make bench` joins them with the others.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "a report: what cannot go on should stop, and figures are no money"
)]

#[expect(dead_code, reason = "the tests' till on paper does more than is measured")]
#[path = "../tests/fiscal/support.rs"]
mod support;

use criterion::Criterion;
use domain::api::Method;
use domain::fiscal::jcs::canonical;
use domain::fiscal::{SignatureCheck, Verifier};
use domain::share::{Claim, Ledger, Line, Plan, Split, Units};
use domain::{Cents, LineId, VatRate, vat};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A bill of two hundred lines.
fn ledger() -> Ledger {
    let lines = (0_i64..200).map(|i| {
        let qty = u32::try_from(1 + i % 3).unwrap();
        Line { line_id: LineId::from_row(1 + i), units: Units::whole(qty), total: Cents((330 + 17 * i) * i64::from(qty)) }
    });
    Ledger { lines: lines.collect(), taken: Vec::new(), plan: Plan::by_covers(8) }
}

/// Eight shares by items; every eighth line is shared by all.
fn claims(bill: &Ledger) -> Vec<Vec<Claim>> {
    (0_usize..8)
        .map(|share| {
            let mine = bill.lines.iter().enumerate().filter(|(i, _)| i % 8 == share || i % 8 == 7);
            let part = |i: usize, units: Units| if i % 8 == 7 { units.divided_by(8) } else { units };
            mine.map(|(i, line)| Claim { line_id: line.line_id, units: part(i, line.units) }).collect()
        })
        .collect()
}

fn large_bill(criterion: &mut Criterion) {
    let bill = ledger();
    criterion.bench_function("equal", |bencher| bencher.iter(|| bill.divide(&Split::Equal(8)).unwrap()));
    let by_items = Split::Items(claims(&bill));
    criterion.bench_function("items", |bencher| bencher.iter(|| bill.divide(&by_items).unwrap()));
    let rates = [VatRate::REDUCED_5_5, VatRate::INTERMEDIATE_10, VatRate::STANDARD_20];
    let at_rates = || rates.iter().cycle().copied().zip(bill.lines.iter().map(|line| line.total));
    criterion.bench_function("vat", |bencher| bencher.iter(|| vat::breakdown(at_rates())));
}

fn journal(criterion: &mut Criterion) {
    let mut till = support::Till::new(false);
    let amounts: Vec<(VatRate, i64)> =
        (0..20).map(|i| (if i % 4 == 0 { VatRate::STANDARD_20 } else { VatRate::INTERMEDIATE_10 }, 450 + 31 * i)).collect();
    let ticket = serde_json::to_value(till.ticket(&amounts, Method::Cb)).unwrap();
    criterion.bench_function("canonical", |bencher| bencher.iter(|| canonical(&ticket).unwrap()));
    criterion.bench_function("serde_json", |bencher| bencher.iter(|| serde_json::to_string(&ticket).unwrap()));

    (0..2_000).for_each(|_| till.sell(&amounts, Method::Especes));
    let bytes: Vec<u8> = till.records.iter().flat_map(|record| record.content_text.bytes().chain(record.data_to_sign.bytes())).collect();
    let valid = |_: &str, _: &[u8], _: &str| SignatureCheck::Valid;
    let check = || {
        let mut verifier = Verifier::new(&valid);
        till.records.iter().for_each(|record| verifier.feed(record));
        verifier.finish(&[], None).records
    };
    criterion.bench_function("verification", |bencher| bencher.iter(check));
    criterion.bench_function("sha256", |bencher| bencher.iter(|| Sha256::digest(&bytes)));
}

/// What the machine, or a person, allows.
enum Limit {
    /// What another bench of the same run took, so many times.
    Beside(&'static str, f64),
    /// Microseconds.
    Micros(f64),
}

/// What is reported of each: the bench, in words, its limit, and its target in words. A phone is four to ten times slower than this machine, and a tap is to be
/// answered within one frame of 16 ms.
const ROWS: [(&str, &str, Limit, &str); 5] = [
    ("equal", "200 lines into 8 equal shares", Limit::Micros(1_000.0), "under 1 ms: a slow phone answers within a frame"),
    ("items", "200 lines by items among 8, every eighth shared", Limit::Micros(1_000.0), "under 1 ms: a slow phone answers within a frame"),
    ("vat", "VAT of 200 lines at three rates", Limit::Micros(1_000.0), "under 1 ms: a slow phone answers within a frame"),
    (
        "canonical",
        "canonical text of a ticket of 20 lines",
        Limit::Beside("serde_json", 3.0),
        "under three times serde_json without sorting",
    ),
    (
        "verification",
        "check of 2 000 tickets of 20 lines, signatures aside",
        Limit::Beside("sha256", 20.0),
        "under 20 times hashing the same bytes once",
    ),
];

/// The median that criterion found and wrote down, in microseconds.
fn median(target: &Path, bench: &str) -> f64 {
    let file = target.join("criterion").join(bench).join("new/estimates.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str::<Value>(&text).unwrap()["median"]["point_estimate"].as_f64().unwrap() / 1e3
}

/// One line of the table that `make bench` joins.
fn row(target: &Path, (bench, what, limit, asked): &(&str, &str, Limit, &str)) -> Value {
    let ours = median(target, bench);
    let (limit, aim) = match limit {
        Limit::Micros(most) => (*most, *most),
        Limit::Beside(other, times) => {
            let limit = median(target, other);
            (limit, times * limit)
        }
    };
    let met = ours < aim;
    println!("{what:<52} {ours:>9.1} µs {limit:>9.1} µs {:>6.2}  {asked}{}", ours / limit, if met { "" } else { ": missed" });
    json!({
        "what": what, "unit": "µs", "ours": ours, "limit": limit, "ratio": ours / limit, "target": asked, "met": met, "detail": {},
        "direction": "less", "aim": aim,
    })
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1_200))
        .sample_size(30)
        .configure_from_args();
    large_bill(&mut criterion);
    journal(&mut criterion);
    // A part of them (a name on the command line, `--test`) makes no table.
    if std::env::args().skip(1).any(|argument| argument != "--bench") {
        return;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("../../target"), PathBuf::from);
    let rows: Vec<Value> = ROWS.iter().map(|one| row(&target, one)).collect();
    std::fs::create_dir_all(target.join("bench")).unwrap();
    std::fs::write(target.join("bench/rules.json"), serde_json::to_vec_pretty(&rows).unwrap()).unwrap();
}
