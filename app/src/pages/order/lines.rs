//! The lines of the order and the bar that sends them.
//!
//! On a phone the lines fold into the bar: only the dish that was just touched stays in sight, with its wine under it. On a desktop all
//! lines stand beside the menu.

use super::ordering::Ordering;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone};
use crate::components::state::StateChip;
use crate::components::stepper::Stepper;
use crate::draft::{Draft, DraftLine};
use crate::i18n::t;
use domain::api::LineView;
use domain::menu::Pairing;
use domain::order::{ItemRequest, LineState, MAX_NOTE, MAX_QTY};
use domain::{Cents, ItemId};
use leptos::html::Div;
use leptos::prelude::*;

/// All lines, and the bar.
#[component]
pub(super) fn Ticket(ordering: Ordering) -> impl IntoView {
    let t = t();
    let scroll = NodeRef::<Div>::new();
    // What was touched last is in sight, however long the order.
    Effect::new(move |_| {
        ordering.draft.track();
        ordering.unfolded.track();
        if let Some(scroll) = scroll.get() {
            scroll.set_scroll_top(scroll.scroll_height());
        }
    });
    let sent = move || ordering.open_order().map(|order| order.lines).filter(|lines| !lines.is_empty());
    let on_their_way = move || ordering.draft.with(|draft| draft.sending.clone()).map(|request| request.items);
    let typed = Memo::new(move |_| ordering.draft.with(|draft| draft.lines.iter().map(|line| line.key).collect::<Vec<_>>()));
    let nothing = move || sent().is_none() && ordering.draft.with(Draft::is_empty);
    view! {
        <section class="ticket" class:is-unfolded=move || ordering.unfolded.get() aria-label=t.the_order>
            <div class="ticket-scroll" node_ref=scroll>
                <Show when=nothing><p class="ticket-empty">{t.empty_order}</p></Show>
                {move || sent().map(|lines| {
                    let lines = lines.into_iter().map(|line| view! { <SentLine ordering=ordering line=line/> }).collect_view();
                    view! { <div class="ticket-sent"><h2>{t.already_sent}</h2><ul>{lines}</ul></div> }
                })}
                <Show when=move || !ordering.draft.with(Draft::is_empty)><h2 class="ticket-new">{t.new_lines}</h2></Show>
                {move || on_their_way().map(|items| {
                    let lines = items.into_iter().map(|wish| view! { <WaitingLine ordering=ordering wish=wish/> }).collect_view();
                    view! { <ul class="ticket-waiting">{lines}</ul> }
                })}
                <ul>
                    <For each=move || typed.get() key=|key| *key let:key><TypedLine ordering=ordering key=key/></For>
                </ul>
            </div>
            {move || ordering.problem.get().map(|sentence| view! { <Notice tone=Tone::Warning>{sentence}</Notice> })}
            <SendBar ordering=ordering/>
        </section>
    }
}

/// A line that the server has.
#[component]
fn SentLine(ordering: Ordering, line: LineView) -> impl IntoView {
    let t = t();
    let LineView { line_id, name, qty, total, state, note, part_of, .. } = line;
    let serve = (state == LineState::Ready).then(|| {
        view! { <button type="button" class="button" data-testid=format!("served-{line_id}") on:click=move |_| ordering.served(line_id)>{t.dish_served}</button> }
    });
    view! {
        <li class="line">
            <div class="line-main">
                <span class="line-qty">{qty}</span>
                <span class="line-name">{name}<Under text=part_of/><Under text=note/></span>
                <span class="line-price number">{total.to_string()}</span>
            </div>
            <div class="line-tools"><StateChip state=Some(state)/>{serve}</div>
        </li>
    }
}

/// A line that was sent and not answered: nothing can be changed until the server said what became of it.
#[component]
fn WaitingLine(ordering: Ordering, wish: ItemRequest) -> impl IntoView {
    let item_id = wish.wanted();
    let name = move || item_id.map(|id| name_of(ordering, id));
    view! {
        <li class="line">
            <div class="line-main">
                <span class="line-qty">{wish.qty}</span>
                <span class="line-name">{name}<Under text=wish.note/></span>
            </div>
            <div class="line-tools"><StateChip state=None/></div>
        </li>
    }
}

/// A line being typed.
#[component]
fn TypedLine(ordering: Ordering, key: u32) -> impl IntoView {
    let t = t();
    let line = Memo::new(move |_| ordering.draft.with(|draft| draft.lines.iter().find(|line| line.key == key).cloned()));
    let with_line = move |read: fn(&DraftLine) -> String| line.with(|line| line.as_ref().map(read).unwrap_or_default());
    let item_id = line.with_untracked(|line| line.as_ref().map(|line| line.item_id));
    let is_last = move || ordering.draft.with(|draft| draft.last_line().is_some_and(|last| last.key == key));
    let noting = RwSignal::new(false);
    let price = move || {
        let menu = ordering.menu.data.read();
        let (Some(line), Some(menu)) = (line.get(), menu.as_ref()) else { return String::new() };
        Draft::price_line(ordering.table_id, &line, menu).map_or_else(|| t.sold_out.to_owned(), |price| price.to_string())
    };
    let wine = move || item_id.filter(|_| is_last()).and_then(|id| ordering.wine_for(id));
    let parts = move || {
        let ids: Vec<ItemId> = line.with(|line| line.iter().flat_map(|line| &line.components).map(|choice| choice.item_id).collect());
        let names: Vec<String> = ids.into_iter().map(|id| name_of(ordering, id)).collect();
        (!names.is_empty()).then(|| names.join(" · "))
    };
    view! {
        <li class="line is-typed" class:is-last=is_last data-testid=item_id.map(|id| format!("line-{id}"))>
            <div class="line-main">
                <span class="line-name">
                    {move || item_id.map(|id| name_of(ordering, id))}
                    {move || view! { <Under text=parts()/> }}
                    {move || view! { <Under text=Some(with_line(|line| line.note.clone())).filter(|note| !noting.get() && !note.is_empty())/> }}
                </span>
                <span class="line-price number">{price}</span>
            </div>
            <div class="line-tools">
                <Stepper
                    value=Signal::derive(move || line.with(|line| line.as_ref().map_or(0, |line| line.qty)))
                    label=t.quantity
                    less=t.one_less
                    more=t.one_more
                    least=0
                    most=MAX_QTY
                    on_change=move |qty: u32| ordering.edit(|draft| draft.set_qty(key, qty))
                />
                <button type="button" class="button line-note" aria-expanded=move || noting.get().to_string() on:click=move |_| noting.update(|noting| *noting = !*noting)>
                    <Icon glyph=Glyph::Pencil/>{t.note}
                </button>
                <button type="button" class="round" aria-label=t.remove on:click=move |_| ordering.edit(|draft| draft.set_qty(key, 0))>
                    <Icon glyph=Glyph::Trash/>
                </button>
            </div>
            <Show when=move || noting.get()>
                <input
                    class="input"
                    aria-label=t.note_for_kitchen
                    placeholder=t.note_for_kitchen
                    maxlength=MAX_NOTE.to_string()
                    prop:value=move || with_line(|line| line.note.clone())
                    on:input=move |event| ordering.edit(|draft| draft.set_note(key, event_target_value(&event)))
                />
            </Show>
            {move || wine().map(|wine| view! { <WineChip ordering=ordering wine=wine/> })}
        </li>
    }
}

/// The wine that goes with the dish: one tap takes it, ignoring it costs nothing.
#[component]
fn WineChip(ordering: Ordering, wine: Pairing) -> impl IntoView {
    let Pairing { id, name, price, reason, .. } = wine;
    view! {
        <button type="button" class="wine-chip" data-testid="wine-chip" on:click=move |_| ordering.add(id, Vec::new())>
            <Icon glyph=Glyph::Wine/>
            <span class="wine-words"><strong>"+ "{name}" · "<span class="number">{price.to_string()}</span></strong><span>{reason}</span></span>
        </button>
    }
}

/// Count, total, *Envoyer*: always in sight.
#[component]
fn SendBar(ordering: Ordering) -> impl IntoView {
    let t = t();
    let total = Memo::new(move |_| {
        ordering.menu.data.with(|menu| {
            menu.as_ref().map_or((Cents::ZERO, false), |menu| ordering.draft.with(|draft| draft.total(ordering.table_id, menu)))
        })
    });
    let count = move || ordering.draft.with(Draft::count);
    let stuck = move || !ordering.busy.get() && ordering.draft.with(|draft| draft.sending.is_some());
    let summary = move || match (count(), ordering.open_order()) {
        (0, Some(order)) => sent_summary(&order.lines),
        (count, Some(order)) => format!("{} · {} {}", t.articles(count), t.already, order.total),
        (count, None) => t.articles(count),
    };
    let amount = move || match (count(), ordering.open_order()) {
        (0, Some(order)) => order.total,
        _ => total.get().0,
    };
    // What has to be sent again is sent as it was, whatever the menu says now.
    let ready = move || count() > 0 && !ordering.busy.get() && (total.get().1 || stuck());
    let word = move || match (ordering.busy.get(), stuck()) {
        (true, _) => t.sending,
        (false, true) => t.send_again,
        (false, false) => t.send,
    };
    view! {
        <Show when=move || { count() > 0 && !total.get().1 && !stuck() && ordering.menu.data.with(Option::is_some) }>
            <Notice tone=Tone::Warning>{t.cannot_price}</Notice>
        </Show>
        <div class="send-bar">
            <button
                type="button"
                class="send-summary"
                aria-expanded=move || ordering.unfolded.get().to_string()
                on:click=move |_| ordering.unfolded.update(|unfolded| *unfolded = !*unfolded)
            >
                {move || view! { <Icon glyph=if ordering.unfolded.get() { Glyph::Down } else { Glyph::Up }/> }}
                <span class="send-count" data-testid="count">{summary}</span>
                <span class="send-total number" data-testid="total">{move || amount().to_string()}</span>
            </button>
            <button type="button" class="button primary send" data-testid="send" disabled=move || !ready() on:click=move |_| ordering.send()>
                <Icon glyph=Glyph::Send/>{word}
            </button>
        </div>
    }
}

/// `3 envoyés · 1 prêt`.
fn sent_summary(lines: &[LineView]) -> String {
    let count = |wanted: fn(LineState) -> bool| lines.iter().filter(|line| wanted(line.state)).map(|line| line.qty).sum::<u32>();
    let sent = t().sent_count(count(|state| state != LineState::Voided));
    match count(|state| state == LineState::Ready) {
        0 => sent,
        ready => format!("{sent} · {}", t().ready_count(ready)),
    }
}

fn name_of(ordering: Ordering, id: ItemId) -> String {
    ordering.menu.data.with(|menu| menu.as_ref().and_then(|menu| menu.item(id)).map(|item| item.name.clone()).unwrap_or_default())
}

/// A small line under a name.
#[component]
fn Under(text: Option<String>) -> impl IntoView {
    text.map(|text| view! { <small class="under">{text}</small> })
}
