//! The plan as a list: what needs feet first, then the longest stay; below, the tables that are free.

use super::table::{Unsent, Watched, standing, status_class};
use crate::browser::Cached;
use crate::browser::clock::use_clock;
use crate::i18n::{plan, t};
use domain::TableId;
use domain::api::TableView;
use domain::order::TableStatus;
use leptos::prelude::*;
use std::collections::HashMap;

/// Beside the plan on a desktop, in its place on a phone.
#[component]
pub(super) fn InService(floor: Cached<Vec<TableView>>, unsent: Memo<HashMap<TableId, u32>>) -> impl IntoView {
    let (t, words) = (t(), plan::t());
    let clock = use_clock();
    let free = Memo::new(move |_| floor.data.with(|floor| free(floor.as_deref().unwrap_or_default())));
    let is_known = Memo::new(move |_| floor.data.with(Option::is_some));
    let summary = move || is_known.get().then(|| t.free_tables(u32::try_from(free.read().len()).unwrap_or(0)));
    let occupied = Memo::new(move |_| {
        floor.data.with(|floor| {
            let taken = floor.iter().flatten().filter(|table| table.status != TableStatus::Free);
            let mut taken: Vec<_> = taken.map(|table| (urgency(standing(table, clock).0), table.since, table.id)).collect();
            // Of two alike the one that the house names first.
            taken.sort_by_key(|(urgency, since, _)| (*urgency, *since));
            taken.into_iter().map(|(.., id)| id).collect::<Vec<_>>()
        })
    });
    let free_table = move |(id, name): (TableId, String)| {
        view! {
            <li>
                <a class="free-table" href=format!("/table/{id}")>
                    <span class="visually-hidden">{t.table}" "</span>{name}<Unsent id=id unsent=unsent/>
                </a>
            </li>
        }
    };
    view! {
        <aside class="in-service" aria-label=t.in_service>
            <h2>{t.in_service}</h2>
            <p class="quiet-text">{summary}</p>
            <Show when=move || is_known.get()>
                <Show when=move || !occupied.read().is_empty() fallback=move || view! { <p class="quiet-text">{t.all_free}</p> }>
                    <ul class="service-list">
                        <For each=move || occupied.get() key=|id| *id let:id><Row id=id floor=floor unsent=unsent/></For>
                    </ul>
                </Show>
                <Show when=move || !free.read().is_empty()>
                    <h2 class="free-now">{words.free_now}</h2>
                    <ul class="free-tables"><For each=move || free.get() key=Clone::clone children=free_table/></ul>
                </Show>
            </Show>
        </aside>
    }
}

/// A table in a line.
#[component]
fn Row(id: TableId, floor: Cached<Vec<TableView>>, unsent: Memo<HashMap<TableId, u32>>) -> impl IntoView {
    let watched = Watched::new(id, floor);
    view! {
        <li>
            <a class=move || format!("service-row {}", status_class(watched.status.get())) href=format!("/table/{id}")>
                <span class="service-name">
                    <span class="visually-hidden">{t().table}" "</span>{move || watched.drawn.get().map(|table| table.name)}
                </span>
                <span class="service-words">
                    <strong>{watched.status_words()}</strong>
                    <small>{watched.who}" · "{watched.elapsed()}</small>
                    <Unsent id=id unsent=unsent/>
                </span>
                <span class="number">{watched.left}</span>
            </a>
        </li>
    }
}

fn free(floor: &[TableView]) -> Vec<(TableId, String)> {
    floor.iter().filter(|table| table.status == TableStatus::Free).map(|table| (table.id, table.name.clone())).collect()
}

/// What needs somebody first comes first.
const fn urgency(status: TableStatus) -> u8 {
    match status {
        TableStatus::Ready => 0,
        TableStatus::Waiting => 1,
        TableStatus::Bill => 2,
        TableStatus::Occupied | TableStatus::Free => 3,
    }
}
