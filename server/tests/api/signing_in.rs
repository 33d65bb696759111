use crate::support::TestApp;
use serde_json::json;

#[tokio::test]
async fn a_name_and_a_pin_open_a_session_and_signing_out_ends_it() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    assert_eq!(stranger.get("/api/tables").await.status, 401);

    let answer = stranger.post("/api/auth/login", &json!({"username": "alice", "pin": "1234"})).await;
    assert_eq!(answer.body, json!({"user": {"id": 1, "name": "Alice", "role": "serveur"}}));
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("Secure"), "{cookie}");

    let alice = app.signed_in("alice").await;
    assert_eq!(alice.get("/api/tables").await.status, 200);
    assert_eq!(alice.post("/api/auth/logout", &json!({})).await.status, 204);
    assert_eq!(alice.get("/api/tables").await.status, 401, "the cookie of an ended session opens nothing");
}

#[tokio::test]
async fn behind_tls_the_cookie_is_secure() {
    let app = TestApp::start().await;
    let request = app.stranger().request(reqwest::Method::POST, "/api/auth/login").header("x-forwarded-proto", "https");
    let answer = app.stranger().send(request.json(&json!({"username": "alice", "pin": "1234"}))).await;
    assert!(answer.header("set-cookie").unwrap().contains("Secure"));
}

#[tokio::test]
async fn a_session_id_known_before_signing_in_is_worth_nothing_after() {
    let app = TestApp::start().await;
    let first = app.signed_in("alice").await;
    // The same browser signs somebody else in: the id changes and the old one is dead.
    let again = first.post("/api/auth/login", &json!({"username": "camille", "pin": "1234"})).await;
    assert_eq!(again.status, 200);
    assert!(again.header("set-cookie").is_some());
    assert_eq!(first.get("/api/tables").await.status, 401);
}

#[tokio::test]
async fn guessing_locks_the_name_even_for_the_right_pin() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    for _ in 0..5 {
        let answer = stranger.post("/api/auth/login", &json!({"username": "alice", "pin": "0000"})).await;
        assert_eq!((answer.status, answer.code()), (401, "wrong_pin"));
    }
    let answer = stranger.post("/api/auth/login", &json!({"username": "alice", "pin": "1234"})).await;
    assert_eq!((answer.status, answer.code()), (429, "too_many"));
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(app.stranger().post("/api/auth/login", &json!({"username": "bob", "pin": "1234"})).await.status, 200, "others may");

    sqlx::query("update sign_in_failures set locked_until = now()").execute(&app.owner).await.unwrap();
    app.signed_in("alice").await;
}

#[tokio::test]
async fn an_unknown_name_gets_the_same_answers_as_a_known_one() {
    let app = TestApp::start().await;
    for expected in [401, 401, 401, 401, 401, 429] {
        assert_eq!(app.stranger().post("/api/auth/login", &json!({"username": "nobody", "pin": "1234"})).await.status, expected);
    }
}

#[tokio::test]
async fn a_burst_of_guesses_gets_no_more_tries_than_a_patient_guesser() {
    let app = TestApp::start().await;
    // The right PIN is the fortieth of a burst.
    let guesses = (0..60).map(|i| {
        let (client, pin) = (app.stranger(), if i == 39 { "1234".to_owned() } else { format!("{:04}", 5000 + i) });
        async move { client.post("/api/auth/login", &json!({"username": "alice", "pin": pin})).await.status }
    });
    let statuses = futures::future::join_all(guesses).await;
    let tried = statuses.iter().filter(|status| **status != 429).count();
    assert!(tried <= 5, "{tried} of 60 guesses were tried: {statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401, 429].contains(status)));
}

#[tokio::test]
async fn the_wait_doubles_and_ends_at_a_quarter_of_an_hour() {
    let app = TestApp::start().await;
    let mut waits = Vec::new();
    for _ in 0..12 {
        let answer = app.stranger().post("/api/auth/login", &json!({"username": "alice", "pin": "0000"})).await;
        assert_eq!(answer.status, 401);
        let wait: i32 =
            sqlx::query_scalar("select round(extract(epoch from greatest(locked_until - now(), '0')))::integer from sign_in_failures")
                .fetch_one(&app.owner)
                .await
                .unwrap();
        waits.push(wait);
        sqlx::query("update sign_in_failures set locked_until = now()").execute(&app.owner).await.unwrap();
    }
    assert_eq!(waits, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
}

#[tokio::test]
async fn what_cannot_be_a_name_is_wrong_and_not_a_fault_of_ours() {
    let app = TestApp::start().await;
    for username in ["", "a\u{0}b", &"x".repeat(65)] {
        assert_eq!(app.stranger().post("/api/auth/login", &json!({"username": username, "pin": "1234"})).await.status, 401);
    }
}

#[tokio::test]
async fn a_page_of_another_origin_writes_nothing() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    for (header, value) in [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        let request = alice.request(reqwest::Method::POST, "/api/orders").header(header, value);
        let answer = alice.send(request.json(&json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}]}))).await;
        assert_eq!((answer.status, answer.code()), (403, "cross_origin"));
    }
    let orders: i64 = sqlx::query_scalar("select count(*) from orders").fetch_one(&app.owner).await.unwrap();
    assert_eq!(orders, 0);
}

/// A sign-in through a proxy on this machine, for somebody far away.
async fn sign_in_from(app: &TestApp, address: &str, username: &str, pin: &str) -> crate::support::Answer {
    let stranger = app.stranger();
    let request = stranger.request(reqwest::Method::POST, "/api/auth/login").header("x-forwarded-for", address);
    stranger.send(request.json(&json!({"username": username, "pin": pin}))).await
}

const GUESSER: &str = "203.0.113.7";

#[tokio::test]
async fn one_pin_cannot_be_tried_on_everybody() {
    let app = TestApp::start().await;
    // All at once, each on another name, the right one among them at the end.
    let app = &app;
    let guesses = (0..80).map(|i| async move { sign_in_from(app, GUESSER, &format!("waiter{i}"), "1234").await.status });
    let statuses = futures::future::join_all(guesses).await;
    let tried = statuses.iter().filter(|status| **status == 401).count();
    assert!((30..=31).contains(&tried), "{tried} of 80 guesses were tried: {statuses:?}");
    assert!(statuses.iter().all(|status| [401, 429].contains(status)));

    let refused = sign_in_from(app, GUESSER, "alice", "1234").await;
    assert_eq!((refused.status, refused.code()), (429, "too_many"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(sign_in_from(app, "203.0.113.8", "alice", "1234").await.status, 200, "others may");
}

#[tokio::test]
async fn whoever_goes_on_guessing_from_one_address_waits_twice_as_long_each_time() {
    let app = TestApp::start().await;
    let insert = "insert into sign_in_peers values ($1, 30.5, clock_timestamp())";
    sqlx::query(insert).bind(GUESSER).execute(&app.owner).await.unwrap();
    let mut waits = Vec::new();
    for i in 0..7 {
        assert_eq!(sign_in_from(&app, GUESSER, &format!("waiter{i}"), "0000").await.status, 401);
        let wait: i32 =
            sqlx::query_scalar("select round(extract(epoch from locked_until - clock_timestamp()))::integer from sign_in_peers")
                .fetch_one(&app.owner)
                .await
                .unwrap();
        waits.push(wait);
        sqlx::query("update sign_in_peers set locked_until = clock_timestamp()").execute(&app.owner).await.unwrap();
    }
    let expected = [60, 120, 240, 480, 900, 900, 900];
    assert!(waits.iter().zip(expected).all(|(wait, expected)| (expected - 2..=expected).contains(wait)), "{waits:?}");

    // Long enough quiet, and all is forgotten.
    sqlx::query("update sign_in_peers set locked_until = now() - interval '50 minutes'").execute(&app.owner).await.unwrap();
    sign_in_from(&app, GUESSER, "waiter9", "0000").await;
    let level: f64 = sqlx::query_scalar("select failures from sign_in_peers").fetch_one(&app.owner).await.unwrap();
    assert!(level < 1.1, "{level}");
    sqlx::query("update sign_in_peers set locked_until = now() - interval '25 hours'").execute(&app.owner).await.unwrap();
    server::db::sign_in_peers::forget_old(&app.owner).await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from sign_in_peers").fetch_one(&app.owner).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_restaurant_behind_one_address_mistypes_and_works_on() {
    let app = TestApp::start().await;
    for round in 0..3 {
        for username in ["alice", "bob", "charlie", "camille", "gerant"] {
            for _ in 0..4 {
                assert_eq!(sign_in_from(&app, GUESSER, username, "0000").await.status, 401, "{username}, round {round}");
            }
            assert_eq!(sign_in_from(&app, GUESSER, username, "1234").await.status, 200, "{username}, round {round}");
        }
    }
    // Somebody whose name is locked and who does not stop locks nobody else out.
    for _ in 0..50 {
        sign_in_from(&app, GUESSER, "alice", "0000").await;
    }
    assert_eq!(sign_in_from(&app, GUESSER, "bob", "1234").await.status, 200);
}

#[tokio::test]
async fn a_role_that_changes_during_a_sign_in_is_the_one_that_counts() {
    let app = TestApp::start().await;
    let mut dismissal = app.owner.begin().await.unwrap();
    sqlx::query("select from users where id = 4 for update").execute(&mut *dismissal).await.unwrap();
    let stranger = app.stranger();
    let signing_in =
        tokio::spawn(async move { stranger.post("/api/auth/login", &json!({"username": "camille", "pin": "1234"})).await.status });
    // The new session waits for its person.
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(&app.owner).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    sqlx::query("update users set role = 'serveur' where id = 4").execute(&mut *dismissal).await.unwrap();
    dismissal.commit().await.unwrap();
    assert_eq!(signing_in.await.unwrap(), 401);
    let sessions: i64 = sqlx::query_scalar("select count(*) from sessions").fetch_one(&app.owner).await.unwrap();
    assert_eq!(sessions, 0);
}

#[tokio::test]
async fn only_who_is_signed_in_signs_out() {
    let app = TestApp::start().await;
    let refused = app.stranger().post("/api/auth/logout", &json!({})).await;
    assert_eq!((refused.status, refused.code()), (401, "not_signed_in"));
}
