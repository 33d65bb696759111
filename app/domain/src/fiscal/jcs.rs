//! Canonical JSON (RFC 8785, JCS): one text per value, so that a digest of the text is a digest of the value.
//!
//! Numbers are integers only. A floating point amount would be a mistake before it is a problem of notation, and beyond 2^53 the
//! readers of other languages would see another number than the one that was signed; both are refused.

use super::NotCanonical;
use serde_json::Value;

/// The largest integer that every JSON reader holds exactly: 2^53 − 1.
const MAX_SAFE: u64 = (1 << 53) - 1;

/// Writes a value without white space, keys sorted by their UTF-16 code units.
///
/// # Errors
/// [`NotCanonical::Number`] for a fraction, or an integer that a reader could get wrong.
pub fn canonical(value: &Value) -> Result<String, NotCanonical> {
    let mut out = String::new();
    write_value(value, &mut out)?;
    Ok(out)
}

fn write_value(value: &Value, out: &mut String) -> Result<(), NotCanonical> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            let size = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
            if size.is_none_or(|size| size > MAX_SAFE) {
                return Err(NotCanonical::Number(number.to_string()));
            }
            out.push_str(&number.to_string());
        }
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (i, (key, item)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_value(item, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// RFC 8785, 3.2.2.2: the short escapes, `\u00xx` in lower case for the other control characters, everything else as it is.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted_as_in_the_example_of_the_rfc() {
        // RFC 8785, 3.2.3. U+1F600 is a surrogate pair (D83D…), which sorts before U+FB33; by code point it would come after.
        let value: Value = serde_json::from_str(
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
                "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
        )
        .unwrap();
        assert_eq!(
            canonical(&value).unwrap(),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\
             \"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        );
    }

    #[test]
    fn strings_and_literals_are_written_as_in_the_example_of_the_rfc() {
        // RFC 8785, 3.2.2, with integers in the place of its fractions.
        let value = json!({"string": "€$\u{f}\nA'B\"\\\\\"/", "literals": [null, true, false], "numbers": [30, -7], "": {}, "a": []});
        assert_eq!(
            canonical(&value).unwrap(),
            r#"{"":{},"a":[],"literals":[null,true,false],"numbers":[30,-7],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
        assert_eq!(canonical(&json!("\u{8}\t\n\u{c}\r\u{1f}\u{7f}\u{2028}")).unwrap(), "\"\\b\\t\\n\\f\\r\\u001f\u{7f}\u{2028}\"");
    }

    #[test]
    fn numbers_that_a_reader_could_get_wrong_are_refused() {
        for good in [json!(MAX_SAFE), json!(-9_007_199_254_740_991_i64), json!(0)] {
            assert_eq!(canonical(&good).unwrap(), good.to_string());
        }
        for bad in [json!(1.5), json!(1e3), json!(-0.0), json!(MAX_SAFE + 1), json!(u64::MAX), json!(i64::MIN)] {
            assert_eq!(canonical(&json!({ "deep": [bad] })), Err(NotCanonical::Number(bad.to_string())));
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_text_means_the_same_value_and_is_its_own_canonical_text(value in any_json()) {
            let text = canonical(&value).unwrap();
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(canonical(&read).unwrap(), text);
        }
    }
}
