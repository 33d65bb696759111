//! Concert on a line, the terminal's side. Blocking: give it a thread.

use super::speech::Asked;
use super::{Act, STRANGER, Script, Simulator};
use domain::Cents;
use domain::terminal::concert::frame::{ACK, ENQ, EOT, Heard, Listener, NAK, frame};
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
/// Between two offers.
const OFFER_AGAIN: Duration = Duration::from_millis(500);

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
        let mut line =
            Line { port: line.ours, _theirs: line.theirs, listener: Listener::default(), heard: Vec::new(), cable: Cable::default() };
        // Met the till's request to speak with one of its own: the next one is answered.
        let mut met = false;
        while !stop() {
            // ENQ is the first byte that a cable may lose.
            line.cable = match self.coming() {
                Script::DropRequest(bytes) => Cable { hears: bytes.max(1), ..Cable::default() },
                _ => Cable::default(),
            };
            match line.hear(Duration::from_millis(100))? {
                Some(Heard::Enquiry) if self.coming() == Script::Collision && !met => {
                    met = true;
                    self.collide(&mut line)?;
                }
                Some(Heard::Enquiry) => {
                    let _talking = self.talk();
                    met = false;
                    self.session(&mut line)?;
                }
                _ => {}
            }
            if line.cable.is_cut() {
                line.lose()?;
            }
        }
        Ok(())
    }

    /// Asks to speak at the same moment as the till, and delivers the result of a payment that is not the till's.
    fn collide(&self, line: &mut Line) -> std::io::Result<()> {
        let another = Asked::Fixed { till: "01".to_owned(), amount: Cents(100), reference: STRANGER.to_owned() };
        deliver(line, &another.approval(STRANGER, Cents(100)), 0)
    }

    fn session(&self, line: &mut Line) -> std::io::Result<()> {
        line.say(&[ACK])?;
        let asked = loop {
            match line.hear(PATIENCE)? {
                Some(Heard::Frame(body)) => match Asked::in_frame(&body) {
                    Some(asked) => break asked,
                    None => line.say(&[NAK])?,
                },
                Some(Heard::BadFrame) => line.say(&[NAK])?,
                Some(Heard::Enquiry) => line.say(&[ACK])?,
                // The till only wanted to know whether somebody is there.
                Some(Heard::Bye) => return Ok(()),
                _ => {
                    if line.cable.is_cut() {
                        self.advance();
                        self.cut();
                    }
                    return Ok(());
                }
            }
        };
        if asked.is_duplicate() {
            line.say(&[ACK])?;
            line.hear(PATIENCE)?;
            return deliver(line, &self.last_ticket(&asked), 0);
        }
        let script = self.next_script(&asked);
        line.say(&[ACK])?;
        line.hear(PATIENCE)?;
        if let Script::Slow(wait) | Script::LateNoEcho(wait) = script {
            std::thread::sleep(wait);
        }
        match self.act(script, &asked) {
            Act::Answer(reply) | Act::Collision(reply) => deliver(line, &reply, 0),
            Act::Garbled { reply, times } => deliver(line, &reply, times),
            Act::AnotherFirst { reply, wait } => {
                let another = Asked::Fixed { till: "01".to_owned(), amount: Cents(100), reference: STRANGER.to_owned() };
                deliver(line, &another.approval(STRANGER, Cents(100)), 0)?;
                std::thread::sleep(wait);
                deliver(line, &reply, 0)
            }
            Act::Cut { reply, after } => {
                // Its ENQ is among what it says.
                line.cable.says = after;
                deliver(line, &reply, 0)?;
                // A till that went away in between was not told so much.
                if line.cable.is_cut() {
                    self.cut();
                }
                Ok(())
            }
            Act::Silence => Ok(()),
        }
    }
}

/// Offers a result until the till has it, or gives up. The first `damaged` copies have a wrong checksum.
fn deliver(line: &mut Line, body: &[u8], mut damaged: usize) -> std::io::Result<()> {
    for offer in 0..OFFERS {
        if offer > 0 && !line.cable.is_cut() {
            std::thread::sleep(OFFER_AGAIN);
        }
        line.say(&[ENQ])?;
        let mut heard = line.hear(PATIENCE)?;
        if heard == Some(Heard::Yes) {
            loop {
                let mut bytes = frame(body);
                if damaged > 0
                    && let Some(checksum) = bytes.last_mut()
                {
                    damaged -= 1;
                    *checksum ^= 0x40;
                }
                line.say(&bytes)?;
                heard = line.hear(PATIENCE)?;
                if heard != Some(Heard::Again) {
                    break;
                }
            }
            if heard == Some(Heard::Yes) {
                return line.say(&[EOT]);
            }
        }
        line.say(&[EOT])?;
    }
    Ok(())
}

/// How many bytes still get through.
#[derive(Clone, Copy)]
struct Cable {
    hears: usize,
    says: usize,
}

impl Default for Cable {
    fn default() -> Self {
        Self { hears: usize::MAX, says: usize::MAX }
    }
}

impl Cable {
    /// Cut in one direction is cut in both.
    const fn is_cut(self) -> bool {
        self.hears == 0 || self.says == 0
    }
}

struct Line {
    port: TTYPort,
    _theirs: File,
    listener: Listener,
    heard: Vec<Heard>,
    cable: Cable,
}

impl Line {
    fn say(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.cable.is_cut() {
            return Ok(());
        }
        let through = bytes.len().min(self.cable.says);
        self.cable.says -= through;
        self.port.write_all(&bytes[..through])
    }

    /// Loses what the till has said so far: the cable is whole again for what it says from now on.
    fn lose(&mut self) -> std::io::Result<()> {
        let mut buffer = [0; 256];
        self.heard.clear();
        self.listener.give_up();
        loop {
            match self.port.read(&mut buffer) {
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// The next thing that the till says; `None` when it says nothing for that long, or the cable is cut.
    fn hear(&mut self, patience: Duration) -> std::io::Result<Option<Heard>> {
        let until = Instant::now() + patience;
        let mut buffer = [0; 256];
        while self.heard.is_empty() {
            if self.cable.is_cut() {
                self.listener.give_up();
                return Ok(None);
            }
            match self.port.read(&mut buffer) {
                Ok(count) => {
                    let through = count.min(self.cable.hears);
                    self.cable.hears -= through;
                    self.heard.extend(buffer[..through].iter().filter_map(|byte| self.listener.hear(*byte)));
                }
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
