//! People and their failed attempts to sign in.

use super::word;
use crate::error::Result;
use domain::api::{SessionUser, SignInName, UserView};
use domain::{Role, UserId};
use sqlx::{PgConnection, PgExecutor};

/// Somebody who may sign in, with the hash that the PIN must match.
pub struct Credentials {
    /// Who.
    pub user: SessionUser,
    /// argon2id, PHC form.
    pub pin_hash: String,
}

/// The active person of that name.
///
/// # Errors
/// When the database does not answer.
pub async fn credentials(db: impl PgExecutor<'_>, username: &str) -> Result<Option<Credentials>> {
    let row =
        sqlx::query!("select id, name, role, pin_hash from users where username = $1 and active", username).fetch_optional(db).await?;
    row.map(|row| {
        let user = SessionUser { id: UserId::from_row(row.id), name: row.name, role: word(&row.role)? };
        Ok(Credentials { user, pin_hash: row.pin_hash })
    })
    .transpose()
}

/// The active person of that number.
///
/// # Errors
/// When the database does not answer.
pub async fn credentials_of(db: impl PgExecutor<'_>, id: UserId) -> Result<Option<Credentials>> {
    let row = sqlx::query!("select name, role, pin_hash from users where id = $1 and active", id.get()).fetch_optional(db).await?;
    row.map(|row| {
        let user = SessionUser { id, name: row.name, role: word(&row.role)? };
        Ok(Credentials { user, pin_hash: row.pin_hash })
    })
    .transpose()
}

/// Everybody who may sign in, in the order in which they were added.
///
/// # Errors
/// When the database does not answer.
pub async fn sign_in_names(db: impl PgExecutor<'_>) -> Result<Vec<SignInName>> {
    let rows = sqlx::query!("select username, name, role from users where active order by id").fetch_all(db).await?;
    rows.into_iter().map(|row| Ok(SignInName { username: row.username, name: row.name, role: word(&row.role)? })).collect()
}

/// Claims an attempt on a name, in one statement: counts it as a failure before the PIN is looked at, and locks the name when there were
/// too many. Attempts made at the same moment queue on the row, so a burst gets no more tries than a patient guesser.
///
/// `waits[n]` is how many seconds the name is locked after `n` failures in a row beyond the free ones; the last one holds for all others.
/// Returns the failures in a row, this one included; `None` when the name is locked. A lock longer than any of them is that of a clock that went back
/// since, and holds nobody.
///
/// # Errors
/// When the database does not answer.
pub async fn claim_attempt(db: impl PgExecutor<'_>, username: &str, free: i32, waits: &[i32]) -> Result<Option<i32>> {
    Ok(sqlx::query_scalar!(
        "insert into sign_in_failures as f (username, failures, locked_until) values ($1, 1, now())
         on conflict (username) do update set
             failures = f.failures + 1,
             locked_until = case when f.failures + 1 < $2 then now()
                 else now() + make_interval(secs => ($3::integer[])[least(f.failures + 2 - $2, cardinality($3::integer[]))]) end
         where f.locked_until <= now() or f.locked_until > now() + make_interval(secs => ($3::integer[])[cardinality($3::integer[])])
         returning failures",
        username,
        free,
        waits
    )
    .fetch_optional(db)
    .await?)
}

/// How many seconds a name is still locked.
///
/// # Errors
/// When the database does not answer.
pub async fn locked_for(db: impl PgExecutor<'_>, username: &str) -> Result<i64> {
    let wait = sqlx::query_scalar!(
        r#"select greatest(1, ceil(extract(epoch from locked_until - now())))::bigint as "wait!" from sign_in_failures where username = $1"#,
        username
    )
    .fetch_optional(db)
    .await?;
    Ok(wait.unwrap_or(1))
}

/// Forgets the failures of a name.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_failures(db: impl PgExecutor<'_>, username: &str) -> Result<()> {
    sqlx::query!("delete from sign_in_failures where username = $1", username).execute(db).await?;
    Ok(())
}

/// Adds a person; `None` when the name is taken.
///
/// # Errors
/// When the database does not answer.
pub async fn add(db: impl PgExecutor<'_>, username: &str, name: &str, role: Role, pin_hash: &str) -> Result<Option<UserId>> {
    let id = sqlx::query_scalar!(
        "insert into users (username, name, role, pin_hash) values ($1, $2, $3, $4) on conflict (username) do nothing returning id",
        username,
        name,
        role.as_str(),
        pin_hash
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(UserId::from_row))
}

/// Everybody who works or worked here, in the order in which they were added.
///
/// # Errors
/// When the database does not answer.
pub async fn all(db: impl PgExecutor<'_>) -> Result<Vec<UserView>> {
    let rows = sqlx::query!("select id, username, name, role, active from users order by id").fetch_all(db).await?;
    rows.into_iter()
        .map(|row| {
            let id = UserId::from_row(row.id);
            Ok(UserView { id, username: row.username, name: row.name, role: word(&row.role)?, active: row.active })
        })
        .collect()
}

/// Locks a person for the rest of the transaction. Nobody signs in as that person meanwhile: a session refers to its person, and waits.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection, id: UserId) -> Result<Option<UserView>> {
    let row =
        sqlx::query!("select id, username, name, role, active from users where id = $1 for update", id.get()).fetch_optional(db).await?;
    row.map(|row| Ok(UserView { id, username: row.username, name: row.name, role: word(&row.role)?, active: row.active })).transpose()
}

/// Locks the admins who may sign in, and says who they are: two of them who dismiss each other at the same moment meet here.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_admins(db: &mut PgConnection) -> Result<Vec<UserId>> {
    let ids = sqlx::query_scalar!("select id from users where role = 'admin' and active order by id for update").fetch_all(db).await?;
    Ok(ids.into_iter().map(UserId::from_row).collect())
}

/// Changes a person; without a hash the PIN stays.
///
/// # Errors
/// When the database does not answer.
pub async fn change(db: &mut PgConnection, id: UserId, name: &str, role: Role, active: bool, pin_hash: Option<&str>) -> Result<()> {
    sqlx::query!(
        "update users set name = $2, role = $3, active = $4, pin_hash = coalesce($5, pin_hash) where id = $1",
        id.get(),
        name,
        role.as_str(),
        active,
        pin_hash
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Changes a PIN and ends every session of that person; false when nobody has that name.
///
/// # Errors
/// When the database does not answer.
pub async fn change_pin(db: &mut PgConnection, username: &str, pin_hash: &str) -> Result<bool> {
    let id = sqlx::query_scalar!("update users set pin_hash = $2 where username = $1 returning id", username, pin_hash)
        .fetch_optional(&mut *db)
        .await?;
    let Some(id) = id else { return Ok(false) };
    sqlx::query!("delete from sessions where user_id = $1", id).execute(&mut *db).await?;
    sqlx::query!("delete from sign_in_failures where username = $1", username).execute(db).await?;
    Ok(true)
}
