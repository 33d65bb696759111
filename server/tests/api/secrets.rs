//! What nobody may read afterwards: a PIN, a session, a token, a key, a card. The real program is run with its log as loud as it gets, everything that
//! carries a secret is done, rightly and wrongly, and then the log and every answer are searched.

use crate::folder::folder;
use crate::program::{Person, Till};
use crate::support::TestApp;
use domain::terminal::caisse_ap::Reader;
use reqwest::{Client, Method};
use serde_json::json;
use server::adapters::push::vapid::{Vapid, new_key, write_key};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

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

/// What a terminal says of a card when it says everything: after a card that is taken, one that is refused, a line that breaks off, and fields that no
/// protocol has.
#[derive(Debug, Clone, Copy)]
enum Telling {
    Approved,
    Refused,
    Broken,
    Elsewhere,
    /// Approved, and the card where the number of the authorisation belongs.
    Numbered,
    /// The same, of the last ticket.
    LastTicket,
}

/// A terminal that tells a till more of a card than it should, a new story on each call, until the test ends.
async fn talkative_terminal(stories: [Telling; 6]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut stories = stories.into_iter();
        // Some calls only look whether it is there.
        while let Ok((mut line, _)) = listener.accept().await {
            if let Some(asked) = heard(&mut line).await {
                let told = tell(stories.next().unwrap_or(Telling::Refused), &asked);
                let _ = line.write_all(&told).await;
                let _ = line.shutdown().await;
            }
        }
    });
    address
}

/// The fields of a request that its answer repeats; none when the till hung up before it said anything.
async fn heard(line: &mut TcpStream) -> Option<Vec<(&'static str, String)>> {
    let (mut reader, mut buffer) = (Reader::default(), [0; 1024]);
    loop {
        let read = line.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        reader.push(&buffer[..read]);
        if let Some(request) = reader.request() {
            let echo = |tag: &'static str, name: &[u8; 2]| (tag, request.text(name).unwrap_or_default().to_owned());
            return Some(vec![
                echo("CZ", b"CZ"),
                echo("CA", b"CA"),
                echo("CE", b"CE"),
                echo("CD", b"CD"),
                echo("CB", b"CB"),
                echo("CF", b"CF"),
            ]);
        }
    }
}

fn tell(story: Telling, asked: &[(&'static str, String)]) -> Vec<u8> {
    let track = format!("{CARD}=27122010000012300000");
    let ticket = format!("CARTE BANCAIRE\nLE MARCHAND\n{CARD}\nDEBIT 12,00 EUR");
    let said: &[(&str, &str)] = match story {
        Telling::Approved => &[("CC", "00B"), ("AA", CARD), ("AB", CARD), ("AD", &track), ("AG", &track), ("AC", "SEEN42"), ("AE", "10")],
        Telling::Refused => &[("AA", CARD), ("AQ", &track), ("AE", "01"), ("AF", "04")],
        Telling::Broken => &[("AA", CARD), ("AC", CARD), ("AE", "10")],
        Telling::Numbered | Telling::LastTicket => &[("AA", CARD), ("AC", CARD), ("AE", "10")],
        Telling::Elsewhere => &[("CC", CARD), ("AC", CARD), ("AH", CARD), ("ZZ", &track), ("AF", CARD), ("AE", "01")],
    };
    let all = asked.iter().map(|(tag, value)| (*tag, value.as_str())).chain(said.iter().copied()).chain([("ZT", ticket.as_str())]);
    let told: String = all.filter(|(_, value)| !value.is_empty()).map(|(tag, value)| format!("{tag}{:03}{value}", value.len())).collect();
    match story {
        // In the middle of a field, which says that it is longer.
        Telling::Broken => [told.split("AC016").next().unwrap().as_bytes(), b"AC9", CARD.as_bytes(), b"\xff"].concat(),
        _ => told.into_bytes(),
    }
}

/// A piece of the card's number, of seven digits and more, where there is one: more than the last four, which every ticket may show.
fn piece_of_the_card(bytes: &[u8]) -> Option<String> {
    let pieces: Vec<&[u8]> = CARD.as_bytes().windows(7).collect();
    let mut runs = bytes.split(|byte| !byte.is_ascii_digit()).filter(|run| run.len() >= 7);
    let found = runs.find(|run| run.windows(7).any(|part| pieces.contains(&part)))?;
    Some(String::from_utf8_lossy(found).into_owned())
}

/// Files below a folder in which something is found, and what.
fn files_with(folder: &Path, find: &dyn Fn(&[u8]) -> Option<String>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files_with(&path, find)),
            // What the database throws away meanwhile is gone.
            Ok(kind) if kind.is_file() => {
                let bytes = std::fs::read(&path).unwrap_or_default();
                found.extend(find(&bytes).map(|what| (path.display().to_string(), what)));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_piece_of_the_card_is_seen() {
    assert_eq!(piece_of_the_card(b"AC=4970101122").as_deref(), Some("4970101122"));
    assert_eq!(piece_of_the_card(b"x2334455y").as_deref(), Some("2334455"));
    assert_eq!(piece_of_the_card(b"497010 4455 1234567890"), None);
}

/// The log at its loudest, every answer, and every byte that the database has on the disk, its own log of changes included.
#[tokio::test]
async fn no_card_is_kept_or_logged_whatever_a_terminal_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let terminal = talkative_terminal([
        Telling::Approved,
        Telling::Refused,
        Telling::Broken,
        Telling::Elsewhere,
        Telling::Numbered,
        Telling::LastTicket,
    ])
    .await;
    let line = format!("caisse-ap://{terminal}?timeout_s=5&late_s=0");
    let till = Till::serve(&data, &[("RUST_LOG", "trace"), ("TPE_URL", &line)]).await;
    let camille = till.sign_in("camille").await;
    let order = json!({"table_id": 5, "covers": 5, "items": [{"dish_id": 12, "qty": 5}]});
    let order = camille.post("/api/orders", &order).await.1["order_id"].clone();
    let mut statuses = Vec::new();
    let mut unknown = None;
    for cover in 1..=5 {
        let (status, said) =
            camille.post("/api/payments/split", &json!({"order_id": order, "cover_number": cover, "amount": 24, "method": "CB"})).await;
        statuses.push((status, said["code"].as_str().unwrap_or_default().to_owned()));
        if let Some(payment) = said["payment_id"].as_i64() {
            unknown = unknown.or(Some(payment).filter(|_| status == 504));
            camille.get(&format!("/api/payments/{payment}")).await;
        }
    }
    assert_eq!((statuses[0].0, statuses[1].0, statuses[4].0), (201, 402, 201), "{statuses:?}");
    assert!(statuses[2..4].iter().all(|(status, _)| [402, 503, 504].contains(status)), "{statuses:?}");
    let (status, last) = camille.post(&format!("/api/payments/{}/query", unknown.unwrap()), &json!({})).await;
    assert_eq!((status, &last["approval_code"]), (200, &json!(null)), "{last}");
    assert!(!["silent", "unsupported", "refused"].contains(&last["answer"].as_str().unwrap()), "{last}");
    camille.get("/api/payments/to-check").await;
    camille.get("/api/payments/strays").await;
    camille.get(&format!("/api/orders/{order}/bill")).await;

    let log = till.said.lock().unwrap().clone();
    assert!(log.contains("about_to_send") || log.contains("\"attempt\""), "the log is loud");
    let found = log.lines().find_map(|line| piece_of_the_card(line.as_bytes()).map(|piece| (piece, line)));
    assert!(found.is_none(), "a card is in the log: {found:?}");
    let found = piece_of_the_card(camille.answers.lock().unwrap().as_bytes());
    assert!(found.is_none(), "a card is in an answer: {found:?}");
    // What is looked for is found where it is.
    let seen = |bytes: &[u8]| bytes.windows(6).any(|part| part == b"SEEN42").then(|| "SEEN42".to_owned());
    assert!(!files_with(&data, &seen).is_empty(), "the number of the authorisation is kept");
    assert_eq!(files_with(&data, &piece_of_the_card), Vec::<(String, String)>::new(), "a card is on the disk");
    till.kill().await;
}

#[tokio::test]
async fn no_card_is_taken_where_somebody_types_freely() {
    let app = TestApp::start().await;
    let (alice, camille, gerant) = (app.signed_in("alice").await, app.signed_in("camille").await, app.signed_in("gerant").await);
    let with_note = |note: &str| json!({"table_id": 5, "covers": 2, "items": [{"dish_id": 12, "qty": 2, "note": note}]});
    // A customer's SIRET and a telephone are no cards.
    let sent = alice.post("/api/orders", &with_note("Facture SIRET 732 829 320 00074, 06 12 34 56 78")).await;
    assert_eq!(sent.status, 201, "{}", sent.text);
    let order = sent.body["order_id"].clone();
    let line = alice.get(&format!("/api/orders/{order}")).await.body["lines"][0]["line_id"].clone();
    let paid = json!({"order_id": order, "cover_number": 1, "amount": 24, "method": "ESPECES"});
    let paid = camille.post("/api/payments/split", &paid).await.body["payment_id"].clone();
    let why = "Payé avec 4111 1111 1111 1111";
    let uuid = uuid::Uuid::now_v7();
    for (client, path, body) in [
        (&alice, "/api/orders".to_owned(), with_note(why)),
        (&alice, format!("/api/orders/{order}/lines/{line}/void"), json!({"qty": 1, "reason": why})),
        (&alice, format!("/api/orders/sync/{uuid}/drop"), json!({"reason": why})),
        (&camille, format!("/api/orders/{order}/discount"), json!({"percent": 10, "reason": why})),
        (&camille, "/api/cash/movements".to_owned(), json!({"kind": "in", "amount": 10, "reason": why})),
        (&camille, format!("/api/payments/{paid}/method"), json!({"method": "CHEQUE", "reason": why})),
        (&camille, format!("/api/payments/{paid}/resolve"), json!({"outcome": "not_accepted", "reason": why})),
        (&gerant, format!("/api/payments/{paid}/refund"), json!({"amount": 1, "reason": why})),
    ] {
        let refused = client.post(&path, &body).await;
        let error = &refused.body["errors"][0];
        assert_eq!((refused.status, refused.code(), &error["code"]), (422, "invalid", &json!("card_number")), "{path}: {}", refused.text);
        assert_eq!(refused.body["detail"], "Pas de numéro de carte ici.", "{path}");
    }
    let kept: String = sqlx::query_scalar("select string_agg(a::text, '') from audit_logs a").fetch_one(&app.owner).await.unwrap();
    assert!(!kept.contains("4111"));
}

const PASSWORD: &str = "a-password-that-nobody-may-read";

/// What a start that fails had to say, at its loudest.
async fn failing_start(data: &Path, name: &str, value: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command.arg("serve").stdin(Stdio::null()).env("RUST_LOG", "trace").env("COMPTOIR_DATA", data).env("COMPTOIR_ADDR", "127.0.0.1:0");
    let output = command.env(name, value).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(60), output).await.expect("it gives up").unwrap();
    assert!(!output.status.success(), "{name} is refused");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn no_password_of_a_setting_is_said_when_it_is_of_no_use() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // A database that is not there, and addresses that are none.
    for (name, value) in [
        ("DATABASE_URL", format!("postgres://till:{PASSWORD}@127.0.0.1:9/till")),
        ("DATABASE_URL", format!("postgres://till:{PASSWORD}@127.0.0.1:notaport/till")),
        ("DATABASE_URL", format!("mysql://till:{PASSWORD}@127.0.0.1/till")),
        ("REDIS_URL", format!("http://:{PASSWORD}@127.0.0.1:9")),
        ("FISCAL_ANCHORS_MAIL", format!("smtp://till:{PASSWORD}@mail.example?from=a@example.fr&to=b@example.fr")),
    ] {
        let said = failing_start(&folder.path().join("nothing"), name, &value).await;
        assert!(said.contains(name), "{name} is named: {said}");
        assert!(!said.contains(PASSWORD), "{name}: {said}");
    }

    // A Redis that knows another password, and a mail server that is not there: it serves, and says that they fail.
    let redis = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let redis_url = format!("redis://:{PASSWORD}@{}", redis.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut line, _)) = redis.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                while let Ok(1..) = line.read(&mut buffer).await {
                    if line.write_all(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n").await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let mail = format!("smtps://till:{PASSWORD}@127.0.0.1:9?from=till@example.fr&to=accountant@example.fr");
    let settings = [("RUST_LOG", "trace"), ("TPE_URL", "none"), ("REDIS_URL", &redis_url), ("FISCAL_ANCHORS_MAIL", &mail)];
    let till = Till::serve(&data, &settings).await;
    let camille = till.sign_in("camille").await;
    let order = json!({"table_id": 5, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
    let order = camille.post("/api/orders", &order).await.1["order_id"].clone();
    let pay = json!({"order_id": order, "cover_number": 1, "amount": 24, "method": "ESPECES"});
    assert_eq!(camille.post("/api/payments/split", &pay).await.0, 201);
    assert_eq!(camille.post("/api/nf525/close", &json!({})).await.0, 200);
    let deadline = Instant::now() + Duration::from_secs(60);
    let log = loop {
        let log = till.said.lock().unwrap().clone();
        if log.contains("closings not mailed yet") && log.contains("REDIS_URL: Redis does not answer") {
            break log;
        }
        assert!(
            Instant::now() < deadline,
            "neither is said: {}",
            log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect::<String>()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let ready = camille.get("/health/ready").await;
    for (what, text) in [("the log", log), ("an answer", camille.answers.lock().unwrap().clone())] {
        let found = text.lines().find(|line| line.contains(PASSWORD));
        assert!(found.is_none(), "a password is in {what}: {found:?} {ready:?}");
    }
    till.kill().await;
}
