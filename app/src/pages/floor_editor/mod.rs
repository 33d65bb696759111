//! Drawing the house: rooms and tables, by finger, by mouse or by keyboard. Only for whoever runs it.
//!
//! Nothing that is drawn is lost: every step can be taken back, a refused save leaves the drawing on the board, and what is not saved is
//! kept on the device until it is.

mod canvas;
mod drawing;
mod editing;
mod history;
mod panel;

use crate::browser::{keys, leaving};
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Notice, Skeleton, Tone, explain};
use crate::components::page::Page;
use crate::components::sheet::Sheet;
use crate::i18n::{plan, t};
use crate::session::use_session;
use canvas::Canvas;
use domain::role::Right;
use editing::Editing;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use panel::Panel;

/// The editor of the plan.
#[component]
pub fn FloorEditorPage() -> impl IntoView {
    let words = plan::t();
    let session = use_session();
    let editing = Editing::begin();
    let may = move || session.may(Right::Administer);
    let may_not = move || session.user().is_some() && !may();
    Effect::new(move |loaded: Option<bool>| {
        let may = may();
        if may && loaded != Some(true) {
            editing.load(true);
        }
        may || loaded == Some(true)
    });
    listen_to_keys(editing);
    leaving::ask_before_closing(move || editing.is_dirty.get_untracked());
    let way_out = RwSignal::new(None::<String>);
    let starting_over = RwSignal::new(false);
    let hold_back = move |click: leptos::ev::MouseEvent| {
        let to = leaving::way_out(&click).filter(|_| editing.is_dirty.get_untracked());
        if to.is_some() {
            click.prevent_default();
            click.stop_propagation();
            way_out.set(to);
        }
    };
    let save = move || {
        view! {
            <button
                type="button"
                class="button primary"
                data-testid="save-plan"
                disabled=move || editing.busy.get() || !editing.is_dirty.get() || editing.overtaken.get()
                on:click=move |_| editing.save()
            >
                {move || if editing.busy.get() && editing.is_dirty.get() { words.saving } else { words.save }}
            </button>
        }
    };
    let board = move || view! { <Notices editing=editing starting_over=starting_over/><Tools editing=editing/><Canvas editing=editing/><Panel editing=editing/> };
    let waiting = move || match editing.unread.get() {
        Some(error) => view! {
            <Notice tone=Tone::Warning>
                <span>{explain(&error)}</span>
                <button type="button" class="button quiet" on:click=move |_| editing.load(true)>{t().retry}</button>
            </Notice>
        }
        .into_any(),
        None => view! { <Skeleton count=6/> }.into_any(),
    };
    view! {
        // Every link on the page leads away from the drawing: the question comes before the router hears the click.
        <div class="contents" on:click:capture=hold_back>
            <Page title=words.editor back="/plan" class="floor-editor" own_bar=true actions=save>
                <Show when=move || !may_not() fallback=move || view! { <Empty glyph=Glyph::Lock title=words.editor_not_yours/> }>
                    <Show when=move || editing.drawing.with(Option::is_some) fallback=waiting>{board}</Show>
                </Show>
            </Page>
        </div>
        <LeaveSheet way_out=way_out/>
        <StartOverSheet editing=editing open=starting_over/>
    }
}

/// Arrows move the chosen table, with the shift key they resize it; the rest is what every editor has.
fn listen_to_keys(editing: Editing) {
    keys::listen(move |pressed| {
        if pressed.in_field || editing.drawing.with_untracked(Option::is_none) {
            return false;
        }
        match (pressed.key, pressed.control) {
            ("ArrowLeft", false) => return editing.arrow((-1, 0), pressed.shift),
            ("ArrowRight", false) => return editing.arrow((1, 0), pressed.shift),
            ("ArrowUp", false) => return editing.arrow((0, -1), pressed.shift),
            ("ArrowDown", false) => return editing.arrow((0, 1), pressed.shift),
            ("Delete", false) => editing.remove_chosen(),
            ("Escape", false) => editing.chosen.set(None),
            ("z", true) if !pressed.shift => editing.undo(),
            ("z" | "Z", true) | ("y", true) => editing.redo(),
            _ => return false,
        }
        true
    });
}

/// What the person must know before anything else.
#[component]
fn Notices(editing: Editing, starting_over: RwSignal<bool>) -> impl IntoView {
    let words = plan::t();
    let start_over = move || {
        view! { <button type="button" class="button quiet" data-testid="start-over" on:click=move |_| starting_over.set(true)>{words.start_over}</button> }
    };
    view! {
        <Show when=move || editing.problem.get().is_some()>
            <Notice tone=Tone::Bad>
                <span data-testid="save-problem">{move || editing.problem.get()}</span>
                <Show when=move || editing.overtaken.get()>{start_over}</Show>
            </Notice>
        </Show>
        <Show when=move || editing.resumed.get() && editing.problem.get().is_none()>
            <Notice tone=Tone::Info><span data-testid="resumed">{words.resumed}</span>{start_over}</Notice>
        </Show>
    }
}

/// Undo, redo, a new table, a new room, the grid; and which room is on the board.
#[component]
fn Tools(editing: Editing) -> impl IntoView {
    let words = plan::t();
    let rooms = move || editing.drawing.with(|drawing| drawing.as_ref().map(|drawing| drawing.rooms.clone()).unwrap_or_default());
    let room = move |key: u32, name: String| {
        let pressed = move || if editing.room.get() == Some(key) { "true" } else { "false" };
        let choose = move |_| {
            editing.room.set(Some(key));
            editing.chosen.set(None);
        };
        view! { <button type="button" aria-pressed=pressed on:click=choose>{name}</button> }
    };
    view! {
        <div class="board-tools">
            <div class="panel-group" role="group" aria-label=words.tools>
                <button type="button" class="button" aria-label=words.undo data-testid="undo" disabled=move || !editing.can_undo() on:click=move |_| editing.undo()><Icon glyph=Glyph::Undo/></button>
                <button type="button" class="button" aria-label=words.redo data-testid="redo" disabled=move || !editing.can_redo() on:click=move |_| editing.redo()><Icon glyph=Glyph::Redo/></button>
                <button type="button" class="button" aria-label=words.add_table_long data-testid="add-table" on:click=move |_| editing.add_table()><Icon glyph=Glyph::Plus/>{words.add_table}</button>
                <button type="button" class="button" aria-label=words.add_room_long data-testid="add-room" on:click=move |_| editing.add_room()><Icon glyph=Glyph::Plus/>{words.add_room}</button>
                <button
                    type="button"
                    class="button toggle"
                    aria-pressed=move || if editing.snaps.get() { "true" } else { "false" }
                    data-testid="grid"
                    on:click=move |_| editing.snaps.update(|snaps| *snaps = !*snaps)
                >
                    <Icon glyph=Glyph::Grid/><span class="toggle-word">{words.grid}</span>
                </button>
            </div>
            <div class="tablist" role="group" aria-label=words.rooms>
                {move || rooms().into_iter().map(|drawn| room(drawn.key, drawn.name)).collect_view()}
            </div>
            <p class="unsaved quiet-text" role="status" data-testid="unsaved">{move || editing.is_dirty.get().then_some(words.unsaved)}</p>
        </div>
    }
}

/// Asks before a link leads away from what is not saved.
#[component]
fn LeaveSheet(way_out: RwSignal<Option<String>>) -> impl IntoView {
    let words = plan::t();
    let navigate = StoredValue::new(use_navigate());
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if way_out.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            way_out.set(None);
        }
    });
    let leave = move |_| {
        let Some(to) = way_out.get_untracked() else { return };
        open.set(false);
        navigate.with_value(|navigate| navigate(&to, Default::default()));
    };
    view! {
        <Sheet open=open title=words.leave_title>
            <p class="sheet-words">{words.leave_detail}</p>
            <div class="sheet-buttons">
                <button type="button" class="button" data-testid="leave" on:click=leave>{words.leave}</button>
                <button type="button" class="button primary" data-testid="stay" on:click=move |_| open.set(false)>{words.stay}</button>
            </div>
        </Sheet>
    }
}

/// Asks before what was drawn is given up for the plan as it is saved.
#[component]
fn StartOverSheet(editing: Editing, open: RwSignal<bool>) -> impl IntoView {
    let words = plan::t();
    let start_over = move |_| {
        open.set(false);
        editing.load(false);
    };
    view! {
        <Sheet open=open title=words.start_over>
            <p class="sheet-words">{words.start_over_detail}</p>
            <div class="sheet-buttons">
                <button type="button" class="button" data-testid="confirm-start-over" on:click=start_over>{words.start_over}</button>
                <button type="button" class="button primary" on:click=move |_| open.set(false)>{words.stay}</button>
            </div>
        </Sheet>
    }
}
