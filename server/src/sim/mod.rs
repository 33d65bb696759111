//! Machines that a restaurant has and a developer has not, as real programs behind real sockets. Only `comptoir sim` and tests start them.

pub mod erp;
