//! A ticket, as the customer holds it.

use crate::browser::use_cached_for;
use crate::calls;
use crate::components::icon::Glyph;
use crate::components::notice::{Empty, Freshness, Notice, Skeleton, Tone};
use crate::components::page::Page;
use crate::components::paper::{PaperSheet, PrintButtons, PrintCall, Printable};
use crate::i18n::{paper, t};
use domain::api::TicketText;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use std::sync::Arc;

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
    // What a ticket says never changes: that it is asked for again must not take away the print that is shown.
    let found = Memo::new(move |_| ticket.data.get());
    let body = move || match found.get() {
        None if ticket.error.with(Option::is_some) => ().into_any(),
        None => view! { <Skeleton count=3/> }.into_any(),
        Some(found) => view! { <Shown no=no ticket=found/> }.into_any(),
    };
    view! {
        <Page title=t.ticket_numbered(no) back="/plan" class="ticket-page">
            <Freshness of=ticket/>
            {body}
        </Page>
    }
}

#[component]
fn Shown(no: i64, ticket: TicketText) -> impl IntoView {
    let t = t();
    let of = Printable::looking_at(ticket.paper);
    let call: PrintCall = Arc::new(move |request| Box::pin(calls::print_ticket(no, request)));
    view! {
        {ticket.training.then(|| view! { <Notice tone=Tone::Warning>{t.training_ticket}</Notice> })}
        <PaperSheet of=of testid="ticket"/>
        <p class="quiet-text centred" data-testid="printed-before">{paper::t().printed_before(ticket.prints)}</p>
        <div class="paper-actions">
            <PrintButtons of=of call=call has_printer=ticket.has_printer/>
            <a class="button" href="/plan">{t.back_to_plan}</a>
        </div>
    }
}
