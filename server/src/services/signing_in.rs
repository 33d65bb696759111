//! Signing in with a name and a PIN.
//!
//! A PIN has ten thousand values, so guessing is what this file is about: failures are counted per name before the PIN is checked, five
//! in a row lock the name, and each further failure doubles the wait up to a quarter of an hour. Unknown names cost the same time and get
//! the same answer.

use crate::db;
use crate::error::{Error, Result};
use crate::state::House;
use anyhow::Context;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::api::{Login, SessionUser};
use std::sync::LazyLock;
use tokio::sync::Semaphore;

/// Failures in a row before a name is locked.
const FREE_FAILURES: i32 = 5;
/// How long a name is locked after five failures in a row, six, seven …, in seconds. The last one holds for all that follow.
const WAITS: [i32; 6] = [30, 60, 120, 240, 480, 900];

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

/// Checks a name and a PIN. The caller opens the session.
///
/// # Errors
/// [`Error::WrongPin`], or [`Error::TooMany`] while the name is locked, also for the right PIN.
pub async fn check(house: &House, login: &Login) -> Result<SessionUser> {
    let username = login.username.trim().to_lowercase();
    if username.is_empty() || username.len() > 64 || username.chars().any(char::is_control) || !is_pin(&login.pin) {
        return Err(Error::WrongPin);
    }
    let Some(failures) = db::users::claim_attempt(&house.db, &username, FREE_FAILURES, &WAITS).await? else {
        let wait = db::users::locked_for(&house.db, &username).await?;
        return Err(Error::TooMany { retry_after: wait.unsigned_abs() });
    };
    let credentials = db::users::credentials(&house.db, &username).await?;
    let (user, hash) = credentials.map_or((None, None), |found| (Some(found.user), Some(found.pin_hash)));
    let right = matches(&login.pin, hash).await?;
    match user {
        Some(user) if right => {
            db::users::forget_failures(&house.db, &username).await?;
            tracing::info!(user = user.id.get(), "signed in");
            Ok(user)
        }
        _ => {
            tracing::info!(failures, "sign-in refused");
            Err(Error::WrongPin)
        }
    }
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
