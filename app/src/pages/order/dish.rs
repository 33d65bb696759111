//! Everything about something on the menu: allergens in full, its wines, and whether it is out.

use super::choices::{Allergens, AllergensOfParts};
use super::ordering::Ordering;
use super::wine::WineList;
use crate::browser::clock::next_at;
use crate::components::icon::{Glyph, Icon};
use crate::i18n::order::order as texts;
use domain::ItemId;
use domain::api::Availability;
use domain::menu::{ItemKind, MenuItem};
use leptos::prelude::*;

/// What is out tonight is looked at again at this hour.
const MORNING: u32 = 6;

/// The card of a dish.
#[component]
pub(super) fn DishCard(ordering: Ordering, id: ItemId) -> impl IntoView {
    let item = Memo::new(move |_| ordering.item(id));
    let card = move |item: MenuItem| {
        let MenuItem { id, kind, detail, price, available, allergens, components, .. } = item.clone();
        let allergens = if kind == ItemKind::Menu {
            let parts = components
                .into_iter()
                .flat_map(|group| group.item_ids)
                .filter_map(|id| untrack(|| ordering.part(id, &[])))
                .collect::<Vec<_>>();
            view! { <AllergensOfParts parts=parts/> }.into_any()
        } else {
            view! { <Allergens allergens=allergens/> }.into_any()
        };
        let wines = ordering.menu.data.with_untracked(|menu| menu.as_ref().map(|menu| menu.suggest_wines(id)).unwrap_or_default());
        let best = wines.first().cloned().filter(|_| item.components.is_empty());
        let plain = item.clone();
        let add = move |_| {
            ordering.close();
            ordering.tap(&plain);
        };
        let add_with = best.map(|wine| {
            let add = move |_| {
                ordering.close();
                ordering.tap_with_wine(&item);
            };
            view! {
                <button type="button" class="button primary" data-testid="add-with-wine" on:click=add>
                    <Icon glyph=Glyph::Wine/>{texts().add_with}" "{wine.name}
                </button>
            }
        });
        view! {
            <div class="panel" data-testid="dish">
                <p class="panel-price number">{price.to_string()}</p>
                {detail.map(|detail| view! { <p class="quiet-text">{detail}</p> })}
                {allergens}
                {available.then(|| view! {
                    <div class="panel-adds">
                        <button type="button" class="button" data-testid="add" on:click=add><Icon glyph=Glyph::Plus/>{texts().add}</button>
                        {add_with}
                    </div>
                    <WineList ordering=ordering wines=wines/>
                })}
                <Supply ordering=ordering id=id available=available/>
            </div>
        }
    };
    move || item.get().map(card)
}

/// Out for now, or back: for every phone of the house at once.
#[component]
fn Supply(ordering: Ordering, id: ItemId, available: bool) -> impl IntoView {
    let t = texts();
    let busy = move || ordering.amending.get();
    let out = move |hour: Option<u32>| {
        let until = hour.and_then(next_at);
        ordering.set_available(id, Availability { available: false, until });
    };
    let back = move |_| ordering.set_available(id, Availability { available: true, until: None });
    let buttons = if available {
        view! {
            <button type="button" class="button" data-testid="out-until-morning" disabled=busy on:click=move |_| out(Some(MORNING))>{t.until_morning}</button>
            <button type="button" class="button" data-testid="out-until-told" disabled=busy on:click=move |_| out(None)>{t.until_told}</button>
        }
        .into_any()
    } else {
        view! { <button type="button" class="button primary" data-testid="back-on-menu" disabled=busy on:click=back><Icon glyph=Glyph::Check/>{t.back_on_menu}</button> }
            .into_any()
    };
    view! {
        <section class="panel-part out" aria-label=t.out_of>
            <h3 class="panel-label"><Icon glyph=Glyph::Ban/>{t.out_of}</h3>
            <p class="quiet-text">{t.out_for_everyone}</p>
            <div class="panel-adds">{buttons}</div>
        </section>
    }
}
