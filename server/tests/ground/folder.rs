//! A folder of a test's own, in which its PostgreSQL lives too.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// Gone, with all that is in it, when it is dropped. Where we are root PostgreSQL runs as somebody else, who must get there: a cluster that cannot
/// live in its data folder is put elsewhere, where no test removes it.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("a folder that others may pass through");
    folder
}
