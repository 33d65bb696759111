//! Reads the entries of a zip file that the till wrote, or that any program packed again with deflate or without packing.

use flate2::read::DeflateDecoder;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

/// The directory of an archive has some dozens of names.
const LARGEST_DIRECTORY: u64 = 16 << 20;

/// Where an entry lies.
#[derive(Debug, Clone)]
pub struct Place {
    at: u64,
    packed: u64,
    method: u16,
    /// Unpacked size in bytes, as the directory says.
    pub size: u64,
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a readable zip file")
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> io::Result<[u8; N]> {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).ok_or_else(broken)
}

fn u16_at(bytes: &[u8], at: usize) -> io::Result<u16> {
    number(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> io::Result<u64> {
    number(bytes, at).map(|four| u64::from(u32::from_le_bytes(four)))
}

/// The directory.
///
/// # Errors
/// When it is not a zip file.
pub fn directory(file: &mut (impl Read + Seek)) -> io::Result<BTreeMap<String, Place>> {
    let size = file.seek(SeekFrom::End(0))?;
    let tail_len = size.min(22 + 65_535);
    file.seek(SeekFrom::Start(size - tail_len))?;
    let mut tail = Vec::new();
    file.by_ref().take(tail_len).read_to_end(&mut tail)?;
    let end = tail.windows(4).rposition(|window| window == 0x0605_4b50_u32.to_le_bytes()).ok_or_else(broken)?;
    let (count, length, at) = (u16_at(&tail, end + 10)?, u32_at(&tail, end + 12)?, u32_at(&tail, end + 16)?);
    if length > LARGEST_DIRECTORY {
        return Err(broken());
    }
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    let mut places = BTreeMap::new();
    let mut at = 0;
    for _ in 0..count {
        if number::<4>(&bytes, at)? != 0x0201_4b50_u32.to_le_bytes() {
            return Err(broken());
        }
        let (name_len, extra_len, comment_len) = (u16_at(&bytes, at + 28)?, u16_at(&bytes, at + 30)?, u16_at(&bytes, at + 32)?);
        let name = bytes.get(at + 46..at + 46 + usize::from(name_len)).ok_or_else(broken)?;
        let place = Place {
            method: u16_at(&bytes, at + 10)?,
            packed: u32_at(&bytes, at + 20)?,
            size: u32_at(&bytes, at + 24)?,
            at: u32_at(&bytes, at + 42)?,
        };
        // Two entries of one name: programs would not agree which one it is.
        if places.insert(String::from_utf8(name.to_vec()).map_err(|_| broken())?, place).is_some() {
            return Err(broken());
        }
        at += 46 + usize::from(name_len) + usize::from(extra_len) + usize::from(comment_len);
    }
    // Thousands of names for the same few packed bytes would be read thousands of times.
    let mut spans: Vec<(u64, u64)> = places.values().map(|place| (place.at, place.at.saturating_add(30 + place.packed))).collect();
    spans.sort_unstable();
    if spans.windows(2).any(|pair| matches!(pair, [(_, end), (next, _)] if end > next)) {
        return Err(broken());
    }
    Ok(places)
}

/// A reader of one entry. It gives no more bytes than the directory says.
///
/// # Errors
/// When the entry is not where the directory says, or is packed in another way.
pub fn open<'f, F: Read + Seek>(file: &'f mut F, place: &Place) -> io::Result<Box<dyn Read + 'f>> {
    file.seek(SeekFrom::Start(place.at))?;
    let mut header = [0; 30];
    file.read_exact(&mut header)?;
    let skip = i64::from(u16_at(&header, 26)?) + i64::from(u16_at(&header, 28)?);
    file.seek(SeekFrom::Current(skip))?;
    let packed = file.take(place.packed);
    match place.method {
        0 => Ok(Box::new(packed.take(place.size))),
        8 => Ok(Box::new(DeflateDecoder::new(packed).take(place.size))),
        _ => Err(broken()),
    }
}
