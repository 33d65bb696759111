//! What the order page says.

use crate::draft::Place;
use domain::menu::Allergen;

texts! {
    /// What the order page says, by what it means.
    OrderTexts {
    // the menu
    more_about: "Fiche :",
    has_allergens: "contient des allergènes déclarés",
    with_wine_too: "appui long, ou Maj + clic : avec le vin",
    without: "sans",
    declared_only: "d’après les allergènes déclarés",
    keep_covers: "Enregistrer les couverts",
    covers_kept: "Couverts enregistrés",
    // a dish and its questions
    allergens: "Allergènes",
    no_allergens: "Aucun allergène déclaré.",
    none_declared: "aucun déclaré",
    contains: "contient",
    optional: "facultatif",
    to_choose: "à choisir",
    add: "Ajouter",
    add_with: "Ajouter avec",
    out_of: "Épuisé",
    until_morning: "Jusqu’à demain 6 h",
    until_told: "Jusqu’à nouvel ordre",
    back_on_menu: "De nouveau à la carte",
    out_for_everyone: "Tous les téléphones le voient tout de suite.",
    now_out: "Épuisé sur tous les téléphones",
    now_back: "De nouveau à la carte",
    // wine
    other_wines: "Autres vins et verres",
    bottle: "Bouteille",
    glass: "Verre",
    // a line being typed
    edit: "Modifier",
    removed: "Retiré :",
    undo: "Annuler",
    course: "Service",
    finished: "Terminé",
    dish_card: "Fiche du plat",
    wait: "En attente",
    go: "Envoyer",
    wait_detail: "La cuisine attend que vous réclamiez.",
    sold_out_remove: "épuisé : retirez-le pour envoyer.",
    must_choose: "il manque un choix pour envoyer.",
    choose: "Choisir",
    // courses
    at_once: "Tout de suite",
    formules: "Formules",
    starters: "Entrées",
    mains: "Plats",
    desserts: "Desserts",
    nth_course: "Service",
    call: "Réclamer",
    hold: "Mettre en attente",
    called: "réclamé",
    pending: "en attente cuisine",
    refused: "refusé par la cuisine",
    course_called: "Réclamé en cuisine",
    course_held: "Mis en attente",
    sent_waiting: "Commande reçue. La cuisine attend que vous réclamiez.",
    // a line that was sent
    take_off: "Retirer de la commande",
    take_off_why: "Pourquoi ?",
    other_reason: "Autre raison",
    not_in_kitchen: "La cuisine n’a rien reçu : la raison est facultative.",
    taken_off: "Retiré de la commande",
    unanswered: "Pas de réponse : on ne sait pas si c’est fait. Redemandez, rien ne sera fait deux fois.",
    ask_again: "Redemander",
    how_many: "Combien ?",
    // the table
    actions: "Actions sur la table",
    move_table: "Changer de table",
    move_detail: "Les clients changent de place, la commande les suit.",
    join_table: "Réunir avec…",
    join_detail: "Tout va sur l’addition d’une autre table.",
    hand_over: "Passer à un collègue",
    ask_bill: "Demander l’addition",
    bill_asked: "Addition demandée",
    unask_bill: "Ne plus demander l’addition",
    release: "Libérer la table",
    release_detail: "Rien n’est dû.",
    released: "Table libérée",
    moved: "Table changée",
    joined: "Tables réunies",
    handed: "Table confiée à",
    join_question: "Réunir les deux tables ?",
    join: "Réunir",
    no_other_table: "Aucune autre table n’est occupée.",
    free: "libre",
    sending_first: "Une commande attend de partir : d’abord elle, puis la table.",
    nothing_yet: "Rien n’est encore commandé à cette table.",
    no_colleagues: "La liste des collègues n’est pas encore sur ce téléphone.",
    looked_after_by: "Suivie par",
    }
}

/// The texts of the language in use.
#[must_use]
pub fn order() -> &'static OrderTexts {
    &FR
}

/// Why something is taken off, to tap instead of type. What is stored is the sentence itself.
pub const REASONS: [&str; 4] = ["Erreur de saisie", "Client a changé d’avis", "Attente trop longue", "Plat retourné"];

impl OrderTexts {
    /// What the guests call that part of the meal.
    #[must_use]
    pub fn place(&self, place: Place) -> String {
        match place {
            Place::AtOnce => self.at_once.to_owned(),
            Place::Formules => self.formules.to_owned(),
            Place::Course(1) => self.starters.to_owned(),
            Place::Course(2) => self.mains.to_owned(),
            Place::Course(3) => self.desserts.to_owned(),
            Place::Course(course) => format!("{} {course}", self.nth_course),
        }
    }

    /// Allergens in the words of the regulation, as short as they are said at the table.
    #[must_use]
    pub const fn allergen(&self, allergen: Allergen) -> &'static str {
        match allergen {
            Allergen::Gluten => "Gluten",
            Allergen::Crustaceans => "Crustacés",
            Allergen::Eggs => "Œufs",
            Allergen::Fish => "Poisson",
            Allergen::Peanuts => "Arachides",
            Allergen::Soybeans => "Soja",
            Allergen::Milk => "Lait",
            Allergen::Nuts => "Fruits à coque",
            Allergen::Celery => "Céleri",
            Allergen::Mustard => "Moutarde",
            Allergen::Sesame => "Sésame",
            Allergen::Sulphites => "Sulfites",
            Allergen::Lupin => "Lupin",
            Allergen::Molluscs => "Mollusques",
        }
    }

    /// All of them, in one line.
    #[must_use]
    pub fn allergen_list(&self, allergens: &[Allergen]) -> String {
        allergens.iter().map(|allergen| self.allergen(*allergen)).collect::<Vec<_>>().join(", ")
    }

    /// `3 commandés, dont 1 annulé`.
    #[must_use]
    pub fn partly_voided(&self, ordered: u32, voided: u32) -> String {
        let s = if voided < 2 { "" } else { "s" };
        format!("{ordered}\u{a0}commandés, dont {voided}\u{a0}annulé{s}")
    }

    /// What the two tables become.
    #[must_use]
    pub fn join_sentence(&self, from: &str, into: &str) -> String {
        format!("Tout ce qui est commandé à la table {from} ira sur l’addition de la table {into}. La table {from} sera libre.")
    }
}
