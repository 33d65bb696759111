//! Who had what, while people still decide: lines are tapped onto shares, and every tap can be taken back. Pure: the amounts are those of
//! the server, because they come from the same rules.

use domain::share::{Claim, LineLeft, Units, preview_items};
use domain::{Cents, LineId};

/// Most shares that fit on a screen.
pub(super) const MOST_SHARES: usize = 12;

/// What each share claims so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sorting {
    lines: Vec<LineLeft>,
    shares: Vec<Vec<Claim>>,
    past: Vec<Vec<Vec<Claim>>>,
}

impl Sorting {
    /// Nobody has anything yet.
    pub(super) fn begin(lines: Vec<LineLeft>, shares: usize) -> Self {
        let lines = lines.into_iter().filter(|line| line.due > Cents::ZERO).collect();
        Self { lines, shares: vec![Vec::new(); shares.clamp(2, MOST_SHARES)], past: Vec::new() }
    }

    /// How many shares there are.
    pub(super) fn count(&self) -> usize {
        self.shares.len()
    }

    /// The lines that can be divided.
    pub(super) fn lines(&self) -> &[LineLeft] {
        &self.lines
    }

    /// What a share has of a line.
    pub(super) fn has(&self, share: usize, line: LineId) -> Units {
        self.shares.get(share).into_iter().flatten().filter(|claim| claim.line_id == line).map(|claim| claim.units).sum()
    }

    /// What nobody has of a line.
    pub(super) fn free(&self, line: LineId) -> Units {
        let all = self.lines.iter().find(|left| left.line_id == line).map(|left| left.unclaimed).unwrap_or_default();
        all.less((0..self.count()).map(|share| self.has(share, line)).sum())
    }

    /// One of the line, or what is left of one, goes to a share.
    pub(super) fn give(&mut self, share: usize, line: LineId) {
        let units = self.free(line).min(Units::ONE);
        if units > Units::ZERO && share < self.count() {
            self.change(|shares| {
                if let Some(claims) = shares.get_mut(share) {
                    match claims.iter_mut().find(|claim| claim.line_id == line) {
                        Some(claim) => claim.units += units,
                        None => claims.push(Claim { line_id: line, units }),
                    }
                }
            });
        }
    }

    /// What nobody has of a line is divided between all shares; when nothing is free, all of it.
    pub(super) fn between_all(&mut self, line: LineId) {
        let Some(left) = self.lines.iter().find(|left| left.line_id == line).copied() else { return };
        let count = u32::try_from(self.count()).unwrap_or(u32::MAX);
        let units = left.unclaimed.divided_by(count);
        self.change(|shares| {
            for claims in shares {
                claims.retain(|claim| claim.line_id != line);
                claims.push(Claim { line_id: line, units });
            }
        });
    }

    /// Nobody has anything of a line any more.
    pub(super) fn take_back(&mut self, line: LineId) {
        self.change(|shares| shares.iter_mut().for_each(|claims| claims.retain(|claim| claim.line_id != line)));
    }

    /// One share more.
    pub(super) fn add_share(&mut self) {
        if self.count() < MOST_SHARES {
            self.change(|shares| shares.push(Vec::new()));
        }
    }

    /// Without the last share: what it had is nobody's.
    pub(super) fn remove_share(&mut self) {
        if self.count() > 2 {
            self.change(|shares| {
                shares.pop();
            });
        }
    }

    /// Whether anything can be taken back.
    pub(super) fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// As it was before the last tap.
    pub(super) fn undo(&mut self) {
        if let Some(shares) = self.past.pop() {
            self.shares = shares;
        }
    }

    /// What each share would pay, and what is nobody's.
    pub(super) fn amounts(&self) -> (Vec<Cents>, Cents) {
        preview_items(&self.lines, &self.shares)
    }

    /// The division to ask for: what is nobody's is one more share, and nobody pays nothing.
    pub(super) fn claims(&self) -> Vec<Vec<Claim>> {
        let free = |line: &LineLeft| Claim { line_id: line.line_id, units: self.free(line.line_id) };
        // What a division by three leaves over is less than anybody can see.
        let rest = self.lines.iter().map(free).filter(|claim| claim.units > Units::thousandths(1)).collect();
        let (amounts, _) = self.amounts();
        let paying = self.shares.iter().zip(amounts).filter(|(_, amount)| *amount > Cents::ZERO).map(|(claims, _)| claims.clone());
        paying.chain([rest]).filter(|claims: &Vec<Claim>| !claims.is_empty()).collect()
    }

    fn change(&mut self, how: impl FnOnce(&mut Vec<Vec<Claim>>)) {
        let before = self.shares.clone();
        how(&mut self.shares);
        if self.shares != before {
            self.past.push(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::share::{Ledger, Line, Plan, Split};

    fn id(number: i64) -> LineId {
        LineId::from_row(number)
    }

    fn ledger() -> Ledger {
        let line = |number, units, cents| Line { line_id: id(number), units: Units::whole(units), total: Cents(cents) };
        Ledger { lines: vec![line(1, 2, 4800), line(2, 1, 2800), line(3, 7, 1001)], taken: Vec::new(), plan: Plan::by_covers(2) }
    }

    #[test]
    fn what_is_shown_is_what_the_server_makes_of_it() {
        let ledger = ledger();
        let mut sorting = Sorting::begin(ledger.left(), 3);
        sorting.give(0, id(1));
        sorting.give(1, id(1));
        sorting.give(1, id(1));
        sorting.between_all(id(2));
        let (amounts, rest) = sorting.amounts();
        assert_eq!((amounts, rest), (vec![Cents(3334), Cents(3333), Cents(933)], Cents(1001)));
        let plan = ledger.divide(&Split::Items(sorting.claims())).unwrap();
        let made: Vec<i64> = plan.chosen.iter().map(|share| share.parts.iter().map(|part| part.amount.0).sum()).collect();
        assert_eq!(made, [3334, 3333, 933, 1001], "and what is nobody's is a share");
        for _ in 0..7 {
            sorting.give(2, id(3));
        }
        assert_eq!(sorting.amounts().1, Cents::ZERO);
        assert_eq!(sorting.claims().len(), 3);
        ledger.divide(&Split::Items(sorting.claims())).unwrap();
        for line in 1..=3 {
            sorting.between_all(id(line));
        }
        ledger.divide(&Split::Items(sorting.claims())).unwrap();
    }

    #[test]
    fn every_tap_can_be_taken_back() {
        let mut sorting = Sorting::begin(ledger().left(), 2);
        let start = sorting.clone();
        sorting.give(1, id(2));
        sorting.give(1, id(2));
        assert_eq!(sorting.has(1, id(2)), Units::ONE, "there is only one");
        sorting.add_share();
        sorting.between_all(id(2));
        sorting.take_back(id(2));
        sorting.remove_share();
        sorting.remove_share();
        while sorting.can_undo() {
            sorting.undo();
        }
        assert_eq!(sorting, start);
        assert!(sorting.claims().len() == 1, "all is nobody's");
    }
}
