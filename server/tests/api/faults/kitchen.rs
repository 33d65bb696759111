//! A kitchen system that fails, falls silent, hangs up on what it has done, and is killed; what it was told first is in its log.

use crate::program::PATIENCE;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// What the kitchen and the till share.
pub const SECRET: &str = "a secret of this evening, and of nothing else";

pub struct Kitchen {
    port: u16,
    pub log: PathBuf,
    webhook: Option<String>,
    child: Child,
}

impl Kitchen {
    /// Says to a webhook, where there is one, that dishes are ready.
    pub async fn open(port: u16, folder: &Path, webhook: Option<String>) -> Self {
        let log = folder.join("kitchen.jsonl");
        let child = begin(port, &log, webhook.as_deref()).await;
        Self { port, log, webhook, child }
    }

    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// The same once more, where it was, with the same book.
    pub async fn again(&mut self) {
        self.child = begin(self.port, &self.log, self.webhook.as_deref()).await;
    }
}

async fn begin(port: u16, log: &Path, webhook: Option<&str>) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command.args([
        "sim",
        "erp",
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--latency-ms",
        "3",
        "--seed",
        &rand::random::<u32>().to_string(),
    ]);
    command.args(["--fail-rate", "4", "--duplicate-rate", "4", "--silent-rate", "1", "--log"]).arg(log);
    if let Some(url) = webhook {
        command.args(["--ready-after-ms", "20", "--webhook", url]).env("ERP_JWT_SECRET", SECRET);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").unwrap();
    assert!(said.is_some_and(|said| said.contains("ERP_URL=")), "the kitchen does not open");
    child
}
