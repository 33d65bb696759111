//! Money is a whole number of euro cents. Floats never touch it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// An amount in euro cents, possibly negative (refunds, differences).
///
/// Inside the product (server functions, browser storage, signed content) it is written as an integer of cents. The outside
/// contract writes euros: see [`crate::wire::euros`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

/// The largest amount that the till accepts from outside: ten million euros. Products of such amounts with a rate fit in 64 bits.
pub const MAX_AMOUNT: Cents = Cents(1_000_000_000);

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number.
    #[error("not an amount")]
    NotANumber,
    /// More than two decimals that are not zero.
    #[error("an amount has at most two decimals")]
    TooPrecise,
    /// Beyond [`MAX_AMOUNT`].
    #[error("the amount is too large")]
    TooLarge,
}

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads a JSON number or what a person typed: `25.5`, `25,50`, `-3`, `2.55e1`. Exact: a third decimal other than zero is refused.
    ///
    /// # Errors
    /// See [`AmountError`].
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let text = text.trim();
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().map_err(|_| AmountError::NotANumber)?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
        let well_formed = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
        if !well_formed || (digits.len() > whole.len() && fraction.is_empty()) {
            return Err(AmountError::NotANumber);
        }
        let all: String = [whole, fraction].concat();
        let significant = all.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        let trailing = all.len() - all.trim_end_matches('0').len();
        // The amount is `significant` × 10^power cents.
        let power = i64::from(exponent) - fraction.len() as i64 + trailing as i64 + 2;
        if power < 0 {
            return Err(AmountError::TooPrecise);
        }
        if significant.len() as i64 + power > 12 {
            return Err(AmountError::TooLarge);
        }
        let cents = significant.parse::<i64>().map_err(|_| AmountError::TooLarge)? * 10_i64.pow(power as u32);
        if cents > MAX_AMOUNT.0 {
            return Err(AmountError::TooLarge);
        }
        Ok(Self(if negative { -cents } else { cents }))
    }

    /// The amount in euros with two decimals and a point, as in the signed content's human copies: `-25.50`.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let abs = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", abs / 100, abs % 100)
    }

    /// The amount as it is written in French, without the currency: `-1 234,50`. The thousands separator is a plain space so that a
    /// thermal printer can print it.
    #[must_use]
    pub fn to_french(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let abs = self.0.unsigned_abs();
        let whole = (abs / 100).to_string();
        let mut grouped = String::with_capacity(whole.len() + 3);
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                grouped.push(' ');
            }
            grouped.push(digit);
        }
        format!("{sign}{grouped},{:02}", abs % 100)
    }

    /// This amount `quantity` times; `None` when that is beyond what 64 bits hold.
    #[must_use]
    pub const fn times(self, quantity: i64) -> Option<Self> {
        match self.0.checked_mul(quantity) {
            Some(cents) => Some(Self(cents)),
            None => None,
        }
    }

    /// Less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

/// `25,50 €`, with a no-break space before the sign.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\u{a0}€", self.to_french())
    }
}

impl Add for Cents {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl AddAssign for Cents {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl Sub for Cents {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}
impl SubAssign for Cents {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}
impl Neg for Cents {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}
impl<'a> Sum<&'a Self> for Cents {
    fn sum<I: Iterator<Item = &'a Self>>(iter: I) -> Self {
        iter.copied().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_the_contract_allows_and_nothing_else() {
        assert_eq!(Cents::parse("25.5"), Ok(Cents(2550)));
        assert_eq!(Cents::parse("25,50"), Ok(Cents(2550)));
        assert_eq!(Cents::parse("25"), Ok(Cents(2500)));
        assert_eq!(Cents::parse("2.55e1"), Ok(Cents(2550)));
        assert_eq!(Cents::parse("25.500000000000000"), Ok(Cents(2550)));
        assert_eq!(Cents::parse("-0.05"), Ok(Cents(-5)));
        assert_eq!(Cents::parse("25.505"), Err(AmountError::TooPrecise));
        assert_eq!(Cents::parse("25.500000000000001"), Err(AmountError::TooPrecise));
        assert_eq!(Cents::parse("1e400"), Err(AmountError::TooLarge));
        assert_eq!(Cents::parse("1e-400"), Err(AmountError::TooPrecise));
        for junk in ["", "-", ".5", "5.", "NaN", "1.2.3", "1 000", "0x10", "1e", "+5"] {
            assert_eq!(Cents::parse(junk), Err(AmountError::NotANumber), "{junk:?}");
        }
    }

    #[test]
    fn is_written_as_in_french() {
        assert_eq!(Cents(123_456_789).to_french(), "1 234 567,89");
        assert_eq!(Cents(-5).to_french(), "-0,05");
        assert_eq!(Cents(2550).to_string(), "25,50\u{a0}€");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(cents in -MAX_AMOUNT.0..=MAX_AMOUNT.0) {
            prop_assert_eq!(Cents::parse(&Cents(cents).to_decimal()), Ok(Cents(cents)));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,24}") {
            let _ = Cents::parse(&text);
        }
    }
}
