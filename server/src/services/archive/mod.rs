//! An archive: every record of a span of days in one zip file of open formats, signed, that anybody checks with `openssl` and no till.
//!
//! Verify the journal → write what it holds into a work folder → digest every file → manifest → sign it → pack → record that it was made, with the digest of
//! the manifest, so that an archive that is swapped for another is found. A journal with a flaw is archived too: the manifest says so, and so does a technical
//! event. Nothing is ever taken out of the journal.
//!
//! `journal.jsonl` holds every record of every chain in the order of the whole journal, as it is stored: what is checked. The tables beside it are extracts
//! of the same contents for people and spreadsheets. Numbers that are missing between two records would show across all chains, which a file per
//! chain could not.

pub mod check;
mod tables;
pub mod zip;

use super::verifying::{self, Asked};
use super::{journal, recording};
use crate::adapters::signer::fingerprint;
use crate::db;
use crate::db::journal::Span;
use crate::error::{Error, Result};
use crate::state::{House, REGISTER, software};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::api::VerifyReport;
use domain::fiscal::{ArchiveContent, CONTENT_VERSION, Chain, ChainEnd, EventCode, FORMAT, Record, local_timestamp, sha256_hex};
use domain::order::FieldError;
use domain::service_day::service_day;
use futures::StreamExt;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::Date;
use verifier::{ARCHIVE_FORMAT, ChainSpan, JOURNAL, Manifest, Previous};

/// Twelve months (BOI-TVA-DECLA-30-10-30): a longer span is several archives.
const LONGEST_DAYS: i64 = 366;
/// An archive that was made.
pub struct Made {
    /// What it should be called.
    pub name: String,
    /// Its record.
    pub record: Record,
    /// The check before it.
    pub report: VerifyReport,
}

/// Makes the archive of the days from `from` to `to` at `out`.
///
/// # Errors
/// [`Error::Invalid`] for a span that ends before it begins, is longer than twelve months or holds nothing; when a file cannot be written.
pub async fn make(house: &House, operator: &str, from: Date, to: Date, out: &Path) -> Result<Made> {
    house.checks.alone(make_now(house, operator, from, to, out)).await
}

async fn make_now(house: &House, operator: &str, from: Date, to: Date, out: &Path) -> Result<Made> {
    if to < from {
        return Err(Error::invalid("to", "before_from"));
    }
    if (to - from).whole_days() > LONGEST_DAYS {
        return Err(Error::invalid("to", "longer_than_a_year"));
    }
    let (report, _) = verifying::verify_as(&house.db, Asked::default()).await?;
    let span =
        db::journal::span(&house.db, from, to).await?.ok_or_else(|| Error::Invalid(vec![FieldError::new("from", "nothing_recorded")]))?;
    let mut connection = house.db.acquire().await?;
    let now = db::journal::local_now(&mut connection, &house.zone).await?;
    drop(connection);
    let work = Arc::new(Work::begin(out).map_err(Error::internal)?);
    let written = write_records(house, &work.folder, span).await?;
    let mut manifest = Manifest {
        format: ARCHIVE_FORMAT.to_owned(),
        from: from.to_string(),
        to: to.to_string(),
        made_at_local: local_timestamp(now),
        identity: house.identity.clone(),
        software: software(),
        record_format: FORMAT.to_owned(),
        register: REGISTER.to_owned(),
        first_record: span.first,
        last_record: span.last,
        chains: written.chains,
        previous: None,
        files: written.digests,
        keys: written.keys,
        key_id: house.signer.key_id().to_owned(),
        flaws: report.flaws.iter().map(|flaw| format!("{} {} {}: {}", flaw.chain, flaw.seq, flaw.code, flaw.detail)).collect(),
    };
    let names: Vec<String> =
        ["manifest.json", "manifest.sig"].map(str::to_owned).into_iter().chain(manifest.files.keys().cloned()).collect();
    let record = loop {
        manifest.previous = previous(&house.db).await?;
        let text = serde_json::to_string_pretty(&manifest)? + "\n";
        let signer = house.signer.clone();
        let to_sign = text.clone();
        let signature = tokio::task::spawn_blocking(move || signer.sign_bytes(to_sign.as_bytes())).await.map_err(Error::internal)??;
        std::fs::write(work.folder.join("manifest.json"), &text).map_err(Error::internal)?;
        std::fs::write(work.folder.join("manifest.sig"), signature).map_err(Error::internal)?;
        // Whoever packs goes on when nobody waits any more, and then clears away after itself.
        let (lent, names) = (Arc::clone(&work), names.clone());
        let packed = tokio::task::spawn_blocking(move || pack(&lent.folder, &names)).await.map_err(Error::internal)?;
        std::fs::rename(packed.map_err(Error::internal)?, out).map_err(Error::internal)?;
        // Somebody else made one meanwhile: this one has to name that.
        if let Some(record) = say_made(house, operator, &manifest, &text).await? {
            break record;
        }
    };
    let siret: String = house.identity.siret.chars().filter(char::is_ascii_digit).collect();
    let name = format!("archive-{siret}-{REGISTER}-{from}_{to}-A{}.zip", record.seq);
    tracing::info!(archive = name, records = span.last - span.first + 1, flaws = report.flaws.len(), "archive made");
    Ok(Made { name, record, report })
}

/// The last archive that was made.
async fn previous(db: impl sqlx::PgExecutor<'_>) -> Result<Option<Previous>> {
    let Some(record) = db::journal::last_of(db, REGISTER, Chain::A).await? else { return Ok(None) };
    // One that was altered is in the report of flaws; this archive is made nevertheless.
    let Ok(content) = serde_json::from_str::<ArchiveContent>(&record.content_text) else { return Ok(None) };
    Ok(Some(Previous { seq: record.seq, manifest_sha256: content.manifest_sha256 }))
}

/// The record of the archive and its technical events, in one transaction. Nothing when the archive before is no longer the one that the manifest names.
async fn say_made(house: &House, operator: &str, manifest: &Manifest, text: &str) -> Result<Option<Record>> {
    let mut tx = house.db.begin().await?;
    let locked = journal::lock(house, &mut tx, Chain::A).await?;
    if previous(&mut *tx).await? != manifest.previous {
        return Ok(None);
    }
    let content = ArchiveContent {
        version: CONTENT_VERSION,
        software: software(),
        register: REGISTER.to_owned(),
        at_local: local_timestamp(locked.local),
        operator: operator.to_owned(),
        from: manifest.from.clone(),
        to: manifest.to.clone(),
        first_record: manifest.first_record,
        last_record: manifest.last_record,
        manifest_sha256: sha256_hex(text.as_bytes()),
        previous_sha256: manifest.previous.as_ref().map_or_else(String::new, |previous| previous.manifest_sha256.clone()),
        flaws: u32::try_from(manifest.flaws.len()).unwrap_or(u32::MAX),
    };
    let record = recording::write(house, &mut tx, &content, &locked, service_day(locked.local)).await?;
    let whole_year = manifest.from.ends_with("-01-01") && manifest.to.ends_with("-12-31");
    let code = if whole_year { EventCode::YearArchived } else { EventCode::ArchiveMade };
    let span = format!("{} - {}", manifest.from, manifest.to);
    recording::event(house, &mut tx, code, operator, [("archive", record.seq.to_string()), ("period", span)]).await?;
    if !manifest.flaws.is_empty() {
        let details =
            [("found_by", "archive".to_owned()), ("flaws", manifest.flaws.iter().take(20).cloned().collect::<Vec<_>>().join(" | "))];
        recording::event(house, &mut tx, EventCode::IntegrityFlaw, operator, details).await?;
    }
    tx.commit().await?;
    Ok(Some(record))
}

/// A folder beside the archive, for nobody else to read, that is gone when it is no longer held.
struct Work {
    folder: PathBuf,
}

impl Work {
    fn begin(out: &Path) -> std::io::Result<Self> {
        let mut name = out.as_os_str().to_owned();
        name.push(format!(".{}.work", std::process::id()));
        let work = Self { folder: PathBuf::from(name) };
        // What a process of that number left when it was killed.
        let _ = std::fs::remove_dir_all(&work.folder);
        DirBuilder::new().mode(0o700).create(&work.folder)?;
        std::fs::create_dir(work.folder.join("cles"))?;
        std::fs::create_dir(work.folder.join("exemple"))?;
        Ok(work)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Written {
    chains: Vec<ChainSpan>,
    digests: BTreeMap<String, String>,
    keys: BTreeMap<String, String>,
}

/// A file whose digest is known once it is written.
struct Digested {
    file: BufWriter<File>,
    digest: Sha256,
}

impl Digested {
    fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: BufWriter::new(File::create(path)?), digest: Sha256::new() })
    }

    fn line(&mut self, line: &str) -> std::io::Result<()> {
        for part in [line.as_bytes(), b"\n"] {
            self.digest.update(part);
            self.file.write_all(part)?;
        }
        Ok(())
    }

    fn finish(mut self) -> std::io::Result<String> {
        self.file.flush()?;
        Ok(self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

async fn write_records(house: &House, folder: &Path, span: Span) -> Result<Written> {
    let create = |name: &str| Digested::create(&folder.join(name)).map_err(Error::internal);
    let mut journal = create(JOURNAL)?;
    let mut tables = tables::TABLES.iter().map(|table| create(table.name)).collect::<Result<Vec<_>>>()?;
    for (file, table) in tables.iter_mut().zip(&tables::TABLES) {
        file.line(table.header).map_err(Error::internal)?;
    }
    let mut chains = BTreeMap::<Chain, ChainSpan>::new();
    let mut example = None;
    {
        let mut records = std::pin::pin!(db::journal::between(&house.db, span.first, span.last));
        while let Some(record) = records.next().await {
            // A row that is no record is in the report of flaws; it cannot be written as one.
            let Ok(record) = record? else { continue };
            journal.line(&serde_json::to_string(&record)?).map_err(Error::internal)?;
            for (table, row) in tables::rows(&record) {
                if let Some(file) = tables.get_mut(table) {
                    file.line(&row).map_err(Error::internal)?;
                }
            }
            let end = ChainEnd { chain: record.chain, seq: record.seq, signature: record.signature.clone() };
            let first = ChainSpan { first: record.seq, count: 0, end: end.clone(), last_hash: String::new() };
            let chain = chains.entry(record.chain).or_insert(first);
            chain.count += 1;
            chain.end = end;
            chain.last_hash.clone_from(&record.hash_current);
            example.get_or_insert(record);
        }
    }
    let mut digests = BTreeMap::new();
    digests.insert(JOURNAL.to_owned(), journal.finish().map_err(Error::internal)?);
    for (file, table) in tables.into_iter().zip(&tables::TABLES) {
        digests.insert(table.name.to_owned(), file.finish().map_err(Error::internal)?);
    }
    let mut keys = BTreeMap::new();
    let mut small = Vec::new();
    for (key_id, pem) in db::journal::keys(&house.db).await? {
        small.push((format!("cles/{key_id}.pem"), pem.clone().into_bytes()));
        keys.insert(key_id, fingerprint(&pem).unwrap_or_default());
    }
    let example_key = example.as_ref().map_or_else(String::new, |record| record.key_id.clone());
    if let Some(record) = example {
        small.push(("exemple/texte.txt".to_owned(), record.data_to_sign.clone().into_bytes()));
        small.push(("exemple/signature.bin".to_owned(), raw_signature(&record.signature).unwrap_or_default()));
    }
    small.push(("LISEZMOI.txt".to_owned(), read_me(house, &example_key).into_bytes()));
    for (name, bytes) in small {
        std::fs::write(folder.join(&name), &bytes).map_err(Error::internal)?;
        digests.insert(name, sha256_hex(&bytes));
    }
    Ok(Written { chains: chains.into_values().collect(), digests, keys })
}

/// The raw signature of a record, as `openssl` takes it.
fn raw_signature(signature: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(signature).ok()
}

/// For nobody else to read: it holds what was sold and who sold it. Returns where it is.
fn pack(folder: &Path, names: &[String]) -> std::io::Result<PathBuf> {
    let packed = folder.join("archive.zip");
    // Made anew when somebody else made an archive meanwhile.
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&packed)?;
    let mut zip = zip::Zip::new(BufWriter::new(file));
    for name in names {
        let mut file = BufReader::new(File::open(folder.join(name))?);
        zip.add(name, |out| std::io::copy(&mut file, out).map(drop))?;
    }
    zip.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(packed)
}

/// How to read and check an archive, in French, with nothing but `openssl`.
fn read_me(house: &House, example_key: &str) -> String {
    include_str!("LISEZMOI.txt")
        .replace("{logiciel}", &software())
        .replace("{nom}", &house.identity.name)
        .replace("{siret}", &house.identity.siret)
        .replace("{cle}", house.signer.key_id())
        .replace("{cle_exemple}", example_key)
        .replace("{empreinte}", &house.signer.fingerprint())
}
