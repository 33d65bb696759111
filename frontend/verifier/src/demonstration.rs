//! What happens when somebody changes an archive: one byte of its journal is read as another. The file itself is never touched.

use crate::archive::{Archive, Unreadable};
use crate::records::Lines;
use domain::Cents;
use domain::fiscal::{Chain, Record};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Seek};

/// What to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Demonstration {
    /// The first figure of the total of a ticket: of this number, or of one in the middle.
    Amount {
        /// Its number in its chain.
        #[serde(default)]
        number: Option<i64>,
    },
    /// A letter or figure in the content of a ticket, or of whatever record stands in the middle.
    Byte {
        /// Its number in its chain.
        #[serde(default)]
        number: Option<i64>,
    },
}

/// What was changed, for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// In which record.
    pub chain: Chain,
    /// Its number in its chain.
    pub seq: i64,
    /// What stood there.
    pub before: String,
    /// What is read instead.
    pub after: String,
    /// How many bytes of the journal stand before the one that is changed.
    pub at: u64,
}

impl<F: Read + Seek> Archive<F> {
    /// From now on the journal is read as if it had been changed so. Nothing when no record fits.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn pretend(&mut self, wanted: Demonstration) -> Result<Option<Shown>, Unreadable> {
        self.change = None;
        let Some(target) = self.target(wanted) else { return Ok(None) };
        let mut lines = Lines::new(self.journal()?);
        let mut begins: u64 = 0;
        while let Some(line) = lines.next_line()? {
            let length = line.len() as u64 + 1;
            // Most lines are of another chain or number: reading the two fields would cost more than looking for them.
            if target.may_be(&line)
                && let Ok(record) = serde_json::from_slice::<Record>(&line)
                && target.is(&record)
            {
                let found = match wanted {
                    Demonstration::Amount { .. } => amount_in(&line),
                    Demonstration::Byte { .. } => letter_in(&line),
                };
                drop(lines);
                return Ok(found.map(|(at, byte, before, after)| {
                    let at = begins + at as u64;
                    self.change = Some((at, byte));
                    Shown { chain: record.chain, seq: record.seq, before, after, at }
                }));
            }
            begins += length;
        }
        Ok(None)
    }

    fn target(&self, wanted: Demonstration) -> Option<Target> {
        let chains = &self.manifest().chains;
        let of = |chain: Chain| chains.iter().find(|span| span.end.chain == chain);
        let (number, tickets_only) = match wanted {
            Demonstration::Amount { number } => (number, true),
            Demonstration::Byte { number } => (number, false),
        };
        let span = of(Chain::T).or_else(|| of(Chain::X));
        let span = if tickets_only { span } else { span.or_else(|| chains.first()) }?;
        let chain = span.end.chain;
        // In training tickets share their chain with everything else: the first one that fits.
        let number = number.or_else(|| (chain != Chain::X).then(|| span.first.saturating_add(span.count / 2).min(span.end.seq)));
        Some(Target { chain, number })
    }
}

struct Target {
    chain: Chain,
    number: Option<i64>,
}

impl Target {
    fn may_be(&self, line: &[u8]) -> bool {
        let has = |word: String| crate::archive::contains(line, word.as_bytes());
        has(format!("\"chain\":\"{}\"", self.chain)) && self.number.is_none_or(|number| has(format!("\"seq\":{number},")))
    }

    fn is(&self, record: &Record) -> bool {
        let fits = match self.number {
            Some(number) => record.seq == number,
            None => record.content_text.contains("\"ticket_no\""),
        };
        record.chain == self.chain && fits
    }
}

type Found = (usize, u8, String, String);

/// The first figure of the ticket's total, which becomes another one: place, byte, the total before and after. The content is JSON in a
/// JSON text, hence the backslashes.
fn amount_in(line: &[u8]) -> Option<Found> {
    let word = br#"\"total\":"#;
    let begin = line.windows(word.len()).position(|window| window == word)? + word.len();
    let rest = line.get(begin..)?;
    let sign = usize::from(rest.first() == Some(&b'-'));
    let figures = rest.get(sign..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(rest.get(..sign + figures)?).ok()?;
    let first = *rest.get(sign)?;
    let other = match first {
        b'0'..=b'8' => first + 1,
        b'9' => b'1',
        _ => return None,
    };
    let mut changed = text.as_bytes().to_vec();
    *changed.get_mut(sign)? = other;
    let euros = |digits: &[u8]| Some(Cents(std::str::from_utf8(digits).ok()?.parse().ok()?).to_french());
    Some((begin + sign, other, euros(text.as_bytes())?, euros(&changed)?))
}

/// A letter or figure in the middle of the content, which becomes its neighbour, so that the text stays readable.
fn letter_in(line: &[u8]) -> Option<Found> {
    let word = br#""content_text":""#;
    let begin = line.windows(word.len()).position(|window| window == word)? + word.len();
    let length = line.get(begin..)?.windows(2).position(|pair| pair == b"\",")?;
    let middle = begin + length / 2;
    let is_plain = |at: &usize| {
        let byte = line.get(*at).copied().unwrap_or_default();
        // Not the letter of an escape.
        byte.is_ascii_alphanumeric() && line.get(at.wrapping_sub(1)) != Some(&b'\\')
    };
    let at = (middle..begin + length).find(is_plain).or_else(|| (begin..middle).rev().find(is_plain))?;
    let before = *line.get(at)?;
    let after = match before {
        b'9' | b'z' | b'Z' => before - 1,
        _ => before + 1,
    };
    let around = |byte: u8| {
        let mut text = line.get(at.saturating_sub(12).max(begin)..(at + 12).min(begin + length)).unwrap_or_default().to_vec();
        if let Some(changed) = text.get_mut(at - at.saturating_sub(12).max(begin)) {
            *changed = byte;
        }
        String::from_utf8_lossy(&text).replace("\\\"", "\"")
    };
    Some((at, after, around(before), around(after)))
}

/// Gives another byte in one place.
pub(crate) struct Changed<R> {
    from: R,
    /// Bytes given so far.
    given: u64,
    at: u64,
    byte: u8,
}

impl<R> Changed<R> {
    pub(crate) const fn new(from: R, at: u64, byte: u8) -> Self {
        Self { from, given: 0, at, byte }
    }
}

impl<R: Read> Read for Changed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        if let Some(place) = self.at.checked_sub(self.given)
            && place < read as u64
            && let Some(byte) = usize::try_from(place).ok().and_then(|place| buffer.get_mut(place))
        {
            *byte = self.byte;
        }
        self.given += read as u64;
        Ok(read)
    }
}
