//! The plan: where every table of the house stands, at a glance and from two metres away.

use crate::browser::clock::{spell_minutes, use_clock};
use crate::browser::{Cached, store, use_cached};
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Freshness, Skeleton};
use crate::components::page::Page;
use crate::i18n::t;
use crate::session::use_session;
use domain::TableId;
use domain::api::{Event, TableView};
use domain::order::TableStatus;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Rooms as tabs, tables where they stand; on a desktop the occupied ones also as a list, the longest wait first.
#[component]
pub fn PlanPage() -> impl IntoView {
    let t = t();
    let floor: Cached<Vec<TableView>> = use_cached("floor", calls::floor);
    floor.follow(|event| matches!(event, Event::TableChanged { .. } | Event::OrderChanged { .. } | Event::DishReady { .. }));
    // The menu is fetched here already, so that the first table opens at once, with or without a network.
    let _menu = use_cached("menu", calls::menu);
    let drafts = RwSignal::new(Vec::<TableId>::new());
    Effect::new(move |_| {
        spawn_local(async move {
            drafts.try_set(store::tables_with_drafts().await);
        });
    });
    let chosen = RwSignal::new(None::<String>);
    let rooms = Memo::new(move |_| floor.data.with(|floor| rooms(floor.as_deref().unwrap_or_default())));
    let room = Memo::new(move |_| chosen.get().or_else(|| rooms.with(|rooms| rooms.first().cloned())));
    let shown = move || {
        let room = room.get();
        floor.data.with(|floor| {
            floor.as_ref().map(|floor| floor.iter().filter(|table| Some(&table.room) == room.as_ref()).cloned().collect::<Vec<_>>())
        })
    };
    let plan = move || match shown() {
        None => view! { <Skeleton count=12/> }.into_any(),
        Some(tables) if tables.is_empty() => view! { <Empty glyph=Glyph::Plan title=t.no_tables/> }.into_any(),
        Some(tables) => {
            let tables = tables.into_iter().map(|table| view! { <Table table=table drafts=drafts/> }).collect_view();
            view! { <ul class="plan" id="plan-room" aria-label=move || room.get()>{tables}</ul> }.into_any()
        }
    };
    view! {
        <Page title=t.plan_title class="floor">
            <div class="floor-main">
                <Freshness of=floor/>
                <Rooms floor=floor rooms=rooms room=room chosen=chosen/>
                {plan}
            </div>
            <InService floor=floor/>
        </Page>
    }
}

#[component]
fn Rooms(
    floor: Cached<Vec<TableView>>,
    rooms: Memo<Vec<String>>,
    room: Memo<Option<String>>,
    chosen: RwSignal<Option<String>>,
) -> impl IntoView {
    let t = t();
    let button = move |name: String| {
        let (of_room, pressed_for) = (name.clone(), name.clone());
        let ready = move || {
            let ready = floor
                .data
                .with(|floor| floor.iter().flatten().filter(|table| table.room == of_room && table.status == TableStatus::Ready).count());
            (ready > 0).then(|| view! { <span class="room-ready"><Icon glyph=Glyph::Bell/>{ready}<span class="visually-hidden">" "{t.table_status(TableStatus::Ready)}</span></span> })
        };
        let pressed = move || if room.read().as_ref() == Some(&pressed_for) { "true" } else { "false" };
        let word = name.clone();
        view! { <button type="button" aria-pressed=pressed on:click=move |_| chosen.set(Some(name.clone()))>{word}{ready}</button> }
    };
    view! {
        <div class="tablist" role="group" aria-label=t.rooms>
            {move || rooms.get().into_iter().map(button).collect_view()}
        </div>
    }
}

const fn status_class(status: TableStatus) -> &'static str {
    match status {
        TableStatus::Free => "is-free",
        TableStatus::Occupied => "is-occupied",
        TableStatus::Waiting => "is-waiting",
        TableStatus::Ready => "is-ready",
        TableStatus::Bill => "is-bill",
    }
}

const fn status_glyph(status: TableStatus) -> Glyph {
    match status {
        TableStatus::Free => Glyph::Circle,
        TableStatus::Occupied => Glyph::Utensils,
        TableStatus::Waiting => Glyph::Clock,
        TableStatus::Ready => Glyph::Bell,
        TableStatus::Bill => Glyph::Receipt,
    }
}

/// One table: number, where it stands (shape, icon and word), since when, who, what is left to pay.
#[component]
fn Table(table: TableView, drafts: RwSignal<Vec<TableId>>) -> impl IntoView {
    let t = t();
    let (clock, session) = (use_clock(), use_session());
    let TableView { id, name, status, seats, server_user_id, server_name, since, remaining, x, y, round, .. } = table;
    let since = since.filter(|_| status != TableStatus::Free);
    let elapsed = move || since.and_then(|since| clock.minutes_since(since)).map(spell_minutes);
    let is_mine = move || server_user_id.is_some() && session.user().map(|user| user.id) == server_user_id;
    let waits_here = move || drafts.read().contains(&id);
    let chairs = move |count: u16| (0..count.min(4)).map(|_| view! { <i></i> }).collect_view();
    view! {
        <li class="spot" style=format!("--x:{x};--y:{y}")>
            <span class="chairs" aria-hidden="true">{chairs(seats.div_ceil(2))}</span>
            <a
                class=format!("table {}", status_class(status))
                class:is-round=round
                class:is-mine=is_mine
                href=format!("/table/{id}")
                data-testid=format!("table-{id}")
            >
                <span class="table-name"><span class="visually-hidden">{t.table}" "</span>{name}</span>
                <span class="table-status"><Icon glyph=status_glyph(status)/>{t.table_status(status)}</span>
                {if status == TableStatus::Free {
                    view! { <span class="table-small">{seats}" "{t.seats}</span> }.into_any()
                } else {
                    view! {
                        <span class="table-small">{elapsed}</span>
                        <span class="table-small table-who">{server_name}</span>
                        <span class="table-small number">{remaining.map(|left| left.to_string())}</span>
                    }
                    .into_any()
                }}
                {move || waits_here().then(|| view! { <span class="table-draft"><Icon glyph=Glyph::Phone/>{t.draft_waiting}</span> })}
            </a>
            <span class="chairs" aria-hidden="true">{chairs(seats / 2)}</span>
        </li>
    }
}

/// Desktop: the occupied tables as a list. What waits at the pass comes first, then the longest stay.
#[component]
fn InService(floor: Cached<Vec<TableView>>) -> impl IntoView {
    let t = t();
    let clock = use_clock();
    let occupied = move || floor.data.with(|floor| occupied(floor.as_deref().unwrap_or_default()));
    let summary = move || {
        let all = floor.data.with(|floor| floor.as_ref().map(Vec::len));
        all.map(|all| t.free_tables(u32::try_from(all - occupied().len()).unwrap_or(0)))
    };
    let row = move |table: TableView| {
        let since = table.since;
        let elapsed = move || since.and_then(|since| clock.minutes_since(since)).map(spell_minutes);
        view! {
            <li>
                <a class=format!("service-row {}", status_class(table.status)) href=format!("/table/{}", table.id)>
                    <span class="service-name">{table.name}</span>
                    <span class="service-words">
                        <strong><Icon glyph=status_glyph(table.status)/>{t.table_status(table.status)}</strong>
                        <small>{table.server_name}" · "{elapsed}</small>
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
    view! {
        <aside class="in-service" aria-label=t.in_service>
            <h2>{t.in_service}</h2>
            <p class="quiet-text">{summary}</p>
            <Show when=move || floor.data.with(Option::is_some)>{list}</Show>
        </aside>
    }
}

/// In the order of the house.
fn rooms(floor: &[TableView]) -> Vec<String> {
    let mut rooms: Vec<String> = Vec::new();
    for table in floor {
        if !rooms.contains(&table.room) {
            rooms.push(table.room.clone());
        }
    }
    rooms
}

fn occupied(floor: &[TableView]) -> Vec<TableView> {
    let mut occupied: Vec<TableView> = floor.iter().filter(|table| table.status != TableStatus::Free).cloned().collect();
    occupied.sort_by_key(|table| (table.status != TableStatus::Ready, table.since));
    occupied
}
