//! Paper: what a page shows, and what became of a print.

use crate::receipt::Line;
use crate::receipt::escpos::Trouble;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A document as a page shows and prints it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Paper {
    /// Its lines, see [`crate::receipt`].
    pub lines: Vec<Line>,
    /// Its QR code, drawn.
    #[serde(default)]
    pub code: Option<DrawnCode>,
}

/// A QR code as a drawing: what an `svg` with the view box `0 0 size size` fills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawnCode {
    /// Modules a side.
    pub size: u32,
    /// Its dark modules.
    pub path: String,
}

/// Where a document is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrintTo {
    /// The printer of the till.
    Printer,
    /// The browser that asked, on whatever printer it has.
    Browser,
}

/// Print a document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrintRequest {
    /// Where; the printer of the till when it has one, else the browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<PrintTo>,
    /// Chosen by whoever asks: the same again is the same print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// What became of a print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrintStatus {
    /// The printer has it and reports no trouble.
    Printed,
    /// It waits for the printer and is tried again by itself.
    Waiting,
    /// Nothing of it went out, and it is not tried any more; asking again is the same print.
    NotPrinted,
    /// Something went out and it cannot be told how much. Asking again is a duplicata.
    Doubtful,
    /// It is recorded; the browser prints it.
    Recorded,
}

impl PrintStatus {
    /// Whether it may still change by itself.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting)
    }
}

/// Answer to a print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintDone {
    /// 0 for the original, then the number of the duplicata.
    pub print_no: u32,
    /// What became of it.
    pub status: PrintStatus,
    /// What is wrong with the printer.
    #[serde(default)]
    pub trouble: Option<Trouble>,
    /// The same, for a person.
    #[serde(default)]
    pub detail: Option<String>,
    /// What is printed.
    pub paper: Paper,
}
