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
use domain::terminal::{Charge, Outcome, Stray, Till};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// Who is told what happens between us and a terminal.
#[async_trait]
pub trait Witness: Send + Sync {
    /// The line is there; the first byte of the request is about to go out. It goes out only when this returns true.
    async fn about_to_send(&self) -> bool;
    /// The request is out.
    async fn sent(&self);
    /// No byte of the request was written, and none will be.
    async fn nothing_sent(&self, why: &'static str);
    /// The terminal, or its silence, says how it ended.
    async fn told(&self, outcome: Outcome);
    /// The terminal said something about an attempt that may not be this one, or after this one was given up.
    async fn stray(&self, stray: Stray);
}

/// A terminal that can be asked to debit a card.
#[async_trait]
pub trait CardTerminal: Send + Sync {
    /// Which one, without its settings: at most one attempt at a time is under way at each.
    fn name(&self) -> &str;
    /// The number under which it knows this till.
    fn till(&self) -> Till;
    /// How long a guest may take; no answer comes much later than this.
    fn patience(&self) -> Duration;
    /// Debits a card. Tells the witness exactly one of [`Witness::nothing_sent`] and [`Witness::told`] before it returns.
    async fn pay(&self, charge: Charge, witness: Arc<dyn Witness>);
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
