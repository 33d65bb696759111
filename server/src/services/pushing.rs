//! Telling phones that sleep: what was said of dishes goes to the push services of whoever is told.
//!
//! A phone that is awake hears it over its socket, says so, and is not pushed; neither is a dish that somebody saw to meanwhile. Of several
//! processes one pushes each number: it moves the head first and calls afterwards, so that no call waits inside a transaction. Should it die in
//! between, the phone hears it over its socket when it wakes, and others are told after a while.

use crate::adapters::push::encryption::Browser;
use crate::adapters::push::{KEPT_FOR, Push, Pushed};
use crate::db;
use crate::db::pass::Said;
use crate::db::push::Subscription;
use crate::error::{Error, Result};
use crate::state::{House, Shared};
use app::i18n;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use domain::api::PushSubscription;
use domain::backoff::{Backoff, WHOLE};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How soon one is tried again that did not answer: a house without a way to the Internet is no reason to fill the log.
const AGAIN: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(60), jitter: 2_500 };
/// No address of a push service is longer, in bytes.
const LONGEST_ENDPOINT: usize = 1024;

/// What a browser must know to subscribe; `None` when this house does not push.
#[must_use]
pub fn public_key(house: &House) -> Option<String> {
    house.push.as_ref().map(|push| push.vapid.public_key())
}

/// A browser wants to be reached while it sleeps, for as long as this session lasts.
///
/// # Errors
/// [`Error::Invalid`] for keys that are none, and for an address that is none of a push service; [`Error::NotFound`] when this house does not
/// push; [`Error::NotSignedIn`] when the session ended meanwhile.
pub async fn subscribe(house: &House, session: &str, wanted: &PushSubscription) -> Result<()> {
    let push = house.push.as_ref().ok_or(Error::NotFound("les notifications en veille"))?;
    let (endpoint, keys) = (&wanted.endpoint, &wanted.keys);
    if endpoint.len() > LONGEST_ENDPOINT || !endpoint.parse().is_ok_and(|uri| push.is_service(&uri)) {
        return Err(Error::invalid("subscription.endpoint", "unknown_push_service"));
    }
    let read = |text: &str| BASE64.decode(text.trim_end_matches('=')).unwrap_or_default();
    let (p256dh, auth) = (read(&keys.p256dh), read(&keys.auth));
    if Browser::new(&p256dh, &auth).is_none() {
        return Err(Error::invalid("subscription.keys", "malformed"));
    }
    if db::push::subscribe(&house.db, session, endpoint, &p256dh, &auth).await? { Ok(()) } else { Err(Error::NotSignedIn) }
}

/// A phone says over its socket that it heard everything up to this number.
///
/// # Errors
/// When the database does not answer.
pub async fn heard(house: &House, session: &str, number: i64) -> Result<()> {
    if house.push.is_some() { db::push::heard(&house.db, session, number).await } else { Ok(()) }
}

/// One step of the worker: pushes what is due. Returns how many messages are on their way.
///
/// # Errors
/// When the database does not answer.
pub async fn push_news(house: &Shared) -> Result<usize> {
    let Some(push) = &house.push else { return Ok(0) };
    // Most of the time there is nothing to hold anything for.
    let last = db::push::head(&house.db).await?;
    if db::push::due(&house.db, last, push.after, KEPT_FOR).await?.is_empty() {
        return Ok(0);
    }
    let mut tx = house.db.begin().await?;
    let Some(last) = db::push::hold_head(&mut tx).await? else { return Ok(0) };
    let due = db::push::due(&mut *tx, last, push.after, KEPT_FOR).await?;
    let (Some(first), Some(newest)) = (due.first(), due.last()) else { return Ok(0) };
    let said = db::pass::said_after(&mut *tx, first - 1, &house.zone).await?;
    db::push::move_head(&mut tx, *newest).await?;
    tx.commit().await?;

    let mut on_their_way = 0;
    for said in said.into_iter().filter(|said| !said.news.settled && due.contains(&said.id)) {
        let phones = db::push::of(&house.db, &said.to, said.id).await?;
        let said = Arc::new(said);
        on_their_way += phones.len();
        for phone in phones {
            tokio::spawn(push_until_taken(Arc::clone(house), Arc::clone(push), phone, Arc::clone(&said)));
        }
    }
    Ok(on_their_way)
}

/// Sends one message to one phone, as often as the service asks for it, for as long as the phone is to be told.
async fn push_until_taken(house: Shared, push: Arc<Push>, phone: Subscription, said: Arc<Said>) {
    let (Ok(endpoint), Some(browser)) = (phone.endpoint.parse(), Browser::new(&phone.p256dh, &phone.auth)) else { return };
    let event = said.news.event_id;
    let notice = i18n::pass::t().notice(&said.news, said.level);
    let Ok(message) = serde_json::to_vec(&notice) else { return };
    let (began, mut failures) = (Instant::now(), 0);
    while began.elapsed() < KEPT_FOR {
        let pushed = {
            let _turn = push.turn().await;
            match db::push::is_wanted(&house.db, &phone, said.id, event).await {
                Ok(false) => return,
                // Better told twice than never.
                Ok(true) | Err(_) => push.send(&endpoint, &browser, &notice.tag, &message).await,
            }
        };
        // The address is as good as a secret: what is logged is the service's name.
        let service = endpoint.host().unwrap_or_default();
        match pushed {
            Pushed::Taken => return,
            Pushed::Gone => {
                if let Err(error) = db::push::forget(&house.db, &phone.session, &phone.endpoint).await {
                    tracing::warn!(%error, service, "a subscription that is gone is still there");
                }
                return;
            }
            Pushed::Refused(why) => {
                tracing::warn!(why, service, event, "a phone that sleeps is not told: its push service refuses");
                return;
            }
            Pushed::Later(wait, why) => {
                failures += 1;
                let wait = wait.max(AGAIN.delay(failures, rand::random::<u16>() % (WHOLE + 1)));
                tracing::warn!(why, service, event, again_in_s = wait.as_secs(), "a phone that sleeps is not told yet");
                tokio::time::sleep(wait).await;
            }
        }
    }
}
