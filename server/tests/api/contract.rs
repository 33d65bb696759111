//! What programs rely on: statuses, codes, who may do what.

use crate::support::TestApp;
use reqwest::Method;
use serde_json::json;

/// Every route of the contract that is there, who may call it, and what a caller without a body gets then.
const ROUTES: [(&str, &str, &str); 16] = [
    ("GET", "/api/menu", "serveur caissier admin auditeur"),
    ("GET", "/api/tables", "serveur caissier admin auditeur"),
    ("POST", "/api/orders", "serveur caissier admin"),
    ("GET", "/api/orders/1", "serveur caissier admin"),
    ("GET", "/api/orders/1/bill", "serveur caissier admin"),
    ("GET", "/api/kitchen", "serveur caissier admin"),
    ("POST", "/api/kitchen/lines/1", "serveur caissier admin"),
    ("GET", "/ws", "serveur caissier admin auditeur"),
    ("PUT", "/api/orders/1/split", "caissier admin"),
    ("POST", "/api/payments/split", "caissier admin"),
    ("GET", "/api/payments/1", "caissier admin"),
    ("POST", "/api/payments/1/resolve", "caissier admin"),
    ("POST", "/api/nf525/close", "caissier admin"),
    ("GET", "/api/nf525/x", "caissier admin"),
    ("GET", "/api/nf525/tickets/1", "caissier admin"),
    ("GET", "/api/nf525/verify", "caissier admin auditeur"),
];

#[tokio::test]
async fn every_route_lets_through_who_may_and_nobody_else() {
    let app = TestApp::start().await;
    let people = [("alice", "serveur"), ("camille", "caissier"), ("gerant", "admin"), ("audit", "auditeur")];
    for (method, path, roles) in ROUTES {
        let method: Method = method.parse().unwrap();
        let stranger = app.stranger();
        let answer = stranger.send(stranger.request(method.clone(), path)).await;
        assert_eq!((answer.status, answer.code()), (401, "not_signed_in"), "{method} {path}");
        for (username, role) in people {
            let client = app.signed_in(username).await;
            let status = client.send(client.request(method.clone(), path)).await.status;
            if roles.split(' ').any(|may| may == role) {
                assert!(![401, 403, 500, 503].contains(&status), "{role} {method} {path}: {status}");
            } else {
                assert_eq!(status, 403, "{role} {method} {path}");
            }
        }
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
