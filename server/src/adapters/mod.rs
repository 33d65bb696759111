//! The outside world behind small traits or types: what signs, what carries events.

pub mod bus;
pub mod signer;
pub mod tpe;
