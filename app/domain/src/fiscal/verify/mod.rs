//! Reads a journal from its beginning and names everything that does not hold.
//!
//! Three rules make the list useful to the person who has to answer for it. Nothing stops the reading: every flaw is listed, not the
//! first. After a flaw the next record is compared with what is *stored*, so that one altered record does not redden all that follow.
//! And what cannot be judged (a key or a format that this version does not know) is said to be undecided, never to be a fraud.
//!
//! Memory does not grow with the journal: one head per chain, and the sums of the tickets that no closing has covered yet.

mod closings;
mod flaw;

pub use flaw::FlawCode;

use super::canonical::{link_to, sha256_hex};
use super::{Chain, FORMAT, Head, Record, RecordKind};
use crate::api::{Flaw, VerifyReport};
use closings::Period;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// How far a clock may step back without a word: what setting it by the network does.
const CLOCK_TOLERANCE: Duration = Duration::minutes(5);

/// The chain that flaws of the numbering over all chains are listed under.
const MASTER: &str = "*";

/// What the holder of the public keys says of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureCheck {
    /// Made by that key over that text.
    Valid,
    /// Not made by that key over that text.
    Invalid,
    /// The key is not at hand.
    UnknownKey,
}

/// Tells whether `signature` (base64url without padding) over `signed` was made by the key `key_id`: `(key_id, signed, signature)`.
pub type CheckSignature<'c> = dyn Fn(&str, &[u8], &str) -> SignatureCheck + Sync + 'c;

/// A verification under way. Feed every record of the journal in the order of `master_seq`, then [`Self::finish`].
pub struct Verifier<'a> {
    check: &'a CheckSignature<'a>,
    records: u64,
    flaws: Vec<Flaw>,
    /// Nothing in `flaws` proves an alteration.
    only_undecided: bool,
    master: i64,
    clock: Option<OffsetDateTime>,
    heads: BTreeMap<(String, Chain), Head>,
    periods: BTreeMap<(String, bool), Period>,
}

impl<'a> Verifier<'a> {
    /// Before the first record.
    #[must_use]
    pub fn new(check: &'a CheckSignature<'a>) -> Self {
        Self {
            check,
            records: 0,
            flaws: Vec::new(),
            only_undecided: true,
            master: 0,
            clock: None,
            heads: BTreeMap::new(),
            periods: BTreeMap::new(),
        }
    }

    /// The next record.
    pub fn feed(&mut self, record: &Record) {
        self.records += 1;
        self.follow_master(record.master_seq);
        if record.id != record.master_seq {
            self.flaw(
                record,
                FlawCode::IdDiffers,
                format!("L'enregistrement {} porte le numéro général {}.", record.id, record.master_seq),
            );
        }
        self.follow_clock(record);
        let previous = self.follow_chain(record);
        if self.is_readable(record) {
            self.check_text(record, previous.as_ref());
        }
        self.check_signature(record);
        self.check_content(record);
    }

    /// The next record, when its row cannot even be read as a [`Record`]: a chain or a type that nobody knows.
    pub fn feed_unreadable(&mut self, master_seq: i64, why: &str) {
        self.records += 1;
        self.follow_master(master_seq);
        self.note(MASTER, master_seq, FlawCode::UnreadableRecord, format!("L'enregistrement {master_seq} est illisible : {why}."));
    }

    /// After the last record. `heads` and `master_head` are what the journal believes its last records to be, kept apart from the
    /// records themselves; an archive has none, and then nothing can be said about its tail. Read them before the records: selling goes
    /// on meanwhile, and records after a head are those of the minute, not a flaw.
    #[must_use]
    pub fn finish(mut self, heads: &[(String, Chain, Head)], master_head: Option<i64>) -> VerifyReport {
        let seen = std::mem::take(&mut self.heads);
        for (register, chain, expected) in heads {
            let genesis = Head::genesis();
            let last = seen.get(&(register.clone(), *chain)).unwrap_or(&genesis);
            if last.last_seq < expected.last_seq {
                let (first, to) = (last.last_seq.saturating_add(1), expected.last_seq);
                self.note(
                    chain.as_str(),
                    first,
                    FlawCode::LostTail,
                    format!("Fin de chaîne perdue : le n° {first} était attendu, jusqu'au n° {to}."),
                );
            } else if last.last_seq == expected.last_seq && last != expected && *last != genesis {
                let detail = format!("Le n° {} n'est pas le dernier enregistrement que le journal a retenu.", last.last_seq);
                self.note(chain.as_str(), last.last_seq, FlawCode::HeadDiffers, detail);
            }
        }
        if let Some(expected) = master_head
            && self.master < expected
        {
            let first = self.master.saturating_add(1);
            let detail = format!("Fin de journal perdue : l'enregistrement {first} était attendu, jusqu'au {expected}.");
            self.note(MASTER, first, FlawCode::LostTail, detail);
        }
        VerifyReport {
            ok: self.flaws.is_empty(),
            records: self.records,
            inconclusive: !self.flaws.is_empty() && self.only_undecided,
            flaws: self.flaws,
        }
    }

    fn follow_master(&mut self, number: i64) {
        let expected = self.master.saturating_add(1);
        if number > expected {
            let detail = match number.saturating_sub(expected) {
                1 => format!("L'enregistrement {expected} du journal manque."),
                _ => format!("Les enregistrements {expected} à {} du journal manquent.", number - 1),
            };
            self.note(MASTER, expected, FlawCode::MasterGap, detail);
        } else if number < expected {
            self.note(MASTER, number, FlawCode::OutOfOrder, format!("L'enregistrement {number} vient après le {}.", self.master));
        }
        self.master = number;
    }

    fn follow_clock(&mut self, record: &Record) {
        if let Some(before) = self.clock.replace(record.utc)
            && before - record.utc > CLOCK_TOLERANCE
        {
            let minutes = (before - record.utc).whole_minutes();
            self.flaw(
                record,
                FlawCode::ClockBackwards,
                format!("L'heure recule de {minutes} min par rapport à l'enregistrement précédent."),
            );
        }
    }

    /// Moves on in the chain, and returns the record before this one unless it is missing.
    fn follow_chain(&mut self, record: &Record) -> Option<Head> {
        let this = Head { last_seq: record.seq, last_signature: record.signature.clone(), last_hash: record.hash_current.clone() };
        let previous = self.heads.insert((record.register.clone(), record.chain), this).unwrap_or_else(Head::genesis);
        let expected = previous.last_seq.saturating_add(1);
        if record.seq > expected {
            let detail = match record.seq.saturating_sub(expected) {
                1 => format!("Le n° {expected} manque."),
                _ => format!("Les n° {expected} à {} manquent.", record.seq - 1),
            };
            self.note(record.chain.as_str(), expected, FlawCode::SeqGap, detail);
            return None;
        }
        if record.seq < expected {
            self.flaw(record, FlawCode::OutOfOrder, format!("Le n° {} vient après le n° {}.", record.seq, previous.last_seq));
        }
        Some(previous)
    }

    /// Whether this version knows the form of the record. A format that does not match the signed text is no unknown format.
    fn is_readable(&mut self, record: &Record) -> bool {
        let signed_format = record.data_to_sign.split(',').next().unwrap_or_default();
        if record.format == FORMAT {
            return true;
        }
        if record.format == signed_format {
            self.flaw(record, FlawCode::UnknownFormat, format!("Format {} inconnu de cette version.", record.format));
            return false;
        }
        let detail = format!("Le format {} n'est pas celui du texte signé ({signed_format}).", record.format);
        self.flaw(record, FlawCode::SignedTextDiffers, detail);
        true
    }

    /// The signed text is that of the fields, its hash is its own, and it names the record before it.
    fn check_text(&mut self, record: &Record, previous: Option<&Head>) {
        if sha256_hex(record.data_to_sign.as_bytes()) != record.hash_current {
            self.flaw(record, FlawCode::HashDiffers, "L'empreinte n'est pas celle du texte signé.".to_owned());
        }
        let text = record.data_to_sign.as_str();
        let link_at = text.rmatch_indices(',').nth(1).map_or(text.len(), |(at, _)| at);
        let (fields, link) = text.split_at(link_at);
        if record.rebuilt_fields().as_deref() != Some(fields) {
            self.flaw(record, FlawCode::SignedTextDiffers, "Le texte signé n'est pas celui des champs enregistrés.".to_owned());
        }
        let Some(previous) = previous else { return };
        if link != link_to(&previous.last_signature) {
            self.flaw(
                record,
                FlawCode::PreviousSignatureDiffers,
                "La signature reportée n'est pas celle de l'enregistrement précédent.".to_owned(),
            );
        }
        if record.hash_previous != previous.last_hash {
            self.flaw(
                record,
                FlawCode::PreviousHashDiffers,
                "L'empreinte précédente n'est pas celle de l'enregistrement précédent.".to_owned(),
            );
        }
    }

    fn check_signature(&mut self, record: &Record) {
        match (self.check)(&record.key_id, record.data_to_sign.as_bytes(), &record.signature) {
            SignatureCheck::Valid => {}
            SignatureCheck::Invalid => self.flaw(record, FlawCode::SignatureInvalid, "La signature n'est pas valable.".to_owned()),
            SignatureCheck::UnknownKey => {
                self.flaw(record, FlawCode::UnknownKey, format!("La clé {} n'est pas connue : signature non vérifiable.", record.key_id));
            }
        }
    }

    fn check_content(&mut self, record: &Record) {
        let intact = sha256_hex(record.content_text.as_bytes()) == record.content_sha256;
        if !intact {
            self.flaw(record, FlawCode::ContentDigestDiffers, "Le contenu ne correspond pas à son empreinte.".to_owned());
        }
        let mut found = Vec::new();
        match record.kind {
            RecordKind::Sale | RecordKind::ClosureZ => {
                let training = record.chain == Chain::X;
                let period = self.periods.entry((record.register.clone(), training)).or_default();
                if record.kind == RecordKind::Sale {
                    period.sold(record, intact, &mut found);
                } else {
                    period.closed(record, intact, &mut found);
                }
            }
            RecordKind::Duplicate | RecordKind::TechnicalEvent => {}
        }
        if intact {
            closings::check_software(record, &mut found);
        }
        for (code, detail) in found {
            self.flaw(record, code, detail);
        }
    }

    fn flaw(&mut self, record: &Record, code: FlawCode, detail: String) {
        self.note(record.chain.as_str(), record.seq, code, detail);
    }

    fn note(&mut self, chain: &str, seq: i64, code: FlawCode, detail: String) {
        self.only_undecided &= code.is_undecided();
        self.flaws.push(Flaw { chain: chain.to_owned(), seq, code: code.as_str().to_owned(), detail });
    }
}
