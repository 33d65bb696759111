//! For which share a sum is: a table, then one of its shares.

use crate::browser::{use_cached, use_cached_for};
use crate::calls;
use crate::components::notice::{Freshness, Skeleton};
use crate::i18n::money::t;
use domain::api::{ShareName, ShareStatus, ShareView, TableView};
use domain::{Cents, OrderId};
use leptos::prelude::*;

/// Chooses a share that owes at least `amount`.
#[component]
pub(super) fn SharePicker(amount: Cents, chosen: RwSignal<Option<ShareName>>) -> impl IntoView {
    let t = t();
    let floor = use_cached("floor", calls::floor);
    let order = RwSignal::new(None::<OrderId>);
    let bill = use_cached_for(move || order.get(), |order| format!("bill-{order}"), calls::bill);
    let table = move |table: TableView| {
        let id = table.order_id?;
        let pressed = move || if order.get() == Some(id) { "true" } else { "false" };
        let choose = move |_| {
            chosen.set(None);
            order.set(Some(id));
        };
        Some(
            view! { <button type="button" class="option" aria-pressed=pressed data-testid=format!("pick-table-{}", table.id) on:click=choose>{table.name}</button> },
        )
    };
    let tables = move || {
        floor.data.get().map(|tables| match tables.into_iter().filter_map(table).collect::<Vec<_>>() {
            none if none.is_empty() => view! { <p class="quiet-text">{t.no_open_table}</p> }.into_any(),
            tables => view! { <div class="options pick-tables">{tables}</div> }.into_any(),
        })
    };
    let share = move |order_id: OrderId, share: ShareView| {
        let name = ShareName { order_id, cover_number: share.cover_number };
        let owes_less = share.amount < amount;
        let pressed = move || if chosen.get() == Some(name) { "true" } else { "false" };
        view! {
            <button type="button" class="option" aria-pressed=pressed disabled=owes_less data-testid=format!("pick-share-{}", share.cover_number) on:click=move |_| chosen.set(Some(name))>
                <span>{share.label}</span><span class="number">{share.amount.to_string()}</span>
                {owes_less.then(|| view! { <small>{t.owes_less}</small> })}
            </button>
        }
    };
    let shares = move || {
        order.get().map(|order_id| match bill.data.get() {
            None => view! { <Freshness of=bill/><Skeleton count=1/> }.into_any(),
            Some(bill) => {
                let open: Vec<_> = bill.shares.into_iter().filter(|share| share.status == ShareStatus::Unpaid).collect();
                if open.is_empty() {
                    view! { <p class="quiet-text">{t.no_open_share}</p> }.into_any()
                } else {
                    let options = open.into_iter().map(|open| share(order_id, open)).collect_view();
                    view! { <fieldset><legend>{t.which_share}</legend><div class="options">{options}</div></fieldset> }.into_any()
                }
            }
        })
    };
    view! {
        <fieldset><legend>{t.which_table}</legend>{tables}</fieldset>
        {shares}
    }
}
