//! What a record says in full, against what was signed of it.

use super::FlawCode;
use crate::fiscal::canonical::vat_field;
use crate::fiscal::{
    ArchiveContent, CONTENT_VERSION, Chain, ChainEnd, ClosingContent, EventContent, Fact, LongClosingContent, MoneyContent, NoteContent,
    PrintContent, Record, RecordKind, TicketContent,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Flaws of one record.
pub(super) type Found = Vec<(FlawCode, String)>;

/// How many documents with prints are remembered, so that memory does not grow with the journal.
const PRINTS_REMEMBERED: usize = 2_000;

/// Every content, read.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Ticket(Box<TicketContent>),
    Note(NoteContent),
    Print(PrintContent),
    Money(MoneyContent),
    Closing(Box<ClosingContent>),
    LongClosing(Box<LongClosingContent>),
    Event(EventContent),
    Archive(ArchiveContent),
}

/// Reads a content. One that was altered is read as far as it goes and complained about elsewhere.
pub(super) fn read(record: &Record, intact: bool, found: &mut Found) -> Option<Content> {
    let text = &record.content_text;
    let content = match record.kind {
        RecordKind::Sale | RecordKind::Refund => parse(text).map(Box::new).map(Content::Ticket),
        RecordKind::Note => parse(text).map(Content::Note),
        RecordKind::Original | RecordKind::Duplicate => parse(text).map(Content::Print),
        RecordKind::Float | RecordKind::CashIn | RecordKind::CashOut | RecordKind::CashCount | RecordKind::Tip | RecordKind::Transfer => {
            parse(text).map(Content::Money)
        }
        RecordKind::ClosureZ => parse(text).map(Box::new).map(Content::Closing),
        RecordKind::ClosureMonth | RecordKind::ClosureYear => parse(text).map(Box::new).map(Content::LongClosing),
        RecordKind::TechnicalEvent => parse(text).map(Content::Event),
        RecordKind::Archive => parse(text).map(Content::Archive),
    };
    let content = content.filter(|content| (1..=CONTENT_VERSION).contains(&content.as_fact().version()));
    if intact && content.is_none() {
        found.push((FlawCode::UnknownContent, "Contenu inconnu de cette version : totaux non vérifiables.".to_owned()));
    }
    content
}

impl Content {
    pub(super) fn as_fact(&self) -> &dyn SignedFact {
        match self {
            Self::Ticket(content) => &**content,
            Self::Note(content) => content,
            Self::Print(content) => content,
            Self::Money(content) => content,
            Self::Closing(content) => &**content,
            Self::LongClosing(content) => &**content,
            Self::Event(content) => content,
            Self::Archive(content) => content,
        }
    }
}

/// What every content says of itself, whichever it is.
pub(super) trait SignedFact {
    fn version(&self) -> u16;
    fn software(&self) -> &str;
}

impl<T: Fact> SignedFact for T {
    fn version(&self) -> u16 {
        Fact::version(self)
    }
    fn software(&self) -> &str {
        Fact::software(self)
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// The version that a content says it has.
pub(super) fn version_of(text: &str) -> Option<u16> {
    #[derive(Deserialize)]
    struct Version {
        version: u16,
    }
    serde_json::from_str::<Version>(text).ok().map(|content| content.version)
}

/// The signed fields say what the content says, and the content holds together.
pub(super) fn check(content: &Content, record: &Record, found: &mut Found) {
    match content {
        Content::Ticket(ticket) => {
            compare(&**ticket, record, found);
            if !ticket.adds_up() {
                found.push((FlawCode::TicketDoesNotAddUp, "Lignes, TVA et règlements ne font pas le total du ticket.".to_owned()));
            }
            if let Some(correction) = ticket.corrects.as_ref().filter(|correction| !(1..record.seq).contains(&correction.ticket_no)) {
                let detail = format!("L'annulation nomme le ticket n° {}, qui n'est pas un ticket antérieur.", correction.ticket_no);
                found.push((FlawCode::ReferenceBroken, detail));
            }
            if !ticket.fits_its_version() {
                found.push(does_not_fit());
            }
        }
        Content::Note(note) => {
            compare(note, record, found);
            if !note.adds_up() {
                found.push((FlawCode::TicketDoesNotAddUp, "Les lignes ne font pas le total de la note.".to_owned()));
            }
        }
        Content::Print(print) => compare(print, record, found),
        Content::Money(money) => {
            compare(money, record, found);
            if !money.is_whole() {
                found.push((FlawCode::ReferenceBroken, "Le mouvement d'argent n'est pas complet.".to_owned()));
            }
        }
        Content::Closing(closing) => {
            compare(&**closing, record, found);
            if closing.detail.is_some() != (closing.version >= 2) {
                found.push(does_not_fit());
            }
        }
        Content::LongClosing(closing) => compare(&**closing, record, found),
        Content::Event(event) => compare(event, record, found),
        Content::Archive(archive) => compare(archive, record, found),
    }
}

fn does_not_fit() -> (FlawCode, String) {
    (FlawCode::ContentFieldsDiffer, "Le contenu ne correspond pas à la version qu'il annonce.".to_owned())
}

fn compare(content: &impl Fact, record: &Record, found: &mut Found) {
    let fields = [
        ("chaîne", content.chain() == record.chain),
        ("type", content.kind() == record.kind),
        ("numéro", content.number().is_none_or(|number| number == record.seq)),
        ("caisse", content.register() == record.register),
        ("heure", content.at_local().bytes().filter(u8::is_ascii_digit).eq(record.local.bytes())),
        ("total", content.total() == record.total),
        ("TVA", vat_field(&content.vat_by_rate()) == record.vat),
        ("champs du type", content.signed_fields().join(",") == record.extra),
    ];
    if fields.iter().any(|(_, same)| !same) {
        let wrong: Vec<&str> = fields.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect();
        found.push((
            FlawCode::ContentFieldsDiffer,
            format!("Les champs signés ne disent pas la même chose que le contenu : {}.", wrong.join(", ")),
        ));
    }
}

/// `app_version` is no part of the signed text; the content, whose digest is, names the same software.
pub(super) fn check_software(content: Option<&Content>, record: &Record, found: &mut Found) {
    #[derive(Deserialize)]
    struct Software {
        software: String,
    }
    if content.is_some_and(|content| content.as_fact().software() == record.app_version) {
        return;
    }
    let software = match content {
        Some(content) => Some(content.as_fact().software().to_owned()),
        None => serde_json::from_str::<Software>(&record.content_text).ok().map(|content| content.software),
    };
    if let Some(software) = software.filter(|software| *software != record.app_version) {
        let detail = format!("Le contenu nomme le logiciel « {software} », l'enregistrement « {} ».", record.app_version);
        found.push((FlawCode::SoftwareDiffers, detail));
    }
}

/// Prints of each document, counted without a hole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Prints {
    last: Vec<(Chain, i64, u32)>,
    /// Documents were forgotten: one that is met for the first time may have been printed before.
    forgotten: bool,
}

impl Prints {
    pub(super) const fn beginning(in_the_middle: bool) -> Self {
        Self { last: Vec::new(), forgotten: in_the_middle }
    }

    pub(super) fn follow(&mut self, print: &PrintContent, found: &mut Found) {
        // Newest last: a document is mostly printed again soon.
        let known = self.last.iter().rposition(|(of, seq, _)| (*of, *seq) == (print.of, print.seq));
        let expected = match known.map(|at| self.last.remove(at)) {
            Some((.., last)) => Some(last.saturating_add(1)),
            None if self.forgotten => None,
            // A duplicata may be the first print: whoever paid left without a ticket.
            None => Some(print.print_no.min(1)),
        };
        if let Some(expected) = expected.filter(|expected| *expected != print.print_no) {
            let detail = format!("Impression {} de {}:{} au lieu de {expected}.", print.print_no, print.of, print.seq);
            found.push((FlawCode::PrintCountBroken, detail));
        }
        self.last.push((print.of, print.seq, print.print_no));
        if self.last.len() > PRINTS_REMEMBERED {
            self.last.remove(0);
            self.forgotten = true;
        }
    }
}

/// A closing repeats the ends of the other chains as they were.
///
/// `doubted` holds what was named already: an end that stays wrong is named by the first closing only.
pub(super) fn check_chain_ends<'e>(
    ends: impl IntoIterator<Item = &'e ChainEnd>,
    last: impl Fn(&ChainEnd) -> Option<(i64, String)>,
    doubted: &mut BTreeSet<(Chain, i64)>,
    found: &mut Found,
) {
    for end in ends {
        match last(end) {
            Some((seq, signature)) if (seq, &signature) == (end.seq, &end.signature) => {}
            known => {
                let seen = known.map_or(0, |(seq, _)| seq);
                if !doubted.insert((end.chain, seen)) {
                    continue;
                }
                let detail = format!("La clôture rappelle le n° {} de la chaîne {} ; le journal en est au n° {seen}.", end.seq, end.chain);
                found.push((FlawCode::ChainEndDiffers, detail));
            }
        }
    }
}
