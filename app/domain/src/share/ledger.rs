//! The ledger of one order: what was ordered, what shares took of it, and what the table chose for the rest.

use super::split::{NewShare, by_amounts, by_items};
use super::{Claim, LineDue, LineLeft, MAX_SHARES, SharePart, Split, SplitError, Units, carve, equal_shares, total_due};
use crate::allocate::largest_remainder;
use crate::{Cents, LineId};
use serde::{Deserialize, Serialize};

/// A line of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The line.
    pub line_id: LineId,
    /// How many were ordered and not taken off.
    pub units: Units,
    /// What they cost, discounts taken off.
    pub total: Cents,
}

/// A share that is paid, or that an attempt to charge a card holds. It never changes; an attempt that fails takes it away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its number.
    pub number: u32,
    /// What it owns.
    pub parts: Vec<SharePart>,
    /// Paid; otherwise held.
    pub paid: bool,
}

/// A share that the table chose. It stays in the plan when it is paid, so that it is known what it claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Its number.
    pub number: u32,
    /// What it owns of each line, as long as nothing is taken off.
    pub parts: Vec<SharePart>,
    /// What it claims as items; nothing for an equal share or an amount.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
}

/// What the table chose for what is not paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Guests: without a choice, each pays the same.
    pub covers: u32,
    /// So many equal shares, those that are held among them.
    pub equal: Option<u32>,
    /// Shares one by one; what none of them owns is one more share.
    pub by_choice: bool,
    /// These shares, and those that were chosen once and are paid.
    pub chosen: Vec<Chosen>,
}

impl Plan {
    /// Nothing chosen yet.
    #[must_use]
    pub const fn by_covers(covers: u32) -> Self {
        Self { covers, equal: None, by_choice: false, chosen: Vec::new() }
    }
}

/// A share that is free to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenShare {
    /// Its number: no other share of the order has it.
    pub number: u32,
    /// What it owns of each line; at least a cent in all.
    pub parts: Vec<SharePart>,
    /// What it claims as items.
    pub claims: Vec<Claim>,
    /// What is left when every chosen share has its own.
    pub is_rest: bool,
}

impl OpenShare {
    /// What it owes.
    #[must_use]
    pub fn amount(&self) -> Cents {
        amount(&self.parts)
    }
}

/// All that is known about who pays what of one order.
///
/// Whatever is done to it, by line: what shares own and what open shares owe is what the line costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// What was ordered.
    pub lines: Vec<Line>,
    /// What is paid and held.
    pub taken: Vec<Taken>,
    /// What was chosen for the rest.
    pub plan: Plan,
}

impl Ledger {
    /// What can still be divided, line by line in their order.
    #[must_use]
    pub fn left(&self) -> Vec<LineLeft> {
        self.lines
            .iter()
            .map(|line| {
                let owned: Cents = self.taken.iter().flat_map(|share| &share.parts).filter(of(line.line_id)).map(|part| part.amount).sum();
                let claimed: Units = self.claims_of_taken().filter(|claim| claim.line_id == line.line_id).map(|claim| claim.units).sum();
                LineLeft {
                    line_id: line.line_id,
                    units: line.units,
                    total: line.total,
                    due: line.total - owned,
                    unclaimed: line.units.less(claimed),
                }
            })
            .collect()
    }

    fn claims_of_taken(&self) -> impl Iterator<Item = &Claim> {
        self.plan.chosen.iter().filter(|chosen| self.is_taken(chosen.number)).flat_map(|chosen| &chosen.claims)
    }

    /// What is neither paid nor held, line by line in their order.
    #[must_use]
    pub fn due(&self) -> Vec<LineDue> {
        self.left().into_iter().map(|line| LineDue { line_id: line.line_id, due: line.due }).collect()
    }

    fn is_taken(&self, number: u32) -> bool {
        self.taken.iter().any(|share| share.number == number)
    }

    fn held(&self) -> u32 {
        count(self.taken.iter().filter(|share| !share.paid).count())
    }

    /// Numbers that neither a taken share nor one of `rows` has, lowest first.
    fn free_numbers(&self, rows: &[OpenShare]) -> impl Iterator<Item = u32> {
        let used: Vec<u32> = self.taken.iter().map(|share| share.number).chain(rows.iter().map(|row| row.number)).collect();
        (1..).filter(move |number| !used.contains(number))
    }

    /// The shares that are free to be paid. Nobody owes nothing: there are never more of them than cents.
    #[must_use]
    pub fn open(&self) -> Vec<OpenShare> {
        let due = self.due();
        if self.plan.by_choice { self.chosen_shares(due) } else { self.equal_shares(&due) }
    }

    fn equal_shares(&self, due: &[LineDue]) -> Vec<OpenShare> {
        let paid = count(self.taken.len()) - self.held();
        // A chosen number counts what is not paid: each payment lowers it. What is held is among it.
        let wanted = self.plan.equal.unwrap_or_else(|| self.plan.covers.saturating_sub(paid)).saturating_sub(self.held());
        let cents = usize::try_from(total_due(due).0).unwrap_or(0);
        equal_shares(due, (wanted.max(1) as usize).min(cents))
            .into_iter()
            .zip(self.free_numbers(&[]))
            .map(|(parts, number)| OpenShare { number, parts, claims: Vec::new(), is_rest: false })
            .collect()
    }

    /// Each chosen share has its own, to the cent, until more was taken off a line than nobody owned: then all of them owe less of it, in
    /// proportion. What came since, and what nobody chose, is one more share.
    fn chosen_shares(&self, mut due: Vec<LineDue>) -> Vec<OpenShare> {
        let mut rows: Vec<OpenShare> = self
            .plan
            .chosen
            .iter()
            .filter(|chosen| !self.is_taken(chosen.number))
            .map(|chosen| OpenShare { number: chosen.number, parts: Vec::new(), claims: chosen.claims.clone(), is_rest: false })
            .collect();
        let numbers: Vec<u32> = rows.iter().map(|row| row.number).collect();
        for line in &mut due {
            let owned: Vec<Cents> = numbers
                .iter()
                .map(|number| {
                    let chosen = self.plan.chosen.iter().filter(|chosen| chosen.number == *number);
                    chosen.flat_map(|chosen| &chosen.parts).filter(of(line.line_id)).map(|part| part.amount).sum()
                })
                .collect();
            let amounts = if owned.iter().copied().sum::<Cents>() > line.due {
                let weights: Vec<u64> = owned.iter().map(|cents| cents.0.unsigned_abs()).collect();
                largest_remainder(line.due, &weights)
            } else {
                owned
            };
            for (row, amount) in rows.iter_mut().zip(amounts) {
                row.parts.push(SharePart { line_id: line.line_id, amount });
                line.due -= amount;
            }
        }
        if total_due(&due) > Cents::ZERO {
            let number = self.free_numbers(&rows).next().unwrap_or(1);
            let parts = due.iter().map(|line| SharePart { line_id: line.line_id, amount: line.due }).collect();
            rows.push(OpenShare { number, parts, claims: Vec::new(), is_rest: true });
        }
        rows.retain(|row| row.amount() > Cents::ZERO);
        rows
    }

    /// Divides anew what is neither paid nor held. The plan that comes back replaces this ledger's.
    ///
    /// # Errors
    /// See [`SplitError`].
    pub fn divide(&self, how: &Split) -> Result<Plan, SplitError> {
        let left = self.left();
        match how {
            Split::Equal(parts) => {
                if *parts == 0 || *parts > MAX_SHARES {
                    return Err(SplitError::Count);
                }
                if i64::from(*parts) > left.iter().map(|line| line.due).sum::<Cents>().0 {
                    return Err(SplitError::MoreSharesThanCents);
                }
                let chosen = self.kept(|number| self.taken.iter().any(|share| share.paid && share.number == number));
                Ok(Plan { covers: self.plan.covers, equal: Some(parts + self.held()), by_choice: false, chosen })
            }
            Split::Items(shares) => Ok(self.choose(by_items(&left, shares)?)),
            Split::Amounts(amounts) => Ok(self.choose(by_amounts(&left, amounts)?)),
        }
    }

    fn kept(&self, keep: impl Fn(u32) -> bool) -> Vec<Chosen> {
        self.plan.chosen.iter().filter(|chosen| keep(chosen.number)).cloned().collect()
    }

    fn choose(&self, shares: Vec<NewShare>) -> Plan {
        let mut chosen = self.kept(|number| self.is_taken(number));
        chosen.extend(shares.into_iter().zip(self.free_numbers(&[])).map(|((parts, claims), number)| Chosen { number, parts, claims }));
        Plan { covers: self.plan.covers, equal: None, by_choice: true, chosen }
    }

    /// The plan to keep after something was taken off a line, or off its price: chosen shares own what they owe now, so that from here on
    /// nobody's amount changes by a cent because somebody else pays.
    #[must_use]
    pub fn after_reduction(&self) -> Plan {
        if !self.plan.by_choice {
            return self.plan.clone();
        }
        let mut open = self.open();
        open.retain(|share| !share.is_rest);
        self.fixed(open)
    }

    /// The plan in which every open share is chosen as it is.
    fn fixed(&self, open: Vec<OpenShare>) -> Plan {
        let mut chosen = self.kept(|number| self.is_taken(number));
        chosen.extend(open.into_iter().map(|share| Chosen { number: share.number, parts: share.parts, claims: share.claims }));
        Plan { covers: self.plan.covers, equal: None, by_choice: true, chosen }
    }

    /// Makes one share of several, so that they are paid at once: it has the number of the first. `None` unless all are open and named once.
    #[must_use]
    pub fn join(&self, numbers: &[u32]) -> Option<Plan> {
        let (first, others) = numbers.split_first()?;
        let mut open = self.open();
        let mut joined = open.iter().find(|share| share.number == *first)?.clone();
        for (place, number) in others.iter().enumerate() {
            if number == first || others.iter().take(place).any(|earlier| earlier == number) {
                return None;
            }
            let other = open.iter().find(|share| share.number == *number)?;
            joined.parts.extend(&other.parts);
            joined.claims.extend(&other.claims);
        }
        joined.parts = by_line(&joined.parts);
        open.retain(|share| !others.contains(&share.number));
        open.iter_mut().filter(|share| share.number == *first).for_each(|share| share.clone_from(&joined));
        Some(self.fixed(open))
    }

    /// Takes `amount` out of an open share, which keeps its number and owes only that; the rest is a share of its own. So several means
    /// settle one share. `None` unless the share is open and owes more than that.
    #[must_use]
    pub fn part(&self, number: u32, amount: Cents) -> Option<Plan> {
        let mut open = self.open();
        let rest_number = self.free_numbers(&open).next()?;
        let share = open.iter_mut().find(|share| share.number == number)?;
        if amount <= Cents::ZERO || amount >= share.amount() {
            return None;
        }
        let mut rest: Vec<LineDue> = share.parts.iter().map(|part| LineDue { line_id: part.line_id, due: part.amount }).collect();
        share.parts = carve(amount, &mut rest)?;
        let parts = rest.into_iter().map(|line| SharePart { line_id: line.line_id, amount: line.due }).collect();
        // The items stay with whoever still owes them.
        let claims = std::mem::take(&mut share.claims);
        open.push(OpenShare { number: rest_number, parts, claims, is_rest: false });
        Some(self.fixed(open))
    }

    /// The plan after an open or held share was settled. `rest` is what the share still owes, when a terminal took less than it was asked for:
    /// it becomes a share, and the others owe what they owed.
    #[must_use]
    pub fn settled(&self, number: u32, rest: Option<Vec<SharePart>>) -> Plan {
        if let Some(parts) = rest {
            let mut open = self.open();
            open.retain(|share| share.number != number);
            let rest_number = self.free_numbers(&open).find(|free| *free != number).unwrap_or(number + 1);
            open.push(OpenShare { number: rest_number, parts, claims: Vec::new(), is_rest: false });
            return self.fixed(open);
        }
        Plan { equal: self.plan.equal.map(|shares| shares.saturating_sub(1).max(1)), ..self.plan.clone() }
    }
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

fn amount(parts: &[SharePart]) -> Cents {
    parts.iter().map(|part| part.amount).sum()
}

fn of(line_id: LineId) -> impl Fn(&&SharePart) -> bool {
    move |part| part.line_id == line_id
}

/// One part per line.
fn by_line(parts: &[SharePart]) -> Vec<SharePart> {
    let mut lines: Vec<SharePart> = Vec::new();
    for part in parts {
        match lines.iter_mut().find(|line| line.line_id == part.line_id) {
            Some(line) => line.amount += part.amount,
            None => lines.push(*part),
        }
    }
    lines
}
