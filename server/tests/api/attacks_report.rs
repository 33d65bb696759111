//! The list of what was tried (`server/docs/attaques.md`) names tests and flaws that exist, and no attack is missing from it.

use std::collections::BTreeSet;
use std::path::Path;

/// Every test of these files, `module::name`.
fn tests() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    let mut tests = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
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

/// What a fiscal journal of a restaurant is attacked with, as the trade knows it, and the test that shows what comes of it. A row of this list cannot be taken
/// out of the report without its test's being missed here.
const KNOWN: [(&str, &str); 33] = [
    ("delete the last rows of a chain", "attacks::what_the_owner_changes_"),
    ("delete a middle row", "attacks::what_the_owner_changes_"),
    ("truncate, drop, begin again beside old anchors", "attacks_blind::an_empty_journal_"),
    ("edit the means or the amount of a payment", "attacks::what_the_owner_changes_"),
    ("edit a label and keep the totals", "attacks::what_the_owner_changes_"),
    ("disable a guard, drop its function", "attacks::the_guards_"),
    ("write the chain again", "attacks::what_the_owner_changes_"),
    ("sign with a key of one's own", "attacks_keys::a_key_of_ones_own_"),
    ("steal the key", "attacks_keys::a_stolen_key_"),
    ("a weaker format", "attacks::what_the_owner_changes_"),
    ("a clock that is set back", "attacks::a_clock_that_goes_back_"),
    ("a clock that is set forward", "attacks_trade::a_clock_that_is_set_forward_"),
    ("a gap after a crash", "attacks::a_transaction_that_dies_"),
    ("two tickets, two closings at once, a payment during one", "closing::fifty_payments_"),
    ("close with a card in doubt", "charging::a_silent_terminal_"),
    ("midnight and both changes of the clock", "attacks::the_service_day_"),
    ("a ticket off the record", "attacks_trade::there_is_no_ticket_"),
    ("never close", "records::what_was_forgotten_"),
    ("give back more than was sold", "records::no_more_"),
    ("give back twice", "attacks_blind::a_refund_that_is_hidden_"),
    ("train with real sales", "closing::in_training_"),
    ("print the note, take the cash, delete the order", "attacks::a_note_that_nobody_pays_"),
    ("a line that the kitchen knew is taken away", "attacks_trade::a_line_that_the_kitchen_"),
    ("sell a duplicate as a second original", "printing::every_print_after_the_first_"),
    ("restore an old copy and sell on", "attacks_keys::an_older_copy_"),
    ("move to another machine, zone, language", "attacks::a_sound_journal_"),
    ("change the menu, a person, a setting", "attacks_trade::who_works_here_"),
    ("apply a wrong rate", "attacks_trade::a_wrong_rate_"),
    ("separators and Unicode in a name", "attacks::a_name_made_to_break_"),
    ("another identity, another setting", "attacks_trade::what_is_other_than_"),
    ("edit an archive, put another in its place", "archive::an_archive_is_sound_"),
    ("insert a ticket of one's own", "attacks::the_till_is_refused"),
    ("send a request again", "paying::the_same_uuid_"),
];

#[test]
fn every_row_names_what_exists_and_every_attack_has_a_row() {
    let list = include_str!("../../docs/attaques.md");
    let rows: Vec<Vec<&str>> =
        list.lines().filter(|line| line.starts_with("| ")).skip(1).map(|line| line.trim_matches('|').split(" | ").collect()).collect();
    assert!(rows.len() > 30, "{}", rows.len());
    let tests = tests();
    let outside = ["payment_campaign"];
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
                None if outside.contains(&begin) => continue,
                None => format!("{module}::{begin}"),
            };
            let found: Vec<_> = tests.iter().filter(|test| test.starts_with(&begin)).collect();
            assert!(!found.is_empty(), "{tried}: no test {begin}");
            named.extend(found);
        }
    }
    for (attack, shown) in KNOWN {
        assert!(tests.iter().any(|test| test.starts_with(shown)), "{attack}: no test {shown}");
        assert!(named.iter().any(|test| test.starts_with(shown)), "{attack}: no row names {shown}");
    }
    for test in tests.iter().filter(|test| test.starts_with("attacks") && !test.starts_with("attacks_report")) {
        assert!(named.contains(test), "no row names {test}");
    }
}
