//! The order being typed on this phone, until the server has it.
//!
//! A draft is kept on the phone after every tap. Its number (a UUID) is chosen with the first dish and stays with what is sent: sending
//! again after a lost answer is the same order, not a second one. What is being sent is therefore frozen; dishes touched meanwhile are the
//! beginning of the next draft. Only a definite refusal gives the lines back to be corrected, under a new number.

use domain::menu::{Menu, MenuItem};
use domain::order::{ComponentChoice, ItemRequest, MAX_QTY, OrderRequest, PricedLine, price};
use domain::{Cents, ItemId, TableId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One line being typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftLine {
    /// Tells lines of one draft apart.
    pub key: u32,
    /// What.
    pub item_id: ItemId,
    /// How many.
    pub qty: u32,
    /// For the kitchen; may be empty.
    pub note: String,
    /// The choices of a *formule*.
    pub components: Vec<ComponentChoice>,
}

impl DraftLine {
    fn wish(&self) -> ItemRequest {
        let note = self.note.trim();
        ItemRequest {
            item_id: Some(self.item_id),
            qty: self.qty,
            note: (!note.is_empty()).then(|| note.to_owned()),
            components: self.components.clone(),
            ..ItemRequest::default()
        }
    }
}

/// The order being typed for one table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Draft {
    /// Guests, when somebody said how many.
    pub covers: Option<u16>,
    /// What is typed and not sent.
    pub lines: Vec<DraftLine>,
    /// What was sent and not answered yet; exactly this is sent again.
    pub sending: Option<OrderRequest>,
    uuid: Option<Uuid>,
    last: Option<u32>,
}

impl Draft {
    /// Nothing typed, nothing on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.sending.is_none()
    }

    /// Puts one on the order: one more of a line like it, or a new line.
    pub fn add(&mut self, item_id: ItemId, components: Vec<ComponentChoice>) {
        self.uuid.get_or_insert_with(Uuid::now_v7);
        let like = |line: &&mut DraftLine| line.item_id == item_id && line.note.trim().is_empty() && line.components == components;
        if let Some(line) = self.lines.iter_mut().find(like) {
            line.qty = (line.qty + 1).min(MAX_QTY);
            self.last = Some(line.key);
            return;
        }
        let key = self.lines.iter().map(|line| line.key).max().map_or(0, |key| key + 1);
        self.lines.push(DraftLine { key, item_id, qty: 1, note: String::new(), components });
        self.last = Some(key);
    }

    /// Sets how many; none removes the line.
    pub fn set_qty(&mut self, key: u32, qty: u32) {
        if qty == 0 {
            self.lines.retain(|line| line.key != key);
        }
        if let Some(line) = self.lines.iter_mut().find(|line| line.key == key) {
            line.qty = qty.min(MAX_QTY);
            self.last = Some(key);
        }
    }

    /// Sets the note of a line.
    pub fn set_note(&mut self, key: u32, note: String) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.key == key) {
            line.note = note;
        }
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

    /// What the server is asked for one line, priced by the rules that the server uses; `None` when it cannot be ordered now.
    #[must_use]
    pub fn price_line(table: TableId, line: &DraftLine, menu: &Menu) -> Option<Cents> {
        total_of(table, line.wish(), menu)
    }

    /// The price of everything typed and on its way, and whether all of it can be ordered now.
    #[must_use]
    pub fn total(&self, table: TableId, menu: &Menu) -> (Cents, bool) {
        let on_their_way = self.sending.iter().flat_map(|request| request.items.iter().cloned());
        let prices: Vec<Option<Cents>> =
            self.lines.iter().map(DraftLine::wish).chain(on_their_way).map(|wish| total_of(table, wish, menu)).collect();
        (prices.iter().flatten().sum(), prices.iter().all(Option::is_some))
    }

    /// Freezes what is typed, to be sent. Does nothing while something is on its way.
    pub fn freeze(&mut self, table_id: TableId) {
        if self.sending.is_some() || self.lines.is_empty() {
            return;
        }
        let items = self.lines.drain(..).map(|line| line.wish()).collect();
        let uuid = self.uuid.take().or_else(|| Some(Uuid::now_v7()));
        self.sending = Some(OrderRequest { table_id, items, covers: self.covers.take(), uuid, if_occupied: Default::default() });
        self.last = None;
    }

    /// The server has what was on its way.
    pub fn accepted(&mut self) {
        self.sending = None;
    }

    /// The server refused what was on its way, and kept nothing of it: it can be corrected.
    pub fn refused(&mut self) {
        let Some(request) = self.sending.take() else { return };
        let typed_since = std::mem::take(&mut self.lines);
        let given_back = request.items.into_iter().filter_map(|wish| {
            let item_id = wish.wanted()?;
            Some(DraftLine { key: 0, item_id, qty: wish.qty, note: wish.note.unwrap_or_default(), components: wish.components })
        });
        self.lines = given_back.chain(typed_since).zip(0..).map(|(line, key)| DraftLine { key, ..line }).collect();
        self.covers = self.covers.or(request.covers);
        self.uuid = Some(Uuid::now_v7());
        self.last = None;
    }

    /// Goes on with what the phone had kept, although something was touched before it was read.
    pub fn resume(&mut self, kept: Self) {
        let touched = std::mem::replace(self, kept);
        for line in touched.lines {
            for _ in 0..line.qty {
                self.add(line.item_id, line.components.clone());
            }
        }
        self.covers = touched.covers.or(self.covers);
    }
}

fn total_of(table_id: TableId, wish: ItemRequest, menu: &Menu) -> Option<Cents> {
    let request = OrderRequest { table_id, items: vec![wish], covers: None, uuid: None, if_occupied: Default::default() };
    price(&request, menu).ok().map(|lines| lines.iter().map(PricedLine::total).sum())
}

/// Whether a line of the menu answers to what a person typed: every word, without accents or capitals.
#[must_use]
pub fn answers_to(item: &MenuItem, typed: &str) -> bool {
    let all = fold(&format!("{} {} {}", item.name, item.category, item.detail.as_deref().unwrap_or_default()));
    fold(typed).split_whitespace().all(|word| all.contains(word))
}

/// Lower case, without the accents of French.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'à' | 'â' | 'ä' => folded.push('a'),
            'é' | 'è' | 'ê' | 'ë' => folded.push('e'),
            'î' | 'ï' => folded.push('i'),
            'ô' | 'ö' => folded.push('o'),
            'ù' | 'û' | 'ü' => folded.push('u'),
            'ç' => folded.push('c'),
            'œ' => folded.push_str("oe"),
            '’' => folded.push('\''),
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::VatRate;
    use domain::menu::ItemKind;

    fn item(id: i64, name: &str, cents: i64) -> MenuItem {
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

    fn magret() -> ItemId {
        ItemId::from_row(12)
    }

    fn table() -> TableId {
        TableId::from_row(5)
    }

    #[test]
    fn sending_again_is_the_same_order() {
        let mut draft = Draft::default();
        draft.add(magret(), vec![]);
        draft.freeze(table());
        let first = draft.sending.clone();
        draft.add(magret(), vec![]);
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
        draft.add(magret(), vec![]);
        draft.set_note(0, "saignant".into());
        draft.freeze(table());
        let first = draft.sending.as_ref().and_then(|request| request.uuid);
        draft.add(magret(), vec![]);
        draft.refused();
        assert_eq!(draft.lines.iter().map(|line| (line.key, line.note.as_str())).collect::<Vec<_>>(), [(0, "saignant"), (1, "")]);
        draft.freeze(table());
        assert_ne!(draft.sending.and_then(|request| request.uuid), first);
    }

    #[test]
    fn the_same_dish_is_one_line_unless_it_has_a_note() {
        let mut draft = Draft::default();
        draft.add(magret(), vec![]);
        draft.add(magret(), vec![]);
        draft.set_note(0, "bien cuit".into());
        draft.add(magret(), vec![]);
        assert_eq!(draft.lines.iter().map(|line| line.qty).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(draft.count_of(magret()), 3);
    }

    #[test]
    fn the_total_is_the_one_of_the_server() {
        let mut out = item(13, "Confit", 2150);
        out.available = false;
        let menu = Menu { version: "1".into(), items: vec![item(12, "Magret", 2400), out], notes: vec![] };
        let mut draft = Draft::default();
        draft.add(magret(), vec![]);
        draft.add(magret(), vec![]);
        assert_eq!(draft.total(table(), &menu), (Cents(4800), true));
        draft.add(ItemId::from_row(13), vec![]);
        assert_eq!(draft.total(table(), &menu), (Cents(4800), false));
    }

    #[test]
    fn nothing_touched_is_lost_while_the_phone_reads() {
        let mut kept = Draft::default();
        kept.add(ItemId::from_row(1), vec![]);
        let mut draft = Draft::default();
        draft.add(magret(), vec![]);
        draft.resume(kept);
        assert_eq!(draft.count(), 2);
        assert_eq!(draft.last_line().map(|line| line.item_id), Some(magret()));
    }

    #[test]
    fn dishes_are_found_without_accents() {
        assert!(answers_to(&item(1, "Œuf mayonnaise", 650), "oeuf MAY"));
        assert!(answers_to(&item(1, "Pâté en croûte", 650), "croute pate"));
        assert!(!answers_to(&item(1, "Magret", 650), "confit"));
    }
}
