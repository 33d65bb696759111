//! One document over one line.

use super::Wire;
use domain::receipt::escpos::{Status, Trouble, ask};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// How long a printer may take to say how it is.
const ANSWERING: Duration = Duration::from_secs(1);
/// How long a printer whose memory is full may take to make room.
const MAKING_ROOM: Duration = Duration::from_secs(10);
/// Written at once: small, so that it is known at which piece a line broke.
const PIECE: usize = 512;

/// Why a document is not on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{trouble}, {}", if *began { "in the middle" } else { "nothing sent" })]
pub struct Failure {
    /// What is wrong.
    pub trouble: Trouble,
    /// Some of it went out, so some of it may be on paper.
    pub began: bool,
}

/// Asks how the printer is, sends the document, asks again. `None`: sent, to a printer that says nothing.
///
/// # Errors
/// See [`Failure`].
pub fn deliver(wire: &mut dyn Wire, bytes: &[u8], asks: bool) -> Result<Option<Status>, Failure> {
    let before = if asks && wire.answers() { ask_all(wire) } else { Asked::Silent };
    let answers = match before {
        Asked::Lost => return Err(Failure { trouble: Trouble::Unreachable, began: false }),
        Asked::Silent => false,
        Asked::Is(status) => {
            if let Some(trouble) = status.trouble() {
                return Err(Failure { trouble, began: false });
            }
            true
        }
    };
    send(wire, bytes)?;
    let after = if answers { ask_all(wire) } else { Asked::Silent };
    let done = match after {
        // It answered before: something happened in between.
        Asked::Lost => Err(Failure { trouble: Trouble::Interrupted, began: true }),
        Asked::Silent if answers => Err(Failure { trouble: Trouble::Interrupted, began: true }),
        Asked::Silent => Ok(None),
        Asked::Is(status) => match status.trouble() {
            Some(trouble) => Err(Failure { trouble, began: true }),
            None => Ok(Some(status)),
        },
    };
    wire.hang_up();
    done
}

fn send(wire: &mut dyn Wire, bytes: &[u8]) -> Result<(), Failure> {
    let mut began = false;
    for piece in bytes.chunks(PIECE) {
        let sent = wire.wait_up_to(MAKING_ROOM).and_then(|()| {
            let mut rest = piece;
            while !rest.is_empty() {
                match wire.write(rest) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(count) => {
                        began = true;
                        rest = &rest[count..];
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        if let Err(error) = sent {
            tracing::warn!(%error, "the printer's line broke");
            let trouble = if began { Trouble::Interrupted } else { Trouble::Unreachable };
            return Err(Failure { trouble, began });
        }
    }
    wire.flush().map_err(|error| {
        tracing::warn!(%error, "the printer's line broke");
        Failure { trouble: Trouble::Interrupted, began: true }
    })
}

enum Asked {
    Is(Status),
    Silent,
    Lost,
}

fn ask_all(wire: &mut dyn Wire) -> Asked {
    let mut status = Status::default();
    for question in Status::QUESTIONS {
        if wire.wait_up_to(ANSWERING).and_then(|()| wire.write_all(&ask(question))).and_then(|()| wire.flush()).is_err() {
            return Asked::Lost;
        }
        let until = Instant::now() + ANSWERING;
        loop {
            let mut answer = [0];
            match wire.read(&mut answer) {
                Ok(0) => return Asked::Lost,
                // Bytes that are no answer are a printer's own news.
                Ok(_) if status.hear(question, answer[0]) => break,
                Ok(_) if Instant::now() < until => {}
                Ok(_) => return Asked::Silent,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => return Asked::Silent,
                Err(_) => return Asked::Lost,
            }
        }
    }
    Asked::Is(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::receipt::escpos::{Decoder, Heard};
    use std::collections::VecDeque;
    use std::io::{self, Read, Write};

    /// A printer without a wire: it hears at once, and is as it is told to be.
    #[derive(Default)]
    struct Fake {
        before: Status,
        /// How it is once it has printed something.
        after: Status,
        is_silent: bool,
        /// Breaks after so many bytes of a document.
        breaks_after: Option<usize>,
        decoder: Decoder,
        printed: usize,
        answers: VecDeque<u8>,
        hung_up: bool,
    }

    impl Read for Fake {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(answer) = self.answers.pop_front() else { return Err(ErrorKind::TimedOut.into()) };
            buffer[0] = answer;
            Ok(1)
        }
    }

    impl Write for Fake {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.breaks_after.is_some_and(|bytes| self.printed >= bytes) && bytes[0] != 0x10 {
                return Err(ErrorKind::ConnectionReset.into());
            }
            // Not all at once, as a real line.
            let taken = &bytes[..bytes.len().min(7)];
            for heard in self.decoder.push(taken) {
                if let Heard::Asked(question) = heard {
                    let status = if self.printed == 0 { self.before } else { self.after };
                    if !self.is_silent {
                        // What it says of its own accord comes first.
                        self.answers.extend([0x0f, status.answer(question)]);
                    }
                }
            }
            if bytes[0] != 0x10 {
                self.printed += taken.len();
            }
            Ok(taken.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Wire for Fake {
        fn answers(&self) -> bool {
            true
        }
        fn wait_up_to(&mut self, _: Duration) -> io::Result<()> {
            Ok(())
        }
        fn hang_up(&mut self) {
            self.hung_up = true;
        }
    }

    const OUT: Status = Status { offline: true, cover_open: false, paper_out: true, paper_low: true, cutter: false, fault: false };

    #[test]
    fn a_printer_that_is_well_prints_and_says_so() {
        let low = Status { paper_low: true, ..Status::default() };
        let mut fake = Fake { before: low, after: low, ..Fake::default() };
        assert_eq!(deliver(&mut fake, &[b'a'; 2000], true), Ok(Some(low)), "an end of paper that is near is no trouble");
        assert_eq!((fake.printed, fake.hung_up), (2000, true));
    }

    #[test]
    fn without_paper_nothing_goes_out() {
        let mut fake = Fake { before: OUT, after: OUT, ..Fake::default() };
        assert_eq!(deliver(&mut fake, b"ticket\n", true), Err(Failure { trouble: Trouble::NoPaper, began: false }));
        assert_eq!(fake.printed, 0);
    }

    #[test]
    fn paper_that_ends_in_the_middle_is_said() {
        let mut fake = Fake { after: OUT, ..Fake::default() };
        assert_eq!(deliver(&mut fake, b"ticket\n", true), Err(Failure { trouble: Trouble::NoPaper, began: true }));
    }

    #[test]
    fn a_printer_that_never_answers_is_printed_on_all_the_same() {
        let mut fake = Fake { is_silent: true, ..Fake::default() };
        assert_eq!(deliver(&mut fake, b"ticket\n", true), Ok(None));
        assert_eq!(deliver(&mut fake, b"ticket\n", false), Ok(None));
        assert_eq!(fake.printed, 14);
    }

    #[test]
    fn before_the_first_byte_nothing_was_printed_and_after_it_nobody_knows() {
        let mut fake = Fake { breaks_after: Some(0), ..Fake::default() };
        assert_eq!(deliver(&mut fake, &[b'a'; 900], true), Err(Failure { trouble: Trouble::Unreachable, began: false }));
        let mut fake = Fake { breaks_after: Some(600), ..Fake::default() };
        assert_eq!(deliver(&mut fake, &[b'a'; 900], true), Err(Failure { trouble: Trouble::Interrupted, began: true }));
    }
}
