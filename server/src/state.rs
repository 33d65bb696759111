//! What every request needs, made once at the start.

use crate::adapters::bus::Bus;
use crate::adapters::push::Push;
use crate::adapters::redis::Redis;
use crate::adapters::signer::Signer;
use crate::adapters::tpe::CardTerminal;
use crate::config::{Escalation, Pulse};
use crate::db::lane::Lane;
use crate::db::orders::Way;
use crate::jwt::Secret;
use crate::metrics::Metrics;
use crate::services::anchoring::Anchoring;
use crate::services::floor::Changed;
use crate::services::menu_cache::MenuCache;
use crate::services::printing::Printing;
use crate::services::querying::Watch;
use crate::services::self_check::Integrity;
use crate::services::together::Rounds;
use crate::services::verifying::Checks;
use crate::session_store::Store;
use crate::workers::outbox::Outbox;
use crate::workers::teller::Teller;
use domain::PaymentId;
use domain::fiscal::{CORE_VERSION, Identity};
use sqlx::PgPool;
use std::collections::HashSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// The number of this till on tickets. One establishment has one so far; the journal keeps a chain per register.
pub const REGISTER: &str = "01";

/// The running house.
pub struct House {
    /// Connections that work as `comptoir_app`.
    pub db: PgPool,
    /// Stores what is sent most: a further round for guests who are there.
    pub rounds: Arc<Rounds>,
    /// Stores what a kitchen system says of dishes. The pool hands out its connections in turn: a dish now and then met one
    /// that had never planned these statements, and came late.
    pub pass: Lane,
    /// Where payments go that find the bill as they saw it.
    pub till: Lane,
    /// Where attempts to charge a card begin and end.
    pub cards: Lane,
    /// Where is stored what happens to them meanwhile, and what their terminals say: never behind somebody who waits for an order.
    pub steps: Lane,
    /// How many payments did find it so.
    pub paid_unchanged: AtomicU64,
    /// Events to the open sockets.
    pub bus: Bus,
    /// What is counted while it runs.
    pub metrics: Metrics,
    /// Tells the phones what is stored.
    pub teller: Teller,
    /// Tells phones that sleep; none without a key to do so.
    pub push: Option<Arc<Push>>,
    /// What several processes share; none when this one is the only one.
    pub redis: Option<Redis>,
    /// How sockets are watched.
    pub pulse: Pulse,
    /// So many sockets read at once what their phones missed.
    pub catching_up: Semaphore,
    /// When others are told of a dish that waits.
    pub escalation: Escalation,
    /// What the kitchen system signs its words with.
    pub erp_secret: Option<Secret>,
    /// Tables to tell the screens about.
    pub changed: Arc<Changed>,
    /// The menu as last read.
    pub menu: MenuCache,
    /// Who is signed in.
    pub sessions: Store,
    /// How the kitchen is told.
    pub kitchen: Way,
    /// Tells the kitchen system; `None` with the built-in kitchen screen.
    pub outbox: Option<Arc<Outbox>>,
    /// The card terminal; none when it is not on the line.
    pub terminal: Option<Arc<dyn CardTerminal>>,
    /// What is known of its line.
    pub line: Watch,
    /// The printer of the till and its queue; none: browsers print.
    pub printing: Option<Arc<Printing>>,
    /// This process, as attempts to charge a card name it.
    pub worker: Arc<Worker>,
    /// A house that is shut no longer says that it lives.
    pub leaves: DropGuard,
    /// Requests that write. They go on when their client goes away, and are waited for when the server stops.
    pub writing: TaskTracker,
    /// The fiscal key.
    pub signer: Signer,
    /// Who of this process writes to the journal next.
    pub journal: Queue,
    /// Who sells: printed on every ticket.
    pub identity: Identity,
    /// What the last check of the journal found wrong.
    pub integrity: Integrity,
    /// Checks that somebody asks for.
    pub checks: Checks,
    /// Where closings are anchored.
    pub anchoring: Anchoring,
    /// The clock of the restaurant, an IANA name that PostgreSQL knows.
    pub zone: String,
    /// Everything goes to the training chain and is marked FORMATION.
    pub training: bool,
}

impl House {
    /// Slips may have been committed: tell the kitchen system now.
    pub fn wake_outbox(&self) {
        if let Some(outbox) = &self.outbox {
            outbox.wake();
        }
    }
}

/// Transactions of one process that are about to write to the journal line up here, in the order in which they came, and ask the database for its
/// lock one at a time: dozens that wait for one row there wake each other in vain. What keeps processes apart, and is relied on, is that
/// lock; whoever writes seldom asks for it without lining up.
#[derive(Debug, Default)]
pub struct Queue(Arc<tokio::sync::Mutex<()>>);

impl Queue {
    /// Waits for its turn.
    pub async fn turn(&self) -> Turn {
        Turn(Arc::clone(&self.0).lock_owned().await)
    }
}

/// A turn at the journal. Dropped after the commit.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held, not looked at")] tokio::sync::OwnedMutexGuard<()>);

/// A process that works on attempts to charge a card. Others see that it lives ([`crate::workers::attempts`]).
pub struct Worker {
    /// Drawn at random.
    pub id: i64,
    /// Cancelled when the process leaves: it then no longer says that it lives.
    pub leaving: CancellationToken,
    /// Attempts that a task of this process works on. What is stored as ours and is not among them was left behind.
    driven: Mutex<HashSet<PaymentId>>,
}

impl Worker {
    /// A process that has just begun.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { id: rand::random(), leaving: CancellationToken::new(), driven: Mutex::default() })
    }

    /// Takes an attempt in hand, until what comes back is dropped.
    #[must_use]
    pub fn drive(self: &Arc<Self>, attempt: PaymentId) -> Driving {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner).insert(attempt);
        Driving { worker: Arc::clone(self), attempt }
    }

    /// Whether some task works on an attempt.
    #[must_use]
    pub fn drives(&self, attempt: PaymentId) -> bool {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner).contains(&attempt)
    }
}

/// An attempt in somebody's hand.
pub struct Driving {
    worker: Arc<Worker>,
    /// The attempt.
    pub attempt: PaymentId,
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.worker.driven.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.attempt);
    }
}

/// As handlers hold it.
pub type Shared = Arc<House>;

/// Name and version of the product and of its fiscal core, as tickets and records carry them.
#[must_use]
pub fn software() -> String {
    format!("Comptoir {} (noyau fiscal {CORE_VERSION})", env!("CARGO_PKG_VERSION"))
}
