//! PostgreSQL, started and looked after by comptoir itself.
//!
//! A restaurant has no database administrator. Without `DATABASE_URL` the till therefore keeps a private cluster in its data folder:
//! it creates it, starts it, restarts it when it dies, and stops it when the last process that uses it ends.
//!
//! - **Private.** It listens on a Unix socket in a folder of mode 0700 and on no network address.
//! - **Unprivileged.** Started as root, it runs as another account.
//! - **Hard to break.** `initdb` works in a folder that is renamed when whole. A till killed with `kill -9` leaves PostgreSQL running,
//!   and the next start adopts it; a PostgreSQL killed with `kill -9` recovers by its own log when it is started again.
//! - **Shared.** Several processes on one data folder use one cluster. Each holds a shared lock while it runs; the one that finds itself
//!   alone at its end stops the server. Starting and stopping exclude each other by a second lock.

mod account;
mod error;
mod place;
mod postmaster;
mod programs;
mod watchdog;

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use error::ClusterError;
pub use programs::MINIMUM_VERSION;

use account::Account;
use place::Place;
use postmaster::{Launcher, Postmaster};
use programs::Programs;
use watchdog::Watchdog;

/// The superuser and the database of every cluster.
const NAME: &str = "comptoir";

/// How long a starting server may take. Crash recovery on a slow disk is the long case.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: what was committed is on the disk.
    Full,
    /// Everything. For tests: fast, and the server ends and removes its files, and its data folder, when the process that started it ends,
    /// however it ends.
    Throwaway,
}

/// A running cluster, kept running until [`Cluster::stop`].
#[derive(Debug)]
pub struct Cluster {
    launcher: Launcher,
    /// Held shared: says to other processes that the server is in use.
    users: File,
    stopping: CancellationToken,
    supervisor: JoinHandle<Postmaster>,
    /// Present for throwaway clusters.
    watchdog: Option<Watchdog>,
}

impl Cluster {
    /// Starts the cluster of a data folder, creating both when they do not exist, or adopts it when it is running already.
    ///
    /// # Errors
    /// Says in one line what is missing or what the server complained about.
    pub async fn start(data_dir: &Path, durability: Durability) -> Result<Self, ClusterError> {
        let account = Account::choose(data_dir)?;
        let place = Place::choose(data_dir, &account)?;
        let starting = place.lock().await?;
        let programs = Programs::find(place.version())?;
        let launcher = Launcher { account, place, programs, durability };

        launcher.create_if_missing().await?;
        let postmaster = launcher.start_or_adopt().await?;
        create_database(&launcher).await?;

        // Before others may start or stop, they must see that we use the server.
        let users = launcher.place.users()?;
        users.lock_shared().map_err(|source| ClusterError::folder(launcher.place.root(), source))?;
        let watchdog = match durability {
            Durability::Full => None,
            Durability::Throwaway => Some(Watchdog::arm(&launcher.place)?),
        };
        drop(starting);

        let stopping = CancellationToken::new();
        let supervisor = tokio::spawn(supervise(launcher.clone(), postmaster, stopping.clone()));
        Ok(Self { launcher, users, stopping, supervisor, watchdog })
    }

    /// The same for a data folder that has a cluster already: who checks or saves what is there must not find something empty instead.
    ///
    /// # Errors
    /// [`ClusterError::Missing`], and as [`Cluster::start`].
    pub async fn start_existing(data_dir: &Path, durability: Durability) -> Result<Self, ClusterError> {
        if !Place::is_taken(data_dir, &Account::choose(data_dir)?)? {
            return Err(ClusterError::Missing { data_dir: data_dir.to_path_buf() });
        }
        Self::start(data_dir, durability).await
    }

    /// How to reach the database `comptoir` as its owner.
    #[must_use]
    pub fn connect_options(&self) -> PgConnectOptions {
        options(&self.launcher.place, NAME)
    }

    /// The program of that name that belongs to the server.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.launcher.programs.path(name)
    }

    /// Stops the server, unless another process still uses it: running transactions are rolled back, everything committed is written
    /// down, and the files are left as after a clean end.
    ///
    /// # Errors
    /// When the server does not end in time; it then goes on running and the next start adopts it.
    pub async fn stop(self) -> Result<(), ClusterError> {
        self.stopping.cancel();
        let postmaster = self.supervisor.await.map_err(|_| ClusterError::Supervision)?;
        let _exclusive = self.launcher.place.lock().await?;
        if let Some(watchdog) = self.watchdog {
            watchdog.disarm().await;
        }
        self.users.unlock().map_err(|source| ClusterError::folder(self.launcher.place.root(), source))?;
        if self.users.try_lock().is_err() {
            tracing::info!("PostgreSQL stays up: another process uses it");
            return Ok(());
        }
        self.launcher.stop(postmaster).await
    }
}

/// Starts the server again whenever it dies, until told to stop. Connections that were open are lost; the pool opens new ones.
async fn supervise(launcher: Launcher, mut postmaster: Postmaster, stopping: CancellationToken) -> Postmaster {
    loop {
        tokio::select! {
            () = stopping.cancelled() => return postmaster,
            () = postmaster.gone() => {}
        }
        tracing::error!("PostgreSQL died; starting it again");
        tokio::select! {
            () = stopping.cancelled() => return postmaster,
            restarted = restart(&launcher) => postmaster = restarted,
        }
        tracing::info!("PostgreSQL is up again");
    }
}

/// Tries for as long as it takes: a till has nothing better to do than to get its database back.
async fn restart(launcher: &Launcher) -> Postmaster {
    loop {
        let attempt = async {
            // Another process on this cluster may see the same death; the second one adopts.
            let _exclusive = launcher.place.lock().await?;
            launcher.start_or_adopt().await
        };
        match attempt.await {
            Ok(postmaster) => return postmaster,
            Err(error) => tracing::error!(%error, "PostgreSQL does not start; trying again"),
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Creates the database `comptoir`, which an interrupted first start may have left out.
async fn create_database(launcher: &Launcher) -> Result<(), ClusterError> {
    let mut connection = PgConnection::connect_with(&options(&launcher.place, "postgres")).await?;
    let found: Option<(i32,)> =
        sqlx::query_as("select 1 from pg_database where datname = $1").bind(NAME).fetch_optional(&mut connection).await?;
    if found.is_none() {
        sqlx::query("create database comptoir").execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(())
}

/// Every setting that the environment could change (`PG…` variables) is given, so that it cannot.
fn options(place: &Place, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(place.socket_dir())
        .port(postmaster::PORT)
        .username(NAME)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}
