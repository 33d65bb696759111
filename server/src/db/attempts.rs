//! Attempts to charge a card, what each would own of each line, and every step that each took.

use super::word;
use crate::error::{Error, Result};
use domain::api::{PaymentInDoubt, PaymentStep};
use domain::attempt::AttemptState;
use domain::share::SharePart;
use domain::terminal::{Charge, Reference, Till};
use domain::{Cents, LineId, OrderId, PaymentId, UserId};
use sqlx::{PgConnection, PgExecutor};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// The first half of the advisory locks that keep terminals; the second is made of the terminal's name.
const TERMINALS: i32 = 0x7465;

/// The name of a terminal that is not on the line.
pub const NO_TERMINAL: &str = "none";

/// An attempt as it is stored.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The number that its payment has, or would have.
    pub id: PaymentId,
    /// The id of the request that began it.
    pub uuid: Option<Uuid>,
    /// As the terminal knows it.
    pub reference: Reference,
    /// Of which order.
    pub order: OrderId,
    /// Of which share.
    pub share_number: u32,
    /// What the share owes.
    pub amount: Cents,
    /// What the guest adds.
    pub tip: Cents,
    /// Which terminal.
    pub terminal: String,
    /// Which till asked.
    pub till: Till,
    /// Booked on the training chain, and by nobody else.
    pub training: bool,
    /// Where it stands.
    pub state: AttemptState,
    /// Until when its terminal is still listened to, once it is unknown.
    pub listening_until: Option<OffsetDateTime>,
    /// What the terminal took.
    pub booked: Option<Cents>,
    /// The authorisation number.
    pub approval_code: Option<String>,
    /// Why it was not approved.
    pub error_code: Option<String>,
    /// Who took the money.
    pub user: (UserId, String),
    /// The process that works on it.
    pub worker: i64,
    /// Since when.
    pub created_at: OffsetDateTime,
}

impl Attempt {
    /// What the terminal was asked for.
    #[must_use]
    pub fn charge(&self) -> Charge {
        Charge { reference: self.reference.clone(), amount: self.amount + self.tip, till: self.till }
    }
}

/// An attempt about to be stored.
pub struct NewAttempt<'a> {
    /// The id of the request.
    pub uuid: Option<Uuid>,
    /// As the terminal will know it.
    pub reference: &'a Reference,
    /// Of which order.
    pub order: OrderId,
    /// Of which share.
    pub share_number: u32,
    /// What the share owes.
    pub amount: Cents,
    /// What the guest adds.
    pub tip: Cents,
    /// What the share owns of each line.
    pub parts: &'a [SharePart],
    /// Whether the house is in training.
    pub training: bool,
    /// Which terminal.
    pub terminal: &'a str,
    /// It is on the line and will be asked: others must not be at it.
    pub is_asked: bool,
    /// Which till.
    pub till: Till,
    /// Who takes the money.
    pub user: UserId,
    /// The process that will work on it.
    pub worker: i64,
}

/// Stores an attempt. The order must be locked by this transaction.
///
/// # Errors
/// [`Error::TerminalBusy`] when the terminal is at another attempt, [`Error::PaymentInProgress`] when another holds the share.
pub async fn insert(db: &mut PgConnection, new: &NewAttempt<'_>) -> Result<PaymentId> {
    let share_number = i16::try_from(new.share_number).map_err(Error::internal)?;
    let lines: Vec<i64> = new.parts.iter().map(|part| part.line_id.get()).collect();
    let amounts: Vec<i64> = new.parts.iter().map(|part| part.amount.0).collect();
    let id = sqlx::query_scalar!(
        r#"with attempt as (
               insert into payment_attempts
                   (uuid, reference, order_id, share_number, amount_cents, terminal, till, user_id, worker, training, tip_cents)
               select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
               where not $14 or pg_try_advisory_xact_lock($15, hashtext($6)) returning id
           ), parts as (
               insert into attempt_parts (attempt_id, line_id, amount_cents)
               select attempt.id, line_id, amount from attempt, unnest($12::bigint[], $13::bigint[]) as part (line_id, amount)
           ), events as (
               insert into attempt_events (attempt_id, to_state, why, user_id) select id, 'created', 'requested', $8 from attempt
           )
           select id as "id!" from attempt"#,
        new.uuid,
        new.reference.as_str(),
        new.order.get(),
        share_number,
        new.amount.0,
        new.terminal,
        new.till.to_string(),
        new.user.get(),
        new.worker,
        new.training,
        new.tip.0,
        &lines,
        &amounts,
        new.is_asked,
        TERMINALS
    )
    .fetch_optional(db)
    .await
    .map_err(refused)?;
    id.map(PaymentId::from_row).ok_or(Error::TerminalBusy)
}

/// Keeps a terminal to the end of this transaction, so that no payment begins at it, in whatever process. False when somebody else keeps it,
/// or begins a payment.
///
/// # Errors
/// When the database does not answer.
pub async fn keep_terminal(db: &mut PgConnection, terminal: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1, hashtext($2)) as "kept!""#, TERMINALS, terminal).fetch_one(db).await?)
}

/// What the database refuses, in our words.
fn refused(error: sqlx::Error) -> Error {
    let constraint = match &error {
        sqlx::Error::Database(cause) => cause.constraint().map(str::to_owned),
        _ => None,
    };
    match constraint.as_deref() {
        Some("one_live_attempt_per_terminal") => Error::TerminalBusy,
        Some("one_live_attempt_per_share") => Error::PaymentInProgress { payment_id: None, unknown: false },
        _ => error.into(),
    }
}

macro_rules! attempt {
    ($where:literal, $($argument:expr),*) => {
        sqlx::query!(
            r#"select a.id, a.uuid, a.reference, a.order_id, a.share_number, a.amount_cents, a.tip_cents, a.terminal, a.till, a.training,
                      a.state,
                      a.listening_until, a.booked_cents, a.approval_code, a.error_code, a.user_id, u.name as user_name, a.worker, a.created_at
               from payment_attempts a join users u on u.id = a.user_id where "# + $where,
            $($argument),*
        )
    };
}

macro_rules! to_attempt {
    () => {
        |row| -> Result<Attempt> {
            Ok(Attempt {
                id: PaymentId::from_row(row.id),
                uuid: row.uuid,
                reference: word(&row.reference)?,
                order: OrderId::from_row(row.order_id),
                share_number: u32::from(row.share_number.unsigned_abs()),
                amount: Cents(row.amount_cents),
                tip: Cents(row.tip_cents),
                terminal: row.terminal,
                till: word(&row.till)?,
                training: row.training,
                state: word(&row.state)?,
                listening_until: row.listening_until,
                booked: row.booked_cents.map(Cents),
                approval_code: row.approval_code,
                error_code: row.error_code,
                user: (UserId::from_row(row.user_id), row.user_name),
                worker: row.worker,
                created_at: row.created_at,
            })
        }
    };
}

/// An attempt by its number.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: impl PgExecutor<'_>, id: PaymentId) -> Result<Option<Attempt>> {
    attempt!("a.id = $1", id.get()).fetch_optional(db).await?.map(to_attempt!()).transpose()
}

/// The same, held until the end of this transaction. Its order must be held already. What a terminal says is stored meanwhile: a word names its
/// attempt, and would wait for a stronger lock.
///
/// # Errors
/// When the database does not answer.
pub async fn hold(db: impl PgExecutor<'_>, id: PaymentId) -> Result<Option<Attempt>> {
    attempt!("a.id = $1 for no key update of a", id.get()).fetch_optional(db).await?.map(to_attempt!()).transpose()
}

/// The attempt that a request began and that came to something, or still may.
///
/// # Errors
/// When the database does not answer.
pub async fn of_request(db: impl PgExecutor<'_>, uuid: Uuid) -> Result<Option<Attempt>> {
    attempt!("a.uuid = $1 and a.state not in ('not_sent', 'failed')", uuid).fetch_optional(db).await?.map(to_attempt!()).transpose()
}

/// The attempt that a terminal names.
///
/// # Errors
/// When the database does not answer.
pub async fn of_reference(db: impl PgExecutor<'_>, reference: &Reference) -> Result<Option<Attempt>> {
    attempt!("a.reference = $1", reference.as_str()).fetch_optional(db).await?.map(to_attempt!()).transpose()
}

/// The last attempt that a request began, even when nothing came of it.
///
/// # Errors
/// When the database does not answer.
pub async fn last_of_request(db: impl PgExecutor<'_>, uuid: Uuid) -> Result<Option<Attempt>> {
    attempt!("a.uuid = $1 order by a.id desc limit 1", uuid).fetch_optional(db).await?.map(to_attempt!()).transpose()
}

/// An attempt that some process works on, or worked on when it died.
#[derive(Debug, Clone, Copy)]
pub struct Attended {
    /// The attempt.
    pub id: PaymentId,
    /// The process.
    pub worker: i64,
    /// It has ended as unknown, and its terminal is listened to.
    pub is_listened_to: bool,
}

/// Attempts that processes work on, or worked on when they died. Reads no more of each than is needed to let it go: a row that cannot be
/// understood stops nobody else's.
///
/// # Errors
/// When the database does not answer.
pub async fn attended(db: impl PgExecutor<'_>) -> Result<Vec<Attended>> {
    let rows = sqlx::query!(
        r#"select id, worker, listening_until is not null as "is_listened_to!" from payment_attempts
           where state in ('created', 'sending', 'sent', 'unknown') and (state <> 'unknown' or listening_until is not null) order by id"#
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Attended { id: PaymentId::from_row(row.id), worker: row.worker, is_listened_to: row.is_listened_to })
        .collect())
}

/// What an attempt would own of each line.
///
/// # Errors
/// When the database does not answer.
pub async fn parts(db: impl PgExecutor<'_>, id: PaymentId) -> Result<Vec<SharePart>> {
    let rows = sqlx::query!("select line_id, amount_cents from attempt_parts where attempt_id = $1 order by line_id", id.get())
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().map(|row| SharePart { line_id: LineId::from_row(row.line_id), amount: Cents(row.amount_cents) }).collect())
}

/// A share that an attempt holds.
pub struct Held {
    /// The attempt.
    pub id: PaymentId,
    /// Which share.
    pub share_number: u32,
    /// What it owes.
    pub amount: Cents,
    /// Where the attempt stands.
    pub state: AttemptState,
    /// What it would own of each line.
    pub parts: Vec<SharePart>,
}

/// What a held share owns of one line.
#[derive(Debug, serde::Deserialize)]
pub(super) struct HeldRow {
    id: i64,
    share_number: i16,
    amount_cents: i64,
    state: String,
    line_id: i64,
    part: i64,
}

/// Rows of one attempt follow each other.
///
/// # Errors
/// When an attempt stands where none can.
pub(super) fn held(rows: Vec<HeldRow>) -> Result<Vec<Held>> {
    let mut holding: Vec<Held> = Vec::new();
    for row in rows {
        let part = SharePart { line_id: LineId::from_row(row.line_id), amount: Cents(row.part) };
        match holding.last_mut().filter(|held| held.id.get() == row.id) {
            Some(held) => held.parts.push(part),
            None => holding.push(Held {
                id: PaymentId::from_row(row.id),
                share_number: u32::from(row.share_number.unsigned_abs()),
                amount: Cents(row.amount_cents),
                state: word(&row.state)?,
                parts: vec![part],
            }),
        }
    }
    Ok(holding)
}

/// What a step leads to.
#[derive(Debug, Clone, Default)]
pub struct Step<'a> {
    /// What the terminal took, for an approval.
    pub booked: Option<Cents>,
    /// The authorisation number.
    pub approval_code: Option<&'a str>,
    /// Why it is not approved.
    pub error_code: Option<&'a str>,
    /// Why the step was taken.
    pub why: &'a str,
    /// Who took it; nobody: the machine.
    pub by: Option<UserId>,
    /// How long its terminal is listened to from now on, for an unknown one whose line is open.
    pub listening: Option<Duration>,
}

/// Takes a step, and writes it down. False when the attempt is no longer where it was.
///
/// # Errors
/// When the database does not answer.
pub async fn step(db: impl PgExecutor<'_>, id: PaymentId, from: AttemptState, to: AttemptState, step: &Step<'_>) -> Result<bool> {
    let done = sqlx::query!(
        "with moved as (
             update payment_attempts set state = $3, state_at = clock_timestamp(), booked_cents = $4, error_code = $6,
                    approval_code = $5, listening_until = clock_timestamp() + make_interval(secs => $9)
             where id = $1 and state = $2 returning id
         )
         insert into attempt_events (attempt_id, from_state, to_state, why, user_id) select id, $2, $3, $7, $8 from moved",
        id.get(),
        from.as_str(),
        to.as_str(),
        step.booked.map(|cents| cents.0),
        step.approval_code,
        step.error_code,
        step.why,
        step.by.map(UserId::get),
        step.listening.map(|listening| listening.as_secs_f64())
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The line of an unknown attempt is closed: its terminal will say nothing about it any more.
///
/// # Errors
/// When the database does not answer.
pub async fn hang_up(db: impl PgExecutor<'_>, id: PaymentId) -> Result<()> {
    sqlx::query!("update payment_attempts set listening_until = null where id = $1 and listening_until is not null", id.get())
        .execute(db)
        .await?;
    Ok(())
}

/// Writes down what came in and changed nothing; who asked for it, when a person did.
///
/// # Errors
/// When the database does not answer.
pub async fn remark(db: impl PgExecutor<'_>, id: PaymentId, state: AttemptState, why: &str, by: Option<UserId>) -> Result<()> {
    sqlx::query!(
        "insert into attempt_events (attempt_id, from_state, to_state, why, user_id) values ($1, $2, $2, $3, $4)",
        id.get(),
        state.as_str(),
        why,
        by.map(UserId::get)
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Every step of an attempt.
///
/// # Errors
/// When the database does not answer.
pub async fn history(db: impl PgExecutor<'_>, id: PaymentId) -> Result<Vec<PaymentStep>> {
    let rows = sqlx::query!(
        r#"select e.at, e.from_state, e.to_state, e.why, u.name as "by?" from attempt_events e left join users u on u.id = e.user_id
           where e.attempt_id = $1 order by e.id"#,
        id.get()
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| PaymentStep { at: row.at, from: row.from_state, to: row.to_state, why: row.why, by: row.by }).collect())
}

/// Payments that a terminal is at or whose end nobody knows, and those of these numbers, oldest first: as a person finds them again.
///
/// # Errors
/// When the database does not answer.
pub async fn in_doubt(db: impl PgExecutor<'_>, training: bool, and: &[i64]) -> Result<Vec<PaymentInDoubt>> {
    let rows = sqlx::query!(
        r#"select a.id, a.order_id, t.name as table_name, a.share_number, a.amount_cents + a.tip_cents as "asked!", u.name as user_name,
                  a.created_at, a.state
           from payment_attempts a join orders o on o.id = a.order_id join tables t on t.id = o.table_id join users u on u.id = a.user_id
           where (a.training = $1 and a.state in ('created', 'sending', 'sent', 'unknown')) or a.id = any($2) order by a.id"#,
        training,
        and
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(PaymentInDoubt {
                payment_id: PaymentId::from_row(row.id),
                order_id: OrderId::from_row(row.order_id),
                table: row.table_name,
                cover_number: u32::from(row.share_number.unsigned_abs()),
                amount: Cents(row.asked),
                by: row.user_name,
                at: row.created_at,
                status: word(&row.state)?,
            })
        })
        .collect()
}

/// Whether some attempt is at a terminal, or its line is still listened to.
///
/// # Errors
/// When the database does not answer.
pub async fn is_busy(db: impl PgExecutor<'_>, terminal: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from payment_attempts where terminal = $1
                          and (state in ('created', 'sending', 'sent') or listening_until is not null)) as "busy!""#,
        terminal
    )
    .fetch_one(db)
    .await?)
}

/// Payments that stand in the way of a closing: live, unknown, said and not booked yet, or contradicted and not decided.
///
/// # Errors
/// When the database does not answer.
pub async fn unresolved(db: impl PgExecutor<'_>, training: bool) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        r#"select a.id as "id!" from payment_attempts a where a.training = $1 and a.state in ('created', 'sending', 'sent', 'unknown')
           union
           select a.id from attempt_words w join payment_attempts a on a.id = w.attempt_id
           where a.training = $1 and (w.effect is null or (w.effect = 'contradicts'
                 and not exists (select from contradiction_decisions d where d.word_id = w.id)))
           order by 1"#,
        training
    )
    .fetch_all(db)
    .await?)
}

/// Whether the last payment that was to go out to a terminal did not reach it: nobody was there. A line that somebody else was using, or a request that was
/// given up before its first byte, says nothing of the terminal. `+ 0`: or the planner would rather go through the payments of
/// all terminals.
///
/// # Errors
/// When the database does not answer.
pub async fn last_was_not_sent(db: impl PgExecutor<'_>, terminal: &str) -> Result<bool> {
    let last = sqlx::query_scalar!(
        r#"select state = 'not_sent' and coalesce(error_code in ('unreachable', 'no_answer'), false) as "not_sent!" from payment_attempts where terminal = $1 and state <> 'created' order by id + 0 desc limit 1"#,
        terminal
    )
    .fetch_optional(db)
    .await?;
    Ok(last.unwrap_or_default())
}
