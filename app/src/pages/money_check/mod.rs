//! Money that waits for a person's word: payments whose end nobody knows, a terminal that said two things, money that no payment explains.
//!
//! Each card says what happened in words, whose it is, when and how much; and offers what can be done about it. Nothing is decided by pressing
//! once: the sheet says what the decision means and asks how it is known.

mod deciding;
mod picking;

use crate::browser::Cached;
use crate::browser::clock::{spell_minutes, use_clock};
use crate::components::icon::{Glyph, Icon};
use crate::components::money_mark::use_money_to_check;
use crate::components::notice::{Empty, Freshness, Skeleton};
use crate::components::page::Page;
use crate::i18n::money::t;
use crate::session::use_session;
use deciding::DecidingSheet;
use domain::api::{ContradictionInDoubt, Decision, MoneyToCheck, PaymentInDoubt, StrayInDoubt};
use domain::attempt::AttemptState;
use domain::role::Right;
use domain::{Cents, PaymentId};
use leptos::prelude::*;
use time::OffsetDateTime;

/// What is decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// What a terminal said about a payment that had ended otherwise.
    Contradiction { payment: PaymentId, number: i64, took_nothing: bool },
    /// Money that no payment explains.
    Stray { number: i64 },
}

/// A decision that is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Deciding {
    about: About,
    decision: Decision,
    amount: Cents,
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Checking {
    money: Cached<MoneyToCheck>,
    deciding: RwSignal<Option<Deciding>>,
}

/// The page.
#[component]
pub fn MoneyCheckPage() -> impl IntoView {
    let t = t();
    let session = use_session();
    let checking = Checking { money: use_money_to_check(), deciding: RwSignal::new(None) };
    let known = Memo::new(move |_| checking.money.data.get());
    let not_yours = move || session.user().is_some() && !session.may(Right::HandleMoney);
    let body = move || match known.get() {
        _ if not_yours() => view! { <Empty glyph=Glyph::Lock title=t.not_yours/> }.into_any(),
        None if checking.money.error.with(Option::is_some) => ().into_any(),
        None => view! { <Skeleton count=3/> }.into_any(),
        Some(money) if money.open.is_empty() && money.count() == 0 => {
            view! { <Empty glyph=Glyph::CheckAll title=t.nothing detail=t.nothing_detail/> }.into_any()
        }
        Some(money) => {
            let open = money.open.into_iter().map(|payment| view! { <Open payment=payment/> }).collect_view();
            let said = money.contradictions.into_iter().map(|doubt| view! { <Contradicted checking=checking doubt=doubt/> }).collect_view();
            let strays = money.strays.into_iter().map(|doubt| view! { <Stray checking=checking doubt=doubt/> }).collect_view();
            view! { <p class="quiet-text doubts-lead">{t.lead}</p><ul class="doubts">{said}{strays}{open}</ul> }.into_any()
        }
    };
    view! {
        <Page title=t.title back="/plan" class="money-check">
            <Freshness of=checking.money/>
            {body}
            <DecidingSheet checking=checking/>
        </Page>
    }
}

/// One sum: what happened, how much, whose, when.
#[component]
fn Doubt(
    title: &'static str,
    amount: String,
    #[prop(into)] whose: String,
    at: OffsetDateTime,
    detail: String,
    testid: String,
    /// Nobody has to do anything.
    #[prop(optional)]
    calm: bool,
    children: Children,
) -> impl IntoView {
    let clock = use_clock();
    let since = move || clock.minutes_since(at).map(|minutes| format!("il y a {}", spell_minutes(minutes))).unwrap_or_default();
    view! {
        <li class="card doubt" class:is-calm=calm data-testid=testid>
            <div class="doubt-head">
                <Icon glyph=if calm { Glyph::Card } else { Glyph::Alert }/>
                <h2>{title}</h2>
                <p class="doubt-amount number">{amount}</p>
            </div>
            <p class="doubt-whose">{whose}<span class="quiet-text">{since}</span></p>
            <p>{detail}</p>
            <div class="doubt-actions">{children()}</div>
        </li>
    }
}

#[component]
fn Open(payment: PaymentInDoubt) -> impl IntoView {
    let t = t();
    let is_unknown = payment.status == AttemptState::Unknown;
    let (title, detail) = if is_unknown { (t.unknown, t.unknown_detail) } else { (t.at_terminal, t.at_terminal_detail) };
    let testid = format!("doubt-payment-{}", payment.payment_id);
    let bill = format!("/addition/{}", payment.order_id);
    view! {
        <Doubt title=title amount=payment.amount.to_string() whose=t.whose(&payment) at=payment.at detail=detail.to_owned() testid=testid calm=!is_unknown>
            <a class="button" class:primary=is_unknown href=bill><Icon glyph=Glyph::Receipt/>{t.open_bill}</a>
        </Doubt>
    }
}

/// A button that begins a decision.
#[component]
fn Choice(checking: Checking, what: Deciding, word: &'static str, glyph: Glyph, #[prop(optional)] primary: bool) -> impl IntoView {
    view! {
        <button type="button" class="button" class:primary=primary data-testid=format!("decide-{}", what.decision.as_str()) on:click=move |_| checking.deciding.set(Some(what))>
            <Icon glyph=glyph/>{word}
        </button>
    }
}

#[component]
fn Contradicted(checking: Checking, doubt: ContradictionInDoubt) -> impl IntoView {
    let t = t();
    let ContradictionInDoubt { said, payment, can_be_booked } = doubt;
    let took_nothing = said.says != AttemptState::Approved;
    let is_missing = !took_nothing && said.stood != AttemptState::Approved;
    let amount = said.amount.unwrap_or(payment.amount);
    let about = About::Contradiction { payment: payment.payment_id, number: said.id, took_nothing };
    let deciding = move |decision| Deciding { about, decision, amount };
    let kept = if took_nothing { t.kept_corrected } else { t.kept_right };
    let bill = format!("/addition/{}", payment.order_id);
    view! {
        <Doubt title=t.contradiction(&said) amount=amount.to_string() whose=t.whose(&payment) at=said.at detail=t.contradicted(&said, payment.amount) testid=format!("doubt-contradiction-{}", said.id)>
            {can_be_booked.then(|| view! { <Choice checking=checking what=deciding(Decision::Booked) word=t.book glyph=Glyph::Card primary=true/> })}
            {(!took_nothing).then(|| view! { <Choice checking=checking what=deciding(Decision::Refunded) word=t.refunded glyph=Glyph::Undo/> })}
            {(!is_missing).then(|| view! { <Choice checking=checking what=deciding(Decision::Kept) word=kept glyph=Glyph::Check/> })}
            <a class="button quiet" href=bill><Icon glyph=Glyph::Receipt/>{t.open_bill}</a>
        </Doubt>
    }
}

#[component]
fn Stray(checking: Checking, doubt: StrayInDoubt) -> impl IntoView {
    let t = t();
    let StrayInDoubt { stray, names } = doubt;
    let amount = stray.amount.unwrap_or_default();
    let shown = stray.amount.map_or_else(|| t.unknown_amount.to_owned(), |amount| amount.to_string());
    let mut detail = match (&names, &stray.reference) {
        (Some(payment), _) => t.names(payment),
        (None, Some(_)) => t.stray_foreign.to_owned(),
        (None, None) => t.stray_nameless.to_owned(),
    };
    let can_be_booked = stray.can_be_booked();
    if stray.amount.is_some() && !can_be_booked {
        detail = format!("{detail} {}", t.other_currency);
    }
    let whose = match &stray.reference {
        Some(reference) => format!("{} · {reference}", t.terminal(&stray.terminal)),
        None => t.terminal(&stray.terminal),
    };
    let deciding = move |decision| Deciding { about: About::Stray { number: stray.id }, decision, amount };
    view! {
        <Doubt title=t.stray amount=shown whose=whose at=stray.at detail=detail testid=format!("doubt-stray-{}", stray.id)>
            {can_be_booked.then(|| view! { <Choice checking=checking what=deciding(Decision::Booked) word=t.attach glyph=Glyph::Join primary=true/> })}
            <Choice checking=checking what=deciding(Decision::Refunded) word=t.refunded glyph=Glyph::Undo/>
            <Choice checking=checking what=deciding(Decision::Kept) word=t.kept glyph=Glyph::Check/>
        </Doubt>
    }
}
