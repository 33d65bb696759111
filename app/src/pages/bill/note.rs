//! The provisional note: for guests to look at before they pay.

use super::{Asking, Billing};
use crate::browser::print::print_page_soon;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::sheet::Sheet;
use crate::i18n::bill::bill as texts;
use crate::i18n::t;
use domain::api::{NoteDone, NoteRequest};
use leptos::prelude::*;
use uuid::Uuid;

/// The sheet over the bill. Each opening writes a note: it is recorded.
#[component]
pub(super) fn NoteSheet(billing: Billing, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Sheet open=open title=texts().note_title>
            <Note billing=billing/>
        </Sheet>
    }
}

#[component]
fn Note(billing: Billing) -> impl IntoView {
    let asking = Asking::begin(billing.bill);
    let written = RwSignal::new(None::<NoteDone>);
    // Asked again, it is the same note.
    let number = StoredValue::new(Uuid::now_v7());
    let write = move || {
        let request = NoteRequest { uuid: Some(number.get_value()) };
        asking.ask(calls::note(billing.order, request), move |note| {
            written.try_set(Some(note));
        });
    };
    Effect::new(move |_| write());
    move || {
        match written.get() {
        Some(note) => view! {
            <div class="paper" data-printable="true"><pre data-testid="note-text">{note.text}</pre></div>
            <p class="paper-actions">
                <button type="button" class="button" data-testid="print-note" on:click=move |_| print_page_soon()><Icon glyph=Glyph::Printer/>{t().print}</button>
            </p>
        }
        .into_any(),
        None => view! {
            {asking.refusal().map(|refusal| view! {
                {refusal}
                <p class="paper-actions">
                    <button type="button" class="button" data-testid="note-again" on:click=move |_| write()><Icon glyph=Glyph::Refresh/>{t().retry}</button>
                </p>
            })}
        }
        .into_any(),
    }
    }
}
