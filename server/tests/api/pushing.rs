//! A phone that sleeps is told through a push service: a real HTTP server that keeps what it is given, read as a browser reads it.

use crate::events::{Socket, next_named, open, say};
use crate::support::{Client, TestApp};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey};
use serde_json::{Value, json};
use server::adapters::push::vapid::{Vapid, new_key};
use server::config::PushConfig;
use sha2::Sha256;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A push service on a socket of its own: what came, for whom. A phone's name says what it answers.
#[derive(Clone, Default)]
struct PushService {
    url: String,
    letters: Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>,
}

impl PushService {
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = Self { url: format!("http://{}", listener.local_addr().unwrap()), letters: Arc::default() };
        let routes = Router::new().route("/push/{phone}", post(Self::take)).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        service
    }

    async fn take(State(service): State<Self>, Path(phone): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
        let came_before = service.count(&phone) > 0;
        service.letters.lock().unwrap().push((phone.clone(), headers, body));
        match phone.as_str() {
            "gone" => StatusCode::GONE.into_response(),
            "refused" => StatusCode::FORBIDDEN.into_response(),
            "busy" if !came_before => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response(),
            "moved" => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, format!("{}/push/elsewhere", service.url))]).into_response(),
            "silent" => std::future::pending().await,
            _ => StatusCode::CREATED.into_response(),
        }
    }

    fn at(&self, phone: &str) -> String {
        format!("{}/push/{phone}", self.url)
    }

    fn count(&self, phone: &str) -> usize {
        self.letters.lock().unwrap().iter().filter(|(to, ..)| to == phone).count()
    }

    fn first(&self, phone: &str) -> (HeaderMap, Bytes) {
        self.letters.lock().unwrap().iter().find(|(to, ..)| to == phone).map(|(_, headers, body)| (headers.clone(), body.clone())).unwrap()
    }

    /// A house that pushes there, after so long.
    async fn house(&self, after: Duration) -> TestApp {
        let config = PushConfig {
            vapid: Vapid::new(new_key(), "mailto:chef@example.com".to_owned()),
            services: vec![self.url.parse().unwrap()],
            after,
        };
        TestApp::with(|wanted| wanted.push = Some(config)).await
    }
}

const AT_ONCE: Duration = Duration::ZERO;

/// A browser with its keys.
struct Phone {
    key: SecretKey,
    auth: [u8; 16],
}

impl Phone {
    async fn subscribe(client: &Client, endpoint: &str) -> (Self, u16) {
        let phone = Self { key: new_key(), auth: rand::random() };
        let p256dh = phone.key.public_key().to_encoded_point(false);
        let keys = json!({"p256dh": BASE64.encode(p256dh), "auth": BASE64.encode(phone.auth)});
        // As a browser writes it.
        let subscription = json!({"endpoint": endpoint, "expirationTime": null, "keys": keys});
        let status = client.post("/call/push-subscribe", &json!({"subscription": subscription})).await.status;
        (phone, status)
    }

    /// RFC 8291 from the browser's side, written without anything of the sender's.
    fn read(&self, body: &[u8]) -> Value {
        let hmac = |key: &[u8], text: &[u8]| Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes();
        let (salt, rest) = body.split_at(16);
        assert_eq!(rest[..4], 4096u32.to_be_bytes());
        let (sender, sealed) = rest[5..].split_at(usize::from(rest[4]));
        let own = self.key.public_key().to_encoded_point(false);
        let point = PublicKey::from_sec1_bytes(sender).unwrap();
        let shared = p256::ecdh::diffie_hellman(self.key.to_nonzero_scalar(), point.as_affine());
        let input =
            hmac(&hmac(&self.auth, shared.raw_secret_bytes()), &[b"WebPush: info\0".as_slice(), own.as_bytes(), sender, &[1]].concat());
        let secret = hmac(salt, &input);
        let key = hmac(&secret, b"Content-Encoding: aes128gcm\0\x01");
        let nonce = hmac(&secret, b"Content-Encoding: nonce\0\x01");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).unwrap());
        let mut record = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).unwrap();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut record).expect("sealed for this phone");
        let (delimiter, message) = plain.split_last().unwrap();
        assert_eq!(*delimiter, 2, "the last record");
        serde_json::from_slice(message).unwrap()
    }
}

/// Sends an order of so many dishes; returns its number and those of its lines.
async fn order(client: &Client, table: i64, dishes: usize) -> (i64, Vec<i64>) {
    let items: Vec<_> = (0..dishes).map(|i| json!({"dish_id": 12, "qty": 1, "note": format!("n° {i}")})).collect();
    let order = client.post("/api/orders", &json!({"table_id": table, "items": items})).await.body["order_id"].as_i64().unwrap();
    let lines = client.get(&format!("/api/orders/{order}")).await.body["lines"].clone();
    (order, lines.as_array().unwrap().iter().map(|line| line["line_id"].as_i64().unwrap()).collect())
}

async fn ready(client: &Client, line: i64) {
    assert_eq!(client.post(&format!("/api/kitchen/lines/{line}"), &json!({"state": "ready"})).await.status, 200);
}

async fn number(socket: &mut Socket) -> i64 {
    next_named(socket, "dish_ready").await.expect("told over the socket")["id"].as_i64().unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn subscriptions(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from push_subscriptions").fetch_one(&app.owner).await.unwrap()
}

async fn pushed_up_to(app: &TestApp) -> i64 {
    sqlx::query_scalar("select last from push_head").fetch_one(&app.owner).await.unwrap()
}

#[tokio::test]
async fn a_phone_that_sleeps_is_told_what_only_it_can_read() {
    let service = PushService::open().await;
    let app = service.house(AT_ONCE).await;
    // Another process of the house: one of the two pushes.
    let _other = app.another().await;
    let (alice, at_home, bob) = (app.signed_in("alice").await, app.signed_in("alice").await, app.signed_in("bob").await);
    let public_key = alice.post("/call/push-key", &json!({})).await.body.as_str().unwrap().to_owned();
    let (phone, status) = Phone::subscribe(&alice, &service.at("alice")).await;
    assert_eq!(status, 200);
    let (second_phone, _) = Phone::subscribe(&at_home, &service.at("second")).await;
    Phone::subscribe(&bob, &service.at("bob")).await;

    let (_, lines) = order(&alice, 5, 2).await;
    ready(&bob, lines[0]).await;
    until("both of her phones are told", async || service.count("alice") > 0 && service.count("second") > 0).await;
    let (headers, body) = service.first("alice");
    let said = json!({"title": "Table 5 · prêt au passe", "body": "Magret de canard", "tag": "dish-1", "url": "/table/5"});
    assert_eq!(phone.read(&body), said);
    assert_eq!(second_phone.read(&service.first("second").1), said);
    assert!(!body.windows(6).any(|part| part == b"Magret") && body.len() <= 4096, "the service reads nothing");
    let said = ["content-encoding", "urgency", "ttl", "topic"].map(|name| headers[name].to_str().unwrap());
    assert_eq!(said, ["aes128gcm", "high", "300", "dish-1"]);

    let (token, key) = headers["authorization"].to_str().unwrap().strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let verifying = VerifyingKey::from_sec1_bytes(&BASE64.decode(key).unwrap()).unwrap();
    verifying.verify(signed.as_bytes(), &Signature::from_slice(&BASE64.decode(signature).unwrap()).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&BASE64.decode(signed.split_once('.').unwrap().1).unwrap()).unwrap();
    assert_eq!((key, &claims["aud"]), (public_key.as_str(), &json!(service.url)));

    // Each message has a key and a salt of its own; each is pushed once, whichever process does it, and nobody else is told.
    ready(&bob, lines[1]).await;
    until("the next dish", async || service.count("alice") > 1 && service.count("second") > 1).await;
    until("both are behind", async || pushed_up_to(&app).await == 2).await;
    let bodies: Vec<Bytes> = service.letters.lock().unwrap().iter().map(|(.., body)| body.clone()).collect();
    assert_eq!((bodies.len(), service.count("bob")), (4, 0));
    assert!(bodies.iter().enumerate().all(|(i, body)| bodies[..i].iter().all(|other| other[..86] != body[..86])));
}

#[tokio::test]
async fn a_phone_that_heard_is_not_woken_and_a_dish_that_somebody_took_wakes_nobody() {
    let service = PushService::open().await;
    let app = service.house(Duration::from_secs(3)).await;
    let alice = app.signed_in("alice").await;
    Phone::subscribe(&alice, &service.at("alice")).await;
    let (id, lines) = order(&alice, 5, 3).await;
    let mut socket = open(&app, &alice, None).await.unwrap();

    ready(&alice, lines[0]).await;
    let heard = json!({"event": "heard", "data": {"id": number(&mut socket).await}});
    say(&mut socket, &heard).await;
    ready(&alice, lines[1]).await;
    let taken = json!({"event": "dish_acknowledged", "data": {"order_id": id, "event_id": number(&mut socket).await}});
    say(&mut socket, &taken).await;
    assert!(next_named(&mut socket, "ack").await.is_some());
    // The third is heard by nobody: the socket is open, and the phone sleeps.
    ready(&alice, lines[2]).await;
    until("the third is pushed", async || service.count("alice") > 0).await;
    assert_eq!((service.first("alice").0["topic"].clone(), service.count("alice")), ("dish-3".parse().unwrap(), 1));

    // A phone cannot say that it heard what was never said.
    say(&mut socket, &json!({"event": "heard", "data": {"id": 4_000_000}})).await;
    until("it is written down", async || {
        sqlx::query_scalar::<_, i64>("select heard from push_subscriptions").fetch_one(&app.owner).await.unwrap() == 3
    })
    .await;
}

#[tokio::test]
async fn others_are_woken_when_nobody_comes() {
    let service = PushService::open().await;
    let config = PushConfig {
        vapid: Vapid::new(new_key(), "mailto:chef@example.com".to_owned()),
        services: vec![service.url.parse().unwrap()],
        after: AT_ONCE,
    };
    let app = TestApp::with(|wanted| {
        wanted.push = Some(config);
        wanted.escalation.colleagues = Some(Duration::from_secs(1));
        wanted.escalation.till = None;
    })
    .await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let (phone, _) = Phone::subscribe(&bob, &service.at("bob")).await;
    let (_, lines) = order(&alice, 5, 1).await;
    ready(&alice, lines[0]).await;
    until("Bob is woken", async || service.count("bob") > 0).await;
    let said = phone.read(&service.first("bob").1);
    assert_eq!(said["body"], "Magret de canard — Personne n’est venu\u{a0}: table de Alice");
    assert_eq!(service.first("bob").0["topic"], "dish-1", "it takes the place of what was said before");
}

#[tokio::test]
async fn whoever_signs_out_or_is_dismissed_is_woken_no_more() {
    let service = PushService::open().await;
    let app = service.house(AT_ONCE).await;
    let (alice, bob, charlie) = (app.signed_in("alice").await, app.signed_in("bob").await, app.signed_in("charlie").await);
    Phone::subscribe(&alice, &service.at("alice")).await;
    Phone::subscribe(&bob, &service.at("bob")).await;
    assert_eq!(subscriptions(&app).await, 2);
    let (_, lines) = order(&alice, 5, 1).await;
    let (_, of_bob) = order(&bob, 6, 1).await;
    alice.post("/api/auth/logout", &json!({})).await;
    assert_eq!(subscriptions(&app).await, 1);
    let gerant = app.signed_in("gerant").await;
    assert_eq!(gerant.put("/api/users/2", &json!({"name": "Bob", "role": "serveur", "active": false})).await.status, 200);
    assert_eq!(subscriptions(&app).await, 0);

    // A phone that is handed on wakes whoever signed in last, and whoever had it before no longer.
    let again = app.signed_in("alice").await;
    Phone::subscribe(&again, &service.at("shared")).await;
    let (phone, _) = Phone::subscribe(&charlie, &service.at("shared")).await;
    assert_eq!(subscriptions(&app).await, 1);
    let (_, of_charlie) = order(&charlie, 7, 1).await;
    for line in [lines[0], of_bob[0], of_charlie[0]] {
        ready(&charlie, line).await;
    }
    until("everything is pushed", async || pushed_up_to(&app).await == 3 && service.count("shared") > 0).await;
    assert_eq!(phone.read(&service.first("shared").1)["url"], "/table/7");
    assert_eq!(service.letters.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn push_services_that_refuse_leave_or_hang_hold_nobody_up() {
    let service = PushService::open().await;
    let app = service.house(AT_ONCE).await;
    let mut phones = Vec::new();
    for name in ["silent", "gone", "refused", "moved", "busy", "well"] {
        let client = app.signed_in("alice").await;
        assert_eq!(Phone::subscribe(&client, &service.at(name)).await.1, 200);
        phones.push(client);
    }
    let (_, lines) = order(&phones[0], 5, 1).await;
    ready(&phones[0], lines[0]).await;
    until("the others are told while one service is silent", async || service.count("well") == 1 && service.count("silent") == 1).await;
    until("the one that left is forgotten", async || subscriptions(&app).await == 5).await;
    until("the one that was busy is told when it said", async || service.count("busy") == 2).await;
    let counts = ["gone", "refused", "moved", "well"].map(|phone| service.count(phone));
    assert_eq!(counts, [1, 1, 1, 1], "nothing else is tried twice");
    assert_eq!(service.count("elsewhere"), 0, "a redirection is not followed");
}

#[tokio::test]
async fn a_browser_makes_us_call_nothing_but_push_services() {
    let service = PushService::open().await;
    let app = service.house(AT_ONCE).await;
    let alice = app.signed_in("alice").await;
    let long = format!("{}/push/{}", service.url, "x".repeat(2000));
    let own = format!("http://{}/api/auth/logout", app.address);
    for elsewhere in [
        "http://127.0.0.1:1/elsewhere",
        "http://169.254.169.254/latest/meta-data",
        "https://192.168.0.1/",
        "https://localhost/",
        "http://fcm.googleapis.com/fcm/send/x",
        "https://fcm.googleapis.com.evil.example/x",
        "file:///etc/passwd",
        "",
        &own,
        &long,
    ] {
        let (_, status) = Phone::subscribe(&alice, elsewhere).await;
        assert_eq!(status, 422, "{elsewhere}");
    }
    assert_eq!(Phone::subscribe(&alice, "https://fcm.googleapis.com/fcm/send/x").await.1, 200);
    let keys = json!({"p256dh": BASE64.encode([4u8; 65]), "auth": BASE64.encode([0u8; 16])});
    let bad = json!({"subscription": {"endpoint": service.at("alice"), "keys": keys}});
    assert_eq!(alice.post("/call/push-subscribe", &bad).await.status, 422, "keys that are none");

    // What stands in the database is looked at again before it is called.
    let own = format!("http://{}/push/alice", app.address);
    sqlx::query("update push_subscriptions set endpoint = $1").bind(own).execute(&app.owner).await.unwrap();
    let (_, lines) = order(&alice, 5, 1).await;
    ready(&alice, lines[0]).await;
    until("it is forgotten", async || subscriptions(&app).await == 0).await;
}

#[tokio::test]
async fn without_a_key_nothing_is_offered() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    assert_eq!(alice.post("/call/push-key", &json!({})).await.body, Value::Null);
    assert_eq!(Phone::subscribe(&alice, "https://fcm.googleapis.com/fcm/send/x").await.1, 404);
}
