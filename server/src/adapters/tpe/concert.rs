//! A terminal that speaks Concert on a serial line. The dialogue is `domain`'s; here are its port and its clock.

use super::{CardTerminal, Witness};
use crate::config::{ConcertLine, Framing};
use async_trait::async_trait;
use domain::terminal::concert::dialogue::{Dialogue, Do};
use domain::terminal::concert::frame::{ACK, EOT, Heard, Listener};
use domain::terminal::{Charge, Doubt, Outcome, Till};
use serialport::{DataBits, FlowControl, Parity, SerialPort, StopBits};
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, oneshot};

/// How long one look at the port takes.
const SLICE: Duration = Duration::from_millis(20);
/// The line is half duplex: a terminal needs this long to turn round before it hears an ACK or EOT.
const TURN_ROUND: Duration = Duration::from_millis(10);

/// The terminal.
pub struct Concert {
    line: ConcertLine,
    name: String,
    /// A line has one speaker.
    speaking: Mutex<()>,
}

impl Concert {
    /// A terminal at that port.
    pub fn new(line: ConcertLine) -> Self {
        Self { name: format!("concert://{}", line.path), line, speaking: Mutex::new(()) }
    }
}

#[async_trait]
impl CardTerminal for Concert {
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
        let _alone = self.speaking.lock().await;
        let line = self.line.clone();
        let teller = Teller { witness: witness.clone(), runtime: Handle::current() };
        // A thread of its own: unlike a future it is not dropped in the middle of an exchange, and unlike a blocking task of the runtime it does
        // not hold up a process that is asked to stop while a guest looks for the card.
        let (end, ended) = oneshot::channel();
        std::thread::spawn(move || {
            match open(&line) {
                Ok(port) => converse(port, charge, line.patience, &teller),
                Err(error) => {
                    tracing::warn!(%error, port = line.path, "the terminal's port cannot be opened");
                    teller.tell(|witness| async move { witness.nothing_sent("unreachable").await });
                }
            }
            let _ = end.send(());
        });
        if ended.await.is_err() {
            witness.told(Outcome::Unknown(Doubt::LineLost)).await;
        }
    }
}

/// Opens the port, and keeps what a terminal wrote while it was closed: that may be the result of an earlier attempt.
fn open(line: &ConcertLine) -> serialport::Result<Box<dyn SerialPort>> {
    let builder = serialport::new(&line.path, line.baud).flow_control(FlowControl::None).timeout(SLICE);
    match line.framing {
        Framing::SevenEven => builder.data_bits(DataBits::Seven).parity(Parity::Even).stop_bits(StopBits::One),
        Framing::EightNone => builder.data_bits(DataBits::Eight).parity(Parity::None).stop_bits(StopBits::One),
    }
    .open()
}

/// Tells a witness from a thread that may block.
struct Teller {
    witness: Arc<dyn Witness>,
    runtime: Handle,
}

impl Teller {
    fn tell<T, F: Future<Output = T>>(&self, say: impl FnOnce(Arc<dyn Witness>) -> F) -> T {
        self.runtime.block_on(say(self.witness.clone()))
    }
}

fn converse(mut port: Box<dyn SerialPort>, charge: Charge, patience: Duration, teller: &Teller) {
    let (mut dialogue, first) = Dialogue::begin(charge, patience);
    let mut listener = Listener::default();
    let mut until = Instant::now();
    let mut todo = first;
    let mut buffer = [0; 256];
    loop {
        match perform(todo, &mut port, &mut dialogue, teller, &mut until) {
            Next::Listen => {}
            Next::Do(more) => {
                todo = more;
                continue;
            }
            Next::Finish => return,
        }
        todo = match port.read(&mut buffer) {
            Ok(0) => dialogue.line_lost(),
            Ok(count) => {
                let mut actions = Vec::new();
                for byte in &buffer[..count] {
                    if let Some(heard) = listener.hear(*byte) {
                        if heard == Heard::WrongParity {
                            tracing::warn!("the terminal uses another parity than the port: set framing=7e1 or framing=8n1 in TPE_URL");
                        }
                        actions.extend(dialogue.hear(heard));
                    }
                }
                actions
            }
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                let is_late = Instant::now() >= until;
                match (is_late, is_late && listener.give_up()) {
                    (false, _) => Vec::new(),
                    // A frame began and did not end: that is a damaged frame, and is asked for again.
                    (true, true) => dialogue.hear(Heard::BadFrame),
                    (true, false) => dialogue.late(),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the terminal's line broke");
                dialogue.line_lost()
            }
        };
    }
}

enum Next {
    Listen,
    Do(Vec<Do>),
    Finish,
}

/// Does what the dialogue asks for, in its order.
fn perform(todo: Vec<Do>, port: &mut Box<dyn SerialPort>, dialogue: &mut Dialogue, teller: &Teller, until: &mut Instant) -> Next {
    for what in todo {
        match what {
            Do::AnnounceRequest => {
                if !teller.tell(|witness| async move { witness.about_to_send().await }) {
                    return Next::Do(dialogue.abandon());
                }
            }
            Do::Say(bytes) => {
                if matches!(bytes.as_slice(), [ACK | EOT]) {
                    std::thread::sleep(TURN_ROUND);
                }
                if let Err(error) = port.write_all(&bytes).and_then(|()| port.flush()) {
                    tracing::warn!(%error, "the terminal's line broke");
                    return Next::Do(dialogue.line_lost());
                }
            }
            Do::RequestSent => teller.tell(|witness| async move { witness.sent().await }),
            Do::Store(outcome) => teller.tell(|witness| async move { witness.told(outcome).await }),
            Do::NothingSent => teller.tell(|witness| async move { witness.nothing_sent("no_answer").await }),
            Do::StoreStray(stray) => teller.tell(|witness| async move { witness.stray(stray).await }),
            Do::WaitFor(duration) => *until = Instant::now() + duration,
            Do::Finish => return Next::Finish,
        }
    }
    Next::Listen
}
