//! Who pays which part of which line.
//!
//! A bill is one order with a ledger of shares over it. A share owns a part of each line, in cents. What a paid share owns is never
//! touched again; what is left of each line is divided anew whenever the people at the table change their minds: equally, by items and
//! fractions of them, or by amounts ([`Split`]). Because parts are kept by line, shares add up to the cent by line, by VAT rate and in total
//! at once. The [`Ledger`] is those facts and what the table chose; the server and the browser's preview both ask it who owes what.

mod ledger;
mod split;
mod units;

pub use ledger::{Chosen, Ledger, Line, OpenShare, Plan, Taken};
pub use split::{Claim, LineLeft, MAX_SHARES, Split, SplitError, preview_items};
pub use units::Units;

use crate::allocate::{equal_parts, largest_remainder};
use crate::{Cents, LineId};
use serde::{Deserialize, Serialize};

/// What is left to pay of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineDue {
    /// The line.
    pub line_id: LineId,
    /// Not yet paid; never negative.
    pub due: Cents,
}

/// The part of a line that a share owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharePart {
    /// The line.
    pub line_id: LineId,
    /// In cents; never negative, never more than what was due.
    pub amount: Cents,
}

/// Everything still due on these lines.
#[must_use]
pub fn total_due(lines: &[LineDue]) -> Cents {
    lines.iter().map(|line| line.due).sum()
}

/// Takes `amount` out of what is due: the same fraction of every line, to the cent. `lines` is left with the rest.
///
/// Returns `None`, and takes nothing, when the amount is negative or more than what is due.
pub fn carve(amount: Cents, lines: &mut [LineDue]) -> Option<Vec<SharePart>> {
    if amount.is_negative() || amount > total_due(lines) {
        return None;
    }
    let weights: Vec<u64> = lines.iter().map(|line| line.due.0.unsigned_abs()).collect();
    let parts = largest_remainder(amount, &weights);
    Some(
        lines
            .iter_mut()
            .zip(parts)
            .map(|(line, amount)| {
                line.due -= amount;
                SharePart { line_id: line.line_id, amount }
            })
            .collect(),
    )
}

/// What `qty` of `of` things have of the discount on all of them, rounded down; all of it for all of them.
#[must_use]
pub fn of_discount(discount: Cents, qty: u32, of: u32) -> Cents {
    let part = i128::from(discount.0) * i128::from(qty);
    Cents(part.checked_div(i128::from(of)).and_then(|cents| i64::try_from(cents).ok()).unwrap_or(0))
}

/// How much `basis_points` are of an amount, rounded half up.
#[must_use]
pub fn percent_of(amount: Cents, basis_points: u16) -> Cents {
    let doubled = 2 * i128::from(amount.0) * i128::from(basis_points) + 10_000;
    Cents(i64::try_from(doubled / 20_000).unwrap_or(i64::MAX))
}

/// Takes `off` off what is due, in proportion to what is due of each line. `None` when it is more than that, or nothing.
#[must_use]
pub fn discount_parts(off: Cents, due: &[LineDue]) -> Option<Vec<SharePart>> {
    if off <= Cents::ZERO {
        return None;
    }
    let mut parts = carve(off, &mut due.to_vec())?;
    parts.retain(|part| part.amount > Cents::ZERO);
    Some(parts)
}

/// Divides all that is due into `count` shares that differ by at most a cent, the larger ones first. No share at all when `count` is zero.
#[must_use]
pub fn equal_shares(lines: &[LineDue], count: usize) -> Vec<Vec<SharePart>> {
    let mut rest = lines.to_vec();
    equal_parts(total_due(lines), count).into_iter().filter_map(|amount| carve(amount, &mut rest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(cents: &[i64]) -> Vec<LineDue> {
        (1..).zip(cents).map(|(id, due)| LineDue { line_id: LineId::from_row(id), due: Cents(*due) }).collect()
    }

    fn amounts(shares: &[Vec<SharePart>]) -> Vec<i64> {
        shares.iter().map(|share| share.iter().map(|part| part.amount.0).sum()).collect()
    }

    #[test]
    fn known_bills() {
        assert_eq!(amounts(&equal_shares(&lines(&[7400, 2800]), 4)), [2550; 4]);
        assert_eq!(amounts(&equal_shares(&lines(&[1785]), 4)), [447, 446, 446, 446]);
        assert_eq!(amounts(&equal_shares(&lines(&[2, 3]), 4)), [2, 1, 1, 1]);
        assert!(equal_shares(&lines(&[100]), 0).is_empty());
    }

    #[test]
    fn discounts_are_rounded_to_the_cent_and_never_more_than_what_is_due() {
        assert_eq!(percent_of(Cents(1785), 1000), Cents(179));
        assert_eq!(percent_of(Cents(1784), 1000), Cents(178));
        assert_eq!(percent_of(Cents(1785), 10_000), Cents(1785));
        assert_eq!(of_discount(Cents(100), 1, 3), Cents(33));
        assert_eq!(of_discount(Cents(67), 2, 2), Cents(67), "all of it");
        assert_eq!(discount_parts(Cents(151), &lines(&[100, 50])), None);
        let parts = discount_parts(Cents(30), &lines(&[100, 50, 0])).unwrap();
        assert_eq!(parts.iter().map(|part| part.amount.0).collect::<Vec<_>>(), [20, 10]);
    }

    #[test]
    fn more_than_what_is_due_is_refused_and_nothing_is_taken() {
        let mut bill = lines(&[100, 50]);
        assert_eq!(carve(Cents(151), &mut bill), None);
        assert_eq!(carve(Cents(-1), &mut bill), None);
        assert_eq!(total_due(&bill), Cents(150));
    }

    proptest! {
        /// Whatever is paid, in whatever order, and however often the table divides the rest anew.
        #[test]
        fn shares_add_up_to_the_cent_by_line_and_in_total(
            cents in prop::collection::vec(0i64..20_000, 1..12),
            rounds in prop::collection::vec((1usize..9, 0usize..9), 1..6),
        ) {
            let bill = lines(&cents);
            let mut due = bill.clone();
            let mut paid = vec![0i64; bill.len()];
            for (count, pay) in rounds {
                let shares = equal_shares(&due, count);
                prop_assert_eq!(amounts(&shares).iter().sum::<i64>(), total_due(&due).0);
                for (i, line) in due.iter().enumerate() {
                    prop_assert_eq!(shares.iter().map(|s| s[i].amount.0).sum::<i64>(), line.due.0, "by line");
                }
                prop_assert!(shares.iter().flatten().all(|part| part.amount.0 >= 0), "nothing negative");
                let share = &shares[pay % count];
                for (i, part) in share.iter().enumerate() {
                    paid[i] += part.amount.0;
                    due[i].due -= part.amount;
                }
            }
            for (i, line) in bill.iter().enumerate() {
                prop_assert_eq!(paid[i] + due[i].due.0, line.due.0, "paid and left make the line");
            }
        }
    }
}
