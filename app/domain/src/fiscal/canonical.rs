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

/// A moment on the clock of the restaurant: `YYYYMMDDHHMMSS`, in the signed text and in contents.
#[must_use]
pub fn local_timestamp(t: PrimitiveDateTime) -> String {
    format!("{:04}{:02}{:02}{:02}{:02}{:02}", t.year(), u8::from(t.month()), t.day(), t.hour(), t.minute(), t.second())
}

/// A moment in UTC: `YYYYMMDDTHHMMSSZ`.
#[must_use]
pub fn utc_timestamp(moment: OffsetDateTime) -> String {
    let t = moment.to_offset(UtcOffset::UTC);
    format!("{:04}{:02}{:02}T{:02}{:02}{:02}Z", t.year(), u8::from(t.month()), t.day(), t.hour(), t.minute(), t.second())
}

/// The digits of a moment, whatever separates them.
#[must_use]
pub fn digits_of(moment: &str) -> String {
    moment.chars().filter(char::is_ascii_digit).collect()
}
