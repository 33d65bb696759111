//! The end of a throwaway server when nobody ends it.
//!
//! A test program is killed, panics, or simply returns from `main` while a static still holds its cluster: nothing of ours runs then.
//! So a small shell waits on a pipe that only we hold open. The system closes it when our process ends, in whatever way.

use std::{io, process::Stdio};

use tokio::{
    io::AsyncWriteExt as _,
    process::{ChildStdin, Command},
};

use super::{ClusterError, place::Place};

/// Told by a line to go away, it goes. When the pipe closes instead and no other process uses the cluster, it ends the server and
/// removes the files. `$1` is the cluster's folder, `$2` the file on which its users hold a lock, `$3` the data folder: what lies there belongs
/// to a database that is gone, and a note in it would name it.
const SCRIPT: &str = r#"
read -r _ && exit
exec 9<> "$2" && flock -w 5 9 || exit
pid=$(head -n 1 "$1/data/postmaster.pid")
tries=0
while [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$1/data" ] && [ $tries -lt 50 ]; do
    kill -QUIT "$pid"
    tries=$((tries + 1))
    sleep 0.1
done
rm -rf -- "$1" "$3"
"#;

/// Our end of the pipe.
#[derive(Debug)]
pub(super) struct Watchdog(ChildStdin);

impl Watchdog {
    pub(super) fn arm(place: &Place) -> Result<Self, ClusterError> {
        let failed = |source| ClusterError::Run { program: "/bin/sh".into(), source };
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "watchdog"]).arg(place.root()).arg(place.users_path()).arg(place.data_dir());
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // It must survive the Ctrl-C that ends us.
        command.process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let pipe = child.stdin.take().ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self(pipe))
    }

    /// Sends it away. When that fails it has gone already.
    pub(super) async fn disarm(mut self) {
        let _ = self.0.write_all(b"\n").await;
    }
}
