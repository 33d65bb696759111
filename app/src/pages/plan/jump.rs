//! Straight to a table: its number typed on the plan and Enter, or a keypad under the thumb.

use crate::browser::{Cached, keys};
use crate::components::icon::{Glyph, Icon};
use crate::components::sheet::Sheet;
use crate::i18n::plan;
use domain::api::TableView;
use domain::floor::{MAX_NAME, find_table};
use leptos::html::Input;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

/// What is being typed.
#[derive(Clone, Copy)]
pub(super) struct Jump {
    shown: RwSignal<bool>,
    typed: RwSignal<String>,
    /// What named no table.
    wrong: RwSignal<Option<String>>,
    go: Callback<()>,
}

impl Jump {
    /// Listens to the keyboard from now on: a digit begins, wherever the focus is.
    pub(super) fn listen(floor: Cached<Vec<TableView>>) -> Self {
        let (shown, typed, wrong) = (RwSignal::new(false), RwSignal::new(String::new()), RwSignal::new(None));
        let navigate = use_navigate();
        let go = Callback::new(move |()| {
            let said = typed.get_untracked();
            let found = floor.data.with_untracked(|floor| find_table(floor.as_deref().unwrap_or_default(), &said).map(|table| table.id));
            match found {
                Some(table) => {
                    shown.set(false);
                    navigate(&format!("/table/{table}"), Default::default());
                }
                None if said.trim().is_empty() => {}
                None => wrong.set(Some(said)),
            }
        });
        let jump = Self { shown, typed, wrong, go };
        keys::listen(move |pressed| {
            if pressed.in_field || pressed.control {
                return false;
            }
            let shown = shown.get_untracked();
            match pressed.key {
                key if key.len() == 1 && key.chars().all(|key| key.is_ascii_digit()) => {
                    if !shown {
                        jump.open();
                    }
                    jump.push(key);
                }
                "Backspace" if shown => jump.pop(),
                "Enter" if shown && !pressed.on_control => go.run(()),
                _ => return false,
            }
            true
        });
        jump
    }

    /// Begins anew.
    pub(super) fn open(self) {
        self.typed.set(String::new());
        self.wrong.set(None);
        self.shown.set(true);
    }

    fn push(self, key: &str) {
        self.wrong.set(None);
        self.typed.update(|typed| {
            if typed.chars().count() < MAX_NAME {
                typed.push_str(key);
            }
        });
    }

    fn pop(self) {
        self.wrong.set(None);
        self.typed.update(|typed| {
            typed.pop();
        });
    }
}

/// The number, large, and the keys to type it. The phone's own keyboard stays away: the keys are here.
#[component]
pub(super) fn JumpSheet(jump: Jump) -> impl IntoView {
    let words = plan::t();
    let field = NodeRef::<Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            // Once the dialog is open.
            request_animation_frame(move || {
                let _refused = field.focus();
            });
        }
    });
    view! {
        <Sheet open=jump.shown title=words.go_to>
            <form
                class="jump"
                on:submit=move |event| {
                    event.prevent_default();
                    jump.go.run(());
                }
            >
                <input
                    class="input jump-field"
                    type="text"
                    inputmode="none"
                    autocomplete="off"
                    maxlength=MAX_NAME
                    aria-label=words.go_to_help
                    aria-describedby="jump-wrong"
                    data-testid="jump-field"
                    node_ref=field
                    prop:value=move || jump.typed.get()
                    on:input=move |event| {
                        jump.wrong.set(None);
                        jump.typed.set(event_target_value(&event));
                    }
                />
                <p class="jump-wrong" id="jump-wrong" role="alert" data-testid="jump-wrong">
                    {move || jump.wrong.get().map(|said| words.no_such_table(&said))}
                </p>
                <div class="keys" role="group" aria-label=words.keys>
                    {["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(|digit| key(jump, digit)).collect_view()}
                    <button type="button" class="key" aria-label=words.erase_one on:click=move |_| jump.pop()><Icon glyph=Glyph::Backspace/></button>
                    {key(jump, "0")}
                    <button type="submit" class="key enter" data-testid="jump-go" disabled=move || jump.typed.read().trim().is_empty()>{words.open}</button>
                </div>
            </form>
        </Sheet>
    }
}

fn key(jump: Jump, digit: &'static str) -> impl IntoView {
    view! { <button type="button" class="key" data-testid=format!("jump-{digit}") on:click=move |_| jump.push(digit)>{digit}</button> }
}
