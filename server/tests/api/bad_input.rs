//! Whoever sends too much, too slowly, or what is no request at all, over real sockets: it is refused, it costs little, and others are served meanwhile.

use crate::program::Till;
use crate::support::TestApp;
use reqwest::Method;
use serde_json::json;
use server::http::ws::Stopping;
use server::listening::{self, Limits};
use server::router::router_with;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;

/// Long enough for anything that is not waited for on purpose.
const PATIENCE: Duration = Duration::from_secs(20);

/// Another door to the same house, with limits of its own.
async fn door(app: &TestApp, limits: Limits) -> String {
    door_within(app, limits, PATIENCE).await
}

/// The same with a time in which a body is here, and an answer.
async fn door_within(app: &TestApp, limits: Limits, within: Duration) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let stopping = CancellationToken::new();
    let router = router_with(app.house.clone(), app.house.sessions.clone(), Stopping(stopping.clone()), within);
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
async fn silent_connections_take_no_place_of_others() {
    let app = TestApp::start().await;
    // They would be given up after longer than anybody waits here: there is room because they make it.
    let few = Limits { head_within: 10 * PATIENCE, most_connections: 20, ..Limits::default() };
    let address = door(&app, few).await;
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(TcpStream::connect(&address).await.unwrap());
    }
    // Sixty want three times the places there are, and a person gets an answer.
    let answer = tokio::time::timeout(PATIENCE, reqwest::get(format!("http://{address}/health/live"))).await.expect("in time").unwrap();
    assert_eq!(answer.status(), 200);
    // Those that came first have left, the last ones are still there.
    assert_eq!(to_the_end(&mut silent[0]).await, "");
    let last = silent.last_mut().unwrap();
    last.write_all(b"GET /health/live HTTP/1.1\r\nHost: till\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(to_the_end(last).await.starts_with("HTTP/1.1 200"));

    // A thousand at the usual door, and nobody notices.
    let mut silent = Vec::new();
    for _ in 0..1_000 {
        silent.push(TcpStream::connect(&app.address).await.unwrap());
    }
    let alice = app.signed_in("alice").await;
    assert_eq!(alice.get("/api/tables").await.status, 200);
}

#[tokio::test]
async fn one_household_does_not_take_all_places() {
    let app = TestApp::start().await;
    let limits = Limits { most_connections: 20, most_of_one: 5, is_trusted: |_| false, ..Limits::default() };
    let address = door(&app, limits).await;
    let mut talking = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: till\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut [0; 64]).await.unwrap() > 0);
        talking.push(stream);
    }
    let mut sixth = TcpStream::connect(&address).await.unwrap();
    let _ = sixth.write_all(b"GET /health/live HTTP/1.1\r\nHost: till\r\n\r\n").await;
    assert_eq!(to_the_end(&mut sixth).await, "", "closed, and not kept waiting");
    talking.pop();
    let answer = async {
        // The place is free as soon as the server has seen that they left.
        loop {
            if let Ok(answer) = reqwest::get(format!("http://{address}/health/live")).await {
                return answer.status();
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, answer).await.expect("in time"), 200);
}

#[tokio::test]
async fn a_socket_keeps_its_place() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let address = door(&app, Limits { most_connections: 1, ..Limits::default() }).await;
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    request.headers_mut().insert("cookie", alice.cookie.clone().unwrap().parse().unwrap());
    let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let next = reqwest::get(format!("http://{address}/health/live"));
    let mut next = Box::pin(next);
    assert!(tokio::time::timeout(Duration::from_millis(500), &mut next).await.is_err(), "there is one place, and it is taken");
    drop(socket);
    assert_eq!(tokio::time::timeout(PATIENCE, next).await.expect("it is free again").unwrap().status(), 200);
}

#[tokio::test]
async fn a_body_that_drips_is_answered_and_its_connection_closed() {
    let app = TestApp::start().await;
    let cookie = app.signed_in("camille").await.cookie.unwrap();
    let address = door_within(&app, Limits::default(), Duration::from_millis(400)).await;
    // Those that may take their time too: what a guest with a card waits for is the answer, not the question.
    for path in ["/api/orders", "/api/payments/split", "/call/pay", "/api/auth/login", "/nowhere"] {
        let stream = TcpStream::connect(&address).await.unwrap();
        let (mut hears, mut says) = stream.into_split();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: till\r\nCookie: {cookie}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        );
        says.write_all(head.as_bytes()).await.unwrap();
        let dripping = tokio::spawn(async move {
            while says.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let (mut answer, began) = (Vec::new(), Instant::now());
        let _ = tokio::time::timeout(PATIENCE, hears.read_to_end(&mut answer)).await.expect("the connection is closed");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("too_slow"), "{path}: {answer}");
        assert!(began.elapsed() < Duration::from_secs(10), "{path}: {:?}", began.elapsed());
        dripping.abort();
    }
}

#[tokio::test]
async fn whoever_never_reads_an_answer_does_not_keep_a_place_for_ever() {
    let app = TestApp::start().await;
    let limits = Limits { taken_within: Duration::from_millis(400), most_connections: 1, ..Limits::default() };
    let address = door(&app, limits).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut deaf = socket.connect(address.parse().unwrap()).await.unwrap();
    // More than fits into the buffers of both ends, asked for in one breath.
    let asks = "GET /api/openapi.json HTTP/1.1\r\nHost: till\r\n\r\n".repeat(300);
    let _ = tokio::time::timeout(Duration::from_secs(1), deaf.write_all(asks.as_bytes())).await;
    // It is the only one that there is room for, and it has spoken: only giving it up makes room.
    let answer = tokio::time::timeout(PATIENCE, reqwest::get(format!("http://{address}/health/live"))).await.expect("in time").unwrap();
    assert_eq!(answer.status(), 200);
    drop(deaf);
}

#[tokio::test]
async fn an_order_is_taken_beside_more_silent_guests_than_there_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let till = Till::serve_with_files(512, &folder.path().join("data"), &[]).await;
    let address = till.base.strip_prefix("http://").unwrap().to_owned();
    // All of it before the first silent one is given up: whoever finds no room does not even get through.
    let evening = async {
        let mut silent = Vec::new();
        for _ in 0..600 {
            silent.push(TcpStream::connect(&address).await.unwrap());
        }
        let alice = till.sign_in("alice").await;
        alice.post("/api/orders", &json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}], "covers": 2})).await
    };
    let (status, said) = tokio::time::timeout(PATIENCE, evening).await.expect("before the silent ones are given up");
    assert_eq!(status, 201, "{said}");
    let said = till.said.lock().unwrap().clone();
    assert!(!said.contains("cannot be taken"), "it never runs out of files: {said}");
    till.kill().await;
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
