//! The bytes of a thermal printer: ESC/POS, as Epson made it and nearly everybody speaks it.
//!
//! [`encode`] writes what was laid out; [`Decoder`] reads it back as a printer does, for tests and for the simulated printer. Rows come padded,
//! so no alignment is asked for except for the QR code, and every document begins with a reset and its code page: a printer that was switched
//! off in between prints the same.

mod decode;
mod page;
mod status;

pub use decode::{Decoder, Heard};
pub use page::CodePage;
pub use status::{Status, Trouble};

use super::{Laid, Row, Size};

/// Control bytes.
pub(crate) const ESC: u8 = 0x1b;
/// See [`ESC`].
pub(crate) const GS: u8 = 0x1d;
/// See [`ESC`].
pub(crate) const DLE: u8 = 0x10;
/// Asks for a status at once, whatever else is waiting.
pub(crate) const EOT: u8 = 0x04;

/// The longest text of a QR code: version 40, level M, bytes.
pub const LONGEST_CODE: usize = 2331;

/// Opens the drawer at pin 2: 50 ms on, 500 ms off.
pub const KICK: [u8; 5] = [ESC, b'p', 0, 25, 250];

/// Asks how the printer is (1), why it is offline (2), what is wrong (3), how its paper is (4).
#[must_use]
pub const fn ask(what: u8) -> [u8; 3] {
    [DLE, EOT, what]
}

/// The bytes of a document. Needs no state of the printer and leaves none.
#[must_use]
pub fn encode(laid: &[Laid], page: CodePage) -> Vec<u8> {
    let mut out = vec![ESC, b'@', ESC, b't', page.number()];
    let mut now = Row::default();
    for piece in laid {
        match piece {
            Laid::Row(row) => {
                if row.bold != now.bold {
                    out.extend([ESC, b'E', u8::from(row.bold)]);
                }
                if row.size != now.size {
                    out.extend([GS, b'!', size_byte(row.size)]);
                }
                (now.bold, now.size) = (row.bold, row.size);
                out.extend(row.text.chars().map(|letter| page.byte(letter)));
                out.push(b'\n');
            }
            Laid::Code(data) => code(&mut out, data),
            // Feeds to the cutter, then cuts but for a point: the paper does not fall into the kitchen.
            Laid::Cut => out.extend([GS, b'V', 66, 0]),
            Laid::Drawer => out.extend(KICK),
        }
    }
    out
}

/// Width and height in the two halves, each less one.
pub(crate) const fn size_byte(size: Size) -> u8 {
    match size {
        Size::Normal => 0x00,
        Size::Tall => 0x01,
        Size::Double => 0x11,
    }
}

/// A QR code, model 2, four dots a module, level M, in the middle. What is not ASCII or too long for one is left out: it would be printed as text.
fn code(out: &mut Vec<u8>, data: &str) {
    let fits = data.len() <= LONGEST_CODE && !data.is_empty() && data.is_ascii();
    let Ok(length) = u16::try_from(data.len() + 3) else { return };
    if !fits {
        return;
    }
    let [low, high] = length.to_le_bytes();
    out.extend([ESC, b'a', 1]);
    out.extend([GS, b'(', b'k', 4, 0, b'1', b'A', b'2', 0]);
    out.extend([GS, b'(', b'k', 3, 0, b'1', b'C', 4]);
    out.extend([GS, b'(', b'k', 3, 0, b'1', b'E', b'1']);
    out.extend([GS, b'(', b'k', low, high, b'1', b'P', b'0']);
    out.extend(data.bytes());
    out.extend([GS, b'(', b'k', 3, 0, b'1', b'Q', b'0']);
    out.extend([ESC, b'a', 0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::layout::tests::any_line;
    use crate::receipt::{Line, lay_out};
    use proptest::prelude::*;

    fn heard(bytes: &[u8]) -> Vec<Heard> {
        let mut decoder = Decoder::default();
        decoder.push(bytes)
    }

    #[test]
    fn the_bytes_are_those_of_the_manual() {
        let row = |text: &str, bold, size| Laid::Row(Row { text: text.to_owned(), bold, size });
        let laid = [
            row("Crème 5,00 €", false, Size::Normal),
            row("TOTAL", true, Size::Double),
            row("fin", false, Size::Tall),
            Laid::Code("T-01-1.sig".to_owned()),
            Laid::Cut,
            Laid::Drawer,
        ];
        let expected: &[&[u8]] = &[
            b"\x1b@\x1bt\x13",
            b"Cr\x8ame 5,00 \xd5\n",
            b"\x1bE\x01\x1d!\x11TOTAL\n",
            b"\x1bE\x00\x1d!\x01fin\n",
            b"\x1ba\x01",
            b"\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x04\x1d(k\x03\x001E1",
            b"\x1d(k\x0d\x001P0T-01-1.sig\x1d(k\x03\x001Q0",
            b"\x1ba\x00",
            b"\x1dV\x42\x00",
            b"\x1bp\x00\x19\xfa",
        ];
        assert_eq!(encode(&laid, CodePage::Pc858), expected.concat());
    }

    #[test]
    fn a_signature_fits_a_code_and_a_novel_does_not() {
        let signature = "T-01-1057.".to_owned() + &"a".repeat(342);
        assert_eq!(heard(&encode(&[Laid::Code(signature.clone())], CodePage::Pc858)), [Heard::Laid(Laid::Code(signature))]);
        for unfit in ["a".repeat(LONGEST_CODE + 1), "é".to_owned(), String::new()] {
            assert_eq!(heard(&encode(&[Laid::Code(unfit)], CodePage::Pc858)), []);
        }
    }

    fn any_document() -> impl Strategy<Value = Vec<Line>> {
        let piece = prop_oneof![
            8 => any_line(),
            1 => "[A-Za-z0-9._-]{1,400}".prop_map(|data| Line::Code { data }),
            1 => Just(Line::Cut),
            1 => Just(Line::Drawer),
        ];
        prop::collection::vec(piece, 0..16)
    }

    proptest! {
        #[test]
        fn what_is_decoded_is_what_was_laid_out(
            lines in any_document(), columns in prop::sample::select(vec![32usize, 42, 48]), page in prop::sample::select(CodePage::ALL.to_vec()),
        ) {
            let laid = lay_out(&lines, columns);
            let bytes = encode(&laid, page);
            let all: Vec<Heard> = laid.into_iter().map(Heard::Laid).collect();
            prop_assert_eq!(&heard(&bytes), &all);
            // However the bytes arrive.
            let mut decoder = Decoder::default();
            let one_by_one: Vec<Heard> = bytes.iter().flat_map(|byte| decoder.push(&[*byte])).collect();
            prop_assert_eq!(one_by_one, all);
        }

        #[test]
        fn no_text_opens_the_drawer_cuts_or_asks(text in any::<String>()) {
            let laid = lay_out(&[Line::text(&text), Line::pair(&text, &text), Line::title(&text)], 48);
            prop_assert!(heard(&encode(&laid, CodePage::Pc858)).iter().all(|heard| matches!(heard, Heard::Laid(Laid::Row(_)))));
        }

        #[test]
        fn a_decoder_reads_anything(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            heard(&bytes);
        }
    }
}
