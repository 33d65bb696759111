//! Which closings were mailed.

use crate::error::Result;
use domain::fiscal::Chain;
use sqlx::PgConnection;

/// Keeps other processes from mailing the same, until the transaction ends. False: another one is at it.
///
/// # Errors
/// When the database does not answer.
pub async fn may_mail(db: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtext('comptoir anchors by mail')) as "may!""#).fetch_one(db).await?)
}

/// Closings that were not mailed yet, oldest first: number in the chain of closings, number in the journal.
///
/// # Errors
/// When the database does not answer.
pub async fn not_mailed(db: &mut PgConnection, register: &str, limit: i64) -> Result<Vec<(i64, i64)>> {
    let rows = sqlx::query!(
        "select seq, id from audit_logs where register = $1 and chain = $2
            and seq > coalesce((select max(seq) from anchor_mails where register = $1), 0) order by seq limit $3",
        register,
        Chain::of_closings(false).as_str(),
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.seq, row.id)).collect())
}

/// The mail server has these.
///
/// # Errors
/// When the database does not answer.
pub async fn mailed(db: &mut PgConnection, register: &str, closings: &[i64]) -> Result<()> {
    sqlx::query!("insert into anchor_mails (register, seq) select $1, unnest($2::bigint[])", register, closings).execute(db).await?;
    Ok(())
}
