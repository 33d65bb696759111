//! What changes an order that was taken. Each answers with the order as it is then; the same id again, with the order as it was then.

use super::orders::{done, request_id};
use super::parse::{Json, PathId, PathTexts};
use crate::error::{Error, Result};
use crate::services::amending;
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::api::{CourseCall, CoversRequest, HandoverRequest, MergeRequest, SessionUser, TransferRequest, VoidRequest};
use domain::{LineId, OrderId};

type Who = Extension<SessionUser>;

/// `POST /api/orders/{id}/lines/{line_id}/void`
///
/// # Errors
/// 404; 409 closed, partly paid, id reused; 422 without a reason or with more than there is.
pub async fn void(
    State(house): State<Shared>,
    Extension(user): Who,
    PathTexts((order, line)): PathTexts<(String, String)>,
    headers: HeaderMap,
    Json(mut request): Json<VoidRequest>,
) -> Result<Response> {
    let order: OrderId = order.parse().map_err(|_| Error::NotFound("cette commande"))?;
    let line: LineId = line.parse().map_err(|_| Error::NotFound("cette ligne"))?;
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(done(amending::void_line(&house, &user, order, line, &request).await?))
}

/// `POST /api/orders/{id}/transfer`
///
/// # Errors
/// 404; 409 closed, table occupied, id reused; 422.
pub async fn transfer(
    State(house): State<Shared>,
    Extension(user): Who,
    PathId(order): PathId<OrderId>,
    headers: HeaderMap,
    Json(mut request): Json<TransferRequest>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(done(amending::transfer(&house, &user, order, &request).await?))
}

/// `POST /api/orders/{id}/merge`
///
/// # Errors
/// 404; 409 closed, partly paid, id reused; 422.
pub async fn merge(
    State(house): State<Shared>,
    Extension(user): Who,
    PathId(order): PathId<OrderId>,
    headers: HeaderMap,
    Json(mut request): Json<MergeRequest>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(done(amending::merge(&house, &user, order, &request).await?))
}

/// `POST /api/orders/{id}/handover`
///
/// # Errors
/// 404; 409 closed, id reused; 422.
pub async fn handover(
    State(house): State<Shared>,
    Extension(user): Who,
    PathId(order): PathId<OrderId>,
    headers: HeaderMap,
    Json(mut request): Json<HandoverRequest>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(done(amending::hand_over(&house, &user, order, &request).await?))
}

/// `POST /api/orders/{id}/covers`
///
/// # Errors
/// 404; 409 closed, partly paid, payment in progress, id reused; 422.
pub async fn covers(
    State(house): State<Shared>,
    Extension(user): Who,
    PathId(order): PathId<OrderId>,
    headers: HeaderMap,
    Json(mut request): Json<CoversRequest>,
) -> Result<Response> {
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(done(amending::set_covers(&house, &user, order, &request).await?))
}

/// `POST /api/orders/{id}/courses/{n}/fire`
///
/// # Errors
/// 404; 409 closed, id reused.
pub async fn fire(
    State(house): State<Shared>,
    Extension(user): Who,
    PathTexts(of): PathTexts<(String, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    call(&house, &user, &of, &headers, CourseCall::Fire).await
}

/// `POST /api/orders/{id}/courses/{n}/hold`
///
/// # Errors
/// 404; 409 closed, already in the kitchen, id reused.
pub async fn hold(
    State(house): State<Shared>,
    Extension(user): Who,
    PathTexts(of): PathTexts<(String, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    call(&house, &user, &of, &headers, CourseCall::Hold).await
}

/// `POST /api/orders/{id}/release`
///
/// # Errors
/// 404; 409 closed, not settled, id reused.
pub async fn release(
    State(house): State<Shared>,
    Extension(user): Who,
    PathId(order): PathId<OrderId>,
    headers: HeaderMap,
) -> Result<Response> {
    Ok(done(amending::release(&house, &user, order, request_id(&headers, None)?).await?))
}

async fn call(house: &Shared, user: &SessionUser, of: &(String, String), headers: &HeaderMap, call: CourseCall) -> Result<Response> {
    let (order, course) = order_and_course(of)?;
    Ok(done(amending::course(house, user, order, course, call, request_id(headers, None)?).await?))
}

fn order_and_course((order, course): &(String, String)) -> Result<(OrderId, u8)> {
    let order = order.parse().map_err(|_| Error::NotFound("cette commande"))?;
    Ok((order, course.parse().map_err(|_| Error::NotFound("ce service"))?))
}
