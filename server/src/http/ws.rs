//! The WebSocket of a signed-in person: what they missed, then events of the house and those meant for this person alone.
//!
//! A cut network leaves a socket open and silent, so both sides speak: we send `ping`, the browser answers `pong`, and whoever hears
//! nothing for thirty seconds gives the connection up. A client names the last number that it heard (`?since=N`); listening begins before
//! what it missed is read, and what is read ends at a number, so that nothing is lost or told out of order between the two.

use crate::adapters::bus::{Ears, Frame};
use crate::config::Pulse;
use crate::db::pass::{PAGE, Said};
use crate::error::Result;
use crate::services::{notifying, pushing};
use crate::session_store;
use crate::state::Shared;
use crate::workers::teller;
use axum::Extension;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use domain::OrderId;
use domain::api::{ClientEvent, Event, SessionUser, close_code, frame};
use domain::role::Right;
use futures::SinkExt;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;
use tower_sessions::Session;
use tower_sessions::session::Id;
use tower_sessions::session_store::SessionStore;

/// No frame of a browser is larger.
const LARGEST_FRAME: usize = 4 * 1024;
/// What is held for a socket that does not read, before it is given up.
const MOST_UNSENT: usize = 64 * 1024;
/// Frames that are written in one go.
const ONE_BREATH: usize = 32;
/// A session whose end nobody told us of is noticed after so long.
const LOOK_AT_SESSION_EVERY: Duration = Duration::from_secs(60);

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
    RawQuery(query): RawQuery,
    session: Session,
    upgrade: WebSocketUpgrade,
) -> Result<Response> {
    // Listening begins before the answer: nothing that happens from now on is missed.
    let ears = house.bus.listen_as(user.id);
    let since = since(query.as_deref());
    let upgrade = upgrade.max_message_size(LARGEST_FRAME).max_frame_size(LARGEST_FRAME);
    // What a socket holds while nothing happens decides how many phones fit into the memory of a small machine.
    let upgrade = upgrade.read_buffer_size(512).write_buffer_size(LARGEST_FRAME).max_write_buffer_size(MOST_UNSENT);
    // What the request read of the session is not kept: it is looked up again each time.
    let (id, name) = (session.id(), session_store::name_of(&session));
    drop(session);
    Ok(upgrade.on_upgrade(move |socket| async move {
        // A task of its own: the one that waited for the upgrade carries what it needed for that as long as it lives.
        tokio::spawn(Line { pulse: house.pulse, socket, house, user, id, name, told: 0 }.serve(ears, since, stopping));
    }))
}

/// The number after `since=`; nothing that is not a number is one that was ever given.
fn since(query: Option<&str>) -> i64 {
    let query = query.unwrap_or_default();
    query.split('&').find_map(|pair| pair.strip_prefix("since=")).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Why a line ends, or that the other side is gone.
enum End {
    Gone,
    Closed(u16, &'static str),
}

/// Whether a socket hears things as fast as they are said.
enum Kept {
    Up,
    Not,
}

const CATCH_UP: End = End::Closed(close_code::CATCH_UP, "catch up with since");

/// One open socket.
struct Line {
    house: Shared,
    user: SessionUser,
    /// The session.
    id: Option<Id>,
    /// As the store knows the session.
    name: Option<String>,
    socket: WebSocket,
    pulse: Pulse,
    /// Stored events up to this number were told, or are none of theirs.
    told: i64,
}

impl Line {
    async fn serve(mut self, ears: Ears, since: i64, stopping: Stopping) {
        let ended = tokio::select! {
            () = stopping.0.cancelled() => End::Closed(close_code::RESTARTING, "restarting"),
            ended = self.talk(ears, since) => ended,
        };
        let goodbye = match ended {
            End::Gone => None,
            End::Closed(code, reason) => Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }),
        };
        // The other side may be gone already.
        let _ = timeout(Duration::from_secs(1), self.socket.send(Message::Close(goodbye))).await;
    }

    async fn talk(&mut self, mut ears: Ears, since: i64) -> End {
        // Once more, now that we would hear of its end.
        // What is seldom and large waits in boxes of its own: thousands of lines are at rest in this future.
        if !Box::pin(self.is_still_signed_in()).await {
            return End::Closed(close_code::SIGNED_OUT, "signed out");
        }
        if let Err(end) = Box::pin(self.tell_missed(since)).await {
            return end;
        }
        if let Err(end) = self.say(&Event::Ping {}).await {
            return end;
        }
        let hears_house = self.user.role.may(Right::TakeOrders);
        let mut heard = Instant::now();
        // Phones that came back at the same moment, because the server did, are not asked at the same moment for ever after.
        let mut look_at = heard + some_of(LOOK_AT_SESSION_EVERY);
        let mut beat = interval_at(heard + some_of(self.pulse.ping_every), self.pulse.ping_every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let sent = tokio::select! {
                frame = self.socket.recv() => match frame {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Gone,
                    Some(Ok(frame)) => {
                        heard = Instant::now();
                        Box::pin(self.answer(&frame)).await
                    }
                },
                news = ears.own.recv() => match news {
                    Ok(frame) => match self.pass_on(frame, &mut ears.own).await {
                        Ok(Kept::Up) => Ok(()),
                        Ok(Kept::Not) => return CATCH_UP,
                        Err(end) => Err(end),
                    },
                    // Too slow for what is meant for them: they come back and say where they stopped.
                    Err(RecvError::Lagged(_)) => return CATCH_UP,
                    Err(RecvError::Closed) => return End::Gone,
                },
                event = ears.house.recv(), if hears_house => match event {
                    Ok(frame) => match self.pass_on(frame, &mut ears.house).await {
                        Ok(Kept::Up) => Ok(()),
                        Ok(Kept::Not) => self.say(&Event::Refresh {}).await,
                        Err(end) => Err(end),
                    },
                    Err(RecvError::Lagged(_)) => self.say(&Event::Refresh {}).await,
                    Err(RecvError::Closed) => return End::Gone,
                },
                ended = ears.sessions.recv() => {
                    let concerns_us = match ended {
                        Ok(names) => self.name.as_ref().is_some_and(|name| names.contains(name)),
                        Err(_) => true,
                    };
                    if concerns_us && !Box::pin(self.is_still_signed_in()).await {
                        return End::Closed(close_code::SIGNED_OUT, "signed out");
                    }
                    Ok(())
                }
                _ = beat.tick() => {
                    if heard.elapsed() > self.pulse.silence {
                        return End::Gone;
                    }
                    if look_at <= Instant::now() {
                        look_at = Instant::now() + LOOK_AT_SESSION_EVERY;
                        if !Box::pin(self.is_still_signed_in()).await {
                            return End::Closed(close_code::SIGNED_OUT, "signed out");
                        }
                    }
                    self.say(&Event::Ping {}).await
                }
            };
            if let Err(end) = sent {
                return end;
            }
        }
    }

    /// What was missed, page by page, in order.
    async fn tell_missed(&mut self, since: i64) -> Result<(), End> {
        // Whoever has heard the last that was told here missed nothing: what is told from now on is heard.
        if since > 0 && since == self.house.teller.told() {
            self.told = since;
            return Ok(());
        }
        let mut after = since;
        loop {
            let Ok(Ok((missed, last))) = timeout(self.pulse.silence, self.read_missed(after)).await else {
                // They come back; until then they know that they know nothing.
                return Err(End::Closed(close_code::RESTARTING, "not now"));
            };
            let is_all = missed.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            for Said { id, news, level, .. } in missed {
                let Ok(text) = frame(Some(id), &teller::event(news, level)) else { continue };
                self.feed(text.into()).await?;
                after = id;
            }
            if is_all {
                // Whatever has a higher number was committed later, and is heard.
                self.told = last;
                return self.flush().await;
            }
        }
    }

    /// A page of what was missed. When the server comes back all phones do so at once: then they take turns, and orders do not stand behind them.
    async fn read_missed(&mut self, after: i64) -> Result<(Vec<Said>, i64)> {
        // Never closed.
        let _turn = self.house.catching_up.acquire().await;
        notifying::missed(&self.house, self.user.id, after).await
    }

    /// Sends an event, with those that wait behind it: many phones hear many things, and each write costs. Says whether they kept up.
    async fn pass_on(&mut self, first: Frame, behind: &mut Receiver<Frame>) -> Result<Kept, End> {
        let (mut next, mut kept, mut breath) = (Some(first), Kept::Up, 0);
        while let Some(frame) = next.take() {
            if frame.id.is_none_or(|id| id > self.told) {
                self.told = frame.id.unwrap_or(self.told);
                self.feed(frame.text).await?;
            }
            breath += 1;
            if breath < ONE_BREATH {
                match behind.try_recv() {
                    Ok(frame) => next = Some(frame),
                    Err(TryRecvError::Lagged(_)) => kept = Kept::Not,
                    Err(TryRecvError::Empty | TryRecvError::Closed) => {}
                }
            }
        }
        self.flush().await?;
        Ok(kept)
    }

    async fn answer(&mut self, frame: &Message) -> Result<(), End> {
        let Message::Text(text) = frame else { return Ok(()) };
        match serde_json::from_str(text) {
            Ok(ClientEvent::DishAcknowledged { order_id, event_id }) if self.user.role.may(Right::TakeOrders) => {
                self.acknowledge(order_id, event_id).await
            }
            Ok(ClientEvent::Heard { id }) => {
                self.heard(id).await;
                Ok(())
            }
            // A pong has done its work by arriving; nonsense ends nothing.
            _ => Ok(()),
        }
    }

    /// What a phone has heard here it is not woken for. Should that not be written down, it is told twice.
    async fn heard(&mut self, number: i64) {
        let Some(name) = &self.name else { return };
        if let Err(error) = pushing::heard(&self.house, name, number).await {
            tracing::warn!(%error, "not written down that a phone heard");
        }
    }

    /// A database that does not answer is no refusal: the phone says it again.
    async fn acknowledge(&mut self, order: OrderId, event: Option<i64>) -> Result<(), End> {
        match notifying::acknowledge(&self.house, &self.user, order, event).await {
            Ok(seen) => {
                for event_id in &seen {
                    self.say(&Event::Ack { event_id: *event_id }).await?;
                }
                match event {
                    Some(event_id) if !seen.contains(&event_id) => self.say(&Event::Nack { event_id }).await,
                    _ => Ok(()),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "not written down that somebody sees to a dish");
                Ok(())
            }
        }
    }

    async fn say(&mut self, event: &Event) -> Result<(), End> {
        let Ok(text) = frame(None, event) else { return Ok(()) };
        self.feed(text.into()).await?;
        self.flush().await
    }

    async fn feed(&mut self, text: Utf8Bytes) -> Result<(), End> {
        in_time(self.pulse, self.socket.feed(Message::Text(text))).await
    }

    async fn flush(&mut self) -> Result<(), End> {
        in_time(self.pulse, self.socket.flush()).await
    }

    /// A session that has ended closes its sockets. A store that does not answer ends nothing.
    async fn is_still_signed_in(&mut self) -> bool {
        let Some(id) = self.id else { return false };
        match self.house.sessions.load(&id).await {
            Ok(Some(record)) => match record.data.get(session_store::USER) {
                Some(user) => SessionUser::deserialize(user).map_or(true, |now| now == self.user),
                None => false,
            },
            Ok(None) => false,
            Err(_) => true,
        }
    }
}

/// A time between nothing and all of it, drawn at random.
fn some_of(time: Duration) -> Duration {
    time * u32::from(rand::random::<u16>()) / u32::from(u16::MAX)
}

async fn in_time(pulse: Pulse, sending: impl Future<Output = std::result::Result<(), axum::Error>>) -> Result<(), End> {
    match timeout(pulse.silence, sending).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(End::Gone),
    }
}

#[cfg(test)]
mod tests {
    use super::since;

    #[test]
    fn where_a_client_stopped_is_read_from_the_address() {
        assert_eq!(since(Some("since=42")), 42);
        assert_eq!(since(Some("a=1&since=7")), 7);
        for nothing in [None, Some(""), Some("since="), Some("since=x"), Some("since=99999999999999999999")] {
            assert_eq!(since(nothing), 0, "{nothing:?}");
        }
    }
}
