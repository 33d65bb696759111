//! How the house is, in numbers: what waits, what is undecided, how far the journal has come. For `/metrics`.

use crate::error::Result;
use sqlx::PgConnection;

/// What the database says of the house at one moment.
#[derive(Debug, Default)]
pub struct Vitals {
    /// Slips that the kitchen system has not taken.
    pub slips_waiting: i64,
    /// Those of them that it said it does not want.
    pub slips_refused: i64,
    /// How long the oldest of them has waited, in seconds; 0 when none waits.
    pub oldest_slip: i64,
    /// Papers that the printer of the till has not taken.
    pub prints_waiting: i64,
    /// Card attempts without an end, by state.
    pub attempts: Vec<(String, i64)>,
    /// Sums that a terminal took and that a person has to decide about: contradictions, and money that no payment explains.
    pub money_to_check: i64,
    /// The last number of each chain, by register and chain.
    pub chain_heads: Vec<(String, String, i64)>,
    /// How long the oldest service day of each kind has been open, in seconds: of tickets that count, and of training. None is absent.
    pub open_days: Vec<(bool, i64)>,
}

/// Reads them, on the clock of the restaurant. Each part reads an index that stays small, so that being watched costs nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn read(db: &mut PgConnection, zone: &str) -> Result<Vitals> {
    let slips = sqlx::query!(
        r#"select count(*) as "waiting!", count(*) filter (where refusals > 0) as "refused!", coalesce(extract(epoch from now() - min(created_at)), 0)::bigint as "oldest!"
           from kitchen_slips where sent_at is null"#
    )
    .fetch_one(&mut *db)
    .await?;
    let attempts = sqlx::query!(
        r#"select state, count(*) as "count!" from payment_attempts where state in ('created', 'sending', 'sent', 'unknown') group by state"#
    )
    .fetch_all(&mut *db)
    .await?;
    let money_to_check = sqlx::query_scalar!(
        r#"select (select count(*) from attempt_words w where effect = 'contradicts'
                       and not exists (select from contradiction_decisions d where d.word_id = w.id))
                + (select count(*) from stray_words s where outcome = 'approved' and training is not null
                       and not exists (select from stray_decisions d where d.stray_id = s.id)) as "money!""#
    )
    .fetch_one(&mut *db)
    .await?;
    let prints_waiting = sqlx::query_scalar!(r#"select count(*) as "waiting!" from prints where state in ('waiting', 'sending')"#)
        .fetch_one(&mut *db)
        .await?;
    let heads = sqlx::query!("select register, chain::text as \"chain!\", last_seq from fiscal_heads where chain <> '*'")
        .fetch_all(&mut *db)
        .await?;
    let days = sqlx::query!(
        r#"select training, extract(epoch from (now() at time zone $1) - min(opened_local))::bigint as "open!"
           from fiscal_periods where closed_at is null group by training"#,
        zone
    )
    .fetch_all(db)
    .await?;
    Ok(Vitals {
        slips_waiting: slips.waiting,
        slips_refused: slips.refused,
        oldest_slip: slips.oldest,
        prints_waiting,
        attempts: attempts.into_iter().map(|row| (row.state, row.count)).collect(),
        money_to_check,
        chain_heads: heads.into_iter().map(|row| (row.register, row.chain, row.last_seq)).collect(),
        open_days: days.into_iter().map(|row| (row.training, row.open)).collect(),
    })
}
