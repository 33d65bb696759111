//! A terminal that speaks Caisse-AP over TCP: one connection per charge, the till calls.

use super::{CardTerminal, Witness};
use crate::config::CaisseApLine;
use async_trait::async_trait;
use domain::terminal::caisse_ap::{Dialect, Reader, debit, duplicate};
use domain::terminal::{Charge, Doubt, Outcome, Probed, Queried, Stray, Till};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

/// To reach a device of the local network.
const CONNECTING: Duration = Duration::from_secs(3);
/// Nothing more comes after so much silence behind a complete answer.
const QUIET: Duration = Duration::from_millis(300);
/// Between two tries to store a late answer.
const STORE_EVERY: Duration = Duration::from_secs(1);
/// How often that is tried.
const STORE_TRIES: usize = 120;

/// How long the terminal may look for its last ticket, and print it.
const LOOKING: Duration = Duration::from_secs(15);

/// The terminal.
pub struct CaisseAp {
    line: CaisseApLine,
    name: String,
    /// One call at a time: a question waits for nothing, and a payment for a question.
    calls: Mutex<()>,
}

impl CaisseAp {
    /// A terminal at that address.
    pub fn new(line: CaisseApLine) -> Self {
        let name = format!("caisse-ap://{}:{}", line.host, line.port);
        Self { line, name, calls: Mutex::default() }
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
        Self { line, name: "simulator:".to_owned(), calls: Mutex::default() }
    }

    /// Calls the terminal, which picks up or does not.
    async fn call(&self) -> Result<TcpStream, &'static str> {
        match timeout(CONNECTING, TcpStream::connect((self.line.host.as_str(), self.line.port))).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                tracing::warn!(%error, terminal = self.name, "the terminal cannot be reached");
                Err("unreachable")
            }
            Err(_) => Err("connect_timeout"),
        }
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
        let _call = self.calls.lock().await;
        let mut stream = match self.call().await {
            Ok(stream) => stream,
            Err(why) => return witness.nothing_sent(why).await,
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
        let until = Instant::now() + self.line.patience;
        let (doubt, outcome) = loop {
            let doubt = Self::listen(&mut stream, &mut reader, until).await;
            let outcome = reader.judge(&charge, doubt);
            for stray in reader.for_others(&charge) {
                store(&*witness, stray, STORE_EVERY).await;
            }
            // It spoke of another payment only: ours is still to come.
            if outcome != Outcome::Unknown(Doubt::NotOurs) || doubt == Doubt::LineLost || Instant::now() >= until {
                break (doubt, outcome);
            }
            reader = Reader::default();
        };
        // The terminal may still be at it: it may answer when the guest comes back with the other card.
        let listening = match outcome {
            Outcome::Unknown(why @ (Doubt::Silence | Doubt::Interim)) if doubt == Doubt::Silence && !self.line.late.is_zero() => Some(why),
            _ => None,
        };
        let Some(why) = listening else { return witness.told(outcome).await };
        witness.gave_up(why, self.line.late).await;
        Self::listen(&mut stream, &mut reader, Instant::now() + self.line.late).await;
        if let Some(stray) = reader.stray() {
            store(&*witness, stray, STORE_EVERY).await;
        }
        witness.hung_up().await;
    }

    fn can_query(&self) -> bool {
        true
    }

    async fn query(&self) -> Queried {
        let Ok(_call) = self.calls.try_lock() else { return Queried::Busy };
        let Ok(mut stream) = self.call().await else { return Queried::Unreachable };
        if stream.write_all(&duplicate(self.line.till, &self.line.dialect)).await.is_err() {
            return Queried::Silent;
        }
        let mut reader = Reader::default();
        Self::listen(&mut stream, &mut reader, Instant::now() + LOOKING).await;
        reader.last_ticket(false).unwrap_or(Queried::Silent)
    }

    /// A call that is picked up and ended without a word: the terminal does nothing about it.
    async fn probe(&self) -> Probed {
        let Ok(_call) = self.calls.try_lock() else { return Probed::Busy };
        match self.call().await {
            Ok(_) => Probed::Answers,
            Err(_) => Probed::Unreachable,
        }
    }
}

/// Stores what a terminal said beside what it was asked for. It says it once and needs no acknowledgement, so it is tried again; what cannot
/// be stored for minutes is let go, or nobody could pay by card any more.
async fn store(witness: &dyn Witness, stray: Stray, every: Duration) {
    for _ in 0..STORE_TRIES {
        if witness.stray(stray.clone()).await {
            return;
        }
        tokio::time::sleep(every).await;
    }
    tracing::error!(amount = ?stray.amount, outcome = ?stray.outcome, reference = ?stray.reference, "what a terminal said was never stored");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::tpe::Overhears;
    use domain::Cents;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Cannot store anything.
    #[derive(Default)]
    struct Broken(AtomicUsize);

    #[async_trait]
    impl Overhears for Broken {
        async fn stray(&self, _: Stray) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed);
            false
        }
    }

    #[async_trait]
    impl Witness for Broken {
        async fn about_to_send(&self) -> bool {
            true
        }
        async fn sent(&self) {}
        async fn nothing_sent(&self, _: &'static str) {}
        async fn told(&self, _: Outcome) {}
        async fn gave_up(&self, _: Doubt, _: Duration) {}
        async fn hung_up(&self) {}
    }

    #[tokio::test]
    async fn what_can_never_be_stored_does_not_block_the_terminal_for_ever() {
        let broken = Broken::default();
        let outcome = Outcome::Approved { approval_code: None, amount: Cents(100) };
        let stray = Stray { reference: None, amount: Some(Cents(100)), currency: None, till: None, outcome };
        timeout(Duration::from_secs(30), store(&broken, stray, Duration::from_millis(1))).await.unwrap();
        assert_eq!(broken.0.load(Ordering::Relaxed), STORE_TRIES);
    }
}
