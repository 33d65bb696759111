//! A terminal that speaks Concert on a serial line. What is said is `domain`'s; here are its port and its clock.
//!
//! One thread owns the line, from the start to the end: it listens while nobody pays, since a terminal offers the result of an attempt that
//! was given up whenever it likes. Unlike a future it is not dropped in the middle of an exchange, and unlike a blocking task of the runtime
//! it does not hold up a process that is asked to stop while a guest looks for the card.

use super::{CardTerminal, Overhears, Witness};
use crate::config::{ConcertLine, Framing};
use async_trait::async_trait;
use domain::terminal::concert::dialogue::{Dialogue, Do};
use domain::terminal::concert::frame::{ACK, EOT, Heard, Listener};
use domain::terminal::concert::inquiry::Inquiry;
use domain::terminal::concert::overhearing::Overhearing;
use domain::terminal::{Charge, Doubt, Outcome, Probed, Queried, Till};
use serialport::{DataBits, FlowControl, Parity, SerialPort, StopBits};
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// How long one look at the port takes; a payment waits at most so long for the line.
const SLICE: Duration = Duration::from_millis(5);
/// The line is half duplex: a terminal needs this long to turn round before it hears an ACK or EOT.
const TURN_ROUND: Duration = Duration::from_millis(10);
/// Between two tries to open a port that is not there.
const OPEN_AGAIN: Duration = Duration::from_secs(1);
/// How long a payment waits for a terminal that asks to speak again and again. An answer of its own, with two damaged copies, takes less.
const LINE_BUSY: Duration = Duration::from_secs(10);
/// Whoever asks something that moves no money waits no longer for the answer.
const INQUIRING: Duration = Duration::from_secs(45);
/// What a dialogue may take beyond the guest's patience, whatever the terminal goes on saying.
const GRACE: Duration = Duration::from_secs(60);

/// The terminal.
pub struct Concert {
    line: ConcertLine,
    name: String,
    /// To the thread that owns the line.
    ask: Sender<Ask>,
    /// Until somebody attends, the thread has not begun.
    asked: Mutex<Option<Receiver<Ask>>>,
    /// A payment has the line.
    paying: AtomicBool,
}

/// What the thread is asked to do.
enum Ask {
    /// To charge a card.
    Pay(Payment),
    /// To ask something that moves no money.
    Inquire { inquiry: Inquiry, first: Vec<Do>, said: oneshot::Sender<Queried> },
}

/// One payment.
struct Payment {
    charge: Charge,
    witness: Arc<dyn Witness>,
    /// Dropped when the exchange is over.
    over: oneshot::Sender<()>,
}

impl Concert {
    /// A terminal at that port.
    pub fn new(line: ConcertLine) -> Self {
        let (ask, asked) = channel();
        Self { name: format!("concert://{}", line.path), line, ask, asked: Mutex::new(Some(asked)), paying: AtomicBool::new(false) }
    }

    /// Asks something that moves no money. Whatever the terminal does, there is an answer.
    async fn inquire(&self, (inquiry, first): (Inquiry, Vec<Do>)) -> Queried {
        if self.paying.load(Ordering::SeqCst) {
            return Queried::Busy;
        }
        let (said, heard) = oneshot::channel();
        if self.ask.send(Ask::Inquire { inquiry, first, said }).is_err() {
            return Queried::Unreachable;
        }
        match tokio::time::timeout(INQUIRING, heard).await {
            Ok(Ok(said)) => said,
            // The thread is at a payment, or broke.
            Ok(Err(_)) | Err(_) => Queried::Busy,
        }
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
        let (over, ended) = oneshot::channel();
        if self.ask.send(Ask::Pay(Payment { charge, witness: witness.clone(), over })).is_err() {
            return witness.nothing_sent("unreachable").await;
        }
        self.paying.store(true, Ordering::SeqCst);
        // Its end: whatever there was to tell was told, unless the thread broke; then nobody drives the attempt any more.
        let _ = ended.await;
        self.paying.store(false, Ordering::SeqCst);
    }

    fn can_query(&self) -> bool {
        self.line.speech.duplicate(self.line.till).is_some()
    }

    async fn query(&self) -> Queried {
        match Inquiry::last_ticket(self.line.speech.clone(), self.line.till) {
            Some(inquiry) => self.inquire(inquiry).await,
            None => Queried::Unsupported,
        }
    }

    async fn probe(&self) -> Probed {
        match self.inquire(Inquiry::probe(self.line.speech.clone())).await {
            Queried::Unreachable => Probed::Unreachable,
            Queried::Busy => Probed::Busy,
            _ => Probed::Answers,
        }
    }

    fn attend(&self, ear: Arc<dyn Overhears>) {
        if let Some(asked) = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let (line, runtime, open_at) = (self.line.clone(), Handle::current(), Instant::now());
            let owner = Owner { line, asked, ear, runtime, port: None, said_why: false, open_at };
            std::thread::spawn(move || owner.run());
        }
    }
}

/// The thread that owns the line. It ends with the terminal.
struct Owner {
    line: ConcertLine,
    asked: Receiver<Ask>,
    ear: Arc<dyn Overhears>,
    runtime: Handle,
    port: Option<Port>,
    /// That the port cannot be opened was said once.
    said_why: bool,
    /// Not before then is it opened by itself. A payment does not wait for it.
    open_at: Instant,
}

/// An attempt that was given up, and whose terminal may still speak.
struct GivenUp {
    witness: Arc<dyn Witness>,
    until: Instant,
    _over: oneshot::Sender<()>,
}

impl Owner {
    fn run(mut self) {
        let mut overhearing = Overhearing::new(self.line.speech.clone());
        let mut until = Instant::now();
        let mut given_up: Option<GivenUp> = None;
        // Asked for while the terminal speaks, and until when it waits for its turn.
        let mut waiting: Option<(Payment, Instant)> = None;
        loop {
            if let Some(ended) = given_up.take_if(|given_up| Instant::now() >= given_up.until) {
                self.runtime.block_on(ended.witness.hung_up());
            }
            if waiting.is_none() {
                match self.next_question() {
                    Ok(Some(Ask::Pay(payment))) => waiting = Some((payment, Instant::now() + LINE_BUSY)),
                    // A terminal that may still be at a guest is asked nothing else.
                    Ok(Some(Ask::Inquire { said, .. })) if given_up.is_some() || !overhearing.is_quiet() => drop(said.send(Queried::Busy)),
                    Ok(Some(Ask::Inquire { inquiry, first, said })) => drop(said.send(self.inquire(inquiry, first))),
                    Ok(None) => {}
                    // The terminal's other end is gone: so is the house.
                    Err(()) => return,
                }
            }
            if overhearing.is_quiet() {
                if let Some((payment, _)) = waiting.take() {
                    given_up = self.pay(payment).or(given_up);
                }
            } else if let Some((payment, _)) = waiting.take_if(|(_, until)| Instant::now() >= *until) {
                self.runtime.block_on(payment.witness.nothing_sent("line_busy"));
            }
            let Some(port) = &mut self.port else { continue };
            let heard = port.read().and_then(|heard| {
                let is_late = heard.is_empty() && !overhearing.is_quiet() && Instant::now() >= until;
                let actions =
                    if is_late { overhearing.late() } else { heard.into_iter().flat_map(|heard| overhearing.hear(heard)).collect() };
                self.overhear(actions, &mut overhearing, &mut until)
            });
            if let Err(error) = heard {
                self.lost(&error);
                // What was being said on it is over: without a port the line is quiet, or nobody would open another.
                overhearing = Overhearing::new(self.line.speech.clone());
            }
        }
    }

    /// What is asked next. Where there is no port to listen to, one is opened, and somebody is waited for a while between two tries.
    fn next_question(&mut self) -> Result<Option<Ask>, ()> {
        if self.port.is_none() && Instant::now() >= self.open_at {
            self.open();
        }
        if self.port.is_some() {
            return match self.asked.try_recv() {
                Ok(ask) => Ok(Some(ask)),
                Err(TryRecvError::Empty) => Ok(None),
                Err(TryRecvError::Disconnected) => Err(()),
            };
        }
        match self.asked.recv_timeout(OPEN_AGAIN) {
            Ok(ask) => Ok(Some(ask)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(()),
        }
    }

    fn open(&mut self) {
        match Port::open(&self.line) {
            Ok(port) => {
                self.port = Some(port);
                self.said_why = false;
            }
            Err(error) => {
                if !self.said_why {
                    tracing::warn!(%error, port = self.line.path, "the terminal's port cannot be opened; it is tried again and again");
                }
                self.said_why = true;
            }
        }
    }

    fn lost(&mut self, error: &std::io::Error) {
        tracing::warn!(%error, port = self.line.path, "the terminal's line broke");
        self.port = None;
        // A port may open and end at once, again and again.
        self.open_at = Instant::now() + OPEN_AGAIN;
    }

    /// Does what listening asks for, in its order.
    fn overhear(&mut self, mut todo: Vec<Do>, overhearing: &mut Overhearing, until: &mut Instant) -> std::io::Result<()> {
        let mut at = 0;
        while at < todo.len() {
            match &todo[at] {
                Do::Say(bytes) => {
                    if let Some(port) = &mut self.port {
                        port.say(bytes)?;
                    }
                }
                Do::StoreStray(stray) if !self.runtime.block_on(self.ear.stray(stray.clone())) => {
                    todo.truncate(at + 1);
                    todo.extend(overhearing.not_stored());
                }
                Do::WaitFor(duration) => *until = Instant::now() + *duration,
                _ => {}
            }
            at += 1;
        }
        Ok(())
    }

    /// One payment, from ENQ to the end. What comes back was given up, and is still listened to.
    fn pay(&mut self, Payment { charge, witness, over }: Payment) -> Option<GivenUp> {
        if self.port.is_none() {
            self.open();
        }
        let Some(port) = &mut self.port else {
            self.runtime.block_on(witness.nothing_sent("unreachable"));
            return None;
        };
        let mut teller = Teller { witness: &witness, runtime: &self.runtime, late: self.line.late, listening: false };
        let (dialogue, first) = Dialogue::begin(charge, self.line.speech.clone(), self.line.patience);
        let ended = converse(port, dialogue, first, Instant::now() + self.line.patience + GRACE, &mut teller);
        let listening = teller.listening;
        if let Err(error) = ended {
            self.lost(&error);
        }
        if !listening {
            return None;
        }
        Some(GivenUp { witness, until: Instant::now() + self.line.late, _over: over })
    }

    /// A question that moves no money, from ENQ to the end. A terminal that never stops talking is left to the next payment.
    fn inquire(&mut self, mut inquiry: Inquiry, first: Vec<Do>) -> Queried {
        if self.port.is_none() {
            self.open();
        }
        let Some(mut port) = self.port.take() else { return Queried::Unreachable };
        let deadline = Instant::now() + INQUIRING;
        match self.converse(&mut port, &mut inquiry, first, deadline) {
            Ok(()) => self.port = Some(port),
            Err(error) => self.lost(&error),
        }
        inquiry.said()
    }

    fn converse(&self, port: &mut Port, inquiry: &mut Inquiry, first: Vec<Do>, deadline: Instant) -> std::io::Result<()> {
        let (mut todo, mut until) = (first, Instant::now());
        loop {
            let mut at = 0;
            while at < todo.len() {
                match &todo[at] {
                    Do::Say(bytes) => port.say(bytes)?,
                    Do::StoreStray(stray) if !self.runtime.block_on(self.ear.stray(stray.clone())) => {
                        todo.truncate(at + 1);
                        todo.extend(inquiry.not_stored());
                    }
                    Do::WaitFor(duration) => until = Instant::now() + *duration,
                    Do::Finish => return Ok(()),
                    _ => {}
                }
                at += 1;
            }
            let heard = port.read()?;
            let is_late = heard.is_empty() && Instant::now() >= until;
            todo = match (is_late, is_late && port.listener.give_up()) {
                _ if Instant::now() >= deadline => return Ok(()),
                (false, _) => heard.into_iter().flat_map(|heard| inquiry.hear(heard)).collect(),
                // A frame began and did not end.
                (true, true) => inquiry.hear(Heard::BadFrame),
                (true, false) => inquiry.late(),
            };
        }
    }
}

/// The port, and what was heard on it.
struct Port {
    port: Box<dyn SerialPort>,
    listener: Listener,
}

impl Port {
    /// Opens it, and keeps what a terminal wrote while it was closed: that may be the result of an earlier attempt.
    fn open(line: &ConcertLine) -> serialport::Result<Self> {
        let builder = serialport::new(&line.path, line.baud).flow_control(FlowControl::None).timeout(SLICE);
        let port = match line.framing {
            Framing::SevenEven => builder.data_bits(DataBits::Seven).parity(Parity::Even).stop_bits(StopBits::One),
            Framing::EightNone => builder.data_bits(DataBits::Eight).parity(Parity::None).stop_bits(StopBits::One),
        }
        .open()?;
        Ok(Self { port, listener: Listener::default() })
    }

    /// What was heard in one slice; nothing: silence.
    fn read(&mut self) -> std::io::Result<Vec<Heard>> {
        let mut buffer = [0; 256];
        match self.port.read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                let heard: Vec<Heard> = buffer[..count].iter().filter_map(|byte| self.listener.hear(*byte)).collect();
                if heard.contains(&Heard::WrongParity) {
                    tracing::warn!("the terminal uses another parity than the port: set framing=7e1 or framing=8n1 in TPE_URL");
                }
                Ok(heard)
            }
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn say(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if matches!(bytes, [ACK | EOT]) {
            std::thread::sleep(TURN_ROUND);
        }
        self.port.write_all(bytes)?;
        self.port.flush()
    }
}

/// Tells a witness from a thread that may block.
struct Teller<'w> {
    witness: &'w Arc<dyn Witness>,
    runtime: &'w Handle,
    late: Duration,
    /// It was given up, and the line is open.
    listening: bool,
}

impl Teller<'_> {
    fn store(&mut self, outcome: Outcome) {
        match outcome {
            // The terminal may still be at it, or have an answer that we could not read.
            Outcome::Unknown(doubt @ (Doubt::Silence | Doubt::Interim | Doubt::Unreadable)) if !self.late.is_zero() => {
                self.listening = true;
                self.runtime.block_on(self.witness.gave_up(doubt, self.late));
            }
            other => self.runtime.block_on(self.witness.told(other)),
        }
    }
}

/// Lets a dialogue take place. An error means that the line broke; the dialogue has ended all the same.
fn converse(port: &mut Port, mut dialogue: Dialogue, first: Vec<Do>, deadline: Instant, teller: &mut Teller<'_>) -> std::io::Result<()> {
    let mut until = Instant::now();
    let mut todo = first;
    let mut broken = Ok(());
    loop {
        match perform(todo, port, &mut dialogue, teller, &mut until) {
            Next::Listen => {}
            Next::Do(more) => {
                todo = more;
                continue;
            }
            Next::Broken(error) => {
                broken = Err(error);
                todo = dialogue.line_lost();
                continue;
            }
            Next::Finish => return broken,
        }
        todo = match port.read() {
            Ok(_) if Instant::now() >= deadline => dialogue.expire(),
            Ok(heard) if heard.is_empty() => {
                let is_late = Instant::now() >= until;
                match (is_late, is_late && port.listener.give_up()) {
                    (false, _) => Vec::new(),
                    // A frame began and did not end: that is a damaged frame, and is asked for again.
                    (true, true) => dialogue.hear(Heard::BadFrame),
                    (true, false) => dialogue.late(),
                }
            }
            Ok(heard) => heard.into_iter().flat_map(|heard| dialogue.hear(heard)).collect(),
            Err(error) => {
                broken = Err(error);
                dialogue.line_lost()
            }
        };
    }
}

enum Next {
    Listen,
    Do(Vec<Do>),
    Broken(std::io::Error),
    Finish,
}

/// Does what the dialogue asks for, in its order.
fn perform(todo: Vec<Do>, port: &mut Port, dialogue: &mut Dialogue, teller: &mut Teller<'_>, until: &mut Instant) -> Next {
    for what in todo {
        match what {
            Do::AnnounceRequest => {
                if !teller.runtime.block_on(teller.witness.about_to_send()) {
                    return Next::Do(dialogue.abandon());
                }
            }
            Do::Say(bytes) => {
                if let Err(error) = port.say(&bytes) {
                    return Next::Broken(error);
                }
            }
            Do::RequestSent => teller.runtime.block_on(teller.witness.sent()),
            Do::Store(outcome) => teller.store(outcome),
            Do::NothingSent => teller.runtime.block_on(teller.witness.nothing_sent("no_answer")),
            Do::StoreStray(stray) => {
                if !teller.runtime.block_on(teller.witness.stray(stray)) {
                    return Next::Do(dialogue.not_stored());
                }
            }
            Do::WaitFor(duration) => *until = Instant::now() + duration,
            Do::Finish => return Next::Finish,
        }
    }
    Next::Listen
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Cents;
    use domain::terminal::Stray;
    use domain::terminal::concert::frame::{ENQ, frame};
    use domain::terminal::concert::{Speech, reply};
    use nix::fcntl::OFlag;
    use serialport::TTYPort;
    use std::fs::{File, OpenOptions};
    use std::os::unix::fs::OpenOptionsExt;

    /// A pair: the terminal's end, and a port on ours. The second handle keeps the device open while the port is closed.
    fn pair() -> (TTYPort, File, ConcertLine) {
        let (mut theirs, mut ours) = TTYPort::pair().unwrap();
        theirs.set_timeout(Duration::from_millis(50)).unwrap();
        ours.set_exclusive(false).unwrap();
        let path = ours.name().unwrap();
        // A plain file: a port would hold the lock that the till needs. Opened before the port goes, so that the device is never closed.
        let open = OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(&path).unwrap();
        let (patience, late) = (Duration::from_secs(60), Duration::ZERO);
        let line = ConcertLine { path, baud: 9600, framing: Framing::EightNone, speech: Speech::Fixed, till: Till::FIRST, patience, late };
        (theirs, open, line)
    }

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Notes {
        fn write(&self, note: impl Into<String>) {
            self.0.lock().unwrap().push(note.into());
        }
    }

    #[async_trait]
    impl Overhears for Notes {
        async fn stray(&self, _: Stray) -> bool {
            true
        }
    }

    #[async_trait]
    impl Witness for Notes {
        async fn about_to_send(&self) -> bool {
            self.write("about to send");
            true
        }
        async fn sent(&self) {
            self.write("sent");
        }
        async fn nothing_sent(&self, why: &'static str) {
            self.write(why);
        }
        async fn told(&self, outcome: Outcome) {
            self.write(format!("{outcome:?}"));
        }
        async fn gave_up(&self, doubt: Doubt, _: Duration) {
            self.write(doubt.as_str());
        }
        async fn hung_up(&self) {
            self.write("hung up");
        }
    }

    /// What a terminal wrote while nobody had the port open is there when it is opened: flushing at that moment loses a result.
    #[test]
    fn what_was_said_before_the_port_was_opened_is_heard() {
        let (mut theirs, _open, line) = pair();
        theirs.write_all(&[ENQ]).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let mut port = Port::open(&line).unwrap();
        let heard: Vec<Heard> = (0..20).flat_map(|_| port.read().unwrap()).collect();
        assert_eq!(heard, [Heard::Enquiry]);
    }

    /// A till that answers within a millisecond is not heard by a terminal that still speaks.
    #[test]
    fn the_terminal_has_time_to_turn_round() {
        let (mut theirs, _open, line) = pair();
        let mut port = Port::open(&line).unwrap();
        for control in [ACK, EOT] {
            let began = Instant::now();
            port.say(&[control]).unwrap();
            let mut byte = [0];
            theirs.read_exact(&mut byte).unwrap();
            assert_eq!(byte, [control]);
            assert!(began.elapsed() >= Duration::from_millis(10));
        }
    }

    fn charge() -> Charge {
        Charge { reference: "A1B2C3D4E5".parse().unwrap(), amount: Cents(2550), till: Till::FIRST }
    }

    fn expect(theirs: &mut TTYPort, byte: u8) {
        theirs.set_timeout(Duration::from_secs(5)).unwrap();
        let mut heard = [0];
        theirs.read_exact(&mut heard).unwrap();
        assert_eq!(heard, [byte]);
    }

    /// The cable is pulled out while the till turns round to answer ENQ. The next payment must find the line that is plugged in again.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_line_that_dies_before_our_ack_is_opened_again() {
        let (mut theirs, open, mut line) = pair();
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("tpe");
        std::os::unix::fs::symlink(&line.path, &link).unwrap();
        line.path = link.to_str().unwrap().to_owned();
        let terminal = Concert::new(line);
        let notes = Arc::new(Notes::default());
        terminal.attend(notes.clone());
        // Once to know that it listens, and once more.
        theirs.write_all(&[ENQ]).unwrap();
        expect(&mut theirs, ACK);
        theirs.write_all(&[EOT]).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        theirs.write_all(&[ENQ]).unwrap();
        std::thread::sleep(Duration::from_millis(4));
        drop((theirs, open));

        let again = crate::sim::tpe::line::PseudoTerminal::open().unwrap();
        again.link(&link).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = stop.clone();
        let simulated = crate::sim::tpe::Simulator::playing(Vec::new());
        let serving = std::thread::spawn(move || simulated.serve_line(again, &|| stopping.load(Ordering::Relaxed)));
        tokio::time::timeout(Duration::from_secs(15), terminal.pay(charge(), notes.clone())).await.expect("the payment has an end");
        let approved = format!("{:?}", Outcome::Approved { approval_code: None, amount: Cents(2550) });
        assert_eq!(*notes.0.lock().unwrap(), ["about to send", "sent", approved.as_str()]);
        stop.store(true, Ordering::Relaxed);
        serving.join().unwrap().unwrap();
    }

    /// A terminal that asks to speak and says nothing, again and again, must not keep a payment waiting for ever.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_line_that_is_never_free_refuses_a_payment() {
        let (mut theirs, _open, line) = pair();
        let terminal = Concert::new(line);
        let notes = Arc::new(Notes::default());
        terminal.attend(notes.clone());
        theirs.write_all(&[ENQ]).unwrap();
        expect(&mut theirs, ACK);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = stop.clone();
        let babbling = std::thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                theirs.write_all(&[ENQ]).unwrap();
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        let paid = tokio::time::timeout(LINE_BUSY * 2, terminal.pay(charge(), notes.clone())).await;
        stop.store(true, Ordering::Relaxed);
        babbling.join().unwrap();
        paid.expect("the payment has an end");
        assert_eq!(*notes.0.lock().unwrap(), ["line_busy"]);
    }

    /// A terminal that offers the result of somebody else again and again never lets us speak.
    #[test]
    fn a_dialogue_has_an_end_whatever_the_terminal_says() {
        let (mut theirs, _open, line) = pair();
        let babbling = std::thread::spawn(move || {
            let foreign = frame(&reply("01", '0', Cents(100), "ZZZZZZZZZZ"));
            let end = Instant::now() + Duration::from_secs(3);
            let mut buffer = [0; 64];
            while Instant::now() < end {
                let bytes: &[u8] = match theirs.read(&mut buffer) {
                    Ok(count) if buffer[..count].contains(&ENQ) => &[ENQ],
                    Ok(_) => &foreign,
                    Err(_) => &[EOT],
                };
                theirs.write_all(bytes).unwrap();
            }
        });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let notes = Arc::new(Notes::default());
        let witness: Arc<dyn Witness> = notes.clone();
        let mut teller = Teller { witness: &witness, runtime: runtime.handle(), late: Duration::ZERO, listening: false };
        let charge = Charge { reference: "A1B2C3D4E5".parse().unwrap(), amount: Cents(2550), till: Till::FIRST };
        let (dialogue, first) = Dialogue::begin(charge, Speech::Fixed, line.patience);
        let mut port = Port::open(&line).unwrap();
        let began = Instant::now();
        converse(&mut port, dialogue, first, began + Duration::from_secs(1), &mut teller).unwrap();
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert_eq!(*notes.0.lock().unwrap(), ["no_answer"], "and nothing was sent");
        babbling.join().unwrap();
    }
}
