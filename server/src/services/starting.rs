//! The till starts: the technical journal says so, and what is other than at the last start.

use super::recording;
use crate::db;
use crate::error::Result;
use crate::state::{House, REGISTER, software};
use domain::fiscal::{EventCode, EventContent, sha256_hex};
use std::collections::BTreeMap;

/// Says that this process serves, whether it trains, and which of the settings that decide how sales are recorded, the version of the program and the
/// identity of the house are not those of the last start.
///
/// # Errors
/// When the database does not answer.
pub async fn say_started(house: &House, settings: Vec<(&'static str, String)>) -> Result<()> {
    let mut tx = house.db.begin().await?;
    if db::journal::is_empty(&mut *tx).await? {
        let details = [("key", house.signer.key_id().to_owned()), ("fingerprint", house.signer.fingerprint())];
        recording::event(house, &mut tx, EventCode::JournalBegun, "", details).await?;
    }
    let last = db::journal::last_event(&mut tx, REGISTER, "started").await?;
    let before: BTreeMap<String, String> = last
        .and_then(|record| serde_json::from_str::<EventContent>(&record.content_text).ok())
        .map(|event| event.details)
        .unwrap_or_default();
    let trained = before.get("training").is_some_and(|said| said == "oui");
    if trained != house.training {
        let code = if house.training { EventCode::TrainingBegun } else { EventCode::TrainingEnded };
        recording::event(house, &mut tx, code, "", []).await?;
    }
    let training = if house.training { "oui" } else { "non" };
    let identity = sha256_hex(serde_json::to_string(&house.identity)?.as_bytes());
    let mut now = settings;
    now.extend([("training", training.to_owned()), ("software", software()), ("identity", identity)]);
    for (name, value) in now.iter().filter(|(name, _)| *name != "training") {
        let Some(was) = before.get(*name).filter(|was| *was != value) else { continue };
        let code = if *name == "identity" { EventCode::IdentityChanged } else { EventCode::SettingChanged };
        let details = [("setting", (*name).to_owned()), ("before", was.clone()), ("now", value.clone())];
        recording::event(house, &mut tx, code, "", details).await?;
    }
    recording::event(house, &mut tx, EventCode::Started, "", now).await?;
    tx.commit().await?;
    Ok(())
}
