//! Months and years: what waits to be closed, and what was.

use super::{Shown, row_of_closing, short};
use crate::browser::Cached;
use crate::browser::live::use_live;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone, explain};
use crate::i18n::t;
use crate::session::use_session;
use domain::api::{CloseDone, CloseDue, CloseKind, CloseRequest, ClosingView};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Months and years that have ended, each with its button, then those that were closed.
#[component]
pub(super) fn Months(view: Cached<ClosingView>, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let t = t();
    let (session, live) = (use_session(), use_live());
    let due = Memo::new(move |_| view.data.with(|view| view.as_ref().map(|view| view.due.clone()).unwrap_or_default()));
    let closed = Memo::new(move |_| view.data.with(|view| view.as_ref().map(|view| view.closed_long.clone()).unwrap_or_default()));
    let closing = RwSignal::new(false);
    let refused = RwSignal::new(None::<String>);
    let close = move |of: CloseDue| {
        closing.set(true);
        refused.set(None);
        spawn_local(async move {
            let answer = calls::close(CloseRequest { date: Some(of.date), kind: of.kind }).await;
            live.heard_of_call(&answer);
            closing.try_set(false);
            match answer {
                Ok(done) => {
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
    let waiting = move |of: CloseDue| {
        let word = if of.kind == CloseKind::Year { t.close_year } else { t.close_month };
        let (testid, period) = (format!("close-{}", of.period), of.period.clone());
        view! {
            <button type="button" class="button" data-testid=testid disabled=move || closing.get() on:click=move |_| close(of.clone())>
                <Icon glyph=Glyph::Lock/>{word}" "{period}
            </button>
        }
    };
    let row = move |done: CloseDone| {
        let period = done.summary.period.clone().unwrap_or_default();
        let detail = view! { <code>{short(&done.hash)}</code> }.into_any();
        row_of_closing(done, period, detail, shown)
    };
    move || {
        let (due, closed) = (due.get(), closed.get());
        (!due.is_empty() || !closed.is_empty()).then(|| {
            view! {
                <section class="card closing-past" aria-labelledby="months-heading">
                    <h2 id="months-heading">{t.months_and_years}</h2>
                    {move || refused.get().map(|why| view! { <Notice tone=Tone::Bad>{why}</Notice> })}
                    <div class="drawer-kinds">{due.into_iter().map(waiting).collect_view()}</div>
                    <ul class="closing-list">{closed.into_iter().map(row).collect_view()}</ul>
                </section>
            }
        })
    }
}
