//! The whole journal is checked: every record, every chain, every closing, every key, and the guards of the database.
//!
//! Records are streamed in the order of the journal. What takes time, the signature and the content of each, is judged by all processors at once;
//! what needs the order is followed by one. Memory does not grow with the journal.

use crate::adapters::signer::Checker;
use crate::db;
use crate::db::guards::CHECK_FAILED;
use crate::db::journal::Read;
use crate::error::{Error, Result};
use crate::services::anchoring;
use crate::state::House;
use domain::api::{Flaw, VerifyReport};
use domain::fiscal::{Anchor, Checkpoint, FlawCode, Judged, Record, Verifier};
use futures::{Stream, StreamExt, TryStreamExt};
use sqlx::PgPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;
use verifier::add_announced;

/// Records that one processor takes at a time.
const BATCH: usize = 128;

/// What a verification takes besides the journal.
#[derive(Default)]
pub struct Asked {
    /// The auditor's copy of the key, PEM; none: the first key that the database holds.
    pub public_key: Option<String>,
    /// What was kept elsewhere.
    pub anchors: Vec<Anchor>,
    /// Where an earlier verification stopped.
    pub checkpoint: Option<Checkpoint>,
    /// Begin at this record and not at the first.
    pub from: Option<i64>,
}

/// Checks the journal with the keys that the database holds.
///
/// # Errors
/// When the database does not answer.
pub async fn verify(db: &PgPool) -> Result<VerifyReport> {
    Ok(verify_as(db, Asked::default()).await?.0)
}

/// Checks the journal of a house, from a record on, and compares it with what the house itself keeps elsewhere of its closings.
///
/// # Errors
/// When the database does not answer.
pub async fn verify_house(house: &House, from: Option<i64>) -> Result<VerifyReport> {
    let (anchors, unreadable) = anchoring::read(house);
    let (mut report, _) = verify_as(&house.db, Asked { anchors, from, ..Asked::default() }).await?;
    report.inconclusive &= unreadable.is_empty();
    report.flaws.extend(unreadable);
    report.ok = report.flaws.is_empty();
    Ok(report)
}

/// Checks of the whole journal that somebody asks for, one at a time: each takes two connections and all processors for as long as the journal is long. Whoever
/// comes while one runs holds neither: all who wait get the result of the next one, which begins after they asked.
#[derive(Default)]
pub struct Checks {
    asked: AtomicU64,
    last: Mutex<Checked>,
}

/// The last check that went to its end.
#[derive(Default)]
struct Checked {
    /// How many had asked when it began.
    answers: u64,
    report: Option<VerifyReport>,
}

impl Checks {
    /// The report of a check that began after this was called: of `check`, unless somebody who waited beside had it made.
    ///
    /// # Errors
    /// Those of `check`.
    async fn share(&self, check: impl Future<Output = Result<VerifyReport>>) -> Result<VerifyReport> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let mut last = self.last.lock().await;
        if let Some(report) = last.report.as_ref().filter(|_| last.answers >= asked) {
            return Ok(report.clone());
        }
        let answers = self.asked.load(Ordering::Relaxed);
        let report = check.await?;
        *last = Checked { answers, report: Some(report.clone()) };
        Ok(report)
    }

    /// The turn of somebody who reads the whole journal to another end.
    pub async fn alone<T>(&self, work: impl Future<Output = T>) -> T {
        let _turn = self.last.lock().await;
        work.await
    }
}

/// Checks the whole journal for somebody who asks; see [`Checks`].
///
/// # Errors
/// When the database does not answer.
pub async fn verify_asked(house: &House) -> Result<VerifyReport> {
    house.checks.share(verify_house(house, None)).await
}

/// The schema is not the one of this version: what guards the journal, and what stands beside it, cannot be judged by this program.
pub const SCHEMA_DIFFERS: &str = "schema_differs";

/// Checks the journal. Returns the report, and where to go on another time.
///
/// # Errors
/// [`Error::Internal`] when the key is none; when the database does not answer.
pub async fn verify_as(db: &PgPool, asked: Asked) -> Result<(VerifyReport, Checkpoint)> {
    let ours = db::is_ours(db).await?;
    // First, so that nothing of the rest keeps them from being said.
    let guards = if ours { guards_missing(db).await? } else { Vec::new() };
    match verify_what_is_there(db, asked, ours, guards.clone()).await {
        // In a schema of another version nothing is proven by what is missing.
        Err(error) if error.is_unreadable_data() && !ours => {
            Ok((VerifyReport { ok: false, records: 0, inconclusive: true, flaws: vec![schema_differs()] }, Checkpoint::default()))
        }
        // The journal itself lacks a table, a column or a right: nothing of it can be read, which is a flaw and no doubt.
        Err(error) if error.is_unreadable_data() => {
            tracing::error!(%error, "the journal cannot be read");
            let detail =
                "Le journal ne peut pas être lu : il lui manque une table, une colonne ou un droit, ou l'un d'eux a changé.".to_owned();
            let mut flaws = vec![Flaw { chain: "*".to_owned(), seq: 0, code: "journal_unreadable".to_owned(), detail }];
            flaws.extend(guards);
            Ok((VerifyReport { ok: false, records: 0, inconclusive: false, flaws }, Checkpoint::default()))
        }
        // What was found of the guards is found, whoever holds a lock or cancels what is asked.
        Err(error) if error.may_pass() => {
            tracing::warn!(%error, "the journal was not read to its end");
            let detail = "Le journal n'a pas pu être lu jusqu'au bout : à contrôler de nouveau.".to_owned();
            let inconclusive = guards.is_empty();
            let failed = Flaw { chain: "*".to_owned(), seq: 0, code: CHECK_FAILED.to_owned(), detail };
            let flaws = guards.into_iter().chain([failed]).collect();
            Ok((VerifyReport { ok: false, records: 0, inconclusive, flaws }, Checkpoint::default()))
        }
        done => done,
    }
}

fn schema_differs() -> Flaw {
    let detail =
        "La base est celle d'une autre version du programme : ses protections et ce qui est à côté du journal n'ont pas été contrôlés."
            .to_owned();
    Flaw { chain: "*".to_owned(), seq: 0, code: SCHEMA_DIFFERS.to_owned(), detail }
}

/// The guards and tables that are missing; that they cannot be looked at is a flaw too.
async fn guards_missing(db: &PgPool) -> Result<Vec<Flaw>> {
    let mut flaws = Vec::new();
    for found in db::guards::missing(db).await {
        match found {
            Ok(found) => flaws.extend(found),
            Err(error) if error.is_unreadable_data() => {
                let detail = "Les protections de la base ne peuvent pas être lues.".to_owned();
                flaws.push(Flaw { chain: "*".to_owned(), seq: 0, code: "guards_unreadable".to_owned(), detail });
            }
            Err(error) if error.may_pass() => {
                let detail = "Les protections de la base n'ont pas pu être contrôlées.".to_owned();
                flaws.push(Flaw { chain: "*".to_owned(), seq: 0, code: CHECK_FAILED.to_owned(), detail });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(flaws)
}

async fn verify_what_is_there(db: &PgPool, asked: Asked, ours: bool, guards: Vec<Flaw>) -> Result<(VerifyReport, Checkpoint)> {
    // Heads first: what is appended meanwhile is not a lost tail.
    let (heads, master) = db::journal::heads(db).await?;
    let checker = Arc::new(trusted_keys(db, asked.public_key.as_deref()).await?);
    let check = {
        let checker = Arc::clone(&checker);
        move |key_id: &str, signed: &[u8], signature: &str| checker.check(key_id, signed, signature)
    };
    let mut beside = guards;
    let checkpoint = match asked.checkpoint {
        Some(checkpoint) => {
            let (last, hash) = checkpoint.last();
            let still = db::journal::record(db, last).await.ok().flatten();
            if last > 0 && still.is_none_or(|record| record.hash_current != hash) {
                let detail = format!("Le dernier enregistrement déjà vérifié (n° {last}) n'est plus le même : tout est relu.");
                beside.push(Flaw { chain: "*".to_owned(), seq: last, code: "checkpoint_differs".to_owned(), detail });
                Checkpoint::default()
            } else {
                checkpoint
            }
        }
        None => Checkpoint::default(),
    };
    // From the beginning is from whatever number somebody gave a row.
    let after = asked.from.map_or(checkpoint.last().0, |from| from - 1);
    let after = if after == 0 { i64::MIN } else { after };
    let verifier = match asked.from {
        Some(from) if from > 1 => Verifier::from_the_middle(&check, from),
        _ => Verifier::going_on(&check, checkpoint),
    };
    let verifier = verifier.with_anchors(asked.anchors);
    // Where only the records of the last while are read, so is only what they say. Who goes on from a checkpoint reads no record twice, but what stands
    // beside old ones may have been changed since. Compared by the database while the records are judged here.
    let facts = async {
        match ours {
            true => db::facts::that_differ(db, asked.from.map_or(0, |from| from - 1)).await,
            false => Ok(Vec::new()),
        }
    };
    let (verifier, facts) = tokio::try_join!(read_all(verifier, checker, db::journal::all(db, after)), facts)?;
    let checkpoint = verifier.checkpoint();
    let mut report = verifier.finish(&heads, master);
    beside.extend(facts);
    // Another version that brought the schema up to date meanwhile: what this one expects of it says nothing any more.
    let ours = ours && db::is_ours(db).await?;
    if !ours {
        beside.retain(|flaw| flaw.code == "checkpoint_differs");
    }
    beside.extend(heads_that_differ(db, &checkpoint).await?);
    // What is proven wrong outweighs what could not be judged.
    let proven = beside.iter().any(|flaw| flaw.code != CHECK_FAILED);
    report.inconclusive = !proven && (report.inconclusive || (report.flaws.is_empty() && !beside.is_empty()));
    report.flaws.extend(beside);
    if !ours {
        report.inconclusive |= report.flaws.is_empty();
        report.flaws.push(schema_differs());
    }
    report.ok = report.flaws.is_empty();
    Ok((report, checkpoint))
}

/// What is remembered of the ends of the chains, against the ends that were read: without it nobody could say that a tail is lost. Read after the
/// records, so that a chain that began meanwhile is no flaw; numbers only grow.
async fn heads_that_differ(db: &PgPool, read: &Checkpoint) -> Result<Vec<Flaw>> {
    let (heads, master) = db::journal::heads(db).await?;
    let mut flaws = Vec::new();
    let mut say = |chain: &str, seq, code: &str, detail: String| {
        flaws.push(Flaw { chain: chain.to_owned(), seq, code: code.to_owned(), detail });
    };
    for (register, chain, seq) in read.ends() {
        match heads.iter().find(|(of, its, _)| (of.as_str(), *its) == (register, chain)) {
            None => {
                let detail =
                    format!("Le dernier numéro de la chaîne {chain} manque dans fiscal_heads : sa fin ne peut pas être contrôlée.");
                say(chain.as_str(), seq, "heads_missing", detail);
            }
            Some((.., head)) if head.last_seq < seq => {
                let detail = format!("Le journal a retenu le n° {} comme dernier ; le n° {seq} existe.", head.last_seq);
                say(chain.as_str(), seq, FlawCode::HeadDiffers.as_str(), detail);
            }
            Some(_) => {}
        }
    }
    let last = read.last().0;
    match master {
        None if last > 0 => {
            let detail = "Le dernier numéro du journal manque dans fiscal_heads : sa fin ne peut pas être contrôlée.".to_owned();
            say("*", 0, "heads_missing", detail);
        }
        Some(master) if master < last => {
            let detail = format!("Le journal a retenu l'enregistrement {master} comme dernier ; le {last} existe.");
            say("*", last, FlawCode::HeadDiffers.as_str(), detail);
        }
        _ => {}
    }
    Ok(flaws)
}

/// Feeds a stream of records, each judged by whichever processor is free.
///
/// # Errors
/// When the stream fails.
pub async fn read_all<'v>(
    mut verifier: Verifier<'v>,
    checker: Arc<Checker>,
    records: impl Stream<Item = Result<Read>>,
) -> Result<Verifier<'v>> {
    let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let batches = records.try_chunks(BATCH).map(|batch| {
        let checker = Arc::clone(&checker);
        async move {
            let batch = Arc::new(batch.map_err(|error| error.1)?);
            let lent = Arc::clone(&batch);
            let judged = tokio::task::spawn_blocking(move || judge_all(&checker, &lent)).await.map_err(Error::internal)?;
            Ok::<_, Error>((batch, judged))
        }
    });
    let mut checked = std::pin::pin!(batches.buffered(processors * 2));
    while let Some(batch) = checked.next().await {
        let (batch, judged) = batch?;
        for (read, judged) in batch.iter().zip(judged) {
            match (read, judged) {
                (Ok(record), Some(judged)) => verifier.feed_judged(record, judged),
                (Err((id, why)), _) => verifier.feed_unreadable(*id, why),
                (Ok(_), None) => return Err(Error::internal("a record was not judged")),
            }
        }
    }
    Ok(verifier)
}

/// What cannot be read is not judged.
fn judge_all(checker: &Checker, batch: &[Read]) -> Vec<Option<Judged>> {
    let judge = |record: &Record| Judged::of(record, checker.check(&record.key_id, record.data_to_sign.as_bytes(), &record.signature));
    batch.iter().map(|read| read.as_ref().ok().map(judge)).collect()
}

/// The key that is trusted from the beginning, and every one that a record announced which a trusted key signed. So an auditor needs the first key
/// only, and a key that somebody put into the database signs nothing.
async fn trusted_keys(db: &PgPool, public_key: Option<&str>) -> Result<Checker> {
    let mut checker = match public_key {
        Some(pem) => Checker::with_key(pem).map_err(Error::internal)?,
        None => Checker::new(&db::journal::first_key(db).await?.into_iter().collect::<Vec<_>>()),
    };
    for record in db::journal::key_rotations(db).await? {
        add_announced(&mut checker, &record);
    }
    Ok(checker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Notify;

    #[tokio::test]
    async fn all_who_wait_share_one_check_that_begins_after_they_asked() {
        let (checks, made, go_on) = (Checks::default(), AtomicU64::new(0), Notify::new());
        let check = async || {
            let records = made.fetch_add(1, Ordering::Relaxed) + 1;
            go_on.notified().await;
            Ok(VerifyReport { ok: true, records, inconclusive: false, flaws: Vec::new() })
        };
        let ask = async || checks.share(check()).await.unwrap().records;
        // In the order in which they are polled first: one checks, three wait, and one of those goes away.
        let gone = async {
            tokio::select! {
                biased;
                _ = ask() => unreachable!("it waits"),
                () = tokio::task::yield_now() => {}
            }
            go_on.notify_one();
            tokio::task::yield_now().await;
            go_on.notify_one();
        };
        let (first, second, third, ()) = tokio::join!(ask(), ask(), ask(), gone);
        assert_eq!((first, second, third), (1, 2, 2), "the second began after the first, and was made once");
        go_on.notify_one();
        assert_eq!(ask().await, 3, "an old report answers nobody");
        assert_eq!(made.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_check_that_fails_or_is_given_up_answers_nobody_else() {
        let checks = Checks::default();
        let sound = async || Ok(VerifyReport { ok: true, records: 1, inconclusive: false, flaws: Vec::new() });
        let failing = checks.share(async { Err(Error::internal("away")) });
        let (failed, next) = tokio::join!(failing, checks.share(sound()));
        assert!(failed.is_err() && next.unwrap().ok);
        tokio::select! {
            biased;
            _ = checks.share(std::future::pending()) => unreachable!("it never ends"),
            () = tokio::task::yield_now() => {}
        }
        assert!(checks.share(sound()).await.unwrap().ok);
    }
}
