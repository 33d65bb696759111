//! What people put on the table.

use domain::Cents;

/// Most suggestions beside the exact amount.
const MOST: usize = 4;

/// Amounts that a guest is likely to hand over for what is due, the smallest first: the next multiple of each note. The exact amount is
/// not among them.
pub(super) fn handy_amounts(due: Cents) -> Vec<Cents> {
    const NOTES: [i64; 6] = [500, 1000, 2000, 5000, 10_000, 20_000];
    let mut amounts: Vec<Cents> =
        NOTES.iter().filter_map(|note| next_multiple(due.0, *note)).map(Cents).filter(|amount| *amount > due).collect();
    amounts.sort_unstable();
    amounts.dedup();
    amounts.truncate(MOST);
    amounts
}

fn next_multiple(due: i64, note: i64) -> Option<i64> {
    due.checked_add(note - 1).map(|above| above / note * note)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(due: i64) -> Vec<i64> {
        handy_amounts(Cents(due)).into_iter().map(|amount| amount.0).collect()
    }

    #[test]
    fn guests_hand_over_notes() {
        assert_eq!(of(5200), [5500, 6000, 10_000, 20_000]);
        assert_eq!(of(1300), [1500, 2000, 5000, 10_000]);
        assert_eq!(of(790), [1000, 2000, 5000, 10_000]);
        assert_eq!(of(5000), [6000, 10_000, 20_000], "the exact amount has its own key");
        assert_eq!(of(31_250), [31_500, 32_000, 35_000, 40_000]);
    }

    #[test]
    fn every_suggestion_is_more_than_what_is_due() {
        for due in [1, 499, 500, 501, 9999, 20_000, 1_000_000_000, i64::MAX] {
            let amounts = of(due);
            assert!(amounts.iter().all(|amount| *amount > due), "{due}: {amounts:?}");
            assert!(amounts.is_sorted(), "{due}: {amounts:?}");
        }
    }
}
