//! With Redis configured, sessions live there: a real Redis, started on a free port.

use crate::support::TestApp;
use serde_json::json;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Redis {
    child: Child,
    url: String,
}

impl Redis {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
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
        Self { child, url: format!("redis://127.0.0.1:{port}/0") }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn sessions_live_in_redis_and_nowhere_else() {
    let redis = Redis::start();
    let app = TestApp::with_redis(&redis.url).await;
    let alice = app.signed_in("alice").await;
    assert_eq!(alice.get("/api/tables").await.status, 200);
    let in_postgres: i64 = sqlx::query_scalar("select count(*) from sessions").fetch_one(&app.owner).await.unwrap();
    assert_eq!(in_postgres, 0);

    let mut connection = redis::Client::open(redis.url.as_str()).unwrap().get_connection().unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
    assert_eq!(keys.len(), 1);
    let cookie = alice.cookie.clone().unwrap();
    assert!(!keys[0].contains(cookie.split('=').nth(1).unwrap()), "the store does not hold what the cookie holds");
    let lives: i64 = redis::cmd("TTL").arg(&keys[0]).query(&mut connection).unwrap();
    assert!(lives > 15 * 3600 && lives <= 16 * 3600, "{lives}");

    assert_eq!(alice.post("/api/auth/logout", &json!({})).await.status, 204);
    assert_eq!(alice.get("/api/tables").await.status, 401);
}

#[tokio::test]
async fn a_dead_redis_is_named_and_kills_nothing_else() {
    let redis = Redis::start();
    let app = TestApp::with_redis(&redis.url).await;
    let stranger = app.stranger();
    assert_eq!(stranger.get("/health/ready").await.status, 200);
    drop(redis);
    let ready = stranger.get("/health/ready").await;
    assert_eq!((ready.status, &ready.body["failing"]), (503, &json!(["redis"])));
    assert_eq!(stranger.get("/health/live").await.status, 200);
}
