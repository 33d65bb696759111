//! What programs rely on: statuses, codes, who may do what.

use crate::support::{Answer, Client, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use server::http::openapi;
use server::http::pages::known_calls;
use server::jwt::{LONGEST, Secret, sign};
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Everybody, signed in or not, and this is what they are answered.
    Anyone(u16),
    /// These roles; others are refused, and whoever is not signed in is told so.
    These(&'static str),
    /// A page. Whoever is signed in is given the same, whatever the role: what is on it, or that it is for others, is decided by the calls that it makes. Whoever
    /// is not is led to the sign-in page.
    Page,
    /// Programs of the machine itself, whoever they are; nobody who comes through a proxy.
    ThisMachine,
}
use May::{Anyone, Page, These, ThisMachine};

const EVERYBODY: May = These("serveur caissier admin auditeur");
const WAITERS: May = These("serveur caissier admin");
const CASHIERS: May = These("caissier admin");
const ADMINS: May = These("admin");
const JOURNAL: May = These("caissier admin auditeur");
const EXPORT: May = These("admin auditeur");

/// For a program with a token, and for nobody who is signed in: see `pass`.
const KITCHEN_SYSTEM: &str = "/api/webhooks/erp/dish-ready";

/// Every route, as `router.rs` writes it, and who may call or open it. Those under `/call` are further down.
const ROUTES: &[(&str, &str, May)] = &[
    ("GET", "/api/openapi.json", Anyone(200)),
    // Without a body, so that nobody is refused a name.
    ("POST", "/api/auth/login", Anyone(415)),
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
    ("GET", "/health/live", Anyone(200)),
    ("GET", "/health/ready", Anyone(200)),
    ("GET", "/metrics", ThisMachine),
    // What a person opens.
    ("GET", "/", Page),
    ("GET", "/connexion", Anyone(200)),
    ("GET", "/plan", Page),
    ("GET", "/plan/editeur", Page),
    ("GET", "/table/{id}", Page),
    ("GET", "/en-attente", Page),
    ("GET", "/cuisine", Page),
    ("GET", "/addition/{order}", Page),
    ("GET", "/ticket/{no}", Page),
    ("GET", "/a-verifier", Page),
    ("GET", "/cloture", Page),
    ("GET", "/passe", Page),
    ("GET", "/shell", Anyone(200)),
    // One file of the site, which `.ci/site dev` makes before the server is built.
    ("GET", "/verifier", Anyone(200)),
    ("GET", "/protection", Anyone(200)),
    ("GET", "/manuel", Anyone(200)),
    ("GET", "/attaques", Anyone(200)),
];

/// Every call of the pages, a body that can be read, and who may make it.
pub fn calls() -> Vec<(&'static str, Value, May)> {
    vec![
        ("who", json!({}), Anyone(200)),
        ("sign-in-names", json!({}), Anyone(200)),
        ("sign-in", json!({"login": {"username": "nobody", "pin": "0000"}}), Anyone(401)),
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
        // Last: nobody is signed in any more after it.
        ("sign-out", json!({}), Anyone(200)),
    ]
}

/// Every route as `router.rs` writes it: method and path. A method stands at the beginning of a word, before its handler in parentheses.
pub fn routes_of_the_router() -> BTreeSet<(String, &'static str)> {
    let mut found = BTreeSet::new();
    for rest in include_str!("../../src/router.rs").split(".route(\"").skip(1) {
        let (path, rest) = rest.split_once('"').unwrap();
        // Whatever follows the last one is no route: it ends with its statement.
        let says = rest.split(";\n").next().unwrap_or(rest);
        let mut has_one = false;
        for (at, _) in says.match_indices('(') {
            let word = says[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').next().unwrap_or_default();
            match word {
                "get" | "post" | "put" | "delete" | "patch" | "head" | "options" | "trace" | "connect" => {
                    // Some are there twice: `METRICS_ADDR` has a router of its own.
                    found.insert((word.to_uppercase(), path));
                    has_one = true;
                }
                "any" | "on" | "get_service" | "post_service" | "any_service" | "route_service" => panic!("which methods has {path}?"),
                _ => {}
            }
        }
        assert!(has_one, "{path} has no method that this test knows");
    }
    found
}

/// What a person opens.
pub fn is_page(path: &str) -> bool {
    !path.starts_with("/api/") && !path.starts_with("/health/") && !path.starts_with("/call/") && !["/ws", "/metrics"].contains(&path)
}

#[test]
fn the_lists_above_are_complete() {
    let routes: BTreeSet<(String, &str)> = routes_of_the_router().into_iter().filter(|(_, path)| !path.starts_with("/call/")).collect();
    let listed = ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), *path));
    let others = [("POST".to_owned(), "/api/auth/logout"), ("POST".to_owned(), KITCHEN_SYSTEM)];
    assert_eq!(routes, listed.chain(others).collect());
    // What a person opens is looked at, and nothing else.
    assert!(routes_of_the_router().iter().all(|(method, path)| !is_page(path) || method == "GET"));
    // Whatever the running server answers, wherever it is written.
    let listed: Vec<String> = calls().into_iter().map(|(name, ..)| format!("/call/{name}")).collect();
    let registered: BTreeSet<&str> = known_calls().collect();
    assert!(registered.len() > 40, "{registered:?}");
    assert_eq!(registered, listed.iter().map(String::as_str).collect());
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
    let listed = ROUTES.iter().chain(&[("POST", "/api/auth/logout", EVERYBODY), ("POST", KITCHEN_SYSTEM, Anyone(401))]);
    let roles = |may: &May| if let These(roles) = may { (*roles).to_owned() } else { String::new() };
    // A socket is no request and answer; its frames are described elsewhere. Pages are for people.
    let listed = listed
        .filter(|(_, path, _)| *path != "/ws" && !is_page(path))
        .map(|(method, path, may)| ((*method).to_owned(), (*path).to_owned(), roles(may)));
    assert_eq!(published, listed.collect());
    for route in openapi::routes() {
        assert_eq!(route.path == KITCHEN_SYSTEM, route.who == openapi::Who::KitchenSystem, "{}", route.path);
        let ours = ROUTES.iter().any(|(_, path, may)| *path == route.path && *may == ThisMachine);
        assert_eq!(ours, route.who == openapi::Who::ThisMachine, "{}", route.path);
    }
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

/// A page, but for what differs each time that it is given.
fn without_nonce(page: &Answer) -> String {
    let policy = page.header("content-security-policy").unwrap_or_default();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a page has a nonce");
    page.text.replace(nonce, "")
}

/// Roles × one request: who may is let through, everybody else and strangers are not.
async fn only_these(app: &TestApp, people: &[(&str, Client)], method: &Method, path: &str, body: Option<&Value>, may: May) {
    let accept = if may == Page { "text/html" } else { "application/json" };
    let send = async |client: &Client, headers: &[(&str, &str)]| {
        let mut request = client.request(method.clone(), path).header("accept", accept);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        client.send(request).await
    };
    let stranger = app.stranger();
    let unknown = send(&stranger, &[]).await;
    // Refusals of the pages' calls carry the same problem, wrapped.
    let code = unknown.body["Refused"]["code"].as_str().unwrap_or(unknown.code());
    let asks_to_sign_in = |answer: &Answer| answer.text.contains("data-testid=\"name-alice\"");
    match may {
        Anyone(status) => assert_eq!(unknown.status, status, "a stranger, {method} {path}: {}", unknown.text),
        These(_) => assert_eq!((unknown.status, code), (401, "not_signed_in"), "{method} {path}"),
        Page => assert!(unknown.status == 200 && asks_to_sign_in(&unknown), "a stranger, {path}: {}", unknown.status),
        ThisMachine => assert_eq!(unknown.status, 200, "{method} {path}"),
    }
    let mut same = None;
    for (role, client) in people {
        let answer = send(client, &[]).await;
        let status = answer.status;
        let listed = |roles: &str| roles.split(' ').any(|may| may == *role);
        match may {
            Anyone(expected) => assert_eq!(status, expected, "{role} {method} {path}: {}", answer.text),
            These(roles) if listed(roles) => assert!(![401, 403].contains(&status) && status < 500, "{role} {method} {path}: {status}"),
            These(_) => assert_eq!(status, 403, "{role} {method} {path}"),
            Page => {
                assert!(status == 200 && !asks_to_sign_in(&answer), "{role} {path}: {status}");
                let bare = without_nonce(&answer);
                assert!(bare == *same.get_or_insert_with(|| bare.clone()), "{role} is given another {path}: {bare}");
            }
            ThisMachine => {
                assert_eq!(status, 200, "{role} {method} {path}");
            }
        }
    }
    if may == ThisMachine {
        let through =
            [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=203.0.113.7"), ("x-real-ip", "203.0.113.7"), ("via", "1.1 proxy")];
        for header in through {
            for client in people.iter().map(|(_, client)| client).chain([&stranger]) {
                let answer = send(client, &[header]).await;
                assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{path} with {header:?}");
            }
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

/// A path of the router with something in its places.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_lets_through_who_may_and_nobody_else() {
    let app = TestApp::start().await;
    let people = one_of_each(&app).await;
    // Last, because nobody is signed in any more after it.
    for (method, path, may) in ROUTES.iter().chain(&[("POST", "/api/auth/logout", EVERYBODY)]) {
        only_these(&app, &people, &method.parse().unwrap(), &filled(path), None, *may).await;
    }
}

/// Asking only for the head is no way around.
#[tokio::test]
async fn whoever_asks_for_the_head_alone_is_answered_as_whoever_asks_for_all() {
    let app = TestApp::start().await;
    let people = one_of_each(&app).await;
    let stranger = app.stranger();
    let mut asked = 0;
    // A socket has no head to ask for.
    for (_, path, _) in ROUTES.iter().filter(|(method, path, _)| *method == "GET" && *path != "/ws") {
        for client in people.iter().map(|(_, client)| client).chain([&stranger]) {
            let ask =
                async |method| client.send(client.request(method, &filled(path)).header("accept", "text/html, application/json")).await;
            let (head, whole) = (ask(Method::HEAD).await, ask(Method::GET).await);
            assert_eq!((head.status, head.text.as_str()), (whole.status, ""), "{path}");
            assert_eq!(head.header("content-type"), whole.header("content-type"), "{path}");
            asked += 1;
        }
    }
    assert!(asked > 200, "{asked}");
}

#[tokio::test]
async fn files_of_the_site_are_everybody_s_and_are_only_read() {
    let app = TestApp::start().await;
    let people = one_of_each(&app).await;
    let stranger = app.stranger();
    for client in people.iter().map(|(_, client)| client).chain([&stranger]) {
        for path in ["/icon.svg", "/sw.js", "/manifest.webmanifest"] {
            let ask = async |method| client.send(client.request(method, path)).await;
            let whole = ask(Method::GET).await;
            assert!(whole.status == 200 && !whole.text.is_empty(), "{path}: {}", whole.status);
            let head = ask(Method::HEAD).await;
            assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
            for method in [Method::POST, Method::PUT, Method::DELETE] {
                assert_eq!(ask(method.clone()).await.status, 405, "{method} {path}");
            }
        }
        for path in ["/nulle-part.js", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/pkg"] {
            let answer = client.get(path).await;
            assert_eq!((answer.status, answer.code()), (404, "not_found"), "{path}");
        }
    }
}

#[tokio::test]
async fn every_call_of_the_pages_lets_through_who_may_and_nobody_else() {
    let app = TestApp::start().await;
    let people = one_of_each(&app).await;
    for (name, body, may) in calls() {
        only_these(&app, &people, &Method::POST, &format!("/call/{name}"), Some(&body), may).await;
    }
}

#[tokio::test]
async fn a_cookie_opens_no_webhook() {
    let secret = "a secret of thirty-two bytes, or more";
    let app = TestApp::with(|config| config.erp_secret = Secret::new(secret)).await;
    let stranger = app.stranger();
    let said = json!({"erp_order_id": "none", "dish_name": "Magret", "table_id": 1});
    for client in one_of_each(&app).await.iter().map(|(_, client)| client).chain([&stranger]) {
        let answer = client.post(KITCHEN_SYSTEM, &said).await;
        assert_eq!((answer.status, answer.code()), (401, "bad_token"));
    }
    // A token does.
    let token = sign(&Secret::new(secret).unwrap(), "erp", OffsetDateTime::now_utc() + LONGEST);
    let with_token = stranger.request(Method::POST, KITCHEN_SYSTEM).bearer_auth(token).json(&said);
    let answer = stranger.send(with_token).await;
    assert_eq!((answer.status, answer.code()), (404, "unknown_erp_order"), "{}", answer.text);
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
