//! Composing a *formule*: one choice per group, what has to be asked about each choice, then one button.

use super::choices::{Questions, brings, is_answered, surcharge};
use super::ordering::Ordering;
use crate::draft::DraftLine;
use crate::i18n::t;
use domain::ItemId;
use domain::menu::{ComponentGroup, MenuItem};
use domain::order::{ComponentChoice, OptionChosen};
use leptos::prelude::*;

/// What the sheet shows when a *formule* was tapped.
#[component]
pub(super) fn Compose(ordering: Ordering, formule: MenuItem) -> impl IntoView {
    let t = t();
    let chosen = RwSignal::new(Vec::<ComponentChoice>::new());
    let wanted = formule.components.len();
    let (id, price) = (formule.id, formule.price);
    let add = move |_| {
        ordering.add(DraftLine { components: chosen.get_untracked(), ..id.into() });
        ordering.close();
    };
    // Untracked: another version of the menu while somebody composes must not empty the sheet.
    let options_of = move |item: ItemId| untrack(|| ordering.item(item)).map(|item| item.options).unwrap_or_default();
    let ready = move || {
        chosen
            .with(|chosen| chosen.len() >= wanted && chosen.iter().all(|choice| is_answered(&options_of(choice.item_id), &choice.options)))
    };
    let total = move || {
        let extra: domain::Cents =
            chosen.with(|chosen| chosen.iter().map(|choice| surcharge(&options_of(choice.item_id), &choice.options)).sum());
        (price + extra).to_string()
    };
    let groups = formule.components.into_iter().map(|group| view! { <Group ordering=ordering group=group chosen=chosen/> }).collect_view();
    view! {
        <div class="formule">
            {groups}
            <button type="button" class="button primary wide" data-testid="formule-add" disabled=move || !ready() on:click=add>
                {t.add}" · "{total}
            </button>
        </div>
    }
}

#[component]
fn Group(ordering: Ordering, group: ComponentGroup, chosen: RwSignal<Vec<ComponentChoice>>) -> impl IntoView {
    let name = StoredValue::new(group.group.clone());
    let option = move |item_id: ItemId| {
        let item = untrack(|| ordering.item(item_id))?;
        let (item_name, available) = (item.name, item.available);
        let brings = brings(item.allergens, ordering.avoided);
        let pressed = move || if chosen_here(&chosen.read(), &name.get_value()) == Some(item_id) { "true" } else { "false" };
        let choose = move |_| {
            chosen.update(|chosen| {
                let group = name.get_value();
                chosen.retain(|choice| choice.group != group);
                chosen.push(ComponentChoice { group, item_id, options: vec![] });
            });
        };
        Some(view! {
            <button type="button" class="option" aria-pressed=pressed disabled=!available data-testid=format!("component-{item_id}") on:click=choose>
                {item_name}
                {(!available).then(|| view! { <span class="sold-out">{t().sold_out}</span> })}
                {brings}
            </button>
        })
    };
    let part = Memo::new(move |_| chosen_here(&chosen.read(), &name.get_value()));
    let questions = move || {
        let item = untrack(|| ordering.item(part.get()?)).filter(|item| !item.options.is_empty())?;
        let groups = StoredValue::new(item.options.clone());
        let answers = Signal::derive(move || {
            chosen
                .with(|chosen| chosen.iter().find(|choice| choice.group == name.get_value()).map(|c| c.options.clone()).unwrap_or_default())
        });
        let on_choose = Callback::new(move |answers: Vec<OptionChosen>| {
            chosen.update(|chosen| {
                if let Some(choice) = chosen.iter_mut().find(|choice| choice.group == name.get_value()) {
                    choice.options = answers;
                }
            });
        });
        Some(
            view! { <div class="part-questions"><Questions groups=groups.get_value() chosen=answers avoided=ordering.avoided on_choose=on_choose/></div> },
        )
    };
    view! {
        <fieldset>
            <legend>{group.group}</legend>
            <div class="options">{group.item_ids.into_iter().filter_map(option).collect_view()}</div>
            {questions}
        </fieldset>
    }
}

fn chosen_here(chosen: &[ComponentChoice], group: &str) -> Option<ItemId> {
    chosen.iter().find(|choice| choice.group == group).map(|choice| choice.item_id)
}
