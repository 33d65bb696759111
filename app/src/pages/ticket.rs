//! A ticket, as the customer holds it: 48 columns, on screen and on 80 mm paper.

use crate::browser::print::print_page;
use crate::browser::use_cached_for;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Freshness, Notice, Skeleton, Tone};
use crate::components::page::Page;
use crate::i18n::t;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// The ticket that the address names.
#[component]
pub fn TicketPage() -> impl IntoView {
    let params = use_params_map();
    let no = Memo::new(move |_| params.with(|params| params.get("no")).and_then(|no| no.parse::<i64>().ok()).filter(|no| *no > 0));
    move || match no.get() {
        Some(no) => view! { <NumberedTicket no=no/> }.into_any(),
        None => view! { <NoSuchTicket/> }.into_any(),
    }
}

#[component]
fn NoSuchTicket() -> impl IntoView {
    let t = t();
    view! {
        <Page title=t.no_such_ticket back="/plan">
            <Empty glyph=Glyph::Receipt title=t.no_such_ticket/>
            <p class="centred"><a class="button primary" href="/plan">{t.back_to_plan}</a></p>
        </Page>
    }
}

#[component]
fn NumberedTicket(no: i64) -> impl IntoView {
    let t = t();
    let ticket = use_cached_for(move || Some(no), |no| format!("ticket-{no}"), calls::ticket);
    let body = move || match ticket.data.get() {
        None if ticket.error.with(Option::is_some) => ().into_any(),
        None => view! { <Skeleton count=3/> }.into_any(),
        Some(found) => view! {
            {found.training.then(|| view! { <Notice tone=Tone::Warning>{t.training_ticket}</Notice> })}
            <Paper text=found.text testid="ticket"/>
            <p class="paper-actions">
                <PrintButton/>
                <a class="button primary" href="/plan">{t.back_to_plan}</a>
            </p>
        }
        .into_any(),
    };
    view! {
        <Page title=t.ticket_numbered(no) back="/plan" class="ticket-page">
            <Freshness of=ticket/>
            {body}
        </Page>
    }
}

/// Text on paper, the one thing on the page that is printed.
#[component]
pub(super) fn Paper(
    /// Rows of at most 48 characters.
    text: String,
    /// Its name for the tests.
    testid: &'static str,
) -> impl IntoView {
    view! { <div class="paper"><pre data-testid=testid>{text}</pre></div> }
}

/// Prints the paper of the page.
#[component]
pub(super) fn PrintButton() -> impl IntoView {
    view! { <button type="button" class="button" data-testid="print" on:click=move |_| print_page()><Icon glyph=Glyph::Printer/>{t().print}</button> }
}
