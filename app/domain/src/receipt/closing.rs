//! The Z: what a day came to. And the X: what it has come to so far.

use super::ticket::vat_table;
use super::{Line, Proof, TRAINING, WORTHLESS, euros, footing, heading, moment};
use crate::Cents;
use crate::api::Method;
use crate::fiscal::{ByMethodCents, CashCents, ClosingContent, ClosingDetail, VatCents};

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
    lines.extend(takings(&closing.vat, closing.total_vat(), closing.total, &closing.by_method));
    if let Some(detail) = &closing.detail {
        lines.extend(besides(detail));
        lines.extend(drawer(&detail.cash));
        lines.extend(papers(detail));
    }
    lines.extend(perpetual(closing.perpetual_total, closing.perpetual_absolute));
    lines
}

fn operator(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("Opérateur {name}") }
}

/// What was sold, by rate and by means.
pub(super) fn takings(vat: &[VatCents], tax: Cents, total: Cents, by_method: &ByMethodCents) -> Vec<Line> {
    let mut lines = vec![Line::Rule];
    lines.extend(vat_table(vat));
    lines.push(Line::pair("Total HT", euros(Cents(total.0.saturating_sub(tax.0)))));
    lines.push(Line::pair("Total TVA", euros(tax)));
    lines.push(Line::large("TOTAL TTC", euros(total)));
    lines.push(Line::Rule);
    lines.extend(Method::ALL.into_iter().map(|method| by_means(method, by_method.get(method))));
    lines
}

fn by_means(method: Method, amount: Cents) -> Line {
    Line::pair(if method == Method::Cb { method.as_str() } else { method.label() }, euros(amount))
}

/// Both perpetual totals.
pub(super) fn perpetual(total: Cents, absolute: Cents) -> [Line; 4] {
    [
        Line::Rule,
        Line::text("Grand total perpétuel"),
        Line::pair("  ventes - retours", euros(total)),
        Line::pair("  ventes + retours", euros(absolute)),
    ]
}

/// What is in the total already, and what stands beside it.
fn besides(detail: &ClosingDetail) -> Vec<Line> {
    let mut lines = Vec::new();
    if detail.refund_count > 0 {
        lines.push(Line::pair(format!("Dont annulations ({})", detail.refund_count), euros(detail.refund_total)));
    }
    if detail.discount_total != Cents::ZERO {
        lines.push(Line::pair("Remises accordées", euros(detail.discount_total)));
    }
    lines.extend(means_of("Pourboires, hors ventes et hors TVA", &detail.tips));
    lines.extend(means_of("Dont corrections de règlement", &detail.transfers));
    if !lines.is_empty() {
        lines.insert(0, Line::Rule);
    }
    lines
}

fn means_of(title: &str, amounts: &ByMethodCents) -> Vec<Line> {
    let used: Vec<(Method, Cents)> =
        Method::ALL.into_iter().map(|method| (method, amounts.get(method))).filter(|(_, amount)| *amount != Cents::ZERO).collect();
    if used.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::text(title)];
    lines.extend(used.into_iter().map(|(method, amount)| Line::pair(format!("  {}", method.label()), euros(amount))));
    lines
}

/// The drawer: what should be in it, what is.
fn drawer(cash: &CashCents) -> Vec<Line> {
    let mut lines = vec![
        Line::Rule,
        Line::text("Tiroir-caisse"),
        Line::pair("  Fond de caisse", euros(cash.float)),
        Line::pair("  Encaissé en espèces", euros(cash.takings)),
    ];
    if cash.put_in != Cents::ZERO {
        lines.push(Line::pair("  Entrées", euros(cash.put_in)));
    }
    if cash.taken_out != Cents::ZERO {
        lines.push(Line::pair("  Sorties", euros(Cents(cash.taken_out.0.saturating_neg()))));
    }
    lines.push(Line::pair("  Attendu", euros(cash.expected())));
    match (cash.counted, cash.difference) {
        (Some(counted), Some(difference)) => {
            lines.push(Line::pair("  Compté", euros(counted)));
            lines.push(Line::strong("  Écart", euros(difference)));
        }
        _ => lines.push(Line::pair("  Compté", "non compté")),
    }
    lines
}

/// Notes, duplicata, training, and what was left open.
fn papers(detail: &ClosingDetail) -> Vec<Line> {
    let mut lines = vec![
        Line::Rule,
        Line::pair("Notes remises", detail.note_count.to_string()),
        Line::pair("Duplicatas", detail.duplicate_count.to_string()),
    ];
    if detail.training_count > 0 {
        lines.push(Line::pair("Opérations de formation", detail.training_count.to_string()));
    }
    if !detail.notes_left.is_empty() {
        lines.push(Line::title("Notes sans règlement"));
        lines.extend(detail.notes_left.iter().map(|note| {
            let fate = if note.given_up { " (abandonnée)" } else { "" };
            Line::pair(format!("  n° {} table {}{fate}", note.note_no, note.table), euros(note.total))
        }));
    }
    if !detail.open_tables.is_empty() {
        lines.push(Line::text(format!("Tables non réglées : {}", detail.open_tables.join(", "))));
    }
    lines
}
