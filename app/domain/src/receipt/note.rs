//! The note: what a table owes, before it pays. It shows no VAT and no means of payment and says what it is, so that it cannot pass for a ticket.

use super::ticket::sold;
use super::{Line, Proof, euros, footing, heading, moment};
use crate::fiscal::NoteContent;

/// The lines of a provisional note.
#[must_use]
pub fn note_lines(note: &NoteContent, proof: &Proof) -> Vec<Line> {
    let mut lines = heading(&note.identity, note.training, proof.copy.as_ref());
    lines.push(Line::banner("NOTE"));
    lines.push(Line::title("Document provisoire"));
    lines.push(Line::title("Ne vaut pas ticket de caisse"));
    lines.push(Line::strong(format!("Note n° {}", note.note_no), moment(&note.at_local)));
    if let Some(replaced) = note.replaces {
        lines.push(Line::pair("Remplace la note n°", replaced.to_string()));
    }
    lines.push(Line::pair(format!("Caisse {}", note.register), format!("Opérateur {}", note.operator)));
    lines.push(Line::pair(format!("Table {}", note.table), format!("Couverts {}", note.covers)));
    lines.push(Line::Rule);
    for line in &note.lines {
        lines.extend(sold(line.qty_thousandths, &line.name, line.unit_price, line.amount.to_french()));
    }
    lines.push(Line::Rule);
    lines.push(Line::large("À PAYER", euros(note.total)));
    lines.push(Line::centred("Prix nets, taxes et service compris"));
    lines.extend(footing(&note.software, note.training, proof, None));
    lines
}
