//! One table of the plan: number, where it stands (shape, icon and word), since when, who, what is left to pay, what is not sent.

use crate::browser::Cached;
use crate::browser::clock::{Clock, spell_minutes, use_clock};
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{plan, t};
use crate::session::use_session;
use domain::TableId;
use domain::api::TableView;
use domain::floor::{Age, age};
use domain::order::TableStatus;
use leptos::prelude::*;
use std::collections::HashMap;

pub(super) const fn status_class(status: TableStatus) -> &'static str {
    match status {
        TableStatus::Free => "is-free",
        TableStatus::Occupied => "is-occupied",
        TableStatus::Waiting => "is-waiting",
        TableStatus::Ready => "is-ready",
        TableStatus::Bill => "is-bill",
    }
}

pub(super) const fn status_glyph(status: TableStatus) -> Glyph {
    match status {
        TableStatus::Free => Glyph::Circle,
        TableStatus::Occupied => Glyph::Utensils,
        TableStatus::Waiting => Glyph::Clock,
        TableStatus::Ready => Glyph::Bell,
        TableStatus::Bill => Glyph::Receipt,
    }
}

/// Where a table stands by this phone's clock, and for how many minutes.
pub(super) fn standing(table: &TableView, clock: Clock) -> (TableStatus, Option<i64>) {
    let (status, since) = clock.now().map_or((table.status, table.since), |now| table.standing_at(now));
    (status, since.and_then(|since| clock.minutes_since(since)))
}

/// `12 min`, with its colour and its word when that is long.
#[component]
pub(super) fn Elapsed(status: TableStatus, minutes: Option<i64>) -> impl IntoView {
    minutes.map(|minutes| {
        let age = age(status, minutes);
        let class = match age {
            Age::Fresh => "age",
            Age::Long => "age is-long",
            Age::TooLong => "age is-too-long",
        };
        view! { <span class=class>{spell_minutes(minutes)}{plan::t().age(age).map(|word| view! { " · "<b>{word}</b> })}</span> }
    })
}

/// How many articles this phone has not sent for a table.
#[component]
pub(super) fn Unsent(id: TableId, unsent: RwSignal<HashMap<TableId, u32>>) -> impl IntoView {
    let count = move || unsent.read().get(&id).copied();
    move || {
        count().map(|count| {
            view! {
                <span class="table-draft" data-testid=format!("unsent-{id}")><Icon glyph=Glyph::Phone/>{count}" "{plan::t().to_send}</span>
            }
        })
    }
}

/// A table where it stands. Its shape is turned, its words are not.
#[component]
pub(super) fn Table(id: TableId, floor: Cached<Vec<TableView>>, unsent: RwSignal<HashMap<TableId, u32>>) -> impl IntoView {
    let (t, words) = (t(), plan::t());
    let (clock, session) = (use_clock(), use_session());
    let table = Memo::new(move |_| floor.data.with(|floor| floor.iter().flatten().find(|table| table.id == id).cloned()));
    let standing = Memo::new(move |_| table.with(|table| table.as_ref().map(|table| standing(table, clock))));
    let chairs = move |count: u16| (0..count.min(6)).map(|_| view! { <i></i> }).collect_view();
    let drawn = move |table: TableView, status: TableStatus| {
        let TableView { name, seats, server_user_id, server_name, remaining, x, y, width, height, rotation, round, .. } = table;
        let is_mine = move || server_user_id.is_some() && session.user().map(|user| user.id) == server_user_id;
        let minutes = move || standing.get().and_then(|(_, minutes)| minutes);
        view! {
            <li class=format!("spot {}", status_class(status)) style=format!("--x:{x};--y:{y};--w:{width};--h:{height};--r:{rotation}deg")>
                <span class="shape" class:is-round=round aria-hidden="true">
                    <span class="chairs">{chairs(seats.div_ceil(2))}</span>
                    <span class="chairs">{chairs(seats / 2)}</span>
                </span>
                <a class=format!("table {}", status_class(status)) class:is-mine=is_mine href=format!("/table/{id}") data-testid=format!("table-{id}")>
                    <span class="table-name"><span class="visually-hidden">{t.table}" "</span>{name}</span>
                    <span class="table-status"><Icon glyph=status_glyph(status)/>{t.table_status(status)}</span>
                    {if status == TableStatus::Free {
                        view! { <span class="table-small">{words.seat_count(seats)}</span> }.into_any()
                    } else {
                        view! {
                            <span class="table-small table-age">{move || view! { <Elapsed status=status minutes=minutes()/> }}</span>
                            <span class="table-small table-who">{server_name}</span>
                            <span class="table-small table-left number">{remaining.map(|left| left.to_string())}</span>
                        }
                        .into_any()
                    }}
                    <Unsent id=id unsent=unsent/>
                </a>
            </li>
        }
    };
    let status = Memo::new(move |_| standing.get().map(|(status, _)| status));
    move || table.get().zip(status.get()).map(|(table, status)| drawn(table, status))
}
