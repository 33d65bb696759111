//! An archive is checked, with nothing but the file and, better, the auditor's own copy of the public key.
//!
//! One code for three readers: the command line and the till, which check signatures on all processors with a fast library, and the page
//! on which anybody drops an archive, where the same Rust runs as WASM and nothing leaves the browser. Hence no asynchrony here, no file
//! system and no cryptography beyond digests: a caller brings something that can be read and sought, and [`Keys`].
//!
//! Open the zip and its manifest ([`Archive::open`]) → check the manifest's signature and the digest of every file, and learn the keys that
//! the journal itself announces ([`Archive::check_files`]) → feed every record to the `Verifier` of `domain`, which judges the live
//! journal too → [`conclude`]. [`examine()`] does all of it, counts and tells, and can read one byte as if somebody had changed it, to show
//! what happens then.

mod archive;
mod demonstration;
mod examine;
#[cfg(feature = "page")]
mod keys;
mod manifest;
mod records;
pub mod zip;

pub use archive::{Archive, Checked, Files, Keys, Unreadable, add_announced, check_order, conclude};
pub use demonstration::{Demonstration, Shown};
pub use examine::{Asked, ChainFound, ClosingFound, Examined, KeySaid, Named, Verdict, examine};
#[cfg(feature = "page")]
pub use keys::PublicKeys;
pub use manifest::{ARCHIVE_FORMAT, ChainSpan, JOURNAL, Manifest, Previous};
pub use records::Records;
