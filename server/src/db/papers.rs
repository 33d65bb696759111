//! What stands beside records of notes, prints and counter-entries, to find them again.

use crate::error::Result;
use domain::fiscal::{Chain, NoteLeft, Record};
use domain::{Cents, OrderId};
use sqlx::{PgConnection, PgExecutor};

/// The number of the last print of a document; none: never printed. The journal must be locked.
///
/// # Errors
/// When the database does not answer.
pub async fn last_print(db: impl PgExecutor<'_>, document: &Record) -> Result<Option<u32>> {
    let last = sqlx::query_scalar!(
        "select max(print_no) from fiscal_prints where register = $1 and chain = $2::text::char(1) and seq = $3",
        document.register,
        document.chain.as_str(),
        document.seq
    )
    .fetch_one(db)
    .await?;
    Ok(last.map(i32::unsigned_abs))
}

/// Remembers a print.
///
/// # Errors
/// When the database does not answer.
pub async fn add_print(db: &mut PgConnection, document: &Record, print_no: u32, audit_log_id: i64) -> Result<()> {
    sqlx::query!(
        "insert into fiscal_prints (register, chain, seq, print_no, audit_log_id) values ($1, $2::text::char(1), $3, $4, $5)",
        document.register,
        document.chain.as_str(),
        document.seq,
        i32::try_from(print_no).map_err(crate::error::Error::internal)?,
        audit_log_id
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The contents of the counter-entries of a ticket.
///
/// # Errors
/// When the database does not answer.
pub async fn corrections(db: impl PgExecutor<'_>, register: &str, chain: Chain, ticket_no: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select l.metadata::text as "content!" from fiscal_corrections c join audit_logs l on l.id = c.audit_log_id
           where c.register = $1 and c.chain = $2::text::char(1) and c.ticket_no = $3 order by l.id"#,
        register,
        chain.as_str(),
        ticket_no
    )
    .fetch_all(db)
    .await?)
}

/// Remembers a counter-entry.
///
/// # Errors
/// When the database does not answer.
pub async fn add_correction(db: &mut PgConnection, record: &Record, ticket_no: i64) -> Result<()> {
    sqlx::query!(
        "insert into fiscal_corrections (register, chain, ticket_no, audit_log_id) values ($1, $2::text::char(1), $3, $4)",
        record.register,
        record.chain.as_str(),
        ticket_no,
        record.id
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The notes of an order, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn notes_of(db: impl PgExecutor<'_>, order: OrderId, training: bool) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        "select note_no from fiscal_notes where order_id = $1 and training = $2 order by audit_log_id",
        order.get(),
        training
    )
    .fetch_all(db)
    .await?)
}

/// Remembers a note.
///
/// # Errors
/// When the database does not answer.
pub async fn add_note(db: &mut PgConnection, record: &Record, order: OrderId, table: &str, training: bool) -> Result<()> {
    sqlx::query!(
        "insert into fiscal_notes (audit_log_id, register, training, note_no, order_id, table_name, total_cents)
         values ($1, $2, $3, $4, $5, $6, $7)",
        record.id,
        record.register,
        training,
        record.seq,
        order.get(),
        table,
        record.total.0
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes of a span of the journal whose order is not settled: the last one of each order.
///
/// # Errors
/// When the database does not answer.
pub async fn notes_left(db: impl PgExecutor<'_>, register: &str, training: bool, from: i64, to: i64) -> Result<Vec<NoteLeft>> {
    let rows = sqlx::query!(
        r#"select n.note_no, n.table_name, n.total_cents, o.status = 'cancelled' as "given_up!"
           from fiscal_notes n join orders o on o.id = n.order_id
           where n.audit_log_id between $1 and $2 and n.register = $3 and n.training = $4 and o.status in ('open', 'cancelled')
             and not exists (
                 select from fiscal_notes later
                 where later.order_id = n.order_id and later.training = n.training and later.audit_log_id > n.audit_log_id
                   and later.audit_log_id <= $2
             )
           order by n.note_no"#,
        from,
        to,
        register,
        training
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| NoteLeft { note_no: row.note_no, table: row.table_name, total: Cents(row.total_cents), given_up: row.given_up })
        .collect())
}
