//! The ticket, and the counter-entry that corrects one.

use super::{Line, Proof, euros, footing, heading, moment};
use crate::fiscal::{Discount, TicketContent, TicketPayment, VatCents};
use crate::{Cents, VatRate};

/// The lines of a ticket, with every mention that the fiscal rules ask for.
#[must_use]
pub fn ticket_lines(ticket: &TicketContent, proof: &Proof) -> Vec<Line> {
    let mut lines = heading(&ticket.identity, ticket.training, proof.copy.as_ref());
    match &ticket.corrects {
        None => lines.push(Line::strong(format!("TICKET n° {}", ticket.ticket_no), moment(&ticket.issued_at_local))),
        Some(corrected) => {
            lines.push(Line::banner("ANNULATION"));
            lines.push(Line::strong(format!("TICKET n° {}", ticket.ticket_no), moment(&ticket.issued_at_local)));
            lines.push(Line::pair("Corrige le ticket n°", corrected.ticket_no.to_string()));
            lines.push(Line::pair("Motif", &corrected.reason));
        }
    }
    lines.push(Line::pair(format!("Caisse {}", ticket.register), format!("Opérateur {}", ticket.operator)));
    if let Some(responsible) = &ticket.responsible {
        lines.push(Line::pair("Responsable", responsible));
    }
    lines.push(Line::pair(format!("Table {}", ticket.table), format!("Couverts {}", ticket.covers)));
    if let Some(share) = ticket.share {
        lines.push(Line::text(format!("Part {}/{}", share.number, share.of)));
    }
    if !ticket.notes.is_empty() {
        let notes: Vec<String> = ticket.notes.iter().map(i64::to_string).collect();
        lines.push(Line::text(format!("{} {}", if notes.len() == 1 { "Note n°" } else { "Notes n°" }, notes.join(", "))));
    }
    lines.push(Line::Rule);
    for line in &ticket.lines {
        let amount = format!("{} {}", line.amount.to_french(), code_of(line.rate, &ticket.vat));
        lines.extend(sold(line.qty_thousandths, &line.name, line.unit_price, amount));
        lines.extend(line.discount.as_ref().map(discount_line));
    }
    lines.push(Line::Rule);
    lines.push(Line::pair("Nombre de lignes", ticket.lines.len().to_string()));
    let discounts = ticket.discounts();
    if discounts != Cents::ZERO {
        lines.push(Line::pair("Remises comprises", euros(Cents(discounts.0.saturating_neg()))));
    }
    lines.extend(vat_table(&ticket.vat));
    lines.push(Line::large(if ticket.corrects.is_some() { "TOTAL RENDU" } else { "TOTAL TTC" }, euros(ticket.total)));
    lines.push(Line::Rule);
    lines.extend(ticket.payments.iter().flat_map(payment_lines));
    lines.push(Line::centred("Prix nets, service compris"));
    lines.extend(footing(&ticket.software, ticket.training, proof, None));
    lines
}

/// How much of what, and at which price when it is not one.
pub(super) fn sold(qty_thousandths: u64, name: &str, unit_price: Cents, amount: String) -> Vec<Line> {
    let mut lines = vec![Line::pair(format!("{} x {name}", quantity(qty_thousandths)), amount)];
    if qty_thousandths != 1000 {
        lines.push(Line::text(format!("  à {} l'unité", unit_price.to_french())));
    }
    lines
}

/// Already taken off the amount of its line.
fn discount_line(discount: &Discount) -> Line {
    let part = discount.percent.map(percent).unwrap_or_default();
    Line::pair(format!("  dont remise{part} ({})", discount.reason), Cents(discount.amount.0.saturating_neg()).to_french())
}

/// ` 10 %`, ` 12,5 %`: basis points.
fn percent(points: u32) -> String {
    let (whole, rest) = (points / 100, points % 100);
    let decimals = if rest == 0 { String::new() } else { format!(",{rest:02}").trim_end_matches('0').to_owned() };
    format!(" {whole}{decimals} %")
}

fn payment_lines(payment: &TicketPayment) -> Vec<Line> {
    let mut lines = vec![Line::pair(payment.method.label(), euros(payment.amount))];
    if let Some(tendered) = payment.tendered {
        lines.push(Line::pair("  Reçu", euros(tendered)));
        lines.push(Line::pair("  Rendu", euros(payment.change)));
    }
    if let Some(code) = &payment.approval_code {
        lines.push(Line::pair("  Autorisation", code.clone()));
    }
    if payment.tip != Cents::ZERO {
        lines.push(Line::pair("  Pourboire, en plus", euros(payment.tip)));
    }
    if payment.excess != Cents::ZERO {
        lines.push(Line::pair("  Excédent du titre, non rendu", euros(payment.excess)));
    }
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
