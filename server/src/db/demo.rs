//! The demo restaurant.

use crate::error::Result;
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

/// Rooms, tables, menu, pairings.
///
/// # Errors
/// When the database does not answer.
pub async fn load(db: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql(include_str!("demo.sql")).execute(db).await?;
    Ok(())
}
