//! A small number with less and more.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// − 4 +
#[component]
pub fn Stepper(
    /// The number.
    #[prop(into)]
    value: Signal<u32>,
    /// What the number counts, for screen readers.
    #[prop(into)]
    label: String,
    /// Label of the minus button.
    less: &'static str,
    /// Label of the plus button.
    more: &'static str,
    /// A small word under the number; may be empty.
    #[prop(optional)]
    unit: &'static str,
    /// Nothing below.
    #[prop(default = 1)]
    least: u32,
    /// Nothing above.
    #[prop(default = 9999)]
    most: u32,
    /// Told the new number.
    #[prop(into)]
    on_change: Callback<u32>,
) -> impl IntoView {
    let value = Memo::new(move |_| value.get());
    let step_down = move |_: leptos::ev::MouseEvent| on_change.run(value.get_untracked().saturating_sub(1).max(least));
    let step_up = move |_: leptos::ev::MouseEvent| on_change.run(value.get_untracked().saturating_add(1).min(most));
    view! {
        <div class="stepper" role="group" aria-label=label>
            <button type="button" aria-label=less disabled={move || value.get() <= least} on:click=step_down><Icon glyph=Glyph::Minus/></button>
            <output>{move || value.get()}{(!unit.is_empty()).then(|| view! { <small>{unit}</small> })}</output>
            <button type="button" aria-label=more disabled={move || value.get() >= most} on:click=step_up><Icon glyph=Glyph::Plus/></button>
        </div>
    }
}
