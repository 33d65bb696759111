//! With Redis configured, sessions live there: a real Redis, started on a free port.

use crate::support::TestApp;
use serde_json::json;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A real Redis; killed when it is dropped.
pub struct Redis {
    pub child: Child,
    pub url: String,
}

impl Redis {
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { child: Self::serve(port), url: format!("redis://127.0.0.1:{port}/0") }
    }

    /// Starts it again where it was, empty.
    pub fn revive(&mut self) {
        let port = self.url.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap();
        self.child = Self::serve(port);
    }

    fn serve(port: u16) -> Child {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed by `make setup`");
        let until = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_session_is_answered_from_redis_which_holds_nothing_to_sign_in_with() {
    let redis = Redis::start();
    let app = TestApp::with_redis(&redis.url).await;
    let alice = app.signed_in("alice").await;

    let mut connection = redis::Client::open(redis.url.as_str()).unwrap().get_connection().unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("comptoir:session:*").query(&mut connection).unwrap();
    assert_eq!(keys.len(), 1);
    let cookie = alice.cookie.clone().unwrap();
    assert!(!keys[0].contains(cookie.split('=').nth(1).unwrap()), "the store does not hold what the cookie holds");
    let lives: i64 = redis::cmd("TTL").arg(&keys[0]).query(&mut connection).unwrap();
    assert!((1..=60).contains(&lives), "{lives}");

    // Redis alone answers while it is believed; a process that has not seen the session before asks it.
    sqlx::query("delete from sessions").execute(&app.owner).await.unwrap();
    let other = app.another().await;
    assert_eq!(alice.at(&other).get("/api/tables").await.status, 200);
    // A session ended elsewhere ends here as soon as Redis forgets it.
    redis::cmd("DEL").arg(&keys[0]).exec(&mut connection).unwrap();
    let third = app.another().await;
    assert_eq!(alice.at(&third).get("/api/tables").await.status, 401);

    let bob = app.signed_in("bob").await;
    assert_eq!(bob.post("/api/auth/logout", &json!({})).await.status, 204);
    assert_eq!(bob.get("/api/tables").await.status, 401);
}

#[tokio::test]
async fn a_dead_redis_is_named_and_the_next_order_is_taken() {
    let redis = Redis::start();
    let app = TestApp::with_redis(&redis.url).await;
    let alice = app.signed_in("alice").await;
    assert_eq!(alice.get("/health/ready").await.status, 200);
    drop(redis);
    let ready = alice.get("/health/ready").await;
    assert_eq!((ready.status, &ready.body["failing"]), (503, &json!(["redis"])));
    let order = alice.post("/api/orders", &json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}]})).await;
    assert_eq!(order.status, 201, "{}", order.text);
    app.signed_in("camille").await;
}
