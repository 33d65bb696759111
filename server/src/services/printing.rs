//! Paper: what a document says, and the story of a print.
//!
//! A print is recorded first, in the journal and in the queue, in one transaction; then the printer gets it. What the printer does cannot undo the
//! record: a paper may exist, so it is counted. Until the first byte went out a print waits, is tried again and keeps its number; once something
//! may be on paper, asking again is a duplicata. Nobody who sells waits for a printer.

use super::recording;
use crate::adapters::printer::Printer;
use crate::db;
use crate::db::prints::{NewPrint, Print, State};
use crate::error::{Error, Result};
use crate::qr;
use crate::state::{House, REGISTER};
use domain::UserId;
use domain::api::{Paper, PrintDone, PrintRequest, PrintStatus, PrintTo, SessionUser, TicketText};
use domain::fiscal::{ClosingContent, LongClosingContent, NoteContent, PrintContent, PrintMeans, Record, RecordKind, TicketContent};
use domain::receipt::{Copy, Line, Proof, closing_lines, long_closing_lines, note_lines, render_text, ticket_lines};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Characters in a line of a text: 80 mm paper.
const COLUMNS: usize = 48;
/// How long an answer waits for the printer.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);
/// How often a waiting answer looks by itself: another process may be the one that prints.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a ticket waits for its printer. Later nobody stands there any more.
const TICKET_WITHIN: Duration = Duration::from_secs(120);
/// How long a Z waits.
const Z_WITHIN: Duration = Duration::from_secs(1800);
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(3);
/// No paper takes longer to go out; what does is of a process that ended.
const LONGEST: Duration = Duration::from_secs(120);

/// The printer of the till and its queue.
pub struct Printing {
    printer: Printer,
    wake: Notify,
    moved: Notify,
}

impl Printing {
    /// A queue in front of that printer.
    #[must_use]
    pub fn new(printer: Printer) -> Arc<Self> {
        Arc::new(Self { printer, wake: Notify::new(), moved: Notify::new() })
    }
}

/// What a recorded document says.
///
/// # Errors
/// When its content is not one of its kind.
pub fn lines_of(record: &Record, copy: Option<Copy>) -> Result<Vec<Line>> {
    let text = &record.content_text;
    let proof = Proof { copy, ..Proof::of(record) };
    Ok(match record.kind {
        RecordKind::Sale | RecordKind::Refund => ticket_lines(&serde_json::from_str::<TicketContent>(text)?, &proof),
        RecordKind::Note => note_lines(&serde_json::from_str::<NoteContent>(text)?, &proof),
        RecordKind::ClosureZ => closing_lines(&serde_json::from_str::<ClosingContent>(text)?, &proof),
        RecordKind::ClosureMonth | RecordKind::ClosureYear => {
            long_closing_lines(&serde_json::from_str::<LongClosingContent>(text)?, &proof)
        }
        _ => return Err(Error::NotFound("ce document")),
    })
}

/// Lines as a page shows them.
#[must_use]
pub fn paper(lines: Vec<Line>) -> Paper {
    let code = lines.iter().find_map(|line| if let Line::Code { data } = line { qr::drawn(data) } else { None });
    Paper { lines, code }
}

/// A recorded document as plain text.
///
/// # Errors
/// As [`lines_of`].
pub fn text_of(record: &Record) -> Result<String> {
    Ok(render_text(&lines_of(record, None)?, COLUMNS))
}

/// A ticket or a counter-entry, by its number.
async fn ticket_record(house: &House, no: i64) -> Result<Record> {
    db::journal::by_number(&house.db, REGISTER, house.ticket_chain(), no)
        .await?
        .filter(|record| matches!(record.kind, RecordKind::Sale | RecordKind::Refund))
        .ok_or(Error::NotFound("ce ticket"))
}

/// A ticket by its number, to be looked at.
///
/// # Errors
/// [`Error::NotFound`] when no ticket has that number.
pub async fn ticket(house: &House, no: i64) -> Result<TicketText> {
    let record = ticket_record(house, no).await?;
    let lines = lines_of(&record, None)?;
    let content: TicketContent = serde_json::from_str(&record.content_text)?;
    Ok(TicketText {
        ticket_no: no,
        text: render_text(&lines, COLUMNS),
        training: content.training,
        paper: paper(lines),
        has_printer: house.printing.is_some(),
        prints: db::papers::last_print(&house.db, &record).await?.map_or(0, |last| last.saturating_add(1)),
    })
}

/// Prints a ticket.
///
/// # Errors
/// [`Error::NotFound`]; as [`print()`].
pub async fn print_ticket(house: &House, user: &SessionUser, no: i64, request: &PrintRequest) -> Result<PrintDone> {
    print(house, user, &ticket_record(house, no).await?, request, TICKET_WITHIN).await
}

/// A closing of this chain, by the number of its record.
async fn closing_record(house: &House, audit_log_id: i64) -> Result<Record> {
    let is_closing = |record: &Record| matches!(record.kind, RecordKind::ClosureZ | RecordKind::ClosureMonth | RecordKind::ClosureYear);
    db::journal::record(&house.db, audit_log_id).await?.filter(is_closing).ok_or(Error::NotFound("cette clôture"))
}

/// A closing by the number of its record, to be looked at.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn closing_paper(house: &House, audit_log_id: i64) -> Result<Paper> {
    Ok(paper(lines_of(&closing_record(house, audit_log_id).await?, None)?))
}

/// Prints a closing, by the number of its record.
///
/// # Errors
/// [`Error::NotFound`]; as [`print()`].
pub async fn print_closing(house: &House, user: &SessionUser, audit_log_id: i64, request: &PrintRequest) -> Result<PrintDone> {
    print(house, user, &closing_record(house, audit_log_id).await?, request, Z_WITHIN).await
}

/// The guest wants no paper: recorded once. A print that follows all the same is a duplicata.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn decline(house: &House, user: &SessionUser, no: i64) -> Result<()> {
    let record = ticket_record(house, no).await?;
    let mut tx = house.db.begin().await?;
    db::prints::lock(&mut tx, record.id).await?;
    if db::papers::last_print(&mut *tx, &record).await?.is_none() {
        recording::print(house, &mut tx, &record, PrintMeans::Declined, &user.name).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Prints a recorded document: take the request's id → is an earlier print still waiting? then that one → else number and record a new one → commit
/// → wake the printer → wait a moment for what it says.
///
/// # Errors
/// [`Error::NoPrinter`] when the till has none; [`Error::IdempotencyMismatch`] when the id was used for another document.
pub async fn print(house: &House, user: &SessionUser, of: &Record, request: &PrintRequest, patience: Duration) -> Result<PrintDone> {
    let to = request.to.unwrap_or(if house.printing.is_some() { PrintTo::Printer } else { PrintTo::Browser });
    if to == PrintTo::Printer && house.printing.is_none() {
        return Err(Error::NoPrinter);
    }
    let within = (to == PrintTo::Printer).then_some(patience);
    let id = ask(house, (user.id, &user.name), of, request, within).await?;
    if let Some(printing) = &house.printing
        && to == PrintTo::Printer
    {
        printing.wake.notify_one();
        wait_for(house, printing, id).await?;
    }
    let print = db::prints::get(&house.db, id).await?.ok_or_else(|| Error::internal("a print is missing"))?;
    done(house, of, &print).await
}

/// Records a print, or finds the one that still waits. Returns its number in the queue.
async fn ask(house: &House, user: (UserId, &str), of: &Record, request: &PrintRequest, within: Option<Duration>) -> Result<i64> {
    let mut tx = house.db.begin().await?;
    db::prints::lock(&mut tx, of.id).await?;
    if let Some(uuid) = request.uuid
        && let Some(earlier) = db::prints::by_uuid(&mut *tx, uuid).await?
    {
        return if earlier.audit_log_id == of.id { Ok(earlier.id) } else { Err(Error::IdempotencyMismatch) };
    }
    if let Some(last) = db::prints::last_of(&mut *tx, of.id).await? {
        let is_going_out = last.state == State::Sending && within.is_some();
        if is_going_out || db::prints::ask_again(&mut *tx, last.id, request.uuid, within, user.0).await? {
            tx.commit().await?;
            return Ok(last.id);
        }
    }
    let means = if within.is_some() { PrintMeans::Paper } else { PrintMeans::Browser };
    let (print_no, record) = recording::print(house, &mut tx, of, means, user.1).await?;
    let new = NewPrint { uuid: request.uuid, audit_log_id: of.id, print_no, print_log_id: record.id, within, user: user.0 };
    let id = db::prints::insert(&mut *tx, &new).await?;
    tx.commit().await?;
    tracing::info!(document = of.id, print_no, to_printer = within.is_some(), "print recorded");
    Ok(id)
}

async fn wait_for(house: &House, printing: &Printing, id: i64) -> Result<()> {
    let until = Instant::now() + ANSWER_WITHIN;
    loop {
        let moved = printing.moved.notified();
        let print = db::prints::get(&house.db, id).await?;
        // In trouble it says so at once; it goes on trying without anybody watching.
        let in_trouble = print.as_ref().is_some_and(|print| print.state == State::Waiting && print.trouble.is_some());
        if in_trouble || print.is_none_or(|print| !matches!(print.state, State::Waiting | State::Sending)) || Instant::now() >= until {
            return Ok(());
        }
        let _look = tokio::time::timeout(LOOK_AGAIN, moved).await;
    }
}

async fn done(house: &House, of: &Record, print: &Print) -> Result<PrintDone> {
    let status = match print.state {
        State::Waiting | State::Sending => PrintStatus::Waiting,
        State::Printed => PrintStatus::Printed,
        State::NotPrinted => PrintStatus::NotPrinted,
        State::Doubtful => PrintStatus::Doubtful,
        State::Handed => PrintStatus::Recorded,
    };
    Ok(PrintDone {
        print_no: print.print_no,
        status,
        trouble: print.trouble,
        detail: print.trouble.map(|trouble| trouble.sentence().to_owned()),
        paper: paper(print_lines(house, of, print).await?),
    })
}

/// The document with the number of this print on it.
async fn print_lines(house: &House, of: &Record, print: &Print) -> Result<Vec<Line>> {
    let copy = if print.print_no == 0 {
        None
    } else {
        let record =
            db::journal::record(&house.db, print.print_log_id).await?.ok_or_else(|| Error::internal("the record of a print is missing"))?;
        let content: PrintContent = serde_json::from_str(&record.content_text)?;
        Some(Copy {
            no: print.print_no,
            operator: content.operator,
            at_local: content.at_local,
            seq: record.seq,
            signature: record.signature,
        })
    };
    lines_of(of, copy)
}

/// Prints a Z that was just made, if there is a printer: puts it into the queue and never fails.
pub async fn print_z(house: &House, user: &SessionUser, record: &Record) {
    let Some(printing) = &house.printing else { return };
    match ask(house, (user.id, &user.name), record, &PrintRequest::default(), Some(Z_WITHIN)).await {
        Ok(_) => printing.wake.notify_one(),
        Err(error) => tracing::error!(%error, z = record.seq, "the Z is not printed; it can be asked for on the closing page"),
    }
}

/// Opens the drawer, if there is a printer that has one; returns at once and never fails.
pub fn open_drawer(house: &House) {
    let Some(printing) = house.printing.clone() else { return };
    tokio::spawn(async move {
        if let Err(failure) = printing.printer.open_drawer().await {
            tracing::warn!(%failure, "the drawer did not open");
        }
    });
}

/// What came of a look into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing to print now.
    Empty,
    /// A print came to its end, or to its next try.
    Done,
}

/// Prints the next document that waits.
///
/// # Errors
/// When the database does not answer.
pub async fn step(house: &House, printing: &Printing) -> Result<Step> {
    let Some(print) = db::prints::take(&house.db, PAUSE).await? else { return Ok(Step::Empty) };
    let of = db::journal::record(&house.db, print.audit_log_id).await?.ok_or_else(|| Error::internal("a printed record is missing"))?;
    match print_lines(house, &of, &print).await {
        Ok(lines) => match printing.printer.print(&lines).await {
            Ok(status) => {
                if status.is_some_and(|status| status.paper_low) {
                    tracing::warn!("the printer's paper will soon be at its end");
                }
                db::prints::end(&house.db, print.id, State::Printed, None).await?;
            }
            Err(failure) if failure.began => {
                tracing::warn!(%failure, print = print.id, "a print broke off");
                db::prints::end(&house.db, print.id, State::Doubtful, Some(failure.trouble)).await?;
            }
            Err(failure) => {
                tracing::warn!(%failure, print = print.id, "a print waits");
                db::prints::put_back(&house.db, print.id, failure.trouble, PAUSE).await?;
            }
        },
        // Nothing that was sent: a content that cannot be read must not stop the queue.
        Err(error) => {
            tracing::error!(%error, print = print.id, "a document cannot be printed");
            db::prints::end(&house.db, print.id, State::NotPrinted, None).await?;
        }
    }
    printing.moved.notify_waiters();
    Ok(Step::Done)
}

/// Prints everything whose turn it is.
///
/// # Errors
/// When the database does not answer.
pub async fn work(house: &House, printing: &Printing) -> Result<()> {
    let lost = db::prints::give_up_lost(&house.db, LONGEST).await?;
    if lost > 0 {
        tracing::warn!(lost, "prints broke off when a process ended");
    }
    while step(house, printing).await? == Step::Done {}
    Ok(())
}

impl Printing {
    /// Until somebody asks for a print, or it is time to look for one that is to be tried again.
    pub async fn rest(&self) {
        let _woken = tokio::time::timeout(PAUSE, self.wake.notified()).await;
    }
}
