//! Changing the menu.

use crate::menu::{Allergen, ComponentGroup, ItemKind, OptionGroup};
use crate::wire::{euros, percent};
use crate::{Cents, ItemId, VatRate};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Whether something can be ordered now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Availability {
    /// It can, or it is out.
    pub available: bool,
    /// Out until then; without it, until somebody says otherwise.
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<OffsetDateTime>,
}

/// An article as the house describes it: a new one, or one that changes. What is left out of a change is taken away, except availability
/// and pairings, which have calls of their own. See [`crate::catalogue::check_item`] for what it must look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemDraft {
    /// What it is. Never changes once the article exists.
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
    /// The course it is served with when nobody says otherwise.
    #[serde(default)]
    pub course: u8,
    /// Shown first, before any search.
    #[serde(default)]
    pub favourite: bool,
    /// Region, vintage, format: one line under the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What must be declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allergens: Vec<Allergen>,
    /// What is asked when it is ordered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<OptionGroup>,
    /// For a wine by the glass: its bottle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glass_of: Option<ItemId>,
    /// The choices of a *formule*; empty for everything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentGroup>,
    /// Names the request that adds it. A change is the same however often it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// A wine to suggest with a dish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairingDraft {
    /// The wine.
    pub wine_id: ItemId,
    /// One to three, the best first; without it, its place in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u8>,
    /// One line to say at the table.
    pub reason: String,
}

/// A wine that the house set for a dish itself, whether or not the wine is out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairingSet {
    /// The wine.
    pub wine_id: ItemId,
    /// One to three, the best first.
    pub rank: u8,
    /// One line to say at the table.
    pub reason: String,
}

/// An article as whoever keeps the menu sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemView {
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
    /// Its rate.
    #[serde(with = "percent")]
    pub vat_rate: VatRate,
    /// Whether it can be ordered now.
    pub available: bool,
    /// When it is back by itself; null: when somebody says so.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub back_at: Option<OffsetDateTime>,
    /// The course it is served with when nobody says otherwise.
    pub course: u8,
    /// Shown first, before any search.
    pub favourite: bool,
    /// One line under the name.
    pub detail: Option<String>,
    /// What must be declared.
    pub allergens: Vec<Allergen>,
    /// What is asked when it is ordered.
    pub options: Vec<OptionGroup>,
    /// For a wine by the glass: its bottle.
    pub glass_of: Option<ItemId>,
    /// The choices of a *formule*.
    pub components: Vec<ComponentGroup>,
    /// Its own wines, not those of its heading.
    pub pairings: Vec<PairingSet>,
}

/// A heading of the menu, with the wines that go with everything under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// Its name.
    pub category: String,
    /// Its wines, after those of the dish itself.
    pub pairings: Vec<PairingSet>,
}
