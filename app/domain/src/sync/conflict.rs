//! What a person has to decide, and what an answer of the server means for the queue.

use crate::OrderId;
use crate::api::{OrderAccepted, SyncAccepted};
use crate::order::FieldError;
use crate::reading::read;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Why the server did not take an order as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// Somebody else opened that table.
    TableOccupied {
        /// Their order.
        order_id: OrderId,
        /// Who that is.
        opened_by: String,
    },
    /// The bill of those guests is settled.
    OrderClosed {
        /// The order of whoever sits there now.
        order_id: Option<OrderId>,
    },
    /// Something is out, or no longer on the menu.
    DishOut {
        /// Which of the items, counted from 0.
        items: Vec<usize>,
    },
    /// It costs something else by now.
    PriceChanged {
        /// What it costs now, in cents.
        total_cents: i64,
    },
    /// Anything else that the server will not take, in its own words.
    Refused {
        /// Stable, English.
        code: String,
        /// French.
        detail: String,
    },
}

/// What a person can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// It joins the order that is open there, or opens a new one.
    Append,
    /// It goes to another table.
    OtherTable,
    /// The new price is accepted.
    Accept,
    /// It goes without what is out.
    Without,
    /// It is given up, with a reason.
    Drop,
}

impl Choice {
    /// The word of the contract and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::OtherTable => "other_table",
            Self::Accept => "accept",
            Self::Without => "without",
            Self::Drop => "drop",
        }
    }
}

impl Conflict {
    /// What a person can decide. Giving up is always possible, and always last.
    #[must_use]
    pub const fn choices(&self) -> &'static [Choice] {
        match self {
            Self::TableOccupied { .. } | Self::OrderClosed { .. } => &[Choice::Append, Choice::OtherTable, Choice::Drop],
            Self::DishOut { .. } => &[Choice::Without, Choice::Drop],
            Self::PriceChanged { .. } => &[Choice::Accept, Choice::Drop],
            Self::Refused { .. } => &[Choice::Drop],
        }
    }

    /// The order that is open there now.
    #[must_use]
    pub const fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::TableOccupied { order_id, .. } => Some(*order_id),
            Self::OrderClosed { order_id } => *order_id,
            Self::DishOut { .. } | Self::PriceChanged { .. } | Self::Refused { .. } => None,
        }
    }

    /// The word of the contract and of the database.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::TableOccupied { .. } => "table_occupied",
            Self::OrderClosed { .. } => "order_closed",
            Self::DishOut { .. } => "dish_out",
            Self::PriceChanged { .. } => "price_changed",
            Self::Refused { code, .. } => code,
        }
    }
}

/// What an answer means for the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The server has it, now or since an earlier try.
    Taken(Box<SyncAccepted>),
    /// The server has it, but not where this said: an earlier copy was taken after all. Names the order.
    TakenBefore(Option<OrderId>),
    /// It is over: given up, or decided, on this phone or another.
    Over,
    /// Nothing is known about what happened there: no network, or a server that fell silent.
    Unanswered(String),
    /// The phone stopped waiting, because the way on which the answer was to come is dead: nothing is known, and nothing is to be learnt from it.
    TakenBack,
    /// The server answers, but cannot take anything now.
    NotNow(String),
    /// Whoever is signed in is not who typed this, or nobody is.
    NotSignedIn,
    /// The server no longer understands this app: it has to be reloaded, and keeps what it has.
    Outdated,
    /// The server will not take it as it is.
    Conflict(Conflict),
}

/// Where a field error points: `items[3].item_id` is the fourth item.
fn item_of(field: &str) -> Option<usize> {
    field.strip_prefix("items[")?.split(']').next()?.parse().ok()
}

/// What a refusal says, as far as it matters here.
#[derive(Deserialize)]
struct Said {
    code: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    order_id: Option<OrderId>,
    #[serde(default)]
    opened_by: Option<Opener>,
    #[serde(default)]
    total_cents: Option<i64>,
    #[serde(default)]
    errors: Vec<FieldError>,
}

#[derive(Deserialize)]
struct Opener {
    name: String,
}

/// Reads an answer to `POST /api/orders/sync` or to `POST /api/orders`. What is not ours, of a captive portal for example, tells nothing.
#[must_use]
pub fn read_answer(status: u16, body: &str) -> Answer {
    let unreadable = || Answer::Unanswered(format!("answer {status} is not readable"));
    if (200..300).contains(&status) {
        // An answer of the older route has no time of the server: when it was is not what matters.
        let older = |OrderAccepted { order_id, status, round }| SyncAccepted {
            order_id,
            status,
            round,
            server_timestamp: OffsetDateTime::UNIX_EPOCH,
        };
        let accepted = read(body).or_else(|_| read(body).map(older));
        return accepted.map_or_else(|_| unreadable(), |accepted| Answer::Taken(Box::new(accepted)));
    }
    let Ok(Said { code, detail, order_id, opened_by, total_cents, errors }) = read(body) else { return unreadable() };
    match (status, code.as_str()) {
        (401, _) | (409, "typed_by_other") => Answer::NotSignedIn,
        (426, _) => Answer::Outdated,
        (409, "already_synced") => Answer::TakenBefore(order_id),
        (409, "intent_over") => Answer::Over,
        (409, "table_occupied") => match order_id {
            Some(order_id) => {
                let opened_by = opened_by.map(|opener| opener.name).unwrap_or_default();
                Answer::Conflict(Conflict::TableOccupied { order_id, opened_by })
            }
            None => unreadable(),
        },
        (409, "order_closed") => Answer::Conflict(Conflict::OrderClosed { order_id }),
        (409, "price_changed") => match total_cents {
            Some(total_cents) => Answer::Conflict(Conflict::PriceChanged { total_cents }),
            None => unreadable(),
        },
        (408 | 425 | 429 | 500.., _) => Answer::NotNow(code),
        (422, _) => {
            let is_out = |error: &FieldError| ["unavailable", "unknown_item"].contains(&error.code.as_str());
            let mut items: Vec<usize> = errors.iter().filter(|error| is_out(error)).filter_map(|error| item_of(&error.field)).collect();
            items.dedup();
            if !errors.is_empty() && errors.iter().all(is_out) && !items.is_empty() {
                Answer::Conflict(Conflict::DishOut { items })
            } else {
                Answer::Conflict(Conflict::Refused { code, detail })
            }
        }
        _ => Answer::Conflict(Conflict::Refused { code, detail }),
    }
}

/// Reads an answer to `POST /api/orders/sync/{uuid}/drop`.
#[must_use]
pub fn read_drop_answer(status: u16, body: &str) -> Answer {
    if (200..300).contains(&status) {
        return match read::<crate::api::Dropped>(body) {
            Ok(_) => Answer::Over,
            Err(_) => Answer::Unanswered(format!("answer {status} is not readable")),
        };
    }
    read_answer(status, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, extras: &str) -> Answer {
        read_answer(status, &format!(r#"{{"type":"about:blank","title":"","status":{status},"detail":"Phrase."{extras}}}"#))
    }

    #[test]
    fn every_answer_has_a_meaning() {
        let id = OrderId::from_row;
        let occupied = r#","code":"table_occupied","order_id":7,"opened_by":{"id":2,"name":"Bob"},"choices":["append"]"#;
        let out = r#","code":"invalid","errors":[{"field":"items[2].item_id","code":"unavailable"}]"#;
        let mixed = r#","code":"invalid","errors":[{"field":"items[2].item_id","code":"unavailable"},{"field":"covers","code":"x"}]"#;
        for (status, extras, meaning) in [
            (401, r#","code":"not_signed_in""#, Answer::NotSignedIn),
            (409, r#","code":"typed_by_other""#, Answer::NotSignedIn),
            (409, r#","code":"already_synced","order_id":7"#, Answer::TakenBefore(Some(id(7)))),
            (409, r#","code":"intent_over""#, Answer::Over),
            (409, occupied, Answer::Conflict(Conflict::TableOccupied { order_id: id(7), opened_by: "Bob".into() })),
            (409, r#","code":"order_closed","order_id":null"#, Answer::Conflict(Conflict::OrderClosed { order_id: None })),
            (409, r#","code":"price_changed","total_cents":2500"#, Answer::Conflict(Conflict::PriceChanged { total_cents: 2500 })),
            (422, out, Answer::Conflict(Conflict::DishOut { items: vec![2] })),
            (422, mixed, Answer::Conflict(Conflict::Refused { code: "invalid".into(), detail: "Phrase.".into() })),
            (426, r#","code":"app_outdated""#, Answer::Outdated),
            (503, r#","code":"server_outdated""#, Answer::NotNow("server_outdated".into())),
            (429, r#","code":"too_many""#, Answer::NotNow("too_many".into())),
            (503, r#","code":"database_unavailable""#, Answer::NotNow("database_unavailable".into())),
            (
                409,
                r#","code":"idempotency_mismatch""#,
                Answer::Conflict(Conflict::Refused { code: "idempotency_mismatch".into(), detail: "Phrase.".into() }),
            ),
        ] {
            assert_eq!(problem(status, extras), meaning, "{status} {extras}");
        }
        for (status, body) in [(200, "<html>"), (502, "<html>"), (201, "{}"), (409, r#"{"code":"table_occupied"}"#)] {
            assert!(matches!(read_answer(status, body), Answer::Unanswered(_)), "{status} {body}");
        }
        let older = read_answer(201, r#"{"order_id":7,"status":"pending_erp","round":1}"#);
        assert!(matches!(older, Answer::Taken(accepted) if accepted.order_id == id(7)), "the older route is understood too");
        assert_eq!(
            read_drop_answer(200, r#"{"uuid":"0197f5d0-0000-7000-8000-000000000000","server_timestamp":"2026-11-25T20:00:00Z"}"#),
            Answer::Over
        );
    }
}
