//! What is said of money that waits for a person's word.

use super::counted;
use domain::Cents;
use domain::api::{Contradiction, Decision, PaymentInDoubt, TerminalAnswer};
use domain::attempt::AttemptState;

texts! {
    /// What the page of money to check says, by what it means.
    Texts {
    title: "Argent à vérifier",
    lead: "Chaque somme attend une réponse : la clôture est impossible avant. Votre nom, l’heure et la raison restent au dossier.",
    nothing: "Rien à vérifier",
    nothing_detail: "Tout ce que le TPE a débité a son règlement.",
    not_yours: "Réservé à la caisse.",
    mark_detail: "La clôture attend votre réponse.",
    at_terminal: "Un paiement est en cours au TPE",
    at_terminal_detail: "Il se termine tout seul. Pour abandonner : touche rouge du TPE.",
    unknown: "Le TPE n’a pas répondu",
    unknown_detail: "On ne sait pas si la carte a été débitée. Regardez le ticket du TPE, puis dites-le dans l’addition.",
    open_bill: "Ouvrir l’addition",
    said_yes: "Le TPE dit avoir débité la carte",
    said_other: "Le TPE annonce un autre montant",
    said_no: "Le TPE dit n’avoir rien débité",
    stray: "Le TPE a débité une somme sans règlement",
    stray_nameless: "Il ne dit pas pour quel paiement : ancien client, autre caisse ou essai. Cherchez le ticket du TPE de cette heure.",
    stray_foreign: "Le paiement qu’il nomme n’est pas de cette caisse. Cherchez le ticket du TPE de cette heure.",
    other_currency: "Dans une autre monnaie : cette somme ne peut pas être rattachée à une part.",
    unknown_amount: "montant inconnu",
    attach: "Rattacher à une part",
    book: "Enregistrer le règlement",
    refunded: "Remboursé au TPE",
    kept: "Ne rien changer",
    kept_right: "L’enregistrement est juste",
    kept_corrected: "C’est corrigé",
    attach_detail: "Le client de cette part a payé cette somme : la part est réglée par carte et un ticket est émis. Si elle doit plus, le reste fera une part.",
    book_detail: "La part est encore ouverte : elle est réglée par carte, pour le montant que le TPE annonce.",
    refunded_detail: "Faites d’abord le remboursement sur le TPE, menu « remboursement ». Rien n’est encaissé ici.",
    kept_detail: "Rien n’est encaissé ni rendu. À choisir quand la somme est déjà enregistrée, ou n’a pas été prise ici.",
    kept_corrected_detail: "À choisir quand le règlement enregistré à tort a été remboursé ou corrigé dans l’addition.",
    which_table: "Quelle table\u{a0}?",
    which_share: "Quelle part\u{a0}?",
    no_open_table: "Aucune table n’a d’addition ouverte : remboursez la somme au TPE.",
    no_open_share: "Aucune part à payer à cette table.",
    owes_less: "doit moins que cette somme",
    refund_number: "Numéro du ticket de remboursement (facultatif)",
    code: "Numéro d’autorisation (facultatif)",
    why: "Comment le savez-vous\u{a0}?",
    decide: "Enregistrer la décision",
    decided: "C’est enregistré.",
    // the terminal is asked
    ask_terminal: "Interroger le TPE",
    asking_terminal: "Le TPE cherche son dernier ticket…",
    ask_terminal_help: "Il redonne son dernier ticket. Rien n’est débité.",
    listening: "Le TPE peut encore répondre.",
    listening_detail: "Attendez la fin de l’écoute pour dire « non abouti ». Si son ticket montre un paiement accepté, dites-le tout de suite.",
    amount_taken: "Montant débité",
    amount_taken_help: "À remplir seulement s’il diffère de la somme demandée.",
    ended: "Ce paiement a sa réponse.",
    give_up: "Abandonner l’envoi",
    // on the house
    free: "Rien à encaisser",
    free_detail: "Tout est offert. Clore l’addition libère la table et émet un ticket à 0,00\u{a0}€, qui dit ce qui a été offert, par qui et pourquoi.",
    free_close: "Clore l’addition",
    free_closed: "Table libérée",
    }
}

/// How somebody knows what became of money that nobody expected.
pub const WITNESSES: [&str; 4] = ["Ticket du TPE comparé", "Ticket présenté par le client", "Essai du terminal", "Relevé du TPE lu"];

/// What the page of money to check says.
#[must_use]
pub fn t() -> &'static Texts {
    &FR
}

impl Texts {
    /// `2 sommes à vérifier`.
    #[must_use]
    pub fn sums(&self, count: usize) -> String {
        counted(u32::try_from(count).unwrap_or(u32::MAX), "somme à vérifier", "sommes à vérifier")
    }

    /// `Table 12 · part 1 · Camille`.
    #[must_use]
    pub fn whose(&self, payment: &PaymentInDoubt) -> String {
        format!("Table\u{a0}{} · part\u{a0}{} · {}", payment.table, payment.cover_number, payment.by)
    }

    /// A terminal, by where it is: `TPE 192.168.1.20:8888`, `TPE /dev/ttyACM0`.
    #[must_use]
    pub fn terminal(&self, name: &str) -> String {
        match name.split_once(':') {
            Some((_, rest)) if !rest.is_empty() => format!("TPE\u{a0}{}", rest.trim_start_matches("//")),
            Some(_) => "TPE simulé".to_owned(),
            None => "TPE".to_owned(),
        }
    }

    /// What a contradiction is called.
    #[must_use]
    pub fn contradiction(&self, said: &Contradiction) -> &'static str {
        match (said.says, said.stood) {
            (AttemptState::Approved, AttemptState::Approved) => self.said_other,
            (AttemptState::Approved, _) => self.said_yes,
            _ => self.said_no,
        }
    }

    /// What happened, in a sentence.
    #[must_use]
    pub fn contradicted(&self, said: &Contradiction, asked: Cents) -> String {
        let amount = said.amount.unwrap_or(asked);
        match (said.says, said.stood) {
            (AttemptState::Approved, AttemptState::Approved) => {
                format!(
                    "Une personne a enregistré ce paiement. Le TPE a dit ensuite avoir débité {amount}, ce n’est pas la somme enregistrée."
                )
            }
            (AttemptState::Approved, _) => format!(
                "Ce paiement s’était terminé sans débit, et rien n’est encaissé. Le TPE a dit ensuite avoir débité {amount} : le client a payé."
            ),
            _ => format!(
                "Ce paiement de {asked} est enregistré comme accepté. Le TPE a dit ensuite n’avoir rien débité : le client n’a pas payé."
            ),
        }
    }

    /// Money without a payment that names one.
    #[must_use]
    pub fn names(&self, payment: &PaymentInDoubt) -> String {
        format!("Il nomme le paiement de {} ({}), mais ne s’accorde pas avec lui.", payment.amount, self.whose(payment))
    }

    /// What a decision means.
    #[must_use]
    pub const fn decision_detail(&self, decision: Decision, of_share: bool, took_nothing: bool) -> &'static str {
        match decision {
            Decision::Booked if of_share => self.book_detail,
            Decision::Booked => self.attach_detail,
            Decision::Refunded => self.refunded_detail,
            Decision::Kept if took_nothing => self.kept_corrected_detail,
            Decision::Kept => self.kept_detail,
        }
    }

    /// What a terminal said of its last ticket.
    #[must_use]
    pub fn answered(&self, answer: TerminalAnswer, amount: Option<Cents>, code: Option<&str>) -> String {
        let what = amount.map_or_else(|| self.unknown_amount.to_owned(), |amount| amount.to_string());
        let code = code.map(|code| format!(", autorisation {code}")).unwrap_or_default();
        match answer {
            TerminalAnswer::SamePayment => {
                format!("Son dernier ticket est celui de ce paiement : {what}{code}. Comparez avec le papier, puis confirmez.")
            }
            TerminalAnswer::OtherPayment => {
                format!("Son dernier ticket est d’un autre paiement ({what}{code}). Cela ne dit rien de celui-ci : cherchez son ticket.")
            }
            TerminalAnswer::Unnamed => {
                format!("Son dernier ticket : {what}{code}. Il ne nomme pas ce paiement : comparez l’heure et le montant sur le papier.")
            }
            TerminalAnswer::Reprinted => "Le TPE a réimprimé son dernier ticket : comparez l’heure et le montant.".to_owned(),
            TerminalAnswer::Refused => "Le TPE n’a pas de dernier ticket à donner. Cherchez dans son menu « duplicata ».".to_owned(),
            TerminalAnswer::Unsupported => "Ce TPE ne peut pas être interrogé. Cherchez dans son menu « duplicata ».".to_owned(),
            TerminalAnswer::Silent => "Le TPE ne répond pas. Vérifiez son câble ou son réseau, puis réessayez.".to_owned(),
        }
    }

    /// How long a terminal is still listened to.
    #[must_use]
    pub fn listening_for(&self, seconds: i64) -> String {
        format!("{} Encore {}\u{a0}s.", self.listening, seconds.max(0))
    }
}
