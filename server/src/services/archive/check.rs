//! An archive is checked: with nothing but the file and, better, the auditor's own copy of the public key.

use super::zip::read::{Place, directory, open};
use super::{ARCHIVE_FORMAT, JOURNAL, Manifest};
use crate::adapters::signer::Checker;
use crate::error::Error;
use crate::services::verifying::{add_announced, read_all};
use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::api::{Flaw, VerifyReport};
use domain::fiscal::{Anchor, Head, Record, RecordKind, SignatureCheck, Verifier};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// No manifest, signature or key is larger.
const SMALL: u64 = 4 << 20;

/// No record is longer, in bytes: a ticket of a hundred lines has forty kilobytes.
const LONGEST_LINE: u64 = 8 << 20;

/// The raw signature of a record, as `openssl` takes it.
#[must_use]
pub fn raw_signature(signature: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(signature).ok()
}

/// A report, and the manifest that was checked: the next archive names it.
pub struct Checked {
    /// What was found.
    pub report: VerifyReport,
    /// The manifest.
    pub manifest: Manifest,
    /// SHA-256 of its bytes.
    pub manifest_sha256: String,
}

/// Checks an archive: its signature, every file in it, and every record as in the journal itself.
///
/// # Errors
/// When the file cannot be read or is no archive: nothing can be told then.
pub async fn check(path: &Path, public_key: Option<&str>, anchors: Vec<Anchor>) -> anyhow::Result<Checked> {
    let mut file = BufReader::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?);
    let places = directory(&mut file).with_context(|| format!("{} is no archive", path.display()))?;
    let text = small(&mut file, &places, "manifest.json")?;
    let manifest: Manifest = serde_json::from_slice(&text).context("manifest.json cannot be read")?;
    anyhow::ensure!(manifest.format == ARCHIVE_FORMAT, "archives of the format {} are not known to this version", manifest.format);
    let manifest_sha256 = domain::fiscal::sha256_hex(&text);

    let mut flaws = Vec::new();
    let mut checker = match public_key {
        Some(pem) => Checker::with_key(pem)?,
        None => Checker::new(&keys_in(&mut file, &places)?),
    };
    // Keys that a trusted key announced in this archive.
    for line in lines(&mut file, &places)? {
        let line = line?;
        if line.contains("\"kind\":\"JET\"")
            && let Ok(record) = serde_json::from_str::<Record>(&line)
            && record.kind == RecordKind::TechnicalEvent
        {
            add_announced(&mut checker, &record);
        }
    }
    let signature = small(&mut file, &places, "manifest.sig")?;
    let mut undecided = false;
    match checker.check_bytes(&manifest.key_id, &text, &signature) {
        SignatureCheck::Valid => {}
        SignatureCheck::Invalid => {
            flaws.push(flaw("manifest_signature_invalid", "La signature de l'archive n'est pas valable.".to_owned()));
        }
        SignatureCheck::UnknownKey => {
            undecided = true;
            flaws
                .push(flaw("unknown_key", format!("La clé {} n'est pas connue : signature de l'archive non vérifiable.", manifest.key_id)));
        }
    }
    check_files(&mut file, &places, &manifest, &mut flaws)?;

    let check = |key_id: &str, signed: &[u8], signature: &str| checker.check(key_id, signed, signature);
    let verifier = match manifest.first_record {
        1 => Verifier::new(&check),
        first => Verifier::from_the_middle(&check, first),
    };
    let in_it = anchors.into_iter().filter(|anchor| (manifest.first_record..=manifest.last_record).contains(&anchor.record));
    let records = lines(&mut file, &places)?.zip(manifest.first_record..).map(|(line, number)| {
        let line = line.map_err(Error::internal)?;
        Ok(serde_json::from_str::<Record>(&line).map_err(|error| (number, error.to_string())))
    });
    let records = futures::stream::iter(records);
    let verifier = read_all(verifier.with_anchors(in_it), Arc::new(checker.clone()), records).await?;
    let heads: Vec<_> = manifest
        .chains
        .iter()
        .map(|chain| {
            let head = Head { last_seq: chain.end.seq, last_signature: chain.end.signature.clone(), last_hash: chain.last_hash.clone() };
            (manifest.register.clone(), chain.end.chain, head)
        })
        .collect();
    let mut report = verifier.finish(&heads, Some(manifest.last_record));
    // What is proven wrong outweighs what could not be judged.
    report.inconclusive = (report.inconclusive || report.ok) && flaws.iter().all(|_| undecided) && (report.inconclusive || undecided);
    flaws.append(&mut report.flaws);
    report.flaws = flaws;
    report.ok = report.flaws.is_empty();
    Ok(Checked { report, manifest, manifest_sha256 })
}

/// Whether each archive names the one before it.
#[must_use]
pub fn check_order(archives: &[Checked]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for pair in archives.windows(2) {
        let [before, after] = pair else { continue };
        let named = after.manifest.previous.as_ref().map(|previous| previous.manifest_sha256.as_str());
        if named != Some(before.manifest_sha256.as_str()) {
            let detail = format!("L'archive du {} ne nomme pas celle du {} comme précédente.", after.manifest.from, before.manifest.from);
            flaws.push(flaw("archive_order_broken", detail));
        }
        if after.manifest.first_record > before.manifest.last_record + 1 {
            let (from, to) = (before.manifest.last_record + 1, after.manifest.first_record - 1);
            flaws.push(flaw("archive_gap", format!("Les enregistrements {from} à {to} ne sont dans aucune des deux archives.")));
        }
    }
    flaws
}

fn check_files(
    file: &mut BufReader<File>,
    places: &BTreeMap<String, Place>,
    manifest: &Manifest,
    flaws: &mut Vec<Flaw>,
) -> anyhow::Result<()> {
    for (name, expected) in &manifest.files {
        let Some(place) = places.get(name) else {
            flaws.push(flaw("archive_file_missing", format!("Le fichier {name} manque.")));
            continue;
        };
        let digest = open(file, place).and_then(digest_of);
        if digest.as_ref().ok() != Some(expected) {
            flaws.push(flaw("archive_file_differs", format!("Le fichier {name} n'est pas celui du manifeste.")));
        }
    }
    for name in places.keys().filter(|name| !name.starts_with("manifest.") && !manifest.files.contains_key(*name)) {
        flaws.push(flaw("archive_file_unknown", format!("Le fichier {name} n'est pas dans le manifeste.")));
    }
    Ok(())
}

fn digest_of(mut from: Box<dyn Read + '_>) -> std::io::Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer)? {
            0 => break,
            read => digest.update(buffer.get(..read).unwrap_or_default()),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn small(file: &mut BufReader<File>, places: &BTreeMap<String, Place>, name: &str) -> anyhow::Result<Vec<u8>> {
    let place = places.get(name).with_context(|| format!("{name} is missing"))?;
    anyhow::ensure!(place.size <= SMALL, "{name} is too large");
    let mut bytes = Vec::new();
    open(file, place)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn keys_in(file: &mut BufReader<File>, places: &BTreeMap<String, Place>) -> anyhow::Result<Vec<(String, String)>> {
    let names: Vec<String> = places.keys().filter(|name| name.starts_with("cles/")).cloned().collect();
    names
        .into_iter()
        .map(|name| {
            let pem = String::from_utf8_lossy(&small(file, places, &name)?).into_owned();
            let id = name.trim_start_matches("cles/").trim_end_matches(".pem").to_owned();
            Ok((id, pem))
        })
        .collect()
}

fn lines<'f>(
    file: &'f mut BufReader<File>,
    places: &BTreeMap<String, Place>,
) -> anyhow::Result<impl Iterator<Item = std::io::Result<String>> + 'f> {
    let place = places.get(JOURNAL).with_context(|| format!("{JOURNAL} is missing"))?;
    let mut from = BufReader::new(open(file, place)?);
    Ok(std::iter::from_fn(move || next_line(&mut from).transpose()))
}

/// The next line without its end. One that is longer than any record is refused before it fills the memory: a few packed kilobytes can be
/// gigabytes.
fn next_line(from: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    from.take(LONGEST_LINE + 1).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    let broken = |what: &'static str| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    if line.len() as u64 > LONGEST_LINE {
        return Err(broken("a line of the journal that is no record"));
    }
    String::from_utf8(line).map(Some).map_err(|_| broken("a line of the journal that is no text"))
}

fn flaw(code: &str, detail: String) -> Flaw {
    Flaw { chain: "*".to_owned(), seq: 0, code: code.to_owned(), detail }
}
