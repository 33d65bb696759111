//! What can be done with a table: move, join, hand over, ask for the bill, free it.

use super::ordering::Ordering;
use super::panels::Panel;
use crate::browser::use_cached;
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::draft::Draft;
use crate::i18n::order::order as texts;
use crate::i18n::t;
use domain::api::{Colleague, OrderView, TableView};
use domain::{Cents, OrderId, TableId};
use leptos::prelude::*;

/// The list.
#[component]
pub(super) fn Actions(ordering: Ordering) -> impl IntoView {
    let t = texts();
    let order = Memo::new(move |_| ordering.open_order());
    // What waits for its answer belongs to this table; it must not come back when the guests are elsewhere.
    let stuck = move || !ordering.on_their_way().is_empty();
    let movable = move || !stuck() && (order.with(Option::is_some) || !ordering.draft.with(Draft::is_empty));
    let owes_nothing = move || order.with(|order| order.as_ref().is_some_and(|order| order.total == Cents::ZERO));
    let server = move || order.with(|order| order.as_ref().map(|order| format!("{} {}", t.looked_after_by, order.server_name)));
    let bill = move || {
        let asked = order.with(|order| order.as_ref().map(|order| order.bill_asked))?;
        let word = if asked { t.unask_bill } else { t.ask_bill };
        Some(
            view! { <Action glyph=Glyph::Receipt word=word testid="ask-bill" busy=ordering.amending on_tap=move || ordering.ask_bill(!asked)/> },
        )
    };
    view! {
        <div class="panel" data-testid="actions">
            <p class="quiet-text">{server}</p>
            <Show when=stuck><p class="quiet-text">{t.sending_first}</p></Show>
            <Show when={move || order.with(Option::is_none) && ordering.draft.with(Draft::is_empty)}><p class="quiet-text">{t.nothing_yet}</p></Show>
            <div class="actions">
                {bill}
                <Show when=movable>
                    <Action glyph=Glyph::Swap word=t.move_table detail=t.move_detail testid="move" busy=ordering.amending on_tap=move || ordering.show(Panel::Move)/>
                </Show>
                <Show when={move || movable() && order.with(Option::is_some)}>
                    <Action glyph=Glyph::Join word=t.join_table detail=t.join_detail testid="join" busy=ordering.amending on_tap=move || ordering.show(Panel::Join)/>
                </Show>
                <Show when={move || order.with(Option::is_some)}>
                    <Action glyph=Glyph::User word=t.hand_over testid="hand-over" busy=ordering.amending on_tap=move || ordering.show(Panel::HandOver)/>
                </Show>
                <Show when=owes_nothing>
                    <Action glyph=Glyph::Leave word=t.release detail=t.release_detail testid="release" busy=ordering.amending on_tap=move || ordering.release()/>
                </Show>
            </div>
        </div>
    }
}

/// One thing to do: icon, words, the whole row to tap.
#[component]
fn Action(
    glyph: Glyph,
    #[prop(into)] word: String,
    #[prop(optional, into)] detail: String,
    #[prop(into)] testid: String,
    busy: RwSignal<bool>,
    #[prop(into)] on_tap: Callback<()>,
) -> impl IntoView {
    view! {
        <button type="button" class="action" data-testid=testid disabled=move || busy.get() on:click=move |_| on_tap.run(())>
            <Icon glyph=glyph/>
            <span><strong>{word}</strong>{(!detail.is_empty()).then(|| view! { <small>{detail}</small> })}</span>
        </button>
    }
}

/// Where to: free tables take the guests, at an occupied one they may join the others.
#[component]
pub(super) fn Tables(ordering: Ordering, occupied_only: bool) -> impl IntoView {
    let others = move || {
        let all = ordering.floor.data.with(|floor| floor.clone().unwrap_or_default());
        all.into_iter().filter(|table| table.id != ordering.table_id && (!occupied_only || table.order_id.is_some())).collect::<Vec<_>>()
    };
    let choose = move |table: TableView| match table.order_id {
        Some(order) if ordering.order.data.with_untracked(Option::is_some) => ordering.show(Panel::JoinQuestion(order, table.id)),
        _ => ordering.move_to(table.id),
    };
    let tile = move |table: TableView| {
        let words = table.order_id.map_or_else(|| texts().free.to_owned(), |_| table.server_name.clone().unwrap_or_default());
        let (name, testid, is_free) = (table.name.clone(), format!("to-table-{}", table.id), table.order_id.is_none());
        let glyph = if is_free { Glyph::Circle } else { Glyph::Utensils };
        view! {
            <button type="button" class="table-choice" class:is-free=is_free data-testid=testid disabled=move || ordering.amending.get() on:click=move |_| choose(table.clone())>
                <strong><span class="visually-hidden">{t().table}" "</span>{name}</strong>
                <small><Icon glyph=glyph/>{words}</small>
            </button>
        }
    };
    view! {
        <div class="panel" data-testid="tables">
            <Show when=move || others().is_empty()><p class="quiet-text">{texts().no_other_table}</p></Show>
            <div class="table-choices">{move || others().into_iter().map(tile).collect_view()}</div>
        </div>
    }
}

/// Joining cannot be undone: it is asked once.
#[component]
pub(super) fn JoinQuestion(ordering: Ordering, into: OrderId, table: TableId) -> impl IntoView {
    let name = ordering.floor.data.with_untracked(|floor| {
        floor.iter().flatten().find(|other| other.id == table).map_or_else(|| table.to_string(), |other| other.name.clone())
    });
    let sentence = texts().join_sentence(&untrack(|| ordering.table_name()), &name);
    view! {
        <div class="panel">
            <p>{sentence}</p>
            <div class="panel-foot">
                <button type="button" class="button" on:click=move |_| ordering.close()>{t().cancel}</button>
                <button type="button" class="button primary" data-testid="join-now" disabled=move || ordering.amending.get() on:click=move |_| ordering.join(into, table)>
                    <Icon glyph=Glyph::Join/>{texts().join}
                </button>
            </div>
        </div>
    }
}

/// Who looks after the table from now on.
#[component]
pub(super) fn Colleagues(ordering: Ordering) -> impl IntoView {
    let colleagues = use_cached("colleagues", calls::colleagues);
    let server = move || ordering.open_order().map(|order: OrderView| order.server_user_id);
    let others = move || {
        let all: Vec<Colleague> = colleagues.data.with(|all| all.clone().unwrap_or_default());
        all.into_iter().filter(|one| Some(one.id) != server()).collect::<Vec<_>>()
    };
    let person = move |one: Colleague| {
        let (id, name) = (one.id, one.name.clone());
        view! {
            <Action glyph=Glyph::User word=one.name testid=format!("colleague-{id}") busy=ordering.amending on_tap=move || ordering.hand_over(id, &name)/>
        }
    };
    view! {
        <div class="panel" data-testid="colleagues">
            <Show when=move || colleagues.error.with(Option::is_some) && colleagues.data.with(Option::is_none)>
                <p class="quiet-text">{texts().no_colleagues}</p>
            </Show>
            <div class="actions">{move || others().into_iter().map(person).collect_view()}</div>
        </div>
    }
}
