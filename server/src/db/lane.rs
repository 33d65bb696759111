//! Connections that the most frequent statements keep for themselves.
//!
//! The pool asks every connection that comes back whether it is still whole: whoever held it may have been given up in the middle of an
//! answer. That is a second way to the database for a statement that is a whole transaction and needs one. Here a connection is kept only
//! after its answer was read to the end; one that was given up, or failed otherwise than by standing back for somebody, is closed.

use crate::error::{Error, Result};
use sqlx::{Connection, PgConnection, PgPool};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

use super::TRUSTED;

/// See the module.
pub struct Lane {
    pool: PgPool,
    /// Who may have a connection now.
    turns: Semaphore,
    /// How long somebody waits for a connection, all in all.
    patience: Duration,
    /// Whether statements wait for what others hold.
    waits: bool,
    /// The last one used is used next.
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

impl Lane {
    /// At most so many connections, made by the pool and not counted by it, each waited for so long at most.
    #[must_use]
    pub fn new(pool: PgPool, connections: usize, patience: Duration) -> Self {
        Self { pool, turns: Semaphore::new(connections), patience, waits: false, idle: Mutex::default() }
    }

    /// The same for transactions that wait for what others hold, as those of the pool do.
    #[must_use]
    pub fn waiting(pool: PgPool, connections: usize, patience: Duration) -> Self {
        Self { waits: true, ..Self::new(pool, connections, patience) }
    }

    /// Lends a connection for a transaction, which is committed if it comes to its end and else given up.
    ///
    /// # Errors
    /// As [`Self::lend`].
    pub async fn transact<T>(&self, ask: impl AsyncFnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let done = self.lend(async |db| {
            let mut tx = db.begin().await?;
            let answer = ask(&mut tx).await;
            // What was refused leaves the connection whole.
            match &answer {
                Ok(_) => tx.commit().await?,
                Err(_) => tx.rollback().await?,
            }
            Ok(answer)
        });
        done.await?
    }

    /// Lends a connection for statements that are read to their end, outside a transaction.
    ///
    /// # Errors
    /// When the database does not answer or no connection is free in time, and whatever the statements end with.
    pub async fn lend<T>(&self, ask: impl AsyncFnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let in_turn = async {
            // Never closed.
            let turn = self.turns.acquire().await;
            Ok::<_, Error>((turn, self.take().await?))
        };
        let waited = tokio::time::timeout(self.patience, in_turn).await;
        let (_turn, mut connection) = waited.unwrap_or(Err(Error::DatabaseDown(sqlx::Error::PoolTimedOut)))?;
        let answer = ask(&mut connection).await;
        // A statement that stood back for somebody ended by itself, and left the connection whole.
        if answer.as_ref().err().is_none_or(|error| error.is_held_by_another() || error.lost_a_race()) {
            self.idle().push((connection, Instant::now()));
        }
        answer
    }

    async fn take(&self) -> Result<PgConnection> {
        while !self.pool.is_closed() {
            let Some((mut connection, used)) = self.idle().pop() else { break };
            if used.elapsed() < TRUSTED || connection.ping().await.is_ok() {
                return Ok(connection);
            }
            // What ended this one ended the others: the database was started anew, or the way to it was cut.
            drop(std::mem::take(&mut *self.idle()));
        }
        let mut connection = self.pool.acquire().await?.detach();
        // These find single rows by their ids whatever they are asked with: planning them anew each time costs as much as half of the answer.
        sqlx::query!("set plan_cache_mode = force_generic_plan").execute(&mut connection).await?;
        // And a plan that was made while a table was nearly empty would read all of it for the rest of the evening.
        sqlx::query!("set enable_seqscan = off").execute(&mut connection).await?;
        if !self.waits {
            // Nobody stands in the lane for the sake of one order that somebody holds.
            sqlx::query!("set lock_timeout = '50ms'").execute(&mut connection).await?;
        }
        Ok(connection)
    }

    // Nothing panics while it holds this.
    fn idle(&self) -> MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
