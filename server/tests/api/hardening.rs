//! What keeps other people's pages, scripts and cookies out, on every route and page.

use crate::contract::{calls, is_page, routes_of_the_router};
use crate::events::open;
use crate::support::{Answer, Client, TestApp};
use reqwest::Method;
use serde_json::json;
use server::http::openapi;
use tokio_tungstenite::tungstenite::Error as SocketError;

/// Every page, as the router names it, with something in its places.
fn pages() -> Vec<String> {
    routes_of_the_router().into_iter().filter(|(_, path)| is_page(path)).map(|(_, path)| filled(path)).collect()
}

/// Pages without an account, all of them without data: to sign in, the shell, what is said of the journal, and the verifier, which is one file of the site.
const FOR_ANYBODY: [&str; 6] = ["/attaques", "/connexion", "/manuel", "/protection", "/shell", "/verifier"];
/// Of these, documents without a script. Their policy allows none; the verifier's is inside its file.
const NO_APP: [&str; 4] = ["/attaques", "/manuel", "/protection", "/verifier"];

/// A path of the contract with something in its places.
fn filled(path: &str) -> String {
    let part = |part: &str| match part {
        "{uuid}" => "0197f5d0-0000-7000-8000-000000000000".to_owned(),
        name if name.starts_with('{') => "1".to_owned(),
        other => other.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn no_write_is_done_for_a_page_of_another_origin() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    let mut tried = 0;
    for route in openapi::routes().iter().filter(|route| route.method != "get") {
        let method: Method = route.method.to_uppercase().parse().unwrap();
        for (header, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "same-site")] {
            let answer = gerant.send(gerant.request(method.clone(), &filled(route.path)).header(header, value).json(&json!({}))).await;
            assert_eq!((answer.status, answer.code()), (403, "cross_origin"), "{} {}", route.method, route.path);
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
    // The calls of the pages, which have another way in.
    for (name, body, _) in calls() {
        for (header, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
            let answer = gerant.send(gerant.request(Method::POST, &format!("/call/{name}")).header(header, value).json(&body)).await;
            assert_eq!((answer.status, answer.code()), (403, "cross_origin"), "/call/{name}");
        }
    }
    // A socket is no write, and says as much about the house as all of them.
    let refused = open(&app, &gerant, Some("https://evil.example")).await;
    assert!(matches!(refused, Err(SocketError::Http(answer)) if answer.status() == 403), "a socket for another origin");
    let own = format!("http://{}", app.address);
    assert!(open(&app, &gerant, Some(&own)).await.is_ok(), "and one for ours");
    let still = gerant.get("/api/tables").await;
    assert_eq!(still.status, 200, "not even the sign-out");
}

#[tokio::test]
async fn a_session_that_somebody_else_chose_is_not_taken_over() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    let planted = "comptoir=AAAAAAAAAAAAAAAAAAAAAA";
    let login = stranger.request(Method::POST, "/api/auth/login").header("cookie", planted);
    let answer = stranger.send(login.json(&json!({"username": "alice", "pin": "1234"}))).await;
    assert_eq!(answer.status, 200);
    let given = answer.header("set-cookie").unwrap().to_owned();
    assert!(!given.contains("AAAAAAAAAAAAAAAAAAAAAA"), "{given}");
    for flag in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(given.contains(flag), "{flag} is missing: {given}");
    }
    let thief = stranger.send(stranger.request(Method::GET, "/api/tables").header("cookie", planted)).await;
    assert_eq!(thief.status, 401);
    // Two of the name: neither a crash nor somebody else.
    let both = stranger.request(Method::GET, "/api/tables").header("cookie", format!("{planted}; comptoir=x; comptoir=\"\""));
    assert_eq!(stranger.send(both).await.status, 401);
}

/// Holds one answer against what each of them says to browsers.
fn is_guarded(what: &str, answer: &Answer, behind_tls: bool) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name} of {what}");
    }
    assert!(answer.header("x-request-id").is_some(), "{what}");
    assert_eq!(answer.header("server"), None, "{what}");
    assert_eq!(answer.header("strict-transport-security"), behind_tls.then_some("max-age=604800"), "{what}");
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.split(';').any(|part| part.trim() == "frame-ancestors 'none'"), "{what}: {policy}");
    if !answer.header("content-type").unwrap_or_default().starts_with("text/html") && !what.contains("/sw.js") {
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'", "{what}");
    }
}

#[tokio::test]
async fn every_answer_says_that_it_is_neither_guessed_at_nor_framed_nor_kept() {
    let app = TestApp::start().await;
    let (alice, stranger) = (app.signed_in("alice").await, app.stranger());
    let others =
        ["/api/menu", "/api/nothing", "/api/openapi.json", "/health/live", "/manifest.webmanifest", "/sw.js", "/icon.svg", "/nulle-part"];
    for path in pages().into_iter().chain(others.map(str::to_owned)) {
        for behind_tls in [false, true] {
            let mut request = alice.request(Method::GET, &path).header("accept", "text/html");
            if behind_tls {
                request = request.header("x-forwarded-proto", "https");
            }
            is_guarded(&path, &alice.send(request).await, behind_tls);
        }
    }
    // The worker fetches every file of the site: what holds for it is not what holds for a file that nobody runs.
    let worker = stranger.get("/sw.js").await;
    let policy = worker.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe") && !policy.contains("http"), "{policy}");

    // Every kind of answer, also of those that no handler gives. Whoever may keep something says so itself.
    let (json, big) = ("content-type: application/json", "x".repeat(300_000));
    let elsewhere = "origin: https://evil.example";
    let asked = [
        (&stranger, Method::GET, "/api/tables", "", "", 401, "no-store"),
        (&alice, Method::GET, "/api/users", "", "", 403, "no-store"),
        (&alice, Method::POST, "/api/orders", elsewhere, "{}", 403, "no-store"),
        (&alice, Method::GET, "/api/nothing", "", "", 404, "no-store"),
        (&alice, Method::DELETE, "/api/menu", "", "", 405, "no-store"),
        (&alice, Method::POST, "/api/orders", json, big.as_str(), 413, "no-store"),
        (&alice, Method::POST, "/api/orders", "content-type: text/plain", "{}", 415, "no-store"),
        (&alice, Method::POST, "/api/orders", json, "{}", 422, "no-store"),
        (&alice, Method::GET, "/api/pass", "", "", 200, "no-store"),
        (&alice, Method::GET, "/api/menu", "", "", 200, "private, no-cache"),
        (&alice, Method::HEAD, "/api/menu", "", "", 200, "private, no-cache"),
        (&alice, Method::POST, "/call/who", json, "{}", 200, "no-store"),
        (&alice, Method::POST, "/call/order", json, "{\"id\": 987654}", 404, "no-store"),
        (&stranger, Method::POST, "/call/order", json, "{\"id\": 1}", 401, "no-store"),
        (&alice, Method::POST, "/call/nothing", json, "{}", 404, "no-store"),
        (&stranger, Method::POST, "/icon.svg", "", "", 405, ""),
    ];
    let check = async |client: &Client, method: &Method, path: &str, field: &str, body: &str, status: u16, kept: &str| {
        for behind_tls in [false, true] {
            let mut request = client.request(method.clone(), path).body(body.to_owned());
            if let Some((name, value)) = field.split_once(": ") {
                request = request.header(name, value);
            }
            if behind_tls {
                request = request.header("x-forwarded-proto", "https");
            }
            let (answer, what) = (client.send(request).await, format!("{method} {path}, {status}"));
            assert_eq!(answer.status, status, "{what}: {}", answer.text);
            is_guarded(&what, &answer, behind_tls);
            assert_eq!(answer.header("cache-control").unwrap_or_default(), kept, "{what}");
        }
    };
    for (client, method, path, field, body, status, kept) in asked {
        check(client, &method, path, field, body, status, kept).await;
    }
    // A defect of ours, and a database that is away.
    sqlx::raw_sql("alter table tables rename to gone").execute(&app.owner).await.unwrap();
    check(&alice, &Method::GET, "/api/tables", "", "", 500, "no-store").await;
    app.house.db.close().await;
    check(&alice, &Method::GET, "/api/kitchen", "", "", 503, "no-store").await;
}

#[tokio::test]
async fn every_script_of_every_page_has_its_nonce_and_no_element_brings_its_own() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    let app_pages: Vec<String> = pages().into_iter().filter(|path| !NO_APP.contains(&path.as_str())).collect();
    assert!(app_pages.len() > 12, "{app_pages:?}");
    for path in app_pages {
        let page = gerant.send(gerant.request(Method::GET, &path).header("accept", "text/html")).await;
        let policy = page.header("content-security-policy").unwrap_or_default().to_owned();
        for part in ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{path}: {part} is missing in {policy}");
        }
        let of = |name: &str| policy.split(';').find(|part| part.trim().starts_with(name)).unwrap_or_default();
        for loose in ["'unsafe-inline'", "'unsafe-eval'", "'strict-dynamic'", "http:", "https:", "data:", "*"] {
            assert!(!of("script-src").contains(loose), "{path}: scripts {loose}: {policy}");
        }
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        let mut scripts = 0;
        for script in page.text.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: <script{tag}>");
            scripts += 1;
        }
        assert!(scripts > 0, "{path} runs something");
        for inline in [" onclick=", " onload=", " onerror=", " onsubmit=", "javascript:"] {
            assert!(!page.text.to_lowercase().contains(inline), "{path}: {inline}");
        }
    }
}

#[tokio::test]
async fn documents_without_an_account_run_nothing() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    for path in NO_APP {
        let page = stranger.send(stranger.request(Method::GET, path).header("accept", "text/html")).await;
        assert_eq!(page.status, 200, "{path}: is the site there? `.ci/site dev` makes it");
        if path == "/verifier" {
            // Its policy is inside it, so that it also holds for a copy that somebody saved. The answer adds only what a page cannot say of itself.
            assert_eq!(page.header("content-security-policy"), Some("frame-ancestors 'none'"));
            let policy = page.text.split("http-equiv=\"Content-Security-Policy\" content=\"").nth(1).expect("a policy inside it");
            let policy = policy.split('"').next().unwrap();
            assert!(page.text.find("http-equiv").unwrap() < page.text.find("<script").unwrap(), "before what it holds for");
            let directive = |name: &str| {
                let of = |part: &'_ &str| part.split(' ').next() == Some(name);
                policy.split(';').map(str::trim).find(of).map(|part| part.split(' ').skip(1).collect::<Vec<_>>())
            };
            for (name, value) in [("default-src", "'none'"), ("base-uri", "'none'"), ("form-action", "'none'")] {
                assert_eq!(directive(name), Some(vec![value]), "{policy}");
            }
            // No connection anywhere: what there is no word for falls to `default-src`.
            assert_eq!(directive("connect-src"), None, "{policy}");
            let scripts = directive("script-src").expect("scripts have a rule");
            assert_eq!(scripts.len(), 2, "{policy}");
            assert!(scripts[0].starts_with("'sha256-") && scripts[1] == "'wasm-unsafe-eval'", "{policy}");
            continue;
        }
        let policy = page.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'") && !policy.contains("script"), "{path}: {policy}");
        assert!(!page.text.contains("<script"), "{path}");
    }
}

/// Pages × roles. Who may see what is decided by the calls that a page makes, each of which asks for a right; a page itself holds nothing that anybody
/// could see by opening its address.
#[tokio::test]
async fn no_page_holds_anything_of_the_house_whoever_opens_it() {
    let app = TestApp::start().await;
    let camille = app.signed_in("camille").await;
    let items = json!([{"dish_id": 12, "qty": 1, "note": "zeste-introuvable"}, {"wine_id": 34, "qty": 1}]);
    let order = camille.post("/api/orders", &json!({"table_id": 1, "covers": 2, "items": items})).await.body["order_id"].clone();
    let pay = json!({"order_id": order, "cover_number": 1, "amount": 26, "method": "ESPECES"});
    assert_eq!(camille.post("/api/payments/split", &pay).await.status, 201);
    let (stranger, mut people) = (app.stranger(), Vec::new());
    for name in ["alice", "camille", "gerant", "audit"] {
        people.push((name, app.signed_in(name).await));
    }
    let mut looked_at = 0;
    for path in pages() {
        let visit = async |client: &Client| client.send(client.request(Method::GET, &path).header("accept", "text/html")).await;
        let page = visit(&stranger).await;
        let is_sign_in = page.text.contains("data-testid=\"name-alice\"");
        let for_anybody = FOR_ANYBODY.contains(&path.as_str());
        assert!(page.status < 500 && (for_anybody || is_sign_in), "a stranger is sent from {path} to the sign-in page: {}", page.status);
        for (name, client) in &people {
            let page = visit(client).await;
            assert!(page.status == 200 || NO_APP.contains(&path.as_str()), "{name} {path}: {}", page.status);
            for datum in ["zeste-introuvable", "Cahors 2018", "26,00", "$argon2"] {
                assert!(!page.text.contains(datum), "{name} {path}: {datum}");
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 60, "{looked_at}");
}
