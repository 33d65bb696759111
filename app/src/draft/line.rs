//! One line being typed: what is wanted, how it is wanted, and with which course.

use domain::menu::{ItemKind, Menu};
use domain::order::{ComponentChoice, ItemRequest, MAX_NOTE, OptionChosen};
use domain::{ItemId, TableId};
use serde::{Deserialize, Serialize};

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
    /// What was asked and answered, in the order in which the menu asks.
    #[serde(default)]
    pub options: Vec<OptionChosen>,
    /// Another course than the menu's.
    #[serde(default)]
    pub course: Option<u8>,
    /// The kitchen is to wait with it.
    #[serde(default)]
    pub hold: bool,
    /// The choices of a *formule*.
    pub components: Vec<ComponentChoice>,
}

/// One, as the menu has it.
impl From<ItemId> for DraftLine {
    fn from(item_id: ItemId) -> Self {
        Self { key: 0, item_id, qty: 1, note: String::new(), options: vec![], course: None, hold: false, components: vec![] }
    }
}

/// Where a line stands on the ticket, in the order in which the guests eat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Drinks, and whatever is brought as soon as it is there.
    AtOnce,
    /// A *formule* being typed: its parts are served with several courses.
    Formules,
    /// With the first, second … course.
    Course(u8),
}

impl Place {
    /// The place of a course of the contract; 0 is at once.
    #[must_use]
    pub const fn of(course: u8) -> Self {
        match course {
            0 => Self::AtOnce,
            course => Self::Course(course),
        }
    }
}

/// Why a line cannot be sent as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Out, or no longer on the menu.
    SoldOut,
    /// The menu asks something that is not answered, or an answer is no longer on it.
    ToChoose,
}

impl DraftLine {
    /// What the server is asked.
    #[must_use]
    pub fn wish(&self) -> ItemRequest {
        let note = self.note.trim();
        ItemRequest {
            item_id: Some(self.item_id),
            qty: self.qty,
            note: (!note.is_empty()).then(|| note.to_owned()),
            course: self.course,
            hold: self.hold,
            options: self.options.clone(),
            components: self.components.clone(),
            ..ItemRequest::default()
        }
    }

    /// The line that asked for this; `None` when the wish names nothing.
    #[must_use]
    pub fn of(wish: ItemRequest) -> Option<Self> {
        let item_id = wish.wanted()?;
        let ItemRequest { qty, note, course, hold, options, components, .. } = wish;
        Some(Self { key: 0, item_id, qty, note: note.unwrap_or_default(), options, course, hold, components })
    }

    /// Whether one more of the other is one more of this: nobody wrote a note on either.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let noted = |line: &Self| !line.note.trim().is_empty();
        self.item_id == other.item_id
            && !noted(self)
            && !noted(other)
            && self.options == other.options
            && self.course == other.course
            && self.hold == other.hold
            && self.components == other.components
    }

    /// Whether both ask for the same, whatever their number.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.note.trim() == other.note.trim()
            && self.item_id == other.item_id
            && self.options == other.options
            && self.course == other.course
            && self.hold == other.hold
            && self.components == other.components
    }

    /// Where it stands on the ticket.
    #[must_use]
    pub fn place(&self, menu: &Menu) -> Place {
        match menu.item(self.item_id) {
            Some(item) if item.kind == ItemKind::Menu => Place::Formules,
            item => Place::of(self.course.or(item.map(|item| item.course)).unwrap_or(0)),
        }
    }

    /// Whether the kitchen can be asked to wait with it.
    #[must_use]
    pub fn can_wait(&self, menu: &Menu) -> bool {
        menu.item(self.item_id).is_some_and(|item| item.kind.is_cooked() || item.kind == ItemKind::Menu)
    }

    /// Why it cannot be sent as it is; `None` when it can.
    #[must_use]
    pub fn fault(&self, table: TableId, menu: &Menu) -> Option<Fault> {
        let errors = super::priced(table, self.wish(), menu).err()?;
        let is_out = errors.iter().any(|error| matches!(error.code.as_str(), "unavailable" | "unknown_item"));
        Some(if is_out { Fault::SoldOut } else { Fault::ToChoose })
    }

    /// Sets the note: one line, as long as the kitchen's paper.
    pub fn set_note(&mut self, note: &str) {
        self.note = note.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MAX_NOTE).collect();
    }

    /// Puts one of the house's notes on the line, or takes it off.
    pub fn toggle_note(&mut self, preset: &str) {
        let mut notes: Vec<&str> = self.notes().collect();
        match notes.iter().position(|note| *note == preset) {
            Some(at) => {
                notes.remove(at);
            }
            None => notes.push(preset),
        }
        let note = notes.join(", ");
        // Half a sentence would tell the kitchen something else.
        if note.chars().count() <= MAX_NOTE {
            self.note = note;
        }
    }

    /// Whether that note of the house is on the line.
    #[must_use]
    pub fn has_note(&self, preset: &str) -> bool {
        self.notes().any(|note| note == preset)
    }

    fn notes(&self) -> impl Iterator<Item = &str> {
        self.note.split(',').map(str::trim).filter(|note| !note.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entrecote, magret, menu, table};
    use super::*;

    #[test]
    fn notes_of_the_house_are_put_on_and_taken_off() {
        let mut line = DraftLine::from(magret());
        line.set_note("coupé fin");
        line.toggle_note("Sans sel");
        line.toggle_note("Sauce à part");
        assert_eq!(line.note, "coupé fin, Sans sel, Sauce à part");
        line.toggle_note("Sans sel");
        assert_eq!((line.note.as_str(), line.has_note("Sauce à part")), ("coupé fin, Sauce à part", true));
    }

    #[test]
    fn a_note_never_says_half_of_what_was_meant() {
        let mut line = DraftLine::from(magret());
        line.set_note(&"é".repeat(135));
        line.toggle_note("Sans sel");
        assert_eq!(line.note.chars().count(), 135);
        line.set_note(&format!("a\tb{}", "é".repeat(200)));
        assert_eq!((line.note.chars().count(), line.note.starts_with("a b")), (MAX_NOTE, true));
    }

    #[test]
    fn a_line_says_why_it_cannot_be_sent() {
        let mut menu = menu();
        let mut line = DraftLine::from(entrecote());
        assert_eq!(line.fault(table(), &menu), Some(Fault::ToChoose));
        line.options = vec![OptionChosen { group: "Cuisson".into(), choice: "Saignant".into() }];
        assert_eq!(line.fault(table(), &menu), None);
        menu.items.iter_mut().for_each(|item| item.available = false);
        assert_eq!(line.fault(table(), &menu), Some(Fault::SoldOut));
    }

    #[test]
    fn a_line_is_read_back_from_its_wish() {
        let mut line = DraftLine::from(entrecote());
        line.options = vec![OptionChosen { group: "Cuisson".into(), choice: "Bleu".into() }];
        (line.qty, line.course, line.hold, line.note) = (3, Some(3), true, "Sans sel".into());
        assert_eq!(DraftLine::of(line.wish()), Some(line));
    }
}
