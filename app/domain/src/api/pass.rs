//! Dishes at the pass: the kitchen system's word, what waits, and how long it waited.

use crate::{OrderId, TableId};
use serde::{Deserialize, Serialize};
use time::Date;

/// What a kitchen system says when a dish is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DishReadyHook {
    /// The kitchen system's number of the slip, as it gave it to us.
    pub erp_order_id: ErpId,
    /// The dish, as people of that kitchen call it.
    pub dish_name: String,
    /// Where the guests sat when the slip was told.
    pub table_id: TableId,
    /// Names this very event, so that saying it twice is saying it once.
    #[serde(default)]
    pub event_id: Option<ErpId>,
    /// Our number of the order, as the slip said it. It finds the slip while the answer that brings the kitchen system's number is not with us.
    #[serde(default, deserialize_with = "our_order", skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
}

/// Kitchen systems that never read this page may put something of their own there: then it is not ours.
fn our_order<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<OrderId>, D::Error> {
    let said = serde_json::Value::deserialize(deserializer)?;
    Ok(said.as_i64().and_then(|number| OrderId::new(number).ok()))
}

/// A name that a kitchen system gives: a text or a number, kept as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ErpId(String);

impl ErpId {
    /// No name of a kitchen system is longer, in characters.
    pub const LONGEST: usize = 200;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn new(text: String) -> Option<Self> {
        let good = !text.trim().is_empty() && text.chars().count() <= Self::LONGEST && !text.contains('\0');
        good.then_some(Self(text))
    }
}

impl<'de> Deserialize<'de> for ErpId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum TextOrNumber {
            Text(String),
            Number(i64),
        }
        let text = match TextOrNumber::deserialize(deserializer)? {
            TextOrNumber::Text(text) => text,
            TextOrNumber::Number(number) => number.to_string(),
        };
        Self::new(text).ok_or_else(|| serde::de::Error::custom("a name of 1 to 200 characters"))
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookStatus {
    /// A phone of the waiter listens, and is told.
    Notified,
    /// It is kept until a phone of the waiter comes back.
    Stored,
    /// It was said before.
    Duplicate,
}

/// The answer to a kitchen system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookDone {
    /// What became of it.
    pub status: HookStatus,
}

/// How long dishes waited at the pass on one day of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassWaits {
    /// The day of service.
    #[serde(with = "super::iso_date")]
    pub day: Date,
    /// Over the whole day; `None` when nothing was ready.
    pub whole: Option<Waits>,
    /// By the hour in which they were ready, in the order of the service.
    pub hours: Vec<HourOfWaits>,
    /// Dishes of this day that are still waiting.
    pub waiting: u32,
}

/// One hour of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourOfWaits {
    /// On the clock of the restaurant, 0 to 23.
    pub hour: u8,
    /// How long.
    pub waits: Waits,
}

/// How long dishes waited, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// How many dishes.
    pub dishes: u32,
    /// Half of them waited no longer.
    pub median_s: u32,
    /// Nineteen of twenty waited no longer.
    pub p95_s: u32,
    /// For how many of them colleagues or the till had to be told.
    pub escalated: u32,
}

/// Where a browser is reached while it sleeps, as it writes that itself (`PushSubscription.toJSON`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushSubscription {
    /// The address at its push service. As good as a secret: whoever has it can write to that phone.
    pub endpoint: String,
    /// Its keys.
    pub keys: PushKeys,
}

/// The keys of a browser that is reached while it sleeps.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushKeys {
    /// A point of P-256: 65 bytes as base64url.
    pub p256dh: String,
    /// A secret: 16 bytes as base64url.
    pub auth: String,
}

/// It stays out of logs.
impl std::fmt::Debug for PushSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushSubscription(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_kitchen_system_calls_an_order_is_taken_for_ours_only_when_it_can_be() {
        let of = |order_id| {
            let said = json!({"erp_order_id": "K-1", "dish_name": "Magret", "table_id": 5, "order_id": order_id});
            serde_json::from_value::<DishReadyHook>(said).unwrap().order_id.map(OrderId::get)
        };
        assert_eq!(of(json!(7)), Some(7));
        for theirs in [json!("C-7"), json!(null), json!(-7), json!(0), json!(7.5), json!({"no": 7})] {
            assert_eq!(of(theirs.clone()), None, "{theirs}");
        }
    }
}
