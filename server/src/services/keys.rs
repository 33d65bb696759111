//! The key that signs is changed: by a record that the old key signs and that carries the new one, so that whoever trusts the old key can trust the new.

use super::recording;
use crate::adapters::signer::Signer;
use crate::db;
use crate::error::Result;
use crate::state::House;
use domain::fiscal::{EventCode, Record};
use std::path::Path;

/// Makes a new key, announces it in the journal and puts it in the place of the old one. From the commit on the old key signs nothing: every process
/// has to be started again.
///
/// # Errors
/// When the files cannot be written, or the database refuses.
pub async fn rotate(house: &House, key_file: &Path, operator: &str) -> Result<Record> {
    let path = key_file.to_owned();
    let (next, draft) = tokio::task::spawn_blocking(move || Signer::prepare_next(&path)).await.map_err(crate::error::Error::internal)??;
    let mut tx = house.db.begin().await?;
    let details = [
        ("old_key", house.signer.key_id().to_owned()),
        ("new_key", next.key_id().to_owned()),
        ("fingerprint", next.fingerprint()),
        ("public_key", next.public_key_pem().to_owned()),
    ];
    let record = recording::event(house, &mut tx, EventCode::KeyRotated, operator, details).await?;
    db::journal::remember_key(&mut *tx, next.key_id(), next.public_key_pem(), Some(record.id)).await?;
    tx.commit().await?;
    house.signer.take_over(key_file, &draft)?;
    tracing::info!(key = next.key_id(), "another key signs from now on");
    Ok(record)
}
