//! Everything that can be refused, and how it is said.
//!
//! One enum for the whole server: services return it, routes answer it as `application/problem+json` (RFC 9457), server functions as
//! [`Problem`]. Each variant knows its status, its stable code and its French sentence. What is not a refusal but a fault of ours is
//! [`Error::Internal`]: its cause is logged, never sent.

use crate::http::orders::IDEMPOTENT_REPLAY;
use crate::services::syncing::Refusal;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::api::Problem;
use domain::order::FieldError;
use domain::{Cents, PaymentId};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: not JSON at all.
    #[error("not JSON: {0}")]
    BadJson(String),
    /// 401: nobody is signed in here.
    #[error("not signed in")]
    NotSignedIn,
    /// 401: name or PIN wrong; says not which.
    #[error("wrong name or PIN")]
    WrongPin,
    /// 401: a program without a token that is good for this.
    #[error("bad token")]
    BadToken,
    /// 403: this role may not.
    #[error("forbidden")]
    Forbidden,
    /// 403: a write from a page of another origin.
    #[error("cross-origin write")]
    CrossOrigin,
    /// 404: no such thing; the French noun with its article.
    #[error("not found: {0}")]
    NotFound(&'static str),
    /// 404: no slip has the kitchen system's number.
    #[error("unknown order of the kitchen system")]
    UnknownErpOrder,
    /// 503: a kitchen system names a slip by a number that its answer has not brought us yet.
    #[error("order of the kitchen system not known yet")]
    ErpOrderNotKnownYet,
    /// 405: the path exists, not for this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// 409: the same id was used for another body.
    #[error("idempotency key reused with another body")]
    IdempotencyMismatch,
    /// 409: somebody else has that table.
    #[error("table occupied by order {order_id}")]
    TableOccupied {
        /// The open order.
        order_id: i64,
        /// Who opened it.
        opened_by: (i64, String),
    },
    /// 409: an order that a phone kept is not taken as it is.
    #[error("kept order refused: {0:?}")]
    Sync(Refusal),
    /// 409: somebody else saved the plan since this one was read.
    #[error("plan changed")]
    PlanChanged,
    /// 409: guests sit at a table that was to leave the plan.
    #[error("table {table_id} in use")]
    TableInUse {
        /// The table.
        table_id: i64,
        /// Its name on the plan.
        name: String,
    },
    /// 409: the kitchen has begun, or a system that is not ours has it: it can no longer wait.
    #[error("already in the kitchen")]
    AlreadyInKitchen,
    /// 409: a kitchen system that is not ours has it, and has no ear for being called for it.
    #[error("the kitchen system cannot be called for what it has")]
    BeyondCall,
    /// 409: somebody moved the guests at the same moment.
    #[error("order moved meanwhile")]
    OrderMoved,
    /// 409: part of it is paid.
    #[error("partly paid")]
    PartlyPaid,
    /// 409: something is left to pay.
    #[error("not settled")]
    NotSettled,
    /// 409: the line cannot go from its state to the one that was asked for.
    #[error("line state conflict")]
    LineState,
    /// 409: the share is settled.
    #[error("already paid")]
    AlreadyPaid,
    /// 409: the share owes something else than the screen showed.
    #[error("amount mismatch, {expected} expected")]
    AmountMismatch {
        /// What the share owes.
        expected: Cents,
    },
    /// 409: the order is settled, nothing can be added or divided.
    #[error("order is closed")]
    OrderClosed,
    /// 409: an older day is open.
    #[error("previous period open")]
    PreviousPeriodOpen {
        /// Its service day.
        service_day: time::Date,
    },
    /// 409: somebody else signs in with that name.
    #[error("username taken")]
    UsernameTaken,
    /// 409: nobody would be left who could undo it.
    #[error("last admin")]
    LastAdmin,
    /// 409: the request's id says that it is so old that its answer may be forgotten.
    #[error("request too old")]
    RequestTooOld,
    /// 409: an attempt holds the share.
    #[error("payment in progress")]
    PaymentInProgress {
        /// The attempt, when it is known.
        payment_id: Option<PaymentId>,
        /// Its end is not known: a person has to look.
        unknown: bool,
    },
    /// 409: the terminal is at another payment.
    #[error("terminal busy")]
    TerminalBusy,
    /// 409: how the payment ended is known.
    #[error("not unknown")]
    NotUnknown,
    /// 409: the terminal may still say that it took money.
    #[error("the terminal is listened to until {until}")]
    StillListening {
        /// Until then at most.
        until: OffsetDateTime,
    },
    /// 409: an attempt of training in a house that sells, or the other way round.
    #[error("an attempt of the other mode")]
    OtherMode,
    /// 409: the request of a payment is at the terminal, which alone gives it up.
    #[error("too late to abort")]
    TooLateToAbort,
    /// 409: payments whose end nobody knows.
    #[error("unresolved payments {payment_ids:?}")]
    UnresolvedPayments {
        /// Which.
        payment_ids: Vec<i64>,
        /// Money that a terminal took and no payment explains, by its number.
        strays: Vec<i64>,
    },
    /// 402: the card, or its bank, refused.
    #[error("card declined: {code}")]
    CardDeclined {
        /// The attempt.
        payment_id: PaymentId,
        /// Why, in the protocol's words.
        code: String,
    },
    /// 402: given up at the terminal.
    #[error("card cancelled: {code}")]
    CardCancelled {
        /// The attempt.
        payment_id: PaymentId,
        /// Why, in the protocol's words.
        code: String,
    },
    /// 409: the till has no printer.
    #[error("no printer")]
    NoPrinter,
    /// 503: the terminal cannot be reached or would not do it. Nothing was taken.
    #[error("terminal unavailable: {code}")]
    TerminalUnavailable {
        /// The attempt.
        payment_id: PaymentId,
        /// Why.
        code: String,
    },
    /// 504: nobody knows whether money was taken. The share is locked.
    #[error("terminal unknown")]
    TerminalUnknown {
        /// The attempt.
        payment_id: PaymentId,
    },
    /// The refusal that the same request got before.
    #[error("again: {0}")]
    Again(Box<Error>),
    /// 413.
    #[error("body too large")]
    TooLarge,
    /// 415.
    #[error("wrong content type")]
    WrongContentType,
    /// 426: an app whose words are no longer understood.
    #[error("app outdated")]
    AppOutdated,
    /// 503: an app that is ahead of this server.
    #[error("server outdated")]
    ServerOutdated,
    /// 422: well-formed but invalid.
    #[error("invalid: {0:?}")]
    Invalid(Vec<FieldError>),
    /// 422: shares that do not come to what is left.
    #[error("shares of {divided} for {left}")]
    DoesNotAddUp {
        /// About which line; none: about amounts.
        line_id: Option<domain::LineId>,
        /// Its name.
        line: Option<String>,
        /// What the shares come to.
        divided: Cents,
        /// What is left.
        left: Cents,
    },
    /// 429: try later.
    #[error("too many attempts")]
    TooMany {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// 503: the database does not answer.
    #[error("database unavailable: {0}")]
    DatabaseDown(sqlx::Error),
    /// 503: there is nothing to check a token with.
    #[error("no secret")]
    NoSecret,
    /// 503: the answer took too long and was given up.
    #[error("too slow")]
    TooSlow,
    /// 503: the store of sessions does not answer.
    #[error("sessions unavailable: {0}")]
    SessionsDown(tower_sessions::session::Error),
    /// 500: a fault of ours.
    #[error("{0:#}")]
    Internal(anyhow::Error),
}

/// So soon a kitchen system whose answer is not here yet has usually been called again, in seconds.
const ERP_ANSWER_COMES_IN_S: u64 = 2;

/// What a service returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A body whose one field is wrong.
    #[must_use]
    pub fn invalid(field: &str, code: &str) -> Self {
        Self::Invalid(vec![FieldError::new(field, code)])
    }

    /// A fault of ours, with the words that help to find it.
    #[must_use]
    pub fn internal(message: impl std::fmt::Display) -> Self {
        Self::Internal(anyhow::anyhow!("{message}"))
    }

    /// Status, stable code, and the sentence for a person.
    fn describe(&self) -> (StatusCode, &'static str, String) {
        use StatusCode as S;
        let (status, code, detail) = match self {
            Self::BadJson(_) => (S::BAD_REQUEST, "bad_json", "La requête n’est pas du JSON lisible."),
            Self::NotSignedIn => (S::UNAUTHORIZED, "not_signed_in", "Identifiez-vous pour continuer."),
            Self::WrongPin => (S::UNAUTHORIZED, "wrong_pin", "Nom ou code incorrect."),
            Self::BadToken => (S::UNAUTHORIZED, "bad_token", "Jeton absent, faux ou expiré."),
            Self::Forbidden => (S::FORBIDDEN, "forbidden", "Votre rôle ne permet pas cette action."),
            Self::CrossOrigin => (S::FORBIDDEN, "cross_origin", "Cette demande vient d’un autre site."),
            Self::NotFound(what) => {
                return (S::NOT_FOUND, "not_found", format!("Introuvable : {what}."));
            }
            Self::ErpOrderNotKnownYet => (
                S::SERVICE_UNAVAILABLE,
                "erp_order_not_known_yet",
                "La réponse de la cuisine à un bon n’est pas encore arrivée : redites-le dans un instant.",
            ),
            Self::UnknownErpOrder => (S::NOT_FOUND, "unknown_erp_order", "Aucun bon ne porte ce numéro de cuisine."),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "method_not_allowed", "Cette adresse n’accepte pas cette méthode."),
            Self::IdempotencyMismatch => (S::CONFLICT, "idempotency_mismatch", "Cet identifiant a déjà servi pour une autre demande."),
            Self::TableOccupied { opened_by: (_, name), .. } => {
                return (S::CONFLICT, "table_occupied", format!("Table déjà ouverte par {name}."));
            }
            Self::PlanChanged => {
                (S::CONFLICT, "plan_changed", "Quelqu’un d’autre vient d’enregistrer le plan : le vôtre n’a pas été enregistré.")
            }
            Self::TableInUse { name, .. } => {
                return (
                    S::CONFLICT,
                    "table_in_use",
                    format!("La table {name} a une commande ouverte : elle ne peut pas quitter le plan."),
                );
            }
            Self::BeyondCall => (
                S::CONFLICT,
                "beyond_call",
                "Le système de la cuisine a déjà ce service, et la caisse ne peut pas le lui réclamer : dites-le de vive voix.",
            ),
            Self::AlreadyInKitchen => (S::CONFLICT, "already_in_kitchen", "La cuisine a déjà ce service : il ne peut plus attendre."),
            Self::OrderMoved => (S::CONFLICT, "order_moved", "Cette table vient de changer : vérifiez et recommencez."),
            Self::PartlyPaid => (S::CONFLICT, "partly_paid", "Une partie est déjà payée : un remboursement est nécessaire."),
            Self::NotSettled => (S::CONFLICT, "not_settled", "Il reste à payer : encaissez ou annulez les articles d’abord."),
            Self::LineState => (S::CONFLICT, "line_state", "Cette ligne n’en est plus là : l’écran a été mis à jour."),
            Self::AlreadyPaid => (S::CONFLICT, "already_paid", "Cette part est déjà payée."),
            Self::AmountMismatch { expected } => {
                return (S::CONFLICT, "amount_mismatch", format!("Le montant a changé : cette part est de {expected}."));
            }
            Self::OrderClosed => (S::CONFLICT, "order_closed", "Cette addition est déjà soldée."),
            Self::PreviousPeriodOpen { service_day } => {
                let (year, month, day) = (service_day.year(), u8::from(service_day.month()), service_day.day());
                let detail = format!("La journée du {day:02}/{month:02}/{year} n’est pas clôturée : clôturez-la d’abord.");
                return (S::CONFLICT, "previous_period_open", detail);
            }
            Self::UsernameTaken => (S::CONFLICT, "username_taken", "Cet identifiant est déjà pris."),
            Self::LastAdmin => (S::CONFLICT, "last_admin", "C’est le dernier administrateur : nommez-en un autre d’abord."),
            Self::RequestTooOld => (
                S::CONFLICT,
                "request_too_old",
                "Cette demande date de plus d’un mois : vérifiez l’heure de cet appareil, puis refaites-la.",
            ),
            Self::PaymentInProgress { unknown: false, .. } => {
                (S::CONFLICT, "payment_in_progress", "Un paiement est en cours pour cette part : attendez la réponse du TPE.")
            }
            Self::PaymentInProgress { unknown: true, .. } => (
                S::CONFLICT,
                "payment_in_progress",
                "Le TPE n’a pas répondu pour cette part : vérifiez son ticket avant tout autre encaissement.",
            ),
            Self::NoPrinter => (S::CONFLICT, "no_printer", "Cette caisse n’a pas d’imprimante : imprimez depuis cet appareil."),
            Self::TerminalBusy => (S::CONFLICT, "terminal_busy", "Le TPE est occupé par un autre paiement."),
            Self::NotUnknown => (S::CONFLICT, "not_unknown", "L’issue de ce paiement est connue : il n’y a rien à trancher."),
            Self::StillListening { .. } => (
                S::CONFLICT,
                "still_listening",
                "Le TPE est encore en ligne et peut encore accepter : attendez, ou dites « accepté » si son ticket le montre.",
            ),
            Self::OtherMode => {
                (S::CONFLICT, "other_mode", "Ce paiement a été fait hors de ce mode (formation ou réel) : il se tranche dans le sien.")
            }
            Self::TooLateToAbort => {
                (S::CONFLICT, "too_late_to_abort", "La demande est déjà au TPE : pour abandonner, appuyez sur sa touche rouge.")
            }
            Self::UnresolvedPayments { .. } => (
                S::CONFLICT,
                "unresolved_payments",
                "Des paiements par carte sont en cours ou à vérifier, ou le TPE a débité une somme sans règlement : tranchez-les dans « Argent à vérifier », puis clôturez.",
            ),
            Self::CardDeclined { .. } => (S::PAYMENT_REQUIRED, "card_declined", "Carte refusée : rien n’a été débité."),
            Self::CardCancelled { .. } => (S::PAYMENT_REQUIRED, "card_cancelled", "Paiement abandonné au TPE : rien n’a été débité."),
            Self::TerminalUnavailable { .. } => (
                S::SERVICE_UNAVAILABLE,
                "terminal_unavailable",
                "Le TPE n’est pas disponible : rien n’a été débité, vous pouvez réessayer.",
            ),
            Self::TerminalUnknown { .. } => (
                S::GATEWAY_TIMEOUT,
                "terminal_unknown",
                "Le TPE ne répond pas. Ne recommencez pas : lisez le ticket du TPE, puis dites si le paiement a été accepté.",
            ),
            Self::Sync(refusal) => (S::CONFLICT, refusal.code(), refusal.sentence()),
            Self::Again(first) => return first.describe(),
            Self::AppOutdated => (
                S::UPGRADE_REQUIRED,
                "app_outdated",
                "Cette version de l’application est trop ancienne : mettez-la à jour, ses commandes sont gardées.",
            ),
            Self::ServerOutdated => (
                S::SERVICE_UNAVAILABLE,
                "server_outdated",
                "Le serveur est d’une version plus ancienne que l’application : les commandes attendent qu’il soit mis à jour.",
            ),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "too_large", "La requête est trop volumineuse."),
            Self::WrongContentType => (S::UNSUPPORTED_MEDIA_TYPE, "wrong_content_type", "Le contenu doit être du JSON."),
            Self::Invalid(errors) => return (S::UNPROCESSABLE_ENTITY, "invalid", sentence(errors)),
            Self::DoesNotAddUp { line, divided, left, .. } => {
                let detail = match line {
                    Some(line) => format!("Le partage ne correspond pas à ce qui reste de « {line} » : {left} à répartir."),
                    None => format!("Les parts font {divided}, il reste {left} à répartir."),
                };
                return (S::UNPROCESSABLE_ENTITY, "does_not_add_up", detail);
            }
            Self::TooMany { retry_after } => {
                return (S::TOO_MANY_REQUESTS, "too_many", format!("Trop d’essais : attendez {retry_after} secondes."));
            }
            Self::DatabaseDown(_) => {
                (S::SERVICE_UNAVAILABLE, "database_unavailable", "La base de données ne répond pas : réessayez dans un instant.")
            }
            Self::NoSecret => (
                S::SERVICE_UNAVAILABLE,
                "webhook_not_configured",
                "Cette caisse n’écoute pas de système de cuisine : il lui faut ERP_JWT_SECRET, le secret qui signe ses jetons.",
            ),
            Self::TooSlow => (S::SERVICE_UNAVAILABLE, "too_slow", "La réponse a trop tardé : vérifiez à l’écran avant de recommencer."),
            Self::SessionsDown(_) => {
                (S::SERVICE_UNAVAILABLE, "sessions_unavailable", "Impossible de vérifier qui est identifié : réessayez dans un instant.")
            }
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal", "Une erreur est survenue de notre côté. Rien n’a été enregistré."),
        };
        (status, code, detail.to_owned())
    }

    /// Named extras of the body.
    fn extras(&self) -> Map<String, Value> {
        let extras = match self {
            Self::TableOccupied { order_id, opened_by: (id, name) } => json!({
                "order_id": order_id, "opened_by": {"id": id, "name": name}, "choices": ["append", "other_table", "drop"],
            }),
            Self::TableInUse { table_id, name } => json!({ "table_id": table_id, "table": name }),
            Self::AmountMismatch { expected } => json!({ "expected_cents": expected.0 }),
            Self::Invalid(errors) => json!({ "errors": errors }),
            Self::DoesNotAddUp { line_id, divided, left, .. } => json!({
                "line_id": line_id, "divided_cents": divided.0, "left_cents": left.0,
                "errors": [FieldError::new(if line_id.is_some() { "shares" } else { "amounts" }, "does_not_add_up")],
            }),
            Self::PaymentInProgress { payment_id: Some(id), .. } | Self::TerminalUnknown { payment_id: id } => json!({ "payment_id": id }),
            Self::CardDeclined { payment_id, code }
            | Self::CardCancelled { payment_id, code }
            | Self::TerminalUnavailable { payment_id, code } => {
                json!({ "payment_id": payment_id, "reason": code })
            }
            Self::UnresolvedPayments { payment_ids, strays } => json!({ "payment_ids": payment_ids, "strays": strays }),
            Self::Sync(refusal) => refusal.extras(),
            Self::StillListening { until } => json!({ "until": until.format(&Rfc3339).unwrap_or_default() }),
            Self::Again(first) => return first.extras(),
            Self::TooMany { retry_after } => json!({ "retry_after": retry_after }),
            _ => return Map::new(),
        };
        match extras {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// The cause goes to the log, with the request's span around it; a refusal is no event.
    fn log(&self) {
        match self {
            Self::Internal(cause) => tracing::error!(error = format!("{cause:#}"), "request failed"),
            Self::DatabaseDown(cause) => tracing::error!(error = %cause, "database unavailable"),
            Self::SessionsDown(cause) => tracing::error!(error = %cause, "sessions unavailable"),
            _ => {}
        }
    }
}

/// The first fault, said to a person.
fn sentence(errors: &[FieldError]) -> String {
    let code = errors.first().map_or("", |error| error.code.as_str());
    match code {
        "unavailable" => "Un article demandé est épuisé.",
        "unknown_item" => "Un article demandé n’existe pas à la carte.",
        "reason_required" => "Dites pourquoi : la cuisine avait reçu cet article.",
        "say_why" => "Dites comment vous le savez.",
        "approval_code_required" => "Tapez le numéro d’autorisation du ticket du TPE.",
        "option_required" => "Il manque un choix, par exemple la cuisson.",
        "unknown_option" | "one_choice_per_group" => "Un choix demandé n’existe pas pour cet article.",
        "unknown_user" => "Cette personne ne peut pas reprendre la table.",
        "unknown_table" => "Cette table n’existe pas.",
        "out_of_range" => "Une quantité est hors limites.",
        "empty" => "La commande est vide.",
        "too_long" => "Une note est trop longue.",
        "one_per_group" | "not_in_group" => "La formule est incomplète : choisissez un article par groupe.",
        "less_than_due" => "Le montant donné est inférieur à la somme due.",
        "unsupported_method" => "Ce moyen de paiement n’est pas disponible sur cette caisse.",
        "zero_share" => "Une part ne devrait rien : chaque part doit au moins un centime.",
        "unknown_line" => "Une ligne demandée n’est pas sur cette addition.",
        "unknown_share" => "Cette part n’existe plus : l’addition a changé.",
        "no_change_given" => "Seules les espèces donnent du rendu.",
        "percent_or_amount" => "Donnez un pourcentage ou un montant.",
        "more_than_due" => "La remise dépasse ce qui reste à payer.",
        "more_than_paid" => "Le remboursement dépasse ce qui reste de ce paiement.",
        "taken_by_terminal" => "Le TPE a encaissé ce paiement : son moyen est certain. Remboursez-le s’il est faux.",
        "more_than_sold" => "Le remboursement dépasse ce qui reste de ce ticket.",
        "same_method" => "C’est déjà le moyen enregistré.",
        "more_parts_than_cents" => "Il n’y a pas un centime par part.",
        "no_room" => "Le plan doit garder au moins une salle.",
        "too_many_rooms" => "Le plan a trop de salles : 20 au plus.",
        "too_many_tables" => "Le plan a trop de tables : 300 au plus.",
        "room_name" => "Le nom d’une salle compte de 1 à 20 caractères.",
        "room_name_taken" => "Deux salles portent le même nom.",
        "table_name" => "Le nom d’une table compte de 1 à 20 caractères.",
        "table_name_taken" => "Deux tables portent le même nom.",
        "seats_out_of_range" => "Une table a de 1 à 99 places.",
        "outside_the_room" => "Une table dépasse de la salle.",
        "size_out_of_range" => "Une table est trop grande ou trop petite.",
        "rotation_out_of_range" => "Une table est tournée de plus d’un tour.",
        "listed_twice" => "Une table ou une salle figure deux fois sur le plan.",
        "unknown_room" => "Cette salle n’existe pas.",
        "blank" => "Il manque un nom ou un texte.",
        "text_too_long" => "Un texte est trop long.",
        "control_character" => "Un texte contient un caractère qui ne s’imprime pas.",
        "card_number" => "Pas de numéro de carte ici.",
        "price_out_of_range" => "Un prix est hors limites.",
        "twice" => "Une valeur est donnée deux fois.",
        "kind_is_fixed" => "Un article ne change pas de nature : créez-en un autre.",
        "components_required" | "not_a_formule" => "Une formule, et elle seule, a des choix d’articles.",
        "formule_in_formule" => "Une formule ne contient pas de formule.",
        "not_a_bottle" | "bottle_has_a_glass" => "Ce verre ne vient d’aucune bouteille libre de la carte.",
        "unknown_wine" | "not_a_wine" => "Un vin demandé n’est pas à la carte des vins.",
        "more_than_three" => "Trois vins au plus par plat.",
        "takes_no_wine" => "Seuls les plats et les formules ont des accords.",
        "in_the_past" => "Cette heure est déjà passée.",
        "not_a_pin" => "Le code doit compter de quatre à huit chiffres.",
        "not_a_username" => "L’identifiant : 32 lettres, chiffres, points ou tirets au plus.",
        "in_the_future" => "Cette journée n’a pas encore eu lieu.",
        _ => "La demande contient une valeur invalide.",
    }
    .to_owned()
}

impl Error {
    /// Whether the database gave the transaction up in favour of another (40P01 deadlock, 40001 serialization): nothing of it stayed.
    #[must_use]
    pub fn lost_a_race(&self) -> bool {
        matches!(self, Self::DatabaseDown(sqlx::Error::Database(cause)) if matches!(cause.code().as_deref(), Some("40P01" | "40001")))
    }

    /// Whether what is stored could not be read as what it should be, or does not exist, or may not be read: in a schema of this version somebody
    /// altered it.
    #[must_use]
    pub fn is_unreadable_data(&self) -> bool {
        self.is_unreadable_value() || self.is_unreadable_shape()
    }

    /// Whether a stored value could not be read (class 22; 0A000 for a number that is none; 54001 for one that is nested without end): another part of
    /// the same may still be.
    #[must_use]
    pub fn is_unreadable_value(&self) -> bool {
        self.sqlstate().is_some_and(|code| code.starts_with("22") || code == "0A000" || code == "54001")
            || matches!(self.database_error(), Some(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)))
    }

    /// Whether the database answers and yet does not give what it should have: a table, a column, a function, a type, a role or a right is missing or
    /// another one (class 42), something that somebody put there refuses (P0001), a page is damaged (XX). What passes by itself is none of these.
    fn is_unreadable_shape(&self) -> bool {
        self.sqlstate().is_some_and(|code| code != "42P05" && ["42", "P0", "XX"].iter().any(|class| code.starts_with(class)))
            || matches!(self.database_error(), Some(sqlx::Error::ColumnNotFound(_) | sqlx::Error::TypeNotFound { .. }))
    }

    /// Whether the database is there and another try may do: a lock that somebody holds, a statement that somebody cancelled, a memory or a disk that is
    /// full. Nothing is proven by it.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::DatabaseDown(sqlx::Error::Database(cause)) => {
                cause.code().is_some_and(|code| ["55P03", "57014", "40001", "40P01"].contains(&code.as_ref()))
            }
            Self::Internal(_) => self.sqlstate().is_some_and(|code| ["53", "54", "58"].iter().any(|class| code.starts_with(class))),
            _ => false,
        }
    }

    fn database_error(&self) -> Option<&sqlx::Error> {
        let Self::Internal(cause) = self else { return None };
        cause.downcast_ref::<sqlx::Error>()
    }

    fn sqlstate(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.database_error()?.as_database_error()?.code()
    }

    /// Whether somebody else held a lock for longer than was waited (55P03). Nothing was done.
    #[must_use]
    pub fn is_held_by_another(&self) -> bool {
        matches!(self, Self::DatabaseDown(sqlx::Error::Database(cause)) if cause.code().as_deref() == Some("55P03"))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Self::DatabaseDown(error),
            // Class 57: the server is starting up, shutting down, or was killed; 57014: somebody cancelled what was asked.
            // 40P01, 40001: two waited for each other, and this one was given up: nothing of it stays, and it can be asked again.
            // 53300: it lets nobody else in.
            // 55P03: somebody else holds a lock for longer than we wait.
            sqlx::Error::Database(ref cause)
                if cause.code().is_some_and(|code| {
                    code.starts_with("57P") || ["57014", "53300", "55P03", "40P01", "40001"].contains(&code.as_ref())
                }) =>
            {
                Self::DatabaseDown(error)
            }
            other => Self::Internal(other.into()),
        }
    }
}

impl From<tower_sessions::session::Error> for Error {
    fn from(error: tower_sessions::session::Error) -> Self {
        Self::SessionsDown(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Sync(refusal)
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// For a server function.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        error.log();
        let (status, code, detail) = error.describe();
        let errors = if let Error::Invalid(errors) = error { errors } else { Vec::new() };
        Self { status: status.as_u16(), code: code.to_owned(), detail, errors }
    }
}

/// For a route.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log();
        let (status, code, detail) = self.describe();
        let mut body = self.extras();
        body.insert("type".into(), json!("about:blank"));
        body.insert("title".into(), json!(status.canonical_reason().unwrap_or_default()));
        body.insert("status".into(), json!(status.as_u16()));
        body.insert("code".into(), json!(code));
        body.insert("detail".into(), json!(detail));
        let mut response = (status, Value::Object(body).to_string()).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let retry_after = match self {
            Self::TooMany { retry_after } => Some(retry_after),
            Self::ErpOrderNotKnownYet => Some(ERP_ANSWER_COMES_IN_S),
            _ => None,
        };
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self, Self::BadToken) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(self, Self::Again(_)) {
            response.headers_mut().insert(IDEMPOTENT_REPLAY, HeaderValue::from_static("true"));
        }
        response
    }
}
