//! A decision: what it means, what it needs, and how it is known.

use super::picking::SharePicker;
use super::{About, Checking, Deciding};
use crate::calls;
use crate::components::asking::Asking;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::Tone;
use crate::components::sheet::Sheet;
use crate::components::toast::use_toaster;
use crate::i18n::bill::bill;
use crate::i18n::money::{WITNESSES, t};
use domain::api::{DecideRequest, Decision, ShareName};
use domain::order::MAX_REASON;
use leptos::prelude::*;

/// The sheet over the page.
#[component]
pub(super) fn DecidingSheet(checking: Checking) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if checking.deciding.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            checking.deciding.set(None);
        }
    });
    let title = Signal::derive(move || match checking.deciding.get() {
        Some(Deciding { decision: Decision::Booked, about: About::Stray { .. }, amount }) => format!("{} · {amount}", t().attach),
        Some(Deciding { decision: Decision::Booked, amount, .. }) => format!("{} · {amount}", t().book),
        Some(Deciding { decision: Decision::Refunded, amount, .. }) => format!("{} · {amount}", t().refunded),
        Some(Deciding { decision: Decision::Kept, amount, .. }) => format!("{} · {amount}", t().kept),
        None => t().title.to_owned(),
    });
    view! {
        <Sheet open=open title=title>
            {move || checking.deciding.get_untracked().map(|what| view! { <Decide checking=checking what=what open=open/> })}
        </Sheet>
    }
}

#[component]
fn Decide(checking: Checking, what: Deciding, open: RwSignal<bool>) -> impl IntoView {
    let t = t();
    let toaster = use_toaster();
    let asking = Asking::begin(checking.money);
    let (code, reason) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let share = RwSignal::new(None::<ShareName>);
    let Deciding { about, decision, amount } = what;
    let needs_share = decision == Decision::Booked && matches!(about, About::Stray { .. });
    let took_nothing = matches!(about, About::Contradiction { took_nothing: true, .. });
    let detail = t.decision_detail(decision, !needs_share, took_nothing);
    let ready = move || {
        let share_there = !needs_share || share.with(Option::is_some);
        share_there && reason.with(|reason| !reason.trim().is_empty()) && !asking.busy.get()
    };
    let decide = move |_| {
        let request = DecideRequest {
            decision,
            reason: reason.get_untracked().trim().to_owned(),
            approval_code: Some(code.get_untracked().trim().to_owned()).filter(|code| !code.is_empty()),
            share: share.get_untracked(),
        };
        let done = move || {
            open.set(false);
            toaster.say(Tone::Good, t.decided);
        };
        match about {
            About::Contradiction { payment, number, .. } => asking.ask(calls::decide(payment, number, request), move |_| done()),
            About::Stray { number } => asking.ask(calls::decide_stray(number, request), move |_| done()),
        }
    };
    let witness = move |words: &'static str| {
        let pressed = move || if reason.with(|reason| reason == words) { "true" } else { "false" };
        view! { <button type="button" class="option" aria-pressed=pressed on:click=move |_| reason.set(words.to_owned())>{words}</button> }
    };
    let number_of = if decision == Decision::Refunded { t.refund_number } else { t.code };
    view! {
        <div class="panel" data-testid="deciding">
            <p>{detail}</p>
            {needs_share.then(|| view! { <SharePicker amount=amount chosen=share/> })}
            {(decision != Decision::Kept).then(|| view! {
                <div class="field">
                    <label for="decide-code">{number_of}</label>
                    <input id="decide-code" class="input" autocomplete="off" data-testid="decide-code" prop:value=move || code.get() on:input=move |event| code.set(event_target_value(&event))/>
                </div>
            })}
            <fieldset>
                <legend>{t.why}</legend>
                <div class="options">{WITNESSES.map(witness).collect_view()}</div>
            </fieldset>
            <input class="input" aria-label=bill().other_reason placeholder=bill().other_reason autocomplete="off" maxlength=MAX_REASON.to_string() data-testid="decide-reason" prop:value=move || reason.get() on:input=move |event| reason.set(event_target_value(&event))/>
            {move || asking.refusal()}
            <div class="panel-foot">
                <button type="button" class="button primary" data-testid="decide-now" disabled=move || !ready() on:click=decide><Icon glyph=Glyph::Check/>{t.decide}</button>
            </div>
        </div>
    }
}
