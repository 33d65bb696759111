//! The fiscal journal: locked, appended to, read. Nothing else can be done to it.

use super::periods::End;
use super::word;
use crate::error::{Error, Result};
use domain::Cents;
use domain::api::Flaw;
use domain::fiscal::{Chain, ChainEnd, Head, Record, RecordKind};
use futures::{Stream, StreamExt};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// What the next record has to follow, and the time on the clock that all processes share.
pub struct Locked {
    /// The last record of the chain.
    pub head: Head,
    /// To the second.
    pub utc: OffsetDateTime,
    /// The same moment on the clock of the restaurant.
    pub local: PrimitiveDateTime,
}

/// Locks the journal until the end of the transaction. The last lock that a transaction takes, and the shortest held.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection, register: &str, chain: Chain, zone: &str) -> Result<Locked> {
    let row = sqlx::query!(
        r#"select last_seq as "last_seq!", last_hash as "last_hash!", last_signature as "last_signature!",
                  utc_now as "utc_now!", local_now as "local_now!"
           from fiscal_lock($1, $2::text::char(1), $3)"#,
        register,
        chain.as_str(),
        zone
    )
    .fetch_one(db)
    .await?;
    let head = if row.last_seq == 0 {
        Head::genesis()
    } else {
        Head { last_seq: row.last_seq, last_hash: row.last_hash, last_signature: row.last_signature }
    };
    Ok(Locked { head, utc: row.utc_now, local: row.local_now })
}

/// The clock of the restaurant, to the second, without a lock.
///
/// # Errors
/// When the database does not answer.
pub async fn local_now(db: &mut PgConnection, zone: &str) -> Result<PrimitiveDateTime> {
    Ok(sqlx::query_scalar!(r#"select date_trunc('second', clock_timestamp() at time zone $1) as "now!""#, zone).fetch_one(db).await?)
}

/// Appends a record and returns its number in the whole journal.
///
/// # Errors
/// When the record does not follow, or the database does not answer.
pub async fn append(db: &mut PgConnection, record: &Record, service_day: Date) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"select fiscal_append($1, $2::text::char(1), $3, $4, $5, $6, $7::text::char(64), $8::text::char(64), $9, $10, $11,
                                $12::text::char(14), $13, $14, $15, $16::text::char(64), $17, $18, $19) as "id!""#,
        record.register,
        record.chain.as_str(),
        record.seq,
        record.kind.as_str(),
        record.total.0,
        service_day,
        record.hash_current,
        record.hash_previous,
        record.signature,
        record.content_text,
        record.format,
        record.local,
        record.utc,
        record.vat,
        record.extra,
        record.content_sha256,
        record.data_to_sign,
        record.key_id,
        record.app_version,
    )
    .fetch_one(db)
    .await?)
}

/// A record by its number in the whole journal.
///
/// # Errors
/// When the database does not answer.
pub async fn record(db: impl PgExecutor<'_>, id: i64) -> Result<Option<Record>> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, transaction_type, (amount * 100)::bigint as "cents!", hash_current, hash_previous, signature,
                  metadata::text as "content!", chain, register, seq, format, local_ts, utc_ts, vat, extra, content_sha256, data_to_sign,
                  key_id, app_version
           from audit_logs where id = $1"#,
        id
    )
    .fetch_optional(db)
    .await?;
    row.map(Record::try_from).transpose()
}

/// A record by its number in its chain.
///
/// # Errors
/// When the database does not answer.
pub async fn by_number(db: impl PgExecutor<'_>, register: &str, chain: Chain, seq: i64) -> Result<Option<Record>> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, transaction_type, (amount * 100)::bigint as "cents!", hash_current, hash_previous, signature,
                  metadata::text as "content!", chain, register, seq, format, local_ts, utc_ts, vat, extra, content_sha256, data_to_sign,
                  key_id, app_version
           from audit_logs where register = $1 and chain = $2::text::char(1) and seq = $3"#,
        register,
        chain.as_str(),
        seq
    )
    .fetch_optional(db)
    .await?;
    row.map(Record::try_from).transpose()
}

/// What the records of a register between two numbers of the journal add to their day, in order: kind and content.
pub fn adding<'a>(
    db: impl PgExecutor<'a> + 'a,
    register: &'a str,
    training: bool,
    from: i64,
    to: i64,
) -> impl Stream<Item = Result<(RecordKind, String)>> + 'a {
    sqlx::query!(
        r#"select transaction_type, metadata::text as "content!" from audit_logs
           where id between $1 and $2 and register = $3 and (chain = 'X') = $4
             and transaction_type not in ('REMISE', 'CLOSURE_Z', 'CLOSURE_M', 'CLOSURE_A', 'JET', 'ARCHIVE')
           order by id"#,
        from,
        to,
        register,
        training
    )
    .fetch(db)
    .map(|row| {
        let row = row?;
        Ok((word(&row.transaction_type)?, row.content))
    })
}

/// How many records the training chain has between two numbers of the journal.
///
/// # Errors
/// When the database does not answer.
pub async fn training_records(db: impl PgExecutor<'_>, register: &str, from: i64, to: i64) -> Result<i64> {
    let query = sqlx::query_scalar!(
        r#"select count(*) as "count!" from audit_logs where id between $1 and $2 and register = $3 and chain = 'X'"#,
        from,
        to,
        register
    );
    Ok(query.fetch_one(db).await?)
}

/// The last record of the journal and the last ticket of a register.
///
/// # Errors
/// When the database does not answer.
pub async fn end(db: impl PgExecutor<'_>, register: &str, tickets: Chain) -> Result<End> {
    Ok(sqlx::query_as!(
        End,
        r#"select coalesce(max(last_seq) filter (where chain = '*'), 0) as "record!",
                  coalesce(max(last_seq) filter (where register = $1 and chain = $2::text::char(1)), 0) as "ticket!"
           from fiscal_heads"#,
        register,
        tickets.as_str()
    )
    .fetch_one(db)
    .await?)
}

/// The ends of all chains of a register.
///
/// # Errors
/// When the database does not answer.
pub async fn chain_ends(db: impl PgExecutor<'_>, register: &str) -> Result<Vec<ChainEnd>> {
    let rows = sqlx::query!(
        "select chain, last_seq, last_signature from fiscal_heads where register = $1 and chain <> '*' order by chain",
        register
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|row| Ok(ChainEnd { chain: word(&row.chain)?, seq: row.last_seq, signature: row.last_signature })).collect()
}

/// A record, or why the row with this number is none.
pub type Read = std::result::Result<Record, (i64, String)>;

/// Every record of all chains, oldest first, streamed. A row that cannot be read as a record does not end the stream.
pub fn all(db: &PgPool) -> impl Stream<Item = Result<Read>> + '_ {
    sqlx::query_as!(
        Row,
        r#"select id, transaction_type, (amount * 100)::bigint as "cents!", hash_current, hash_previous, signature,
                  metadata::text as "content!", chain, register, seq, format, local_ts, utc_ts, vat, extra, content_sha256, data_to_sign,
                  key_id, app_version
           from audit_logs order by id"#
    )
    .fetch(db)
    .map(|row| {
        let row = row?;
        let id = row.id;
        Ok(Record::try_from(row).map_err(|error| (id, error.to_string())))
    })
}

/// The heads of all chains, and the number of the last record of the whole journal.
///
/// # Errors
/// When the database does not answer.
pub async fn heads(db: &PgPool) -> Result<(Vec<(String, Chain, Head)>, Option<i64>)> {
    let rows = sqlx::query!(r#"select register, chain, last_seq, last_hash, last_signature from fiscal_heads"#).fetch_all(db).await?;
    let mut heads = Vec::with_capacity(rows.len());
    let mut master = None;
    for row in rows {
        if row.chain == "*" {
            master = Some(row.last_seq);
        } else {
            let head = Head { last_seq: row.last_seq, last_hash: row.last_hash, last_signature: row.last_signature };
            heads.push((row.register, word(&row.chain)?, head));
        }
    }
    Ok((heads, master))
}

/// Guards of the journal that are missing or switched off.
///
/// # Errors
/// When the database does not answer.
pub async fn missing_guards(db: &PgPool) -> Result<Vec<Flaw>> {
    let missing = sqlx::query_scalar!(
        r#"select concat(guarded, '_', guard) as "guard!"
           from unnest(array['audit_logs', 'payments', 'share_parts', 'fiscal_periods', 'fiscal_keys', 'fiscal_long_periods',
                             'fiscal_prints', 'fiscal_corrections', 'fiscal_notes']) as guarded,
                unnest(array['no_change', 'no_truncate']) as guard
           where not exists (
               select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
               where t.tgrelid = to_regclass('public.' || guarded) and t.tgname = concat(guarded, '_', guard) and t.tgenabled = 'A'
                 and p.prosrc like '%raise exception%' and pg_get_userbyid(p.proowner) = 'comptoir_owner'
           )"#
    )
    .fetch_all(db)
    .await?;
    Ok(missing
        .into_iter()
        .map(|guard| Flaw {
            chain: "*".to_owned(),
            seq: 0,
            code: "guard_disabled".to_owned(),
            detail: format!("La protection « {guard} » est absente ou désactivée."),
        })
        .collect())
}

/// Stores a public key under its id, once.
///
/// # Errors
/// When the database does not answer.
pub async fn remember_key(db: &PgPool, key_id: &str, public_key_pem: &str) -> Result<()> {
    sqlx::query!(
        "insert into fiscal_keys (key_id, algorithm, public_key_pem) values ($1, 'RS256', $2) on conflict (key_id) do nothing",
        key_id,
        public_key_pem
    )
    .execute(db)
    .await?;
    Ok(())
}

/// All public keys by id.
///
/// # Errors
/// When the database does not answer.
pub async fn keys(db: &PgPool) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!("select key_id, public_key_pem from fiscal_keys").fetch_all(db).await?;
    Ok(rows.into_iter().map(|row| (row.key_id, row.public_key_pem)).collect())
}

/// Whether nothing was ever recorded.
///
/// # Errors
/// When the database does not answer.
pub async fn is_empty(db: &PgPool) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select not exists (select from audit_logs) as "empty!""#).fetch_one(db).await?)
}

struct Row {
    id: i64,
    transaction_type: String,
    cents: i64,
    hash_current: String,
    hash_previous: String,
    signature: String,
    content: String,
    chain: String,
    register: String,
    seq: i64,
    format: String,
    local_ts: String,
    utc_ts: OffsetDateTime,
    vat: String,
    extra: String,
    content_sha256: String,
    data_to_sign: String,
    key_id: String,
    app_version: String,
}

impl TryFrom<Row> for Record {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            master_seq: row.id,
            chain: word(&row.chain)?,
            register: row.register,
            seq: row.seq,
            kind: word(&row.transaction_type)?,
            local: row.local_ts,
            utc: row.utc_ts,
            total: Cents(row.cents),
            vat: row.vat,
            extra: row.extra,
            content_text: row.content,
            content_sha256: row.content_sha256,
            data_to_sign: row.data_to_sign,
            hash_current: row.hash_current,
            hash_previous: row.hash_previous,
            signature: row.signature,
            key_id: row.key_id,
            format: row.format,
            app_version: row.app_version,
        })
    }
}
