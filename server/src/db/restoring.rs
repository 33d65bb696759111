//! A backup comes back into an empty cluster: under a name of its own, until it has everything. Then it takes the place of the empty database, in one
//! transaction. So whatever ends a restore, there is all of it or nothing.

use crate::error::Result;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The name of a database that is being restored. What lies under it when another restore begins was given up.
pub const UNFINISHED: &str = "comptoir_restoring";

/// What was true of that moment and of those processes only: who was signed in and where they are pushed what, failed sign-ins, which processes lived and
/// what they had in hand. A backup leaves it out, a restore empties it: what an older backup holds of it opens nothing.
pub const OF_THE_MOMENT: [&str; 6] =
    ["sessions", "push_subscriptions", "sign_in_failures", "sign_in_peers", "processes", "anchor_mail_turns"];

/// Whether a database has no table of ours.
///
/// # Errors
/// When the database does not answer.
pub async fn is_empty(db: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar("select not exists (select from pg_tables where schemaname = 'public')").fetch_one(db).await?)
}

/// Makes room for what is to be restored, over a connection to another database of the cluster; false while another restore is under way. It ends with
/// the connection.
///
/// # Errors
/// When the database does not answer.
pub async fn begin(server: &mut PgConnection) -> Result<bool> {
    let ours: bool = sqlx::query_scalar("select pg_try_advisory_lock(hashtext('comptoir restore'))").fetch_one(&mut *server).await?;
    if ours {
        give_up(server).await?;
        sqlx::raw_sql(AssertSqlSafe(format!("create database {UNFINISHED}"))).execute(server).await?;
    }
    Ok(ours)
}

/// What belongs to the server, or to a database as a whole, and is in no backup: as the migrations make it.
///
/// # Errors
/// When the database does not answer.
pub async fn make_roles(db: &mut PgConnection) -> Result<()> {
    const ROLES: &str = "do $$
begin
    if not exists (select from pg_roles where rolname = 'comptoir_owner') then create role comptoir_owner nologin; end if;
    if not exists (select from pg_roles where rolname = 'comptoir_app') then create role comptoir_app nologin; end if;
    if not exists (select from pg_roles where rolname = 'comptoir_till') then create role comptoir_till login noinherit; end if;
    execute format('revoke temporary on database %I from public', current_database());
end
$$;
grant comptoir_owner, comptoir_app to current_user;
grant comptoir_app to comptoir_till";
    sqlx::raw_sql(ROLES).execute(db).await?;
    Ok(())
}

/// Empties what was true of the moment of the backup only.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_the_moment(db: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(format!("truncate {}", OF_THE_MOMENT.join(", ")))).execute(db).await?;
    Ok(())
}

/// What was restored takes the place of the empty database. Whoever uses that one keeps it from being put away.
///
/// # Errors
/// When the database does not answer; when somebody uses the empty one.
pub async fn take_the_place(server: &mut PgConnection, name: &str) -> Result<()> {
    // Only we were there.
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1").bind(UNFINISHED).execute(&mut *server).await?;
    let mut tx = server.begin().await?;
    for step in [format!("alter database {name} rename to {name}_empty"), format!("alter database {UNFINISHED} rename to {name}")] {
        sqlx::raw_sql(AssertSqlSafe(step)).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    // It is in nobody's way.
    let _ = sqlx::raw_sql(AssertSqlSafe(format!("drop database {name}_empty"))).execute(server).await;
    Ok(())
}

/// Nothing stays of what was being restored.
///
/// # Errors
/// When the database does not answer.
pub async fn give_up(server: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(format!("drop database if exists {UNFINISHED} with (force)"))).execute(server).await?;
    Ok(())
}
