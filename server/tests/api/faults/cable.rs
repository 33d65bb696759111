//! A cable between two programs: it carries, carries slowly, is cut, or is open at one end only.
//!
//! A connection that was there when the cable was half open is lost for good, as one whose other side lost its power: what is said into it is taken
//! and goes nowhere, and nobody is ever told that it is over. So is one that is made meanwhile.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// What becomes of what is said into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Carries,
    /// So many milliseconds for each packet, either way.
    Slow(RangeInclusive<u64>),
    /// Takes all and hands on nothing.
    HalfOpen,
    /// Every connection is reset, and so is each new one.
    Cut,
}

/// Where it leads.
#[derive(Debug, Clone)]
pub enum To {
    Port(u16),
    Socket(PathBuf),
}

pub struct Cable {
    /// Where it begins.
    pub port: u16,
    state: watch::Sender<State>,
    lost: Arc<AtomicU64>,
}

impl Cable {
    pub async fn lay(to: To) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, seen) = watch::channel(State::Carries);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, to.clone(), seen.clone(), Arc::clone(&counted)));
            }
        });
        Self { port, state, lost }
    }

    pub fn becomes(&self, state: State) {
        self.state.send_replace(state);
    }

    /// So for a while, and then as before.
    pub async fn is(&self, state: State, for_so_long: Duration) {
        self.becomes(state);
        tokio::time::sleep(for_so_long).await;
        self.becomes(State::Carries);
    }

    /// Open at one end only for a while, and until that met a connection. False when none came.
    pub async fn is_half_open(&self, for_so_long: Duration, at_most: Duration) -> bool {
        let (before, began) = (self.lost(), Instant::now());
        self.becomes(State::HalfOpen);
        tokio::time::sleep(for_so_long).await;
        while self.lost() == before && began.elapsed() < at_most {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.becomes(State::Carries);
        self.lost() > before
    }

    /// How many connections were lost at one end only.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

trait End: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> End for T {}

async fn reach(to: &To) -> std::io::Result<Box<dyn End>> {
    Ok(match to {
        To::Port(port) => {
            let far = TcpStream::connect(("127.0.0.1", *port)).await?;
            far.set_nodelay(true)?;
            Box::new(far)
        }
        To::Socket(path) => Box::new(UnixStream::connect(path).await?),
    })
}

async fn carry(mut near: TcpStream, to: To, mut state: watch::Receiver<State>, lost: Arc<AtomicU64>) {
    near.set_nodelay(true).unwrap();
    let now = state.borrow_and_update().clone();
    match now {
        State::HalfOpen => return lose(near, &lost).await,
        State::Cut => return reset(near),
        State::Carries | State::Slow(_) => {}
    }
    let Ok(mut far) = reach(&to).await else { return reset(near) };
    let (mut there, mut back) = ([0; 16 * 1024], [0; 16 * 1024]);
    loop {
        let carried = tokio::select! {
            changed = state.changed() => {
                let now = state.borrow_and_update().clone();
                match now {
                    _ if changed.is_err() => return,
                    State::HalfOpen => {
                        lose(near, &lost).await;
                        // The far side is told no earlier than a word can get there again.
                        let _ = state.wait_for(|now| *now != State::HalfOpen).await;
                        return;
                    }
                    State::Cut => return reset(near),
                    State::Carries | State::Slow(_) => Some(()),
                }
            }
            read = near.read(&mut there) => hand_on(read, &there, &mut far, &state).await,
            read = far.read(&mut back) => hand_on(read, &back, &mut near, &state).await,
        };
        if carried.is_none() {
            return;
        }
    }
}

/// Nothing when one of them has hung up.
async fn hand_on(
    read: std::io::Result<usize>,
    from: &[u8],
    to: &mut (impl AsyncWrite + Unpin + ?Sized),
    state: &watch::Receiver<State>,
) -> Option<()> {
    let bytes = from.get(..read.ok()?).filter(|bytes| !bytes.is_empty())?;
    let slow = match &*state.borrow() {
        State::Slow(time) => Some(rand::random_range(time.clone())),
        _ => None,
    };
    if let Some(time) = slow {
        tokio::time::sleep(Duration::from_millis(time)).await;
    }
    to.write_all(bytes).await.ok()
}

/// Takes what is said, until whoever says it gives up.
async fn lose(mut near: TcpStream, lost: &AtomicU64) {
    lost.fetch_add(1, Ordering::Relaxed);
    let mut nowhere = [0; 16 * 1024];
    while near.read(&mut nowhere).await.is_ok_and(|read| read > 0) {}
}

fn reset(near: TcpStream) {
    // Closed without it, the connection ends in peace. One that is over already cannot be told.
    let _ = near.set_zero_linger();
}
