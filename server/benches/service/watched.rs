//! A server process whose processor time and memory are looked at from outside.

use crate::load::{Load, Outcome};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running server.
pub struct Server {
    child: Child,
    pid: u32,
    /// Where it listens.
    pub address: String,
}

impl Server {
    /// `comptoir serve` on a data folder whose cluster runs already, with the built-in kitchen screen or a kitchen system. It says what it
    /// always says, to nobody.
    pub async fn start(data: &Path, erp_url: Option<&str>) -> Self {
        // What is measured is the order, not how long a kitchen thinks.
        let env = erp_url.map(|url| [("ERP_URL", url), ("ERP_WAIT_MS", "0")]);
        Self::start_at(data, &free_address(), env.as_ref().map_or(&[], |env| env.as_slice())).await
    }

    /// The same at a given address, with more of its environment.
    pub async fn start_at(data: &Path, address: &str, env: &[(&str, &str)]) -> Self {
        let address = address.to_owned();
        let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
        command.envs(env.iter().copied());
        command.arg("serve").env("COMPTOIR_DATA", data).env("COMPTOIR_ADDR", &address).env("COMPTOIR_DEMO", "1").stderr(Stdio::null());
        Self::spawn(command, address, "Comptoir is serving").await
    }

    /// `comptoir sim erp`; its address is what `ERP_URL` needs.
    pub async fn kitchen() -> Self {
        let address = free_address();
        let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
        command.args(["sim", "erp", "--listen", &address]).stderr(Stdio::null());
        Self::spawn(command, address, "Kitchen system simulator").await
    }

    /// `comptoir sim tpe`: a terminal that approves after so many milliseconds.
    pub async fn terminal(own_ms: u64) -> Self {
        let address = free_address();
        let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
        command.args(["sim", "tpe", "--listen", &address, "--script", &format!("slow:{own_ms}")]).stderr(Stdio::null());
        Self::spawn(command, address, "TPE_URL").await
    }

    /// This program again, as a bare handler that returns the bytes of a file.
    pub async fn bare(body: &Path) -> Self {
        Self::of_this_program("COMPTOIR_BENCH_BARE", body, "bare handler").await
    }

    /// This program again, as something that answers whatever comes with the bytes of a file.
    pub async fn fixed(body: &Path) -> Self {
        Self::of_this_program("COMPTOIR_BENCH_FIXED", body, "fixed answer").await
    }

    async fn of_this_program(name: &str, body: &Path, when_ready: &str) -> Self {
        let address = free_address();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(name, body).env("COMPTOIR_ADDR", &address);
        Self::spawn(command, address, when_ready).await
    }

    async fn spawn(mut command: Command, address: String, when_ready: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let pid = child.id().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap().expect("the server says when it is ready");
            if line.contains(when_ready) {
                break;
            }
        }
        // Whatever else it says must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, pid, address }
    }

    /// Signs somebody in and returns the cookie.
    pub async fn sign_in(&self, username: &str) -> String {
        let answer = reqwest::Client::new()
            .post(format!("http://{}/api/auth/login", self.address))
            .json(&serde_json::json!({"username": username, "pin": "1234"}))
            .send()
            .await
            .unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// A load, with the processor time that it cost the server. A moment of it beforehand fills caches and connections.
    pub async fn under(&self, load: &Load, clients: usize, long: Duration) -> Outcome {
        load.run(clients, Duration::from_millis(500)).await;
        let (before, own) = (self.cpu(), cpu_of("self"));
        let mut outcome = load.run(clients, long).await;
        (outcome.cpu, outcome.own_cpu) = (self.cpu() - before, cpu_of("self") - own);
        outcome
    }

    /// Processor time used so far, by the process and in the kernel for it.
    pub fn cpu(&self) -> Duration {
        cpu_of(&self.pid.to_string())
    }

    /// Resident memory, in MiB.
    pub fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Pulls the plug.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Ends it.
    pub async fn stop(mut self) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid.cast_signed()), nix::sys::signal::Signal::SIGTERM).unwrap();
        self.child.wait().await.unwrap();
    }
}

/// Processor time that a process has used, and the kernel for it.
fn cpu_of(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name in parentheses may hold spaces; user and system time are the 14th and 15th fields of proc(5).
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Where nobody listens yet.
pub fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
