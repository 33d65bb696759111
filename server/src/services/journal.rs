//! Writing to the fiscal journal: the last thing that a business transaction does.
//!
//! Lock the journal → number and date what happened → canonical text → sign → append → commit. The lock is global to the establishment,
//! so that numbers have no gap and closings see a still journal; it is held for one signature.

use super::recording;
use crate::db;
use crate::db::journal::{Locked, NewestDay};
use crate::db::periods::Period;
use crate::error::{Error, Result};
use crate::state::{House, REGISTER, software};
use domain::fiscal::{Chain, Draft, EventCode, Head, Record, utc_timestamp};
use domain::service_day::service_day;
use sqlx::PgConnection;
use time::{Date, Duration, OffsetDateTime};

/// How far a clock may step back without a word: what setting it by the network does. The verifier allows the same.
const CLOCK_TOLERANCE: Duration = Duration::minutes(5);

impl House {
    /// The chain of tickets.
    #[must_use]
    pub const fn ticket_chain(&self) -> Chain {
        Chain::of_tickets(self.training)
    }

    /// The chain of closings.
    #[must_use]
    pub const fn closing_chain(&self) -> Chain {
        Chain::of_closings(self.training)
    }
}

/// Locks the journal for what follows in this transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(house: &House, db: &mut PgConnection, chain: Chain) -> Result<Locked> {
    let locked = db::journal::lock(&mut *db, REGISTER, chain, &house.zone).await?;
    match went_back(&locked) {
        None => Ok(locked),
        Some(last) => {
            // Said before anything else is written under the earlier time; the order of the numbers stays the truth.
            clock_went_back(house, db, last).await?;
            db::journal::lock(db, REGISTER, chain, &house.zone).await
        }
    }
}

/// When the last record was written, if the clock says less by more than is said without a word.
fn went_back(locked: &Locked) -> Option<OffsetDateTime> {
    locked.last_utc.filter(|last| *last - locked.utc > CLOCK_TOLERANCE)
}

async fn clock_went_back(house: &House, db: &mut PgConnection, last: OffsetDateTime) -> Result<()> {
    let locked = db::journal::lock(&mut *db, REGISTER, Chain::J, &house.zone).await?;
    let details = [("before", utc_timestamp(last)), ("now", utc_timestamp(locked.utc))];
    let content = recording::event_content(EventCode::ClockWentBack, "", details, &locked);
    recording::write(house, db, &content, &locked, service_day(locked.local)).await?;
    tracing::error!(before = %last, now = %locked.utc, "the clock went back; recorded in the technical journal");
    Ok(())
}

/// Seals, signs and appends what is to follow `head`.
///
/// # Errors
/// When the content has no canonical form, which is a fault of ours, or the database does not answer.
pub async fn append(house: &House, db: &mut PgConnection, draft: Draft, head: &Head, service_day: Date) -> Result<Record> {
    let mut record = sign(house, draft, head)?;
    record.id = db::journal::append(db, &record, service_day).await?;
    record.master_seq = record.id;
    Ok(record)
}

/// Seals and signs what is to follow `head`, for a statement that appends it together with what it records: its number in the journal is not
/// known yet.
///
/// # Errors
/// When the content has no canonical form, which is a fault of ours.
pub fn sign(house: &House, draft: Draft, head: &Head) -> Result<Record> {
    let sealed = draft.seal(head).map_err(Error::internal)?;
    // A quarter of a millisecond of arithmetic: handing it to another thread takes longer on a busy machine, and everybody waits for this lock.
    let signature = house.signer.sign(&sealed.data_to_sign).map_err(Error::internal)?;
    Ok(draft.into_record(sealed, signature, house.signer.key_id().to_owned(), software()))
}

/// Locks the journal for what is recorded next in a chain, and finds the day that it belongs to.
///
/// # Errors
/// When the database does not answer.
pub async fn begin(house: &House, db: &mut PgConnection, chain: Chain) -> Result<(Locked, Date)> {
    let (mut locked, newest) = db::journal::lock_day(&mut *db, REGISTER, chain, &house.zone, house.training).await?;
    if let Some(last) = went_back(&locked) {
        clock_went_back(house, db, last).await?;
        locked = db::journal::lock(&mut *db, REGISTER, chain, &house.zone).await?;
    }
    let day = match going_on(&locked, newest) {
        Some(day) => day,
        None => begin_period(house, db, &locked).await?,
    };
    Ok((locked, day))
}

/// The day that goes on; none when another begins first.
fn going_on(locked: &Locked, newest: Option<NewestDay>) -> Option<Date> {
    newest.filter(|newest| newest.is_open && newest.service_day >= service_day(locked.local)).map(|newest| newest.service_day)
}

/// The same where nothing is locked and nothing can be written first: none too when the journal has something to say of the clock.
pub(super) fn plain_day(locked: &Locked, newest: Option<NewestDay>) -> Option<Date> {
    going_on(locked, newest).filter(|_| went_back(locked).is_none())
}

/// Opens the period of the day that whatever is recorded now belongs to: tickets, money, notes, prints. The journal must be locked by this
/// transaction.
///
/// A forgotten closing never stops a sale: the older day stays open with its range fixed, and a period for today begins. When the clock
/// has gone back, the newest day goes on; and nothing is ever recorded on a day of a month that is closed.
///
/// # Errors
/// When the database does not answer.
async fn begin_period(house: &House, db: &mut PgConnection, locked: &Locked) -> Result<Date> {
    let today = service_day(locked.local);
    let newest = db::periods::newest(&mut *db, REGISTER, house.training).await?;
    let end = db::journal::end(&mut *db, REGISTER, house.ticket_chain()).await?;
    let (no, day) = match newest {
        Some(period) => {
            if period.audit_log_id.is_none() {
                db::periods::end(db, REGISTER, house.training, period.no, end).await?;
            }
            (period.no + 1, today.max(period.service_day))
        }
        None => (1, today),
    };
    let day = match db::long_periods::last_closed_day(&mut *db, REGISTER, house.training).await? {
        Some(closed) if day <= closed => closed.next_day().unwrap_or(day),
        _ => day,
    };
    db::periods::open(db, REGISTER, house.training, &Period::beginning(no, day, end, locked.local)).await?;
    Ok(day)
}
