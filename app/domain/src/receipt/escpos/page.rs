//! Code pages: which byte is which letter.

use crate::receipt::is_printable;
use std::str::FromStr;

/// A code page that has every letter of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodePage {
    /// PC858: PC850 with the euro. Page 19 at Epson, Bixolon and most others.
    #[default]
    Pc858,
    /// Windows-1252. Page 16.
    Windows1252,
    /// ISO 8859-15. Page 40.
    Iso8859_15,
}

/// The upper half of PC858.
const PC858: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

impl CodePage {
    /// Every page.
    pub const ALL: [Self; 3] = [Self::Pc858, Self::Windows1252, Self::Iso8859_15];

    /// The number by which `ESC t` selects it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Pc858 => 19,
            Self::Windows1252 => 16,
            Self::Iso8859_15 => 40,
        }
    }

    /// The page with that number.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.number() == number)
    }

    /// The byte of a letter; a question mark for one that is in no receipt.
    #[must_use]
    pub fn byte(self, letter: char) -> u8 {
        if !is_printable(letter) {
            return b'?';
        }
        let code = u32::from(letter);
        match (self, letter) {
            (_, ' '..='~') => u8::try_from(code).unwrap_or(b'?'),
            (Self::Pc858, _) => {
                PC858.chars().zip(0x80..=0xff_u8).find_map(|(known, byte)| (known == letter).then_some(byte)).unwrap_or(b'?')
            }
            (Self::Windows1252, '€') => 0x80,
            (Self::Iso8859_15, '€') => 0xa4,
            // What is left of Latin-1 has its own number in both.
            _ => u8::try_from(code).unwrap_or(b'?'),
        }
    }

    /// The letter of a byte; `None` for control bytes and for what is in no receipt.
    #[must_use]
    pub fn letter(self, byte: u8) -> Option<char> {
        let letter = match (self, byte) {
            (_, 0x20..=0x7e) => char::from(byte),
            (Self::Pc858, 0x80..) => PC858.chars().nth(usize::from(byte) - 0x80)?,
            (Self::Windows1252, 0x80) | (Self::Iso8859_15, 0xa4) => '€',
            (_, 0xa1..) => char::from(byte),
            _ => return None,
        };
        is_printable(letter).then_some(letter)
    }
}

impl FromStr for CodePage {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "pc858" => Ok(Self::Pc858),
            "windows-1252" => Ok(Self::Windows1252),
            "iso-8859-15" => Ok(Self::Iso8859_15),
            _ => Err("pc858, windows-1252 or iso-8859-15"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printable_letter_goes_there_and_back_on_every_page() {
        for page in CodePage::ALL {
            for letter in (' '..='\u{17f}').chain(['€']).filter(|letter| is_printable(*letter)) {
                assert_eq!(page.letter(page.byte(letter)), Some(letter), "{letter} on {page:?}");
            }
            assert_eq!(CodePage::numbered(page.number()), Some(page));
        }
    }

    #[test]
    fn pc858_is_as_its_table_says() {
        assert_eq!(PC858.chars().count(), 128);
        for (letter, byte) in [
            ('é', 0x82),
            ('à', 0x85),
            ('ç', 0x87),
            ('è', 0x8a),
            ('ê', 0x88),
            ('ë', 0x89),
            ('î', 0x8c),
            ('ï', 0x8b),
            ('ô', 0x93),
            ('û', 0x96),
            ('ù', 0x97),
            ('â', 0x83),
            ('É', 0x90),
            ('È', 0xd4),
            ('À', 0xb7),
            ('Ç', 0x80),
            ('€', 0xd5),
            ('°', 0xf8),
            ('«', 0xae),
            ('»', 0xaf),
        ] {
            assert_eq!(CodePage::Pc858.byte(letter), byte, "{letter}");
        }
        assert_eq!((CodePage::Windows1252.byte('€'), CodePage::Iso8859_15.byte('€')), (0x80, 0xa4));
        assert_eq!(CodePage::Pc858.byte('\u{1b}'), b'?');
    }
}
