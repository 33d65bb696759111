//! A Concert line while nobody pays: a terminal may still have something to say, the result of an attempt that was given up.
//!
//! It is heard out at once and not at the next guest's payment. What could not be stored is not acknowledged: the terminal keeps it.

use super::Speech;
use super::dialogue::Do;
use super::frame::{ACK, EOT, Heard, NAK};
use std::time::Duration;

/// How often a damaged frame is asked for again.
const TRIES: u8 = 3;
/// ENQ → frame.
const FRAME: Duration = Duration::from_secs(3);
/// Last ACK → EOT.
const GOODBYE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Quiet,
    /// ENQ was answered: the frame comes.
    Receiving {
        bad: u8,
    },
    /// It is acknowledged.
    Closing,
}

/// Listens to a line between payments.
pub struct Overhearing {
    speech: Speech,
    state: State,
}

impl Overhearing {
    /// Nothing was said yet.
    #[must_use]
    pub const fn new(speech: Speech) -> Self {
        Self { speech, state: State::Quiet }
    }

    /// Whether the line is free for us to speak.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.state == State::Quiet
    }

    /// Something was heard. [`Do::Finish`] means that the line is quiet again.
    pub fn hear(&mut self, heard: Heard) -> Vec<Do> {
        match (self.state, heard) {
            (_, Heard::Enquiry) => {
                self.state = State::Receiving { bad: 0 };
                vec![Do::Say(vec![ACK]), Do::WaitFor(FRAME)]
            }
            (State::Receiving { .. }, Heard::Frame(body)) => {
                self.state = State::Closing;
                vec![Do::StoreStray(self.speech.overhear(&body)), Do::Say(vec![ACK]), Do::WaitFor(GOODBYE)]
            }
            (State::Receiving { bad }, Heard::BadFrame) if bad + 1 < TRIES => {
                self.state = State::Receiving { bad: bad + 1 };
                vec![Do::Say(vec![NAK]), Do::WaitFor(FRAME)]
            }
            (State::Receiving { .. } | State::Closing, Heard::BadFrame | Heard::Bye) => self.quiet(),
            _ => Vec::new(),
        }
    }

    /// The wait is over.
    pub fn late(&mut self) -> Vec<Do> {
        match self.state {
            State::Quiet => Vec::new(),
            State::Receiving { .. } => self.not_stored(),
            State::Closing => self.quiet(),
        }
    }

    /// What it said could not be stored, or did not come: it is told goodbye without an ACK, and offers it again.
    pub fn not_stored(&mut self) -> Vec<Do> {
        self.state = State::Quiet;
        vec![Do::Say(vec![EOT]), Do::Finish]
    }

    fn quiet(&mut self) -> Vec<Do> {
        self.state = State::Quiet;
        vec![Do::Finish]
    }
}

#[cfg(test)]
mod tests {
    use super::super::reply;
    use super::*;
    use crate::Cents;
    use crate::terminal::Outcome;
    use proptest::prelude::*;

    fn late_result() -> Heard {
        Heard::Frame(reply("01", '0', Cents(2550), "A1B2C3D4E5"))
    }

    #[test]
    fn a_result_that_nobody_waits_for_is_stored_and_then_acknowledged() {
        let mut line = Overhearing::new(Speech::Fixed);
        assert_eq!(line.hear(Heard::Noise), []);
        assert_eq!(line.hear(Heard::Enquiry), [Do::Say(vec![ACK]), Do::WaitFor(FRAME)]);
        assert!(!line.is_quiet());
        let heard = line.hear(late_result());
        assert!(matches!(&heard[..], [Do::StoreStray(stray), Do::Say(ack), Do::WaitFor(_)]
            if *ack == [ACK] && matches!(stray.outcome, Outcome::Approved { .. })));
        assert_eq!(line.hear(Heard::Bye), [Do::Finish]);
        assert!(line.is_quiet());
    }

    #[test]
    fn what_was_not_stored_is_offered_again() {
        let mut line = Overhearing::new(Speech::Fixed);
        line.hear(Heard::Enquiry);
        line.hear(late_result());
        assert_eq!(line.not_stored(), [Do::Say(vec![EOT]), Do::Finish]);
        line.hear(Heard::Enquiry);
        assert!(matches!(line.hear(late_result()).first(), Some(Do::StoreStray(_))));
    }

    proptest! {
        /// Whatever is heard: nothing is acknowledged that was not stored, and the line is quiet again when nothing more comes.
        #[test]
        fn no_frame_is_acknowledged_before_it_is_stored(kinds in prop::collection::vec(0u8..7, 0..60)) {
            let mut line = Overhearing::new(Speech::Fixed);
            for kind in kinds {
                let did = match kind {
                    0 => line.late(),
                    1 => line.hear(Heard::Enquiry),
                    2 => line.hear(Heard::Bye),
                    3 => line.hear(Heard::BadFrame),
                    4 => line.hear(Heard::Frame(b"?".to_vec())),
                    5 => line.hear(Heard::Again),
                    _ => line.hear(late_result()),
                };
                let acks = did.iter().position(|what| *what == Do::Say(vec![ACK]));
                let stores = did.iter().position(|what| matches!(what, Do::StoreStray(_)));
                prop_assert!(kind == 1 || acks.is_none() || stores < acks);
                prop_assert!(stores.is_none() || acks.is_some());
            }
            line.late();
            prop_assert!(line.is_quiet());
        }
    }
}
