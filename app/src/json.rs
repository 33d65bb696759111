//! Reading JSON, in one way for each side.
//!
//! What reads a type is compiled for every type, so the browser has a reader of its own that is short ([`domain::reading`]). The server reads what
//! strangers send with `serde_json`; both write with it.

use bytes::Bytes;
use leptos::server::codee::{Decoder, Encoder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use server_fn::codec::Post;
use server_fn::{ContentType, Decodes, Encodes, Format, FormatType};

/// Reads a value.
///
/// # Errors
/// When the text is something else.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, domain::reading::Unreadable> {
    domain::reading::read(text)
}

/// How what the server found out while it rendered a page travels in that page.
#[derive(Debug, Clone, Copy)]
pub struct InPage;

impl<T: Serialize> Encoder<T> for InPage {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Self::Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for InPage {
    type Error = domain::reading::Unreadable;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, Self::Error> {
        read(text)
    }
}

/// How calls of the pages travel, in both directions.
pub type Json = Post<Written>;

/// See [`Json`].
#[derive(Debug, Clone, Copy)]
pub struct Written;

impl ContentType for Written {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for Written {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for Written {
    type Error = serde_json::Error;

    fn encode(value: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_vec(value).map(Bytes::from)
    }
}

#[cfg(feature = "ssr")]
impl<T: DeserializeOwned> Decodes<T> for Written {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        serde_json::from_slice(&bytes)
    }
}

#[cfg(not(feature = "ssr"))]
impl<T: DeserializeOwned> Decodes<T> for Written {
    type Error = domain::reading::Unreadable;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        std::str::from_utf8(&bytes).map_err(|_| domain::reading::Unreadable).and_then(read)
    }
}
