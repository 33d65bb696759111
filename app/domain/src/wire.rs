//! How the outside contract writes amounts and rates: JSON numbers in euros and per cent, read and written *exactly*.
//!
//! `serde_json` would read `25.505` as the nearest float; these adapters take the number's own text instead. They therefore work
//! with `serde_json` only, and not inside untagged or internally tagged enums, which buffer their content.

use crate::reading::RAW;
use crate::{Cents, VatRate};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::value::RawValue;

fn number_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let text = raw.get();
    // A JSON string holding a number is not a number.
    if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err(serde::de::Error::custom("expected a number"))
    }
}

/// Writes a number as its own text: as [`RawValue`] writes itself, which would first read the text as JSON, and take that reader to every phone.
pub(crate) fn write_number<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let mut raw = serializer.serialize_struct(RAW, 1)?;
    raw.serialize_field(RAW, text)?;
    raw.end()
}

/// `25.5`, never `25.50`: the shortest text, as other programs write numbers.
fn shortest(cents: Cents) -> String {
    let text = cents.to_decimal();
    text.strip_suffix(".00").unwrap_or_else(|| text.strip_suffix('0').unwrap_or(&text)).to_owned()
}

/// An amount in euros.
pub mod euros {
    use super::{Cents, Deserializer, Serializer, number_text, shortest, write_number};

    /// Writes cents as euros.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(cents: &Cents, serializer: S) -> Result<S::Ok, S::Error> {
        write_number(&shortest(*cents), serializer)
    }

    /// Reads euros as cents.
    ///
    /// # Errors
    /// Anything but a number with at most two decimals.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cents, D::Error> {
        Cents::parse(&number_text(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// An amount in euros that may be absent or `null`. Use with `#[serde(default)]`.
pub mod euros_opt {
    use super::{Cents, Deserialize, Deserializer, RawValue, Serializer, shortest, write_number};

    /// Writes cents as euros, or `null`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(cents: &Option<Cents>, serializer: S) -> Result<S::Ok, S::Error> {
        match cents {
            Some(cents) => write_number(&shortest(*cents), serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads euros as cents.
    ///
    /// # Errors
    /// Anything but `null` or a number with at most two decimals.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cents>, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get() {
            "null" => Ok(None),
            text if text.starts_with('"') => Err(serde::de::Error::custom("expected a number")),
            text => Cents::parse(text).map(Some).map_err(serde::de::Error::custom),
        }
    }
}

/// An amount in euros inside a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Euros(
    /// In cents.
    #[serde(with = "euros")]
    pub Cents,
);

/// A rate in per cent that may be absent or `null`. Use with `#[serde(default)]`.
pub mod percent_opt {
    use super::{Cents, Deserialize, Deserializer, RawValue, Serializer, VatRate, percent};

    /// Writes basis points as per cent, or `null`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(rate: &Option<VatRate>, serializer: S) -> Result<S::Ok, S::Error> {
        match rate {
            Some(rate) => percent::serialize(rate, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads per cent as basis points.
    ///
    /// # Errors
    /// Anything but `null` or a rate between 0 and 100 with at most two decimals.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<VatRate>, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get() == "null" {
            return Ok(None);
        }
        let hundredths = Cents::parse(raw.get()).map_err(serde::de::Error::custom)?.0;
        let rate = u16::try_from(hundredths).ok().and_then(VatRate::new);
        rate.map(Some).ok_or_else(|| serde::de::Error::custom("a rate is between 0 and 100 per cent"))
    }
}

/// A VAT rate in per cent: `5.5`, `10`, `20`.
pub mod percent {
    use super::{Cents, Deserializer, Serializer, VatRate, number_text, shortest, write_number};

    /// Writes basis points as per cent.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(rate: &VatRate, serializer: S) -> Result<S::Ok, S::Error> {
        write_number(&shortest(Cents(i64::from(rate.basis_points()))), serializer)
    }

    /// Reads per cent as basis points.
    ///
    /// # Errors
    /// Anything but a rate between 0 and 100 with at most two decimals.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VatRate, D::Error> {
        let hundredths = Cents::parse(&number_text(deserializer)?).map_err(serde::de::Error::custom)?.0;
        u16::try_from(hundredths)
            .ok()
            .and_then(VatRate::new)
            .ok_or_else(|| serde::de::Error::custom("a rate is between 0 and 100 per cent"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Body {
        #[serde(with = "euros")]
        amount: Cents,
        #[serde(with = "percent")]
        rate: VatRate,
        #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
        tendered: Option<Cents>,
    }

    #[test]
    fn amounts_cross_the_wire_exactly() {
        let body: Body = serde_json::from_str(r#"{"amount":25.50,"rate":5.5}"#).unwrap();
        assert_eq!(body, Body { amount: Cents(2550), rate: VatRate::REDUCED_5_5, tendered: None });
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"amount":25.5,"rate":5.5}"#);
        let body: Body = serde_json::from_str(r#"{"amount":25,"rate":20,"tendered":30.05}"#).unwrap();
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"amount":25,"rate":20,"tendered":30.05}"#);
    }

    #[test]
    fn what_is_not_an_amount_is_a_data_error_and_not_a_syntax_error() {
        for bad in ["25.505", "1e400", "\"25\"", "true", "[1]"] {
            let error = serde_json::from_str::<Body>(&format!(r#"{{"amount":{bad},"rate":10}}"#)).unwrap_err();
            assert!(error.is_data(), "{bad}: {error}");
        }
        assert!(serde_json::from_str::<Body>(r#"{"amount":NaN,"rate":10}"#).unwrap_err().is_syntax());
    }
}
