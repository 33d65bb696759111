//! Carries events from the services to the open sockets of this process.
//!
//! Events go out after commit. A socket that lags is told to reload rather than fed from a growing queue; a browser that reconnects
//! reloads what it shows, so that an event lost here costs a moment and no fact.

use domain::UserId;
use domain::api::Event;
use std::sync::Arc;
use tokio::sync::broadcast;

/// For whom an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody who takes orders.
    House,
    /// One person, on all devices.
    Person(UserId),
}

/// An event on its way.
pub type Envelope = Arc<(Audience, Event)>;

/// The bus.
#[derive(Clone)]
pub struct Bus(broadcast::Sender<Envelope>);

impl Default for Bus {
    fn default() -> Self {
        // Bounds what a slow socket can hold back; far above what a service sends in a second.
        Self(broadcast::channel(1024).0)
    }
}

impl Bus {
    /// Sends an event to whoever listens. Nobody listening is no error.
    pub fn send(&self, audience: Audience, event: Event) {
        let _ = self.0.send(Arc::new((audience, event)));
    }

    /// How many listen: one per open socket of this process.
    #[must_use]
    pub fn listeners(&self) -> i64 {
        i64::try_from(self.0.receiver_count()).unwrap_or(i64::MAX)
    }

    /// Listens from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Envelope> {
        self.0.subscribe()
    }
}
