//! Taking something off that the kitchen was told of: how many, and why. What is stored is a fact that names the old one.

use super::ordering::Ordering;
use crate::components::icon::{Glyph, Icon};
use crate::components::stepper::Stepper;
use crate::i18n::order::{REASONS, order as texts};
use crate::i18n::t;
use domain::LineId;
use domain::api::VoidRequest;
use domain::order::MAX_REASON;
use leptos::prelude::*;
use uuid::Uuid;

/// The sheet of a line that was sent.
#[component]
pub(super) fn Removal(ordering: Ordering, line: LineId) -> impl IntoView {
    let t = t();
    let now = Memo::new(move |_| ordering.open_order().and_then(|order| order.lines.into_iter().find(|one| one.line_id == line)));
    let qty = RwSignal::new(1_u32);
    let reason = RwSignal::new(String::new());
    // Set while nobody knows whether the removal was stored: then only the very same can be asked again.
    let asked = RwSignal::new(None::<VoidRequest>);
    let locked = move || asked.with(Option::is_some) || ordering.amending.get();
    let most = move || now.with(|line| line.as_ref().map_or(0, |line| line.qty));
    let optional = move || now.with(|line| line.as_ref().is_some_and(|line| !line.was_told()));
    let ready = move || {
        let said = optional() || reason.with(|reason| !reason.trim().is_empty());
        !ordering.amending.get() && (asked.with(Option::is_some) || (said && most() > 0))
    };
    let take_off = move |_| {
        let request = asked.get_untracked().unwrap_or_else(|| VoidRequest {
            qty: qty.get_untracked().clamp(1, untrack(most).max(1)),
            reason: reason.with_untracked(|reason| reason.trim().to_owned()),
            uuid: Some(Uuid::now_v7()),
        });
        ordering.take_off(line, request, asked);
    };
    let preset = move |words: &'static str| {
        let pressed = move || if reason.with(|reason| reason == words) { "true" } else { "false" };
        view! { <button type="button" class="option" aria-pressed=pressed disabled=locked on:click=move |_| reason.set(words.to_owned())>{words}</button> }
    };
    let name = move || now.with(|line| line.as_ref().map(|line| line.name.clone()).unwrap_or_default());
    let word = move || {
        if asked.with(Option::is_some) {
            texts().ask_again.to_owned()
        } else {
            format!("{} {}\u{a0}×\u{a0}{}", t.remove, qty.get().min(most().max(1)), name())
        }
    };
    view! {
        <div class="panel" data-testid="take-off">
            <div class="panel-row">
                <p class="panel-name">{name}</p>
                <Show when={move || most() > 1 && !locked()}>
                    <Stepper
                        value=qty
                        label=texts().how_many
                        less=t.one_less
                        more=t.one_more
                        on_change=move |wanted: u32| qty.set(wanted.clamp(1, most().max(1)))
                    />
                </Show>
            </div>
            <fieldset>
                <legend>{texts().take_off_why}</legend>
                <div class="options">{REASONS.map(preset).collect_view()}</div>
            </fieldset>
            <input
                class="input"
                aria-label=texts().other_reason
                placeholder=texts().other_reason
                autocomplete="off"
                maxlength=MAX_REASON.to_string()
                data-testid="reason"
                disabled=locked
                prop:value=move || reason.get()
                on:input=move |event| reason.set(event_target_value(&event))
            />
            <Show when=optional><p class="quiet-text">{texts().not_in_kitchen}</p></Show>
            <div class="panel-foot">
                <button type="button" class="button danger" data-testid="take-off-now" disabled=move || !ready() on:click=take_off>
                    <Icon glyph=Glyph::Trash/>{word}
                </button>
            </div>
        </div>
    }
}
