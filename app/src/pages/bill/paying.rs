//! A share is settled: by card, in cash, with meal vouchers or by cheque, in part or several shares at once.
//!
//! The payment's number is chosen when the sheet opens, so pressing twice takes the money once. A payment that was not answered is asked
//! for again exactly as it was sent: the server either finds it or takes it now.

use super::handy::handy_amounts;
use super::terminal::{Refused, Silent, Waiting};
use super::{Billing, Settling};
use crate::browser::live::use_live;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone, explain};
use crate::components::sheet::Sheet;
use crate::components::toast::use_toaster;
use crate::error::CallError;
use crate::i18n::bill::bill as texts;
use crate::i18n::t;
use crate::session::use_session;
use domain::Cents;
use domain::api::{Method, PaymentDone, PaymentRequest, TR_DAILY_LIMIT};
use domain::receipt::NOTE_DUE_FROM;
use leptos::prelude::*;
use leptos::task::spawn_local;
use uuid::Uuid;

/// The sheet over the bill in which a share is settled.
#[component]
pub(super) fn PaySheet(billing: Billing) -> impl IntoView {
    let open = billing.sheet_open;
    let title = Signal::derive(move || match billing.settling.get() {
        Some(settling) => format!("{} · {}", texts().method(billing.method.get()), settling.label),
        None => texts().means.to_owned(),
    });
    view! {
        <Sheet open=open title=title>
            {move || billing.settling.get_untracked().map(|settling| view! { <Pay billing=billing settling=settling/> })}
        </Sheet>
    }
}

/// What is typed for a payment.
#[derive(Clone, Copy)]
pub(super) struct Typed {
    due: Cents,
    method: RwSignal<Method>,
    part: RwSignal<String>,
    tip: RwSignal<String>,
    tendered: RwSignal<String>,
    code: RwSignal<String>,
    /// The terminal is not on the line: its number has to be typed.
    needs_code: RwSignal<bool>,
}

impl Typed {
    fn amount(text: &RwSignal<String>, empty: Cents) -> Option<Cents> {
        text.with(|text| match text.trim() {
            "" => Some(empty),
            typed => Cents::parse(typed).ok().filter(|amount| !amount.is_negative()),
        })
    }

    /// What is settled now: all of it, or the part that was typed.
    fn paid(&self) -> Option<Cents> {
        Self::amount(&self.part, self.due).filter(|paid| *paid > Cents::ZERO && *paid <= self.due)
    }

    fn tip(&self) -> Option<Cents> {
        if self.method.get() == Method::Tr { Some(Cents::ZERO) } else { Self::amount(&self.tip, Cents::ZERO) }
    }

    /// What the guest owes, the tip among it.
    fn asked(&self) -> Option<Cents> {
        Some(self.paid()? + self.tip()?)
    }

    /// Nothing typed means the exact amount: the quickest way is one press.
    fn tendered(&self) -> Option<Cents> {
        match self.method.get() {
            Method::Especes => Self::amount(&self.tendered, self.asked()?),
            Method::Tr => Self::amount(&self.tendered, self.paid()?),
            Method::Cb | Method::Cheque => None,
        }
    }

    fn is_ready(&self) -> bool {
        let code_there = !self.needs_code.get() || self.method.get() != Method::Cb || self.code.with(|code| !code.trim().is_empty());
        match self.method.get() {
            Method::Especes => self.asked().is_some_and(|asked| self.tendered().is_some_and(|tendered| tendered >= asked)),
            Method::Tr => self.paid().is_some_and(|paid| self.tendered().is_some_and(|worth| worth >= paid)),
            Method::Cb | Method::Cheque => self.asked().is_some() && code_there,
        }
    }
}

/// What became of the payment, as far as this sheet knows.
#[derive(Clone)]
enum Outcome {
    /// Being typed.
    Open,
    /// Settled.
    Done(PaymentDone),
    /// The terminal said no, or could not be asked.
    Refused(CallError),
    /// Nobody knows.
    Silent,
}

#[component]
fn Pay(billing: Billing, settling: Settling) -> impl IntoView {
    let (session, live) = (use_session(), use_live());
    let number = settling.number;
    let earlier = billing.unanswered.get_untracked().filter(|sent| sent.cover_number == number);
    if let Some(sent) = &earlier {
        billing.method.set(sent.method);
    }
    let spell = |amount: Option<Cents>| amount.map(|amount| amount.to_french().replace(' ', "")).unwrap_or_default();
    let typed = Typed {
        due: settling.amount,
        method: billing.method,
        part: RwSignal::new(spell(earlier.as_ref().and_then(|sent| sent.part))),
        tip: RwSignal::new(spell(earlier.as_ref().and_then(|sent| sent.tip))),
        tendered: RwSignal::new(spell(earlier.as_ref().and_then(|sent| sent.tendered))),
        code: RwSignal::new(String::new()),
        needs_code: RwSignal::new(false),
    };
    let attempt = RwSignal::new(Uuid::now_v7());
    let paying = RwSignal::new(false);
    let refused = RwSignal::new(None::<String>);
    let outcome = RwSignal::new(Outcome::Open);
    let waits = Signal::derive(move || billing.unanswered.with(|sent| sent.as_ref().is_some_and(|sent| sent.cover_number == number)));

    let also = StoredValue::new(settling.also.clone());
    let pay = move || {
        if paying.get_untracked() || !(untrack(move || typed.is_ready()) || waits.get_untracked()) {
            return;
        }
        let request = billing.unanswered.get_untracked().filter(|sent| sent.cover_number == number).unwrap_or_else(|| {
            untrack(move || PaymentRequest {
                order_id: billing.order,
                cover_number: number,
                amount: typed.due,
                method: typed.method.get(),
                tendered: match typed.method.get() {
                    Method::Especes => typed.tendered(),
                    Method::Tr => typed.tendered().filter(|worth| typed.paid().is_some_and(|paid| *worth > paid)),
                    Method::Cb | Method::Cheque => None,
                },
                tip: typed.tip().filter(|tip| *tip > Cents::ZERO),
                part: typed.paid().filter(|paid| *paid < typed.due),
                also: also.get_value(),
                approval_code: Some(typed.code.get().trim().to_owned()).filter(|code| typed.method.get() == Method::Cb && !code.is_empty()),
                uuid: Some(attempt.get()),
            })
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
                    billing.picked.try_update(|picked| picked.clear());
                    outcome.try_set(Outcome::Done(paid));
                }
                Err(CallError::Unreachable(_)) => {
                    billing.unanswered.try_set(Some(request));
                }
                Err(error) => {
                    session.heed(&error);
                    billing.unanswered.try_set(None);
                    attempt.try_set(Uuid::now_v7());
                    match error.code() {
                        Some("terminal_unknown") => outcome.try_set(Outcome::Silent),
                        Some("card_declined" | "card_cancelled" | "terminal_unavailable") => outcome.try_set(Outcome::Refused(error)),
                        _ => {
                            if asks_for_code(&error) {
                                typed.needs_code.try_set(true);
                            }
                            refused.try_set(Some(explain(&error)));
                            None
                        }
                    };
                }
            }
            billing.bill.refresh();
        });
    };
    let again = Callback::new(move |()| outcome.set(Outcome::Open));
    let form = move || {
        view! {
            <form class="cash" on:submit=move |event| { event.prevent_default(); pay(); }>
                <Means typed=typed locked=Signal::derive(move || waits.get() || paying.get())/>
                <div class="cash-due"><p>{t().amount_due}</p><p class="cash-amount number" data-testid="due">{move || typed.asked().map_or_else(|| "—".to_owned(), |asked| asked.to_string())}</p></div>
                {move || refused.get().map(|why| view! { <Notice tone=Tone::Bad>{why}</Notice> })}
                <Show when=move || waits.get() && !paying.get()><Notice tone=Tone::Warning>{t().payment_unanswered}</Notice></Show>
                {move || fields(typed, waits.get() || paying.get())}
                <Extras typed=typed locked=Signal::derive(move || waits.get() || paying.get())/>
                <button type="submit" class="button primary cash-pay" data-testid="pay" disabled=move || paying.get() || !(typed.is_ready() || waits.get())>
                    <Icon glyph={if typed.method.get_untracked() == Method::Cb { Glyph::Card } else { Glyph::Coins }}/>
                    {move || button_word(typed, paying.get(), waits.get())}
                </button>
            </form>
        }
    };
    // While the terminal is at it there is nothing to type.
    let at_terminal = Memo::new(move |_| paying.get() && typed.method.get() == Method::Cb && !typed.needs_code.get());
    move || match (outcome.get(), at_terminal.get()) {
        (Outcome::Open, true) => view! { <Waiting amount=untrack(move || typed.asked().unwrap_or(typed.due))/> }.into_any(),
        (Outcome::Open, false) => form().into_any(),
        (Outcome::Done(paid), _) => view! { <Paid paid=paid billing=billing/> }.into_any(),
        (Outcome::Refused(error), _) => view! { <Refused error=error again=again/> }.into_any(),
        (Outcome::Silent, _) => view! { <Silent billing=billing number=number/> }.into_any(),
    }
}

fn asks_for_code(error: &CallError) -> bool {
    matches!(error, CallError::Refused(problem) if problem.errors.iter().any(|fault| fault.field == "approval_code"))
}

fn button_word(typed: Typed, paying: bool, waits: bool) -> String {
    match (paying, waits) {
        (true, _) => t().paying.to_owned(),
        (false, true) => t().ask_again.to_owned(),
        (false, false) => {
            let asked = typed.asked().unwrap_or(typed.due);
            if typed.method.get() == Method::Cb && !typed.needs_code.get() { texts().charge(asked) } else { t().collect(asked) }
        }
    }
}

/// The four means.
#[component]
fn Means(typed: Typed, locked: Signal<bool>) -> impl IntoView {
    let key = move |method: Method| {
        let pressed = move || if typed.method.get() == method { "true" } else { "false" };
        view! {
            <button type="button" aria-pressed=pressed disabled=move || locked.get() data-testid=format!("means-{}", method.as_str()) on:click=move |_| typed.method.set(method)>
                {texts().method(method)}
            </button>
        }
    };
    view! { <div class="tablist means" role="group" aria-label=texts().means>{Method::ALL.map(key).collect_view()}</div> }
}

/// What each means asks for.
fn fields(typed: Typed, locked: bool) -> AnyView {
    match typed.method.get() {
        Method::Especes => view! { <Cash typed=typed locked=locked/> }.into_any(),
        Method::Tr => view! { <Vouchers typed=typed locked=locked/> }.into_any(),
        Method::Cheque => view! { <p class="quiet-text">{texts().cheque_help}</p> }.into_any(),
        Method::Cb if typed.needs_code.get() => view! {
            <div class="field">
                <label for="approval">{texts().approval_code}</label>
                <input id="approval" class="input" autocomplete="off" data-testid="approval" disabled=locked aria-describedby="approval-help" prop:value=move || typed.code.get() on:input=move |event| typed.code.set(event_target_value(&event))/>
                <p id="approval-help" class="quiet-text">{texts().approval_help}</p>
            </div>
        }
        .into_any(),
        Method::Cb => ().into_any(),
    }
}

#[component]
fn Cash(typed: Typed, locked: bool) -> impl IntoView {
    let t = t();
    let asked = move || typed.asked().unwrap_or(typed.due);
    let keys = move || {
        let due = asked();
        let key = |word: String, amount: Cents| {
            let pressed = move || if typed.tendered() == Some(amount) { "true" } else { "false" };
            view! {
                <button type="button" class="button number" aria-pressed=pressed disabled=locked on:click=move |_| typed.tendered.set(amount.to_french().replace(' ', ""))>
                    {word}
                </button>
            }
        };
        let handy = handy_amounts(due).into_iter().map(|amount| key(amount.to_string(), amount)).collect_view();
        view! { <div class="cash-keys">{key(t.exact.to_owned(), due)}{handy}</div> }
    };
    let change = move || match (typed.tendered(), typed.asked()) {
        (Some(tendered), Some(asked)) if tendered < asked => (t.missing(asked - tendered), "—".to_owned(), "cash-change is-wrong"),
        (Some(tendered), Some(asked)) => (t.change_due.to_owned(), (tendered - asked).to_string(), "cash-change"),
        _ => (t.change_due.to_owned(), "—".to_owned(), "cash-change is-wrong"),
    };
    let wrong = move || typed.tendered().is_none();
    view! {
        {keys}
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
                placeholder=move || asked().to_french()
                aria-describedby="tendered-help"
                aria-invalid=move || if wrong() { "true" } else { "false" }
                disabled=locked
                prop:value=move || typed.tendered.get()
                on:input=move |event| typed.tendered.set(event_target_value(&event))
            />
            <p id="tendered-help" class="quiet-text">{move || if wrong() { t.handed_over_wrong } else { t.handed_over_help }}</p>
        </div>
        <div class=move || change().2 role="status"><p>{move || change().0}</p><p class="cash-amount number" data-testid="change">{move || change().1}</p></div>
    }
}

#[component]
fn Vouchers(typed: Typed, locked: bool) -> impl IntoView {
    let lost = move || Some(typed.tendered()? - typed.paid()?).filter(|lost| *lost > Cents::ZERO);
    let over = move || typed.paid().is_some_and(|paid| paid > TR_DAILY_LIMIT);
    view! {
        <Show when=over><Notice tone=Tone::Warning>{texts().vouchers_over}</Notice></Show>
        <div class="field">
            <label for="vouchers">{texts().vouchers_worth}</label>
            <input id="vouchers" class="input cash-tendered number" data-testid="tendered" type="text" inputmode="decimal" autocomplete="off" placeholder=move || typed.paid().unwrap_or(typed.due).to_french() aria-describedby="vouchers-help" disabled=locked prop:value=move || typed.tendered.get() on:input=move |event| typed.tendered.set(event_target_value(&event))/>
            <p id="vouchers-help" class="quiet-text">{texts().vouchers_help}</p>
        </div>
        {move || lost().map(|lost| view! { <div class="cash-change is-wrong" role="status"><p>{texts().vouchers_lost}</p><p class="cash-amount number">{lost.to_string()}</p></div> })}
    }
}

/// Tip and partial payment: rarely needed, so folded.
#[component]
fn Extras(typed: Typed, locked: Signal<bool>) -> impl IntoView {
    let wrong = move || typed.paid().is_none();
    let tips = move || {
        let percent = |percent: u16| domain::share::percent_of(typed.due, percent * 100);
        [percent(5), percent(10)].map(|tip| {
            view! { <button type="button" class="button number" disabled=move || locked.get() on:click=move |_| typed.tip.set(tip.to_french().replace(' ', ""))>{tip.to_string()}</button> }
        })
    };
    view! {
        <details class="extras">
            <summary data-testid="extras">{texts().more_choices}</summary>
            <div class="extras-fields">
                <div class="field">
                    <label for="part">{texts().part_now}</label>
                    <input id="part" class="input number" data-testid="part" type="text" inputmode="decimal" autocomplete="off" placeholder=typed.due.to_french() aria-describedby="part-help" aria-invalid=move || if wrong() { "true" } else { "false" } disabled=move || locked.get() prop:value=move || typed.part.get() on:input=move |event| typed.part.set(event_target_value(&event))/>
                    <p id="part-help" class="quiet-text">{move || if wrong() { texts().part_wrong } else { texts().part_help }}</p>
                </div>
                <Show when=move || typed.method.get() != Method::Tr>
                    <div class="field">
                        <label for="tip">{texts().tip}</label>
                        <input id="tip" class="input number" data-testid="tip" type="text" inputmode="decimal" autocomplete="off" placeholder=texts().no_tip aria-describedby="tip-help" disabled=move || locked.get() prop:value=move || typed.tip.get() on:input=move |event| typed.tip.set(event_target_value(&event))/>
                        <div class="cash-keys">{tips()}</div>
                        <p id="tip-help" class="quiet-text">{texts().tip_help}</p>
                    </div>
                </Show>
            </div>
        </details>
    }
}

/// What to give back, and the way to the ticket, which is printed only when somebody asks. From the sum on at which a note is due it is what is proposed,
/// and that nobody wants it is their refusal.
#[component]
fn Paid(paid: PaymentDone, billing: Billing) -> impl IntoView {
    let t = t();
    let open = billing.sheet_open;
    let (session, live, toaster) = (use_session(), use_live(), use_toaster());
    let ticket = paid.ticket_no;
    // What counts is what the table had, and not how it is divided.
    let is_due = billing.read(|bill| bill.total >= NOTE_DUE_FROM).get_untracked().unwrap_or_default();
    let (ask, no) = if is_due { (texts().after_note, texts().no_note) } else { (texts().after_ticket, texts().no_ticket) };
    // That nobody wanted it is written down; the next guest does not wait for that.
    let decline = move |_| {
        open.set(false);
        spawn_local(async move {
            let answer = calls::decline_ticket(ticket).await;
            live.heard_of_call(&answer);
            if let Err(error) = answer {
                session.heed(&error);
                toaster.say(Tone::Warning, texts().decline_failed);
            }
        });
    };
    let change = (paid.change > Cents::ZERO).then(|| {
        view! {
            <div class="cash-change" role="status"><p>{t.change_due}</p><p class="cash-amount number" data-testid="change">{paid.change.to_string()}</p></div>
        }
    });
    let nothing_back = (paid.change <= Cents::ZERO && billing.method.get_untracked() == Method::Especes).then(|| {
        view! { <div class="cash-change" role="status"><p>{t.no_change}</p><p class="cash-amount number" data-testid="change">{Cents::ZERO.to_string()}</p></div> }
    });
    let partial = paid
        .amount_booked
        .map(|booked| view! { <Notice tone=Tone::Info>{t.settled}" "{booked.to_string()}" · "{texts().part_help}</Notice> });
    let warned = (!paid.warnings.is_empty()).then(|| view! { <Notice tone=Tone::Warning>{texts().vouchers_over}</Notice> });
    view! {
        <div class="cash" data-testid="paid">
            <Notice tone=Tone::Good>{t.paid}" · "{t.ticket_numbered(paid.ticket_no)}</Notice>
            {change}{nothing_back}{partial}{warned}
            <p class="cash-ask">{ask}</p>
            <div class="cash-after">
                <a class="button" class:primary=is_due href=format!("/ticket/{}", paid.ticket_no) data-testid="see-ticket"><Icon glyph=Glyph::Receipt/>{t.see_ticket}</a>
                <button type="button" class="button" class:primary=!is_due data-testid="paid-done" on:click=decline>{no}</button>
            </div>
        </div>
    }
}
