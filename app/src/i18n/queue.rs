//! What is said about orders that wait on this phone.

use domain::sync::{Choice, Conflict};

texts! {
    /// What is said about orders that wait on this phone, by what it means.
    QueueTexts {
    waiting: "en attente",
    to_decide: "à décider",
    title: "En attente",
    nothing: "Rien n’attend sur ce téléphone",
    nothing_detail: "Chaque commande envoyée est arrivée.",
    kept_here: "Enregistré ici : part tout seul au retour du réseau.",
    cannot_keep: "Ce téléphone ne peut rien garder (mémoire pleine ou navigation privée) et il n’y a pas de réseau : la commande reste sur cette page, ne la fermez pas.",
    taken_before: "Cette commande avait déjà été reçue.",
    all_sent: "Tout est parti : plus rien n’attend sur ce téléphone.",
    decide_now: "Une commande attend votre décision",
    see: "Voir",
    sent_soon: "part dès que possible",
    dropping: "abandon à transmettre",
    of_other: "attend la personne qui l’a prise",
    append: "Ajouter à l’addition ouverte",
    append_new: "Ouvrir une nouvelle addition",
    other_table: "Autre table",
    accept: "Accepter le nouveau prix",
    without: "Envoyer sans",
    drop: "Abandonner",
    drop_why: "Pourquoi ?",
    which_table: "Quelle table ?",
    unreadable: "Une commande vient d’une autre version de l’application : mettez l’application à jour, elle est gardée.",
    leave_anyway: "Se déconnecter quand même",
    leave_warning: "Des commandes n’ont pas été envoyées. Elles restent sur ce téléphone et partiront à votre prochaine connexion.",
    needs_network: "Cette page a besoin du réseau. Sans réseau : le plan, la carte et les commandes, oui ; l’addition, la carte bancaire, les tickets et la clôture, non.",
    missing_title: "Téléphones qui gardent des commandes",
    last_seen: "vu à",
    late_title: "Arrivées après la clôture",
    late_detail: "Prises avant la dernière clôture, reçues après : elles comptent dans la journée en cours.",
    reload_other: "L’application a été mise à jour dans un autre onglet.",
    reload: "Recharger",
    outdated: "Cette application est trop ancienne pour le serveur. Ce qui attend est gardé : mettez-la à jour.",
    keeps_nothing: "Ce téléphone ne garde rien (mémoire pleine ou navigation privée). Sans réseau, une commande ne survivrait pas à cette page.",
    sent_elsewhere: "Cette commande est partie d’un autre onglet.",
    correct: "Corriger",
    not_decided: "Ce téléphone n’a pas pu noter cette décision : réessayez.",
    lines_removed: "Lignes retirées",
    phones: "Téléphones",
    phone_of: "Téléphone de ",
    phone_of_vowel: "Téléphone d’",
    phones_detail: "Chaque appareil sur lequel quelqu’un prend des commandes, et son dernier contact.",
    nothing_held: "rien en attente",
    silent: "sans nouvelles",
    silent_title: "Téléphones sans nouvelles",
    silent_detail: "Ils peuvent garder des commandes prises sans réseau. Ouvrez-les près du Wi-Fi, ou déconnectez-vous dessus.",
    left: "déconnecté",
    }
}

/// The texts of the language in use.
#[must_use]
pub fn t() -> &'static QueueTexts {
    &FR
}

/// Why an order is given up, to tap instead of type.
pub const DROP_REASONS: [&str; 4] = ["Clients partis", "Déjà commandé", "Erreur de saisie", "Client a changé d’avis"];

impl QueueTexts {
    /// What a person has to know to decide.
    #[must_use]
    pub fn conflict(&self, conflict: &Conflict) -> String {
        match conflict {
            Conflict::TableOccupied { opened_by, .. } => format!("{opened_by} a ouvert cette table entre-temps."),
            Conflict::OrderClosed { .. } => "L’addition de ces clients est déjà réglée.".to_owned(),
            Conflict::DishOut { .. } => "Un article est épuisé.".to_owned(),
            Conflict::PriceChanged { total_cents } => {
                format!("Le prix a changé : {} maintenant.", domain::Cents(*total_cents))
            }
            Conflict::Refused { detail, .. } => detail.clone(),
        }
    }

    /// The word on a button.
    #[must_use]
    pub const fn choice(&self, choice: Choice, conflict: &Conflict) -> &'static str {
        match choice {
            Choice::Append if conflict.order_id().is_none() => self.append_new,
            Choice::Append => self.append,
            Choice::OtherTable => self.other_table,
            Choice::Accept => self.accept,
            Choice::Without => self.without,
            Choice::Drop => self.drop,
        }
    }

    /// `2 commandes non reçues`.
    #[must_use]
    pub fn held(&self, held: u32) -> String {
        let orders = if held < 2 { "commande non reçue" } else { "commandes non reçues" };
        format!("{held}\u{a0}{orders}")
    }

    /// `Téléphone d’Alice : pas vu depuis 22:41`.
    #[must_use]
    pub fn silent_device(&self, name: &str, at: &str) -> String {
        format!("{} : pas vu depuis {at}", self.phone_of(name))
    }

    /// French joins *de* to a vowel.
    fn phone_of(&self, name: &str) -> String {
        let elided = name.chars().next().is_some_and(|first| "AEÉÈIOUYH".contains(first));
        format!("{}{name}", if elided { self.phone_of_vowel } else { self.phone_of })
    }

    /// `Téléphone d’Alice : 2 commandes non reçues, vu à 22:41`.
    #[must_use]
    pub fn device(&self, name: &str, held: u32, at: &str) -> String {
        format!("{} : {}, {} {at}", self.phone_of(name), self.held(held), self.last_seen)
    }
}
