//! Anchors: what was kept of each Z outside the owner's reach. A journal that was written again, or restored from an old copy, does not hold
//! the records that its anchors name.

use super::{Chain, Record};
use serde::{Deserialize, Serialize};

/// One line of an anchor file: a closing as it was when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The register.
    pub register: String,
    /// The chain of the closing.
    pub chain: Chain,
    /// Its number in its chain.
    pub seq: i64,
    /// Its number in the whole journal.
    pub record: i64,
    /// SHA-256 of its signed text, hexadecimal.
    pub hash: String,
    /// Its signature.
    pub signature: String,
    /// The key that signed.
    pub key_id: String,
    /// When, `YYYYMMDDHHMMSS` on the clock of the restaurant.
    pub local: String,
    /// Its total, in cents.
    pub total: i64,
}

impl From<&Record> for Anchor {
    fn from(record: &Record) -> Self {
        Self {
            register: record.register.clone(),
            chain: record.chain,
            seq: record.seq,
            record: record.master_seq,
            hash: record.hash_current.clone(),
            signature: record.signature.clone(),
            key_id: record.key_id.clone(),
            local: record.local.clone(),
            total: record.total.0,
        }
    }
}

impl Anchor {
    /// Reads a file of anchors, one JSON object a line.
    ///
    /// # Errors
    /// The number of the first line that is none.
    pub fn read_all(text: &str) -> Result<Vec<Self>, usize> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines.map(|(at, line)| serde_json::from_str(line).map_err(|_| at + 1)).collect()
    }

    /// Reads what can be read of a file of anchors, and names the lines that are none: a line that was cut off, or spoilt, must not make the others mute.
    #[must_use]
    pub fn read_what_can_be(text: &str) -> (Vec<Self>, Vec<usize>) {
        let (mut anchors, mut wrong) = (Vec::new(), Vec::new());
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(anchor) => anchors.push(anchor),
                Err(_) => wrong.push(at + 1),
            }
        }
        (anchors, wrong)
    }

    /// Whether this record is the one that was anchored.
    #[must_use]
    pub fn holds(&self, record: &Record) -> bool {
        *self == Self::from(record)
    }
}
