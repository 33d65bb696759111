//! What programs rely on: statuses, codes, who may do what.

use crate::support::{Client, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use server::http::openapi;
use std::collections::BTreeSet;

const ANYONE: &str = "";
const EVERYBODY: &str = "serveur caissier admin auditeur";
const WAITERS: &str = "serveur caissier admin";
const CASHIERS: &str = "caissier admin";
const ADMINS: &str = "admin";
const JOURNAL: &str = "caissier admin auditeur";
const EXPORT: &str = "admin auditeur";

/// For a program with a token, and for nobody who is signed in: see `pass`.
const KITCHEN_SYSTEM: &str = "/api/webhooks/erp/dish-ready";

/// Every route for programs, as `router.rs` writes it, and who may call it.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/api/openapi.json", ANYONE),
    ("POST", "/api/auth/login", ANYONE),
    ("GET", "/api/menu/items", ADMINS),
    ("POST", "/api/menu/items", ADMINS),
    ("PUT", "/api/menu/items/{id}", ADMINS),
    ("PUT", "/api/menu/items/{id}/pairings", ADMINS),
    ("GET", "/api/menu/headings", ADMINS),
    ("PUT", "/api/menu/headings/{category}/pairings", ADMINS),
    ("GET", "/api/menu/notes", ADMINS),
    ("PUT", "/api/menu/notes", ADMINS),
    ("GET", "/api/users", ADMINS),
    ("POST", "/api/users", ADMINS),
    ("PUT", "/api/users/{id}", ADMINS),
    ("GET", "/api/menu", EVERYBODY),
    ("GET", "/api/tables", EVERYBODY),
    ("GET", "/ws", EVERYBODY),
    ("POST", "/api/orders", WAITERS),
    ("POST", "/api/orders/sync", WAITERS),
    ("POST", "/api/orders/sync/{uuid}/drop", WAITERS),
    ("PUT", "/api/devices/{uuid}", WAITERS),
    ("GET", "/api/devices", CASHIERS),
    ("GET", "/api/orders/{id}", WAITERS),
    ("GET", "/api/orders/{id}/bill", WAITERS),
    ("POST", "/api/orders/{id}/lines/{line_id}/void", WAITERS),
    ("POST", "/api/orders/{id}/transfer", WAITERS),
    ("POST", "/api/orders/{id}/merge", WAITERS),
    ("POST", "/api/orders/{id}/handover", WAITERS),
    ("POST", "/api/orders/{id}/covers", WAITERS),
    ("POST", "/api/orders/{id}/courses/{n}/fire", WAITERS),
    ("POST", "/api/orders/{id}/courses/{n}/hold", WAITERS),
    ("POST", "/api/orders/{id}/release", WAITERS),
    ("POST", "/api/orders/{id}/note", WAITERS),
    ("POST", "/api/payments/{id}/method", CASHIERS),
    ("POST", "/api/payments/{id}/refund", ADMINS),
    ("PUT", "/api/menu/items/{id}/availability", WAITERS),
    ("GET", "/api/kitchen", WAITERS),
    ("POST", "/api/kitchen/lines/{line_id}", WAITERS),
    ("POST", "/api/kitchen/slips/{order_id}/{round}", WAITERS),
    ("GET", "/api/pass", WAITERS),
    ("GET", "/api/pass/waits", ADMINS),
    ("PUT", "/api/orders/{id}/split", CASHIERS),
    ("POST", "/api/orders/{id}/discount", CASHIERS),
    ("POST", "/api/payments/split", CASHIERS),
    ("GET", "/api/payments/{id}", CASHIERS),
    ("POST", "/api/payments/{id}/resolve", CASHIERS),
    ("POST", "/api/cash/movements", CASHIERS),
    ("POST", "/api/payments/{id}/contradictions/{word_id}", CASHIERS),
    ("POST", "/api/payments/{id}/query", CASHIERS),
    ("POST", "/api/payments/{id}/abort", CASHIERS),
    ("GET", "/api/payments/to-check", CASHIERS),
    ("GET", "/api/payments/strays", CASHIERS),
    ("POST", "/api/payments/strays/{id}", CASHIERS),
    ("POST", "/api/nf525/close", CASHIERS),
    ("GET", "/api/nf525/x", CASHIERS),
    ("GET", "/api/nf525/tickets/{no}", CASHIERS),
    ("POST", "/api/nf525/tickets/{no}/print", CASHIERS),
    ("POST", "/api/nf525/tickets/{no}/decline", CASHIERS),
    ("POST", "/api/nf525/closings/{id}/print", CASHIERS),
    ("GET", "/api/floor", ADMINS),
    ("PUT", "/api/floor", ADMINS),
    ("GET", "/api/nf525/verify", JOURNAL),
    ("GET", "/api/nf525/archive", EXPORT),
    ("GET", "/health/live", ANYONE),
    ("GET", "/health/ready", ANYONE),
    ("GET", "/metrics", ANYONE),
];

/// Every call of the pages, a body that can be read, and who may make it.
pub fn calls() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("who", json!({}), ANYONE),
        ("sign-in-names", json!({}), ANYONE),
        ("sign-in", json!({"login": {"username": "nobody", "pin": "0000"}}), ANYONE),
        ("sign-out", json!({}), ANYONE),
        ("floor", json!({}), EVERYBODY),
        ("order", json!({"id": 1}), WAITERS),
        ("void-line", json!({"order": 1, "line": 1, "request": {"qty": 1, "reason": "Erreur"}}), WAITERS),
        ("course", json!({"order": 1, "course": 1, "call": "fire"}), WAITERS),
        ("transfer", json!({"order": 1, "request": {"table_id": 1}}), WAITERS),
        ("merge", json!({"order": 1, "request": {"into_order_id": 2}}), WAITERS),
        ("hand-over", json!({"order": 1, "request": {"user_id": 1}}), WAITERS),
        ("set-covers", json!({"order": 1, "request": {"covers": 2}}), WAITERS),
        ("ask-bill", json!({"order": 1, "asked": true}), WAITERS),
        ("release", json!({"order": 1}), WAITERS),
        ("colleagues", json!({}), WAITERS),
        ("set-availability", json!({"item": 9999, "availability": {"available": true}}), WAITERS),
        ("kitchen", json!({}), WAITERS),
        ("waiting-dishes", json!({}), WAITERS),
        ("push-key", json!({}), WAITERS),
        (
            "push-subscribe",
            json!({"subscription": {"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "", "auth": ""}}}),
            WAITERS,
        ),
        ("pass-waits", json!({"day": null}), ADMINS),
        ("move-line", json!({"line": 1, "said": "ready"}), WAITERS),
        ("move-slip", json!({"order": 1, "round": 1, "wanted": {"state": "ready"}}), WAITERS),
        ("bill", json!({"order": 1}), WAITERS),
        ("split", json!({"order": 1, "how": {"mode": "equal", "parts": 2}}), CASHIERS),
        ("discount", json!({"order": 1, "request": {"percent": 10, "reason": "Attente"}}), CASHIERS),
        ("pay", json!({"payment": {"order_id": 1, "cover_number": 1, "amount": 1, "method": "ESPECES"}}), CASHIERS),
        ("note", json!({"order": 1}), WAITERS),
        ("refund", json!({"id": 1, "request": {"reason": "Erreur"}}), ADMINS),
        ("change-method", json!({"id": 1, "request": {"method": "CB", "reason": "Erreur"}}), CASHIERS),
        ("payment", json!({"id": 1}), CASHIERS),
        ("resolve", json!({"id": 1, "request": {"outcome": "accepted", "reason": "Ticket lu"}}), CASHIERS),
        ("query-terminal", json!({"id": 1}), CASHIERS),
        ("abort-payment", json!({"id": 1}), CASHIERS),
        ("money-to-check", json!({}), CASHIERS),
        ("decide", json!({"id": 1, "contradiction": 1, "request": {"decision": "kept", "reason": "Ticket lu"}}), CASHIERS),
        ("decide-stray", json!({"stray": 1, "request": {"decision": "kept", "reason": "Ticket lu"}}), CASHIERS),
        ("ticket", json!({"no": 1}), CASHIERS),
        ("print-ticket", json!({"no": 1, "request": {}}), CASHIERS),
        ("decline-ticket", json!({"no": 1}), CASHIERS),
        ("closing-paper", json!({"id": 1}), CASHIERS),
        ("print-closing", json!({"id": 1, "request": {}}), CASHIERS),
        ("closing", json!({}), CASHIERS),
        ("devices", json!({}), CASHIERS),
        ("own-orders", json!({}), WAITERS),
        ("close", json!({"request": {"date": "2999-01-01"}}), CASHIERS),
        ("move_cash", json!({"request": {"kind": "out", "amount": 1, "reason": ""}}), CASHIERS),
        ("floor-plan", json!({}), ADMINS),
        ("save-floor-plan", json!({"plan": {"version": 0, "rooms": []}}), ADMINS),
        ("verify", json!({}), JOURNAL),
    ]
}

/// What a file says between two marks, each time: the lists above are complete, or the test says what is missing.
fn named_in<'f>(file: &'f str, before: &str, after: &str) -> BTreeSet<&'f str> {
    file.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

/// Every route as `router.rs` writes it: method and path. A method stands at the beginning of a word, before its handler in parentheses.
pub fn routes_of_the_router() -> BTreeSet<(String, &'static str)> {
    let mut found = BTreeSet::new();
    for rest in include_str!("../../src/router.rs").split(".route(\"").skip(1) {
        let (path, rest) = rest.split_once('"').unwrap();
        // Whatever follows the last one is no route: it ends with its statement.
        let says = rest.split(";\n").next().unwrap_or(rest);
        let before = found.len();
        for (at, _) in says.match_indices('(') {
            let word = says[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').next().unwrap_or_default();
            match word {
                "get" | "post" | "put" | "delete" | "patch" | "head" | "options" | "trace" | "connect" => {
                    found.insert((word.to_uppercase(), path));
                }
                "any" | "on" | "get_service" | "post_service" | "any_service" | "route_service" => panic!("which methods has {path}?"),
                _ => {}
            }
        }
        assert!(found.len() > before, "{path} has no method that this test knows");
    }
    found
}

/// What a person opens.
pub fn is_page(path: &str) -> bool {
    !path.starts_with("/api/") && !path.starts_with("/health/") && !path.starts_with("/call/") && !["/ws", "/metrics"].contains(&path)
}

#[test]
fn the_lists_below_are_complete() {
    let routes: BTreeSet<(String, &str)> =
        routes_of_the_router().into_iter().filter(|(_, path)| !is_page(path) && !path.starts_with("/call/")).collect();
    let listed = ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), *path));
    let others = [("POST".to_owned(), "/api/auth/logout"), ("POST".to_owned(), KITCHEN_SYSTEM)];
    assert_eq!(routes, listed.chain(others).collect());
    // What a person opens is looked at, and nothing else.
    assert!(routes_of_the_router().iter().all(|(method, path)| !is_page(path) || method == "GET"));
    let listed = calls().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(named_in(include_str!("../../../app/src/calls.rs"), "endpoint = \"", "\""), listed);
}

#[test]
fn the_published_contract_names_every_route_with_its_roles_and_no_other() {
    let published: BTreeSet<(String, String, String)> = openapi::routes()
        .iter()
        .map(|route| {
            let roles: Vec<&str> = route.roles().unwrap_or_default().into_iter().map(domain::Role::as_str).collect();
            (route.method.to_uppercase(), route.path.to_owned(), roles.join(" "))
        })
        .collect();
    let listed = ROUTES.iter().chain(&[("POST", "/api/auth/logout", EVERYBODY), ("POST", KITCHEN_SYSTEM, ANYONE)]);
    // A socket is no request and answer; its frames are described elsewhere.
    let listed = listed
        .filter(|(_, path, _)| *path != "/ws")
        .map(|(method, path, roles)| ((*method).to_owned(), (*path).to_owned(), (*roles).to_owned()));
    assert_eq!(published, listed.collect());
    assert!(openapi::routes().iter().all(|route| (route.path == KITCHEN_SYSTEM) == (route.who == openapi::Who::KitchenSystem)));
}

#[test]
fn the_published_contract_names_every_code_with_its_status() {
    let error = include_str!("../../src/error.rs");
    let described = &error[error.find("fn describe").unwrap()..error.find("fn extras").unwrap()];
    let statuses = |name: &str| match name {
        "BAD_REQUEST" => 400,
        "UNAUTHORIZED" => 401,
        "PAYMENT_REQUIRED" => 402,
        "FORBIDDEN" => 403,
        "NOT_FOUND" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "CONFLICT" => 409,
        "PAYLOAD_TOO_LARGE" => 413,
        "UNSUPPORTED_MEDIA_TYPE" => 415,
        "UNPROCESSABLE_ENTITY" => 422,
        "UPGRADE_REQUIRED" => 426,
        "TOO_MANY_REQUESTS" => 429,
        "INTERNAL_SERVER_ERROR" => 500,
        "SERVICE_UNAVAILABLE" => 503,
        "GATEWAY_TIMEOUT" => 504,
        other => panic!("which status is {other}?"),
    };
    let mut ours = BTreeSet::new();
    for said in described.split("S::").skip(1) {
        let (name, rest) = said.split_once(',').unwrap();
        if let Some(word) = rest.trim_start().strip_prefix('"') {
            ours.insert((statuses(name), word.split('"').next().unwrap()));
        }
    }
    let syncing = include_str!("../../src/services/syncing.rs");
    let refusals = &syncing[syncing.find("fn code").unwrap()..syncing.find("fn sentence").unwrap()];
    ours.extend(refusals.split("=> \"").skip(1).map(|rest| (409, rest.split('"').next().unwrap())));
    // Of other methods and of faults of ours nothing is promised.
    ours.retain(|(status, _)| ![405, 500].contains(status));
    assert_eq!(openapi::CODES.iter().map(|code| (code.status, code.word)).collect::<BTreeSet<_>>(), ours);
}

/// A change of the contract is seen as one: `COMPTOIR_RENEW=1 cargo test -p server --test api contract` writes it anew.
#[tokio::test]
async fn the_published_contract_is_the_one_that_was_agreed() {
    let app = TestApp::start().await;
    let answer = app.stranger().get("/api/openapi.json").await;
    let document = openapi::document();
    assert_eq!(answer.body, document);
    // One line for each route and each shape.
    let mut text = format!("{{\"openapi\": {}, \"info\": {},\n\"paths\": {{\n", document["openapi"], document["info"]);
    let lines = |of: &Value| {
        let lines: Vec<String> = of.as_object().unwrap().iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
        lines.join(",\n")
    };
    let components = &document["components"];
    text += &format!("{}\n}},\n\"components\": {{\n\"schemas\": {{\n{}\n}},\n", lines(&document["paths"]), lines(&components["schemas"]));
    text += &format!("\"securitySchemes\": {}\n}}}}\n", components["securitySchemes"]);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    let agreed = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    if std::env::var_os("COMPTOIR_RENEW").is_some() {
        std::fs::write(agreed, &text).unwrap();
    }
    let known = std::fs::read_to_string(agreed).unwrap_or_default();
    let changed: Vec<(&str, &str)> = known.lines().zip(text.lines()).filter(|(was, is)| was != is).take(3).collect();
    assert!(known == text, "the contract changed; renew server/docs/openapi.json if that is meant. First differences: {changed:#?}");
}

/// Roles × one request: who may is let through, everybody else and strangers are not.
async fn only_these(app: &TestApp, people: &[(&str, Client)], method: &Method, path: &str, body: Option<&Value>, roles: &str) {
    let send = async |client: &Client| {
        let mut request = client.request(method.clone(), path);
        if let Some(body) = body {
            request = request.json(body);
        }
        client.send(request).await
    };
    let stranger = send(&app.stranger()).await;
    // Refusals of the pages' calls carry the same problem, wrapped.
    let code = stranger.body["Refused"]["code"].as_str().unwrap_or(stranger.code());
    if roles == ANYONE {
        assert!(code != "not_signed_in" && stranger.status < 500, "{method} {path}: {}", stranger.status);
        return;
    }
    assert_eq!((stranger.status, code), (401, "not_signed_in"), "{method} {path}");
    for (role, client) in people {
        let status = send(client).await.status;
        if roles.split(' ').any(|may| may == *role) {
            assert!(![401, 403].contains(&status) && status < 500, "{role} {method} {path}: {status}");
        } else {
            assert_eq!(status, 403, "{role} {method} {path}");
        }
    }
}

async fn one_of_each(app: &TestApp) -> Vec<(&'static str, Client)> {
    let mut people = Vec::new();
    for (username, role) in [("alice", "serveur"), ("camille", "caissier"), ("gerant", "admin"), ("audit", "auditeur")] {
        people.push((role, app.signed_in(username).await));
    }
    people
}

#[tokio::test]
async fn every_route_lets_through_who_may_and_nobody_else() {
    let app = TestApp::start().await;
    let people = one_of_each(&app).await;
    for (_, client) in &people {
        let answer = client.post(KITCHEN_SYSTEM, &json!({})).await;
        assert_eq!((answer.status, answer.code()), (503, "webhook_not_configured"), "a cookie opens no webhook");
    }
    // Last, because nobody is signed in any more after it.
    for (method, path, roles) in ROUTES.iter().chain(&[("POST", "/api/auth/logout", EVERYBODY)]) {
        let names = ["{id}", "{category}", "{line_id}", "{order_id}", "{round}", "{n}", "{no}", "{uuid}", "{word_id}"];
        let path = names.into_iter().fold((*path).to_owned(), |path, name| path.replace(name, "1"));
        only_these(&app, &people, &method.parse().unwrap(), &path, None, roles).await;
    }
}

#[tokio::test]
async fn every_call_of_the_pages_lets_through_who_may_and_nobody_else() {
    let app = TestApp::start().await;
    let people = one_of_each(&app).await;
    for (name, body, roles) in calls() {
        only_these(&app, &people, &Method::POST, &format!("/call/{name}"), Some(&body), roles).await;
    }
}

#[tokio::test]
async fn what_a_call_cannot_read_is_the_caller_s_fault() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let post = |path: &str, body: String| alice.request(Method::POST, path).header("content-type", "application/json").body(body);
    for (path, body, status) in [
        ("/call/order", "{".to_owned(), 422),
        ("/call/order", r#"{"id": 0}"#.to_owned(), 422),
        ("/call/order", "x".repeat(300_000), 413),
        ("/call/nothing", "{}".to_owned(), 404),
    ] {
        let answer = alice.send(post(path, body)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn every_fault_of_a_request_has_its_status() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let post = |content_type: &'static str, body: String| {
        alice.request(Method::POST, "/api/orders").header("content-type", content_type).body(body)
    };
    let json = "application/json";
    for (request, status, code) in [
        (post(json, "{\"table_id\":".into()), 400, "bad_json"),
        (post(json, "{\"table_id\": NaN}".into()), 400, "bad_json"),
        (post("text/plain", "{}".into()), 415, "wrong_content_type"),
        (post(json, "{}".into()), 422, "invalid"),
        (post(json, r#"{"table_id": 5, "items": [], "surprise": 1}"#.into()), 422, "invalid"),
        (post(json, "x".repeat(300_000)), 413, "too_large"),
        (alice.request(Method::GET, "/api/orders/999999"), 404, "not_found"),
        (alice.request(Method::GET, "/api/orders/0"), 404, "not_found"),
        (alice.request(Method::GET, "/api/orders/abc/bill"), 404, "not_found"),
        (alice.request(Method::GET, "/api/nothing"), 404, "not_found"),
        (alice.request(Method::DELETE, "/api/menu"), 405, "method_not_allowed"),
    ] {
        let answer = alice.send(request).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("x-request-id").is_some());
        for field in ["type", "title", "status", "detail"] {
            assert!(!answer.body[field].is_null(), "{field} is missing from {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_login_that_is_only_a_member_of_the_till_s_role_can_serve() {
    let app = TestApp::start().await;
    let role = format!("till_{}", app.address.rsplit(':').next().unwrap());
    let create = format!("create role {role} login in role comptoir_app");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&app.owner).await.unwrap();
    let options = (*app.owner.connect_options()).clone().username(&role);
    server::db::migrate(&options).await.unwrap();
    let pool = server::db::connect(options.clone(), 1).await.unwrap();
    server::db::ping(&pool).await.unwrap();
    pool.close().await;

    // With a migration missing it may not, and is told who may.
    sqlx::raw_sql("delete from _sqlx_migrations where version = 4").execute(&app.owner).await.unwrap();
    let refused = format!("{:#}", server::db::migrate(&options).await.unwrap_err());
    assert!(refused.contains("comptoir migrate"), "{refused}");
}

#[tokio::test]
async fn health_names_what_fails() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    assert_eq!(stranger.get("/health/live").await.status, 200);
    assert_eq!(stranger.get("/health/ready").await.body, json!({"status": "ready"}));
    app.house.db.close().await;
    let ready = stranger.get("/health/ready").await;
    assert_eq!((ready.status, &ready.body["failing"]), (503, &json!(["database"])));
    assert_eq!(stranger.get("/health/live").await.status, 200);
}
