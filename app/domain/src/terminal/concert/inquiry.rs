//! A question on a Concert line that moves no money: is somebody there, and what was your last ticket?
//!
//! ```text
//! till                         terminal
//! ENQ                     ->
//!                         <-   ACK            it is there; EOT, and that is all that a probe wants
//! STX question ETX LRC    ->
//!                         <-   ACK
//! EOT                     ->
//!                         <-   ENQ
//! ACK                     ->
//!                         <-   STX answer ETX LRC
//! ACK                     ->
//!                         <-   EOT
//! ```
//!
//! A terminal that speaks first, or answers with the result of a payment, is heard out: that is a stray, stored before it is acknowledged, and never
//! taken for the answer. Like [`super::dialogue`] it owns no port and no clock.

use super::Speech;
use super::dialogue::Do;
use super::frame::{ACK, ENQ, EOT, Heard, NAK, frame};
use crate::terminal::{Queried, Till};
use std::time::Duration;

/// How often something is said again.
const TRIES: u8 = 3;
/// ENQ → ACK.
const GREETING: Duration = Duration::from_secs(1);
/// Between two tries to be heard.
const PAUSE: Duration = Duration::from_secs(1);
/// Frame → ACK, ENQ → frame.
const FRAME: Duration = Duration::from_secs(3);
/// Question → ENQ: it may print first.
const ANSWER: Duration = Duration::from_secs(15);
/// Last ACK → EOT.
const GOODBYE: Duration = Duration::from_secs(1);

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
    /// The terminal speaks first.
    HearingOut {
        bad: u8,
    },
    /// The question is out, not yet acknowledged.
    Asked {
        tries: u8,
    },
    /// It looks for its answer.
    Waiting,
    /// ENQ was answered: the answer comes.
    Receiving {
        bad: u8,
    },
    /// The last frame is acknowledged.
    Closing,
    Finished,
}

/// One question over one line.
pub struct Inquiry {
    speech: Speech,
    /// What is asked; nothing: only whether somebody is there.
    question: Option<Vec<u8>>,
    state: State,
    said: Queried,
}

impl Inquiry {
    /// Asks whether somebody is there. [`Queried::Unreachable`] is no; everything else is yes.
    #[must_use]
    pub fn probe(speech: Speech) -> (Self, Vec<Do>) {
        Self::begin(speech, None)
    }

    /// Asks for the last ticket; `None` where there is no such question.
    #[must_use]
    pub fn last_ticket(speech: Speech, till: Till) -> Option<(Self, Vec<Do>)> {
        let question = speech.duplicate(till)?;
        Some(Self::begin(speech, Some(question)))
    }

    fn begin(speech: Speech, question: Option<Vec<u8>>) -> (Self, Vec<Do>) {
        let inquiry = Self { speech, question, state: State::Greeting { tries: 1 }, said: Queried::Unreachable };
        (inquiry, vec![Do::Say(vec![ENQ]), Do::WaitFor(GREETING)])
    }

    /// What came of it, once it has finished.
    #[must_use]
    pub fn said(self) -> Queried {
        self.said
    }

    /// Something was heard.
    pub fn hear(&mut self, heard: Heard) -> Vec<Do> {
        match (self.state, heard) {
            (State::Greeting { .. }, Heard::Yes) => match &self.question {
                None => self.end(Queried::Silent, vec![Do::Say(vec![EOT])]),
                Some(question) => {
                    self.said = Queried::Silent;
                    self.state = State::Asked { tries: 1 };
                    vec![Do::Say(frame(question)), Do::WaitFor(FRAME)]
                }
            },
            // It has something to say: that goes first, and the question is asked another time.
            (State::Greeting { .. } | State::Pausing { .. }, Heard::Enquiry) => {
                self.said = Queried::Busy;
                self.state = State::HearingOut { bad: 0 };
                vec![Do::Say(vec![ACK]), Do::WaitFor(FRAME)]
            }
            (State::HearingOut { .. }, Heard::Frame(body)) => {
                self.state = State::Closing;
                vec![Do::StoreStray(self.speech.overhear(&body)), Do::Say(vec![ACK]), Do::WaitFor(GOODBYE)]
            }
            (State::HearingOut { bad }, Heard::BadFrame) if bad + 1 < TRIES => {
                self.state = State::HearingOut { bad: bad + 1 };
                vec![Do::Say(vec![NAK]), Do::WaitFor(FRAME)]
            }
            (State::HearingOut { .. }, Heard::BadFrame | Heard::Bye) => self.finish(),

            (State::Asked { .. }, Heard::Yes) => {
                self.state = State::Waiting;
                vec![Do::Say(vec![EOT]), Do::WaitFor(ANSWER)]
            }
            (State::Asked { tries }, Heard::Again) if tries < TRIES => {
                self.state = State::Asked { tries: tries + 1 };
                let question = self.question.as_deref().unwrap_or_default();
                vec![Do::Say(frame(question)), Do::WaitFor(FRAME)]
            }
            // It understands no such question.
            (State::Asked { .. }, Heard::Again | Heard::Bye) => self.end(Queried::Refused, vec![Do::Say(vec![EOT])]),
            (State::Asked { .. } | State::Waiting | State::Receiving { .. }, Heard::Enquiry) => {
                self.state = State::Receiving { bad: 0 };
                vec![Do::Say(vec![ACK]), Do::WaitFor(FRAME)]
            }
            (State::Waiting | State::Receiving { .. }, Heard::Frame(body)) => match self.speech.last_ticket(&body) {
                Some(said) => {
                    self.said = said;
                    self.state = State::Closing;
                    vec![Do::Say(vec![ACK]), Do::WaitFor(GOODBYE)]
                }
                // The result of a payment: not what was asked.
                None => {
                    self.state = State::Waiting;
                    vec![Do::StoreStray(self.speech.overhear(&body)), Do::Say(vec![ACK]), Do::WaitFor(ANSWER)]
                }
            },
            (State::Receiving { bad }, Heard::BadFrame) if bad + 1 < TRIES => {
                self.state = State::Receiving { bad: bad + 1 };
                vec![Do::Say(vec![NAK]), Do::WaitFor(FRAME)]
            }
            (State::Receiving { .. }, Heard::BadFrame) | (State::Closing, Heard::Bye) => self.finish(),
            _ => Vec::new(),
        }
    }

    /// The wait is over.
    pub fn late(&mut self) -> Vec<Do> {
        match self.state {
            State::Greeting { tries } if tries < TRIES && self.question.is_some() => {
                self.state = State::Pausing { tries };
                vec![Do::Say(vec![EOT]), Do::WaitFor(PAUSE)]
            }
            State::Greeting { .. } => self.end(Queried::Unreachable, vec![Do::Say(vec![EOT])]),
            State::Pausing { tries } => {
                self.state = State::Greeting { tries: tries + 1 };
                vec![Do::Say(vec![ENQ]), Do::WaitFor(GREETING)]
            }
            _ => self.finish(),
        }
    }

    /// What it said beside the question could not be stored: it is not acknowledged, and the terminal offers it again.
    pub fn not_stored(&mut self) -> Vec<Do> {
        self.end(Queried::Busy, vec![Do::Say(vec![EOT])])
    }

    fn end(&mut self, said: Queried, mut todo: Vec<Do>) -> Vec<Do> {
        self.said = said;
        todo.extend(self.finish());
        todo
    }

    fn finish(&mut self) -> Vec<Do> {
        self.state = State::Finished;
        vec![Do::Finish]
    }
}

#[cfg(test)]
mod tests {
    use super::super::reply;
    use super::*;
    use crate::Cents;
    use crate::terminal::caisse_ap::{Dialect, encode};
    use crate::terminal::{LastTicket, Outcome};
    use proptest::prelude::*;

    fn tagged() -> Speech {
        Speech::Tagged(Dialect::default())
    }

    fn begin() -> Inquiry {
        let (inquiry, first) = Inquiry::last_ticket(tagged(), Till::FIRST).unwrap();
        assert_eq!(first, [Do::Say(vec![ENQ]), Do::WaitFor(GREETING)]);
        inquiry
    }

    fn ticket(action: &'static str) -> Heard {
        let fields: [(&[u8; 2], &str); 7] =
            [(b"CZ", "0300"), (b"CA", "01"), (b"CE", "978"), (b"CD", action), (b"CB", "00002550"), (b"CF", "A1B2C3D4E5"), (b"AE", "10")];
        Heard::Frame(encode(fields))
    }

    #[test]
    fn a_probe_says_no_more_than_hello() {
        let (mut line, first) = Inquiry::probe(Speech::Fixed);
        assert_eq!(first, [Do::Say(vec![ENQ]), Do::WaitFor(GREETING)]);
        assert_eq!(line.hear(Heard::Yes), [Do::Say(vec![EOT]), Do::Finish]);
        assert_ne!(line.said(), Queried::Unreachable);

        let (mut line, _) = Inquiry::probe(Speech::Fixed);
        assert_eq!(line.late(), [Do::Say(vec![EOT]), Do::Finish]);
        assert_eq!(line.said(), Queried::Unreachable);
    }

    #[test]
    fn where_there_is_no_such_question_none_is_asked() {
        assert!(Inquiry::last_ticket(Speech::Fixed, Till::FIRST).is_none());
    }

    #[test]
    fn the_last_ticket_is_asked_for_and_told() {
        let mut line = begin();
        let asked = line.hear(Heard::Yes);
        let Do::Say(question) = &asked[0] else { panic!("{asked:?}") };
        assert!(String::from_utf8_lossy(question).contains("CD0013CB00200"));
        assert_eq!(line.hear(Heard::Yes), [Do::Say(vec![EOT]), Do::WaitFor(ANSWER)]);
        assert_eq!(line.hear(Heard::Enquiry), [Do::Say(vec![ACK]), Do::WaitFor(FRAME)]);
        assert_eq!(line.hear(ticket("3")), [Do::Say(vec![ACK]), Do::WaitFor(GOODBYE)]);
        assert_eq!(line.hear(Heard::Bye), [Do::Finish]);
        assert!(matches!(line.said(), Queried::Ticket(LastTicket { amount: Some(Cents(2550)), .. })));
    }

    #[test]
    fn the_result_of_a_payment_is_no_answer_and_is_not_lost() {
        let mut line = begin();
        for heard in [Heard::Yes, Heard::Yes, Heard::Enquiry] {
            line.hear(heard);
        }
        let result = line.hear(ticket("0"));
        assert!(matches!(&result[..], [Do::StoreStray(stray), Do::Say(_), Do::WaitFor(ANSWER)]
            if matches!(stray.outcome, Outcome::Approved { .. })));
        assert_eq!(line.late(), [Do::Finish]);
        assert_eq!(line.said(), Queried::Silent);

        // One that lay in it before.
        let (mut line, _) = Inquiry::probe(Speech::Fixed);
        assert_eq!(line.hear(Heard::Enquiry), [Do::Say(vec![ACK]), Do::WaitFor(FRAME)]);
        let earlier = line.hear(Heard::Frame(reply("01", '0', Cents(2550), "A1B2C3D4E5")));
        assert!(matches!(&earlier[..], [Do::StoreStray(_), Do::Say(ack), Do::WaitFor(_)] if *ack == [ACK]));
        assert_eq!(line.not_stored(), [Do::Say(vec![EOT]), Do::Finish], "or it is not acknowledged");
        assert_eq!(line.said(), Queried::Busy);
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
            Just(Some(ticket("3"))),
            Just(Some(ticket("0"))),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(|body| Some(Heard::Frame(body))),
        ]
    }

    proptest! {
        /// Whatever a terminal says: a question never writes a request to debit, never stores an end of a payment, and has an end.
        #[test]
        fn a_question_moves_no_money(inputs in prop::collection::vec(anything(), 0..40), probe: bool) {
            let (mut line, mut did) =
                if probe { Inquiry::probe(tagged()) } else { Inquiry::last_ticket(tagged(), Till::FIRST).unwrap() };
            for input in inputs {
                did.extend(match input { Some(heard) => line.hear(heard), None => line.late() });
            }
            for _ in 0..8 {
                did.extend(line.late());
            }
            let question = frame(&tagged().duplicate(Till::FIRST).unwrap());
            for what in &did {
                match what {
                    Do::Say(bytes) => prop_assert!(bytes.len() == 1 || *bytes == question),
                    Do::StoreStray(_) | Do::WaitFor(_) | Do::Finish => {}
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert_eq!(did.last(), Some(&Do::Finish));
        }
    }
}
