//! The Z: what a day came to.

use super::ticket::vat_table;
use super::{Line, Proof, euros, footing, heading, moment};
use crate::Cents;
use crate::api::Method;
use crate::fiscal::ClosingContent;

/// The lines of a Z.
#[must_use]
pub fn closing_lines(closing: &ClosingContent, proof: &Proof) -> Vec<Line> {
    let day = closing.service_day;
    let mut lines = heading(&closing.identity, closing.training, proof);
    lines.push(Line::title("CLÔTURE JOURNALIÈRE"));
    lines.push(Line::title(format!("Z n° {}", closing.z_number)));
    lines.push(Line::strong("Journée du", format!("{:02}/{:02}/{:04}", day.day(), u8::from(day.month()), day.year())));
    lines.push(Line::pair("Ouverture", moment(&closing.opened_at_local)));
    lines.push(Line::pair("Clôture", moment(&closing.closed_at_local)));
    lines.push(Line::pair(format!("Caisse {}", closing.register), format!("Opérateur {}", closing.operator)));
    lines.push(Line::Rule);
    lines.push(Line::pair("Tickets", closing.ticket_count.to_string()));
    if closing.ticket_count > 0 {
        lines.push(Line::pair("Du ticket n°", closing.first_ticket.to_string()));
        lines.push(Line::pair("Au ticket n°", closing.last_ticket.to_string()));
    }
    lines.push(Line::pair("Règlements", closing.payment_count.to_string()));
    lines.push(Line::Rule);
    if !closing.vat.is_empty() {
        lines.push(vat_table(&closing.vat));
    }
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
    lines.extend(footing(&closing.software, closing.training, proof));
    lines
}
