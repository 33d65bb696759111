//! Machines that a restaurant has and a developer has not, as real programs behind real sockets and pseudo-terminals. They serve `comptoir sim`,
//! tests, and training.

pub mod erp;
pub mod printer;
pub mod tpe;
