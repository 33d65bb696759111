//! The rules of the till, and nothing else.
//!
//! Money, VAT, menu, orders, shares of a bill, roles and the fiscal record are pure code: no input or output, no clock, no
//! randomness, no floating point. The browser runs this crate as WebAssembly, the server natively, so that the total a phone
//! shows without a network *is* the total on the ticket.
//!
//! | module | rule |
//! |---|---|
//! | [`money`], [`vat`], [`allocate`] | integer cents, rates in basis points, sums that stay exact when they are divided |
//! | [`menu`] | what can be sold, which wine goes with it, how a *formule* is split over its VAT rates |
//! | [`order`] | the states of an order and of its lines, and what a request for an order must look like |
//! | [`share`] | who pays which part of which line |
//! | [`attempt`], [`terminal`] | the life of an attempt to charge a card, and the protocols of card terminals |
//! | [`role`] | who may do what |
//! | [`fiscal`] | the signed record, its canonical text, its chain and its closings |
//! | [`receipt`] | ticket and Z as lines of text, built once for screen, paper and archive |
//! | [`api`] | the bodies of the outside contract, and of the server functions |

pub mod allocate;
pub mod api;
pub mod attempt;
pub mod fiscal;
pub mod ids;
pub mod menu;
pub mod money;
pub mod order;
pub mod receipt;
pub mod role;
pub mod service_day;
pub mod share;
pub mod terminal;
pub mod vat;
pub mod wire;

pub use ids::{ItemId, LineId, OrderId, PaymentId, TableId, UserId};
pub use money::Cents;
pub use role::Role;
pub use vat::VatRate;
