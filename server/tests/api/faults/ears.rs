//! Phones that hear what the kitchen says, over sockets that get lost.

use super::cable::Cable;
use crate::program::PATIENCE;
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use sqlx::PgPool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Longer than the server ever says nothing; then the socket is given up, as a browser does.
const SILENCE: Duration = Duration::from_secs(12);

/// A phone that listens.
pub struct Ear {
    username: &'static str,
    /// The numbers of what it heard, in the order in which it did.
    heard: Arc<Mutex<Vec<i64>>>,
    /// How often it came back.
    came_back: Arc<Mutex<u64>>,
    listening: JoinHandle<()>,
}

impl Ear {
    pub fn open(username: &'static str, cookie: &str, cable: &Cable) -> Self {
        let (heard, came_back) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let listening = tokio::spawn(listen(cookie.to_owned(), cable.port, Arc::clone(&heard), Arc::clone(&came_back)));
        Self { username, heard, came_back, listening }
    }

    pub async fn has_heard_something(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.heard.lock().unwrap().is_empty() {
            assert!(Instant::now() < deadline, "{} never hears anything", self.username);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Once nothing new is said: it has heard all that was said to its person, each once, in order. Returns how much, and how often it came back.
    pub async fn missed_nothing(&self, db: &PgPool) -> (usize, u64) {
        let said: Vec<i64> = sqlx::query_scalar(
            "select n.id from dish_news n join users u on u.id = n.server_user_id where n.level = 0 and u.username = $1 order by n.id",
        )
        .bind(self.username)
        .fetch_all(db)
        .await
        .unwrap();
        let deadline = Instant::now() + PATIENCE;
        while self.heard.lock().unwrap().last() < said.last() {
            assert!(Instant::now() < deadline, "{} never hears {:?}", self.username, said.last());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(*self.heard.lock().unwrap(), said, "{}", self.username);
        (said.len(), *self.came_back.lock().unwrap())
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(cookie: String, port: u16, heard: Arc<Mutex<Vec<i64>>>, came_back: Arc<Mutex<u64>>) {
    loop {
        let last = heard.lock().unwrap().last().copied().unwrap_or(0);
        let mut request = format!("ws://127.0.0.1:{port}/ws?since={last}").into_client_request().unwrap();
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        if let Ok(Ok((mut socket, _))) = tokio::time::timeout(SILENCE, connect_async(request)).await {
            while let Ok(Some(Ok(frame))) = tokio::time::timeout(SILENCE, socket.next()).await {
                let Message::Text(text) = frame else { continue };
                let event: Value = serde_json::from_str(&text).unwrap();
                if let Some(number) = event["id"].as_i64() {
                    heard.lock().unwrap().push(number);
                } else if event["event"] == "ping" && socket.send(Message::text(r#"{"event":"pong","data":{}}"#)).await.is_err() {
                    break;
                }
            }
        }
        *came_back.lock().unwrap() += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
