//! What nobody may read afterwards: a PIN, a session, a token, a key, a card. The real program is run with its log as loud as it gets, everything that
//! carries a secret is done, rightly and wrongly, and then the log and every answer are searched.

use crate::folder::folder;
use crate::program::{Person, Till};
use reqwest::{Client, Method};
use serde_json::json;
use server::adapters::push::vapid::{Vapid, new_key, write_key};
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

const SECRET: &str = "an-erp-secret-that-nobody-may-read-0123456789";
const PINS: [&str; 4] = ["83614927", "90517263", "71930486", "64820915"];
/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:9";
/// A test card number of the payment networks.
const CARD: &str = "4970101122334455";

#[tokio::test]
async fn no_secret_is_in_the_log_or_in_an_answer() {
    let folder = folder();
    let data = folder.path().join("data");
    let vapid = write_key(&new_key());
    let push = [("VAPID_PRIVATE_KEY", vapid.as_str()), ("VAPID_SUBJECT", "mailto:chef@example.com"), ("PUSH_SERVICES", NOBODY)];
    let env = [&[("RUST_LOG", "trace"), ("ERP_JWT_SECRET", SECRET), ("TPE_URL", "none")], &push[..]].concat();
    let till = Till::serve(&data, &env).await;
    let gerant = till.sign_in("gerant").await;
    let stranger = Person { base: till.base.clone(), http: Client::new(), cookie: String::new(), answers: Arc::clone(&gerant.answers) };

    // PINs: of a new person, changed, wrong, in a body that is none, and in one that is not valid.
    let new = json!({"username": "zoe", "name": "Zoé", "role": "caissier", "pin": PINS[0]});
    let (status, zoe) = gerant.post("/api/users", &new).await;
    assert_eq!(status, 201, "{zoe}");
    let change = json!({"name": "Zoé", "role": "caissier", "active": true, "pin": PINS[1]});
    assert_eq!(gerant.send(Method::PUT, &format!("/api/users/{}", zoe["id"]), Some(&change), None).await.0, 200);
    assert_eq!(stranger.post("/api/auth/login", &json!({"username": "zoe", "pin": PINS[2]})).await.0, 401);
    assert_eq!(stranger.post("/api/auth/login", &json!({"username": "zoe", "pin": PINS[1]})).await.0, 200);
    assert_eq!(stranger.post("/call/sign-in", &json!({"login": {"username": "zoe", "pin": PINS[1]}})).await.0, 200);
    assert_eq!(
        gerant.post("/api/users", &json!({"username": "", "name": "", "role": "admin", "pin": PINS[3].to_owned() + "x"})).await.0,
        422
    );
    assert_eq!(gerant.post("/api/users", &json!({"username": "a", "pin": PINS[3], "surprise": PINS[3]})).await.0, 422);
    assert_eq!(gerant.post(&format!("/api/auth/login?pin={}", PINS[3]), &json!([PINS[3]])).await.0, 422);

    // Tokens: good, and changed.
    let secret = server::jwt::Secret::new(SECRET).unwrap();
    let token = server::jwt::sign(&secret, "erp", OffsetDateTime::now_utc() + Duration::from_secs(600));
    let hook = json!({"erp_order_id": "K1", "dish_name": "Magret", "table_id": 1});
    for (authorization, status) in [(format!("Bearer {token}"), 404), (format!("Bearer {token}x"), 401), (token.clone(), 401)] {
        assert_eq!(stranger.send(Method::POST, "/api/webhooks/erp/dish-ready", Some(&hook), Some(&authorization)).await.0, status);
    }

    // A card: its number typed where the number of the authorisation belongs, and a payment that goes through.
    let order = json!({"table_id": 5, "covers": 2, "items": [{"dish_id": 12, "qty": 2}]});
    let order = gerant.post("/api/orders", &order).await.1["order_id"].clone();
    let pay = |code: &str| json!({"order_id": order, "cover_number": 1, "amount": 24, "method": "CB", "approval_code": code});
    let (refused, said) = gerant.post("/api/payments/split", &pay(CARD)).await;
    assert_eq!(refused, 422, "what looks like a card number is not taken: {said}");
    assert_eq!(gerant.post("/api/payments/split", &pay("A12345")).await.0, 201);

    // A phone that is to be woken, through a push service that is not there: its address and keys are as good as a password.
    let (address, auth) = (format!("{NOBODY}/push/an-address-that-nobody-may-read"), "c2l4dGVlbiBzZWNyZXRzIQ");
    let p256dh = Vapid::new(new_key(), String::new()).public_key();
    let subscription = json!({"endpoint": address, "keys": {"p256dh": p256dh, "auth": auth}});
    assert_eq!(gerant.post("/call/push-subscribe", &json!({"subscription": subscription})).await.0, 200);
    let order = gerant.post("/api/orders", &json!({"table_id": 6, "items": [{"dish_id": 12, "qty": 1}]})).await.1["order_id"].clone();
    let line = gerant.send(Method::GET, &format!("/api/orders/{order}"), None, None).await.1["lines"][0]["line_id"].clone();
    assert_eq!(gerant.post(&format!("/api/kitchen/lines/{line}"), &json!({"state": "ready"})).await.0, 200);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !till.said.lock().unwrap().contains("a phone that sleeps is not told yet") {
        assert!(Instant::now() < deadline, "it is never tried");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let log = till.said.lock().unwrap().clone();
    let answers = gerant.answers.lock().unwrap().clone();
    assert!(log.contains("request{") || log.contains("\"request\""), "the log is loud: {}", log.chars().take(2_000).collect::<String>());
    let session = gerant.cookie.split_once('=').unwrap().1.to_owned();
    let key = std::fs::read_to_string(data.join("fiscal-key.pem")).unwrap();
    let key_line = key.lines().nth(5).unwrap().to_owned();
    let mut secrets: Vec<(&str, String)> = PINS.iter().map(|pin| ("a PIN", (*pin).to_owned())).collect();
    secrets.extend([
        ("the secret", SECRET.to_owned()),
        ("a token", token),
        ("a session", session),
        ("the key", key_line),
        ("a card", CARD.to_owned()),
        ("the key of the house", vapid),
        ("a phone's address", address),
        ("a phone's secret", auth.to_owned()),
        ("a phone's key", p256dh),
    ]);
    secrets.push(("a digest of a PIN", "$argon2".to_owned()));
    for (what, secret) in secrets {
        let found = log.lines().find(|line| line.contains(&secret));
        assert!(found.is_none(), "{what} is in the log: {found:?}");
        assert!(!answers.contains(&secret), "{what} is in an answer");
    }
    till.kill().await;
}
