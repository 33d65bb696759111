//! What an archive says of itself.

use domain::fiscal::{ChainEnd, Identity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of what is in an archive and how it is named.
pub const ARCHIVE_FORMAT: &str = "comptoir-archive-1";
/// Where the signed records are.
pub const JOURNAL: &str = "journal.jsonl";

/// What an archive says of itself. Its bytes are signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// [`ARCHIVE_FORMAT`].
    pub format: String,
    /// First service day.
    pub from: String,
    /// Last service day.
    pub to: String,
    /// When it was made, on the clock of the restaurant.
    pub made_at_local: String,
    /// Who sells.
    pub identity: Identity,
    /// Name and version of the software.
    pub software: String,
    /// The canonical form of the records.
    pub record_format: String,
    /// The register.
    pub register: String,
    /// First record, by its number in the whole journal.
    pub first_record: i64,
    /// Last record.
    pub last_record: i64,
    /// What each chain has in it.
    pub chains: Vec<ChainSpan>,
    /// Number and digest of the manifest of the archive before; none for the first.
    pub previous: Option<Previous>,
    /// SHA-256 of each file, by its name.
    pub files: BTreeMap<String, String>,
    /// The keys in `cles/`: id and SHA-256 of the public key.
    pub keys: BTreeMap<String, String>,
    /// The key that signed this manifest.
    pub key_id: String,
    /// What the check before found wrong; none: sound.
    pub flaws: Vec<String>,
}

/// The part of a chain that is in an archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChainSpan {
    /// Number of its first record.
    pub first: i64,
    /// How many records.
    pub count: i64,
    /// Its last record.
    #[serde(flatten)]
    pub end: ChainEnd,
    /// SHA-256 of the signed text of the last record.
    pub last_hash: String,
}

/// The archive before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Its number in the chain of archives.
    pub seq: i64,
    /// SHA-256 of its manifest.
    pub manifest_sha256: String,
}
