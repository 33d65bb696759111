//! What goes on without anybody asking. A worker takes one step at a time, so that a test can drain it; its loop is a few lines, until the
//! server stops.

pub mod menu;
pub mod outbox;
