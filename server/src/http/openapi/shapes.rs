//! The words that shapes are written in. JSON Schema 2020-12, and of it only what the tests check as well.

use serde_json::{Map, Value, json};

/// The largest amount that is read or written, in euros: [`domain::money::MAX_AMOUNT`].
const MOST_EUROS: i64 = 10_000_000;

/// An identifier.
pub(super) fn id() -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 1 })
}

/// A number that counts or names something, and is no identifier of the contract.
pub(super) fn number() -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 0 })
}

/// A whole number between two others.
pub(super) fn whole(least: u32, most: u32) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// Cents, in the extras of a refusal and in frames.
pub(super) fn cents() -> Value {
    json!({ "type": "integer", "format": "int64" })
}

/// Euros that are never negative.
pub(super) fn euros() -> Value {
    json!({ "type": "number", "minimum": 0, "maximum": MOST_EUROS, "multipleOf": 0.01 })
}

/// Euros that may be negative: refunds, differences, what totals come to.
pub(super) fn balance() -> Value {
    json!({ "type": "number", "multipleOf": 0.01 })
}

/// A rate.
pub(super) fn percent() -> Value {
    json!({ "type": "number", "minimum": 0, "maximum": 100, "multipleOf": 0.01 })
}

/// A quantity: a number, or a fraction such as `"1/3"`.
pub(super) fn quantity() -> Value {
    json!({ "anyOf": [{ "type": "number", "minimum": 0, "maximum": 10_000 }, { "type": "string", "pattern": "^[0-9]{1,9}/[1-9][0-9]{0,8}$" }] })
}

/// A text of at most so many characters, without control characters.
pub(super) fn text(most: u32) -> Value {
    json!({ "type": "string", "maxLength": most })
}

/// A text of any length.
pub(super) fn words() -> Value {
    json!({ "type": "string" })
}

/// RFC 3339 with an offset.
pub(super) fn moment() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

/// A day: `2026-02-28`.
pub(super) fn day() -> Value {
    json!({ "type": "string", "format": "date" })
}

/// A UUID; what clients choose is of version 4 or 7.
pub(super) fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

/// Yes or no.
pub(super) fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// One of these words.
pub(super) fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// A list.
pub(super) fn list(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

/// A list of so many at most.
pub(super) fn few(of: Value, most: u32) -> Value {
    json!({ "type": "array", "items": of, "maxItems": most })
}

/// The same, or nothing.
pub(super) fn or_null(shape: Value) -> Value {
    json!({ "anyOf": [shape, { "type": "null" }] })
}

/// The shape of that name.
pub(super) fn to(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// A field of an object.
pub(super) struct Field {
    name: &'static str,
    shape: Value,
    always: bool,
}

/// A field that is always there.
pub(super) fn must(name: &'static str, shape: Value) -> Field {
    Field { name, shape, always: true }
}

/// A field that may be absent.
pub(super) fn may(name: &'static str, shape: Value) -> Field {
    Field { name, shape, always: false }
}

/// An object that the server writes: whoever reads it ignores what they do not know.
pub(super) fn object(about: &str, fields: impl IntoIterator<Item = Field>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in fields {
        if field.always {
            required.push(field.name);
        }
        properties.insert(field.name.to_owned(), field.shape);
    }
    json!({ "type": "object", "description": about, "properties": properties, "required": required })
}

/// An object that the server reads: it refuses what it does not know.
pub(super) fn request(about: &str, fields: impl IntoIterator<Item = Field>) -> Value {
    let mut request = object(about, fields);
    request["additionalProperties"] = json!(false);
    request
}
