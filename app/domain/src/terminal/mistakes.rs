//! Mistakes that tills in the field make on the wire, one test each. Those that need a till are in `server/tests/api/terminal_mistakes.rs`.

use super::caisse_ap::{Dialect, Reader, encode};
use super::concert::dialogue::{Dialogue, Do};
use super::concert::frame::{ACK, ENQ, EOT, Heard, Listener, frame};
use super::concert::{self, Speech};
use super::{Charge, Doubt, Outcome, Reference, Till};
use crate::Cents;
use std::time::Duration;

fn charge() -> Charge {
    Charge { reference: "A1B2C3D4E5".parse().unwrap(), amount: Cents(2550), till: Till::FIRST }
}

fn judged(fields: &[(&[u8; 2], &str)], doubt: Doubt) -> Outcome {
    let mut reader = Reader::default();
    reader.push(&encode(fields.iter().copied()));
    reader.judge(&charge(), doubt)
}

const APPROVED: [(&[u8; 2], &str); 5] = [(b"CZ", "0300"), (b"CE", "978"), (b"CB", "2550"), (b"CF", "A1B2C3D4E5"), (b"AE", "10")];

/// Asking for the answer at once (`A011`, `BA=1`): it says that the request was taken, and the outcome never comes.
#[test]
fn the_outcome_is_asked_for_and_taken_is_not_approved() {
    assert!(String::from_utf8(concert::debit(&charge())).unwrap().ends_with("A010B010"));
    let tagged = String::from_utf8(super::caisse_ap::debit(&charge(), &Dialect::default())).unwrap();
    assert!(tagged.contains("BA0010"), "{tagged}");
    let taken = concert::reply("01", '9', Cents(2550), "A1B2C3D4E5");
    assert_eq!(Speech::Fixed.read(&taken).unwrap().judge(&charge()), Outcome::Unknown(Doubt::Interim));
    assert_eq!(judged(&[(b"CZ", "0300"), (b"AE", "11")], Doubt::Silence), Outcome::Unknown(Doubt::Interim));
}

/// Asking for card data (IND `1`, tickets): then the till has to protect it.
#[test]
fn no_card_data_is_asked_for_and_none_is_kept() {
    assert_eq!(concert::debit(&charge())[10], b'0');
    let tagged = String::from_utf8(super::caisse_ap::debit(&charge(), &Dialect::default())).unwrap();
    assert!(!tagged.contains("CK003"), "no ticket");
    let mut reader = Reader::default();
    reader.push(&encode([(b"CZ", "0300"), (b"AA", "4970101234567890"), (b"AE", "10")]));
    assert!(!format!("{reader:?}").contains("4970"));
}

/// Asking for partial payments (`BF`): newer terminals break.
#[test]
fn partial_payments_are_never_asked_for() {
    assert!(!String::from_utf8(super::caisse_ap::debit(&charge(), &Dialect::default())).unwrap().contains("BF001"));
}

/// Refunds as type `2`, which cancels on some terminals: a debit is `0`, and nothing else is ever asked.
#[test]
fn a_debit_is_a_debit() {
    assert_eq!(concert::debit(&charge())[12], b'0');
    assert!(String::from_utf8(super::caisse_ap::debit(&charge(), &Dialect::default())).unwrap().contains("CD0010"));
    let cancelled = [APPROVED.as_slice(), &[(b"CD", "2")]].concat();
    assert_eq!(judged(&cancelled, Doubt::LineLost), Outcome::Unknown(Doubt::Contradiction), "the answer to something else");
}

/// Searching for control bytes: the checksum may be any of them. 25.50 gives EOT or ENQ, 55.10 ACK.
#[test]
fn a_checksum_that_is_a_control_byte_ends_nothing() {
    let mut seen = [false; 3];
    // A name whose bytes come to a low number.
    let reference: Reference = "A1B2C3D456".parse().unwrap();
    for cents in 1..20_000 {
        let bytes = frame(&concert::debit(&Charge { amount: Cents(cents), reference: reference.clone(), ..charge() }));
        for (at, control) in [EOT, ENQ, ACK].into_iter().enumerate() {
            seen[at] |= bytes.last() == Some(&control);
        }
        let mut listener = Listener::default();
        let heard: Vec<Heard> = bytes.iter().filter_map(|byte| listener.hear(*byte)).collect();
        assert!(matches!(&heard[..], [Heard::Frame(_)]), "{cents}");
    }
    assert_eq!(seen, [true; 3]);
}

/// An answer counts because it came: the stale result of an abandoned payment is credited to the guest who comes next.
#[test]
fn a_stale_amount_of_the_guest_before_is_not_credited() {
    let stale = |cents, echo| Speech::Fixed.read(&concert::reply("01", '0', Cents(cents), echo)).unwrap().judge(&charge());
    assert_eq!(stale(8_000, "A1B2C3D4E6"), Outcome::Unknown(Doubt::NotOurs));
    assert_eq!(stale(8_000, ""), Outcome::Unknown(Doubt::Contradiction), "more than was asked for");
    assert_eq!(stale(2_000, ""), Outcome::Unknown(Doubt::Contradiction), "less: no part of this payment");
    let (mut line, _) = Dialogue::begin(charge(), Speech::Fixed, Duration::from_secs(240));
    line.hear(Heard::Enquiry);
    let heard = line.hear(Heard::Frame(concert::reply("01", '0', Cents(2550), "")));
    assert!(heard.iter().all(|what| !matches!(what, Do::Store(_))), "what came before we asked is no answer to us");
}

/// Comparing amounts as text: terminals pad with zeros.
#[test]
fn amounts_are_compared_as_numbers() {
    let mut padded = APPROVED;
    padded[2] = (b"CB", "000000002550");
    assert!(matches!(judged(&padded, Doubt::LineLost), Outcome::Approved { amount: Cents(2550), .. }));
}

/// Waiting for CR LF, which most terminals do not send.
#[test]
fn an_answer_ends_without_a_line_feed_and_with_one() {
    let bytes = encode(APPROVED);
    for end in [&b""[..], b"\r\n"] {
        let mut reader = Reader::default();
        reader.push(&[&bytes, end].concat());
        assert!(reader.has_result());
        assert!(matches!(reader.judge(&charge(), Doubt::Silence), Outcome::Approved { .. }));
    }
}

/// A ticket that arrives damaged spoils the approval before it.
#[test]
fn a_damaged_ticket_does_not_spoil_an_approval() {
    let mut reader = Reader::default();
    reader.push(&encode(APPROVED));
    reader.push(b"ZT010abc\n");
    assert!(matches!(reader.judge(&charge(), Doubt::Silence), Outcome::Approved { .. }));
}

/// "Successful" wherever a zero or a ten stands.
#[test]
fn only_ae_says_that_money_was_taken() {
    for not_an_approval in [
        &[(b"CZ", "0300"), (b"CB", "2550"), (b"CE", "978"), (b"CF", "A1B2C3D4E5")][..],
        &[(b"CZ", "0300"), (b"CB", "2550"), (b"CE", "978"), (b"CF", "A1B2C3D4E5"), (b"AE", "00")],
        &[(b"CZ", "0300"), (b"AC", "10"), (b"AE", "01"), (b"AF", "04")],
    ] {
        assert!(!matches!(judged(not_an_approval, Doubt::LineLost), Outcome::Approved { .. }), "{not_an_approval:?}");
    }
}

/// Retrying by oneself after the request was sent.
#[test]
fn a_request_that_was_acknowledged_is_never_said_again() {
    let (mut line, _) = Dialogue::begin(charge(), Speech::Fixed, Duration::from_secs(240));
    line.hear(Heard::Yes);
    line.hear(Heard::Yes);
    let request = Do::Say(frame(&concert::debit(&charge())));
    for heard in [Heard::Again, Heard::Bye, Heard::Noise, Heard::Yes, Heard::BadFrame] {
        assert!(!line.hear(heard).contains(&request));
    }
    assert_eq!(line.late(), [Do::Store(Outcome::Unknown(Doubt::Silence)), Do::Finish]);
}

/// Eight bits against seven with parity: STX and EOT arrive as garbage and the terminal looks dead.
#[test]
fn wrong_parity_is_named_and_not_called_garbage() {
    let mut listener = Listener::default();
    assert_eq!([0x82, 0x84, 0x95].map(|byte| listener.hear(byte)), [const { Some(Heard::WrongParity) }; 3]);
}
