use crate::support::{Client, TestApp};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub async fn open(app: &TestApp, client: &Client, origin: Option<&str>) -> Result<Socket, Error> {
    dial(app, client, "/ws", origin).await
}

/// Comes back and says which number was the last.
pub async fn since(app: &TestApp, client: &Client, number: i64) -> Socket {
    dial(app, client, &format!("/ws?since={number}"), None).await.unwrap()
}

async fn dial(app: &TestApp, client: &Client, path: &str, origin: Option<&str>) -> Result<Socket, Error> {
    let mut request = format!("ws://{}{path}", app.address).into_client_request().unwrap();
    if let Some(cookie) = &client.cookie {
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
    }
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

/// The next event that is not a ping, if one comes.
pub async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(2), socket.next()).await.ok()??.unwrap();
        if let Message::Text(text) = frame {
            let event: Value = serde_json::from_str(&text).unwrap();
            if event["event"] != "ping" {
                return Some(event);
            }
        }
    }
}

/// The next event of that name, whatever comes before it.
pub async fn next_named(socket: &mut Socket, name: &str) -> Option<Value> {
    loop {
        let event = next(socket).await?;
        if event["event"] == name {
            return Some(event);
        }
    }
}

/// Waits until a socket that missed nothing has been told so: the first ping comes after what was missed.
pub async fn caught_up(socket: &mut Socket) {
    let frame = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.expect("a first ping").unwrap().unwrap();
    let first: Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
    assert_eq!(first["event"], "ping", "nothing was missed");
}

/// Says something.
pub async fn say(socket: &mut Socket, frame: &Value) {
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

/// Waits until the server closes, and returns the code that it gives.
pub async fn closed_with(socket: &mut Socket) -> Option<u16> {
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    while let Ok(Some(Ok(frame))) = tokio::time::timeout_at(until, socket.next()).await {
        if let Message::Close(frame) = frame {
            return frame.map(|frame| frame.code.into());
        }
    }
    None
}

#[tokio::test]
async fn only_the_waiter_of_the_table_is_told_that_the_dish_is_ready() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let mut of_alice = open(&app, &alice, None).await.unwrap();
    let mut of_bob = open(&app, &bob, None).await.unwrap();
    let order = alice.post("/api/orders", &json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}]})).await.body["order_id"].clone();
    let line = alice.get(&format!("/api/orders/{order}")).await.body["lines"][0]["line_id"].clone();
    bob.post(&format!("/api/kitchen/lines/{line}"), &json!({"state": "ready"})).await;
    let ready = next_named(&mut of_alice, "dish_ready").await.expect("alice is told");
    // The last event of the day tells bob that nothing else will come.
    alice.post("/api/orders", &json!({"table_id": 6, "items": [{"dish_id": 12, "qty": 1}]})).await;

    let until_table_6 = async |socket: &mut Socket| {
        let mut seen = Vec::new();
        while let Some(event) = next(socket).await {
            let last = event["data"]["table_id"] == 6;
            seen.push(event);
            if last {
                break;
            }
        }
        seen
    };
    let bob_saw = until_table_6(&mut of_bob).await;
    assert_eq!((&ready["data"]["table"], &ready["data"]["dish"]), (&json!("5"), &json!("Magret de canard")));
    assert!(bob_saw.iter().any(|event| event["event"] == "table_changed"), "bob sees the plan change");
    assert!(bob_saw.iter().all(|event| event["event"] != "dish_ready"), "bob is not told");
}

#[tokio::test]
async fn a_socket_needs_a_session_and_our_own_origin() {
    let app = TestApp::start().await;
    let status = |result: Result<Socket, Error>| match result {
        Err(Error::Http(response)) => response.status().as_u16(),
        Ok(_) => 101,
        Err(other) => panic!("{other}"),
    };
    assert_eq!(status(open(&app, &app.stranger(), None).await), 401);
    let alice = app.signed_in("alice").await;
    assert_eq!(status(open(&app, &alice, Some("http://evil.example")).await), 403);
    assert_eq!(status(open(&app, &alice, Some(&format!("http://{}", app.address))).await), 101);
}

#[tokio::test]
async fn the_server_asks_whether_somebody_is_there() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let mut socket = open(&app, &alice, None).await.unwrap();
    let frame = tokio::time::timeout(Duration::from_secs(2), socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(frame.into_text().unwrap().as_str(), r#"{"event":"ping","data":{}}"#);
    socket.send(Message::text(r#"{"event":"pong","data":{}}"#)).await.unwrap();
    socket.send(Message::text("not even json")).await.unwrap();
    alice.post("/api/orders", &json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}]})).await;
    assert!(next(&mut socket).await.is_some(), "nonsense does not end the connection");
}

#[tokio::test]
async fn an_auditor_has_a_connection_and_no_part_in_the_service() {
    let app = TestApp::start().await;
    let (alice, audit) = (app.signed_in("alice").await, app.signed_in("audit").await);
    let (mut of_alice, mut of_audit) = (open(&app, &alice, None).await.unwrap(), open(&app, &audit, None).await.unwrap());
    alice.post("/api/orders", &json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}]})).await;
    assert!(next(&mut of_alice).await.is_some());
    assert_eq!(next(&mut of_audit).await, None);
}
