//! A kitchen system for a test: the simulator, on a socket of its own.

use domain::backoff::Backoff;
use domain::breaker::Patience;
use server::config::Erp;
use server::sim::erp::{Cooked, Script, Simulator};
use server::workers::outbox::Pace;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;

/// A kitchen that opens when the test says so. Its address is its own before: who calls then is refused.
pub struct Kitchen {
    pub simulator: Arc<Simulator>,
    address: SocketAddr,
    door: Mutex<Option<TcpSocket>>,
    closing: CancellationToken,
}

impl Kitchen {
    pub fn closed() -> Self {
        let door = TcpSocket::new_v4().unwrap();
        door.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let simulator = Arc::new(Simulator::open(Script::default(), 7, None).unwrap());
        Self { simulator, address: door.local_addr().unwrap(), door: Mutex::new(Some(door)), closing: CancellationToken::new() }
    }

    pub fn open(script: Script) -> Self {
        let kitchen = Self::closed();
        kitchen.simulator.follow(script);
        kitchen.begin();
        kitchen
    }

    pub fn begin(&self) {
        let listener = self.door.lock().unwrap().take().unwrap().listen(64).unwrap();
        tokio::spawn(Arc::clone(&self.simulator).serve(listener, self.closing.clone()));
    }

    /// As `ERP_URL` would name it; a first answer is waited for longer than any test takes to give it.
    pub fn erp(&self) -> Erp {
        Erp {
            orders: format!("http://{}/orders", self.address).parse().unwrap(),
            wait: Duration::from_secs(3),
            with_drinks: false,
            pace: hurried(),
        }
    }

    pub fn cooked(&self) -> Vec<Cooked> {
        self.simulator.cooked()
    }
}

impl Drop for Kitchen {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

/// The contract's behaviour at twenty times its speed.
pub fn hurried() -> Pace {
    Pace {
        timeout: Duration::from_millis(500),
        backoff: Backoff { first: Duration::from_millis(20), longest: Duration::from_millis(100), jitter: 0 },
        patience: Patience { failures: 5, pause: Duration::from_millis(300) },
        look_every: Duration::from_millis(10),
    }
}
