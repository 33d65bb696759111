//! The outside world behind small traits or types: what signs, what carries events and letters, what cooks.

pub mod bus;
pub mod conduit;
pub mod erp;
pub mod post;
pub mod printer;
pub mod push;
pub mod redis;
pub mod signer;
pub mod tpe;
