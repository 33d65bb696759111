//! The ticket printer.
//!
//! A printer is asked how it is before anything goes out, so that an empty roll is said and not guessed, and once more behind it. Until the first
//! byte of a document is written its failure means that nothing was printed; afterwards nobody can tell how much came out. One document at
//! a time: printers take one connection.

mod deliver;
mod wire;

pub use deliver::{Failure, deliver};
pub use wire::Wire;

use crate::config::Printer as Settings;
use domain::receipt::escpos::{KICK, Status, Trouble, encode};
use domain::receipt::{Line, lay_out};
use std::time::Duration;
use tokio::sync::{Mutex, oneshot};

/// The drawer is opened now or not at all: nobody wants it to fly open a minute later.
const KICK_WITHIN: Duration = Duration::from_secs(2);

/// The printer that the configuration names.
pub struct Printer {
    settings: Settings,
    speaking: Mutex<()>,
}

impl Printer {
    /// A printer at that line.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, speaking: Mutex::new(()) }
    }

    /// Prints a document and cuts the paper. `None`: it went out, but the printer does not say how it is.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn print(&self, lines: &[Line]) -> Result<Option<Status>, Failure> {
        let mut laid = lay_out(lines, self.settings.columns);
        laid.push(domain::receipt::Laid::Cut);
        let bytes = encode(&laid, self.settings.page);
        let _alone = self.speaking.lock().await;
        self.say(bytes, self.settings.asks).await
    }

    /// Opens the drawer.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn open_drawer(&self) -> Result<(), Failure> {
        let busy = Failure { trouble: Trouble::Offline, began: false };
        let _alone = tokio::time::timeout(KICK_WITHIN, self.speaking.lock()).await.map_err(|_| busy)?;
        // Nothing is asked: a printer without paper opens the drawer all the same.
        self.say(KICK.to_vec(), false).await.map(drop)
    }

    async fn say(&self, bytes: Vec<u8>, asks: bool) -> Result<Option<Status>, Failure> {
        let line = self.settings.line.clone();
        let (tell, told) = oneshot::channel();
        // A thread of its own: it ends what it has begun although nobody waits any more, and does not hold up a process that stops.
        std::thread::spawn(move || {
            let done = match wire::open(&line) {
                Ok(mut wire) => deliver(wire.as_mut(), &bytes, asks),
                Err(error) => {
                    tracing::warn!(%error, printer = %line, "the printer cannot be reached");
                    Err(Failure { trouble: Trouble::Unreachable, began: false })
                }
            };
            // Nobody waits when the server stops.
            let _gone = tell.send(done);
        });
        told.await.unwrap_or(Err(Failure { trouble: Trouble::Interrupted, began: true }))
    }
}
