//! Who speaks when on a Concert line, as a state machine: what is heard goes in, what to do comes out. It owns no port and no clock.
//!
//! ```text
//! till                         terminal
//! ENQ                     ->
//!                         <-   ACK            silence: EOT, a pause, at most three times; then nothing was sent
//! STX request ETX LRC     ->                  from its first byte on only an answer ends the attempt
//!                         <-   ACK            NAK: the same again, at most three times; silence: unknown
//! EOT                     ->
//!      ... the guest pays ...
//!                         <-   ENQ
//! ACK                     ->
//!                         <-   STX reply ETX LRC    wrong checksum: NAK, at most three times
//! ACK                     ->                  only once the result is stored: after it the terminal forgets
//!                         <-   EOT            missing: changes nothing
//! ```
//!
//! A terminal that asks to speak before our request is written delivers the result of an *earlier* attempt: it is heard out, its answer is
//! reported as stray, and only then do we ask again. It is never credited to the new charge. An answer that could not be stored is not
//! acknowledged, so that the terminal keeps it and offers it again.
//!
//! What a terminal says may go on for ever; whoever owns the clock ends it with [`Dialogue::expire`].

use super::Speech;
use super::frame::{ACK, ENQ, EOT, Heard, NAK, frame};
use crate::terminal::{Charge, Doubt, Outcome, Stray};
use std::time::Duration;

/// How often something is said again.
const TRIES: u8 = 3;
/// ENQ → ACK.
const GREETING: Duration = Duration::from_secs(1);
/// Between two tries to be heard.
const PAUSE: Duration = Duration::from_secs(1);
/// Frame → ACK, ENQ → frame.
const FRAME: Duration = Duration::from_secs(3);
/// Last ACK → EOT.
const GOODBYE: Duration = Duration::from_secs(1);

/// What the owner of the line has to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Do {
    /// Store that the first byte of the request is about to go out. When that fails: [`Dialogue::abandon`].
    AnnounceRequest,
    /// Write these bytes.
    Say(Vec<u8>),
    /// Store that the request is out.
    RequestSent,
    /// Store the outcome, before anything else is said.
    Store(Outcome),
    /// Store that nothing was sent.
    NothingSent,
    /// Store an answer to an earlier attempt, before anything else is said. When that fails: [`Dialogue::not_stored`].
    StoreStray(Stray),
    /// Report [`Dialogue::late`] once this long has passed in silence. Replaces the wait before.
    WaitFor(Duration),
    /// The line is free.
    Finish,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// ENQ is out.
    Greeting {
        tries: u8,
    },
    /// After a greeting that was not answered.
    Pausing {
        tries: u8,
    },
    /// The terminal speaks first: an earlier result.
    HearingOut {
        tries: u8,
        bad: u8,
    },
    /// After the earlier result: its EOT.
    HeardOut {
        tries: u8,
    },
    /// The request is out, not yet acknowledged.
    Requested {
        tries: u8,
    },
    /// The guest pays.
    Waiting,
    /// ENQ was answered: the reply comes.
    Receiving {
        bad: u8,
    },
    /// The reply is acknowledged.
    Closing,
    Finished,
}

/// One charge over one line.
pub struct Dialogue {
    charge: Charge,
    speech: Speech,
    patience: Duration,
    state: State,
}

impl Dialogue {
    /// Begins. `patience` is how long a guest may take.
    #[must_use]
    pub fn begin(charge: Charge, speech: Speech, patience: Duration) -> (Self, Vec<Do>) {
        (Self { charge, speech, patience, state: State::Greeting { tries: 1 } }, vec![Do::Say(vec![ENQ]), Do::WaitFor(GREETING)])
    }

    fn request(&self) -> Do {
        Do::Say(frame(&self.speech.debit(&self.charge)))
    }

    /// Whether the first byte of the request may be out.
    #[must_use]
    pub const fn is_past_the_first_byte(&self) -> bool {
        matches!(self.state, State::Requested { .. } | State::Waiting | State::Receiving { .. } | State::Closing)
    }

    /// The request could not be announced: it is not sent.
    pub fn abandon(&mut self) -> Vec<Do> {
        self.state = State::Finished;
        vec![Do::Say(vec![EOT]), Do::NothingSent, Do::Finish]
    }

    /// It has taken longer than any dialogue may: a terminal that asks to speak again and again, or answers for others only.
    pub fn expire(&mut self) -> Vec<Do> {
        match self.state {
            State::Closing | State::Finished => self.finish(),
            _ if self.is_past_the_first_byte() => self.doubt(Doubt::Silence),
            _ => self.abandon(),
        }
    }

    /// An answer to an earlier attempt could not be stored: it is not acknowledged, and the terminal keeps it.
    pub fn not_stored(&mut self) -> Vec<Do> {
        match self.state {
            State::HeardOut { tries } => self.pause(tries),
            State::Waiting => vec![Do::WaitFor(self.patience)],
            _ => Vec::new(),
        }
    }

    /// The line broke.
    pub fn line_lost(&mut self) -> Vec<Do> {
        let past = self.is_past_the_first_byte();
        match std::mem::replace(&mut self.state, State::Finished) {
            State::Closing | State::Finished => vec![Do::Finish],
            _ if past => vec![Do::Store(Outcome::Unknown(Doubt::LineLost)), Do::Finish],
            _ => vec![Do::NothingSent, Do::Finish],
        }
    }

    /// Something was heard.
    pub fn hear(&mut self, heard: Heard) -> Vec<Do> {
        match (self.state, heard) {
            (State::Greeting { .. }, Heard::Yes) => {
                self.state = State::Requested { tries: 1 };
                vec![Do::AnnounceRequest, self.request(), Do::RequestSent, Do::WaitFor(FRAME)]
            }
            // Both asked at once, or the terminal has something left over: it goes first.
            (State::Greeting { tries } | State::Pausing { tries }, Heard::Enquiry) => {
                self.state = State::HearingOut { tries, bad: 0 };
                vec![Do::Say(vec![ACK]), Do::WaitFor(FRAME)]
            }
            (State::Greeting { tries }, Heard::Again | Heard::Bye) => self.pause(tries),
            (State::HearingOut { tries, .. }, Heard::Frame(body)) => {
                self.state = State::HeardOut { tries };
                vec![Do::StoreStray(self.speech.overhear(&body)), Do::Say(vec![ACK]), Do::WaitFor(GOODBYE)]
            }
            (State::HearingOut { tries, bad }, Heard::BadFrame) if bad + 1 < TRIES => {
                self.state = State::HearingOut { tries, bad: bad + 1 };
                vec![Do::Say(vec![NAK]), Do::WaitFor(FRAME)]
            }
            (State::HearingOut { tries, .. }, Heard::BadFrame | Heard::Bye) => self.pause(tries),
            (State::HeardOut { tries }, Heard::Bye) => self.greet(tries),

            (State::Requested { .. }, Heard::Yes) => {
                self.state = State::Waiting;
                vec![Do::Say(vec![EOT]), Do::WaitFor(self.patience)]
            }
            (State::Requested { tries }, Heard::Again) if tries < TRIES => {
                self.state = State::Requested { tries: tries + 1 };
                vec![self.request(), Do::WaitFor(FRAME)]
            }
            // It says that it never got the request whole; that is no answer.
            (State::Requested { .. }, Heard::Again) => self.doubt(Doubt::Unreadable),
            // Its ACK was lost.
            (State::Requested { .. } | State::Waiting, Heard::Enquiry) => {
                self.state = State::Receiving { bad: 0 };
                vec![Do::Say(vec![ACK]), Do::WaitFor(FRAME)]
            }
            (State::Waiting | State::Receiving { .. }, Heard::Frame(body)) => self.reply(&body),
            (State::Receiving { .. }, Heard::Enquiry) => vec![Do::Say(vec![ACK]), Do::WaitFor(FRAME)],
            (State::Receiving { bad }, Heard::BadFrame) if bad + 1 < TRIES => {
                self.state = State::Receiving { bad: bad + 1 };
                vec![Do::Say(vec![NAK]), Do::WaitFor(FRAME)]
            }
            (State::Receiving { .. }, Heard::BadFrame) => self.doubt(Doubt::Unreadable),
            (State::Closing, Heard::Bye) => self.finish(),
            _ => Vec::new(),
        }
    }

    fn reply(&mut self, body: &[u8]) -> Vec<Do> {
        match self.speech.read(body) {
            None => self.doubt(Doubt::Unreadable),
            // Taken, and the result comes later: it is waited for.
            Some(reply) if reply.is_interim() => {
                self.state = State::Waiting;
                vec![Do::Say(vec![ACK]), Do::WaitFor(self.patience)]
            }
            // The result of an earlier attempt, although we have begun: keep waiting for ours.
            Some(reply) if reply.is_for_another(&self.charge) => {
                self.state = State::Waiting;
                vec![Do::StoreStray(self.speech.overhear(body)), Do::Say(vec![ACK]), Do::WaitFor(self.patience)]
            }
            Some(reply) => {
                self.state = State::Closing;
                vec![Do::Store(reply.judge(&self.charge)), Do::Say(vec![ACK]), Do::WaitFor(GOODBYE)]
            }
        }
    }

    /// The wait is over.
    pub fn late(&mut self) -> Vec<Do> {
        match self.state {
            State::Greeting { tries } | State::HearingOut { tries, .. } => self.pause(tries),
            State::Pausing { tries } => self.greet(tries + 1),
            State::HeardOut { tries } => self.greet(tries),
            State::Requested { .. } | State::Waiting | State::Receiving { .. } => self.doubt(Doubt::Silence),
            State::Closing | State::Finished => self.finish(),
        }
    }

    fn pause(&mut self, tries: u8) -> Vec<Do> {
        if tries >= TRIES {
            return self.abandon();
        }
        self.state = State::Pausing { tries };
        vec![Do::Say(vec![EOT]), Do::WaitFor(PAUSE)]
    }

    fn greet(&mut self, tries: u8) -> Vec<Do> {
        self.state = State::Greeting { tries };
        vec![Do::Say(vec![ENQ]), Do::WaitFor(GREETING)]
    }

    fn doubt(&mut self, doubt: Doubt) -> Vec<Do> {
        self.state = State::Finished;
        vec![Do::Store(Outcome::Unknown(doubt)), Do::Finish]
    }

    fn finish(&mut self) -> Vec<Do> {
        self.state = State::Finished;
        vec![Do::Finish]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{debit, reply};
    use super::*;
    use crate::Cents;
    use crate::terminal::Till;
    use crate::terminal::caisse_ap::{Dialect, encode};
    use proptest::prelude::*;

    const PATIENCE: Duration = Duration::from_secs(240);

    fn charge() -> Charge {
        Charge { reference: "A1B2C3D4E5".parse().unwrap(), amount: Cents(2550), till: Till::FIRST }
    }

    fn begin() -> Dialogue {
        Dialogue::begin(charge(), Speech::Fixed, PATIENCE).0
    }

    fn answer(status: char, echo: &str) -> Heard {
        Heard::Frame(reply("01", status, Cents(2550), echo))
    }

    fn yes() -> Outcome {
        Outcome::Approved { approval_code: None, amount: Cents(2550) }
    }

    #[test]
    fn a_payment_from_greeting_to_goodbye() {
        let mut line = begin();
        let request = frame(&debit(&charge()));
        assert_eq!(line.hear(Heard::Yes), [Do::AnnounceRequest, Do::Say(request), Do::RequestSent, Do::WaitFor(FRAME)]);
        assert_eq!(line.hear(Heard::Yes), [Do::Say(vec![EOT]), Do::WaitFor(PATIENCE)]);
        assert_eq!(line.hear(Heard::Enquiry), [Do::Say(vec![ACK]), Do::WaitFor(FRAME)]);
        let stored = [Do::Store(yes()), Do::Say(vec![ACK]), Do::WaitFor(GOODBYE)];
        assert_eq!(line.hear(answer('0', "A1B2C3D4E5")), stored, "stored before the terminal may forget");
        assert_eq!(line.hear(Heard::Bye), [Do::Finish]);
    }

    #[test]
    fn nobody_there_means_nothing_sent() {
        let mut line = begin();
        for _ in 1..TRIES {
            assert_eq!(line.late(), [Do::Say(vec![EOT]), Do::WaitFor(PAUSE)]);
            assert_eq!(line.late(), [Do::Say(vec![ENQ]), Do::WaitFor(GREETING)]);
        }
        assert_eq!(line.late(), [Do::Say(vec![EOT]), Do::NothingSent, Do::Finish]);
    }

    #[test]
    fn the_result_of_an_earlier_attempt_is_not_credited_to_this_one() {
        let mut line = begin();
        assert_eq!(line.hear(Heard::Enquiry), [Do::Say(vec![ACK]), Do::WaitFor(FRAME)], "we yield");
        let earlier = line.hear(answer('0', "ZZZZZZZZZZ"));
        assert!(matches!(&earlier[..], [Do::StoreStray(stray), Do::Say(_), Do::WaitFor(_)]
            if stray.reference == "ZZZZZZZZZZ".parse().ok() && !stray.answers(&charge())));
        assert_eq!(line.hear(Heard::Bye), [Do::Say(vec![ENQ]), Do::WaitFor(GREETING)], "now we ask again");
        assert!(!line.is_past_the_first_byte());

        line.hear(Heard::Yes);
        line.hear(Heard::Yes);
        line.hear(Heard::Enquiry);
        let again = line.hear(answer('0', "ZZZZZZZZZZ"));
        assert!(matches!(&again[..], [Do::StoreStray(_), Do::Say(_), Do::WaitFor(PATIENCE)]), "and ours is still awaited");
    }

    #[test]
    fn what_was_not_understood_is_said_three_times() {
        let mut line = begin();
        line.hear(Heard::Yes);
        for _ in 1..TRIES {
            assert_eq!(line.hear(Heard::Again), [Do::Say(frame(&debit(&charge()))), Do::WaitFor(FRAME)]);
        }
        assert_eq!(line.hear(Heard::Again), [Do::Store(Outcome::Unknown(Doubt::Unreadable)), Do::Finish]);

        let mut line = begin();
        for heard in [Heard::Yes, Heard::Yes, Heard::Enquiry] {
            line.hear(heard);
        }
        for _ in 1..TRIES {
            assert_eq!(line.hear(Heard::BadFrame), [Do::Say(vec![NAK]), Do::WaitFor(FRAME)]);
        }
        assert_eq!(line.hear(Heard::BadFrame), [Do::Store(Outcome::Unknown(Doubt::Unreadable)), Do::Finish]);
    }

    #[test]
    fn what_could_not_be_stored_is_not_acknowledged_and_comes_again() {
        let mut line = begin();
        line.hear(Heard::Enquiry);
        assert!(matches!(&line.hear(answer('0', "ZZZZZZZZZZ"))[..], [Do::StoreStray(_), Do::Say(_), Do::WaitFor(_)]));
        assert_eq!(line.not_stored(), [Do::Say(vec![EOT]), Do::WaitFor(PAUSE)], "no ACK; and we ask again");
        assert_eq!(line.hear(Heard::Enquiry), [Do::Say(vec![ACK]), Do::WaitFor(FRAME)], "so does it");

        let mut line = begin();
        for heard in [Heard::Yes, Heard::Yes, Heard::Enquiry, answer('0', "ZZZZZZZZZZ")] {
            line.hear(heard);
        }
        assert_eq!(line.not_stored(), [Do::WaitFor(PATIENCE)]);
    }

    #[test]
    fn a_terminal_that_never_ends_is_given_up() {
        let mut line = begin();
        for _ in 0..1000 {
            line.hear(Heard::Enquiry);
            line.hear(answer('0', "ZZZZZZZZZZ"));
            assert_eq!(line.hear(Heard::Bye), [Do::Say(vec![ENQ]), Do::WaitFor(GREETING)]);
        }
        assert_eq!(line.expire(), [Do::Say(vec![EOT]), Do::NothingSent, Do::Finish]);

        let mut line = begin();
        line.hear(Heard::Yes);
        line.hear(Heard::Yes);
        for _ in 0..1000 {
            line.hear(Heard::Enquiry);
            line.hear(answer('0', "ZZZZZZZZZZ"));
        }
        assert_eq!(line.expire(), [Do::Store(Outcome::Unknown(Doubt::Silence)), Do::Finish]);
        assert_eq!(line.expire(), [Do::Finish]);
    }

    #[test]
    fn tagged_text_inside_the_frame_is_spoken_in_the_same_order() {
        let (mut line, _) = Dialogue::begin(charge(), Speech::Tagged(Dialect::default()), PATIENCE);
        let requested = line.hear(Heard::Yes);
        let Do::Say(request) = &requested[1] else { panic!("{requested:?}") };
        assert!(String::from_utf8_lossy(request).contains("CB0042550") && String::from_utf8_lossy(request).contains("CF010A1B2C3D4E5"));
        line.hear(Heard::Yes);
        line.hear(Heard::Enquiry);
        let interim = Heard::Frame(encode([(b"CZ", "0300"), (b"AE", "11")]));
        assert_eq!(line.hear(interim), [Do::Say(vec![ACK]), Do::WaitFor(PATIENCE)], "taken is not approved");
        line.hear(Heard::Enquiry);
        let fields: [(&[u8; 2], &str); 6] =
            [(b"CZ", "0300"), (b"CE", "978"), (b"CB", "00002550"), (b"AC", "123456"), (b"CF", "A1B2C3D4E5"), (b"AE", "10")];
        let yes = Outcome::Approved { approval_code: Some("123456".to_owned()), amount: Cents(2550) };
        assert_eq!(line.hear(Heard::Frame(encode(fields))), [Do::Store(yes), Do::Say(vec![ACK]), Do::WaitFor(GOODBYE)]);
    }

    fn anything() -> impl Strategy<Value = Option<Heard>> {
        prop_oneof![
            Just(None),
            Just(Some(Heard::Enquiry)),
            Just(Some(Heard::Yes)),
            Just(Some(Heard::Again)),
            Just(Some(Heard::Bye)),
            Just(Some(Heard::BadFrame)),
            Just(Some(Heard::Noise)),
            Just(Some(Heard::WrongParity)),
            Just(Some(answer('0', "A1B2C3D4E5"))),
            Just(Some(answer('7', "A1B2C3D4E5"))),
            Just(Some(answer('0', "ZZZZZZZZZZ"))),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(|body| Some(Heard::Frame(body))),
        ]
    }

    proptest! {
        /// Whatever a terminal says, and wherever the line breaks: one end at most is stored; nothing was sent only if nothing was; and money
        /// is booked only by an answer.
        #[test]
        fn it_ends_once_and_never_takes_back_what_was_sent(inputs in prop::collection::vec(anything(), 0..40)) {
            let (mut line, mut did) = Dialogue::begin(charge(), Speech::Fixed, PATIENCE);
            for input in inputs {
                did.extend(match input { Some(heard) => line.hear(heard), None => line.late() });
            }
            did.extend(line.line_lost());
            let announced = did.iter().position(|what| *what == Do::AnnounceRequest);
            let ends: Vec<&Do> = did.iter().filter(|what| matches!(what, Do::Store(_) | Do::NothingSent)).collect();
            prop_assert_eq!(ends.len(), 1);
            prop_assert_eq!(ends[0] == &Do::NothingSent, announced.is_none());
            let request = Do::Say(frame(&debit(&charge())));
            prop_assert_eq!(did.iter().position(|what| *what == request), announced.map(|at| at + 1), "announced before it is written");
            // Every ACK to a result comes after the result was stored.
            if let Some(at) = did.iter().position(|what| matches!(what, Do::Store(Outcome::Approved { .. }))) {
                prop_assert_eq!(&did[at + 1], &Do::Say(vec![ACK]));
            }
            prop_assert_eq!(did.last(), Some(&Do::Finish));
        }
    }
}
