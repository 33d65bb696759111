//! Who works here. Somebody begins, gets another role or another PIN, leaves.
//!
//! A session holds name and role as they were at sign-in, so that a request asks one store only. Hence whoever gets another role, another
//! PIN, or may no longer sign in, is signed out everywhere, in the transaction that says so; Redis is told after its commit.

use super::once::{self, Answered};
use super::recording;
use super::signing_in::{hash_pin, is_pin};
use crate::db;
use crate::error::{Error, Result};
use crate::state::House;
use domain::api::{NewUser, SessionUser, UserChange, UserView};
use domain::catalogue::{check_name, check_username};
use domain::fiscal::EventCode;
use domain::order::FieldError;
use domain::{Role, UserId};

/// Everybody who works or worked here.
///
/// # Errors
/// When the database does not answer.
pub async fn everybody(house: &House) -> Result<Vec<UserView>> {
    db::users::all(&house.db).await
}

/// Somebody begins to work here. The same `uuid` again adds nobody and returns the first answer.
///
/// # Errors
/// [`Error::Invalid`] names every faulty field; [`Error::UsernameTaken`].
pub async fn add(house: &House, by: &SessionUser, new: &NewUser) -> Result<Answered<UserView>> {
    let (username, name) = (check_username(&new.username), check_name(&new.name));
    let pin = if is_pin(&new.pin) { Ok(()) } else { Err(not_a_pin()) };
    let (username, name) = match (username, name, pin) {
        (Ok(username), Ok(name), Ok(())) => (username, name),
        (username, name, pin) => {
            return Err(Error::Invalid([username.err(), name.err(), pin.err()].into_iter().flatten().flatten().collect()));
        }
    };
    let hash = hash_pin(&new.pin).await?;
    let mut tx = house.db.begin().await?;
    // Without the PIN: whoever reads a digest of four digits has the four digits.
    let known_by = (&username, &name, new.role);
    if let Some(answered) = once::earlier(&mut tx, new.uuid, "users", by.id, &known_by).await? {
        return Ok(answered);
    }
    let id = db::users::add(&mut *tx, &username, &name, new.role, &hash).await?.ok_or(Error::UsernameTaken)?;
    // Somebody may have tried this name before it was anybody's.
    db::users::forget_failures(&mut *tx, &username).await?;
    let view = UserView { id, username, name, role: new.role, active: true };
    once::remember(&mut tx, new.uuid, 201, &view).await?;
    let details = [("person", view.username.clone()), ("name", view.name.clone()), ("role", view.role.to_string())];
    recording::event(house, &mut tx, EventCode::PeopleChanged, &by.name, details).await?;
    tx.commit().await?;
    tracing::info!(user = id.get(), role = %view.role, by = by.id.get(), "begins to work here");
    Ok(Answered::now(view))
}

/// Changes somebody's name, role or PIN, or lets nobody sign in by that name any more.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`]; [`Error::LastAdmin`] when nobody could undo it.
pub async fn change(house: &House, by: &SessionUser, id: UserId, change: &UserChange) -> Result<UserView> {
    let mut faults = Vec::new();
    let name = check_name(&change.name).unwrap_or_else(|fault| {
        faults.extend(fault);
        String::new()
    });
    if change.pin.as_deref().is_some_and(|pin| !is_pin(pin)) {
        faults.extend(not_a_pin());
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let hash = match &change.pin {
        Some(pin) => Some(hash_pin(pin).await?),
        None => None,
    };

    let mut tx = house.db.begin().await?;
    // Before the person, in one order for all: the admins.
    let admins = db::users::lock_admins(&mut tx).await?;
    let was = db::users::lock(&mut tx, id).await?.ok_or(Error::NotFound("cette personne"))?;
    let stays_admin = change.active && change.role == Role::Admin;
    if !stays_admin && admins == [id] {
        return Err(Error::LastAdmin);
    }
    db::users::change(&mut tx, id, &name, change.role, change.active, hash.as_deref()).await?;
    let signed_out = hash.is_some() || change.role != was.role || (was.active && !change.active);
    let sessions = if signed_out {
        db::sessions::end_all(&mut tx, id).await?
    } else if name != was.name {
        db::sessions::rename_all(&mut tx, id, &name).await?
    } else {
        Vec::new()
    };
    if hash.is_some() {
        db::users::forget_failures(&mut *tx, &was.username).await?;
    }
    let mut details = Vec::new();
    if name != was.name {
        details.extend([("name_before", was.name.clone()), ("name", name.clone())]);
    }
    if change.role != was.role {
        details.extend([("role_before", was.role.to_string()), ("role", change.role.to_string())]);
    }
    if change.active != was.active {
        details.push(("signs_in", if change.active { "oui" } else { "non" }.to_owned()));
    }
    if hash.is_some() {
        details.push(("pin", "changé".to_owned()));
    }
    if !details.is_empty() {
        details.push(("person", was.username.clone()));
        recording::event(house, &mut tx, EventCode::PeopleChanged, &by.name, details).await?;
    }
    tx.commit().await?;

    if signed_out {
        house.sessions.ended(&sessions).await;
    } else {
        house.sessions.changed(&sessions).await;
    }
    tracing::info!(
        user = id.get(),
        role = %change.role,
        active = change.active,
        new_pin = hash.is_some(),
        sessions_ended = if signed_out { sessions.len() } else { 0 },
        by = by.id.get(),
        "person changed"
    );
    Ok(UserView { id, username: was.username, name, role: change.role, active: change.active })
}

/// Somebody begins to work here, said on the command line, when nobody can sign in yet. Returns the number; `None` when the name is taken.
///
/// # Errors
/// When the database does not answer.
pub async fn add_from_outside(house: &House, username: &str, name: &str, role: Role, pin: &str) -> Result<Option<UserId>> {
    let hash = hash_pin(pin).await?;
    let mut tx = house.db.begin().await?;
    let Some(id) = db::users::add(&mut *tx, username, name, role, &hash).await? else { return Ok(None) };
    let details =
        [("person", username.to_owned()), ("name", name.to_owned()), ("role", role.to_string()), ("by", "ligne de commande".to_owned())];
    recording::event(house, &mut tx, EventCode::PeopleChanged, "", details).await?;
    tx.commit().await?;
    Ok(Some(id))
}

/// Gives somebody a new PIN from the command line; false when nobody has that name.
///
/// # Errors
/// When the database does not answer.
pub async fn change_pin_from_outside(house: &House, username: &str, pin: &str) -> Result<bool> {
    let hash = hash_pin(pin).await?;
    let mut tx = house.db.begin().await?;
    if !db::users::change_pin(&mut tx, username, &hash).await? {
        return Ok(false);
    }
    let details = [("person", username.to_owned()), ("pin", "changé".to_owned()), ("by", "ligne de commande".to_owned())];
    recording::event(house, &mut tx, EventCode::PeopleChanged, "", details).await?;
    tx.commit().await?;
    Ok(true)
}

fn not_a_pin() -> Vec<FieldError> {
    vec![FieldError::new("pin", "not_a_pin")]
}
