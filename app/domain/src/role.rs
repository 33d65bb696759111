//! Who may do what. The table of the outside contract, in one place; every route names the [`Right`] it asks for.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a person is in the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Waiter: orders, tables, the bill to look at.
    Serveur,
    /// Cashier: also payments and closings.
    Caissier,
    /// Owner: also menu, plan, users, settings.
    Admin,
    /// Tax auditor: reads the fiscal journal, and nothing else.
    Auditeur,
}

/// Something that a role allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// See plan, menu and orders; take orders; work the kitchen screen; look at a bill; put a dish out of stock.
    TakeOrders,
    /// Settle shares, split bills, move cash, close the day, reprint tickets.
    HandleMoney,
    /// Change menu, plan, users and settings; refund.
    Administer,
    /// Verify the journal.
    VerifyJournal,
    /// Export the journal.
    ExportJournal,
}

impl Role {
    /// Every role, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Serveur, Self::Caissier, Self::Admin, Self::Auditeur];

    /// Whether this role allows it.
    #[must_use]
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::TakeOrders => matches!(self, Self::Serveur | Self::Caissier | Self::Admin),
            Right::HandleMoney => matches!(self, Self::Caissier | Self::Admin),
            Right::Administer => matches!(self, Self::Admin),
            Right::VerifyJournal => matches!(self, Self::Caissier | Self::Admin | Self::Auditeur),
            Right::ExportJournal => matches!(self, Self::Admin | Self::Auditeur),
        }
    }

    /// The word of the contract and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serveur => "serveur",
            Self::Caissier => "caissier",
            Self::Admin => "admin",
            Self::Auditeur => "auditeur",
        }
    }
}

/// A word that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is one of serveur, caissier, admin, auditeur")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_auditor_reads_the_journal_and_touches_nothing() {
        assert!(Role::Auditeur.may(Right::VerifyJournal) && Role::Auditeur.may(Right::ExportJournal));
        for right in [Right::TakeOrders, Right::HandleMoney, Right::Administer] {
            assert!(!Role::Auditeur.may(right));
        }
    }

    #[test]
    fn each_role_of_the_house_may_all_that_the_one_below_may() {
        for right in [Right::TakeOrders, Right::HandleMoney, Right::Administer] {
            for pair in [Role::Serveur, Role::Caissier, Role::Admin].windows(2) {
                assert!(!pair[0].may(right) || pair[1].may(right), "{right:?}");
            }
        }
    }

    #[test]
    fn words_are_read_back() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("chef".parse::<Role>().is_err());
    }
}
