//! The rules of the kitchen screen: what stands in which column, in which order, when it is late, and what a cook must be told of.
//!
//! The server keeps the lines; the screen arranges them. A *card* is what one station sees of one slip: the dishes of one course that are
//! to be done, or everything of the slip that waits at the pass. Nothing here knows how it is drawn.

mod board;
mod news;

pub use board::{AllDay, Board, Card, CardKey, all_day, board};
pub use news::{News, news};

use crate::order::{KitchenMove, LineState};

/// A slip waits from here on, in minutes.
pub const WAITING_MIN: i64 = 10;
/// And here it is late.
pub const LATE_MIN: i64 = 15;
/// A dish at the pass gets cold sooner: it waits from here on, in minutes.
pub const PASS_WAITING_MIN: i64 = 3;
/// And here it is late.
pub const PASS_LATE_MIN: i64 = 6;
/// A removal is shown for so long, in minutes, unless the kitchen says before that it has seen it.
pub const VOID_SHOWN_MIN: i64 = 10;
/// So many finished slips can be called back.
pub const FINISHED_SHOWN: usize = 10;

/// How long something has waited, as the eye needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Age {
    /// All is well.
    Fresh,
    /// It waits.
    Waiting,
    /// It has waited too long.
    Late,
}

/// Columns of the screen, from left to right. A dish is to be done in the column of its course, then it is at the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// First course, and what comes before it.
    Starters,
    /// Second course.
    Mains,
    /// Third course.
    Desserts,
    /// Whatever comes after.
    Later,
    /// Ready.
    Pass,
}

impl Column {
    /// From left to right.
    pub const ALL: [Self; 5] = [Self::Starters, Self::Mains, Self::Desserts, Self::Later, Self::Pass];

    /// Where a course is done.
    #[must_use]
    pub const fn of_course(course: u8) -> Self {
        match course {
            0 | 1 => Self::Starters,
            2 => Self::Mains,
            3 => Self::Desserts,
            _ => Self::Later,
        }
    }

    /// How old something of so many minutes is here.
    #[must_use]
    pub const fn age(self, minutes: i64) -> Age {
        let (waiting, late) = match self {
            Self::Pass => (PASS_WAITING_MIN, PASS_LATE_MIN),
            _ => (WAITING_MIN, LATE_MIN),
        };
        if minutes >= late {
            Age::Late
        } else if minutes >= waiting {
            Age::Waiting
        } else {
            Age::Fresh
        }
    }
}

/// The state of a line after something was said of its whole slip; `None` when that does not concern the line. Unlike
/// [`LineState::after`], *served* takes only what is ready: nobody carries out what is still on the stove because its neighbour left.
#[must_use]
pub const fn after_slip_move(state: LineState, said: KitchenMove) -> Option<LineState> {
    match (state, said) {
        (LineState::Received | LineState::Cooking, KitchenMove::Served) => None,
        _ => state.after(said),
    }
}

/// Whether a note may be about an allergy or an intolerance, which a cook must not overlook. Rather too often than not often enough.
#[must_use]
pub fn may_be_allergy(note: &str) -> bool {
    const SIGNS: [&str; 12] = [
        "allerg",
        "anaphyla",
        "intoléran",
        "intoleran",
        "cœliaque",
        "coeliaque",
        "sans gluten",
        "sans lactose",
        "arachide",
        "cacahu",
        "épipen",
        "epipen",
    ];
    let note = note.to_lowercase();
    SIGNS.iter().any(|sign| note.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATES: [LineState; 6] =
        [LineState::Held, LineState::Received, LineState::Cooking, LineState::Ready, LineState::Served, LineState::Voided];
    const MOVES: [KitchenMove; 4] = [KitchenMove::Cooking, KitchenMove::Ready, KitchenMove::Recalled, KitchenMove::Served];

    #[test]
    fn a_slip_waits_at_ten_minutes_and_is_late_at_fifteen() {
        let ages: Vec<Age> = [0, 9, 10, 14, 15, 600].into_iter().map(|minutes| Column::Mains.age(minutes)).collect();
        assert_eq!(ages, [Age::Fresh, Age::Fresh, Age::Waiting, Age::Waiting, Age::Late, Age::Late]);
        let ages: Vec<Age> = [2, 3, 5, 6].into_iter().map(|minutes| Column::Pass.age(minutes)).collect();
        assert_eq!(ages, [Age::Fresh, Age::Waiting, Age::Waiting, Age::Late]);
    }

    #[test]
    fn what_is_on_the_stove_is_not_carried_out_with_its_neighbours() {
        assert_eq!(after_slip_move(LineState::Cooking, KitchenMove::Served), None);
        assert_eq!(after_slip_move(LineState::Ready, KitchenMove::Served), Some(LineState::Served));
        assert_eq!(after_slip_move(LineState::Held, KitchenMove::Ready), None);
        assert_eq!(after_slip_move(LineState::Voided, KitchenMove::Recalled), None);
    }

    #[test]
    fn a_note_on_an_allergy_is_not_overlooked() {
        for note in ["Allergie : prévenir le chef", "ALLERGIQUE aux noix", "sans gluten", "Intolérance au lactose", "pas de CACAHUÈTES"]
        {
            assert!(may_be_allergy(note), "{note}");
        }
        for note in ["Sans sel", "bien cuit", "Pour un enfant"] {
            assert!(!may_be_allergy(note), "{note}");
        }
    }

    proptest! {
        #[test]
        fn waiting_never_makes_younger(minutes in 0i64..2_000, column in 0usize..5) {
            let column = Column::ALL[column];
            prop_assert!(column.age(minutes) <= column.age(minutes + 1));
        }

        #[test]
        fn moving_a_slip_twice_is_moving_it_once(state in 0usize..6, said in 0usize..4) {
            if let Some(once) = after_slip_move(STATES[state], MOVES[said]) {
                prop_assert_eq!(after_slip_move(once, MOVES[said]), Some(once));
            }
        }
    }
}
