//! The closing of a month or of a year.

use super::ticket::vat_table;
use super::{Line, Proof, euros, footing, heading, moment};
use crate::Cents;
use crate::api::Method;
use crate::fiscal::{LongClosingContent, LongKind};

/// The lines of the closing of a month or of a year.
#[must_use]
pub fn long_closing_lines(closing: &LongClosingContent, proof: &Proof) -> Vec<Line> {
    let (title, of) = match closing.kind {
        LongKind::Month => ("CLÔTURE MENSUELLE", "Z"),
        LongKind::Year => ("CLÔTURE ANNUELLE", "mois"),
    };
    let mut lines = heading(&closing.identity, closing.training, proof.copy.as_ref());
    lines.push(Line::title(title));
    lines.push(Line::strong("Période", closing.period.clone()));
    lines.push(Line::pair("Clôture", moment(&closing.closed_at_local)));
    lines.push(Line::pair(format!("Caisse {}", closing.register), format!("Opérateur {}", closing.operator)));
    lines.push(Line::Rule);
    lines.push(Line::pair(format!("Du {of} n°"), closing.first.to_string()));
    lines.push(Line::pair(format!("Au {of} n°"), closing.last.to_string()));
    lines.push(Line::pair("Tickets", closing.ticket_count.to_string()));
    lines.push(Line::pair("Règlements", closing.payment_count.to_string()));
    lines.push(Line::Rule);
    lines.extend(vat_table(&closing.vat));
    let vat = closing.total_vat();
    lines.push(Line::pair("Total HT", euros(Cents(closing.total.0.saturating_sub(vat.0)))));
    lines.push(Line::pair("Total TVA", euros(vat)));
    lines.push(Line::strong("TOTAL TTC", euros(closing.total)));
    lines.push(Line::Rule);
    for method in Method::ALL {
        let label = if method == Method::Cb { method.as_str() } else { method.label() };
        lines.push(Line::pair(label, euros(closing.by_method.get(method))));
    }
    lines.push(Line::Rule);
    lines.push(Line::text("Grand total perpétuel"));
    lines.push(Line::pair("  ventes - retours", euros(closing.perpetual_total)));
    lines.push(Line::pair("  ventes + retours", euros(closing.perpetual_absolute)));
    lines.extend(footing(&closing.software, closing.training, proof, [Line::pair("Clé de signature", &proof.key_id)]));
    lines
}
