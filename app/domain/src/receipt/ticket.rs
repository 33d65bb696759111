//! The ticket.

use super::{Line, Proof, euros, footing, heading, moment};
use crate::fiscal::{TicketContent, TicketLine, VatCents};
use crate::{Cents, VatRate};

/// The lines of a ticket, with every mention that the fiscal rules ask for.
#[must_use]
pub fn ticket_lines(ticket: &TicketContent, proof: &Proof) -> Vec<Line> {
    let mut lines = heading(&ticket.identity, ticket.training, proof.copy.as_ref());
    lines.push(Line::strong(format!("TICKET n° {}", ticket.ticket_no), moment(&ticket.issued_at_local)));
    lines.push(Line::pair(format!("Caisse {}", ticket.register), format!("Opérateur {}", ticket.operator)));
    lines.push(Line::pair(format!("Table {}", ticket.table), format!("Couverts {}", ticket.covers)));
    if let Some(share) = ticket.share {
        lines.push(Line::text(format!("Part {}/{}", share.number, share.of)));
    }
    lines.push(Line::Rule);
    for line in &ticket.lines {
        lines.push(Line::pair(
            format!("{} x {}", quantity(line.qty_thousandths), line.name),
            format!("{} {}", line.amount.to_french(), code_of(line.rate, &ticket.vat)),
        ));
        if line.qty_thousandths != 1000 {
            lines.push(Line::text(unit_price(line)));
        }
    }
    lines.push(Line::Rule);
    lines.push(Line::pair("Nombre de lignes", ticket.lines.len().to_string()));
    lines.extend(vat_table(&ticket.vat));
    lines.push(Line::large("TOTAL TTC", euros(ticket.total)));
    lines.push(Line::Rule);
    for payment in &ticket.payments {
        lines.push(Line::pair(payment.method.label(), euros(payment.amount)));
        if let Some(tendered) = payment.tendered {
            lines.push(Line::pair("  Reçu", euros(tendered)));
            lines.push(Line::pair("  Rendu", euros(payment.change)));
        }
        if let Some(code) = &payment.approval_code {
            lines.push(Line::pair("  Autorisation", code.clone()));
        }
    }
    lines.push(Line::centred("Prix nets, service compris"));
    lines.extend(footing(&ticket.software, ticket.training, proof, None));
    lines
}

/// HT, VAT and TTC per rate, each under its letter, and together where there are several.
pub(super) fn vat_table(vat: &[VatCents]) -> Option<Line> {
    let header = ["Taux", "HT", "TVA", "TTC"].map(str::to_owned);
    let row = |label, net: Cents, tax: Cents, gross: Cents| [label, net.to_french(), tax.to_french(), gross.to_french()];
    let mut rows: Vec<[String; 4]> =
        vat.iter().map(|line| row(format!("{} {}", code_of(line.rate, vat), line.rate), line.net, line.vat, line.gross)).collect();
    if rows.len() > 1 {
        let sum = |part: fn(&VatCents) -> Cents| Cents(vat.iter().fold(0, |all: i64, line| all.saturating_add(part(line).0)));
        rows.push(row("Total".to_owned(), sum(|line| line.net), sum(|line| line.vat), sum(|line| line.gross)));
    }
    (!rows.is_empty()).then_some(Line::Table { header, rows })
}

/// The letter of a rate: its place in the VAT of the ticket. A line that is offered may have a rate that the VAT leaves out.
fn code_of(rate: VatRate, vat: &[VatCents]) -> char {
    vat.iter().map(|line| line.rate).zip('A'..='Z').find_map(|(known, letter)| (known == rate).then_some(letter)).unwrap_or('-')
}

fn unit_price(line: &TicketLine) -> String {
    format!("  à {} l'unité", line.unit_price.to_french())
}

/// `2`, `0,25`: thousandths without zeros that say nothing.
fn quantity(thousandths: u64) -> String {
    let (whole, rest) = (thousandths / 1000, thousandths % 1000);
    if rest == 0 { whole.to_string() } else { format!("{whole},{rest:03}").trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_as_in_french() {
        for (thousandths, text) in [(1000, "1"), (250, "0,25"), (333, "0,333"), (12_000, "12"), (1500, "1,5"), (1001, "1,001")] {
            assert_eq!(quantity(thousandths), text);
        }
    }
}
