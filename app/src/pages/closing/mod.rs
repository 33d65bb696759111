//! The end of the day: what is open, the Z, the last closings, and the journal behind them.

mod drawer;
mod journal;
mod months;
mod report;

use crate::browser::live::use_live;
use crate::browser::print::print_page_soon;
use crate::browser::{Cached, use_cached_for};
use crate::calls;
use crate::components::devices::{MissingOrders, Phones, use_devices};
use crate::components::icon::{Glyph, Icon};
use crate::components::money_mark::MoneyMark;
use crate::components::notice::{Empty, Freshness, Notice, Skeleton, Tone, explain};
use crate::components::page::Page;
use crate::components::paper::{PaperSheet, PrintButtons, PrintCall, Printable, RollChoice};
use crate::components::sheet::Sheet;
use crate::i18n::{paper, t};
use crate::session::use_session;
use domain::api::{CloseDone, CloseKind, CloseRequest, CloseSummary, ClosingView, Event, Paper};
use domain::role::Right;
use drawer::Drawer;
use journal::JournalCheck;
use leptos::prelude::*;
use leptos::task::spawn_local;
use months::Months;
use report::OpenDay;
use std::sync::Arc;

/// Closing, for cashiers; the check of the journal, for auditors too.
#[component]
pub fn ClosingPage() -> impl IntoView {
    let t = t();
    let session = use_session();
    let may_close = Signal::derive(move || session.may(Right::HandleMoney));
    let view = use_cached_for(move || may_close.get().then_some(()), |()| "closing".to_owned(), |()| calls::closing());
    view.follow(|event| matches!(event, Event::TableChanged { .. } | Event::MoneyToCheck {}));
    let shown = RwSignal::new(None::<Shown>);
    let known = Memo::new(move |_| view.data.with(Option::is_some));
    let nobody_here = move || session.user().is_some() && !session.may(Right::VerifyJournal);
    let cashier = move || match (may_close.get(), known.get()) {
        (false, _) if session.user().is_some() => ().into_any(),
        (_, true) => view! { <Day view=view shown=shown/> }.into_any(),
        (_, false) if view.error.with(Option::is_some) => ().into_any(),
        (_, false) => view! { <Skeleton count=4/> }.into_any(),
    };
    view! {
        <Page title=t.closing_title class="closing">
            <Show when=nobody_here><Empty glyph=Glyph::Lock title=t.closing_not_yours/></Show>
            <Freshness of=view/>
            {cashier}
            <Show when=move || session.may(Right::VerifyJournal) && !may_close.get()>
                <JournalCheck/>
            </Show>
        </Page>
    }
}

/// The paper that is shown.
#[derive(Debug, Clone)]
enum Shown {
    /// The X as it was when it was asked for.
    X(Paper),
    /// A Z.
    Z(Box<CloseDone>),
}

/// The open day, the Z that was just made, the last closings and the journal.
#[component]
fn Day(view: Cached<ClosingView>, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let t = t();
    let open = Memo::new(move |_| view.data.with(|view| view.as_ref().and_then(|view| view.open.clone())));
    let tables = Memo::new(move |_| view.data.with(|view| view.as_ref().map(|view| view.open_tables.clone()).unwrap_or_default()));
    let closed = Memo::new(move |_| view.data.with(|view| view.as_ref().map(|view| view.closed.clone()).unwrap_or_default()));
    let unsettled = move || {
        let tables = tables.get();
        (!tables.is_empty()).then(|| view! {
            <Notice tone=Tone::Info><span><strong>{t.tables_open}" : "{tables.join(", ")}"."</strong>" "{t.tables_open_detail}</span></Notice>
        })
    };
    let away = Memo::new(move |_| view.data.with(|view| view.as_ref().is_some_and(|view| view.anchors_away)));
    let unanchored = move || {
        away.get().then(|| {
            view! {
                <Notice tone=Tone::Bad><span><strong>{t.anchors_away}"."</strong>" "{t.anchors_away_detail}</span></Notice>
            }
        })
    };
    let day = move || match open.get() {
        Some(summary) => {
            let to_close = summary.clone();
            view! { <OpenDay summary=summary/><ShowX view=view shown=shown/><CloseButton view=view shown=shown summary=to_close/> }
                .into_any()
        }
        None => view! {
            <div class="card closing-nothing">
                <Icon glyph=Glyph::CheckAll/>
                <div><p class="closing-nothing-title">{t.nothing_to_close}</p><p class="quiet-text">{t.nothing_to_close_detail}</p></div>
            </div>
        }
        .into_any(),
    };
    let devices = use_devices();
    view! {
        <div class="closing-columns">
            <div class="closing-open">
                <MissingOrders devices=devices/>
                {unanchored}
                {unsettled}
                <MoneyMark/>
                {day}
                <Drawer view=view/>
            </div>
            <ShownPaper view=view shown=shown/>
            <div class="closing-side">
                <Phones devices=devices/>
                <PastClosings closed=closed shown=shown/>
                <Months view=view shown=shown/>
                <JournalCheck/>
            </div>
        </div>
    }
}

/// Asks once, plainly, then closes.
#[component]
fn CloseButton(view: Cached<ClosingView>, shown: RwSignal<Option<Shown>>, summary: CloseSummary) -> impl IntoView {
    let t = t();
    let (session, live) = (use_session(), use_live());
    let asks = RwSignal::new(false);
    let closing = RwSignal::new(false);
    let refused = RwSignal::new(None::<String>);
    let day = summary.service_day;
    let close = move |_| {
        closing.set(true);
        refused.set(None);
        spawn_local(async move {
            // The day is named: pressing again closes nothing else and shows the same Z.
            let answer = calls::close(CloseRequest { date: Some(day), kind: CloseKind::Z }).await;
            live.heard_of_call(&answer);
            closing.try_set(false);
            match answer {
                Ok(done) => {
                    asks.try_set(false);
                    shown.try_set(Some(Shown::Z(Box::new(done))));
                    view.refresh();
                }
                Err(error) => {
                    session.heed(&error);
                    refused.try_set(Some(explain(&error)));
                }
            }
        });
    };
    view! {
        <button type="button" class="button primary closing-button" data-testid="close-day" on:click=move |_| asks.set(true)>
            <Icon glyph=Glyph::Lock/>{t.close_day}
        </button>
        <Sheet open=asks title=t.close_day>
            <div class="closing-confirm">
                <p class="closing-day">{t.day(day)}</p>
                <p class="closing-total number">{summary.total_ttc.to_string()}</p>
                <p class="quiet-text">{t.close_confirm_detail}</p>
                {move || refused.get().map(|why| view! { <Notice tone=Tone::Bad>{why}</Notice> })}
                <div class="cash-after">
                    <button type="button" class="button" on:click=move |_| asks.set(false)>{t.cancel}</button>
                    <button type="button" class="button primary" data-testid="confirm-close" disabled=move || closing.get() on:click=close>
                        <Icon glyph=Glyph::Lock/>{move || if closing.get() { t.closing_now } else { t.close_now }}
                    </button>
                </div>
            </div>
        </Sheet>
    }
}

/// Shows the X as a paper.
#[component]
fn ShowX(view: Cached<ClosingView>, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let x = Memo::new(move |_| view.data.with(|view| view.as_ref().and_then(|view| view.x.clone())));
    move || {
        x.get().map(|x| {
            let show = move |_| shown.set(Some(Shown::X(x.clone())));
            view! {
                <button type="button" class="button" data-testid="show-x" on:click=show>
                    <Icon glyph=Glyph::Receipt/>{paper::t().show_x}
                </button>
            }
        })
    }
}

/// The X that was asked for, or the Z that was just made or chosen from the list.
#[component]
fn ShownPaper(view: Cached<ClosingView>, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let t = t();
    let has_printer = Memo::new(move |_| view.data.with(|view| view.as_ref().is_some_and(|view| view.has_printer)));
    move || {
        shown.get().map(|shown| {
            let done = match shown {
                Shown::X(x) => return view! { <XPaper x=x/> }.into_any(),
                Shown::Z(done) => *done,
            };
            let said = if done.already_closed { t.already_closed } else { t.day_closed };
            let id = done.audit_log_id;
            let of = Printable::fetched(done.paper, calls::closing_paper(id));
            let call: PrintCall = Arc::new(move |request| Box::pin(calls::print_closing(id, request)));
            view! {
                <section class="closing-paper" aria-label=t.day_closed>
                    <Notice tone=if done.already_closed { Tone::Info } else { Tone::Good }>
                        <span>{said}" · "<span class="closing-hash">{t.fingerprint}" "<code>{short(&done.hash)}</code></span></span>
                    </Notice>
                    <PaperSheet of=of testid="z-ticket"/>
                    <div class="paper-actions"><PrintButtons of=of call=call has_printer=has_printer.get()/></div>
                </section>
            }
            .into_any()
        })
    }
}

/// An X: nothing is recorded, so it is printed as often as one likes.
#[component]
fn XPaper(x: Paper) -> impl IntoView {
    let of = Printable::looking_at(x);
    view! {
        <section class="closing-paper" aria-label=paper::t().x_title>
            <PaperSheet of=of testid="x-paper" free=true/>
            <div class="paper-actions">
                <button type="button" class="button primary" data-testid="print-x" on:click=move |_| print_page_soon()>
                    <Icon glyph=Glyph::Printer/>{paper::t().print}
                </button>
                <RollChoice of=of/>
            </div>
        </section>
    }
}

#[component]
fn PastClosings(closed: Memo<Vec<CloseDone>>, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let t = t();
    let row = move |done: CloseDone| {
        let (day, hash) = (t.day(done.summary.service_day), short(&done.hash));
        let name = format!("Z\u{a0}{}", done.summary.z_number.unwrap_or_default());
        row_of_closing(done, name, view! { {day}<code>{hash}</code> }.into_any(), shown)
    };
    let list = move || match closed.get() {
        none if none.is_empty() => view! { <p class="quiet-text">{t.no_past_closing}</p> }.into_any(),
        closed => view! { <ul class="closing-list">{closed.into_iter().map(row).collect_view()}</ul> }.into_any(),
    };
    view! { <section class="card closing-past"><h2>{t.past_closings}</h2>{list}</section> }
}

/// A closing in a list: pressing it shows its paper.
fn row_of_closing(done: CloseDone, name: String, detail: AnyView, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let total = done.summary.total_ttc.to_string();
    let number = done.summary.period.clone().unwrap_or_else(|| done.summary.z_number.unwrap_or_default().to_string());
    let id = done.audit_log_id;
    let current = move || shown.with(|shown| matches!(shown, Some(Shown::Z(done)) if done.audit_log_id == id)).then_some("true");
    let show = move |_| shown.set(Some(Shown::Z(Box::new(CloseDone { already_closed: true, ..done.clone() }))));
    view! {
        <li>
            <button type="button" class="closing-row" data-testid=format!("closing-{number}") aria-current=current on:click=show>
                <span class="closing-row-z">{name}</span>
                <span class="closing-row-day">{detail}</span>
                <span class="number">{total}</span>
            </button>
        </li>
    }
}

/// The beginning of a hash, for the eye: `3fa9 07c1 b2d4 118e`.
fn short(hash: &str) -> String {
    let beginning: Vec<char> = hash.chars().take(16).collect();
    beginning.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_shortened_for_the_eye() {
        assert_eq!(short("3fa907c1b2d4118e5566"), "3fa9 07c1 b2d4 118e");
        assert_eq!(short("é"), "é");
    }
}
