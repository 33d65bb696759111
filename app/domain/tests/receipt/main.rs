//! What is printed, frozen for every paper, from the frozen contents of the journal: there is no word on a paper that was not signed.
//!
//! `COMPTOIR_BLESS=1 cargo test -p domain --test receipt` writes the files anew; look at what changed.

use domain::fiscal::{ClosingContent, TicketContent};
use domain::receipt::{Copy, Laid, Line, Proof, Size, closing_lines, escpos, lay_out, render_text, ticket_lines, x_lines};
use std::path::Path;

fn ticket() -> TicketContent {
    serde_json::from_str(include_str!("../fiscal/golden/ticket.json")).unwrap()
}

fn closing() -> ClosingContent {
    serde_json::from_str(include_str!("../fiscal/golden/closing.json")).unwrap()
}

fn proof(chain: char, seq: i64) -> Proof {
    // As long as a real one, so that the code on the paper is as large.
    let signature: String = ('a'..='z').chain('A'..='Z').chain('0'..='9').cycle().take(342).collect();
    let (hash, key_id) = ("3f".repeat(32), "3fa907c1b2d4118e".to_owned());
    Proof { reference: format!("{chain}-01-{seq}"), seq, hash, signature, key_id, copy: None }
}

fn copied(proof: Proof) -> Proof {
    let copy = Copy {
        no: 2,
        operator: "Camille".to_owned(),
        at_local: "20260214220102".to_owned(),
        seq: 7,
        signature: "ZYXWVUTSRQPONMLKJIHGFEDCBA".to_owned(),
    };
    Proof { copy: Some(copy), ..proof }
}

/// Every document that is printed, by its name.
fn documents() -> Vec<(&'static str, Vec<Line>)> {
    let training = TicketContent { training: true, ..ticket() };
    vec![
        ("ticket", ticket_lines(&ticket(), &proof('T', 1057))),
        ("duplicata", ticket_lines(&ticket(), &copied(proof('T', 1057)))),
        ("formation", ticket_lines(&training, &copied(proof('X', 1057)))),
        ("z", closing_lines(&closing(), &proof('G', 27))),
        ("x", x_lines(&closing())),
    ]
}

/// The paper, with what a printer does besides letters in front of each row.
fn drawn(lines: &[Line], columns: usize) -> String {
    lay_out(lines, columns)
        .into_iter()
        .map(|laid| match laid {
            Laid::Row(row) => {
                let mark = match (row.size, row.bold) {
                    (Size::Double, _) => "large ",
                    (Size::Tall, _) => "haut  ",
                    (Size::Normal, true) => "gras  ",
                    (Size::Normal, false) => "      ",
                };
                format!("{mark}|{}\n", row.text)
            }
            Laid::Code(data) => format!("code  |{data}\n"),
            Laid::Cut => "coupe |\n".to_owned(),
            Laid::Drawer => "tiroir|\n".to_owned(),
        })
        .collect()
}

#[test]
fn every_document_is_frozen_for_every_paper() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receipt/golden");
    for (name, lines) in documents() {
        for columns in [32, 42, 48] {
            let file = folder.join(format!("{name}_{columns}.txt"));
            let now = drawn(&lines, columns);
            if std::env::var_os("COMPTOIR_BLESS").is_some() {
                std::fs::write(&file, &now).unwrap();
            }
            assert_eq!(now, std::fs::read_to_string(&file).unwrap_or_default(), "{}", file.display());
        }
    }
}

#[test]
fn no_document_says_that_the_till_is_certified() {
    for (name, lines) in documents() {
        let text = render_text(&lines, 48).to_lowercase();
        assert!(!text.contains("certifi") && !text.contains("nf525"), "{name}: {text}");
    }
}

/// Row 8 of the requirements: what a ticket has to mention.
#[test]
fn a_ticket_has_every_mention_that_the_rules_ask_for() {
    let text = render_text(&ticket_lines(&ticket(), &proof('T', 1057)), 42);
    for mention in [
        "Le Comptoir",
        "France",
        "SIRET",
        "NAF",
        "TVA FR",
        "Comptoir 0.1.0",
        "TICKET n° 1057",
        "14/02/2026 21:30:45",
        "Caisse 01",
        "Opérateur",
        "Table",
        "Nombre de lignes",
        "Taux",
        "HT",
        "TVA",
        "TTC",
        "A 10 %",
        "B 20 %",
        "TOTAL TTC",
        "31,00 EUR",
        "Espèces",
        "0 (original)",
        "Signature",
        "cgms",
        "service compris",
    ] {
        assert!(text.contains(mention), "{mention} is missing from\n{text}");
    }
}

#[test]
fn a_training_ticket_and_a_duplicata_say_so_above_and_below() {
    let (_, formation) = documents().swap_remove(2);
    let text = render_text(&formation, 32);
    for warning in ["FORMATION", "document sans valeur", "DUPLICATA 2"] {
        assert_eq!(text.matches(warning).count(), 2, "{warning} in\n{text}");
    }
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("FORMATION") && lines[lines.len() - 1].contains("DUPLICATA 2"), "{text}");
}

#[test]
fn what_a_printer_hears_is_what_the_golden_paper_shows() {
    for (name, lines) in documents() {
        for columns in [32, 42, 48] {
            let laid = lay_out(&lines, columns);
            let heard = escpos::Decoder::default().push(&escpos::encode(&laid, escpos::CodePage::Pc858));
            assert_eq!(heard, laid.into_iter().map(escpos::Heard::Laid).collect::<Vec<_>>(), "{name} on {columns} columns");
        }
    }
}
