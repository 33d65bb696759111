//! ESC/POS as a printer hears it.

use super::{CodePage, DLE, EOT, ESC, GS};
use crate::receipt::{Laid, Row, Size};

/// What a printer makes of the bytes that it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something on the paper, or the drawer.
    Laid(Laid),
    /// A question that is answered at once: see [`super::ask`].
    Asked(u8),
    /// What no document of ours contains: a command that is not understood, or a byte that is no letter.
    Strange(String),
}

/// The longest parameter that is kept: a code and its header.
const LONGEST: usize = super::LONGEST_CODE + 16;

/// Hears bytes as they arrive, in pieces of any length.
#[derive(Debug, Default)]
pub struct Decoder {
    page: CodePage,
    row: Row,
    /// The style of what comes next; a row has that of its first letter.
    style: (bool, Size),
    code: String,
    /// A command that is not complete yet.
    pending: Vec<u8>,
}

enum Command {
    /// More bytes are needed.
    Incomplete,
    /// So many bytes, and what they mean.
    Done(usize, Option<Heard>),
}

impl Decoder {
    /// Hears some bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        for byte in bytes {
            if self.pending.is_empty() && !matches!(*byte, ESC | GS | DLE) {
                heard.extend(self.letter(*byte));
                continue;
            }
            self.pending.push(*byte);
            match self.command() {
                Command::Incomplete if self.pending.len() <= LONGEST => {}
                Command::Incomplete => {
                    self.pending.clear();
                    heard.push(Heard::Strange("endless command".to_owned()));
                }
                Command::Done(length, what) => {
                    heard.extend(what);
                    let rest = self.pending.split_off(length);
                    self.pending.clear();
                    heard.extend(rest.into_iter().filter_map(|byte| self.letter(byte)));
                }
            }
        }
        heard
    }

    /// Whether the printer holds a row that no line feed has ended, or half a command.
    #[must_use]
    pub fn is_in_the_middle(&self) -> bool {
        !self.pending.is_empty() || !self.row.text.is_empty()
    }

    fn letter(&mut self, byte: u8) -> Option<Heard> {
        if byte == b'\n' {
            let mut row = std::mem::take(&mut self.row);
            if row.text.is_empty() {
                (row.bold, row.size) = self.style;
            }
            return Some(Heard::Laid(Laid::Row(row)));
        }
        match self.page.letter(byte) {
            Some(letter) => {
                if self.row.text.is_empty() {
                    (self.row.bold, self.row.size) = self.style;
                }
                self.row.text.push(letter);
                None
            }
            None => Some(Heard::Strange(format!("byte {byte:02x}"))),
        }
    }

    fn command(&mut self) -> Command {
        let bytes = self.pending.as_slice();
        if bytes.len() < minimum(bytes) {
            return Command::Incomplete;
        }
        let all = bytes.len();
        let done = |what| Command::Done(all, what);
        let strange = || {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Command::Done(all, Some(Heard::Strange(format!("command {}", hex.join(" ")))))
        };
        match *bytes {
            [ESC, b'@'] => {
                *self = Self { pending: std::mem::take(&mut self.pending), ..Self::default() };
                Command::Done(2, None)
            }
            [ESC, b't', number] => match CodePage::numbered(number) {
                Some(page) => {
                    self.page = page;
                    Command::Done(3, None)
                }
                None => strange(),
            },
            [ESC, b'E', on] => {
                self.style.0 = on & 1 == 1;
                Command::Done(3, None)
            }
            [GS, b'!', byte] => match [Size::Normal, Size::Tall, Size::Double].into_iter().find(|size| super::size_byte(*size) == byte) {
                Some(size) => {
                    self.style.1 = size;
                    Command::Done(3, None)
                }
                None => strange(),
            },
            // Only the code is moved, and it always stands in the middle.
            [ESC, b'a', 0..=2] => done(None),
            [ESC, b'p', _, _, _] => done(Some(Heard::Laid(Laid::Drawer))),
            [DLE, EOT, what] => done(Some(Heard::Asked(what))),
            [GS, b'V', 0 | 1 | 48 | 49] | [GS, b'V', 65 | 66, _] => done(Some(Heard::Laid(Laid::Cut))),
            [GS, b'(', b'k', low, high, ref parameters @ ..] => {
                if parameters.len() < usize::from(u16::from_le_bytes([low, high])) {
                    return Command::Incomplete;
                }
                match parameters {
                    [b'1', b'P', b'0', data @ ..] => {
                        let code = String::from_utf8_lossy(data).into_owned();
                        self.code = code;
                        Command::Done(all, None)
                    }
                    [b'1', b'Q', b'0'] => Command::Done(all, Some(Heard::Laid(Laid::Code(std::mem::take(&mut self.code))))),
                    [b'1', b'A' | b'C' | b'E', ..] => done(None),
                    _ => strange(),
                }
            }
            _ => strange(),
        }
    }
}

/// The shortest that a command with this beginning can be.
const fn minimum(bytes: &[u8]) -> usize {
    match bytes {
        [ESC, b'p', ..] | [GS, b'(', ..] => 5,
        [GS, b'V', 65 | 66, ..] => 4,
        [ESC, b't' | b'E' | b'a', ..] | [GS, b'!' | b'V', ..] | [DLE, EOT, ..] => 3,
        _ => 2,
    }
}
