//! Who owes what: how the rest is divided, and one card per share.

use super::correcting::Corrections;
use super::dividing::{AmountsSheet, ItemsSheet};
use super::{Billing, Settling, unpaid};
use crate::browser::live::use_live;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Tone, explain};
use crate::components::stepper::Stepper;
use crate::components::toast::use_toaster;
use crate::i18n::bill::bill as texts;
use crate::i18n::t;
use crate::session::use_session;
use domain::Cents;
use domain::api::{Division, Method, ShareStatus, ShareView, SplitRequest};
use domain::share::Split;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Most shares that the screen offers.
const MOST_SHARES: u32 = 99;

/// How to divide what nobody has paid yet: at once, by cover, into any number, by item or by amount.
#[component]
pub(super) fn SplitControls(billing: Billing) -> impl IntoView {
    let t = t();
    let (session, live, toaster) = (use_session(), use_live(), use_toaster());
    // What was asked for last; shown until the server has answered it. Answers to earlier taps are not shown.
    let wanted = RwSignal::new(None::<u32>);
    let divided = billing.read(unpaid);
    let chosen = billing.read(|bill| bill.division == Division::Chosen);
    let is_chosen = move || wanted.with(Option::is_none) && chosen.get() == Some(true);
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
    let pressed = move |number: u32| if !is_chosen() && parts.get() == number { "true" } else { "false" };
    let by_cover = move || covers.get().filter(|covers| *covers > 1);
    let (by_items, by_amounts) = (RwSignal::new(false), RwSignal::new(false));
    view! {
        <div class="split" role="group" aria-label=t.split_rest>
            <div class="tablist">
                <button type="button" aria-pressed=move || pressed(1) data-testid="split-one" on:click=move |_| divide(1)>
                    <Icon glyph=Glyph::User/>{move || if is_chosen() { texts().reunite } else { t.one_share }}
                </button>
                {move || by_cover().map(|covers| view! {
                    <button type="button" aria-pressed=move || pressed(covers) data-testid="split-covers" on:click=move |_| divide(covers)>
                        <Icon glyph=Glyph::Users/>{t.by_cover}
                    </button>
                })}
                <button type="button" aria-haspopup="dialog" aria-pressed=move || if is_chosen() { "true" } else { "false" } data-testid="split-items" on:click=move |_| by_items.set(true)>
                    <Icon glyph=Glyph::Utensils/>{texts().by_items}
                </button>
                <button type="button" aria-haspopup="dialog" data-testid="split-amounts" on:click=move |_| by_amounts.set(true)>
                    <Icon glyph=Glyph::Split/>{texts().by_amounts}
                </button>
            </div>
            <Stepper value=parts label=t.shares less=t.fewer_shares more=t.more_shares most=MOST_SHARES on_change=divide/>
            <ItemsSheet billing=billing open=by_items/>
            <AmountsSheet billing=billing open=by_amounts/>
        </div>
    }
}

/// One card per share.
#[component]
pub(super) fn Shares(billing: Billing) -> impl IntoView {
    let shares = billing.read(|bill| bill.shares.clone());
    view! {
        <ul class="shares">
            <For each=move || shares.get().unwrap_or_default() key=|share| format!("{share:?}") let:share>
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
    let items = share.items.clone();
    let names = move || {
        billing.bill.data.with(|bill| {
            let name = |id| bill.as_ref().and_then(|bill| bill.items.iter().find(|item| item.line_id == id)).map(|item| item.name.clone());
            items.iter().filter_map(|item| Some(format!("{} {}", item.qty, name(item.line_id)?))).collect::<Vec<_>>().join(", ")
        })
    };
    let has_items = !share.items.is_empty();
    let payment = share.payment.clone().map(|payment| {
        let tip = (payment.tip > Cents::ZERO).then(|| format!(" · {} {}", texts().with_tip, payment.tip));
        let back = (payment.refunded > Cents::ZERO).then(|| format!(" · {} {}", texts().refunded, payment.refunded));
        view! { <p class="share-how quiet-text">{texts().method(payment.method)}{tip}{back}</p> }
    });
    let ticket = share.payment.as_ref().map(|payment| {
        let no = payment.ticket_no;
        view! { <a class="button" href=format!("/ticket/{no}")><Icon glyph=Glyph::Receipt/>{t.ticket_numbered(no)}</a> }
    });
    let held = share.payment_id.filter(|_| matches!(status, ShareStatus::Pending | ShareStatus::Unknown)).map(|id| {
        let word = if status == ShareStatus::Unknown { texts().check_payment } else { texts().see_payment };
        view! {
            <Show when=move || billing.may_take_money.get()>
                <button type="button" class="button" class:primary=status == ShareStatus::Unknown data-testid=format!("see-payment-{number}") on:click=move |_| billing.watching.set(Some((id, status)))>
                    <Icon glyph=glyph/>{word}
                </button>
            </Show>
        }
    });
    let corrections = (status == ShareStatus::Paid).then(|| view! { <Corrections billing=billing share=share.clone()/> });
    let actions = (status == ShareStatus::Unpaid).then(|| view! { <Pay billing=billing share=share/> });
    view! {
        <li class="card share" class:is-paid=status == ShareStatus::Paid class:is-unknown=status == ShareStatus::Unknown data-testid=format!("share-{number}")>
            <h3 class="share-label">{label}</h3>
            <span class=class><Icon glyph=glyph/>{t.share_status(status)}</span>
            <p class="share-amount number">{amount.to_string()}</p>
            {has_items.then(|| view! { <p class="share-items quiet-text">{names}</p> })}
            {payment}
            <div class="share-actions">{actions}{held}{ticket}{corrections}</div>
        </li>
    }
}

/// What can be done with a share that is free.
#[component]
fn Pay(billing: Billing, share: ShareView) -> impl IntoView {
    let t = t();
    let number = share.cover_number;
    let name = StoredValue::new(format!("{}, {}", share.label, share.amount));
    let share = StoredValue::new(share);
    let others = billing.read(|bill| bill.shares.iter().filter(|share| share.status == ShareStatus::Unpaid).count() > 1);
    let picked = move || billing.picked.with(|picked| picked.contains(&number));
    let pick = move |_| {
        billing.picked.update(|picked| {
            if !picked.remove(&number) {
                picked.insert(number);
            }
        });
    };
    view! {
        <Show when=move || billing.may_take_money.get()>
            <button type="button" class="button primary" data-testid="pay-card" aria-label=format!("{}, {}", texts().pay_card, name.get_value()) on:click=move |_| billing.settle(&share.get_value(), Method::Cb)>
                <Icon glyph=Glyph::Card/>{texts().pay_card}
            </button>
            <button type="button" class="button" data-testid="pay-cash" aria-label=format!("{}, {}", t.cash_payment, name.get_value()) on:click=move |_| billing.settle(&share.get_value(), Method::Especes)>
                <Icon glyph=Glyph::Coins/>{t.cash}
            </button>
            <Show when=move || others.get() == Some(true)>
                <button type="button" class="button quiet share-pick" data-testid="pick" aria-pressed=move || if picked() { "true" } else { "false" } aria-label=move || format!("{}, {}", if picked() { texts().picked } else { texts().pick }, name.get_value()) on:click=pick>
                    <Icon glyph=Glyph::Join/>{move || if picked() { texts().picked } else { texts().pick }}
                </button>
            </Show>
        </Show>
    }
}

/// Several shares that somebody pays at once.
#[component]
pub(super) fn Together(billing: Billing) -> impl IntoView {
    let together = move || {
        billing.bill.data.with(|bill| {
            let picked = billing.picked.get();
            let free = |share: &&ShareView| share.status == ShareStatus::Unpaid && picked.contains(&share.cover_number);
            let shares: Vec<(u32, Cents)> =
                bill.iter().flat_map(|bill| bill.shares.iter().filter(free)).map(|share| (share.cover_number, share.amount)).collect();
            let (first, others) = shares.split_first()?;
            (!others.is_empty()).then(|| Settling {
                number: first.0,
                also: others.iter().map(|(number, _)| *number).collect(),
                amount: shares.iter().map(|(_, amount)| *amount).sum(),
                label: texts().pay_shares(u32::try_from(shares.len()).unwrap_or(u32::MAX)),
            })
        })
    };
    move || {
        together().map(|settling| {
            let settling = StoredValue::new(settling);
            let (label, amount) = settling.with_value(|settling| (settling.label.clone(), settling.amount));
            view! {
                <div class="card together" data-testid="together">
                    <p><b>{label}</b>" "<span class="number">{amount.to_string()}</span></p>
                    <div class="together-actions">
                        <button type="button" class="button primary" data-testid="together-card" on:click=move |_| billing.settle_all(settling.get_value(), Method::Cb)><Icon glyph=Glyph::Card/>{texts().pay_card}</button>
                        <button type="button" class="button" data-testid="together-cash" on:click=move |_| billing.settle_all(settling.get_value(), Method::Especes)><Icon glyph=Glyph::Coins/>{t().cash}</button>
                    </div>
                </div>
            }
        })
    }
}
