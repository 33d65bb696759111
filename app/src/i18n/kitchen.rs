//! What the kitchen screen says.

use super::counted;
use crate::browser::clock::spell_minutes;
use domain::kitchen::{Age, Column};
use domain::order::KitchenMove;

texts! {
    /// What the kitchen screen says, by what it means.
    Texts {
    title: "Cuisine",
    nothing_to_do: "Rien à préparer",
    nothing_to_do_detail: "Les commandes s’affichent ici dès qu’elles partent de la salle.",
    columns: "Colonnes",
    everything: "Tout",
    starters: "Entrées",
    mains: "Plats",
    desserts: "Desserts",
    later: "Suites",
    pass: "Au passe",
    column_empty: "Rien pour l’instant",
    waiting: "attend",
    late: "en retard",
    held: "en attente",
    called: "Réclamé",
    new: "Nouveau",
    follow_up: "suite",
    voided: "ANNULÉ",
    void_seen: "Vu",
    allergy: "Attention",
    note: "Note",
    start: "Commencer",
    dish_done: "Prêt",
    dish_served: "Servi",
    recall: "Rappeler",
    all_done: "Tout prêt",
    all_served: "Tout servi",
    bumped_ready: "tout est prêt",
    bumped_served: "tout est servi",
    undo: "Annuler",
    may_go_dark: "L’écran peut s’éteindre : cet appareil ne permet pas de le garder allumé.",
    all_day: "À faire en tout",
    finished: "Derniers bons terminés",
    finished_none: "Rien n’est encore terminé.",
    recall_detail: "Rappeler remet les plats en cuisine.",
    sound_on: "Son activé",
    sound_off: "Son coupé",
    sound_asleep: "Son en veille : touchez l’écran",
    cut_off: "Hors ligne",
    cut_off_detail: "rien de nouveau n’arrive ici.",
    already_moved: "C’était déjà fait ailleurs : l’écran est à jour.",
    not_noted: "Pas de réponse : rien n’a été noté. Recommencez quand le réseau revient.",
    }
}

/// The texts of the language in use.
#[must_use]
pub fn t() -> &'static Texts {
    &FR
}

impl Texts {
    /// The heading of a column.
    #[must_use]
    pub fn column(&self, column: Column) -> &'static str {
        match column {
            Column::Starters => self.starters,
            Column::Mains => self.mains,
            Column::Desserts => self.desserts,
            Column::Later => self.later,
            Column::Pass => self.pass,
        }
    }

    /// What is said of an age besides its minutes.
    #[must_use]
    pub fn age(&self, age: Age) -> Option<&'static str> {
        match age {
            Age::Fresh => None,
            Age::Waiting => Some(self.waiting),
            Age::Late => Some(self.late),
        }
    }

    /// The word for moving a line on.
    #[must_use]
    pub fn kitchen_move(&self, said: KitchenMove) -> &'static str {
        match said {
            KitchenMove::Cooking => self.start,
            KitchenMove::Ready => self.dish_done,
            KitchenMove::Served => self.dish_served,
            KitchenMove::Recalled => self.recall,
        }
    }

    /// What was said of a whole card.
    #[must_use]
    pub fn bumped(&self, table: &str, said: KitchenMove) -> String {
        format!("{table}\u{a0}: {}", if said == KitchenMove::Served { self.bumped_served } else { self.bumped_ready })
    }

    /// `23 plats`.
    #[must_use]
    pub fn dish_count(&self, count: u32) -> String {
        counted(count, "plat", "plats")
    }

    /// How many more are held.
    #[must_use]
    pub fn held_count(&self, count: u32) -> String {
        format!("+\u{a0}{count}\u{a0}{}", self.held)
    }

    /// Said to whoever cannot see the screen: what is new, and for which tables.
    #[must_use]
    pub fn news(&self, sent: &[String], called: &[String], removed: &[String]) -> String {
        let of = |what: &str, tables: &[String]| (!tables.is_empty()).then(|| format!("{what}\u{a0}: table {}.", tables.join(", table ")));
        [of("Annulation", removed), of("Réclamé", called), of("Nouveau bon", sent)].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// How old what is shown is, for example `bons d’il y a 3 min`.
    #[must_use]
    pub fn as_of(&self, minutes: i64) -> String {
        let age = if minutes == 0 { "moins d’une minute".to_owned() } else { spell_minutes(minutes) };
        format!("bons d’il y a {age}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_said_in_the_order_of_their_weight() {
        let tables = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(t().news(&tables(&["9", "4"]), &[], &tables(&["2"])), "Annulation\u{a0}: table 2. Nouveau bon\u{a0}: table 9, table 4.");
        assert_eq!(t().news(&[], &[], &[]), "");
    }
}
