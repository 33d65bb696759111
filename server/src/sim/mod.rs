//! Simulated neighbours: real protocols over real sockets and pseudo-terminals, for tests, training and development.

pub mod tpe;
