//! The card terminal on the line.
//!
//! A terminal is asked once and never again for the same attempt. What happens on the way is told to a [`Witness`] at the moments that matter
//! to money, and the exchange waits for each to be stored before it goes on. The exchange runs detached from whoever asked for it: a browser that
//! goes away must not leave a card half charged.

mod caisse_ap;
mod concert;

use crate::config::Terminal;
use crate::sim::tpe::{Script, Simulator};
use async_trait::async_trait;
use domain::terminal::{Aborted, Charge, Doubt, Outcome, Probed, Queried, Stray, Till};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// Who is told what a terminal says about a payment that nobody waits for.
#[async_trait]
pub trait Overhears: Send + Sync {
    /// The terminal said something about an attempt that is not under way, or was given up. True once it is stored: only then is it
    /// acknowledged.
    async fn stray(&self, stray: Stray) -> bool;
}

/// Who is told what happens between us and a terminal.
#[async_trait]
pub trait Witness: Overhears {
    /// The line is there; the first byte of the request is about to go out. It goes out only when this returns true.
    async fn about_to_send(&self) -> bool;
    /// The request is out.
    async fn sent(&self);
    /// No byte of the request was written, and none will be.
    async fn nothing_sent(&self, why: &'static str);
    /// The terminal, or the end of the line, says how it ended. Comes back once that is stored.
    async fn told(&self, outcome: Outcome);
    /// The guest had time enough, and nobody knows how it ended; the line stays open and is listened to for so long.
    async fn gave_up(&self, doubt: Doubt, listening: Duration);
    /// The line is no longer listened to.
    async fn hung_up(&self);
}

/// A terminal that can be asked to debit a card.
///
/// Only [`CardTerminal::pay`] moves money. What the other questions can do is what the protocols in use offer, which is little; what a protocol
/// does not offer is answered with *unsupported* and never guessed.
#[async_trait]
pub trait CardTerminal: Send + Sync {
    /// Which one, without its settings: at most one attempt at a time is under way at each.
    fn name(&self) -> &str;
    /// The number under which it knows this till.
    fn till(&self) -> Till;
    /// How long a guest may take.
    fn patience(&self) -> Duration;
    /// Debits a card. Tells the witness exactly one of [`Witness::nothing_sent`], [`Witness::told`] and [`Witness::gave_up`], and after the
    /// last of these [`Witness::hung_up`], before it returns.
    async fn pay(&self, charge: Charge, witness: Arc<dyn Witness>);
    /// Whether [`CardTerminal::query`] asks anything.
    fn can_query(&self) -> bool;
    /// Asks for the last ticket, while nobody pays: evidence for a person who has to say how a payment ended. Changes nothing and books nothing;
    /// the terminal may print the ticket again.
    async fn query(&self) -> Queried;
    /// Asks the terminal to give up what it is at. Neither Concert nor Caisse-AP knows such a request: what was sent is given up by the red key
    /// alone, and what was not sent yet is given up by us ([`crate::services::querying::abort`]).
    async fn abort(&self) -> Aborted {
        Aborted::Unsupported
    }
    /// Whether the line is up, without asking for money.
    async fn probe(&self) -> Probed;
    /// Tells somebody, from now on, what the terminal says while nobody pays. On some lines it says nothing then.
    fn attend(&self, _ear: Arc<dyn Overhears>) {}
}

/// The terminal that the configuration names; none when it is not on the line.
///
/// # Errors
/// When the simulated one finds no port on the loopback.
pub async fn connect(terminal: &Terminal) -> std::io::Result<Option<Arc<dyn CardTerminal>>> {
    Ok(match terminal {
        Terminal::Manual => None,
        Terminal::CaisseAp(line) => Some(Arc::new(caisse_ap::CaisseAp::new(line.clone()))),
        Terminal::Concert(line) => Some(Arc::new(concert::Concert::new(line.clone()))),
        Terminal::Simulator => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let port = listener.local_addr()?.port();
            tokio::spawn(Simulator::playing(vec![Script::Approve]).serve(listener));
            Some(Arc::new(caisse_ap::CaisseAp::simulated(port)))
        }
    })
}
