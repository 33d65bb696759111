//! What the plan and its editor say.

use super::counted;
use domain::floor::Age;

texts! {
    /// What the plan says, by what it means.
    PlanTexts {
    // the plan
    as_map: "Plan",
    as_list: "Liste",
    view: "Affichage",
    free_now: "Libres",
    go_to: "N° de table",
    go_to_help: "Tapez le numéro ou le nom de la table.",
    erase_one: "Effacer le dernier caractère",
    keys: "Pavé numérique",
    open: "Ouvrir",
    to_send: "à envoyer",
    edit: "Modifier le plan",
    // the editor
    editor: "Éditeur du plan",
    editor_not_yours: "Le plan se modifie avec un compte de direction.",
    save: "Enregistrer",
    saving: "Enregistrement…",
    saved: "Plan enregistré.",
    unsaved: "Modifications non enregistrées",
    resumed: "Vos modifications de la dernière fois sont reprises. Elles ne sont pas encore enregistrées.",
    overtaken: "Le plan a été enregistré par quelqu’un d’autre depuis votre dernière visite : vos modifications ne peuvent plus l’être.",
    start_over: "Revenir au plan enregistré",
    start_over_detail: "Vos modifications seront perdues.",
    leave_title: "Quitter sans enregistrer\u{a0}?",
    leave_detail: "Vos modifications restent sur cet appareil : vous les retrouverez en revenant ici.",
    leave: "Quitter",
    stay: "Rester",
    tools: "Outils",
    undo: "Annuler la dernière modification",
    redo: "Rétablir",
    add_table: "Table",
    add_table_long: "Ajouter une table",
    add_room: "Salle",
    add_room_long: "Ajouter une salle",
    grid: "Grille",
    rooms: "Salles",
    canvas: "Plan de la salle",
    this_table: "Table choisie",
    this_room: "Salle affichée",
    name: "Nom",
    seats: "places",
    fewer_seats: "Une place de moins",
    more_seats: "Une place de plus",
    shape: "Forme",
    square: "Carrée",
    round: "Ronde",
    turn: "Orientation",
    turn_back: "Tourner de 15° vers la gauche",
    turn_on: "Tourner de 15° vers la droite",
    turn_45: "45°",
    turn_45_long: "Tourner de 45° vers la droite",
    size: "Taille",
    width: "largeur",
    narrower: "Moins large",
    wider: "Plus large",
    height: "hauteur",
    lower: "Moins haute",
    higher: "Plus haute",
    in_room: "Dans la salle",
    remove_table: "Retirer la table",
    remove_room: "Retirer la salle",
    remove_room_help: "Une salle se retire quand elle est vide, et il en reste toujours une.",
    choose_help: "Touchez une table pour la modifier, glissez-la pour la déplacer. Au clavier : les flèches.",
    name_taken: "Ce nom est déjà pris.",
    name_missing: "Il faut un nom.",
    full: "Le plan est plein.",
    }
}

/// The texts of the language in use.
#[must_use]
pub fn t() -> &'static PlanTexts {
    &FR
}

impl PlanTexts {
    /// The word for an age; none while all is well.
    #[must_use]
    pub const fn age(&self, age: Age) -> Option<&'static str> {
        match age {
            Age::Fresh => None,
            Age::Long => Some("long"),
            Age::TooLong => Some("trop long"),
        }
    }

    /// No table answers to what was typed.
    #[must_use]
    pub fn no_such_table(&self, typed: &str) -> String {
        format!("Aucune table «\u{a0}{}\u{a0}» sur le plan.", typed.trim())
    }

    /// `4 places`.
    #[must_use]
    pub fn seat_count(&self, seats: u16) -> String {
        counted(u32::from(seats), "place", "places")
    }

    /// `12 tables`.
    #[must_use]
    pub fn table_count(&self, tables: usize) -> String {
        counted(u32::try_from(tables).unwrap_or(u32::MAX), "table", "tables")
    }

    /// The name of a new room.
    #[must_use]
    pub fn new_room(&self, number: usize) -> String {
        format!("Salle {number}")
    }
}
