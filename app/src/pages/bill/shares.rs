//! Who owes what: how the rest is divided, and one card per share.

use super::{Billing, unpaid};
use crate::browser::live::use_live;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Tone, explain};
use crate::components::stepper::Stepper;
use crate::components::toast::use_toaster;
use crate::i18n::t;
use crate::session::use_session;
use domain::api::{ShareStatus, ShareView, SplitRequest};
use domain::share::Split;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Most shares that the screen offers.
const MOST_SHARES: u32 = 99;

/// How to divide what nobody has paid yet: at once, by cover, or into any number.
#[component]
pub(super) fn SplitControls(billing: Billing) -> impl IntoView {
    let t = t();
    let (session, live, toaster) = (use_session(), use_live(), use_toaster());
    // What was asked for last; shown until the server has answered it. Answers to earlier taps are not shown.
    let wanted = RwSignal::new(None::<u32>);
    let divided = billing.read(unpaid);
    let parts = Signal::derive(move || wanted.get().or_else(|| divided.get()).unwrap_or(1).max(1));
    let covers = billing.read(|bill| u32::from(bill.covers));
    let divide = move |parts: u32| {
        wanted.set(Some(parts));
        spawn_local(async move {
            let answer = calls::split(billing.order, SplitRequest(Split::Equal(parts))).await;
            live.heard_of_call(&answer);
            if wanted.try_get_untracked() != Some(Some(parts)) {
                return;
            }
            wanted.set(None);
            match answer {
                Ok(bill) => billing.bill.data.set(Some(bill)),
                Err(error) => {
                    session.heed(&error);
                    toaster.say(Tone::Bad, explain(&error));
                    billing.bill.refresh();
                }
            }
        });
    };
    let pressed = move |number: u32| if parts.get() == number { "true" } else { "false" };
    let by_cover = move || covers.get().filter(|covers| *covers > 1);
    view! {
        <div class="split" role="group" aria-label=t.split_rest>
            <div class="tablist">
                <button type="button" aria-pressed=move || pressed(1) data-testid="split-one" on:click=move |_| divide(1)>
                    <Icon glyph=Glyph::User/>{t.one_share}
                </button>
                {move || by_cover().map(|covers| view! {
                    <button type="button" aria-pressed=move || pressed(covers) data-testid="split-covers" on:click=move |_| divide(covers)>
                        <Icon glyph=Glyph::Users/>{t.by_cover}
                    </button>
                })}
            </div>
            <Stepper value=parts label=t.shares less=t.fewer_shares more=t.more_shares most=MOST_SHARES on_change=divide/>
        </div>
    }
}

/// One card per share.
#[component]
pub(super) fn Shares(billing: Billing) -> impl IntoView {
    let shares = billing.read(|bill| bill.shares.clone());
    view! {
        <ul class="shares">
            <For each=move || shares.get().unwrap_or_default() key=|share| (share.cover_number, share.amount, share.status as u8, share.label.clone()) let:share>
                <Share billing=billing share=share/>
            </For>
        </ul>
    }
}

#[component]
fn Share(billing: Billing, share: ShareView) -> impl IntoView {
    let t = t();
    let (glyph, class) = match share.status {
        ShareStatus::Unpaid => (Glyph::Circle, "chip"),
        ShareStatus::Pending => (Glyph::Card, "chip tone-info"),
        ShareStatus::Paid => (Glyph::Check, "chip tone-good"),
        ShareStatus::Unknown => (Glyph::Alert, "chip tone-warning"),
    };
    let ShareView { cover_number: number, amount, status, label, .. } = share.clone();
    let share = StoredValue::new(share);
    let name = StoredValue::new(format!("{}, {label}, {amount}", t.cash_payment));
    let button = move || {
        let can_be_settled = status == ShareStatus::Unpaid && billing.may_take_money.get();
        can_be_settled.then(|| view! {
            <button type="button" class="button primary" data-testid="pay-cash" aria-label=name.get_value() on:click=move |_| billing.settle(share.get_value())>
                <Icon glyph=Glyph::Coins/>{t.cash}
            </button>
        })
    };
    let ticket = move || {
        billing.tickets.with(|tickets| tickets.get(&number).copied()).map(|no| {
            view! {
                <a class="button" href=format!("/ticket/{no}")><Icon glyph=Glyph::Receipt/>{t.ticket_numbered(no)}</a>
            }
        })
    };
    view! {
        <li class="card share" class:is-paid=status == ShareStatus::Paid data-testid=format!("share-{number}")>
            <h3 class="share-label">{label}</h3>
            <span class=class><Icon glyph=glyph/>{t.share_status(status)}</span>
            <p class="share-amount number">{amount.to_string()}</p>
            <div class="share-actions">{button}{ticket}</div>
        </li>
    }
}
