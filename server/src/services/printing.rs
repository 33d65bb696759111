//! Tickets as text. The text is made from the signed content and from nothing else: there is no ticket that is not in the journal.

use crate::db;
use crate::error::{Error, Result};
use crate::state::{House, REGISTER};
use domain::api::TicketText;
use domain::fiscal::{ClosingContent, LongClosingContent, Record, RecordKind, TicketContent};
use domain::receipt::{Proof, closing_lines, long_closing_lines, render_text, ticket_lines};

/// Characters in a line on 80 mm paper.
const COLUMNS: usize = 48;

/// A ticket by its number.
///
/// # Errors
/// [`Error::NotFound`] when no ticket has that number.
pub async fn ticket(house: &House, no: i64) -> Result<TicketText> {
    let record = db::journal::by_number(&house.db, REGISTER, house.ticket_chain(), no)
        .await?
        .filter(|record| record.kind == RecordKind::Sale)
        .ok_or(Error::NotFound("ce ticket"))?;
    let content: TicketContent = serde_json::from_str(&record.content_text)?;
    let text = render_text(&ticket_lines(&content, &Proof::of(&record)), COLUMNS);
    Ok(TicketText { ticket_no: no, text, training: content.training })
}

/// A Z as text.
#[must_use]
pub fn z_text(content: &ClosingContent, record: &Record) -> String {
    render_text(&closing_lines(content, &Proof::of(record)), COLUMNS)
}

/// The closing of a month or of a year as text.
#[must_use]
pub fn long_closing_text(content: &LongClosingContent, record: &Record) -> String {
    render_text(&long_closing_lines(content, &Proof::of(record)), COLUMNS)
}
