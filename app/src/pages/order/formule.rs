//! Composing a *formule*: one choice per group, then one button.

use super::ordering::Ordering;
use crate::components::sheet::Sheet;
use crate::i18n::t;
use domain::ItemId;
use domain::menu::{ComponentGroup, MenuItem};
use domain::order::ComponentChoice;
use leptos::prelude::*;

/// The sheet; opens when a *formule* was tapped.
#[component]
pub(super) fn FormuleSheet(ordering: Ordering) -> impl IntoView {
    let title = Signal::derive(move || ordering.formule.get().map_or_else(|| t().choose.to_owned(), |formule| formule.name));
    view! {
        <Sheet open=ordering.composing title=title>
            {move || ordering.formule.get_untracked().map(|formule| view! { <Choices ordering=ordering formule=formule/> })}
        </Sheet>
    }
}

#[component]
fn Choices(ordering: Ordering, formule: MenuItem) -> impl IntoView {
    let t = t();
    let chosen = RwSignal::new(Vec::<ComponentChoice>::new());
    let wanted = formule.components.len();
    let (id, price) = (formule.id, formule.price.to_string());
    let add = move |_| {
        ordering.add(id, chosen.get_untracked());
        ordering.composing.set(false);
    };
    let groups = formule.components.into_iter().map(|group| view! { <Group ordering=ordering group=group chosen=chosen/> }).collect_view();
    view! {
        <div class="formule">
            {groups}
            <button type="button" class="button primary wide" data-testid="formule-add" disabled=move || chosen.with(Vec::len) < wanted on:click=add>
                {t.add}" · "{price}
            </button>
        </div>
    }
}

#[component]
fn Group(ordering: Ordering, group: ComponentGroup, chosen: RwSignal<Vec<ComponentChoice>>) -> impl IntoView {
    let name = group.group.clone();
    let option = move |item_id: ItemId| {
        let (item_name, available) = ordering
            .menu
            .data
            .with_untracked(|menu| menu.as_ref().and_then(|menu| menu.item(item_id)).map(|item| (item.name.clone(), item.available)))?;
        let (group, same) = (name.clone(), name.clone());
        let pressed = move || if is_chosen(&chosen.read(), &same, item_id) { "true" } else { "false" };
        let choose = move |_| {
            chosen.update(|chosen| {
                chosen.retain(|choice| choice.group != group);
                chosen.push(ComponentChoice { group: group.clone(), item_id, options: vec![] });
            });
        };
        Some(view! {
            <button type="button" class="option" aria-pressed=pressed disabled=!available data-testid=format!("component-{item_id}") on:click=choose>
                {item_name}
                {(!available).then(|| view! { <span class="sold-out">{t().sold_out}</span> })}
            </button>
        })
    };
    view! {
        <fieldset>
            <legend>{group.group}</legend>
            <div class="options">{group.item_ids.into_iter().filter_map(option).collect_view()}</div>
        </fieldset>
    }
}

fn is_chosen(chosen: &[ComponentChoice], group: &str, item_id: ItemId) -> bool {
    chosen.iter().any(|choice| choice.group == group && choice.item_id == item_id)
}
