//! The chains of a register: one continuous numbering per kind of fact, as the fiscal rules ask.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which numbering a record belongs to. Each register has its own chain of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Chain {
    /// Tickets: sales and their counter-entries.
    T,
    /// Duplicata: prints after the first.
    D,
    /// Notes: provisional bills, before payment.
    N,
    /// Money that is not a sale: float, cash in and out, corrections of a means of payment.
    P,
    /// Closings, which carry the grand totals.
    G,
    /// Technical events (*journal des événements techniques*).
    J,
    /// Archives.
    A,
    /// Training: everything that happens in it, never part of any total of the house.
    X,
}

impl Chain {
    /// Every chain.
    pub const ALL: [Self; 8] = [Self::T, Self::D, Self::N, Self::P, Self::G, Self::J, Self::A, Self::X];

    /// Its letter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::T => "T",
            Self::D => "D",
            Self::N => "N",
            Self::P => "P",
            Self::G => "G",
            Self::J => "J",
            Self::A => "A",
            Self::X => "X",
        }
    }

    /// This chain, or in training the one that everything shares then.
    #[must_use]
    pub const fn or_training(self, training: bool) -> Self {
        if training { Self::X } else { self }
    }

    /// Where tickets are numbered.
    #[must_use]
    pub const fn of_tickets(training: bool) -> Self {
        Self::T.or_training(training)
    }

    /// Where closings are numbered. In training they share the chain of the tickets.
    #[must_use]
    pub const fn of_closings(training: bool) -> Self {
        Self::G.or_training(training)
    }
}

impl FromStr for Chain {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|chain| chain.as_str() == text).ok_or("unknown chain")
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a record states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecordKind {
    /// A sale; its content is a [`super::TicketContent`].
    #[serde(rename = "TICKET")]
    Sale,
    /// A counter-entry that corrects a ticket; a [`super::TicketContent`] too.
    #[serde(rename = "ANNULATION")]
    Refund,
    /// A provisional note; a [`super::NoteContent`].
    #[serde(rename = "NOTE")]
    Note,
    /// How the original of a ticket reached its guest; a [`super::PrintContent`] with number 0.
    #[serde(rename = "REMISE")]
    Original,
    /// A print of a ticket after the first; a [`super::PrintContent`].
    #[serde(rename = "DUPLICATA")]
    Duplicate,
    /// The float was stated; a [`super::MoneyContent`], as the next five.
    #[serde(rename = "FOND")]
    Float,
    /// Cash put in.
    #[serde(rename = "ENTREE")]
    CashIn,
    /// Cash taken out.
    #[serde(rename = "SORTIE")]
    CashOut,
    /// Cash counted.
    #[serde(rename = "COMPTAGE")]
    CashCount,
    /// A tip without a payment.
    #[serde(rename = "POURBOIRE")]
    Tip,
    /// The means of a payment was another.
    #[serde(rename = "TRANSFERT")]
    Transfer,
    /// The closing of a day; a [`super::ClosingContent`].
    #[serde(rename = "CLOSURE_Z")]
    ClosureZ,
    /// The closing of a month; a [`super::LongClosingContent`].
    #[serde(rename = "CLOSURE_M")]
    ClosureMonth,
    /// The closing of a year; a [`super::LongClosingContent`].
    #[serde(rename = "CLOSURE_A")]
    ClosureYear,
    /// A technical event; an [`super::EventContent`].
    #[serde(rename = "JET")]
    TechnicalEvent,
    /// An archive was made; an [`super::ArchiveContent`].
    #[serde(rename = "ARCHIVE")]
    Archive,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Sale,
        Self::Refund,
        Self::Note,
        Self::Original,
        Self::Duplicate,
        Self::Float,
        Self::CashIn,
        Self::CashOut,
        Self::CashCount,
        Self::Tip,
        Self::Transfer,
        Self::ClosureZ,
        Self::ClosureMonth,
        Self::ClosureYear,
        Self::TechnicalEvent,
        Self::Archive,
    ];

    /// The `transaction_type` of the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "TICKET",
            Self::Refund => "ANNULATION",
            Self::Note => "NOTE",
            Self::Original => "REMISE",
            Self::Duplicate => "DUPLICATA",
            Self::Float => "FOND",
            Self::CashIn => "ENTREE",
            Self::CashOut => "SORTIE",
            Self::CashCount => "COMPTAGE",
            Self::Tip => "POURBOIRE",
            Self::Transfer => "TRANSFERT",
            Self::ClosureZ => "CLOSURE_Z",
            Self::ClosureMonth => "CLOSURE_M",
            Self::ClosureYear => "CLOSURE_A",
            Self::TechnicalEvent => "JET",
            Self::Archive => "ARCHIVE",
        }
    }
}

impl FromStr for RecordKind {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or("unknown kind of record")
    }
}

/// The last record of one chain: what the next one has to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number; 0 when there is none.
    pub last_seq: i64,
    /// Its signature, base64url without padding.
    pub last_signature: String,
    /// SHA-256 of its signed text, hexadecimal.
    pub last_hash: String,
}

impl Head {
    /// Before the first record: number 0, no signature, a hash of 64 zeros. The zeros only fill the column of the previous hash; the
    /// signed text says `N` and carries no signature.
    #[must_use]
    pub fn genesis() -> Self {
        Self { last_seq: 0, last_signature: String::new(), last_hash: "0".repeat(64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_are_those_of_serde() {
        for chain in Chain::ALL {
            assert_eq!(chain.as_str().parse(), Ok(chain));
            assert_eq!(serde_json::to_value(chain).unwrap(), chain.as_str());
        }
        for kind in RecordKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert!("t".parse::<Chain>().is_err());
    }
}
