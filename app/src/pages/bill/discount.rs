//! Something is taken off a line or off the whole bill, with a reason.

use super::{Asking, Billing};
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::sheet::Sheet;
use crate::i18n::bill::{DISCOUNT_REASONS, bill as texts};
use domain::api::DiscountRequest;
use domain::order::MAX_REASON;
use domain::share::percent_of;
use domain::{Cents, LineId, VatRate};
use leptos::prelude::*;
use uuid::Uuid;

/// Per cents that people give.
const PERCENTS: [u16; 6] = [5, 10, 15, 20, 50, 100];

/// The sheet over the bill.
#[component]
pub(super) fn DiscountSheet(billing: Billing) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if billing.discounting.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            billing.discounting.set(None);
        }
    });
    view! {
        <Sheet open=open title=texts().discount>
            {move || billing.discounting.get_untracked().map(|line| view! { <Discount billing=billing line=line open=open/> })}
        </Sheet>
    }
}

#[component]
fn Discount(billing: Billing, line: Option<LineId>, open: RwSignal<bool>) -> impl IntoView {
    let (name, due) = billing.bill.data.with_untracked(|bill| {
        let items = bill.as_ref().map(|bill| bill.items.as_slice()).unwrap_or_default();
        match line {
            Some(id) => items.iter().find(|item| item.line_id == id).map(|item| (item.name.clone(), item.due)).unwrap_or_default(),
            None => (texts().discount_on_bill.to_owned(), items.iter().map(|item| item.due).sum()),
        }
    });
    let percent = RwSignal::new(None::<u16>);
    let (amount, reason) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let number = RwSignal::new(Uuid::now_v7());
    let asking = Asking::begin(billing.bill);
    let off = Memo::new(move |_| match percent.get() {
        Some(percent) => Some(percent_of(due, percent * 100)),
        None => amount.with(|amount| Cents::parse(amount.trim()).ok()),
    });
    let fits = move || off.get().is_some_and(|off| off > Cents::ZERO && off <= due);
    let ready = move || fits() && reason.with(|reason| !reason.trim().is_empty()) && !asking.busy.get();
    let key = move |value: u16| {
        let pressed = move || if percent.get() == Some(value) { "true" } else { "false" };
        view! {
            <button type="button" class="button number" aria-pressed=pressed data-testid=format!("percent-{value}") on:click=move |_| { percent.set(Some(value)); amount.set(String::new()); }>
                {format!("{value}\u{a0}%")}
            </button>
        }
    };
    let preset = move |words: &'static str| {
        let pressed = move || if reason.with(|reason| reason == words) { "true" } else { "false" };
        view! { <button type="button" class="option" aria-pressed=pressed on:click=move |_| reason.set(words.to_owned())>{words}</button> }
    };
    let apply = move |_| {
        let request = DiscountRequest {
            line_id: line,
            percent: percent.get_untracked().and_then(|percent| VatRate::new(percent * 100)),
            amount: percent.get_untracked().is_none().then(|| off.get_untracked()).flatten(),
            reason: reason.get_untracked().trim().to_owned(),
            uuid: Some(number.get_untracked()),
        };
        asking.ask(calls::discount(billing.order, request), move |bill| {
            billing.bill.data.set(Some(bill));
            open.set(false);
        });
    };
    view! {
        <div class="panel" data-testid="discount">
            <div class="panel-row"><p class="panel-name">{name}</p><p class="number">{due.to_string()}</p></div>
            <fieldset>
                <legend>{texts().percent}</legend>
                <div class="cash-keys">{PERCENTS.map(key).collect_view()}</div>
            </fieldset>
            <div class="field">
                <label for="discount-amount">{texts().or_amount}</label>
                <input id="discount-amount" class="input number" data-testid="discount-amount" type="text" inputmode="decimal" autocomplete="off" prop:value=move || amount.get() on:input=move |event| { percent.set(None); amount.set(event_target_value(&event)); }/>
            </div>
            <fieldset>
                <legend>{texts().reason}</legend>
                <div class="options">{DISCOUNT_REASONS.map(preset).collect_view()}</div>
            </fieldset>
            <input class="input" aria-label=texts().other_reason placeholder=texts().other_reason autocomplete="off" maxlength=MAX_REASON.to_string() data-testid="discount-reason" prop:value=move || reason.get() on:input=move |event| reason.set(event_target_value(&event))/>
            <div class="cash-due" role="status"><p>{texts().discount}</p><p class="cash-amount number" data-testid="discount-off">{move || off.get().filter(|_| fits()).map_or_else(|| "—".to_owned(), |off| (-off).to_string())}</p></div>
            <p class="quiet-text">{texts().discount_only_unpaid}</p>
            {move || asking.refusal()}
            <div class="panel-foot">
                <button type="button" class="button primary" data-testid="discount-now" disabled=move || !ready() on:click=apply><Icon glyph=Glyph::Percent/>{texts().discount_now}</button>
            </div>
        </div>
    }
}
