//! What the bill says: dividing it, and every way to pay it.

use super::counted;
use domain::Cents;
use domain::api::Method;
use domain::attempt::AttemptState;

texts! {
    /// What the bill says, by what it means.
    Texts {
    // dividing
    by_items: "Par article",
    by_amounts: "Par montant",
    reunite: "Annuler la division",
    divide_items: "Partager par article",
    divide_items_help: "Choisissez une part, puis touchez ce qu’elle paie.",
    shares_tabs: "Part qui paie",
    add_share: "Ajouter une part",
    remove_share: "Retirer la dernière part",
    between_all: "Entre tous",
    give_back: "Reprendre",
    undo: "Annuler le dernier geste",
    unassigned: "Non attribué",
    all_assigned: "Tout est attribué",
    unassigned_is_a_share: "Ce qui n’est à personne fera une part de plus.",
    divide_now: "Partager ainsi",
    dividing: "Partage…",
    divide_amounts: "Partager par montant",
    divide_amounts_help: "Un montant par part. Ce qui reste fait une part de plus.",
    amount: "Montant",
    add_amount: "Ajouter un montant",
    too_much: "C’est plus que ce qui reste.",
    // shares
    pay_card: "Carte",
    other_means: "Autres moyens",
    pick: "Grouper",
    picked: "Groupée",
    pay_together: "Régler ensemble",
    check_payment: "Vérifier",
    see_payment: "Voir",
    refunded: "remboursé",
    with_tip: "pourboire",
    // paying
    means: "Moyen de paiement",
    whole_share: "Toute la part",
    part_now: "Montant réglé maintenant",
    part_help: "Moins que la part : le reste fera une part, à régler autrement.",
    part_wrong: "Entre un centime et le montant de la part.",
    tip: "Pourboire",
    tip_help: "Hors addition et hors TVA.",
    no_tip: "Aucun",
    more_choices: "Pourboire, paiement partiel",
    vouchers_worth: "Valeur des titres remis",
    vouchers_help: "Rien n’est rendu sur un titre-restaurant.",
    vouchers_over: "Plus de 25,00\u{a0}€ pour une personne et un jour : vérifiez que ce sont plusieurs convives. Cela n’empêche pas d’encaisser.",
    vouchers_lost: "Non rendu au client",
    cheque_help: "Vérifiez l’ordre, la date, la signature et une pièce d’identité.",
    approval_code: "Numéro d’autorisation",
    approval_help: "Faites le paiement sur le TPE, puis recopiez le numéro de son ticket.",
    send_to_terminal: "Envoyer au TPE",
    // the terminal
    terminal_waits: "Le TPE attend la carte",
    terminal_waits_detail: "Le client suit les indications du TPE.",
    terminal_cancel: "Pour abandonner : touche rouge du TPE.",
    terminal_leave: "Vous pouvez fermer : le paiement continue et la part reste réservée.",
    declined: "Carte refusée",
    declined_detail: "Rien n’a été débité. La part reste à payer.",
    cancelled: "Abandonné au TPE",
    not_available: "Le TPE n’est pas disponible",
    try_again: "Réessayer la carte",
    other_way: "Payer autrement",
    silent: "Le TPE ne répond pas",
    silent_detail: "On ne sait pas si la carte a été débitée. La part est réservée : personne ne peut l’encaisser deux fois.",
    silent_do: "À faire",
    silent_do_1: "Regardez l’écran du TPE et le ticket qu’il a imprimé.",
    silent_do_2: "Pas de ticket\u{a0}? Menu du TPE, «\u{a0}duplicata\u{a0}»\u{a0}: comparez le montant et l’heure.",
    silent_do_3: "Dites ci-dessous ce que le ticket indique.",
    silent_dont: "À ne pas faire",
    silent_dont_1: "Ne repassez pas la carte.",
    silent_dont_2: "N’encaissez pas cette part autrement.",
    what_ticket_says: "Que dit le ticket du TPE\u{a0}?",
    ticket_accepted: "Paiement accepté",
    ticket_not_accepted: "Non abouti, ou aucune trace",
    how_known: "Comment le savez-vous\u{a0}?",
    settle_it: "Enregistrer cette réponse",
    settle_it_detail: "Votre nom, l’heure et la raison restent dans le dossier du paiement.",
    answer_stored: "C’est enregistré.",
    history: "Ce qui s’est passé",
    by_machine: "la caisse",
    later: "Plus tard",
    // discount
    discount: "Remise",
    discount_on_bill: "Remise sur l’addition",
    percent: "Pourcentage",
    or_amount: "ou montant",
    reason: "Raison",
    other_reason: "Autre raison",
    discount_now: "Appliquer la remise",
    discount_only_unpaid: "Ce qui est déjà réglé ne change pas.",
    // note
    note: "Note",
    note_title: "Note, document provisoire",
    // refund
    refund: "Rembourser",
    refund_detail: "Un ticket de remboursement signé corrige le ticket d’origine. L’argent revient par le même moyen.",
    refund_card: "Faites d’abord le remboursement sur le TPE, puis recopiez son numéro.",
    refund_amount: "Montant à rembourser",
    refunding: "Remboursement…",
    wrong_means: "Corriger",
    wrong_means_detail: "L’argent ne bouge pas : seul l’enregistrement est corrigé, par une écriture signée.",
    really_was: "C’était en réalité",
    correct_now: "Corriger",
    after_ticket: "Le client veut un ticket\u{a0}?",
    no_ticket: "Sans ticket",
    after_note: "À partir de 25\u{a0}€, la note est due. Le client la veut\u{a0}?",
    no_note: "Il la refuse",
    decline_failed: "« Sans ticket » n’a pas pu être noté. Le règlement, lui, est enregistré.",
    }
}

/// Why something is taken off a price.
pub const DISCOUNT_REASONS: [&str; 5] = ["Geste commercial", "Attente trop longue", "Erreur de cuisine", "Fidélité", "Personnel"];
/// How somebody knows what a terminal did.
pub const WITNESSES: [&str; 3] = ["Ticket du TPE lu", "Duplicata du TPE lu", "Écran du TPE lu"];
/// Why money goes back, or its means were wrong.
pub const REFUND_REASONS: [&str; 4] = ["Erreur d’encaissement", "Plat non conforme", "Article non servi", "Double paiement"];

/// What the bill says.
#[must_use]
pub fn bill() -> &'static Texts {
    &FR
}

impl Texts {
    /// A means, on a button.
    #[must_use]
    pub const fn method(&self, method: Method) -> &'static str {
        match method {
            Method::Cb => "Carte",
            Method::Especes => "Espèces",
            Method::Tr => "Titre-resto",
            Method::Cheque => "Chèque",
        }
    }

    /// `Régler 2 parts`.
    #[must_use]
    pub fn pay_shares(&self, count: u32) -> String {
        format!("Régler {}", counted(count, "part", "parts"))
    }

    /// `3 parts réglées sur 4`.
    #[must_use]
    pub fn shares_left(&self, left: usize, all: usize) -> String {
        format!("{left}\u{a0}/\u{a0}{all} parts à payer")
    }

    /// What the button says that sends an amount to the terminal.
    #[must_use]
    pub fn charge(&self, amount: Cents) -> String {
        format!("Envoyer {amount} au TPE")
    }

    /// Why an attempt came to where it stands. The till's own words in French; a person's as they were typed.
    #[must_use]
    pub fn why(&self, why: &str) -> String {
        let (late, said) = why.strip_prefix("late, ").map_or((false, why), |said| (true, said));
        if let Some(says) = said.strip_prefix("terminal: ") {
            let answer = if late { "réponse tardive du TPE" } else { "réponse du TPE" };
            return if says == "approved" { answer.to_owned() } else { format!("{answer} ({says})") };
        }
        if let Some(rest) = why.strip_prefix("contradiction: ") {
            let amount = rest.strip_prefix("terminal approved ");
            return amount.map_or("le TPE dit n’avoir rien pris".to_owned(), |amount| format!("le TPE dit avoir pris {amount}"));
        }
        if let Some(rest) = why.strip_prefix("duplicata: ") {
            let (answer, rest) = rest.split_once(", ").map_or((rest, String::new()), |(answer, rest)| (answer, format!(", {rest}")));
            let answer = match answer {
                "same_payment" => "ce paiement",
                "other_payment" => "un autre paiement",
                "unnamed" => "un paiement sans référence",
                "reprinted" => "réimprimé",
                "refused" => "refusé",
                "silent" => "pas de réponse",
                other => other,
            };
            return format!("duplicata\u{a0}: {answer}{rest}");
        }
        match why {
            "requested" => "demandé",
            "about_to_send" => "appel du TPE",
            "request_sent" => "demande transmise",
            "typed_in" => "numéro saisi",
            "settled" => "encaissé",
            "aborted" => "abandonné avant l’envoi",
            "silence" => "le TPE n’a rien dit à temps",
            "line_lost" => "la ligne a été coupée",
            "unreadable" => "réponse illisible",
            "contradiction" => "réponse contradictoire",
            "not_ours" => "réponse à une autre demande",
            "interim" => "réponse d’attente sans suite",
            "terminal_doubts" => "le TPE ne sait pas",
            "line_busy" => "ligne occupée",
            "no_answer" | "unreachable" => "TPE injoignable",
            "not_stored" | "not_written" => "rien n’est parti",
            "process_gone" => "la caisse s’est arrêtée",
            "left_behind" => "la caisse a perdu le fil",
            typed => typed,
        }
        .to_owned()
    }

    /// Where an attempt stands.
    #[must_use]
    pub const fn attempt(&self, state: AttemptState) -> &'static str {
        match state {
            AttemptState::Created => "préparé",
            AttemptState::Sending | AttemptState::Sent => "envoyé au TPE",
            AttemptState::Approved => "accepté",
            AttemptState::Declined => "refusé",
            AttemptState::Cancelled => "abandonné",
            AttemptState::Failed => "échoué",
            AttemptState::NotSent => "non envoyé",
            AttemptState::Unknown => "sans réponse",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_payment_is_said_in_french() {
        for (code, said) in [
            ("requested", "demandé"),
            ("terminal: approved", "réponse du TPE"),
            ("late, terminal: declined_51", "réponse tardive du TPE (declined_51)"),
            ("duplicata: same_payment, 12,00\u{a0}€, 123456", "duplicata\u{a0}: ce paiement, 12,00\u{a0}€, 123456"),
            ("contradiction: terminal took nothing", "le TPE dit n’avoir rien pris"),
            ("Ticket du TPE lu", "Ticket du TPE lu"),
        ] {
            assert_eq!(bill().why(code), said);
        }
    }
}
