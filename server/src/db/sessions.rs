//! Sessions, for the store in [`crate::session_store`].

use crate::error::Result;
use domain::UserId;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

/// Stores a new session; false when the id is taken.
///
/// # Errors
/// When the database does not answer.
pub async fn create(db: &PgPool, id: &str, user_id: Option<i64>, data: &Value, expires_at: OffsetDateTime) -> Result<bool> {
    let done = sqlx::query!(
        "insert into sessions (id, user_id, data, expires_at) values ($1, $2, $3, $4) on conflict (id) do nothing",
        id,
        user_id,
        data,
        expires_at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Replaces what a session holds; false when there is none. One that was ended meanwhile does not come back.
///
/// # Errors
/// When the database does not answer.
pub async fn save(db: &PgPool, id: &str, user_id: Option<i64>, data: &Value, expires_at: OffsetDateTime) -> Result<bool> {
    let done = sqlx::query!("update sessions set user_id = $2, data = $3, expires_at = $4 where id = $1", id, user_id, data, expires_at)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What a session holds, unless it has expired or is of somebody who may no longer sign in.
///
/// # Errors
/// When the database does not answer.
pub async fn load(db: &PgPool, id: &str) -> Result<Option<(Value, OffsetDateTime)>> {
    let row = sqlx::query!(
        "select sessions.data, sessions.expires_at from sessions left join users on users.id = sessions.user_id
         where sessions.id = $1 and sessions.expires_at > now() and coalesce(users.active, true)",
        id
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.data, row.expires_at)))
}

/// Ends a session; false when there was none.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(db: &PgPool, id: &str) -> Result<bool> {
    let done = sqlx::query!("delete from sessions where id = $1", id).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Ends every session of a person; returns which.
///
/// # Errors
/// When the database does not answer.
pub async fn end_all(db: &mut PgConnection, user: UserId) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!("delete from sessions where user_id = $1 returning id", user.get()).fetch_all(db).await?)
}

/// Gives a person another name in every session; returns which.
///
/// # Errors
/// When the database does not answer.
pub async fn rename_all(db: &mut PgConnection, user: UserId, name: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "update sessions set data = jsonb_set(data, '{user,name}', to_jsonb($2::text)) where user_id = $1 returning id",
        user.get(),
        name
    )
    .fetch_all(db)
    .await?)
}

/// Forgets what has expired.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_expired(db: &PgPool) -> Result<()> {
    sqlx::query!("delete from sessions where expires_at <= now()").execute(db).await?;
    Ok(())
}
