//! All that is known about the money of an order, read in one statement.

use super::attempts::{Held, HeldRow, held};
use super::journal::{self, Locked, NewestDay};
use super::orders::{LineRow, OrderHead, order_head, to_head};
use super::payments::{Settled, SettledRow, settled};
use super::{count, word};
use crate::error::Result;
use domain::api::LineView;
use domain::fiscal::Chain;
use domain::share::{Chosen, Plan};
use domain::{OrderId, PaymentId, TableId, UserId};
use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

/// The money of an order.
pub struct Bill {
    /// The order.
    pub head: OrderHead,
    /// Its lines, in the order in which they came; voided ones too.
    pub lines: Vec<LineView>,
    /// Its settled shares, by number.
    pub settled: Vec<Settled>,
    /// Its shares that attempts hold, by number.
    pub held: Vec<Held>,
    /// Its provisional notes, oldest first.
    pub notes: Vec<Note>,
}

/// A provisional note.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Note {
    /// Its number in its chain.
    pub note_no: i64,
    /// Whether that is the training chain.
    pub training: bool,
}

/// Holds an order until the end of the transaction; nothing when there is none. What is read before that may be old by then.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection, order: OrderId) -> Result<()> {
    sqlx::query!("select from orders where id = $1 for update", order.get()).fetch_optional(db).await?;
    Ok(())
}

/// All of a bill but the head of its order, as `fiscal_bill_facts` says it.
#[derive(Debug, Deserialize)]
struct Facts {
    lines: Vec<LineRow>,
    settled: Vec<SettledRow>,
    held: Vec<HeldRow>,
    notes: Vec<Note>,
}

impl Facts {
    fn bill(self, head: OrderHead) -> Result<Bill> {
        Ok(Bill {
            head,
            lines: self.lines.into_iter().map(LineView::try_from).collect::<Result<_>>()?,
            settled: settled(self.settled),
            held: held(self.held)?,
            notes: self.notes,
        })
    }
}

/// The money of an order; `None` when there is no such order.
///
/// # Errors
/// When the database does not answer.
pub async fn read(db: &mut PgConnection, order: OrderId) -> Result<Option<Bill>> {
    let row = order_head!(r#", fiscal_bill_facts(o.id) as "facts!: Json<Facts>""#, order.get()).fetch_optional(db).await?;
    row.map(|row| row.facts.0.bill(to_head!(row))).transpose()
}

/// A bill, and all else that a payment needs to know, read without a lock: it is stored only if it is still so ([`super::payments::insert`]).
pub struct Glance {
    /// The bill.
    pub bill: Bill,
    /// What changes when anything of it does.
    pub mark: String,
    /// Whether the id of the request was seen before.
    pub is_known: bool,
    /// The number of the payment, if no attempt comes before it.
    pub payment: PaymentId,
    /// What the next ticket has to follow.
    pub journal: Locked,
    /// The last record of the whole journal.
    pub last: i64,
    /// The newest period.
    pub newest: Option<NewestDay>,
}

/// Reads that; `None` when there is no such order, or no record yet.
///
/// # Errors
/// When the database does not answer.
pub async fn glance(
    db: &mut PgConnection,
    order: OrderId,
    key: Option<Uuid>,
    (register, chain, training): (&str, Chain, bool),
    zone: &str,
) -> Result<Option<Glance>> {
    let row = order_head!(
        r#", f.facts as "facts!: Json<Facts>", fiscal_bill_mark(o.id, f.facts) as "mark!",
           exists (select from idempotency where key = $2) as "is_known!", nextval('payments_id_seq') as "payment!",
           m.last_seq as "last!", coalesce(h.last_seq, 0) as "last_seq!", coalesce(h.last_hash, '') as "last_hash!",
           coalesce(h.last_signature, '') as "last_signature!", date_trunc('second', c.t) as "utc!",
           date_trunc('second', c.t at time zone $5) as "local!", (select l.utc_ts from audit_logs l where l.id = m.last_seq) as last_utc,
           p.service_day as "newest_day?", p.audit_log_id is null as "newest_is_open!""#,
        from
        "(select clock_timestamp() as t) c
         cross join (select fiscal_bill_facts($1) as facts offset 0) f
         join fiscal_heads m on m.register = '*' and m.chain = '*'
         left join fiscal_heads h on h.register = $3 and h.chain = $4::text::char(1)
         left join lateral (
             select p.service_day, p.audit_log_id from fiscal_periods p where p.register = $3 and p.training = $6 order by p.no desc limit 1
         ) p on true
         cross join ",
        order.get(),
        key,
        register,
        chain.as_str(),
        zone,
        training
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Glance {
        mark: row.mark,
        is_known: row.is_known,
        payment: PaymentId::from_row(row.payment),
        journal: Locked {
            head: journal::head(row.last_seq, row.last_hash, row.last_signature),
            utc: row.utc,
            local: row.local,
            last_utc: row.last_utc,
        },
        last: row.last,
        newest: row.newest_day.map(|service_day| NewestDay { service_day, is_open: row.newest_is_open }),
        bill: row.facts.0.bill(to_head!(row))?,
    }))
}
