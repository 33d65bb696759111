//! For the owner: how long dishes waited at the pass, hour by hour. What the kitchen does well shows here only when the room is quick.

use crate::browser::use_cached;
use crate::calls;
use crate::components::icon::Glyph;
use crate::components::notice::{Empty, Freshness, Skeleton};
use crate::components::page::Page;
use crate::i18n;
use crate::i18n::pass::t;
use domain::api::{Event, HourOfWaits, PassWaits, Waits};
use leptos::prelude::*;

/// Today's waits.
#[component]
pub fn PassWaitsPage() -> impl IntoView {
    let t = t();
    let waits = use_cached("pass-waits", || calls::pass_waits(None));
    waits.follow(|event| matches!(event, Event::OrderChanged { .. }));
    let page = move || match waits.data.get() {
        None => view! { <Skeleton count=4/> }.into_any(),
        Some(PassWaits { whole: None, waiting, .. }) => view! {
            <Empty glyph=Glyph::Clock title=t.no_waits detail=t.no_waits_detail/>
            <p class="waits-now" data-testid="waits-now">{t.still_waiting(waiting)}</p>
        }
        .into_any(),
        Some(PassWaits { whole: Some(whole), day, hours, waiting }) => view! {
            <section class="card waits" aria-labelledby="waits-day">
                <h2 id="waits-day">{i18n::t().day(day)}</h2>
                <p class="quiet-text">{t.waits_detail}</p>
                <dl class="waits-whole" data-testid="waits-whole">
                    <div><dt>{t.median}</dt><dd class="number">{t.span(whole.median_s)}</dd></div>
                    <div><dt>{t.p95}</dt><dd class="number">{t.span(whole.p95_s)}</dd></div>
                    <div><dt>{t.dishes}</dt><dd class="number">{whole.dishes}</dd></div>
                    <div><dt>{t.escalated}</dt><dd class="number">{whole.escalated}</dd></div>
                </dl>
                <p class="waits-now" data-testid="waits-now">{t.still_waiting(waiting)}</p>
                <Hours hours=hours/>
            </section>
        }
        .into_any(),
    };
    view! {
        <Page title=t.waits_title back="/cuisine".to_owned() class="pass-waits">
            <Freshness of=waits/>
            {page}
        </Page>
    }
}

/// One row an hour, with a bar as long as its wait.
#[component]
fn Hours(hours: Vec<HourOfWaits>) -> impl IntoView {
    let t = t();
    let longest = hours.iter().map(|hour| hour.waits.p95_s).max().unwrap_or(0).max(1);
    let row = move |HourOfWaits { hour, waits: Waits { dishes, median_s, p95_s, escalated } }| {
        // In hundredths of the longest, for the eye; the numbers beside it are what counts.
        let bar = format!(
            "--p95: {}%; --median: {}%",
            u64::from(p95_s) * 100 / u64::from(longest),
            u64::from(median_s) * 100 / u64::from(longest)
        );
        view! {
            <tr>
                <th scope="row">{t.of_hour(hour)}</th>
                <td class="number">{dishes}</td>
                <td class="waits-bar"><span aria-hidden="true" style=bar></span></td>
                <td class="number">{t.span(median_s)}</td>
                <td class="number">{t.span(p95_s)}</td>
                <td class="number">{escalated}</td>
            </tr>
        }
    };
    view! {
        <table class="waits-hours">
            <thead>
                <tr>
                    <th scope="col">{t.hour}</th><th scope="col">{t.dishes}</th><td class="waits-bar"></td>
                    <th scope="col">{t.median}</th><th scope="col">{t.p95_short}</th><th scope="col">{t.escalated}</th>
                </tr>
            </thead>
            <tbody>{hours.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}
