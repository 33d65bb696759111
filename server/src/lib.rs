//! The server of Comptoir: HTTP, services, SQL, adapters and the command line.
//!
//! Read [`router`] first: every route on one page. Each calls one service of [`services`], which tells the story of one transaction;
//! all SQL is in [`db`]; what is outside the process is behind [`adapters`], and [`workers`] finish what a request began. The rules are in the
//! crate `domain`.

pub mod adapters;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod db;
pub mod error;
pub mod http;
pub mod jwt;
pub mod listening;
pub mod metrics;
pub(crate) mod owning;
pub mod qr;
pub mod router;
pub mod run;
pub mod services;
pub mod session_store;
pub mod sim;
pub mod site;
pub mod state;
pub mod telemetry;
pub mod workers;

/// No body that we take is larger, in bytes: a hundred lines with their notes fit ten times.
pub(crate) const LARGEST_BODY: usize = 256 * 1024;
