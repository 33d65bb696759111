//! The demo restaurant.

use crate::error::Result;
use domain::Role;
use sqlx::PgConnection;

/// Whether nobody works here yet: only then may the demo be loaded.
///
/// # Errors
/// When the database does not answer.
pub async fn house_is_empty(db: &mut PgConnection) -> Result<bool> {
    // Two processes that start at once on an empty database load it once.
    sqlx::query!("lock table users in exclusive mode").execute(&mut *db).await?;
    Ok(sqlx::query_scalar!(r#"select not exists (select from users) and not exists (select from tables) as "empty!""#)
        .fetch_one(db)
        .await?)
}

/// Somebody with a number that examples rely on.
///
/// # Errors
/// When the database does not answer.
pub async fn add_user(db: &mut PgConnection, id: i64, username: &str, name: &str, role: Role, pin_hash: &str) -> Result<()> {
    sqlx::query!(
        "insert into users (id, username, name, role, pin_hash) values ($1, $2, $3, $4, $5)",
        id,
        username,
        name,
        role.as_str(),
        pin_hash
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Rooms, tables, menu, pairings.
///
/// # Errors
/// When the database does not answer.
pub async fn load(db: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql(include_str!("demo.sql")).execute(db).await?;
    Ok(())
}
