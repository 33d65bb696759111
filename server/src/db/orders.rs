//! Orders and their lines.

use super::{count, rate, word};
use crate::error::Result;
use domain::api::{LineView, OrderStatus, OrderView, SentStatus};
use domain::menu::ItemKind;
use domain::order::{PricedLine, PricedOption};
use domain::share::{Chosen, Plan};
use domain::{Cents, ItemId, LineId, OrderId, TableId, UserId};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

/// The open order of a table, as far as adding to it needs.
pub struct OpenOrder {
    /// The order.
    pub id: OrderId,
    /// Rounds so far.
    pub rounds: u32,
    /// How many guests.
    pub covers: u16,
    /// Who looks after it.
    pub server: (UserId, String),
}

/// The open order of a table, locked until the end of the transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_open(db: &mut PgConnection, table: TableId) -> Result<Option<OpenOrder>> {
    Ok(lock_open_unless_done(db, table, None).await?.0)
}

/// The same, and in the same breath what was answered to this request's id before, with the digest of that request.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_open_unless_done(
    db: &mut PgConnection,
    table: TableId,
    key: Option<Uuid>,
) -> Result<(Option<OpenOrder>, Option<(Vec<u8>, Option<String>)>)> {
    let row = sqlx::query!(
        r#"select e.digest as "digest?", e.answer::text as "answer?", o.id as "id?", o.rounds as "rounds?", o.covers as "covers?",
                  o.server_user_id as "server_user_id?", o.name as "name?"
           from (values (1)) as always
           left join lateral (select digest, answer from idempotency where key = $2) e on true
           left join lateral (
               select o.id, o.rounds, o.covers, o.server_user_id, u.name from orders o join users u on u.id = o.server_user_id
               where o.table_id = $1 and o.status = 'open' for no key update of o
           ) o on true"#,
        table.get(),
        key
    )
    .fetch_one(db)
    .await?;
    let open = match (row.id, row.rounds, row.covers, row.server_user_id, row.name) {
        (Some(id), Some(rounds), Some(covers), Some(server), Some(name)) => {
            let server = (UserId::from_row(server), name);
            Some(OpenOrder { id: OrderId::from_row(id), rounds: rounds.unsigned_abs(), covers: count(covers), server })
        }
        _ => None,
    };
    Ok((open, row.digest.map(|digest| (digest, row.answer))))
}

/// Opens an order on a free table.
///
/// # Errors
/// When the database does not answer, or the table is not free.
pub async fn open(db: &mut PgConnection, table: TableId, covers: u16, server: UserId) -> Result<OrderId> {
    let covers = i16::try_from(covers).unwrap_or(i16::MAX);
    let id = sqlx::query_scalar!(
        "insert into orders (table_id, covers, server_user_id) values ($1, $2, $3) returning id",
        table.get(),
        covers,
        server.get()
    )
    .fetch_one(db)
    .await?;
    Ok(OrderId::from_row(id))
}

/// How the kitchen is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Way {
    /// The kitchen screen reads our own rows: what is stored is told.
    pub is_built_in: bool,
    /// Drinks are told too.
    pub with_drinks: bool,
}

impl Way {
    /// Whether the kitchen is told of this kind of thing.
    #[must_use]
    pub const fn tells(self, kind: ItemKind) -> bool {
        kind.is_cooked() || (self.with_drinks && matches!(kind, ItemKind::Wine | ItemKind::Drink))
    }

    /// Whether the kitchen is told of this line as soon as it is stored.
    #[must_use]
    pub const fn tells_now(self, line: &PricedLine) -> bool {
        !line.hold && self.tells(line.kind)
    }
}

/// An order without its lines.
pub struct OrderHead {
    /// The order.
    pub id: OrderId,
    /// Its name for ever.
    pub uuid: Uuid,
    /// Where.
    pub table_id: TableId,
    /// The table's name.
    pub table: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// Guests.
    pub covers: u16,
    /// Who looks after it.
    pub server_user_id: UserId,
    /// The name of that person.
    pub server_name: String,
    /// The guests want to pay.
    pub bill_asked: bool,
    /// Since when.
    pub opened_at: time::OffsetDateTime,
    /// What the table chose for what is not paid yet.
    pub plan: Plan,
}

/// The query of an order's head by its number, with more columns.
macro_rules! order_head {
    ($more:literal, $id:expr) => {
        order_head!($more, from "", $id)
    };
    ($more:literal, from $before:literal, $($argument:expr),+) => {
        sqlx::query!(
            r#"select o.id, o.uuid, o.table_id, t.name as table_name, o.status, o.covers, o.server_user_id, u.name as server_name, o.opened_at,
                  o.unpaid_shares, o.shares_by_choice, o.chosen_shares as "chosen_shares: Json<Vec<Chosen>>",
                  o.bill_asked_at is not null as "bill_asked!""#
                + $more
                + " from "
                + $before
                + "orders o join tables t on t.id = o.table_id join users u on u.id = o.server_user_id where o.id = $1",
            $($argument),+
        )
    };
}
pub(super) use order_head;

/// The head in such a row.
macro_rules! to_head {
    ($row:ident) => {
        OrderHead {
            id: OrderId::from_row($row.id),
            uuid: $row.uuid,
            table_id: TableId::from_row($row.table_id),
            table: $row.table_name,
            status: word(&$row.status)?,
            covers: count($row.covers),
            server_user_id: UserId::from_row($row.server_user_id),
            server_name: $row.server_name,
            bill_asked: $row.bill_asked,
            opened_at: $row.opened_at,
            plan: Plan {
                covers: u32::from(count($row.covers)),
                equal: $row.unpaid_shares.map(|shares| u32::from(count(shares))),
                by_choice: $row.shares_by_choice,
                chosen: $row.chosen_shares.0,
            },
        }
    };
}
pub(super) use to_head;

/// The head of an order. With `lock` it is held until the end of the transaction: whoever settles or divides a bill holds its order.
///
/// # Errors
/// When the database does not answer.
pub async fn head(db: &mut PgConnection, id: OrderId, lock: bool) -> Result<Option<OrderHead>> {
    if lock {
        super::bills::lock(&mut *db, id).await?;
    }
    let Some(row) = order_head!("", id.get()).fetch_optional(db).await? else { return Ok(None) };
    Ok(Some(to_head!(row)))
}

/// The lines of an order, in the order in which they came.
///
/// # Errors
/// When the database does not answer.
pub async fn lines(db: impl PgExecutor<'_>, order: OrderId) -> Result<Vec<LineView>> {
    let rows = sqlx::query_as!(
        LineRow,
        r#"select l.id, l.item_id, l.kind, l.name, l.qty, l.voided_qty, l.unit_price_cents, l.vat_rate, l.state, l.note, l.course, l.round,
                  l.part_of, l.options as "options: Json<Vec<PricedOption>>", l.called_at is not null as "called!",
                  l.discount_cents, l.discount_reason, l.discount_by, s.id is not null as "told!", s.sent_at is not null as "sent!",
                  coalesce(s.sent_at is null and s.refusals > 0, false) as "refused!",
                  -- our own screen has a slip as soon as it is stored, and gives it no number
                  s.id is not null and (s.sent_at is null or s.erp_order_id is not null) as "beyond_call!"
           from order_lines l left join kitchen_slips s on s.id = l.slip_id where l.order_id = $1 order by l.id"#,
        order.get()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(LineView::try_from).collect()
}

/// A line as it is stored.
#[derive(Debug, serde::Deserialize)]
pub(super) struct LineRow {
    id: i64,
    item_id: i64,
    kind: String,
    name: String,
    qty: i32,
    voided_qty: i32,
    unit_price_cents: i64,
    vat_rate: i16,
    state: String,
    note: Option<String>,
    course: i16,
    round: i32,
    part_of: Option<String>,
    options: Json<Vec<PricedOption>>,
    called: bool,
    discount_cents: i64,
    discount_reason: Option<String>,
    discount_by: Option<String>,
    told: bool,
    sent: bool,
    // What a bill does not ask for.
    #[serde(default)]
    refused: bool,
    #[serde(default)]
    beyond_call: bool,
}

impl TryFrom<LineRow> for LineView {
    type Error = crate::error::Error;

    fn try_from(row: LineRow) -> Result<Self> {
        Ok(Self {
            line_id: LineId::from_row(row.id),
            item_id: ItemId::from_row(row.item_id),
            kind: word(&row.kind)?,
            name: row.name,
            qty: (row.qty - row.voided_qty).unsigned_abs(),
            voided_qty: row.voided_qty.unsigned_abs(),
            unit_price: Cents(row.unit_price_cents),
            total: Cents(row.unit_price_cents * i64::from(row.qty - row.voided_qty) - row.discount_cents),
            discount: Cents(row.discount_cents),
            discount_reason: row.discount_reason.filter(|_| row.discount_cents > 0),
            discount_by: row.discount_by.filter(|_| row.discount_cents > 0),
            vat_rate: rate(row.vat_rate)?,
            state: word(&row.state)?,
            note: row.note,
            course: row.course.unsigned_abs() as u8,
            round: row.round.unsigned_abs(),
            part_of: row.part_of,
            options: row.options.0,
            kitchen: row.told.then_some(if row.sent { SentStatus::Sent } else { SentStatus::PendingErp }),
            called: row.called,
            refused: row.refused,
            beyond_call: row.beyond_call,
        })
    }
}

/// A whole order; `None` when there is none of that number.
///
/// # Errors
/// When the database does not answer.
pub async fn whole(db: &mut PgConnection, id: OrderId) -> Result<Option<OrderView>> {
    let Some(head) = head(db, id, false).await? else { return Ok(None) };
    let lines = lines(db, id).await?;
    Ok(Some(OrderView {
        order_id: head.id,
        table_id: head.table_id,
        table: head.table,
        covers: head.covers,
        status: head.status,
        server_user_id: head.server_user_id,
        server_name: head.server_name,
        bill_asked: head.bill_asked,
        opened_at: head.opened_at,
        total: lines.iter().map(|line| line.total).sum(),
        lines,
        ticket_no: None,
    }))
}

/// The open orders that somebody looks after.
///
/// # Errors
/// When the database does not answer.
pub async fn open_of(db: impl PgExecutor<'_>, user: UserId) -> Result<Vec<OrderId>> {
    let ids = sqlx::query_scalar!("select id from orders where status = 'open' and server_user_id = $1 order by id limit 60", user.get());
    Ok(ids.fetch_all(db).await?.into_iter().map(OrderId::from_row).collect())
}

/// Remembers what the table chose for the rest of its bill.
///
/// # Errors
/// When the database does not answer.
pub async fn set_plan(db: &mut PgConnection, order: OrderId, plan: &Plan) -> Result<()> {
    let equal = plan.equal.map(super::small);
    sqlx::query!(
        "update orders set unpaid_shares = $2, shares_by_choice = $3, chosen_shares = $4 where id = $1",
        order.get(),
        equal,
        plan.by_choice,
        serde_json::to_value(&plan.chosen)?
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Closes an order: all is paid.
///
/// # Errors
/// When the database does not answer.
pub async fn complete(db: &mut PgConnection, order: OrderId) -> Result<()> {
    sqlx::query!("update orders set status = 'paid_complete', closed_at = now() where id = $1", order.get()).execute(db).await?;
    Ok(())
}
