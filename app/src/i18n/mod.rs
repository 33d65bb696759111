//! Everything that the interface says, in one place.
//!
//! French is the language of the house. Words that French law or the trade fixes (couvert, addition, clôture Z …) are the same in every
//! language. A second language is a second [`Texts`] and the choice in [`t`]; pages only know [`t`].

use domain::api::{CashKind, ShareStatus};
use domain::order::{LineState, TableStatus};
use domain::{Cents, Role};
use time::Date;

macro_rules! texts {
    ($(#[$doc:meta])* $texts:ident { $($name:ident: $fr:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $texts { $(#[doc = $fr] pub $name: &'static str,)* }

        static FR: $texts = $texts { $($name: $fr,)* };
    };
}
// A room with many words has a file of its own beside this one, with its own struct and its own `t`.
pub mod plan;

pub mod paper;

pub mod kitchen;

pub mod order;

pub mod pass;
pub mod queue;

pub mod bill;

pub mod money;

texts! {
    /// What the interface says, by what it means.
    Texts {
    // everywhere
    back: "Retour",
    back_to_plan: "Retour au plan",
    close: "Fermer",
    cancel: "Annuler",
    loading: "Chargement…",
    retry: "Réessayer",
    online: "En ligne",
    connecting: "Connexion…",
    reconnecting: "Reconnexion…",
    offline: "Hors ligne",
    stale: "Dernières données connues",
    training: "FORMATION",
    journal_broken: "Journal fiscal en défaut",
    journal_broken_detail: "la vente continue ; ouvrez Clôture, vérifiez le journal et appelez qui en répond",
    journal_unchecked: "Journal fiscal non contrôlé",
    journal_unchecked_detail: "la vente continue ; le contrôle n'a pas abouti et recommence seul. S'il n'aboutit pas d'ici demain, appelez qui en répond",
    drawer: "Espèces en caisse",
    cash_amount: "Montant",
    drawer_float: "Fond de caisse",
    drawer_takings: "Encaissé en espèces",
    drawer_in: "Entrées",
    drawer_out: "Sorties",
    drawer_expected: "Attendu en caisse",
    drawer_counted: "Compté",
    drawer_difference: "Écart",
    drawer_right: "Juste, sans écart",
    drawer_movement: "Mouvement d’espèces",
    reason_required: "Motif",
    reason_optional: "Motif (facultatif)",
    record_movement: "Enregistrer",
    recording: "Enregistrement…",
    months_and_years: "Mois et années",
    close_month: "Clôturer le mois",
    close_year: "Clôturer l’année",
    archive_from: "Archive du",
    archive_to: "au",
    archive_download: "Télécharger l’archive signée",
    training_detail: "rien n’est encaissé pour de vrai",
    main_nav: "Navigation principale",
    account: "Compte",
    sign_out: "Se déconnecter",
    sign_out_failed: "La déconnexion n’a pas abouti : pas de réponse du serveur.",
    new_version: "Nouvelle version disponible",
    update: "Mettre à jour",
    crashed: "L’application s’est arrêtée. Rien de ce qui est tapé n’est perdu.",
    restart: "Relancer",
    messages: "Messages",
    dismiss: "Masquer ce message",
    not_found: "Cette page n’existe pas",
    not_found_detail: "L’adresse est peut-être ancienne ou incomplète.",
    unreachable: "Le serveur ne répond pas. Vérifiez le réseau, puis réessayez.",
    // navigation
    plan: "Plan",
    kitchen: "Cuisine",
    closing: "Clôture",
    // signing in
    sign_in: "Connexion",
    sign_in_title: "Bonjour, qui êtes-vous\u{a0}?",
    sign_in_lead: "Choisissez votre nom, puis tapez votre code.",
    names: "Votre nom",
    name_first: "Choisissez d’abord votre nom.",
    other_name: "Changer de nom",
    pin: "Code",
    pin_help: "4 à 8 chiffres",
    pin_pad: "Pavé numérique",
    pin_erase: "Effacer le dernier chiffre",
    enter: "Entrer",
    entering: "Un instant…",
    no_names: "Aucun nom pour l’instant : créez une personne avec « comptoir user add ».",
    names_offline: "Sans réseau, personne ne peut se connecter. Les noms reviendront avec le réseau.",
    // plan
    plan_title: "Plan de salle",
    rooms: "Salles",
    no_tables: "Aucune table n’est encore sur le plan.",
    in_service: "En salle",
    all_free: "Toutes les tables sont libres.",
    left_to_pay: "reste",
    // order
    table: "Table",
    covers: "couverts",
    fewer_covers: "Un couvert de moins",
    more_covers: "Un couvert de plus",
    bill: "Addition",
    favourites: "Favoris",
    categories: "Rubriques de la carte",
    search: "Chercher un plat, un vin…",
    search_clear: "Effacer la recherche",
    nothing_found: "Rien de ce nom sur la carte.",
    dishes: "Carte",
    sold_out: "épuisé",
    the_order: "Commande",
    show_lines: "Voir la commande",
    hide_lines: "Replier la commande",
    quantity: "Quantité",
    one_less: "Un de moins",
    one_more: "Un de plus",
    note: "Note",
    note_for_kitchen: "Note pour la cuisine",
    remove: "Retirer",
    send: "Envoyer",
    sending: "Envoi…",
    sent: "Envoyé en cuisine",
    sent_pending: "Commande reçue. La cuisine n’a pas encore répondu, l’envoi continue tout seul.",
    not_kept: "Ce téléphone ne garde rien : envoyez avant de fermer cette page.",
    empty_order: "Touchez un plat pour commencer.",
    total: "Total",
    to_send: "à envoyer",
    already_sent: "Déjà envoyé",
    already: "déjà",
    new_lines: "À envoyer",
    here: "ici",
    menu_unknown: "La carte n’est pas encore sur ce téléphone : il faut du réseau une première fois.",
    no_such_table: "Cette table n’existe pas",
    add: "Ajouter",
    // on a line
    dish_served: "Servi",
    // bill
    bill_lines: "Consommations",
    bill_settled: "Tout est réglé",
    bill_settled_detail: "La table est libre.",
    bill_empty: "Rien n’a encore été commandé.",
    bill_look_only: "L’encaissement se fait à la caisse.",
    no_such_bill: "Cette addition n’existe pas",
    remaining: "Reste à payer",
    settled: "réglé",
    shares: "Parts",
    split_rest: "Partager le reste",
    one_share: "Une seule part",
    by_cover: "Par couvert",
    fewer_shares: "Une part de moins",
    more_shares: "Une part de plus",
    cash: "Espèces",
    cash_payment: "Encaisser en espèces",
    amount_due: "À encaisser",
    handed_over: "Reçu du client",
    handed_over_help: "Tapez le montant, ou touchez un billet.",
    handed_over_wrong: "Ce n’est pas un montant. Exemple : 52,50",
    exact: "Exact",
    change_due: "À rendre",
    no_change: "Rien à rendre",
    paying: "Encaissement…",
    payment_unanswered: "Pas de réponse : on ne sait pas si l’encaissement est enregistré. Redemandez, rien ne sera encaissé deux fois.",
    ask_again: "Redemander",
    paid: "Encaissé",
    see_ticket: "Voir le ticket",
    done: "Terminé",
    // ticket
    ticket: "Ticket",
    print: "Imprimer",
    no_such_ticket: "Ce ticket n’existe pas",
    training_ticket: "Ticket de formation : il n’a pas de valeur.",
    // closing
    closing_title: "Clôture",
    closing_not_yours: "La clôture est réservée à la caisse.",
    day_open: "Journée en cours",
    nothing_to_close: "Rien à clôturer",
    nothing_to_close_detail: "Rien n’a été encaissé depuis le dernier Z.",
    means: "Moyens de paiement",
    vat: "TVA",
    rate: "Taux",
    net: "HT",
    gross: "TTC",
    vat_total: "dont TVA",
    perpetual: "Grand total perpétuel",
    anchors_away: "Ancres hors d’atteinte",
    anchors_away_detail: "La clôture reste possible et vaut ; sa trace sur l’autre disque sera écrite dès qu’il répond. Prévenez qui en répond.",
    tables_open: "Tables non réglées",
    tables_open_detail: "Leurs ventes compteront le jour où elles seront réglées.",
    close_day: "Clôturer la journée",
    close_now: "Clôturer",
    close_confirm_detail: "Le Z est signé et numéroté, il ne peut plus être modifié. Les ventes suivantes iront dans un autre Z.",
    closing_now: "Clôture…",
    day_closed: "Journée clôturée",
    already_closed: "Cette journée était déjà clôturée : voici son Z.",
    past_closings: "Dernières clôtures",
    no_past_closing: "Aucune clôture pour l’instant.",
    fingerprint: "Empreinte",
    journal: "Journal fiscal",
    journal_detail: "Chaque ticket est signé et enchaîné au précédent. La vérification relit tout le journal.",
    verify_journal: "Vérifier le journal",
    verify_archive: "Vérifier une archive",
    what_is_protected: "Ce qui est protégé, et ce qui ne l’est pas",
    verifying: "Vérification…",
    // a dish is ready
    }
}

/// The texts of the language in use.
#[must_use]
pub fn t() -> &'static Texts {
    &FR
}

impl Texts {
    /// What a role is called.
    #[must_use]
    pub fn role(&self, role: Role) -> &'static str {
        match role {
            Role::Serveur => "Service",
            Role::Caissier => "Caisse",
            Role::Admin => "Direction",
            Role::Auditeur => "Contrôle",
        }
    }

    /// Where a line stands.
    #[must_use]
    pub fn line_state(&self, state: LineState) -> &'static str {
        match state {
            LineState::Received => "reçu",
            LineState::Cooking => "en cuisine",
            LineState::Ready => "prêt",
            LineState::Served => "servi",
            LineState::Held => "en attente",
            LineState::Voided => "annulé",
        }
    }

    /// Where a table stands.
    #[must_use]
    pub fn table_status(&self, status: TableStatus) -> &'static str {
        match status {
            TableStatus::Free => "Libre",
            TableStatus::Occupied => "En cours",
            TableStatus::Waiting => "Attend",
            TableStatus::Ready => "Prêt",
            TableStatus::Bill => "Addition",
        }
    }

    /// `1 article`, `3 articles`.
    #[must_use]
    pub fn articles(&self, count: u32) -> String {
        counted(count, "article", "articles")
    }

    /// `1 table libre`, `8 tables libres`.
    #[must_use]
    pub fn free_tables(&self, count: u32) -> String {
        counted(count, "table libre", "tables libres")
    }

    /// `4 couverts`.
    #[must_use]
    pub fn cover_count(&self, count: u32) -> String {
        counted(count, "couvert", "couverts")
    }

    /// How many wait at the pass.
    #[must_use]
    pub fn ready_count(&self, count: u32) -> String {
        counted(count, "prêt", "prêts")
    }

    /// How many lines were sent.
    #[must_use]
    pub fn sent_count(&self, count: u32) -> String {
        counted(count, "envoyé", "envoyés")
    }

    /// Where a share stands.
    #[must_use]
    pub fn share_status(&self, status: ShareStatus) -> &'static str {
        match status {
            ShareStatus::Unpaid => "à payer",
            ShareStatus::Pending => "en cours",
            ShareStatus::Paid => "réglée",
            ShareStatus::Unknown => "à vérifier",
        }
    }

    /// `3 parts`.
    #[must_use]
    pub fn share_count(&self, count: u32) -> String {
        counted(count, "part", "parts")
    }

    /// What is done with cash.
    #[must_use]
    pub const fn cash_kind(&self, kind: CashKind) -> &'static str {
        match kind {
            CashKind::Float => "Fond de caisse",
            CashKind::In => "Entrée",
            CashKind::Out => "Sortie",
            CashKind::Count => "Comptage",
        }
    }

    /// `12 règlements`.
    #[must_use]
    pub fn payment_count(&self, count: u32) -> String {
        counted(count, "règlement", "règlements")
    }

    /// The word on the button that takes the money.
    #[must_use]
    pub fn collect(&self, amount: Cents) -> String {
        format!("Encaisser {amount}")
    }

    /// What is handed over does not suffice.
    #[must_use]
    pub fn missing(&self, amount: Cents) -> String {
        format!("Il manque {amount}")
    }

    /// The heading of a ticket.
    #[must_use]
    pub fn ticket_numbered(&self, number: i64) -> String {
        format!("{} n°\u{a0}{number}", self.ticket)
    }

    /// A day as people say it: `dimanche 22 novembre 2026`.
    #[must_use]
    pub fn day(&self, day: Date) -> String {
        const MONTHS: [&str; 12] =
            ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];
        const WEEKDAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
        let weekday = WEEKDAYS.get(usize::from(day.weekday().number_days_from_monday())).copied().unwrap_or_default();
        let month = MONTHS.get(usize::from(u8::from(day.month())) - 1).copied().unwrap_or_default();
        let number = if day.day() == 1 { "1er".to_owned() } else { day.day().to_string() };
        format!("{weekday} {number} {month} {}", day.year())
    }

    /// What a sound journal is called.
    #[must_use]
    pub fn journal_sound(&self, records: u64) -> String {
        format!(
            "Journal sain : {}.",
            counted(u32::try_from(records).unwrap_or(u32::MAX), "enregistrement vérifié", "enregistrements vérifiés")
        )
    }

    /// What a journal with flaws is called.
    #[must_use]
    pub fn journal_flawed(&self, flaws: usize, records: u64) -> String {
        let flaws = counted(u32::try_from(flaws).unwrap_or(u32::MAX), "anomalie", "anomalies");
        format!("{flaws} sur {records}\u{a0}enregistrements. Ne corrigez rien : appelez la personne qui tient les comptes.")
    }

    /// What a journal that this version cannot judge is called.
    #[must_use]
    pub fn journal_unclear(&self, records: u64) -> String {
        format!("Rien de faux parmi {records}\u{a0}enregistrements, mais certains ne peuvent pas être jugés par cette version.")
    }

    /// The heading of a table.
    #[must_use]
    pub fn table_named(&self, name: &str) -> String {
        format!("{} {name}", self.table)
    }
}

/// In French zero and one are singular.
fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count}\u{a0}{}", if count < 2 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_as_people_say_it() {
        let day = |year, number| Date::from_ordinal_date(year, number).map(|day| t().day(day));
        assert_eq!(day(2026, 326).as_deref(), Ok("dimanche 22 novembre 2026"));
        assert_eq!(day(2026, 121).as_deref(), Ok("vendredi 1er mai 2026"));
    }

    #[test]
    fn zero_is_singular_in_french() {
        assert_eq!(t().articles(0), "0\u{a0}article");
        assert_eq!(t().articles(2), "2\u{a0}articles");
    }
}
