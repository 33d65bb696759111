//! Where a line stands, as an icon and a word: *ici → reçu → en cuisine → prêt → servi*.

use super::icon::{Glyph, Icon};
use crate::i18n::t;
use domain::order::LineState;
use leptos::prelude::*;

/// Where a line stands; `None` means that it is on this phone only.
#[component]
pub fn StateChip(
    /// The state.
    state: Option<LineState>,
) -> impl IntoView {
    let (glyph, class) = match state {
        None => (Glyph::Phone, "chip state-here"),
        Some(LineState::Received) => (Glyph::Inbox, "chip state-received"),
        Some(LineState::Cooking) => (Glyph::Flame, "chip state-cooking"),
        Some(LineState::Ready) => (Glyph::Bell, "chip state-ready"),
        Some(LineState::Served) => (Glyph::CheckAll, "chip state-served"),
        Some(LineState::Held) => (Glyph::Clock, "chip state-held"),
        Some(LineState::Voided) => (Glyph::Cross, "chip state-voided"),
    };
    let word = state.map_or(t().here, |state| t().line_state(state));
    view! { <span class=class data-testid="line-state"><Icon glyph=glyph/>{word}</span> }
}
