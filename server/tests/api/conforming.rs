//! The server keeps to its contract: every answer that any test gets, and every request of theirs that is taken, is held against
//! `/api/openapi.json`, by this small reading of JSON Schema.
//!
//! Ours and not a crate's, because the one that is kept well has `serde_json` read numbers in another way in the whole workspace, and because it should
//! be stricter than the standard: a field that the document does not name is a fault, and so is a keyword that nobody checks.

use serde_json::{Map, Value};
use std::sync::LazyLock;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

static CONTRACT: LazyLock<Value> = LazyLock::new(server::http::openapi::document);

/// Holds one request and its answer against the contract.
///
/// # Panics
/// When they are not what it says.
pub fn check(method: &str, path: &str, sent: Option<&[u8]>, status: u16, content_type: Option<&str>, text: &str) {
    // What is wrong on our side is promised nowhere; whoever provokes it looks at it.
    if status == 500 {
        return;
    }
    let Some((template, operation)) = operation(method, path) else { return };
    let what = format!("{method} {template}, {status}");
    let Some(response) = operation["responses"].get(status.to_string()) else { panic!("{what}: no such status in the contract: {text}") };
    let mut faults = Vec::new();
    match response.get("content").and_then(Value::as_object) {
        None => assert!(text.is_empty(), "{what}: a body that is not in the contract: {text}"),
        Some(content) => {
            let essence = content_type.and_then(|of| of.split(';').next()).unwrap_or_default();
            let Some(described) = content.get(essence) else { panic!("{what}: {essence} is not in the contract: {text}") };
            if essence.ends_with("json") {
                let value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{what}: {error}: {text}"));
                fits(&described["schema"], &value, "", true, &mut faults);
            }
        }
    }
    assert!(faults.is_empty(), "{what}: {faults:#?} in {text}");
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if (200..300).contains(&status) && !body.is_null() {
        let sent = sent.unwrap_or_default();
        let value = serde_json::from_slice(sent).unwrap_or_else(|error| panic!("{what}: {error}"));
        fits(body, &value, "", true, &mut faults);
        assert!(faults.is_empty(), "{what} was taken: {faults:#?} in {}", String::from_utf8_lossy(sent));
    }
}

/// What the contract says of a path and method; where two templates fit, the one with fewer names in it.
fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |template: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count() && template.zip(path).all(|(said, is)| said.starts_with('{') || said == is)
    };
    let paths = CONTRACT["paths"].as_object()?;
    let (template, operations) =
        paths.iter().filter(|(template, _)| fits(template)).min_by_key(|(template, _)| template.matches('{').count())?;
    operations.get(method.to_ascii_lowercase()).map(|operation| (template.as_str(), operation))
}

fn resolve(schema: &'static Value) -> &'static Value {
    let Some(name) = schema.get("$ref").and_then(Value::as_str) else { return schema };
    CONTRACT.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is not in the contract"))
}

/// The fields that a shape names, over all that it is made of.
fn named(schema: &'static Value, names: &mut Vec<&'static str>) {
    let schema = resolve(schema);
    names.extend(schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str));
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        named(part, names);
    }
}

/// Says what is wrong with a value; `whole` when nothing else describes the same value.
fn fits(schema: &'static Value, value: &Value, at: &str, whole: bool, faults: &mut Vec<String>) {
    let schema = resolve(schema);
    let mut fault = |what: String| faults.push(format!("{at}: {what}"));
    if let (true, Some(object)) = (whole, value.as_object()) {
        let mut names = Vec::new();
        named(schema, &mut names);
        if !names.is_empty() {
            object.keys().filter(|name| !names.contains(&name.as_str())).for_each(|name| fault(format!("{name} is not in the contract")));
        }
    }
    let mut below = Vec::new();
    for (keyword, said) in schema.as_object().into_iter().flatten() {
        match keyword.as_str() {
            "description" | "writeOnly" | "additionalProperties" => {}
            "type" if !is_of(said.as_str().unwrap(), value) => fault(format!("{value} is no {said}")),
            "type" => {}
            "const" if said != value => fault(format!("{value} is not {said}")),
            "enum" if !said.as_array().unwrap().contains(value) => fault(format!("{value} is none of {said}")),
            "const" | "enum" => {}
            "minimum" if value.as_f64().is_some_and(|value| value < said.as_f64().unwrap()) => fault(format!("{value} is under {said}")),
            "maximum" if value.as_f64().is_some_and(|value| value > said.as_f64().unwrap()) => fault(format!("{value} is over {said}")),
            "multipleOf" if value.is_number() && decimals(&value.to_string()) > 2 => fault(format!("{value} has too many decimals")),
            "minLength" if length(value).is_some_and(|length| length < said.as_u64().unwrap()) => fault(format!("{value} is too short")),
            "maxLength" if length(value).is_some_and(|length| length > said.as_u64().unwrap()) => fault(format!("{value} is too long")),
            "minItems" if value.as_array().is_some_and(|list| (list.len() as u64) < said.as_u64().unwrap()) => {
                fault(format!("{value} is too short"));
            }
            "maxItems" if value.as_array().is_some_and(|list| list.len() as u64 > said.as_u64().unwrap()) => {
                fault(format!("{value} is too long"));
            }
            "minimum" | "maximum" | "multipleOf" | "minLength" | "maxLength" | "minItems" | "maxItems" => {}
            "format" if !is_written_as(said.as_str().unwrap(), value) => fault(format!("{value} is no {said}")),
            "pattern" if value.as_str().is_some_and(|text| !matches(said.as_str().unwrap(), text)) => {
                fault(format!("{value} is not {said}"));
            }
            "format" | "pattern" => {}
            "required" => {
                let Some(object) = value.as_object() else { continue };
                let missing = said.as_array().unwrap().iter().filter_map(Value::as_str).filter(|name| !object.contains_key(*name));
                missing.for_each(|name| fault(format!("{name} is missing")));
            }
            "properties" => {
                let Some(object) = value.as_object() else { continue };
                for (name, schema) in said.as_object().unwrap() {
                    if let Some(value) = object.get(name) {
                        fits(schema, value, &format!("{at}/{name}"), true, &mut below);
                    }
                }
            }
            "items" => {
                for (i, value) in value.as_array().into_iter().flatten().enumerate() {
                    fits(said, value, &format!("{at}/{i}"), true, &mut below);
                }
            }
            "allOf" => said.as_array().unwrap().iter().for_each(|part| fits(part, value, at, false, &mut below)),
            "anyOf" | "oneOf" => {
                let tried: Vec<Vec<String>> = said
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| {
                        let mut faults = Vec::new();
                        fits(one, value, at, whole, &mut faults);
                        faults
                    })
                    .collect();
                let fit = tried.iter().filter(|faults| faults.is_empty()).count();
                if fit == 0 || (keyword == "oneOf" && fit > 1) {
                    fault(format!("{fit} of {keyword} fit {value}"));
                    below.extend(tried.into_iter().min_by_key(Vec::len).unwrap_or_default());
                }
            }
            other => panic!("nobody checks {other}"),
        }
    }
    faults.extend(below);
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("nobody checks the type {other}"),
    }
}

fn is_written_as(format: &str, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return format != "int64" || value.is_i64() };
    match format {
        "date-time" => OffsetDateTime::parse(text, &Rfc3339).is_ok(),
        "date" => matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", text),
        "uuid" => Uuid::parse_str(text).is_ok(),
        "int64" => true,
        other => panic!("nobody checks the format {other}"),
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

/// How many decimals a number is written with. Numbers that come from two decimals are written with two at most.
fn decimals(number: &str) -> usize {
    if number.contains('e') { usize::MAX } else { number.split_once('.').map_or(0, |(_, decimals)| decimals.len()) }
}

/// Whether a text is a sequence of classes, each a number of times: as much of regular expressions as the contract uses.
fn matches(pattern: &str, text: &str) -> bool {
    let mut left = pattern.trim_start_matches('^').trim_end_matches('$');
    let mut text = text;
    while let Some(first) = left.chars().next() {
        let class = if first == '[' { left.split_once(']').unwrap().0.to_owned() + "]" } else { first.to_string() };
        left = &left[class.len()..];
        let (least, most, read) = match left.chars().next() {
            Some('+') => (1, usize::MAX, 1),
            Some('{') => {
                let inside = &left[1..left.find('}').unwrap()];
                let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
                (least.parse().unwrap(), most.parse().unwrap(), inside.len() + 2)
            }
            _ => (1, 1, 0),
        };
        left = &left[read..];
        let taken: usize = text.chars().take_while(|c| is_in(&class, *c)).take(most).map(char::len_utf8).sum();
        if text[..taken].chars().count() < least {
            return false;
        }
        text = &text[taken..];
    }
    text.is_empty()
}

fn is_in(class: &str, c: char) -> bool {
    let Some(inside) = class.strip_prefix('[').and_then(|class| class.strip_suffix(']')) else { return class.starts_with(c) };
    let inside: Vec<char> = inside.chars().collect();
    let mut i = 0;
    while i < inside.len() {
        let (from, to) =
            if inside.get(i + 1) == Some(&'-') && i + 2 < inside.len() { (inside[i], inside[i + 2]) } else { (inside[i], inside[i]) };
        if (from..=to).contains(&c) {
            return true;
        }
        i += if from == to { 1 } else { 3 };
    }
    false
}

#[test]
fn what_does_not_fit_is_found() {
    let faults = |name: &str, text: &str| {
        let mut faults = Vec::new();
        fits(&CONTRACT["components"]["schemas"][name], &serde_json::from_str(text).unwrap(), "", true, &mut faults);
        faults.len()
    };
    let accepted = r#"{"order_id": 7, "status": "sent", "round": 1}"#;
    assert_eq!(faults("OrderAccepted", accepted), 0);
    for (was, is) in
        [("7", "0"), ("7", "-1"), ("7", "7.5"), ("sent", "lost"), (", \"round\": 1", ""), ("\"round\"", "\"rounds\": 1, \"round\"")]
    {
        assert!(faults("OrderAccepted", &accepted.replace(was, is)) > 0, "{was} as {is}");
    }
    let line = r#"{"rate": 5.5, "net": -22.75, "vat": 1.25, "gross": 24}"#;
    assert_eq!(faults("VatLine", line), 0);
    for is in ["22.755", "1e-7", "\"22.75\"", "null"] {
        assert!(faults("VatLine", &line.replace("-22.75", is)) > 0, "{is}");
    }
    for (text, found) in [(r#"{"mode": "equal", "parts": 2}"#, 0), (r#"{"mode": "equal", "amounts": [1]}"#, 1)] {
        assert_eq!(faults("SplitRequest", text).min(1), found, "{text}");
    }
    assert!(
        matches("^[0-9]{1,9}/[1-9][0-9]{0,8}$", "1/3") && !matches("^[0-9]{1,9}/[1-9][0-9]{0,8}$", "1/03") && matches("^[a-f_-]+$", "a-_")
    );
}

#[test]
fn every_shape_that_is_named_is_there_and_every_one_that_is_there_is_used() {
    let text = CONTRACT.to_string();
    let there: std::collections::BTreeSet<&str> =
        CONTRACT["components"]["schemas"].as_object().unwrap().keys().map(String::as_str).collect();
    let used: std::collections::BTreeSet<&str> =
        text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(there, used);
}
