//! A zip file, written from beginning to end: what every operating system opens without another program. Entries are deflated, names are UTF-8,
//! dates are fixed so that the same records give the same bytes. No entry and no archive may reach four gigabytes: twelve months of a busy
//! restaurant are a few hundred megabytes.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::{self, Seek, SeekFrom, Write};

pub use verifier::zip as read;

/// 1 January 1980, 00:00: the zero of zip dates.
const DATE: u16 = (1 << 5) | 1;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
const DEFLATE: u16 = 8;

struct Entry {
    name: String,
    crc: u32,
    packed: u32,
    unpacked: u32,
    at: u32,
}

/// A zip file that is being written.
pub struct Zip<W: Write + Seek> {
    out: W,
    entries: Vec<Entry>,
}

fn small(size: u64) -> io::Result<u32> {
    u32::try_from(size).map_err(|_| io::Error::other("larger than a zip file may be; archive a shorter span"))
}

impl<W: Write + Seek> Zip<W> {
    /// Begins a file.
    pub const fn new(out: W) -> Self {
        Self { out, entries: Vec::new() }
    }

    /// Adds an entry: `write` writes its content.
    ///
    /// # Errors
    /// When writing fails, or a size does not fit.
    pub fn add(&mut self, name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let at = small(self.out.stream_position()?)?;
        self.out.write_all(&local_header(name, 0, 0, 0))?;
        self.out.write_all(name.as_bytes())?;
        let begin = self.out.stream_position()?;
        let (crc, unpacked) = {
            let mut packer = Counted { inner: DeflateEncoder::new(&mut self.out, Compression::default()), crc: Crc::new(), size: 0 };
            write(&mut packer)?;
            let Counted { inner, crc, size } = packer;
            inner.finish()?;
            (crc.sum(), small(size)?)
        };
        let end = self.out.stream_position()?;
        let packed = small(end - begin)?;
        self.out.seek(SeekFrom::Start(u64::from(at)))?;
        self.out.write_all(&local_header(name, crc, packed, unpacked))?;
        self.out.seek(SeekFrom::Start(end))?;
        self.entries.push(Entry { name: name.to_owned(), crc, packed, unpacked, at });
        Ok(())
    }

    /// Writes the directory and gives the file back.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        let begin = self.out.stream_position()?;
        for entry in &self.entries {
            let mut header = Vec::with_capacity(46 + entry.name.len());
            header.extend(0x0201_4b50_u32.to_le_bytes());
            header.extend(0x0314_u16.to_le_bytes()); // made on Unix, version 2.0
            put_common(&mut header, &entry.name, entry.crc, entry.packed, entry.unpacked);
            header.extend([0; 2 + 2 + 2]); // comment, disk, internal attributes
            header.extend((0o100_644_u32 << 16).to_le_bytes());
            header.extend(entry.at.to_le_bytes());
            header.extend(entry.name.as_bytes());
            self.out.write_all(&header)?;
        }
        let end = self.out.stream_position()?;
        let count = u16::try_from(self.entries.len()).map_err(io::Error::other)?;
        let mut tail = Vec::with_capacity(22);
        tail.extend(0x0605_4b50_u32.to_le_bytes());
        tail.extend([0; 4]);
        tail.extend(count.to_le_bytes());
        tail.extend(count.to_le_bytes());
        tail.extend(small(end - begin)?.to_le_bytes());
        tail.extend(small(begin)?.to_le_bytes());
        tail.extend([0; 2]);
        self.out.write_all(&tail)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn local_header(name: &str, crc: u32, packed: u32, unpacked: u32) -> Vec<u8> {
    let mut header = Vec::with_capacity(30);
    header.extend(0x0403_4b50_u32.to_le_bytes());
    put_common(&mut header, name, crc, packed, unpacked);
    header
}

/// From the version that is needed to the length of the extra field: the same in both headers.
fn put_common(header: &mut Vec<u8>, name: &str, crc: u32, packed: u32, unpacked: u32) {
    for field in [20, UTF8, DEFLATE, 0, DATE] {
        header.extend(field.to_le_bytes());
    }
    for field in [crc, packed, unpacked] {
        header.extend(field.to_le_bytes());
    }
    // Names are ours and short.
    header.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
    header.extend([0; 2]);
}

struct Counted<W> {
    inner: W,
    crc: Crc,
    size: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.crc.update(bytes.get(..written).unwrap_or_default());
        self.size += u64::try_from(written).unwrap_or(0);
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read};

    #[test]
    fn what_is_packed_is_read_back_and_the_same_content_gives_the_same_bytes() {
        let pack = || {
            let mut zip = Zip::new(Cursor::new(Vec::new()));
            zip.add("LISEZMOI.txt", |out| out.write_all("é à l'œil nu\n".as_bytes())).unwrap();
            zip.add("cles/abc.pem", |out| (0..10_000).try_for_each(|i| writeln!(out, "ligne {i}"))).unwrap();
            zip.add("vide", |_| Ok(())).unwrap();
            zip.finish().unwrap().into_inner()
        };
        let bytes = pack();
        assert_eq!(bytes, pack());
        let mut file = Cursor::new(bytes);
        let places = read::directory(&mut file).unwrap();
        assert_eq!(places.keys().collect::<Vec<_>>(), ["LISEZMOI.txt", "cles/abc.pem", "vide"]);
        let mut text = String::new();
        read::open(&mut file, &places["cles/abc.pem"]).unwrap().read_to_string(&mut text).unwrap();
        assert!(text.ends_with("ligne 9999\n") && text.len() as u64 == places["cles/abc.pem"].size);
    }
}
