//! What is printed, frozen for every paper, from the frozen contents of the journal: there is no word on a paper that was not signed.
//!
//! `COMPTOIR_BLESS=1 cargo test -p domain --test receipt` writes the files anew; look at what changed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use domain::Cents;
use domain::fiscal::{
    ByMethodCents, CashCents, ClosingContent, ClosingDetail, Correction, Discount, LongClosingContent, LongKind, NoteContent, NoteLeft,
    NoteLine, TicketContent, VatCents,
};
use domain::receipt::{
    Copy, Laid, Line, Proof, Size, closing_lines, escpos, lay_out, long_closing_lines, note_lines, render_text, ticket_lines, x_lines,
};
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

/// A discount, a tip, a voucher that was worth more, a note before.
fn generous() -> TicketContent {
    let mut content = TicketContent { version: 2, notes: vec![41, 42], ..ticket() };
    let line = &mut content.lines[0];
    line.discount = Some(Discount { amount: Cents(240), percent: Some(1000), reason: "Fidélité".to_owned(), by: "Gérant".to_owned() });
    line.amount = Cents(2160);
    content.vat = VatCents::breakdown(content.lines.iter().map(|line| (line.rate, line.amount)));
    content.total = Cents(2860);
    content.payments[0].amount = Cents(2860);
    content.payments[0].change = Cents(490);
    content.payments[0].tip = Cents(200);
    content.payments[0].excess = Cents(140);
    content
}

fn given_back() -> TicketContent {
    let mut content = TicketContent { version: 2, ticket_no: 1060, share: None, ..ticket() };
    content.corrects = Some(Correction { ticket_no: 1057, reason: "Plat renvoyé".to_owned() });
    content.lines.truncate(1);
    content.lines[0].amount = Cents(-2400);
    content.vat = VatCents::breakdown([(content.lines[0].rate, Cents(-2400))]);
    content.total = Cents(-2400);
    (content.payments[0].amount, content.payments[0].tendered, content.payments[0].change) = (Cents(-2400), None, Cents::ZERO);
    content
}

fn note() -> NoteContent {
    let sold = ticket();
    NoteContent {
        version: 2,
        identity: sold.identity,
        software: sold.software,
        note_no: 42,
        register: sold.register,
        at_local: "20260214211500".to_owned(),
        operator: "alice".to_owned(),
        table: sold.table,
        covers: sold.covers,
        order_ref: sold.order_ref,
        replaces: Some(41),
        lines: vec![
            NoteLine { name: "Magret de canard".to_owned(), qty_thousandths: 2000, unit_price: Cents(2400), amount: Cents(4800) },
            NoteLine { name: "Cahors 2018".to_owned(), qty_thousandths: 1000, unit_price: Cents(2800), amount: Cents(2800) },
        ],
        total: Cents(7600),
        training: false,
    }
}

/// The reference day with all that can stand beside its sales.
fn eventful() -> ClosingContent {
    let means = |especes, cb| ByMethodCents { especes: Cents(especes), cb: Cents(cb), ..ByMethodCents::default() };
    let detail = ClosingDetail {
        refund_count: 1,
        refund_total: Cents(-2400),
        discount_total: Cents(1240),
        tips: means(500, 1250),
        transfers: means(2000, -2000),
        cash: CashCents {
            float: Cents(15_000),
            put_in: Cents(5000),
            taken_out: Cents(20_000),
            takings: Cents(69_250),
            counted: Some(Cents(69_200)),
            difference: Some(Cents(-50)),
        },
        note_count: 12,
        duplicate_count: 3,
        training_count: 2,
        notes_left: vec![NoteLeft { note_no: 12, table: "7".to_owned(), total: Cents(4200), given_up: true }],
        open_tables: vec!["3".to_owned(), "Terrasse 4".to_owned()],
        ..ClosingDetail::default()
    };
    ClosingContent { version: 2, detail: Some(detail), ..closing() }
}

fn month() -> LongClosingContent {
    let day = closing();
    LongClosingContent {
        version: 2,
        identity: day.identity,
        software: day.software,
        kind: LongKind::Month,
        number: 2,
        period: "2026-02".to_owned(),
        register: day.register,
        closed_at_local: "20260301090000".to_owned(),
        operator: "gérant".to_owned(),
        first: 3,
        last: 27,
        ticket_count: day.ticket_count,
        payment_count: day.payment_count,
        vat: day.vat,
        total: day.total,
        by_method: day.by_method,
        perpetual_total: day.perpetual_total,
        perpetual_absolute: day.perpetual_absolute,
        training: false,
    }
}

/// Every document that is printed, by its name.
fn documents() -> Vec<(&'static str, Vec<Line>)> {
    let training = TicketContent { training: true, ..ticket() };
    vec![
        ("ticket", ticket_lines(&ticket(), &proof('T', 1057))),
        ("duplicata", ticket_lines(&ticket(), &copied(proof('T', 1057)))),
        ("formation", ticket_lines(&training, &copied(proof('X', 1057)))),
        ("remise", ticket_lines(&generous(), &proof('T', 1058))),
        ("annulation", ticket_lines(&given_back(), &proof('T', 1060))),
        ("note", note_lines(&note(), &proof('N', 42))),
        ("z", closing_lines(&closing(), &proof('G', 27))),
        ("z_detail", closing_lines(&eventful(), &proof('G', 27))),
        ("mois", long_closing_lines(&month(), &proof('G', 28))),
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

/// Rows 11 and 12: before payment it must not look like after.
#[test]
fn a_note_shows_no_vat_and_no_means_and_says_what_it_is() {
    let text = render_text(&note_lines(&note(), &proof('N', 42)), 48);
    for mention in
        ["NOTE", "Document provisoire", "Ne vaut pas ticket", "Note n° 42", "Table 5", "À PAYER", "76,00 EUR", "service compris", "France"]
    {
        assert!(text.contains(mention), "{mention} is missing from\n{text}");
    }
    for never in ["HT", "10 %", "TOTAL TTC", "TICKET n°", "Espèces", "Carte"] {
        assert!(!text.contains(never), "{never} in\n{text}");
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
