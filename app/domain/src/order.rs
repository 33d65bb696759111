//! An order: what a request must look like, what it costs, and the states its lines go through.
//!
//! [`price`] runs on the phone before anything is sent and on the server, which believes no price that comes from outside. Both
//! get the same lines and the same total from the same menu.

use crate::menu::{ItemKind, Menu, MenuItem, ventilate};
use crate::wire::euros;
use crate::{Cents, ItemId, OrderId, TableId, VatRate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most of one thing on one line.
pub const MAX_QTY: u32 = 99;
/// Most lines in one request.
pub const MAX_ITEMS: usize = 100;
/// Most guests at one table.
pub const MAX_COVERS: u16 = 99;
/// Longest note, in characters.
pub const MAX_NOTE: usize = 140;
/// Longest reason for taking something off, in characters.
pub const MAX_REASON: usize = 140;
/// Highest course.
pub const MAX_COURSE: u8 = 9;

/// Where a line stands. The screen shows each as an icon and a word: *ici → reçu → en cuisine → prêt → servi*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineState {
    /// Stored; the kitchen is to wait with it.
    Held,
    /// Stored by the server.
    Received,
    /// The kitchen is at it.
    Cooking,
    /// At the pass.
    Ready,
    /// On the table.
    Served,
    /// Taken off, with a reason.
    Voided,
}

/// What the kitchen or a waiter says about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KitchenMove {
    /// Begun.
    Cooking,
    /// Done, at the pass.
    Ready,
    /// Back from the pass, to be done again.
    Recalled,
    /// Brought to the table.
    Served,
}

impl LineState {
    /// The word of the contract and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Received => "received",
            Self::Cooking => "cooking",
            Self::Ready => "ready",
            Self::Served => "served",
            Self::Voided => "voided",
        }
    }

    /// The state after a move; `None` when the move makes no sense from here. Saying again what is already so changes nothing.
    #[must_use]
    pub const fn after(self, said: KitchenMove) -> Option<Self> {
        match (self, said) {
            // A dish that waits is called first.
            (Self::Voided | Self::Held, _) => None,
            (Self::Received | Self::Cooking, KitchenMove::Cooking) | (Self::Cooking | Self::Ready, KitchenMove::Recalled) => {
                Some(Self::Cooking)
            }
            (Self::Received | Self::Cooking | Self::Ready, KitchenMove::Ready) => Some(Self::Ready),
            (_, KitchenMove::Served) => Some(Self::Served),
            (Self::Served, KitchenMove::Recalled) => Some(Self::Cooking),
            _ => None,
        }
    }
}

impl std::str::FromStr for LineState {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "held" => Ok(Self::Held),
            "received" => Ok(Self::Received),
            "cooking" => Ok(Self::Cooking),
            "ready" => Ok(Self::Ready),
            "served" => Ok(Self::Served),
            "voided" => Ok(Self::Voided),
            _ => Err("unknown line state"),
        }
    }
}

/// Where a table stands on the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableStatus {
    /// Nobody there.
    Free,
    /// An order is open, and nothing is late.
    Occupied,
    /// Something has been in the kitchen for too long ([`crate::floor::WAITS_TOO_LONG`]).
    Waiting,
    /// Something for it waits at the pass.
    Ready,
    /// The bill was asked for, or part of it is paid.
    Bill,
}

/// What to do when the table already has an open order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IfOccupied {
    /// A second round joins the open order.
    #[default]
    Append,
    /// A person decides.
    Reject,
}

/// The component chosen for one group of a *formule*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentChoice {
    /// The group, as the menu names it.
    pub group: String,
    /// What was chosen.
    pub item_id: ItemId,
    /// What was asked about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<OptionChosen>,
}

/// The answer to one of an article's questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionChosen {
    /// The question, as the menu names it.
    pub group: String,
    /// The answer.
    pub choice: String,
}

/// The same as it is stored with a line: the price is part of the line's unit price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedOption {
    /// The question.
    pub group: String,
    /// The answer.
    pub choice: String,
    /// What it added to the price of one.
    #[serde(with = "euros")]
    pub price: Cents,
}

/// One wish. Exactly one of `dish_id`, `wine_id`, `item_id` names it; they are three names of the same number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemRequest {
    /// A dish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dish_id: Option<ItemId>,
    /// A wine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wine_id: Option<ItemId>,
    /// Anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<ItemId>,
    /// How many.
    pub qty: u32,
    /// For the kitchen, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Another course than the menu's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<u8>,
    /// Stored now, cooked when the waiter calls for its course.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hold: bool,
    /// Answers to what the menu asks about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<OptionChosen>,
    /// The choices of a *formule*.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentChoice>,
}

impl ItemRequest {
    /// The item that is meant, when exactly one is named.
    #[must_use]
    pub fn wanted(&self) -> Option<ItemId> {
        let mut named = [self.dish_id, self.wine_id, self.item_id].into_iter().flatten();
        named.next().filter(|_| named.next().is_none())
    }
}

/// What a phone sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// Where.
    pub table_id: TableId,
    /// What.
    pub items: Vec<ItemRequest>,
    /// How many guests; the table's seats when nobody says. Ignored on a later round unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers: Option<u16>,
    /// Chosen by the phone; the same one again changes nothing and returns the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// What to do when the table has an open order.
    #[serde(default)]
    pub if_occupied: IfOccupied,
    /// The order that the phone showed: the round goes to its guests, wherever they sit by now, or nowhere. Without it the round goes to
    /// whoever sits at the table, or opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
}

/// A field of a request and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Path of the field, for example `items[2].qty`.
    pub field: String,
    /// Stable, English, snake case.
    pub code: String,
}

impl FieldError {
    /// Names a field and its fault.
    #[must_use]
    pub fn new(field: impl Into<String>, code: &str) -> Self {
        Self { field: field.into(), code: code.to_owned() }
    }
}

/// A line as it will be stored: everything that a ticket needs is copied, so that later changes of the menu change nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedLine {
    /// What.
    pub item_id: ItemId,
    /// What kind.
    pub kind: ItemKind,
    /// Its name now.
    pub name: String,
    /// How many.
    pub qty: u32,
    /// For one, VAT included.
    pub unit_price: Cents,
    /// The rate now.
    pub vat_rate: VatRate,
    /// For the kitchen.
    pub note: Option<String>,
    /// Served with this course.
    pub course: u8,
    /// The *formule* it belongs to.
    pub part_of: Option<String>,
    /// Cooked only when the waiter calls for its course.
    pub hold: bool,
    /// What was asked and answered.
    pub options: Vec<PricedOption>,
}

impl PricedLine {
    /// Price of the whole line.
    #[must_use]
    pub fn total(&self) -> Cents {
        // Prices are bounded by `MAX_AMOUNT` and quantities by `MAX_QTY`: the product fits.
        self.unit_price.times(i64::from(self.qty)).unwrap_or(Cents::ZERO)
    }
}

/// Checks a request against the menu and prices it.
///
/// # Errors
/// Every fault of the request at once, each with its field.
pub fn price(request: &OrderRequest, menu: &Menu) -> Result<Vec<PricedLine>, Vec<FieldError>> {
    let mut errors = Vec::new();
    if request.items.is_empty() {
        errors.push(FieldError::new("items", "empty"));
    }
    if request.items.len() > MAX_ITEMS {
        errors.push(FieldError::new("items", "too_many"));
    }
    if request.covers.is_some_and(|covers| covers == 0 || covers > MAX_COVERS) {
        errors.push(FieldError::new("covers", "out_of_range"));
    }
    let mut lines = Vec::with_capacity(request.items.len());
    for (i, wish) in request.items.iter().enumerate().take(MAX_ITEMS) {
        price_wish(&format!("items[{i}]"), wish, menu, &mut lines, &mut errors);
    }
    if errors.is_empty() { Ok(lines) } else { Err(errors) }
}

fn price_wish(at: &str, wish: &ItemRequest, menu: &Menu, lines: &mut Vec<PricedLine>, errors: &mut Vec<FieldError>) {
    if wish.qty == 0 || wish.qty > MAX_QTY {
        errors.push(FieldError::new(format!("{at}.qty"), "out_of_range"));
    }
    if wish.course.is_some_and(|course| course > MAX_COURSE) {
        errors.push(FieldError::new(format!("{at}.course"), "out_of_range"));
    }
    let note = wish.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    if let Some(note) = note {
        if note.chars().count() > MAX_NOTE {
            errors.push(FieldError::new(format!("{at}.note"), "too_long"));
        } else if crate::card::is_in(note) {
            errors.push(FieldError::new(format!("{at}.note"), "card_number"));
        }
        if note.chars().any(char::is_control) {
            errors.push(FieldError::new(format!("{at}.note"), "control_character"));
        }
    }
    let Some(wanted) = wish.wanted() else {
        errors.push(FieldError::new(format!("{at}.item_id"), "exactly_one_item"));
        return;
    };
    let Some(item) = sellable(menu, wanted, &format!("{at}.item_id"), errors) else { return };
    let parts = if item.kind == ItemKind::Menu {
        if !wish.options.is_empty() {
            errors.push(FieldError::new(format!("{at}.options"), "unknown_option"));
        }
        let Some(chosen) = chosen_components(at, wish, item, menu, errors) else { return };
        let prices: Vec<Cents> = chosen.iter().map(|(part, _)| part.price).collect();
        chosen.into_iter().zip(ventilate(item.price, &prices)).map(|((part, options), price)| (part, options, price)).collect()
    } else {
        if !wish.components.is_empty() {
            errors.push(FieldError::new(format!("{at}.components"), "not_a_formule"));
        }
        let Some(options) = chosen_options(&format!("{at}.options"), &wish.options, item, errors) else { return };
        vec![(item, options, item.price)]
    };
    lines.extend(parts.into_iter().map(|(part, options, price)| PricedLine {
        item_id: part.id,
        kind: part.kind,
        name: part.name.clone(),
        qty: wish.qty,
        unit_price: price + options.iter().map(|option| option.price).sum(),
        vat_rate: part.vat_rate,
        note: note.map(str::to_owned),
        course: wish.course.unwrap_or(part.course),
        part_of: (item.kind == ItemKind::Menu).then(|| item.name.clone()),
        // Only what the kitchen does can wait there.
        hold: wish.hold && part.kind.is_cooked(),
        options,
    }));
}

/// The answers in the order in which the menu asks, each with its price.
fn chosen_options(field: &str, answers: &[OptionChosen], item: &MenuItem, errors: &mut Vec<FieldError>) -> Option<Vec<PricedOption>> {
    let before = errors.len();
    for (i, answer) in answers.iter().enumerate() {
        let known = item.options.iter().any(|group| group.group == answer.group && group.choices.iter().any(|c| c.choice == answer.choice));
        if !known {
            errors.push(FieldError::new(field, "unknown_option"));
        } else if answers.iter().take(i).any(|other| other.group == answer.group) {
            errors.push(FieldError::new(field, "one_choice_per_group"));
        }
    }
    let mut chosen = Vec::new();
    for group in &item.options {
        match answers.iter().find(|answer| answer.group == group.group) {
            Some(answer) => chosen.extend(group.choices.iter().find(|c| c.choice == answer.choice).map(|c| PricedOption {
                group: group.group.clone(),
                choice: c.choice.clone(),
                price: c.price,
            })),
            None if group.required => errors.push(FieldError::new(field, "option_required")),
            None => {}
        }
    }
    (errors.len() == before).then_some(chosen)
}

fn sellable<'m>(menu: &'m Menu, id: ItemId, field: &str, errors: &mut Vec<FieldError>) -> Option<&'m MenuItem> {
    let item = menu.item(id);
    match item {
        None => errors.push(FieldError::new(field, "unknown_item")),
        Some(item) if !item.available => errors.push(FieldError::new(field, "unavailable")),
        Some(_) => return item,
    }
    None
}

/// One component per group, in the order of the *formule*.
fn chosen_components<'m>(
    at: &str,
    wish: &ItemRequest,
    formule: &MenuItem,
    menu: &'m Menu,
    errors: &mut Vec<FieldError>,
) -> Option<Vec<(&'m MenuItem, Vec<PricedOption>)>> {
    let field = format!("{at}.components");
    if wish.components.len() != formule.components.len() {
        errors.push(FieldError::new(field, "one_per_group"));
        return None;
    }
    let mut chosen = Vec::with_capacity(formule.components.len());
    for group in &formule.components {
        let Some(choice) = wish.components.iter().find(|choice| choice.group == group.group) else {
            errors.push(FieldError::new(field, "one_per_group"));
            return None;
        };
        if !group.item_ids.contains(&choice.item_id) {
            errors.push(FieldError::new(field, "not_in_group"));
            return None;
        }
        let part = sellable(menu, choice.item_id, &field, errors)?;
        chosen.push((part, chosen_options(&field, &choice.options, part, errors)?));
    }
    Some(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::{ComponentGroup, OptionChoice, OptionGroup};
    use proptest::prelude::*;

    fn item(id: i64, kind: ItemKind, cents: i64, rate: VatRate) -> MenuItem {
        MenuItem {
            id: ItemId::from_row(id),
            kind,
            name: format!("Article {id}"),
            category: "Carte".into(),
            price: Cents(cents),
            vat_rate: rate,
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

    fn menu() -> Menu {
        let mut formule = item(50, ItemKind::Menu, 2700, VatRate::INTERMEDIATE_10);
        formule.components = vec![
            ComponentGroup { group: "Plat".into(), item_ids: vec![ItemId::from_row(12)] },
            ComponentGroup { group: "Verre".into(), item_ids: vec![ItemId::from_row(34)] },
        ];
        let mut out = item(13, ItemKind::Dish, 1900, VatRate::INTERMEDIATE_10);
        out.available = false;
        let choice = |choice: &str, cents| OptionChoice { choice: choice.into(), price: Cents(cents), allergens: vec![] };
        let mut asked = item(11, ItemKind::Dish, 2900, VatRate::INTERMEDIATE_10);
        asked.options = vec![
            OptionGroup { group: "Cuisson".into(), required: true, choices: vec![choice("Bleu", 0), choice("À point", 0)] },
            OptionGroup { group: "Sauce".into(), required: false, choices: vec![choice("Béarnaise", 250)] },
        ];
        let items = vec![
            item(12, ItemKind::Dish, 2400, VatRate::INTERMEDIATE_10),
            asked,
            out,
            item(34, ItemKind::Wine, 2800, VatRate::STANDARD_20),
            formule,
        ];
        Menu { version: "1".into(), items, notes: vec![] }
    }

    fn request(items: serde_json::Value) -> OrderRequest {
        serde_json::from_value(serde_json::json!({"table_id": 5, "items": items})).unwrap()
    }

    fn codes(items: serde_json::Value) -> Vec<String> {
        price(&request(items), &menu()).unwrap_err().into_iter().map(|e| format!("{} {}", e.field, e.code)).collect()
    }

    #[test]
    fn the_reference_order_is_priced_from_the_menu() {
        let lines = price(&request(serde_json::json!([{"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 2}])), &menu()).unwrap();
        assert_eq!(lines.iter().map(PricedLine::total).sum::<Cents>(), Cents(8000));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let found = codes(serde_json::json!([
            {"dish_id": 12, "qty": 0}, {"dish_id": 99, "qty": 1}, {"dish_id": 13, "qty": 1}, {"dish_id": 12, "wine_id": 34, "qty": 1},
            {"dish_id": 12, "qty": 10_000, "note": "x".repeat(141)}
        ]));
        assert_eq!(
            found,
            [
                "items[0].qty out_of_range",
                "items[1].item_id unknown_item",
                "items[2].item_id unavailable",
                "items[3].item_id exactly_one_item",
                "items[4].qty out_of_range",
                "items[4].note too_long"
            ]
        );
        assert_eq!(codes(serde_json::json!([])), ["items empty"]);
    }

    #[test]
    fn a_formule_becomes_one_line_per_component_and_costs_its_price() {
        let components = serde_json::json!([{"group": "Verre", "item_id": 34}, {"group": "Plat", "item_id": 12}]);
        let lines = price(&request(serde_json::json!([{"item_id": 50, "qty": 2, "components": components}])), &menu()).unwrap();
        assert_eq!(lines.iter().map(PricedLine::total).sum::<Cents>(), Cents(5400));
        assert_eq!(lines.iter().map(|l| l.vat_rate.basis_points()).collect::<Vec<_>>(), [1000, 2000]);
        assert_eq!(codes(serde_json::json!([{"item_id": 50, "qty": 1}])), ["items[0].components one_per_group"]);
    }

    #[test]
    fn what_must_be_asked_is_asked_and_priced() {
        let cuisson = serde_json::json!({"group": "Cuisson", "choice": "Bleu"});
        let sauce = serde_json::json!({"group": "Sauce", "choice": "Béarnaise"});
        let lines = price(&request(serde_json::json!([{"dish_id": 11, "qty": 2, "options": [sauce, cuisson]}])), &menu()).unwrap();
        assert_eq!(lines[0].total(), Cents(2 * 3150));
        assert_eq!(lines[0].options.iter().map(|o| o.choice.as_str()).collect::<Vec<_>>(), ["Bleu", "Béarnaise"], "as the menu asks");
        assert_eq!(codes(serde_json::json!([{"dish_id": 11, "qty": 1}])), ["items[0].options option_required"]);
        let twice = serde_json::json!([{"dish_id": 11, "qty": 1, "options": [cuisson, {"group": "Cuisson", "choice": "À point"}]}]);
        assert_eq!(codes(twice), ["items[0].options one_choice_per_group"]);
        let unknown = serde_json::json!([{"dish_id": 12, "qty": 1, "options": [cuisson]}]);
        assert_eq!(codes(unknown), ["items[0].options unknown_option"]);
    }

    #[test]
    fn only_the_kitchen_waits() {
        let items = serde_json::json!([{"dish_id": 12, "qty": 1, "hold": true}, {"wine_id": 34, "qty": 1, "hold": true}]);
        let lines = price(&request(items), &menu()).unwrap();
        assert_eq!(lines.iter().map(|line| line.hold).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_voided_line_never_comes_back() {
        for said in [KitchenMove::Cooking, KitchenMove::Ready, KitchenMove::Recalled, KitchenMove::Served] {
            assert_eq!(LineState::Voided.after(said), None);
        }
    }

    proptest! {
        #[test]
        fn saying_the_same_thing_twice_changes_nothing(from in 0usize..4, said in 0usize..4) {
            let from = [LineState::Received, LineState::Cooking, LineState::Ready, LineState::Served][from];
            let said = [KitchenMove::Cooking, KitchenMove::Ready, KitchenMove::Recalled, KitchenMove::Served][said];
            if let Some(once) = from.after(said) {
                prop_assert_eq!(once.after(said), Some(once));
            }
        }
    }
}
