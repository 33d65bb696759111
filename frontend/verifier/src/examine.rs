//! Everything at once, told so that a person can read it: the page's one call.

use crate::archive::{Archive, JUDGED, Keys, Unreadable, conclude};
use crate::demonstration::{Demonstration, Shown};
use domain::api::Flaw;
use domain::fiscal::{Anchor, Chain, ClosingContent, LongClosingContent, Record, RecordKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

/// Flaws and closings that are listed; all of them are counted.
const LISTED: usize = 1_000;

/// What to check, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The reader's own copy of the public key (PEM); without it the keys of the archive are taken at their word.
    pub public_key: Option<String>,
    /// What was kept elsewhere of each closing: the lines of an anchor file.
    pub anchors: Option<String>,
    /// Read it as if it had been changed.
    pub demonstration: Option<Demonstration>,
}

/// What the check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is wrong.
    Sound,
    /// Something was changed.
    Flawed,
    /// A key or a form is not known: nothing can be told.
    Undecided,
}

/// A public key by its digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The first 16 figures of the fingerprint.
    pub key_id: String,
    /// SHA-256 of the key, hexadecimal.
    pub fingerprint: String,
}

/// The keys that were trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySaid {
    /// The key that was trusted from the beginning: of the reader, or the first one in the archive that signed something.
    pub trusted: Option<Named>,
    /// It came with the archive: it proves nothing until its fingerprint is compared with one that was got elsewhere.
    pub from_archive: bool,
    /// Further keys in the archive.
    pub others: Vec<Named>,
}

/// What a chain has in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainFound {
    /// Which.
    pub chain: Chain,
    /// Number of its first record.
    pub first: i64,
    /// Of its last.
    pub last: i64,
    /// How many were read.
    pub records: u64,
    /// How many flaws name it.
    pub flaws: usize,
}

/// A closing and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosingFound {
    /// Of a day, a month, a year.
    pub kind: RecordKind,
    /// Its chain.
    pub chain: Chain,
    /// Its number in its chain.
    pub seq: i64,
    /// Its number among the closings of its kind.
    pub number: i64,
    /// `2026-02-14`, `2026-02`, `2026`.
    pub period: String,
    /// Tickets that it sums.
    pub tickets: u32,
    /// Gross, in cents.
    pub total: i64,
    /// VAT, in cents.
    pub vat: i64,
    /// Perpetual total, in cents.
    pub perpetual: i64,
    /// No flaw names it.
    pub sound: bool,
}

/// What was found in an archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Examined {
    /// In a word.
    pub verdict: Verdict,
    /// Records that were read.
    pub records: u64,
    /// The first thousand flaws.
    pub flaws: Vec<Flaw>,
    /// How many there are.
    pub flaw_count: usize,
    /// The first record that does not hold; without one, the first thing that does not.
    pub first_break: Option<Flaw>,
    /// Who sells.
    pub house: String,
    /// SIRET.
    pub siret: String,
    /// First and last service day.
    pub days: (String, String),
    /// First and last record, by number in the whole journal.
    pub span: (i64, i64),
    /// When it was made, on the clock of the restaurant.
    pub made_at_local: String,
    /// What made it.
    pub software: String,
    /// The archive says itself that the journal did not hold when it was made.
    pub said_flaws: Vec<String>,
    /// Whether it names an archive before it.
    pub has_previous: bool,
    /// The keys.
    pub keys: KeySaid,
    /// Chain by chain.
    pub chains: Vec<ChainFound>,
    /// The first thousand closings.
    pub closings: Vec<ClosingFound>,
    /// What was read as if it had been changed.
    pub shown: Option<Shown>,
}

/// Checks an archive and tells everything. `keys` makes what checks signatures out of the PEMs that are trusted; `fingerprint` names a key.
/// `progress` is told how much was read, from 0 to 1000.
///
/// # Errors
/// When nothing can be told: it is no archive, or cannot be read. [`Unreadable::Missing`] names a key or an anchor file that is none.
pub fn examine<F: Read + Seek, K: Keys>(
    file: F,
    asked: &Asked,
    keys: impl FnOnce(&[(String, String)]) -> K,
    fingerprint: impl Fn(&str) -> Option<String>,
    progress: &mut dyn FnMut(u32),
) -> Result<Examined, Unreadable> {
    let mut archive = Archive::open(file)?;
    let shown = match asked.demonstration {
        Some(wanted) => Some(archive.pretend(wanted)?.ok_or_else(|| Unreadable::Missing("ticket".to_owned()))?),
        None => None,
    };
    let anchors = match &asked.anchors {
        Some(text) => Anchor::read_all(text).map_err(|line| Unreadable::Missing(format!("anchor {line}")))?,
        None => Vec::new(),
    };
    let inside = archive.keys()?;
    let named = |pem: &str| fingerprint(pem).map(|fingerprint| Named { key_id: fingerprint.chars().take(16).collect(), fingerprint });
    let trusted = match &asked.public_key {
        Some(pem) => {
            let name = named(pem).ok_or_else(|| Unreadable::Missing("public key".to_owned()))?;
            vec![(name.key_id, pem.clone())]
        }
        None => inside.clone(),
    };
    let mut keys = keys(&trusted);
    let said = said_of_keys(asked, archive.manifest().key_id.as_str(), &trusted, &inside, named);

    let whole = archive.work().max(1);
    let mut read: u64 = 0;
    let mut told = 0;
    let mut advance = |bytes: u64| {
        read = read.saturating_add(bytes).min(whole);
        let now = u32::try_from(u128::from(read) * 1000 / u128::from(whole)).unwrap_or(1000);
        if now > told {
            told = now;
            progress(now);
        }
    };
    let files = archive.check_files(&mut keys, &mut advance)?;
    let manifest = archive.manifest().clone();
    let check = |key_id: &str, signed: &[u8], signature: &str| keys.check(key_id, signed, signature);
    let mut verifier = manifest.verifier(&check, anchors);
    let mut found = Found::default();
    let mut records = archive.records()?;
    let mut so_far = 0;
    while let Some(read) = records.next() {
        match read? {
            Ok(record) => {
                verifier.feed(&record);
                found.add(&record);
            }
            Err((number, why)) => verifier.feed_unreadable(number, &why),
        }
        advance((records.read() - so_far).saturating_mul(JUDGED));
        so_far = records.read();
    }
    let report = conclude(&manifest, files, verifier);
    Ok(found.told(report, &manifest, said, shown))
}

fn said_of_keys(
    asked: &Asked,
    signer: &str,
    trusted: &[(String, String)],
    inside: &[(String, String)],
    named: impl Fn(&str) -> Option<Named>,
) -> KeySaid {
    // Of several keys in the archive, the one that signed its manifest is the one that is printed on paper today.
    let first = trusted.iter().find(|(id, _)| id == signer).or_else(|| trusted.first());
    let first = first.and_then(|(_, pem)| named(pem));
    let others = inside.iter().filter_map(|(_, pem)| named(pem)).filter(|key| Some(key) != first.as_ref()).collect();
    KeySaid { trusted: first, from_archive: asked.public_key.is_none(), others }
}

#[derive(Default)]
struct Found {
    chains: BTreeMap<Chain, ChainFound>,
    closings: Vec<ClosingFound>,
}

impl Found {
    fn add(&mut self, record: &Record) {
        let chain = self.chains.entry(record.chain).or_insert(ChainFound {
            chain: record.chain,
            first: record.seq,
            last: record.seq,
            records: 0,
            flaws: 0,
        });
        chain.records += 1;
        chain.last = chain.last.max(record.seq);
        if self.closings.len() < LISTED
            && let Some(closing) = closing_of(record)
        {
            self.closings.push(closing);
        }
    }

    fn told(self, mut report: domain::api::VerifyReport, manifest: &crate::Manifest, keys: KeySaid, shown: Option<Shown>) -> Examined {
        let flawed: BTreeSet<(&str, i64)> = report.flaws.iter().map(|flaw| (flaw.chain.as_str(), flaw.seq)).collect();
        let mut by_chain = BTreeMap::<&str, usize>::new();
        for flaw in &report.flaws {
            *by_chain.entry(&flaw.chain).or_default() += 1;
        }
        let closings = self.closings.into_iter();
        let closings =
            closings.map(|closing| ClosingFound { sound: !flawed.contains(&(closing.chain.as_str(), closing.seq)), ..closing }).collect();
        let chains = self.chains.into_values();
        let chains = chains.map(|chain| ChainFound { flaws: by_chain.get(chain.chain.as_str()).copied().unwrap_or(0), ..chain }).collect();
        let first_break = report.flaws.iter().find(|flaw| flaw.seq > 0).or_else(|| report.flaws.first()).cloned();
        let flaw_count = report.flaws.len();
        report.flaws.truncate(LISTED);
        Examined {
            verdict: match (report.ok, report.inconclusive) {
                (true, false) => Verdict::Sound,
                (_, true) => Verdict::Undecided,
                (false, false) => Verdict::Flawed,
            },
            records: report.records,
            flaws: report.flaws,
            flaw_count,
            first_break,
            house: manifest.identity.name.clone(),
            siret: manifest.identity.siret.clone(),
            days: (manifest.from.clone(), manifest.to.clone()),
            span: (manifest.first_record, manifest.last_record),
            made_at_local: manifest.made_at_local.clone(),
            software: manifest.software.clone(),
            said_flaws: manifest.flaws.iter().take(LISTED).cloned().collect(),
            has_previous: manifest.previous.is_some(),
            keys,
            chains,
            closings,
            shown,
        }
    }
}

/// What a closing says; nothing for other records, and for a content that says nothing any more.
fn closing_of(record: &Record) -> Option<ClosingFound> {
    let (number, period, tickets, vat, perpetual) = match record.kind {
        RecordKind::ClosureZ => {
            let z: ClosingContent = serde_json::from_str(&record.content_text).ok()?;
            (z.z_number, z.service_day.to_string(), z.ticket_count, z.total_vat(), z.perpetual_total)
        }
        RecordKind::ClosureMonth | RecordKind::ClosureYear => {
            let z: LongClosingContent = serde_json::from_str(&record.content_text).ok()?;
            (z.number, z.period.clone(), z.ticket_count, z.total_vat(), z.perpetual_total)
        }
        _ => return None,
    };
    Some(ClosingFound {
        kind: record.kind,
        chain: record.chain,
        seq: record.seq,
        number,
        period,
        tickets,
        total: record.total.0,
        vat: vat.0,
        perpetual: perpetual.0,
        sound: true,
    })
}
