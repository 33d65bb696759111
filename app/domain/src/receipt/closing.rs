//! The Z: what a day came to. And the X: what it has come to so far.

use super::ticket::vat_table;
use super::{Line, Proof, TRAINING, WORTHLESS, euros, footing, heading, moment};
use crate::Cents;
use crate::api::Method;
use crate::fiscal::ClosingContent;

/// The lines of a Z.
#[must_use]
pub fn closing_lines(closing: &ClosingContent, proof: &Proof) -> Vec<Line> {
    let mut lines = heading(&closing.identity, closing.training, proof.copy.as_ref());
    lines.push(Line::title("CLÔTURE JOURNALIÈRE"));
    lines.push(Line::banner(format!("Z n° {}", closing.z_number)));
    lines.extend(figures(closing, "Clôture"));
    // Whoever keeps a Z can tell that a later one was signed with the same key.
    lines.extend(footing(&closing.software, closing.training, proof, [Line::pair("Clé de signature", &proof.key_id)]));
    lines
}

/// The lines of an X: the figures that a Z would have now. Nothing is recorded, and the paper says so.
#[must_use]
pub fn x_lines(so_far: &ClosingContent) -> Vec<Line> {
    let mut lines = heading(&so_far.identity, so_far.training, None);
    lines.push(Line::banner("LECTURE X"));
    lines.push(Line::centred("Journée non clôturée"));
    lines.extend(figures(so_far, "Lecture"));
    lines.push(Line::Rule);
    lines.push(Line::centred("Document de contrôle, non enregistré"));
    lines.push(Line::centred(&so_far.software));
    if so_far.training {
        lines.extend([Line::banner(TRAINING), Line::title(WORTHLESS)]);
    }
    lines
}

fn figures(closing: &ClosingContent, ended: &str) -> Vec<Line> {
    let day = closing.service_day;
    let mut lines = vec![
        Line::strong("Journée du", format!("{:02}/{:02}/{:04}", day.day(), u8::from(day.month()), day.year())),
        Line::pair("Ouverture", moment(&closing.opened_at_local)),
        Line::pair(ended, moment(&closing.closed_at_local)),
        Line::pair(format!("Caisse {}", closing.register), operator(&closing.operator)),
        Line::Rule,
        Line::pair("Tickets", closing.ticket_count.to_string()),
    ];
    if closing.ticket_count > 0 {
        lines.push(Line::pair("Du ticket n°", closing.first_ticket.to_string()));
        lines.push(Line::pair("Au ticket n°", closing.last_ticket.to_string()));
    }
    lines.push(Line::pair("Règlements", closing.payment_count.to_string()));
    lines.push(Line::Rule);
    lines.extend(vat_table(&closing.vat));
    let vat = closing.total_vat();
    lines.push(Line::pair("Total HT", euros(Cents(closing.total.0.saturating_sub(vat.0)))));
    lines.push(Line::pair("Total TVA", euros(vat)));
    lines.push(Line::large("TOTAL TTC", euros(closing.total)));
    lines.push(Line::Rule);
    for method in Method::ALL {
        let label = if method == Method::Cb { method.as_str() } else { method.label() };
        lines.push(Line::pair(label, euros(closing.by_method.get(method))));
    }
    lines.push(Line::Rule);
    lines.push(Line::text("Grand total perpétuel"));
    lines.push(Line::pair("  ventes - retours", euros(closing.perpetual_total)));
    lines.push(Line::pair("  ventes + retours", euros(closing.perpetual_absolute)));
    lines
}

fn operator(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("Opérateur {name}") }
}
