//! The drawer: what it should hold, what was counted, and what goes in and out besides sales.

use crate::browser::Cached;
use crate::browser::live::use_live;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone, explain};
use crate::error::CallError;
use crate::i18n::t;
use crate::session::use_session;
use domain::Cents;
use domain::api::{CashKind, CashMovement, CashMovementRequest, CashSummary, ClosingView};
use leptos::prelude::*;
use leptos::task::spawn_local;
use uuid::Uuid;

/// What the drawer should hold, its movements, and the form for the next one.
#[component]
pub(super) fn Drawer(view: Cached<ClosingView>) -> impl IntoView {
    let t = t();
    let cash = Memo::new(move |_| view.data.with(|view| view.as_ref().and_then(|view| view.open.as_ref().and_then(|open| open.cash))));
    let movements = Memo::new(move |_| view.data.with(|view| view.as_ref().map(|view| view.movements.clone()).unwrap_or_default()));
    let figures = move || cash.get().map(|cash| view! { <Figures cash=cash/> });
    let list = move || {
        let movements = movements.get();
        (!movements.is_empty()).then(|| {
            let row = |movement: CashMovement| {
                let time = movement.at_local.get(8..12).map(|hour| format!("{}h{}", &hour[..2], &hour[2..])).unwrap_or_default();
                let why =
                    if movement.reason.is_empty() { movement.operator } else { format!("{} · {}", movement.reason, movement.operator) };
                view! {
                    <li class="drawer-row">
                        <span><strong>{t.cash_kind(movement.kind)}</strong><span class="quiet-text">{time}" · "{why}</span></span>
                        <span class="number">{movement.amount.to_string()}</span>
                    </li>
                }
            };
            view! { <ul class="drawer-list" data-testid="cash-movements">{movements.into_iter().map(row).collect_view()}</ul> }
        })
    };
    view! {
        <section class="card drawer" aria-labelledby="drawer-heading">
            <h2 id="drawer-heading">{t.drawer}</h2>
            {figures}
            {list}
            <MoveForm view=view/>
        </section>
    }
}

#[component]
fn Figures(cash: CashSummary) -> impl IntoView {
    let t = t();
    let line = |label: &'static str, amount: Cents| {
        view! { <div class:is-nothing=amount == Cents::ZERO><dt>{label}</dt><dd class="number">{amount.to_string()}</dd></div> }
    };
    let counted = cash.counted.zip(cash.difference).map(|(counted, difference)| {
        let word = if difference == Cents::ZERO { t.drawer_right } else { t.drawer_difference };
        view! {
            <div class="drawer-counted"><dt>{t.drawer_counted}</dt><dd class="number">{counted.to_string()}</dd></div>
            <div class="drawer-counted" class:is-wrong=difference != Cents::ZERO data-testid="cash-difference">
                <dt>{word}</dt><dd class="number">{difference.to_string()}</dd>
            </div>
        }
    });
    view! {
        <dl class="closing-means">
            {line(t.drawer_float, cash.float)}
            {line(t.drawer_takings, cash.takings)}
            {line(t.drawer_in, cash.put_in)}
            {line(t.drawer_out, -cash.taken_out)}
            <div class="drawer-expected" data-testid="cash-expected"><dt>{t.drawer_expected}</dt><dd class="number">{cash.expected.to_string()}</dd></div>
            {counted}
        </dl>
    }
}

const KINDS: [CashKind; 4] = [CashKind::Count, CashKind::Float, CashKind::In, CashKind::Out];

#[component]
fn MoveForm(view: Cached<ClosingView>) -> impl IntoView {
    let t = t();
    let (session, live) = (use_session(), use_live());
    let kind = RwSignal::new(CashKind::Count);
    let (amount, reason) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    // The same number until it is answered: a second press moves nothing twice.
    let request_id = RwSignal::new(Uuid::now_v7());
    let sending = RwSignal::new(false);
    let refused = RwSignal::new(None::<String>);
    let needs_reason = move || matches!(kind.get(), CashKind::In | CashKind::Out);
    let read = move || Cents::parse(amount.read().trim()).ok();
    let can_send = move || !sending.get() && read().is_some() && !(needs_reason() && reason.read().trim().is_empty());
    let send = move || {
        let Some(amount_typed) = read().filter(|_| can_send()) else { return };
        let request = CashMovementRequest {
            kind: kind.get_untracked(),
            amount: amount_typed,
            reason: reason.get_untracked().trim().to_owned(),
            uuid: Some(request_id.get_untracked()),
        };
        sending.set(true);
        refused.set(None);
        spawn_local(async move {
            let answer = calls::move_cash(request).await;
            live.heard_of_call(&answer);
            sending.try_set(false);
            match answer {
                Ok(_) => {
                    request_id.try_set(Uuid::now_v7());
                    amount.try_set(String::new());
                    reason.try_set(String::new());
                    view.refresh();
                }
                Err(error) => {
                    session.heed(&error);
                    if !matches!(error, CallError::Unreachable(_)) {
                        request_id.try_set(Uuid::now_v7());
                    }
                    refused.try_set(Some(explain(&error)));
                }
            }
        });
    };
    let choice = move |of: CashKind| {
        let pressed = move || if kind.get() == of { "true" } else { "false" };
        view! {
            <button type="button" class="button" data-testid=format!("cash-{}", kind_word(of)) aria-pressed=pressed on:click=move |_| kind.set(of)>
                {t.cash_kind(of)}
            </button>
        }
    };
    view! {
        <form class="drawer-form" on:submit=move |event| { event.prevent_default(); send(); }>
            <div class="drawer-kinds" role="group" aria-label=t.drawer_movement>{KINDS.into_iter().map(choice).collect_view()}</div>
            {move || refused.get().map(|why| view! { <Notice tone=Tone::Bad>{why}</Notice> })}
            <div class="drawer-fields">
                <div class="field">
                    <label for="cash-amount">{t.cash_amount}</label>
                    <input id="cash-amount" class="input number" data-testid="cash-amount" type="text" inputmode="decimal" autocomplete="off" placeholder="0,00"
                        prop:value=move || amount.get() on:input=move |event| amount.set(event_target_value(&event))/>
                </div>
                <div class="field">
                    <label for="cash-reason">{move || if needs_reason() { t.reason_required } else { t.reason_optional }}</label>
                    <input id="cash-reason" class="input" data-testid="cash-reason" type="text" maxlength="200" autocomplete="off"
                        prop:value=move || reason.get() on:input=move |event| reason.set(event_target_value(&event))/>
                </div>
            </div>
            <button type="submit" class="button" data-testid="cash-send" disabled=move || !can_send()>
                <Icon glyph=Glyph::Check/>{move || if sending.get() { t.recording } else { t.record_movement }}
            </button>
        </form>
    }
}

const fn kind_word(kind: CashKind) -> &'static str {
    match kind {
        CashKind::Float => "float",
        CashKind::In => "in",
        CashKind::Out => "out",
        CashKind::Count => "count",
    }
}
