//! The zip file around the records: its manifest, its signature, its files, its keys.

use crate::demonstration::Changed;
use crate::manifest::{ARCHIVE_FORMAT, JOURNAL, Manifest};
use crate::records::{Lines, Records};
use crate::zip::{self, Place};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::api::{Flaw, VerifyReport};
use domain::fiscal::{Anchor, Chain, CheckSignature, EventCode, EventContent, Head, Record, SignatureCheck, Verifier, sha256_hex};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

/// No manifest, signature or key is larger.
const SMALL: u64 = 4 << 20;

/// To judge the records of a journal takes so many times longer than to digest its bytes: the signatures (measured in Chromium: 10 s and 350 s).
pub(crate) const JUDGED: u64 = 35;

/// Why nothing can be told about a file.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no zip file.
    #[error("it is no archive: {0}")]
    NoArchive(#[source] io::Error),
    /// A zip file without this in it.
    #[error("{0} is missing in it")]
    Missing(String),
    /// A manifest that is none.
    #[error("its manifest cannot be read: {0}")]
    Manifest(#[source] serde_json::Error),
    /// An archive of a later version.
    #[error("archives of the format {0} are not known to this version")]
    Format(String),
    /// It cannot be read to its end.
    #[error("it cannot be read: {0}")]
    Broken(#[from] io::Error),
}

/// The public keys that are trusted.
pub trait Keys: Sync {
    /// Whether this key signed this text; `signature` is base64url without padding.
    fn check(&self, key_id: &str, signed: &[u8], signature: &str) -> SignatureCheck;
    /// Trusts one more key (PEM).
    fn add(&mut self, pem: &str);
}

/// Trusts the key that this record announces, if a trusted key signed it.
pub fn add_announced(keys: &mut impl Keys, record: &Record) {
    let signed = keys.check(&record.key_id, record.data_to_sign.as_bytes(), &record.signature) == SignatureCheck::Valid;
    let intact = sha256_hex(record.content_text.as_bytes()) == record.content_sha256;
    // The digest of the content has to be the signed one.
    let named = record.data_to_sign.rsplit(',').nth(2) == Some(record.content_sha256.as_str());
    if signed
        && intact
        && named
        && let Ok(event) = serde_json::from_str::<EventContent>(&record.content_text)
        && event.code == EventCode::KeyRotated
        && let Some(pem) = event.details.get("public_key")
    {
        keys.add(pem);
    }
}

/// An archive that was opened.
pub struct Archive<F> {
    file: F,
    places: BTreeMap<String, Place>,
    text: Vec<u8>,
    manifest: Manifest,
    /// A byte of the journal that is read as another: see [`crate::Demonstration`].
    pub(crate) change: Option<(u64, u8)>,
}

/// What the check of the files found.
#[derive(Debug, Default)]
pub struct Files {
    /// What is wrong.
    pub flaws: Vec<Flaw>,
    /// The manifest's own signature could not be judged.
    pub undecided: bool,
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

fn flaw(code: &str, detail: String) -> Flaw {
    Flaw { chain: "*".to_owned(), seq: 0, code: code.to_owned(), detail }
}

impl<F: Read + Seek> Archive<F> {
    /// Opens an archive as far as its manifest.
    ///
    /// # Errors
    /// When it is no archive of a format that this version knows.
    pub fn open(mut file: F) -> Result<Self, Unreadable> {
        let places = zip::directory(&mut file).map_err(Unreadable::NoArchive)?;
        let text = small(&mut file, &places, "manifest.json")?;
        // The format first: a later one may have other fields.
        let format = serde_json::from_slice::<serde_json::Value>(&text).map_err(Unreadable::Manifest)?;
        match format.get("format").and_then(serde_json::Value::as_str) {
            Some(ARCHIVE_FORMAT) => {}
            other => return Err(Unreadable::Format(other.unwrap_or("?").chars().take(40).collect())),
        }
        let manifest = serde_json::from_slice(&text).map_err(Unreadable::Manifest)?;
        Ok(Self { file, places, text, manifest, change: None })
    }

    /// What the archive says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the manifest's bytes, hexadecimal.
    #[must_use]
    pub fn manifest_sha256(&self) -> String {
        sha256_hex(&self.text)
    }

    /// How much work a check is, in bytes that are digested: those of every file, and for each record its signature, thirty-five times those of the journal.
    #[must_use]
    pub fn work(&self) -> u64 {
        let read = self.places.iter().filter(|(name, _)| self.manifest.files.contains_key(*name));
        let files = read.fold(0_u64, |sum, (_, place)| sum.saturating_add(place.size));
        let journal = self.places.get(JOURNAL).map_or(0, |place| place.size);
        files.saturating_add(journal.saturating_mul(JUDGED))
    }

    /// The public keys in the archive: the id that their name gives, and the PEM.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn keys(&mut self) -> Result<Vec<(String, String)>, Unreadable> {
        let names: Vec<String> = self.places.keys().filter(|name| name.starts_with("cles/")).cloned().collect();
        names
            .into_iter()
            .map(|name| {
                let pem = String::from_utf8_lossy(&small(&mut self.file, &self.places, &name)?).into_owned();
                let id = name.trim_start_matches("cles/").trim_end_matches(".pem").to_owned();
                Ok((id, pem))
            })
            .collect()
    }

    /// Checks the manifest's signature and the digest of every file. Keys that a trusted key announced in this archive are trusted
    /// afterwards. `read` is told how many bytes were read, again and again.
    ///
    /// # Errors
    /// When the file cannot be read to its end.
    pub fn check_files(&mut self, keys: &mut impl Keys, read: &mut dyn FnMut(u64)) -> Result<Files, Unreadable> {
        let signature = small(&mut self.file, &self.places, "manifest.sig")?;
        let mut found = Files::default();
        // Before the manifest is judged: the key that signed it may be one that the journal announces.
        self.check_journal(keys, &mut found, read)?;
        match keys.check(&self.manifest.key_id, &self.text, &BASE64_URL_SAFE_NO_PAD.encode(signature)) {
            SignatureCheck::Valid => {}
            SignatureCheck::Invalid => {
                found.flaws.push(flaw("manifest_signature_invalid", "La signature de l'archive n'est pas valable.".to_owned()));
            }
            SignatureCheck::UnknownKey => {
                found.undecided = true;
                let detail = format!("La clé {} n'est pas connue : signature de l'archive non vérifiable.", self.manifest.key_id);
                found.flaws.push(flaw("unknown_key", detail));
            }
        }
        for (name, expected) in &self.manifest.files {
            if name == JOURNAL {
                continue;
            }
            let Some(place) = self.places.get(name) else {
                found.flaws.push(flaw("archive_file_missing", format!("Le fichier {name} manque.")));
                continue;
            };
            let digest = zip::open(&mut self.file, place).and_then(|mut from| {
                let mut digesting = Digesting { from: &mut from, digest: Sha256::new(), read };
                io::copy(&mut digesting, &mut io::sink())?;
                Ok(digesting.hex())
            });
            if digest.as_ref().ok() != Some(expected) {
                found.flaws.push(flaw("archive_file_differs", format!("Le fichier {name} n'est pas celui du manifeste.")));
            }
        }
        for name in self.places.keys().filter(|name| !name.starts_with("manifest.") && !self.manifest.files.contains_key(*name)) {
            found.flaws.push(flaw("archive_file_unknown", format!("Le fichier {name} n'est pas dans le manifeste.")));
        }
        Ok(found)
    }

    fn check_journal(&mut self, keys: &mut impl Keys, found: &mut Files, read: &mut dyn FnMut(u64)) -> Result<(), Unreadable> {
        let mut lines = Lines::new(Digesting { from: self.journal()?, digest: Sha256::new(), read });
        while let Some(line) = lines.next_line()? {
            if contains(&line, b"key_rotated")
                && let Ok(record) = serde_json::from_slice::<Record>(&line)
            {
                add_announced(keys, &record);
            }
        }
        let digest = lines.into_inner().hex();
        match self.manifest.files.get(JOURNAL) {
            Some(expected) if *expected == digest => {}
            Some(_) => found.flaws.push(flaw("archive_file_differs", format!("Le fichier {JOURNAL} n'est pas celui du manifeste."))),
            None => found.flaws.push(flaw("archive_file_unknown", format!("Le fichier {JOURNAL} n'est pas dans le manifeste."))),
        }
        Ok(())
    }

    /// The bytes of the journal.
    pub(crate) fn journal(&mut self) -> Result<Box<dyn Read + '_>, Unreadable> {
        let place = self.places.get(JOURNAL).ok_or_else(|| Unreadable::Missing(JOURNAL.to_owned()))?;
        let from = zip::open(&mut self.file, place)?;
        Ok(match self.change {
            Some((at, byte)) => Box::new(Changed::new(from, at, byte)),
            None => from,
        })
    }

    /// Every record, in the order of the journal.
    ///
    /// # Errors
    /// When the archive has no journal.
    pub fn records(&mut self) -> Result<Records<'_>, Unreadable> {
        let first = self.manifest.first_record;
        Ok(Records::new(self.journal()?, first))
    }
}

impl Manifest {
    /// What judges the records of this archive. Of the anchors, those that name one of its records.
    #[must_use]
    pub fn verifier<'c>(&self, check: &'c CheckSignature<'c>, anchors: Vec<Anchor>) -> Verifier<'c> {
        let verifier = match self.first_record {
            1 => Verifier::new(check),
            first => Verifier::from_the_middle(check, first),
        };
        verifier.with_anchors(anchors.into_iter().filter(|anchor| (self.first_record..=self.last_record).contains(&anchor.record)))
    }

    fn heads(&self) -> Vec<(String, Chain, Head)> {
        let chains = self.chains.iter();
        chains
            .map(|chain| {
                let head =
                    Head { last_seq: chain.end.seq, last_signature: chain.end.signature.clone(), last_hash: chain.last_hash.clone() };
                (self.register.clone(), chain.end.chain, head)
            })
            .collect()
    }
}

/// After the last record: everything that was found, the files' flaws first.
#[must_use]
pub fn conclude(manifest: &Manifest, files: Files, verifier: Verifier<'_>) -> VerifyReport {
    let mut report = verifier.finish(&manifest.heads(), Some(manifest.last_record));
    let Files { mut flaws, undecided } = files;
    // What is proven wrong outweighs what could not be judged. The manifest's unknown key is the only flaw of a file that proves nothing.
    let proven = flaws.iter().any(|flaw| flaw.code != "unknown_key");
    report.inconclusive = !proven && (report.inconclusive || (report.ok && undecided));
    flaws.append(&mut report.flaws);
    report.flaws = flaws;
    report.ok = report.flaws.is_empty();
    report
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

/// Digests what is read from it.
struct Digesting<'r, R> {
    from: R,
    digest: Sha256,
    read: &'r mut dyn FnMut(u64),
}

impl<R> Digesting<'_, R> {
    fn hex(self) -> String {
        self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<R: Read> Read for Digesting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.digest.update(buffer.get(..read).unwrap_or_default());
        (self.read)(read as u64);
        Ok(read)
    }
}

fn small(file: &mut (impl Read + Seek), places: &BTreeMap<String, Place>, name: &str) -> Result<Vec<u8>, Unreadable> {
    let place = places.get(name).ok_or_else(|| Unreadable::Missing(name.to_owned()))?;
    if place.size > SMALL {
        return Err(Unreadable::Missing(name.to_owned()));
    }
    let mut bytes = Vec::new();
    zip::open(file, place)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
