//! A file that the browser holds, read piece by piece: an archive of any size takes a quarter of a megabyte of memory.

use js_sys::Uint8Array;
use std::io::{self, Read, Seek, SeekFrom};
use web_sys::{Blob, FileReaderSync};

const PIECE: u64 = 256 << 10;

/// A blob as a file. Works in a worker only, where waiting for a piece is allowed.
pub(crate) struct BlobFile {
    blob: Blob,
    reader: FileReaderSync,
    size: u64,
    at: u64,
    piece: Vec<u8>,
    piece_at: u64,
}

impl BlobFile {
    pub(crate) fn new(blob: Blob) -> io::Result<Self> {
        let reader = FileReaderSync::new().map_err(|_| io::Error::other("no reader"))?;
        let size = whole(blob.size())?;
        Ok(Self { blob, reader, size, at: 0, piece: Vec::new(), piece_at: 0 })
    }

    /// What of the piece at hand comes next.
    fn ready(&self) -> &[u8] {
        let skip = self.at.checked_sub(self.piece_at).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.piece.get(skip..)).unwrap_or_default()
    }

    fn fetch(&mut self) -> io::Result<()> {
        let end = (self.at + PIECE).min(self.size);
        let piece = self.blob.slice_with_f64_and_f64(self.at as f64, end as f64).map_err(|_| gone())?;
        let buffer = self.reader.read_as_array_buffer(&piece).map_err(|_| gone())?;
        self.piece = Uint8Array::new(&buffer).to_vec();
        self.piece_at = self.at;
        Ok(())
    }
}

/// The file was moved, changed or unplugged since it was chosen.
fn gone() -> io::Error {
    io::Error::other("le fichier a changé ou n'est plus là")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size in bytes, below 2^53")]
fn whole(size: f64) -> io::Result<u64> {
    if (0.0..9e15).contains(&size) { Ok(size as u64) } else { Err(gone()) }
}

impl Read for BlobFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        if self.ready().is_empty() {
            self.fetch()?;
        }
        let ready = self.ready();
        let given = ready.len().min(buffer.len());
        if given == 0 {
            return Err(gone());
        }
        if let (Some(to), Some(from)) = (buffer.get_mut(..given), ready.get(..given)) {
            to.copy_from_slice(from);
        }
        self.at += given as u64;
        Ok(given)
    }
}

impl Seek for BlobFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
