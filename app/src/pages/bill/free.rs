//! A bill of which everything is on the house: there is nothing to pay, and yet it is closed with a ticket, which says what was given away.

use super::{Asking, Billing};
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone};
use crate::i18n::money::t as words;
use crate::i18n::t;
use domain::Cents;
use leptos::prelude::*;

/// Shown while there is nothing to pay and the table is not freed yet, and after it was.
#[component]
pub(super) fn OnTheHouse(billing: Billing) -> impl IntoView {
    let asking = Asking::begin(billing.bill);
    let released = RwSignal::new(None::<Option<i64>>);
    let is_free = billing.read(|bill| bill.total == Cents::ZERO && bill.discount > Cents::ZERO && !bill.closed);
    let close = move |_| {
        asking.ask(calls::release(billing.order), move |order| {
            released.try_set(Some(order.ticket_no));
        });
    };
    move || {
        match (released.get(), is_free.get()) {
        (Some(ticket), _) => view! {
            <div class="cash" data-testid="free-closed">
                <Notice tone=Tone::Good>{words().free_closed}{ticket.map(|no| format!(" · {}", t().ticket_numbered(no)))}</Notice>
                <div class="cash-after">
                    {ticket.map(|no| view! { <a class="button" href=format!("/ticket/{no}") data-testid="see-ticket"><Icon glyph=Glyph::Receipt/>{t().see_ticket}</a> })}
                    <a class="button primary" href="/plan">{t().back_to_plan}</a>
                </div>
            </div>
        }
        .into_any(),
        (None, Some(true)) => view! {
            <div class="card free" data-testid="free">
                <p class="bill-done-title">{words().free}</p>
                <p>{words().free_detail}</p>
                {move || asking.refusal()}
                <button type="button" class="button primary" data-testid="free-close" disabled=move || asking.busy.get() on:click=close>
                    <Icon glyph=Glyph::CheckAll/>{words().free_close}
                </button>
            </div>
        }
        .into_any(),
        _ => ().into_any(),
    }
    }
}
