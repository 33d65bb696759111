//! The till checks itself: at the start, every hour, every day. A flaw is signed into the journal (technical event 90) and shown on every screen.
//!
//! Selling goes on, and so does closing: a flaw in what was written must not keep what happens now from being written. That is said loudly instead
//! (the reference suggests refusing the closing; a day that cannot be closed would be a second wrong).

use super::verifying::verify_house;
use super::{anchoring, recording};
use crate::db;
use crate::error::Result;
use crate::state::{House, REGISTER};
use domain::api::Flaw;
use domain::fiscal::{Chain, EventCode, EventContent, FlawCode, Record, sha256_hex};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// How many of the last records the hourly check reads.
const RECENT: i64 = 1_000;
/// How many flaws a technical event names.
const NAMED: usize = 20;

/// What the last check found wrong.
#[derive(Default)]
pub struct Integrity(Mutex<Vec<Flaw>>);

impl Integrity {
    /// The flaws; none: sound, or not checked yet.
    #[must_use]
    pub fn flaws(&self) -> Vec<Flaw> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether something does not hold.
    #[must_use]
    pub fn is_flawed(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn set(&self, flaws: Vec<Flaw>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = flaws;
    }
}

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every record.
    Whole,
    /// The last thousand, and everything that guards the journal.
    Recent,
}

/// Checks the journal, its guards and its anchors. Returns how many flaws there are; what could not be judged is none.
///
/// # Errors
/// When the database does not answer.
pub async fn check(house: &House, depth: Depth) -> Result<usize> {
    // Without a journal there is no end, which is said below.
    let end = match db::journal::end(&house.db, REGISTER, Chain::T).await {
        Ok(end) => end.record,
        Err(error) if error.is_unreadable_data() => i64::MAX,
        Err(error) => return Err(error),
    };
    let restored = anchoring::read(house).0.iter().map(|anchor| anchor.record).max().filter(|anchored| *anchored > end);
    let from = (depth == Depth::Recent).then_some(end.saturating_sub(RECENT - 1).max(1));
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
    if depth == Depth::Recent {
        // What an older record has wrong is known from the check of the whole, and stays until that finds it gone.
        let (first_seen, known) = (from.unwrap_or(1), house.integrity.flaws());
        let found: BTreeSet<String> = flaws.iter().map(name).collect();
        flaws.extend(known.into_iter().filter(|flaw| flaw.seq > 0 && first_seen > 1 && !found.contains(&name(flaw))));
    }
    // On the screens first: where nothing can be written into the journal any more, that much is said.
    house.integrity.set(flaws.clone());
    if !flaws.is_empty() {
        say(house, &flaws, restored.is_some()).await?;
    }
    Ok(flaws.len())
}

fn name(flaw: &Flaw) -> String {
    format!("{} {} {}", flaw.chain, flaw.seq, flaw.code)
}

/// Signs what was found into the journal, once: the same flaws are not said again, by this process or another.
async fn say(house: &House, flaws: &[Flaw], restored: bool) -> Result<()> {
    let names: BTreeSet<String> = flaws.iter().map(name).collect();
    let digest = sha256_hex(names.iter().cloned().collect::<Vec<_>>().join("\n").as_bytes());
    let mut tx = house.db.begin().await?;
    // Two processes that find the same at once: the second sees what the first wrote.
    super::journal::lock(house, &mut tx, Chain::J).await?;
    let last = db::journal::last_event(&mut tx, REGISTER, "integrity_flaw").await?;
    let said = last.and_then(|record: Record| serde_json::from_str::<EventContent>(&record.content_text).ok());
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
