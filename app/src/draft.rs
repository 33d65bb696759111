//! The order being typed on this phone, until the server has it.
//!
//! A draft is kept on the phone after every tap. Its number (a UUID) is chosen with the first dish and stays with what is sent: sending
//! again after a lost answer is the same order, not a second one. What is being sent is therefore frozen; dishes touched meanwhile are the
//! beginning of the next draft. Only a definite refusal gives the lines back to be corrected, under a new number. What other phones send
//! for the same table never touches it.

mod line;

pub use line::{DraftLine, Fault, Place};

use domain::menu::Menu;
use domain::order::{FieldError, ItemRequest, MAX_QTY, OrderRequest, PricedLine, price};
use domain::{Cents, ItemId, TableId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The order being typed for one table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Draft {
    /// Guests, when somebody said how many.
    pub covers: Option<u16>,
    /// What is typed and not sent.
    pub lines: Vec<DraftLine>,
    /// What is being written down for the server. An app from before the queue kept here what it had sent without an answer.
    #[serde(default, skip_serializing)]
    pub sending: Option<OrderRequest>,
    /// The order that was refused and whose lines these were: what is sent takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolves: Option<Uuid>,
    uuid: Option<Uuid>,
    last: Option<u32>,
}

/// A line that was taken off, and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    at: usize,
    line: DraftLine,
}

impl Draft {
    /// Nothing typed, nothing on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.sending.is_none()
    }

    /// Whether the phone has something to keep.
    #[must_use]
    pub fn is_worth_keeping(&self) -> bool {
        !self.lines.is_empty() || self.covers.is_some()
    }

    /// The refused order whose lines these were, once they were all taken off by hand: nothing takes its place any more. Said once.
    pub fn forsaken(&mut self) -> Option<Uuid> {
        if self.is_empty() { self.resolves.take() } else { None }
    }

    /// Another tab of this browser, which showed the same draft, has sent it: what it sent is typed here no more. What was added here since
    /// stays, as an order of its own. Says whether this was that draft.
    pub fn sent_elsewhere(&mut self, uuid: Uuid, items: &[ItemRequest]) -> bool {
        if self.uuid != Some(uuid) {
            return false;
        }
        self.uuid = None;
        self.covers = None;
        for sent in items.iter().cloned().filter_map(DraftLine::of) {
            if let Some(line) = self.lines.iter_mut().find(|line| line.is_same(&sent)) {
                line.qty = line.qty.saturating_sub(sent.qty);
            }
        }
        self.lines.retain(|line| line.qty > 0);
        if !self.lines.is_empty() {
            self.uuid = Some(Uuid::now_v7());
        }
        true
    }

    /// Puts something on the order: more of a line like it, or a new line.
    pub fn add(&mut self, line: impl Into<DraftLine>) {
        let line = line.into();
        self.uuid.get_or_insert_with(Uuid::now_v7);
        if let Some(like) = self.lines.iter_mut().find(|other| other.is_like(&line)) {
            like.qty = like.qty.saturating_add(line.qty).min(MAX_QTY);
            self.last = Some(like.key);
            return;
        }
        let key = self.free_key();
        self.lines.push(DraftLine { key, ..line });
        self.last = Some(key);
    }

    /// The same; in a course that waits, the new dish waits too.
    pub fn add_to_course(&mut self, line: impl Into<DraftLine>, menu: &Menu) {
        let mut line = line.into();
        let place = line.place(menu);
        line.hold |= place != Place::Formules && line.can_wait(menu) && self.waits(place, menu) == Some(true);
        self.add(line);
    }

    fn free_key(&self) -> u32 {
        self.lines.iter().map(|line| line.key).max().map_or(0, |key| key + 1)
    }

    /// The line with this key.
    #[must_use]
    pub fn line(&self, key: u32) -> Option<&DraftLine> {
        self.lines.iter().find(|line| line.key == key)
    }

    /// Changes a line; it is then the one that was touched last.
    pub fn change(&mut self, key: u32, change: impl FnOnce(&mut DraftLine)) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.key == key) {
            change(line);
            line.qty = line.qty.clamp(1, MAX_QTY);
            self.last = Some(key);
        }
    }

    /// Takes a line off.
    pub fn remove(&mut self, key: u32) -> Option<Removed> {
        let at = self.lines.iter().position(|line| line.key == key)?;
        Some(Removed { at, line: self.lines.remove(at) })
    }

    /// Puts back what was taken off, where it stood.
    pub fn put_back(&mut self, removed: Removed) {
        let Removed { at, line } = removed;
        let key = if self.line(line.key).is_none() { line.key } else { self.free_key() };
        self.uuid.get_or_insert_with(Uuid::now_v7);
        self.lines.insert(at.min(self.lines.len()), DraftLine { key, ..line });
        self.last = Some(key);
    }

    /// How many of an item are on the draft.
    #[must_use]
    pub fn count_of(&self, item_id: ItemId) -> u32 {
        self.lines.iter().filter(|line| line.item_id == item_id).map(|line| line.qty).sum()
    }

    /// How many things are on the draft, those on their way included.
    #[must_use]
    pub fn count(&self) -> u32 {
        let on_their_way = self.sending.iter().flat_map(|request| &request.items).map(|wish| wish.qty);
        self.lines.iter().map(|line| line.qty).chain(on_their_way).sum()
    }

    /// The line that was touched last, or else the newest.
    #[must_use]
    pub fn last_line(&self) -> Option<&DraftLine> {
        self.lines.iter().find(|line| Some(line.key) == self.last).or(self.lines.last())
    }

    /// The lines by course, each by its key. Before the menu is known everything stands together.
    #[must_use]
    pub fn by_place(&self, menu: Option<&Menu>) -> BTreeMap<Place, Vec<u32>> {
        let mut places: BTreeMap<Place, Vec<u32>> = BTreeMap::new();
        for line in &self.lines {
            places.entry(menu.map_or(Place::AtOnce, |menu| line.place(menu))).or_default().push(line.key);
        }
        places
    }

    /// Whether the kitchen is to wait with everything there; `None` when nothing there is cooked.
    #[must_use]
    pub fn waits(&self, place: Place, menu: &Menu) -> Option<bool> {
        let mut cooked = self.lines.iter().filter(|line| line.place(menu) == place && line.can_wait(menu)).peekable();
        cooked.peek()?;
        Some(cooked.all(|line| line.hold))
    }

    /// Lets everything there wait, or go with the next sending.
    pub fn let_wait(&mut self, place: Place, menu: &Menu, wait: bool) {
        for line in self.lines.iter_mut().filter(|line| line.place(menu) == place && line.can_wait(menu)) {
            line.hold = wait;
        }
    }

    /// What the server is asked for one line, priced by the rules that the server uses; `None` when it cannot be ordered now.
    #[must_use]
    pub fn price_line(table: TableId, line: &DraftLine, menu: &Menu) -> Option<Cents> {
        priced(table, line.wish(), menu).ok()
    }

    /// What these come to, as far as they can be ordered now.
    #[must_use]
    pub fn price_wishes(table: TableId, wishes: &[ItemRequest], menu: &Menu) -> Cents {
        wishes.iter().filter_map(|wish| priced(table, wish.clone(), menu).ok()).sum()
    }

    /// The first line that cannot be sent as it is, and why.
    #[must_use]
    pub fn first_fault(&self, table: TableId, menu: &Menu) -> Option<(u32, Fault)> {
        self.lines.iter().find_map(|line| Some((line.key, line.fault(table, menu)?)))
    }

    /// The price of everything typed and on its way, and whether all of it can be ordered now.
    #[must_use]
    pub fn total(&self, table: TableId, menu: &Menu) -> (Cents, bool) {
        let on_their_way = self.sending.iter().flat_map(|request| request.items.iter().cloned());
        let prices: Vec<Option<Cents>> =
            self.lines.iter().map(DraftLine::wish).chain(on_their_way).map(|wish| priced(table, wish, menu).ok()).collect();
        (prices.iter().flatten().sum(), prices.iter().all(Option::is_some))
    }

    /// Freezes what is typed, to be sent. Does nothing while something is on its way.
    pub fn freeze(&mut self, table_id: TableId) {
        if self.sending.is_some() || self.lines.is_empty() {
            return;
        }
        let items = self.lines.drain(..).map(|line| line.wish()).collect();
        let uuid = self.uuid.take().or_else(|| Some(Uuid::now_v7()));
        let covers = self.covers.take();
        self.sending = Some(OrderRequest { table_id, items, covers, uuid, if_occupied: Default::default(), order_id: None });
        self.last = None;
    }

    /// What was on its way is written down.
    pub fn accepted(&mut self) {
        self.sending = None;
        self.resolves = None;
    }

    /// An order that waits for a person comes back to be corrected, before what was typed since.
    pub fn take_back(&mut self, items: Vec<ItemRequest>, covers: Option<u16>, uuid: Uuid) {
        let typed_since = std::mem::take(&mut self.lines);
        let given_back = items.into_iter().filter_map(DraftLine::of);
        self.lines = given_back.chain(typed_since).zip(0..).map(|(line, key)| DraftLine { key, ..line }).collect();
        self.covers = self.covers.or(covers);
        self.uuid = Some(Uuid::now_v7());
        self.resolves = Some(uuid);
        self.last = None;
    }

    /// The server refused what was on its way, and kept nothing of it: it can be corrected.
    pub fn refused(&mut self) {
        let Some(request) = self.sending.take() else { return };
        let typed_since = std::mem::take(&mut self.lines);
        let given_back = request.items.into_iter().filter_map(DraftLine::of);
        self.lines = given_back.chain(typed_since).zip(0..).map(|(line, key)| DraftLine { key, ..line }).collect();
        self.covers = self.covers.or(request.covers);
        self.uuid = Some(Uuid::now_v7());
        self.last = None;
    }

    /// Goes on with what the phone had kept, although something was touched before it was read; or, when guests move, with what was typed
    /// for the table they come to.
    pub fn resume(&mut self, kept: Self) {
        let touched = std::mem::replace(self, kept);
        for line in touched.lines {
            self.add(line);
        }
        self.covers = touched.covers.or(self.covers);
        self.sending = self.sending.take().or(touched.sending);
    }
}

fn priced(table_id: TableId, wish: ItemRequest, menu: &Menu) -> Result<Cents, Vec<FieldError>> {
    let request = OrderRequest { table_id, items: vec![wish], covers: None, uuid: None, if_occupied: Default::default(), order_id: None };
    price(&request, menu).map(|lines| lines.iter().map(PricedLine::total).sum())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use domain::VatRate;
    use domain::menu::{ItemKind, MenuItem, OptionChoice, OptionGroup};
    use domain::order::OptionChosen;

    pub(crate) fn item(id: i64, name: &str, cents: i64) -> MenuItem {
        MenuItem {
            id: ItemId::from_row(id),
            kind: ItemKind::Dish,
            name: name.into(),
            category: "Viandes".into(),
            price: Cents(cents),
            vat_rate: VatRate::INTERMEDIATE_10,
            available: true,
            course: 2,
            favourite: false,
            detail: None,
            wine_pairing: None,
            pairings: vec![],
            options: vec![],
            allergens: vec![],
            glass_of: None,
            components: vec![],
        }
    }

    pub(crate) fn menu() -> Menu {
        let choice = |choice: &str, cents| OptionChoice { choice: choice.into(), price: Cents(cents), allergens: vec![] };
        let mut asked = item(11, "Entrecôte", 2900);
        asked.options = vec![
            OptionGroup { group: "Cuisson".into(), required: true, choices: vec![choice("Bleu", 0), choice("Saignant", 0)] },
            OptionGroup { group: "Sauce".into(), required: false, choices: vec![choice("Béarnaise", 250)] },
        ];
        let (mut wine, mut dessert) = (item(34, "Cahors", 2800), item(61, "Crème brûlée", 800));
        (wine.kind, wine.course, dessert.course) = (ItemKind::Wine, 0, 3);
        Menu { version: "1".into(), items: vec![item(12, "Magret", 2400), asked, wine, dessert], notes: vec![] }
    }

    pub(crate) fn magret() -> ItemId {
        ItemId::from_row(12)
    }

    pub(crate) fn entrecote() -> ItemId {
        ItemId::from_row(11)
    }

    pub(crate) fn table() -> TableId {
        TableId::from_row(5)
    }

    fn answer(group: &str, choice: &str) -> OptionChosen {
        OptionChosen { group: group.into(), choice: choice.into() }
    }

    #[test]
    fn sending_again_is_the_same_order() {
        let mut draft = Draft::default();
        draft.add(magret());
        draft.freeze(table());
        let first = draft.sending.clone();
        draft.add(magret());
        draft.freeze(table());
        assert_eq!(draft.sending, first);
        assert_eq!(draft.count(), 2);
        draft.accepted();
        draft.freeze(table());
        assert_ne!(draft.sending.and_then(|request| request.uuid), first.and_then(|request| request.uuid));
    }

    #[test]
    fn what_is_refused_can_be_corrected_under_a_new_number() {
        let mut draft = Draft::default();
        draft.add(entrecote());
        draft.change(0, |line| {
            line.set_note("saignant");
            line.options = vec![answer("Cuisson", "Bleu")];
            (line.course, line.hold) = (Some(3), true);
        });
        let typed = draft.lines.clone();
        draft.freeze(table());
        let first = draft.sending.as_ref().and_then(|request| request.uuid);
        draft.add(magret());
        draft.refused();
        assert_eq!(draft.lines.first(), typed.first(), "nothing of the line is lost");
        assert_eq!(draft.lines.iter().map(|line| line.key).collect::<Vec<_>>(), [0, 1]);
        draft.freeze(table());
        assert_ne!(draft.sending.and_then(|request| request.uuid), first);
    }

    #[test]
    fn the_same_dish_is_one_line_unless_it_is_wanted_otherwise() {
        let mut draft = Draft::default();
        draft.add(magret());
        draft.add(magret());
        draft.change(0, |line| line.set_note("bien cuit"));
        draft.add(magret());
        draft.add(DraftLine { options: vec![answer("Cuisson", "Bleu")], ..magret().into() });
        draft.add(DraftLine { course: Some(1), ..magret().into() });
        draft.add(DraftLine { hold: true, ..magret().into() });
        draft.add(DraftLine { hold: true, ..magret().into() });
        assert_eq!(draft.lines.iter().map(|line| line.qty).collect::<Vec<_>>(), [2, 1, 1, 1, 2]);
        assert_eq!(draft.count_of(magret()), 7);
    }

    #[test]
    fn the_total_is_the_one_of_the_server_options_included() {
        let mut menu = menu();
        let mut draft = Draft::default();
        draft.add(magret());
        draft.add(magret());
        assert_eq!(draft.total(table(), &menu), (Cents(4800), true));
        draft.add(DraftLine { options: vec![answer("Cuisson", "Bleu"), answer("Sauce", "Béarnaise")], qty: 2, ..entrecote().into() });
        assert_eq!(draft.total(table(), &menu), (Cents(4800 + 2 * 3150), true));
        menu.items.iter_mut().filter(|item| item.id == magret()).for_each(|item| item.available = false);
        assert_eq!(draft.total(table(), &menu), (Cents(2 * 3150), false));
        assert_eq!(draft.first_fault(table(), &menu), Some((0, Fault::SoldOut)));
    }

    #[test]
    fn what_is_taken_off_comes_back_where_it_stood() {
        let mut draft = Draft::default();
        draft.add(magret());
        draft.change(0, |line| line.set_note("bien cuit"));
        draft.add(entrecote());
        let before = draft.lines.clone();
        let removed = draft.remove(0).unwrap();
        assert_eq!(draft.count(), 1);
        draft.put_back(removed);
        assert_eq!(draft.lines, before);
        assert_eq!(draft.remove(9), None);
    }

    #[test]
    fn what_comes_back_never_takes_the_place_of_another_line() {
        let mut draft = Draft::default();
        draft.add(magret());
        let removed = draft.remove(0).unwrap();
        draft.add(entrecote());
        draft.freeze(table());
        draft.add(entrecote());
        draft.put_back(removed);
        assert_eq!(draft.lines.iter().map(|line| (line.item_id, line.key)).collect::<Vec<_>>(), [(magret(), 1), (entrecote(), 0)]);
        assert_eq!(draft.sending.map(|request| request.items.len()), Some(1));
    }

    #[test]
    fn a_course_waits_as_a_whole_and_what_joins_it_waits_too() {
        let menu = menu();
        let mut draft = Draft::default();
        for id in [34, 12, 61] {
            draft.add_to_course(ItemId::from_row(id), &menu);
        }
        let places: Vec<(Place, usize)> = draft.by_place(Some(&menu)).into_iter().map(|(place, keys)| (place, keys.len())).collect();
        assert_eq!(places, [(Place::AtOnce, 1), (Place::Course(2), 1), (Place::Course(3), 1)]);
        draft.let_wait(Place::Course(3), &menu, true);
        assert_eq!([0, 2, 3].map(|course| draft.waits(Place::of(course), &menu)), [None, Some(false), Some(true)]);
        draft.add_to_course(DraftLine { course: Some(3), ..magret().into() }, &menu);
        draft.add_to_course(DraftLine { course: Some(3), ..ItemId::from_row(34).into() }, &menu);
        draft.freeze(table());
        let held: Vec<bool> = draft.sending.iter().flat_map(|request| &request.items).map(|wish| wish.hold).collect();
        assert_eq!(held, [false, false, true, true, false]);
    }

    #[test]
    fn what_another_tab_sent_is_typed_no_more_and_what_was_added_stays() {
        let mut one = Draft::default();
        one.add(magret());
        one.add(DraftLine { note: "bleu".into(), ..entrecote().into() });
        let mut other = one.clone();
        other.add(magret());
        other.add(ItemId::from_row(61));
        one.freeze(table());
        let sent = one.sending.unwrap();
        let uuid = sent.uuid.unwrap();
        assert!(!Draft::default().sent_elsewhere(uuid, &sent.items));
        assert!(other.sent_elsewhere(uuid, &sent.items));
        assert_eq!(other.lines.iter().map(|line| (line.item_id, line.qty)).collect::<Vec<_>>(), [(magret(), 1), (ItemId::from_row(61), 1)]);
        other.freeze(table());
        assert_ne!(other.sending.and_then(|request| request.uuid), Some(uuid), "an order of its own");
    }

    #[test]
    fn nothing_touched_is_lost_while_the_phone_reads() {
        let mut kept = Draft::default();
        kept.add(ItemId::from_row(1));
        let mut draft = Draft::default();
        draft.add(magret());
        draft.resume(kept);
        assert_eq!(draft.count(), 2);
        assert_eq!(draft.last_line().map(|line| line.item_id), Some(magret()));
    }

    #[test]
    fn a_draft_of_an_older_app_is_still_read() {
        let kept =
            r#"{"covers":null,"lines":[{"key":0,"item_id":12,"qty":2,"note":"","components":[]}],"sending":null,"uuid":null,"last":0}"#;
        let draft: Draft = serde_json::from_str(kept).unwrap();
        assert_eq!(draft.lines, [DraftLine { qty: 2, ..magret().into() }]);
    }
}
