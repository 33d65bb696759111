//! Whatever comes in as bytes or text: nothing panics, nothing is believed that was not said, and work is bounded by what came.
//!
//! `COMPTOIR_CASES` says how many tries each (a few thousand unless said; a campaign takes a hundred times as many).
#![expect(clippy::unwrap_used, reason = "tests: what cannot go on should stop")]

use domain::fiscal::jcs::canonical;
use domain::receipt::escpos::Decoder;
use domain::share::Units;
use domain::terminal::caisse_ap::{self, Dialect};
use domain::terminal::concert::dialogue::{Dialogue, Do};
use domain::terminal::concert::frame::{ACK, ENQ, Listener, frame};
use domain::terminal::concert::overhearing::Overhearing;
use domain::terminal::concert::{Reply, Speech};
use domain::terminal::{Charge, Doubt, Outcome, Reference, Till};
use domain::{Cents, OrderId};
use proptest::prelude::*;
use serde_json::Value;
use std::time::Duration;

fn tries() -> ProptestConfig {
    let cases = std::env::var("COMPTOIR_CASES").ok().map_or(2_000, |text| text.parse().unwrap());
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn charge() -> Charge {
    Charge { reference: Reference::from_random(0x5eed), amount: Cents(2550), till: Till::FIRST }
}

/// A sound answer of a terminal, in fields.
fn approval() -> Vec<u8> {
    let reference = charge().reference.to_string();
    caisse_ap::encode([
        (b"CZ", "0300"),
        (b"CJ", "012345678901"),
        (b"CA", "01"),
        (b"CE", "978"),
        (b"BA", "0"),
        (b"CD", "0"),
        (b"AE", "10"),
        (b"CB", "2550"),
        (b"CF", reference.as_str()),
        (b"AC", "123456"),
    ])
}

/// Bytes near to sound ones: cut, doubled, exchanged, or with others put in.
fn damaged(sound: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 0..6).prop_map(move |damages| {
        let mut bytes = sound.clone();
        for (place, byte, how) in damages {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => bytes.insert(at, byte),
                _ => bytes.extend_from_slice(&sound[at.min(sound.len())..]),
            }
        }
        bytes
    })
}

/// A sound reply of a terminal that speaks in fixed fields, which repeats the name of the attempt or nothing.
fn fixed_approval(name: &str) -> Vec<u8> {
    format!("010000025501978{name:<10}").into_bytes()
}

/// The same, with other characters in a few places: as long as before.
fn written_over(sound: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let character = prop_oneof![Just(b' '), b'0'..=b'9', 0x20_u8..0x7f];
    prop::collection::vec((any::<prop::sample::Index>(), character), 1..4).prop_map(move |damages| {
        let mut bytes = sound.clone();
        for (place, character) in damages {
            let at = place.index(bytes.len());
            bytes[at] = character;
        }
        bytes
    })
}

/// Bodies of frames near to approvals, in either form.
fn replies() -> impl Strategy<Value = Vec<u8>> {
    let (named, unnamed) = (fixed_approval(charge().reference.as_str()), fixed_approval(""));
    prop_oneof![written_over(named.clone()), written_over(unnamed), written_over(approval()), damaged(named), damaged(approval()),]
}

/// What is believed of our charge when a terminal answers it with this body, in a frame whose checksum is right.
fn answered(body: &[u8], tagged: bool) -> Vec<Outcome> {
    let speech = if tagged { Speech::Tagged(Dialect::default()) } else { Speech::Fixed };
    let (mut dialogue, _) = Dialogue::begin(charge(), speech, Duration::from_secs(60));
    let mut listener = Listener::default();
    let mut said = Vec::new();
    // It hears us, takes the request, and comes back with its answer.
    let bytes = [vec![ACK, ACK, ENQ], frame(body)].concat();
    for heard in bytes.into_iter().filter_map(|byte| listener.hear(byte)) {
        said.extend(dialogue.hear(heard));
    }
    said.into_iter().filter_map(|what| if let Do::Store(outcome) = what { Some(outcome) } else { None }).collect()
}

#[test]
fn an_approval_that_nobody_damaged_is_believed() {
    for (body, tagged) in [(approval(), true), (fixed_approval(charge().reference.as_str()), false), (fixed_approval(""), false)] {
        let said = answered(&body, tagged);
        assert!(matches!(said.as_slice(), [Outcome::Approved { amount: Cents(2550), .. }]), "{said:?}");
    }
}

fn answers() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(any::<u8>(), 0..400), damaged(approval())]
}

proptest! {
    #![proptest_config(tries())]

    #[test]
    fn caisse_ap_believes_no_approval_that_names_another(bytes in answers(), cut in any::<prop::sample::Index>()) {
        let mut reader = caisse_ap::Reader::default();
        // However it is cut on its way, it says the same.
        let (one, two) = bytes.split_at(cut.index(bytes.len() + 1));
        reader.push(one);
        reader.push(two);
        let mut whole = caisse_ap::Reader::default();
        whole.push(&bytes);
        let said = reader.judge(&charge(), Doubt::Unreadable);
        prop_assert_eq!(&said, &whole.judge(&charge(), Doubt::Unreadable));
        if let Outcome::Approved { amount, .. } = said {
            let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
            prop_assert!(has(b"AE00210"), "an approval without AE=10");
            // There are terminals that repeat no name: on a connection of its own, what they say of the right amount is believed.
            prop_assert!(has(charge().reference.as_str().as_bytes()) || !has(b"CF010"), "an approval of another attempt");
            prop_assert!(has(b"CE003978"), "an approval in another currency");
            prop_assert!(amount > Cents::ZERO && amount <= charge().amount, "more than was asked");
        }
        let _ = (whole.judge_on_a_line(&charge()), whole.stray(), whole.for_others(&charge()), whole.request(), whole.is_interim(), whole.has_result());
    }

    #[test]
    fn concert_bears_any_line(bytes in prop::collection::vec(any::<u8>(), 0..600), tagged in any::<bool>()) {
        let dialect = Dialect::default();
        let speech = || if tagged { Speech::Tagged(dialect.clone()) } else { Speech::Fixed };
        let (mut dialogue, _) = Dialogue::begin(charge(), speech(), Duration::from_secs(60));
        let (mut listener, mut ear, mut other) = (Listener::default(), Overhearing::new(speech()), Listener::default());
        let mut said = 0;
        for byte in &bytes {
            if let Some(heard) = listener.hear(*byte) {
                said += dialogue.hear(heard).len();
            }
            if let Some(heard) = other.hear(*byte) {
                said += ear.hear(heard).len();
            }
        }
        said += dialogue.late().len() + ear.late().len();
        prop_assert!(said <= 8 * (bytes.len() + 2), "{} bytes made it do {said} things", bytes.len());
        let _ = (Reply::parse(&bytes), speech().overhear(&bytes));
    }

    #[test]
    fn concert_believes_no_approval_that_was_not_said(body in replies(), tagged in any::<bool>()) {
        let said = answered(&body, tagged);
        let charge = charge();
        for outcome in said {
            let Outcome::Approved { amount, .. } = outcome else { continue };
            let has = |part: &[u8]| body.windows(part.len()).any(|window| window == part);
            prop_assert!(amount > Cents::ZERO && amount <= charge.amount, "more than was asked");
            if tagged {
                prop_assert!(has(b"AE00210"), "an approval without AE=10");
                prop_assert!(has(charge.reference.as_str().as_bytes()) || !has(b"CF010"), "an approval of another attempt");
                prop_assert!(has(b"CE003978"), "an approval in another currency");
            } else {
                // Till, state, amount; mode; currency and name, after the card data where a terminal sends them.
                let after = body.len() - 13;
                prop_assert!(body.starts_with(b"010"), "an approval of another till, or none");
                prop_assert_eq!(std::str::from_utf8(&body[3..11]).unwrap().parse::<i64>().unwrap(), amount.0);
                prop_assert_eq!(&body[after..after + 3], b"978", "an approval in another currency");
                let name = String::from_utf8_lossy(&body[after + 3..]).into_owned();
                let blank = name.trim().bytes().all(|byte| byte == b'0');
                prop_assert!(name == charge.reference.as_str() || (blank && amount == charge.amount), "an approval of another attempt");
            }
        }
    }

    #[test]
    fn a_frame_that_is_damaged_anywhere_is_no_frame(body in "[ -~]{1,80}", place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let sound = frame(body.as_bytes());
        let mut bytes = sound.clone();
        let at = 1 + place.index(bytes.len() - 1);
        bytes[at] ^= 1 << bit;
        let mut listener = Listener::default();
        for byte in bytes {
            if let Some(domain::terminal::concert::frame::Heard::Frame(heard)) = listener.hear(byte) {
                prop_assert_ne!(heard, body.as_bytes());
            }
        }
    }

    #[test]
    fn a_paper_of_any_bytes_is_read_to_its_end(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mut decoder = Decoder::default();
        let heard: usize = bytes.chunks(7).map(|part| decoder.push(part).len()).sum();
        prop_assert!(heard <= bytes.len());
    }

    #[test]
    fn an_amount_is_read_exactly_or_not_at_all(text in prop_oneof!["\\PC{0,24}", "-?[0-9]{0,14}[.,]?[0-9]{0,4}", "[0-9+eE.-]{0,12}"]) {
        // A number of JSON may have an exponent; what it comes to is shown elsewhere.
        if let (Ok(cents), false) = (Cents::parse(&text), text.contains(['e', 'E'])) {
            // What is written, as so many of the smallest unit that its decimals can say.
            let written = text.trim();
            let units = written.chars().filter_map(|c| c.to_digit(10)).fold(0_i128, |units, digit| 10 * units + i128::from(digit));
            let units = if written.starts_with('-') { -units } else { units };
            let decimals = written.split_once(['.', ',']).map_or(0, |(_, decimals)| u32::try_from(decimals.len()).unwrap());
            prop_assert_eq!(100 * units, i128::from(cents.0) * 10_i128.pow(decimals), "{}", text);
            prop_assert_eq!(Cents::parse(&cents.to_decimal()), Ok(cents));
        }
        let _ = (Units::parse(&text), text.parse::<OrderId>());
    }

    #[test]
    fn one_text_of_a_value_and_one_value_of_a_text(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), json_like()]) {
        let Ok(value) = serde_json::from_slice::<Value>(&bytes) else { return Ok(()) };
        if let Ok(text) = canonical(&value) {
            let again: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(canonical(&again).unwrap(), text);
            prop_assert_eq!(again, value);
        }
    }
}

/// Texts that are often JSON: braces, quotes, escapes, numbers at the edges.
fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("9007199254740991".to_owned()),
        Just("9007199254740992".to_owned()),
        Just("-0".to_owned()),
        Just("1.5".to_owned()),
        "-?[0-9]{1,20}",
        "\"(\\\\u[0-9a-f]{4}|\\\\n|[a-zé€😀 ]){0,6}\"",
    ];
    let value = scalar.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[a-zA-Zé😀\u{fb33}]{0,3}", inner), 0..4).prop_map(|members| {
                let members: Vec<String> = members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    value.prop_map(String::into_bytes)
}
