//! What an article, its wines and a person must look like before the house takes them in. The page that edits them and the server ask
//! the same rules; what only the database can know (whether a wine exists, whether a name is taken) is asked there.

use crate::api::{ItemDraft, PairingDraft, PairingSet};
use crate::menu::{ItemKind, OptionGroup};
use crate::order::{FieldError, MAX_COURSE};
use crate::{Cents, ItemId};
use std::collections::HashSet;
use std::hash::Hash;

/// Longest name of an article or a person, in characters.
pub const MAX_NAME: usize = 80;
/// Longest heading, question or answer, in characters.
pub const MAX_LABEL: usize = 40;
/// Longest line under a name, and longest reason for a wine, in characters.
pub const MAX_LINE: usize = 140;
/// Longest name to sign in with, in characters.
pub const MAX_USERNAME: usize = 32;
/// Highest price of one article.
pub const MAX_PRICE: Cents = Cents(10_000_000);
/// Highest price of one answer to a question.
pub const MAX_OPTION_PRICE: Cents = Cents(1_000_000);
/// Most questions about an article, and most choices that make a *formule*.
pub const MAX_GROUPS: usize = 10;
/// Most answers to one question, and most articles in one choice of a *formule*.
pub const MAX_CHOICES: usize = 50;
/// Most wines with one dish.
pub const MAX_PAIRINGS: usize = 3;
/// Most notes to tap: more are slower to find than to type.
pub const MAX_PRESET_NOTES: usize = 40;

type Faults = Vec<FieldError>;

/// The article as it is to be stored: texts without blanks at their ends, an empty line under the name left out.
///
/// # Errors
/// Every faulty field.
pub fn check_item(draft: &ItemDraft) -> Result<ItemDraft, Faults> {
    let mut faults = Faults::new();
    let name = text(&mut faults, "name", &draft.name, MAX_NAME);
    let category = text(&mut faults, "category", &draft.category, MAX_LABEL);
    let detail = draft.detail.as_deref().map(str::trim).filter(|detail| !detail.is_empty());
    let detail = detail.map(|detail| text(&mut faults, "detail", detail, MAX_LINE));
    if !(Cents::ZERO..=MAX_PRICE).contains(&draft.price) {
        faults.push(FieldError::new("price", "price_out_of_range"));
    }
    if draft.course > MAX_COURSE {
        faults.push(FieldError::new("course", "out_of_range"));
    }
    twice(&mut faults, "allergens", "twice", draft.allergens.iter());
    if draft.glass_of.is_some() && draft.kind != ItemKind::Wine {
        faults.push(FieldError::new("glass_of", "not_a_wine"));
    }
    let options = options(&mut faults, &draft.options);
    let components = components(&mut faults, draft);
    if faults.is_empty() { Ok(ItemDraft { name, category, detail, options, components, ..draft.clone() }) } else { Err(faults) }
}

fn options(faults: &mut Faults, groups: &[OptionGroup]) -> Vec<OptionGroup> {
    if groups.len() > MAX_GROUPS {
        faults.push(FieldError::new("options", "too_many_groups"));
    }
    let mut kept = groups.to_vec();
    for (at, group) in kept.iter_mut().enumerate() {
        let field = format!("options[{at}]");
        group.group = text(faults, &format!("{field}.group"), &group.group, MAX_LABEL);
        if group.choices.is_empty() || group.choices.len() > MAX_CHOICES {
            faults.push(FieldError::new(format!("{field}.choices"), "no_or_too_many_choices"));
        }
        for (at, choice) in group.choices.iter_mut().enumerate() {
            let field = format!("{field}.choices[{at}]");
            choice.choice = text(faults, &format!("{field}.choice"), &choice.choice, MAX_LABEL);
            if !(Cents::ZERO..=MAX_OPTION_PRICE).contains(&choice.price) {
                faults.push(FieldError::new(format!("{field}.price"), "price_out_of_range"));
            }
            twice(faults, &format!("{field}.allergens"), "twice", choice.allergens.iter());
        }
        twice(faults, &format!("{field}.choices"), "twice", group.choices.iter().map(|choice| &choice.choice));
    }
    twice(faults, "options", "twice", kept.iter().map(|group| &group.group));
    kept
}

fn components(faults: &mut Faults, draft: &ItemDraft) -> Vec<crate::menu::ComponentGroup> {
    let is_formule = draft.kind == ItemKind::Menu;
    if draft.components.len() > MAX_GROUPS {
        faults.push(FieldError::new("components", "too_many_groups"));
    }
    // A formule without a choice could be sold, and would be taxed by nothing.
    if is_formule == draft.components.is_empty() {
        faults.push(FieldError::new("components", if is_formule { "components_required" } else { "not_a_formule" }));
    }
    let mut kept = draft.components.clone();
    for (at, group) in kept.iter_mut().enumerate() {
        let field = format!("components[{at}]");
        group.group = text(faults, &format!("{field}.group"), &group.group, MAX_LABEL);
        if group.item_ids.is_empty() || group.item_ids.len() > MAX_CHOICES {
            faults.push(FieldError::new(format!("{field}.item_ids"), "no_or_too_many_choices"));
        }
        twice(faults, &format!("{field}.item_ids"), "twice", group.item_ids.iter());
    }
    twice(faults, "components", "twice", kept.iter().map(|group| &group.group));
    kept
}

/// The wines with a dish, the best first. Which of them exist is not asked here.
///
/// # Errors
/// Every faulty field.
pub fn check_pairings(draft: &[PairingDraft]) -> Result<Vec<PairingSet>, Faults> {
    let mut faults = Faults::new();
    if draft.len() > MAX_PAIRINGS {
        return Err(vec![FieldError::new("pairings", "more_than_three")]);
    }
    let mut kept = Vec::new();
    for ((at, pairing), place) in draft.iter().enumerate().zip(1..) {
        let rank = pairing.rank.unwrap_or(place);
        if !(1..=3).contains(&rank) {
            faults.push(FieldError::new(format!("[{at}].rank"), "out_of_range"));
        }
        let reason = text(&mut faults, &format!("[{at}].reason"), &pairing.reason, MAX_LINE);
        kept.push(PairingSet { wine_id: pairing.wine_id, rank, reason });
    }
    twice(&mut faults, "wine_id", "twice", kept.iter().map(|pairing| pairing.wine_id));
    twice(&mut faults, "rank", "twice", kept.iter().map(|pairing| pairing.rank));
    kept.sort_by_key(|pairing| pairing.rank);
    if faults.is_empty() { Ok(kept) } else { Err(faults) }
}

/// The notes to tap, as they are to be stored, in their order.
///
/// # Errors
/// Every faulty field.
pub fn check_notes(draft: &[String]) -> Result<Vec<String>, Faults> {
    if draft.len() > MAX_PRESET_NOTES {
        return Err(vec![FieldError::new("notes", "too_many")]);
    }
    let mut faults = Faults::new();
    let kept: Vec<String> = draft.iter().enumerate().map(|(at, note)| text(&mut faults, &format!("[{at}]"), note, MAX_LABEL)).collect();
    twice(&mut faults, "notes", "twice", kept.iter());
    if faults.is_empty() { Ok(kept) } else { Err(faults) }
}

/// Articles that a draft names and that have to exist, with the field that names each.
#[must_use]
pub fn named_items(draft: &ItemDraft) -> Vec<(String, ItemId)> {
    let components = draft.components.iter().enumerate().flat_map(|(at, group)| {
        group.item_ids.iter().enumerate().map(move |(place, id)| (format!("components[{at}].item_ids[{place}]"), *id))
    });
    draft.glass_of.map(|bottle| ("glass_of".to_owned(), bottle)).into_iter().chain(components).collect()
}

/// A person's name as it is to be stored.
///
/// # Errors
/// The fault of `name`.
pub fn check_name(name: &str) -> Result<String, Faults> {
    let mut faults = Faults::new();
    let name = text(&mut faults, "name", name, MAX_NAME);
    if faults.is_empty() { Ok(name) } else { Err(faults) }
}

/// A name to sign in with as it is to be stored: lower case; letters, digits, point, dash and underscore.
///
/// # Errors
/// The fault of `username`.
pub fn check_username(username: &str) -> Result<String, Faults> {
    let username = username.trim().to_lowercase();
    let fits = (1..=MAX_USERNAME).contains(&username.chars().count());
    if fits && username.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) {
        Ok(username)
    } else {
        Err(vec![FieldError::new("username", "not_a_username")])
    }
}

/// A text without the blanks at its ends, of at most `longest` characters, all of which can be printed.
fn text(faults: &mut Faults, field: &str, text: &str, longest: usize) -> String {
    let text = text.trim();
    if text.is_empty() {
        faults.push(FieldError::new(field, "blank"));
    } else if text.chars().count() > longest {
        faults.push(FieldError::new(field, "text_too_long"));
    }
    if text.chars().any(char::is_control) {
        faults.push(FieldError::new(field, "control_character"));
    }
    text.to_owned()
}

fn twice<T: Hash + Eq>(faults: &mut Faults, field: &str, code: &str, values: impl Iterator<Item = T>) {
    let mut seen = HashSet::new();
    if !values.into_iter().all(|value| seen.insert(value)) {
        faults.push(FieldError::new(field, code));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VatRate;
    use crate::menu::{Allergen, ComponentGroup, OptionChoice};
    use proptest::prelude::*;

    fn dish() -> ItemDraft {
        ItemDraft {
            kind: ItemKind::Dish,
            name: " Joue de bœuf ".into(),
            category: "Viandes".into(),
            price: Cents(2150),
            vat_rate: VatRate::INTERMEDIATE_10,
            course: 2,
            favourite: false,
            detail: Some("  ".into()),
            allergens: vec![Allergen::Celery],
            options: vec![OptionGroup {
                group: "Cuisson".into(),
                required: true,
                choices: vec![OptionChoice { choice: "Rosé".into(), price: Cents::ZERO, allergens: vec![] }],
            }],
            glass_of: None,
            components: Vec::new(),
            uuid: None,
        }
    }

    fn codes(draft: &ItemDraft) -> Vec<(String, String)> {
        check_item(draft).unwrap_err().into_iter().map(|fault| (fault.field, fault.code)).collect()
    }

    #[test]
    fn an_article_is_stored_without_the_blanks_around_it() {
        let kept = check_item(&dish()).unwrap();
        assert_eq!((kept.name.as_str(), kept.detail), ("Joue de bœuf", None));
    }

    #[test]
    fn every_fault_of_an_article_is_named() {
        let mut bad = ItemDraft { name: "x\u{7}".into(), category: String::new(), price: Cents(10_000_001), course: 10, ..dish() };
        bad.allergens.push(Allergen::Celery);
        bad.options[0].choices.push(OptionChoice {
            choice: "Rosé ".into(),
            price: Cents(-1),
            allergens: vec![Allergen::Eggs, Allergen::Eggs],
        });
        bad.components.push(ComponentGroup { group: "Plat".into(), item_ids: vec![] });
        let fields: Vec<String> = codes(&bad).into_iter().map(|(field, code)| format!("{field} {code}")).collect();
        assert_eq!(
            fields,
            [
                "name control_character",
                "category blank",
                "price price_out_of_range",
                "course out_of_range",
                "allergens twice",
                "options[0].choices[1].price price_out_of_range",
                "options[0].choices[1].allergens twice",
                "options[0].choices twice",
                "components not_a_formule",
                "components[0].item_ids no_or_too_many_choices",
            ]
        );
    }

    #[test]
    fn a_formule_needs_choices_and_only_a_wine_comes_from_a_bottle() {
        assert_eq!(codes(&ItemDraft { kind: ItemKind::Menu, ..dish() })[0].1, "components_required");
        assert_eq!(codes(&ItemDraft { glass_of: Some(ItemId::from_row(34)), ..dish() })[0].1, "not_a_wine");
    }

    #[test]
    fn a_dish_has_up_to_three_wines_each_once_in_the_order_of_their_ranks() {
        let wine = |id, rank| PairingDraft { wine_id: ItemId::from_row(id), rank, reason: "Le même terroir".into() };
        let kept = check_pairings(&[wine(34, Some(2)), wine(35, Some(1))]).unwrap();
        assert_eq!(kept.iter().map(|pairing| (pairing.wine_id.get(), pairing.rank)).collect::<Vec<_>>(), [(35, 1), (34, 2)]);
        assert!(check_pairings(&[]).unwrap().is_empty());
        let fault = |draft: &[PairingDraft]| check_pairings(draft).unwrap_err().remove(0);
        assert_eq!(fault(&[wine(34, None), wine(34, None)]).field, "wine_id");
        assert_eq!(fault(&[wine(34, None), wine(35, Some(1))]).field, "rank");
        assert_eq!(fault(&[wine(34, Some(4))]).field, "[0].rank");
        assert_eq!(fault(&[wine(1, None), wine(2, None), wine(3, None), wine(4, None)]).code, "more_than_three");
        assert_eq!(fault(&[PairingDraft { reason: " ".into(), ..wine(1, None) }]).code, "blank");
    }

    #[test]
    fn notes_to_tap_are_short_and_each_is_there_once() {
        let notes = |notes: &[&str]| check_notes(&notes.iter().map(|note| (*note).to_owned()).collect::<Vec<_>>());
        assert_eq!(notes(&[" Sans sel ", "À partager"]).unwrap(), ["Sans sel", "À partager"]);
        assert!(notes(&[]).unwrap().is_empty());
        assert_eq!(notes(&["Sans sel", "Sans sel "]).unwrap_err()[0].code, "twice");
        assert_eq!(notes(&["Sans sel", ""]).unwrap_err()[0].field, "[1]");
        assert_eq!(notes(&["x".repeat(41).as_str()]).unwrap_err()[0].code, "text_too_long");
        assert_eq!(notes(&vec!["a"; 41]).unwrap_err()[0].code, "too_many");
    }

    #[test]
    fn people_sign_in_with_plain_lower_case_names() {
        assert_eq!(check_username(" Zoé.B ").unwrap(), "zoé.b");
        for bad in ["", "two words", "a/b", &"x".repeat(33)] {
            assert!(check_username(bad).is_err(), "{bad}");
        }
        assert!(check_name("\u{1b}[2J").is_err() && check_name(&"é".repeat(80)).is_ok() && check_name(&"é".repeat(81)).is_err());
    }

    proptest! {
        #[test]
        fn what_was_taken_in_is_taken_in_again_unchanged(name in "\\PC{0,90}", category in "\\PC{0,50}", cents in -5i64..20_000_000, course in 0u8..12) {
            let draft = ItemDraft { name, category, price: Cents(cents), course, ..dish() };
            if let Ok(kept) = check_item(&draft) {
                prop_assert!(kept.name.chars().count() <= MAX_NAME && !kept.name.is_empty());
                prop_assert!(kept.price >= Cents::ZERO && kept.price <= MAX_PRICE);
                prop_assert_eq!(check_item(&kept), Ok(kept));
            }
        }

        #[test]
        fn a_username_taken_in_is_its_own_lower_case(username in "\\PC{0,40}") {
            if let Ok(kept) = check_username(&username) {
                prop_assert_eq!(check_username(&kept), Ok(kept));
            }
        }
    }
}
