//! Finding PostgreSQL's server programs on this machine.
//!
//! Debian keeps each major version in a folder of its own, off the PATH. A cluster can only be opened by the major version that
//! created it, so an upgrade of the machine must not make the till forget its data: the version written in the cluster wins over the
//! newest one installed.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::ClusterError;

/// The oldest major version that the SQL is written for.
pub const MINIMUM_VERSION: u32 = 15;

/// Where Debian and its relatives install each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// One installed PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    bin: PathBuf,
    version: u32,
}

impl Programs {
    /// The programs that can open a cluster of this major version, or the newest ones for a cluster that is yet to be made.
    pub(super) fn find(wanted: Option<u32>) -> Result<Self, ClusterError> {
        pick(installed(), wanted)
    }

    /// The full path of a program.
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }
}

fn pick(installed: Vec<Programs>, wanted: Option<u32>) -> Result<Programs, ClusterError> {
    if let Some(version) = wanted {
        let same = installed.into_iter().find(|programs| programs.version == version);
        return same.ok_or(ClusterError::OtherVersion { version });
    }
    match installed.into_iter().max_by_key(|programs| programs.version) {
        None => Err(ClusterError::MissingPrograms),
        Some(newest) if newest.version < MINIMUM_VERSION => Err(ClusterError::TooOld { version: newest.version }),
        Some(newest) => Ok(newest),
    }
}

/// Debian's folders, then, on other systems, what `pg_config` and the PATH know.
fn installed() -> Vec<Programs> {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut found: Vec<Programs> = versions.filter_map(|entry| in_folder(&entry.path().join("bin"))).collect();
    if found.is_empty() {
        found.extend(elsewhere());
    }
    found
}

fn elsewhere() -> Option<Programs> {
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.and_then(|output| String::from_utf8(output.stdout).ok()).map(|text| PathBuf::from(text.trim()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    told.into_iter().chain(std::env::split_paths(&path)).find_map(|folder| in_folder(&folder))
}

/// A folder counts only when it holds all that we call; client packages bring `pg_config` and `psql` alone.
fn in_folder(bin: &Path) -> Option<Programs> {
    if !["initdb", "pg_ctl", "postgres"].iter().all(|program| bin.join(program).is_file()) {
        return None;
    }
    let output = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    let version = major_version(&String::from_utf8(output.stdout).ok()?)?;
    Some(Programs { bin: bin.to_path_buf(), version })
}

/// The major version in a line such as `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` or `… 18beta1`.
fn major_version(line: &str) -> Option<u32> {
    let number = line.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: u32) -> Programs {
        Programs { bin: PathBuf::from(format!("{DEBIAN}/{version}/bin")), version }
    }

    #[test]
    fn the_newest_version_makes_a_new_cluster() {
        assert_eq!(pick(vec![version(15), version(17), version(16)], None).ok(), Some(version(17)));
    }

    #[test]
    fn an_existing_cluster_keeps_its_version() {
        assert_eq!(pick(vec![version(15), version(17)], Some(15)).ok(), Some(version(15)));
        assert!(matches!(pick(vec![version(17)], Some(15)), Err(ClusterError::OtherVersion { version: 15 })));
    }

    #[test]
    fn missing_or_old_programs_are_told_apart() {
        assert!(matches!(pick(vec![], None), Err(ClusterError::MissingPrograms)));
        assert!(matches!(pick(vec![version(13)], None), Err(ClusterError::TooOld { version: 13 })));
    }

    #[test]
    fn versions_are_read_as_postgresql_prints_them() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 19beta2"), Some(19));
        assert_eq!(major_version("no number here"), None);
    }
}
