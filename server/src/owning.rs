//! Whose a file is that root makes in somebody's folder: theirs, because their service has to read it tomorrow.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use nix::unistd::geteuid;

/// Makes a file that nobody else may read, for the owner of its folder. Only what did not exist is made and given away: a link that lies in the way
/// would give away something else.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], or that the folder cannot be written.
pub(crate) fn make_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    if geteuid().is_root()
        && let Some(folder) = path.parent()
    {
        let folder = std::fs::metadata(folder)?;
        fchown(&file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(file)
}
