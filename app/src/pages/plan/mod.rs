//! The plan: where every table of the house stands, at a glance and from two metres away.
//!
//! The plan is read once; after that every event brings the one table that changed, and the phone's own clock does the rest: times that
//! grow and tables that begin to wait. Only a house that was drawn anew, or a connection that was lost, makes a phone ask again.

mod in_service;
mod jump;
mod table;

use crate::browser::device::remembered;
use crate::browser::live::{Told, use_live};
use crate::browser::outbox::use_outbox;
use crate::browser::pace::Pace;
use crate::browser::{Cached, store, use_cached};
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::money_mark::MoneyMark;
use crate::components::notice::{Empty, Freshness, Skeleton};
use crate::components::page::Page;
use crate::components::pass::NotifyOffer;
use crate::draft::Draft;
use crate::i18n::{plan, t};
use crate::pages::apart;
use crate::session::use_session;
use domain::TableId;
use domain::api::{Event, TableView};
use domain::order::TableStatus;
use domain::role::Right;
use in_service::InService;
use jump::{Jump, JumpSheet};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::collections::HashMap;
use table::Table;

/// Events are shown so often, in milliseconds: one at once, hundreds in few steps.
const SHOW_EVERY_MS: u32 = 250;
/// And what they changed is remembered so often: a plan that is two seconds old is a good plan after a cold start.
const KEEP_EVERY_MS: u32 = 2_000;
/// What is typed is read so often while orders go out.
const READ_EVERY_MS: u32 = 1_000;

/// Rooms as tabs, tables where they stand; beside it on a desktop, in its place on a phone when somebody wants it, the same as a list.
#[component]
pub fn PlanPage() -> impl IntoView {
    let (t, words) = (t(), plan::t());
    let session = use_session();
    let floor: Cached<Vec<TableView>> = use_cached("floor", calls::floor);
    follow(floor);
    // The menu is fetched here already, so that the first table opens at once, with or without a network.
    let _menu = use_cached("menu", calls::menu);
    let unsent = use_unsent();
    // The page of an order is fetched once the plan is there: from then on somebody may tap.
    let is_there = Memo::new(move |_| floor.data.with(Option::is_some));
    Effect::new(move |_| {
        if is_there.get() {
            apart::expect_order();
        }
    });
    // A waiter comes back here from every table: to the room that they serve.
    let view = remembered("comptoir-plan-view");
    let as_list = Memo::new(move |_| view.with(Option::is_some));
    let jump = Jump::listen(floor);
    let chosen = remembered("comptoir-plan-room");
    let rooms = Memo::new(move |_| floor.data.with(|floor| rooms(floor.as_deref().unwrap_or_default())));
    // A room that is gone, or has another name by now, is no longer chosen.
    let room = Memo::new(move |_| rooms.with(|rooms| chosen.get().filter(|chosen| rooms.contains(chosen)).or(rooms.first().cloned())));
    let shown = Memo::new(move |_| {
        let of_room = |table: &&TableView| room.read().as_ref() == Some(&table.room);
        floor.data.with(|floor| floor.as_ref().map(|floor| floor.iter().filter(of_room).map(|table| table.id).collect::<Vec<_>>()))
    });
    let map = move || match shown.with(|shown| shown.as_ref().map(Vec::is_empty)) {
        None => view! { <Skeleton count=12/> }.into_any(),
        Some(true) => view! { <Empty glyph=Glyph::Plan title=t.no_tables/> }.into_any(),
        Some(false) => view! {
            <ul class="plan" id="plan-room" aria-label=move || room.get()>
                <For each=move || shown.get().unwrap_or_default() key=|id| *id let:id><Table id=id floor=floor unsent=unsent/></For>
            </ul>
        }
        .into_any(),
    };
    let has_tables = Memo::new(move |_| {
        let me = session.user().map(|user| user.id);
        me.is_some() && floor.data.with(|floor| floor.iter().flatten().any(|table| table.order_id.is_some() && table.server_user_id == me))
    });
    let tools = move || {
        view! {
            <button type="button" class="button jump-open" data-testid="jump" on:click=move |_| jump.open()>
                <Icon glyph=Glyph::Keypad/><span>{words.go_to}</span>
            </button>
            <Show when=move || session.may(Right::Administer)>
                <a class="button edit-plan" href="/plan/editeur" data-testid="edit-plan"><Icon glyph=Glyph::Pencil/><span>{words.edit}</span></a>
            </Show>
        }
    };
    view! {
        <Page title=t.plan_title class="floor">
            <div class="floor-main" class:as-list=as_list>
                <Freshness of=floor/>
                <NotifyOffer has_tables=has_tables/>
                <MoneyMark/>
                <div class="floor-bar">
                    <Rooms floor=floor rooms=rooms room=room chosen=chosen/>
                    <div class="floor-tools">
                        <AsMapOrList view=view/>
                        {tools}
                    </div>
                </div>
                {map}
            </div>
            <InService floor=floor unsent=unsent/>
            <JumpSheet jump=jump/>
        </Page>
    }
}

/// How many articles this phone has not sent, by table: typed, or on their way.
fn use_unsent() -> Memo<HashMap<TableId, u32>> {
    let outbox = use_outbox();
    let typed = RwSignal::new(Vec::<(TableId, u32)>::new());
    let reading = Pace::new(READ_EVERY_MS);
    Effect::new(move |_| {
        // What was typed may wait by now, or be typed again.
        outbox.with_intents(|_| ());
        reading.soon(move || {
            spawn_local(async move {
                let drafts = store::drafts::<Draft>().await;
                typed.try_set(drafts.into_iter().map(|(table, draft)| (table, draft.count())).collect());
            });
        });
    });
    Memo::new(move |_| {
        let mut all = HashMap::new();
        let mut add = |table: TableId, count: u32| {
            if count > 0 {
                *all.entry(table).or_insert(0) += count;
            }
        };
        typed.with(|typed| typed.iter().for_each(|(table, count)| add(*table, *count)));
        outbox.with_intents(|kept| kept.iter().for_each(|intent| add(intent.table_id(), intent.count())));
        all
    })
}

/// Keeps the plan as the events tell it. When a phone comes back, hundreds of them come at once: they are a few changes for the eye.
fn follow(floor: Cached<Vec<TableView>>) {
    let heard = StoredValue::new(Vec::<Event>::new());
    let (showing, keeping) = (Pace::new(SHOW_EVERY_MS), Pace::new(KEEP_EVERY_MS));
    let keep = move || {
        if let Some(tables) = floor.data.try_get_untracked().flatten() {
            spawn_local(store::put_json("floor", tables));
        }
    };
    let show = move || {
        let heard = heard.try_update_value(std::mem::take).unwrap_or_default();
        floor.amend(|tables| {
            for event in &heard {
                if let Event::TableChanged { table_id, status, order_id, now: Some(now) } = event
                    && let Some(table) = tables.iter_mut().find(|table| table.id == *table_id)
                {
                    table.take(*status, *order_id, now);
                }
            }
        });
        keeping.soon(keep);
    };
    on_cleanup(move || {
        if keeping.take() {
            keep();
        }
    });
    use_live().listen(move |told| match told {
        Told::Event(event @ Event::TableChanged { now: Some(_), .. }) => {
            heard.try_update_value(|heard| heard.push(event.clone()));
            showing.soon(show);
        }
        Told::Connected | Told::Event(Event::TableChanged { .. } | Event::FloorChanged { .. }) => floor.refresh(),
        Told::Event(_) => {}
    });
}

/// On a phone: the room as it is, or what happens there as a list.
#[component]
fn AsMapOrList(view: RwSignal<Option<String>>) -> impl IntoView {
    let words = plan::t();
    let button = move |list: bool, glyph: Glyph, word: &'static str| {
        let pressed = move || if view.with(Option::is_some) == list { "true" } else { "false" };
        let testid = if list { "as-list" } else { "as-map" };
        view! {
            <button type="button" aria-pressed=pressed data-testid=testid on:click=move |_| view.set(list.then(|| "list".to_owned()))><Icon glyph=glyph/>{word}</button>
        }
    };
    view! {
        <div class="either" role="group" aria-label=words.view>
            {button(false, Glyph::Plan, words.as_map)}
            {button(true, Glyph::List, words.as_list)}
        </div>
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
        let ready = Memo::new(move |_| {
            let is_ready = |table: &&TableView| table.room == of_room && table.status == TableStatus::Ready;
            floor.data.with(|floor| floor.iter().flatten().filter(is_ready).count())
        });
        let ready = move || {
            let ready = ready.get();
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
