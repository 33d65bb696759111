//! What is said between the till and a card terminal: bytes on the wire, and what an answer means for the money.
//!
//! Pure. The protocols are spoken in full here, byte by byte, so that every way in which a line can break is a test and not a Saturday
//! night; sockets and serial ports are the server's business. Two families are in use in France:
//!
//! - [`caisse_ap`]: Caisse-AP 3.x (Concert V3), tagged text over TCP;
//! - [`concert`]: Concert V2 "E+", fixed fields inside `STX … ETX LRC` on a serial line.
//!
//! One rule decides everything: until the first byte of a request is written nothing has happened; from then on only a valid, final
//! answer that *matches* ends the attempt. Whatever else comes, or does not come, is [`Outcome::Unknown`], never a refusal.
//!
//! Card numbers are dropped where bytes become fields; no type of this module can hold one.

pub mod caisse_ap;
pub mod concert;
#[cfg(test)]
mod mistakes;

use crate::Cents;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Euro, as ISO 4217 numbers it.
pub const EURO: &str = "978";

/// Longest authorisation number that a terminal gives (tag `AC`).
pub const MAX_APPROVAL_CODE: usize = 10;

/// How an attempt is named on the wire: ten characters of `0-9A-Z`, as many as the smallest protocol echoes.
///
/// Drawn at random: numbers begin again with every new database, and a terminal may deliver an answer of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference(String);

impl Reference {
    /// Characters in a reference.
    pub const LENGTH: usize = 10;

    /// Makes a reference out of random bits.
    #[must_use]
    pub fn from_random(bits: u64) -> Self {
        let mut rest = bits;
        let digits: String = (0..Self::LENGTH)
            .map(|_| {
                let digit = u32::try_from(rest % 36).unwrap_or_default();
                rest /= 36;
                char::from_digit(digit, 36).unwrap_or('0').to_ascii_uppercase()
            })
            .collect();
        // Ten zeros are how a terminal says that it echoes nothing.
        if digits.bytes().all(|digit| digit == b'0') { Self("000000000Z".to_owned()) } else { Self(digits) }
    }

    /// As it goes over the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Not ten characters of `0-9A-Z`, or nothing but zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reference")]
pub struct NotAReference;

impl FromStr for Reference {
    type Err = NotAReference;
    fn from_str(text: &str) -> Result<Self, NotAReference> {
        let well_formed = text.len() == Self::LENGTH && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if well_formed && text.bytes().any(|b| b != b'0') { Ok(Self(text.to_owned())) } else { Err(NotAReference) }
    }
}

/// The number of a till as terminals know it: `01` to `99`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Till(u8);

impl Till {
    /// The first till.
    pub const FIRST: Self = Self(1);
}

impl fmt::Display for Till {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

/// Not `01` to `99`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a till is 01 to 99")]
pub struct NotATill;

impl FromStr for Till {
    type Err = NotATill;
    fn from_str(text: &str) -> Result<Self, NotATill> {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|number| digits && (1..=99).contains(number)).map(Self).ok_or(NotATill)
    }
}

/// What a terminal is asked for: debit this amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The attempt.
    pub reference: Reference,
    /// In euro cents.
    pub amount: Cents,
    /// Who asks.
    pub till: Till,
}

/// The largest amount that both protocols can carry: eight digits of cents.
pub const MAX_CHARGE: Cents = Cents(99_999_999);

/// What became of a charge, as far as its terminal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Money was taken.
    Approved {
        /// The authorisation number, where the protocol gives one.
        approval_code: Option<String>,
        /// How much: what was asked for, or less.
        amount: Cents,
    },
    /// The card or its bank refused. Nothing was taken.
    Declined {
        /// Why, in the protocol's words.
        code: String,
    },
    /// The guest or the cashier gave up at the terminal, or took too long. Nothing was taken.
    Cancelled {
        /// Why, in the protocol's words.
        code: String,
    },
    /// The terminal did not understand or does not do what was asked. Nothing was taken.
    Failed {
        /// Why, in the protocol's words.
        code: String,
    },
    /// Nobody can tell from here whether money was taken.
    Unknown(Doubt),
}

/// Why nobody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// No answer in time.
    Silence,
    /// The line broke, or was closed, before an answer.
    LineLost,
    /// Bytes that are no answer.
    Unreadable,
    /// An answer that contradicts itself or the request.
    Contradiction,
    /// An answer to another request.
    NotOurs,
    /// The terminal took the request and says that the result comes later.
    Interim,
    /// The terminal itself does not know.
    TerminalDoubts,
}

impl Doubt {
    /// The stable word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::LineLost => "line_lost",
            Self::Unreadable => "unreadable",
            Self::Contradiction => "contradiction",
            Self::NotOurs => "not_ours",
            Self::Interim => "interim",
            Self::TerminalDoubts => "terminal_doubts",
        }
    }
}

/// A currency as an answer names it, where it can be one: three letters or digits.
#[must_use]
fn currency_from(text: &str) -> Option<String> {
    (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| text.to_owned())
}

/// An answer that nobody was waiting for: it belongs to an earlier attempt, or to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Which attempt the terminal says it is for; none when it echoes nothing.
    pub reference: Option<Reference>,
    /// The amount that the answer carries.
    pub amount: Option<Cents>,
    /// Its currency.
    pub currency: Option<String>,
    /// The till that it is for.
    pub till: Option<Till>,
    /// What it says.
    pub outcome: Outcome,
}

impl Stray {
    /// Whether this is the answer to `charge`: same reference, currency and till, and not more than was asked for. Nothing less is a match.
    #[must_use]
    pub fn answers(&self, charge: &Charge) -> bool {
        self.reference.as_ref() == Some(&charge.reference)
            && self.currency.as_deref() == Some(EURO)
            && self.till == Some(charge.till)
            && self.amount.is_some_and(|amount| match &self.outcome {
                // What is really debited may be less.
                Outcome::Approved { amount: booked, .. } => amount == *booked && *booked > Cents::ZERO && *booked <= charge.amount,
                _ => amount == charge.amount,
            })
    }
}

/// What a terminal says that is asked for its last ticket. It is evidence for a person and books nothing: no French protocol dependably tells
/// what became of one past payment, and a terminal may have printed another ticket since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queried {
    /// The protocol has no such question.
    Unsupported,
    /// The terminal is at something else, or had something to say first.
    Busy,
    /// It cannot be reached; nothing was asked.
    Unreachable,
    /// It was asked, and nothing that is an answer came.
    Silent,
    /// It has no last ticket, or does not do this.
    Refused,
    /// Its last ticket, as far as it says.
    Ticket(LastTicket),
}

/// What a terminal says of its last ticket. Nothing at all: it only printed it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastTicket {
    /// Which attempt it was for.
    pub reference: Option<Reference>,
    /// The amount.
    pub amount: Option<Cents>,
    /// Its currency.
    pub currency: Option<String>,
    /// The till that had asked.
    pub till: Option<Till>,
    /// The authorisation number.
    pub approval_code: Option<String>,
}

impl LastTicket {
    /// Whether it is the ticket of `charge`: the same reference, amount, currency and till, and nothing less.
    #[must_use]
    pub fn is_of(&self, charge: &Charge) -> bool {
        self.reference.as_ref() == Some(&charge.reference)
            && self.amount == Some(charge.amount)
            && self.currency.as_deref() == Some(EURO)
            && self.till == Some(charge.till)
    }

    /// Whether it certainly is another's: it says something that does not agree.
    #[must_use]
    pub fn is_of_another(&self, charge: &Charge) -> bool {
        self.reference.as_ref().is_some_and(|reference| *reference != charge.reference)
            || self.amount.is_some_and(|amount| amount != charge.amount)
            || self.currency.as_deref().is_some_and(|currency| currency != EURO)
            || self.till.is_some_and(|till| till != charge.till)
    }
}

/// How a line is, without asking for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// The terminal answers; over TCP: it takes calls.
    Answers,
    /// A payment is under way, so it does.
    Busy,
    /// It does not.
    Unreachable,
}

/// What comes of asking a terminal to give up a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aborted {
    /// Its protocol has no such request: only the red key of the terminal gives up.
    Unsupported,
    /// It was asked to; what comes of it is its answer to the payment.
    Requested,
}

/// An authorisation number fit to be stored and printed: what is not a plain character is left out; none when nothing is left, or when there is more
/// than an authorisation number has: that is something else, perhaps a card's number, and a part of it says nothing.
#[must_use]
pub fn approval_code(text: &str) -> Option<String> {
    let said = text.trim();
    if said.chars().count() > MAX_APPROVAL_CODE {
        return None;
    }
    let plain: String = said.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ' ')).collect();
    (!plain.is_empty()).then_some(plain)
}

/// An amount of an answer. Terminals may pad with zeros, so amounts are compared as numbers.
fn amount_from(digits: &[u8]) -> Option<Cents> {
    let well_formed = (1..=12).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| well_formed)?.parse().ok().map(Cents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn charge() -> Charge {
        Charge { reference: Reference::from_random(7_777_777), amount: Cents(2550), till: Till::FIRST }
    }

    fn late(charge: &Charge, booked: i64) -> Stray {
        Stray {
            reference: Some(charge.reference.clone()),
            amount: Some(Cents(booked)),
            currency: Some(EURO.to_owned()),
            till: Some(charge.till),
            outcome: Outcome::Approved { approval_code: None, amount: Cents(booked) },
        }
    }

    #[test]
    fn a_late_answer_matches_by_reference_amount_currency_and_till_and_by_nothing_less() {
        let charge = charge();
        assert!(late(&charge, 2550).answers(&charge));
        assert!(late(&charge, 2000).answers(&charge), "a partial approval");
        for (what, stray) in [
            ("no reference", Stray { reference: None, ..late(&charge, 2550) }),
            ("another reference", Stray { reference: Some(Reference::from_random(1)), ..late(&charge, 2550) }),
            ("more than was asked", late(&charge, 2551)),
            ("nothing", late(&charge, 0)),
            ("no amount", Stray { amount: None, ..late(&charge, 2550) }),
            ("two amounts", Stray { amount: Some(Cents(2000)), ..late(&charge, 2550) }),
            ("another currency", Stray { currency: Some("953".to_owned()), ..late(&charge, 2550) }),
            ("no currency", Stray { currency: None, ..late(&charge, 2550) }),
            ("another till", Stray { till: Some(Till(2)), ..late(&charge, 2550) }),
            ("no till", Stray { till: None, ..late(&charge, 2550) }),
        ] {
            assert!(!stray.answers(&charge), "{what}");
        }
        let refused = Stray { outcome: Outcome::Declined { code: "AF04".to_owned() }, ..late(&charge, 2000) };
        assert!(!refused.answers(&charge), "the refusal of another amount");
    }

    #[test]
    fn tills_are_two_digits() {
        assert_eq!("1".parse::<Till>().unwrap().to_string(), "01");
        for text in ["", "0", "00", "100", "+1", "a1", " 1"] {
            assert_eq!(text.parse::<Till>(), Err(NotATill), "{text:?}");
        }
    }

    #[test]
    fn a_last_ticket_is_of_a_charge_by_reference_amount_currency_and_till_and_by_nothing_less() {
        let charge = charge();
        let same = LastTicket {
            reference: Some(charge.reference.clone()),
            amount: Some(charge.amount),
            currency: Some(EURO.to_owned()),
            till: Some(charge.till),
            approval_code: None,
        };
        assert!(same.is_of(&charge) && !same.is_of_another(&charge));
        for (what, ticket, anothers) in [
            ("no reference", LastTicket { reference: None, ..same.clone() }, false),
            ("another reference", LastTicket { reference: Some(Reference::from_random(1)), ..same.clone() }, true),
            ("less", LastTicket { amount: Some(Cents(2000)), ..same.clone() }, true),
            ("no amount", LastTicket { amount: None, ..same.clone() }, false),
            ("another currency", LastTicket { currency: Some("953".to_owned()), ..same.clone() }, true),
            ("another till", LastTicket { till: Some(Till(2)), ..same.clone() }, true),
            ("nothing", LastTicket::default(), false),
        ] {
            assert!(!ticket.is_of(&charge), "{what}");
            assert_eq!(ticket.is_of_another(&charge), anothers, "{what}");
        }
    }

    proptest! {
        #[test]
        fn every_reference_can_be_read_back(bits: u64) {
            let reference = Reference::from_random(bits);
            prop_assert_eq!(reference.as_str().parse(), Ok(reference.clone()));
        }

        #[test]
        fn approval_codes_are_short_and_plain(text in ".{0,40}") {
            if let Some(code) = approval_code(&text) {
                prop_assert!(!code.is_empty() && code.len() <= MAX_APPROVAL_CODE && code.is_ascii());
            }
        }
    }
}
