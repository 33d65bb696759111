//! VAT on prices that include it.
//!
//! Prices on a French menu include VAT. The tax is taken out once per rate on the sum of the ticket (not per line), rounded half up to
//! the cent; net is what remains, so net + VAT is always the gross amount.

use crate::Cents;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A VAT rate in basis points (hundredths of a per cent): 10 % is 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct VatRate(u16);

impl VatRate {
    /// 5.5 %: food and soft drinks packed to be kept (CGI art. 278-0 bis).
    pub const REDUCED_5_5: Self = Self(550);
    /// 10 %: meals and soft drinks on the premises, ready-to-eat take-away (CGI art. 279).
    pub const INTERMEDIATE_10: Self = Self(1000);
    /// 20 %: alcohol, always (CGI art. 278).
    pub const STANDARD_20: Self = Self(2000);

    /// A rate of at most 100 %.
    #[must_use]
    pub const fn new(basis_points: u16) -> Option<Self> {
        if basis_points <= 10_000 { Some(Self(basis_points)) } else { None }
    }

    /// Hundredths of a per cent.
    #[must_use]
    pub const fn basis_points(self) -> u16 {
        self.0
    }

    /// The tax inside an amount that includes it, rounded half away from zero.
    #[must_use]
    pub const fn tax_in(self, gross: Cents) -> Cents {
        let rate = self.0 as i128;
        let divisor = 10_000 + rate;
        let doubled = 2 * (gross.0.unsigned_abs() as i128) * rate + divisor;
        let tax = (doubled / (2 * divisor)) as i64;
        Cents(if gross.0 < 0 { -tax } else { tax })
    }
}

impl TryFrom<u16> for VatRate {
    type Error = &'static str;
    fn try_from(basis_points: u16) -> Result<Self, Self::Error> {
        Self::new(basis_points).ok_or("a rate is at most 10000 basis points")
    }
}
impl From<VatRate> for u16 {
    fn from(rate: VatRate) -> Self {
        rate.0
    }
}

/// `5,5 %`, with a no-break space.
impl fmt::Display for VatRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        match hundredths {
            0 => write!(f, "{whole}\u{a0}%"),
            h if h.is_multiple_of(10) => write!(f, "{whole},{}\u{a0}%", h / 10),
            h => write!(f, "{whole},{h:02}\u{a0}%"),
        }
    }
}

/// One rate of a ticket or of a closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VatLine {
    /// The rate.
    #[serde(with = "crate::wire::percent")]
    pub rate: VatRate,
    /// Without tax.
    #[serde(with = "crate::wire::euros")]
    pub net: Cents,
    /// The tax.
    #[serde(with = "crate::wire::euros")]
    pub vat: Cents,
    /// With tax: always `net + vat`.
    #[serde(with = "crate::wire::euros")]
    pub gross: Cents,
}

/// Sums amounts that include VAT by rate, lowest rate first, and takes the tax out of each sum. Rates that sum to nothing are left out.
#[must_use]
pub fn breakdown(amounts: impl IntoIterator<Item = (VatRate, Cents)>) -> Vec<VatLine> {
    let mut by_rate = BTreeMap::<VatRate, Cents>::new();
    for (rate, gross) in amounts {
        *by_rate.entry(rate).or_default() += gross;
    }
    by_rate
        .into_iter()
        .filter(|(_, gross)| *gross != Cents::ZERO)
        .map(|(rate, gross)| {
            let vat = rate.tax_in(gross);
            VatLine { rate, net: gross - vat, vat, gross }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_reference_day_has_the_tax_that_its_mix_gives() {
        let lines = breakdown([(VatRate::STANDARD_20, Cents(31_882)), (VatRate::INTERMEDIATE_10, Cents(233_798))]);
        assert_eq!(lines.iter().map(|l| l.vat).sum::<Cents>(), Cents(26_568));
        assert_eq!(lines.iter().map(|l| l.gross).sum::<Cents>(), Cents(265_680));
        assert_eq!(lines[0].rate, VatRate::INTERMEDIATE_10, "lowest rate first");
    }

    #[test]
    fn rates_are_written_as_in_french() {
        assert_eq!(VatRate::REDUCED_5_5.to_string(), "5,5\u{a0}%");
        assert_eq!(VatRate::STANDARD_20.to_string(), "20\u{a0}%");
        assert_eq!(VatRate(210).to_string(), "2,1\u{a0}%");
        assert_eq!(VatRate(1005).to_string(), "10,05\u{a0}%");
    }

    proptest! {
        #[test]
        fn net_and_tax_make_the_gross_and_a_refund_is_the_exact_opposite(gross in 0i64..1_000_000_000, bp in 0u16..=10_000) {
            let rate = VatRate(bp);
            let line = breakdown([(rate, Cents(gross))]);
            if gross == 0 { prop_assert!(line.is_empty()); return Ok(()); }
            prop_assert_eq!(line[0].net + line[0].vat, Cents(gross));
            prop_assert_eq!(rate.tax_in(Cents(-gross)), -rate.tax_in(Cents(gross)));
            // |tax − gross·r/(1+r)| ≤ half a cent, in integers.
            let exact_times_divisor = i128::from(gross) * i128::from(bp);
            let divisor = 10_000 + i128::from(bp);
            prop_assert!((i128::from(line[0].vat.0) * divisor - exact_times_divisor).abs() * 2 <= divisor);
        }
    }
}
