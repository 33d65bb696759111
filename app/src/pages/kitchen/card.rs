//! One card: what one station sees of one slip. Its parts stay where they are while their content changes, so that no tap falls into a hole
//! and the keyboard keeps its place.

use super::columns::slug;
use super::stove::Stove;
use crate::browser::clock::spell_minutes;
use crate::browser::steady::Settling;
use crate::components::icon::{Glyph, Icon};
use crate::components::state::StateChip;
use crate::i18n;
use crate::i18n::kitchen::t;
use domain::LineId;
use domain::api::{KitchenLine, KitchenVoid};
use domain::kitchen::{Age, Card, CardKey, Column, may_be_allergy};
use domain::order::{KitchenMove, LineState};
use leptos::html::Article;
use leptos::prelude::*;

/// A card.
#[component]
pub(super) fn CardView(stove: Stove, key: CardKey) -> impl IntoView {
    let t = t();
    let card = Memo::new(move |_| stove.board.with(|board| board.card(key).cloned()));
    let since = Memo::new(move |_| card.with(|card| card.as_ref().and_then(|card| card.since)));
    let minutes = Memo::new(move |_| since.get().and_then(|since| stove.minutes_since(since)));
    let age = move || minutes.get().map_or(Age::Fresh, |minutes| key.column.age(minutes));
    let is = move |what: fn(&Card) -> bool| Memo::new(move |_| card.with(|card| card.as_ref().is_some_and(what)));
    let (is_held, is_called) = (is(Card::is_held), is(|card| card.called));
    let is_new = Memo::new(move |_| {
        stove.fresh.with(|fresh| card.with(|card| card.iter().flat_map(|card| &card.lines).any(|line| fresh.contains(&line.line_id))))
    });
    let class = move || {
        let age = match age() {
            Age::Fresh => "",
            Age::Waiting => " is-waiting",
            Age::Late => " is-late",
        };
        let mark = |is: Memo<bool>, class| if is.get() { class } else { "" };
        format!("slip{age}{}{}{}", mark(is_held, " is-held"), mark(is_called, " is-called"), mark(is_new, " is-new"))
    };
    let head = Memo::new(move |_| card.with(|card| card.as_ref().map(|card| (card.table.clone(), card.server_name.clone()))));
    let heading = move || {
        head.get().map(|(table, server)| {
            let round = (key.round > 1).then(|| format!(" · {} {}", t.follow_up, key.round));
            view! { <h3>{i18n::t().table_named(&table)}</h3><p class="slip-who">{server}{round}</p> }
        })
    };
    let how_long = move || {
        if is_held.get() {
            return view! { <p class="slip-age"><Icon glyph=Glyph::Clock/>{t.held}</p> }.into_any();
        }
        let word = t.age(age()).map(|word| view! { <strong class="slip-word">{word}</strong> });
        view! { <p class="slip-age"><Icon glyph=Glyph::Clock/><span class="number">{minutes.get().map(spell_minutes)}</span>{word}</p> }
            .into_any()
    };
    let marks = move || {
        let called = is_called.get().then(|| view! { <span class="slip-mark is-called"><Icon glyph=Glyph::Bell/>{t.called}</span> });
        let new = is_new.get().then(|| view! { <span class="slip-mark is-new">{t.new}</span> });
        (called.is_some() || new.is_some()).then(|| view! { <p class="slip-marks">{called}{new}</p> })
    };
    let line_ids =
        Memo::new(move |_| card.with(|card| card.iter().flat_map(|card| &card.lines).map(|line| line.line_id).collect::<Vec<_>>()));
    let voids = Memo::new(move |_| card.with(|card| card.as_ref().map(|card| card.voids.clone()).unwrap_or_default()));
    let testid = format!("slip-{}-{}-{}", key.order_id, key.round, slug(key.column));
    let slip = NodeRef::<Article>::new();
    view! {
        <article class=class node_ref=slip data-testid=testid>
            <header class="slip-head">{heading}{how_long}{marks}</header>
            <ul>
                <For each=move || voids.get() key=|void| void.void_id let:void><Void stove=stove void=void/></For>
                <For each=move || line_ids.get() key=|id| *id let:id><Line stove=stove card=card id=id/></For>
            </ul>
            <Bump stove=stove key=key card=card slip=slip/>
        </article>
    }
}

/// The button of the whole card. The next card slides to where a bumped one was: it takes no tap until it stands still.
#[component]
fn Bump(stove: Stove, key: CardKey, card: Memo<Option<Card>>, slip: NodeRef<Article>) -> impl IntoView {
    let t = t();
    let (word, said) = if key.column == Column::Pass { (t.all_served, KitchenMove::Served) } else { (t.all_done, KitchenMove::Ready) };
    let active = move || card.with(|card| card.iter().flat_map(Card::active).map(|line| line.line_id).collect::<Vec<LineId>>());
    let is_wanted = Memo::new(move |_| !active().is_empty());
    let table = move || card.with_untracked(|card| card.as_ref().map(|card| i18n::t().table_named(&card.table)));
    let settling = Settling::of(slip, move || stove.board.track());
    let bump = move |_| {
        let lines = untrack(active);
        if !lines.is_empty() && !settling.is_too_soon() {
            stove.bump(key.order_id, key.round, lines, said, &table().unwrap_or_default());
        }
    };
    let testid = format!("bump-{}-{}-{}", key.order_id, key.round, slug(key.column));
    move || {
        is_wanted.get().then(|| {
            view! {
                <button type="button" class="button slip-bump" class:is-settling=move || settling.is_moving() data-testid=testid.clone() on:click=bump>
                    <Icon glyph=Glyph::CheckAll/>{word}<span class="visually-hidden">" : "{table}</span>
                </button>
            }
        })
    }
}

#[component]
fn Line(stove: Stove, card: Memo<Option<Card>>, id: LineId) -> impl IntoView {
    let t = t();
    let line = Memo::new(move |_| card.with(|card| card.iter().flat_map(|card| &card.lines).find(|line| line.line_id == id).cloned()));
    let state = Memo::new(move |_| line.with(|line| line.as_ref().map_or(LineState::Held, |line| line.state)));
    let content = Memo::new(move |_| line.with(|line| line.as_ref().map(Content::of)));
    let seen_by = Memo::new(move |_| line.with(|line| line.as_ref().and_then(|line| line.seen_by.clone())));
    let move_on = move |_| {
        if let Some(said) = next_move(state.get_untracked()) {
            stove.move_line(id, said);
        }
    };
    let foot = move || {
        let next = next_move(state.get()).map(|said| {
            let class = if said == KitchenMove::Ready { "dish-next is-main" } else { "dish-next" };
            view! { <span class=class>{t.kitchen_move(said)}</span> }
        });
        let seen = seen_by.get().map(|name| view! { <span class="chip dish-seen" data-testid="seen-by"><Icon glyph=Glyph::Check/>{i18n::pass::t().seen(&name)}</span> });
        view! { <span class="dish-foot"><StateChip state=Some(state.get())/>{seen}{next}</span> }
    };
    let is_held = Memo::new(move |_| state.get() == LineState::Held);
    let is_ready = Memo::new(move |_| state.get() == LineState::Ready);
    let dish = move || {
        if is_held.get() {
            view! { <div class="dish" data-testid=format!("kitchen-held-{id}")>{move || content.get().map(Content::show)}{foot}</div> }
                .into_any()
        } else {
            view! {
                <button type="button" class="dish" data-testid=format!("kitchen-next-{id}") on:click=move_on>
                    {move || content.get().map(Content::show)}{foot}
                </button>
            }
            .into_any()
        }
    };
    let name = move || content.with(|content| content.as_ref().map(|content| content.name.clone()));
    let recall = move || {
        is_ready.get().then(|| {
            view! {
                <button type="button" class="dish-recall" data-testid=format!("kitchen-recall-{id}")
                    on:click=move |_| stove.move_line(id, KitchenMove::Recalled)>
                    <Icon glyph=Glyph::Undo/><span class="visually-hidden">{t.recall}" : "{name}</span>
                </button>
            }
        })
    };
    view! { <li class="slip-line" class:is-held=move || is_held.get()>{dish}{recall}</li> }
}

/// What a cook reads of a line, apart from where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    qty: u32,
    name: String,
    choices: Vec<String>,
    note: Option<String>,
}

impl Content {
    fn of(line: &KitchenLine) -> Self {
        Self { qty: line.qty, name: line.name.clone(), choices: line.choices.clone(), note: line.note.clone() }
    }

    fn show(self) -> impl IntoView {
        let t = t();
        let Self { qty, name, choices, note } = self;
        let choices = (!choices.is_empty()).then(|| {
            let choices = choices.into_iter().map(|choice| view! { <span class="dish-choice">{choice}" "</span> }).collect_view();
            view! { <span class="dish-choices">{choices}</span> }
        });
        let note = note.map(|note| {
            if may_be_allergy(&note) {
                view! { <span class="dish-note is-allergy"><Icon glyph=Glyph::Alert/><span><b class="dish-note-label">{t.allergy}" "</b>{note}</span></span> }.into_any()
            } else {
                view! { <span class="dish-note"><Icon glyph=Glyph::Pencil/><span class="visually-hidden">{t.note}" : "</span>{note}</span> }
                    .into_any()
            }
        });
        view! { <span class="dish-name"><strong class="number">{qty}</strong><span>" "{name}" "</span></span>{choices}{note} }
    }
}

#[component]
fn Void(stove: Stove, void: KitchenVoid) -> impl IntoView {
    let t = t();
    let KitchenVoid { void_id, name, qty, reason, .. } = void;
    view! {
        <li class="slip-void" data-testid=format!("void-{void_id}")>
            <p><strong>{t.voided}</strong>" "<span class="slip-void-what">{qty}" × "{name.clone()}</span><span class="slip-void-why">" "{reason}</span></p>
            <button type="button" class="button" data-testid=format!("void-seen-{void_id}") on:click=move |_| stove.see(&[void_id])>
                <Icon glyph=Glyph::Check/>{t.void_seen}<span class="visually-hidden">" : "{name}</span>
            </button>
        </li>
    }
}

/// What a tap says.
const fn next_move(state: LineState) -> Option<KitchenMove> {
    match state {
        LineState::Received => Some(KitchenMove::Cooking),
        LineState::Cooking => Some(KitchenMove::Ready),
        LineState::Ready => Some(KitchenMove::Served),
        LineState::Held | LineState::Served | LineState::Voided => None,
    }
}
