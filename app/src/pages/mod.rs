//! One module per screen.

pub mod apart;
pub mod bill;
pub mod closing;
pub mod floor_editor;
pub mod kitchen;
pub mod money_check;
pub mod not_found;
pub mod order;
pub mod pass_waits;
pub mod plan;
pub mod queue;
pub mod sign_in;
pub mod ticket;
