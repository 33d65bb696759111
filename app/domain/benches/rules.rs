//! What the rules cost: a large bill divided, its VAT, the canonical text of a ticket, the check of a journal without its signatures.
//!
//! `cargo bench -p domain --bench rules`. The median of many runs, beside what the machine needs for the unavoidable part of it in the same run, or
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

use domain::api::Method;
use domain::fiscal::jcs::canonical;
use domain::fiscal::{SignatureCheck, Verifier};
use domain::share::{Claim, Ledger, Line, Plan, Split, Units};
use domain::{Cents, LineId, VatRate, vat};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The median time of one run, in microseconds.
fn median<T>(mut run: impl FnMut() -> T) -> f64 {
    let (mut took, until) = (Vec::new(), Instant::now() + Duration::from_millis(1_200));
    while Instant::now() < until || took.len() < 20 {
        let began = Instant::now();
        black_box(run());
        took.push(began.elapsed());
    }
    took.sort_unstable();
    took[took.len() / 2].as_secs_f64() * 1e6
}

/// A bill of two hundred lines.
fn ledger() -> Ledger {
    let lines = (0_i64..200).map(|i| {
        let qty = u32::try_from(1 + i % 3).unwrap();
        Line { line_id: LineId::from_row(1 + i), units: Units::whole(qty), total: Cents((330 + 17 * i) * i64::from(qty)) }
    });
    Ledger { lines: lines.collect(), taken: Vec::new(), plan: Plan::by_covers(8) }
}

fn row(what: &str, ours: f64, limit: f64, target: &str, met: bool) -> Value {
    println!("{what:<52} {ours:>9.1} µs {limit:>9.1} µs {:>6.2}  {target}{}", ours / limit, if met { "" } else { ": missed" });
    json!({ "what": what, "unit": "µs", "ours": ours, "limit": limit, "ratio": ours / limit, "target": target, "met": met, "detail": {} })
}

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let mut rows = Vec::new();
    let bill = ledger();
    // A phone is four to ten times slower, and a tap is to be answered within one frame of 16 ms.
    let frame = "under 1 ms: a slow phone answers within a frame";
    let mut under_a_frame = |what: &str, took: f64| rows.push(row(what, took, 1_000.0, frame, took < 1_000.0));
    under_a_frame("200 lines into 8 equal shares", median(|| bill.divide(&Split::Equal(8)).unwrap()));
    let claims: Vec<Vec<Claim>> = (0_usize..8)
        .map(|share| {
            let mine = bill.lines.iter().enumerate().filter(|(i, _)| i % 8 == share || i % 8 == 7);
            let part = |i: usize, units: Units| if i % 8 == 7 { units.divided_by(8) } else { units };
            mine.map(|(i, line)| Claim { line_id: line.line_id, units: part(i, line.units) }).collect()
        })
        .collect();
    under_a_frame("200 lines by items among 8, every eighth shared", median(|| bill.divide(&Split::Items(claims.clone())).unwrap()));
    let rates = [VatRate::REDUCED_5_5, VatRate::INTERMEDIATE_10, VatRate::STANDARD_20];
    under_a_frame(
        "VAT of 200 lines at three rates",
        median(|| vat::breakdown(rates.iter().cycle().copied().zip(bill.lines.iter().map(|line| line.total)))),
    );

    let mut till = support::Till::new(false);
    let amounts: Vec<(VatRate, i64)> =
        (0..20).map(|i| (if i % 4 == 0 { VatRate::STANDARD_20 } else { VatRate::INTERMEDIATE_10 }, 450 + 31 * i)).collect();
    let ticket = serde_json::to_value(till.ticket(&amounts, Method::Cb)).unwrap();
    let (ours, limit) = (median(|| canonical(&ticket).unwrap()), median(|| serde_json::to_string(&ticket).unwrap()));
    rows.push(row(
        "canonical text of a ticket of 20 lines",
        ours,
        limit,
        "under three times serde_json without sorting",
        ours < 3.0 * limit,
    ));

    (0..2_000).for_each(|_| till.sell(&amounts, Method::Especes));
    let bytes: Vec<u8> = till.records.iter().flat_map(|record| record.content_text.bytes().chain(record.data_to_sign.bytes())).collect();
    let valid = |_: &str, _: &[u8], _: &str| SignatureCheck::Valid;
    let ours = median(|| {
        let mut verifier = Verifier::new(&valid);
        till.records.iter().for_each(|record| verifier.feed(record));
        verifier.finish(&[], None).records
    });
    let hashed = median(|| Sha256::digest(&bytes));
    rows.push(row(
        "check of 2 000 tickets of 20 lines, signatures aside",
        ours,
        hashed,
        "under 20 times hashing the same bytes once",
        ours < 20.0 * hashed,
    ));

    let folder = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| "../../target".into(), std::path::PathBuf::from).join("bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("rules.json"), serde_json::to_vec_pretty(&rows).unwrap()).unwrap();
}
