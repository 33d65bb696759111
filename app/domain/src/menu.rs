//! What can be sold, which wine goes with it, and how the price of a *formule* is divided over what it contains.

use crate::allocate::largest_remainder;
use crate::order::OptionChosen;
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

/// A wine that the house suggests with a dish.
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
    /// The same wine by the glass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glass: Option<Glass>,
}

/// A wine by the glass: an article of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glass {
    /// The article.
    pub id: ItemId,
    /// Its price, VAT included.
    #[serde(with = "euros")]
    pub price: Cents,
}

/// Something that the guest is asked about a dish, for example `Cuisson`: one choice at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionGroup {
    /// What is asked. Unique within the article.
    pub group: String,
    /// Whether the kitchen cannot do without an answer.
    pub required: bool,
    /// The answers, in the order in which they are shown.
    pub choices: Vec<OptionChoice>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionChoice {
    /// As it is said. Unique within the group.
    pub choice: String,
    /// What it adds to the price of one, VAT included.
    #[serde(with = "euros")]
    pub price: Cents,
    /// What must be declared of it, beside what the dish contains anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allergens: Vec<Allergen>,
}

impl OptionChoice {
    /// Which of these it contains.
    pub fn brings<'a>(&'a self, avoided: &'a [Allergen]) -> impl Iterator<Item = Allergen> + 'a {
        self.allergens.iter().copied().filter(|one| avoided.contains(one))
    }
}

/// What must be declared when a dish contains it: Regulation (EU) No 1169/2011, annex II.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Allergen {
    /// Cereals containing gluten.
    Gluten,
    /// Crustaceans.
    Crustaceans,
    /// Eggs.
    Eggs,
    /// Fish.
    Fish,
    /// Peanuts.
    Peanuts,
    /// Soybeans.
    Soybeans,
    /// Milk.
    Milk,
    /// Nuts.
    Nuts,
    /// Celery.
    Celery,
    /// Mustard.
    Mustard,
    /// Sesame.
    Sesame,
    /// Sulphites above 10 mg/kg.
    Sulphites,
    /// Lupin.
    Lupin,
    /// Molluscs.
    Molluscs,
}

impl Allergen {
    /// All fourteen, in the order of the annex.
    pub const ALL: [Self; 14] = [
        Self::Gluten,
        Self::Crustaceans,
        Self::Eggs,
        Self::Fish,
        Self::Peanuts,
        Self::Soybeans,
        Self::Milk,
        Self::Nuts,
        Self::Celery,
        Self::Mustard,
        Self::Sesame,
        Self::Sulphites,
        Self::Lupin,
        Self::Molluscs,
    ];

    /// The word of the contract and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gluten => "gluten",
            Self::Crustaceans => "crustaceans",
            Self::Eggs => "eggs",
            Self::Fish => "fish",
            Self::Peanuts => "peanuts",
            Self::Soybeans => "soybeans",
            Self::Milk => "milk",
            Self::Nuts => "nuts",
            Self::Celery => "celery",
            Self::Mustard => "mustard",
            Self::Sesame => "sesame",
            Self::Sulphites => "sulphites",
            Self::Lupin => "lupin",
            Self::Molluscs => "molluscs",
        }
    }
}

impl std::str::FromStr for Allergen {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|allergen| allergen.as_str() == text).ok_or("unknown allergen")
    }
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
    /// Up to three wines with it, the best first; those of the dish, then those of its heading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairings: Vec<Pairing>,
    /// What is asked when it is ordered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<OptionGroup>,
    /// What must be declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allergens: Vec<Allergen>,
    /// For a wine by the glass: its bottle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glass_of: Option<ItemId>,
    /// The choices of a *formule*; empty for everything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentGroup>,
}

impl MenuItem {
    /// What must be declared of it with these answers: what the dish contains anyway, then what each answer brings.
    #[must_use]
    pub fn allergens_with(&self, chosen: &[OptionChosen]) -> Vec<Allergen> {
        let mut all = self.allergens.clone();
        for answer in chosen {
            let group = self.options.iter().find(|group| group.group == answer.group);
            let choice = group.and_then(|group| group.choices.iter().find(|choice| choice.choice == answer.choice));
            for allergen in choice.iter().flat_map(|choice| &choice.allergens) {
                if !all.contains(allergen) {
                    all.push(*allergen);
                }
            }
        }
        all
    }

    /// Whether it can be had without any of these, as far as it is declared: the dish itself is free of them, and so is at least one answer
    /// to every question that has to be answered.
    #[must_use]
    pub fn can_be_without(&self, avoided: &[Allergen]) -> bool {
        let is_free = |choice: &OptionChoice| choice.brings(avoided).next().is_none();
        !self.allergens.iter().any(|one| avoided.contains(one))
            && self.options.iter().filter(|group| group.required).all(|group| group.choices.iter().any(is_free))
    }
}

/// Everything that can be sold, in the order of the printed menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// Changes whenever anything on the menu does.
    pub version: String,
    /// The lines.
    pub items: Vec<MenuItem>,
    /// Notes that are said every evening, to tap instead of type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Menu {
    /// The line with this number.
    #[must_use]
    pub fn item(&self, id: ItemId) -> Option<&MenuItem> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The wines to suggest with this dish, the best first: its pairings, without those that are out. A bottle that is out takes its glass
    /// with it; a glass that is out leaves the bottle.
    #[must_use]
    pub fn suggest_wines(&self, dish: ItemId) -> Vec<Pairing> {
        let in_stock = |id| self.item(id).is_some_and(|wine| wine.available);
        let Some(dish) = self.item(dish) else { return Vec::new() };
        dish.pairings
            .iter()
            .filter(|pairing| in_stock(pairing.id))
            .cloned()
            .map(|pairing| Pairing { glass: pairing.glass.filter(|glass| in_stock(glass.id)), ..pairing })
            .collect()
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
    use proptest::prelude::*;

    fn some_allergens() -> impl Strategy<Value = Vec<Allergen>> {
        proptest::sample::subsequence(Allergen::ALL.to_vec(), 0..4)
    }

    /// A dish with up to three questions of one to three answers each.
    fn a_dish() -> impl Strategy<Value = MenuItem> {
        let group = (any::<bool>(), proptest::collection::vec(some_allergens(), 1..4));
        (some_allergens(), proptest::collection::vec(group, 0..4)).prop_map(|(allergens, groups)| {
            let choice = |(at, allergens)| OptionChoice { choice: format!("R{at}"), price: Cents::ZERO, allergens };
            let group = |(at, (required, choices)): (usize, (bool, Vec<_>))| OptionGroup {
                group: format!("Q{at}"),
                required,
                choices: choices.into_iter().enumerate().map(choice).collect(),
            };
            let options = groups.into_iter().enumerate().map(group).collect();
            MenuItem { options, allergens, ..menu(&[]).items.remove(0) }
        })
    }

    /// Every way in which a dish can be ordered.
    fn ways(dish: &MenuItem) -> Vec<Vec<OptionChosen>> {
        let mut ways = vec![vec![]];
        for group in &dish.options {
            let mut next = if group.required { vec![] } else { ways.clone() };
            for way in &ways {
                for choice in &group.choices {
                    let answer = OptionChosen { group: group.group.clone(), choice: choice.choice.clone() };
                    next.push(way.iter().cloned().chain([answer]).collect());
                }
            }
            ways = next;
        }
        ways
    }

    proptest! {
        #[test]
        fn a_dish_is_left_out_when_every_way_contains_it_and_only_then(dish in a_dish(), avoided in some_allergens()) {
            let is_free = |way: &Vec<OptionChosen>| !dish.allergens_with(way).iter().any(|one| avoided.contains(one));
            prop_assert_eq!(dish.can_be_without(&avoided), ways(&dish).iter().any(is_free));
        }

        #[test]
        fn whatever_a_choice_brings_is_declared_once(dish in a_dish()) {
            for way in ways(&dish) {
                let declared = dish.allergens_with(&way);
                let brought = |answer: &OptionChosen| {
                    let group = dish.options.iter().find(|group| group.group == answer.group).unwrap();
                    group.choices.iter().find(|choice| choice.choice == answer.choice).unwrap().allergens.clone()
                };
                let mut expected: Vec<Allergen> = dish.allergens.iter().copied().chain(way.iter().flat_map(brought)).collect();
                expected.sort_by_key(|one| one.as_str());
                expected.dedup();
                let mut found = declared.clone();
                found.sort_by_key(|one| one.as_str());
                prop_assert_eq!(found, expected);
                prop_assert!(declared.starts_with(&dish.allergens), "in the order of the house");
            }
        }
    }

    #[test]
    fn a_formule_is_taxed_by_what_it_contains() {
        // Starter 9.00 and main 18.00 at 10 %, a glass of wine 6.00 at 20 %, all for 27.00.
        let parts = ventilate(Cents(2700), &[Cents(900), Cents(1800), Cents(600)]);
        assert_eq!(parts, [Cents(736), Cents(1473), Cents(491)]);
        assert_eq!(parts.iter().sum::<Cents>(), Cents(2700));
    }

    fn menu(wines: &[(i64, bool)]) -> Menu {
        let item = |id: i64, available, pairings| MenuItem {
            id: ItemId::from_row(id),
            kind: ItemKind::Wine,
            name: format!("Article {id}"),
            category: "Carte".into(),
            price: Cents(1000),
            vat_rate: VatRate::STANDARD_20,
            available,
            course: 0,
            favourite: false,
            detail: None,
            wine_pairing: None,
            pairings,
            options: vec![],
            allergens: vec![],
            glass_of: None,
            components: vec![],
        };
        let pairing = |id: i64| Pairing {
            id: ItemId::from_row(id),
            name: format!("Article {id}"),
            price: Cents(1000),
            reason: "Parce que".into(),
            glass: Some(Glass { id: ItemId::from_row(id + 100), price: Cents(300) }),
        };
        let dish = item(1, true, vec![pairing(2), pairing(3), pairing(4)]);
        let wines = wines.iter().map(|(id, available)| item(*id, *available, vec![]));
        Menu { version: "1".into(), items: std::iter::once(dish).chain(wines).collect(), notes: vec![] }
    }

    #[test]
    fn a_wine_that_is_out_is_never_suggested() {
        let menu = menu(&[(2, false), (102, true), (3, true), (103, false), (104, true)]);
        let wines = menu.suggest_wines(ItemId::from_row(1));
        assert_eq!(wines.iter().map(|wine| wine.id.get()).collect::<Vec<_>>(), [3], "2 is out, 4 is not on the menu");
        assert_eq!(wines[0].glass, None, "the glass is out");
    }

    #[test]
    fn words_are_read_back() {
        for allergen in Allergen::ALL {
            assert_eq!(allergen.as_str().parse(), Ok(allergen));
            assert_eq!(serde_json::to_string(&allergen).unwrap(), format!("\"{}\"", allergen.as_str()));
        }
    }
}
