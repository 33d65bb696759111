//! Tells the kitchen system what was committed, until it has it.
//!
//! A slip is stored with the order, in one transaction. Here it is claimed (committed) → told (no transaction) → written down (committed).
//! A crash before the call, during it or after it leaves a claim that ends by itself; the next attempt carries the same key and the same
//! content, so that the kitchen, which knows keys, cooks once. Nothing is ever given up.
//!
//! - **In order.** A slip waits while an earlier one of its table or order is not delivered; other tables go on beside it.
//! - **Gently.** Attempts of one slip are 1, 2, 4 … 60 s apart. Five calls without an answer in a row, of whatever slips, open a breaker
//!   that all lanes of this process share: for half a minute nothing is called, then one call finds out.
//! - **Not held up for ever.** An answer that refuses a slip (4xx) says that the kitchen system lives and dislikes this one. After its third
//!   refusal later slips of the table may pass it. It is tried again at the slowest pace, and a removal of what it orders waits for it. From the
//!   first refusal on its lines and its table say so: somebody has to talk to the kitchen.

use crate::adapters::bus::{Audience, Bus};
use crate::adapters::erp::{KitchenSystem, Slip, SlipItem, Undelivered};
use crate::db;
use crate::db::outbox::{Claim, Item};
use crate::error::Result;
use crate::services::floor;
use domain::OrderId;
use domain::api::{Event, SentStatus};
use domain::backoff::{Backoff, WHOLE};
use domain::breaker::{Breaker, Patience, Permit, Phase};
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Tables that are told at the same time.
const LANES: usize = 8;
/// A claim outlives its call by so much: time to write down what became of it.
const TO_WRITE_IT_DOWN: Duration = Duration::from_secs(3);
/// No slip waits longer for its next attempt: one that would was postponed before the clock went back.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// A refused slip that was tried so often is tried at the slowest pace from then on.
const AT_LEISURE: u32 = 3;

/// How fast the kitchen system is called, and called again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// A call that takes longer is given up.
    pub timeout: Duration,
    /// Between the attempts of one slip.
    pub backoff: Backoff,
    /// When to leave the whole system alone.
    pub patience: Patience,
    /// How often we look for slips whose time has come, or that another process left behind.
    pub look_every: Duration,
}

impl Default for Pace {
    /// As the contract says.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            backoff: Backoff::KITCHEN,
            patience: Patience { failures: 5, pause: Duration::from_secs(30) },
            look_every: Duration::from_millis(500),
        }
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Told the kitchen of a slip, whatever it answered.
    Done,
    /// There was nothing to tell now, or the kitchen is not to be called now.
    Empty,
}

/// See the module. One per process.
pub struct Outbox {
    db: PgPool,
    bus: Bus,
    system: Arc<dyn KitchenSystem>,
    wait: Duration,
    pace: Pace,
    breaker: Mutex<Breaker>,
    /// What the breaker's time counts from.
    began: Instant,
    woken: Notify,
    /// Requests that wait for the first attempt of their slip.
    awaited: Mutex<HashMap<Uuid, oneshot::Sender<bool>>>,
}

impl Outbox {
    /// `wait` is how long the answer to an order waits for the kitchen's.
    #[must_use]
    pub fn new(db: PgPool, bus: Bus, system: Arc<dyn KitchenSystem>, wait: Duration, pace: Pace) -> Self {
        let breaker = Mutex::new(Breaker::new(pace.patience));
        Self { db, bus, system, wait, pace, breaker, began: Instant::now(), woken: Notify::new(), awaited: Mutex::default() }
    }

    /// Until it is asked to stop; then what is on its way is finished, and the rest waits for the next start.
    pub async fn run(self: Arc<Self>, stopping: CancellationToken) {
        let mut lanes = JoinSet::new();
        loop {
            while lanes.len() < LANES
                && let Some((claim, permit)) = self.take().await.unwrap_or_else(complain)
            {
                let outbox = Arc::clone(&self);
                lanes.spawn(async move { outbox.deliver(claim, permit).await.unwrap_or_else(complain) });
            }
            tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                Some(ended) = lanes.join_next() => if let Err(panic) = ended {
                    // Its claim ends by itself, and the slip comes again.
                    tracing::error!(%panic, "the delivery of a slip panicked");
                },
                () = self.woken.notified() => {}
                () = tokio::time::sleep(self.pace.look_every) => {}
            }
        }
        while lanes.join_next().await.is_some() {}
    }

    /// Tells the kitchen of one slip, if there is one whose turn it is.
    ///
    /// # Errors
    /// When the database does not answer. A slip that was claimed is then tried again when its claim ends.
    pub async fn step(&self) -> Result<Step> {
        let Some((claim, permit)) = self.take().await? else { return Ok(Step::Empty) };
        self.deliver(claim, permit).await?;
        Ok(Step::Done)
    }

    /// Something was committed: look now.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Whether the kitchen system is called at present.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.breaker().phase(self.began.elapsed())
    }

    /// Asks to be told of the first attempt of the slip with this key. Before the commit, so that no worker is faster.
    #[must_use]
    pub fn expect(&self, slip: Uuid) -> Awaited<'_> {
        let (sender, attempt) = oneshot::channel();
        self.awaited().insert(slip, sender);
        Awaited { outbox: self, slip, attempt }
    }

    /// The breaker is asked first: while it is open the database is left alone too.
    async fn take(&self) -> Result<Option<(Claim, Permit)>> {
        let Some(permit) = self.breaker().admit(self.began.elapsed()) else { return Ok(None) };
        match db::outbox::claim(&self.db, self.pace.timeout + TO_WRITE_IT_DOWN, LONGEST_PAUSE.max(2 * self.pace.backoff.longest)).await {
            Ok(Some(claim)) => Ok(Some((claim, permit))),
            nothing => {
                self.breaker().unused(permit);
                nothing.map(|_| None)
            }
        }
    }

    async fn deliver(&self, claim: Claim, permit: Permit) -> Result<()> {
        let items = db::outbox::items(&self.db, claim.id).await.inspect_err(|_| self.breaker().unused(permit))?;
        let answer = self.system.deliver(&write(&claim, &items)).await;
        self.judge(permit, &answer);
        match &answer {
            Ok(erp_order_id) => db::outbox::delivered(&self.db, claim.id, erp_order_id).await?,
            Err(why) => {
                let said = why.to_string();
                tracing::warn!(slip = claim.id, attempt = claim.attempt, why = said, "the kitchen system does not have a slip");
                let refused = matches!(why, Undelivered::Refused(_));
                let delay = if refused && claim.refusals + 1 >= AT_LEISURE { u32::MAX } else { claim.attempt };
                let delay = self.pace.backoff.delay(delay, rand::random_range(0..=WHOLE));
                db::outbox::postpone(&self.db, &claim, delay, refused, &said).await?;
            }
        }
        // Whoever waits for it hears before the screens do: the screens will ask for the order.
        if let Some(waiting) = self.awaited().remove(&claim.key) {
            let _ = waiting.send(answer.is_ok());
        }
        let is_refused = matches!(answer, Err(Undelivered::Refused(_)));
        let was_refused = claim.refusals > 0;
        if answer.is_ok() || (is_refused && !was_refused) {
            let mut orders: Vec<_> = items.iter().map(|item| item.order).collect();
            orders.dedup();
            for order_id in &orders {
                self.bus.send(Audience::House, Event::OrderChanged { order_id: *order_id });
            }
            if is_refused != was_refused {
                self.show_on_plan(&orders).await?;
            }
        }
        Ok(())
    }

    /// A table waits when the kitchen does not want what its guests ordered, until it does: whoever looks after it sees that without looking for it.
    async fn show_on_plan(&self, orders: &[OrderId]) -> Result<()> {
        if !self.bus.is_heard() {
            return Ok(());
        }
        let tables = db::floor::tables(&self.db, None).await?;
        for table in tables.iter().filter(|table| table.order_id.is_some_and(|order| orders.contains(&order))) {
            self.bus.send(Audience::House, floor::news_of(table));
        }
        Ok(())
    }

    fn judge(&self, permit: Permit, answer: &Result<String, Undelivered>) {
        let now = self.began.elapsed();
        let mut breaker = self.breaker();
        let before = breaker.phase(now);
        match answer {
            Err(Undelivered::Unanswered(_)) => breaker.failed(permit, now),
            Ok(_) | Err(Undelivered::Refused(_) | Undelivered::NotNow(_)) => breaker.answered(permit),
        }
        match (before, breaker.phase(now)) {
            (before, Phase::Open) if before != Phase::Open => {
                tracing::error!(pause_s = self.pace.patience.pause.as_secs(), "the kitchen system does not answer; slips wait");
            }
            (before, Phase::Closed) if before != Phase::Closed => tracing::info!("the kitchen system answers again"),
            _ => {}
        }
    }

    // Nothing panics while it holds one of these, and what they guard is whole after every line.
    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn awaited(&self) -> MutexGuard<'_, HashMap<Uuid, oneshot::Sender<bool>>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for its slip.
pub struct Awaited<'a> {
    outbox: &'a Outbox,
    slip: Uuid,
    attempt: oneshot::Receiver<bool>,
}

impl Awaited<'_> {
    /// What is known of the slip after its first attempt, or after the wait. A kitchen that is not called at present is not waited for.
    pub async fn status(mut self) -> SentStatus {
        let told = if self.outbox.phase() == Phase::Open {
            false
        } else {
            match tokio::time::timeout(self.outbox.wait, &mut self.attempt).await {
                Ok(Ok(told)) => told,
                // Another process may have told the kitchen.
                Ok(Err(_)) | Err(_) => db::outbox::is_sent_by_key(&self.outbox.db, self.slip).await.unwrap_or(false),
            }
        };
        if told { SentStatus::Sent } else { SentStatus::PendingErp }
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.outbox.awaited().remove(&self.slip);
    }
}

/// What the database could not do now is done when it answers again; until then there is nothing to do.
fn complain<T: Default>(error: crate::error::Error) -> T {
    tracing::warn!(%error, "the outbox cannot read or write; it looks again soon");
    T::default()
}

/// The slip as the kitchen reads it: what was chosen comes before what was typed.
fn write(claim: &Claim, items: &[Item]) -> Slip {
    let item = |item: &Item| {
        let said: Vec<&str> = item.options.iter().map(|option| option.choice.as_str()).chain(item.note.as_deref()).collect();
        SlipItem { line_id: item.line, dish: item.name.clone(), qty: item.qty, note: (!said.is_empty()).then(|| said.join(", ")) }
    };
    let items = items.iter().map(item).collect();
    Slip { key: claim.key, order_id: claim.order, table_id: claim.table, round: claim.round, items }
}
