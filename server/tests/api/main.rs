//! The server from outside: one scenario per test, over real HTTP on a real PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests: names say what they show, what cannot go on should stop, and a campaign says what it did"
)]

mod amending;
mod anchors;
mod archive;
mod asked_checks;
mod attacks;
mod attacks_blind;
mod attacks_keys;
mod attacks_report;
mod attacks_trade;
mod backup;
mod bad_input;
mod benched;
mod charging;
mod charging_faults;
mod charging_races;
mod closing;
mod conforming;
mod contract;
mod correcting;
mod doubts;
mod events;
mod faults;
mod floor;
#[path = "../ground/folder.rs"]
mod folder;
mod hardening;
mod kitchen;
mod kitchen_system;
mod menu;
mod ordering;
mod outbox;
mod pages;
mod pass;
mod pass_delivery;
mod paying;
mod plans;
mod printing;
mod program;
mod pushing;
mod records;
mod redis_sessions;
mod reference_day;
mod schedules;
mod secrets;
mod sharing;
mod short_way;
mod signing_in;
#[path = "../ground/slips.rs"]
mod slips;
mod support;
mod syncing;
#[path = "../ground/tally.rs"]
mod tally;
mod terminal_mistakes;
mod together;
mod users;
mod verify_command;
mod watching;
