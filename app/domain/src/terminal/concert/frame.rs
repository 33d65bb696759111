//! Bytes and frames of a Concert line: `STX body ETX LRC`, and single control bytes between frames.
//!
//! The checksum may equal any control byte (25.50 gives EOT or ENQ), so exactly one byte is taken after the first ETX and nobody ever searches
//! for control bytes.

/// Beginning of a frame.
pub const STX: u8 = 0x02;
/// End of a frame's body; the checksum follows.
pub const ETX: u8 = 0x03;
/// End of a session.
pub const EOT: u8 = 0x04;
/// May I speak?
pub const ENQ: u8 = 0x05;
/// Yes; understood.
pub const ACK: u8 = 0x06;
/// Say that again.
pub const NAK: u8 = 0x15;

/// No body is longer.
const MAX_BODY: usize = 512;

/// What came over the line.
#[derive(Clone, PartialEq, Eq)]
pub enum Heard {
    /// ENQ
    Enquiry,
    /// ACK
    Yes,
    /// NAK
    Again,
    /// EOT
    Bye,
    /// A frame whose checksum is right.
    Frame(Vec<u8>),
    /// A frame whose checksum is wrong.
    BadFrame,
    /// A control byte with a parity bit: the port is not set as the terminal is.
    WrongParity,
    /// Anything else.
    Noise,
}

/// Says what kind of thing was heard, and not the body, which may hold card data.
impl std::fmt::Debug for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Enquiry => "Enquiry",
            Self::Yes => "Yes",
            Self::Again => "Again",
            Self::Bye => "Bye",
            Self::Frame(_) => "Frame",
            Self::BadFrame => "BadFrame",
            Self::WrongParity => "WrongParity",
            Self::Noise => "Noise",
        })
    }
}

/// A body as it goes over the line.
#[must_use]
pub fn frame(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 3);
    bytes.push(STX);
    bytes.extend_from_slice(body);
    bytes.push(ETX);
    bytes.push(checksum(body));
    bytes
}

/// Every byte after STX, up to and with the checksum, comes to zero.
fn checksum(body: &[u8]) -> u8 {
    body.iter().fold(ETX, |sum, byte| sum ^ byte)
}

/// Reads a line byte by byte.
#[derive(Default)]
pub struct Listener {
    place: Place,
    body: Vec<u8>,
}

#[derive(Default, PartialEq, Eq)]
enum Place {
    #[default]
    Between,
    InBody,
    AtChecksum,
}

impl Listener {
    /// Takes one byte; says what it completes.
    pub fn hear(&mut self, byte: u8) -> Option<Heard> {
        match self.place {
            Place::Between => match byte {
                STX => {
                    self.begin();
                    None
                }
                ENQ => Some(Heard::Enquiry),
                ACK => Some(Heard::Yes),
                NAK => Some(Heard::Again),
                EOT => Some(Heard::Bye),
                // STX, EOT and NAK with even parity; ENQ, ACK and ETX have an even number of bits.
                0x82 | 0x84 | 0x95 => Some(Heard::WrongParity),
                _ => Some(Heard::Noise),
            },
            Place::InBody => match byte {
                ETX => {
                    self.place = Place::AtChecksum;
                    None
                }
                // The rest of the frame before was lost: this one begins here.
                STX => {
                    self.begin();
                    Some(Heard::BadFrame)
                }
                _ if self.body.len() == MAX_BODY => {
                    self.place = Place::Between;
                    Some(Heard::BadFrame)
                }
                _ => {
                    self.body.push(byte);
                    None
                }
            },
            Place::AtChecksum => {
                self.place = Place::Between;
                let body = std::mem::take(&mut self.body);
                Some(if checksum(&body) == byte { Heard::Frame(body) } else { Heard::BadFrame })
            }
        }
    }

    fn begin(&mut self) {
        self.body.clear();
        self.place = Place::InBody;
    }

    /// Forgets a frame that was begun and did not end in time. Says whether there was one.
    pub fn give_up(&mut self) -> bool {
        let inside = self.place != Place::Between;
        self.place = Place::Between;
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heard(bytes: &[u8]) -> Vec<Heard> {
        let mut listener = Listener::default();
        bytes.iter().filter_map(|byte| listener.hear(*byte)).collect()
    }

    #[test]
    fn a_checksum_that_looks_like_a_control_byte_is_a_checksum() {
        for wanted in [EOT, ENQ, ACK, ETX, STX, NAK, 0x00] {
            let body = [b'A', b'A' ^ ETX ^ wanted];
            let bytes = frame(&body);
            assert_eq!(bytes.last(), Some(&wanted));
            assert_eq!(heard(&[bytes, vec![EOT]].concat()), [Heard::Frame(body.to_vec()), Heard::Bye]);
        }
    }

    #[test]
    fn parity_is_named() {
        assert_eq!(heard(&[0x82, 0x84, 0x95]), [Heard::WrongParity, Heard::WrongParity, Heard::WrongParity]);
        assert_eq!(heard(b"?"), [Heard::Noise]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = heard(&bytes);
        }

        /// Frames one after another are read one after another; a frame that was cut does not swallow the next.
        #[test]
        fn frames_cut_and_joined(body in prop::collection::vec(0x20u8..0x7f, 0..60), cut in 0usize..70) {
            let whole = frame(&body);
            prop_assert_eq!(heard(&[whole.clone(), whole.clone()].concat()), vec![Heard::Frame(body.clone()), Heard::Frame(body.clone())]);
            let cut = cut.min(whole.len());
            let after_cut = heard(&[&whole[..cut], whole.as_slice()].concat());
            if cut == whole.len() - 1 {
                // Its checksum is missing: the STX of the next is taken for it. The dialogue asks again.
                prop_assert_eq!(after_cut[0] == Heard::BadFrame, checksum(&body) != STX);
            } else {
                prop_assert_eq!(after_cut.last(), Some(&Heard::Frame(body)));
            }
        }

        #[test]
        fn one_wrong_byte_is_noticed(body in prop::collection::vec(0x20u8..0x7f, 1..60), at in 0usize..60, bit in 0u8..7) {
            let mut bytes = frame(&body);
            let at = 1 + at % body.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(!heard(&bytes).contains(&Heard::Frame(body)));
        }
    }
}
