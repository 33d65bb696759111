//! Opening and shutting the house.
//!
//! Database → schema → fiscal key → demo, if asked for → sockets. And in the other direction when it is asked to stop: no new requests, let
//! the running ones finish, then the database that we started ourselves.

use crate::adapters::bus::Bus;
use crate::adapters::conduit::Conduit;
use crate::adapters::erp::HttpKitchen;
use crate::adapters::printer::Printer;
use crate::adapters::push::Push;
use crate::adapters::redis::Redis;
use crate::adapters::signer::Signer;
use crate::adapters::tpe;
use crate::cluster::{Cluster, Durability};
use crate::config::{Config, Terminal};
use crate::db;
use crate::db::lane::Lane;
use crate::db::orders::Way;
use crate::http::ws::Stopping;
use crate::listening::{self, Limits};
use crate::metrics::Metrics;
use crate::router::{for_watchers, router};
use crate::services::anchoring::{self, Anchoring};
use crate::services::floor::{Changed, announce_changes};
use crate::services::menu_cache::MenuCache;
use crate::services::printing::Printing;
use crate::services::querying::Watch;
use crate::services::self_check::Integrity;
use crate::services::signing_in::hash_pin;
use crate::services::together::Rounds;
use crate::services::verifying::Checks;
use crate::services::witnessing::Ear;
use crate::services::{recording, recovering, starting};
use crate::session_store::Store;
use crate::state::{House, Queue, Shared, Worker};
use crate::workers;
use crate::workers::outbox::Outbox;
use crate::workers::supervised;
use crate::workers::teller::Teller;
use anyhow::Context;
use domain::Role;
use domain::fiscal::{EventCode, Identity};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use unicode_normalization::UnicodeNormalization;

/// Connections to the database of one process.
const CONNECTIONS: u32 = 16;
/// Connections beside them for further rounds, each with a hand that stores what waits. One on a busy machine with two processors: 0.71, 0.76 and
/// 0.84 of what `pgbench` did in the same run with 1, 8 and 32 clients; two: 0.38, 0.65 and 0.42; 24, each storing one by one: 0.60, 0.48 and 0.58.
const ROUNDS_AT_ONCE: usize = 1;
/// Connections beside them for what a kitchen system says of dishes. Numbers are given one after the other; a second one reads meanwhile.
const DISHES_AT_ONCE: usize = 2;
/// Attempts to charge a card that begin or end at once: none holds a connection while its terminal thinks.
const CARDS_AT_ONCE: usize = 4;
/// What happens to them meanwhile, one statement each.
const STEPS_AT_ONCE: usize = 2;
/// Payments that find everything as they saw it: they take turns at the journal.
const PAYMENTS_AT_ONCE: usize = 1;
/// Phones that read at once what they missed: half of the connections are left to whoever sells.
const CATCHING_UP: usize = CONNECTIONS as usize / 2;
/// One more counts the processes, and one watches the way to a database that is not ours. Two processes, and whoever looks after the database beside them, fit into what PostgreSQL lets in unless it is
/// told otherwise (100, three of them its owner's).
const _: () = assert!(2 * (CONNECTIONS as usize + BESIDE + 2) <= 90);
/// In lanes of their own.
const BESIDE: usize = ROUNDS_AT_ONCE + DISHES_AT_ONCE + CARDS_AT_ONCE + STEPS_AT_ONCE + PAYMENTS_AT_ONCE;
/// Connections to `METRICS_ADDR` at once, far more than programs watch a till.
const WATCHERS: usize = 16;
/// How long running requests may take once the server was asked to stop.
const LAST_ORDERS: Duration = Duration::from_secs(10);
/// How often what has expired is forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// The PIN of everybody in the demo restaurant.
const DEMO_PIN: &str = "1234";
/// Who works in the demo restaurant, in the order of their numbers.
const DEMO_USERS: [(&str, &str, Role); 6] = [
    ("alice", "Alice", Role::Serveur),
    ("bob", "Bob", Role::Serveur),
    ("charlie", "Charlie", Role::Serveur),
    ("camille", "Camille", Role::Caissier),
    ("gerant", "Gérant", Role::Admin),
    ("audit", "Audit", Role::Auditeur),
];

/// A database that answers, with its schema up to date.
pub struct Database {
    /// How to reach it.
    pub options: PgConnectOptions,
    cluster: Option<Cluster>,
}

impl Database {
    /// Finds the database of this configuration, or starts the one in its data folder.
    ///
    /// # Errors
    /// One line that says what to do.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        match &config.database {
            Some(options) => Ok(Self { options: options.clone(), cluster: None }),
            None => Ok(Self::of(Cluster::start(&config.data, Durability::Full).await?)),
        }
    }

    /// Finds the database of this configuration; one in the data folder must be there already.
    ///
    /// # Errors
    /// One line that says what to do.
    pub async fn open_existing(config: &Config) -> anyhow::Result<Self> {
        match &config.database {
            Some(options) => Ok(Self { options: options.clone(), cluster: None }),
            None => Ok(Self::of(Cluster::start_existing(&config.data, Durability::Full).await?)),
        }
    }

    fn of(cluster: Cluster) -> Self {
        Self { options: cluster.connect_options(), cluster: Some(cluster) }
    }

    /// How the till reaches it, once the schema is up to date: in a cluster of its own as somebody who is nothing but the till. Elsewhere whoever the
    /// configuration names only acts as that.
    #[must_use]
    pub fn till(&self) -> PgConnectOptions {
        if self.cluster.is_some() { self.options.clone().username(db::TILL) } else { self.options.clone() }
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        db::migrate(&self.options).await.context(match self.cluster {
            Some(_) => "the database in the data folder refuses the schema",
            None => "DATABASE_URL: cannot bring the schema up to date",
        })
    }

    /// Where a client program of the database is; `None` when the database is not ours.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        self.cluster.as_ref().map(|cluster| cluster.program(name))
    }

    /// Stops the database if it is ours and we started it.
    pub async fn close(self) {
        if let Some(cluster) = self.cluster
            && let Err(error) = cluster.stop().await
        {
            tracing::error!(%error, "the database did not stop cleanly; it will recover at the next start");
        }
    }
}

/// `comptoir migrate`
///
/// # Errors
/// One line that says what to do.
pub async fn migrate(config: Config) -> anyhow::Result<()> {
    let database = Database::open(&config).await?;
    let done = database.migrate().await;
    database.close().await;
    done
}

/// `comptoir demo`
///
/// # Errors
/// When the house is not empty, or the database refuses.
pub async fn demo(config: Config) -> anyhow::Result<()> {
    let database = Database::open(&config).await?;
    let done = async {
        database.migrate().await?;
        let pool = db::connect(database.till(), 1).await?;
        anyhow::ensure!(load_demo(&pool).await?, "somebody works here already: the demo restaurant is loaded into an empty database only");
        pool.close().await;
        Ok(())
    }
    .await;
    database.close().await;
    done
}

/// Loads the demo restaurant into an empty house; false when the house is not empty.
///
/// # Errors
/// When the database refuses; nothing of it stays then.
pub async fn load_demo(pool: &PgPool) -> anyhow::Result<bool> {
    let mut tx = pool.begin().await?;
    if !db::demo::house_is_empty(&mut tx).await? {
        return Ok(false);
    }
    for (id, (username, name, role)) in (1..).zip(DEMO_USERS) {
        db::demo::add_user(&mut tx, id, username, name, role, &hash_pin(DEMO_PIN).await?).await?;
    }
    db::demo::load(&mut tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// The same house for one act of the command line: what is connected to it belongs to whoever serves.
#[must_use]
pub fn without_devices(config: &Config) -> Config {
    Config { terminal: Terminal::Manual, printer: None, erp: None, fiscal_anchors_mail: None, ..config.clone() }
}

/// Makes the running house out of its parts.
///
/// # Errors
/// One line that says what to do.
pub async fn open_house(config: &Config, pool: PgPool) -> anyhow::Result<Shared> {
    let journal_is_empty = db::journal::is_empty(&pool).await?;
    let key_file = config.fiscal_key_file.clone();
    let signer = tokio::task::spawn_blocking(move || Signer::open(&key_file, journal_is_empty)).await??;
    let current = db::journal::current_key(&pool).await?;
    let signer = finish_rotation(signer, current.as_deref(), &config.fiscal_key_file)?;
    anyhow::ensure!(
        current.as_ref().is_none_or(|key_id| key_id == signer.key_id()),
        "FISCAL_KEY_FILE: {} is not the key that this journal is signed with; put back the file that belongs to this database",
        config.fiscal_key_file.display()
    );
    db::journal::remember_key(&pool, signer.key_id(), signer.public_key_pem(), None).await?;
    let mut connection = pool.acquire().await?;
    db::journal::local_now(&mut connection, &config.time_zone).await.map_err(|_| {
        anyhow::anyhow!("COMPTOIR_TZ: PostgreSQL does not know the time zone {}; give an IANA name such as Europe/Paris", config.time_zone)
    })?;
    drop(connection);
    let bus = Bus::default();
    let outbox = match &config.erp {
        None => None,
        Some(erp) => {
            let system = HttpKitchen::new(erp.orders.clone(), erp.pace.timeout, erp.ca_file.as_deref()).context("ERP_CA_FILE")?;
            Some(Arc::new(Outbox::new(pool.clone(), bus.clone(), Arc::new(system), erp.wait, erp.pace)))
        }
    };
    let redis = config.redis.clone().map(Redis::open).transpose().context("REDIS_URL: not usable")?;
    let terminal = tpe::connect(&config.terminal).await.context("TPE_URL: the simulated terminal cannot listen")?;
    let worker = Worker::new();
    let options = (*pool.connect_options()).clone();
    let alive = workers::attempts::announce(&options, worker.id).await?;
    tokio::spawn(workers::attempts::stay_alive(alive, options, Arc::clone(&worker)));
    let changed = Arc::new(Changed::default());
    let kitchen = Way { is_built_in: outbox.is_none(), with_drinks: config.erp.as_ref().is_some_and(|erp| erp.with_drinks) };
    let house = Arc::new(House {
        changed: Arc::clone(&changed),
        metrics: Metrics::default(),
        menu: MenuCache::new(redis.clone()),
        rounds: Rounds::new(Lane::new(pool.clone(), ROUNDS_AT_ONCE, db::ACQUIRE), kitchen, ROUNDS_AT_ONCE, 2 * db::ACQUIRE),
        pass: Lane::new(pool.clone(), DISHES_AT_ONCE, db::ACQUIRE),
        till: Lane::new(pool.clone(), PAYMENTS_AT_ONCE, db::ACQUIRE),
        cards: Lane::waiting(pool.clone(), CARDS_AT_ONCE, db::ACQUIRE),
        steps: Lane::waiting(pool.clone(), STEPS_AT_ONCE, db::ACQUIRE),
        paid_unchanged: AtomicU64::new(0),
        sessions: Store::new(pool.clone(), redis.clone(), bus.clone()),
        teller: Teller::after(db::pass::last_number(&pool).await?),
        redis,
        push: config.push.clone().map(|push| Arc::new(Push::new(push.vapid, push.services, push.after))),
        pulse: config.pulse,
        catching_up: Semaphore::new(CATCHING_UP),
        escalation: config.escalation,
        erp_secret: config.erp_secret.clone(),
        db: pool,
        bus,
        kitchen,
        outbox,
        terminal,
        line: Watch::default(),
        printing: config.printer.clone().map(|printer| Printing::new(Printer::new(printer))),
        writing: TaskTracker::new(),
        leaves: worker.leaving.clone().drop_guard(),
        worker,
        signer,
        journal: Queue::default(),
        identity: identity(&config.establishment)?,
        integrity: Integrity::default(),
        checks: Checks::default(),
        anchoring: Anchoring::new(config.fiscal_anchors.clone(), config.fiscal_anchors_mail.as_ref()).context("FISCAL_ANCHORS_MAIL")?,
        zone: config.time_zone.clone(),
        training: config.training,
    });
    let announced = Arc::downgrade(&house);
    tokio::spawn(supervised("announcer", move || announce_changes(Weak::clone(&announced), Arc::clone(&changed))));
    // Before the first request: what an earlier process left behind keeps its share locked, and says so. What cannot be read stops nothing.
    recovering::recover(&house).await;
    let tended = Arc::downgrade(&house);
    tokio::spawn(supervised("attempts", move || workers::attempts::tend(Weak::clone(&tended))));
    if let Some(terminal) = &house.terminal {
        terminal.attend(Arc::new(Ear(Arc::downgrade(&house))));
    }
    Ok(house)
}

/// A key that was announced but not yet put in its place when the process ended is put there now.
fn finish_rotation(signer: Signer, current: Option<&str>, path: &Path) -> anyhow::Result<Signer> {
    let next = path.with_extension("next.pem");
    if current.is_none_or(|current| current == signer.key_id()) || !next.exists() {
        return Ok(signer);
    }
    if current != Some(Signer::open(&next, false)?.key_id()) {
        return Ok(signer);
    }
    signer.take_over(path, &next)?;
    Signer::open(path, false)
}

/// The settings that decide how sales are recorded, for the technical journal. None of them holds a secret.
fn settings(config: &Config) -> Vec<(&'static str, String)> {
    let printer = if config.printer.is_some() { "oui" } else { "non" };
    vec![("time_zone", config.time_zone.clone()), ("terminal", config.terminal.kind().to_owned()), ("printer", printer.to_owned())]
}

async fn say_stopped(house: &House) -> crate::error::Result<()> {
    let mut tx = house.db.begin().await?;
    recording::event(house, &mut tx, EventCode::Stopped, "", []).await?;
    tx.commit().await?;
    Ok(())
}

/// Who sells, as a file says it. Without one, tickets carry the demo restaurant's name, which says what it is.
fn identity(path: &Path) -> anyhow::Result<Identity> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), "nobody says who sells: tickets carry the name of the demo restaurant");
            return Ok(demo_identity());
        }
        Err(error) => return Err(error).with_context(|| format!("ESTABLISHMENT_FILE: cannot read {}", path.display())),
    };
    let text: String = text.nfc().collect();
    let identity: Identity = serde_json::from_str(&text).with_context(|| format!("ESTABLISHMENT_FILE: {}", path.display()))?;
    identity.check().with_context(|| format!("ESTABLISHMENT_FILE: {}", path.display()))?;
    Ok(identity)
}

fn demo_identity() -> Identity {
    Identity {
        name: "Le Comptoir de démonstration".to_owned(),
        address: vec!["12 rue de la Carafe".to_owned(), "75011 Paris".to_owned(), "France".to_owned()],
        siret: "00000000000000".to_owned(),
        naf: "5610A".to_owned(),
        vat_no: "FR00000000000".to_owned(),
    }
}

/// `comptoir serve`: until `shutdown` resolves.
///
/// # Errors
/// One line that says what to do: a port in use, a database that refuses, a wrong variable.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    // First, because it is what most often goes wrong and takes no time to find out.
    let listener = TcpListener::bind(config.addr)
        .await
        .with_context(|| format!("COMPTOIR_ADDR: cannot listen on {}; is another till running?", config.addr))?;
    let watchers = match config.metrics_addr {
        None => None,
        Some(addr) => {
            let bound = TcpListener::bind(addr).await;
            Some(bound.with_context(|| format!("METRICS_ADDR: cannot listen on {addr}; does something else already?"))?)
        }
    };
    let mut shutdown = Box::pin(shutdown);
    let database = tokio::select! {
        opened = Database::open(&config) => opened?,
        // Asked to stop before it began. A database that was being started goes on, and the next start finds it.
        () = &mut shutdown => return Ok(()),
    };
    let done = serve_with(&config, &database, listener, watchers, shutdown).await;
    database.close().await;
    done
}

async fn serve_with(
    config: &Config,
    database: &Database,
    listener: TcpListener,
    watchers: Option<TcpListener>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    database.migrate().await?;
    let (conduit, till) = Conduit::lay(database.till()).context("TMPDIR: no socket can be made in it")?;
    let pool = db::connect(till.clone(), CONNECTIONS).await?;
    if config.demo && load_demo(&pool).await? {
        tracing::info!("loaded the demo restaurant");
    }
    let house = open_house(config, pool.clone()).await?;
    let sessions = house.sessions.clone();
    if !sessions.redis_answers().await {
        tracing::error!("REDIS_URL: Redis does not answer; going on without it until it does");
    }

    let closings = anchoring::before_the_first_record(&house).await?;
    anyhow::ensure!(
        closings == 0,
        "the journal is empty, but {} names {closings} closings that were written into another database. Restore its backup (comptoir restore); to begin \
         a new journal on purpose, put that file away first and keep it",
        house.anchoring.file.display()
    );
    if let Err(error) = anchoring::reach(&house) {
        // A disk that is not plugged in closes no till.
        let path = house.anchoring.file.display();
        tracing::warn!(%path, %error, "FISCAL_ANCHORS: the file cannot be written; closings are anchored once it can");
    }
    if let Err(error) = starting::say_started(&house, settings(config)).await {
        // Selling does not wait for it; the check of the journal says what is wrong.
        tracing::error!(%error, "the start is not in the technical journal");
    }
    let stopping = CancellationToken::new();
    let closed = CancellationToken::new();
    let kitchen = tokio::spawn(tell_kitchen(Arc::clone(&house), closed.clone()));
    let mut working = workers::keep_telling(&house, &stopping);
    let with = (Arc::clone(&house), stopping.clone());
    working.spawn(supervised("sweeper", move || sweep(Arc::clone(&with.0), with.1.clone())));
    let with = (Arc::clone(&house), stopping.clone());
    working.spawn(supervised("printer", move || workers::printing::tend(Arc::clone(&with.0), with.1.clone())));
    let with = (Arc::clone(&house), stopping.clone());
    working.spawn(supervised("menu", move || workers::menu::tend(Arc::clone(&with.0), with.1.clone())));
    let with = (Arc::clone(&house), stopping.clone());
    working.spawn(supervised("menu channel", move || workers::menu::listen(Arc::clone(&with.0), with.1.clone())));
    let with = (Arc::clone(&house), stopping.clone());
    working.spawn(supervised("journal", move || workers::fiscal::tend(Arc::clone(&with.0), with.1.clone())));
    let with = (Arc::clone(&house), stopping.clone());
    working.spawn(supervised("anchors", move || workers::fiscal::mail_anchors(Arc::clone(&with.0), with.1.clone())));
    let with = (Arc::clone(&house), stopping.clone());
    working.spawn(supervised("clock", move || workers::fiscal::watch_clock(Arc::clone(&with.0), with.1.clone())));
    let with = (Arc::clone(&house), stopping.clone());
    working.spawn(supervised("parts", move || workers::fiscal::watch_parts(Arc::clone(&with.0), with.1.clone())));
    if let Some(conduit) = &conduit {
        let with = (Arc::clone(conduit), till, stopping.clone());
        working.spawn(supervised("way to the database", move || workers::way::watch(Arc::clone(&with.0), with.1.clone(), with.2.clone())));
    }
    if let Some(watchers) = watchers {
        let limits = Limits { most_connections: WATCHERS, most_of_one: WATCHERS / 4, ..Limits::default() };
        let service = for_watchers(Arc::clone(&house), sessions.clone());
        working.spawn(listening::serve(watchers, service, limits, stopping.clone()));
    }
    let service = router(Arc::clone(&house), sessions, Stopping(stopping.clone()));
    announce(config, &house);

    let server = tokio::spawn(listening::serve(listener, service, Limits::of_this_process(), stopping.clone()));
    shutdown.await;
    stopping.cancel();
    match tokio::time::timeout(LAST_ORDERS, server).await {
        Ok(ended) => ended?,
        Err(_) => tracing::warn!("gave up on requests that did not end"),
    }
    house.writing.close();
    if tokio::time::timeout(LAST_ORDERS, house.writing.wait()).await.is_err() {
        tracing::warn!("gave up on writes whose clients were gone");
    }
    // After the last request, so that its slip still finds somebody to deliver it.
    closed.cancel();
    kitchen.await?;
    while let Some(ended) = working.join_next().await {
        ended?;
    }
    if let Err(error) = say_stopped(&house).await {
        tracing::warn!(%error, "the stop is not in the technical journal");
    }
    house.worker.leaving.cancel();
    pool.close().await;
    // Everything above still went over it.
    drop(conduit);
    Ok(())
}

/// Tells the kitchen what is committed, until the server stops.
pub async fn tell_kitchen(house: Shared, stopping: CancellationToken) {
    if let Some(outbox) = &house.outbox {
        return supervised("outbox", || Arc::clone(outbox).run(stopping.clone())).await;
    }
    match db::outbox::leave_to_screen(&house.db).await {
        Ok(0) => {}
        Ok(slips) => tracing::warn!(slips, "ERP_URL was taken away: what the kitchen system had not taken is on the built-in screen"),
        Err(error) => tracing::warn!(%error, "slips of an earlier kitchen system still say that they wait"),
    }
}

/// Forgets what has expired, until the server stops.
async fn sweep(house: Shared, stopping: CancellationToken) {
    let mut tick = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = tick.tick() => {}
        }
        let pool = &house.db;
        let answers = db::idempotency::forget_old(pool).await.map(drop);
        let peers = db::sign_in_peers::forget_old(pool).await;
        for swept in [db::sessions::delete_expired(pool).await, peers, answers] {
            if let Err(error) = swept {
                tracing::warn!(%error, "sweep failed; it will be tried again");
            }
        }
    }
}

/// Tells whoever started us where to go.
#[expect(clippy::print_stdout, reason = "the person who typed `make run` reads this, whatever RUST_LOG says")]
fn announce(config: &Config, house: &House) {
    println!("Comptoir is serving on http://{}", config.addr);
    if config.demo {
        let names = DEMO_USERS.map(|(username, ..)| username).join(", ");
        println!("Demo sign-ins: {names} (PIN {DEMO_PIN} each)");
    }
    if house.training {
        println!("Training mode: everything is recorded on the training chain and marked FORMATION.");
    } else {
        println!(
            "Tickets carry the demo restaurant's name and SIRET: this version has no settings for an establishment. Not for real sales."
        );
    }
}
