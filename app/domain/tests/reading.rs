//! The small reader of JSON reads what `serde_json` reads.

use domain::api::{Bill, Event, OrderView, PaymentRequest, Problem, TableView};
use domain::menu::Menu;
use domain::order::OrderRequest;
use domain::reading::{Unreadable, read};
use domain::receipt::Line;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Debug;

fn both<T: DeserializeOwned + PartialEq + Debug>(text: &str) {
    let theirs: Result<T, _> = serde_json::from_str(text);
    let ours: Result<T, _> = read(text);
    assert_eq!(ours.ok(), theirs.ok(), "{text}");
}

/// A document without fractions: nothing that travels has any, but those that are read from their own text.
fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn every_document_is_read_as_it_is(document in documents(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) }.unwrap();
        prop_assert_eq!(read::<Value>(&text), Ok(document));
    }

    #[test]
    fn a_document_cut_off_is_refused(document in documents(), cut in any::<prop::sample::Index>()) {
        let text = serde_json::to_string(&vec![document]).unwrap();
        let at = cut.index(text.len());
        prop_assume!(text.is_char_boundary(at));
        prop_assert_eq!(read::<Value>(&text[..at]), Err(Unreadable));
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), signs in "[\\[\\]{}\",:\\\\ud8dc0-9eE+.truefalsn ]{0,40}") {
        let _ = read::<Value>(&text);
        let _ = read::<Value>(&signs);
    }
}

#[test]
fn what_travels_is_read_alike() {
    both::<Menu>(
        r#"{"version":"0a1b","items":[{"id":12,"kind":"dish","name":"Magret","category":"Plats","price":24,"vat_rate":10,"available":true,
        "wine_pairing":{"id":34,"name":"Cahors 2018","price":28.5,"reason":"tanins"},"pairings":[{"id":34,"name":"Cahors","price":28.05,"reason":"t",
        "glass":{"id":35,"price":6}}],"favourite":true,"unknown":[1,{"a":null}]}],"notes":["sans sel"]}"#,
    );
    for text in [
        r#"{"event":"ping","data":{}}"#,
        r#"{"id":7,"event":"order_changed","data":{"order_id":9}}"#,
        r#"{"event":"table_changed","data":{"table_id":5,"status":"ready","order_id":null}}"#,
        r#"{"event":"dish_escalated","data":{"event_id":4,"order_id":2,"table_id":5,"table":"5","dish":"Magret \"rosé\" \u00e9\ud83c\udf77","line_id":null,
            "server_name":"Alice","timestamp":"15h23","at":"2026-11-25T15:23:00+01:00","level":"room"}}"#,
        r#"{"event":"nothing_we_know","data":{}}"#,
        r#"{"event":"order_changed"}"#,
    ] {
        both::<Event>(text);
    }
    for text in [
        r#"{"table_id":5,"items":[{"dish_id":12,"qty":1,"note":"saignant"},{"wine_id":34,"qty":2}],"uuid":"0190c8a2-7b1f-7a3e-9f55-6a2b8c0d1e2f"}"#,
        r#"{"table_id":5,"items":[{"dish_id":12,"qty":-1}]}"#,
        r#"{"table_id":5,"items":[],"surprise":1}"#,
        r#"{"table_id":"5","items":[]}"#,
        r#"{"items":[]}"#,
    ] {
        both::<OrderRequest>(text);
    }
    for amount in ["25.5", "25.50", "25", "0.05", "25.505", "1e400", "\"25\"", "true", "null", "-1", "[1]"] {
        both::<PaymentRequest>(&format!(r#"{{"order_id":1,"cover_number":2,"amount":{amount},"method":"CB"}}"#));
        both::<PaymentRequest>(&format!(r#"{{"order_id":1,"cover_number":2,"amount":25,"method":"ESPECES","tendered":{amount}}}"#));
    }
    both::<Problem>(
        r#"{"type":"t","title":"x","status":409,"code":"table_occupied","detail":"Occupée.","errors":[{"field":"a","code":"b"}]}"#,
    );
    both::<Vec<TableView>>("[]");
    both::<Option<Bill>>("null");
    both::<Option<OrderView>>(" null ");
    both::<BTreeMap<u32, (String, Option<bool>)>>(r#"{"7":["sept",null],"8":["huit",true]}"#);
    both::<Vec<Line>>(r#"[{"line":"rule"},{"line":"no_such"}]"#);
    both::<Result<u8, String>>(r#"{"Ok":3}"#);
    both::<Result<u8, String>>(r#"{"Ok":300}"#);
}

#[test]
fn depth_has_an_end() {
    let deep = |by: usize| "[".repeat(by) + &"]".repeat(by);
    assert!(read::<Value>(&deep(60)).is_ok());
    assert_eq!(read::<Value>(&deep(100_000)), Err(Unreadable));
}
