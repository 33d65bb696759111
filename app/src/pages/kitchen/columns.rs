//! Columns side by side on a wide screen; on a phone one below the other, or the one that was picked.

use super::card::CardView;
use super::stove::Stove;
use crate::i18n::kitchen::t;
use domain::kitchen::{CardKey, Column};
use leptos::prelude::*;

/// What the style sheet and the tests call a column.
pub(super) const fn slug(column: Column) -> &'static str {
    match column {
        Column::Starters => "starters",
        Column::Mains => "mains",
        Column::Desserts => "desserts",
        Column::Later => "later",
        Column::Pass => "pass",
    }
}

/// Every column, and on a phone the tabs that pick one.
#[component]
pub(super) fn Columns(stove: Stove) -> impl IntoView {
    let t = t();
    let picked = RwSignal::new(None::<Column>);
    let tab = move |column: Option<Column>| {
        let count = move || {
            column.map(|column| stove.board.with(|board| board.column(column).count())).filter(|count| *count > 0).map(|count| {
                view! { <span class="kitchen-count">{count}</span> }
            })
        };
        let hidden = move || column == Some(Column::Later) && stove.board.with(|board| board.column(Column::Later).next().is_none());
        view! {
            <button type="button" hidden=hidden aria-pressed=move || (picked.get() == column).to_string() on:click=move |_| picked.set(column)
                data-testid=format!("kitchen-tab-{}", column.map_or("all", slug))>
                {column.map_or(t.everything, |column| t.column(column))}{count}
            </button>
        }
    };
    view! {
        <div class="tablist kitchen-tabs" role="group" aria-label=t.columns>
            {tab(None)}
            {Column::ALL.map(|column| tab(Some(column))).collect_view()}
        </div>
        <div class="kitchen-columns">
            {Column::ALL.map(|column| view! { <ColumnView stove=stove column=column picked=picked/> }).collect_view()}
        </div>
    }
}

#[component]
fn ColumnView(stove: Stove, column: Column, picked: RwSignal<Option<Column>>) -> impl IntoView {
    let t = t();
    let keys = Memo::new(move |_| stove.board.with(|board| board.column(column).map(|card| card.key).collect::<Vec<CardKey>>()));
    let count = move || keys.with(Vec::len);
    let class = move || {
        let is_picked = picked.get().is_none_or(|picked| picked == column);
        format!("kitchen-column is-{}{}", slug(column), if is_picked { "" } else { " is-elsewhere" })
    };
    let id = format!("kitchen-{}", slug(column));
    let labelled = id.clone();
    view! {
        // What does not fit is scrolled, also with the keyboard.
        <section class=class aria-labelledby=labelled tabindex="0" hidden=move || column == Column::Later && count() == 0>
            <h2 id=id>{t.column(column)}<span class="kitchen-count">{count}</span></h2>
            {move || (count() == 0).then(|| view! { <p class="kitchen-nothing">{t.column_empty}</p> })}
            <div class="kitchen-cards">
                <For each=move || keys.get() key=|key| *key let:key><CardView stove=stove key=key/></For>
            </div>
        </section>
    }
}
