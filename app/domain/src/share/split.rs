//! The ways in which a table divides what is left.

use super::{LineDue, SharePart, Units, carve, total_due};
use crate::allocate::largest_remainder;
use crate::{Cents, LineId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most shares of one bill.
pub const MAX_SHARES: u32 = 99;

/// A line as far as it can still be divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineLeft {
    /// The line.
    pub line_id: LineId,
    /// How many were ordered and not taken off.
    pub units: Units,
    /// What they cost, discounts taken off.
    pub total: Cents,
    /// What is neither paid nor held.
    pub due: Cents,
    /// How many no paid or held share claims as items. A share paid by amount or equally claims none: it makes each of these cheaper.
    pub unclaimed: Units,
}

impl LineLeft {
    /// How many are left when what was paid by amount or equally counts in proportion.
    #[must_use]
    pub fn in_proportion(&self) -> Units {
        let (due, total) = (self.due.0.unsigned_abs(), self.total.0.unsigned_abs());
        let weight = u128::from(self.units.weight()) * u128::from(due);
        match weight.checked_div(u128::from(total)) {
            Some(left) => Units::of_weight(left),
            None => Units::ZERO,
        }
    }
}

/// A share's claim on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The line.
    pub line_id: LineId,
    /// How many of it.
    #[serde(rename = "qty")]
    pub units: Units,
}

/// How to divide what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Split {
    /// Into so many equal shares.
    Equal(u32),
    /// Each share pays what it had. What is left of each line is divided in proportion to the claims on it.
    Items(Vec<Vec<Claim>>),
    /// Each share pays an amount, and owns the same fraction of every line.
    Amounts(Vec<Cents>),
}

/// Why a bill cannot be divided so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitError {
    /// No share, or too many.
    Count,
    /// More equal shares than cents.
    MoreSharesThanCents,
    /// This share would owe nothing; its place in the request.
    ZeroShare(usize),
    /// A line that is not on the bill.
    UnknownLine(LineId),
    /// Not everything that is left is in a share, or more than that is.
    DoesNotAddUp {
        /// The line; none when it is about amounts.
        line_id: Option<LineId>,
        /// What the shares would come to.
        divided: Cents,
        /// What is left.
        left: Cents,
    },
}

/// What a new share owns and claims.
pub(super) type NewShare = (Vec<SharePart>, Vec<Claim>);

/// Divides by items.
pub(super) fn by_items(lines: &[LineLeft], shares: &[Vec<Claim>]) -> Result<Vec<NewShare>, SplitError> {
    check_count(shares.len())?;
    let claims: Vec<BTreeMap<LineId, Units>> = shares.iter().map(|share| together(share)).collect();
    if let Some(unknown) = claims.iter().flat_map(BTreeMap::keys).find(|id| lines.iter().all(|line| line.line_id != **id)) {
        return Err(SplitError::UnknownLine(*unknown));
    }
    let mut made: Vec<NewShare> = vec![(Vec::new(), Vec::new()); shares.len()];
    for line in lines {
        let wanted: Vec<Units> = claims.iter().map(|share| share.get(&line.line_id).copied().unwrap_or_default()).collect();
        let all: Units = wanted.iter().copied().sum();
        check_claims(line, &wanted, all)?;
        let weights: Vec<u64> = wanted.iter().map(|units| units.weight()).collect();
        for ((share, amount), units) in made.iter_mut().zip(largest_remainder(line.due, &weights)).zip(wanted) {
            if units > Units::ZERO {
                share.0.push(SharePart { line_id: line.line_id, amount });
                // Claims on what was partly paid are kept in the measure of the whole line.
                let measured = u128::from(units.weight()) * u128::from(line.unclaimed.weight()) / u128::from(all.weight().max(1));
                share.1.push(Claim { line_id: line.line_id, units: Units::of_weight(measured) });
            }
        }
    }
    not_for_nothing(made)
}

/// What claims that need not add up yet would pay, and what would be left: what a screen shows while people still decide. When they add up,
/// it is to the cent what [`Split::Items`] makes of them.
#[must_use]
pub fn preview_items(lines: &[LineLeft], shares: &[Vec<Claim>]) -> (Vec<Cents>, Cents) {
    let claims: Vec<BTreeMap<LineId, Units>> = shares.iter().map(|share| together(share)).collect();
    let (mut amounts, mut rest) = (vec![Cents::ZERO; shares.len()], Cents::ZERO);
    for line in lines {
        let wanted: Vec<Units> = claims.iter().map(|share| share.get(&line.line_id).copied().unwrap_or_default()).collect();
        let free = line.unclaimed.less(wanted.iter().copied().sum());
        let weights: Vec<u64> = wanted.iter().chain([&free]).map(|units| units.weight()).collect();
        let mut parts = largest_remainder(line.due, &weights);
        rest += parts.pop().unwrap_or_default();
        amounts.iter_mut().zip(parts).for_each(|(amount, part)| *amount += part);
    }
    (amounts, rest)
}

/// The claims on a line have to come to what is left of it: counted as what nobody claimed yet, or in proportion to what is due.
fn check_claims(line: &LineLeft, wanted: &[Units], all: Units) -> Result<(), SplitError> {
    if line.due == Cents::ZERO && (all == Units::ZERO || line.total == Cents::ZERO) {
        return Ok(());
    }
    let claims = wanted.iter().filter(|units| **units > Units::ZERO).count();
    // Decimals cannot say a third: each claim may be a thousandth off.
    let slack = Units::thousandths(claims as u64);
    let comes_to = |left: Units| all.less(left) <= slack && left.less(all) <= slack;
    if claims > 0 && line.due > Cents::ZERO && (comes_to(line.unclaimed) || comes_to(line.in_proportion())) {
        return Ok(());
    }
    let price = u128::from(all.weight()) * u128::from(line.total.0.unsigned_abs()) / u128::from(line.units.weight().max(1));
    let divided = Cents(i64::try_from(price).unwrap_or(i64::MAX));
    Err(SplitError::DoesNotAddUp { line_id: Some(line.line_id), divided, left: line.due })
}

/// Divides by amounts.
pub(super) fn by_amounts(lines: &[LineLeft], amounts: &[Cents]) -> Result<Vec<NewShare>, SplitError> {
    check_count(amounts.len())?;
    if let Some(place) = amounts.iter().position(|amount| *amount <= Cents::ZERO) {
        return Err(SplitError::ZeroShare(place));
    }
    let mut rest: Vec<LineDue> = lines.iter().map(|line| LineDue { line_id: line.line_id, due: line.due }).collect();
    let left = total_due(&rest);
    let divided = amounts.iter().fold(Cents::ZERO, |sum, amount| Cents(sum.0.saturating_add(amount.0)));
    let refused = SplitError::DoesNotAddUp { line_id: None, divided, left };
    if divided != left {
        return Err(refused);
    }
    amounts.iter().map(|amount| carve(*amount, &mut rest).map(|parts| (parts, Vec::new())).ok_or(refused)).collect()
}

fn check_count(count: usize) -> Result<(), SplitError> {
    if (1..=MAX_SHARES as usize).contains(&count) { Ok(()) } else { Err(SplitError::Count) }
}

fn not_for_nothing(shares: Vec<NewShare>) -> Result<Vec<NewShare>, SplitError> {
    match shares.iter().position(|(parts, _)| parts.iter().map(|part| part.amount).sum::<Cents>() <= Cents::ZERO) {
        Some(place) => Err(SplitError::ZeroShare(place)),
        None => Ok(shares),
    }
}

/// Several claims of one share on one line are one.
fn together(claims: &[Claim]) -> BTreeMap<LineId, Units> {
    let mut by_line = BTreeMap::<LineId, Units>::new();
    for claim in claims {
        *by_line.entry(claim.line_id).or_default() += claim.units;
    }
    by_line
}
