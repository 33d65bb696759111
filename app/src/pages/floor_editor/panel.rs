//! Beside the board: what can be said of the table that is chosen, or else of the room.

use super::drawing::NameFault;
use super::editing::{Editing, Step};
use crate::components::icon::{Glyph, Icon};
use crate::components::stepper::Stepper;
use crate::i18n::plan::t;
use domain::api::TablePlan;
use domain::floor::{MAX_NAME, MAX_SEATS, MAX_SIZE, MIN_SIZE};
use leptos::prelude::*;

/// The table, or the room.
#[component]
pub(super) fn Panel(editing: Editing) -> impl IntoView {
    view! {
        <section class="board-panel card">
            <Show when=move || editing.chosen.get().is_some() fallback=move || view! { <OfRoom editing=editing/> }>
                <OfTable editing=editing/>
            </Show>
        </section>
    }
}

/// What is wrong with a name, where it is typed.
fn fault(fault: Option<NameFault>) -> Option<&'static str> {
    fault.map(|fault| match fault {
        NameFault::Missing => t().name_missing,
        NameFault::Taken => t().name_taken,
    })
}

#[component]
fn OfTable(editing: Editing) -> impl IntoView {
    let t = t();
    let of = move |read: fn(&TablePlan) -> u16| {
        Signal::derive(move || {
            let chosen = editing.chosen.get();
            let number = editing.drawing.with(|drawing| drawing.as_ref().and_then(|drawing| drawing.table(chosen?)).map(read));
            number.map_or(0, u32::from)
        })
    };
    let step = move |write: fn(&mut TablePlan, u16)| {
        Callback::new(move |to: u32| {
            let to = u16::try_from(to).unwrap_or(u16::MAX);
            editing.change_chosen(|key| Some(Step::Number(key)), |table| write(table, to));
        })
    };
    let turn = move |by: u16| editing.change_chosen(|_| None, |table| table.rotation = (table.rotation + by) % 360);
    let name = move || {
        let chosen = editing.chosen.get();
        editing.drawing.with(|drawing| drawing.as_ref().and_then(|drawing| Some(drawing.table(chosen?)?.name.clone())).unwrap_or_default())
    };
    let name_fault = move || {
        let chosen = editing.chosen.get();
        fault(editing.drawing.with(|drawing| drawing.as_ref().and_then(|drawing| drawing.table_name_fault(chosen?))))
    };
    let round = of(|table| u16::from(table.round));
    let shape = move |is_round: bool, word: &'static str| {
        let pressed = move || if (round.get() == 1) == is_round { "true" } else { "false" };
        let choose = move |_| editing.change_chosen(|_| None, |table| table.round = is_round);
        view! { <button type="button" aria-pressed=pressed on:click=choose>{word}</button> }
    };
    let room = move || {
        let chosen = editing.chosen.get();
        editing.drawing.with(|drawing| drawing.as_ref().and_then(|drawing| Some(drawing.room_of(chosen?)?.key)))
    };
    let rooms = move || editing.drawing.with(|drawing| drawing.as_ref().map(|drawing| drawing.rooms.clone()).unwrap_or_default());
    let carry = move |event| {
        let Some((table, to)) = editing.chosen.get_untracked().zip(event_target_value(&event).parse::<u32>().ok()) else { return };
        editing.change(None, |drawing| drawing.carry(table, to));
        editing.room.set(Some(to));
    };
    view! {
        <h2 class="visually-hidden">{t.this_table}</h2>
        <div class="panel-row">
            <div class="field panel-name">
                <label for="table-name">{t.name}</label>
                <input
                    class="input"
                    id="table-name"
                    maxlength=MAX_NAME
                    autocomplete="off"
                    aria-describedby="table-name-fault"
                    data-testid="table-name"
                    prop:value=name
                    on:input=move |event| {
                        let name = event_target_value(&event);
                        editing.change_chosen(|key| Some(Step::Name(key)), |table| table.name = name);
                    }
                />
                <p class="panel-fault" id="table-name-fault" role="alert">{name_fault}</p>
            </div>
            <Stepper
                value=of(|table| table.seats)
                label=t.seats
                unit=t.seats
                less=t.fewer_seats
                more=t.more_seats
                most=u32::from(MAX_SEATS)
                on_change=step(|table, to| table.seats = to)
            />
        </div>
        <div class="panel-row">
            <div class="either" role="group" aria-label=t.shape>{shape(false, t.square)}{shape(true, t.round)}</div>
            <div class="panel-group" role="group" aria-label=t.turn>
                <button type="button" class="button" aria-label=t.turn_back data-testid="turn-back" on:click=move |_| turn(345)><Icon glyph=Glyph::TurnLeft/></button>
                <button type="button" class="button" aria-label=t.turn_on data-testid="turn-on" on:click=move |_| turn(15)><Icon glyph=Glyph::TurnRight/></button>
                <button type="button" class="button" aria-label=t.turn_45_long data-testid="turn-45" on:click=move |_| turn(45)>{t.turn_45}</button>
            </div>
        </div>
        <div class="panel-row" role="group" aria-label=t.size>
            <Stepper
                value=of(|table| table.width)
                label=t.width
                unit=t.width
                less=t.narrower
                more=t.wider
                least=u32::from(MIN_SIZE)
                most=u32::from(MAX_SIZE)
                on_change=step(|table, to| table.width = to)
            />
            <Stepper
                value=of(|table| table.height)
                label=t.height
                unit=t.height
                less=t.lower
                more=t.higher
                least=u32::from(MIN_SIZE)
                most=u32::from(MAX_SIZE)
                on_change=step(|table, to| table.height = to)
            />
        </div>
        <div class="panel-row">
            <div class="field">
                <label class="visually-hidden" for="table-room">{t.in_room}</label>
                <select class="input" id="table-room" data-testid="table-room" on:change=carry>
                    {move || {
                        let here = room();
                        let option = move |key: u32, name: String| view! { <option value=key.to_string() selected=here == Some(key)>{name}</option> };
                        rooms().into_iter().map(|room| option(room.key, room.name)).collect_view()
                    }}
                </select>
            </div>
            <button type="button" class="button" data-testid="remove-table" on:click=move |_| editing.remove_chosen()>
                <Icon glyph=Glyph::Trash/>{t.remove_table}
            </button>
        </div>
    }
}

#[component]
fn OfRoom(editing: Editing) -> impl IntoView {
    let t = t();
    let name = move || {
        let room = editing.room.get();
        editing.drawing.with(|drawing| drawing.as_ref().and_then(|drawing| Some(drawing.room(room?)?.name.clone())).unwrap_or_default())
    };
    let tables = move || {
        let room = editing.room.get();
        editing.drawing.with(|drawing| drawing.as_ref().and_then(|drawing| Some(drawing.room(room?)?.tables.len())).unwrap_or_default())
    };
    let name_fault = move || {
        let room = editing.room.get();
        fault(editing.drawing.with(|drawing| drawing.as_ref().and_then(|drawing| drawing.room_name_fault(room?))))
    };
    let can_go = move || {
        let room = editing.room.get();
        editing.drawing.with(|drawing| drawing.as_ref().is_some_and(|drawing| room.is_some_and(|room| drawing.can_remove_room(room))))
    };
    let remove = move |_| {
        let Some(room) = editing.room.get_untracked() else { return };
        editing.change(None, |drawing| drawing.remove_room(room));
        editing
            .room
            .set(editing.drawing.with_untracked(|drawing| drawing.as_ref().and_then(|drawing| drawing.rooms.first().map(|room| room.key))));
    };
    view! {
        <h2 class="visually-hidden">{t.this_room}</h2>
        <div class="panel-row">
            <div class="field panel-name">
                <label for="room-name">{t.name}</label>
                <input
                    class="input"
                    id="room-name"
                    maxlength=MAX_NAME
                    autocomplete="off"
                    aria-describedby="room-name-fault"
                    data-testid="room-name"
                    prop:value=name
                    on:input=move |event| {
                        let name = event_target_value(&event);
                        if let Some(room) = editing.room.get_untracked() {
                            editing.change(Some(Step::RoomName(room)), |drawing| drawing.rename_room(room, name));
                        }
                    }
                />
                <p class="panel-fault" id="room-name-fault" role="alert">{name_fault}</p>
            </div>
            <button type="button" class="button" data-testid="remove-room" disabled=move || !can_go() on:click=remove>
                <Icon glyph=Glyph::Trash/>{t.remove_room}
            </button>
        </div>
        <p class="quiet-text">{move || t.table_count(tables())}". "{t.choose_help}</p>
        <Show when=move || !can_go()><p class="quiet-text">{t.remove_room_help}</p></Show>
    }
}
