//! The bill: what was taken, who owes what, and every way to pay it.
//!
//! What is left to pay is always in sight: at the top on a desktop, at the bottom under the thumb on a phone. Waiters see the same page
//! without the buttons that take money.

mod correcting;
mod discount;
mod dividing;
mod free;
mod handy;
mod note;
mod paying;
mod resolving;
mod shares;
mod sorting;
mod terminal;

use crate::browser::{Cached, use_cached_for};
use crate::calls;
use crate::components::asking::Asking;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Freshness, Notice, Skeleton, Tone};
use crate::components::page::Page;
use crate::i18n::bill::bill as texts;
use crate::i18n::t;
use crate::session::use_session;
use correcting::{Correcting, CorrectionSheet};
use discount::DiscountSheet;
use domain::api::{Bill, BillItem, Event, Method, PaymentRequest, ShareStatus, ShareView};
use domain::role::Right;
use domain::{Cents, LineId, OrderId, PaymentId};
use free::OnTheHouse;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use note::NoteSheet;
use paying::PaySheet;
use shares::{Shares, SplitControls, Together};
use std::collections::BTreeSet;
use terminal::PaymentSheet;

/// What is being settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settling {
    /// The share.
    number: u32,
    /// Other shares that are paid in one with it.
    also: Vec<u32>,
    /// What all of them owe.
    amount: Cents,
    /// What it is called.
    label: String,
}

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub(super) struct Billing {
    order: OrderId,
    bill: Cached<Bill>,
    /// What is being settled, or was last.
    settling: RwSignal<Option<Settling>>,
    /// By which means.
    method: RwSignal<Method>,
    /// Whether the sheet in which it is settled is open.
    sheet_open: RwSignal<bool>,
    /// A payment that was sent and not answered. It is sent again exactly as it was, so that it is taken once.
    unanswered: RwSignal<Option<PaymentRequest>>,
    /// Shares that somebody pays together.
    picked: RwSignal<BTreeSet<u32>>,
    /// The payment that is looked at while a terminal is at it, or silent.
    watching: RwSignal<Option<(PaymentId, ShareStatus)>>,
    /// What a discount is for: a line, or the whole bill.
    discounting: RwSignal<Option<Option<LineId>>>,
    /// Whether the provisional note is shown.
    note_open: RwSignal<bool>,
    /// The payment that is corrected.
    correcting: RwSignal<Option<Correcting>>,
    may_take_money: Signal<bool>,
}

impl Billing {
    fn begin(order: OrderId) -> Self {
        let bill = use_cached_for(move || Some(order), |order| format!("bill-{order}"), calls::bill);
        bill.follow(move |event| match event {
            Event::OrderChanged { order_id } => *order_id == order,
            Event::TableChanged { order_id, .. } => order_id.is_none_or(|changed| changed == order),
            _ => false,
        });
        let session = use_session();
        Self {
            order,
            bill,
            settling: RwSignal::new(None),
            sheet_open: RwSignal::new(false),
            unanswered: RwSignal::new(None),
            method: RwSignal::new(Method::Especes),
            picked: RwSignal::new(BTreeSet::new()),
            watching: RwSignal::new(None),
            discounting: RwSignal::new(None),
            note_open: RwSignal::new(false),
            correcting: RwSignal::new(None),
            may_take_money: Signal::derive(move || session.may(Right::HandleMoney)),
        }
    }

    /// Opens the sheet for a share.
    fn settle(self, share: &ShareView, method: Method) {
        self.settle_all(
            Settling { number: share.cover_number, also: Vec::new(), amount: share.amount, label: share.label.clone() },
            method,
        );
    }

    /// Opens the sheet for one share or several.
    fn settle_all(self, settling: Settling, method: Method) {
        self.method.set(method);
        self.settling.set(Some(settling));
        self.sheet_open.set(true);
    }

    /// Reads something of the bill; nothing until it is known.
    fn read<T: PartialEq + Send + Sync + 'static>(self, what: impl Fn(&Bill) -> T + Send + Sync + 'static) -> Memo<Option<T>> {
        Memo::new(move |_| self.bill.data.with(|bill| bill.as_ref().map(&what)))
    }
}

/// The bill of the order that the address names.
#[component]
pub fn BillPage() -> impl IntoView {
    let params = use_params_map();
    let order = Memo::new(move |_| params.with(|params| params.get("order")).and_then(|order| order.parse::<OrderId>().ok()));
    move || match order.get() {
        Some(order) => view! { <OrderBill order=order/> }.into_any(),
        None => view! { <NoSuchBill/> }.into_any(),
    }
}

#[component]
fn NoSuchBill() -> impl IntoView {
    let t = t();
    view! {
        <Page title=t.no_such_bill back="/plan">
            <Empty glyph=Glyph::Receipt title=t.no_such_bill/>
            <p class="centred"><a class="button primary" href="/plan">{t.back_to_plan}</a></p>
        </Page>
    }
}

#[component]
fn OrderBill(order: OrderId) -> impl IntoView {
    let t = t();
    let billing = Billing::begin(order);
    let table = billing.read(|bill| bill.table.clone());
    let title = Signal::derive(move || match table.get() {
        Some(name) => format!("{} · {}", t.bill, t.table_named(&name)),
        None => t.bill.to_owned(),
    });
    let known = billing.read(|_| ());
    let body = move || match known.get() {
        None if billing.bill.error.with(Option::is_some) => ().into_any(),
        None => view! { <Skeleton count=4/> }.into_any(),
        Some(()) => view! { <Ledger billing=billing/> }.into_any(),
    };
    view! {
        <Page title=title back="/plan" class="bill">
            <Freshness of=billing.bill/>
            {body}
            <PaySheet billing=billing/>
            <PaymentSheet billing=billing watching=billing.watching/>
            <DiscountSheet billing=billing/>
            <CorrectionSheet billing=billing/>
            <NoteSheet billing=billing open=billing.note_open/>
        </Page>
    }
}

/// Lines on one side, shares on the other.
#[component]
fn Ledger(billing: Billing) -> impl IntoView {
    let t = t();
    let settled = billing.read(|bill| bill.remaining <= Cents::ZERO && bill.total > Cents::ZERO);
    let looks_only = move || !billing.may_take_money.get() && settled.get() == Some(false);
    view! {
        <div class="bill-columns">
            <section class="bill-shares" aria-labelledby="shares-heading">
                <Remaining billing=billing/>
                <h2 id="shares-heading" class="visually-hidden">{t.shares}</h2>
                <Show when=looks_only><Notice tone=Tone::Info>{t.bill_look_only}</Notice></Show>
                <Show when=move || settled.get() == Some(true)><AllSettled/></Show>
                <OnTheHouse billing=billing/>
                <Show when=move || billing.may_take_money.get() && settled.get() == Some(false)><SplitControls billing=billing/></Show>
                <Shares billing=billing/>
                <Together billing=billing/>
            </section>
            <Lines billing=billing/>
        </div>
    }
}

#[component]
fn AllSettled() -> impl IntoView {
    let t = t();
    view! {
        <div class="card bill-done" data-testid="all-settled">
            <Icon glyph=Glyph::CheckAll/>
            <div><p class="bill-done-title">{t.bill_settled}</p><p class="quiet-text">{t.bill_settled_detail}</p></div>
            <a class="button" href="/plan">{t.back_to_plan}</a>
        </div>
    }
}

/// What is left, always in sight.
#[component]
fn Remaining(billing: Billing) -> impl IntoView {
    let t = t();
    let sums = billing.read(|bill| (bill.total, bill.paid, bill.remaining));
    let sums = move || sums.get().unwrap_or_default();
    let shares = billing.read(|bill| (bill.shares.iter().filter(|share| share.status != ShareStatus::Paid).count(), bill.shares.len()));
    let shares = move || shares.get().filter(|(_, all)| *all > 1).map(|(left, all)| texts().shares_left(left, all));
    let per_mille = move || {
        let (total, paid, _) = sums();
        if total > Cents::ZERO { paid.0.clamp(0, total.0) * 1000 / total.0 } else { 0 }
    };
    view! {
        <div class="bill-remaining" role="status">
            <p class="bill-remaining-label">{t.remaining}{move || shares().map(|shares| view! { <small class="bill-remaining-shares number" data-testid="shares-left">{shares}</small> })}</p>
            <p class="bill-remaining-amount number" data-testid="remaining">{move || sums().2.to_string()}</p>
            <p class="bill-remaining-detail quiet-text">
                {t.total}" "<span class="number" data-testid="total">{move || sums().0.to_string()}</span>" · "
                <span class="number">{move || sums().1.to_string()}</span>" "{t.settled}
            </p>
            <div class="bill-progress" aria-hidden="true"><span style:width=move || format!("{}.{}%", per_mille() / 10, per_mille() % 10)></span></div>
        </div>
    }
}

/// What was taken.
#[component]
fn Lines(billing: Billing) -> impl IntoView {
    let t = t();
    let items = billing.read(|bill| bill.items.clone());
    let vat = billing.read(|bill| bill.vat.clone());
    let total = billing.read(|bill| bill.total);
    let off = billing.read(|bill| bill.discount);
    let left = billing.read(|bill| bill.remaining);
    let can_discount = move || billing.may_take_money.get();
    let line = move |item: BillItem| {
        let paid = item.remaining_qty == 0 && item.total > Cents::ZERO;
        let (id, due) = (item.line_id, item.due);
        let label = format!("{} : {}", texts().discount, item.name);
        let off = (item.discount > Cents::ZERO)
            .then(|| view! { <small class="bill-line-off">{texts().discount}" "{(-item.discount).to_string()}</small> });
        view! {
            <li class="bill-line" class:is-paid=paid>
                <span class="bill-line-qty number">{item.qty}</span>
                <span class="bill-line-name">{item.name}{paid.then(|| view! { <Icon glyph=Glyph::Check/><span class="visually-hidden">{t.settled}</span> })}{off}</span>
                <span class="number">{item.total.to_string()}</span>
                <Show when={move || can_discount() && due > Cents::ZERO}>
                    <button type="button" class="round bill-line-discount" aria-label=label.clone() data-testid=format!("discount-{id}") on:click=move |_| billing.discounting.set(Some(Some(id)))><Icon glyph=Glyph::Percent/></button>
                </Show>
            </li>
        }
    };
    let list = move || match items.get().unwrap_or_default() {
        none if none.is_empty() => view! { <p class="quiet-text">{t.bill_empty}</p> }.into_any(),
        items => view! { <ul class="bill-list">{items.into_iter().map(line).collect_view()}</ul> }.into_any(),
    };
    let rates = move || {
        vat.get()
            .unwrap_or_default()
            .into_iter()
            .map(|line| {
                view! { <div><dt>{format!("{} {}", t.vat, line.rate)}</dt><dd class="number">{line.vat.to_string()}</dd></div> }
            })
            .collect_view()
    };
    view! {
        <section class="card bill-lines" aria-labelledby="lines-heading">
            <h2 id="lines-heading">{t.bill_lines}</h2>
            {list}
            <dl class="bill-sums">
                <div class="bill-sums-total"><dt>{t.total}</dt><dd class="number">{move || total.get().unwrap_or_default().to_string()}</dd></div>
                {move || off.get().filter(|off| *off > Cents::ZERO).map(|off| view! { <div><dt>{texts().discount}</dt><dd class="number">{(-off).to_string()}</dd></div> })}
                {rates}
            </dl>
            <Show when=move || can_discount() && left.get().is_some_and(|left| left > Cents::ZERO)>
                <div class="bill-tools">
                    <button type="button" class="button" data-testid="note" on:click=move |_| billing.note_open.set(true)><Icon glyph=Glyph::Printer/>{texts().note}</button>
                    <button type="button" class="button" data-testid="discount-bill" on:click=move |_| billing.discounting.set(Some(None))><Icon glyph=Glyph::Percent/>{texts().discount}</button>
                </div>
            </Show>
        </section>
    }
}

/// How many shares nobody has begun to pay.
fn unpaid(bill: &Bill) -> u32 {
    let open = bill.shares.iter().filter(|share| share.status == ShareStatus::Unpaid).count();
    u32::try_from(open).unwrap_or(u32::MAX)
}
