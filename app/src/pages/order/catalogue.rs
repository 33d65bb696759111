//! The menu to tap on: favourites first, then the headings of the printed menu; a search over everything.
//!
//! A tap adds a dish. A long press, Shift and a click, or the menu key adds it with its wine; the corner of the tile opens its card, where
//! the same is a button.

use super::finding::Wanted;
use super::ordering::Ordering;
use super::panels::Panel;
use crate::browser::press::LongPress;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Notice, Skeleton, Tone};
use crate::i18n::order::order as texts;
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
    // What was found stays where it is, under a finger that wants two of it. The next search begins anew.
    let taken = StoredValue::new(false);
    let begin_anew = move || {
        if taken.get_value() {
            taken.set_value(false);
            typed.set(String::new());
        }
    };
    let wanted = Memo::new(move |_| Wanted::typed(&typed.read()));
    let shown = Memo::new(move |_| ordering.menu.data.with(|menu| menu.as_ref().map(|menu| pick(menu, &wanted.read(), &part.read()))));
    Effect::new(move |_| ordering.avoided.set(wanted.with(|wanted| wanted.without.clone())));
    let without = move || {
        let list = wanted.with(|wanted| (!wanted.without.is_empty()).then(|| texts().allergen_list(&wanted.without)))?;
        Some(view! { <Notice tone=Tone::Info>{texts().without}" "{list}" · "{texts().declared_only}</Notice> })
    };
    // Enter takes the first answer: "mag ⏎" is a magret.
    let take_first = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let first = shown.with_untracked(|items| items.iter().flatten().find(|item| item.available).cloned());
        if let Some(item) = first.filter(|_| !wanted.with_untracked(Wanted::is_empty)) {
            ordering.tap(&item);
            typed.set(String::new());
        }
    };
    let tiles = move || match shown.get() {
        None if ordering.menu.error.with(Option::is_some) => view! { <Empty glyph=Glyph::WifiOff title=t.menu_unknown/> }.into_any(),
        None => view! { <Skeleton count=8/> }.into_any(),
        Some(items) if items.is_empty() => view! { <Empty glyph=Glyph::Search title=t.nothing_found/> }.into_any(),
        Some(items) => {
            let tiles = items.into_iter().map(|item| view! { <Tile ordering=ordering press=press taken=taken item=item/> }).collect_view();
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
                        on:focus=move |_| begin_anew()
                        on:click=move |_| begin_anew()
                        on:input=move |event| typed.set(event_target_value(&event))
                    />
                </form>
            </div>
            <Headings ordering=ordering part=part typed=typed/>
        </div>
        <section aria-label=t.dishes>{without}{tiles}</section>
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
fn Tile(ordering: Ordering, press: LongPress, taken: StoredValue<bool>, item: MenuItem) -> impl IntoView {
    let t = t();
    let id = item.id;
    let item = StoredValue::new(item);
    let MenuItem { name, detail, price, available, kind, pairings, allergens, .. } = item.get_value();
    let badge = move || Some(ordering.draft.with(|draft| draft.count_of(id))).filter(|count| *count > 0);
    let with_wine = move || item.with_value(|item| ordering.tap_with_wine(item));
    let tap = move |event: leptos::ev::MouseEvent| {
        taken.set_value(true);
        if press.take_was_long() {
            return;
        }
        if event.shift_key() { with_wine() } else { item.with_value(|item| ordering.tap(item)) }
    };
    let begin = move |event: leptos::ev::PointerEvent| {
        if event.button() == 0 && !event.shift_key() {
            press.begin(with_wine);
        } else {
            press.forget();
        }
    };
    // A finger that rests opens a context menu too; only one without a finger (the menu key, the other button) is a wish of its own.
    let context_menu = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        if !press.is_pressed() {
            with_wine();
        }
    };
    let more = format!("{} {name}", texts().more_about);
    view! {
        <li class="tile-spot">
            <button
                type="button"
                class="tile"
                class:is-wine=kind == ItemKind::Wine
                class:is-out=!available
                class:is-chosen=move || badge().is_some()
                data-testid=format!("item-{id}")
                title=(!pairings.is_empty()).then_some(texts().with_wine_too)
                on:click=tap
                on:pointerdown=begin
                on:pointerup=move |_| press.end()
                on:pointerleave=move |_| press.end()
                on:pointercancel=move |_| press.end()
                on:contextmenu=context_menu
            >
                <span class="tile-name">{name}</span>
                <span class="tile-detail">{detail}</span>
                <span class="tile-foot">
                    {if available { view! { <span class="number">{price.to_string()}</span> }.into_any() } else { view! { <span class="sold-out">{t.sold_out}</span> }.into_any() }}
                    {(!allergens.is_empty() && kind != ItemKind::Wine).then(|| view! {
                        <span class="tile-allergens"><Icon glyph=Glyph::Wheat/><span class="visually-hidden">{texts().has_allergens}</span></span>
                    })}
                </span>
                {move || badge().map(|count| view! { <span class="badge">"×\u{a0}"{count}</span> })}
            </button>
            <button type="button" class="tile-more" aria-label=more data-testid=format!("more-{id}") on:click=move |_| ordering.show(Panel::Dish(id))>
                <Icon glyph=Glyph::More/>
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
fn pick(menu: &Menu, wanted: &Wanted, part: &Part) -> Vec<MenuItem> {
    if !wanted.is_empty() {
        return wanted.among(menu);
    }
    let of_heading = |name: &str| menu.items.iter().filter(|item| item.category == name).cloned().collect::<Vec<_>>();
    match part {
        Part::Category(name) => of_heading(name),
        Part::Favourites if menu.items.iter().any(|item| item.favourite) => {
            menu.items.iter().filter(|item| item.favourite).cloned().collect()
        }
        Part::Favourites => menu.items.first().map(|item| of_heading(&item.category)).unwrap_or_default(),
    }
}
