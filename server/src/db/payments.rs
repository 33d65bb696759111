//! Payments and what each owns of each line.

use super::word;
use crate::error::Result;
use domain::api::Method;
use domain::fiscal::Record;
use domain::share::{Plan, SharePart};
use domain::{Cents, LineId, OrderId, PaymentId, UserId};
use sqlx::{PgConnection, PgExecutor};
use std::collections::HashMap;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// A settled share.
pub struct Settled {
    /// The payment.
    pub id: PaymentId,
    /// Which share it settled.
    pub share_number: u32,
    /// How much.
    pub amount: Cents,
    /// What it owns of each line.
    pub parts: Vec<SharePart>,
    /// What its ticket says was taken off each line.
    pub discounts: Vec<SharePart>,
}

/// What a settled share owns of one line; nothing of any when it settled nothing.
#[derive(Debug, serde::Deserialize)]
pub(super) struct SettledRow {
    id: i64,
    share_number: i16,
    amount_cents: i64,
    line_id: Option<i64>,
    part: Option<i64>,
    off: Option<i64>,
}

/// Rows of one payment follow each other.
pub(super) fn settled(rows: Vec<SettledRow>) -> Vec<Settled> {
    let mut settled: Vec<Settled> = Vec::new();
    for row in rows {
        if settled.last().is_none_or(|share| share.id.get() != row.id) {
            settled.push(Settled {
                id: PaymentId::from_row(row.id),
                share_number: u32::from(row.share_number.unsigned_abs()),
                amount: Cents(row.amount_cents),
                parts: Vec::new(),
                discounts: Vec::new(),
            });
        }
        let of_line = |cents: Option<i64>| {
            row.line_id.zip(cents).map(|(line, cents)| SharePart { line_id: LineId::from_row(line), amount: Cents(cents) })
        };
        if let Some(share) = settled.last_mut() {
            share.parts.extend(of_line(row.part));
            share.discounts.extend(of_line(row.off));
        }
    }
    settled
}

/// What a screen shows of a payment.
pub struct Shown {
    /// By which means; after a correction, the right one.
    pub method: Method,
    /// Its ticket.
    pub ticket_no: i64,
    /// Given beside it.
    pub tip: Cents,
    /// Given back since.
    pub refunded: Cents,
}

/// The payments of an order, with what corrected them.
///
/// # Errors
/// When the database does not answer.
pub async fn shown(db: impl PgExecutor<'_>, order: OrderId) -> Result<HashMap<PaymentId, Shown>> {
    let rows = sqlx::query!(
        r#"select p.id, p.tip_cents, l.seq,
                  coalesce((select to_method from method_transfers where payment_id = p.id order by id desc limit 1), p.method) as "method!",
                  coalesce((select sum(amount_cents) from refunds where payment_id = p.id), 0)::bigint as "refunded!"
           from payments p join audit_logs l on l.id = p.audit_log_id where p.order_id = $1"#,
        order.get()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let shown = Shown { method: word(&row.method)?, ticket_no: row.seq, tip: Cents(row.tip_cents), refunded: Cents(row.refunded) };
            Ok((PaymentId::from_row(row.id), shown))
        })
        .collect()
}

/// A payment about to be stored.
pub struct NewPayment<'a> {
    /// Its number: that of the attempt that was approved, for a card.
    pub id: PaymentId,
    /// The order.
    pub order: OrderId,
    /// Which share it settles.
    pub share_number: u32,
    /// By which means.
    pub method: Method,
    /// How much.
    pub amount: Cents,
    /// Cash handed over.
    pub tendered: Option<Cents>,
    /// Cash given back.
    pub change: Cents,
    /// Given beside it.
    pub tip: Cents,
    /// Who took it.
    pub user: UserId,
    /// Its ticket, signed and not appended yet.
    pub record: &'a Record,
    /// The service day of that.
    pub service_day: Date,
    /// What it owns of each line.
    pub parts: &'a [SharePart],
    /// What its ticket says was taken off each line.
    pub discounts: &'a [SharePart],
    /// What becomes of its order.
    pub then: Then<'a>,
    /// The id of the request, and what that is answered, to the byte.
    pub answer: Option<(Uuid, String)>,
    /// Where nothing is locked: what was seen.
    pub seen: Option<Seen<'a>>,
}

/// What a payment was made from, if nothing was locked meanwhile: it is stored if all of it is still so.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Of the bill.
    pub mark: &'a str,
    /// The last record of the whole journal.
    pub last: i64,
    /// Of the request.
    pub digest: &'a [u8],
}

/// What becomes of an order of which a share was settled.
#[derive(Debug, Clone, Copy)]
pub enum Then<'a> {
    /// Nothing: what is left is divided as before.
    Stays,
    /// What is left is divided like this.
    Divided(&'a Plan),
    /// All is paid.
    Complete,
}

/// Draws the number of a payment that no attempt comes before, and holds its order, which need not exist, and the id of its request, until the
/// end of the transaction: in one statement, for what is read next must be as it is under these locks. Says whether the id was new; without
/// an id it is.
///
/// # Errors
/// When the database does not answer.
pub async fn take_up(db: &mut PgConnection, key: Option<Uuid>, digest: &[u8], order: OrderId) -> Result<(bool, PaymentId)> {
    let row = sqlx::query!(
        r#"with claimed as (
               insert into idempotency (key, digest) select $1, $2 where $1::uuid is not null on conflict (key) do nothing returning key
           ), held as (
               select id from orders where id = $3 for update
           )
           select $1::uuid is null or (select count(*) from claimed) = 1 as "is_new!", (select count(*) from held) as "held!",
                  nextval('payments_id_seq') as "id!""#,
        key,
        digest,
        order.get()
    )
    .fetch_one(db)
    .await?;
    Ok((row.is_new, PaymentId::from_row(row.id)))
}

/// Appends the ticket of a payment to the journal, stores the payment and what it owns, and all that follows: what becomes of its order, and the
/// answer to its request. One statement, for everybody waits for the journal. Returns the number of the record; `None`, and nothing is stored, when
/// what was [`Seen`] is no longer so, or the order or the id of the request is somebody's at this moment.
///
/// # Errors
/// When the record does not follow, or the database does not answer.
pub async fn insert(db: &mut PgConnection, new: &NewPayment<'_>) -> Result<Option<i64>> {
    let share_number = i16::try_from(new.share_number).map_err(crate::error::Error::internal)?;
    let lines: Vec<i64> = new.parts.iter().map(|part| part.line_id.get()).collect();
    let amounts: Vec<i64> = new.parts.iter().map(|part| part.amount.0).collect();
    let off = |line| new.discounts.iter().find(|off| off.line_id == line).map_or(0, |off| off.amount.0);
    let discounts: Vec<i64> = new.parts.iter().map(|part| off(part.line_id)).collect();
    let plan = match new.then {
        Then::Divided(plan) => Some(plan),
        Then::Stays | Then::Complete => None,
    };
    let (key, answer) = new.answer.as_ref().map(|(key, answer)| (*key, answer.as_str())).unzip();
    let record = new.record;
    Ok(sqlx::query_scalar!(
        r#"with unchanged as (
               select case when $39::text is null then true else fiscal_pay_if_unchanged($21, $39, $40, $37, $41, $38) end as so
           ), record as (
               select fiscal_append($1, $2::text::char(1), $3, $4, $5, $6, $7::text::char(64), $8::text::char(64), $9, $10, $11,
                                    $12::text::char(14), $13, $14, $15, $16::text::char(64), $17, $18, $19) as id
               from unchanged where so
           ), payment as (
               insert into payments (id, order_id, share_number, method, amount_cents, tendered_cents, change_cents, tip_cents, status, user_id,
                                     audit_log_id)
               overriding system value
               select $20, $21, $22, $23, $24, $25, $26, $27, 'approved', $28, record.id from record
           ), parts as (
               insert into share_parts (payment_id, line_id, amount_cents, discount_cents)
               select $20, line_id, amount, off from record, unnest($29::bigint[], $30::bigint[], $31::bigint[]) as part (line_id, amount, off)
           ), completed as (
               update orders set status = 'paid_complete', closed_at = now() from record where orders.id = $21 and $32::boolean
           ), divided as (
               update orders set unpaid_shares = $34, shares_by_choice = $35, chosen_shares = $36 from record where orders.id = $21 and $33::boolean
           ), answered as (
               update idempotency set status = 201, answer = $38::text::json where key = $37 and $39::text is null
           )
           select id as "id!" from record"#,
        record.register,
        record.chain.as_str(),
        record.seq,
        record.kind.as_str(),
        record.total.0,
        new.service_day,
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
        new.id.get(),
        new.order.get(),
        share_number,
        new.method.as_str(),
        new.amount.0,
        new.tendered.map(|cents| cents.0),
        new.change.0,
        new.tip.0,
        new.user.get(),
        &lines,
        &amounts,
        &discounts,
        matches!(new.then, Then::Complete),
        plan.is_some(),
        plan.and_then(|plan| plan.equal).map(super::small),
        plan.is_some_and(|plan| plan.by_choice),
        plan.map_or_else(|| Ok(serde_json::json!([])), |plan| serde_json::to_value(&plan.chosen))?,
        key,
        answer,
        new.seen.map(|seen| seen.mark),
        new.seen.map(|seen| seen.last),
        new.seen.map(|seen| seen.digest),
    )
    .fetch_optional(db)
    .await?)
}

/// A payment as it is stored, with the number of its ticket.
pub struct Stored {
    /// Of which order.
    pub order: OrderId,
    /// Which share it settled.
    pub share_number: u32,
    /// How much.
    pub amount: Cents,
    /// By which means.
    pub method: Method,
    /// The ticket.
    pub ticket_no: i64,
    /// Who took it.
    pub user_name: String,
    /// When.
    pub created_at: OffsetDateTime,
}

/// A payment by its number.
///
/// # Errors
/// When the database does not answer.
pub async fn get(db: impl PgExecutor<'_>, id: PaymentId) -> Result<Option<Stored>> {
    let row = sqlx::query!(
        "select p.order_id, p.share_number, p.amount_cents, p.method, l.seq, u.name, p.created_at
         from payments p join audit_logs l on l.id = p.audit_log_id join users u on u.id = p.user_id where p.id = $1",
        id.get()
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(Stored {
            order: OrderId::from_row(row.order_id),
            share_number: u32::from(row.share_number.unsigned_abs()),
            amount: Cents(row.amount_cents),
            method: word(&row.method)?,
            ticket_no: row.seq,
            user_name: row.name,
            created_at: row.created_at,
        })
    })
    .transpose()
}
