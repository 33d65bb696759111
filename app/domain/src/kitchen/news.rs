//! What a cook must be told of between two looks at the slips.

use crate::LineId;
use crate::api::{KitchenLine, KitchenView};
use crate::order::LineState;
use std::collections::{BTreeMap, BTreeSet};

/// What is new: the tables it is for, each once, and the lines it is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// Tables that sent something to do.
    pub sent: Vec<String>,
    /// Tables that asked for a course.
    pub called: Vec<String>,
    /// Tables that took something off.
    pub removed: Vec<String>,
    /// The lines that are new or called.
    pub lines: BTreeSet<LineId>,
}

impl News {
    /// Whether there is nothing to tell.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.called.is_empty() && self.removed.is_empty()
    }
}

/// Compares two looks, line by line: a table that moves, or two that are put together, are no news to the stove.
#[must_use]
pub fn news(before: &KitchenView, after: &KitchenView) -> News {
    let known: BTreeMap<LineId, &KitchenLine> = before.slips.iter().flat_map(|slip| &slip.lines).map(|line| (line.line_id, line)).collect();
    let known_voids: BTreeSet<i64> = before.slips.iter().flat_map(|slip| &slip.voids).map(|void| void.void_id).collect();
    let mut news = News::default();
    for slip in &after.slips {
        for line in &slip.lines {
            let earlier = known.get(&line.line_id);
            let is_called = line.called_at.is_some() && earlier.is_none_or(|earlier| earlier.called_at != line.called_at);
            let tables = match line.state {
                LineState::Received | LineState::Cooking if is_called => &mut news.called,
                LineState::Received if earlier.is_none() => &mut news.sent,
                _ => continue,
            };
            add(tables, &slip.table);
            news.lines.insert(line.line_id);
        }
        if slip.voids.iter().any(|void| !known_voids.contains(&void.void_id)) {
            add(&mut news.removed, &slip.table);
        }
    }
    news
}

fn add(tables: &mut Vec<String>, table: &str) {
    if !tables.iter().any(|known| known == table) {
        tables.push(table.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OrderId;
    use crate::api::{KitchenSlip, KitchenVoid};
    use time::OffsetDateTime;

    const THEN: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn line(id: i64, state: LineState) -> KitchenLine {
        let (line_id, order_id) = (LineId::from_row(id), OrderId::from_row(1));
        let (name, choices) = ("Magret".to_owned(), vec![]);
        KitchenLine {
            line_id,
            order_id,
            name,
            qty: 1,
            note: None,
            course: 2,
            state,
            choices,
            called_at: None,
            told_at: None,
            since: THEN,
            seen_by: None,
        }
    }

    fn view(order: i64, lines: Vec<KitchenLine>, voids: Vec<KitchenVoid>) -> KitchenView {
        let (table, server_name) = ("9".to_owned(), "Alice".to_owned());
        let slip = KitchenSlip { order_id: OrderId::from_row(order), table, server_name, round: 1, at: THEN, lines, voids };
        KitchenView { at: THEN, slips: vec![slip], finished: vec![] }
    }

    #[test]
    fn a_new_slip_is_news_once_and_what_is_held_is_none() {
        let nothing = view(1, vec![], vec![]);
        let now = view(1, vec![line(1, LineState::Received), line(2, LineState::Received), line(3, LineState::Held)], vec![]);
        let told = news(&nothing, &now);
        assert_eq!((told.sent, told.lines.len()), (vec!["9".to_owned()], 2));
        assert!(news(&now, &now).is_empty());
    }

    #[test]
    fn a_call_is_a_call_and_not_a_new_slip() {
        let before = view(1, vec![line(1, LineState::Held)], vec![]);
        let mut fired = line(1, LineState::Received);
        fired.called_at = Some(THEN);
        let told = news(&before, &view(1, vec![fired], vec![]));
        assert_eq!((told.sent.len(), told.called), (0, vec!["9".to_owned()]));
    }

    #[test]
    fn a_removal_is_news_once() {
        let (line_id, name, reason) = (LineId::from_row(1), "Magret".to_owned(), "Erreur".to_owned());
        let void = KitchenVoid { void_id: 1, line_id, name, qty: 1, reason, course: 2, at: THEN };
        let (before, after) = (view(1, vec![], vec![]), view(1, vec![], vec![void]));
        assert_eq!(news(&before, &after).removed, ["9"]);
        assert!(news(&after, &after).is_empty());
    }

    #[test]
    fn tables_put_together_and_dishes_called_back_make_no_noise() {
        let before = view(1, vec![line(1, LineState::Received)], vec![]);
        assert!(news(&before, &view(2, vec![line(1, LineState::Received), line(2, LineState::Cooking)], vec![])).is_empty());
    }
}
