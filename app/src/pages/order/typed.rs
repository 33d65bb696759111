//! The lines being typed, course by course: each course goes with the next sending or waits until the waiter calls for it.

use super::ordering::Ordering;
use super::panels::Panel;
use super::ticket::Under;
use super::wine::WineChip;
use crate::components::icon::{Glyph, Icon};
use crate::components::state::StateChip;
use crate::components::stepper::Stepper;
use crate::draft::{Draft, DraftLine, Fault, Place};
use crate::i18n::order::order as texts;
use crate::i18n::t;
use domain::order::{ItemRequest, MAX_QTY, OptionChosen};
use leptos::prelude::*;

/// All of them.
#[component]
pub(super) fn TypedLines(ordering: Ordering) -> impl IntoView {
    let by_place = Memo::new(move |_| ordering.menu.data.with(|menu| ordering.draft.with(|draft| draft.by_place(menu.as_ref()))));
    let places = move || by_place.with(|places| places.keys().copied().collect::<Vec<_>>());
    let lines_of = move |place: Place| by_place.with(|places| places.get(&place).cloned().unwrap_or_default());
    view! {
        <For each=places key=|place| *place let:place>
            <div class="course" data-testid="typed-course">
                <CourseHead ordering=ordering place=place/>
                <ul><For each=move || lines_of(place) key=|key| *key let:key><TypedLine ordering=ordering key=key/></For></ul>
            </div>
        </For>
    }
}

/// The name of the course, and whether it goes or waits.
#[component]
fn CourseHead(ordering: Ordering, place: Place) -> impl IntoView {
    let t = texts();
    let waits = Memo::new(move |_| {
        // The parts of a formule are served with several courses: each waits once it is sent.
        if place == Place::Formules {
            return None;
        }
        ordering.menu.data.with(|menu| menu.as_ref().and_then(|menu| ordering.draft.with(|draft| draft.waits(place, menu))))
    });
    let say = move |wait: bool| {
        ordering.menu.data.with_untracked(|menu| {
            if let Some(menu) = menu {
                ordering.edit(|draft| draft.let_wait(place, menu, wait));
            }
        });
    };
    let choice = move |wait: bool, word: &'static str, glyph: Glyph, testid: &'static str| {
        let pressed = move || if waits.get() == Some(wait) { "true" } else { "false" };
        view! { <button type="button" aria-pressed=pressed data-testid=testid on:click=move |_| say(wait)><Icon glyph=glyph/>{word}</button> }
    };
    view! {
        <div class="course-head">
            <h3>{t.place(place)}</h3>
            <Show when=move || waits.get().is_some()>
                <div class="segments is-small" role="group" aria-label=t.place(place)>
                    {choice(false, t.go, Glyph::Send, "course-goes")}
                    {choice(true, t.wait, Glyph::Pause, "course-waits")}
                </div>
            </Show>
        </div>
    }
}

/// A line being typed.
#[component]
fn TypedLine(ordering: Ordering, key: u32) -> impl IntoView {
    let t = t();
    let line = Memo::new(move |_| ordering.draft.with(|draft| draft.line(key).cloned()));
    let item_id = line.with_untracked(|line| line.as_ref().map(|line| line.item_id));
    let is_last = Memo::new(move |_| ordering.draft.with(|draft| draft.last_line().is_some_and(|last| last.key == key)));
    let fault = Memo::new(move |_| {
        let menu = ordering.menu.data.read();
        line.with(|line| line.as_ref()?.fault(ordering.table_id, menu.as_ref()?))
    });
    let price = move || {
        let menu = ordering.menu.data.read();
        let (Some(line), Some(menu)) = (line.get(), menu.as_ref()) else { return String::new() };
        Draft::price_line(ordering.table_id, &line, menu).map(|price| price.to_string()).unwrap_or_default()
    };
    let wines = Memo::new(move |_| item_id.filter(|_| is_last.get()).map(|id| ordering.wines_for(id)).unwrap_or_default());
    let details = move || line.with(|line| line.as_ref().map(|line| details(ordering, line)).unwrap_or_default());
    let waits = move || line.with(|line| line.as_ref().is_some_and(|line| line.hold));
    let set_qty = move |qty: u32| match qty {
        0 => ordering.remove(key),
        qty => ordering.edit(|draft| draft.change(key, |line| line.qty = qty)),
    };
    let mark = move || {
        fault.get().map(|fault| {
            let word = if fault == Fault::SoldOut { t.sold_out } else { texts().to_choose };
            view! { <span class="chip state-fault" data-testid="line-fault"><Icon glyph=Glyph::Alert/>{word}</span> }
        })
    };
    view! {
        <li class="line is-typed" class:is-last=move || is_last.get() class:has-fault=move || fault.get().is_some() data-testid=item_id.map(|id| format!("line-{id}"))>
            <button type="button" class="line-main" data-testid="line-open" on:click=move |_| ordering.show(Panel::Line(key))>
                <span class="line-name">
                    {move || item_id.map(|id| ordering.name_of(id))}
                    {move || details().into_iter().map(|text| view! { <Under text=Some(text)/> }).collect_view()}
                    {mark}
                    {move || waits().then(|| view! { <span class="chip state-held" data-testid="line-waits"><Icon glyph=Glyph::Pause/>{texts().wait}</span> })}
                </span>
                <span class="line-price number">{price}</span>
            </button>
            <div class="line-tools">
                <Stepper
                    value=Signal::derive(move || line.with(|line| line.as_ref().map_or(0, |line| line.qty)))
                    label=t.quantity
                    less=t.one_less
                    more=t.one_more
                    least=0
                    most=MAX_QTY
                    on_change=set_qty
                />
                <button type="button" class="button line-note" data-testid="line-edit" on:click=move |_| ordering.show(Panel::Line(key))>
                    <Icon glyph=Glyph::Pencil/>{texts().edit}
                </button>
                <button type="button" class="round" aria-label=t.remove data-testid="line-drop" on:click=move |_| ordering.remove(key)>
                    <Icon glyph=Glyph::Trash/>
                </button>
            </div>
            {move || Some(wines.get()).filter(|wines| !wines.is_empty()).map(|wines| view! { <WineChip ordering=ordering wines=wines/> })}
        </li>
    }
}

/// What was chosen and noted, a line each.
fn details(ordering: Ordering, line: &DraftLine) -> Vec<String> {
    let answers = |options: &[OptionChosen]| options.iter().map(|answer| answer.choice.clone()).collect::<Vec<_>>().join(", ");
    let parts = line.components.iter().map(|part| match answers(&part.options) {
        said if said.is_empty() => ordering.name_of(part.item_id),
        said => format!("{} ({said})", ordering.name_of(part.item_id)),
    });
    let parts = parts.collect::<Vec<_>>().join(" · ");
    [parts, answers(&line.options), line.note.clone()].into_iter().filter(|text| !text.trim().is_empty()).collect()
}

/// A line that waits here to be sent: nothing can be changed until the server said what became of it.
#[component]
pub(super) fn WaitingLine(ordering: Ordering, wish: ItemRequest) -> impl IntoView {
    let line = DraftLine::of(wish.clone());
    let price = move || {
        let menu = ordering.menu.data.read();
        menu.as_ref().map(|menu| Draft::price_wishes(ordering.table_id, std::slice::from_ref(&wish), menu).to_string())
    };
    line.map(|line| {
        let (id, qty) = (line.item_id, line.qty);
        view! {
            <li class="line">
                <div class="line-main">
                    <span class="line-qty">{qty}</span>
                    <span class="line-name">
                        {move || ordering.name_of(id)}
                        {move || details(ordering, &line).into_iter().map(|text| view! { <Under text=Some(text)/> }).collect_view()}
                    </span>
                    <span class="line-price number">{price}</span>
                </div>
                <div class="line-tools"><StateChip state=None/></div>
            </li>
        }
    })
}
