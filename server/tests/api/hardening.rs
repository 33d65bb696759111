//! What keeps other people's pages, scripts and cookies out, on every route and page.

use crate::support::TestApp;
use reqwest::Method;
use serde_json::json;
use server::http::openapi;

const PAGES: [&str; 10] =
    ["/", "/connexion", "/plan", "/plan/editeur", "/table/1", "/cuisine", "/addition/1", "/ticket/1", "/cloture", "/shell"];

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

#[tokio::test]
async fn every_answer_says_that_it_is_neither_guessed_at_nor_framed() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let paths = PAGES.iter().chain(&[
        "/api/menu",
        "/api/nothing",
        "/api/openapi.json",
        "/health/live",
        "/manifest.webmanifest",
        "/sw.js",
        "/nulle-part",
    ]);
    for path in paths {
        let answer = alice.send(alice.request(Method::GET, path).header("accept", "text/html")).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name} of {path}");
        }
        assert!(answer.header("x-request-id").is_some(), "{path}");
        assert_eq!(answer.header("server"), None, "{path}");
    }
}

#[tokio::test]
async fn every_script_of_every_page_has_its_nonce_and_no_element_brings_its_own() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    for path in PAGES {
        let page = gerant.send(gerant.request(Method::GET, path).header("accept", "text/html")).await;
        let policy = page.header("content-security-policy").unwrap_or_default().to_owned();
        for part in ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{path}: {part} is missing in {policy}");
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
