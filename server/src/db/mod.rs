//! All SQL of the house, one module per aggregate. Nothing outside this folder writes a query.
//!
//! Every function takes the connection it works on, so that a service decides what belongs to one transaction. Rows become the
//! types of `domain` here; a word in a column that `domain` does not know is a fault of ours and becomes [`crate::error::Error::Internal`].

pub mod amendments;
pub mod anchors;
pub mod attempts;
pub mod bills;
pub mod catalogue;
pub mod corrections;
pub mod demo;
pub mod devices;
pub mod discounts;
pub mod facts;
pub mod floor;
pub mod guards;
pub mod idempotency;
pub mod journal;
pub mod kitchen;
pub mod lane;
pub mod long_periods;
pub mod menu;
pub mod orders;
pub mod outbox;
pub mod papers;
pub mod pass;
pub mod payments;
pub mod periods;
pub mod prints;
pub mod processes;
pub mod push;
pub mod restoring;
pub mod rounds;
pub mod sessions;
pub mod sign_in_peers;
pub mod sync;
pub mod users;
pub mod vitals;
pub mod words;

use crate::error::{Error, Result};
use anyhow::Context;
use domain::VatRate;
use sqlx::migrate::Migrate;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use std::time::Duration;

/// How long a database may take to let us in.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a request waits for a connection.
pub const ACQUIRE: Duration = Duration::from_secs(5);

/// How long a connection that lay idle is believed to live.
const TRUSTED: Duration = Duration::from_secs(1);

/// Begins a look at several tables as they are at one moment.
pub const SNAPSHOT: &str = "begin isolation level repeatable read read only";

/// The schema, in the order in which it grew.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// Brings the schema up to date, as the role that owns the database. Where it is up to date already nothing is asked of the role, so that
/// `serve` can work with a login that is only a member of `comptoir_app`.
///
/// # Errors
/// When the database cannot be reached or a migration fails; nothing of a failed migration stays.
pub async fn migrate(options: &PgConnectOptions) -> anyhow::Result<()> {
    let connecting = PgConnection::connect_with(options);
    let mut connection = tokio::time::timeout(PATIENCE, connecting).await.context("the database does not answer within 10 s")??;
    if !is_up_to_date(&mut connection).await {
        MIGRATIONS.run(&mut connection).await.context("the role of this login may not; run `comptoir migrate` as the database's owner")?;
        sqlx::query!("grant select on _sqlx_migrations to comptoir_app").execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(())
}

/// Whether exactly our migrations were applied. A database that cannot tell has to be migrated.
async fn is_up_to_date(connection: &mut PgConnection) -> bool {
    let Ok(applied) = connection.list_applied_migrations(&MIGRATIONS.table_name).await else { return false };
    let ours = MIGRATIONS.iter().map(|migration| (migration.version, &migration.checksum));
    ours.eq(applied.iter().map(|migration| (migration.version, &migration.checksum)))
}

/// Whether the schema is the one of this version, neither an older nor a later one. One that cannot be asked is another.
///
/// # Errors
/// When the database does not answer.
pub async fn is_ours(pool: &PgPool) -> Result<bool> {
    let mut connection = pool.acquire().await?;
    let is_ours = is_up_to_date(&mut connection).await;
    // Gone meanwhile, it said nothing.
    connection.ping().await?;
    Ok(is_ours)
}

/// Who signs in for the till, see migration 74.
pub const TILL: &str = "comptoir_till";

/// Connections that work as `comptoir_app`, whoever signed in: the role that can only append to the journal.
///
/// # Errors
/// When the database cannot be reached.
pub async fn connect(options: PgConnectOptions, max_connections: u32) -> Result<PgPool> {
    Ok(PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE)
        // Asking before each use whether a connection lives doubles the questions of a busy evening. One that was used a moment ago lives.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| Box::pin(async move { Ok(meta.idle_for < TRUSTED || connection.ping().await.is_ok()) }))
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::query!("set role comptoir_app").execute(&mut *connection).await?;
                // A process that hangs inside a transaction must not stop every other one's sales.
                sqlx::query!("set lock_timeout = '5s'").execute(&mut *connection).await?;
                // Whatever somebody gave this login to begin with: tables are ours, and who reads a long journal is not stopped in the middle.
                sqlx::query!("set search_path = public, pg_temp").execute(&mut *connection).await?;
                sqlx::query!("set statement_timeout = 0").execute(&mut *connection).await?;
                sqlx::query!("set idle_in_transaction_session_timeout = '30s'").execute(connection).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await?)
}

/// Whether the database answers.
///
/// # Errors
/// When it does not.
pub async fn ping(pool: &PgPool) -> Result<()> {
    sqlx::query_scalar!("select 1").fetch_one(pool).await?;
    Ok(())
}

/// How often a transaction that the database gave up in favour of another is made again.
pub const AGAIN: u32 = 8;

/// Makes a transaction again when the database gave it up in favour of another (deadlock, serialization): nothing of it stayed, and nobody
/// needs to hear of it. The expression is evaluated anew each time and gives a `Result`.
macro_rules! again {
    ($transaction:expr) => {{
        let mut tries = 0;
        loop {
            match $transaction {
                Err(error) if error.lost_a_race() && tries < $crate::db::AGAIN => {
                    tries += 1;
                    $crate::db::step_aside(tries).await;
                }
                other => break other,
            }
        }
    }};
}
pub(crate) use again;

/// Lets the other transaction go first.
pub async fn step_aside(tries: u32) {
    let longest = 5u64 << tries.min(6);
    tokio::time::sleep(Duration::from_millis(rand::random_range(longest / 2..=longest))).await;
}

/// A word of a column as the type that `domain` has for it.
fn word<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::internal(format!("the database holds the unknown word {text:?}")))
}

/// A rate of a column.
fn rate(basis_points: i16) -> Result<VatRate> {
    u16::try_from(basis_points)
        .ok()
        .and_then(VatRate::new)
        .ok_or_else(|| Error::internal(format!("the database holds the rate {basis_points}")))
}

/// A small number for a column.
fn small(value: u32) -> i16 {
    i16::try_from(value).unwrap_or(i16::MAX)
}

/// A small count of a column that a check constraint keeps positive.
fn count(value: i16) -> u16 {
    value.unsigned_abs()
}
