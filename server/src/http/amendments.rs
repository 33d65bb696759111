//! What changes an order that was taken. Each answers with the order as it is then.

use super::orders::request_id;
use super::parse::{Json, PathId};
use crate::error::{Error, Result};
use crate::services::amending;
use crate::state::Shared;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use domain::api::{CourseCall, HandoverRequest, MergeRequest, OrderView, SessionUser, TransferRequest, VoidRequest};
use domain::{LineId, OrderId};

type Answer = Result<Json<OrderView>>;
type Who = Extension<SessionUser>;

/// `POST /api/orders/{id}/lines/{line_id}/void`
///
/// # Errors
/// 404; 409 closed, partly paid, id reused; 422 without a reason or with more than there is.
pub async fn void(
    State(house): State<Shared>,
    Extension(user): Who,
    Path((order, line)): Path<(String, String)>,
    headers: HeaderMap,
    Json(mut request): Json<VoidRequest>,
) -> Answer {
    let order: OrderId = order.parse().map_err(|_| Error::NotFound("cette commande"))?;
    let line: LineId = line.parse().map_err(|_| Error::NotFound("cette ligne"))?;
    request.uuid = request_id(&headers, request.uuid)?;
    Ok(Json(amending::void_line(&house, &user, order, line, &request).await?))
}

/// `POST /api/orders/{id}/transfer`
///
/// # Errors
/// 404; 409 closed, table occupied; 422.
pub async fn transfer(
    State(house): State<Shared>,
    Extension(user): Who,
    PathId(order): PathId<OrderId>,
    Json(to): Json<TransferRequest>,
) -> Answer {
    Ok(Json(amending::transfer(&house, &user, order, &to).await?))
}

/// `POST /api/orders/{id}/merge`
///
/// # Errors
/// 404; 409 closed, partly paid; 422.
pub async fn merge(
    State(house): State<Shared>,
    Extension(user): Who,
    PathId(order): PathId<OrderId>,
    Json(into): Json<MergeRequest>,
) -> Answer {
    Ok(Json(amending::merge(&house, &user, order, &into).await?))
}

/// `POST /api/orders/{id}/handover`
///
/// # Errors
/// 404; 409 closed; 422.
pub async fn handover(
    State(house): State<Shared>,
    Extension(user): Who,
    PathId(order): PathId<OrderId>,
    Json(to): Json<HandoverRequest>,
) -> Answer {
    Ok(Json(amending::hand_over(&house, &user, order, &to).await?))
}

/// `POST /api/orders/{id}/courses/{n}/fire`
///
/// # Errors
/// 404; 409 closed.
pub async fn fire(State(house): State<Shared>, Extension(user): Who, Path(of): Path<(String, String)>) -> Answer {
    let (order, course) = order_and_course(&of)?;
    Ok(Json(amending::course(&house, &user, order, course, CourseCall::Fire).await?))
}

/// `POST /api/orders/{id}/courses/{n}/hold`
///
/// # Errors
/// 404; 409 closed, already in the kitchen.
pub async fn hold(State(house): State<Shared>, Extension(user): Who, Path(of): Path<(String, String)>) -> Answer {
    let (order, course) = order_and_course(&of)?;
    Ok(Json(amending::course(&house, &user, order, course, CourseCall::Hold).await?))
}

/// `POST /api/orders/{id}/release`
///
/// # Errors
/// 404; 409 closed, not settled.
pub async fn release(State(house): State<Shared>, Extension(user): Who, PathId(order): PathId<OrderId>) -> Answer {
    Ok(Json(amending::release(&house, &user, order).await?))
}

fn order_and_course((order, course): &(String, String)) -> Result<(OrderId, u8)> {
    let order = order.parse().map_err(|_| Error::NotFound("cette commande"))?;
    Ok((order, course.parse().map_err(|_| Error::NotFound("ce service"))?))
}
