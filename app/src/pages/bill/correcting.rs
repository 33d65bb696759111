//! What corrects a payment: money goes back, or its means was recorded wrongly.

use super::{Asking, Billing};
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone};
use crate::components::sheet::Sheet;
use crate::i18n::bill::{REFUND_REASONS, bill as texts};
use crate::i18n::t;
use crate::session::use_session;
use domain::api::{Method, MethodChange, RefundRequest, ShareView};
use domain::order::MAX_REASON;
use domain::role::Right;
use domain::{Cents, PaymentId};
use leptos::prelude::*;
use uuid::Uuid;

/// What is corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Correcting {
    payment: PaymentId,
    label: String,
    method: Method,
    /// What was not given back yet.
    left: Cents,
    refund: bool,
}

/// The buttons on a share that is paid.
#[component]
pub(super) fn Corrections(billing: Billing, share: ShareView) -> impl IntoView {
    let session = use_session();
    let (Some(payment), Some(how)) = (share.payment_id, share.payment) else { return ().into_any() };
    let left = share.amount - how.refunded;
    let what = StoredValue::new(Correcting { payment, label: share.label, method: how.method, left, refund: true });
    view! {
        <Show when={move || session.may(Right::Administer) && left > Cents::ZERO}>
            <button type="button" class="button" data-testid="refund" on:click=move |_| billing.correcting.set(Some(what.get_value()))><Icon glyph=Glyph::Undo/>{texts().refund}</button>
        </Show>
        <Show when={move || billing.may_take_money.get() && left > Cents::ZERO}>
            <button type="button" class="button quiet" data-testid="wrong-means" on:click=move |_| billing.correcting.set(Some(Correcting { refund: false, ..what.get_value() }))><Icon glyph=Glyph::Swap/>{texts().wrong_means}</button>
        </Show>
    }
    .into_any()
}

/// The sheet over the bill.
#[component]
pub(super) fn CorrectionSheet(billing: Billing) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if billing.correcting.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            billing.correcting.set(None);
        }
    });
    let title = Signal::derive(move || match billing.correcting.get() {
        Some(Correcting { refund: true, label, .. }) => format!("{} · {label}", texts().refund),
        Some(Correcting { label, .. }) => format!("{} · {label}", texts().wrong_means),
        None => texts().refund.to_owned(),
    });
    view! {
        <Sheet open=open title=title>
            {move || billing.correcting.get_untracked().map(|what| if what.refund {
                view! { <Refund billing=billing what=what/> }.into_any()
            } else {
                view! { <WrongMeans billing=billing what=what open=open/> }.into_any()
            })}
        </Sheet>
    }
}

/// Why, to tap or to type.
#[component]
fn Reason(reason: RwSignal<String>) -> impl IntoView {
    let preset = move |words: &'static str| {
        let pressed = move || if reason.with(|reason| reason == words) { "true" } else { "false" };
        view! { <button type="button" class="option" aria-pressed=pressed on:click=move |_| reason.set(words.to_owned())>{words}</button> }
    };
    view! {
        <fieldset>
            <legend>{texts().reason}</legend>
            <div class="options">{REFUND_REASONS.map(preset).collect_view()}</div>
        </fieldset>
        <input class="input" aria-label=texts().other_reason placeholder=texts().other_reason autocomplete="off" maxlength=MAX_REASON.to_string() data-testid="correct-reason" prop:value=move || reason.get() on:input=move |event| reason.set(event_target_value(&event))/>
    }
}

#[component]
fn Refund(billing: Billing, what: Correcting) -> impl IntoView {
    let (amount, code, reason) = (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let asking = Asking::begin(billing.bill);
    let done = RwSignal::new(None::<i64>);
    let number = StoredValue::new(Uuid::now_v7());
    let Correcting { payment, method, left, .. } = what;
    let back = move || {
        amount.with(|typed| match typed.trim() {
            "" => Some(left),
            typed => Cents::parse(typed).ok().filter(|back| *back > Cents::ZERO && *back <= left),
        })
    };
    let by_card = method == Method::Cb;
    let ready = move || {
        let code_there = !by_card || code.with(|code| !code.trim().is_empty());
        back().is_some() && code_there && reason.with(|reason| !reason.trim().is_empty()) && !asking.busy.get()
    };
    let give_back = move |_| {
        let request = RefundRequest {
            amount: untrack(back).filter(|back| *back < left),
            lines: Vec::new(),
            reason: reason.get_untracked().trim().to_owned(),
            approval_code: by_card.then(|| code.get_untracked().trim().to_owned()),
            uuid: Some(number.get_value()),
        };
        asking.ask(calls::refund(payment, request), move |answer| done.set(Some(answer.ticket_no)));
    };
    let form = move || {
        view! {
            <div class="panel" data-testid="refund-form">
                <p class="quiet-text">{texts().refund_detail}</p>
                <div class="panel-row"><p class="panel-name">{texts().method(method)}</p><p class="number">{left.to_string()}</p></div>
                <div class="field">
                    <label for="refund-amount">{texts().refund_amount}</label>
                    <input id="refund-amount" class="input number" type="text" inputmode="decimal" autocomplete="off" placeholder=left.to_french() data-testid="refund-amount" aria-invalid=move || if back().is_none() { "true" } else { "false" } prop:value=move || amount.get() on:input=move |event| amount.set(event_target_value(&event))/>
                </div>
                {by_card.then(|| view! {
                    <div class="field">
                        <label for="refund-code">{texts().approval_code}</label>
                        <input id="refund-code" class="input" autocomplete="off" data-testid="refund-code" aria-describedby="refund-code-help" prop:value=move || code.get() on:input=move |event| code.set(event_target_value(&event))/>
                        <p id="refund-code-help" class="quiet-text">{texts().refund_card}</p>
                    </div>
                })}
                <Reason reason=reason/>
                {move || asking.refusal()}
                <div class="panel-foot">
                    <button type="button" class="button danger" data-testid="refund-now" disabled=move || !ready() on:click=give_back>
                        <Icon glyph=Glyph::Undo/>{move || format!("{} {}", texts().refund, back().map_or_else(|| "—".to_owned(), |back| back.to_string()))}
                    </button>
                </div>
            </div>
        }
    };
    move || match done.get() {
        Some(no) => view! {
            <div class="cash" data-testid="refunded">
                <Notice tone=Tone::Good>{texts().refunded}" · "{t().ticket_numbered(no)}</Notice>
                <a class="button" href=format!("/ticket/{no}")><Icon glyph=Glyph::Receipt/>{t().see_ticket}</a>
            </div>
        }
        .into_any(),
        None => form().into_any(),
    }
}

#[component]
fn WrongMeans(billing: Billing, what: Correcting, open: RwSignal<bool>) -> impl IntoView {
    let (really, reason) = (RwSignal::new(None::<Method>), RwSignal::new(String::new()));
    let asking = Asking::begin(billing.bill);
    let number = StoredValue::new(Uuid::now_v7());
    let Correcting { payment, method, left, .. } = what;
    let choice = move |other: Method| {
        let pressed = move || if really.get() == Some(other) { "true" } else { "false" };
        view! { <button type="button" class="option" aria-pressed=pressed data-testid=format!("really-{}", other.as_str()) on:click=move |_| really.set(Some(other))>{texts().method(other)}</button> }
    };
    let ready = move || really.with(Option::is_some) && reason.with(|reason| !reason.trim().is_empty()) && !asking.busy.get();
    let correct = move |_| {
        let Some(method) = really.get_untracked() else { return };
        let request = MethodChange { method, reason: reason.get_untracked().trim().to_owned(), uuid: Some(number.get_value()) };
        asking.ask(calls::change_method(payment, request), move |_| open.set(false));
    };
    view! {
        <div class="panel">
            <p class="quiet-text">{texts().wrong_means_detail}</p>
            <div class="panel-row"><p class="panel-name">{texts().method(method)}</p><p class="number">{left.to_string()}</p></div>
            <fieldset>
                <legend>{texts().really_was}</legend>
                <div class="options">{Method::ALL.into_iter().filter(|other| *other != method).map(choice).collect_view()}</div>
            </fieldset>
            <Reason reason=reason/>
            {move || asking.refusal()}
            <div class="panel-foot">
                <button type="button" class="button primary" data-testid="correct-now" disabled=move || !ready() on:click=correct><Icon glyph=Glyph::Swap/>{texts().correct_now}</button>
            </div>
        </div>
    }
}
