use super::*;
use proptest::prelude::*;

fn charge() -> Charge {
    Charge { reference: "A1B2C3D4E5".parse().unwrap(), amount: Cents(2550), till: Till::FIRST }
}

fn read(bytes: &[u8]) -> Reader {
    let mut reader = Reader::default();
    reader.push(bytes);
    reader
}

fn judged(bytes: &[u8]) -> Outcome {
    read(bytes).judge(&charge(), Doubt::LineLost)
}

/// An approval of what was asked for, with changes.
fn approval(changes: &[(&'static [u8; 2], &'static str)]) -> Vec<u8> {
    let mut fields: Vec<(&[u8; 2], &str)> = vec![
        (b"CZ", "0300"),
        (b"CA", "01"),
        (b"CE", "978"),
        (b"CD", "0"),
        (b"CB", "00002550"),
        (b"CF", "A1B2C3D4E5"),
        (b"AA", "165179######6440"),
        (b"AC", "123456"),
        (b"AE", "10"),
    ];
    for (tag, value) in changes {
        fields.retain(|(known, _)| known != tag);
        fields.push((tag, value));
    }
    encode(fields)
}

fn yes(cents: i64) -> Outcome {
    Outcome::Approved { approval_code: Some("123456".to_owned()), amount: Cents(cents) }
}

#[test]
fn a_debit_is_written_as_terminals_expect_it() {
    let bytes = debit(&charge(), &Dialect::default());
    assert_eq!(String::from_utf8(bytes).unwrap(), "CZ0040300CJ012012345678901CA00201CE003978BA0010CD0010CB0042550CF010A1B2C3D4E5");
    let five_cents = debit(&Charge { amount: Cents(5), ..charge() }, &Dialect::default());
    assert!(String::from_utf8(five_cents).unwrap().contains("CB00205"), "at least two digits");
}

#[test]
fn an_approval_is_booked_with_what_was_debited() {
    assert_eq!(judged(&approval(&[])), yes(2550));
    assert_eq!(judged(&approval(&[(b"CB", "2000")])), yes(2000), "less than was asked for");
    assert_eq!(judged(&approval(&[(b"AC", "")])), Outcome::Approved { approval_code: None, amount: Cents(2550) });
    assert_eq!(judged(&[approval(&[]).as_slice(), b"\r\n"].concat()), yes(2550), "CR LF at the end");
}

#[test]
fn what_contradicts_itself_or_the_request_is_unknown() {
    for (what, changes, doubt) in [
        ("done and not done", &[(b"AF", "09")] as &[(&'static [u8; 2], &'static str)], Doubt::Contradiction),
        ("more than was asked for", &[(b"CB", "2551")], Doubt::Contradiction),
        ("nothing debited", &[(b"CB", "00")], Doubt::Contradiction),
        ("no amount", &[(b"CB", "")], Doubt::Contradiction),
        ("letters for an amount", &[(b"CB", "25x0")], Doubt::Contradiction),
        ("another currency", &[(b"CE", "953")], Doubt::Contradiction),
        ("no currency", &[(b"CE", "")], Doubt::Contradiction),
        ("another till", &[(b"CA", "02")], Doubt::Contradiction),
        ("a refund", &[(b"CD", "1")], Doubt::Contradiction),
        ("another attempt", &[(b"CF", "A1B2C3D4E6")], Doubt::NotOurs),
        ("no result", &[(b"AE", "")], Doubt::Unreadable),
        ("a result of no table", &[(b"AE", "99")], Doubt::Unreadable),
        ("taken into account", &[(b"AE", "11")], Doubt::Interim),
    ] {
        assert_eq!(judged(&approval(changes)), Outcome::Unknown(doubt), "{what}");
    }
    let twice = [approval(&[]), encode([(b"CB", "2000")])].concat();
    assert_eq!(judged(&twice), Outcome::Unknown(Doubt::Contradiction), "two amounts");
}

#[test]
fn every_reason_has_its_outcome() {
    let not_done = |reason: &str| judged(&encode([(b"CZ", "0300"), (b"CA", "01"), (b"AE", "01"), (b"AF", reason)]));
    for (reasons, expected) in [
        (["04", "05"].as_slice(), "declined"),
        (&["06", "07", "08", "11"], "cancelled"),
        (&["09", "10", "12", "13"], "failed"),
        (&["00", "01", "02", "03", "14", "xx", "0"], "unknown"),
    ] {
        for reason in reasons {
            let got = match not_done(reason) {
                Outcome::Declined { .. } => "declined",
                Outcome::Cancelled { .. } => "cancelled",
                Outcome::Failed { .. } => "failed",
                Outcome::Unknown(_) => "unknown",
                Outcome::Approved { .. } => "approved",
            };
            assert_eq!(got, expected, "{reason}");
        }
    }
    assert_eq!(not_done("0451xxxx"), Outcome::Declined { code: "AF04".to_owned() }, "what the bank adds is not looked at");
}

#[test]
fn taken_into_account_and_then_the_result() {
    let both = [encode([(b"CZ", "0300"), (b"AE", "11")]), approval(&[])].concat();
    assert_eq!(judged(&both), yes(2550));
    let contradictory = [approval(&[]), encode([(b"CZ", "0300"), (b"AE", "01"), (b"AF", "04")])].concat();
    assert_eq!(judged(&contradictory), Outcome::Unknown(Doubt::Contradiction));
}

#[test]
fn a_damaged_ticket_does_not_spoil_an_approval() {
    let ticket = [approval(&[]).as_slice(), b"ZT999CK020abc"].concat();
    let reader = read(&ticket);
    assert!(reader.has_result());
    assert_eq!(reader.judge(&charge(), Doubt::LineLost), yes(2550));
    assert_eq!(judged(&[approval(&[]).as_slice(), b"ZT003abc\nxx"].concat()), yes(2550), "a length that is off by one");
    assert_eq!(judged(&[approval(&[]).as_slice(), b"%%%%%%"].concat()), Outcome::Unknown(Doubt::Unreadable), "no ticket, damaged");
}

#[test]
fn no_card_number_is_kept() {
    let reader = read(&approval(&[]));
    let (messages, _) = reader.messages();
    assert_eq!(messages[0].get(b"AA"), Some([].as_slice()));
    assert!(!format!("{messages:?} {reader:?}").contains("6440"));
}

#[test]
fn a_body_with_a_zero_in_it_is_no_success() {
    for bytes in [b"0".as_slice(), b"AE0", b"OK 0", b"000", b"AE00210"] {
        assert!(matches!(judged(bytes), Outcome::Unknown(_)), "{bytes:?}");
    }
    assert_eq!(judged(b""), Outcome::Unknown(Doubt::LineLost));
}

#[test]
fn a_late_answer_names_everything_that_it_is_matched_by() {
    assert!(read(&approval(&[])).stray().unwrap().answers(&charge()));
    assert!(!read(&approval(&[(b"CA", "")])).stray().unwrap().answers(&charge()));
    let nameless = read(&approval(&[(b"CF", "")])).stray().unwrap();
    assert!(!nameless.answers(&charge()));
    assert_eq!((nameless.reference, nameless.amount, nameless.outcome), (None, Some(Cents(2550)), yes(2550)), "what it says is kept");
    assert_eq!(read(&approval(&[(b"CE", "9\08")])).stray().unwrap().currency, None, "no database stores a zero byte");
}

#[test]
fn an_answer_to_somebody_else_is_told_apart_from_ours() {
    let foreign = approval(&[(b"CF", "ZZZZZZZZZZ"), (b"CB", "1000")]);
    let others = read(&[foreign.as_slice(), &approval(&[])].concat()).for_others(&charge());
    assert_eq!(others.len(), 1);
    assert_eq!((others[0].reference.as_ref().map(Reference::as_str), &others[0].outcome), (Some("ZZZZZZZZZZ"), &yes(1000)));
    assert_eq!(read(&approval(&[])).for_others(&charge()), []);
    assert_eq!(read(&approval(&[(b"CF", "")])).for_others(&charge()), []);
}

#[test]
fn on_a_line_an_answer_without_a_name_has_to_repeat_what_was_asked() {
    let on_a_line = |bytes: &[u8]| read(bytes).judge_on_a_line(&charge());
    let refusal = |amount: &'static str, till: &'static str, name: &'static str| {
        on_a_line(&encode([(b"CZ", "0300"), (b"CA", till), (b"CB", amount), (b"CF", name), (b"AE", "01"), (b"AF", "04")]))
    };
    assert_eq!(on_a_line(&approval(&[(b"CF", "")])), yes(2550));
    assert_eq!(on_a_line(&approval(&[(b"CB", "2000")])), yes(2000), "by its name");
    assert_eq!(refusal("2550", "01", ""), Outcome::Declined { code: "AF04".to_owned() });
    assert_eq!(refusal("", "", "A1B2C3D4E5"), Outcome::Declined { code: "AF04".to_owned() }, "by its name");
    for (what, outcome) in [
        ("less", on_a_line(&approval(&[(b"CF", ""), (b"CB", "2000")]))),
        ("no till", on_a_line(&approval(&[(b"CF", ""), (b"CA", "")]))),
        ("less, refused", refusal("2000", "01", "")),
        ("no amount, refused", refusal("", "01", "")),
        ("another till, refused", refusal("2550", "02", "")),
    ] {
        assert_eq!(outcome, Outcome::Unknown(Doubt::Contradiction), "{what}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_approve(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
        let mut reader = Reader::default();
        let (left, right) = bytes.split_at(cut.min(bytes.len()));
        reader.push(left);
        let _ = (reader.has_result(), reader.request(), reader.stray());
        reader.push(right);
        let approved = matches!(reader.judge(&charge(), Doubt::Silence), Outcome::Approved { .. });
        prop_assert!(!approved);
        let _ = (reader.has_result(), reader.request(), reader.stray());
    }

    /// Cut anywhere, an approval is either the whole approval or nobody knows: never a refusal, never another amount.
    #[test]
    fn a_cut_approval_is_unknown(cut in 0usize..200) {
        let whole = approval(&[]);
        let cut = cut.min(whole.len());
        let outcome = judged(&whole[..cut]);
        if cut == whole.len() {
            prop_assert_eq!(outcome, yes(2550));
        } else {
            prop_assert!(matches!(outcome, Outcome::Unknown(_)), "{:?}", outcome);
        }
    }

    /// However the network slices it, the answer is the same.
    #[test]
    fn slices_do_not_matter(sizes in prop::collection::vec(1usize..20, 1..60)) {
        let whole = [approval(&[]).as_slice(), b"ZT010CK005abcde"].concat();
        let mut reader = Reader::default();
        let mut rest = whole.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() { break }
            let (now, later) = rest.split_at((*size).min(rest.len()));
            reader.push(now);
            rest = later;
        }
        prop_assert!(reader.has_result());
        prop_assert_eq!(reader.judge(&charge(), Doubt::Silence), yes(2550));
    }

    /// One byte changed never turns a refusal into money, nor raises an amount.
    #[test]
    fn one_wrong_byte_never_books_more(at in 0usize..120, byte: u8) {
        let mut bytes = approval(&[]);
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Outcome::Approved { amount, .. } = judged(&bytes) {
            prop_assert!(amount <= Cents(2550));
        }
    }

    #[test]
    fn what_is_written_is_read(cents in 1i64..=99_999_999, bits: u64) {
        let charge = Charge { reference: Reference::from_random(bits), amount: Cents(cents), till: Till::FIRST };
        let request = read(&debit(&charge, &Dialect::default())).request().unwrap();
        prop_assert_eq!(request.get(b"CB").and_then(amount_from), Some(Cents(cents)));
        prop_assert_eq!(request.text(b"CF"), Some(charge.reference.as_str()));
    }
}

#[test]
fn the_last_ticket_is_asked_for_without_a_name_and_without_an_amount() {
    let bytes = duplicate(Till::FIRST, &Dialect::default());
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), "CZ0040300CJ012012345678901CA00201CE003978BA0010CD0013CB00200");
    assert!(read(&bytes).request().is_some(), "it is whole although it names no attempt");
    for cut in 1..bytes.len() {
        assert!(read(&bytes[..cut]).request().is_none(), "not yet at {cut}");
    }
    let debit = debit(&charge(), &Dialect::default());
    let amount_is_there = debit.len() - "CF010A1B2C3D4E5".len();
    assert!(read(&debit[..amount_is_there]).request().is_none(), "a debit is whole only with its name");
}

#[test]
fn the_last_ticket_is_evidence_and_never_an_approval() {
    let same = approval(&[(b"CD", "3")]);
    let Some(Queried::Ticket(ticket)) = read(&same).last_ticket(true) else { panic!("a ticket") };
    assert!(ticket.is_of(&charge()));
    assert_eq!(ticket.approval_code.as_deref(), Some("123456"));
    assert_eq!(judged(&same), Outcome::Unknown(Doubt::Contradiction), "as an answer to a debit it is none");
    assert!(matches!(read(&same).stray().map(|stray| stray.outcome), Some(Outcome::Unknown(_))), "nor as one that nobody waits for");

    // The number of a card where that of the authorisation belongs is no number of an authorisation, nor is a piece of it.
    for card in ["4970101122334455", " 4970 1011 2233 4455"] {
        let telling = approval(&[(b"CD", "3"), (b"AC", card)]);
        assert!(matches!(read(&telling).last_ticket(true), Some(Queried::Ticket(LastTicket { approval_code: None, .. }))));
        assert!(matches!(judged(&approval(&[(b"AC", card)])), Outcome::Approved { approval_code: None, .. }));
    }

    // Over TCP some repeat the answer to the debit; on a line that is the result of a payment.
    assert!(matches!(read(&approval(&[])).last_ticket(false), Some(Queried::Ticket(_))));
    assert_eq!(read(&approval(&[])).last_ticket(true), None);
    // It only printed.
    let printed = encode([(b"CZ", "0300"), (b"CD", "3"), (b"CB", "00"), (b"AE", "10")]);
    assert_eq!(read(&printed).last_ticket(true), Some(Queried::Ticket(LastTicket::default())));
    let refused = encode([(b"CZ", "0300"), (b"CD", "3"), (b"AE", "01"), (b"AF", "12")]);
    assert_eq!(read(&refused).last_ticket(true), Some(Queried::Refused));
    for nothing in [&b""[..], b"CZ0040300AE00211", b"garbage"] {
        assert_eq!(read(nothing).last_ticket(false), None);
    }
}

/// A ticket that began excuses what is damaged in it, and not a name that was cut off: it may be another's.
#[test]
fn a_name_that_is_cut_off_is_no_approval() {
    let cut = |ticket: &str, rest: &str| format!("CZ0040300{ticket}CA00201CE003978BA0010CD0010AE00210CB0042550{rest}").into_bytes();
    for (ticket, rest) in [("CK003abc", "CF010"), ("CK003abc", "CF010ABC"), ("", "ZT003abcCF010"), ("CK003abc", "AC0"), ("", "CF010")] {
        let mut reader = Reader::default();
        reader.push(&cut(ticket, rest));
        assert!(matches!(reader.judge(&charge(), Doubt::Unreadable), Outcome::Unknown(_)), "{ticket} {rest}");
    }
}
