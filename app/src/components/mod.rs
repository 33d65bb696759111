//! What all pages are made of.
//!
//! [`page::Page`] is the frame of every page after sign-in: heading, way back, navigation, connection badge, account. Inside it:
//! [`notice::Notice`] for a sentence that matters, [`notice::Freshness`] above cached data, [`icon::Icon`] beside a word (never instead of
//! one, except with a label), [`sheet::Sheet`] for a choice over the page, [`stepper::Stepper`] for a small number,
//! [`asking::Asking`] for one question at a time, [`state::StateChip`] for where a line stands, [`toast::Toaster`] for what just happened.

pub mod asking;
pub mod devices;
pub mod icon;
pub mod money_mark;
pub mod notice;
pub mod page;
pub mod paper;
pub mod pass;
pub mod sheet;
pub mod state;
pub mod stepper;
pub mod toast;
