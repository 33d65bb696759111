//! Signing in with a name and a PIN.
//!
//! A PIN has ten thousand values, so guessing is what this file is about: failures are counted before the PIN is checked. Five in a row
//! lock a name; more than thirty from one address, over all names, lock the address; each further failure doubles the wait up to a quarter of an
//! hour. Unknown names cost the same time and get the same answer.
//!
//! A whole restaurant may have one address. So a failure that its person puts right counts no longer, one is forgotten every minute, and
//! tries that tested no PIN (the name was locked) do not count: ten waiters who mistype their PINs three times each lock nobody else out.

use super::refusing::{self, Tried};
use crate::db;
use crate::db::sign_in_peers::Limits;
use crate::db::users::Credentials;
use crate::error::{Error, Result};
use crate::state::{House, Shared};
use anyhow::Context;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::api::Login;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Failures in a row before a name is locked.
const FREE_FAILURES: i32 = 5;
/// How long a name is locked after five failures in a row, six, seven …, in seconds. The last one holds for all that follow.
const WAITS: [i32; 6] = [30, 60, 120, 240, 480, 900];

/// What one address may do: at most thirty tries at once, then sixty an hour, and four an hour for whoever does not stop.
const PEER: Limits<'static> = Limits { free: 30.0, drain_s: 60.0, waits: &WAITS };

/// How long somebody waits for a turn, while another device signs in under the same name.
const TURN: Duration = Duration::from_secs(1);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Hashing takes 12 MiB and a few dozen milliseconds of one core: two at a time, so that guessing cannot exhaust the machine.
static HASHING: Semaphore = Semaphore::const_new(2);

/// What an unknown name is checked against, so that it takes as long as a known one.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash_now("0000").ok());

fn hasher() -> anyhow::Result<Argon2<'static>> {
    // 12 MiB and 3 passes: one of the equivalent settings of the OWASP password storage cheat sheet.
    let params = Params::new(12 * 1024, 3, 1, None).map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(pin: &str) -> anyhow::Result<String> {
    let hash = hasher()?.hash_password(pin.as_bytes()).map_err(|error| anyhow::anyhow!("argon2: {error}"))?;
    Ok(hash.to_string())
}

/// Whether a PIN is four to eight digits.
#[must_use]
pub fn is_pin(pin: &str) -> bool {
    (4..=8).contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_digit())
}

/// Hashes a PIN for storage.
///
/// # Errors
/// When the system gives no randomness.
pub async fn hash_pin(pin: &str) -> anyhow::Result<String> {
    let pin = pin.to_owned();
    let _turn = HASHING.acquire().await.context("hashing is over")?;
    tokio::task::spawn_blocking(move || hash_now(&pin)).await?
}

async fn matches(pin: &str, hash: Option<String>) -> Result<bool> {
    let pin = pin.to_owned();
    let _turn = HASHING.acquire().await.map_err(Error::internal)?;
    tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let Some(hash) = hash.or_else(|| NOBODY.clone()) else { return false };
        let Ok(parsed) = PasswordHash::new(&hash) else { return false };
        Argon2::default().verify_password(pin.as_bytes(), &parsed).is_ok() && known
    })
    .await
    .map_err(Error::internal)
}

/// Checks a name and a PIN that came from an address. The caller opens the session, and then asks whether it [`still_holds`].
///
/// # Errors
/// [`Error::WrongPin`], or [`Error::TooMany`] while the name or the address is locked, also for the right PIN.
pub async fn check(house: &Shared, peer: &str, login: &Login) -> Result<Credentials> {
    let proven = prove(house, peer, login).await;
    if let Err(error) = &proven {
        house.metrics.sign_in_refused(error);
    }
    proven
}

async fn prove(house: &Shared, peer: &str, login: &Login) -> Result<Credentials> {
    let username = login.username.trim().to_lowercase();
    if username.is_empty() || username.len() > 64 || username.chars().any(char::is_control) || !is_pin(&login.pin) {
        return Err(Error::WrongPin);
    }
    if !db::sign_in_peers::claim(&house.db, peer, &PEER).await? {
        let wait = db::sign_in_peers::locked_for(&house.db, peer).await?;
        tracing::warn!(peer, "sign-in refused: too many failures from this address");
        return Err(Error::TooMany { retry_after: wait.unsigned_abs() });
    }
    let Some(failures) = claim(house, &username).await? else {
        db::sign_in_peers::give_back(&house.db, peer, 1, &PEER).await?;
        let wait = db::users::locked_for(&house.db, &username).await?;
        return Err(Error::TooMany { retry_after: wait.unsigned_abs() });
    };
    let credentials = db::users::credentials(&house.db, &username).await?;
    let right = matches(&login.pin, credentials.as_ref().map(|known| known.pin_hash.clone())).await?;
    match credentials {
        Some(proven) if right => {
            // This try, and those of this name before it: they were mistakes.
            db::sign_in_peers::give_back(&house.db, peer, failures, &PEER).await?;
            db::users::forget_failures(&house.db, &username).await?;
            tracing::info!(user = proven.user.id.get(), "signed in");
            Ok(proven)
        }
        known => {
            tracing::info!(failures, "sign-in refused");
            if failures >= FREE_FAILURES {
                house.metrics.name_locked();
            }
            // Said when a name of this house is locked, which comes less and less often however many try.
            if let Some(known) = known.filter(|_| failures >= FREE_FAILURES) {
                // Not waited for: an unknown name is answered as late as a known one.
                let house = Shared::clone(house);
                tokio::spawn(async move {
                    refusing::record(&house, Tried::SignIn, "", &Error::WrongPin, Some(("name", known.user.name))).await;
                });
            }
            Err(Error::WrongPin)
        }
    }
}

/// Claims an attempt on a name. One that is free again within a second is waited for: two devices that sign in under one name in the same moment
/// both get in, and a locked name is refused at once.
async fn claim(house: &House, username: &str) -> Result<Option<i32>> {
    let until = Instant::now() + TURN;
    loop {
        let claimed = db::users::claim_attempt(&house.db, username, FREE_FAILURES, &WAITS).await?;
        if claimed.is_some() || Instant::now() >= until || db::users::locked_for(&house.db, username).await? > 1 {
            return Ok(claimed);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Whether what was proven a moment ago is still so: the same person, role and PIN.
///
/// # Errors
/// When the database does not answer.
pub async fn still_holds(house: &House, proven: &Credentials) -> Result<bool> {
    let now = db::users::credentials_of(&house.db, proven.user.id).await?;
    Ok(now.is_some_and(|now| now.user.role == proven.user.role && now.pin_hash == proven.pin_hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_four_to_eight_digits() {
        assert!(is_pin("1234") && is_pin("12345678"));
        assert!(!is_pin("123") && !is_pin("123456789") && !is_pin("12a4") && !is_pin("１２３４"));
    }

    #[tokio::test]
    async fn only_the_right_pin_of_a_known_name_matches() {
        let hash = hash_pin("1234").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=12288,t=3,p=1$"));
        assert!(matches("1234", Some(hash.clone())).await.unwrap());
        assert!(!matches("1235", Some(hash)).await.unwrap());
        assert!(!matches("0000", None).await.unwrap(), "the hash that stands in for nobody opens nothing");
    }
}
