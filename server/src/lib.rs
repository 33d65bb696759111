//! x
pub mod site;
