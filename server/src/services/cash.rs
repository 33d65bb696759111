//! The drawer: its float, what is put in and taken out, and what is counted. Each is a signed record of the open day.

use super::once::{self, Answered};
use super::recording::{self, NewMoney};
use crate::db;
use crate::db::periods::Period;
use crate::error::{Error, Result};
use crate::state::{House, REGISTER};
use domain::Cents;
use domain::api::{CashKind, CashMovement, CashMovementDone, CashMovementRequest, Method, SessionUser};
use domain::fiscal::{MoneyContent, MoneyKind, RecordKind};
use domain::order::{FieldError, MAX_REASON};
use futures::StreamExt;
use sqlx::PgConnection;

/// More is a slip of the finger.
const MOST: Cents = Cents(10_000_000);

/// Records a movement of cash. The same `uuid` again records nothing and returns the first answer.
///
/// # Errors
/// [`Error::Invalid`] without a reason for what goes in or out, or with an amount that cannot be.
pub async fn move_cash(house: &House, user: &SessionUser, request: &CashMovementRequest) -> Result<Answered<CashMovementDone>> {
    check(request)?;
    let mut tx = house.db.begin().await?;
    if let Some(answered) = once::earlier(&mut tx, request.uuid, "cash", user.id, request).await? {
        return Ok(answered);
    }
    let kind = match request.kind {
        CashKind::Float => MoneyKind::Float,
        CashKind::In => MoneyKind::In,
        CashKind::Out => MoneyKind::Out,
        CashKind::Count => MoneyKind::Count,
    };
    let new = NewMoney {
        kind,
        amount: request.amount,
        method: Method::Especes,
        to: None,
        ticket_no: None,
        reason: request.reason.trim(),
        operator: &user.name,
    };
    let record = recording::money(house, &mut tx, new).await?;
    let done = CashMovementDone { movement_no: record.seq, kind: request.kind, amount: request.amount };
    once::remember(&mut tx, request.uuid, 201, &done).await?;
    tx.commit().await?;
    tracing::info!(kind = ?request.kind, movement = record.seq, "cash moved");
    Ok(Answered::now(done))
}

fn check(request: &CashMovementRequest) -> Result<()> {
    let mut errors = Vec::new();
    let moves = matches!(request.kind, CashKind::In | CashKind::Out);
    if request.amount < Cents::ZERO || (moves && request.amount == Cents::ZERO) {
        errors.push(FieldError::new("amount", "not_positive"));
    }
    if request.amount > MOST {
        errors.push(FieldError::new("amount", "out_of_range"));
    }
    let reason = request.reason.trim();
    if moves && reason.is_empty() {
        errors.push(FieldError::new("reason", "required"));
    }
    if reason.chars().count() > MAX_REASON || reason.chars().any(char::is_control) {
        errors.push(FieldError::new("reason", "too_long"));
    } else if domain::card::is_in(reason) {
        errors.push(FieldError::new("reason", "card_number"));
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// Movements of cash of a period, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn movements(house: &House, db: &mut PgConnection, period: &Period) -> Result<Vec<CashMovement>> {
    let to = period.last_record.unwrap_or(i64::MAX);
    let mut records = std::pin::pin!(db::journal::adding(db, REGISTER, house.training, period.first_record, to));
    let mut movements = Vec::new();
    while let Some(record) = records.next().await {
        let (kind, text) = record?;
        let kind = match kind {
            RecordKind::Float => CashKind::Float,
            RecordKind::CashIn => CashKind::In,
            RecordKind::CashOut => CashKind::Out,
            RecordKind::CashCount => CashKind::Count,
            _ => continue,
        };
        let MoneyContent { amount, reason, operator, at_local, .. } = serde_json::from_str(&text)?;
        movements.push(CashMovement { kind, amount, reason, operator, at_local });
    }
    Ok(movements)
}
