//! Technical events (*journal des événements techniques*) and archives.

use super::Fact;
use crate::fiscal::{Chain, RecordKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happened to the till. The codes are ours and stable; [`Self::nf525`] gives the one of the public lists where one is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventCode {
    /// The journal begins.
    JournalBegun,
    /// The till was started.
    Started,
    /// The till was stopped.
    Stopped,
    /// A day, a month or a year was closed.
    PeriodClosed,
    /// An archive was made of a span that is no whole year.
    ArchiveMade,
    /// A year was archived.
    YearArchived,
    /// Something that the till works with failed; selling goes on.
    DegradedBegun,
    /// It works again.
    DegradedEnded,
    /// The journal, or what guards it, does not hold.
    IntegrityFlaw,
    /// The key that signs changes: from the next record on another one signs.
    KeyRotated,
    /// The clock went back.
    ClockWentBack,
    /// The clock went forward by itself: further than time passed.
    ClockWentForward,
    /// The database was written into a file.
    BackedUp,
    /// The database is an older copy than the last known end of the journal.
    Restored,
    /// Training began.
    TrainingBegun,
    /// Training ended.
    TrainingEnded,
    /// A day was closed while tables still owed something.
    OpenTables,
    /// A provisional note was given up: its order is settled by nothing.
    NoteCancelled,
    /// A line that the kitchen or a note knew was taken off an order.
    LineVoided,
    /// A price, a rate or a name on the menu changed.
    MenuChanged,
    /// A person, a role or a PIN changed.
    PeopleChanged,
    /// Name, address or numbers of the house changed.
    IdentityChanged,
    /// A setting changed.
    SettingChanged,
    /// Something that the rules forbid was tried and refused.
    Refused,
    /// A person said how a payment by card ended that nobody knew the end of.
    PaymentResolved,
    /// The terminal says something else than what a payment by card ended with, or that it took money for no payment of this till.
    PaymentContradicted,
    /// A person decided about that.
    ContradictionDecided,
}

impl EventCode {
    /// Every code.
    pub const ALL: [Self; 27] = [
        Self::JournalBegun,
        Self::Started,
        Self::Stopped,
        Self::PeriodClosed,
        Self::ArchiveMade,
        Self::YearArchived,
        Self::DegradedBegun,
        Self::DegradedEnded,
        Self::IntegrityFlaw,
        Self::KeyRotated,
        Self::ClockWentBack,
        Self::ClockWentForward,
        Self::BackedUp,
        Self::Restored,
        Self::TrainingBegun,
        Self::TrainingEnded,
        Self::OpenTables,
        Self::NoteCancelled,
        Self::LineVoided,
        Self::MenuChanged,
        Self::PeopleChanged,
        Self::IdentityChanged,
        Self::SettingChanged,
        Self::Refused,
        Self::PaymentResolved,
        Self::PaymentContradicted,
        Self::ContradictionDecided,
    ];

    /// Stable, upper case: a field of the signed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JournalBegun => "JOURNAL_BEGUN",
            Self::Started => "STARTED",
            Self::Stopped => "STOPPED",
            Self::PeriodClosed => "PERIOD_CLOSED",
            Self::ArchiveMade => "ARCHIVE_MADE",
            Self::YearArchived => "YEAR_ARCHIVED",
            Self::DegradedBegun => "DEGRADED_BEGUN",
            Self::DegradedEnded => "DEGRADED_ENDED",
            Self::IntegrityFlaw => "INTEGRITY_FLAW",
            Self::KeyRotated => "KEY_ROTATED",
            Self::ClockWentBack => "CLOCK_WENT_BACK",
            Self::ClockWentForward => "CLOCK_WENT_FORWARD",
            Self::BackedUp => "BACKED_UP",
            Self::Restored => "RESTORED",
            Self::TrainingBegun => "TRAINING_BEGUN",
            Self::TrainingEnded => "TRAINING_ENDED",
            Self::OpenTables => "OPEN_TABLES",
            Self::NoteCancelled => "NOTE_CANCELLED",
            Self::LineVoided => "LINE_VOIDED",
            Self::MenuChanged => "MENU_CHANGED",
            Self::PeopleChanged => "PEOPLE_CHANGED",
            Self::IdentityChanged => "IDENTITY_CHANGED",
            Self::SettingChanged => "SETTING_CHANGED",
            Self::Refused => "REFUSED",
            Self::PaymentResolved => "PAYMENT_RESOLVED",
            Self::PaymentContradicted => "PAYMENT_CONTRADICTED",
            Self::ContradictionDecided => "CONTRADICTION_DECIDED",
        }
    }

    /// The number in the technical journals of other tills, where public documents name one; 0 where none is known. The full list is not
    /// public.
    #[must_use]
    pub const fn nf525(self) -> u16 {
        match self {
            Self::ArchiveMade => 20,
            Self::YearArchived => 30,
            Self::Stopped => 40,
            Self::PeriodClosed => 50,
            Self::DegradedBegun => 70,
            Self::Started => 80,
            Self::IntegrityFlaw => 90,
            Self::DegradedEnded => 120,
            Self::JournalBegun => 260,
            _ => 0,
        }
    }

    /// For a person.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::JournalBegun => "Initialisation du journal",
            Self::Started => "Démarrage de la caisse",
            Self::Stopped => "Arrêt de la caisse",
            Self::PeriodClosed => "Clôture de période",
            Self::ArchiveMade => "Archive intermédiaire",
            Self::YearArchived => "Archive d'exercice",
            Self::DegradedBegun => "Début de mode dégradé",
            Self::DegradedEnded => "Fin de mode dégradé",
            Self::IntegrityFlaw => "Défaut d'intégrité constaté",
            Self::KeyRotated => "Changement de la clé de signature",
            Self::ClockWentBack => "Recul de l'horloge",
            Self::ClockWentForward => "Avance de l'horloge",
            Self::BackedUp => "Sauvegarde",
            Self::Restored => "Restauration d'une sauvegarde",
            Self::TrainingBegun => "Entrée en mode formation",
            Self::TrainingEnded => "Sortie du mode formation",
            Self::OpenTables => "Clôture avec des tables non réglées",
            Self::NoteCancelled => "Note provisoire abandonnée",
            Self::LineVoided => "Ligne retirée d'une commande",
            Self::MenuChanged => "Modification de la carte",
            Self::PeopleChanged => "Modification d'un utilisateur",
            Self::IdentityChanged => "Modification de l'identité de l'établissement",
            Self::SettingChanged => "Modification d'un réglage",
            Self::Refused => "Opération interdite refusée",
            Self::PaymentResolved => "Issue d'un paiement par carte dite par une personne",
            Self::PaymentContradicted => "Réponse inattendue du terminal de paiement",
            Self::ContradictionDecided => "Réponse inattendue du terminal de paiement tranchée",
        }
    }
}

/// A technical event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventContent {
    /// [`CONTENT_VERSION`](super::CONTENT_VERSION) when it was written.
    pub version: u16,
    /// Name and version of the software; the same as `app_version` of the record.
    pub software: String,
    /// The register.
    pub register: String,
    /// When, `YYYYMMDDHHMMSS`.
    pub at_local: String,
    /// Who; empty: the machine.
    pub operator: String,
    /// What.
    pub code: EventCode,
    /// [`EventCode::nf525`].
    pub nf525_code: u16,
    /// [`EventCode::label`].
    pub label: String,
    /// What else there is to know, such as old and new values.
    pub details: BTreeMap<String, String>,
}

impl Fact for EventContent {
    fn version(&self) -> u16 {
        self.version
    }
    fn software(&self) -> &str {
        &self.software
    }
    fn chain(&self) -> Chain {
        Chain::J
    }
    fn kind(&self) -> RecordKind {
        RecordKind::TechnicalEvent
    }
    fn register(&self) -> &str {
        &self.register
    }
    fn at_local(&self) -> &str {
        &self.at_local
    }
    /// Code and number: `STARTED:80`.
    fn signed_fields(&self) -> Vec<String> {
        vec![format!("{}:{}", self.code.as_str(), self.nf525_code)]
    }
}

/// An archive that was made: what it holds and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveContent {
    /// [`CONTENT_VERSION`](super::CONTENT_VERSION) when it was written.
    pub version: u16,
    /// Name and version of the software; the same as `app_version` of the record.
    pub software: String,
    /// The register.
    pub register: String,
    /// When, `YYYYMMDDHHMMSS`.
    pub at_local: String,
    /// Who; empty: the command line.
    pub operator: String,
    /// First service day, `YYYY-MM-DD`.
    pub from: String,
    /// Last service day, `YYYY-MM-DD`.
    pub to: String,
    /// First record in it, by its number in the whole journal.
    pub first_record: i64,
    /// Last record in it; `first_record - 1` when it is empty.
    pub last_record: i64,
    /// SHA-256 of the manifest, hexadecimal. The manifest names the digest of every file.
    pub manifest_sha256: String,
    /// The same of the archive before; empty for the first.
    pub previous_sha256: String,
    /// What the check before archiving found wrong; 0: sound.
    pub flaws: u32,
}

impl Fact for ArchiveContent {
    fn version(&self) -> u16 {
        self.version
    }
    fn software(&self) -> &str {
        &self.software
    }
    fn chain(&self) -> Chain {
        Chain::A
    }
    fn kind(&self) -> RecordKind {
        RecordKind::Archive
    }
    fn register(&self) -> &str {
        &self.register
    }
    fn at_local(&self) -> &str {
        &self.at_local
    }
    /// `from|to`, the range of records, the digest of the manifest.
    fn signed_fields(&self) -> Vec<String> {
        vec![format!("{}|{}", self.from, self.to), format!("{}-{}", self.first_record, self.last_record), self.manifest_sha256.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_fit_the_signed_text() {
        let codes: std::collections::BTreeSet<_> = EventCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), EventCode::ALL.len());
        for code in EventCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str().to_lowercase());
        }
    }
}
