//! Everything about a line being typed: answers, note, quantity, course, whether it waits. Each tap counts at once; nothing has to be
//! confirmed.

use super::choices::{Allergens, AllergensOfParts, Questions};
use super::ordering::Ordering;
use super::panels::Panel;
use crate::components::icon::{Glyph, Icon};
use crate::components::stepper::Stepper;
use crate::draft::{Draft, DraftLine, Place};
use crate::i18n::order::order as texts;
use crate::i18n::t;
use domain::order::{MAX_NOTE, MAX_QTY, OptionChosen};
use leptos::prelude::*;

/// The courses that a line can be given.
const COURSES: [u8; 4] = [0, 1, 2, 3];

/// The sheet of a line.
#[component]
pub(super) fn LineSheet(ordering: Ordering, key: u32) -> impl IntoView {
    let line = Memo::new(move |_| ordering.draft.with(|draft| draft.line(key).cloned()));
    // What the line is of does not change while it is shown, nor does the menu under somebody's finger.
    let item = untrack(|| line.get()).and_then(|line| untrack(|| ordering.item(line.item_id)));
    let price = move || {
        let menu = ordering.menu.data.read();
        let (Some(line), Some(menu)) = (line.get(), menu.as_ref()) else { return String::new() };
        Draft::price_line(ordering.table_id, &line, menu).map(|price| price.to_string()).unwrap_or_default()
    };
    let chosen = Signal::derive(move || line.with(|line| line.as_ref().map(|line| line.options.clone()).unwrap_or_default()));
    let on_choose =
        Callback::new(move |answers: Vec<OptionChosen>| ordering.edit(|draft| draft.change(key, |line| line.options = answers)));
    let remove = move |_| {
        ordering.close();
        ordering.remove(key);
    };
    let is_formule = item.as_ref().is_some_and(|item| !item.components.is_empty());
    item.map(|item| {
        let (id, options, usual) = (item.id, item.options.clone(), item.course);
        let allergens = if is_formule {
            let parts = Signal::derive(move || {
                let choices = line.with(|line| line.as_ref().map(|line| line.components.clone()).unwrap_or_default());
                choices.into_iter().filter_map(|choice| ordering.part(choice.item_id, &choice.options)).collect::<Vec<_>>()
            });
            view! { <AllergensOfParts parts=parts/> }.into_any()
        } else {
            let all = Signal::derive(move || chosen.with(|chosen| item.allergens_with(chosen)));
            view! { <Allergens allergens=all/> }.into_any()
        };
        view! {
            <div class="panel" data-testid="line-sheet">
                <div class="panel-row">
                    <Stepper
                        value=Signal::derive(move || line.with(|line| line.as_ref().map_or(1, |line| line.qty)))
                        label=t().quantity
                        less=t().one_less
                        more=t().one_more
                        most=MAX_QTY
                        on_change=move |qty: u32| ordering.edit(|draft| draft.change(key, |line| line.qty = qty))
                    />
                    <p class="panel-price number" data-testid="line-price">{price}</p>
                    <button type="button" class="button" data-testid="dish-card" on:click=move |_| ordering.show(Panel::Dish(id))>
                        <Icon glyph=Glyph::Info/>{texts().dish_card}
                    </button>
                </div>
                <Questions groups=options chosen=chosen avoided=ordering.avoided on_choose=on_choose/>
                <Note ordering=ordering line=line key=key/>
                {(!is_formule).then(|| view! { <Course ordering=ordering line=line key=key usual=usual/> })}
                <Wait ordering=ordering line=line key=key/>
                {allergens}
                <div class="panel-foot">
                    <button type="button" class="button" data-testid="line-remove" on:click=remove><Icon glyph=Glyph::Trash/>{t().remove}</button>
                    <button type="button" class="button primary" data-testid="line-done" on:click=move |_| ordering.close()>{texts().finished}</button>
                </div>
            </div>
        }
    })
}

/// Free words, and those that are said every evening.
#[component]
fn Note(ordering: Ordering, line: Memo<Option<DraftLine>>, key: u32) -> impl IntoView {
    let presets = untrack(|| ordering.menu.data.with(|menu| menu.as_ref().map(|menu| menu.notes.clone()).unwrap_or_default()));
    let preset = move |note: String| {
        let (shown, same) = (note.clone(), note.clone());
        let pressed = move || if line.with(|line| line.as_ref().is_some_and(|line| line.has_note(&same))) { "true" } else { "false" };
        let toggle = move |_| ordering.edit(|draft| draft.change(key, |line| line.toggle_note(&note)));
        view! { <button type="button" class="note-preset" aria-pressed=pressed on:click=toggle>{shown}</button> }
    };
    view! {
        <div class="panel-part">
            <label class="panel-label" for="line-note">{t().note_for_kitchen}</label>
            <input
                id="line-note"
                class="input"
                autocomplete="off"
                enterkeyhint="done"
                data-testid="line-note"
                maxlength=MAX_NOTE.to_string()
                prop:value=move || line.with(|line| line.as_ref().map(|line| line.note.clone()).unwrap_or_default())
                on:input=move |event| ordering.edit(|draft| draft.change(key, |line| line.set_note(&event_target_value(&event))))
            />
            <div class="note-presets">{presets.into_iter().map(preset).collect_view()}</div>
        </div>
    }
}

/// With which course it is served; `usual` is the menu's.
#[component]
fn Course(ordering: Ordering, line: Memo<Option<DraftLine>>, key: u32, usual: u8) -> impl IntoView {
    let place =
        move || ordering.menu.data.with(|menu| line.with(|line| line.as_ref().zip(menu.as_ref()).map(|(line, menu)| line.place(menu))));
    let course = move |course: u8| {
        let pressed = move || if place() == Some(Place::of(course)) { "true" } else { "false" };
        let another = (course != usual).then_some(course);
        let choose = move |_| ordering.edit(|draft| draft.change(key, |line| line.course = another));
        view! {
            <button type="button" aria-pressed=pressed data-testid=format!("course-{course}") on:click=choose>{texts().place(Place::of(course))}</button>
        }
    };
    view! {
        <div class="panel-part">
            <p class="panel-label">{texts().course}</p>
            <div class="segments" role="group" aria-label=texts().course>{COURSES.map(course).collect_view()}</div>
        </div>
    }
}

/// Whether the kitchen is to wait with it.
#[component]
fn Wait(ordering: Ordering, line: Memo<Option<DraftLine>>, key: u32) -> impl IntoView {
    let can_wait = move || {
        ordering.menu.data.with(|menu| line.with(|line| line.as_ref().zip(menu.as_ref()).is_some_and(|(line, menu)| line.can_wait(menu))))
    };
    let waits = move || line.with(|line| line.as_ref().is_some_and(|line| line.hold));
    let toggle = move |_| ordering.edit(|draft| draft.change(key, |line| line.hold = !line.hold));
    view! {
        <Show when=can_wait>
            <button type="button" class="wait-toggle" aria-pressed=move || waits().to_string() data-testid="line-wait" on:click=toggle>
                <Icon glyph=Glyph::Pause/>
                <span><strong>{texts().wait}</strong><small>{texts().wait_detail}</small></span>
                {move || waits().then(|| view! { <Icon glyph=Glyph::Check/> })}
            </button>
        </Show>
    }
}
