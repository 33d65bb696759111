//! What goes on after a request was answered. A worker takes one step at a time, so that a test can drain it; its loop is a few lines.

pub mod outbox;
