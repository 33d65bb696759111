//! Reading requests, so that every fault gets the status that the contract promises.

use crate::error::Error;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::str::FromStr;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A JSON body. Not JSON: 400. Another content type: 415. Too large: 413. JSON, but not what was asked for: 422.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let is_json = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(Error::WrongContentType);
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(cause) if cause.status() == StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
            other => Error::BadJson(other.to_string()),
        })?;
        composed(&bytes)
            .map(Self)
            .map_err(|error| if error.is_data() { Error::invalid("body", "malformed") } else { Error::BadJson(error.to_string()) })
    }
}

/// Reads JSON whose texts are composed (Unicode's NFC): a phone that writes an é as an e and an accent names the same dish, and signs the same content,
/// as one that does not. Everything but texts is read as it stands: amounts are exact.
fn composed<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    // An escape may spell an accent; nearly no body holds one, or anything to compose.
    let is_composed = |text: &str| !text.contains(r"\u") && is_nfc_quick(text.chars()) == IsNormalized::Yes;
    match std::str::from_utf8(bytes) {
        Ok(text) if !is_composed(text) => serde_json::from_str(&compose(text)),
        // What is no UTF-8 is refused by the reader.
        _ => serde_json::from_slice(bytes),
    }
}

/// The same JSON with each of its texts composed. What is no text of JSON is left for the reader to refuse.
fn compose(json: &str) -> String {
    let mut composed = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(begin) = rest.find('"') {
        let (before, from) = rest.split_at(begin);
        composed.push_str(before);
        let (token, after) = from.split_at(end_of_text(from));
        match serde_json::from_str::<String>(token) {
            Ok(text) => composed.push_str(&Value::String(text.nfc().collect()).to_string()),
            Err(_) => composed.push_str(token),
        }
        rest = after;
    }
    composed.push_str(rest);
    composed
}

/// Where the text ends that begins with the first quote.
fn end_of_text(from: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in from.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    from.len()
}

/// A body that may be left out: without a content type there is none.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Error> {
        if request.headers().contains_key(CONTENT_TYPE) {
            <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// An identifier in the path. What cannot be one names nothing: 404.
pub struct PathId<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Error::NotFound("cette adresse"))?;
        text.parse().map(Self).map_err(|_| Error::NotFound("ce numéro"))
    }
}

/// Several texts in the path. What is no text names nothing: 404.
pub struct PathTexts<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathTexts<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        // No text of ours holds a zero, and the database takes none.
        if parts.uri.path().contains("%00") {
            return Err(Error::NotFound("cette adresse"));
        }
        let Path(texts) = Path::<T>::from_request_parts(parts, state).await.map_err(|_| Error::NotFound("cette adresse"))?;
        Ok(Self(texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn texts_are_composed_however_they_are_spelled() {
        for spelled in ["cr\u{e8}me br\u{fb}l\u{e9}e", "cre\u{300}me bru\u{302}le\u{301}e", r"cre\u0300me bru\u0302le\u0301e"] {
            let body = format!(r#"{{"dish": ["{spelled}"]}}"#);
            let read: BTreeMap<String, Vec<String>> = composed(body.as_bytes()).unwrap();
            assert_eq!(read["dish"], ["cr\u{e8}me br\u{fb}l\u{e9}e"], "{spelled}");
        }
    }

    #[test]
    fn an_accent_after_an_escape_stays_one() {
        let read: Vec<String> = composed("[\"\\n\u{303}\"]".as_bytes()).unwrap();
        assert_eq!(read, ["\n\u{303}"]);
    }

    #[test]
    fn everything_but_texts_is_read_as_it_stands() {
        #[derive(Debug, serde::Deserialize)]
        struct Asked {
            #[serde(with = "domain::wire::euros")]
            amount: domain::Cents,
            #[expect(dead_code, reason = "only there to be spelled")]
            reason: String,
        }
        for spelled in ["é", "e\u{301}", r"\u00e9", r#"\"\\e\u0301"#] {
            let read = |amount: &str| composed::<Asked>(format!(r#"{{"reason": "{spelled}", "amount": {amount}}}"#).as_bytes());
            assert_eq!(read("25.50").unwrap().amount, domain::Cents(2550), "{spelled}");
            for wrong in ["25.500000000000000001", "1e400", "25.5, \"amount\": 1", "\"a"] {
                assert!(read(wrong).is_err(), "{spelled} {wrong}");
            }
        }
    }

    #[test]
    fn what_is_no_json_is_none() {
        for bytes in [&b"{"[..], b"\xff", "[e\u{301}]".as_bytes(), br#"["\ud800"]"#] {
            assert!(composed::<Value>(bytes).unwrap_err().is_syntax() || bytes == b"{", "{bytes:?}");
        }
    }
}
