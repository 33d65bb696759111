//! Whether tickets add up, and closings are the sums of their tickets.
//!
//! A closing may be recorded when tickets of the next day exist already, so the sums wait per ticket until a closing names its range.

use super::FlawCode;
use crate::Cents;
use crate::fiscal::canonical::vat_field;
use crate::fiscal::{CONTENT_VERSION, Chain, ClosingContent, ClosingTotals, Record, TicketContent, digits_of};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Flaws of one record.
pub(super) type Found = Vec<(FlawCode, String)>;

/// What a register has sold since its last closing, for good or in training.
#[derive(Debug, Default)]
pub(super) struct Period {
    /// Number and sums of each ticket that no closing has covered.
    uncovered: Vec<(i64, ClosingTotals)>,
    /// Number of the last ticket, covered or not.
    last_ticket: i64,
    /// End of the last range.
    closed_up_to: i64,
    perpetual_total: Cents,
    perpetual_absolute: Cents,
}

impl Period {
    /// A ticket. One whose content cannot be read is missing from the sums, and its closing will say so.
    pub(super) fn sold(&mut self, record: &Record, intact: bool, found: &mut Found) {
        self.last_ticket = record.seq;
        let Some(ticket) = read::<TicketContent>(record, intact, found) else { return };
        let mut totals = ClosingTotals::default();
        totals.add(&ticket);
        self.uncovered.push((record.seq, totals));
        if !intact {
            return;
        }
        if !ticket.adds_up() {
            found.push((FlawCode::TicketDoesNotAddUp, "Lignes, TVA et règlements ne font pas le total du ticket.".to_owned()));
        }
        compare_fields(
            &[
                ("numéro", ticket.ticket_no == record.seq),
                ("caisse", ticket.register == record.register),
                ("heure", digits_of(&ticket.issued_at_local) == record.local),
                ("total", ticket.total == record.total),
                ("TVA", vat_field(&ticket.vat_by_rate()) == record.vat),
                ("formation", ticket.training == (record.chain == Chain::X)),
            ],
            found,
        );
    }

    /// A closing. What it says is compared with what was fed; then the next one is compared with what it says.
    pub(super) fn closed(&mut self, record: &Record, intact: bool, found: &mut Found) {
        let Some(closing) = read::<ClosingContent>(record, intact, found).filter(|_| intact) else {
            self.close_by_fields(record);
            return;
        };
        compare_fields(
            &[
                ("caisse", closing.register == record.register),
                ("total", closing.total == record.total),
                ("TVA", vat_field(&closing.vat_by_rate()) == record.vat),
                ("grand total, période ou plage", closing.signed_fields().join(",") == record.extra),
                ("formation", closing.training == (record.chain == Chain::X)),
            ],
            found,
        );
        self.check_range(&closing, found);
        let tickets = self.cover(closing.first_ticket, closing.last_ticket);
        let differences = closing.differences_from(&tickets);
        if !differences.is_empty() {
            let detail = format!("La clôture Z n° {} n'est pas la somme de ses tickets : {}.", closing.z_number, differences.join(", "));
            found.push((FlawCode::ClosingTotalsDiffer, detail));
        }
        let (total, absolute) = self.perpetual_with(&tickets);
        if (closing.perpetual_total, closing.perpetual_absolute) != (total, absolute) {
            let detail = format!(
                "Grand total perpétuel {} / {} au lieu de {} / {}.",
                closing.perpetual_total.to_french(),
                closing.perpetual_absolute.to_french(),
                total.to_french(),
                absolute.to_french()
            );
            found.push((FlawCode::ClosingPerpetualDiffers, detail));
        }
        (self.perpetual_total, self.perpetual_absolute) = (closing.perpetual_total, closing.perpetual_absolute);
    }

    /// A closing whose content says nothing anymore: its signed fields still tell the range, and the tickets tell the totals.
    fn close_by_fields(&mut self, record: &Record) {
        let range = record.extra.rsplit([':', ',']).next().and_then(|range| range.split_once('-'));
        let last = range.and_then(|(_, last)| last.parse().ok()).unwrap_or(self.last_ticket);
        let tickets = self.cover(self.closed_up_to, last);
        (self.perpetual_total, self.perpetual_absolute) = self.perpetual_with(&tickets);
    }

    /// Ranges follow one another without a hole. In training, closings sit among the tickets, so only tickets count as a hole there.
    fn check_range(&self, closing: &ClosingContent, found: &mut Found) {
        let (first, last) = (closing.first_ticket, closing.last_ticket);
        let expected = self.closed_up_to.saturating_add(1);
        let skipped = self.uncovered.iter().find(|(seq, _)| *seq < first);
        let detail = if first < expected || (!closing.training && first > expected) {
            format!("La plage commence au n° {first} au lieu du n° {expected}.")
        } else if let Some((seq, _)) = skipped {
            format!("Le ticket n° {seq} n'est dans aucune clôture.")
        } else if last < first.saturating_sub(1) || (last > self.last_ticket && last >= first && !closing.training) {
            format!("La plage {first} à {last} ne finit pas sur un ticket.")
        } else {
            return;
        };
        found.push((FlawCode::ClosingRangeBroken, detail));
    }

    /// Takes the tickets of a range out of what waits and adds them up. Tickets before it are dropped: they were named.
    fn cover(&mut self, first: i64, last: i64) -> ClosingTotals {
        let mut totals = ClosingTotals::default();
        self.uncovered.retain(|(seq, ticket)| {
            if (first..=last).contains(seq) {
                totals.merge(ticket);
            }
            *seq > last
        });
        self.closed_up_to = last;
        totals
    }

    fn perpetual_with(&self, tickets: &ClosingTotals) -> (Cents, Cents) {
        (Cents(self.perpetual_total.0.saturating_add(tickets.total.0)), Cents(self.perpetual_absolute.0.saturating_add(tickets.absolute.0)))
    }
}

/// A content of this version. One that was altered is read as far as it goes and complained about elsewhere.
fn read<T: DeserializeOwned>(record: &Record, intact: bool, found: &mut Found) -> Option<T> {
    #[derive(Deserialize)]
    struct Version {
        version: u16,
    }
    let content = serde_json::from_str::<Version>(&record.content_text)
        .ok()
        .filter(|content| content.version == CONTENT_VERSION)
        .and_then(|_| serde_json::from_str(&record.content_text).ok());
    if intact && content.is_none() {
        found.push((FlawCode::UnknownContent, "Contenu inconnu de cette version : totaux non vérifiables.".to_owned()));
    }
    content
}

fn compare_fields(fields: &[(&str, bool)], found: &mut Found) {
    let wrong: Vec<&str> = fields.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect();
    if !wrong.is_empty() {
        found.push((
            FlawCode::ContentFieldsDiffer,
            format!("Les champs signés ne disent pas la même chose que le contenu : {}.", wrong.join(", ")),
        ));
    }
}

/// `app_version` is no part of the signed text; the content, whose digest is, names the same software.
pub(super) fn check_software(record: &Record, found: &mut Found) {
    #[derive(Deserialize)]
    struct Software {
        software: String,
    }
    if let Ok(content) = serde_json::from_str::<Software>(&record.content_text)
        && content.software != record.app_version
    {
        let detail = format!("Le contenu nomme le logiciel « {} », l'enregistrement « {} ».", content.software, record.app_version);
        found.push((FlawCode::SoftwareDiffers, detail));
    }
}
