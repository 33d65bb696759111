//! Reads a journal from its beginning and names everything that does not hold.
//!
//! Three rules make the list useful to the person who has to answer for it. Nothing stops the reading: every flaw is listed, not the
//! first. After a flaw the next record is compared with what is *stored*, so that one altered record does not redden all that follow.
//! And what cannot be judged (a key or a format that this version does not know) is said to be undecided, never to be a fraud.
//!
//! Memory does not grow with the journal: one head per chain, and the sums of the tickets that no closing has covered yet.

mod content;
mod flaw;
mod judged;
mod period;

pub use flaw::FlawCode;
pub use judged::Judged;

use super::canonical::links_to;
use super::{Anchor, Chain, ChainEnd, Counted, EventCode, FORMAT, Head, Record, RecordKind};
use crate::api::{Flaw, VerifyReport};
use content::{Found, Prints};
use judged::Said;
use period::Period;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
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
    flaws: Vec<Flaw>,
    /// Nothing in `flaws` proves an alteration.
    only_undecided: bool,
    anchors: BTreeMap<i64, Anchor>,
    state: Checkpoint,
}

/// Where a verification stands: what it has to know of the records that it read to judge those that follow. Kept by whoever verified, it spares
/// reading them again; it vouches for them, so it is worth what the place is worth where it is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    records: u64,
    /// The reading began in the middle, at this number.
    began_at: Option<i64>,
    /// Number of the last record.
    master: i64,
    /// SHA-256 of its signed text.
    last_hash: String,
    #[serde(with = "time::serde::rfc3339::option")]
    clock: Option<OffsetDateTime>,
    #[serde(with = "pairs")]
    heads: BTreeMap<(String, Chain), Head>,
    #[serde(with = "pairs")]
    periods: BTreeMap<(String, bool), Period>,
    #[serde(with = "pairs")]
    prints: BTreeMap<(String, bool), Prints>,
    /// Ends of chains that a closing remembers otherwise, and that were named.
    doubted_ends: BTreeSet<(Chain, i64)>,
    /// Newest version of a content of each chain.
    #[serde(with = "pairs")]
    versions: BTreeMap<(String, Chain), u16>,
    /// The key that signs, by register.
    keys: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Number and hash of the last record that was read. The journal must still hold it before the reading goes on from here.
    #[must_use]
    pub fn last(&self) -> (i64, &str) {
        (self.master, &self.last_hash)
    }

    /// The last number of every chain that was read, with its register.
    pub fn ends(&self) -> impl Iterator<Item = (&str, Chain, i64)> {
        self.heads.iter().map(|((register, chain), head)| (register.as_str(), *chain, head.last_seq))
    }
}

/// What is kept of a register's chain, of which there are few.
fn find<'m, K: PartialEq, V>(map: &'m mut BTreeMap<(String, K), V>, register: &str, key: K) -> Option<&'m mut V> {
    map.iter_mut().find(|((of, its), _)| *its == key && of == register).map(|(_, value)| value)
}

/// JSON has no maps whose keys are pairs.
mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<S: Serializer, K: Serialize, V: Serialize>(map: &BTreeMap<K, V>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>, K: Deserialize<'de> + Ord, V: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl<'a> Verifier<'a> {
    /// Before the first record.
    #[must_use]
    pub fn new(check: &'a CheckSignature<'a>) -> Self {
        Self::going_on(check, Checkpoint::default())
    }

    /// After the records that were read before.
    #[must_use]
    pub fn going_on(check: &'a CheckSignature<'a>, state: Checkpoint) -> Self {
        Self { check, flaws: Vec::new(), only_undecided: true, anchors: BTreeMap::new(), state }
    }

    /// Before a record in the middle, such as the first of an archive or the last thousand of a journal. What depends on earlier ones (the link of
    /// the first record of each chain, the perpetual totals before the first closing) is taken as it is said.
    #[must_use]
    pub fn from_the_middle(check: &'a CheckSignature<'a>, first: i64) -> Self {
        Self::going_on(check, Checkpoint { began_at: Some(first), master: first.saturating_sub(1), ..Checkpoint::default() })
    }

    /// Compares with what was kept elsewhere, too.
    #[must_use]
    pub fn with_anchors(mut self, anchors: impl IntoIterator<Item = Anchor>) -> Self {
        let from = self.state.master;
        self.anchors = anchors.into_iter().map(|anchor| (anchor.record, anchor)).filter(|(record, _)| *record > from).collect();
        self
    }

    /// How many flaws were found so far.
    #[must_use]
    pub fn flaws(&self) -> usize {
        self.flaws.len()
    }

    /// Where the verification stands.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        self.state.clone()
    }

    /// The next record.
    pub fn feed(&mut self, record: &Record) {
        let signature = (self.check)(&record.key_id, record.data_to_sign.as_bytes(), &record.signature);
        self.feed_judged(record, Judged::of(record, signature));
    }

    /// The next record, of which everything was judged already that needs no other record: what takes time, and needs no order.
    pub fn feed_judged(&mut self, record: &Record, judged: Judged) {
        let Judged { signature, intact, said, version, hash_holds, fields_hold, found } = judged;
        self.state.records += 1;
        self.follow_master(record.master_seq);
        if record.id != record.master_seq {
            self.flaw(
                record,
                FlawCode::IdDiffers,
                format!("L'enregistrement {} porte le numéro général {}.", record.id, record.master_seq),
            );
        }
        self.follow_clock(record, said.as_ref());
        let previous = self.follow_chain(record);
        if self.is_readable(record) {
            self.check_text(record, hash_holds, fields_hold, previous.as_ref());
        }
        self.check_signature(record, signature);
        let announces = match &said {
            _ if !intact || signature != SignatureCheck::Valid => None,
            None => None,
            Some(Said::Event { code: EventCode::KeyRotated, new_key }) => Some(new_key.clone()),
            Some(_) => Some(None),
        };
        self.check_content(record, said, version, intact, found);
        self.follow_key(record, announces);
        if let Some(anchor) = self.anchors.remove(&record.master_seq).filter(|anchor| !anchor.holds(record)) {
            let detail = format!("L'ancre du {} garde un autre enregistrement.", anchor.local);
            self.note(anchor.chain.as_str(), anchor.seq, FlawCode::AnchorDiffers, detail);
        }
        self.state.last_hash.clone_from(&record.hash_current);
    }

    /// The next record, when its row cannot even be read as a [`Record`]: a chain or a type that nobody knows.
    pub fn feed_unreadable(&mut self, master_seq: i64, why: &str) {
        self.state.records += 1;
        self.anchors.remove(&master_seq);
        self.follow_master(master_seq);
        self.note(MASTER, master_seq, FlawCode::UnreadableRecord, format!("L'enregistrement {master_seq} est illisible : {why}."));
    }

    /// After the last record. `heads` and `master_head` are what the journal believes its last records to be, kept apart from the
    /// records themselves; an archive has none, and then nothing can be said about its tail. Read them before the records: selling goes
    /// on meanwhile, and records after a head are those of the minute, not a flaw.
    #[must_use]
    pub fn finish(mut self, heads: &[(String, Chain, Head)], master_head: Option<i64>) -> VerifyReport {
        let seen = std::mem::take(&mut self.state.heads);
        for (register, chain, expected) in heads {
            let genesis = Head::genesis();
            let last = match seen.get(&(register.clone(), *chain)) {
                Some(last) => last,
                // Its last record stands before the one that the reading began at: of its end nothing is known here.
                None if self.state.began_at.is_some() => continue,
                None => &genesis,
            };
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
            && self.state.master < expected
        {
            let first = self.state.master.saturating_add(1);
            let detail = format!("Fin de journal perdue : l'enregistrement {first} était attendu, jusqu'au {expected}.");
            self.note(MASTER, first, FlawCode::LostTail, detail);
        }
        for anchor in std::mem::take(&mut self.anchors).into_values() {
            let detail = format!("L'ancre du {} garde l'enregistrement {}, que le journal n'a pas.", anchor.local, anchor.record);
            self.note(anchor.chain.as_str(), anchor.seq, FlawCode::AnchorDiffers, detail);
        }
        VerifyReport {
            ok: self.flaws.is_empty(),
            records: self.state.records,
            inconclusive: !self.flaws.is_empty() && self.only_undecided,
            flaws: self.flaws,
        }
    }

    fn follow_master(&mut self, number: i64) {
        let expected = self.state.master.saturating_add(1);
        if number > expected {
            let detail = match number.saturating_sub(expected) {
                1 => format!("L'enregistrement {expected} du journal manque."),
                _ => format!("Les enregistrements {expected} à {} du journal manquent.", number - 1),
            };
            self.note(MASTER, expected, FlawCode::MasterGap, detail);
        } else if number < expected {
            self.note(MASTER, number, FlawCode::OutOfOrder, format!("L'enregistrement {number} vient après le {}.", self.state.master));
        }
        self.state.master = number;
    }

    /// A clock that goes back is said by a technical event, the first record after it.
    fn follow_clock(&mut self, record: &Record, said: Option<&Said>) {
        let is_said = matches!(said, Some(Said::Event { code: EventCode::ClockWentBack, .. }));
        if let Some(before) = self.state.clock.replace(record.utc)
            && before - record.utc > CLOCK_TOLERANCE
            && !is_said
        {
            let minutes = (before - record.utc).whole_minutes();
            self.flaw(
                record,
                FlawCode::ClockBackwards,
                format!("L'heure recule de {minutes} min par rapport à l'enregistrement précédent."),
            );
        }
    }

    /// One key signs, until a record that it signed names the next one. `announces` is the key that a record names whose signature, digest and
    /// content hold.
    fn follow_key(&mut self, record: &Record, announces: Option<Option<String>>) {
        let Some(next) = announces else { return };
        let Some(current) = self.state.keys.get_mut(&record.register) else {
            self.state.keys.insert(record.register.clone(), next.unwrap_or_else(|| record.key_id.clone()));
            return;
        };
        if *current != record.key_id {
            return self.flaw(record, FlawCode::KeyNotAnnounced, format!("La clé {} signe sans avoir été annoncée.", record.key_id));
        }
        if let Some(next) = next {
            *current = next;
        }
    }

    /// Moves on in the chain, and returns the record before this one unless it is missing.
    fn follow_chain(&mut self, record: &Record) -> Option<Head> {
        let this = Head { last_seq: record.seq, last_signature: record.signature.clone(), last_hash: record.hash_current.clone() };
        let before = match find(&mut self.state.heads, &record.register, record.chain) {
            Some(head) => Some(std::mem::replace(head, this)),
            None => self.state.heads.insert((record.register.clone(), record.chain), this),
        };
        if before.is_none() && self.state.began_at.is_some() {
            return None;
        }
        let previous = before.unwrap_or_else(Head::genesis);
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
    fn check_text(&mut self, record: &Record, hash_holds: bool, fields_hold: bool, previous: Option<&Head>) {
        if !hash_holds {
            self.flaw(record, FlawCode::HashDiffers, "L'empreinte n'est pas celle du texte signé.".to_owned());
        }
        if !fields_hold {
            self.flaw(record, FlawCode::SignedTextDiffers, "Le texte signé n'est pas celui des champs enregistrés.".to_owned());
        }
        let (_, link) = judged::parts(&record.data_to_sign);
        let Some(previous) = previous else { return };
        if !links_to(link, &previous.last_signature) {
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

    fn check_signature(&mut self, record: &Record, signature: SignatureCheck) {
        match signature {
            SignatureCheck::Valid => {}
            SignatureCheck::Invalid => self.flaw(record, FlawCode::SignatureInvalid, "La signature n'est pas valable.".to_owned()),
            SignatureCheck::UnknownKey => {
                self.flaw(record, FlawCode::UnknownKey, format!("La clé {} n'est pas connue : signature non vérifiable.", record.key_id));
            }
        }
    }

    fn check_content(&mut self, record: &Record, said: Option<Said>, version: Option<u16>, intact: bool, mut found: Found) {
        if intact {
            self.follow_version(record, version, &mut found);
        } else {
            self.flaw(record, FlawCode::ContentDigestDiffers, "Le contenu ne correspond pas à son empreinte.".to_owned());
        }
        self.follow_period(record, said, intact, &mut found);
        for (code, detail) in found {
            self.flaw(record, code, detail);
        }
    }

    /// Whoever can write an older form could leave out what the newer one signs.
    fn follow_version(&mut self, record: &Record, version: Option<u16>, found: &mut Found) {
        let Some(version) = version else { return };
        let Some(newest) = find(&mut self.state.versions, &record.register, record.chain) else {
            self.state.versions.insert((record.register.clone(), record.chain), version);
            return;
        };
        if version < *newest {
            found.push((FlawCode::VersionWentBack, format!("Contenu de version {version} après un contenu de version {newest}.")));
        }
        *newest = version.max(*newest);
    }

    /// What this record adds to its day, or what it closes.
    fn follow_period(&mut self, record: &Record, said: Option<Said>, intact: bool, found: &mut Found) {
        let is_training = record.chain == Chain::X;
        let began_at = self.state.began_at;
        match &said {
            Some(Said::Print(print)) if intact => {
                self.state
                    .prints
                    .entry((record.register.clone(), is_training))
                    .or_insert_with(|| Prints::beginning(began_at.is_some()))
                    .follow(print, found);
            }
            Some(Said::Closing(closing)) if intact => {
                let heads = &self.state.heads;
                let ends = closing.detail.as_ref().map_or(&[][..], |detail| &detail.chains);
                let known = |end: &&ChainEnd| began_at.is_none() || heads.contains_key(&(record.register.clone(), end.chain));
                let last = |end: &ChainEnd| {
                    heads.get(&(record.register.clone(), end.chain)).map(|head| (head.last_seq, head.last_signature.clone()))
                };
                content::check_chain_ends(ends.iter().filter(known), last, &mut self.state.doubted_ends, found);
            }
            _ => {}
        }
        // Known nearly always; an entry would take a name of its own for each record.
        if find(&mut self.state.periods, &record.register, is_training).is_none() {
            self.state.periods.insert((record.register.clone(), is_training), Period::beginning(began_at));
        }
        let Some(period) = find(&mut self.state.periods, &record.register, is_training) else { return };
        match (said, record.kind) {
            (said, RecordKind::Sale | RecordKind::Refund) => {
                period.passed_ticket(record.seq);
                if let Some(Said::Ticket(adds)) = said {
                    period.counted(record, Some(record.seq), adds);
                }
            }
            (Some(Said::Money(adds)), _) => period.counted(record, None, adds),
            (Some(Said::Note), _) => period.counted(record, None, Counted::Note),
            (Some(Said::Print(_)), RecordKind::Duplicate) => period.counted(record, None, Counted::Duplicate),
            (Some(Said::Closing(closing)), _) if intact => period.closed(&closing, found),
            (_, RecordKind::ClosureZ) => period.closed_by_fields(record),
            (Some(Said::LongClosing(closing)), _) if intact => period.long_closed(&closing, found),
            (_, RecordKind::ClosureMonth | RecordKind::ClosureYear) => period.long_closed_by_fields(record),
            _ => {}
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
