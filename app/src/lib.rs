//! What a person sees: pages, components, and the typed calls by which pages talk to the server.
//!
//! This crate is compiled twice: natively with the feature `ssr`, where the server renders pages with it, and to WebAssembly with the
//! feature `hydrate`. Rules come from `domain`; nothing here knows SQL. Browser interfaces are touched in [`browser`] alone.
//!
//! The server renders what does not depend on data (frames, headings, skeletons) and the sign-in page; every other page fills itself in
//! the browser, first with what the phone remembers, then with what the server says. So the page that the server rendered and the shell
//! that starts without a network run the same code, and hydration finds what it expects.

pub mod app;
pub mod browser;
pub mod calls;
pub mod components;
#[cfg(feature = "ssr")]
pub mod document;
pub mod draft;
pub mod error;
pub mod i18n;
pub mod json;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod ports;
pub mod session;

pub use app::App;
