//! The fiscal journal: locked, appended to, read. Nothing else can be done to it.

use super::periods::End;
use super::word;
use crate::error::{Error, Result};
use domain::Cents;
use domain::fiscal::{Chain, ChainEnd, Head, Record, RecordKind};
use futures::{Stream, StreamExt};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// Rows of the journal, read so that nothing that somebody leaves in a column ends the reading: what follows `from audit_logs`, and its arguments.
macro_rules! rows {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select id, transaction_type as "transaction_type?", case when abs(amount) < 1e15 then (amount * 100)::bigint end as "cents?",
                      hash_current as "hash_current?", hash_previous as "hash_previous?", signature as "signature?", metadata::text as "content?",
                      chain as "chain?", register as "register?", seq as "seq?", format as "format?", local_ts as "local_ts?",
                      least(greatest(utc_ts, '0001-01-02 00:00Z'), '9999-12-30 00:00Z') as "utc_ts?", vat as "vat?", extra as "extra?",
                      content_sha256 as "content_sha256?", data_to_sign as "data_to_sign?", key_id as "key_id?", app_version as "app_version?"
               from audit_logs "# + $which
            $(, $argument)*
        )
    };
}

/// What the next record has to follow, and the time on the clock that all processes share.
pub struct Locked {
    /// The last record of the chain.
    pub head: Head,
    /// To the second.
    pub utc: OffsetDateTime,
    /// The same moment on the clock of the restaurant.
    pub local: PrimitiveDateTime,
    /// When the last record of the journal was written.
    pub last_utc: Option<OffsetDateTime>,
}

/// Locks the journal until the end of the transaction. The last lock that a transaction takes, and the shortest held.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection, register: &str, chain: Chain, zone: &str) -> Result<Locked> {
    let row = sqlx::query!(
        r#"select last_seq as "last_seq!", last_hash as "last_hash!", last_signature as "last_signature!",
                  utc_now as "utc_now!", local_now as "local_now!", last_utc
           from fiscal_lock($1, $2::text::char(1), $3)"#,
        register,
        chain.as_str(),
        zone
    )
    .fetch_one(db)
    .await?;
    let head = head(row.last_seq, row.last_hash, row.last_signature);
    Ok(Locked { head, utc: row.utc_now, local: row.local_now, last_utc: row.last_utc })
}

/// The newest period of a register, as far as most records need to know it.
#[derive(Debug, Clone, Copy)]
pub struct NewestDay {
    /// Its service day.
    pub service_day: Date,
    /// It is not closed.
    pub is_open: bool,
}

/// The same, and in the same breath the newest period.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_day(
    db: &mut PgConnection,
    register: &str,
    chain: Chain,
    zone: &str,
    training: bool,
) -> Result<(Locked, Option<NewestDay>)> {
    let row = sqlx::query!(
        r#"select last_seq as "last_seq!", last_hash as "last_hash!", last_signature as "last_signature!",
                  utc_now as "utc_now!", local_now as "local_now!", last_utc, newest_day, newest_is_open
           from fiscal_lock_day($1, $2::text::char(1), $3, $4)"#,
        register,
        chain.as_str(),
        zone,
        training
    )
    .fetch_one(db)
    .await?;
    let newest = row.newest_day.zip(row.newest_is_open).map(|(service_day, is_open)| NewestDay { service_day, is_open });
    let head = head(row.last_seq, row.last_hash, row.last_signature);
    Ok((Locked { head, utc: row.utc_now, local: row.local_now, last_utc: row.last_utc }, newest))
}

/// The end of a chain as its row says it.
pub(super) fn head(last_seq: i64, last_hash: String, last_signature: String) -> Head {
    if last_seq == 0 { Head::genesis() } else { Head { last_seq, last_hash, last_signature } }
}

/// The clock of the restaurant, to the second, without a lock.
///
/// # Errors
/// When the database does not answer.
pub async fn local_now(db: &mut PgConnection, zone: &str) -> Result<PrimitiveDateTime> {
    Ok(sqlx::query_scalar!(r#"select date_trunc('second', clock_timestamp() at time zone $1) as "now!""#, zone).fetch_one(db).await?)
}

/// Now, as the clock says that dates every record.
///
/// # Errors
/// When the database does not answer.
pub async fn utc_now(db: impl PgExecutor<'_>) -> Result<OffsetDateTime> {
    Ok(sqlx::query_scalar!(r#"select date_trunc('second', clock_timestamp()) as "now!""#).fetch_one(db).await?)
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
    let row = rows!(r#"where id = $1"#, id).fetch_optional(db).await?;
    row.map(Record::try_from).transpose()
}

/// A record by its number in its chain.
///
/// # Errors
/// When the database does not answer.
pub async fn by_number(db: impl PgExecutor<'_>, register: &str, chain: Chain, seq: i64) -> Result<Option<Record>> {
    let row = rows!(r#"where register = $1 and chain = $2::text::char(1) and seq = $3"#, register, chain.as_str(), seq)
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
    struct ChainRow {
        chain: String,
        last_seq: i64,
        last_signature: String,
    }
    let rows = sqlx::query_as!(
        ChainRow,
        "select chain, last_seq, last_signature from fiscal_heads where register = $1 and chain <> '*' order by chain",
        register
    )
    .fetch_all(db)
    .await?;
    let end = |row: ChainRow| Some(ChainEnd { chain: row.chain.parse().ok()?, seq: row.last_seq, signature: row.last_signature });
    Ok(rows.into_iter().filter_map(end).collect())
}

/// A record, or why the row with this number is none.
pub type Read = std::result::Result<Record, (i64, String)>;

/// Every record of all chains after a number, oldest first, streamed. A row that cannot be read as a record does not end the stream.
pub fn all(db: &PgPool, after: i64) -> impl Stream<Item = Result<Read>> + '_ {
    between(db, after.saturating_add(1), i64::MAX)
}

/// Every record between two numbers of the journal, oldest first, streamed.
pub fn between(db: &PgPool, first: i64, last: i64) -> impl Stream<Item = Result<Read>> + '_ {
    rows!(r#"where id between $1 and $2 order by id"#, first, last).fetch(db).map(|row| {
        let row = row?;
        let id = row.id;
        Ok(Record::try_from(row).map_err(|error| (id, error.to_string())))
    })
}

/// The records that announced a key, oldest first. Of more than announced one: whoever trusts them looks at what they say.
///
/// # Errors
/// When the database does not answer.
pub async fn key_rotations(db: &PgPool) -> Result<Vec<Record>> {
    let asked = rows!(r#"where transaction_type = 'JET' and metadata ->> 'code' = 'key_rotated' order by id"#)
        .fetch_all(db)
        .await
        .map_err(Error::from);
    let rows = match asked {
        // A content that cannot be taken apart, in any technical event: each is looked at as a text.
        Err(error) if error.is_unreadable_value() => {
            rows!(r#"where transaction_type = 'JET' and strpos(metadata::text, '"key_rotated"') > 0 order by id"#).fetch_all(db).await?
        }
        rows => rows?,
    };
    Ok(rows.into_iter().filter_map(|row| Record::try_from(row).ok()).collect())
}

/// The last record of a chain.
///
/// # Errors
/// When the database does not answer.
pub async fn last_of(db: impl PgExecutor<'_>, register: &str, chain: Chain) -> Result<Option<Record>> {
    let row = rows!(r#"where register = $1 and chain = $2::text::char(1) order by seq desc limit 1"#, register, chain.as_str())
        .fetch_optional(db)
        .await?;
    row.map(Record::try_from).transpose()
}

/// The last technical event with this code. Looked for as the text that canonical JSON has for it, so that an event whose content somebody made
/// unreadable is passed over.
///
/// # Errors
/// When the database does not answer.
pub async fn last_event(db: &mut PgConnection, register: &str, code: &str) -> Result<Option<Record>> {
    let row = rows!(
        r#"where register = $1 and chain = 'J' and substring(metadata::text from '"code":"([^"]*)"') = $2 order by seq desc limit 1"#,
        register,
        code
    )
    .fetch_optional(db)
    .await?;
    row.map(Record::try_from).transpose()
}

/// What the technical events with this code say that belong to a service day, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn events_of_day(db: impl PgExecutor<'_>, register: &str, code: &str, day: Date) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        r#"select metadata::text as "content!" from audit_logs
           where date = $3 and register = $1 and chain = 'J' and substring(metadata::text from '"code":"([^"]*)"') = $2 order by id"#,
        register,
        code,
        day
    )
    .fetch_all(db)
    .await?)
}

/// Whether the last that the technical journal says of a part of the till is that it failed.
///
/// # Errors
/// When the database does not answer.
pub async fn is_degraded(db: impl PgExecutor<'_>, register: &str, part: &str) -> Result<bool> {
    let last = sqlx::query_scalar!(
        r#"select metadata ->> 'code' as "code!" from audit_logs
           where register = $1 and chain = 'J' and (metadata ->> 'code') in ('degraded_begun', 'degraded_ended') and metadata -> 'details' ->> 'part' = $2
           order by seq desc limit 1"#,
        register,
        part
    )
    .fetch_optional(db)
    .await?;
    Ok(last.is_some_and(|code| code == "degraded_begun"))
}

/// Records from one number of the journal to another.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
}

/// From the first record of a span of service days to the last one. Records of other days that lie between are in it: numbers have no holes.
///
/// # Errors
/// When the database does not answer.
pub async fn span(db: &PgPool, from: Date, to: Date) -> Result<Option<Span>> {
    // `offset 0` keeps PostgreSQL from walking along all numbers to the first that has such a day.
    let row = sqlx::query!(
        "select min(id) as first, max(id) as last from (select id from audit_logs where date between $1 and $2 offset 0) of_these",
        from,
        to
    )
    .fetch_one(db)
    .await?;
    Ok(row.first.zip(row.last).map(|(first, last)| Span { first, last }))
}

/// The heads of all chains, and the number of the last record of the whole journal. A chain that nobody knows has none: whoever put it there did not
/// lengthen anything.
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
            heads.extend(row.chain.parse().ok().map(|chain| (row.register, chain, head)));
        }
    }
    Ok((heads, master))
}

/// Stores a public key under its id, once: the first while the journal is empty, any other with the record that announced it, which must be the
/// last one.
///
/// # Errors
/// When the database refuses the key, or does not answer.
pub async fn remember_key(db: impl PgExecutor<'_>, key_id: &str, public_key_pem: &str, announced_by: Option<i64>) -> Result<()> {
    sqlx::query!("select fiscal_remember_key($1, $2, $3)", key_id, public_key_pem, announced_by).fetch_one(db).await?;
    Ok(())
}

/// The key that signs now, by its id.
///
/// # Errors
/// When the database does not answer.
pub async fn current_key(db: impl PgExecutor<'_>) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!("select key_id from fiscal_keys order by announced_by desc nulls last limit 1").fetch_optional(db).await?)
}

/// The key that signed the first record, by its id.
///
/// # Errors
/// When the database does not answer.
pub async fn first_key(db: impl PgExecutor<'_>) -> Result<Option<(String, String)>> {
    let row = sqlx::query!(
        "select key_id, public_key_pem from fiscal_keys where announced_by is null
         order by key_id = (select key_id from audit_logs order by id limit 1) desc nulls last, created_at limit 1"
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.key_id, row.public_key_pem)))
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
pub async fn is_empty(db: impl PgExecutor<'_>) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select not exists (select from audit_logs) as "empty!""#).fetch_one(db).await?)
}

/// A row as it stands: who owns the database can take any column's constraint away, and what he leaves in it must not end the reading.
struct Row {
    id: i64,
    transaction_type: Option<String>,
    cents: Option<i64>,
    hash_current: Option<String>,
    hash_previous: Option<String>,
    signature: Option<String>,
    content: Option<String>,
    chain: Option<String>,
    register: Option<String>,
    seq: Option<i64>,
    format: Option<String>,
    local_ts: Option<String>,
    utc_ts: Option<OffsetDateTime>,
    vat: Option<String>,
    extra: Option<String>,
    content_sha256: Option<String>,
    data_to_sign: Option<String>,
    key_id: Option<String>,
    app_version: Option<String>,
}

impl TryFrom<Row> for Record {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        fn there<T>(value: Option<T>, column: &str) -> Result<T> {
            value.ok_or_else(|| Error::internal(format!("the column {column} holds nothing that can be read")))
        }
        Ok(Self {
            id: row.id,
            master_seq: row.id,
            chain: word(&there(row.chain, "chain")?)?,
            register: there(row.register, "register")?,
            seq: there(row.seq, "seq")?,
            kind: word(&there(row.transaction_type, "transaction_type")?)?,
            local: there(row.local_ts, "local_ts")?,
            utc: there(row.utc_ts, "utc_ts")?,
            total: Cents(there(row.cents, "amount")?),
            vat: there(row.vat, "vat")?,
            extra: there(row.extra, "extra")?,
            content_text: there(row.content, "metadata")?,
            content_sha256: there(row.content_sha256, "content_sha256")?,
            data_to_sign: there(row.data_to_sign, "data_to_sign")?,
            hash_current: there(row.hash_current, "hash_current")?,
            hash_previous: there(row.hash_previous, "hash_previous")?,
            signature: there(row.signature, "signature")?,
            key_id: there(row.key_id, "key_id")?,
            format: there(row.format, "format")?,
            app_version: there(row.app_version, "app_version")?,
        })
    }
}
