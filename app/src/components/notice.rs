//! Sentences that matter, in place: what went wrong, what is old, what is empty.

use super::icon::{Glyph, Icon};
use crate::browser::Cached;
use crate::error::CallError;
use crate::i18n::t;
use leptos::prelude::*;

/// How much a sentence matters. Each has its own icon, so that colour is not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Info,
    /// It worked.
    Good,
    /// Mind this.
    Warning,
    /// It did not work.
    Bad,
}

impl Tone {
    /// The class that colours it.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Info => "tone-info",
            Self::Good => "tone-good",
            Self::Warning => "tone-warning",
            Self::Bad => "tone-bad",
        }
    }

    /// Its icon.
    #[must_use]
    pub const fn glyph(self) -> Glyph {
        match self {
            Self::Info => Glyph::Info,
            Self::Good => Glyph::Check,
            Self::Warning | Self::Bad => Glyph::Alert,
        }
    }
}

/// A sentence in a box, with an icon; may hold a button.
#[component]
pub fn Notice(
    /// How much it matters.
    tone: Tone,
    /// What is said.
    children: Children,
) -> impl IntoView {
    view! {
        <div class=format!("notice {}", tone.class()) role=if tone == Tone::Bad { "alert" } else { "status" }>
            <Icon glyph=tone.glyph()/>
            <div class="notice-text">{children()}</div>
        </div>
    }
}

/// What a person reads about a failed call.
#[must_use]
pub fn explain(error: &CallError) -> String {
    match error {
        CallError::Refused(problem) => problem.detail.clone(),
        CallError::Unreachable(_) => t().unreachable.to_owned(),
    }
}

/// Above cached data: nothing while it is fresh; says that it is old, or why there is none, and offers to ask again.
#[component]
pub fn Freshness<T: Clone + Send + Sync + 'static>(
    /// The data.
    of: Cached<T>,
) -> impl IntoView {
    move || {
        of.error.get().map(|error| {
            let sentence = match &error {
                CallError::Unreachable(_) if of.data.with(Option::is_some) => t().stale.to_owned(),
                CallError::Unreachable(_) => crate::i18n::queue::t().needs_network.to_owned(),
                error => explain(error),
            };
            view! {
                <Notice tone=Tone::Warning>
                    <span>{sentence}</span>
                    <button type="button" class="button quiet" on:click=move |_| of.refresh()>{t().retry}</button>
                </Notice>
            }
        })
    }
}

/// A calm page where there is nothing to show.
#[component]
pub fn Empty(
    /// Its picture.
    glyph: Glyph,
    /// What is so.
    #[prop(into)]
    title: String,
    /// What that means; may be empty.
    #[prop(optional, into)]
    detail: String,
) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon glyph=glyph/>
            <p class="empty-title">{title}</p>
            {(!detail.is_empty()).then(|| view! { <p class="empty-detail">{detail}</p> })}
        </div>
    }
}

/// Grey shapes where data will be. The same on server and browser.
#[component]
pub fn Skeleton(
    /// How many.
    #[prop(default = 6)]
    count: usize,
) -> impl IntoView {
    view! {
        <div class="skeletons" role="status" aria-label=t().loading>
            {(0..count).map(|_| view! { <div class="skeleton"></div> }).collect_view()}
        </div>
    }
}
