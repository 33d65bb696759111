//! Concert on a line, the terminal's side. Blocking: give it a thread.

use super::{Script, Simulator, half};
use domain::Cents;
use domain::terminal::concert::frame::{ACK, ENQ, EOT, Heard, Listener, NAK, frame};
use domain::terminal::concert::{read_request, reply};
use nix::fcntl::OFlag;
use serialport::{SerialPort, TTYPort};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a till may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a result is offered to a till that does not answer.
const OFFERS: usize = 3;

/// A pseudo-terminal: ours, and the one whose name the till opens. Both stay open, or reading ours would fail while no till is there.
pub struct PseudoTerminal {
    ours: TTYPort,
    /// A plain file: a port would hold the lock that the till needs.
    theirs: File,
    name: String,
}

impl PseudoTerminal {
    /// Opens a pair.
    ///
    /// # Errors
    /// When the system has none.
    pub fn open() -> serialport::Result<Self> {
        let (mut ours, mut theirs) = TTYPort::pair()?;
        ours.set_timeout(Duration::from_millis(20))?;
        theirs.set_exclusive(false)?;
        let name = theirs.name().unwrap_or_default();
        // Opened a second time before the port goes, so that it is never closed.
        let theirs = OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(&name)?;
        Ok(Self { ours, theirs, name })
    }

    /// The device that the till opens.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Puts a link to the device at `link`, where nothing or an older link is.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn link(&self, link: &Path) -> std::io::Result<()> {
        if link.is_symlink() {
            std::fs::remove_file(link)?;
        }
        std::os::unix::fs::symlink(&self.name, link)
    }
}

impl Simulator {
    /// Answers the till on a line until `stop` says so or the line breaks.
    ///
    /// # Errors
    /// When the line breaks.
    pub fn serve_line(&self, line: PseudoTerminal, stop: &dyn Fn() -> bool) -> std::io::Result<()> {
        let mut line = Line { port: line.ours, _theirs: line.theirs, listener: Listener::default(), heard: Vec::new() };
        while !stop() {
            if line.hear(Duration::from_millis(100))? == Some(Heard::Enquiry) {
                self.session(&mut line)?;
            }
        }
        Ok(())
    }

    fn session(&self, line: &mut Line) -> std::io::Result<()> {
        line.say(&[ACK])?;
        let body = loop {
            match line.hear(PATIENCE)? {
                Some(Heard::Frame(body)) => break body,
                Some(Heard::BadFrame) => line.say(&[NAK])?,
                Some(Heard::Enquiry) => line.say(&[ACK])?,
                _ => return Ok(()),
            }
        };
        let Some((till, amount, reference)) = read_request(&body) else { return line.say(&[NAK]) };
        line.say(&[ACK])?;
        line.hear(PATIENCE)?;
        let script = self.next_script(&reference, amount);
        let approve = |amount: Cents| {
            self.charge(&reference, amount);
            reply(&till, '0', amount, &reference)
        };
        let body = match script {
            Script::Approve => approve(amount),
            Script::Partial => approve(half(amount)),
            Script::Slow(wait) => {
                std::thread::sleep(wait);
                approve(amount)
            }
            Script::WrongEcho => {
                self.charge(&reference, amount);
                reply(&till, '0', amount, "ZZZZZZZZZZ")
            }
            Script::DropAfterRequest => {
                self.charge(&reference, amount);
                return Ok(());
            }
            Script::Decline | Script::Refuse => reply(&till, '7', amount, &reference),
            Script::Cancel => reply(&till, '6', amount, &reference),
            Script::Silent => return Ok(()),
        };
        deliver(line, &body)
    }
}

/// Offers a result until the till has it, or gives up.
fn deliver(line: &mut Line, body: &[u8]) -> std::io::Result<()> {
    for _ in 0..OFFERS {
        line.say(&[ENQ])?;
        if line.hear(PATIENCE)? != Some(Heard::Yes) {
            line.say(&[EOT])?;
            continue;
        }
        line.say(&frame(body))?;
        loop {
            match line.hear(PATIENCE)? {
                Some(Heard::Again) => line.say(&frame(body))?,
                _ => return line.say(&[EOT]),
            }
        }
    }
    Ok(())
}

struct Line {
    port: TTYPort,
    _theirs: File,
    listener: Listener,
    heard: Vec<Heard>,
}

impl Line {
    fn say(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.port.write_all(bytes)
    }

    /// The next thing that the till says; `None` when it says nothing for that long.
    fn hear(&mut self, patience: Duration) -> std::io::Result<Option<Heard>> {
        let until = Instant::now() + patience;
        let mut buffer = [0; 256];
        while self.heard.is_empty() {
            match self.port.read(&mut buffer) {
                Ok(count) => self.heard.extend(buffer[..count].iter().filter_map(|byte| self.listener.hear(*byte))),
                Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    if Instant::now() >= until {
                        self.listener.give_up();
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(self.heard.remove(0)))
    }
}
