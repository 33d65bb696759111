//! Whoever sends too much, too slowly, or what is no request at all, over real sockets: it is refused, it costs little, and others are served meanwhile.

use crate::support::TestApp;
use reqwest::Method;
use serde_json::json;
use server::http::ws::Stopping;
use server::listening::{self, Limits};
use server::router::router;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Long enough for anything that is not waited for on purpose.
const PATIENCE: Duration = Duration::from_secs(20);

/// Another door to the same house, with limits of its own.
async fn door(app: &TestApp, limits: Limits) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let stopping = CancellationToken::new();
    let router = router(app.house.clone(), app.house.sessions.clone(), Stopping(stopping.clone()));
    tokio::spawn(listening::serve(listener, router, limits, stopping));
    address
}

/// Reads until the server closes the connection.
async fn to_the_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server closes the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn who_does_not_say_what_they_want_is_not_waited_for() {
    let app = TestApp::start().await;
    let address = door(&app, Limits { head_within: Duration::from_millis(400), ..Limits::default() }).await;

    // Nothing at all; half a line; a field every moment and never the last.
    let mut silent = TcpStream::connect(&address).await.unwrap();
    let mut half = TcpStream::connect(&address).await.unwrap();
    half.write_all(b"GET /health/live HT").await.unwrap();
    let slow = TcpStream::connect(&address).await.unwrap();
    let (mut hears, mut says) = slow.into_split();
    let began = Instant::now();
    let dripping = tokio::spawn(async move {
        let _ = says.write_all(b"GET /health/live HTTP/1.1\r\nHost: till\r\n").await;
        for n in 0_u32.. {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if says.write_all(format!("X-{n}: y\r\n").as_bytes()).await.is_err() {
                return;
            }
        }
    });
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, hears.read_to_end(&mut answer)).await.expect("it is given up");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    for stream in [&mut silent, &mut half] {
        assert!(!to_the_end(stream).await.starts_with("HTTP/1.1 200"));
    }
    dripping.abort();
}

#[tokio::test]
async fn silent_connections_take_no_place_of_others_and_room_comes_back() {
    let app = TestApp::start().await;
    let few = Limits { head_within: Duration::from_millis(700), most_connections: 20, ..Limits::default() };
    let address = door(&app, few).await;
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(TcpStream::connect(&address).await.unwrap());
    }
    // Sixty hold three times the places there are; each is given up in its turn, and a person gets an answer.
    let answer = tokio::time::timeout(PATIENCE, reqwest::get(format!("http://{address}/health/live"))).await.expect("in time").unwrap();
    assert_eq!(answer.status(), 200);
    drop(silent);

    // A thousand at the usual door, and nobody notices.
    let mut silent = Vec::new();
    for _ in 0..1_000 {
        silent.push(TcpStream::connect(&app.address).await.unwrap());
    }
    let alice = app.signed_in("alice").await;
    assert_eq!(alice.get("/api/tables").await.status, 200);
}

#[tokio::test]
async fn a_flood_of_header_fields_is_refused_as_it_comes() {
    let app = TestApp::start().await;
    let fields: String = (0..5_000).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "a".repeat(1 << 20));
    for head in [fields, long, format!("Cookie: comptoir={}\r\n", "a".repeat(200_000))] {
        let mut stream = TcpStream::connect(&app.address).await.unwrap();
        // The server may close before all of it is out.
        let _ = stream.write_all(format!("GET /health/live HTTP/1.1\r\nHost: till\r\n{head}\r\n").as_bytes()).await;
        let answer = to_the_end(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let mut stream = TcpStream::connect(&app.address).await.unwrap();
    let _ = stream.write_all(format!("GET /{} HTTP/1.1\r\nHost: till\r\n\r\n", "a".repeat(100_000)).as_bytes()).await;
    let answer = to_the_end(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(app.stranger().get("/health/live").await.status, 200);
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let app = TestApp::start().await;
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        vec![0; 100_000],
        b"POST /api/orders HTTP/1.1\r\nHost: till\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\n".to_vec(),
        b"POST /api/orders HTTP/1.1\r\nHost: till\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        b"POST /api/orders HTTP/1.1\r\nHost: till\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n".to_vec(),
    ] {
        let mut stream = TcpStream::connect(&app.address).await.unwrap();
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let answer = to_the_end(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4"), "{bytes:?}: {answer}");
    }
    assert_eq!(app.stranger().get("/health/live").await.status, 200);
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let cookie = alice.cookie.clone().unwrap();
    for path in ["/api/orders", "/call/order", "/api/auth/login", "/nowhere"] {
        let mut stream = TcpStream::connect(&app.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: till\r\nCookie: {cookie}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut hears, mut says) = stream.into_split();
        let pouring = tokio::spawn(async move {
            let chunk = format!("4000\r\n{}\r\n", "[".repeat(0x4000));
            let mut poured = 0_u64;
            while says.write_all(chunk.as_bytes()).await.is_ok() {
                poured += 0x4000;
            }
            poured
        });
        let mut answer = vec![0; 64];
        let read =
            tokio::time::timeout(PATIENCE, hears.read(&mut answer)).await.expect("an answer before the end of the body").unwrap_or(0);
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
        drop(hears);
        let poured = tokio::time::timeout(PATIENCE, pouring).await.expect("the server closes").unwrap();
        assert!(poured < 64 << 20, "{path}: {poured} bytes were taken");
    }
}

#[tokio::test]
async fn json_as_deep_as_a_body_can_be_is_no_more_than_bad_json() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let deep = |open: &str, close: &str| open.repeat(60_000) + &close.repeat(60_000);
    let bodies = [
        "[".repeat(250_000),
        deep("[", "]"),
        "{\"items\":".repeat(25_000),
        format!("{{\"table_id\": 1, \"items\": {}}}", deep("[", "]")),
        format!("{{\"table_id\": 1, \"items\": [], \"total\": {}}}", deep("[", "]")),
        format!("{{\"order_id\": 1, \"cover_number\": 1, \"method\": \"CB\", \"amount\": {}}}", deep("[", "]")),
        format!("{{\"amount\": {}}}", "9".repeat(200_000)),
        format!("{{\"table_id\": 1e{}}}", "9".repeat(1_000)),
        format!("\"{}\"", "\\ud800".repeat(40_000)),
    ];
    for path in ["/api/orders", "/api/orders/sync", "/call/pay", "/call/order", "/api/auth/login"] {
        for body in &bodies {
            let request = alice.request(Method::POST, path).header("content-type", "application/json").body(body.clone());
            let answer = alice.send(request).await;
            assert!([400, 403, 422].contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
        }
    }
}

#[tokio::test]
async fn an_address_that_is_no_text_names_nothing() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    for (method, path) in [
        (Method::PUT, "/api/menu/headings/%ff/pairings"),
        (Method::PUT, "/api/menu/headings/%00/pairings"),
        (Method::POST, "/api/orders/1/lines/%c3%28/void"),
        (Method::POST, "/api/orders/%ff/courses/%ff/fire"),
        (Method::POST, "/api/kitchen/slips/%ff/1"),
        (Method::POST, "/api/payments/%ff/contradictions/1"),
        (Method::GET, "/api/orders/%ff"),
        (Method::POST, "/api/orders/sync/%ff/drop"),
    ] {
        let answer = gerant.send(gerant.request(method, path).json(&json!([]))).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{path}: {}", answer.text);
    }
    for (path, field) in [("/api/nf525/archive?from=%ff&to=2026-01-01", "from"), ("/api/pass/waits?day=%ff", "day")] {
        let answer = gerant.get(path).await;
        assert_eq!((answer.status, answer.body["errors"][0]["field"].as_str()), (422, Some(field)), "{path}: {}", answer.text);
    }
}
