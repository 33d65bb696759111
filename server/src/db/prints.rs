//! Prints on their way to the printer.

use super::word;
use crate::error::Result;
use domain::UserId;
use domain::receipt::escpos::Trouble;
use sqlx::{PgConnection, PgExecutor};
use std::str::FromStr;
use std::time::Duration;
use uuid::Uuid;

/// Where a print stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is the printer's turn to take it.
    Waiting,
    /// It is going out.
    Sending,
    /// It went out whole.
    Printed,
    /// Nothing of it went out, and nobody tries any more.
    NotPrinted,
    /// Some of it went out.
    Doubtful,
    /// The browser prints it.
    Handed,
}

impl State {
    const ALL: [Self; 6] = [Self::Waiting, Self::Sending, Self::Printed, Self::NotPrinted, Self::Doubtful, Self::Handed];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Printed => "printed",
            Self::NotPrinted => "not_printed",
            Self::Doubtful => "doubtful",
            Self::Handed => "handed",
        }
    }
}

impl FromStr for State {
    type Err = &'static str;
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or("unknown state of a print")
    }
}

/// A print.
#[derive(Debug, Clone)]
pub struct Print {
    /// Its number in the queue.
    pub id: i64,
    /// The document's record.
    pub audit_log_id: i64,
    /// 0: the original.
    pub print_no: u32,
    /// Its own record.
    pub print_log_id: i64,
    /// Where it stands.
    pub state: State,
    /// What is wrong with the printer.
    pub trouble: Option<Trouble>,
}

struct Row {
    id: i64,
    audit_log_id: i64,
    print_no: i32,
    print_log_id: i64,
    state: String,
    trouble: Option<String>,
}

impl TryFrom<Row> for Print {
    type Error = crate::error::Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            audit_log_id: row.audit_log_id,
            print_no: u32::try_from(row.print_no).map_err(crate::error::Error::internal)?,
            print_log_id: row.print_log_id,
            state: word(&row.state)?,
            trouble: row.trouble.as_deref().map(word).transpose()?,
        })
    }
}

/// Holds the prints of a document until the end of the transaction: two people who ask at once meet here.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection, audit_log_id: i64) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('prints'), hashint8($1))", audit_log_id).execute(db).await?;
    Ok(())
}

/// The print that was asked for under this id.
///
/// # Errors
/// When the database does not answer.
pub async fn by_uuid(db: impl PgExecutor<'_>, uuid: Uuid) -> Result<Option<Print>> {
    let row = sqlx::query_as!(Row, "select id, audit_log_id, print_no, print_log_id, state, trouble from prints where uuid = $1", uuid)
        .fetch_optional(db)
        .await?;
    row.map(Print::try_from).transpose()
}

/// A print.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: impl PgExecutor<'_>, id: i64) -> Result<Option<Print>> {
    let row = sqlx::query_as!(Row, "select id, audit_log_id, print_no, print_log_id, state, trouble from prints where id = $1", id)
        .fetch_optional(db)
        .await?;
    row.map(Print::try_from).transpose()
}

/// The last print of a document.
///
/// # Errors
/// When the database does not answer.
pub async fn last_of(db: impl PgExecutor<'_>, audit_log_id: i64) -> Result<Option<Print>> {
    let row = sqlx::query_as!(
        Row,
        "select id, audit_log_id, print_no, print_log_id, state, trouble from prints where audit_log_id = $1 order by print_no desc limit 1",
        audit_log_id
    )
    .fetch_optional(db)
    .await?;
    row.map(Print::try_from).transpose()
}

/// A print about to be asked for.
pub struct NewPrint {
    /// Chosen by whoever asks.
    pub uuid: Option<Uuid>,
    /// The document's record.
    pub audit_log_id: i64,
    /// 0: the original.
    pub print_no: u32,
    /// Its own record.
    pub print_log_id: i64,
    /// For the printer of the till, which has so long; else the browser has it.
    pub within: Option<Duration>,
    /// Who asks.
    pub user: UserId,
}

/// Stores a print.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(db: impl PgExecutor<'_>, new: &NewPrint) -> Result<i64> {
    let (target, state) = place(new.within);
    Ok(sqlx::query_scalar!(
        "insert into prints (uuid, audit_log_id, print_no, print_log_id, target, state, user_id, give_up_at)
         values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8::bigint)) returning id",
        new.uuid,
        new.audit_log_id,
        i32::try_from(new.print_no).map_err(crate::error::Error::internal)?,
        new.print_log_id,
        target,
        state.as_str(),
        new.user.get(),
        seconds(new.within),
    )
    .fetch_one(db)
    .await?)
}

/// Asks again for a print of which nothing went out; false when something has by now.
///
/// # Errors
/// When the database does not answer.
pub async fn ask_again(db: impl PgExecutor<'_>, id: i64, uuid: Option<Uuid>, within: Option<Duration>, user: UserId) -> Result<bool> {
    let (target, state) = place(within);
    let changed = sqlx::query!(
        "update prints set uuid = coalesce($2, uuid), target = $3, state = $4, trouble = null, user_id = $5, state_at = now(), next_at = now(),
                           give_up_at = now() + make_interval(secs => $6::bigint)
         where id = $1 and state in ('waiting', 'not_printed')",
        id,
        uuid,
        target,
        state.as_str(),
        user.get(),
        seconds(within),
    )
    .execute(db)
    .await?;
    Ok(changed.rows_affected() == 1)
}

const fn place(within: Option<Duration>) -> (&'static str, State) {
    if within.is_some() { ("printer", State::Waiting) } else { ("browser", State::Handed) }
}

fn seconds(within: Option<Duration>) -> i64 {
    within.map_or(0, |within| i64::try_from(within.as_secs()).unwrap_or(i64::MAX))
}

/// Takes the oldest print whose turn it is. It is going out from here on, whatever happens to this process. No pause is longer than `longest`: what would
/// wait longer began to before the clock went back.
///
/// # Errors
/// When the database does not answer.
pub async fn take(db: impl PgExecutor<'_>, longest: Duration) -> Result<Option<Print>> {
    let row = sqlx::query_as!(
        Row,
        "update prints set state = 'sending', state_at = now()
         where id = (select id from prints where state = 'waiting' and (next_at <= now() or next_at > now() + make_interval(secs => $1::bigint))
                     order by id limit 1 for update skip locked)
         returning id, audit_log_id, print_no, print_log_id, state, trouble",
        seconds(Some(longest))
    )
    .fetch_optional(db)
    .await?;
    row.map(Print::try_from).transpose()
}

/// Says how it ended.
///
/// # Errors
/// When the database does not answer.
pub async fn end(db: impl PgExecutor<'_>, id: i64, state: State, trouble: Option<Trouble>) -> Result<()> {
    sqlx::query!(
        "update prints set state = $2, trouble = $3, state_at = now() where id = $1 and state = 'sending'",
        id,
        state.as_str(),
        trouble.map(Trouble::as_str)
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Nothing went out: it waits for its next turn, or is given up when its time is over.
///
/// # Errors
/// When the database does not answer.
pub async fn put_back(db: impl PgExecutor<'_>, id: i64, trouble: Trouble, pause: Duration) -> Result<()> {
    sqlx::query!(
        "update prints set state = case when now() >= give_up_at then 'not_printed' else 'waiting' end, trouble = $2, state_at = now(),
                           next_at = now() + make_interval(secs => $3::bigint)
         where id = $1 and state = 'sending'",
        id,
        trouble.as_str(),
        seconds(Some(pause)),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Prints that went out from a process that ended: nobody knows how far they came. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn give_up_lost(db: impl PgExecutor<'_>, after: Duration) -> Result<u64> {
    let lost = sqlx::query!(
        "update prints set state = 'doubtful', trouble = 'interrupted', state_at = now()
         where state = 'sending' and state_at < now() - make_interval(secs => $1::bigint)",
        seconds(Some(after))
    )
    .execute(db)
    .await?;
    Ok(lost.rows_affected())
}
