//! What is said around a paper.

texts! {
    /// What is said around a paper, by what it means.
    PaperTexts {
    print: "Imprimer",
    print_here: "Imprimer depuis cet appareil",
    printing: "Impression…",
    printed: "Imprimé",
    print_recorded: "Impression enregistrée",
    print_waits: "L’impression partira dès que ce sera possible.",
    not_printed: "Rien n’est sorti : demandez-la de nouveau.",
    print_doubtful: "Si le papier est incomplet, réimprimez : ce sera un duplicata.",
    print_unanswered: "Redemandez : ce sera la même impression.",
    print_with_the_button: "Utilisez le bouton « Imprimer » de la page : chaque impression est enregistrée.",
    roll: "Largeur du papier",
    roll_80: "80 mm",
    roll_58: "58 mm",
    never_printed: "Pas encore imprimé.",
    show_x: "Voir la lecture X",
    x_title: "Lecture X",
    }
}

/// The texts of paper.
#[must_use]
pub fn t() -> &'static PaperTexts {
    &FR
}

impl PaperTexts {
    /// Which print it is.
    #[must_use]
    pub fn which_print(&self, print_no: u32) -> String {
        if print_no == 0 { "original".to_owned() } else { format!("duplicata {print_no}") }
    }

    /// What the next print will be.
    #[must_use]
    pub fn printed_before(&self, prints: u32) -> String {
        match prints {
            0 => self.never_printed.to_owned(),
            1 => "Déjà remis une fois : la prochaine impression sera un duplicata.".to_owned(),
            more => format!("Déjà remis {more} fois : la prochaine impression sera le duplicata {more}."),
        }
    }
}
