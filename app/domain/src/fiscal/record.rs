//! From a fact to a record: the text that is signed, and the record as it is stored.
//!
//! The signed text is rebuilt from the stored fields when the journal is verified, by the very function that made it. Nothing in it
//! depends on a setting, a language or a time zone of the machine.

use super::canonical::{SignedFields, is_canonical, link_to, sha256_hex, signed_fields, vat_field};
use super::{Chain, FORMAT, Fact, Head, RecordKind, jcs, local_timestamp};
use crate::{Cents, VatRate};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// Why a fact cannot be recorded. Always a mistake of the caller, never of a person at the till.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// A field of the signed text is empty or holds something else than `[A-Za-z0-9:|_.+-]`.
    #[error("{0:?} cannot be a field of the signed text")]
    Field(String),
    /// A number in the content that is not an integer below 2^53.
    #[error("{0} is not an integer that every reader holds exactly")]
    Number(String),
    /// A moment with a fraction of a second, or outside the years 1 to 9999: it could not be read back from the record.
    #[error("a moment is recorded to the second")]
    Moment,
    /// The content is not JSON.
    #[error("the content cannot be written: {0}")]
    Content(String),
}

/// A fact that is about to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The chain it joins.
    pub chain: Chain,
    /// The register, such as `01`.
    pub register: String,
    /// What it states.
    pub kind: RecordKind,
    /// The clock of the restaurant.
    pub local: PrimitiveDateTime,
    /// The same moment, to the second.
    pub utc: OffsetDateTime,
    /// Gross amount per rate, in any order.
    pub vat: Vec<(VatRate, Cents)>,
    /// Gross total.
    pub total: Cents,
    /// Fields of the type, see [`Fact::signed_fields`].
    pub extra: Vec<String>,
    /// Everything there is to know, integers only.
    pub content: serde_json::Value,
}

/// A fact with its number and its signed text. Whoever holds the key adds the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its number in its chain.
    pub seq: i64,
    /// The content as canonical JSON. Stored to the byte.
    pub content_text: String,
    /// SHA-256 of the content, hexadecimal.
    pub content_sha256: String,
    /// What is signed.
    pub data_to_sign: String,
    /// SHA-256 of what is signed, hexadecimal.
    pub hash: String,
    /// That of the record before; 64 zeros for the first.
    pub hash_previous: String,
}

impl Draft {
    /// A fact, as its content tells it.
    ///
    /// # Errors
    /// [`NotCanonical::Content`], which no content of this crate causes.
    pub fn of(content: &impl Fact, local: PrimitiveDateTime, utc: OffsetDateTime) -> Result<Self, NotCanonical> {
        Ok(Self {
            chain: content.chain(),
            register: content.register().to_owned(),
            kind: content.kind(),
            local,
            utc,
            vat: content.vat_by_rate(),
            total: content.total(),
            extra: content.signed_fields(),
            content: to_json(content)?,
        })
    }

    /// Numbers the fact after `head` and writes what is to be signed.
    ///
    /// # Errors
    /// See [`NotCanonical`].
    pub fn seal(&self, head: &Head) -> Result<Sealed, NotCanonical> {
        for field in self.extra.iter().chain([&self.register]) {
            if field.is_empty() || !is_canonical(field) {
                return Err(NotCanonical::Field(field.clone()));
            }
        }
        if !is_canonical(&head.last_signature) {
            return Err(NotCanonical::Field(head.last_signature.clone()));
        }
        let years = 1..=9999;
        if self.utc.nanosecond() != 0 || !years.contains(&self.utc.to_offset(UtcOffset::UTC).year()) || !years.contains(&self.local.year())
        {
            return Err(NotCanonical::Moment);
        }
        let content_text = jcs::canonical(&self.content)?;
        let content_sha256 = sha256_hex(content_text.as_bytes());
        let seq = head.last_seq + 1;
        let mut data_to_sign = signed_fields(&SignedFields {
            chain: self.chain,
            register: &self.register,
            seq,
            kind: self.kind,
            local: &local_timestamp(self.local),
            utc: self.utc,
            vat: &self.vat_text(),
            total: self.total,
            extra: &self.extra_text(),
            content_sha256: &content_sha256,
        });
        data_to_sign.push_str(&link_to(&head.last_signature));
        Ok(Sealed {
            seq,
            hash: sha256_hex(data_to_sign.as_bytes()),
            hash_previous: head.last_hash.clone(),
            content_text,
            content_sha256,
            data_to_sign,
        })
    }

    /// The record as it is stored. `id` and `master_seq` are 0 until the journal has given them.
    #[must_use]
    pub fn into_record(self, sealed: Sealed, signature: String, key_id: String, app_version: String) -> Record {
        Record {
            id: 0,
            master_seq: 0,
            vat: self.vat_text(),
            extra: self.extra_text(),
            local: local_timestamp(self.local),
            chain: self.chain,
            register: self.register,
            seq: sealed.seq,
            kind: self.kind,
            utc: self.utc,
            total: self.total,
            content_text: sealed.content_text,
            content_sha256: sealed.content_sha256,
            data_to_sign: sealed.data_to_sign,
            hash_current: sealed.hash,
            hash_previous: sealed.hash_previous,
            signature,
            key_id,
            format: FORMAT.to_owned(),
            app_version,
        }
    }

    /// The VAT field.
    #[must_use]
    pub fn vat_text(&self) -> String {
        vat_field(&self.vat)
    }

    /// The fields of the type, separated by commas; empty when there are none.
    #[must_use]
    pub fn extra_text(&self) -> String {
        self.extra.join(",")
    }
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its number in the journal.
    pub id: i64,
    /// Its number over all chains; the same as `id`.
    pub master_seq: i64,
    /// Its chain.
    pub chain: Chain,
    /// Its register.
    pub register: String,
    /// Its number in the chain, from 1.
    pub seq: i64,
    /// What it states.
    pub kind: RecordKind,
    /// The clock of the restaurant, `YYYYMMDDHHMMSS`.
    pub local: String,
    /// The same moment, to the second.
    #[serde(with = "time::serde::rfc3339")]
    pub utc: OffsetDateTime,
    /// Gross total.
    pub total: Cents,
    /// The VAT field as signed.
    pub vat: String,
    /// The fields of the type as signed, separated by commas.
    pub extra: String,
    /// The content, canonical JSON to the byte.
    pub content_text: String,
    /// Its SHA-256, hexadecimal.
    pub content_sha256: String,
    /// What was signed.
    pub data_to_sign: String,
    /// SHA-256 of what was signed, hexadecimal.
    pub hash_current: String,
    /// `hash_current` of the record before it in the chain; 64 zeros for the first.
    pub hash_previous: String,
    /// Base64url without padding.
    pub signature: String,
    /// The key that signed.
    pub key_id: String,
    /// The canonical form.
    pub format: String,
    /// The software that wrote it, as in its content.
    pub app_version: String,
}

impl Record {
    /// The signed text up to the digest of the content, rebuilt from the fields. `None` when a field is not one that could have been
    /// signed; a comma moved from one field into its neighbour would otherwise leave the text the same.
    pub(super) fn rebuilt_fields(&self) -> Option<String> {
        let extra_is_canonical = self.extra.is_empty() || self.extra.split(',').all(|field| !field.is_empty() && is_canonical(field));
        let canonical = [&self.register, &self.local, &self.vat, &self.content_sha256].into_iter().all(|field| is_canonical(field));
        (extra_is_canonical && canonical && self.utc.nanosecond() == 0).then(|| {
            signed_fields(&SignedFields {
                chain: self.chain,
                register: &self.register,
                seq: self.seq,
                kind: self.kind,
                local: &self.local,
                utc: self.utc,
                vat: &self.vat,
                total: self.total,
                extra: &self.extra,
                content_sha256: &self.content_sha256,
            })
        })
    }
}

fn to_json(content: &impl Serialize) -> Result<serde_json::Value, NotCanonical> {
    serde_json::to_value(content).map_err(|error| NotCanonical::Content(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    fn draft() -> Draft {
        Draft {
            chain: Chain::J,
            register: "01".to_owned(),
            kind: RecordKind::TechnicalEvent,
            local: datetime!(2026-02-14 21:30:45),
            utc: datetime!(2026-02-14 21:30:45 +1),
            vat: vec![(VatRate::STANDARD_20, Cents(2800)), (VatRate::REDUCED_5_5, Cents(0)), (VatRate::INTERMEDIATE_10, Cents(-2400))],
            total: Cents(400),
            extra: vec!["A1".to_owned(), "T:1-5".to_owned()],
            content: json!({"b": 1, "a": "é, \n"}),
        }
    }

    #[test]
    fn the_first_record_carries_no_signature_and_the_second_that_of_the_first() {
        let first = draft().seal(&Head::genesis()).unwrap();
        assert_eq!(first.content_text, r#"{"a":"é, \n","b":1}"#);
        let sha = &first.content_sha256;
        assert_eq!(first.data_to_sign, format!("F1,J,01,1,JET,20260214213045,20260214T203045Z,1000:-2400|2000:2800,400,A1,T:1-5,{sha},N,"));
        assert_eq!((first.seq, first.hash_previous), (1, "0".repeat(64)));
        let head = Head { last_seq: 1, last_signature: "s_-1".to_owned(), last_hash: first.hash.clone() };
        let second = draft().seal(&head).unwrap();
        assert!(second.data_to_sign.starts_with("F1,J,01,2,JET,") && second.data_to_sign.ends_with(",O,s_-1"));
        assert_eq!((second.seq, &second.hash_previous), (2, &first.hash));
    }

    #[test]
    fn nothing_outside_the_alphabet_is_ever_signed() {
        for junk in ["", "a,b", "é", " ", "a\n", "\"", "=", "/"] {
            let refused = Err(NotCanonical::Field(junk.to_owned()));
            assert_eq!(Draft { register: junk.to_owned(), ..draft() }.seal(&Head::genesis()), refused);
            assert_eq!(Draft { extra: vec![junk.to_owned()], ..draft() }.seal(&Head::genesis()), refused);
            if !junk.is_empty() {
                assert_eq!(draft().seal(&Head { last_signature: junk.to_owned(), ..Head::genesis() }), refused);
            }
        }
        let fraction = Draft { utc: datetime!(2026-02-14 20:30:45.5 UTC), ..draft() };
        assert_eq!(fraction.seal(&Head::genesis()), Err(NotCanonical::Moment));
        let float = Draft { content: json!({"amount": 25.5}), ..draft() };
        assert_eq!(float.seal(&Head::genesis()), Err(NotCanonical::Number("25.5".to_owned())));
    }

    #[test]
    fn a_comma_that_moves_between_two_fields_is_not_the_same_record() {
        let sealed = draft().seal(&Head::genesis()).unwrap();
        let record = draft().into_record(sealed, "s".to_owned(), "k".to_owned(), "v".to_owned());
        assert!(record.rebuilt_fields().is_some_and(|text| record.data_to_sign.starts_with(&text)));
        let moved = Record { vat: format!("{},{}", record.vat, record.total.0), ..record };
        assert_eq!(moved.rebuilt_fields(), None);
    }
}
