//! What the machine can do at most: the same statements without us, and the same bytes without us.

use crate::statements::{self, Script};
use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Tables from number 1000 on, each with an open order: a second round is the usual case, and the same for both sides.
pub async fn seed(owner: &mut sqlx::PgConnection, tables: u32) {
    let sql = format!(
        "insert into tables (id, name, room_id, seats, x, y) select i, 'B' || i, 1, 4, 50, 50 from generate_series(1000, {}) i;
         insert into orders (table_id, covers, server_user_id) select id, 4, 1 from tables where id >= 1000;",
        999 + tables
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(owner).await.unwrap();
}

/// Slips that wait for the kitchen system.
pub async fn waiting(owner: &mut sqlx::PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from kitchen_slips where sent_at is null").fetch_one(owner).await.unwrap()
}

/// Transactions a second that `pgbench` gets with a script.
pub async fn pgbench(options: &PgConnectOptions, clients: usize, long: Duration, script: &Script) -> f64 {
    let output = statements::pgbench(options, clients, ["-T", &long.as_secs().to_string()], script).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("number of failed transactions: 0 "), "{text}");
    text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok()).expect("pgbench says how many")
}

/// A handler that returns the bytes of a file and does nothing else, until it is ended.
pub async fn bare_handler(body: &Path) {
    use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
    let bytes = axum::body::Bytes::from(std::fs::read(body).unwrap());
    let handler = move || async move {
        ([(ETAG, "\"0123456789abcdef\""), (CACHE_CONTROL, "private, no-cache"), (CONTENT_TYPE, "application/json")], bytes)
    };
    let router = axum::Router::new().route("/api/menu", axum::routing::get(handler));
    let address = std::env::var("COMPTOIR_ADDR").unwrap();
    let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
    println!("bare handler on {address}");
    let ended = async {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap().recv().await;
    };
    axum::serve(listener, router).with_graceful_shutdown(ended).await.unwrap();
}

/// Answers every request with the bytes of a file, whatever it asks, until it is ended: it looks for the end of a request without a body and for nothing
/// else. As much as any server could do, so that what a load gets from it is what the load itself can do.
pub async fn fixed_answer(body: &Path) {
    let body = std::fs::read(body).unwrap();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    let answer: &'static [u8] = [head.into_bytes(), body].concat().leak();
    let address = std::env::var("COMPTOIR_ADDR").unwrap();
    let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
    println!("fixed answer on {address}");
    let mut ended = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
    loop {
        let (mut stream, _) = tokio::select! {
            _ = ended.recv() => return,
            taken = listener.accept() => taken.unwrap(),
        };
        tokio::spawn(async move {
            stream.set_nodelay(true).unwrap();
            let (mut buffer, mut filled) = (vec![0; 4096], 0);
            // Whoever measures hangs up.
            while let Ok(read @ 1..) = stream.read(&mut buffer[filled..]).await {
                filled += read;
                if buffer[..filled].ends_with(b"\r\n\r\n") {
                    filled = 0;
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}
