//! What earlier builds wrote on phones that are still switched off somewhere. These files are never edited: a build that writes otherwise
//! adds files of its own, and reads both.

use domain::sync::{Intent, IntentState};
use serde_json::Value;

const WRITTEN: [(&str, &str); 4] = [
    ("waiting", include_str!("previous/v1-waiting.json")),
    ("conflict", include_str!("previous/v1-conflict.json")),
    ("dropping", include_str!("previous/v1-dropping.json")),
    ("plain", include_str!("previous/v1-plain.json")),
];

/// A request that is sent again must be the same request, or the server takes it for another one under a number that is taken.
#[test]
fn what_the_first_build_wrote_is_read_and_asks_the_same() {
    for (name, text) in WRITTEN {
        let intent = Intent::read(text).unwrap();
        assert_eq!(matches!(intent.state, IntentState::Conflict(_)), name == "conflict");
        assert_eq!(matches!(intent.state, IntentState::Dropping { .. }), name == "dropping");
        let (before, now): (Value, Value) = (serde_json::from_str(text).unwrap(), serde_json::from_str(&intent.write().unwrap()).unwrap());
        assert_eq!(before["ask"], now["ask"], "{name}");
        assert_eq!(before, now, "{name}");
    }
}

#[test]
fn what_a_later_build_wrote_is_left_alone() {
    let later = WRITTEN[0].1.replacen(r#""v":1"#, r#""v":2"#, 1);
    assert!(Intent::read(&later).is_err());
    assert!(Intent::read(r#"{"v":1,"uuid":"0197f5d0-2222-7000-8000-000000000001"}"#).is_err());
}
