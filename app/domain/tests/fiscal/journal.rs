//! A sound journal verifies; whatever is done to it afterwards is found and named.

use crate::support::{KEY, Till, check, codes, sign};
use domain::api::Method;
use domain::fiscal::{Chain, Draft, Record, SignatureCheck, Verifier, sha256_hex};
use domain::{Cents, VatRate};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use time::Duration;

const TEN: VatRate = VatRate::INTERMEDIATE_10;
const TWENTY: VatRate = VatRate::STANDARD_20;

/// Two evenings: T 1 to 3, Z, an event, T 4 and 5, Z. Records 1 to 8.
fn two_evenings() -> Till {
    let mut till = Till::new(false);
    till.sell(&[(TEN, 2400), (TWENTY, 2800)], Method::Cb);
    till.sell(&[(TEN, 1777)], Method::Especes);
    till.sell(&[(VatRate::REDUCED_5_5, 905)], Method::Cheque);
    till.close();
    till.event("démarrage");
    till.sell(&[(TEN, -1777)], Method::Especes);
    till.sell(&[(TEN, 6000), (TWENTY, 1)], Method::Tr);
    till.close();
    till
}

#[derive(Debug, Clone)]
enum Step {
    Sell(i64, i64, usize),
    Close,
    Event,
}

fn any_journal() -> impl Strategy<Value = Till> {
    let step = prop_oneof![
        6 => (-5000i64..20_000, 0i64..9000, 0usize..4).prop_map(|(food, wine, method)| Step::Sell(food, wine, method)),
        2 => Just(Step::Close),
        1 => Just(Step::Event),
    ];
    (any::<bool>(), prop::collection::vec(step, 1..30)).prop_map(|(training, steps)| {
        let mut till = Till::new(training);
        for step in steps {
            match step {
                Step::Sell(food, wine, method) => till.sell(&[(TEN, food), (TWENTY, wine), (TEN, 100)], Method::ALL[method]),
                Step::Close => till.close(),
                Step::Event => till.event("clé « usb », retirée"),
            }
        }
        till
    })
}

impl std::fmt::Debug for Till {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.records.fmt(f)
    }
}

/// Alters one byte of one field. The fields are those that the record is stored with, so that a new one is covered as soon as it exists.
/// `None` when the byte did not change what is stored (`t` for `T` in a moment).
fn altered(record: &Record, field: prop::sample::Index, byte: prop::sample::Index, with: u8) -> Option<Result<Record, serde_json::Error>> {
    let Value::Object(mut fields) = serde_json::to_value(record).unwrap() else { unreachable!() };
    let names: Vec<String> = fields.keys().cloned().collect();
    let value = fields.get_mut(field.get(&names)).unwrap();
    match value {
        Value::String(text) => {
            let mut chars: Vec<char> = text.chars().collect();
            if chars.is_empty() {
                chars.push(' ');
            }
            let at = byte.index(chars.len());
            chars[at] = char::from(with);
            *text = chars.into_iter().collect();
        }
        number => {
            let mut bytes = number.as_i64().unwrap().to_le_bytes();
            bytes[byte.index(8)] = with;
            *number = i64::from_le_bytes(bytes).into();
        }
    }
    let read = serde_json::from_value::<Record>(Value::Object(fields));
    (read.as_ref().ok() != Some(record)).then_some(read)
}

proptest! {
    #[test]
    fn a_sound_journal_is_found_sound(till in any_journal()) {
        let report = till.verify(&till.records);
        prop_assert!(report.ok && !report.inconclusive, "{:?}", codes(&report.flaws));
        prop_assert_eq!(report.records, till.records.len() as u64);
    }

    #[test]
    fn one_altered_byte_is_found(
        till in any_journal(), at in any::<prop::sample::Index>(), field in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(),
        with in 0x20u8..0x7f,
    ) {
        let at = at.index(till.records.len());
        let original = &till.records[at];
        let altered = altered(original, field, byte, with);
        prop_assume!(altered.is_some());
        let mut verifier = Verifier::new(&check);
        for (i, record) in till.records.iter().enumerate() {
            match &altered {
                Some(Ok(other)) if i == at => verifier.feed(other),
                Some(Err(error)) if i == at => verifier.feed_unreadable(record.master_seq, &error.to_string()),
                _ => verifier.feed(record),
            }
        }
        let report = verifier.finish(&till.heads(), Some(till.records.len() as i64));
        prop_assert!(!report.ok);
        let named = report.flaws.iter().any(|flaw| {
            (flaw.chain == original.chain.as_str() && (original.seq..=original.seq + 1).contains(&flaw.seq))
                || (flaw.chain == "*" && (original.master_seq..=original.master_seq + 1).contains(&flaw.seq))
                || altered.as_ref().is_some_and(|a| a.as_ref().is_ok_and(|a| flaw.chain == a.chain.as_str() && flaw.seq == a.seq))
        });
        prop_assert!(named, "{:?} in {:?}", codes(&report.flaws), altered);
        // It, its successors, its closing, and where its number is missed: the rest of the journal stays green.
        let touched: BTreeSet<_> = report.flaws.iter().map(|flaw| (&flaw.chain, flaw.seq)).collect();
        prop_assert!(touched.len() <= 6, "{:?}", codes(&report.flaws));
    }

    #[test]
    fn a_deleted_record_is_named(till in any_journal(), at in any::<prop::sample::Index>()) {
        let mut records = till.records.clone();
        let gone = records.remove(at.index(till.records.len()));
        let found = codes(&till.verify(&records).flaws);
        let is_last_of_chain = till.last_seq(gone.chain) == gone.seq;
        let code = if is_last_of_chain { "lost_tail" } else { "seq_gap" };
        prop_assert!(found.contains(&format!("{} {} {code}", gone.chain, gone.seq)), "{found:?}");
        let code = if gone.id == till.records.len() as i64 { "lost_tail" } else { "master_gap" };
        prop_assert!(found.contains(&format!("* {} {code}", gone.id)), "{found:?}");
    }

    #[test]
    fn a_deleted_tail_is_named(till in any_journal(), kept in any::<prop::sample::Index>()) {
        let kept = kept.index(till.records.len());
        let found = codes(&till.verify(&till.records[..kept]).flaws);
        prop_assert!(found.contains(&format!("* {} lost_tail", kept + 1)), "{found:?}");
        for (_, chain, head) in till.heads() {
            let last = till.records[..kept].iter().rev().find(|record| record.chain == chain).map_or(0, |record| record.seq);
            prop_assert_eq!(found.contains(&format!("{chain} {} lost_tail", last + 1)), last < head.last_seq);
        }
    }
}

#[test]
fn a_label_changed_by_whoever_owns_the_database_is_one_flaw() {
    let mut till = two_evenings();
    till.records[0].content_text = till.records[0].content_text.replace("Cahors 2018", "Cahors 2019");
    assert_eq!(codes(&till.verify(&till.records).flaws), ["T 1 content_digest_differs"]);
}

#[test]
fn each_link_of_a_record_is_checked_on_its_own() {
    type Tamper = fn(&mut Record);
    let cases: [(Tamper, &[&str]); 6] = [
        (|r| r.hash_current = "0".repeat(64), &["T 2 hash_differs", "T 3 previous_hash_differs"]),
        (|r| r.hash_previous = "0".repeat(64), &["T 2 previous_hash_differs"]),
        (|r| r.signature = "A".repeat(64), &["T 2 signature_invalid", "T 3 previous_signature_differs"]),
        (|r| r.local = "20260214000000".to_owned(), &["T 2 signed_text_differs", "T 2 content_fields_differ"]),
        (|r| r.key_id = "K2".to_owned(), &["T 2 unknown_key"]),
        (|r| r.app_version = "Comptoir 0.0.9".to_owned(), &["T 2 software_differs"]),
    ];
    for (tamper, expected) in cases {
        let mut till = two_evenings();
        tamper(&mut till.records[1]);
        assert_eq!(codes(&till.verify(&till.records).flaws), expected);
    }
}

#[test]
fn a_second_future_signed_by_the_same_key_is_found_where_it_was_grafted() {
    let mut till = Till::new(false);
    let mut clone = Till::new(false);
    till.sell(&[(TEN, 1000)], Method::Cb);
    till.sell(&[(TEN, 2000)], Method::Cb);
    clone.sell(&[(TEN, 500)], Method::Cb);
    clone.sell(&[(TEN, 2000)], Method::Cb);
    let grafted = [till.records[0].clone(), clone.records[1].clone()];
    assert_eq!(codes(&till.verify(&grafted).flaws), ["T 2 previous_signature_differs", "T 2 previous_hash_differs", "T 2 head_differs"]);
}

#[test]
fn an_amount_changed_with_its_digest_and_hash_is_found_by_the_signature_and_by_the_closing() {
    let mut till = two_evenings();
    let record = &mut till.records[1];
    record.content_text = record.content_text.replace("1777", "0777");
    record.content_text = record.content_text.replace("0777", "777");
    record.total = Cents(777);
    record.content_sha256 = sha256_hex(record.content_text.as_bytes());
    let found = codes(&till.verify(&till.records).flaws);
    assert!(found.contains(&"T 2 signed_text_differs".to_owned()) && found.contains(&"G 1 closing_totals_differ".to_owned()), "{found:?}");
    assert!(found.iter().all(|flaw| flaw.starts_with("T 2 ") || flaw.starts_with("G 1 ")), "{found:?}");
}

#[test]
fn a_chain_written_again_with_another_key_is_no_longer_signed() {
    let mut till = two_evenings();
    till.records[4].signature = sign("another key", till.records[4].data_to_sign.as_bytes());
    assert_eq!(codes(&till.verify(&till.records).flaws), ["J 1 signature_invalid", "J 1 head_differs"]);
}

#[test]
fn a_gap_of_several_is_one_flaw_that_names_the_first() {
    let till = two_evenings();
    let records: Vec<Record> = till.records.iter().filter(|record| !matches!(record.id, 2 | 3)).cloned().collect();
    let report = till.verify(&records);
    let closing = ["G 1 closing_range_broken", "G 1 closing_totals_differ", "G 1 closing_perpetual_differs"];
    assert_eq!(codes(&report.flaws), [&["* 2 master_gap"][..], &closing, &["T 2 seq_gap"]].concat());
    assert!(report.flaws.iter().any(|flaw| flaw.detail == "Les n° 2 à 3 manquent."));
}

#[test]
fn what_cannot_be_judged_is_not_called_a_fraud() {
    let till = two_evenings();
    let blind = |_: &str, _: &[u8], _: &str| SignatureCheck::UnknownKey;
    let mut verifier = Verifier::new(&blind);
    till.records.iter().for_each(|record| verifier.feed(record));
    let report = verifier.finish(&till.heads(), None);
    assert!(!report.ok && report.inconclusive && report.flaws.iter().all(|flaw| flaw.code == "unknown_key"));

    let mut later = two_evenings();
    let record = &mut later.records[4];
    record.format = "F2".to_owned();
    let relabelled = later.verify(&later.records);
    assert_eq!((codes(&relabelled.flaws), relabelled.inconclusive), (vec!["J 1 signed_text_differs".to_owned()], false));
    let record = &mut later.records[4];
    record.data_to_sign = record.data_to_sign.replacen("F1", "F2", 1);
    record.signature = sign(KEY, record.data_to_sign.as_bytes());
    let mut verifier = Verifier::new(&check);
    later.records.iter().for_each(|record| verifier.feed(record));
    let report = verifier.finish(&[], None);
    assert_eq!((codes(&report.flaws), report.inconclusive), (vec!["J 1 unknown_format".to_owned()], true));
}

#[test]
fn selling_while_the_journal_is_read_is_no_flaw() {
    let mut till = two_evenings();
    let (heads, master) = (till.heads(), till.records.len() as i64);
    till.sell(&[(TEN, 500)], Method::Cb);
    let mut verifier = Verifier::new(&check);
    till.records.iter().for_each(|record| verifier.feed(record));
    assert!(verifier.finish(&heads, Some(master)).ok);
}

#[test]
fn a_clock_that_goes_back_is_named_and_one_that_is_set_is_not() {
    let mut till = two_evenings();
    till.utc -= Duration::minutes(3 + 5);
    till.event("heure réglée de cinq minutes");
    assert!(till.verify(&till.records).ok);
    till.utc -= Duration::minutes(3 + 6);
    till.event("heure reculée");
    till.event("et la suite");
    assert_eq!(codes(&till.verify(&till.records).flaws), ["J 3 clock_backwards"]);
}

#[test]
fn a_late_closing_covers_its_own_day_only() {
    let mut till = Till::new(false);
    till.sell(&[(TEN, 1000)], Method::Cb);
    till.sell(&[(TEN, 2000)], Method::Cb);
    till.record_z(&till.z(1));
    till.sell(&[(TEN, 3000)], Method::Cb);
    till.close();
    till.close();
    assert_eq!(codes(&till.verify(&till.records).flaws), [""; 0]);
}

#[test]
fn a_closing_that_is_not_the_sum_of_its_tickets_is_found_though_it_is_signed() {
    type Tamper = fn(&mut domain::fiscal::ClosingContent);
    let cases: [(Tamper, &[&str]); 7] = [
        (|z| z.ticket_count -= 1, &["G 3 closing_totals_differ"]),
        (|z| z.payment_count += 1, &["G 3 closing_totals_differ"]),
        (|z| z.vat[0].vat += Cents(1), &["G 3 closing_totals_differ"]),
        (|z| (z.by_method.cb, z.by_method.especes) = (Cents::ZERO, z.by_method.cb), &["G 3 closing_totals_differ"]),
        (|z| z.perpetual_total -= Cents(100), &["G 3 closing_perpetual_differs"]),
        (|z| z.perpetual_absolute = z.perpetual_total, &["G 3 closing_perpetual_differs"]),
        (|z| z.first_ticket += 1, &["G 3 closing_range_broken", "G 3 closing_totals_differ", "G 3 closing_perpetual_differs"]),
    ];
    for (tamper, expected) in cases {
        let mut till = two_evenings();
        till.sell(&[(TEN, 1200)], Method::Cb);
        till.sell(&[(TEN, 1300)], Method::Cb);
        let mut z = till.z(till.last_seq(Chain::T));
        tamper(&mut z);
        till.record_z(&z);
        till.sell(&[(TEN, 900)], Method::Cb);
        till.close();
        assert_eq!(codes(&till.verify(&till.records).flaws), expected);
    }
}

#[test]
fn a_ticket_that_does_not_add_up_is_found_though_it_is_signed() {
    let mut till = Till::new(false);
    let mut content = till.ticket(&[(TEN, 2400), (TWENTY, 2800)], Method::Cb);
    content.payments[0].amount -= Cents(1000);
    till.append(Draft::ticket(&content, till.local(), till.utc).unwrap());
    let mut draft = Draft::ticket(&till.ticket(&[(TEN, 2400)], Method::Cb), till.local(), till.utc).unwrap();
    draft.total = Cents(2300);
    till.append(draft);
    assert_eq!(codes(&till.verify(&till.records).flaws), ["T 1 ticket_does_not_add_up", "T 2 content_fields_differ"]);
}

#[test]
fn training_has_its_own_numbers_and_totals() {
    let mut till = Till::new(true);
    till.sell(&[(TEN, 1000)], Method::Cb);
    till.close();
    till.sell(&[(TEN, 2000)], Method::Cb);
    till.close();
    assert!(till.records.iter().all(|record| record.chain == Chain::X));
    assert!(till.records[3].extra.starts_with("3000,3000,"), "{}", till.records[3].extra);
    assert_eq!(codes(&till.verify(&till.records).flaws), [""; 0]);
    let without_first = [&till.records[1..]].concat();
    assert!(codes(&till.verify(&without_first).flaws).contains(&"X 1 seq_gap".to_owned()));
}
