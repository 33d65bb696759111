//! A person says how a payment ended that the terminal did not tell the end of: what its ticket shows, how much, and how that is known.
//!
//! While the line is still open the terminal may say it itself, so nobody can say *not accepted* yet. Where the terminal can be asked for its last
//! ticket, what it says is shown and fills in the form; it decides nothing.

use super::terminal::History;
use super::{Asking, Billing};
use crate::browser::clock::use_clock;
use crate::browser::live::use_live;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone};
use crate::i18n::bill::{WITNESSES, bill as texts};
use crate::i18n::money::t as words;
use crate::session::use_session;
use domain::api::{PaymentView, ResolveOutcome, ResolveRequest, TerminalAnswer, TerminalSays};
use domain::attempt::AttemptState;
use domain::order::MAX_REASON;
use domain::{Cents, PaymentId};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// What is typed, and what is known.
#[derive(Clone, Copy)]
struct Resolving {
    billing: Billing,
    id: PaymentId,
    /// The payment as last read.
    payment: RwSignal<Option<PaymentView>>,
    outcome: RwSignal<Option<ResolveOutcome>>,
    amount: RwSignal<String>,
    code: RwSignal<String>,
    reason: RwSignal<String>,
}

impl Resolving {
    /// What the terminal was asked for.
    fn asked(self) -> Option<Cents> {
        self.payment.with(|payment| payment.as_ref().map(|payment| payment.amount + payment.tip.unwrap_or_default()))
    }

    /// What was taken: all of it, or what was typed. `None` when that is no amount.
    fn taken(self) -> Option<Option<Cents>> {
        self.amount.with(|typed| match typed.trim() {
            "" => Some(None),
            typed => {
                let amount = Cents::parse(typed).ok().filter(|amount| *amount > Cents::ZERO)?;
                let asked = self.asked().unwrap_or(amount);
                (amount <= asked).then_some(Some(amount).filter(|amount| *amount < asked))
            }
        })
    }

    fn is_listened_to(self) -> bool {
        self.payment.with(|payment| payment.as_ref().is_some_and(|payment| payment.listening_until.is_some()))
    }

    /// Reads the payment again. Nothing is asked for twice at a time that would matter: the last answer is shown.
    fn look(self) {
        let (session, live) = (use_session(), use_live());
        let id = self.id;
        spawn_local(async move {
            let answer = calls::payment(id).await;
            live.heard_of_call(&answer);
            match answer {
                Ok(found) => {
                    self.payment.try_set(Some(found));
                }
                Err(error) => session.heed(&error),
            }
        });
    }
}

/// The form, until the payment has its end.
#[component]
pub(super) fn Resolution(billing: Billing, id: PaymentId) -> impl IntoView {
    let form = Resolving {
        billing,
        id,
        payment: RwSignal::new(None),
        outcome: RwSignal::new(None),
        amount: RwSignal::new(String::new()),
        code: RwSignal::new(String::new()),
        reason: RwSignal::new(String::new()),
    };
    let asking = Asking::begin(billing.bill);
    let resolved = RwSignal::new(false);
    // The bill is read again whenever something happens to it: so is the payment.
    Effect::new(move |_| {
        billing.bill.data.track();
        if billing.may_take_money.get() {
            form.look();
        }
    });
    let ended =
        Memo::new(move |_| form.payment.with(|payment| payment.as_ref().is_some_and(|payment| payment.status != AttemptState::Unknown)));
    let steps = move || form.payment.get().map(|payment| view! { <History steps=payment.history/> });
    move || match (resolved.get(), ended.get()) {
        (false, true) => view! { <Notice tone=Tone::Good>{words().ended}</Notice>{steps} }.into_any(),
        (true, _) => view! { <Notice tone=Tone::Good>{texts().answer_stored}</Notice>{steps} }.into_any(),
        (false, false) => {
            view! { <Listening form=form/><AskTerminal form=form/><Form form=form asking=asking resolved=resolved/>{steps} }.into_any()
        }
    }
}

/// The terminal may still say it itself.
#[component]
fn Listening(form: Resolving) -> impl IntoView {
    let clock = use_clock();
    let until = Memo::new(move |_| form.payment.with(|payment| payment.as_ref().and_then(|payment| payment.listening_until)));
    let left = move || Some(until.get()?.unix_timestamp() - clock.seconds()?);
    // When the line closes nobody says so: it is asked for.
    Effect::new(move |_| {
        if left().is_some_and(|left| left <= 0) {
            form.look();
        }
    });
    move || {
        left().map(|left| {
            view! {
                <div data-testid="still-listening">
                    <Notice tone=Tone::Info><span><strong>{words().listening_for(left)}</strong>" "{words().listening_detail}</span></Notice>
                </div>
            }
        })
    }
}

/// Asks the terminal for its last ticket, where it can be asked.
#[component]
fn AskTerminal(form: Resolving) -> impl IntoView {
    let asking = Asking::begin(form.billing.bill);
    let said = RwSignal::new(None::<TerminalSays>);
    let can = Memo::new(move |_| form.payment.with(|payment| payment.as_ref().is_some_and(|payment| payment.can_ask_terminal)));
    let ask = move |_| {
        asking.ask(calls::query_terminal(form.id), move |answer| {
            // It is filled in for whoever has compared; the person decides.
            if answer.answer == TerminalAnswer::SamePayment {
                form.outcome.try_set(Some(ResolveOutcome::Accepted));
                form.code.try_set(answer.approval_code.clone().unwrap_or_default());
            }
            form.payment.try_set(Some(answer.payment.clone()));
            said.try_set(Some(answer));
        });
    };
    let word = move || if asking.busy.get() { words().asking_terminal } else { words().ask_terminal };
    let answer = move || {
        said.get().map(|said| {
            let tone = match said.answer {
                TerminalAnswer::SamePayment => Tone::Good,
                TerminalAnswer::OtherPayment | TerminalAnswer::Silent => Tone::Warning,
                _ => Tone::Info,
            };
            let words = words().answered(said.answer, said.amount, said.approval_code.as_deref());
            view! { <div data-testid="terminal-says"><Notice tone=tone>{words}</Notice></div> }
        })
    };
    view! {
        <Show when=move || can.get()>
            <div class="ask-terminal">
                <button type="button" class="button" data-testid="ask-terminal" disabled=move || asking.busy.get() on:click=ask><Icon glyph=Glyph::Card/>{word}</button>
                <p class="quiet-text">{words().ask_terminal_help}</p>
            </div>
        </Show>
        {answer}
        {move || asking.refusal()}
    }
}

#[component]
fn Form(form: Resolving, asking: Asking, resolved: RwSignal<bool>) -> impl IntoView {
    let Resolving { outcome, amount, code, reason, .. } = form;
    let choice = move |what: ResolveOutcome, word: &'static str, testid: &'static str| {
        let pressed = move || if outcome.get() == Some(what) { "true" } else { "false" };
        let too_early = move || what == ResolveOutcome::NotAccepted && form.is_listened_to();
        view! { <button type="button" class="option" aria-pressed=pressed disabled=too_early data-testid=testid on:click=move |_| outcome.set(Some(what))>{word}</button> }
    };
    let witness = move |words: &'static str| {
        let pressed = move || if reason.with(|reason| reason == words) { "true" } else { "false" };
        view! { <button type="button" class="option" aria-pressed=pressed on:click=move |_| reason.set(words.to_owned())>{words}</button> }
    };
    let accepted = move || outcome.get() == Some(ResolveOutcome::Accepted);
    let ready = move || {
        let amount_fits = !accepted() || form.taken().is_some();
        outcome.with(Option::is_some) && amount_fits && reason.with(|reason| !reason.trim().is_empty()) && !asking.busy.get()
    };
    let settle = move |_| {
        let Some(outcome) = outcome.get_untracked() else { return };
        let accepted = outcome == ResolveOutcome::Accepted;
        let request = ResolveRequest {
            outcome,
            amount: untrack(move || form.taken()).flatten().filter(|_| accepted),
            approval_code: Some(code.get_untracked().trim().to_owned()).filter(|code| accepted && !code.is_empty()),
            reason: reason.get_untracked().trim().to_owned(),
        };
        asking.ask(calls::resolve(form.id, request), move |view| {
            form.payment.try_set(Some(view));
            resolved.try_set(true);
        });
    };
    view! {
        <div class="panel">
            <fieldset>
                <legend>{texts().what_ticket_says}</legend>
                <div class="options">
                    {choice(ResolveOutcome::Accepted, texts().ticket_accepted, "resolve-accepted")}
                    {choice(ResolveOutcome::NotAccepted, texts().ticket_not_accepted, "resolve-not-accepted")}
                </div>
            </fieldset>
            <Show when=accepted>
                <div class="field">
                    <label for="resolve-amount">{words().amount_taken}</label>
                    <input id="resolve-amount" class="input number" type="text" inputmode="decimal" autocomplete="off" data-testid="resolve-amount" aria-describedby="resolve-amount-help" placeholder=move || form.asked().map(Cents::to_french).unwrap_or_default() aria-invalid=move || if form.taken().is_none() { "true" } else { "false" } prop:value=move || amount.get() on:input=move |event| amount.set(event_target_value(&event))/>
                    <p id="resolve-amount-help" class="quiet-text">{words().amount_taken_help}</p>
                </div>
                <div class="field">
                    <label for="resolve-code">{texts().approval_code}</label>
                    <input id="resolve-code" class="input" autocomplete="off" data-testid="resolve-code" prop:value=move || code.get() on:input=move |event| code.set(event_target_value(&event))/>
                </div>
            </Show>
            <fieldset>
                <legend>{texts().how_known}</legend>
                <div class="options">{WITNESSES.map(witness).collect_view()}</div>
            </fieldset>
            <input class="input" aria-label=texts().other_reason placeholder=texts().other_reason autocomplete="off" maxlength=MAX_REASON.to_string() data-testid="resolve-reason" prop:value=move || reason.get() on:input=move |event| reason.set(event_target_value(&event))/>
            <p class="quiet-text">{texts().settle_it_detail}</p>
            {move || asking.refusal()}
            <button type="button" class="button primary cash-pay" data-testid="resolve-now" disabled=move || !ready() on:click=settle>
                <Icon glyph=Glyph::Check/>{texts().settle_it}
            </button>
        </div>
    }
}
