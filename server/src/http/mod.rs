//! Routes: parse, call one service, answer. One file per noun.

pub mod amendments;
pub mod auth;
pub mod documents;
pub mod fiscal;
pub mod floor;
pub mod guard;
pub mod health;
pub mod kitchen;
pub mod menu;
pub mod metrics;
pub mod openapi;
pub mod orders;
pub mod pages;
pub mod parse;
pub mod payments;
pub mod peer;
pub mod printing;
pub mod sync;
pub mod till;
pub mod users;
pub mod webhooks;
pub mod ws;
