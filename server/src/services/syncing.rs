//! Scenario 3, on this side: an order arrives that was typed without a network.
//!
//! A further round for guests who are there, of which nothing was heard before, is one statement, as in [`super::ordering`], and the usual case.
//! Everything else is a transaction: take the request's row, where its copies, the decision about it and its drop wait for each other → what
//! became of it before? → mark the request that it takes the place of → price it from our own menu → where do its guests sit now? → store the
//! round and the answer → commit. What a person has to decide is stored too, as refused: nothing of it is lost on this side either.

use super::once::{self, Answered};
use super::{amending, ordering};
use crate::db;
use crate::db::idempotency::{self, Claim};
use crate::db::orders::OpenOrder;
use crate::db::rounds::{Kept, NewRound, Round, Stored, To, add_round};
use crate::db::sync::Outcome;
use crate::error::{Error, Result};
use crate::state::{House, REGISTER};
use crate::workers::outbox::Awaited;
use domain::api::{
    DeviceReport, DevicesView, DropRequest, Dropped, OrderAccepted, OrderStatus, SentStatus, SessionUser, SyncAccepted, SyncRequest,
};
use domain::order::{FieldError, IfOccupied, MAX_REASON, PricedLine, price};
use domain::role::Right;
use domain::sync::{Facts, Ruling, SeenOrder, appends, judge};
use domain::{Cents, OrderId};
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Somebody who typed this a moment ago looks at the screen and wants to know of the kitchen; later nobody does.
const SOMEBODY_WAITS: Duration = Duration::seconds(10);
/// Stands where an id that is over has no request to compare others with.
const SHUT: &[u8] = &[0; 32];
/// Longest version of an app, in characters.
const MAX_APP: usize = 60;

/// Why an order that a phone kept is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Who is signed in did not type it.
    TypedByOther,
    /// An earlier copy, or the request that this one should replace, was taken.
    AlreadySynced(OrderId),
    /// It was dropped, or another was sent in its place.
    Over,
    /// The guests that it was meant for have paid; names the order of whoever sits there now.
    GuestsLeft(Option<OrderId>),
    /// It costs something else than the phone said.
    PriceChanged {
        /// What the phone said.
        said: Cents,
        /// What it costs.
        now: Cents,
    },
}

impl Refusal {
    /// Stable, English.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TypedByOther => "typed_by_other",
            Self::AlreadySynced(_) => "already_synced",
            Self::Over => "intent_over",
            Self::GuestsLeft(_) => "order_closed",
            Self::PriceChanged { .. } => "price_changed",
        }
    }

    /// French, for a person.
    #[must_use]
    pub const fn sentence(&self) -> &'static str {
        match self {
            Self::TypedByOther => "Cette commande a été prise par quelqu’un d’autre : elle partira quand cette personne se reconnectera.",
            Self::AlreadySynced(_) => "Cette commande avait déjà été reçue.",
            Self::Over => "Cette commande a déjà été abandonnée ou renvoyée autrement.",
            Self::GuestsLeft(_) => "L’addition de ces clients est déjà réglée.",
            Self::PriceChanged { .. } => "Le prix a changé depuis que la commande a été prise.",
        }
    }

    /// Named extras of the body.
    #[must_use]
    pub fn extras(&self) -> Value {
        match self {
            Self::TypedByOther | Self::Over => json!({}),
            Self::AlreadySynced(order) => json!({ "order_id": order }),
            Self::GuestsLeft(order) => json!({ "order_id": order, "choices": ["append", "other_table", "drop"] }),
            Self::PriceChanged { said, now } => {
                json!({ "said_cents": said.0, "total_cents": now.0, "choices": ["accept", "drop"] })
            }
        }
    }
}

/// Takes an order that a phone kept. The same `uuid` again changes nothing and returns the first answer.
///
/// # Errors
/// [`Error::Sync`], [`Error::TableOccupied`] when a person has to decide; [`Error::Invalid`] names every faulty field.
pub async fn sync(house: &House, user: &SessionUser, request: &SyncRequest) -> Result<Answered<SyncAccepted>> {
    let uuid = request.uuid.ok_or_else(|| Error::invalid("uuid", "uuid_required"))?;
    if request.typed_by.is_some_and(|by| by != user.id) {
        return Err(Refusal::TypedByOther.into());
    }
    if request.resolves == Some(uuid) || request.after == Some(uuid) {
        return Err(Error::invalid("resolves", "itself"));
    }
    let digest = once::digest("orders/sync", user.id, request)?;
    let somebody_waits = OffsetDateTime::now_utc() - request.offline_timestamp < SOMEBODY_WAITS;
    let expect = |slip| house.outbox.as_ref().filter(|_| somebody_waits).map(|outbox| outbox.expect(slip));
    loop {
        // Before the transaction: asking for the menu may take a second connection, and all of them may wait for this row.
        let menu = house.menu.prices(&house.db).await?;
        let lines = price(&request.as_order(), &menu.menu);
        if let Ok(lines) = &lines
            && let Some(to) = straight_to(user, request, lines)
            && !once::may_be_forgotten(Some(uuid))
        {
            let kept = Kept { by: user.id, table: request.table_id, typed_at: request.offline_timestamp };
            let round = NewRound { covers: request.covers, kept: Some(kept), ..ordering::new_round(house, lines, Some(uuid), &digest) };
            let awaited = expect(round.slip);
            match house.rounds.add(to, &round).await? {
                Stored::Round(stored) => return Ok(Answered::now(accepted(house, stored, round.status, awaited).await)),
                // Its other copy, its drop or the decision about it was stored at the same moment: now it can be seen.
                Stored::Elsewhere => continue,
                Stored::Not => {}
            }
        }
        let mut tx = house.db.begin().await?;
        match take(house, &mut tx, lines, user, uuid, request, &digest).await {
            // The id belongs to a request of another route that was stored at the same moment: now it can be seen.
            Ok(Took::Again) => tx.rollback().await?,
            Ok(Took::Before(accepted)) => return Ok(Answered { value: accepted, replayed: true }),
            Ok(Took::Now(stored, slip, status)) => {
                // Before the commit, so that no worker is faster.
                let awaited = expect(slip);
                let stored = Round { at: db::sync::taken(&mut tx, uuid, stored.order).await?, ..stored };
                tx.commit().await?;
                return Ok(Answered::now(accepted(house, stored, status, awaited).await));
            }
            Err(error) => {
                if let Some(code) = for_a_person(&error) {
                    db::sync::refused(&mut tx, uuid, code).await?;
                    tx.commit().await?;
                    tracing::info!(%uuid, code, user = user.id.get(), "kept order refused: a person decides");
                }
                return Err(error);
            }
        }
    }
}

async fn accepted(house: &House, stored: Round, status: SentStatus, awaited: Option<Awaited<'_>>) -> SyncAccepted {
    let status = ordering::told(house, stored, status, awaited).await;
    SyncAccepted { order_id: stored.order, status, round: stored.number, server_timestamp: stored.at }
}

/// Where a round goes of which there is nothing to decide, if its guests are there: as [`judge`] rules once they are found to be. None
/// when it takes the place of another or comes after one, or when it costs something else than was said.
fn straight_to(user: &SessionUser, request: &SyncRequest, lines: &[PricedLine]) -> Option<To> {
    if request.resolves.is_some() || costs_otherwise(request, lines).is_some() {
        return None;
    }
    match (request.order_id, request.after) {
        (Some(order), _) => Some(To::Order(order)),
        (None, Some(_)) => None,
        (None, None) => {
            let joins_anybody = appends(request, OffsetDateTime::now_utc());
            Some(To::OpenAt(request.table_id, (!joins_anybody).then_some(user.id)))
        }
    }
}

/// The refusal when it costs something else than the phone said.
fn costs_otherwise(request: &SyncRequest, lines: &[PricedLine]) -> Option<Refusal> {
    let now: Cents = lines.iter().map(PricedLine::total).sum();
    request.total.filter(|said| *said != now).map(|said| Refusal::PriceChanged { said, now })
}

/// What came of one try.
enum Took {
    /// It is stored, with this key of its slip and this word about the kitchen.
    Now(Round, Uuid, SentStatus),
    /// It was stored before.
    Before(SyncAccepted),
    /// To be tried again.
    Again,
}

async fn take(
    house: &House,
    tx: &mut PgConnection,
    lines: std::result::Result<Vec<PricedLine>, Vec<FieldError>>,
    user: &SessionUser,
    uuid: Uuid,
    request: &SyncRequest,
    digest: &[u8],
) -> Result<Took> {
    let claimed = db::sync::claim(tx, uuid, user.id, Some(request.table_id), Some(request.offline_timestamp)).await?;
    if claimed.user != user.id {
        return Err(Error::IdempotencyMismatch);
    }
    let earlier = db::sync::answer(tx, uuid).await?;
    match (claimed.outcome, earlier) {
        (Outcome::Open, None) => once::refuse_if_forgotten(tx, Some(uuid)).await?,
        (Outcome::Taken(_), Some((of, Some(answer)))) if of == digest => {
            let OrderAccepted { order_id, status, round } = ordering::replay(tx, &answer).await?.value;
            let server_timestamp = db::sync::settled_at(tx, uuid).await?;
            return Ok(Took::Before(SyncAccepted { order_id, status, round, server_timestamp }));
        }
        (Outcome::Taken(order), None) => return Err(Refusal::AlreadySynced(order).into()),
        (Outcome::Resolved(_) | Outcome::Dropped, _) => return Err(Refusal::Over.into()),
        (Outcome::Open | Outcome::Taken(_), Some(_)) => return Err(Error::IdempotencyMismatch),
    }
    if let Some(old) = request.resolves {
        resolve(tx, user, old, uuid, request).await?;
    }
    let lines = lines.map_err(Error::Invalid)?;
    if let Some(refusal) = costs_otherwise(request, &lines) {
        return Err(refusal.into());
    }
    let order = find_order(tx, user, request).await?;
    if let Some(covers) = request.covers {
        amending::covers_said(tx, user, &order, covers, Some(request.offline_timestamp)).await?;
    }
    let round = ordering::new_round(house, &lines, Some(uuid), digest);
    match add_round(&mut *tx, house.kitchen, To::Order(order.id), &round).await? {
        Stored::Round(stored) => Ok(Took::Now(stored, round.slip, round.status)),
        Stored::Not | Stored::Elsewhere => Ok(Took::Again),
    }
}

/// This request takes the place of an older one, which is never taken from now on, whatever copies of it are still on their way.
async fn resolve(tx: &mut PgConnection, user: &SessionUser, old: Uuid, by: Uuid, request: &SyncRequest) -> Result<()> {
    let before = db::sync::claim(tx, old, user.id, None, None).await?;
    if before.user != user.id {
        return Err(Error::invalid("resolves", "unknown_intent"));
    }
    match before.outcome {
        Outcome::Open => {
            let kind = match before.table {
                Some(table) if table != request.table_id => "other_table",
                _ if request.if_occupied == Some(IfOccupied::Append) => "append",
                _ => "amended",
            };
            shut(tx, old).await?;
            db::sync::resolved(tx, old, by, kind, user.id).await
        }
        Outcome::Resolved(other) if other == by => Ok(()),
        Outcome::Taken(order) => Err(Refusal::AlreadySynced(order).into()),
        Outcome::Resolved(_) | Outcome::Dropped => Err(Refusal::Over.into()),
    }
}

/// From now on nothing is taken under this id, whichever way it comes. Waits for a request that is being taken under it.
async fn shut(tx: &mut PgConnection, uuid: Uuid) -> Result<()> {
    // Nobody asks with this digest: whoever comes later finds the id used.
    match idempotency::claim(tx, uuid, SHUT).await? {
        Claim::New => idempotency::settle(tx, uuid, 409, &json!({ "code": Refusal::Over.code() }).to_string()).await,
        Claim::UnderWay | Claim::Done { .. } => Err(Error::IdempotencyMismatch),
    }
}

/// The order that a round belongs to, locked.
async fn find_order(tx: &mut PgConnection, user: &SessionUser, request: &SyncRequest) -> Result<OpenOrder> {
    let meant = match (request.order_id, request.after) {
        (Some(id), _) => Some(db::sync::lock_meant(tx, id).await?.ok_or_else(|| Error::invalid("order_id", "unknown_order"))?),
        (None, Some(after)) => match db::sync::order_after(tx, after).await? {
            Some(id) => db::sync::lock_meant(tx, id).await?,
            None => None,
        },
        (None, None) => None,
    };
    let (here, seats) = match &meant {
        // Wherever it was typed: its guests are known.
        Some(meant) if meant.status == OrderStatus::Open => (None, 1),
        _ => ordering::lock_table(tx, request.table_id).await?,
    };
    let seen = |order: &OpenOrder, is_open| SeenOrder { id: order.id, is_open, server: order.server.0 };
    let facts = Facts {
        meant: meant.as_ref().map(|meant| seen(&meant.order, meant.status == OrderStatus::Open)),
        at_table: here.as_ref().map(|order| seen(order, true)),
    };
    match (judge(request, user.id, &facts, OffsetDateTime::now_utc()), meant, here) {
        (Ruling::Join(id), Some(meant), _) if meant.order.id == id => Ok(meant.order),
        (Ruling::Join(_), _, Some(order)) => Ok(order),
        (Ruling::Occupied(id), _, Some(order)) => {
            Err(Error::TableOccupied { order_id: id.get(), opened_by: (order.server.0.get(), order.server.1) })
        }
        (Ruling::Closed(now), ..) => Err(Refusal::GuestsLeft(now).into()),
        (Ruling::Open, ..) => {
            let covers = request.covers.unwrap_or(seats);
            let id = db::orders::open(tx, request.table_id, covers, user.id).await?;
            Ok(OpenOrder { id, rounds: 0, covers, server: (user.id, user.name.clone()) })
        }
        (Ruling::Join(_) | Ruling::Occupied(_), ..) => Err(Error::internal("a ruling about an order that was not there")),
    }
}

/// Whether a person has to decide, and about what. Anything else is either over or tried again by itself.
fn for_a_person(error: &Error) -> Option<&'static str> {
    match error {
        Error::TableOccupied { .. } => Some("table_occupied"),
        Error::Sync(Refusal::GuestsLeft(_)) => Some("order_closed"),
        Error::Sync(Refusal::PriceChanged { .. }) => Some("price_changed"),
        Error::Invalid(_) => Some("invalid"),
        _ => None,
    }
}

/// A person gives up an order that a phone kept. From now on it is never taken. The same again changes nothing.
///
/// # Errors
/// [`Refusal::AlreadySynced`] when it was taken after all; [`Refusal::Over`] when another was sent in its place; [`Error::Invalid`] without a
/// reason; [`Error::Forbidden`] when somebody else typed it, unless this person handles money.
pub async fn give_up(house: &House, user: &SessionUser, uuid: Uuid, request: &DropRequest) -> Result<Answered<Dropped>> {
    let reason = request.reason.trim();
    if reason.is_empty() {
        return Err(Error::invalid("reason", "reason_required"));
    }
    if reason.chars().count() > MAX_REASON {
        return Err(Error::invalid("reason", "too_long"));
    }
    if reason.chars().any(char::is_control) {
        return Err(Error::invalid("reason", "control_character"));
    }
    if domain::card::is_in(reason) {
        return Err(Error::invalid("reason", "card_number"));
    }
    let mut tx = house.db.begin().await?;
    let claimed = db::sync::claim(&mut tx, uuid, user.id, None, None).await?;
    if claimed.user != user.id && !user.role.may(Right::HandleMoney) {
        return Err(Error::Forbidden);
    }
    let replayed = match claimed.outcome {
        Outcome::Open => {
            shut(&mut tx, uuid).await?;
            db::sync::dropped(&mut tx, uuid, user.id, reason).await?;
            false
        }
        Outcome::Dropped => true,
        Outcome::Taken(order) => return Err(Refusal::AlreadySynced(order).into()),
        Outcome::Resolved(_) => return Err(Refusal::Over.into()),
    };
    let server_timestamp = db::sync::settled_at(&mut tx, uuid).await?;
    tx.commit().await?;
    tracing::info!(%uuid, user = user.id.get(), replayed, "kept order given up");
    Ok(Answered { value: Dropped { uuid, server_timestamp }, replayed })
}

/// Stores what a phone says of itself.
///
/// # Errors
/// [`Error::Invalid`] when the version of its app is no version.
pub async fn report(house: &House, user: &SessionUser, device: Uuid, report: &DeviceReport) -> Result<()> {
    if report.app.chars().count() > MAX_APP || report.app.chars().any(char::is_control) {
        return Err(Error::invalid("app", "too_long"));
    }
    db::devices::report(&house.db, device, user.id, report).await
}

/// The phones of the house, and what arrived after the day was closed.
///
/// # Errors
/// When the database does not answer.
pub async fn devices(house: &House) -> Result<DevicesView> {
    let devices = db::devices::list(&house.db).await?;
    let late = db::sync::late(&house.db, REGISTER, house.training).await?;
    Ok(DevicesView { devices, late })
}
