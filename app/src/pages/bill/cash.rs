//! Cash for one share: what is due, what is handed over, what goes back.
//!
//! The payment's number is chosen when the sheet opens, so pressing twice takes the money once. A payment that was not answered is asked
//! for again exactly as it was sent: the server either finds it or takes it now.

use super::Billing;
use super::handy::handy_amounts;
use crate::browser::live::use_live;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone, explain};
use crate::components::sheet::Sheet;
use crate::error::CallError;
use crate::i18n::t;
use crate::session::use_session;
use domain::Cents;
use domain::api::{Method, PaymentDone, PaymentRequest, ShareView};
use leptos::prelude::*;
use leptos::task::spawn_local;
use uuid::Uuid;

/// The sheet over the bill in which a share is settled.
#[component]
pub(super) fn CashSheet(billing: Billing) -> impl IntoView {
    let t = t();
    let open = billing.sheet_open;
    let title = Signal::derive(move || match billing.settling.get() {
        Some(share) => format!("{} · {}", t.cash, share.label),
        None => t.cash.to_owned(),
    });
    view! {
        <Sheet open=open title=title>
            {move || billing.settling.get_untracked().map(|share| view! { <Cash billing=billing share=share open=open/> })}
        </Sheet>
    }
}

#[component]
fn Cash(billing: Billing, share: ShareView, open: RwSignal<bool>) -> impl IntoView {
    let t = t();
    let (session, live) = (use_session(), use_live());
    let (number, due) = (share.cover_number, share.amount);
    let earlier = billing.unanswered.get_untracked().filter(|sent| sent.cover_number == number);
    let typed = RwSignal::new(earlier.as_ref().and_then(|sent| sent.tendered).map(Cents::to_french).unwrap_or_default());
    let attempt = RwSignal::new(Uuid::now_v7());
    let paying = RwSignal::new(false);
    let refused = RwSignal::new(None::<String>);
    let done = RwSignal::new(None::<PaymentDone>);

    // Nothing typed means the exact amount: the quickest way is one press.
    let tendered = Signal::derive(move || match typed.read().trim() {
        "" => Ok(due),
        text => Cents::parse(text),
    });
    let waits_for_answer =
        Signal::derive(move || billing.unanswered.with(|sent| sent.as_ref().is_some_and(|sent| sent.cover_number == number)));
    let can_pay = move || !paying.get() && tendered.get().is_ok_and(|tendered| tendered >= due);

    let pay = move || {
        if !can_pay() {
            return;
        }
        let request = billing.unanswered.get_untracked().filter(|sent| sent.cover_number == number).unwrap_or_else(|| PaymentRequest {
            order_id: billing.order,
            cover_number: number,
            amount: due,
            method: Method::Especes,
            tendered: tendered.get_untracked().ok(),
            tip: None,
            part: None,
            also: Vec::new(),
            approval_code: None,
            uuid: Some(attempt.get_untracked()),
        });
        paying.set(true);
        refused.set(None);
        spawn_local(async move {
            let answer = calls::pay(request.clone()).await;
            live.heard_of_call(&answer);
            paying.try_set(false);
            match answer {
                Ok(paid) => {
                    billing.unanswered.try_set(None);
                    billing.tickets.try_update(|tickets| tickets.insert(number, paid.ticket_no));
                    done.try_set(Some(paid));
                }
                Err(CallError::Unreachable(_)) => {
                    billing.unanswered.try_set(Some(request));
                }
                Err(error) => {
                    session.heed(&error);
                    billing.unanswered.try_set(None);
                    attempt.try_set(Uuid::now_v7());
                    refused.try_set(Some(explain(&error)));
                }
            }
            billing.bill.refresh();
        });
    };

    let keys = move || {
        let key = |word: String, amount: Cents| {
            let pressed = move || if tendered.get() == Ok(amount) { "true" } else { "false" };
            view! {
                <button type="button" class="button number" aria-pressed=pressed disabled=move || waits_for_answer.get() on:click=move |_| typed.set(amount.to_french().replace(' ', ""))>
                    {word}
                </button>
            }
        };
        let handy = handy_amounts(due).into_iter().map(|amount| key(amount.to_string(), amount)).collect_view();
        view! { <div class="cash-keys">{key(t.exact.to_owned(), due)}{handy}</div> }
    };
    let change = move || match tendered.get() {
        Err(_) => (t.change_due.to_owned(), "—".to_owned(), "cash-change is-wrong"),
        Ok(tendered) if tendered < due => (t.missing(due - tendered), "—".to_owned(), "cash-change is-wrong"),
        Ok(tendered) => (t.change_due.to_owned(), (tendered - due).to_string(), "cash-change"),
    };
    let wrong = move || tendered.get().is_err();
    let button_word = move || match (paying.get(), waits_for_answer.get()) {
        (true, _) => t.paying.to_owned(),
        (false, true) => t.ask_again.to_owned(),
        (false, false) => t.collect(due),
    };
    let form = move || {
        view! {
            <form class="cash" on:submit=move |event| { event.prevent_default(); pay(); }>
                <div class="cash-due"><p>{t.amount_due}</p><p class="cash-amount number" data-testid="due">{due.to_string()}</p></div>
                {move || refused.get().map(|why| view! { <Notice tone=Tone::Bad>{why}</Notice> })}
                <Show when=move || waits_for_answer.get() && !paying.get()><Notice tone=Tone::Warning>{t.payment_unanswered}</Notice></Show>
                {keys()}
                <div class="field">
                    <label for="tendered">{t.handed_over}</label>
                    <input
                        id="tendered"
                        class="input cash-tendered number"
                        data-testid="tendered"
                        type="text"
                        inputmode="decimal"
                        autocomplete="off"
                        enterkeyhint="done"
                        placeholder=due.to_french()
                        aria-describedby="tendered-help"
                        aria-invalid=move || if wrong() { "true" } else { "false" }
                        disabled=move || waits_for_answer.get() || paying.get()
                        prop:value=move || typed.get()
                        on:input=move |event| typed.set(event_target_value(&event))
                    />
                    <p id="tendered-help" class="quiet-text">{move || if wrong() { t.handed_over_wrong } else { t.handed_over_help }}</p>
                </div>
                <div class=move || change().2 role="status"><p>{move || change().0}</p><p class="cash-amount number" data-testid="change">{move || change().1}</p></div>
                <button type="submit" class="button primary cash-pay" data-testid="pay" disabled=move || !can_pay()>
                    <Icon glyph=Glyph::Coins/>{button_word}
                </button>
            </form>
        }
    };
    move || match done.get() {
        Some(paid) => view! { <Paid paid=paid open=open/> }.into_any(),
        None => form().into_any(),
    }
}

/// What to give back, and the way to the ticket.
#[component]
fn Paid(paid: PaymentDone, open: RwSignal<bool>) -> impl IntoView {
    let t = t();
    let nothing_back = paid.change <= Cents::ZERO;
    view! {
        <div class="cash" data-testid="paid">
            <Notice tone=Tone::Good>{t.paid}" · "{t.ticket_numbered(paid.ticket_no)}</Notice>
            <div class="cash-change" role="status">
                <p>{if nothing_back { t.no_change } else { t.change_due }}</p>
                <p class="cash-amount number" data-testid="change">{paid.change.to_string()}</p>
            </div>
            <div class="cash-after">
                <a class="button" href=format!("/ticket/{}", paid.ticket_no) data-testid="see-ticket"><Icon glyph=Glyph::Receipt/>{t.see_ticket}</a>
                <button type="button" class="button primary" data-testid="paid-done" on:click=move |_| open.set(false)>{t.done}</button>
            </div>
        </div>
    }
}
