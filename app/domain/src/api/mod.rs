//! The bodies of the outside contract. The HTTP routes and the server functions of the pages answer with the same types.

mod bill;
mod events;
mod fiscal;
mod floor;
mod kitchen;
mod menu;
mod orders;
mod pass;
mod payments;
mod people;
mod printing;
mod sync;

pub use bill::*;
pub use events::*;
pub use fiscal::*;
pub use floor::*;
pub use kitchen::*;
pub use menu::*;
pub use orders::*;
pub use pass::*;
pub use payments::*;
pub use people::*;
pub use printing::*;
pub use sync::*;

use crate::order::FieldError;
use serde::{Deserialize, Serialize};

#[expect(missing_docs, reason = "the macro documents nothing that it writes")]
mod formats {
    time::serde::format_description!(pub iso_date, Date, "[year]-[month]-[day]");
}
pub use formats::iso_date;

/// What went wrong, for a person and for a program (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable, English, snake case: what programs look at.
    pub code: String,
    /// French: what a person reads.
    pub detail: String,
    /// The faulty fields of a well-formed but invalid body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::TableStatus;
    use crate::{Cents, TableId};

    #[test]
    fn the_reference_payment_is_read() {
        let body: PaymentRequest =
            serde_json::from_str(r#"{"order_id":789,"cover_number":1,"amount":25.50,"method":"ESPECES","tendered":30}"#).unwrap();
        assert_eq!((body.amount, body.tendered, body.method), (Cents(2550), Some(Cents(3000)), Method::Especes));
    }

    #[test]
    fn frames_look_like_the_contract() {
        let frame = Event::TableChanged { table_id: TableId::from_row(5), status: TableStatus::Free, order_id: None, now: None };
        assert_eq!(
            serde_json::to_string(&frame).unwrap(),
            r#"{"event":"table_changed","data":{"table_id":5,"status":"free","order_id":null}}"#
        );
        assert_eq!(serde_json::to_string(&Event::Ping {}).unwrap(), r#"{"event":"ping","data":{}}"#);
    }

    #[test]
    fn a_pin_is_not_printed() {
        let login = Login { username: "alice".into(), pin: "1234".into() };
        assert!(!format!("{login:?}").contains("1234"));
        let new = NewUser { username: "zoe".into(), name: "Zoé".into(), role: crate::Role::Serveur, pin: "1234".into(), uuid: None };
        assert!(!format!("{new:?}").contains("1234"));
        let change = UserChange { name: "Zoé".into(), role: crate::Role::Serveur, active: true, pin: Some("1234".into()) };
        assert!(!format!("{change:?}").contains("1234"));
    }
}
