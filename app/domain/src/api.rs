//! The bodies of the outside contract. The HTTP routes and the server functions of the pages answer with the same types.

use crate::menu::ItemKind;
use crate::order::{FieldError, LineState, TableStatus};
use crate::vat::VatLine;
use crate::wire::{euros, euros_opt, percent};
use crate::{Cents, ItemId, LineId, OrderId, PaymentId, Role, TableId, UserId, VatRate};
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

#[expect(missing_docs, reason = "the macro documents nothing that it writes")]
mod formats {
    time::serde::format_description!(pub iso_date, Date, "[year]-[month]-[day]");
}
pub use formats::iso_date;

/// What went wrong, for a person and for a program (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable, English, snake case: what programs look at.
    pub code: String,
    /// French: what a person reads.
    pub detail: String,
    /// The faulty fields of a well-formed but invalid body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// Who signs in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name the house gave.
    pub username: String,
    /// Four to eight digits.
    pub pin: String,
}

/// The PIN stays out of logs.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionUser {
    /// The person.
    pub id: UserId,
    /// As shown on screen and ticket.
    pub name: String,
    /// What the person may do.
    pub role: Role,
}

/// Answer to a sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginDone {
    /// Who is signed in now.
    pub user: SessionUser,
}

/// A name to choose on the sign-in page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInName {
    /// What is sent as `username`.
    pub username: String,
    /// What is shown.
    pub name: String,
    /// Shown under the name.
    pub role: Role,
}

/// One table of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableView {
    /// Its number in the contract.
    pub id: TableId,
    /// Its name on the plan.
    pub name: String,
    /// The room it stands in.
    pub room: String,
    /// How many can sit there.
    pub seats: u16,
    /// Where it stands.
    pub status: TableStatus,
    /// The open order, if any.
    pub order_id: Option<OrderId>,
    /// Who looks after it.
    pub server_user_id: Option<UserId>,
    /// The name of that person.
    pub server_name: Option<String>,
    /// Since when it is in this state of being occupied.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    /// Guests of the open order.
    pub covers: Option<u16>,
    /// What is left to pay.
    #[serde(with = "euros_opt", default)]
    pub remaining: Option<Cents>,
    /// Left edge on the plan, in hundredths of the room's width.
    pub x: u16,
    /// Upper edge on the plan, in hundredths of the room's height.
    pub y: u16,
    /// Round rather than square.
    pub round: bool,
}

/// Answer to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAccepted {
    /// The open order of that table.
    pub order_id: OrderId,
    /// Whether the kitchen has it.
    pub status: SentStatus,
    /// First, second … time that something was sent for this order.
    pub round: u32,
}

/// Whether the kitchen system has taken the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentStatus {
    /// The kitchen has it.
    Sent,
    /// Stored, the kitchen system does not answer yet.
    PendingErp,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// The guests are there.
    Open,
    /// All is paid.
    PaidComplete,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// The line.
    pub line_id: LineId,
    /// What was ordered.
    pub item_id: ItemId,
    /// What kind of thing.
    pub kind: ItemKind,
    /// Its name when it was ordered.
    pub name: String,
    /// How many.
    pub qty: u32,
    /// For one.
    #[serde(with = "euros")]
    pub unit_price: Cents,
    /// For the line.
    #[serde(with = "euros")]
    pub total: Cents,
    /// The rate when it was ordered.
    #[serde(with = "percent")]
    pub vat_rate: VatRate,
    /// Where it stands.
    pub state: LineState,
    /// For the kitchen.
    pub note: Option<String>,
    /// Served with this course.
    pub course: u8,
    /// Sent in this round.
    pub round: u32,
    /// The *formule* it belongs to.
    pub part_of: Option<String>,
}

/// A whole order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// The order.
    pub order_id: OrderId,
    /// Where.
    pub table_id: TableId,
    /// The table's name.
    pub table: String,
    /// Guests.
    pub covers: u16,
    /// Where it stands.
    pub status: OrderStatus,
    /// Who looks after it.
    pub server_user_id: UserId,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    /// All lines that are not voided.
    #[serde(with = "euros")]
    pub total: Cents,
    /// In the order in which they came.
    pub lines: Vec<LineView>,
}

/// One line on the kitchen screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitchenLine {
    /// The line.
    pub line_id: LineId,
    /// The order it belongs to.
    pub order_id: OrderId,
    /// What.
    pub name: String,
    /// How many.
    pub qty: u32,
    /// What the waiter added.
    pub note: Option<String>,
    /// Served with this course.
    pub course: u8,
    /// Where it stands.
    pub state: LineState,
    /// When it reached that state.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// What was sent at one time for one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitchenSlip {
    /// The order.
    pub order_id: OrderId,
    /// The table's name.
    pub table: String,
    /// Who looks after the table.
    pub server_name: String,
    /// First, second … time.
    pub round: u32,
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Dishes that are not served yet.
    pub lines: Vec<KitchenLine>,
}

/// The kitchen screen: oldest slip first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitchenView {
    /// The slips.
    pub slips: Vec<KitchenSlip>,
}

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillItem {
    /// The line.
    pub line_id: LineId,
    /// Its name.
    pub name: String,
    /// How many.
    pub qty: u32,
    /// How many are not paid yet, in thousandths rounded down; a part of a line that is paid by amount counts in proportion.
    #[serde(with = "thousandths")]
    pub remaining_qty: u64,
    /// For one.
    #[serde(with = "euros")]
    pub unit_price: Cents,
    /// For the line.
    #[serde(with = "euros")]
    pub total: Cents,
    /// The rate.
    #[serde(with = "percent")]
    pub vat_rate: VatRate,
}

/// Where a share stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShareStatus {
    /// To be paid.
    Unpaid,
    /// A terminal is at it.
    Pending,
    /// Settled.
    Paid,
    /// A terminal did not say.
    Unknown,
}

/// One share of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareView {
    /// First, second … share.
    pub cover_number: u32,
    /// What it owes or has paid.
    #[serde(with = "euros")]
    pub amount: Cents,
    /// Where it stands.
    pub status: ShareStatus,
    /// For the screen, French.
    pub label: String,
    /// The payment that settled it.
    pub payment_id: Option<PaymentId>,
}

/// A bill: what was taken, what is paid, what is left and who owes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// The order.
    pub order_id: OrderId,
    /// Where.
    pub table_id: TableId,
    /// The table's name.
    pub table: String,
    /// Guests.
    pub covers: u16,
    /// All lines that are not voided.
    #[serde(with = "euros")]
    pub total: Cents,
    /// Settled so far.
    #[serde(with = "euros")]
    pub paid: Cents,
    /// Left.
    #[serde(with = "euros")]
    pub remaining: Cents,
    /// The lines.
    pub items: Vec<BillItem>,
    /// The tax by rate, on the whole bill.
    pub vat: Vec<VatLine>,
    /// The shares.
    pub shares: Vec<ShareView>,
}

/// How to divide what is not yet paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase", deny_unknown_fields)]
pub enum SplitRequest {
    /// So many equal parts.
    Equal {
        /// How many.
        parts: u32,
    },
}

/// Answer to a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitDone {
    /// As in the bill.
    pub shares: Vec<ShareView>,
}

/// How a share is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Bank card.
    Cb,
    /// Cash.
    Especes,
    /// Meal voucher.
    Tr,
    /// Cheque.
    Cheque,
}

impl Method {
    /// Every means, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Cb, Self::Especes, Self::Tr, Self::Cheque];

    /// The word of the contract and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cb => "CB",
            Self::Especes => "ESPECES",
            Self::Tr => "TR",
            Self::Cheque => "CHEQUE",
        }
    }

    /// The word on a ticket.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cb => "Carte bancaire",
            Self::Especes => "Espèces",
            Self::Tr => "Titre-restaurant",
            Self::Cheque => "Chèque",
        }
    }
}

impl std::str::FromStr for Method {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or("unknown means of payment")
    }
}

/// Settle one share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentRequest {
    /// The order.
    pub order_id: OrderId,
    /// The share.
    pub cover_number: u32,
    /// What the screen showed as owed; refused when the share owes something else by now.
    #[serde(with = "euros")]
    pub amount: Cents,
    /// The means.
    pub method: Method,
    /// Cash handed over.
    #[serde(with = "euros_opt", default, skip_serializing_if = "Option::is_none")]
    pub tendered: Option<Cents>,
    /// Chosen by the till; the same one again charges nothing and returns the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
}

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidStatus {
    /// The share is settled, others are not.
    Paid,
    /// The whole order is settled.
    OrderComplete,
}

/// Answer to a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDone {
    /// The payment.
    pub payment_id: PaymentId,
    /// Whether anything is left.
    pub status: PaidStatus,
    /// Shares left of all shares: `3/4`.
    pub remaining: String,
    /// Euros left.
    #[serde(with = "euros")]
    pub remaining_amount: Cents,
    /// To give back, out of cash.
    #[serde(with = "euros")]
    pub change: Cents,
    /// The ticket's number.
    pub ticket_no: i64,
}

/// A ticket as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketText {
    /// Its number in its chain.
    pub ticket_no: i64,
    /// 48 columns.
    pub text: String,
    /// Whether it belongs to the training chain.
    pub training: bool,
}

/// Which period to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CloseKind {
    /// A day.
    #[default]
    Z,
}

/// Close a day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// A service day; the oldest open one when absent.
    #[serde(with = "iso_date::option", default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// What kind of period.
    #[serde(default)]
    pub kind: CloseKind,
}

/// Totals by means of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct ByMethod {
    /// Card.
    #[serde(with = "euros")]
    pub cb: Cents,
    /// Cash, change taken off.
    #[serde(with = "euros")]
    pub especes: Cents,
    /// Meal vouchers.
    #[serde(with = "euros")]
    pub tr: Cents,
    /// Cheques.
    #[serde(with = "euros")]
    pub cheque: Cents,
}

impl ByMethod {
    /// Adds an amount to the total of a means.
    pub fn add(&mut self, method: Method, amount: Cents) {
        *match method {
            Method::Cb => &mut self.cb,
            Method::Especes => &mut self.especes,
            Method::Tr => &mut self.tr,
            Method::Cheque => &mut self.cheque,
        } += amount;
    }

    /// The total of a means.
    #[must_use]
    pub const fn get(&self, method: Method) -> Cents {
        match method {
            Method::Cb => self.cb,
            Method::Especes => self.especes,
            Method::Tr => self.tr,
            Method::Cheque => self.cheque,
        }
    }
}

/// What a day came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseSummary {
    /// Number of the closing; none on an X report.
    pub z_number: Option<i64>,
    /// The service day.
    #[serde(with = "iso_date")]
    pub service_day: Date,
    /// Sold, VAT included.
    #[serde(with = "euros")]
    pub total_ttc: Cents,
    /// The tax in it.
    #[serde(with = "euros")]
    pub total_tva: Cents,
    /// How many payments.
    pub count: u32,
    /// By means.
    pub by_method: ByMethod,
    /// By rate.
    pub vat: Vec<VatLine>,
    /// Sales less refunds since the till was first used; never reset.
    #[serde(with = "euros")]
    pub perpetual_total: Cents,
    /// Sales plus refunds since the till was first used; never reset.
    #[serde(with = "euros")]
    pub perpetual_absolute: Cents,
    /// Whether this is the training chain.
    pub training: bool,
}

/// Answer to a closing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseDone {
    /// The record in the journal.
    pub audit_log_id: i64,
    /// The Z as text, 48 columns.
    pub ticket: String,
    /// SHA-256 of the signed text, hexadecimal.
    pub hash: String,
    /// RSA signature, base64url.
    pub signature: String,
    /// What the day came to.
    pub summary: CloseSummary,
    /// The day was closed before and nothing was sold since.
    pub already_closed: bool,
}

/// The closing page: what is open, and what was closed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosingView {
    /// X report of the oldest open period; none when nothing was sold since the last Z.
    pub open: Option<CloseSummary>,
    /// Tables whose bill is not settled: their sales belong to the day on which they are paid.
    pub open_tables: Vec<String>,
    /// The last closings, newest first.
    pub closed: Vec<CloseDone>,
}

/// A fault in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaw {
    /// The chain.
    pub chain: String,
    /// The number in it.
    pub seq: i64,
    /// Stable, English, snake case.
    pub code: String,
    /// French.
    pub detail: String,
}

/// Answer of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// No flaw.
    pub ok: bool,
    /// How many records were read.
    pub records: u64,
    /// Nothing is proven wrong, but something could not be judged: a key or a format that this version does not know.
    #[serde(default)]
    pub inconclusive: bool,
    /// Every flaw found.
    pub flaws: Vec<Flaw>,
}

/// A frame that the server sends over the WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// A table changed on the plan.
    TableChanged {
        /// The table.
        table_id: TableId,
        /// Where it stands now.
        status: TableStatus,
        /// Its open order.
        order_id: Option<OrderId>,
    },
    /// Something on the menu changed.
    MenuChanged {
        /// The new version.
        version: String,
    },
    /// Lines were added to an order, or a line moved on.
    OrderChanged {
        /// The order.
        order_id: OrderId,
    },
    /// A dish waits at the pass, for the waiter of the table.
    DishReady {
        /// The order.
        order_id: OrderId,
        /// The table's name.
        table: String,
        /// The dish.
        dish: String,
        /// The line.
        line_id: Option<LineId>,
        /// For the eye: `15h23`.
        timestamp: String,
        /// For the program.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
    /// Are you there?
    Ping {},
}

/// A frame that the browser sends over the WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum ClientEvent {
    /// Yes, I am.
    Pong {},
}

/// A count in thousandths, written as a number with at most three decimals.
mod thousandths {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::value::RawValue;

    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:03}", value / 1000, value % 1000);
        let text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
        RawValue::from_string(text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let (whole, fraction) = raw.get().split_once('.').unwrap_or((raw.get(), ""));
        let padded = format!("{fraction:0<3}");
        match (whole.parse::<u64>(), padded.get(..3).and_then(|f| f.parse::<u64>().ok())) {
            (Ok(whole), Some(thousandths)) => Ok(whole * 1000 + thousandths),
            _ => Err(serde::de::Error::custom("expected a count with at most three decimals")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_payment_is_read() {
        let body: PaymentRequest =
            serde_json::from_str(r#"{"order_id":789,"cover_number":1,"amount":25.50,"method":"ESPECES","tendered":30}"#).unwrap();
        assert_eq!((body.amount, body.tendered, body.method), (Cents(2550), Some(Cents(3000)), Method::Especes));
    }

    #[test]
    fn frames_look_like_the_contract() {
        let frame = Event::TableChanged { table_id: TableId::from_row(5), status: TableStatus::Free, order_id: None };
        assert_eq!(
            serde_json::to_string(&frame).unwrap(),
            r#"{"event":"table_changed","data":{"table_id":5,"status":"free","order_id":null}}"#
        );
        assert_eq!(serde_json::to_string(&Event::Ping {}).unwrap(), r#"{"event":"ping","data":{}}"#);
    }

    #[test]
    fn a_pin_is_not_printed() {
        let login = Login { username: "alice".into(), pin: "1234".into() };
        assert!(!format!("{login:?}").contains("1234"));
    }
}
