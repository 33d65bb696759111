//! Carries events to the open sockets of this process, and hands on what other processes must hear.
//!
//! Everybody who takes orders hears the house; each person has a room of their own, in which all of their devices sit. A frame becomes text
//! once, however many sockets it goes to. Channels are bounded: a socket that cannot keep up is told so instead of being fed from a growing
//! queue. What must not be lost is stored before it comes here ([`crate::workers::teller`]); the rest costs a moment when it is lost, and no
//! fact.

use axum::extract::ws::Utf8Bytes;
use domain::UserId;
use domain::api::{Event, frame};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// What a slow socket may miss of the house before it is told; far above what a service sends in a second.
const HOUSE_HOLDS: usize = 1024;
/// What a slow socket may miss of its own events before it is told to catch up: more than the teller reads at once.
const ROOM_HOLDS: usize = 256;

/// For whom an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody who takes orders.
    House,
    /// One person, on all devices.
    Person(UserId),
}

/// An event on its way to sockets.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Its number, when it is one of those that are stored.
    pub id: Option<i64>,
    /// As it travels.
    pub text: Utf8Bytes,
}

/// An event of this process, for whoever works beside the sockets.
pub type Envelope = Arc<(Audience, Event)>;

/// What other processes must hear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Abroad {
    /// Something was stored: look.
    News,
    /// An event for everybody who takes orders.
    House(String),
    /// An event for one person.
    Person(i64, String),
    /// Sessions have ended or changed, by the names that the store has for them.
    Sessions(Vec<String>),
}

/// The bus.
#[derive(Clone)]
pub struct Bus(Arc<Lines>);

struct Lines {
    house: broadcast::Sender<Frame>,
    rooms: Mutex<HashMap<UserId, broadcast::Sender<Frame>>>,
    sessions: broadcast::Sender<Arc<[String]>>,
    abroad: broadcast::Sender<Abroad>,
    all: broadcast::Sender<Envelope>,
}

impl Default for Bus {
    fn default() -> Self {
        Self(Arc::new(Lines {
            house: broadcast::channel(HOUSE_HOLDS).0,
            rooms: Mutex::default(),
            sessions: broadcast::channel(HOUSE_HOLDS).0,
            abroad: broadcast::channel(HOUSE_HOLDS).0,
            all: broadcast::channel(HOUSE_HOLDS).0,
        }))
    }
}

impl Bus {
    /// Sends an event to whoever listens, in every process. Nobody listening is no error.
    pub fn send(&self, audience: Audience, event: Event) {
        let Some(text) = written(None, &event) else { return };
        // Nobody listens there unless there is a Redis.
        let _ = self.0.abroad.send(match audience {
            Audience::House => Abroad::House(text.clone()),
            Audience::Person(id) => Abroad::Person(id.get(), text.clone()),
        });
        self.pass_on(audience, Frame { id: None, text: text.into() });
        let _ = self.0.all.send(Arc::new((audience, event)));
    }

    /// Whether anybody hears what is said to the house: a socket, another process, or whoever works beside the sockets. Who begins to listen
    /// later reads how things stand after that.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.0.house.receiver_count() + self.0.abroad.receiver_count() + self.0.all.receiver_count() > 0
    }

    /// How many listen: one per open socket of this process.
    #[must_use]
    pub fn listeners(&self) -> i64 {
        i64::try_from(self.0.house.receiver_count()).unwrap_or(i64::MAX)
    }

    /// Sends an event to whoever listens in this process: the others hear of it in another way.
    pub fn send_here(&self, audience: Audience, event: &Event) {
        if let Some(text) = written(None, event) {
            self.pass_on(audience, Frame { id: None, text: text.into() });
        }
    }

    /// Sends a stored event to the devices of these people in this process.
    pub fn tell(&self, id: i64, event: &Event, people: &[UserId]) {
        let Some(text) = written(Some(id), event) else { return };
        let frame = Frame { id: Some(id), text: text.into() };
        for person in people {
            self.pass_on(Audience::Person(*person), frame.clone());
        }
    }

    /// Sends what another process said.
    pub fn pass_on(&self, audience: Audience, frame: Frame) {
        let _ = match audience {
            Audience::House => self.0.house.send(frame),
            Audience::Person(id) => match self.rooms().get(&id) {
                Some(room) => room.send(frame),
                None => return,
            },
        };
    }

    /// Something was stored that other processes do not know of.
    pub fn news_abroad(&self) {
        let _ = self.0.abroad.send(Abroad::News);
    }

    /// Sessions have ended, or hold something else now: their sockets look again, in every process.
    pub fn sessions_changed(&self, names: &[String]) {
        let _ = self.0.abroad.send(Abroad::Sessions(names.to_vec()));
        self.sessions_changed_here(names);
    }

    /// The same for the sockets of this process.
    pub fn sessions_changed_here(&self, names: &[String]) {
        let _ = self.0.sessions.send(names.into());
    }

    /// What other processes must hear, from now on.
    #[must_use]
    pub fn abroad(&self) -> broadcast::Receiver<Abroad> {
        self.0.abroad.subscribe()
    }

    /// Whether a device of this person is connected to this process.
    #[must_use]
    pub fn is_listening(&self, person: UserId) -> bool {
        self.rooms().contains_key(&person)
    }

    /// Hears whatever this process sends to every process, from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Envelope> {
        self.0.all.subscribe()
    }

    /// Listens as this person from now on.
    #[must_use]
    pub fn listen_as(&self, person: UserId) -> Ears {
        let own = self.rooms().entry(person).or_insert_with(|| broadcast::channel(ROOM_HOLDS).0).subscribe();
        Ears { own, house: self.0.house.subscribe(), sessions: self.0.sessions.subscribe(), _seat: Seat { bus: self.clone(), person } }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<UserId, broadcast::Sender<Frame>>> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn written(id: Option<i64>, event: &Event) -> Option<String> {
    frame(id, event).inspect_err(|error| tracing::error!(%error, "an event cannot be written")).ok()
}

/// What one socket hears.
pub struct Ears {
    /// Events for this person.
    pub own: broadcast::Receiver<Frame>,
    /// Events for everybody who takes orders.
    pub house: broadcast::Receiver<Frame>,
    /// Names of sessions that ended or changed.
    pub sessions: broadcast::Receiver<Arc<[String]>>,
    /// Last, so that the room is empty when it is looked at.
    _seat: Seat,
}

/// A place in a person's room.
struct Seat {
    bus: Bus,
    person: UserId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut rooms = self.bus.rooms();
        if rooms.get(&self.person).is_some_and(|room| room.receiver_count() == 0) {
            rooms.remove(&self.person);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_there_as_long_as_somebody_sits_in_it() {
        let (bus, alice) = (Bus::default(), UserId::from_row(1));
        let (one, two) = (bus.listen_as(alice), bus.listen_as(alice));
        drop(one);
        assert!(bus.is_listening(alice));
        drop(two);
        assert!(!bus.is_listening(alice) && bus.rooms().is_empty());
    }

    #[test]
    fn each_hears_the_house_and_what_is_theirs() {
        let bus = Bus::default();
        assert!(!bus.is_heard());
        let (mut alice, mut bob) = (bus.listen_as(UserId::from_row(1)), bus.listen_as(UserId::from_row(2)));
        assert!(bus.is_heard());
        bus.tell(7, &Event::Ping {}, &[UserId::from_row(1), UserId::from_row(3)]);
        bus.send(Audience::House, Event::FloorChanged { version: 2 });
        let heard = alice.own.try_recv().expect("a frame");
        assert_eq!((heard.id, heard.text.as_str()), (Some(7), r#"{"id":7,"event":"ping","data":{}}"#));
        assert!(bob.own.try_recv().is_err(), "not for Bob");
        assert!(alice.house.try_recv().is_ok() && bob.house.try_recv().is_ok());
    }
}
