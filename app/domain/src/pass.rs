//! Dishes at the pass, as a phone knows them: which to show, and when to ring.
//!
//! The server says a dish at least once, and again after a reconnection, a hand-over, or when nobody came. A phone rings once for each dish
//! and once more when it becomes more urgent, shows each once, and what was tapped (*Pris*) stays tapped until the server has it in writing.
//! The list that the server gives on demand is the truth; events are the alarm.

use crate::api::{DishNews, Event};
use crate::{OrderId, TableId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Who is told of a dish that waits: each level tells more people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Whoever looks after the table.
    Waiter,
    /// The other waiters of the room.
    Colleagues,
    /// The till.
    Till,
}

impl Told {
    /// As the database has it: 0, 1, 2.
    #[must_use]
    pub const fn from_level(level: i16) -> Option<Self> {
        match level {
            0 => Some(Self::Waiter),
            1 => Some(Self::Colleagues),
            2 => Some(Self::Till),
            _ => None,
        }
    }
}

/// A dish that waits at the pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingDish {
    /// The dish.
    #[serde(flatten)]
    pub news: DishNews,
    /// Who was told so far.
    pub told: Told,
}

impl WaitingDish {
    /// What an event says of a dish; `None` for other events.
    #[must_use]
    pub fn of_event(event: &Event) -> Option<Self> {
        match event {
            Event::DishReady(news) => Some(Self { news: news.clone(), told: Told::Waiter }),
            Event::DishEscalated { news, level } => Some(Self { news: news.clone(), told: *level }),
            _ => None,
        }
    }
}

/// What waits at the pass for one table: one way to walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingTable {
    /// Where the guests sit.
    pub table_id: TableId,
    /// The table's name.
    pub table: String,
    /// Who looks after the table.
    pub server_name: String,
    /// Who was told so far of the most urgent dish.
    pub told: Told,
    /// Since when the oldest dish waits.
    pub since: OffsetDateTime,
    /// What is to be carried, the longest wait first; each dish once, however many lines it came from.
    pub dishes: Vec<WaitingPlates>,
}

/// So many plates of one dish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingPlates {
    /// The dish.
    pub dish: String,
    /// How many plates.
    pub qty: u32,
    /// Under which numbers they were said to be ready: each is acknowledged by itself.
    pub events: Vec<i64>,
}

/// So many dishes are remembered as rung for, the latest: more than wait at the pass of any restaurant in one evening.
const REMEMBERED: usize = 500;

/// What one phone knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    waiting: Vec<WaitingDish>,
    /// How urgent each dish was when it last rang here.
    rung: BTreeMap<i64, Told>,
    /// Tapped here; the server has not confirmed it yet.
    unconfirmed: BTreeMap<i64, OrderId>,
}

impl Pass {
    /// What to show, the longest wait first.
    #[must_use]
    pub fn waiting(&self) -> &[WaitingDish] {
        &self.waiting
    }

    /// The same by table, the longest wait first.
    #[must_use]
    pub fn by_table(&self) -> Vec<WaitingTable> {
        let mut tables: Vec<WaitingTable> = Vec::new();
        for WaitingDish { news, told } in &self.waiting {
            let at = tables.iter().position(|table| table.table_id == news.table_id).unwrap_or_else(|| {
                tables.push(WaitingTable {
                    table_id: news.table_id,
                    table: news.table.clone(),
                    server_name: news.server_name.clone(),
                    told: *told,
                    since: news.at,
                    dishes: Vec::new(),
                });
                tables.len() - 1
            });
            let Some(table) = tables.get_mut(at) else { continue };
            table.told = table.told.max(*told);
            match table.dishes.iter_mut().find(|plates| plates.dish == news.dish) {
                Some(plates) => {
                    plates.qty = plates.qty.saturating_add(news.qty);
                    plates.events.push(news.event_id);
                }
                None => table.dishes.push(WaitingPlates { dish: news.dish.clone(), qty: news.qty, events: vec![news.event_id] }),
            }
        }
        tables
    }

    /// Whether a dish of this order is shown.
    #[must_use]
    pub fn concerns(&self, order: OrderId) -> bool {
        self.waiting.iter().any(|dish| dish.news.order_id == order)
    }

    /// What the server must still be told: somebody here sees to it.
    pub fn unconfirmed(&self) -> impl Iterator<Item = (i64, OrderId)> {
        self.unconfirmed.iter().map(|(event, order)| (*event, *order))
    }

    /// The server said a dish. Says whether to ring: not for one that is settled, was tapped here, or has rung as loudly before.
    pub fn hear(&mut self, dish: WaitingDish) -> bool {
        let event = dish.news.event_id;
        if dish.news.settled || self.unconfirmed.contains_key(&event) {
            self.remember(event, dish.told);
            self.drop_waiting(event);
            return false;
        }
        let rings = self.remember(event, dish.told);
        self.put(dish);
        rings
    }

    /// The server said what waits for this person: nothing else does. Returns those that have not rung here.
    pub fn replace(&mut self, all: Vec<WaitingDish>) -> Vec<WaitingDish> {
        self.waiting.clear();
        let mut missed = Vec::new();
        for dish in all {
            if self.hear(dish.clone()) {
                missed.push(dish);
            }
        }
        missed
    }

    /// Somebody taps *Pris*.
    pub fn take(&mut self, event: i64) {
        if let Some(dish) = self.waiting.iter().find(|dish| dish.news.event_id == event) {
            self.unconfirmed.insert(event, dish.news.order_id);
            self.drop_waiting(event);
        }
    }

    /// The server has it in writing, or says that it is none of theirs: nothing is left to say.
    pub fn confirm(&mut self, event: i64) {
        self.unconfirmed.remove(&event);
        self.drop_waiting(event);
    }

    fn put(&mut self, mut dish: WaitingDish) {
        if let Some(known) = self.waiting.iter().find(|known| known.news.event_id == dish.news.event_id) {
            // News that arrive late make nothing less urgent.
            dish.told = dish.told.max(known.told);
        }
        self.drop_waiting(dish.news.event_id);
        self.waiting.push(dish);
        self.waiting.sort_by_key(|dish| (dish.news.at, dish.news.event_id));
    }

    fn drop_waiting(&mut self, event: i64) {
        self.waiting.retain(|dish| dish.news.event_id != event);
    }

    /// Whether this is louder than what has rung.
    fn remember(&mut self, event: i64, told: Told) -> bool {
        let louder = self.rung.get(&event).is_none_or(|rung| *rung < told);
        if louder {
            self.rung.insert(event, told);
            while self.rung.len() > REMEMBERED {
                self.rung.pop_first();
            }
        }
        louder
    }
}

/// Whether two names mean the same dish: kitchens write *Magret canard* for *Magret de canard*. Case, accents, punctuation and small words
/// do not count; every other word does.
#[must_use]
pub fn same_dish(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    !one.is_empty() && one == other
}

fn words(name: &str) -> Vec<String> {
    const SMALL: [&str; 19] =
        ["a", "au", "aux", "avec", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "sa", "ses", "son", "sur", "un"];
    let plain: String = name.to_lowercase().chars().map(plain).collect();
    let mut words: Vec<String> = plain
        .replace('œ', "oe")
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && !SMALL.contains(word))
        .map(str::to_owned)
        .collect();
    words.sort();
    words
}

const fn plain(letter: char) -> char {
    match letter {
        'à' | 'â' | 'ä' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::Duration;

    fn dish(event_id: i64, told: Told) -> WaitingDish {
        let (order_id, table_id) = (OrderId::from_row(1 + event_id % 3), TableId::from_row(5));
        let at = OffsetDateTime::UNIX_EPOCH + Duration::seconds(event_id);
        let text = str::to_owned;
        let (table, name, server_name, timestamp) = (text("5"), text("Magret de canard"), text("Alice"), text("15h23"));
        let (line_id, settled) = (None, false);
        let news = DishNews { event_id, order_id, table_id, table, dish: name, qty: 3, line_id, server_name, timestamp, at, settled };
        WaitingDish { news, told }
    }

    fn shown(pass: &Pass) -> Vec<i64> {
        pass.waiting().iter().map(|dish| dish.news.event_id).collect()
    }

    #[test]
    fn a_dish_rings_once_and_again_when_it_becomes_urgent() {
        let mut pass = Pass::default();
        assert!(pass.hear(dish(1, Told::Waiter)));
        assert!(!pass.hear(dish(1, Told::Waiter)), "said twice");
        assert!(pass.hear(dish(1, Told::Till)));
        assert!(!pass.hear(dish(1, Told::Colleagues)), "late news of what is known");
        assert_eq!((shown(&pass), pass.waiting()[0].told), (vec![1], Told::Till));
    }

    #[test]
    fn what_was_taken_stays_taken_while_the_network_is_gone() {
        let mut pass = Pass::default();
        pass.hear(dish(1, Told::Waiter));
        pass.take(1);
        assert!(!pass.hear(dish(1, Told::Till)) && pass.replace(vec![dish(1, Told::Waiter)]).is_empty());
        assert!(shown(&pass).is_empty());
        assert_eq!(pass.unconfirmed().map(|(event, _)| event).collect::<Vec<_>>(), [1]);
        pass.confirm(1);
        assert_eq!(pass.unconfirmed().count(), 0);
    }

    #[test]
    fn the_list_of_the_server_replaces_what_is_shown() {
        let mut pass = Pass::default();
        pass.hear(dish(1, Told::Waiter));
        let missed = pass.replace(vec![dish(3, Told::Waiter), dish(2, Told::Colleagues)]);
        assert_eq!(shown(&pass), [2, 3], "what went elsewhere is gone, the longest wait first");
        assert_eq!(missed.len(), 2, "both ring: nobody here has heard of them");
        assert!(pass.replace(vec![dish(2, Told::Colleagues), dish(3, Told::Waiter)]).is_empty(), "and only once");
        let mut settled = dish(4, Told::Waiter);
        settled.news.settled = true;
        assert!(!pass.hear(settled) && shown(&pass) == [2, 3], "somebody saw to it");
    }

    #[test]
    fn kitchens_shorten_the_names_of_dishes() {
        for (ours, theirs) in [
            ("Magret de canard", "Magret canard"),
            ("Œuf mayonnaise", "OEUF MAYONNAISE"),
            ("Soupe à l’oignon", "soupe a l'oignon"),
            ("Crème brûlée", "creme brulee"),
        ] {
            assert!(same_dish(ours, theirs), "{theirs}");
        }
        for (ours, theirs) in [("Magret de canard", "Confit de canard"), ("Magret de canard", "Magret"), ("de", "à"), ("", "")] {
            assert!(!same_dish(ours, theirs), "{theirs}");
        }
    }

    #[test]
    fn events_look_like_the_contract() {
        let frame = crate::api::frame(Some(7), &Event::DishReady(dish(7, Told::Waiter).news)).unwrap();
        let frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
        assert_eq!((&frame["event"], &frame["id"]), (&"dish_ready".into(), &7.into()));
        assert_eq!(
            frame["data"],
            serde_json::json!({
                "event_id": 7, "order_id": 2, "table_id": 5, "table": "5", "dish": "Magret de canard", "qty": 3, "line_id": null,
                "server_name": "Alice", "timestamp": "15h23", "at": "1970-01-01T00:00:07Z",
            })
        );
        let mut kept = frame["data"].clone();
        let read: Event = serde_json::from_value(frame).unwrap();
        assert_eq!(WaitingDish::of_event(&read), Some(dish(7, Told::Waiter)));
        kept.as_object_mut().unwrap().remove("qty");
        assert_eq!(serde_json::from_value::<DishNews>(kept).unwrap().qty, 1, "kept by a phone before anybody said how many");
        let urgent = dish(7, Told::Till);
        let frame = crate::api::frame(None, &Event::DishEscalated { news: urgent.news.clone(), level: Told::Till }).unwrap();
        assert_eq!(WaitingDish::of_event(&serde_json::from_str(&frame).unwrap()), Some(urgent));
        assert_eq!(crate::api::frame(None, &Event::Ping {}).unwrap(), r#"{"event":"ping","data":{}}"#);
    }

    proptest! {
        #[test]
        fn however_often_and_in_whatever_order_each_dish_rings_at_most_once_a_level(
            said in proptest::collection::vec((1i64..6, 0i16..3), 0..60)
        ) {
            let mut pass = Pass::default();
            let mut rings: BTreeMap<i64, Vec<Told>> = BTreeMap::new();
            for (event, level) in &said {
                let told = Told::from_level(*level).unwrap();
                if pass.hear(dish(*event, told)) {
                    rings.entry(*event).or_default().push(told);
                }
            }
            for rings in rings.values() {
                prop_assert!(rings.is_sorted() && rings.windows(2).all(|pair| pair[0] < pair[1]));
            }
            let heard: std::collections::BTreeSet<i64> = said.iter().map(|(event, _)| *event).collect();
            prop_assert_eq!(shown(&pass).into_iter().collect::<std::collections::BTreeSet<_>>(), heard.clone(), "none is missed");
            prop_assert!(rings.len() == heard.len(), "each rings");
        }

        #[test]
        fn by_table_every_dish_waits_once_and_no_plate_is_lost(
            said in proptest::collection::vec((1i64..4, 0usize..3, 1u32..5, 0i16..3), 0..30)
        ) {
            let mut pass = Pass::default();
            for (event, (table, name, qty, level)) in (1..).zip(said) {
                let mut one = dish(event, Told::from_level(level).unwrap());
                let name = ["Magret de canard", "Cassoulet", "Bar grillé"][name].to_owned();
                (one.news.table_id, one.news.dish, one.news.qty) = (TableId::from_row(table), name, qty);
                pass.hear(one);
            }
            let tables = pass.by_table();
            let mut events: Vec<i64> = tables.iter().flat_map(|table| &table.dishes).flat_map(|plates| plates.events.clone()).collect();
            events.sort_unstable();
            prop_assert_eq!(events, shown(&pass), "each once");
            let plates: u32 = tables.iter().flat_map(|table| &table.dishes).map(|plates| plates.qty).sum();
            prop_assert_eq!(plates, pass.waiting().iter().map(|dish| dish.news.qty).sum::<u32>());
            prop_assert!(tables.is_sorted_by_key(|table| table.since), "the longest wait first");
            for table in &tables {
                let of_table: Vec<_> = pass.waiting().iter().filter(|dish| dish.news.table_id == table.table_id).collect();
                prop_assert_eq!(Some(table.told), of_table.iter().map(|dish| dish.told).max(), "as urgent as its most urgent dish");
                prop_assert_eq!(Some(table.since), of_table.iter().map(|dish| dish.news.at).min());
                let mut names: Vec<_> = table.dishes.iter().map(|plates| &plates.dish).collect();
                names.sort();
                names.dedup();
                prop_assert_eq!(names.len(), table.dishes.len(), "no dish is listed twice");
            }
        }

        #[test]
        fn what_is_stored_on_the_phone_is_read_back(said in proptest::collection::vec((1i64..6, 0i16..3), 0..20), taken in 1i64..6) {
            let mut pass = Pass::default();
            for (event, level) in said {
                pass.hear(dish(event, Told::from_level(level).unwrap()));
            }
            pass.take(taken);
            let text = serde_json::to_string(&pass).unwrap();
            prop_assert_eq!(serde_json::from_str::<Pass>(&text).unwrap(), pass);
        }
    }
}
