//! The till checks itself: at the start, every hour, every day. A flaw is signed into the journal (technical event 90) and shown on every screen.
//!
//! Selling goes on, and so does closing: a flaw in what was written must not keep what happens now from being written. That is said loudly instead
//! (the reference suggests refusing the closing; a day that cannot be closed would be a second wrong).

use super::verifying::{SCHEMA_DIFFERS, verify_house};
use super::{anchoring, recording};
use crate::adapters::signer::Checker;
use crate::db;
use crate::db::guards::{CHECK_FAILED, is_of_guards};
use crate::error::{Error, Result};
use crate::state::{House, REGISTER};
use domain::api::Flaw;
use domain::fiscal::{Chain, EventCode, EventContent, FlawCode, Judged, Record, sha256_hex};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use verifier::Keys as _;

/// How many of the last records the hourly check reads.
pub const RECENT: i64 = 1_000;
/// How many flaws a technical event names.
const NAMED: usize = 20;

/// What the last checks found wrong: the one of the whole and, since then, the last one of what is recent. Only the whole can tell that an older record
/// is as it was again.
#[derive(Default)]
pub struct Integrity(Mutex<Found>);

#[derive(Default)]
struct Found {
    whole: Vec<Flaw>,
    recent: Vec<Flaw>,
    /// The last check that did not work to its end.
    failed: Option<(Depth, Flaw)>,
}

impl Integrity {
    /// The flaws, each once; none: sound, or not checked yet.
    #[must_use]
    pub fn flaws(&self) -> Vec<Flaw> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = BTreeSet::new();
        found
            .whole
            .iter()
            .chain(&found.recent)
            .chain(found.failed.as_ref().map(|(_, flaw)| flaw))
            .filter(|flaw| seen.insert(name(flaw)))
            .cloned()
            .collect()
    }

    /// Whether something does not hold.
    #[must_use]
    pub fn is_flawed(&self) -> bool {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !found.whole.is_empty() || !found.recent.is_empty() || found.failed.is_some()
    }

    fn set(&self, depth: Depth, flaws: Vec<Flaw>) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match depth {
            Depth::Whole => *found = Found { whole: flaws, ..Found::default() },
            Depth::Recent(_) => {
                // Every check looks at the guards, and only the whole one at a record that is not recent any more.
                found.whole.retain(|flaw| !is_of_guards(flaw));
                let seen: BTreeSet<String> = flaws.iter().map(name).collect();
                let earlier = std::mem::replace(&mut found.recent, flaws);
                found.recent.extend(earlier.into_iter().filter(|flaw| flaw.seq > 0 && !seen.contains(&name(flaw))));
                found.failed.take_if(|(failed, _)| *failed != Depth::Whole);
            }
        }
    }

    fn failed(&self, depth: Depth, flaw: Flaw) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if found.failed.as_ref().is_none_or(|(failed, _)| *failed != Depth::Whole) {
            found.failed = Some((depth, flaw));
        }
    }
}

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every record.
    Whole,
    /// So many of the last, and everything that guards the journal.
    Recent(i64),
}

/// Checks the journal, its guards and its anchors. Returns how many flaws are known; what could not be judged is none.
///
/// # Errors
/// When the database does not answer, or the check fails otherwise: then the screens say that nothing was checked.
pub async fn check(house: &House, depth: Depth) -> Result<usize> {
    match find(house, depth).await {
        Ok((flaws, restored)) => {
            // On the screens first: where nothing can be written into the journal any more, that much is said.
            house.integrity.set(depth, flaws);
            let known = house.integrity.flaws();
            if !known.is_empty() {
                say(house, &known, restored).await?;
            }
            Ok(known.len())
        }
        Err(error) => {
            // A database that is away will be asked again. Anything else keeps the journal from being checked, which nobody must have to read in a log.
            if !matches!(error, Error::DatabaseDown(_)) {
                let detail = "Le journal n'a pas pu être contrôlé : voyez le journal du programme.".to_owned();
                house.integrity.failed(depth, Flaw { chain: "*".to_owned(), seq: 0, code: CHECK_FAILED.to_owned(), detail });
            }
            Err(error)
        }
    }
}

/// What is wrong now, and whether an older copy of the database was put in place.
async fn find(house: &House, depth: Depth) -> Result<(Vec<Flaw>, bool)> {
    // Without a journal there is no end, which is said below.
    let end = match db::journal::end(&house.db, REGISTER, Chain::T).await {
        Ok(end) => end.record,
        Err(error) if error.is_unreadable_data() => i64::MAX,
        Err(error) => return Err(error),
    };
    let restored = anchoring::read(house).0.iter().any(|anchor| anchor.record > end);
    let from = match depth {
        Depth::Whole => None,
        Depth::Recent(records) => Some(end.saturating_sub(records - 1).max(1)),
    };
    let report = verify_house(house, from).await?;
    // What a later version wrote is no fraud. But in its own journal the till knows every key: one that is missing was taken away, so that nobody can
    // check what it signed. Said once, not for each record: the event that says it is signed by that key too.
    let undecided = [FlawCode::UnknownKey, FlawCode::UnknownFormat, FlawCode::UnknownContent].map(FlawCode::as_str);
    let mut flaws = report.flaws;
    let keyless = flaws.iter().any(|flaw| flaw.code == FlawCode::UnknownKey.as_str());
    flaws.retain(|flaw| !undecided.contains(&flaw.code.as_str()));
    if keyless {
        let detail =
            "Une clé qui a signé des enregistrements n'est plus dans fiscal_keys : leurs signatures ne se vérifient plus.".to_owned();
        flaws.push(Flaw { chain: "*".to_owned(), seq: 0, code: "key_missing".to_owned(), detail });
    }
    Ok((flaws, restored))
}

/// Whether they show that something does not hold, and not only that something could not be checked.
#[must_use]
pub fn prove_something(flaws: &[Flaw]) -> bool {
    !flaws.iter().all(is_no_finding)
}

/// A check that did not work proves nothing of the journal.
fn is_no_finding(flaw: &Flaw) -> bool {
    [CHECK_FAILED, SCHEMA_DIFFERS].contains(&flaw.code.as_str())
}

fn name(flaw: &Flaw) -> String {
    format!("{} {} {}", flaw.chain, flaw.seq, flaw.code)
}

/// Signs what was found into the journal, once: the same flaws are not said again, by this process or another.
async fn say(house: &House, flaws: &[Flaw], restored: bool) -> Result<()> {
    let names: BTreeSet<String> = flaws.iter().filter(|flaw| !is_no_finding(flaw)).map(name).collect();
    if names.is_empty() {
        return Ok(());
    }
    let digest = sha256_hex(names.iter().cloned().collect::<Vec<_>>().join("\n").as_bytes());
    let mut tx = house.db.begin().await?;
    // Two processes that find the same at once: the second sees what the first wrote.
    super::journal::lock(house, &mut tx, Chain::J).await?;
    let last = db::journal::last_event(&mut tx, REGISTER, "integrity_flaw").await?;
    // An event that somebody made up says nothing: only one that a key of this journal signed, or ours, should somebody have taken the keys away.
    let mut checker = Checker::new(&db::journal::keys(&house.db).await?);
    checker.add(house.signer.public_key_pem());
    let is_signed =
        |record: &Record| Judged::of(record, checker.check(&record.key_id, record.data_to_sign.as_bytes(), &record.signature)).is_whole();
    let said = last.filter(is_signed).and_then(|record: Record| serde_json::from_str::<EventContent>(&record.content_text).ok());
    if said.is_some_and(|event| event.details.get("digest") == Some(&digest)) {
        return Ok(());
    }
    if restored {
        recording::event(house, &mut tx, EventCode::Restored, "", []).await?;
    }
    let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(" | ");
    let details = [("count", names.len().to_string()), ("digest", digest), ("flaws", shown.clone())];
    recording::event(house, &mut tx, EventCode::IntegrityFlaw, "", details).await?;
    tx.commit().await?;
    tracing::error!(flaws = shown, "the fiscal journal does not hold");
    Ok(())
}
