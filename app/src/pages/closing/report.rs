//! The X: what the open day has come to so far. Nothing is recorded by looking.

use crate::i18n::t;
use domain::Cents;
use domain::api::{CloseSummary, Method};
use leptos::prelude::*;

/// The open day: total, payments, means, VAT by rate.
#[component]
pub(super) fn OpenDay(summary: CloseSummary) -> impl IntoView {
    let t = t();
    let means = Method::ALL.into_iter().map(|method| {
        let amount = summary.by_method.get(method);
        view! { <div class:is-nothing=amount == Cents::ZERO><dt>{method.label()}</dt><dd class="number">{amount.to_string()}</dd></div> }
    });
    let rates = summary.vat.iter().map(|line| {
        view! {
            <tr>
                <th scope="row">{line.rate.to_string()}</th>
                <td class="number">{line.net.to_string()}</td>
                <td class="number">{line.vat.to_string()}</td>
                <td class="number">{line.gross.to_string()}</td>
            </tr>
        }
    });
    view! {
        <section class="card closing-report" aria-labelledby="day-heading">
            <h2 id="day-heading">{t.day_open}</h2>
            <p class="closing-day">{t.day(summary.service_day)}</p>
            <p class="closing-total number" data-testid="x-total">{summary.total_ttc.to_string()}</p>
            <p class="quiet-text">
                {t.payment_count(summary.count)}" · "{t.vat_total}" "<span class="number">{summary.total_tva.to_string()}</span>
            </p>
            <h3>{t.means}</h3>
            <dl class="closing-means">{means.collect_view()}</dl>
            <h3>{t.vat}</h3>
            <table class="closing-vat">
                <thead><tr><th scope="col">{t.rate}</th><th scope="col">{t.net}</th><th scope="col">{t.vat}</th><th scope="col">{t.gross}</th></tr></thead>
                <tbody>{rates.collect_view()}</tbody>
            </table>
            <p class="closing-perpetual quiet-text"><span>{t.perpetual}</span><span class="number">{summary.perpetual_total.to_string()}</span></p>
        </section>
    }
}
