//! Identifiers of the outside contract: positive integers, each with a type of its own so that a table is never taken for an order.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;

/// A number that cannot be an identifier: zero, negative, or not a number at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is a positive integer")]
pub struct NotAnId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Takes a number from outside.
            ///
            /// # Errors
            /// [`NotAnId`] unless it is positive.
            pub const fn new(value: i64) -> Result<Self, NotAnId> {
                if value > 0 { Ok(Self(value)) } else { Err(NotAnId) }
            }

            /// Takes a number that the database generated; its column holds positive numbers only.
            #[must_use]
            pub const fn from_row(value: i64) -> Self {
                Self(value)
            }

            /// The number itself.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.parse().map_err(|_| NotAnId).and_then(Self::new)
            }
        }
    };
}

id!(/// A table of the floor plan.
    TableId);
id!(/// A room of the floor plan.
    RoomId);
id!(/// Something that can be sold.
    ItemId);
id!(/// One stay of guests at a table, from the first dish to the last payment.
    OrderId);
id!(/// One line of an order.
    LineId);
id!(/// One attempt to settle a share, whatever became of it.
    PaymentId);
id!(/// A person who signs in.
    UserId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_negative_numbers_are_refused() {
        assert!(serde_json::from_str::<TableId>("0").is_err());
        assert!(serde_json::from_str::<TableId>("-4").is_err());
        assert_eq!("12".parse::<TableId>().map(TableId::get), Ok(12));
        assert_eq!("12a".parse::<TableId>(), Err(NotAnId));
    }
}
