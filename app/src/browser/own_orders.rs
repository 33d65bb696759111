//! The open orders of whoever is signed in, kept on the phone before they are needed: without a network, after a cold start, each table of
//! a waiter shows what was ordered there.

use super::http::while_alive;
use super::live::{Told, use_live};
use super::store;
use crate::calls;
use crate::session::use_session;
use domain::api::Event;
use domain::role::Right;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Orders change many times a minute; they are asked for once after it has been quiet for so long, in milliseconds.
#[cfg(feature = "hydrate")]
const QUIET_MS: u32 = 4_000;
/// Where it is never quiet they are asked for after so many times that.
#[cfg(feature = "hydrate")]
const AT_LAST: u32 = 4;

/// Keeps them up to date as long as the tab lives.
pub(super) fn keep_own_orders() {
    let session = use_session();
    let is_due = StoredValue::new(false);
    // Something was heard since the wait began.
    let is_loud = StoredValue::new(false);
    let ask = move || {
        if session.user_untracked().is_none_or(|user| !user.role.may(Right::TakeOrders)) {
            return;
        }
        spawn_local(async {
            if let Ok(orders) = while_alive(calls::own_orders()).await {
                let names: Vec<String> = orders.iter().map(|order| format!("order-{}", order.order_id)).collect();
                for (name, order) in names.iter().zip(&orders) {
                    store::put_json(name.clone(), order).await;
                }
                store::forget_orders_but(&names).await;
            }
        });
    };
    let ask_later = move || {
        if is_due.try_update_value(|due| std::mem::replace(due, true)) != Some(false) {
            is_loud.try_set_value(true);
            return;
        }
        #[cfg(feature = "hydrate")]
        spawn_local(async move {
            for _ in 0..AT_LAST {
                is_loud.try_set_value(false);
                gloo_timers::future::TimeoutFuture::new(QUIET_MS).await;
                if is_loud.try_get_value() != Some(true) {
                    break;
                }
            }
            is_due.try_set_value(false);
            ask();
        });
        #[cfg(not(feature = "hydrate"))]
        let _ = ask;
    };
    use_live().listen(move |told| match told {
        Told::Connected | Told::Event(Event::OrderChanged { .. }) => ask_later(),
        Told::Event(_) => {}
    });
}
