//! How many of a line: whole ones, thousandths, and the fractions that people divide a bottle into.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Add, AddAssign};

/// A quantity of a line in parts of [`Units::ONE`]. Thousandths, and thirds, sevenths and all others up to sixteenths, are held exactly, so
/// that three thirds are one; what is finer is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Units(u64);

impl Units {
    /// None.
    pub const ZERO: Self = Self(0);
    /// One whole: 2⁴·3²·5³·7·11·13.
    pub const ONE: Self = Self(18_018_000);
    /// More than any line has.
    const MOST: u64 = 10_000;

    /// So many whole ones.
    #[must_use]
    pub const fn whole(count: u32) -> Self {
        Self(Self::ONE.0 * count as u64)
    }

    /// `part` of `whole`; `None` when `whole` is zero or the result is more than any line has.
    #[must_use]
    pub fn ratio(part: u64, whole: u64) -> Option<Self> {
        let doubled = 2 * u128::from(part) * u128::from(Self::ONE.0);
        let rounded = doubled.checked_div(u128::from(whole))?.div_ceil(2);
        u64::try_from(rounded).ok().filter(|units| *units <= Self::MOST * Self::ONE.0).map(Self)
    }

    /// So many thousandths.
    #[must_use]
    pub const fn thousandths(count: u64) -> Self {
        Self(Self::ONE.0 / 1000 * count)
    }

    /// In thousandths, rounded down.
    #[must_use]
    pub const fn to_thousandths(self) -> u64 {
        self.0 / (Self::ONE.0 / 1000)
    }

    /// In parts of [`Self::ONE`], as a weight.
    #[must_use]
    pub const fn weight(self) -> u64 {
        self.0
    }

    /// One of so many equal parts of this, rounded down.
    #[must_use]
    pub fn divided_by(self, parts: u32) -> Self {
        Self(self.0.checked_div(u64::from(parts)).unwrap_or(0))
    }

    /// What [`Self::weight`] gives back.
    pub(super) fn of_weight(weight: u128) -> Self {
        Self(u64::try_from(weight).unwrap_or(u64::MAX).min(Self::MOST * Self::ONE.0))
    }

    /// Without `other`, and never less than nothing.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Reads `2`, `0.5`, `0,5` or `1/3`.
    ///
    /// # Errors
    /// When it is none of these, or more than any line has.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const WHAT: &str = "expected a quantity such as 2, 0.5 or \"1/3\"";
        let number = |digits: &str| -> Result<u64, &'static str> {
            if digits.is_empty() || digits.len() > 12 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(WHAT);
            }
            digits.parse().map_err(|_| WHAT)
        };
        let text = text.trim();
        if let Some((part, whole)) = text.split_once('/') {
            return Self::ratio(number(part.trim())?, number(whole.trim())?).ok_or(WHAT);
        }
        let Some((whole, decimals)) = text.split_once(['.', ',']) else { return Self::ratio(number(text)?, 1).ok_or(WHAT) };
        let scale = u32::try_from(decimals.len()).ok().and_then(|digits| 10_u64.checked_pow(digits)).ok_or(WHAT)?;
        let (whole, decimals) = (number(whole)?, number(decimals)?);
        let all = whole.checked_mul(scale).and_then(|scaled| scaled.checked_add(decimals)).ok_or(WHAT)?;
        Self::ratio(all, scale).ok_or(WHAT)
    }

    /// The smallest fraction that this is, when its lower part is at most sixteen.
    fn as_fraction(self) -> Option<(u64, u64)> {
        (1..=16).find(|whole| (self.0 * whole).is_multiple_of(Self::ONE.0)).map(|whole| (self.0 * whole / Self::ONE.0, whole))
    }
}

/// `2`, `1/3`, `1 1/2`, `0,667`.
impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_fraction() {
            Some((count, 1)) => write!(f, "{count}"),
            Some((part, whole)) if part > whole => write!(f, "{} {}/{whole}", part / whole, part % whole),
            Some((part, whole)) => write!(f, "{part}/{whole}"),
            None => {
                let thousandths = self.to_thousandths();
                write!(f, "{},{:03}", thousandths / 1000, thousandths % 1000)
            }
        }
    }
}

impl Add for Units {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
impl std::iter::Sum for Units {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

/// A whole number as a number, anything else as a fraction in a text.
impl Serialize for Units {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_fraction() {
            Some((count, 1)) => serializer.serialize_u64(count),
            Some((part, whole)) => serializer.collect_str(&format_args!("{part}/{whole}")),
            None => serializer.collect_str(&format_args!("{}/{}", self.0, Self::ONE.0)),
        }
    }
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde_json::value::RawValue;
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        Self::parse(inner).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_thirds_are_one_and_so_are_a_thousand_thousandths() {
        for parts in 1..=16 {
            let part = Units::ratio(1, parts).unwrap();
            assert_eq!((0..parts).map(|_| part).sum::<Units>(), Units::ONE, "1/{parts}");
        }
        assert_eq!(Units::parse("0.333").unwrap() + Units::parse("0,667").unwrap(), Units::ONE);
    }

    #[test]
    fn is_read_as_the_contract_and_people_write_it() {
        assert_eq!(Units::parse("2"), Ok(Units::whole(2)));
        assert_eq!(Units::parse(" 1 / 3 "), Ok(Units::ratio(1, 3).unwrap()));
        assert_eq!(Units::parse("0,5"), Ok(Units::ratio(1, 2).unwrap()));
        for junk in ["", "1/0", "-1", "1/", "/3", "a", "1e3", "9999999999999", "0.", ".5", "1/3/2", "99999/1"] {
            assert!(Units::parse(junk).is_err(), "{junk:?}");
        }
        let read = |json: &str| serde_json::from_str::<Units>(json);
        assert_eq!(read("\"1/3\"").unwrap(), read("\"2/6\"").unwrap());
        assert_eq!(read("0.75").unwrap(), Units::thousandths(750));
        assert!(read("true").is_err() && read("[1]").is_err());
        assert_eq!(Units::ratio(5, 3).unwrap().to_string(), "1 2/3");
        assert_eq!(Units::thousandths(667).to_string(), "0,667");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(units in 0u64..2_000_000_000) {
            let text = serde_json::to_string(&Units(units)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Units>(&text).unwrap(), Units(units));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,24}") {
            let _ = Units::parse(&text);
        }
    }
}
