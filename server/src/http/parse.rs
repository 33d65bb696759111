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
/// as one that does not.
fn composed<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    // An escape may spell an accent; nearly no body holds one, or anything to compose.
    let is_composed = |text: &str| !text.contains(r"\u") && is_nfc_quick(text.chars()) == IsNormalized::Yes;
    // What is no UTF-8 is refused by the reader.
    if std::str::from_utf8(bytes).map_or(true, is_composed) {
        return serde_json::from_slice(bytes);
    }
    let mut body: Value = serde_json::from_slice(bytes)?;
    compose(&mut body);
    serde_json::from_value(body)
}

fn compose(value: &mut Value) {
    match value {
        Value::String(text) if is_nfc_quick(text.chars()) != IsNormalized::Yes => *text = text.nfc().collect(),
        Value::Array(values) => values.iter_mut().for_each(compose),
        Value::Object(fields) => fields.values_mut().for_each(compose),
        _ => {}
    }
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
    fn what_is_no_json_is_none() {
        for bytes in [&b"{"[..], b"\xff", "[e\u{301}]".as_bytes(), br#"["\ud800"]"#] {
            assert!(composed::<Value>(bytes).unwrap_err().is_syntax() || bytes == b"{", "{bytes:?}");
        }
    }
}
