//! Caisse-AP 3.x (Concert V3): `TT LLL value`, two letters, three digits of length, and as many bytes.
//!
//! Over TCP nothing frames a message: no total length, no terminator. A message has ended when it reads cleanly to its end and says `AE`,
//! and then a moment passes in silence. A second `CZ` begins another message: some terminals send `AE=11` (taken into account) and then the
//! result. Tickets (`ZT`) are known to arrive damaged; they must not spoil an approval that stands before them.
//!
//! Sources: the public descriptions by `HiPay` and `PayXpert` and the behaviour of terminals as reported by OCA/l10n-france; the specification
//! itself is for members of the Association du Paiement.

use super::{Charge, Doubt, EURO, LastTicket, Outcome, Queried, Reference, Stray, Till, amount_from, approval_code, currency_from};
use crate::Cents;
use std::fmt;

/// No answer is longer: one with two tickets of 999 bytes fits many times.
const MAX_MESSAGE: usize = 16 * 1024;

/// Two letters that say what a field is.
pub type Tag = [u8; 2];

/// Tags that hold card data: number, expiry, serial, cheque line. Their values are dropped as they are read.
const CARD_DATA: [Tag; 5] = [*b"AA", *b"AB", *b"AD", *b"AQ", *b"AG"];
/// Tags of a ticket. What follows one may be damaged.
const TICKET: [Tag; 3] = [*b"ZT", *b"CK", *b"AK"];

/// How requests are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// `CZ`: `0300`, `0310`, `0320`.
    pub version: String,
    /// `CJ`: the number that the Association du Paiement gives to a maker of tills.
    pub maker: String,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { version: "0300".to_owned(), maker: "012345678901".to_owned() }
    }
}

/// Writes fields. A value longer than 999 bytes cannot be written and is left out, as an empty one is.
pub fn encode<'f>(fields: impl IntoIterator<Item = (&'f [u8; 2], &'f str)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, value) in fields {
        if (1..=999).contains(&value.len()) {
            bytes.extend_from_slice(tag);
            bytes.extend_from_slice(format!("{:03}", value.len()).as_bytes());
            bytes.extend_from_slice(value.as_bytes());
        }
    }
    bytes
}

/// The request to debit a card. Asks for the answer at the end (`BA=0`), never for a partial payment (`BF` upsets newer terminals) and
/// never for the ticket, which holds card data.
#[must_use]
pub fn debit(charge: &Charge, dialect: &Dialect) -> Vec<u8> {
    let (till, amount) = (charge.till.to_string(), format!("{:02}", charge.amount.0));
    encode([
        (b"CZ", dialect.version.as_str()),
        (b"CJ", dialect.maker.as_str()),
        (b"CA", till.as_str()),
        (b"CE", EURO),
        (b"BA", "0"),
        (b"CD", "0"),
        (b"CB", amount.as_str()),
        (b"CF", charge.reference.as_str()),
    ])
}

/// The request for the last ticket (`CD=3`, duplicata). Names no attempt: what a terminal echoes would come from the question. Asks for no amount,
/// so that a terminal which takes it for a debit debits nothing; and never for the ticket's text, which holds card data.
#[must_use]
pub fn duplicate(till: Till, dialect: &Dialect) -> Vec<u8> {
    let till = till.to_string();
    encode([
        (b"CZ", dialect.version.as_str()),
        (b"CJ", dialect.maker.as_str()),
        (b"CA", till.as_str()),
        (b"CE", EURO),
        (b"BA", "0"),
        (b"CD", "3"),
        (b"CB", "00"),
    ])
}

/// One message, in fields. Printing it shows its tags and what it says of the result, never a card.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Message {
    fields: Vec<(Tag, Vec<u8>)>,
}

impl Message {
    /// The value of a field that is there once. Twice with two values is a contradiction, and no value.
    #[must_use]
    pub fn get(&self, tag: &Tag) -> Option<&[u8]> {
        let mut values = self.fields.iter().filter(|(known, _)| known == tag).map(|(_, value)| value.as_slice());
        let first = values.next()?;
        values.all(|other| other == first).then_some(first)
    }

    /// The value of a field as text.
    #[must_use]
    pub fn text(&self, tag: &Tag) -> Option<&str> {
        self.get(tag).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Whether the field is there at all.
    fn has(&self, tag: &Tag) -> bool {
        self.fields.iter().any(|(known, _)| known == tag)
    }

    fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether it says how a transaction ended.
    fn is_final(&self) -> bool {
        matches!(self.text(b"AE"), Some("10" | "01"))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<String> = self.fields.iter().map(|(tag, _)| String::from_utf8_lossy(tag).into_owned()).collect();
        write!(f, "Message {{ tags: {tags:?}, AE: {:?}, AF: {:?} }}", self.text(b"AE"), self.text(b"AF"))
    }
}

/// How what was read ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// At the end of a field.
    Clean,
    /// Inside a field: more may come.
    Inside,
    /// Inside the name of an attempt, which may be another's.
    InsideName,
    /// With bytes that are no field.
    Broken,
}

/// Reads answers as their bytes come.
#[derive(Clone, Default)]
pub struct Reader {
    bytes: Vec<u8>,
    overlong: bool,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader {{ {} bytes }}", self.bytes.len())
    }
}

impl Reader {
    /// Takes what came.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = MAX_MESSAGE.saturating_sub(self.bytes.len());
        self.overlong |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// A message that something else frames. `None` when it is no message.
    #[must_use]
    pub fn whole(bytes: &[u8]) -> Option<Self> {
        let mut reader = Self::default();
        reader.push(bytes);
        let (messages, _) = reader.messages();
        messages.iter().any(|message| message.has(b"AE")).then_some(reader)
    }

    /// Whether all that it says is that the request was taken and the result comes later.
    #[must_use]
    pub fn is_interim(&self) -> bool {
        let (messages, end) = self.messages();
        end == End::Clean && !messages.is_empty() && messages.iter().all(|message| message.text(b"AE") == Some("11"))
    }

    /// Whether nothing came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether a final result is there, so that silence now means its end.
    #[must_use]
    pub fn has_result(&self) -> bool {
        let (messages, end) = self.messages();
        let in_ticket = messages.last().and_then(|last| last.fields.last()).is_some_and(|(tag, _)| TICKET.contains(tag));
        messages.last().is_some_and(|last| matches!(last.text(b"AE"), Some("10" | "01"))) && (end == End::Clean || in_ticket)
    }

    /// Whether a whole request is there: one that names its version and amount and ends cleanly, and an attempt unless it asks for a
    /// duplicata.
    #[must_use]
    pub fn request(&self) -> Option<Message> {
        let (mut messages, end) = self.messages();
        let is_whole = |last: &Message| last.has(b"CZ") && last.has(b"CB") && (last.has(b"CF") || last.text(b"CD") == Some("3"));
        messages.pop().filter(|last| end == End::Clean && is_whole(last))
    }

    /// What it says as the answer to [`duplicate`], once nothing more is to come; `None` when it is none. On a serial line, where the result of
    /// an earlier payment comes in the same way, only what names the action is one (`framed`); over TCP the call was made for the question.
    #[must_use]
    pub fn last_ticket(&self, framed: bool) -> Option<Queried> {
        let (messages, _) = self.messages();
        let mut finals = messages.iter().filter(|message| message.is_final());
        let (Some(answer), None) = (finals.next(), finals.next()) else { return None };
        match answer.text(b"CD") {
            Some("3") => {}
            None | Some("0") if !framed => {}
            _ => return None,
        }
        if answer.text(b"AE") != Some("10") {
            return Some(Queried::Refused);
        }
        // The reference and the amount of the question are no news.
        let amount = answer.get(b"CB").and_then(amount_from).filter(|amount| *amount > Cents::ZERO);
        Some(Queried::Ticket(LastTicket {
            reference: answer.text(b"CF").and_then(|echo| echo.trim().parse().ok()),
            amount,
            currency: answer.text(b"CE").and_then(currency_from),
            till: answer.text(b"CA").and_then(|till| till.trim().parse().ok()),
            approval_code: answer.text(b"AC").and_then(approval_code),
        }))
    }

    /// The messages so far, and how the last one ends. A field whose value is cut counts as there when it belongs to a ticket, so that the
    /// damage can be told to be there.
    fn messages(&self) -> (Vec<Message>, End) {
        let mut messages = vec![Message::default()];
        let mut rest = self.bytes.as_slice();
        let end = loop {
            // Some terminals end with CR LF, and documented lengths of tickets leave out a line feed.
            while let [b'\r' | b'\n', after @ ..] = rest {
                rest = after;
            }
            let Some((head, after)) = rest.split_at_checked(5) else {
                break match rest {
                    [] => End::Clean,
                    [first, ..] if !first.is_ascii_uppercase() => End::Broken,
                    _ => End::Inside,
                };
            };
            let tag = [head[0], head[1]];
            let (Some(length), true) = (length(&head[2..]), tag.iter().all(u8::is_ascii_uppercase)) else { break End::Broken };
            if tag == *b"CZ" && messages.last().is_some_and(|last| !last.is_empty()) {
                messages.push(Message::default());
            }
            let Some(message) = messages.last_mut() else { break End::Broken };
            let Some((value, after)) = after.split_at_checked(length) else {
                if TICKET.contains(&tag) {
                    message.fields.push((tag, Vec::new()));
                }
                break if tag == *b"CF" { End::InsideName } else { End::Inside };
            };
            rest = after;
            let keep = !CARD_DATA.contains(&tag) && !TICKET.contains(&tag);
            message.fields.push((tag, if keep { value.to_vec() } else { Vec::new() }));
        };
        messages.retain(|message| !message.is_empty());
        (messages, if self.overlong { End::Broken } else { end })
    }

    /// What the answer says about `charge`, once nothing more is to come. `doubt` is why nothing more comes.
    #[must_use]
    pub fn judge(&self, charge: &Charge, doubt: Doubt) -> Outcome {
        let (messages, end) = self.messages();
        let is_final = |message: &&Message| message.text(b"AE") != Some("11");
        let mut finals = messages.iter().filter(is_final);
        let (Some(answer), None) = (finals.next(), finals.next()) else {
            let several = messages.iter().filter(is_final).count() > 1;
            return Outcome::Unknown(match (several, messages.is_empty(), end) {
                (true, ..) => Doubt::Contradiction,
                // `AE=11`, and then nothing.
                (false, false, _) => Doubt::Interim,
                (false, true, End::Clean) => doubt,
                (false, true, _) => {
                    if self.bytes.is_empty() {
                        doubt
                    } else {
                        Doubt::Unreadable
                    }
                }
            });
        };
        // Damage after the beginning of a ticket is damage to the ticket, unless something else began in between: it may have been a name.
        let ticket_began = answer.fields.last().is_some_and(|(tag, _)| TICKET.contains(tag));
        if end == End::InsideName || (end != End::Clean && !ticket_began) {
            return Outcome::Unknown(if end == End::Broken { Doubt::Unreadable } else { doubt });
        }
        judge(answer, charge)
    }

    /// The same on a serial line, where a result of an earlier guest that lay in the terminal is delivered in the same way: an answer without
    /// a name is believed only when it repeats till and amount exactly, whatever it says.
    #[must_use]
    pub fn judge_on_a_line(&self, charge: &Charge) -> Outcome {
        let outcome = self.judge(charge, Doubt::Unreadable);
        let (messages, _) = self.messages();
        let believed = |answer: &Message| {
            let till = answer.text(b"CA").and_then(|text| text.parse::<Till>().ok());
            answer.has(b"CF") || (till == Some(charge.till) && answer.get(b"CB").and_then(amount_from) == Some(charge.amount))
        };
        let answer = messages.iter().find(|message| message.text(b"AE") != Some("11"));
        match outcome {
            Outcome::Unknown(_) => outcome,
            _ if answer.is_some_and(believed) => outcome,
            _ => Outcome::Unknown(Doubt::Contradiction),
        }
    }

    /// The answer as one that nobody waits for, `None` when there is no final one.
    #[must_use]
    pub fn stray(&self) -> Option<Stray> {
        let (messages, _) = self.messages();
        messages.iter().rev().find(|message| message.is_final()).map(|answer| self.as_stray(answer))
    }

    /// The final answers that name another attempt than `charge`.
    #[must_use]
    pub fn for_others(&self, charge: &Charge) -> Vec<Stray> {
        let (messages, _) = self.messages();
        let names_another = |answer: &&Message| answer.text(b"CF").is_some_and(|echo| echo.trim() != charge.reference.as_str());
        messages.iter().filter(|message| message.is_final()).filter(names_another).map(|answer| self.as_stray(answer)).collect()
    }

    /// What an answer says when nothing is known of its request. Without a name nobody can tell whose it is; what it says stays.
    fn as_stray(&self, answer: &Message) -> Stray {
        let reference = answer.text(b"CF").and_then(|text| text.trim().parse::<Reference>().ok());
        let till = answer.text(b"CA").and_then(|text| text.parse::<Till>().ok());
        let amount = answer.get(b"CB").and_then(amount_from);
        let asked = Charge {
            reference: reference.clone().unwrap_or_else(|| Reference::from_random(0)),
            amount: amount.unwrap_or(Cents::ZERO),
            till: till.unwrap_or(Till::FIRST),
        };
        let (messages, end) = self.messages();
        let is_last = messages.last() == Some(answer);
        let ticket_began = answer.fields.last().is_some_and(|(tag, _)| TICKET.contains(tag));
        let outcome = match end {
            End::InsideName if is_last => Outcome::Unknown(Doubt::Unreadable),
            End::Inside | End::Broken if is_last && !ticket_began => Outcome::Unknown(Doubt::Unreadable),
            _ => judge(answer, &asked),
        };
        Stray { reference, amount, currency: answer.text(b"CE").and_then(currency_from), till, outcome }
    }
}

/// Three digits, at least one: an empty value is not sent.
fn length(digits: &[u8]) -> Option<usize> {
    let well_formed = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| well_formed)?.parse().ok().filter(|length| *length > 0)
}

/// What one final message says.
fn judge(answer: &Message, charge: &Charge) -> Outcome {
    let contradiction = Outcome::Unknown(Doubt::Contradiction);
    if let Some(echo) = answer.text(b"CF")
        && echo.trim() != charge.reference.as_str()
    {
        return Outcome::Unknown(Doubt::NotOurs);
    }
    if answer.has(b"CF") && answer.text(b"CF").is_none() {
        return contradiction;
    }
    match answer.text(b"AE") {
        Some("10") if answer.has(b"AF") => contradiction,
        Some("10") => approved(answer, charge).unwrap_or(contradiction),
        // Echoes are not looked at: an Ingenico Desk/5000 leaves out the amount when the red key was pressed.
        Some("01") => refused(answer.text(b"AF").unwrap_or_default()),
        _ => Outcome::Unknown(Doubt::Unreadable),
    }
}

/// An approval counts when everything it repeats is what was asked for, and the amount is not more.
fn approved(answer: &Message, charge: &Charge) -> Option<Outcome> {
    let amount = answer.get(b"CB").and_then(amount_from)?;
    let same_currency = answer.text(b"CE") == Some(EURO);
    let same_till = !answer.has(b"CA") || answer.text(b"CA").and_then(|text| text.parse().ok()) == Some(charge.till);
    let a_debit = !answer.has(b"CD") || answer.text(b"CD") == Some("0");
    let plausible = amount > Cents::ZERO && amount <= charge.amount;
    (same_currency && same_till && a_debit && plausible)
        .then(|| Outcome::Approved { approval_code: answer.text(b"AC").and_then(approval_code), amount })
}

/// The reasons (`AF`) of a transaction that was not done. What follows the first two characters comes from the bank.
fn refused(reason: &str) -> Outcome {
    let Some(kind) = reason.get(..2) else { return Outcome::Unknown(Doubt::Contradiction) };
    let code = format!("AF{kind}");
    match kind {
        "04" | "05" => Outcome::Declined { code },
        "06" | "07" | "08" | "11" => Outcome::Cancelled { code },
        "09" | "10" | "12" | "13" => Outcome::Failed { code },
        // "unknown", by the terminal's own word
        "00" => Outcome::Unknown(Doubt::TerminalDoubts),
        // 01, 02, 03: authorised, and yet not done; the rest is in no table
        _ => Outcome::Unknown(Doubt::Contradiction),
    }
}

#[cfg(test)]
mod tests;
