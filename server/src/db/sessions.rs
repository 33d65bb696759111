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

/// Replaces what a session holds.
///
/// # Errors
/// When the database does not answer.
pub async fn save(db: &PgPool, id: &str, user_id: Option<i64>, data: &Value, expires_at: OffsetDateTime) -> Result<()> {
    sqlx::query!(
        "insert into sessions (id, user_id, data, expires_at) values ($1, $2, $3, $4)
         on conflict (id) do update set user_id = excluded.user_id, data = excluded.data, expires_at = excluded.expires_at",
        id,
        user_id,
        data,
        expires_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What a session holds, unless it has expired.
///
/// # Errors
/// When the database does not answer.
pub async fn load(db: &PgPool, id: &str) -> Result<Option<(Value, OffsetDateTime)>> {
    let row = sqlx::query!("select data, expires_at from sessions where id = $1 and expires_at > now()", id).fetch_optional(db).await?;
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
