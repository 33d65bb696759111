//! Connections: taken, served, and given up when they say nothing.
//!
//! A till stands in a network that guests may share. Whoever opens connections and says nothing, or says one byte a second, must not take the place
//! of a phone: a request has so long to say what it wants, its head may be so large, and so many connections are open at once. Bodies have a limit and
//! a time of their own, see [`crate::http::guard::to_the_end`].

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// What a connection may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long the head of a request may take, and how long a connection may be open without one.
    pub head_within: Duration,
    /// Its size, in bytes.
    pub largest_head: usize,
    /// How many header fields.
    pub most_fields: usize,
    /// Open at once. Further ones wait until one is closed.
    pub most_connections: usize,
}

impl Default for Limits {
    /// Twice the phones of the largest house; browsers send heads of two kilobytes.
    fn default() -> Self {
        Self { head_within: Duration::from_secs(30), largest_head: 64 * 1024, most_fields: 100, most_connections: 10_000 }
    }
}

/// Serves until `stopping`; then no new connection is taken, requests that run are answered, and it returns when all are.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stopping: CancellationToken) {
    let (open, room) = (TaskTracker::new(), Arc::new(Semaphore::new(limits.most_connections)));
    loop {
        let taken = tokio::select! {
            () = stopping.cancelled() => break,
            taken = take(&listener, &room) => taken,
        };
        let Some((stream, peer, place)) = taken else { continue };
        let (router, stopping) = (router.clone(), stopping.clone());
        open.spawn(async move {
            attend(stream, peer, router, limits, stopping).await;
            drop(place);
        });
    }
    open.close();
    open.wait().await;
}

/// The next connection, once there is room for it.
async fn take(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            // Gone before it was taken is nothing; no file descriptor left is, and gets better when others end.
            if !matches!(error.kind(), std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::ConnectionReset) {
                tracing::error!(%error, "a connection cannot be taken");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            None
        }
    }
}

async fn attend(stream: TcpStream, peer: SocketAddr, router: Router, limits: Limits, stopping: CancellationToken) {
    // What is written is written whole: nothing more is coming that would be worth waiting for.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_buf_size(limits.largest_head)
        .max_headers(limits.most_fields)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}
