//! What is asked of the terminal, and its answers, in either form.

use domain::Cents;
use domain::terminal::caisse_ap::{Message, Reader, encode};
use domain::terminal::concert::{read_request, reply};

/// A request to debit a card.
pub(super) enum Asked {
    /// Concert V2: fixed fields.
    Fixed { till: String, amount: Cents, reference: String },
    /// Caisse-AP, over TCP or inside a frame.
    Tagged(Message),
}

/// Why the terminal does not charge.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    Declined,
    Cancelled,
    NotUnderstood,
}

impl Asked {
    /// Reads the body of a frame.
    pub(super) fn in_frame(body: &[u8]) -> Option<Self> {
        if let Some((till, amount, reference)) = read_request(body) {
            return Some(Self::Fixed { till, amount, reference });
        }
        let mut reader = Reader::default();
        reader.push(body);
        reader.request().map(Self::Tagged)
    }

    /// Whether it asks for the last ticket, and for no money.
    pub(super) fn is_duplicate(&self) -> bool {
        matches!(self, Self::Tagged(request) if request.text(b"CD") == Some("3"))
    }

    /// The last ticket, as what was taken for `reference`; `None`: there is none.
    pub(super) fn last_ticket(&self, last: Option<(&str, Cents)>) -> Vec<u8> {
        match last {
            Some((reference, amount)) => self.approval(reference, amount),
            None => self.refusal(Refusal::NotUnderstood),
        }
    }

    /// The attempt, as the till names it.
    pub(super) fn reference(&self) -> String {
        match self {
            Self::Fixed { reference, .. } => reference.clone(),
            Self::Tagged(request) => request.text(b"CF").unwrap_or_default().to_owned(),
        }
    }

    /// How much is asked for.
    pub(super) fn amount(&self) -> Cents {
        match self {
            Self::Fixed { amount, .. } => *amount,
            Self::Tagged(request) => request.text(b"CB").and_then(|digits| digits.parse().ok()).map_or(Cents::ZERO, Cents),
        }
    }

    /// The answer that money was taken for `reference`.
    pub(super) fn approval(&self, reference: &str, amount: Cents) -> Vec<u8> {
        let request = match self {
            Self::Fixed { till, .. } => return reply(till, '0', amount, reference),
            Self::Tagged(request) => request,
        };
        let amount = format!("{:08}", amount.0);
        encode([
            (b"CZ", request.text(b"CZ").unwrap_or_default()),
            (b"CA", request.text(b"CA").unwrap_or_default()),
            (b"CE", request.text(b"CE").unwrap_or_default()),
            (b"CD", request.text(b"CD").unwrap_or_default()),
            (b"CB", &amount),
            (b"CC", "00B"),
            (b"AA", "497010######7890"),
            (b"AC", "123456"),
            (b"CF", reference),
            (b"AE", "10"),
        ])
    }

    /// The answer that nothing was taken. Tagged, as an Ingenico Desk/5000 says it: without the amount.
    pub(super) fn refusal(&self, why: Refusal) -> Vec<u8> {
        let request = match self {
            Self::Fixed { till, amount, reference } => {
                let status = if matches!(why, Refusal::Cancelled) { '6' } else { '7' };
                return reply(till, status, *amount, reference);
            }
            Self::Tagged(request) => request,
        };
        let reason = match why {
            Refusal::Declined => "04",
            Refusal::Cancelled => "06",
            Refusal::NotUnderstood => "09",
        };
        encode([
            (b"CZ", request.text(b"CZ").unwrap_or_default()),
            (b"CA", request.text(b"CA").unwrap_or_default()),
            (b"CE", request.text(b"CE").unwrap_or_default()),
            (b"CD", request.text(b"CD").unwrap_or_default()),
            (b"CF", request.text(b"CF").unwrap_or_default()),
            (b"AE", "01"),
            (b"AF", reason),
        ])
    }
}
