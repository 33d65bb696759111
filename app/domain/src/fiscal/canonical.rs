//! The canonical form, field by field. What is written here is signed: a change of one character is a new format.

use super::{Chain, FORMAT, RecordKind};
use crate::{Cents, VatRate};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// The fields of the signed text, in their order.
pub(super) struct SignedFields<'a> {
    pub(super) chain: Chain,
    pub(super) register: &'a str,
    pub(super) seq: i64,
    pub(super) kind: RecordKind,
    pub(super) local: &'a str,
    pub(super) utc: OffsetDateTime,
    pub(super) vat: &'a str,
    pub(super) total: Cents,
    pub(super) extra: &'a str,
    pub(super) content_sha256: &'a str,
}

/// The signed text up to the digest of the content.
pub(super) fn signed_fields(f: &SignedFields<'_>) -> String {
    let mut text = format!(
        "{FORMAT},{},{},{},{},{},{},{},{}",
        f.chain,
        f.register,
        f.seq,
        f.kind.as_str(),
        f.local,
        utc_timestamp(f.utc),
        f.vat,
        f.total.0
    );
    for field in [f.extra, f.content_sha256] {
        if !field.is_empty() {
            text.push(',');
            text.push_str(field);
        }
    }
    text
}

/// The end of the signed text: whether a signature is carried over, and which.
pub(super) fn link_to(previous_signature: &str) -> String {
    let carried = if previous_signature.is_empty() { 'N' } else { 'O' };
    format!(",{carried},{previous_signature}")
}

/// Whether that is what a signed text ends with.
pub(super) fn links_to(link: &str, previous_signature: &str) -> bool {
    let carried = if previous_signature.is_empty() { ",N," } else { ",O," };
    link.strip_prefix(carried) == Some(previous_signature)
}

/// Gross cents per rate, lowest rate first; rates that sum to nothing are left out.
pub(super) fn vat_field(amounts: &[(VatRate, Cents)]) -> String {
    let mut by_rate = BTreeMap::<VatRate, i64>::new();
    for (rate, gross) in amounts {
        let sum = by_rate.entry(*rate).or_default();
        *sum = sum.saturating_add(gross.0);
    }
    let fields: Vec<String> =
        by_rate.into_iter().filter(|(_, gross)| *gross != 0).map(|(rate, gross)| format!("{:04}:{gross}", rate.basis_points())).collect();
    if fields.is_empty() { "0:0".to_owned() } else { fields.join("|") }
}

/// Only characters that need no escaping and no agreement about encodings.
pub(super) fn is_canonical(field: &str) -> bool {
    field.bytes().all(|b| b.is_ascii_alphanumeric() || b":|_.+-".contains(&b))
}

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    const FIGURES: &[u8; 16] = b"0123456789abcdef";
    let figure = |half: u8| FIGURES.get(usize::from(half)).map_or('0', |figure| char::from(*figure));
    Sha256::digest(bytes).iter().flat_map(|byte| [figure(byte >> 4), figure(byte & 15)]).collect()
}

/// Whether a text is the SHA-256 of these bytes in lower-case hexadecimal. A journal is checked without writing each digest down.
#[must_use]
pub(super) fn is_sha256_hex(text: &str, bytes: &[u8]) -> bool {
    let value = |figure: &u8| match figure {
        b'0'..=b'9' => Some(figure - b'0'),
        b'a'..=b'f' => Some(figure - b'a' + 10),
        _ => None,
    };
    let digest = Sha256::digest(bytes);
    let pairs = text.as_bytes().chunks_exact(2).map(|pair| match pair {
        [high, low] => Some(value(high)? << 4 | value(low)?),
        _ => None,
    });
    text.len() == 2 * digest.len() && pairs.eq(digest.iter().map(|byte| Some(*byte)))
}

/// A moment on the clock of the restaurant: `YYYYMMDDHHMMSS`, in the signed text and in contents.
#[must_use]
pub fn local_timestamp(t: PrimitiveDateTime) -> String {
    let mut text = String::with_capacity(14);
    push_date(&mut text, t);
    push_clock(&mut text, t);
    text
}

/// A moment in UTC: `YYYYMMDDTHHMMSSZ`.
#[must_use]
pub fn utc_timestamp(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    let t = PrimitiveDateTime::new(moment.date(), moment.time());
    let mut text = String::with_capacity(16);
    push_date(&mut text, t);
    text.push('T');
    push_clock(&mut text, t);
    text.push('Z');
    text
}

fn push_date(text: &mut String, t: PrimitiveDateTime) {
    match u16::try_from(t.year()) {
        Ok(year @ 0..=9999) => [year / 100, year % 100].into_iter().for_each(|half| push_two(text, half)),
        // No record has such a year, see [`super::NotCanonical::Moment`].
        _ => text.push_str(&t.year().to_string()),
    }
    push_two(text, u8::from(t.month()).into());
    push_two(text, t.day().into());
}

fn push_clock(text: &mut String, t: PrimitiveDateTime) {
    [t.hour(), t.minute(), t.second()].into_iter().for_each(|part| push_two(text, part.into()));
}

/// Two figures of a number below 100.
fn push_two(text: &mut String, number: u16) {
    for figure in [number / 10 % 10, number % 10] {
        text.push(char::from_digit(figure.into(), 10).unwrap_or('0'));
    }
}

/// The digits of a moment, whatever separates them.
#[must_use]
pub fn digits_of(moment: &str) -> String {
    moment.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_digest_in_another_spelling_is_another_text() {
        let text = sha256_hex(b"F1,T,01,1");
        assert!(is_sha256_hex(&text, b"F1,T,01,1"));
        assert!(!is_sha256_hex(&text, b"F1,T,01,2"));
        for other in
            [text.to_uppercase(), text[..62].to_owned(), format!("{text}0"), format!("{text}00"), text.replace('a', "g"), String::new()]
        {
            assert!(!is_sha256_hex(&other, b"F1,T,01,1"), "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_digest_is_compared_as_if_it_had_been_written(bytes: Vec<u8>, at in 0_usize..64, figure in "[0-9a-fA-F]") {
            let mut text = sha256_hex(&bytes);
            prop_assert!(is_sha256_hex(&text, &bytes));
            text.replace_range(at..=at, &figure);
            prop_assert_eq!(is_sha256_hex(&text, &bytes), text == sha256_hex(&bytes));
        }

        #[test]
        fn moments_are_written_as_the_format_says(seconds in -62_135_596_800_i64..253_402_300_800) {
            let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let t = PrimitiveDateTime::new(moment.date(), moment.time());
            let date = format!("{:04}{:02}{:02}", t.year(), u8::from(t.month()), t.day());
            let clock = format!("{:02}{:02}{:02}", t.hour(), t.minute(), t.second());
            prop_assert_eq!(utc_timestamp(moment), format!("{date}T{clock}Z"));
            prop_assert_eq!(local_timestamp(t), format!("{date}{clock}"));
        }
    }
}
