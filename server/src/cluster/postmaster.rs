//! The server process: made, started, adopted, watched, stopped.

use std::{
    fs::{self, File, OpenOptions},
    io::Read as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use sqlx::{Connection, PgConnection};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use super::{ClusterError, Durability, NAME, START_PATIENCE, account::Account, options, place::Place, programs::Programs};

/// The port that names the socket. No network port is opened.
pub(super) const PORT: u16 = 5432;

/// How long the server may take to write everything down at its end.
const STOP_PATIENCE_S: &str = "60";

/// How often an adopted server, of which the system does not tell us the end, is looked at.
const WATCH_EVERY: Duration = Duration::from_millis(500);

/// Sized for a till on a small machine, beside a browser. Compiling queries (`jit`) costs more than a till's queries ever take.
const SETTINGS: [&str; 10] = [
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "cluster_name=comptoir",
    "shared_buffers=128MB",
    "max_connections=100",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "logging_collector=off",
];

/// All that it takes to run the server of one cluster.
#[derive(Debug, Clone)]
pub(super) struct Launcher {
    pub(super) account: Account,
    pub(super) place: Place,
    pub(super) programs: Programs,
    pub(super) durability: Durability,
}

/// A running server.
#[derive(Debug)]
pub(super) enum Postmaster {
    /// Started by us: the system tells us when it ends.
    Own(Child),
    /// Started by another process of ours, or by one that was killed.
    Adopted { pgdata: PathBuf },
}

impl Postmaster {
    /// Returns when the server has ended.
    pub(super) async fn gone(&mut self) {
        match self {
            Self::Own(child) => {
                // An error means that there is no such child any more.
                let _ = child.wait().await;
            }
            Self::Adopted { pgdata } => {
                while running(pgdata) {
                    sleep(WATCH_EVERY).await;
                }
            }
        }
    }
}

impl Launcher {
    /// Creates the cluster, unless there is one. Interrupted, it leaves an unfinished folder that the next attempt throws away.
    pub(super) async fn create_if_missing(&self) -> Result<(), ClusterError> {
        self.place.prepare(&self.account)?;
        let (unfinished, pgdata) = (self.place.unfinished(), self.place.pgdata());
        if !pgdata.exists() {
            if unfinished.exists() {
                fs::remove_dir_all(&unfinished).map_err(|source| ClusterError::folder(&unfinished, source))?;
            }
            tracing::info!(folder = %pgdata.display(), "creating the PostgreSQL cluster");
            self.initdb(&unfinished).await?;
            fs::rename(&unfinished, &pgdata).map_err(|source| ClusterError::folder(&pgdata, source))?;
        }
        self.place.note()
    }

    /// `trust` is safe here: the socket lies in a folder that only the account (and root) may enter, and there is no other way in.
    /// Text compares by bytes, everywhere alike; what a person reads in order is sorted by the query that lists it.
    async fn initdb(&self, pgdata: &Path) -> Result<(), ClusterError> {
        let mut command = self.account.command(&self.programs.path("initdb"));
        command.arg("-D").arg(pgdata).args(["--username", NAME, "--encoding=UTF8", "--locale=C", "--lc-ctype=C.UTF-8"]);
        command.args(["--auth-local=trust", "--auth-host=reject", "--data-checksums"]);
        if self.durability == Durability::Throwaway {
            command.arg("--no-sync");
        }
        self.run("initdb", command).await
    }

    /// Makes sure that the server runs and answers. The caller holds the start lock.
    pub(super) async fn start_or_adopt(&self) -> Result<Postmaster, ClusterError> {
        let pgdata = self.place.pgdata();
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            let mut postmaster = if running(&pgdata) {
                Postmaster::Adopted { pgdata: pgdata.clone() }
            } else {
                drop_reused_pid(&pgdata)?;
                self.spawn()?
            };
            if self.answers(&mut postmaster, deadline).await? {
                return Ok(postmaster);
            }
            // After a `kill -9` the server's helpers need a moment to notice it, and until then a new one refuses to start.
            if Instant::now() > deadline {
                return Err(ClusterError::Failed { program: "postgres", complaint: last_complaint(&self.place.log()) });
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    fn spawn(&self) -> Result<Postmaster, ClusterError> {
        let program = self.programs.path("postgres");
        let mut command = self.account.command(&program);
        command.arg("-D").arg(self.place.pgdata()).arg("-k").arg(self.place.socket_dir());
        let throwaway: &[&str] = match self.durability {
            Durability::Full => &[],
            Durability::Throwaway => &["fsync=off", "synchronous_commit=off", "full_page_writes=off"],
        };
        for setting in SETTINGS.iter().chain(throwaway) {
            command.arg("-c").arg(setting);
        }
        let log = self.open_log()?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // A Ctrl-C in the terminal reaches its whole process group. PostgreSQL must outlive our own orderly end.
        command.process_group(0);
        let child = Command::from(command).spawn().map_err(|source| ClusterError::Run { program, source })?;
        Ok(Postmaster::Own(child))
    }

    /// The server's words since its last start; those of the start before are kept beside it.
    fn open_log(&self) -> Result<File, ClusterError> {
        let log = self.place.log();
        match fs::rename(&log, log.with_extension("log.1")) {
            // There is no earlier log at the first start.
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(ClusterError::folder(&log, source)),
            _ => {}
        }
        let file = OpenOptions::new().create_new(true).append(true).open(&log).map_err(|source| ClusterError::folder(&log, source))?;
        self.account.give(&log).map_err(|source| ClusterError::folder(&log, source))?;
        Ok(file)
    }

    /// Waits until the server accepts a connection. False when it ended instead.
    async fn answers(&self, postmaster: &mut Postmaster, deadline: Instant) -> Result<bool, ClusterError> {
        let options = options(&self.place, "postgres");
        loop {
            if let Ok(Ok(connection)) = tokio::time::timeout(Duration::from_secs(5), PgConnection::connect_with(&options)).await {
                // The answer is what counted; how the connection ends does not matter.
                let _ = connection.close().await;
                return Ok(true);
            }
            if Instant::now() > deadline {
                return Err(ClusterError::Silent { log: self.place.log() });
            }
            tokio::select! {
                () = postmaster.gone() => return Ok(false),
                () = sleep(Duration::from_millis(30)) => {}
            }
        }
    }

    /// Stops the server and waits for its end.
    pub(super) async fn stop(&self, mut postmaster: Postmaster) -> Result<(), ClusterError> {
        if running(&self.place.pgdata()) {
            let mut command = self.account.command(&self.programs.path("pg_ctl"));
            command.arg("stop").arg("-D").arg(self.place.pgdata()).args(["-m", "fast", "-w", "-t", STOP_PATIENCE_S]);
            self.run("pg_ctl", command).await?;
        }
        postmaster.gone().await;
        tracing::info!("PostgreSQL stopped");
        Ok(())
    }

    async fn run(&self, program: &'static str, command: std::process::Command) -> Result<(), ClusterError> {
        let path = self.programs.path(program);
        let mut command = Command::from(command);
        command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        let output = command.output().await.map_err(|source| ClusterError::Run { program: path, source })?;
        if output.status.success() {
            return Ok(());
        }
        let words = if output.stderr.is_empty() { output.stdout } else { output.stderr };
        Err(ClusterError::Failed { program, complaint: complaint_in(&String::from_utf8_lossy(&words)) })
    }
}

/// Whether the server of a cluster runs. Its pid file alone does not say so: after a `kill -9` or a power cut it stays behind and may
/// name a process that has nothing to do with it. A server works in its data folder, so the process that does is the one.
fn running(pgdata: &Path) -> bool {
    noted_pid(pgdata).is_some_and(|pid| works_in(pid, pgdata) && !is_zombie(pid))
}

fn noted_pid(pgdata: &Path) -> Option<u32> {
    fs::read_to_string(pgdata.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

fn works_in(pid: u32, pgdata: &Path) -> bool {
    match fs::read_link(format!("/proc/{pid}/cwd")) {
        Ok(folder) => pgdata.canonicalize().is_ok_and(|pgdata| folder == pgdata),
        // Root in a container may not look into processes of other accounts, only see their names. Taking a live server for a dead one
        // would be worse than the reverse.
        Err(_) => fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres"),
    }
}

/// Ended, but not yet taken note of by its parent; a container may have nobody who ever does.
fn is_zombie(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// PostgreSQL refuses to start while its pid file names any living process of the same account. After a power cut that is a matter of
/// luck, so the file is removed when the process it names is certainly not the server. A file naming a dead process is left to
/// PostgreSQL, which then makes sure that no helper of the dead server still has its memory open.
fn drop_reused_pid(pgdata: &Path) -> Result<(), ClusterError> {
    let Some(pid) = noted_pid(pgdata) else { return Ok(()) };
    if !Path::new(&format!("/proc/{pid}")).exists() || is_zombie(pid) {
        return Ok(());
    }
    let file = pgdata.join("postmaster.pid");
    fs::remove_file(&file).map_err(|source| ClusterError::folder(&file, source))
}

fn last_complaint(log: &Path) -> String {
    let mut text = String::new();
    match File::open(log).and_then(|mut file| file.read_to_string(&mut text)) {
        Ok(_) => complaint_in(&text),
        Err(error) => format!("no reason given ({}: {error})", log.display()),
    }
}

/// The line that says what is wrong, out of all that a program printed.
fn complaint_in(words: &str) -> String {
    let lines = || words.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines().rfind(|line| ["FATAL:", "PANIC:", "error:"].iter().any(|mark| line.contains(mark)));
    telling.or_else(|| lines().next_back()).unwrap_or("no reason given").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_line_is_shown() {
        let log = "LOG:  starting\n2026-01-01 FATAL:  data directory has wrong ownership\nHINT:  look\n\n";
        assert_eq!(complaint_in(log), "2026-01-01 FATAL:  data directory has wrong ownership");
        assert_eq!(complaint_in("initdb: cannot do it\n"), "initdb: cannot do it");
        assert_eq!(complaint_in(""), "no reason given");
    }

    #[test]
    fn a_pid_that_now_belongs_to_another_process_is_dropped() {
        let pgdata = tempfile::tempdir().expect("a temporary folder");
        let file = pgdata.path().join("postmaster.pid");
        fs::write(&file, format!("{}\n", std::process::id())).expect("a pid file");
        assert!(!running(pgdata.path()));
        drop_reused_pid(pgdata.path()).expect("dropped");
        assert!(!file.exists());
    }
}
