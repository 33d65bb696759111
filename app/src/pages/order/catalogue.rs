//! The menu to tap on: favourites first, then the headings of the printed menu; a search over everything.

use super::ordering::Ordering;
use crate::browser::press::LongPress;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Skeleton};
use crate::draft::answers_to;
use crate::i18n::t;
use domain::menu::{ItemKind, Menu, MenuItem};
use leptos::prelude::*;

/// Which part of the menu is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Favourites,
    Category(String),
}

/// Search, headings and tiles; `children` stand beside the search.
#[component]
pub(super) fn Catalogue(ordering: Ordering, children: Children) -> impl IntoView {
    let t = t();
    let typed = RwSignal::new(String::new());
    let part = RwSignal::new(Part::Favourites);
    let press = LongPress::new();
    let shown = Memo::new(move |_| ordering.menu.data.with(|menu| menu.as_ref().map(|menu| pick(menu, &typed.read(), &part.read()))));
    // Enter takes the first answer: "mag ⏎" is a magret.
    let take_first = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let first = shown.with_untracked(|items| items.iter().flatten().find(|item| item.available).cloned());
        if let Some(item) = first.filter(|_| !typed.with_untracked(|typed| typed.trim().is_empty())) {
            ordering.tap(&item);
            typed.set(String::new());
        }
    };
    let tiles = move || match shown.get() {
        None if ordering.menu.error.with(Option::is_some) => view! { <Empty glyph=Glyph::WifiOff title=t.menu_unknown/> }.into_any(),
        None => view! { <Skeleton count=8/> }.into_any(),
        Some(items) if items.is_empty() => view! { <Empty glyph=Glyph::Search title=t.nothing_found/> }.into_any(),
        Some(items) => {
            let tiles = items.into_iter().map(|item| view! { <Tile ordering=ordering press=press item=item/> }).collect_view();
            view! { <ul class="tiles">{tiles}</ul> }.into_any()
        }
    };
    view! {
        <div class="order-tools">
            <div class="order-search">
                {children()}
                <form role="search" class="search" on:submit=take_first>
                    <Icon glyph=Glyph::Search/>
                    <input
                        class="input"
                        type="search"
                        enterkeyhint="done"
                        autocomplete="off"
                        aria-label=t.search
                        placeholder=t.search
                        data-testid="search"
                        prop:value=move || typed.get()
                        on:input=move |event| typed.set(event_target_value(&event))
                    />
                </form>
            </div>
            <Headings ordering=ordering part=part typed=typed/>
        </div>
        <section aria-label=t.dishes>{tiles}</section>
    }
}

/// The headings of the menu, as buttons that stay pressed.
#[component]
fn Headings(ordering: Ordering, part: RwSignal<Part>, typed: RwSignal<String>) -> impl IntoView {
    let t = t();
    let heading = move |this: Part, word: String| {
        let pressed = {
            let this = this.clone();
            move || if part.get() == this && typed.read().is_empty() { "true" } else { "false" }
        };
        let choose = move |_| {
            typed.set(String::new());
            part.set(this.clone());
        };
        view! { <button type="button" aria-pressed=pressed on:click=choose>{word}</button> }
    };
    let categories = Memo::new(move |_| ordering.menu.data.with(|menu| menu.as_ref().map(categories).unwrap_or_default()));
    view! {
        <div class="tablist" role="group" aria-label=t.categories>
            {heading(Part::Favourites, t.favourites.to_owned())}
            {move || categories.get().into_iter().map(|name| heading(Part::Category(name.clone()), name)).collect_view()}
        </div>
    }
}

#[component]
fn Tile(ordering: Ordering, press: LongPress, item: MenuItem) -> impl IntoView {
    let t = t();
    let id = item.id;
    let item = StoredValue::new(item);
    let MenuItem { name, detail, price, available, kind, wine_pairing, .. } = item.get_value();
    let badge = move || Some(ordering.draft.with(|draft| draft.count_of(id))).filter(|count| *count > 0);
    let tap = move |_| {
        if !press.take_was_long() {
            item.with_value(|item| ordering.tap(item));
        }
    };
    let begin = move |_| press.begin(move || item.with_value(|item| ordering.tap_with_wine(item)));
    view! {
        <li>
            <button
                type="button"
                class="tile"
                class:is-wine=kind == ItemKind::Wine
                class:is-chosen=move || badge().is_some()
                data-testid=format!("item-{id}")
                disabled=!available
                title=wine_pairing.is_some().then_some(t.with_wine)
                on:click=tap
                on:pointerdown=begin
                on:pointerup=move |_| press.end()
                on:pointerleave=move |_| press.end()
                on:pointercancel=move |_| press.end()
                on:contextmenu=move |event| event.prevent_default()
            >
                <span class="tile-name">{name}</span>
                <span class="tile-detail">{detail}</span>
                <span class="tile-foot">
                    {if available { view! { <span class="number">{price.to_string()}</span> }.into_any() } else { view! { <span class="sold-out">{t.sold_out}</span> }.into_any() }}
                    {move || badge().map(|count| view! { <span class="badge">"×\u{a0}"{count}</span> })}
                </span>
            </button>
        </li>
    }
}

fn categories(menu: &Menu) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in &menu.items {
        if !names.contains(&item.category) {
            names.push(item.category.clone());
        }
    }
    names
}

/// The lines to show. A house without favourites begins with its first heading.
fn pick(menu: &Menu, typed: &str, part: &Part) -> Vec<MenuItem> {
    let wanted = |item: &&MenuItem| match part {
        _ if !typed.trim().is_empty() => answers_to(item, typed),
        Part::Favourites => item.favourite,
        Part::Category(name) => item.category == *name,
    };
    let found: Vec<MenuItem> = menu.items.iter().filter(wanted).cloned().collect();
    if found.is_empty() && typed.trim().is_empty() && *part == Part::Favourites {
        let first = menu.items.first().map(|item| item.category.clone());
        return menu.items.iter().filter(|item| Some(&item.category) == first.as_ref()).cloned().collect();
    }
    found
}
