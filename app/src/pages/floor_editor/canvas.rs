//! The drawing board: the room, its tables, and a finger that moves them. A browser that pans or zooms under the finger would take the
//! table out of its hand, so here, and only here, touch belongs to us.

use super::editing::{Editing, Hold};
use crate::browser::grip::grip;
use crate::i18n::plan::t;
use leptos::ev::PointerEvent;
use leptos::html::Div;
use leptos::prelude::*;

/// The room on the board.
#[component]
pub(super) fn Canvas(editing: Editing) -> impl IntoView {
    let surface = NodeRef::<Div>::new();
    let keys = Memo::new(move |_| {
        let room = editing.room.get();
        editing.drawing.with(|drawing| {
            let room = drawing.as_ref().and_then(|drawing| drawing.room(room?));
            room.map(|room| room.tables.iter().map(|table| table.key).collect::<Vec<_>>()).unwrap_or_default()
        })
    });
    view! {
        <div
            class="board"
            class:has-grid=editing.snaps
            role="group"
            aria-label=t().canvas
            data-testid="board"
            node_ref=surface
            on:pointerdown=move |_| editing.chosen.set(None)
            on:pointermove=move |event| {
                if let Some(grip) = grip(surface, &event, false) {
                    editing.drag(grip);
                }
            }
            on:pointerup=move |_| editing.let_go()
            on:pointercancel=move |_| editing.let_go()
        >
            <For each=move || keys.get() key=|key| *key let:key><Piece editing=editing surface=surface key=key/></For>
        </div>
    }
}

/// One table on the board. Its words stay upright.
#[component]
fn Piece(editing: Editing, surface: NodeRef<Div>, key: u32) -> impl IntoView {
    let table = Memo::new(move |_| editing.drawing.with(|drawing| drawing.as_ref().and_then(|drawing| drawing.table(key).cloned())));
    let is_chosen = move || editing.chosen.get() == Some(key);
    let is_faulty = move || editing.drawing.with(|drawing| drawing.as_ref().is_some_and(|drawing| drawing.table_name_fault(key).is_some()));
    let take = move |hold: Hold, event: PointerEvent| {
        event.stop_propagation();
        if let Some(grip) = grip(surface, &event, true) {
            editing.take(hold, key, grip);
        }
    };
    let style = move || {
        table.with(|table| {
            table.as_ref().map(|table| {
                let (x, y, width, height, rotation) = (table.x, table.y, table.width, table.height, table.rotation);
                format!("--x:{x};--y:{y};--w:{width};--h:{height};--r:{rotation}deg")
            })
        })
    };
    let name = move || table.with(|table| table.as_ref().map(|table| table.name.clone()).unwrap_or_default());
    let seats = move || table.with(|table| table.as_ref().map(|table| t().seat_count(table.seats)));
    let round = move || table.with(|table| table.as_ref().is_some_and(|table| table.round));
    view! {
        <div class="piece" class:is-chosen=is_chosen class:is-faulty=is_faulty style=style>
            <button
                type="button"
                class="piece-body"
                class:is-round=round
                aria-pressed=move || if is_chosen() { "true" } else { "false" }
                data-testid=move || format!("piece-{}", name())
                on:pointerdown=move |event| take(Hold::Move, event)
                on:focus=move |_| editing.chosen.set(Some(key))
            >
                <span class="piece-words">
                    <strong><span class="visually-hidden">{crate::i18n::t().table}" "</span>{name}</strong>
                    <small>{seats}</small>
                </span>
            </button>
            <Show when=is_chosen>
                <span class="piece-corner" data-testid="corner" on:pointerdown=move |event| take(Hold::Resize, event)></span>
            </Show>
        </div>
    }
}
