//! What the machine does to an evening: its processes, its disk.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

pub fn postmaster(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postgres/data/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok().map(Pid::from_raw)
}

/// The postmaster and all that it started.
pub fn family(postmaster: Pid) -> Vec<Pid> {
    let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap_or_default();
    std::iter::once(postmaster).chain(children.split_whitespace().filter_map(|pid| pid.parse().ok().map(Pid::from_raw))).collect()
}

/// Who is gone meanwhile is gone.
pub fn say(to: &[Pid], what: Signal) {
    for pid in to {
        let _ = kill(*pid, what);
    }
}

pub fn redis(port: u16) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// A small disk of its own, where this may be made; elsewhere the disk is never full here.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    pub fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }

    /// Takes all that is left, and gives it back.
    pub async fn fill(&self, for_so_long: Duration) {
        let ballast = self.0.join("ballast");
        let mut file = tokio::fs::File::create(&ballast).await.unwrap();
        let block = vec![0_u8; 1 << 20];
        while tokio::io::AsyncWriteExt::write_all(&mut file, &block).await.is_ok()
            && tokio::io::AsyncWriteExt::flush(&mut file).await.is_ok()
        {}
        tokio::time::sleep(for_so_long).await;
        drop(file);
        tokio::fs::remove_file(&ballast).await.unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // An evening that fails leaves a database on it, which nobody would find once the disk is gone.
        if let Some(pid) = postmaster(&self.0.join("data")) {
            say(&family(pid), Signal::SIGKILL);
        }
        let _ = std::process::Command::new("umount").args(["--lazy"]).arg(&self.0).status();
    }
}

/// Where the database of a data folder listens: the folder is one that it can live in.
pub fn socket_of(data: &Path) -> PathBuf {
    data.join("postgres/run")
}
