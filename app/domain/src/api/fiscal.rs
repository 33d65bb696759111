//! Tickets, closings and the check of the journal.

use super::{Method, iso_date};
use crate::Cents;
use crate::vat::VatLine;
use crate::wire::euros;
use serde::{Deserialize, Serialize};
use time::Date;

/// A ticket as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketText {
    /// Its number in its chain.
    pub ticket_no: i64,
    /// 48 columns.
    pub text: String,
    /// Whether it belongs to the training chain.
    pub training: bool,
}

/// Which period to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CloseKind {
    /// A day.
    #[default]
    Z,
}

/// Close a day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// A service day; the oldest open one when absent.
    #[serde(with = "iso_date::option", default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// What kind of period.
    #[serde(default)]
    pub kind: CloseKind,
}

/// Totals by means of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct ByMethod {
    /// Card.
    #[serde(with = "euros")]
    pub cb: Cents,
    /// Cash, change taken off.
    #[serde(with = "euros")]
    pub especes: Cents,
    /// Meal vouchers.
    #[serde(with = "euros")]
    pub tr: Cents,
    /// Cheques.
    #[serde(with = "euros")]
    pub cheque: Cents,
}

impl ByMethod {
    /// Adds an amount to the total of a means.
    pub fn add(&mut self, method: Method, amount: Cents) {
        *match method {
            Method::Cb => &mut self.cb,
            Method::Especes => &mut self.especes,
            Method::Tr => &mut self.tr,
            Method::Cheque => &mut self.cheque,
        } += amount;
    }

    /// The total of a means.
    #[must_use]
    pub const fn get(&self, method: Method) -> Cents {
        match method {
            Method::Cb => self.cb,
            Method::Especes => self.especes,
            Method::Tr => self.tr,
            Method::Cheque => self.cheque,
        }
    }
}

/// What a day came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseSummary {
    /// Number of the closing; none on an X report.
    pub z_number: Option<i64>,
    /// The service day.
    #[serde(with = "iso_date")]
    pub service_day: Date,
    /// Sold, VAT included.
    #[serde(with = "euros")]
    pub total_ttc: Cents,
    /// The tax in it.
    #[serde(with = "euros")]
    pub total_tva: Cents,
    /// How many payments.
    pub count: u32,
    /// By means.
    pub by_method: ByMethod,
    /// By rate.
    pub vat: Vec<VatLine>,
    /// Sales less refunds since the till was first used; never reset.
    #[serde(with = "euros")]
    pub perpetual_total: Cents,
    /// Sales plus refunds since the till was first used; never reset.
    #[serde(with = "euros")]
    pub perpetual_absolute: Cents,
    /// Whether this is the training chain.
    pub training: bool,
}

/// Answer to a closing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseDone {
    /// The record in the journal.
    pub audit_log_id: i64,
    /// The Z as text, 48 columns.
    pub ticket: String,
    /// SHA-256 of the signed text, hexadecimal.
    pub hash: String,
    /// RSA signature, base64url.
    pub signature: String,
    /// What the day came to.
    pub summary: CloseSummary,
    /// The day was closed before and nothing was sold since.
    pub already_closed: bool,
}

/// The closing page: what is open, and what was closed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosingView {
    /// X report of the oldest open period; none when nothing was sold since the last Z.
    pub open: Option<CloseSummary>,
    /// Tables whose bill is not settled: their sales belong to the day on which they are paid.
    pub open_tables: Vec<String>,
    /// The last closings, newest first.
    pub closed: Vec<CloseDone>,
}

/// A fault in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaw {
    /// The chain.
    pub chain: String,
    /// The number in it.
    pub seq: i64,
    /// Stable, English, snake case.
    pub code: String,
    /// French.
    pub detail: String,
}

/// Answer of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// No flaw.
    pub ok: bool,
    /// How many records were read.
    pub records: u64,
    /// Nothing is proven wrong, but something could not be judged: a key or a format that this version does not know.
    #[serde(default)]
    pub inconclusive: bool,
    /// Every flaw found.
    pub flaws: Vec<Flaw>,
}
