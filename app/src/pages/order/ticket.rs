//! The lines of the order, course by course, and the bar that sends them.
//!
//! On a phone the lines fold into the bar: only the dish that was just touched stays in sight, with its wine under it. On a desktop all
//! lines stand beside the menu.

use super::ordering::Ordering;
use super::panels::Panel;
use super::sent::SentLines;
use super::typed::{TypedLines, WaitingLine};
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone};
use crate::draft::{Draft, Fault};
use crate::i18n::order::order as texts;
use crate::i18n::t;
use domain::Cents;
use domain::api::LineView;
use domain::order::LineState;
use leptos::html::Div;
use leptos::prelude::*;

/// All lines, and the bar.
#[component]
pub(super) fn Ticket(ordering: Ordering) -> impl IntoView {
    let t = t();
    let scroll = NodeRef::<Div>::new();
    let last = Memo::new(move |_| ordering.draft.with(|draft| draft.last_line().map(|line| (line.key, line.qty))));
    let waiting = Memo::new(move |_| ordering.on_their_way());
    let sending = Memo::new(move |_| waiting.with(Vec::len));
    // What was touched last is in sight, however long the order. In the next frame: until then it is not drawn.
    Effect::new(move |_| {
        last.track();
        sending.track();
        ordering.unfolded.track();
        request_animation_frame(move || {
            let Some(scroll) = scroll.try_get_untracked().flatten() else { return };
            match scroll.query_selector(".is-last") {
                Ok(Some(line)) => line.scroll_into_view_with_bool(false),
                Ok(None) | Err(_) => scroll.set_scroll_top(scroll.scroll_height()),
            }
        });
    });
    let sent = move || ordering.open_order().map(|order| order.lines).filter(|lines| !lines.is_empty());
    let on_their_way = move || Some(waiting.get()).filter(|items| !items.is_empty());
    let nothing = move || sent().is_none() && waiting.with(Vec::is_empty) && ordering.draft.with(Draft::is_empty);
    view! {
        <section class="ticket" class:is-unfolded=move || ordering.unfolded.get() aria-label=t.the_order>
            <div class="ticket-scroll" node_ref=scroll>
                <Show when=nothing><p class="ticket-empty">{t.empty_order}</p></Show>
                {move || sent().map(|lines| view! {
                    <div class="ticket-sent"><h2>{t.already_sent}</h2><SentLines ordering=ordering lines=lines/></div>
                })}
                <Show when=move || !waiting.with(Vec::is_empty) || !ordering.draft.with(Draft::is_empty)><h2 class="ticket-new">{t.new_lines}</h2></Show>
                {move || on_their_way().map(|items| {
                    let lines = items.into_iter().map(|wish| view! { <WaitingLine ordering=ordering wish=wish/> }).collect_view();
                    view! { <ul class="ticket-waiting">{lines}</ul> }
                })}
                <TypedLines ordering=ordering/>
            </div>
            {move || ordering.problem.get().map(|sentence| view! { <Notice tone=Tone::Warning>{sentence}</Notice> })}
            <Obstacle ordering=ordering/>
            <SendBar ordering=ordering/>
        </section>
    }
}

/// What keeps the order from being sent, and the one tap that helps.
#[component]
fn Obstacle(ordering: Ordering) -> impl IntoView {
    let fault = Memo::new(move |_| {
        ordering.menu.data.with(|menu| {
            let menu = menu.as_ref()?;
            ordering.draft.with(|draft| {
                let (key, fault) = draft.first_fault(ordering.table_id, menu)?;
                Some((key, fault, draft.line(key)?.item_id))
            })
        })
    });
    let shown = move || {
        let (key, fault, item) = fault.get()?;
        let name = ordering.name_of(item);
        let (sentence, word) = match fault {
            Fault::SoldOut => (format!("{name} {}", texts().sold_out_remove), t().remove),
            Fault::ToChoose => (format!("{name} : {}", texts().must_choose), texts().choose),
        };
        let help = move |_| match fault {
            Fault::SoldOut => ordering.remove(key),
            Fault::ToChoose => ordering.show(Panel::Line(key)),
        };
        Some(view! {
            <Notice tone=Tone::Warning>
                <span>{sentence}</span>
                <button type="button" class="button quiet" data-testid="obstacle" on:click=help>{word}</button>
            </Notice>
        })
    };
    view! { {shown} }
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
    // What waits here: how many, and what they come to.
    let kept = Memo::new(move |_| {
        let wishes = ordering.on_their_way();
        let amount =
            ordering.menu.data.with(|menu| menu.as_ref().map_or(Cents::ZERO, |menu| Draft::price_wishes(ordering.table_id, &wishes, menu)));
        (wishes.iter().map(|wish| wish.qty).sum::<u32>(), amount)
    });
    let here = move |count: u32| format!("{count}\u{a0}{}", t.here);
    let summary = move || match (count(), kept.get().0, ordering.open_order()) {
        (0, 0, Some(order)) => sent_summary(&order.lines),
        (0, 0, None) => t.articles(0),
        (0, kept, Some(order)) => format!("{} · {} {}", here(kept), t.already, order.total),
        (0, kept, None) => format!("{} {}", t.articles(kept), t.here),
        (count, 0, Some(order)) => format!("{} · {} {}", t.articles(count), t.already, order.total),
        (count, 0, None) => t.articles(count),
        (count, kept, _) => format!("{} · {}", t.articles(count), here(kept)),
    };
    // While something is typed, what is typed; otherwise what the table comes to.
    let amount = move || match (count(), ordering.open_order()) {
        (0, order) => order.map_or(Cents::ZERO, |order| order.total) + kept.get().1,
        _ => total.get().0,
    };
    let ready = move || count() > 0 && !ordering.busy.get() && total.get().1;
    let word = move || if ordering.busy.get() { t.sending } else { t.send };
    view! {
        <div class="send-bar">
            <button
                type="button"
                class="send-summary"
                data-testid="unfold"
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

/// A small line under a name.
#[component]
pub(super) fn Under(text: Option<String>) -> impl IntoView {
    text.map(|text| view! { <small class="under">{text}</small> })
}
