//! The WebSocket of a signed-in person: events of the house and those meant for this person alone.
//!
//! A cut network leaves a socket open and silent, so both sides speak: we send `ping`, the browser answers `pong`, and whoever hears
//! nothing for thirty seconds gives the connection up.

use crate::adapters::bus::{Audience, Envelope};
use crate::error::Result;
use crate::http::guard::current_user;
use crate::state::Shared;
use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use domain::api::{ClientEvent, Event, SessionUser};
use domain::role::Right;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tower_sessions::Session;

/// How often we ask.
const PING_EVERY: Duration = Duration::from_secs(10);
/// How long a silence we accept, and how long a send may take.
const SILENCE: Duration = Duration::from_secs(30);
/// No frame of a browser is larger.
const LARGEST_FRAME: usize = 4 * 1024;

/// Told when the server stops, so that open sockets do not hold it back.
#[derive(Clone)]
pub struct Stopping(pub CancellationToken);

/// `GET /ws`
///
/// # Errors
/// Before the upgrade: 401, 403.
pub async fn open(
    State(house): State<Shared>,
    Extension(user): Extension<SessionUser>,
    Extension(stopping): Extension<Stopping>,
    session: Session,
    upgrade: WebSocketUpgrade,
) -> Result<Response> {
    // Listening begins before the answer: nothing that happens from now on is missed.
    let events = house.bus.listen();
    Ok(upgrade.max_message_size(LARGEST_FRAME).on_upgrade(move |socket| serve(socket, user, session, events, stopping)))
}

async fn serve(
    mut socket: WebSocket,
    user: SessionUser,
    session: Session,
    mut events: tokio::sync::broadcast::Receiver<Envelope>,
    stopping: Stopping,
) {
    let mut heard = Instant::now();
    let mut beat = interval(PING_EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let outgoing = tokio::select! {
            () = stopping.0.cancelled() => break,
            frame = socket.recv() => match frame {
                Some(Ok(frame)) => {
                    if is_pong(&frame) {
                        heard = Instant::now();
                    }
                    continue;
                }
                Some(Err(_)) | None => break,
            },
            event = events.recv() => match event {
                Ok(envelope) if is_for(&user, envelope.0) => envelope.1.clone(),
                Ok(_) => continue,
                // Too slow to keep up: close. On reconnection the browser reloads what it shows.
                Err(RecvError::Lagged(_) | RecvError::Closed) => break,
            },
            _ = beat.tick() => {
                if heard.elapsed() > SILENCE || !still_signed_in(&session, &user).await {
                    break;
                }
                Event::Ping {}
            }
        };
        let Ok(text) = serde_json::to_string(&outgoing) else { break };
        if !matches!(timeout(SILENCE, socket.send(Message::Text(text.into()))).await, Ok(Ok(()))) {
            break;
        }
    }
    // The other side may be gone already.
    let _ = timeout(Duration::from_secs(1), socket.send(Message::Close(None))).await;
}

fn is_for(user: &SessionUser, audience: Audience) -> bool {
    match audience {
        // An auditor has a connection like everybody else, and no part in the service.
        Audience::House => user.role.may(Right::TakeOrders),
        Audience::Person(id) => id == user.id,
    }
}

fn is_pong(frame: &Message) -> bool {
    match frame {
        Message::Text(text) => matches!(serde_json::from_str(text), Ok(ClientEvent::Pong {})),
        _ => false,
    }
}

/// A session that has ended closes its sockets. A store that does not answer ends nothing.
async fn still_signed_in(session: &Session, user: &SessionUser) -> bool {
    if session.load().await.is_err() {
        return true;
    }
    match current_user(session).await {
        Ok(now) => now.as_ref() == Some(user),
        Err(_) => true,
    }
}
