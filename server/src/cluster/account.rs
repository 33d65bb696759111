//! As whom PostgreSQL runs.
//!
//! PostgreSQL refuses to run as root, rightly. A till started as root lends it an unprivileged account, which must then be able to
//! reach its files: everything here decides who that is, and where it may go.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, lchown},
    path::Path,
    process::Command,
};

use nix::unistd::{Uid, User, getegid, geteuid};

use super::{ClusterError, place::Place};

/// Accounts lent to PostgreSQL by root, best first. `postgres` comes with the server programs of every distribution.
const LENT: [&str; 2] = ["postgres", "nobody"];

/// The account that owns the cluster's files and runs its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    uid: u32,
    gid: u32,
    /// Whether we are root and must change to this account.
    lent: bool,
}

impl Account {
    /// Our own account. As root the one that the data folder has already (a service keeps its till there, and root saves or checks it); in a folder of
    /// root's own the one that root lends.
    pub(super) fn choose(data_dir: &Path) -> Result<Self, ClusterError> {
        let own = geteuid();
        if !own.is_root() {
            return Ok(Self { uid: own.as_raw(), gid: getegid().as_raw(), lent: false });
        }
        // With the group that the account has, whatever the folder's is; a number without an account runs no PostgreSQL.
        let owners = Place::folders_of(data_dir).into_iter().filter_map(|folder| fs::metadata(folder).ok()).map(|folder| folder.uid());
        let theirs = owners.filter(|uid| *uid != own.as_raw()).find_map(|uid| User::from_uid(Uid::from_raw(uid)).ok().flatten());
        if let Some(user) = theirs {
            return Ok(Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), lent: true });
        }
        let lent = LENT.into_iter().filter_map(|name| User::from_name(name).ok().flatten()).find(|user| user.uid != Uid::from_raw(0));
        let user = lent.ok_or(ClusterError::NoAccount)?;
        Ok(Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), lent: true })
    }

    /// A program to be run as this account. It inherits neither our environment, where `PG…` variables would redirect it and secrets
    /// have no business, nor our working folder, which it might not be allowed to enter.
    pub(super) fn command(&self, program: &Path) -> Command {
        use std::os::unix::process::CommandExt;

        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("TZ", "UTC").current_dir("/");
        if self.lent {
            // Setting the user as root also drops the supplementary groups.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Hands a file or folder of ours over to this account.
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        if self.lent { lchown(path, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }

    /// Whether a file or folder belongs to this account.
    pub(super) fn owns(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::symlink_metadata(path)?.uid() == self.uid)
    }

    /// Whether this account may pass through every folder above a path. Access lists are not read: where they matter they deny more
    /// often than they allow, and being wrong here only moves the cluster to a folder that works.
    pub(super) fn can_reach(&self, path: &Path) -> io::Result<bool> {
        for folder in path.ancestors().skip(1) {
            let folder = fs::metadata(folder)?;
            if !self.may_pass(folder.uid(), folder.gid(), folder.mode()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn may_pass(&self, owner: u32, group: u32, mode: u32) -> bool {
        let bit = match () {
            () if owner == self.uid => 0o100,
            () if group == self.gid => 0o010,
            () => 0o001,
        };
        mode & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_passed_by_owner_group_or_anyone() {
        let account = Account { uid: 7, gid: 8, lent: true };
        assert!(account.may_pass(7, 0, 0o700));
        assert!(!account.may_pass(7, 0, 0o077), "the owner's bits alone count for the owner");
        assert!(account.may_pass(0, 8, 0o710));
        assert!(!account.may_pass(0, 8, 0o701));
        assert!(account.may_pass(0, 0, 0o701));
        assert!(!account.may_pass(0, 0, 0o700), "a home folder of root");
    }
}
