//! Concert on a serial line, framed: V2 "E+" with fixed fields, or V3 with the tagged text of Caisse-AP inside the same frame.
//!
//! Three floors: [`frame`] is bytes and frames, this file is requests and replies, [`dialogue`], [`inquiry`] and [`overhearing`] are who speaks when.

pub mod dialogue;
pub mod frame;
pub mod inquiry;
pub mod overhearing;

use super::caisse_ap::{self, Dialect, Reader};
use super::{Charge, Doubt, EURO, Outcome, Queried, Reference, Stray, Till, amount_from, currency_from};
use crate::Cents;

/// What is said inside a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speech {
    /// V2 "E+": fixed fields.
    Fixed,
    /// V3: the tagged text of Caisse-AP.
    Tagged(Dialect),
}

impl Speech {
    /// The body of a request to debit a card.
    #[must_use]
    pub fn debit(&self, charge: &Charge) -> Vec<u8> {
        match self {
            Self::Fixed => debit(charge),
            Self::Tagged(dialect) => caisse_ap::debit(charge, dialect),
        }
    }

    /// The body of the question for the last ticket; `None` where there is no such question.
    #[must_use]
    pub fn duplicate(&self, till: Till) -> Option<Vec<u8>> {
        match self {
            Self::Fixed => None,
            Self::Tagged(dialect) => Some(caisse_ap::duplicate(till, dialect)),
        }
    }

    /// What the body of a frame says as the answer to that question; `None` when it is none.
    #[must_use]
    pub fn last_ticket(&self, body: &[u8]) -> Option<Queried> {
        match self {
            Self::Fixed => None,
            Self::Tagged(_) => Reader::whole(body).and_then(|reader| reader.last_ticket(true)),
        }
    }

    /// Reads the body of a frame that was received in an exchange. `None` when it is no reply.
    #[must_use]
    pub fn read(&self, body: &[u8]) -> Option<Answer> {
        match self {
            Self::Fixed => Reply::parse(body).map(Answer::Fixed),
            Self::Tagged(_) => Reader::whole(body).map(Answer::Tagged),
        }
    }

    /// The body of a frame that nobody waits for.
    #[must_use]
    pub fn overhear(&self, body: &[u8]) -> Stray {
        let stray = match self.read(body) {
            Some(Answer::Fixed(reply)) => Some(reply.stray()),
            Some(Answer::Tagged(reader)) => reader.stray(),
            None => None,
        };
        stray.unwrap_or(Stray { reference: None, amount: None, currency: None, till: None, outcome: Outcome::Unknown(Doubt::Unreadable) })
    }
}

/// A reply, in either form.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Fixed fields.
    Fixed(Reply),
    /// Tagged text.
    Tagged(Reader),
}

impl Answer {
    /// Whether it names another attempt than this one.
    #[must_use]
    pub fn is_for_another(&self, charge: &Charge) -> bool {
        match self {
            Self::Fixed(reply) => reply.is_for_another(charge),
            Self::Tagged(reader) => reader.judge(charge, Doubt::Unreadable) == Outcome::Unknown(Doubt::NotOurs),
        }
    }

    /// Whether it says that the request was taken and the result comes later. With fixed fields it never comes.
    #[must_use]
    pub fn is_interim(&self) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Tagged(reader) => reader.is_interim(),
        }
    }

    /// What it says about `charge`, received in the exchange that `charge` began.
    #[must_use]
    pub fn judge(&self, charge: &Charge) -> Outcome {
        match self {
            Self::Fixed(reply) => reply.judge(charge),
            Self::Tagged(reader) => reader.judge_on_a_line(charge),
        }
    }
}

/// Length of a reply without card data, and with it.
const REPLY: usize = 25;
const REPLY_WITH_CARD: usize = 80;

/// The body of a request to debit a card: 34 characters.
///
/// Asks for no card data (IND `0`), for the answer at the end (`A010`; with `A011` the outcome never comes back), and lets the terminal decide
/// on the authorisation (`B010`).
#[must_use]
pub fn debit(charge: &Charge) -> Vec<u8> {
    format!("{}{:08}010{EURO}{}A010B010", charge.till, charge.amount.0, charge.reference).into_bytes()
}

/// What a terminal answers. Card data, where a terminal sends it unasked, is dropped as the reply is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    till: Option<Till>,
    status: u8,
    amount: Option<Cents>,
    currency: String,
    echo: Echo,
}

/// What a terminal echoes of the private field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Echo {
    /// Nothing: spaces or zeros.
    Nothing,
    /// A reference.
    Reference(Reference),
    /// Something that is no reference of ours.
    Foreign,
}

impl Reply {
    /// Reads the body of a frame. `None` when it is no reply.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let card = match body.len() {
            REPLY => 0,
            REPLY_WITH_CARD => REPLY_WITH_CARD - REPLY,
            _ => return None,
        };
        let text = |from: usize, length: usize| body.get(from..from + length).and_then(|part| std::str::from_utf8(part).ok());
        let echo = match text(15 + card, 10)?.trim() {
            blank if blank.bytes().all(|b| b == b'0') => Echo::Nothing,
            other => other.parse().map_or(Echo::Foreign, Echo::Reference),
        };
        Some(Self {
            till: text(0, 2)?.parse().ok(),
            status: *body.get(2)?,
            amount: amount_from(body.get(3..11)?),
            currency: text(12 + card, 3)?.to_owned(),
            echo,
        })
    }

    /// Whether it names another attempt than this one.
    #[must_use]
    pub fn is_for_another(&self, charge: &Charge) -> bool {
        match &self.echo {
            Echo::Nothing => false,
            Echo::Reference(reference) => *reference != charge.reference,
            Echo::Foreign => true,
        }
    }

    /// What it says about `charge`, received in the exchange that `charge` began. There a terminal that echoes nothing is believed when it
    /// repeats till and amount exactly, whatever it says: a result of an earlier guest that lay in the terminal is delivered in the same way,
    /// and must neither be booked as a part of this charge nor free its share.
    #[must_use]
    pub fn judge(&self, charge: &Charge) -> Outcome {
        if self.is_for_another(charge) {
            return Outcome::Unknown(Doubt::NotOurs);
        }
        let repeats = self.till == Some(charge.till) && self.amount == Some(charge.amount);
        if self.echo == Echo::Nothing && !repeats && matches!(self.status, b'0' | b'6' | b'7') {
            return Outcome::Unknown(Doubt::Contradiction);
        }
        match self.status {
            b'0' => {
                let same = self.till == Some(charge.till) && self.currency == EURO;
                match self.amount {
                    Some(amount) if same && amount > Cents::ZERO && amount <= charge.amount => {
                        // The protocol gives no authorisation number: it is on the terminal's own ticket.
                        Outcome::Approved { approval_code: None, amount }
                    }
                    _ => Outcome::Unknown(Doubt::Contradiction),
                }
            }
            b'7' => Outcome::Declined { code: "STAT7".to_owned() },
            b'6' => Outcome::Cancelled { code: "STAT6".to_owned() },
            b'9' => Outcome::Unknown(Doubt::Interim),
            _ => Outcome::Unknown(Doubt::Contradiction),
        }
    }

    /// The reply as one that nobody waits for.
    #[must_use]
    pub fn stray(&self) -> Stray {
        let reference = match &self.echo {
            Echo::Reference(reference) => Some(reference.clone()),
            Echo::Nothing | Echo::Foreign => None,
        };
        // Whose it is nobody can tell without a name; what it says stays: money may have been taken.
        let outcome = match &self.echo {
            Echo::Foreign => Outcome::Unknown(Doubt::NotOurs),
            Echo::Reference(_) | Echo::Nothing => self.judge(&Charge {
                reference: reference.clone().unwrap_or_else(|| Reference::from_random(0)),
                amount: self.amount.unwrap_or(Cents::ZERO),
                till: self.till.unwrap_or(Till::FIRST),
            }),
        };
        Stray { reference, amount: self.amount, currency: currency_from(&self.currency), till: self.till, outcome }
    }
}

/// The body of a reply, for a terminal that is simulated.
#[must_use]
pub fn reply(till: &str, status: char, amount: Cents, echo: &str) -> Vec<u8> {
    format!("{till:>2.2}{status}{:08}1{EURO}{echo:<10.10}", amount.0).into_bytes()
}

/// Till, amount and private field of a request, for a terminal that is simulated. `None` when it is no request.
#[must_use]
pub fn read_request(body: &[u8]) -> Option<(String, Cents, String)> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.len() == 34 && text.is_ascii())?;
    Some((text[..2].to_owned(), amount_from(&body[2..10])?, text[16..26].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn charge() -> Charge {
        Charge { reference: "A1B2C3D4E5".parse().unwrap(), amount: Cents(2550), till: Till::FIRST }
    }

    fn judged(till: &str, status: char, cents: i64, echo: &str) -> Outcome {
        Reply::parse(&reply(till, status, Cents(cents), echo)).unwrap().judge(&charge())
    }

    #[test]
    fn a_debit_is_34_characters() {
        assert_eq!(String::from_utf8(debit(&charge())).unwrap(), "0100002550010978A1B2C3D4E5A010B010");
        assert_eq!(read_request(&debit(&charge())), Some(("01".to_owned(), Cents(2550), "A1B2C3D4E5".to_owned())));
    }

    #[test]
    fn an_approval_has_to_agree_in_everything() {
        let yes = |cents| Outcome::Approved { approval_code: None, amount: Cents(cents) };
        assert_eq!(judged("01", '0', 2550, "A1B2C3D4E5"), yes(2550));
        assert_eq!(judged("01", '0', 2000, "A1B2C3D4E5"), yes(2000));
        assert_eq!(judged("01", '0', 2550, ""), yes(2550), "a terminal that echoes nothing");
        assert_eq!(judged("01", '0', 2550, "0000000000"), yes(2550));
        for (what, outcome, doubt) in [
            ("another attempt", judged("01", '0', 2550, "A1B2C3D4E6"), Doubt::NotOurs),
            ("somebody else's private data", judged("01", '0', 2550, "abc"), Doubt::NotOurs),
            ("another attempt refused", judged("01", '7', 2550, "A1B2C3D4E6"), Doubt::NotOurs),
            ("another till", judged("02", '0', 2550, ""), Doubt::Contradiction),
            ("no name, and less: the guest before", judged("01", '0', 2000, ""), Doubt::Contradiction),
            ("no name, and less, refused", judged("01", '7', 2000, ""), Doubt::Contradiction),
            ("no name, and more, refused", judged("01", '7', 2551, "0000000000"), Doubt::Contradiction),
            ("no name, and less, cancelled", judged("01", '6', 2000, ""), Doubt::Contradiction),
            ("no name, another till, refused", judged("02", '7', 2550, ""), Doubt::Contradiction),
            ("no name, another till, cancelled", judged("02", '6', 2550, ""), Doubt::Contradiction),
            ("more", judged("01", '0', 2551, ""), Doubt::Contradiction),
            ("nothing", judged("01", '0', 0, ""), Doubt::Contradiction),
            ("taken", judged("01", '9', 2550, ""), Doubt::Interim),
            ("referral", judged("01", '2', 2550, ""), Doubt::Contradiction),
        ] {
            assert_eq!(outcome, Outcome::Unknown(doubt), "{what}");
        }
        assert_eq!(judged("01", '7', 2550, ""), Outcome::Declined { code: "STAT7".to_owned() });
        assert_eq!(judged("01", '6', 2550, ""), Outcome::Cancelled { code: "STAT6".to_owned() });
        assert_eq!(judged("01", '7', 0, "A1B2C3D4E5"), Outcome::Declined { code: "STAT7".to_owned() }, "by its name");
    }

    #[test]
    fn card_data_sent_unasked_is_dropped() {
        let mut body = reply("01", '0', Cents(2550), "A1B2C3D4E5");
        let card = format!("{:<55}", "4970101234567890");
        body.splice(12..12, card.into_bytes());
        let reply = Reply::parse(&body).unwrap();
        assert_eq!(reply.judge(&charge()), Outcome::Approved { approval_code: None, amount: Cents(2550) });
        assert!(!format!("{reply:?}").contains("4970"));
    }

    #[test]
    fn a_stray_reply_without_a_reference_matches_nobody() {
        let stray = |echo| Reply::parse(&reply("01", '0', Cents(2550), echo)).unwrap().stray();
        assert!(stray("A1B2C3D4E5").answers(&charge()));
        assert!(!stray("").answers(&charge()));
        assert!(!stray("abc").answers(&charge()));
        assert_eq!(stray("").outcome, Outcome::Approved { approval_code: None, amount: Cents(2550) }, "what it says is kept");
        assert_eq!(stray("abc").outcome, Outcome::Unknown(Doubt::NotOurs), "another house's");
        let refused = Reply::parse(&reply("01", '7', Cents(2550), "")).unwrap().stray();
        assert_eq!((refused.reference, refused.outcome), (None, Outcome::Declined { code: "STAT7".to_owned() }));
        let mut body = reply("01", '0', Cents(2550), "");
        body[12] = 0;
        assert_eq!(Reply::parse(&body).unwrap().stray().currency, None, "no database stores a zero byte");
    }

    proptest! {
        /// Without a name only what repeats the amount exactly ends a charge.
        #[test]
        fn a_nameless_answer_to_another_amount_ends_nothing(cents in 0i64..5000, status in "[0-9]", till in "0[1-3]") {
            let outcome = judged(&till, status.chars().next().unwrap(), cents, "");
            prop_assert!(matches!(outcome, Outcome::Unknown(_)) || (cents == 2550 && till == "01"), "{outcome:?}");
        }

        #[test]
        fn no_body_makes_it_panic_or_book_more(body in prop::collection::vec(any::<u8>(), 0..90)) {
            let _ = read_request(&body);
            if let Some(reply) = Reply::parse(&body) {
                let _ = reply.stray();
                if let Outcome::Approved { amount, .. } = reply.judge(&charge()) {
                    prop_assert!(amount <= charge().amount);
                }
            }
        }
    }
}
