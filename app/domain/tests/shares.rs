//! The ledger of shares, from outside: whatever a table, its cashiers and their terminal do, and in whatever order.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use domain::share::{Claim, Ledger, Line, OpenShare, Plan, SharePart, Split, SplitError, Taken, Units};
use domain::{Cents, LineId};
use proptest::prelude::*;

fn id(number: i64) -> LineId {
    LineId::new(number).unwrap()
}

/// Lines of `(units, cents for all of them)`, numbered from 1.
fn ledger(lines: &[(u32, i64)], covers: u32) -> Ledger {
    let lines =
        (1..).zip(lines).map(|(number, (units, total))| Line { line_id: id(number), units: Units::whole(*units), total: Cents(*total) });
    Ledger { lines: lines.collect(), taken: Vec::new(), plan: Plan::by_covers(covers) }
}

fn owes(ledger: &Ledger) -> Vec<(u32, i64)> {
    ledger.open().iter().map(|share| (share.number, share.amount().0)).collect()
}

fn claims(share: &[(i64, &str)]) -> Vec<Claim> {
    share.iter().map(|(line, units)| Claim { line_id: id(*line), units: Units::parse(units).unwrap() }).collect()
}

fn items(shares: &[&[(i64, &str)]]) -> Split {
    Split::Items(shares.iter().map(|share| claims(share)).collect())
}

fn divide(ledger: &mut Ledger, how: &Split) {
    ledger.plan = ledger.divide(how).unwrap();
}

fn open(ledger: &Ledger, number: u32) -> OpenShare {
    ledger.open().into_iter().find(|share| share.number == number).unwrap()
}

fn pay(ledger: &mut Ledger, number: u32) -> i64 {
    let share = open(ledger, number);
    ledger.plan = ledger.settled(number, None);
    ledger.taken.push(Taken { number, parts: share.parts.clone(), paid: true });
    share.amount().0
}

#[test]
fn the_reference_table_pays_by_covers() {
    let mut table_12 = ledger(&[(1, 2400), (1, 2800), (1, 2600), (1, 1500), (1, 900)], 4);
    assert_eq!(owes(&table_12), [(1, 2550), (2, 2550), (3, 2550), (4, 2550)]);
    assert_eq!(pay(&mut table_12, 1), 2550);
    assert_eq!(owes(&table_12), [(2, 2550), (3, 2550), (4, 2550)]);
}

#[test]
fn bills_that_do_not_divide_evenly() {
    assert_eq!(owes(&ledger(&[(1, 1785)], 4)), [(1, 447), (2, 446), (3, 446), (4, 446)]);
    assert_eq!(owes(&ledger(&[(1, 5)], 4)), [(1, 2), (2, 1), (3, 1), (4, 1)]);
    assert_eq!(owes(&ledger(&[(1, 3)], 4)), [(1, 1), (2, 1), (3, 1)], "nobody owes nothing");
}

#[test]
fn a_bottle_by_three_and_the_dishes_to_whom_they_belong() {
    let mut table = ledger(&[(1, 2800), (2, 3000), (1, 900)], 3);
    divide(&mut table, &items(&[&[(1, "1/3"), (2, "1")], &[(1, "1/3"), (2, "1")], &[(1, "1/3"), (3, "1")]]));
    assert_eq!(owes(&table), [(1, 934 + 1500), (2, 933 + 1500), (3, 933 + 900)]);
    // One pays; the others change their minds about the rest.
    pay(&mut table, 2);
    divide(&mut table, &Split::Equal(2));
    assert_eq!(owes(&table), [(1, 2134), (3, 2133)]);
    // What was claimed and paid as an item is no longer there to be claimed.
    let twice = items(&[&[(1, "2/3"), (2, "2"), (3, "1")]]);
    assert!(matches!(table.divide(&twice), Err(SplitError::DoesNotAddUp { line_id: Some(line), .. }) if line == id(2)));
    divide(&mut table, &items(&[&[(1, "2/3"), (2, "1")], &[(3, "1")]]));
    assert_eq!(owes(&table), [(1, 1867 + 1500), (3, 900)]);
}

#[test]
fn items_after_an_equal_share_divide_what_is_left_of_each_line() {
    for (bottle, beers) in [("1", ["1", "2"]), ("0.75", ["0.75", "1.5"])] {
        let mut table = ledger(&[(1, 2800), (3, 1200)], 4);
        pay(&mut table, 1);
        divide(&mut table, &items(&[&[(1, bottle)], &[(2, beers[0])], &[(2, beers[1])]]));
        assert_eq!(owes(&table), [(2, 2100), (3, 300), (4, 600)], "whole ones and what is left of them are both understood");
    }
}

#[test]
fn amounts_must_be_all_that_is_left() {
    let mut table = ledger(&[(1, 2400), (1, 2800)], 2);
    let split = |amounts: &[i64]| Split::Amounts(amounts.iter().copied().map(Cents).collect());
    for wrong in [&[2000, 3000][..], &[5000, 201], &[i64::MAX, i64::MAX]] {
        assert!(matches!(table.divide(&split(wrong)), Err(SplitError::DoesNotAddUp { line_id: None, left: Cents(5200), .. })));
    }
    assert_eq!(table.divide(&split(&[5200, 0])), Err(SplitError::ZeroShare(1)));
    assert_eq!(table.divide(&split(&[5300, -100])), Err(SplitError::ZeroShare(1)));
    assert_eq!(table.divide(&Split::Items(vec![claims(&[(1, "1"), (2, "1")]), Vec::new()])), Err(SplitError::ZeroShare(1)));
    assert_eq!(table.divide(&items(&[&[(9, "1")]])), Err(SplitError::UnknownLine(id(9))));
    assert_eq!(table.divide(&Split::Equal(0)), Err(SplitError::Count));
    divide(&mut table, &split(&[1999, 3201]));
    assert_eq!(owes(&table), [(1, 1999), (2, 3201)]);
    let parts = open(&table, 1).parts;
    assert_eq!(parts.iter().map(|part| part.amount.0).collect::<Vec<_>>(), [923, 1076], "the same fraction of every line");
}

#[test]
fn what_comes_later_is_one_more_share_and_what_is_taken_off_makes_shares_smaller() {
    let mut table = ledger(&[(2, 1000), (1, 700)], 2);
    divide(&mut table, &items(&[&[(1, "1")], &[(1, "1"), (2, "1")]]));
    table.lines.push(Line { line_id: id(3), units: Units::ONE, total: Cents(450) });
    assert_eq!(owes(&table), [(1, 500), (2, 1200), (3, 450)]);
    assert!(table.open()[2].is_rest);
    table.lines[0] = Line { units: Units::ONE, total: Cents(500), ..table.lines[0] };
    assert_eq!(owes(&table), [(1, 250), (2, 950), (3, 450)]);
}

#[test]
fn several_shares_at_once_and_several_means_on_one() {
    let mut table = ledger(&[(1, 10_200)], 4);
    assert_eq!(table.join(&[2, 2]), None);
    assert_eq!(table.join(&[2, 9]), None);
    table.plan = table.join(&[2, 4]).unwrap();
    assert_eq!(owes(&table), [(1, 2550), (2, 5100), (3, 2550)]);
    pay(&mut table, 2);
    assert_eq!(table.part(1, Cents(2550)), None, "that would be all of it");
    assert_eq!(table.part(1, Cents(0)), None);
    table.plan = table.part(1, Cents(1000)).unwrap();
    assert_eq!(owes(&table), [(1, 1000), (3, 2550), (4, 1550)]);
}

#[test]
fn a_terminal_that_takes_less_leaves_the_rest_to_that_guest() {
    let mut table = ledger(&[(1, 10_200)], 4);
    let share = open(&table, 1);
    table.taken.push(Taken { number: 1, parts: share.parts, paid: false });
    let rest = vec![SharePart { line_id: id(1), amount: Cents(550) }];
    table.plan = table.settled(1, Some(rest));
    table.taken[0] = Taken { number: 1, parts: vec![SharePart { line_id: id(1), amount: Cents(2000) }], paid: true };
    assert_eq!(owes(&table), [(2, 2550), (3, 2550), (4, 2550), (5, 550)]);
}

/// What can happen to a bill. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Act {
    Equal(u32),
    /// How many shares, and which of them claim how much of each line.
    Items(usize, Vec<Vec<u8>>),
    /// Where the amount that is left is cut.
    Amounts(Vec<u16>),
    Pay(usize),
    Hold(usize),
    /// The terminal approves that many thousandths.
    Approve(usize, u16),
    Refuse(usize),
    Join(usize, usize),
    Part(usize, u16),
    TakeOff(usize),
    Discount(usize, u16),
    Order(u32, i64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (1u32..9).prop_map(Act::Equal),
        5 => (1usize..5, prop::collection::vec(prop::collection::vec(0u8..4, 5), 12)).prop_map(|(shares, weights)| Act::Items(shares, weights)),
        3 => prop::collection::vec(any::<u16>(), 0..5).prop_map(Act::Amounts),
        4 => (0usize..9).prop_map(Act::Pay),
        4 => (0usize..9).prop_map(Act::Hold),
        2 => (0usize..9, prop_oneof![Just(1000u16), 1u16..1000]).prop_map(|(share, part)| Act::Approve(share, part)),
        2 => (0usize..9).prop_map(Act::Refuse),
        2 => (0usize..9, 0usize..9).prop_map(|(a, b)| Act::Join(a, b)),
        2 => (0usize..9, any::<u16>()).prop_map(|(share, cents)| Act::Part(share, cents)),
        2 => (0usize..12).prop_map(Act::TakeOff),
        2 => (0usize..12, any::<u16>()).prop_map(|(line, cents)| Act::Discount(line, cents)),
        2 => (1u32..5, 0i64..4000).prop_map(|(units, price)| Act::Order(units, price)),
    ]
}

fn pick<T: Clone>(from: &[T], at: usize) -> Option<T> {
    if from.is_empty() { None } else { from.get(at % from.len()).cloned() }
}

fn held(ledger: &Ledger, at: usize) -> Option<usize> {
    let held: Vec<usize> = (0..ledger.taken.len()).filter(|place| !ledger.taken[*place].paid).collect();
    pick(&held, at)
}

/// Does it, as the server does. Returns what may change among the shares that are taken.
fn perform(ledger: &mut Ledger, act: &Act) {
    match act {
        Act::Equal(parts) => {
            if let Ok(plan) = ledger.divide(&Split::Equal(*parts)) {
                ledger.plan = plan;
            }
        }
        Act::Items(shares, weights) => {
            let mut split = vec![Vec::new(); *shares];
            for (line, weights) in ledger.left().iter().zip(weights) {
                let sum: u64 = weights.iter().take(*shares).map(|weight| u64::from(*weight)).sum();
                for (place, (share, weight)) in split.iter_mut().zip(weights).enumerate() {
                    // Nobody wants it: the first takes all.
                    let (weight, sum) = if sum == 0 { (u64::from(place == 0), 1) } else { (u64::from(*weight), sum) };
                    let units = Units::ratio(line.unclaimed.weight() * weight, sum * Units::ONE.weight()).unwrap();
                    if units > Units::ZERO {
                        share.push(Claim { line_id: line.line_id, units });
                    }
                }
            }
            if let Ok(plan) = ledger.divide(&Split::Items(split)) {
                ledger.plan = plan;
            }
        }
        Act::Amounts(cuts) => {
            let left: i64 = ledger.due().iter().map(|line| line.due.0).sum();
            let mut cuts: Vec<i64> = cuts.iter().map(|cut| i64::from(*cut) * left / 65_536).chain([0, left]).collect();
            cuts.sort_unstable();
            let amounts: Vec<Cents> = cuts.windows(2).map(|pair| Cents(pair[1] - pair[0])).filter(|amount| amount.0 > 0).collect();
            if left > 0 {
                ledger.plan = ledger.divide(&Split::Amounts(amounts)).unwrap();
            }
        }
        Act::Pay(at) => {
            if let Some(share) = pick(&ledger.open(), *at) {
                pay(ledger, share.number);
            }
        }
        Act::Hold(at) => {
            if let Some(share) = pick(&ledger.open(), *at) {
                ledger.taken.push(Taken { number: share.number, parts: share.parts, paid: false });
            }
        }
        Act::Approve(at, thousandths) => {
            let Some(at) = held(ledger, *at) else { return };
            let (number, mut parts) = (ledger.taken[at].number, ledger.taken[at].parts.clone());
            let mut rest: Vec<SharePart> = Vec::new();
            for part in &mut parts {
                let booked = Cents(part.amount.0 * i64::from(*thousandths) / 1000);
                rest.push(SharePart { amount: part.amount - booked, ..*part });
                part.amount = booked;
            }
            let owed: i64 = rest.iter().map(|part| part.amount.0).sum();
            ledger.plan = ledger.settled(number, (owed > 0).then_some(rest));
            ledger.taken[at] = Taken { number, parts, paid: true };
        }
        Act::Refuse(at) => {
            if let Some(at) = held(ledger, *at) {
                ledger.taken.remove(at);
            }
        }
        Act::Join(a, b) => {
            let open = ledger.open();
            if let (Some(a), Some(b)) = (pick(&open, *a), pick(&open, *b))
                && let Some(plan) = ledger.join(&[a.number, b.number])
            {
                ledger.plan = plan;
            }
        }
        Act::Part(at, cents) => {
            if let Some(share) = pick(&ledger.open(), *at)
                && let Some(plan) = ledger.part(share.number, Cents(i64::from(*cents)))
            {
                ledger.plan = plan;
            }
        }
        Act::TakeOff(at) => {
            // One of the line, for what one of them costs, as long as that is not paid.
            let Some(place) = (!ledger.lines.is_empty()).then(|| at % ledger.lines.len()) else { return };
            let (due, line) = (ledger.due()[place].due, &mut ledger.lines[place]);
            let count = line.units.weight() / Units::ONE.weight();
            let price = Cents(line.total.0 / i64::try_from(count.max(1)).unwrap());
            if count > 0 && price <= due {
                line.units = line.units.less(Units::ONE);
                line.total -= price;
                ledger.plan = ledger.after_reduction();
            }
        }
        Act::Discount(at, cents) => {
            let Some(place) = (!ledger.lines.is_empty()).then(|| at % ledger.lines.len()) else { return };
            let due = ledger.due()[place].due;
            ledger.lines[place].total -= Cents(i64::from(*cents)).min(due);
            ledger.plan = ledger.after_reduction();
        }
        Act::Order(units, price) => {
            let line_id = id(ledger.lines.len() as i64 + 1);
            ledger.lines.push(Line { line_id, units: Units::whole(*units), total: Cents(price * i64::from(*units)) });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// For every sequence of splits, payments, refusals, changes of mind, discounts and removals.
    #[test]
    fn shares_and_what_is_paid_are_the_bill_by_line_and_nothing_is_paid_twice(
        bill in prop::collection::vec((1u32..5, 0i64..5000), 1..6),
        covers in 1u32..7,
        acts in prop::collection::vec(act(), 1..25),
    ) {
        let bill: Vec<(u32, i64)> = bill.into_iter().map(|(units, price)| (units, price * i64::from(units))).collect();
        let mut ledger = ledger(&bill, covers);
        for act in acts {
            let before = ledger.clone();
            perform(&mut ledger, &act);
            let open = ledger.open();
            // What was paid stays paid, as it was.
            for share in before.taken.iter().filter(|share| share.paid) {
                prop_assert!(ledger.taken.contains(share), "{act:?} changed {share:?}");
            }
            // What a terminal is at changes only through the terminal.
            if !matches!(act, Act::Approve(..) | Act::Refuse(_)) {
                prop_assert!(before.taken.iter().all(|share| ledger.taken.contains(share)), "{act:?}");
            }
            let mut numbers: Vec<u32> = ledger.taken.iter().map(|share| share.number).chain(open.iter().map(|share| share.number)).collect();
            numbers.sort_unstable();
            let count = numbers.len();
            numbers.dedup();
            prop_assert_eq!(numbers.len(), count, "a number names one share");
            for line in &ledger.lines {
                let own = |parts: &[SharePart]| parts.iter().filter(|part| part.line_id == line.line_id).map(|part| part.amount.0).sum::<i64>();
                let taken: i64 = ledger.taken.iter().map(|share| own(&share.parts)).sum();
                let owed: i64 = open.iter().map(|share| own(&share.parts)).sum();
                prop_assert_eq!(taken + owed, line.total.0, "line {} after {:?}", line.line_id, act);
            }
            let parts = open.iter().flat_map(|share| &share.parts).chain(ledger.taken.iter().flat_map(|share| &share.parts));
            prop_assert!(parts.into_iter().all(|part| part.amount.0 >= 0), "nothing is negative");
            prop_assert!(open.iter().all(|share| share.amount().0 > 0), "nobody owes nothing");
            // Who did not touch the shares did not change what the others owe.
            if let Act::Pay(_) | Act::Hold(_) = act && ledger.plan.by_choice {
                for share in &open {
                    prop_assert!(before.open().iter().any(|was| was.amount() == share.amount()), "{act:?} changed what share {} owes", share.number);
                }
            }
        }
    }

    /// The amounts on the screen stay while the others pay.
    #[test]
    fn equal_shares_owe_the_same_whoever_pays_first(cents in 1i64..100_000, parts in 1u32..9, order in prop::collection::vec(0usize..9, 9)) {
        let mut table = ledger(&[(1, cents)], 1);
        if table.divide(&Split::Equal(parts)).is_err() { return Ok(()); }
        divide(&mut table, &Split::Equal(parts));
        let shown = owes(&table);
        for at in order {
            let Some(share) = pick(&table.open(), at) else { break };
            let paid = pay(&mut table, share.number);
            prop_assert_eq!(shown.iter().find(|(number, _)| *number == share.number), Some(&(share.number, paid)));
        }
    }
}
