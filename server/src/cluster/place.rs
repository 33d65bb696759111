//! Where a cluster lives.
//!
//! Beside everything else in the data folder, when PostgreSQL's account can get there. It cannot below root's home; then the cluster
//! goes to `/var/lib/comptoir`, and a text file in the data folder says so, because whoever saves or moves that folder must know.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest, Sha256};

use super::{ClusterError, account::Account};
use crate::owning;

/// Clusters that cannot live in their data folder.
const ELSEWHERE: &str = "/var/lib/comptoir";

/// What a socket's address may measure at most (`sun_path` less its closing zero byte).
const SOCKET_LIMIT: usize = 107;

/// The file name that PostgreSQL gives its socket, for the port that we always use.
const SOCKET_NAME: &str = ".s.PGSQL.5432";

/// How long a second process waits for one that is starting or stopping the same cluster.
const LOCK_PATIENCE: Duration = Duration::from_secs(120);

/// The folders of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The data folder of the restaurant, canonical.
    data_dir: PathBuf,
    /// Everything of the cluster; private to its account.
    root: PathBuf,
    socket_dir: PathBuf,
}

impl Place {
    /// Decides where the cluster of a data folder lives. Creates nothing but the data folder.
    pub(super) fn choose(data_dir: &Path, account: &Account) -> Result<Self, ClusterError> {
        fs::create_dir_all(data_dir).map_err(|source| ClusterError::folder(data_dir, source))?;
        let data_dir = data_dir.canonicalize().map_err(|source| ClusterError::folder(data_dir, source))?;
        let root = choose_root(&data_dir, account)?;
        let socket_dir = choose_socket_dir(&root, account);
        Ok(Self { data_dir, root, socket_dir })
    }

    /// Where to see whose a data folder is, surest first: its cluster, wherever that is, and the folder itself. Not all of them exist.
    pub(super) fn folders_of(data_dir: &Path) -> Vec<PathBuf> {
        let noted = fs::read_to_string(note_of(data_dir)).ok().map(|noted| PathBuf::from(noted.trim()));
        noted.into_iter().chain([inside(data_dir), data_dir.to_path_buf()]).collect()
    }

    /// Whether a data folder has a cluster. Creates nothing.
    pub(super) fn is_taken(data_dir: &Path, account: &Account) -> Result<bool, ClusterError> {
        Ok(data_dir.is_dir() && Self::choose(data_dir, account)?.pgdata().exists())
    }

    /// PostgreSQL's own folder (`PGDATA`).
    pub(super) fn pgdata(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Where `initdb` works until the cluster is whole.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.root.join("data.unfinished")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The major version that the cluster was made by; nothing when there is no cluster yet.
    pub(super) fn version(&self) -> Option<u32> {
        fs::read_to_string(self.pgdata().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Creates the private folders, for the account alone.
    pub(super) fn prepare(&self, account: &Account) -> Result<(), ClusterError> {
        let outside = self.root.parent().unwrap_or(&self.root);
        fs::create_dir_all(outside).map_err(|source| ClusterError::folder(outside, source))?;
        for folder in [&self.root, &self.socket_dir] {
            private_folder(folder, account).map_err(|source| ClusterError::folder(folder, source))?;
        }
        Ok(())
    }

    /// Writes down where the cluster is, when that is not the data folder. Done once the cluster is whole, so that a note never
    /// names a cluster that was not finished.
    pub(super) fn note(&self) -> Result<(), ClusterError> {
        let note = note_of(&self.data_dir);
        if self.root.starts_with(&self.data_dir) || note.exists() {
            return Ok(());
        }
        let written = owning::make_private(&note).and_then(|mut file| file.write_all(format!("{}\n", self.root.display()).as_bytes()));
        written.map_err(|source| ClusterError::folder(&note, source))
    }

    /// Waits until no other process starts or stops this cluster; the lock ends with the returned file.
    pub(super) async fn lock(&self) -> Result<File, ClusterError> {
        let path = self.data_dir.join("postgres.lock");
        let file = open_lock(&path)?;
        let deadline = tokio::time::Instant::now() + LOCK_PATIENCE;
        while file.try_lock().is_err() {
            if tokio::time::Instant::now() > deadline {
                return Err(ClusterError::Busy { path });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(file)
    }

    /// The file on which every process that uses the cluster holds a shared lock. The system drops the lock of a killed process.
    pub(super) fn users(&self) -> Result<File, ClusterError> {
        open_lock(&self.users_path())
    }

    pub(super) fn users_path(&self) -> PathBuf {
        self.data_dir.join("postgres.users")
    }
}

fn open_lock(path: &Path) -> Result<File, ClusterError> {
    let opened = match owning::make_private(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => OpenOptions::new().write(true).open(path),
        made => made,
    };
    opened.map_err(|source| ClusterError::folder(path, source))
}

fn note_of(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.location")
}

/// Where a cluster lives if it can.
fn inside(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres")
}

fn choose_root(data_dir: &Path, account: &Account) -> Result<PathBuf, ClusterError> {
    let note = note_of(data_dir);
    match fs::read_to_string(&note) {
        Ok(noted) => {
            let root = PathBuf::from(noted.trim());
            // Starting with an empty database instead would look like a lost journal.
            return if root.join("data").is_dir() { Ok(root) } else { Err(ClusterError::Gone { note, root }) };
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(ClusterError::folder(&note, source)),
    }
    let inside = inside(data_dir);
    let reachable = account.can_reach(&inside).map_err(|source| ClusterError::folder(&inside, source))?;
    Ok(if reachable { inside } else { Path::new(ELSEWHERE).join(short_hash(data_dir)) })
}

/// In the cluster, where its folder keeps others out; below `/tmp` when that path is longer than a socket's address may be.
fn choose_socket_dir(root: &Path, account: &Account) -> PathBuf {
    let inside = root.join("run");
    if inside.join(SOCKET_NAME).as_os_str().len() <= SOCKET_LIMIT && account.can_reach(&inside).unwrap_or(true) {
        return inside;
    }
    Path::new("/tmp").join(format!("comptoir-{}", short_hash(root)))
}

fn short_hash(path: &Path) -> String {
    let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// A folder of mode 0700 that belongs to the account. One that exists must be its own already: below `/tmp` anybody may have put a
/// folder, or a link, in our way.
fn private_folder(folder: &Path, account: &Account) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => account.give(folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let kept_whole = fs::symlink_metadata(folder)?.is_dir() && (account.owns(folder)? || is_fresh(folder)?);
            if !kept_whole {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another account"));
            }
            account.give(folder)?;
            fs::set_permissions(folder, Permissions::from_mode(0o700))
        }
        Err(error) => Err(error),
    }
}

/// Made by ourselves, but killed before handing it over: still empty and still ours.
fn is_fresh(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let ours = fs::symlink_metadata(folder)?.uid() == nix::unistd::geteuid().as_raw();
    Ok(ours && fs::read_dir(folder)?.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_gets_a_short_socket() {
        let account = Account::choose(Path::new("/srv/till")).expect("an account");
        let short = Path::new("/srv/till/postgres");
        assert_eq!(choose_socket_dir(short, &account), short.join("run"));
        let long = PathBuf::from(format!("/srv/{}/postgres", "x".repeat(100)));
        let socket = choose_socket_dir(&long, &account).join(SOCKET_NAME);
        assert!(socket.as_os_str().len() <= SOCKET_LIMIT, "{}", socket.display());
    }

    #[test]
    fn a_noted_cluster_that_is_gone_is_not_replaced_by_an_empty_one() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let account = Account::choose(data.path()).expect("an account");
        fs::write(note_of(data.path()), "/nowhere/comptoir\n").expect("a note");
        assert!(matches!(Place::choose(data.path(), &account), Err(ClusterError::Gone { .. })));
    }

    #[test]
    fn a_private_folder_is_not_shared_with_a_link() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let account = Account::choose(data.path()).expect("an account");
        let link = data.path().join("run");
        std::os::unix::fs::symlink("/tmp", &link).expect("a link");
        assert!(private_folder(&link, &account).is_err());
    }
}
