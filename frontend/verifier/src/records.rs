//! The records of an archive, one a line, in the order of the journal.

use domain::fiscal::Record;
use std::io::{self, BufRead, BufReader, Read};

/// No record is longer, in bytes: a ticket of a hundred lines has forty kilobytes. A longer line is refused before it fills the memory: a few packed
/// kilobytes can be gigabytes.
const LONGEST_LINE: u64 = 8 << 20;

/// The lines of a journal, whatever they hold. Ends after the last line or the first error of the file itself.
pub(crate) struct Lines<R>(BufReader<R>);

impl<R: Read> Lines<R> {
    pub(crate) fn new(from: R) -> Self {
        Self(BufReader::with_capacity(64 << 10, from))
    }

    /// The next line without its end; nothing after the last one.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.0.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if line.len() as u64 > LONGEST_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of the journal that is no record"));
        }
        Ok(Some(line))
    }

    pub(crate) fn into_inner(self) -> R {
        self.0.into_inner()
    }
}

/// Each record with its number in the whole journal, or why its line is none.
pub struct Records<'a> {
    lines: Lines<Box<dyn Read + 'a>>,
    number: i64,
    read: u64,
}

impl<'a> Records<'a> {
    pub(crate) fn new(from: Box<dyn Read + 'a>, first: i64) -> Self {
        Self { lines: Lines::new(from), number: first, read: 0 }
    }

    /// How many bytes of the journal the records so far take.
    #[must_use]
    pub const fn read(&self) -> u64 {
        self.read
    }
}

impl Iterator for Records<'_> {
    type Item = io::Result<Result<Record, (i64, String)>>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match self.lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return None,
            Err(error) => return Some(Err(error)),
        };
        self.read = self.read.saturating_add(line.len() as u64 + 1);
        let number = self.number;
        self.number = number.saturating_add(1);
        Some(Ok(serde_json::from_slice(&line).map_err(|error| (number, error.to_string()))))
    }
}
