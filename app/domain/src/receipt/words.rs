//! The letters that every paper knows.
//!
//! A receipt is the same words on screen, in a text and on thermal paper, so it keeps to what the printers' code pages have in common:
//! Latin-1 letters and the euro. Everything else is written with those, or as a question mark. What comes out has one column per character and
//! no control character: an escape in a dish's name could open the drawer.

/// Whether a character is printed as it is: ASCII, the letters and signs of Latin-1 that all code pages have, and the euro.
#[must_use]
pub const fn is_printable(c: char) -> bool {
    // ISO 8859-15 gave up eight signs of Latin-1 for the euro and others.
    matches!(c, ' '..='~' | '€' | '\u{a1}'..='\u{ff}')
        && !matches!(c, '\u{a4}' | '\u{a6}' | '\u{a8}' | '\u{ad}' | '\u{b4}' | '\u{b8}' | '\u{bc}'..='\u{be}')
}

/// A text in letters that every paper knows.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if is_printable(c) => out.push(c),
            // A letter and its accent that came as two characters.
            '\u{300}'..='\u{36f}' => {
                if let Some(letter) = out.pop() {
                    out.push(accented(letter, c).unwrap_or(letter));
                }
            }
            // Nothing to see: joiners, marks of direction, variants of an emoji.
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ad}' => {}
            _ if c.is_whitespace() || c.is_control() => out.push(' '),
            _ => out.push_str(instead(c)),
        }
    }
    out
}

/// The columns that a printable text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

fn accented(letter: char, mark: char) -> Option<char> {
    let (letters, with) = match mark {
        '\u{300}' => ("AEIOUaeiou", "ÀÈÌÒÙàèìòù"),
        '\u{301}' => ("AEIOUYaeiouy", "ÁÉÍÓÚÝáéíóúý"),
        '\u{302}' => ("AEIOUaeiou", "ÂÊÎÔÛâêîôû"),
        '\u{303}' => ("ANOano", "ÃÑÕãñõ"),
        '\u{308}' => ("AEIOUaeiouy", "ÄËÏÖÜäëïöüÿ"),
        '\u{30a}' => ("Aa", "Åå"),
        '\u{327}' => ("Cc", "Çç"),
        _ => return None,
    };
    letters.chars().zip(with.chars()).find_map(|(plain, whole)| (plain == letter).then_some(whole))
}

const fn instead(c: char) -> &'static str {
    match c {
        'œ' => "oe",
        'Œ' => "OE",
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' | '\u{b4}' | '\u{2bc}' => "'",
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{a8}' => "\"",
        '\u{2039}' => "<",
        '\u{203a}' => ">",
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}' => "-",
        '\u{2022}' | '\u{2219}' => "·",
        '…' => "...",
        '\u{bc}' => "1/4",
        '\u{bd}' => "1/2",
        '\u{be}' => "3/4",
        '\u{2153}' => "1/3",
        '\u{2154}' => "2/3",
        '\u{a6}' => "|",
        '\u{b8}' => ",",
        '\u{2192}' => "->",
        '\u{d7}' | '\u{2715}' => "x",
        '\u{2116}' => "n°",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'Ÿ' => "Y",
        'Ł' => "L",
        'ł' => "l",
        'Š' | 'Ś' | 'Ş' | 'Ș' => "S",
        'š' | 'ś' | 'ş' | 'ș' => "s",
        'Ž' | 'Ź' | 'Ż' => "Z",
        'ž' | 'ź' | 'ż' => "z",
        'Č' | 'Ć' => "C",
        'č' | 'ć' => "c",
        'Ř' => "R",
        'ř' => "r",
        'Ě' | 'Ę' | 'Ē' => "E",
        'ě' | 'ę' | 'ē' => "e",
        'Ą' | 'Ă' | 'Ā' => "A",
        'ą' | 'ă' | 'ā' => "a",
        'Ğ' => "G",
        'ğ' => "g",
        'İ' | 'Ī' => "I",
        'ı' | 'ī' => "i",
        'Ń' | 'Ň' => "N",
        'ń' | 'ň' => "n",
        'Ő' | 'Ō' => "O",
        'ő' | 'ō' => "o",
        'Ű' | 'Ů' | 'Ū' => "U",
        'ű' | 'ů' | 'ū' => "u",
        'Ț' | 'Ţ' | 'Ť' => "T",
        'ț' | 'ţ' | 'ť' => "t",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn french_keeps_its_accents_and_the_rest_is_written_out() {
        for (text, written) in [
            ("Île flottante, crème brûlée à l’ancienne", "Île flottante, crème brûlée à l'ancienne"),
            ("Bœuf bourguignon – Œuf mollet…", "Boeuf bourguignon - OEuf mollet..."),
            ("1\u{202f}234,50\u{a0}€", "1 234,50 €"),
            ("cre\u{300}me bru\u{302}le\u{301}e C\u{327}a", "crème brûlée Ça"),
            ("½ bouteille « Pouilly-Fumé »", "1/2 bouteille « Pouilly-Fumé »"),
            ("Łukasz Dvořák", "Lukasz Dvorák"),
            ("寿司 🍣\u{fe0f}", "?? ?"),
            ("\u{301}a", "a"),
            ("\u{200b}\u{202e}b", "b"),
        ] {
            assert_eq!(printable(text), written);
        }
    }

    proptest! {
        #[test]
        fn nothing_else_ever_comes_out(text in any::<String>()) {
            let written = printable(&text);
            prop_assert!(written.chars().all(is_printable), "{written:?}");
            prop_assert_eq!(printable(&written), written);
        }
    }
}
