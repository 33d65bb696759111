//! The wine that goes with a dish: one tap takes the best, ignoring it costs nothing. The others unfold, by the bottle or by the glass.

use super::ordering::Ordering;
use crate::components::icon::{Glyph, Icon};
use crate::i18n::order::order as texts;
use domain::ItemId;
use domain::menu::Pairing;
use leptos::prelude::*;

/// Under the line that was touched last.
#[component]
pub(super) fn WineChip(ordering: Ordering, wines: Vec<Pairing>) -> impl IntoView {
    let unfolded = RwSignal::new(false);
    let best = wines.first().cloned();
    let has_more = wines.len() > 1 || wines.iter().any(|wine| wine.glass.is_some());
    let wines = StoredValue::new(wines);
    best.map(|Pairing { id, name, price, reason, .. }| {
        view! {
            <div class="wine-row">
                <button type="button" class="wine-chip" data-testid="wine-chip" on:click=move |_| ordering.add(id)>
                    <Icon glyph=Glyph::Wine/>
                    <span class="wine-words"><strong>"+ "{name}" · "<span class="number">{price.to_string()}</span></strong><span>{reason}</span></span>
                </button>
                {has_more.then(|| view! {
                    <button
                        type="button"
                        class="wine-more"
                        data-testid="wine-more"
                        aria-label=texts().other_wines
                        aria-expanded=move || unfolded.get().to_string()
                        on:click=move |_| unfolded.update(|unfolded| *unfolded = !*unfolded)
                    >
                        {move || view! { <Icon glyph=if unfolded.get() { Glyph::Up } else { Glyph::Down }/> }}
                    </button>
                })}
            </div>
            <Show when=move || unfolded.get()><WineList ordering=ordering wines=wines.get_value()/></Show>
        }
    })
}

/// Up to three wines, each with what to say at the table and its prices.
#[component]
pub(super) fn WineList(ordering: Ordering, wines: Vec<Pairing>) -> impl IntoView {
    let t = texts();
    let take = move |id: ItemId| {
        ordering.close();
        ordering.add(id);
    };
    let row = move |wine: Pairing| {
        let Pairing { id, name, price, reason, glass } = wine;
        let of = name.clone();
        let by = move |id: ItemId, word: &'static str, price: String| {
            view! {
                <button type="button" class="button" data-testid=format!("wine-{id}") on:click=move |_| take(id)>
                    {word}" "<span class="number">{price}</span><span class="visually-hidden">", "{of.clone()}</span>
                </button>
            }
        };
        view! {
            <li class="wine-choice">
                <p class="wine-words"><strong>{name}</strong><span>{reason}</span></p>
                <div class="wine-prices">
                    {by(id, t.bottle, price.to_string())}
                    {glass.map(|glass| by(glass.id, t.glass, glass.price.to_string()))}
                </div>
            </li>
        }
    };
    (!wines.is_empty()).then(|| view! { <ul class="wine-list" data-testid="wine-list">{wines.into_iter().map(row).collect_view()}</ul> })
}
