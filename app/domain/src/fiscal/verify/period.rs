//! Whether closings are the sums of what they close.
//!
//! A closing may be recorded when records of the next day exist already, so what each record adds waits until a closing names its range.

use super::FlawCode;
use super::content::Found;
use crate::Cents;
use crate::fiscal::{ClosingContent, ClosingTotals, Counted, LongClosingContent, LongKind, Record};
use serde::{Deserialize, Serialize};

/// What a register has recorded since its last closings, for good or in training.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Period {
    /// The reading began in the middle, at this record, and no closing was met yet.
    began_at: Option<i64>,
    /// What no day has covered yet.
    uncovered: Vec<Uncovered>,
    /// Number of the last ticket, covered or not.
    last_ticket: i64,
    /// End of the last range of tickets.
    closed_up_to: i64,
    /// End of the last range of records; none before the first closing that says.
    closed_record: Option<i64>,
    /// As the last closing stated them; none before the first.
    perpetual: Option<Perpetual>,
    days: Sums,
    months: Sums,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Uncovered {
    /// Its number in the whole journal.
    record: i64,
    /// Its number among the tickets, if it is one.
    ticket: Option<i64>,
    adds: Counted,
}

type Perpetual = (Cents, Cents);

/// Closings that no longer closing has covered yet.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Sums {
    /// Closings before the first that was met are not known.
    in_the_middle: bool,
    /// Number, sums and perpetual totals.
    uncovered: Vec<(i64, ClosingTotals, Perpetual)>,
    /// The last closing of this kind, covered or not.
    last: i64,
}

impl Sums {
    fn add(&mut self, number: i64, totals: ClosingTotals, perpetual: Perpetual) {
        self.last = number;
        self.uncovered.push((number, totals, perpetual));
    }
}

impl Period {
    pub(super) fn beginning(began_at: Option<i64>) -> Self {
        let sums = Sums { in_the_middle: began_at.is_some(), ..Sums::default() };
        Self { began_at, days: sums.clone(), months: sums, ..Self::default() }
    }

    /// A ticket whose content cannot be read is missing from the sums, and its closing will say so.
    pub(super) fn passed_ticket(&mut self, seq: i64) {
        self.last_ticket = seq;
    }

    /// A record that a closing has to cover.
    pub(super) fn counted(&mut self, record: &Record, ticket: Option<i64>, adds: Counted) {
        self.uncovered.push(Uncovered { record: record.master_seq, ticket, adds });
    }

    /// The closing of a day. What it says is compared with what was fed; then the next one is compared with what it says.
    pub(super) fn closed(&mut self, closing: &ClosingContent, found: &mut Found) {
        let stated = (closing.perpetual_total, closing.perpetual_absolute);
        let whole = match self.began_at.take() {
            Some(first) => {
                // The first closing that is met says where it begins and what was sold before.
                self.closed_up_to = closing.first_ticket.saturating_sub(1);
                self.closed_record = closing.detail.as_ref().map(|detail| detail.first_record.saturating_sub(1));
                closing.detail.as_ref().is_some_and(|detail| detail.first_record >= first)
            }
            None => true,
        };
        if whole {
            self.check_range(closing, found);
        }
        let first_met = self.perpetual.is_none();
        let sums = match &closing.detail {
            Some(detail) => {
                let (first, last) = (detail.first_record, detail.last_record);
                // A ticket of the range whose number in the journal was altered is named here and not in every later closing.
                let after = |it: &Uncovered| it.record > last && it.ticket.is_none_or(|no| no > closing.last_ticket);
                self.cover(closing.last_ticket, |it| (first..=last).contains(&it.record), after)
            }
            None => {
                let range = closing.first_ticket..=closing.last_ticket;
                self.cover(
                    closing.last_ticket,
                    |it| it.ticket.is_some_and(|no| range.contains(&no)),
                    |it| it.ticket.is_some_and(|no| no > closing.last_ticket),
                )
            }
        };
        self.closed_record = closing.detail.as_ref().map(|detail| detail.last_record);
        let differences = if whole { closing.differences_from(&sums) } else { Vec::new() };
        if !differences.is_empty() {
            let detail = format!("La clôture Z n° {} n'est pas la somme de ses tickets : {}.", closing.z_number, differences.join(", "));
            found.push((FlawCode::ClosingTotalsDiffer, detail));
        }
        if !(first_met && self.days.in_the_middle) {
            check_perpetual(stated, self.perpetual_with(&sums), found);
        }
        self.perpetual = Some(stated);
        let mut day = ClosingTotals::default();
        day.add_closing(closing.ticket_count, closing.payment_count, &closing.vat, closing.total, &closing.by_method);
        self.days.add(closing.z_number, day, stated);
    }

    /// A closing whose content says nothing any more: its signed fields still tell the range, and the tickets tell the totals.
    pub(super) fn closed_by_fields(&mut self, record: &Record) {
        let range = record.extra.rsplit([':', ',']).next().and_then(|range| range.split_once('-'));
        let last = range.and_then(|(_, last)| last.parse().ok()).unwrap_or(self.last_ticket);
        let end = self.uncovered.iter().rev().find(|it| it.ticket.is_some_and(|no| no <= last)).map_or(record.master_seq, |it| it.record);
        let sums = self.cover(last, |it| it.record <= end, |it| it.record > end);
        self.closed_record = None;
        self.perpetual = Some(self.perpetual_with(&sums));
    }

    /// The closing of a month or of a year.
    pub(super) fn long_closed(&mut self, closing: &LongClosingContent, found: &mut Found) {
        let (below, what) = match closing.kind {
            LongKind::Month => (&mut self.days, "clôtures Z"),
            LongKind::Year => (&mut self.months, "clôtures mensuelles"),
        };
        let (first, last) = (closing.first, closing.last);
        if std::mem::take(&mut below.in_the_middle) && below.uncovered.first().is_none_or(|(number, ..)| *number > first) {
            // It sums closings that were not read.
            below.uncovered.retain(|(number, ..)| *number > last);
            if closing.kind == LongKind::Month {
                let mut month = ClosingTotals::default();
                month.add_closing(closing.ticket_count, closing.payment_count, &closing.vat, closing.total, &closing.by_method);
                self.months.add(closing.number, month, (closing.perpetual_total, closing.perpetual_absolute));
            }
            return;
        }
        let expected = below.uncovered.first().map_or_else(|| below.last.saturating_add(1), |(number, ..)| *number);
        if first != expected || last < first || last > below.last {
            found.push((
                FlawCode::ClosingRangeBroken,
                format!("La clôture de {} couvre les {what} {first} à {last} ; la première attendue est la n° {expected}.", closing.period),
            ));
        }
        let mut sums = ClosingTotals::default();
        let mut perpetual = self.perpetual.unwrap_or_default();
        below.uncovered.retain(|(number, totals, stated)| {
            if (first..=last).contains(number) {
                sums.add_closing(totals.ticket_count, totals.payment_count, &totals.vat, totals.total, &totals.by_method);
                perpetual = *stated;
            }
            *number > last
        });
        let differences: Vec<&str> = [
            (closing.ticket_count != sums.ticket_count, "nombre de tickets"),
            (closing.payment_count != sums.payment_count, "nombre de paiements"),
            (closing.total != sums.total, "total"),
            (closing.vat != sums.vat, "TVA par taux"),
            (closing.by_method != sums.by_method, "moyens de paiement"),
        ]
        .into_iter()
        .filter_map(|(differs, what)| differs.then_some(what))
        .collect();
        if !differences.is_empty() {
            let detail = format!("La clôture de {} n'est pas la somme de ses {what} : {}.", closing.period, differences.join(", "));
            found.push((FlawCode::ClosingTotalsDiffer, detail));
        }
        check_perpetual((closing.perpetual_total, closing.perpetual_absolute), perpetual, found);
        if closing.kind == LongKind::Month {
            self.months.add(closing.number, sums, perpetual);
        }
    }

    /// A content of a longer closing that says nothing any more.
    pub(super) fn long_closed_by_fields(&mut self, record: &Record) {
        let range = record.extra.rsplit(',').next().and_then(|field| field.split_once(':'));
        let last = range.and_then(|(_, range)| range.split_once('-')).and_then(|(_, last)| last.parse::<i64>().ok());
        let below = if range.is_some_and(|(of, _)| of == "M") { &mut self.months } else { &mut self.days };
        let last = last.unwrap_or(below.last);
        below.uncovered.retain(|(number, ..)| *number > last);
    }

    /// Ranges follow one another without a hole. In training, closings sit among the tickets, so only tickets count as a hole there.
    fn check_range(&self, closing: &ClosingContent, found: &mut Found) {
        let (first, last) = (closing.first_ticket, closing.last_ticket);
        let expected = self.closed_up_to.saturating_add(1);
        let skipped = self.uncovered.iter().find_map(|it| it.ticket.filter(|no| *no < first));
        let mut broken = if first < expected || (!closing.training && first > expected) {
            Some(format!("La plage commence au n° {first} au lieu du n° {expected}."))
        } else if let Some(no) = skipped {
            Some(format!("Le ticket n° {no} n'est dans aucune clôture."))
        } else if last < first.saturating_sub(1) || (last > self.last_ticket && last >= first && !closing.training) {
            Some(format!("La plage {first} à {last} ne finit pas sur un ticket."))
        } else {
            None
        };
        if let Some(detail) = &closing.detail {
            let (from, to) = (detail.first_record, detail.last_record);
            let outside = self.uncovered.iter().find(|it| match it.ticket {
                Some(no) => (first..=last).contains(&no) != (from..=to).contains(&it.record),
                None => it.record < from,
            });
            if self.closed_record.is_some_and(|closed| closed >= from) {
                broken.get_or_insert(format!("La période commence à l'enregistrement {from}, dans la précédente."));
            } else if let Some(it) = outside {
                broken.get_or_insert(format!("L'enregistrement {} n'est pas dans la période qui devrait le couvrir.", it.record));
            }
        }
        found.extend(broken.map(|detail| (FlawCode::ClosingRangeBroken, detail)));
    }

    /// Takes what is `inside` a range out of what waits and adds it up; keeps what comes `after`. What was skipped is dropped: it was named.
    fn cover(&mut self, last: i64, inside: impl Fn(&Uncovered) -> bool, after: impl Fn(&Uncovered) -> bool) -> ClosingTotals {
        let mut sums = ClosingTotals::default();
        self.uncovered.retain(|it| {
            if inside(it) {
                sums.count(&it.adds);
            }
            after(it)
        });
        self.closed_up_to = last;
        sums
    }

    fn perpetual_with(&self, sums: &ClosingTotals) -> Perpetual {
        let (total, absolute) = self.perpetual.unwrap_or_default();
        (Cents(total.0.saturating_add(sums.total.0)), Cents(absolute.0.saturating_add(sums.absolute.0)))
    }
}

fn check_perpetual(stated: Perpetual, expected: Perpetual, found: &mut Found) {
    if stated != expected {
        let detail = format!(
            "Grand total perpétuel {} / {} au lieu de {} / {}.",
            stated.0.to_french(),
            stated.1.to_french(),
            expected.0.to_french(),
            expected.1.to_french()
        );
        found.push((FlawCode::ClosingPerpetualDiffers, detail));
    }
}
