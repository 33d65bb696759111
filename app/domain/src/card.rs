//! The number of a card has no place in a text that somebody types: a reason stands in a journal that nobody can edit, a note is printed and handed on.
//!
//! What is told apart from it, because people do write it: telephone numbers (10 digits, or 11 with 33), a SIREN (9), a SIRET (14 digits, which pass the
//! same check as a card), amounts, dates, numbers of tickets. So 14 digits are a card only when they are written as Diners prints them, 4-6-4; everything
//! else must be written in one piece or as it is printed, have the length and the first digits that issuers give their cards (ISO/IEC 7812), and pass the
//! Luhn check.

/// Whether a text holds what can be the number of a card: in one piece, or in the groups in which it is printed, with spaces, dashes or points between
/// them. Takes as long as the text is long.
#[must_use]
pub fn is_in(text: &str) -> bool {
    runs(text).iter().any(|groups| (0..groups.len()).any(|first| begins_at(groups, first)))
}

/// Whether a number of a card begins with that group. Fours among more fours than a card has (an IBAN, say) are none.
fn begins_at(groups: &[Vec<u8>], first: usize) -> bool {
    let of = |at: usize| groups.get(at).map_or(0, Vec::len);
    let fours = if of(first) == 4 && (first == 0 || of(first - 1) != 4) { (first..).take_while(|at| of(*at) == 4).count() } else { 0 };
    let printed = match (of(first), fours, of(first + 1), of(first + 2)) {
        (15..=19, ..) => 1..=1,
        (_, 1, 6, 4 | 5) => 3..=3,
        // With what a card of seventeen to nineteen digits has besides, or without.
        (_, 4, ..) => 4..=4 + usize::from((1..=3).contains(&of(first + 4))),
        _ => return false,
    };
    printed.into_iter().any(|count| groups.get(first..first + count).is_some_and(is_card))
}

/// Groups of digits, together with those that nothing but spaces, dashes and points divides from them.
fn runs(text: &str) -> Vec<Vec<Vec<u8>>> {
    let mut runs = vec![vec![Vec::new()]];
    for c in text.chars() {
        let Some(run) = runs.last_mut() else { return Vec::new() };
        if let Some(digit) = c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()) {
            if let Some(group) = run.last_mut() {
                group.push(digit);
            }
        } else if c.is_whitespace() || matches!(c, '-' | '.' | '_' | '\u{2010}'..='\u{2015}') {
            if run.last().is_some_and(|group| !group.is_empty()) {
                run.push(Vec::new());
            }
        } else if !run.iter().all(Vec::is_empty) {
            runs.push(vec![Vec::new()]);
        }
    }
    for run in &mut runs {
        run.retain(|group| !group.is_empty());
    }
    runs
}

fn is_card(groups: &[Vec<u8>]) -> bool {
    let digits = groups.concat();
    let begins = |count: usize| digits.iter().take(count).fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let issued = match digits.len() {
        14 => matches!(begins(2), 36 | 38 | 39) || matches!(begins(3), 300..=305 | 309),
        15 => matches!(begins(2), 34 | 37),
        16..=19 => matches!(begins(1), 4..=6) || matches!(begins(2), 36 | 38 | 39) || matches!(begins(4), 2221..=2720 | 3528..=3589),
        _ => false,
    };
    issued && luhn(&digits)
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit @ 0..=4) => digit * 2,
            (_, digit) => digit * 2 - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn card_numbers_are_seen_however_they_are_written() {
        for text in [
            "4111111111111111",
            "carte 4111 1111 1111 1111 refusée",
            "CB4111-1111-1111-1111",
            "4111.1111.1111.1111",
            "4111\u{a0}1111\u{202f}1111 1111",
            "table 12 4111 1111 1111 1111",
            "4111111111111111 12",
            "3782 822463 10005",
            "378282246310005",
            "3056 930902 5904",
            "5555555555554444",
            "2223003122003222",
            "3530111333300000",
            "6304000000000000",
            "4000000000000000006",
        ] {
            assert!(is_in(text), "{text}");
        }
    }

    #[test]
    fn what_people_write_is_no_card_number() {
        for text in [
            "",
            "sans sel",
            "4111 1111 1111 1112",
            "06 12 34 56 78",
            "+33 6 12 34 56 78, 01 23 45 67 89",
            "01 23 45 67 89 06 12 34 56 78",
            // SIREN and SIRET, which pass the check; the third begins as a card of Diners does.
            "732829320",
            "732 829 320 00074",
            "73282932000074",
            "30340959300005",
            "TVA FR44732829320",
            "2026-11-26 18:18 ticket 1234, 12,50 EUR",
            "20261126181856123",
            "FR76 3000 6000 0112 3456 7890 189",
            // Each of these has an issuer's first digits, and passes the check for some of its numbers.
            "23.01.2026 - 29.01.2026",
        ] {
            assert!(!is_in(text), "{text}");
        }
        assert!(luhn(b"73282932000074".map(|digit| digit - b'0').as_slice()), "a SIRET passes the check");
    }

    /// The largest body that is taken, and nothing but fours.
    #[test]
    fn a_long_text_takes_no_time() {
        let began = std::time::Instant::now();
        assert!(!is_in(&"1111 ".repeat(50_000)));
        assert!(!is_in(&"1".repeat(250_000)));
        assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    }

    proptest! {
        #[test]
        fn what_is_grouped_otherwise_is_no_card(pairs in proptest::collection::vec(40_u8..70, 8..10), order in 400_000_u32..700_000, mobile in 600_000_000_u32..800_000_000, iban in proptest::collection::vec(1_000_u16..9_999, 5)) {
            let tables = pairs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            prop_assert!(!is_in(&format!("tables {tables}")), "{}", tables);
            let call = format!("commande {order} 0{mobile}");
            prop_assert!(!is_in(&call), "{}", call);
            let iban = iban.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            prop_assert!(!is_in(&format!("FR76 {iban} 189")), "{}", iban);
        }

        #[test]
        fn every_number_with_its_check_digit_is_seen_in_one_piece_and_in_fours(begins in 4_u64..=5, rest in 0_u64..100_000_000_000_000, before in "[a-zé ,]{0,9}") {
            let body = format!("{begins}{rest:014}");
            let check = (0..10).find(|check| luhn(format!("{body}{check}").bytes().map(|digit| digit - b'0').collect::<Vec<_>>().as_slice())).unwrap();
            let card = format!("{body}{check}");
            prop_assert!(is_in(&format!("{before}{card}")), "{}", card);
            let fours = card.as_bytes().chunks(4).map(|four| std::str::from_utf8(four).unwrap()).collect::<Vec<_>>().join(" ");
            prop_assert!(is_in(&format!("{before}{fours}")), "{}", fours);
        }

        #[test]
        fn any_text_is_judged(text in any::<String>()) {
            let _ = is_in(&text);
        }
    }
}
