//! The archive's tables: what the records say, for whoever opens a spreadsheet. UTF-8 with `;`, decimal comma, dates as `2026-02-14 21:30:45`. They are
//! extracts: what is signed is in `journal.jsonl`.

use domain::Cents;
use domain::fiscal::{
    ClosingContent, EventContent, LongClosingContent, MoneyContent, NoteContent, PrintContent, Record, RecordKind, TicketContent,
};
use std::fmt::Write as _;

/// A table and its columns.
pub struct Table {
    /// The file.
    pub name: &'static str,
    /// The first line.
    pub header: &'static str,
}

/// Every table, in the order of [`rows`].
pub const TABLES: [Table; 9] = [
    Table {
        name: "tickets.csv",
        header: "chaine;numero;type;date;caisse;table;couverts;operateur;commande;annule_ticket;motif;total_ttc;formation;empreinte;signature",
    },
    Table { name: "lignes.csv", header: "chaine;ticket;ligne;libelle;quantite;prix_unitaire;montant_ttc;taux_tva;remise;motif_remise" },
    Table { name: "tva.csv", header: "chaine;ticket;taux;ht;tva;ttc" },
    Table { name: "reglements.csv", header: "chaine;ticket;moyen;montant;recu;rendu;pourboire;autorisation" },
    Table { name: "notes.csv", header: "chaine;note;date;table;couverts;operateur;commande;remplace;total_ttc" },
    Table { name: "duplicatas.csv", header: "chaine;numero;date;document;impression;support;operateur" },
    Table { name: "argent.csv", header: "chaine;numero;type;date;operateur;moyen;vers;ticket;montant;motif" },
    Table {
        name: "clotures.csv",
        header: "chaine;numero;type;periode;cloture;operateur;premier;dernier;tickets;reglements;total_ttc;total_tva;cb;especes;tr;cheque;\
                 perpetuel;perpetuel_absolu;empreinte;signature",
    },
    Table { name: "jet.csv", header: "numero;date;code;code_nf525;libelle;operateur;details" },
];

/// Rows of a record, each for a table of [`TABLES`] by its place. Nothing for a content that cannot be read: the check says so.
#[must_use]
pub fn rows(record: &Record) -> Vec<(usize, String)> {
    let text = record.content_text.as_str();
    match record.kind {
        RecordKind::Sale | RecordKind::Refund => {
            serde_json::from_str(text).map_or_else(|_| Vec::new(), |ticket| ticket_rows(record, &ticket))
        }
        RecordKind::Note => serde_json::from_str(text).map_or_else(
            |_| Vec::new(),
            |note: NoteContent| {
                let replaces = note.replaces.map_or_else(String::new, |no| no.to_string());
                vec![(
                    4,
                    row(&[
                        record.chain.as_str(),
                        &record.seq.to_string(),
                        &moment(&record.local),
                        &note.table,
                        &note.covers.to_string(),
                        &note.operator,
                        &note.order_ref,
                        &replaces,
                        &euros(note.total),
                    ]),
                )]
            },
        ),
        RecordKind::Original | RecordKind::Duplicate => serde_json::from_str(text).map_or_else(
            |_| Vec::new(),
            |print: PrintContent| {
                let means = serde_json::to_value(print.means).ok().and_then(|means| means.as_str().map(str::to_owned)).unwrap_or_default();
                vec![(
                    5,
                    row(&[
                        record.chain.as_str(),
                        &record.seq.to_string(),
                        &moment(&record.local),
                        &format!("{}:{}", print.of, print.seq),
                        &print.print_no.to_string(),
                        &means,
                        &print.operator,
                    ]),
                )]
            },
        ),
        RecordKind::Float | RecordKind::CashIn | RecordKind::CashOut | RecordKind::CashCount | RecordKind::Tip | RecordKind::Transfer => {
            serde_json::from_str(text).map_or_else(
                |_| Vec::new(),
                |money: MoneyContent| {
                    let ticket = money.ticket_no.map_or_else(String::new, |no| no.to_string());
                    vec![(
                        6,
                        row(&[
                            record.chain.as_str(),
                            &record.seq.to_string(),
                            record.kind.as_str(),
                            &moment(&record.local),
                            &money.operator,
                            money.method.as_str(),
                            money.to.map_or("", |to| to.as_str()),
                            &ticket,
                            &euros(money.amount),
                            &money.reason,
                        ]),
                    )]
                },
            )
        }
        RecordKind::ClosureZ => serde_json::from_str(text).map_or_else(
            |_| Vec::new(),
            |z: ClosingContent| {
                let of = Closed {
                    period: z.service_day.to_string(),
                    operator: &z.operator,
                    range: (z.first_ticket, z.last_ticket),
                    counts: (z.ticket_count, z.payment_count),
                    tax: z.total_vat(),
                    methods: &z.by_method,
                    perpetual: (z.perpetual_total, z.perpetual_absolute),
                };
                vec![(7, of.row(record))]
            },
        ),
        RecordKind::ClosureMonth | RecordKind::ClosureYear => serde_json::from_str(text).map_or_else(
            |_| Vec::new(),
            |z: LongClosingContent| {
                let of = Closed {
                    period: z.period.clone(),
                    operator: &z.operator,
                    range: (z.first, z.last),
                    counts: (z.ticket_count, z.payment_count),
                    tax: z.total_vat(),
                    methods: &z.by_method,
                    perpetual: (z.perpetual_total, z.perpetual_absolute),
                };
                vec![(7, of.row(record))]
            },
        ),
        RecordKind::TechnicalEvent => serde_json::from_str(text).map_or_else(
            |_| Vec::new(),
            |event: EventContent| {
                let details = event.details.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" | ");
                vec![(
                    8,
                    row(&[
                        &record.seq.to_string(),
                        &moment(&record.local),
                        event.code.as_str(),
                        &event.nf525_code.to_string(),
                        &event.label,
                        &event.operator,
                        &details,
                    ]),
                )]
            },
        ),
        RecordKind::Archive => Vec::new(),
    }
}

fn ticket_rows(record: &Record, ticket: &TicketContent) -> Vec<(usize, String)> {
    let (chain, no) = (record.chain.as_str(), record.seq.to_string());
    let (corrects, reason) =
        ticket.corrects.as_ref().map_or_else(|| (String::new(), ""), |corrects| (corrects.ticket_no.to_string(), corrects.reason.as_str()));
    let mut rows = vec![(
        0,
        row(&[
            chain,
            &no,
            record.kind.as_str(),
            &moment(&record.local),
            &ticket.register,
            &ticket.table,
            &ticket.covers.to_string(),
            &ticket.operator,
            &ticket.order_ref,
            &corrects,
            reason,
            &euros(ticket.total),
            if ticket.training { "oui" } else { "non" },
            &record.hash_current,
            &record.signature,
        ]),
    )];
    for (place, line) in ticket.lines.iter().enumerate() {
        let (off, why) = line.discount.as_ref().map_or_else(|| (String::new(), ""), |off| (euros(off.amount), off.reason.as_str()));
        rows.push((
            1,
            row(&[
                chain,
                &no,
                &(place + 1).to_string(),
                &line.name,
                &thousandths(line.qty_thousandths),
                &euros(line.unit_price),
                &euros(line.amount),
                &percent(line.rate.basis_points()),
                &off,
                why,
            ]),
        ));
    }
    for vat in &ticket.vat {
        rows.push((2, row(&[chain, &no, &percent(vat.rate.basis_points()), &euros(vat.net), &euros(vat.vat), &euros(vat.gross)])));
    }
    for paid in &ticket.payments {
        let tendered = paid.tendered.map_or_else(String::new, euros);
        rows.push((
            3,
            row(&[
                chain,
                &no,
                paid.method.as_str(),
                &euros(paid.amount),
                &tendered,
                &euros(paid.change),
                &euros(paid.tip),
                paid.approval_code.as_deref().unwrap_or(""),
            ]),
        ));
    }
    rows
}

struct Closed<'a> {
    period: String,
    operator: &'a str,
    range: (i64, i64),
    counts: (u32, u32),
    tax: Cents,
    methods: &'a domain::fiscal::ByMethodCents,
    perpetual: (Cents, Cents),
}

impl Closed<'_> {
    fn row(&self, record: &Record) -> String {
        row(&[
            record.chain.as_str(),
            &record.seq.to_string(),
            record.kind.as_str(),
            &self.period,
            &moment(&record.local),
            self.operator,
            &self.range.0.to_string(),
            &self.range.1.to_string(),
            &self.counts.0.to_string(),
            &self.counts.1.to_string(),
            &euros(record.total),
            &euros(self.tax),
            &euros(self.methods.cb),
            &euros(self.methods.especes),
            &euros(self.methods.tr),
            &euros(self.methods.cheque),
            &euros(self.perpetual.0),
            &euros(self.perpetual.1),
            &record.hash_current,
            &record.signature,
        ])
    }
}

/// A line of a table: quoted where it must be. A cell that a spreadsheet would take for a formula begins with an apostrophe.
fn row(cells: &[&str]) -> String {
    let mut line = String::new();
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            line.push(';');
        }
        let number = cell.strip_prefix('-').unwrap_or(cell).bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
        let formula = if !number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        if formula.is_empty() && !cell.contains([';', '"', '\n', '\r']) {
            line.push_str(cell);
        } else {
            let _ = write!(line, "\"{formula}{}\"", cell.replace('"', "\"\""));
        }
    }
    line
}

fn euros(amount: Cents) -> String {
    let cents = amount.0.unsigned_abs();
    format!("{}{},{:02}", if amount.0 < 0 { "-" } else { "" }, cents / 100, cents % 100)
}

fn percent(basis_points: u16) -> String {
    format!("{},{:02}", basis_points / 100, basis_points % 100)
}

fn thousandths(quantity: u64) -> String {
    format!("{},{:03}", quantity / 1000, quantity % 1000)
}

/// `2026-02-14 21:30:45` from fourteen digits.
fn moment(digits: &str) -> String {
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-{} {}:{}:{}", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_cell_is_a_formula() {
        assert_eq!(row(&["a;b", "c\"d", "=1+1", "-12,50", "-x", "é"]), "\"a;b\";\"c\"\"d\";\"'=1+1\";-12,50;\"'-x\";é");
        assert_eq!(
            (euros(Cents(-105)), euros(Cents(7)), percent(550), thousandths(250)),
            ("-1,05".into(), "0,07".into(), "5,50".into(), "0,250".into())
        );
        assert_eq!(moment("20260214213045"), "2026-02-14 21:30:45");
    }
}
