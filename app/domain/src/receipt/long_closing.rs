//! The closing of a month or of a year.

use super::closing::{perpetual, takings};
use super::{Line, Proof, footing, heading, moment};
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
    lines.push(Line::banner(&closing.period));
    lines.push(Line::pair("Clôture", moment(&closing.closed_at_local)));
    lines.push(Line::pair(format!("Caisse {}", closing.register), format!("Opérateur {}", closing.operator)));
    lines.push(Line::Rule);
    lines.push(Line::pair(format!("Du {of} n°"), closing.first.to_string()));
    lines.push(Line::pair(format!("Au {of} n°"), closing.last.to_string()));
    lines.push(Line::pair("Tickets", closing.ticket_count.to_string()));
    lines.push(Line::pair("Règlements", closing.payment_count.to_string()));
    lines.extend(takings(&closing.vat, closing.total_vat(), closing.total, &closing.by_method));
    lines.extend(perpetual(closing.perpetual_total, closing.perpetual_absolute));
    lines.extend(footing(&closing.software, closing.training, proof, [Line::pair("Clé de signature", &proof.key_id)]));
    lines
}
