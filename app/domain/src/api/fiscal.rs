//! Tickets, closings and the check of the journal.

use super::{Method, Paper, iso_date};
use crate::Cents;
use crate::fiscal::CashCents;
use crate::vat::VatLine;
use crate::wire::euros;
use serde::{Deserialize, Serialize};
use time::Date;
use uuid::Uuid;

/// A ticket as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketText {
    /// Its number in its chain.
    pub ticket_no: i64,
    /// 48 columns.
    pub text: String,
    /// Whether it belongs to the training chain.
    pub training: bool,
    /// The same as a page shows it.
    #[serde(default)]
    pub paper: Paper,
    /// Whether the till has a printer of its own.
    #[serde(default)]
    pub has_printer: bool,
    /// How often it was handed over so far, on paper or not.
    #[serde(default)]
    pub prints: u32,
}

/// Which period to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CloseKind {
    /// A day.
    #[default]
    Z,
    /// A month: the sum of its days.
    #[serde(rename = "month")]
    Month,
    /// A year: the sum of its months.
    #[serde(rename = "year")]
    Year,
}

/// Close a day, a month or a year.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// A service day, or any day of a month or year; the oldest open period when absent.
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
    /// The drawer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash: Option<CashSummary>,
    /// Tips by means, outside the total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tips: Option<ByMethod>,
    /// What counter-entries come to; not positive.
    #[serde(with = "crate::wire::euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub refunds: Option<Cents>,
    /// `2026-02` or `2026`, of the closing of a month or a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
}

/// What is done with cash besides sales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CashKind {
    /// The float is so much.
    Float,
    /// Put in.
    In,
    /// Taken out.
    Out,
    /// The drawer was counted.
    Count,
}

/// Record a movement of cash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashMovementRequest {
    /// What.
    pub kind: CashKind,
    /// How much; never negative.
    #[serde(with = "euros")]
    pub amount: Cents,
    /// Why; required for what goes in and out.
    #[serde(default)]
    pub reason: String,
    /// The id that the client chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// A movement of cash that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashMovementDone {
    /// Its number in its chain.
    pub movement_no: i64,
    /// What.
    pub kind: CashKind,
    /// How much.
    #[serde(with = "euros")]
    pub amount: Cents,
}

/// A movement of cash of the open day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashMovement {
    /// What.
    pub kind: CashKind,
    /// How much.
    #[serde(with = "euros")]
    pub amount: Cents,
    /// Why.
    pub reason: String,
    /// Who.
    pub operator: String,
    /// When, `YYYYMMDDHHMMSS`.
    pub at_local: String,
}

/// A month or a year that has ended and waits to be closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseDue {
    /// Month or year.
    pub kind: CloseKind,
    /// `2026-02` or `2026`.
    pub period: String,
    /// A day of it, to close it by.
    #[serde(with = "iso_date")]
    pub date: Date,
}

/// The drawer of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashSummary {
    /// The float, as last stated.
    #[serde(with = "euros")]
    pub float: Cents,
    /// Put in.
    #[serde(with = "euros", rename = "in")]
    pub put_in: Cents,
    /// Taken out.
    #[serde(with = "euros", rename = "out")]
    pub taken_out: Cents,
    /// Takings in cash, with cash tips.
    #[serde(with = "euros")]
    pub takings: Cents,
    /// What should be in the drawer.
    #[serde(with = "euros")]
    pub expected: Cents,
    /// As last counted.
    #[serde(with = "crate::wire::euros_opt", default)]
    pub counted: Option<Cents>,
    /// Counted less what was expected at that moment.
    #[serde(with = "crate::wire::euros_opt", default)]
    pub difference: Option<Cents>,
}

impl From<&CashCents> for CashSummary {
    fn from(cash: &CashCents) -> Self {
        Self {
            float: cash.float,
            put_in: cash.put_in,
            taken_out: cash.taken_out,
            takings: cash.takings,
            expected: cash.expected(),
            counted: cash.counted,
            difference: cash.difference,
        }
    }
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
    /// The Z as a page shows it.
    #[serde(default)]
    pub paper: Paper,
}

/// The closing page: what is open, and what was closed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosingView {
    /// X report of the oldest open period; none when nothing was sold since the last Z.
    pub open: Option<CloseSummary>,
    /// The same as a page shows it.
    #[serde(default)]
    pub x: Option<Paper>,
    /// Whether the till has a printer of its own.
    #[serde(default)]
    pub has_printer: bool,
    /// Tables whose bill is not settled: their sales belong to the day on which they are paid.
    pub open_tables: Vec<String>,
    /// The last closings, newest first.
    pub closed: Vec<CloseDone>,
    /// Payments by card that nobody knows the end of: nothing can be closed before.
    #[serde(default)]
    pub unresolved: Vec<i64>,
    /// Money that a terminal took and no payment explains: nothing can be closed before somebody has decided.
    #[serde(default)]
    pub strays: Vec<i64>,
    /// Months and years that have ended and wait.
    #[serde(default)]
    pub due: Vec<CloseDue>,
    /// The last closed years and months, newest first.
    #[serde(default)]
    pub closed_long: Vec<CloseDone>,
    /// Movements of cash of the open day, oldest first.
    #[serde(default)]
    pub movements: Vec<CashMovement>,
    /// What the till's own check found wrong with the journal.
    #[serde(default)]
    pub flaws: Vec<Flaw>,
    /// The file in which closings are written down once more cannot be written. They are closings all the same.
    #[serde(default)]
    pub anchors_away: bool,
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
