//! What a person sees: pages, components, and the typed calls by which pages talk to the server.
//!
//! This crate is compiled twice: natively with the feature `ssr`, where the server renders pages with it, and to WebAssembly with the
//! feature `hydrate`. Rules come from `domain`; nothing here knows SQL. Browser interfaces are touched in [`browser`] alone.

pub mod calls;
pub mod error;
#[cfg(feature = "ssr")]
pub mod ports;
