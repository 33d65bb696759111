//! The list of what was tried (`server/docs/attaques.md`) names tests and flaws that exist, and no attack is missing from it.

use std::collections::BTreeSet;
use std::path::Path;

/// Every test of these files, `module::name`.
fn tests() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    let mut tests = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in text.lines() {
            if line.starts_with("#[tokio::test") || line.starts_with("#[test]") {
                is_test = true;
            } else if let Some(name) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))
                && std::mem::take(&mut is_test)
            {
                tests.insert(format!("{module}::{}", name.split('(').next().unwrap()));
            }
        }
    }
    assert!(tests.len() > 100, "{tests:?}");
    tests
}

/// What stands between backquotes in the column of a row.
fn quoted(column: &str) -> Vec<&str> {
    column.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_row_names_what_exists_and_every_attack_has_a_row() {
    let list = include_str!("../../docs/attaques.md");
    let rows: Vec<Vec<&str>> =
        list.lines().filter(|line| line.starts_with("| ")).skip(1).map(|line| line.trim_matches('|').split(" | ").collect()).collect();
    assert!(rows.len() > 30, "{}", rows.len());
    let tests = tests();
    let others = ["payment_campaign", "archive", "charging", "closing", "paying"];
    let sources = ["../../../app/domain/src/fiscal/verify/flaw.rs", "../../../app/domain/src/fiscal/content/event.rs"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut words = String::new();
    for source in sources {
        words += &std::fs::read_to_string(folder.join("tests/api").join(source)).unwrap().to_lowercase();
    }
    for file in
        ["src/db/facts.rs", "src/db/guards.rs", "src/services/verifying.rs", "src/services/self_check.rs", "src/services/anchoring.rs"]
    {
        words += &std::fs::read_to_string(folder.join(file)).unwrap();
    }
    for file in std::fs::read_dir(folder.join("../frontend/verifier/src")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            words += &std::fs::read_to_string(path).unwrap();
        }
    }
    let mut named = BTreeSet::new();
    let mut module = String::new();
    for row in &rows {
        let [tried, happens, shown] = row.as_slice() else { panic!("{row:?}") };
        for word in quoted(happens) {
            assert!(["\"", "'"].iter().any(|quote| words.contains(&format!("{quote}{word}{quote}"))), "{tried}: nothing says {word}");
        }
        for test in quoted(shown) {
            let begin = test.trim_end_matches('…');
            let begin = match begin.split_once("::") {
                Some((its_module, _)) => {
                    its_module.clone_into(&mut module);
                    begin.to_owned()
                }
                None if others.contains(&begin) => continue,
                None => format!("{module}::{begin}"),
            };
            let found: Vec<_> = tests.iter().filter(|test| test.starts_with(&begin)).collect();
            assert!(!found.is_empty(), "{tried}: no test {begin}");
            named.extend(found);
        }
    }
    for test in tests.iter().filter(|test| test.starts_with("attacks::") || test.starts_with("attacks_trade::")) {
        assert!(named.contains(test), "no row names {test}");
    }
}
