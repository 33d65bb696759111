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
pub(super) fn Unsent(id: TableId, unsent: Memo<HashMap<TableId, u32>>) -> impl IntoView {
    let count = Memo::new(move |_| unsent.read().get(&id).copied().unwrap_or(0));
    view! {
        <Show when=move || { count.get() > 0 }>
            <span class="table-draft" data-testid=format!("unsent-{id}")><Icon glyph=Glyph::Phone/>{count}" "{plan::t().to_send}</span>
        </Show>
    }
}

/// One table, piece by piece: in a service one piece changes at a time, many times a minute, and the rest stays as it was drawn.
#[derive(Clone, Copy)]
pub(super) struct Watched {
    /// The table as the house drew it.
    pub(super) drawn: Memo<Option<TableView>>,
    /// Where it stands.
    pub(super) status: Memo<TableStatus>,
    /// For how many minutes.
    pub(super) minutes: Memo<Option<i64>>,
    /// The name of whoever looks after it.
    pub(super) who: Memo<Option<String>>,
    /// Whoever looks after it is signed in here.
    pub(super) is_mine: Memo<bool>,
    /// What is left to pay, in words.
    pub(super) left: Memo<Option<String>>,
}

impl Watched {
    pub(super) fn new(id: TableId, floor: Cached<Vec<TableView>>) -> Self {
        let (clock, session) = (use_clock(), use_session());
        let table = Memo::new(move |_| floor.data.with(|floor| floor.iter().flatten().find(|table| table.id == id).cloned()));
        let standing = Memo::new(move |_| table.with(|table| table.as_ref().map(|table| standing(table, clock))));
        Self {
            drawn: Memo::new(move |_| table.with(|table| table.as_ref().map(TableView::as_drawn))),
            status: Memo::new(move |_| standing.get().map_or(TableStatus::Free, |(status, _)| status)),
            minutes: Memo::new(move |_| standing.get().and_then(|(_, minutes)| minutes)),
            who: Memo::new(move |_| table.with(|table| table.as_ref().and_then(|table| table.server_name.clone()))),
            is_mine: Memo::new(move |_| {
                let whose = table.with(|table| table.as_ref().and_then(|table| table.server_user_id));
                whose.is_some() && session.user().map(|user| user.id) == whose
            }),
            left: Memo::new(move |_| table.with(|table| table.as_ref().and_then(|table| table.remaining).map(|left| left.to_string()))),
        }
    }

    /// `12 min`.
    pub(super) fn elapsed(self) -> impl IntoView {
        move || view! { <Elapsed status=self.status.get() minutes=self.minutes.get()/> }
    }

    /// Icon and word.
    pub(super) fn status_words(self) -> impl IntoView {
        let t = t();
        move || {
            let status = self.status.get();
            view! { <Icon glyph=status_glyph(status)/>{t.table_status(status)} }
        }
    }
}

/// A table where it stands. Its shape is turned, its words are not.
#[component]
pub(super) fn Table(id: TableId, floor: Cached<Vec<TableView>>, unsent: Memo<HashMap<TableId, u32>>) -> impl IntoView {
    let (t, words) = (t(), plan::t());
    let watched = Watched::new(id, floor);
    let is_free = Memo::new(move |_| watched.status.get() == TableStatus::Free);
    let class = move || status_class(watched.status.get());
    let mine = move || if watched.is_mine.get() { " is-mine" } else { "" };
    let chairs = move |count: u16| (0..count.min(6)).map(|_| view! { <i></i> }).collect_view();
    let drawn = move |table: TableView| {
        let TableView { name, seats, x, y, width, height, rotation, round, .. } = table;
        let small = move || {
            if is_free.get() {
                view! { <span class="table-small">{words.seat_count(seats)}</span> }.into_any()
            } else {
                view! {
                    <span class="table-small table-age">{watched.elapsed()}</span>
                    <span class="table-small table-who">{watched.who}</span>
                    <span class="table-small table-left number">{watched.left}</span>
                }
                .into_any()
            }
        };
        view! {
            <li class=move || format!("spot {}", class()) style=format!("--x:{x};--y:{y};--w:{width};--h:{height};--r:{rotation}deg")>
                <span class="shape" class:is-round=round aria-hidden="true">
                    <span class="chairs">{chairs(seats.div_ceil(2))}</span>
                    <span class="chairs">{chairs(seats / 2)}</span>
                </span>
                <a class=move || format!("table {}{}", class(), mine()) href=format!("/table/{id}") data-testid=format!("table-{id}")>
                    <span class="table-name"><span class="visually-hidden">{t.table}" "</span>{name}</span>
                    <span class="table-status">{watched.status_words()}</span>
                    {small}
                    <Unsent id=id unsent=unsent/>
                </a>
            </li>
        }
    };
    move || watched.drawn.get().map(drawn)
}
