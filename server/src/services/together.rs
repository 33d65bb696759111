//! Rounds that are sent while others are being stored are stored together.
//!
//! A commit waits for the disk, and a statement costs the database as much for one round as for a few. So only a few hands store rounds: whoever
//! finds one free stores at once, by itself; whoever does not is taken along by the next hand that is free, with everybody else who waits. Each
//! gets an end of its own, and one that could not be stored with the others (its order was held by somebody, or its id was used at the same
//! moment) goes the long way by itself, as if it had come alone.

use crate::db::lane::Lane;
use crate::db::orders::Way;
use crate::db::rounds::{Kept, NewRound, Stored, To, add_round, add_rounds};
use crate::error::{Error, Result};
use domain::api::SentStatus;
use domain::order::PricedLine;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use uuid::Uuid;

/// What one statement stores at most: what waits longer is then stored sooner than with one long statement.
const MOST: usize = 16;

/// Stores rounds. See the module.
pub struct Rounds {
    lane: Lane,
    way: Way,
    hands: usize,
    /// How long somebody waits for a hand and its answer, all in all.
    patience: Duration,
    desk: Mutex<Desk>,
    /// How many were stored in one statement, and how many of them with others.
    stored: AtomicU64,
    together: AtomicU64,
}

/// What waits, and how many hands are at work. While anything waits, all are.
#[derive(Default)]
struct Desk {
    waiting: VecDeque<Waiting>,
    busy: usize,
}

/// A round that waits.
struct Waiting {
    to: To,
    lines: Vec<PricedLine>,
    slip: Uuid,
    status: SentStatus,
    request: Option<(Uuid, Vec<u8>)>,
    covers: Option<u16>,
    kept: Option<Kept>,
    answer: oneshot::Sender<Result<Stored>>,
}

impl Waiting {
    fn round(&self) -> NewRound<'_> {
        let request = self.request.as_ref().map(|(key, digest)| (*key, digest.as_slice()));
        NewRound { lines: &self.lines, slip: self.slip, status: self.status, request, covers: self.covers, kept: self.kept }
    }
}

impl Rounds {
    /// So many hands; the lane has a connection for each.
    #[must_use]
    pub fn new(lane: Lane, way: Way, hands: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self { lane, way, hands, patience, desk: Mutex::default(), stored: AtomicU64::new(0), together: AtomicU64::new(0) })
    }

    /// How many rounds were stored here so far, each in one statement.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// How many of them were stored with others.
    #[must_use]
    pub fn stored_together(&self) -> u64 {
        self.together.load(Ordering::Relaxed)
    }

    /// Stores a round, alone or with others.
    ///
    /// # Errors
    /// When the database does not answer in time. Whether it was stored is then unknown: the same request again, under the same id, says it.
    pub async fn add(self: &Arc<Self>, to: To, round: &NewRound<'_>) -> Result<Stored> {
        let answer = {
            let mut desk = self.desk();
            if desk.busy < self.hands {
                desk.busy += 1;
                None
            } else {
                let (sender, receiver) = oneshot::channel();
                desk.waiting.push_back(Waiting {
                    to,
                    lines: round.lines.to_vec(),
                    slip: round.slip,
                    status: round.status,
                    request: round.request.map(|(key, digest)| (key, digest.to_vec())),
                    covers: round.covers,
                    kept: round.kept,
                    answer: sender,
                });
                Some(receiver)
            }
        };
        match answer {
            None => {
                let _hand = Hand(self);
                self.alone(to, round).await
            }
            Some(answer) => {
                let answered = tokio::time::timeout(self.patience, answer).await;
                answered.ok().and_then(std::result::Result::ok).unwrap_or_else(|| Err(no_answer()))
            }
        }
    }

    /// Stores what waits until nothing does.
    async fn work(self: Arc<Self>) {
        let _hand = Hand(&self);
        loop {
            let batch = self.desk().next();
            if batch.is_empty() {
                return;
            }
            self.store(batch).await;
        }
    }

    async fn store(&self, batch: Vec<Waiting>) {
        if batch.len() > 1 {
            let rounds: Vec<(To, NewRound<'_>)> = batch.iter().map(|waiting| (waiting.to, waiting.round())).collect();
            let stored = self.lane.lend(async |db| add_rounds(db, self.way, &rounds).await).await;
            drop(rounds);
            match stored {
                Ok(Some(stored)) => {
                    let rounds = stored.iter().filter(|stored| matches!(stored, Stored::Round(_))).count() as u64;
                    self.stored.fetch_add(rounds, Ordering::Relaxed);
                    self.together.fetch_add(rounds, Ordering::Relaxed);
                    for (waiting, stored) in batch.into_iter().zip(stored) {
                        // Whoever gave up asks again under the same id.
                        let _ = waiting.answer.send(Ok(stored));
                    }
                    return;
                }
                // What one of them ran into must not be the others' end.
                Ok(None) => {}
                Err(error) => {
                    // They may be stored: nobody tries again but whoever sent them, under the same id.
                    tracing::warn!(%error, rounds = batch.len(), "not known whether rounds are stored");
                    for waiting in batch {
                        let _ = waiting.answer.send(Err(no_answer()));
                    }
                    return;
                }
            }
        }
        for waiting in batch {
            let stored = self.alone(waiting.to, &waiting.round()).await;
            let _ = waiting.answer.send(stored);
        }
    }

    /// One by itself. Its order may be held by somebody (a payment, a move to another table): then it waits elsewhere, where nobody stands behind it.
    async fn alone(&self, to: To, round: &NewRound<'_>) -> Result<Stored> {
        match self.lane.lend(async |db| add_round(db, self.way, to, round).await).await {
            Ok(Stored::Round(round)) => {
                self.stored.fetch_add(1, Ordering::Relaxed);
                Ok(Stored::Round(round))
            }
            Err(error) if error.is_held_by_another() => Ok(Stored::Not),
            other => other,
        }
    }

    // Nothing panics while it holds this.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_answer() -> Error {
    Error::DatabaseDown(sqlx::Error::PoolTimedOut)
}

impl Desk {
    /// What can be stored together: at most one round for each order or table.
    fn next(&mut self) -> Vec<Waiting> {
        let mut batch: Vec<Waiting> = Vec::new();
        let mut left = VecDeque::new();
        while let Some(waiting) = self.waiting.pop_front() {
            if batch.len() < MOST && batch.iter().all(|other| !other.to.is_same_place(&waiting.to)) {
                batch.push(waiting);
            } else {
                left.push_back(waiting);
            }
        }
        self.waiting = left;
        batch
    }
}

/// A hand at work. Put down, it works on while anything waits: also when whoever held it was given up.
struct Hand<'a>(&'a Arc<Rounds>);

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        let mut desk = self.0.desk();
        if desk.waiting.is_empty() {
            desk.busy -= 1;
        } else {
            tokio::spawn(Arc::clone(self.0).work());
        }
    }
}
