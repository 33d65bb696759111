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
        // A bare name lies where we are.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let given = std::fs::metadata(folder).and_then(|folder| match folder.uid() {
            // Not all disks know of owners.
            uid if uid == geteuid().as_raw() => Ok(()),
            uid => fchown(&file, Some(uid), Some(folder.gid())),
        });
        if let Err(error) = given {
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
    }
    Ok(file)
}
