//! Connections: taken, served, and given up when they say nothing.
//!
//! A till stands in a network that guests may share. Whoever opens connections and says nothing, says one byte a second, or never reads what it is told, must
//! not take the place of a phone. A request has so long to say what it wants, and its head may be so large. So many connections are open at once, as many
//! as the system lets this process open files; when there is no room, whoever has said nothing for longest makes some; no other machine has more than its
//! part of the places. An answer that nobody reads is given up. Sockets of phones hold their place as long as they are open. Bodies have a limit and a time of
//! their own, see [`crate::http::guard::to_the_end`].

use crate::http::peer::household;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// Twice the phones of the largest house.
const MOST_CONNECTIONS: usize = 10_000;
/// Files that this process opens for anything else: connections to the database (27) and to Redis, the kitchen system, the terminal, the printer, push
/// services, the mail server; the journal's key and anchors; an archive that is being read.
const OTHER_FILES: usize = 128;

/// What a connection may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long the head of a request may take, and how long a connection may be open without one.
    pub head_within: Duration,
    /// Its size, in bytes.
    pub largest_head: usize,
    /// How many header fields.
    pub most_fields: usize,
    /// How long nothing of an answer may be taken.
    pub taken_within: Duration,
    /// Open at once. Further ones wait until one is closed.
    pub most_connections: usize,
    /// Open at once from one household (see [`household`]). Further ones are closed.
    pub most_of_one: usize,
    /// From where any number may come: a proxy on this machine brings the connections of everybody.
    pub is_trusted: fn(&IpAddr) -> bool,
}

impl Default for Limits {
    /// Browsers send heads of two kilobytes.
    fn default() -> Self {
        Self {
            head_within: Duration::from_secs(30),
            largest_head: 64 * 1024,
            most_fields: 100,
            taken_within: Duration::from_secs(30),
            most_connections: MOST_CONNECTIONS,
            most_of_one: MOST_CONNECTIONS / 4,
            is_trusted: IpAddr::is_loopback,
        }
    }
}

impl Limits {
    /// The usual ones, with no more connections than this process may open files. It asks for as many as it can get first: an ordinary login begins
    /// with 1024.
    #[must_use]
    pub fn of_this_process() -> Self {
        let usual = Self::default();
        match files() {
            Ok(files) => usual.with_files(files),
            Err(error) => {
                tracing::warn!(%error, "the system does not say how many files may be open");
                usual
            }
        }
    }

    /// With so many files.
    fn with_files(self, files: usize) -> Self {
        // Where there is next to nothing, half of it.
        let room = files.saturating_sub(OTHER_FILES).max(files / 2).max(1);
        if room < self.most_connections {
            tracing::warn!(
                files,
                connections = room,
                "the limit of open files leaves room for fewer connections than usual: see `ulimit -n`"
            );
        }
        let most_connections = self.most_connections.min(room);
        Self { most_connections, most_of_one: (most_connections / 4).max(1), ..self }
    }
}

/// How many files this process may open from now on: as many as the system gives without being asked by root.
fn files() -> io::Result<usize> {
    let (now, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if now < most {
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    }
    Ok(usize::try_from(most).unwrap_or(usize::MAX))
}

/// Serves until `stopping`; then no new connection is taken, requests that run are answered, and it returns when all are.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stopping: CancellationToken) {
    let (open, room) = (TaskTracker::new(), Arc::new(Room::new(limits)));
    loop {
        let taken = tokio::select! {
            () = stopping.cancelled() => break,
            taken = take(&listener, &room) => taken,
        };
        let Some((stream, peer, place)) = taken else { continue };
        let (router, stopping) = (router.clone(), stopping.clone());
        open.spawn(attend(stream, peer, place, router, limits, stopping));
    }
    open.close();
    open.wait().await;
}

/// The next connection, once there is room for it.
async fn take(listener: &TcpListener, room: &Arc<Room>) -> Option<(TcpStream, SocketAddr, Place)> {
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, room.place(peer.ip()).await?)),
        Err(error) => {
            // Gone before it was taken is nothing; no file descriptor left is, and gets better when others end.
            if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
                tracing::error!(%error, "a connection cannot be taken");
                sleep(Duration::from_millis(200)).await;
            }
            None
        }
    }
}

/// Where connections have their places.
struct Room {
    limits: Limits,
    free: Arc<Semaphore>,
    /// How many each household has; none has none.
    households: Mutex<HashMap<String, usize>>,
    /// Those that have said nothing yet, and some that have since, in the order in which they came.
    newcomers: Mutex<VecDeque<Arc<Newcomer>>>,
}

/// A connection that has just come.
#[derive(Default)]
struct Newcomer {
    /// It has asked for something.
    spoke: AtomicBool,
    /// Another one needs its place.
    leave: CancellationToken,
}

impl Newcomer {
    /// Whether it still sits there and has said nothing.
    fn is_silent(self: &Arc<Self>) -> bool {
        !self.spoke.load(Ordering::Relaxed) && Arc::strong_count(self) > 1
    }
}

/// A place. Dropped with the connection.
struct Place {
    newcomer: Arc<Newcomer>,
    _of_all: OwnedSemaphorePermit,
    _of_household: Option<OfHousehold>,
}

/// One of the places of a household.
struct OfHousehold {
    room: Arc<Room>,
    name: String,
}

impl Room {
    fn new(limits: Limits) -> Self {
        Self { limits, free: Arc::new(Semaphore::new(limits.most_connections)), households: Mutex::default(), newcomers: Mutex::default() }
    }

    /// A place for somebody from there, once there is one; none when that household has its part already.
    async fn place(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let of_household = if (self.limits.is_trusted)(&from.to_canonical()) { None } else { Some(self.of_household(from)?) };
        let of_all = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(free) => free,
            Err(_) => {
                self.make_room();
                Arc::clone(&self.free).acquire_owned().await.ok()?
            }
        };
        let newcomer = Arc::new(Newcomer::default());
        let mut newcomers = self.newcomers.lock().unwrap_or_else(PoisonError::into_inner);
        while newcomers.pop_front_if(|first| !first.is_silent()).is_some() {}
        newcomers.push_back(Arc::clone(&newcomer));
        Some(Place { newcomer, _of_all: of_all, _of_household: of_household })
    }

    /// Whoever has said nothing for longest leaves.
    fn make_room(&self) {
        let mut newcomers = self.newcomers.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(first) = newcomers.pop_front() {
            if first.is_silent() {
                first.leave.cancel();
                return;
            }
        }
    }

    fn of_household(self: &Arc<Self>, from: IpAddr) -> Option<OfHousehold> {
        let name = household(from);
        let mut households = self.households.lock().unwrap_or_else(PoisonError::into_inner);
        let has = households.entry(name.clone()).or_default();
        if *has >= self.limits.most_of_one {
            tracing::debug!(household = name, "a connection too many of one household is closed");
            return None;
        }
        *has += 1;
        Some(OfHousehold { room: Arc::clone(self), name })
    }
}

impl Drop for OfHousehold {
    fn drop(&mut self) {
        let mut households = self.room.households.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut has) = households.entry(std::mem::take(&mut self.name)) {
            if *has.get() > 1 {
                *has.get_mut() -= 1;
            } else {
                has.remove();
            }
        }
    }
}

async fn attend(stream: TcpStream, peer: SocketAddr, place: Place, router: Router, limits: Limits, stopping: CancellationToken) {
    // What is written is written whole: nothing more is coming that would be worth waiting for.
    let _ = stream.set_nodelay(true);
    let newcomer = Arc::clone(&place.newcomer);
    let leave = newcomer.leave.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        newcomer.spoke.store(true, Ordering::Relaxed);
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_buf_size(limits.largest_head)
        .max_headers(limits.most_fields)
        .serve_connection(TokioIo::new(Line { stream, taken_within: limits.taken_within, stuck: None, _place: place }), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = leave.cancelled() => return,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// A connection with its place, which it keeps when it becomes a socket. What it is told it takes within some time, a part of it at least.
struct Line {
    stream: TcpStream,
    taken_within: Duration,
    /// Until when something has to be taken; none while everything is.
    stuck: Option<Pin<Box<Sleep>>>,
    _place: Place,
}

impl Line {
    /// What came of an attempt to tell it something.
    fn told<T>(&mut self, context: &mut Context<'_>, attempt: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if attempt.is_ready() {
            self.stuck = None;
            return attempt;
        }
        let within = self.taken_within;
        ready!(self.stuck.get_or_insert_with(|| Box::pin(sleep(within))).as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads the answer")))
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.told(context, attempt)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.told(context, attempt)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(most_connections: usize, most_of_one: usize) -> Arc<Room> {
        Arc::new(Room::new(Limits { most_connections, most_of_one, ..Limits::default() }))
    }

    #[tokio::test]
    async fn a_household_has_its_part_and_no_more_and_gets_it_back() {
        let room = room(100, 2);
        let from = |text: &str| text.parse::<IpAddr>().expect("an address");
        let (one, neighbour, elsewhere) = (from("2001:db8:1:2::1"), from("2001:db8:1:2::9"), from("192.0.2.7"));
        let first = room.place(one).await;
        let second = room.place(neighbour).await;
        assert!(first.is_some() && second.is_some());
        assert!(room.place(one).await.is_none(), "a third");
        assert!(room.place(elsewhere).await.is_some());
        drop(first);
        assert!(room.place(neighbour).await.is_some());
        // A proxy on this machine brings everybody.
        let mut proxied = Vec::new();
        for _ in 0..50 {
            proxied.push(room.place(from("127.0.0.1")).await.expect("any number"));
        }
        drop((second, proxied));
        assert!(room.households.lock().expect("whole").is_empty(), "nothing is kept of who is gone");
    }

    #[tokio::test]
    async fn whoever_has_said_nothing_for_longest_makes_room() {
        let room = room(3, 3);
        let here: IpAddr = IpAddr::from([127, 0, 0, 1]);
        let (talks, silent, later) = (room.place(here).await, room.place(here).await, room.place(here).await);
        talks.as_ref().expect("a place").newcomer.spoke.store(true, Ordering::Relaxed);
        let gone = silent.as_ref().expect("a place").newcomer.leave.clone();
        let next = tokio::spawn({
            let room = Arc::clone(&room);
            async move { room.place(here).await.is_some() }
        });
        gone.cancelled().await;
        drop(silent);
        assert!(next.await.expect("it gets in"));
        assert!(!later.expect("a place").newcomer.leave.is_cancelled());
        assert!(!talks.expect("a place").newcomer.leave.is_cancelled());
    }

    #[test]
    fn there_are_no_more_connections_than_files() {
        let of = |files| Limits::default().with_files(files);
        assert_eq!((of(1 << 20).most_connections, of(1 << 20).most_of_one), (10_000, 2_500));
        assert_eq!((of(1024).most_connections, of(1024).most_of_one), (896, 224));
        assert_eq!((of(64).most_connections, of(0).most_connections, of(0).most_of_one), (32, 1, 1));
    }
}
