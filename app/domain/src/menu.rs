//! What can be sold, which wine goes with it, and how the price of a *formule* is divided over what it contains.

use crate::allocate::largest_remainder;
use crate::wire::{euros, percent};
use crate::{Cents, ItemId, VatRate};
use serde::{Deserialize, Serialize};

/// What kind of thing is sold. It decides the way through the house: only dishes go to the kitchen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// Cooked or dressed in the kitchen.
    Dish,
    /// Wine, by the glass or the bottle.
    Wine,
    /// Any other drink.
    Drink,
    /// A *formule*: several things for one price.
    Menu,
}

impl ItemKind {
    /// The word of the contract and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dish => "dish",
            Self::Wine => "wine",
            Self::Drink => "drink",
            Self::Menu => "menu",
        }
    }

    /// Whether the kitchen prepares it.
    #[must_use]
    pub const fn is_cooked(self) -> bool {
        matches!(self, Self::Dish)
    }
}

impl std::str::FromStr for ItemKind {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "dish" => Ok(Self::Dish),
            "wine" => Ok(Self::Wine),
            "drink" => Ok(Self::Drink),
            "menu" => Ok(Self::Menu),
            _ => Err("a kind is one of dish, wine, drink, menu"),
        }
    }
}

/// The wine that the house suggests with a dish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// The wine.
    pub id: ItemId,
    /// Its name on the menu.
    pub name: String,
    /// Its price, VAT included.
    #[serde(with = "euros")]
    pub price: Cents,
    /// One line to say at the table.
    pub reason: String,
}

/// A choice to make in a *formule*: one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentGroup {
    /// What is chosen, for example `Entrée`. Unique within the *formule*.
    pub group: String,
    /// What may be chosen.
    pub item_ids: Vec<ItemId>,
}

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuItem {
    /// Its number.
    pub id: ItemId,
    /// What it is.
    pub kind: ItemKind,
    /// Its name on the menu.
    pub name: String,
    /// The heading under which it stands.
    pub category: String,
    /// Its price, VAT included.
    #[serde(with = "euros")]
    pub price: Cents,
    /// Its rate. For a *formule* the rates of the components count instead.
    #[serde(with = "percent")]
    pub vat_rate: VatRate,
    /// Whether it can be ordered now.
    pub available: bool,
    /// The course it is served with when nobody says otherwise: 1 starters, 2 mains, 3 desserts; 0 at once (drinks).
    pub course: u8,
    /// Shown first, before any search.
    pub favourite: bool,
    /// Region, vintage, format: one line under the name.
    pub detail: Option<String>,
    /// The best wine with it, when there is one and it is not out.
    pub wine_pairing: Option<Pairing>,
    /// The choices of a *formule*; empty for everything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentGroup>,
}

/// Everything that can be sold, in the order of the printed menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// Changes whenever anything on the menu does.
    pub version: String,
    /// The lines.
    pub items: Vec<MenuItem>,
}

impl Menu {
    /// The line with this number.
    #[must_use]
    pub fn item(&self, id: ItemId) -> Option<&MenuItem> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The wine to suggest with this dish: its pairing, unless that wine is out.
    #[must_use]
    pub fn suggest_wine(&self, dish: ItemId) -> Option<&Pairing> {
        let pairing = self.item(dish)?.wine_pairing.as_ref()?;
        self.item(pairing.id).is_some_and(|wine| wine.available).then_some(pairing)
    }
}

/// Divides the price of a *formule* over its components in proportion to what each costs alone, so that each part is taxed at its own
/// rate (CGI art. 268 bis; prices that include VAT give the same proportions as the doctrine's method). Exact to the cent.
#[must_use]
pub fn ventilate(price: Cents, standalone_prices: &[Cents]) -> Vec<Cents> {
    let weights: Vec<u64> = standalone_prices.iter().map(|p| p.0.max(0).unsigned_abs()).collect();
    largest_remainder(price, &weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formule_is_taxed_by_what_it_contains() {
        // Starter 9.00 and main 18.00 at 10 %, a glass of wine 6.00 at 20 %, all for 27.00.
        let parts = ventilate(Cents(2700), &[Cents(900), Cents(1800), Cents(600)]);
        assert_eq!(parts, [Cents(736), Cents(1473), Cents(491)]);
        assert_eq!(parts.iter().sum::<Cents>(), Cents(2700));
    }
}
