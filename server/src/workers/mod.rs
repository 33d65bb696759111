//! What goes on without anybody asking: each is a loop around one step of a service, until the server stops.

pub mod menu;
