//! A choice over the page: from below on a phone, in the middle on a desktop. A native `<dialog>`, so focus stays inside, Escape closes it
//! and the rest of the page is out of reach.

use super::icon::{Glyph, Icon};
use crate::i18n::t;
use leptos::html::Dialog;
use leptos::prelude::*;

/// A dialog, open while `open` is true. `children` are made anew at every opening.
#[component]
pub fn Sheet(
    /// Whether it is open; closing by Escape or by the cross sets it to false.
    open: RwSignal<bool>,
    /// Its heading.
    #[prop(into)]
    title: Signal<String>,
    /// What is in it.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => {
                let _shown = dialog.show_modal();
            }
            (false, true) => dialog.close(),
            (true, true) | (false, false) => {}
        }
    });
    let close = move || {
        if open.get_untracked() {
            open.set(false);
        }
    };
    view! {
        <dialog class="sheet" node_ref=dialog aria-label=move || title.get() on:close=move |_| close()>
            <div class="sheet-head">
                <h2>{move || title.get()}</h2>
                <button type="button" class="round" aria-label=t().close on:click=move |_| close()><Icon glyph=Glyph::Cross/></button>
            </div>
            {move || open.get().then(|| children())}
        </dialog>
    }
}
