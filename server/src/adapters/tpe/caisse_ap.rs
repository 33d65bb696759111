//! A terminal that speaks Caisse-AP over TCP: one connection per charge, the till calls.

use super::{CardTerminal, Witness};
use crate::config::CaisseApLine;
use async_trait::async_trait;
use domain::terminal::caisse_ap::{Dialect, Reader, debit};
use domain::terminal::{Charge, Doubt, Outcome, Till};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// To reach a device of the local network.
const CONNECTING: Duration = Duration::from_secs(3);
/// Nothing more comes after so much silence behind a complete answer.
const QUIET: Duration = Duration::from_millis(300);
/// Between two tries to store a late answer.
const STORE_EVERY: Duration = Duration::from_secs(1);

/// The terminal.
pub struct CaisseAp {
    line: CaisseApLine,
    name: String,
}

impl CaisseAp {
    /// A terminal at that address.
    pub fn new(line: CaisseApLine) -> Self {
        let name = format!("caisse-ap://{}:{}", line.host, line.port);
        Self { line, name }
    }

    /// The simulated terminal of this process.
    pub fn simulated(port: u16) -> Self {
        let line = CaisseApLine {
            host: "127.0.0.1".to_owned(),
            port,
            till: Till::FIRST,
            dialect: Dialect::default(),
            patience: Duration::from_secs(60),
            late: Duration::from_secs(60),
        };
        Self { line, name: "simulator:".to_owned() }
    }

    /// Reads until a final answer, the end of the line, or `until`. Returns why nothing more comes.
    async fn listen(stream: &mut TcpStream, reader: &mut Reader, until: Instant) -> Doubt {
        let mut buffer = [0; 2048];
        loop {
            let until = if reader.has_result() { Instant::now() + QUIET } else { until };
            match timeout_at(until, stream.read(&mut buffer)).await {
                Err(_) => return Doubt::Silence,
                Ok(Ok(0) | Err(_)) => return Doubt::LineLost,
                Ok(Ok(count)) => reader.push(&buffer[..count]),
            }
        }
    }
}

#[async_trait]
impl CardTerminal for CaisseAp {
    fn name(&self) -> &str {
        &self.name
    }

    fn till(&self) -> Till {
        self.line.till
    }

    fn patience(&self) -> Duration {
        self.line.patience
    }

    async fn pay(&self, charge: Charge, witness: Arc<dyn Witness>) {
        let request = debit(&charge, &self.line.dialect);
        let mut stream = match timeout(CONNECTING, TcpStream::connect((self.line.host.as_str(), self.line.port))).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::warn!(%error, terminal = self.name, "the terminal cannot be reached");
                return witness.nothing_sent("unreachable").await;
            }
            Err(_) => return witness.nothing_sent("connect_timeout").await,
        };
        if !witness.about_to_send().await {
            return witness.nothing_sent("not_stored").await;
        }
        // From here on: whatever is not a final answer is unknown.
        match stream.write(&request).await {
            Ok(0) | Err(_) => return witness.nothing_sent("not_written").await,
            Ok(written) => {
                if stream.write_all(&request[written..]).await.is_err() {
                    return witness.told(Outcome::Unknown(Doubt::LineLost)).await;
                }
            }
        }
        witness.sent().await;

        let mut reader = Reader::default();
        let doubt = Self::listen(&mut stream, &mut reader, Instant::now() + self.line.patience).await;
        let outcome = reader.judge(&charge, doubt);
        // The terminal may still be at it: it may answer when the guest comes back with the other card.
        let listening = match outcome {
            Outcome::Unknown(why @ (Doubt::Silence | Doubt::Interim)) if doubt == Doubt::Silence && !self.line.late.is_zero() => Some(why),
            _ => None,
        };
        let Some(why) = listening else { return witness.told(outcome).await };
        witness.gave_up(why, self.line.late).await;
        Self::listen(&mut stream, &mut reader, Instant::now() + self.line.late).await;
        if let Some(stray) = reader.stray() {
            while !witness.stray(stray.clone()).await {
                tokio::time::sleep(STORE_EVERY).await;
            }
        }
        witness.hung_up().await;
    }
}
