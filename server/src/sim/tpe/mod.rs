//! A simulated card terminal. It speaks as terminals do, misbehaves as terminals do, and keeps a ledger of its own of what it charged: whoever
//! tests a till compares the two.

pub mod line;
mod speech;
mod tcp;

use domain::Cents;
use speech::{Asked, Refusal};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the terminal does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Charges, and says so.
    Approve,
    /// Refuses the card.
    Decline,
    /// The guest presses the red key.
    Cancel,
    /// Takes the request and never answers; charges nothing.
    Silent,
    /// Hears so many bytes from the till, and then the line is dead. Charges when a whole request was among them.
    DropRequest(usize),
    /// Charges, says so many bytes, and then the line is dead.
    DropAnswer(usize),
    /// Charges half.
    Partial,
    /// Charges, and says so after a while, whether or not anybody still listens.
    Slow(Duration),
    /// Charges, and answers under the name of another attempt.
    WrongEcho,
    /// Charges, and damages its answer so many times. On TCP, where nobody asks again, once.
    BadLrc(usize),
    /// Speaks of another payment before it does what it is asked: on a line it asks to speak at the same moment as the till.
    Collision,
    /// Does not understand the request.
    Refuse,
    /// Charges, and does not say for which attempt: many terminals echo nothing.
    NoEcho,
    /// The same after a while, whether or not anybody still listens.
    LateNoEcho(Duration),
    /// Charges nothing, and says without a name that so many cents were taken: the result of a guest before, which lay in it.
    Stale(i64),
    /// Charges nothing yet: speaks of another payment, and only after a while of this one, on the same connection.
    AnotherFirst(Duration),
}

/// The scripts, as they are written.
pub const SCRIPTS: &str = "approve, decline, cancel, silent, drop-after-request, drop-request:BYTES, drop-answer:BYTES, partial, slow:MS, \
                           wrong-echo, bad-lrc, bad-lrc:TIMES, collision, refuse, no-echo, late-no-echo:MS, stale:CENTS, another-first:MS";

impl FromStr for Script {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = text.split_once(':').map_or((text, None), |(name, number)| (name, Some(number)));
        let number = number.map(|digits| digits.parse::<u32>().map_err(|_| format!("{text}: {digits} is no number"))).transpose()?;
        let bytes = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(match (name, number) {
            ("approve", None) => Self::Approve,
            ("decline", None) => Self::Decline,
            ("cancel", None) => Self::Cancel,
            ("silent", None) => Self::Silent,
            ("drop-after-request", None) => Self::DropAnswer(0),
            ("drop-request", Some(number)) => Self::DropRequest(bytes(number)),
            ("drop-answer", Some(number)) => Self::DropAnswer(bytes(number)),
            ("partial", None) => Self::Partial,
            ("slow", Some(ms)) => Self::Slow(Duration::from_millis(u64::from(ms))),
            ("wrong-echo", None) => Self::WrongEcho,
            ("bad-lrc", number) => Self::BadLrc(bytes(number.unwrap_or(1))),
            ("collision", None) => Self::Collision,
            ("refuse", None) => Self::Refuse,
            ("no-echo", None) => Self::NoEcho,
            ("late-no-echo", Some(ms)) => Self::LateNoEcho(Duration::from_millis(u64::from(ms))),
            ("stale", Some(cents)) => Self::Stale(i64::from(cents)),
            ("another-first", Some(ms)) => Self::AnotherFirst(Duration::from_millis(u64::from(ms))),
            _ => return Err(format!("{text}: give {SCRIPTS}")),
        })
    }
}

/// An attempt that no till of this house knows.
const STRANGER: &str = "ZZZZZZZZZZ";

/// What a script comes to, once its money is taken or not.
enum Act {
    Answer(Vec<u8>),
    Garbled {
        reply: Vec<u8>,
        times: usize,
    },
    /// Speaks of another payment first.
    Collision(Vec<u8>),
    /// The same, and this one after a while.
    AnotherFirst {
        reply: Vec<u8>,
        wait: Duration,
    },
    /// Says so many bytes of it.
    Cut {
        reply: Vec<u8>,
        after: usize,
    },
    Silence,
}

/// The same, with one byte damaged.
fn garble(mut reply: Vec<u8>) -> Vec<u8> {
    if let Some(byte) = reply.get_mut(3) {
        *byte ^= 0x40;
    }
    reply
}

/// What the terminal took from a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The attempt, as the till named it.
    pub reference: String,
    /// How much.
    pub amount: Cents,
}

/// What is played, and how far it came.
struct Playing {
    scripts: Vec<Script>,
    at: usize,
}

/// A terminal.
pub struct Simulator {
    playing: Mutex<Playing>,
    requests: AtomicUsize,
    ledger: Mutex<Vec<Charged>>,
    /// Dialogues that were really cut where a script said.
    cuts: AtomicUsize,
    /// Dialogues under way, and the most there were at once: a real terminal has one guest.
    talking: AtomicUsize,
    most_talking: AtomicUsize,
    /// Told of every request and of what became of it.
    report: Option<fn(&str)>,
}

impl Simulator {
    /// A terminal that plays these scripts, a request each; the last one again and again. Without any it approves.
    #[must_use]
    pub fn playing(scripts: Vec<Script>) -> Arc<Self> {
        Self::with(scripts, None)
    }

    /// The same, with somebody watching.
    #[must_use]
    pub fn reporting(scripts: Vec<Script>, report: fn(&str)) -> Arc<Self> {
        Self::with(scripts, Some(report))
    }

    fn with(scripts: Vec<Script>, report: Option<fn(&str)>) -> Arc<Self> {
        Arc::new(Self {
            playing: Mutex::new(Playing { scripts, at: 0 }),
            requests: AtomicUsize::new(0),
            ledger: Mutex::default(),
            cuts: AtomicUsize::new(0),
            talking: AtomicUsize::new(0),
            most_talking: AtomicUsize::new(0),
            report,
        })
    }

    /// Plays these scripts from now on.
    pub fn play(&self, scripts: Vec<Script>) {
        *self.playing.lock().unwrap_or_else(PoisonError::into_inner) = Playing { scripts, at: 0 };
    }

    /// The most dialogues that were under way at once.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.most_talking.load(Ordering::SeqCst)
    }

    /// Whether it is at a guest.
    #[must_use]
    pub fn is_talking(&self) -> bool {
        self.talking.load(Ordering::SeqCst) > 0
    }

    fn talk(&self) -> Talking<'_> {
        let now = self.talking.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_talking.fetch_max(now, Ordering::SeqCst);
        Talking(self)
    }

    /// Everything that it charged.
    #[must_use]
    pub fn charged(&self) -> Vec<Charged> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests it got.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// How many dialogues it cut where a script said so; a script that was never played cuts nothing.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }

    fn cut(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
    }

    /// What it will do with the next request.
    fn coming(&self) -> Script {
        let playing = self.playing.lock().unwrap_or_else(PoisonError::into_inner);
        playing.scripts.get(playing.at).or(playing.scripts.last()).copied().unwrap_or(Script::Approve)
    }

    /// A request came, whole or not.
    fn advance(&self) {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.playing.lock().unwrap_or_else(PoisonError::into_inner).at += 1;
    }

    /// What to do with the request that just came.
    fn next_script(&self, asked: &Asked) -> Script {
        let script = self.coming();
        self.advance();
        if let Some(report) = self.report {
            report(&format!("{}: asked for {}, plays {script:?}", asked.reference(), asked.amount()));
        }
        script
    }

    /// The answer to a question for the last ticket: that of the last money it took.
    fn last_ticket(&self, asked: &Asked) -> Vec<u8> {
        let charged = self.charged();
        let last = charged.last().map(|charged| (charged.reference.as_str(), charged.amount));
        if let Some(report) = self.report {
            report(&format!(
                "asked for the last ticket: {}",
                last.map_or_else(|| "none".to_owned(), |(reference, amount)| format!("{reference}, {amount}"))
            ));
        }
        asked.last_ticket(last)
    }

    /// Takes the money that a script takes, and says how it goes on.
    fn act(&self, script: Script, asked: &Asked) -> Act {
        let (reference, amount) = (asked.reference(), asked.amount());
        let approve = |amount: Cents| {
            self.charge(&reference, amount);
            asked.approval(&reference, amount)
        };
        match script {
            Script::Approve | Script::Slow(_) => Act::Answer(approve(amount)),
            Script::Partial => Act::Answer(approve(half(amount))),
            Script::WrongEcho => {
                self.charge(&reference, amount);
                Act::Answer(asked.approval(STRANGER, amount))
            }
            Script::BadLrc(times) => Act::Garbled { reply: approve(amount), times },
            Script::Collision => Act::Collision(approve(amount)),
            Script::DropAnswer(after) => Act::Cut { reply: approve(amount), after },
            Script::DropRequest(_) => Act::Cut { reply: approve(amount), after: 0 },
            Script::Decline => Act::Answer(asked.refusal(Refusal::Declined)),
            Script::Cancel => Act::Answer(asked.refusal(Refusal::Cancelled)),
            Script::Refuse => Act::Answer(asked.refusal(Refusal::NotUnderstood)),
            Script::Silent => Act::Silence,
            Script::NoEcho | Script::LateNoEcho(_) => {
                self.charge(&reference, amount);
                Act::Answer(asked.approval("", amount))
            }
            Script::Stale(cents) => Act::Answer(asked.approval("", Cents(cents))),
            Script::AnotherFirst(wait) => Act::AnotherFirst { reply: approve(amount), wait },
        }
    }

    /// Takes money.
    fn charge(&self, reference: &str, amount: Cents) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).push(Charged { reference: reference.to_owned(), amount });
        if let Some(report) = self.report {
            report(&format!("{reference}: charged {amount}"));
        }
    }
}

/// A dialogue that is under way.
struct Talking<'s>(&'s Simulator);

impl Drop for Talking<'_> {
    fn drop(&mut self) {
        self.0.talking.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Half of it, at least a cent.
fn half(amount: Cents) -> Cents {
    Cents((amount.0 / 2).max(1))
}
