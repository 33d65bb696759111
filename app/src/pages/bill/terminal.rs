//! The card terminal on the screen: it waits, it said no, it does not answer; and what a person says who has read its ticket.

use super::resolving::Resolution;
use super::{Asking, Billing};
use crate::browser::clock::{spell_minutes, use_clock};
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::explain;
use crate::components::sheet::Sheet;
use crate::error::CallError;
use crate::i18n::bill::bill as texts;
use crate::i18n::money::t as words;
use domain::api::{PaymentStep, PaymentView, ShareStatus};
use domain::attempt::AttemptState;
use domain::{Cents, PaymentId};
use leptos::prelude::*;

/// The terminal is at it.
#[component]
pub(super) fn Waiting(amount: Cents) -> impl IntoView {
    view! {
        <div class="terminal" data-testid="terminal-waiting" role="status">
            <div class="terminal-picture is-waiting"><Icon glyph=Glyph::Card/></div>
            <p class="terminal-title">{texts().terminal_waits}</p>
            <p class="terminal-amount number">{amount.to_string()}</p>
            <p>{texts().terminal_waits_detail}</p>
            <p class="quiet-text">{texts().terminal_cancel}</p>
            <p class="quiet-text">{texts().terminal_leave}</p>
        </div>
    }
}

/// The terminal said no, or could not be asked: nothing was taken.
#[component]
pub(super) fn Refused(error: CallError, again: Callback<()>) -> impl IntoView {
    let (title, testid) = match error.code() {
        Some("card_declined") => (texts().declined, "terminal-declined"),
        Some("card_cancelled") => (texts().cancelled, "terminal-cancelled"),
        _ => (texts().not_available, "terminal-unavailable"),
    };
    view! {
        <div class="terminal" data-testid=testid role="alert">
            <div class="terminal-picture is-refused"><Icon glyph=Glyph::Ban/></div>
            <p class="terminal-title">{title}</p>
            <p>{explain(&error)}</p>
            <p class="quiet-text">{texts().declined_detail}</p>
            <button type="button" class="button primary cash-pay" data-testid="terminal-again" on:click=move |_| again.run(())>
                <Icon glyph=Glyph::Refresh/>{texts().try_again}" · "{texts().other_way}
            </button>
        </div>
    }
}

/// The terminal does not answer, and the way to say what its ticket shows.
#[component]
pub(super) fn Silent(billing: Billing, number: u32) -> impl IntoView {
    let payment =
        billing.read(move |bill| bill.shares.iter().find(|share| share.cover_number == number).and_then(|share| share.payment_id));
    view! {
        <div class="silent" data-testid="terminal-silent">
            <SilentWords/>
            {move || payment.get().flatten().map(|id| view! { <Resolution billing=billing id=id/> })}
        </div>
    }
}

#[component]
fn SilentWords() -> impl IntoView {
    let texts = texts();
    view! {
        <div class="terminal">
            <div class="terminal-picture is-silent"><Icon glyph=Glyph::Alert/></div>
            <p class="terminal-title">{texts.silent}</p>
            <p>{texts.silent_detail}</p>
        </div>
        <div class="silent-what">
            <section>
                <h3><Icon glyph=Glyph::Check/>{texts.silent_do}</h3>
                <ol><li>{texts.silent_do_1}</li><li>{texts.silent_do_2}</li><li>{texts.silent_do_3}</li></ol>
            </section>
            <section class="is-dont">
                <h3><Icon glyph=Glyph::Ban/>{texts.silent_dont}</h3>
                <ul><li>{texts.silent_dont_1}</li><li>{texts.silent_dont_2}</li></ul>
            </section>
        </div>
    }
}

/// The sheet of a share that an attempt holds.
#[component]
pub(super) fn PaymentSheet(billing: Billing, watching: RwSignal<Option<(PaymentId, ShareStatus)>>) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if watching.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            watching.set(None);
        }
    });
    view! {
        <Sheet open=open title=texts().pay_card>
            {move || watching.get_untracked().map(|(id, status)| view! {
                <div class="silent" data-testid="terminal-silent">
                    {if status == ShareStatus::Unknown {
                        view! { <SilentWords/><Resolution billing=billing id=id/> }.into_any()
                    } else {
                        let amount = billing.bill.data.with_untracked(|bill| bill.as_ref().and_then(|bill| bill.shares.iter().find(|share| share.payment_id == Some(id)).map(|share| share.amount))).unwrap_or_default();
                        view! { <Waiting amount=amount/><GiveUp billing=billing id=id/><Steps billing=billing id=id/> }.into_any()
                    }}
                </div>
            })}
        </Sheet>
    }
}

/// Gives up what is not at the terminal yet; what is, only the terminal gives up, and this says so.
#[component]
fn GiveUp(billing: Billing, id: PaymentId) -> impl IntoView {
    let asking = Asking::begin(billing.bill);
    let open = billing.watching;
    let give_up = move |_| {
        asking.ask(calls::abort_payment(id), move |_| {
            open.try_set(None);
        });
    };
    view! {
        {move || asking.refusal()}
        <button type="button" class="button" data-testid="give-up" disabled=move || asking.busy.get() on:click=give_up><Icon glyph=Glyph::Cross/>{words().give_up}</button>
    }
}

/// What happened to a payment so far, asked when it is shown.
#[component]
fn Steps(billing: Billing, id: PaymentId) -> impl IntoView {
    let asking = Asking::begin(billing.bill);
    let view = RwSignal::new(None::<PaymentView>);
    Effect::new(move |_| {
        if billing.may_take_money.get() {
            asking.ask(calls::payment(id), move |found| {
                view.try_set(Some(found));
            });
        }
    });
    move || view.get().map(|found| view! { <History steps=found.history/> })
}

/// Who did what, and when.
#[component]
pub(super) fn History(steps: Vec<PaymentStep>) -> impl IntoView {
    let clock = use_clock();
    let step = move |step: PaymentStep| {
        let at = step.at;
        let since = move || clock.minutes_since(at).map(spell_minutes).unwrap_or_default();
        let state = step.to.parse::<AttemptState>().map_or_else(|_| step.to.clone(), |state| texts().attempt(state).to_owned());
        let who = step.by.unwrap_or_else(|| texts().by_machine.to_owned());
        view! {
            <li><span class="number">{since}</span><span>{state}" · "{texts().why(&step.why)}</span><span class="quiet-text">{who}</span></li>
        }
    };
    view! {
        <section class="steps">
            <h3>{texts().history}</h3>
            <ol>{steps.into_iter().map(step).collect_view()}</ol>
        </section>
    }
}
