//! Every route, on one page, grouped by who uses it.

use crate::LARGEST_BODY;
use crate::error::Error;
use crate::http::guard::{closed_unless_said, may, same_origin, secure_cookies, signed_in, to_the_end};
use crate::http::{
    amendments, auth, documents, fiscal, floor, health, kitchen, menu, metrics, openapi, orders, pages, payments, printing, sync, users,
    webhooks, ws,
};
use crate::session_store::Store;
use crate::state::Shared;
use axum::extract::Request as AxumRequest;
use axum::extract::{DefaultBodyLimit, MatchedPath, State};
use axum::http::{HeaderName, HeaderValue, Request, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use axum::{Extension, Router, middleware};
use domain::role::Right;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use tower_sessions::SessionManagerLayer;
use tower_sessions::cookie::SameSite;

/// Longer than any answer takes; a slower one is given up.
const SLOWEST_ANSWER: Duration = Duration::from_secs(30);
/// Who waits for a guest with a card, or reads years of journal, and has a patience of its own.
const TAKES_ITS_TIME: [&str; 5] = ["/api/payments/split", "/call/pay", "/api/nf525/verify", "/call/verify", "/api/nf525/archive"];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A route for whoever has the right.
fn only(right: Right, route: MethodRouter<Shared>) -> MethodRouter<Shared> {
    route.layer(middleware::from_fn_with_state(right, may))
}

async fn in_time(State(within): State<Duration>, request: AxumRequest, next: Next) -> Result<Response, Error> {
    if TAKES_ITS_TIME.contains(&request.uri().path()) {
        return Ok(next.run(request).await);
    }
    tokio::time::timeout(within, next.run(request)).await.map_err(|_| Error::TooSlow)
}

/// The whole server.
pub fn router(house: Shared, sessions: Store, stopping: ws::Stopping) -> Router {
    router_with(house, sessions, stopping, SLOWEST_ANSWER)
}

/// The same with another time in which a body is here, and an answer.
pub fn router_with(house: Shared, sessions: Store, stopping: ws::Stopping, within: Duration) -> Router {
    use Right::{Administer, ExportJournal, HandleMoney, TakeOrders, VerifyJournal};
    // Pages are rendered as tasks of this runtime. A second router of one process finds that said already.
    let _ = any_spawner::Executor::init_tokio();

    let with_token = middleware::from_fn_with_state(house.clone(), webhooks::kitchen_system);

    let api = Router::new()
        // anyone
        .route("/api/openapi.json", get(openapi::show))
        .route("/api/auth/login", post(auth::login))
        // whoever is signed in
        .route("/api/auth/logout", post(auth::logout).layer(middleware::from_fn(signed_in)))
        .route("/api/menu", get(menu::get).layer(middleware::from_fn(signed_in)))
        .route("/api/tables", get(floor::tables).layer(middleware::from_fn(signed_in)))
        .route("/ws", get(ws::open).layer(middleware::from_fn(signed_in)))
        // waiters
        .route("/api/orders", only(TakeOrders, post(orders::place)))
        .route("/api/orders/sync", only(TakeOrders, post(sync::sync).layer(middleware::from_fn(sync::speaks))))
        .route("/api/orders/sync/{uuid}/drop", only(TakeOrders, post(sync::give_up).layer(middleware::from_fn(sync::speaks))))
        .route("/api/devices/{uuid}", only(TakeOrders, put(sync::report)))
        .route("/api/orders/{id}", only(TakeOrders, get(orders::get)))
        .route("/api/orders/{id}/bill", only(TakeOrders, get(orders::bill)))
        .route("/api/orders/{id}/lines/{line_id}/void", only(TakeOrders, post(amendments::void)))
        .route("/api/orders/{id}/transfer", only(TakeOrders, post(amendments::transfer)))
        .route("/api/orders/{id}/merge", only(TakeOrders, post(amendments::merge)))
        .route("/api/orders/{id}/handover", only(TakeOrders, post(amendments::handover)))
        .route("/api/orders/{id}/covers", only(TakeOrders, post(amendments::covers)))
        .route("/api/orders/{id}/courses/{n}/fire", only(TakeOrders, post(amendments::fire)))
        .route("/api/orders/{id}/courses/{n}/hold", only(TakeOrders, post(amendments::hold)))
        .route("/api/orders/{id}/note", only(TakeOrders, post(orders::note)))
        .route("/api/orders/{id}/release", only(TakeOrders, post(amendments::release)))
        .route("/api/menu/items/{id}/availability", only(TakeOrders, put(menu::availability)))
        // the kitchen
        .route("/api/kitchen", only(TakeOrders, get(kitchen::slips)))
        .route("/api/kitchen/lines/{line_id}", only(TakeOrders, post(kitchen::move_line)))
        .route("/api/kitchen/slips/{order_id}/{round}", only(TakeOrders, post(kitchen::move_slip)))
        .route("/api/pass", only(TakeOrders, get(kitchen::waiting)))
        // cashiers
        .route("/api/orders/{id}/split", only(HandleMoney, put(orders::split)))
        .route("/api/orders/{id}/discount", only(HandleMoney, post(orders::discount)))
        .route("/api/payments/split", only(HandleMoney, post(payments::pay)))
        .route("/api/payments/{id}", only(HandleMoney, get(payments::get)))
        .route("/api/payments/{id}/method", only(HandleMoney, post(payments::change_method)))
        .route("/api/payments/{id}/resolve", only(HandleMoney, post(payments::resolve)))
        .route("/api/cash/movements", only(HandleMoney, post(fiscal::move_cash)))
        .route("/api/payments/{id}/contradictions/{word_id}", only(HandleMoney, post(payments::decide)))
        .route("/api/payments/{id}/query", only(HandleMoney, post(payments::query)))
        .route("/api/payments/{id}/abort", only(HandleMoney, post(payments::abort)))
        .route("/api/payments/to-check", only(HandleMoney, get(payments::to_check)))
        .route("/api/payments/strays", only(HandleMoney, get(payments::strays)))
        .route("/api/payments/strays/{id}", only(HandleMoney, post(payments::decide_stray)))
        .route("/api/nf525/close", only(HandleMoney, post(fiscal::close)))
        .route("/api/nf525/x", only(HandleMoney, get(fiscal::x)))
        .route("/api/nf525/tickets/{no}", only(HandleMoney, get(fiscal::ticket)))
        .route("/api/devices", only(HandleMoney, get(sync::devices)))
        .route("/api/nf525/tickets/{no}/print", only(HandleMoney, post(printing::ticket)))
        .route("/api/nf525/tickets/{no}/decline", only(HandleMoney, post(printing::decline)))
        .route("/api/nf525/closings/{id}/print", only(HandleMoney, post(printing::closing)))
        // admins
        .route("/api/floor", only(Administer, get(floor::drawing).put(floor::redraw)))
        // the owner
        .route("/api/payments/{id}/refund", only(Administer, post(payments::refund)))
        .route("/api/menu/items", only(Administer, get(menu::items).post(menu::add)))
        .route("/api/menu/items/{id}", only(Administer, put(menu::change)))
        .route("/api/menu/items/{id}/pairings", only(Administer, put(menu::pairings)))
        .route("/api/menu/headings", only(Administer, get(menu::headings)))
        .route("/api/menu/headings/{category}/pairings", only(Administer, put(menu::heading_pairings)))
        .route("/api/menu/notes", only(Administer, get(menu::notes).put(menu::set_notes)))
        .route("/api/users", only(Administer, get(users::list).post(users::add)))
        .route("/api/users/{id}", only(Administer, put(users::change)))
        .route("/api/pass/waits", only(Administer, get(kitchen::waits)))
        // auditors
        .route("/api/nf525/verify", only(VerifyJournal, get(fiscal::verify)))
        .route("/api/nf525/archive", only(ExportJournal, get(fiscal::archive)))
        // the kitchen system, with a token
        .route("/api/webhooks/erp/dish-ready", post(webhooks::dish_ready).layer(with_token))
        // the machine next door
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::show));

    let site = Router::new()
        .route("/", get(pages::page))
        .route("/connexion", get(pages::page))
        .route("/plan", get(pages::page))
        .route("/plan/editeur", get(pages::page))
        .route("/table/{id}", get(pages::page))
        .route("/en-attente", get(pages::page))
        .route("/cuisine", get(pages::page))
        .route("/addition/{order}", get(pages::page))
        .route("/ticket/{no}", get(pages::page))
        .route("/a-verifier", get(pages::page))
        .route("/cloture", get(pages::page))
        .route("/passe", get(pages::page))
        .route("/shell", get(pages::shell))
        // anyone: checks an archive in the browser, and reaches no server
        .route("/verifier", get(pages::verifier))
        // anyone: what is protected, and how it is checked
        .route("/protection", get(documents::show))
        .route("/manuel", get(documents::show))
        .route("/attaques", get(documents::show))
        .route("/call/{*name}", post(pages::call))
        .fallback(pages::other);

    let session_layer = SessionManagerLayer::new(sessions.clone())
        .with_name("comptoir")
        .with_http_only(true)
        .with_same_site(SameSite::Strict)
        // `secure_cookies` marks it behind TLS; on the till itself there is none.
        .with_secure(false);

    // Read from the bottom: what stands last sees the request first.
    let house_itself = api
        .merge(site)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(house.metrics.clone(), metrics::count))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(Extension(sessions))
        .layer(Extension(stopping))
        .layer(session_layer)
        .layer(middleware::from_fn_with_state((Arc::clone(&house), within), to_the_end))
        .layer(middleware::from_fn(secure_cookies))
        .layer(middleware::from_fn(same_origin))
        .layer(middleware::from_fn_with_state(within, in_time))
        .layer(CatchPanicLayer::custom(|_| Error::internal("a handler panicked").into_response()));
    guarded(house_itself)
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(TraceLayer::new_for_http().make_span_with(|request: &Request<_>| {
            let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
            // The path only: a query may hold what should not be logged.
            let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str);
            tracing::info_span!("request", id, method = %request.method(), path = request.uri().path(), route)
        }))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .with_state(house)
}

/// The door for whoever watches from another machine, `METRICS_ADDR`: the figures and the health, and nothing else of the house.
pub fn for_watchers(house: Shared, sessions: Store) -> Router {
    let watched = Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::show_to_anybody))
        .fallback(async || Error::NotFound("cette adresse"))
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(Extension(sessions))
        .layer(middleware::from_fn_with_state(SLOWEST_ANSWER, in_time))
        .layer(CatchPanicLayer::custom(|_| Error::internal("a handler panicked").into_response()));
    guarded(watched)
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .with_state(house)
}

/// With what every answer says to browsers.
fn guarded(router: Router<Shared>) -> Router<Shared> {
    let header = |name: HeaderName, value: &'static str| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    router
        .layer(middleware::from_fn(closed_unless_said))
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::REFERRER_POLICY, "same-origin"))
        .layer(header(header::X_FRAME_OPTIONS, "DENY"))
        .layer(header(HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"))
}
