//! What terminals said about how attempts ended, what came of it, and what people decided about contradictions.

use super::word;
use crate::error::{Error, Result};
use domain::api::{Contradiction, Decision, StrayView};
use domain::attempt::AttemptState;
use domain::terminal::{Outcome, Stray};
use domain::{Cents, OrderId, PaymentId, UserId};
use sqlx::{PgConnection, PgExecutor};

/// A word that nothing has come of yet.
pub struct Waiting {
    /// About which attempt.
    pub attempt: PaymentId,
    /// Of which order.
    pub order: OrderId,
    /// What it says. Never [`Outcome::Unknown`].
    pub outcome: Outcome,
    /// It came after we had stopped waiting.
    pub late: bool,
}

/// What comes of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It ended the attempt.
    Taken,
    /// It says what was known.
    Repeated,
    /// It says something else than what the attempt ended with.
    Contradicts,
}

impl Effect {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Repeated => "repeated",
            Self::Contradicts => "contradicts",
        }
    }
}

/// The word that is stored for an outcome; none for a doubt.
fn outcome_word(outcome: &Outcome) -> Option<&'static str> {
    Some(match outcome {
        Outcome::Approved { .. } => "approved",
        Outcome::Declined { .. } => "declined",
        Outcome::Cancelled { .. } => "cancelled",
        Outcome::Failed { .. } => "failed",
        Outcome::Unknown(_) => return None,
    })
}

/// Stores a word. One statement that needs no lock of anybody: it is stored whatever else goes wrong.
///
/// # Errors
/// When the database does not answer; when it is a doubt, which ends nothing.
pub async fn insert(db: impl PgExecutor<'_>, attempt: PaymentId, outcome: &Outcome, late: bool) -> Result<i64> {
    let says = outcome_word(outcome).ok_or_else(|| Error::internal("a doubt is no word"))?;
    let (amount, approval_code, error_code) = match outcome {
        Outcome::Approved { amount, approval_code } => (Some(amount.0), approval_code.as_deref(), None),
        Outcome::Declined { code } | Outcome::Cancelled { code } | Outcome::Failed { code } => (None, None, Some(code.as_str())),
        Outcome::Unknown(_) => (None, None, None),
    };
    Ok(sqlx::query_scalar!(
        "insert into attempt_words (attempt_id, outcome, amount_cents, approval_code, error_code, late)
         values ($1, $2, $3, $4, $5, $6) returning id",
        attempt.get(),
        says,
        amount,
        approval_code,
        error_code,
        late
    )
    .fetch_one(db)
    .await?)
}

/// A word, if nothing has come of it yet; with it its order is held until the end of the transaction, for whatever comes of it comes under that lock.
///
/// # Errors
/// When the database does not answer.
pub async fn hold_waiting(db: &mut PgConnection, id: i64) -> Result<Option<Waiting>> {
    // Both rows are looked at again once they are held: what was waited for may have acted upon the word.
    let row = sqlx::query!(
        "select w.attempt_id, a.order_id, w.outcome, w.amount_cents, w.approval_code, w.error_code, w.late
         from orders o join payment_attempts a on a.order_id = o.id join attempt_words w on w.attempt_id = a.id
         where w.id = $1 and w.effect is null for update of o, w",
        id
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let code = row.error_code.unwrap_or_default();
        let outcome = match (row.outcome.as_str(), row.amount_cents) {
            ("approved", Some(amount)) => Outcome::Approved { approval_code: row.approval_code, amount: Cents(amount) },
            ("declined", None) => Outcome::Declined { code },
            ("cancelled", None) => Outcome::Cancelled { code },
            ("failed", None) => Outcome::Failed { code },
            (other, _) => return Err(Error::internal(format!("the database holds the unknown word {other:?}"))),
        };
        Ok(Waiting { attempt: PaymentId::from_row(row.attempt_id), order: OrderId::from_row(row.order_id), outcome, late: row.late })
    })
    .transpose()
}

/// Words that nothing has come of yet, oldest first; of one attempt, or of all.
///
/// # Errors
/// When the database does not answer.
pub async fn all_waiting(db: impl PgExecutor<'_>, attempt: Option<PaymentId>) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        "select id from attempt_words where effect is null and ($1::bigint is null or attempt_id = $1) order by id",
        attempt.map(PaymentId::get)
    )
    .fetch_all(db)
    .await?)
}

/// Writes down what came of a word. False when something has come of it already.
///
/// # Errors
/// When the database does not answer.
pub async fn settle(db: impl PgExecutor<'_>, id: i64, effect: Effect, stood: AttemptState) -> Result<bool> {
    let done = sqlx::query!(
        "update attempt_words set effect = $2, stood = $3 where id = $1 and effect is null",
        id,
        effect.as_str(),
        stood.as_str()
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

macro_rules! contradictions {
    ($where:literal, $($argument:expr),*) => {
        sqlx::query!(
            r#"select w.id, w.attempt_id, w.at, w.outcome, w.amount_cents, w.approval_code, w.stood as "stood!", d.decision as "decision?",
                      d.reason as "reason?", u.name as "by?"
               from attempt_words w join payment_attempts a on a.id = w.attempt_id
               left join contradiction_decisions d on d.word_id = w.id left join users u on u.id = d.user_id
               where w.effect = 'contradicts' and "# + $where + " order by w.id",
            $($argument),*
        )
    };
}

macro_rules! to_contradiction {
    () => {
        |row| -> Result<Contradiction> {
            Ok(Contradiction {
                id: row.id,
                payment_id: PaymentId::from_row(row.attempt_id),
                at: row.at,
                says: word(&row.outcome)?,
                amount: row.amount_cents.map(Cents),
                approval_code: row.approval_code,
                stood: word(&row.stood)?,
                decision: row.decision.as_deref().map(word).transpose()?,
                reason: row.reason,
                by: row.by,
            })
        }
    };
}

/// Contradictions that nobody has decided about. While there is one no day is closed.
///
/// # Errors
/// When the database does not answer.
pub async fn contradictions(db: impl PgExecutor<'_>, training: bool) -> Result<Vec<Contradiction>> {
    contradictions!("a.training = $1 and d.word_id is null", training).fetch_all(db).await?.into_iter().map(to_contradiction!()).collect()
}

/// All contradictions about one payment, decided or not.
///
/// # Errors
/// When the database does not answer.
pub async fn contradictions_of(db: impl PgExecutor<'_>, payment: PaymentId) -> Result<Vec<Contradiction>> {
    contradictions!("w.attempt_id = $1", payment.get()).fetch_all(db).await?.into_iter().map(to_contradiction!()).collect()
}

/// What a person decides.
pub struct Decided<'a> {
    /// Who.
    pub by: UserId,
    /// What.
    pub decision: Decision,
    /// Why.
    pub reason: &'a str,
    /// The number on the terminal's ticket.
    pub approval_code: Option<&'a str>,
}

/// Stores what a person decided about a contradiction. False when there is none, or it is decided.
///
/// # Errors
/// When the database does not answer.
pub async fn decide(db: &mut PgConnection, payment: PaymentId, id: i64, decided: &Decided<'_>) -> Result<bool> {
    let done = sqlx::query!(
        "insert into contradiction_decisions (word_id, user_id, decision, reason, approval_code)
         select w.id, $3, $4, $5, $6 from attempt_words w where w.id = $2 and w.attempt_id = $1 and w.effect = 'contradicts'
         on conflict (word_id) do nothing",
        payment.get(),
        id,
        decided.by.get(),
        decided.decision.as_str(),
        decided.reason,
        decided.approval_code
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores a word that is about no attempt of ours. Returns its number.
///
/// # Errors
/// When the database does not answer.
pub async fn insert_stray(db: impl PgExecutor<'_>, terminal: &str, stray: &Stray, training: bool) -> Result<i64> {
    let says = match &stray.outcome {
        Outcome::Unknown(doubt) => doubt.as_str(),
        other => outcome_word(other).unwrap_or_default(),
    };
    Ok(sqlx::query_scalar!(
        "insert into stray_words (terminal, reference, amount_cents, currency, till, outcome, training)
         values ($1, $2, $3, $4, $5, $6, $7) returning id",
        terminal,
        stray.reference.as_ref().map(ToString::to_string),
        stray.amount.map(|amount| amount.0),
        stray.currency,
        stray.till.map(|till| till.to_string()),
        says,
        training
    )
    .fetch_one(db)
    .await?)
}

macro_rules! strays {
    ($where:literal, $($argument:expr),*) => {
        sqlx::query!(
            r#"select s.id, s.at, s.terminal, s.reference, s.amount_cents, s.currency, a.id as "names?", d.payment_id as "booked_as?",
                      d.decision as "decision?", d.reason as "reason?", u.name as "by?"
               from stray_words s left join stray_decisions d on d.stray_id = s.id left join users u on u.id = d.user_id
               left join payment_attempts a on a.reference = s.reference::char(10)
               where s.outcome = 'approved' and s.training = $1 and "# + $where + " order by s.id",
            $($argument),*
        )
    };
}

macro_rules! to_stray {
    () => {
        |row| -> Result<StrayView> {
            Ok(StrayView {
                id: row.id,
                at: row.at,
                terminal: row.terminal,
                reference: row.reference,
                amount: row.amount_cents.map(Cents),
                currency: row.currency,
                names: row.names.map(PaymentId::from_row),
                booked_as: row.booked_as.map(PaymentId::from_row),
                decision: row.decision.as_deref().map(word).transpose()?,
                reason: row.reason,
                by: row.by,
            })
        }
    };
}

/// Money that terminals say they took and that nobody has decided about. While there is some no day is closed.
///
/// # Errors
/// When the database does not answer.
pub async fn strays(db: impl PgExecutor<'_>, training: bool) -> Result<Vec<StrayView>> {
    strays!("d.stray_id is null", training).fetch_all(db).await?.into_iter().map(to_stray!()).collect()
}

/// The same, by number: looked at by every closing.
///
/// # Errors
/// When the database does not answer.
pub async fn undecided_strays(db: impl PgExecutor<'_>, training: bool) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        "select id from stray_words s where outcome = 'approved' and training = $1
         and not exists (select from stray_decisions d where d.stray_id = s.id) order by id",
        training
    )
    .fetch_all(db)
    .await?)
}

/// One of them, decided or not.
///
/// # Errors
/// When the database does not answer.
pub async fn stray(db: impl PgExecutor<'_>, id: i64, training: bool) -> Result<Option<StrayView>> {
    strays!("s.id = $2", training, id).fetch_optional(db).await?.map(to_stray!()).transpose()
}

/// Stores what a person decided about one. False when there is none, or it is decided.
///
/// # Errors
/// When the database does not answer.
pub async fn decide_stray(
    db: &mut PgConnection,
    id: i64,
    training: bool,
    decided: &Decided<'_>,
    booked_as: Option<PaymentId>,
) -> Result<bool> {
    let done = sqlx::query!(
        "insert into stray_decisions (stray_id, user_id, decision, reason, approval_code, payment_id)
         select s.id, $3, $4, $5, $6, $7 from stray_words s where s.id = $1 and s.training = $2 and s.outcome = 'approved'
         on conflict (stray_id) do nothing",
        id,
        training,
        decided.by.get(),
        decided.decision.as_str(),
        decided.reason,
        decided.approval_code,
        booked_as.map(PaymentId::get)
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
