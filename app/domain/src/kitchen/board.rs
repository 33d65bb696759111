//! Slips as cards in columns.

use super::Column;
use crate::OrderId;
use crate::api::{KitchenLine, KitchenSlip, KitchenView, KitchenVoid};
use crate::order::LineState;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Names a card, however its content changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardKey {
    /// Where it stands.
    pub column: Column,
    /// Of which order.
    pub order_id: OrderId,
    /// First, second … time.
    pub round: u32,
}

/// What one station sees of one slip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its name.
    pub key: CardKey,
    /// The table's name.
    pub table: String,
    /// Who looks after the table.
    pub server_name: String,
    /// Since when the kitchen has it, or since when it is at the pass; `None` while all of it is held.
    pub since: Option<OffsetDateTime>,
    /// The waiter asked for it.
    pub called: bool,
    /// What is to be done first, what is held last.
    pub lines: Vec<KitchenLine>,
    /// What is not wanted any more.
    pub voids: Vec<KitchenVoid>,
}

impl Card {
    /// Whether there is nothing to do for it yet.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.voids.is_empty() && self.lines.iter().all(|line| line.state == LineState::Held)
    }

    /// The lines that a move of the whole card concerns.
    pub fn active(&self) -> impl Iterator<Item = &KitchenLine> {
        self.lines.iter().filter(|line| line.state != LineState::Held)
    }

    /// Called first, held last, otherwise the oldest first. The pass has one order only: what gets cold first.
    fn rank(&self) -> (u8, Option<OffsetDateTime>, CardKey) {
        let urgency = match self.key.column {
            Column::Pass => 1,
            _ if self.is_held() => 2,
            // A removal alone stands where it is seen.
            _ if self.called || self.lines.is_empty() => 0,
            _ => 1,
        };
        (urgency, self.since, self.key)
    }
}

/// The whole screen: columns from left to right, cards from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Board {
    cards: Vec<Card>,
}

impl Board {
    /// The cards of a column.
    pub fn column(&self, column: Column) -> impl Iterator<Item = &Card> {
        self.cards.iter().filter(move |card| card.key.column == column)
    }

    /// A card.
    #[must_use]
    pub fn card(&self, key: CardKey) -> Option<&Card> {
        self.cards.iter().find(|card| card.key == key)
    }

    /// Whether there is nothing to show at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }
}

/// Arranges the slips. `seen` says of which removals the kitchen need not be told any more.
#[must_use]
pub fn board(view: &KitchenView, seen: impl Fn(&KitchenVoid) -> bool) -> Board {
    let mut cards = BTreeMap::<CardKey, Card>::new();
    for slip in &view.slips {
        for line in slip.lines.iter().filter(|line| !matches!(line.state, LineState::Served | LineState::Voided)) {
            let is_ready = line.state == LineState::Ready;
            let column = if is_ready { Column::Pass } else { Column::of_course(line.course) };
            let card = card_of(&mut cards, slip, column);
            let since = match line.state {
                LineState::Held => None,
                LineState::Ready => Some(line.since),
                _ => Some(line.told_at.unwrap_or(slip.at)),
            };
            card.since = earliest(card.since, since);
            card.called |= !is_ready && line.called_at.is_some();
            card.lines.push(line.clone());
        }
        for void in slip.voids.iter().filter(|void| !seen(void)) {
            card_of(&mut cards, slip, Column::of_course(void.course)).voids.push(void.clone());
        }
    }
    let mut cards: Vec<Card> = cards.into_values().collect();
    for card in &mut cards {
        card.lines.sort_by_key(|line| (line.state == LineState::Held, line.course, line.line_id));
        if card.lines.is_empty() {
            card.since = card.voids.iter().map(|void| void.at).min();
        }
    }
    cards.sort_by_cached_key(Card::rank);
    Board { cards }
}

fn card_of<'c>(cards: &'c mut BTreeMap<CardKey, Card>, slip: &KitchenSlip, column: Column) -> &'c mut Card {
    let key = CardKey { column, order_id: slip.order_id, round: slip.round };
    cards.entry(key).or_insert_with(|| Card {
        key,
        table: slip.table.clone(),
        server_name: slip.server_name.clone(),
        since: None,
        called: false,
        lines: Vec::new(),
        voids: Vec::new(),
    })
}

fn earliest(one: Option<OffsetDateTime>, other: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// How many of one dish the whole kitchen has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllDay {
    /// What.
    pub name: String,
    /// How many are asked for now.
    pub to_do: u32,
    /// How many more are held.
    pub held: u32,
}

/// Everything that is not ready, counted by dish; the most first.
#[must_use]
pub fn all_day(view: &KitchenView) -> Vec<AllDay> {
    let mut counts = BTreeMap::<&str, (u32, u32)>::new();
    for line in view.slips.iter().flat_map(|slip| &slip.lines) {
        let count = match line.state {
            LineState::Received | LineState::Cooking => &mut counts.entry(&line.name).or_default().0,
            LineState::Held => &mut counts.entry(&line.name).or_default().1,
            LineState::Ready | LineState::Served | LineState::Voided => continue,
        };
        *count += line.qty;
    }
    let mut all: Vec<AllDay> = counts.into_iter().map(|(name, (to_do, held))| AllDay { name: name.to_owned(), to_do, held }).collect();
    all.sort_by_key(|dish| Reverse((dish.to_do, dish.held)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LineId;
    use proptest::prelude::*;
    use time::Duration;

    fn at(minute: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::minutes(minute)
    }

    fn line(id: i64, course: u8, state: LineState, told: i64) -> KitchenLine {
        KitchenLine {
            line_id: LineId::from_row(id),
            order_id: OrderId::from_row(1),
            name: format!("Plat {course}"),
            qty: 2,
            note: None,
            course,
            state,
            choices: vec![],
            called_at: None,
            seen_by: None,
            told_at: (state != LineState::Held).then(|| at(told)),
            since: at(told),
        }
    }

    fn slip(order: i64, minute: i64, lines: Vec<KitchenLine>) -> KitchenSlip {
        let (order_id, table, server_name) = (OrderId::from_row(order), order.to_string(), "Alice".to_owned());
        KitchenSlip { order_id, table, server_name, round: 1, at: at(minute), lines, voids: vec![] }
    }

    fn void(id: i64, course: u8) -> KitchenVoid {
        let (line_id, name) = (LineId::from_row(1), "Magret".to_owned());
        KitchenVoid { void_id: id, line_id, name, qty: 1, reason: "Erreur".into(), course, at: at(5) }
    }

    fn view(slips: Vec<KitchenSlip>) -> KitchenView {
        KitchenView { at: at(0), slips, finished: vec![] }
    }

    fn tables(board: &Board, column: Column) -> Vec<&str> {
        board.column(column).map(|card| card.table.as_str()).collect()
    }

    #[test]
    fn the_oldest_comes_first_the_called_before_it_and_the_held_last() {
        let mut called = line(3, 2, LineState::Received, 8);
        called.called_at = Some(at(9));
        let shown = view(vec![
            slip(1, 0, vec![line(1, 2, LineState::Held, 0)]),
            slip(2, 1, vec![line(2, 2, LineState::Cooking, 1)]),
            slip(3, 8, vec![called]),
            slip(4, 0, vec![line(4, 2, LineState::Received, 0)]),
        ]);
        assert_eq!(tables(&board(&shown, |_| false), Column::Mains), ["3", "4", "2", "1"]);
    }

    #[test]
    fn a_course_that_was_held_has_its_age_from_the_call() {
        let shown = view(vec![slip(1, 0, vec![line(1, 1, LineState::Received, 0), line(2, 2, LineState::Received, 30)])]);
        let board = board(&shown, |_| false);
        assert_eq!(board.column(Column::Starters).next().unwrap().since, Some(at(0)));
        assert_eq!(board.column(Column::Mains).next().unwrap().since, Some(at(30)));
    }

    #[test]
    fn a_removal_stays_until_it_is_seen_even_alone() {
        let mut alone = slip(1, 0, vec![]);
        alone.voids = vec![void(7, 2)];
        let shown = view(vec![alone, slip(2, 0, vec![line(2, 2, LineState::Received, 0)])]);
        let unseen = board(&shown, |_| false);
        assert_eq!(tables(&unseen, Column::Mains), ["1", "2"]);
        assert!(!unseen.column(Column::Mains).next().unwrap().is_held());
        assert_eq!(tables(&board(&shown, |void| void.void_id == 7), Column::Mains), ["2"]);
    }

    #[test]
    fn the_whole_kitchen_s_dishes_are_counted() {
        let shown = view(vec![
            slip(1, 0, vec![line(1, 1, LineState::Received, 0), line(2, 2, LineState::Held, 0), line(3, 2, LineState::Ready, 0)]),
            slip(2, 0, vec![line(4, 2, LineState::Cooking, 0), line(5, 2, LineState::Received, 0)]),
        ]);
        let count = |name: &str, to_do, held| AllDay { name: name.into(), to_do, held };
        assert_eq!(all_day(&shown), [count("Plat 2", 4, 2), count("Plat 1", 2, 0)]);
    }

    fn any_line() -> impl Strategy<Value = (u8, LineState, i64, bool)> {
        let state = prop_oneof![Just(LineState::Held), Just(LineState::Received), Just(LineState::Cooking), Just(LineState::Ready)];
        (0u8..=9, state, 0i64..60, any::<bool>())
    }

    proptest! {
        #[test]
        fn every_dish_is_on_the_board_once(slips in prop::collection::vec(prop::collection::vec(any_line(), 0..6), 0..6)) {
            let mut id = 0;
            let shown = view(slips.into_iter().zip(1..).map(|(lines, order)| {
                let lines = lines.into_iter().map(|(course, state, told, called)| {
                    id += 1;
                    let mut line = line(id, course, state, told);
                    line.called_at = called.then(|| at(told));
                    line
                });
                slip(order, 0, lines.collect())
            }).collect());
            let board = board(&shown, |_| false);
            let mut ids: Vec<LineId> = Column::ALL.into_iter().flat_map(|column| board.column(column)).flat_map(|card| &card.lines).map(|line| line.line_id).collect();
            ids.sort();
            prop_assert_eq!(ids, (1..=id).map(LineId::from_row).collect::<Vec<_>>());
            for card in board.column(Column::Pass) {
                prop_assert!(card.lines.iter().all(|line| line.state == LineState::Ready));
            }
            let pass: Vec<_> = board.column(Column::Pass).map(|card| card.since).collect();
            prop_assert!(pass.is_sorted(), "what gets cold first is first");
        }
    }
}
