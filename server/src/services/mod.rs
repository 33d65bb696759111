//! The stories of the house, one file each, told in the order in which things happen.
//!
//! A service opens one transaction, asks `domain` what the rules are and `db` to read and write, commits, and only then tells others.
//! Routes and server functions call services and nothing else.

pub mod amending;
pub mod anchoring;
pub mod archive;
pub mod billing;
pub mod cash;
pub mod charging;
pub mod clock;
pub mod closing;
pub mod closing_long;
mod concluding;
pub mod correcting;
pub mod degraded;
pub mod discounting;
pub mod doubts;
pub mod floor;
pub mod journal;
pub mod keys;
pub mod kitchen;
pub mod menu;
pub mod menu_cache;
pub mod notifying;
pub mod noting;
pub mod once;
pub mod ordering;
pub mod paying;
pub mod people;
pub mod printing;
pub mod pushing;
pub mod querying;
pub mod recording;
pub mod recovering;
pub mod refusing;
pub mod resolving;
pub mod self_check;
pub mod signing_in;
pub mod starting;
pub mod syncing;
pub mod together;
pub mod verifying;
pub mod witnessing;
