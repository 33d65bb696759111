//! Finding a dish by what a person types: its name without accents or capitals, or `sans lait` for what may be eaten.

use crate::i18n::order::order as texts;
use domain::menu::{Allergen, Menu, MenuItem};

/// What was typed, understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    words: Vec<String>,
    /// The dish can be had without any of these.
    pub(super) without: Vec<Allergen>,
}

impl Wanted {
    /// Understands what was typed. `sans` followed by the beginning of an allergen's name leaves out whatever cannot be had without
    /// it; when several begin so, all of them are left out.
    pub(super) fn typed(typed: &str) -> Self {
        let folded = fold(typed);
        let mut wanted = Self::default();
        let mut words = folded.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let meant = words.peek().filter(|_| word == texts().without).map(|begun| named(begun)).unwrap_or_default();
            if meant.is_empty() {
                wanted.words.push(word.to_owned());
            } else {
                words.next();
                wanted.without.extend(meant);
            }
        }
        wanted
    }

    /// Nothing was typed.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.without.is_empty()
    }

    /// The lines of the menu that are meant. Without an allergen means: something to eat that can be had without it.
    pub(super) fn among(&self, menu: &Menu) -> Vec<MenuItem> {
        menu.items.iter().filter(|item| self.fits(item)).cloned().collect()
    }

    fn fits(&self, item: &MenuItem) -> bool {
        if !self.without.is_empty() && (!item.kind.is_cooked() || !item.can_be_without(&self.without)) {
            return false;
        }
        let all = fold(&format!("{} {} {}", item.name, item.category, item.detail.as_deref().unwrap_or_default()));
        self.words.iter().all(|word| all.contains(word))
    }
}

fn named(begun: &str) -> Vec<Allergen> {
    // Two letters at least: `sans s` is on the way to `sans sel`, too.
    let is_meant = |allergen: &Allergen| begun.len() > 1 && fold(texts().allergen(*allergen)).starts_with(begun);
    Allergen::ALL.into_iter().filter(is_meant).collect()
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
    use crate::draft::tests::item;
    use domain::Cents;
    use domain::menu::{OptionChoice, OptionGroup};

    fn found(typed: &str, items: Vec<MenuItem>) -> Vec<i64> {
        let menu = Menu { version: "1".into(), items, notes: vec![] };
        Wanted::typed(typed).among(&menu).into_iter().map(|item| item.id.get()).collect()
    }

    #[test]
    fn dishes_are_found_without_accents() {
        let menu = || vec![item(1, "Œuf mayonnaise", 650), item(2, "Pâté en croûte", 650), item(3, "Magret", 2400)];
        assert_eq!(found("oeuf MAY", menu()), [1]);
        assert_eq!(found("croute pate", menu()), [2]);
        assert_eq!(found("confit", menu()), [0_i64; 0]);
    }

    #[test]
    fn without_leaves_out_whatever_declares_it() {
        let with = |id, name: &str, allergens: &[Allergen]| MenuItem { allergens: allergens.to_vec(), ..item(id, name, 900) };
        let menu = || {
            vec![with(1, "Œuf mayonnaise", &[Allergen::Eggs]), with(2, "Tarte", &[Allergen::Eggs, Allergen::Milk]), with(3, "Magret", &[])]
        };
        assert_eq!(found("sans lait", menu()), [1, 3]);
        assert_eq!(found("sans oeufs", menu()), [3]);
        assert_eq!(found("sans lait mayo", menu()), [1]);
        assert_eq!(Wanted::typed("sans sel").without, [], "salt is no allergen");
    }

    #[test]
    fn a_dish_that_can_be_had_without_it_is_found() {
        let asked = |id, required| {
            let choice = |choice: &str, allergens: &[Allergen]| OptionChoice {
                choice: choice.into(),
                price: Cents(0),
                allergens: allergens.to_vec(),
            };
            let choices = vec![choice("Béarnaise", &[Allergen::Eggs]), choice("Mayonnaise", &[Allergen::Eggs, Allergen::Mustard])];
            MenuItem { options: vec![OptionGroup { group: "Sauce".into(), required, choices }], ..item(id, "Entrecôte", 2900) }
        };
        let menu = || vec![asked(1, true), asked(2, false)];
        assert_eq!(found("sans oeufs", menu()), [2], "nobody has to have a sauce, or everybody has");
        assert_eq!(found("sans moutarde", menu()), [1, 2]);
    }

    #[test]
    fn an_allergen_is_known_by_its_beginning() {
        for allergen in Allergen::ALL {
            let typed = format!("sans {}", texts().allergen(allergen).split(' ').next().unwrap_or_default());
            assert!(Wanted::typed(&typed).without.contains(&allergen), "{typed}");
        }
    }
}
