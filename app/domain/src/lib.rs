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
//! | [`kitchen`] | what the kitchen sees in which order, when it is late, and what a cook must be told of |
//! | [`pass`] | which ready dishes a phone shows, and when it rings |
//! | [`share`] | who pays which part of which line |
//! | [`floor`] | where a table stands on the plan, and what a drawing of the house must look like |
//! | [`catalogue`] | what an article, its wines and a person must look like |
//! | [`attempt`], [`terminal`] | the life of an attempt to charge a card, and the protocols of card terminals |
//! | [`card`] | what a text must not hold: the number of a card |
//! | [`role`] | who may do what |
//! | [`sync`] | orders that a phone keeps: when each is sent, and what a person has to decide |
//! | [`breaker`], [`backoff`] | when a system that does not answer is called again |
//! | [`degraded`] | when something that the till works with counts as failed |
//! | [`fiscal`] | the signed record, its canonical text, its chain and its closings |
//! | [`receipt`] | ticket and Z as lines of text, built once for screen, paper and archive |
//! | [`api`] | the bodies of the outside contract, and of the server functions |

pub mod allocate;
pub mod api;
pub mod attempt;
pub mod backoff;
pub mod breaker;
pub mod card;
pub mod catalogue;
pub mod degraded;
pub mod fiscal;
pub mod floor;
pub mod ids;
pub mod kitchen;
pub mod menu;
pub mod money;
pub mod order;
pub mod pass;
pub mod reading;
pub mod receipt;
pub mod role;
pub mod service_day;
pub mod share;
pub mod sync;
pub mod terminal;
pub mod vat;
pub mod wire;

pub use ids::{ItemId, LineId, OrderId, PaymentId, RoomId, TableId, UserId};
pub use money::Cents;
pub use role::Role;
pub use vat::VatRate;
