//! Fiscal.
