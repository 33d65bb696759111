//! What can go wrong with the private cluster, each said in one line that names the way out.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::MINIMUM_VERSION;

/// Why the private cluster is not available.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No server programs on this machine.
    #[error("PostgreSQL's server programs are missing; install them (`apt-get install postgresql`) or set DATABASE_URL")]
    MissingPrograms,
    /// Only versions that are too old.
    #[error("PostgreSQL {version} is too old; install version {MINIMUM_VERSION} or newer, or set DATABASE_URL")]
    TooOld {
        /// The newest major version installed.
        version: u32,
    },
    /// The cluster was created by a version that is not installed.
    #[error("the data folder was created by PostgreSQL {version}, which is not installed (`apt-get install postgresql-{version}`)")]
    OtherVersion {
        /// The major version that can open the cluster.
        version: u32,
    },
    /// Started as root, with no unprivileged account to run PostgreSQL.
    #[error("PostgreSQL cannot run as root, and there is neither an account `postgres` nor `nobody` to run it")]
    NoAccount,
    /// A file or folder could not be used.
    #[error("cannot use {}: {source}", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The cluster that a data folder refers to is not there.
    #[error("{} says that the database is in {}, which is gone; restore it, or delete that note to begin with an empty one", note.display(), root.display())]
    Gone {
        /// The text file in the data folder.
        note: PathBuf,
        /// Where the cluster should be.
        root: PathBuf,
    },
    /// Nothing to check or save.
    #[error("{} holds no till; COMPTOIR_DATA names the folder of one", data_dir.display())]
    Missing {
        /// The data folder.
        data_dir: PathBuf,
    },
    /// Another process held the start lock for too long.
    #[error("another process has been starting or stopping PostgreSQL for too long; it holds {}", path.display())]
    Busy {
        /// The lock.
        path: PathBuf,
    },
    /// A server program could not be run at all.
    #[error("cannot run {}: {source}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A server program ran and failed.
    #[error("PostgreSQL's {program} failed: {complaint}")]
    Failed {
        /// The program.
        program: &'static str,
        /// The last thing that it said.
        complaint: String,
    },
    /// The server did not answer in time.
    #[error("PostgreSQL does not answer; its log is {}", log.display())]
    Silent {
        /// The log.
        log: PathBuf,
    },
    /// The task that keeps the server alive panicked: a defect of ours.
    #[error("the supervision of PostgreSQL ended unexpectedly")]
    Supervision,
    /// The server answered, but refused.
    #[error("PostgreSQL refused: {0}")]
    Database(#[from] sqlx::Error),
}

impl ClusterError {
    pub(super) fn folder(path: &Path, source: io::Error) -> Self {
        Self::Folder { path: path.to_path_buf(), source }
    }
}
