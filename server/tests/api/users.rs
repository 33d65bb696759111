//! Who works here, and what becomes of their sessions.

use crate::redis_sessions::Redis;
use crate::support::TestApp;
use serde_json::{Value, json};
use uuid::Uuid;

fn zoe() -> Value {
    json!({"username": " Zoe ", "name": "Zoé", "role": "serveur", "pin": "8642"})
}

fn camille(change: &Value) -> Value {
    let mut body = json!({"name": "Camille", "role": "caissier", "active": true});
    for (key, value) in change.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

#[tokio::test]
async fn somebody_begins_to_work_here() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    let mut body = zoe();
    body["uuid"] = json!(Uuid::now_v7());
    let added = gerant.post("/api/users", &body).await;
    assert_eq!(added.status, 201, "{}", added.text);
    assert_eq!(added.body, json!({"id": added.body["id"], "username": "zoe", "name": "Zoé", "role": "serveur", "active": true}));
    let again = gerant.post("/api/users", &body).await;
    assert_eq!((again.status, again.header("idempotent-replay"), &again.body), (201, Some("true"), &added.body));
    let taken = gerant.post("/api/users", &zoe()).await;
    assert_eq!((taken.status, taken.code()), (409, "username_taken"));

    let list = gerant.get("/api/users").await;
    assert_eq!(list.body.as_array().unwrap().len(), 7);
    assert!(!list.text.contains("pin") && !list.text.contains("argon2"));
    let stored: String = sqlx::query_scalar("select string_agg(i::text, '') from idempotency i").fetch_one(&app.owner).await.unwrap();
    assert!(!stored.contains("8642"), "a PIN is stored nowhere");
    let signed_in = app.stranger().post("/api/auth/login", &json!({"username": "zoe", "pin": "8642"})).await;
    assert_eq!(signed_in.status, 200);
}

#[tokio::test]
async fn what_is_wrong_about_a_person_is_named() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    let bad = json!({"username": "two words", "name": "\u{7}", "role": "serveur", "pin": "12"});
    let answer = gerant.post("/api/users", &bad).await;
    assert_eq!((answer.status, answer.code()), (422, "invalid"));
    let fields: Vec<&str> = answer.body["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["username", "name", "pin"]);
    assert!(!answer.text.contains("12\""));
    assert_eq!(gerant.put("/api/users/4", &camille(&json!({"name": " "}))).await.status, 422);
    assert_eq!(gerant.put("/api/users/4", &camille(&json!({"pin": "123456789"}))).await.status, 422);
    assert_eq!(gerant.put("/api/users/4", &camille(&json!({"role": "chef"}))).await.status, 422);
    assert_eq!(gerant.put("/api/users/99", &camille(&json!({}))).await.status, 404);
}

#[tokio::test]
async fn another_role_another_pin_or_a_dismissal_ends_every_session_at_once() {
    let redis = Redis::start();
    for app in [TestApp::start().await, TestApp::with_redis(&redis.url).await] {
        let gerant = app.signed_in("gerant").await;
        for change in [json!({"role": "serveur"}), json!({"pin": "8642"}), json!({"active": false})] {
            let back = gerant.put("/api/users/4", &camille(&json!({"pin": "1234"}))).await;
            assert_eq!(back.status, 200, "{}", back.text);
            let (phone, till) = (app.signed_in("camille").await, app.signed_in("camille").await);
            assert_eq!(phone.get("/api/nf525/verify").await.status, 200);
            let changed = gerant.put("/api/users/4", &camille(&change)).await;
            assert_eq!(changed.status, 200, "{}", changed.text);
            assert_eq!(changed.body["role"], camille(&change)["role"]);
            for client in [&phone, &till] {
                assert_eq!(client.get("/api/nf525/verify").await.status, 401, "{change}");
            }
            let old = app.stranger().post("/api/auth/login", &json!({"username": "camille", "pin": "1234"})).await;
            assert_eq!(old.status == 200, change == json!({"role": "serveur"}), "{change}");
        }
        assert_eq!(gerant.get("/api/users").await.status, 200, "others stay signed in");
    }
}

/// A session is written once while somebody signs in, and once more when the answer goes out. Here the second time waits until the person has another role.
#[tokio::test]
async fn a_session_that_ends_while_its_sign_in_is_answered_does_not_come_back() {
    let redis = Redis::start();
    for app in [TestApp::start().await, TestApp::with_redis(&redis.url).await] {
        let gerant = app.signed_in("gerant").await;
        let waits =
            "create function waits() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(7); return null; end $$;
                     create trigger waits before update on sessions for each statement execute function waits()";
        sqlx::raw_sql(waits).execute(&app.owner).await.unwrap();
        let mut held = app.owner.begin().await.unwrap();
        sqlx::query("select pg_advisory_xact_lock(7)").execute(&mut *held).await.unwrap();
        let stranger = app.stranger();
        let signing_in =
            tokio::spawn(async move { stranger.post("/api/auth/login", &json!({"username": "camille", "pin": "1234"})).await });
        let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        let waiting = "select exists(select from pg_locks where locktype = 'advisory' and objid = 7 and not granted)";
        while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&app.owner).await.unwrap() {
            assert!(tokio::time::Instant::now() < until && !signing_in.is_finished(), "it is written a second time");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let changed = gerant.put("/api/users/4", &camille(&json!({"role": "serveur"}))).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        held.commit().await.unwrap();

        let answer = signing_in.await.unwrap();
        let mut camille = app.stranger();
        camille.cookie = answer.header("set-cookie").map(|cookie| cookie.split(';').next().unwrap().to_owned());
        assert!(camille.cookie.is_some(), "{} {}", answer.status, answer.text);
        assert_eq!(camille.get("/api/nf525/verify").await.status, 401);
        assert_eq!(camille.at(&app.another().await).get("/api/nf525/verify").await.status, 401, "another process");
        let left: i64 = sqlx::query_scalar("select count(*) from sessions where user_id = 4").fetch_one(&app.owner).await.unwrap();
        assert_eq!(left, 0);
    }
}

#[tokio::test]
async fn a_session_of_somebody_who_may_not_sign_in_is_none() {
    let app = TestApp::start().await;
    let camille = app.signed_in("camille").await;
    assert_eq!(camille.at(&app.another().await).get("/api/tables").await.status, 200);
    // As if something had kept her session from being ended with it.
    sqlx::query("update users set active = false where id = 4").execute(&app.owner).await.unwrap();
    assert_eq!(camille.at(&app.another().await).get("/api/tables").await.status, 401);
}

#[tokio::test]
async fn another_name_ends_no_session_and_is_the_one_that_colleagues_see() {
    let redis = Redis::start();
    for app in [TestApp::start().await, TestApp::with_redis(&redis.url).await] {
        let (gerant, alice, bob) = (app.signed_in("gerant").await, app.signed_in("alice").await, app.signed_in("bob").await);
        assert_eq!(alice.get("/api/tables").await.status, 200);
        let renamed = gerant.put("/api/users/1", &json!({"name": "Alice M.", "role": "serveur", "active": true})).await;
        assert_eq!(renamed.status, 200);
        let order = json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}], "if_occupied": "reject"});
        assert_eq!(alice.post("/api/orders", &order).await.status, 201, "she is still signed in");
        assert_eq!(bob.post("/api/orders", &order).await.body["opened_by"]["name"], "Alice M.");
        let name: String =
            sqlx::query_scalar("select data->'user'->>'name' from sessions where user_id = 1").fetch_one(&app.owner).await.unwrap();
        assert_eq!(name, "Alice M.");
    }
}

#[tokio::test]
async fn the_last_admin_stays() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    let himself = |role: &str, active: bool| json!({"name": "Gérant", "role": role, "active": active});
    for body in [himself("caissier", true), himself("admin", false)] {
        let refused = gerant.put("/api/users/5", &body).await;
        assert_eq!((refused.status, refused.code()), (409, "last_admin"));
    }
    assert_eq!(gerant.put("/api/users/5", &himself("admin", true)).await.status, 200, "nothing changed, nobody is signed out");

    // Two admins who dismiss each other at the same moment: one of them stays.
    let made = gerant.put("/api/users/4", &camille(&json!({"role": "admin"}))).await;
    assert_eq!(made.status, 200);
    let camille_too = app.signed_in("camille").await;
    let (first_change, second_change) = (camille(&json!({"role": "admin", "active": false})), himself("admin", false));
    let (first, second) = tokio::join!(gerant.put("/api/users/4", &first_change), camille_too.put("/api/users/5", &second_change));
    assert_eq!([first.status, second.status].iter().filter(|status| **status == 200).count(), 1, "{} {}", first.text, second.text);
    let admins: i64 = sqlx::query_scalar("select count(*) from users where role = 'admin' and active").fetch_one(&app.owner).await.unwrap();
    assert_eq!(admins, 1);
}
