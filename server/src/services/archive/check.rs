//! An archive is checked: with nothing but the file and, better, the auditor's own copy of the public key. What is checked, and in which order, is in
//! `verifier`, which the page in the browser shares; here all processors take part.

use crate::adapters::signer::Checker;
use crate::error::Error;
use crate::services::verifying::read_all;
use anyhow::Context;
use domain::fiscal::Anchor;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use verifier::Archive;

pub use verifier::{Checked, check_order};

/// Checks an archive: its signature, every file in it, and every record as in the journal itself.
///
/// # Errors
/// When the file cannot be read or is no archive: nothing can be told then.
pub async fn check(path: &Path, public_key: Option<&str>, anchors: Vec<Anchor>) -> anyhow::Result<Checked> {
    let file = BufReader::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?);
    let mut archive = Archive::open(file).with_context(|| path.display().to_string())?;
    let mut checker = match public_key {
        Some(pem) => Checker::with_key(pem)?,
        None => Checker::new(&archive.keys()?),
    };
    let files = archive.check_files(&mut checker, &mut |_| {})?;
    let (manifest, manifest_sha256) = (archive.manifest().clone(), archive.manifest_sha256());

    let check = |key_id: &str, signed: &[u8], signature: &str| checker.check(key_id, signed, signature);
    let records = futures::stream::iter(archive.records()?.map(|read| read.map_err(Error::internal)));
    let verifier = read_all(manifest.verifier(&check, anchors), Arc::new(checker.clone()), records).await?;
    let report = verifier::conclude(&manifest, files, verifier);
    Ok(Checked { report, manifest, manifest_sha256 })
}
