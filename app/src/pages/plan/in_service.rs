//! The plan as a list: what needs feet first, then the longest stay; below, the tables that are free.

use super::table::{Elapsed, Unsent, standing, status_class, status_glyph};
use crate::browser::Cached;
use crate::browser::clock::use_clock;
use crate::components::icon::Icon;
use crate::i18n::{plan, t};
use domain::TableId;
use domain::api::TableView;
use domain::order::TableStatus;
use leptos::prelude::*;
use std::collections::HashMap;

/// Beside the plan on a desktop, in its place on a phone.
#[component]
pub(super) fn InService(floor: Cached<Vec<TableView>>, unsent: RwSignal<HashMap<TableId, u32>>) -> impl IntoView {
    let (t, words) = (t(), plan::t());
    let clock = use_clock();
    let free = Memo::new(move |_| floor.data.with(|floor| free(floor.as_deref().unwrap_or_default())));
    let summary = move || {
        let known = floor.data.with(Option::is_some);
        known.then(|| t.free_tables(u32::try_from(free.read().len()).unwrap_or(0)))
    };
    let occupied = move || {
        let mut occupied: Vec<_> = floor.data.with(|floor| {
            let taken = floor.iter().flatten().filter(|table| table.status != TableStatus::Free);
            taken.map(|table| (standing(table, clock), table.clone())).collect()
        });
        occupied.sort_by_key(|((status, _), table)| (urgency(*status), table.since));
        occupied
    };
    let row = move |((status, minutes), table): ((TableStatus, Option<i64>), TableView)| {
        view! {
            <li>
                <a class=format!("service-row {}", status_class(status)) href=format!("/table/{}", table.id)>
                    <span class="service-name"><span class="visually-hidden">{t.table}" "</span>{table.name}</span>
                    <span class="service-words">
                        <strong><Icon glyph=status_glyph(status)/>{t.table_status(status)}</strong>
                        <small>{table.server_name}" · "<Elapsed status=status minutes=minutes/></small>
                        <Unsent id=table.id unsent=unsent/>
                    </span>
                    <span class="number">{table.remaining.map(|left| left.to_string())}</span>
                </a>
            </li>
        }
    };
    let list = move || match occupied() {
        tables if tables.is_empty() => view! { <p class="quiet-text">{t.all_free}</p> }.into_any(),
        tables => view! { <ul class="service-list">{tables.into_iter().map(row).collect_view()}</ul> }.into_any(),
    };
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
            <Show when=move || floor.data.with(Option::is_some)>
                {list}
                <Show when=move || !free.read().is_empty()>
                    <h2 class="free-now">{words.free_now}</h2>
                    <ul class="free-tables">{move || free.get().into_iter().map(free_table).collect_view()}</ul>
                </Show>
            </Show>
        </aside>
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
