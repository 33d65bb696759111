//! The kitchen's screen: slips as they came, the oldest first, readable from the stove. One tap moves a line on.

use crate::browser::clock::{spell_minutes, use_clock};
use crate::browser::live::use_live;
use crate::browser::{Cached, use_cached};
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Freshness, Skeleton, Tone, explain};
use crate::components::page::Page;
use crate::components::state::StateChip;
use crate::components::toast::use_toaster;
use crate::i18n::t;
use crate::session::use_session;
use domain::LineId;
use domain::api::{Event, KitchenLine, KitchenSlip, KitchenView};
use domain::order::{KitchenMove, LineState};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// A table waits from here on, in minutes; the slip says so.
const WAITING_MIN: i64 = 12;
/// And here it has waited too long.
const LATE_MIN: i64 = 20;

/// The slips.
#[component]
pub fn KitchenPage() -> impl IntoView {
    let t = t();
    let (session, live, toaster) = (use_session(), use_live(), use_toaster());
    let kitchen: Cached<KitchenView> = use_cached("kitchen", calls::kitchen);
    kitchen.follow(|event| matches!(event, Event::OrderChanged { .. } | Event::DishReady { .. } | Event::TableChanged { .. }));
    // Shown at once; the server's answer decides.
    let move_on = Callback::new(move |(line, said): (LineId, KitchenMove)| {
        kitchen.data.update(|view| apply(view.as_mut(), line, said));
        spawn_local(async move {
            let answer = calls::move_line(line, said).await;
            live.heard_of_call(&answer);
            if let Err(error) = answer {
                session.heed(&error);
                toaster.say(Tone::Bad, explain(&error));
            }
            kitchen.refresh();
        });
    });
    let slips = move || match kitchen.data.get() {
        None => view! { <Skeleton count=4/> }.into_any(),
        Some(view) if view.slips.is_empty() => {
            view! { <Empty glyph=Glyph::Flame title=t.nothing_to_do detail=t.nothing_to_do_detail/> }.into_any()
        }
        Some(view) => {
            let slips = view.slips.into_iter().map(|slip| view! { <Slip slip=slip move_on=move_on/> }).collect_view();
            view! { <div class="slips">{slips}</div> }.into_any()
        }
    };
    view! {
        <Page title=t.kitchen_title class="kitchen">
            <Freshness of=kitchen/>
            {slips}
        </Page>
    }
}

#[component]
fn Slip(slip: KitchenSlip, move_on: Callback<(LineId, KitchenMove)>) -> impl IntoView {
    let t = t();
    let clock = use_clock();
    let KitchenSlip { table, server_name, round, at, lines, .. } = slip;
    let age = move || clock.minutes_since(at);
    let urgency = move || match age() {
        Some(LATE_MIN..) => "slip is-late",
        Some(WAITING_MIN..) => "slip is-waiting",
        _ => "slip",
    };
    let word = move || match age() {
        Some(LATE_MIN..) => Some(t.late),
        Some(WAITING_MIN..) => Some(t.waiting),
        _ => None,
    };
    let lines = lines.into_iter().map(|line| view! { <Line line=line move_on=move_on/> }).collect_view();
    view! {
        <article class=urgency>
            <header class="slip-head">
                <h2>{t.table_named(&table)}</h2>
                <p class="slip-who">{server_name}{(round > 1).then(|| format!(" · {} {round}", t.follow_up))}</p>
                <p class="slip-age">
                    <Icon glyph=Glyph::Clock/>
                    <span class="number">{move || age().map(spell_minutes)}</span>
                </p>
                {move || word().map(|word| view! { <p class="slip-word">{word}</p> })}
            </header>
            <ul>{lines}</ul>
        </article>
    }
}

#[component]
fn Line(line: KitchenLine, move_on: Callback<(LineId, KitchenMove)>) -> impl IntoView {
    let t = t();
    let KitchenLine { line_id, name, qty, note, state, .. } = line;
    let next = next_move(state).map(|said| {
        let class = if said == KitchenMove::Ready { "button primary" } else { "button" };
        view! {
            <button type="button" class=class data-testid=format!("kitchen-next-{line_id}") on:click=move |_| move_on.run((line_id, said))>
                {t.kitchen_move(said)}<span class="visually-hidden">" : "{name.clone()}</span>
            </button>
        }
    });
    let recall = (state == LineState::Ready).then(|| {
        view! {
            <button type="button" class="button" data-testid=format!("kitchen-recall-{line_id}") on:click=move |_| move_on.run((line_id, KitchenMove::Recalled))>
                <Icon glyph=Glyph::Undo/>{t.recall}<span class="visually-hidden">" : "{name.clone()}</span>
            </button>
        }
    });
    view! {
        <li class="slip-line" class:is-ready=state == LineState::Ready>
            <p class="slip-dish"><strong>{qty}</strong>" "{name.clone()}</p>
            {note.map(|note| view! { <p class="slip-note"><Icon glyph=Glyph::Pencil/>{note}</p> })}
            <div class="slip-tools"><StateChip state=Some(state)/>{recall}{next}</div>
        </li>
    }
}

/// What the one big button says.
const fn next_move(state: LineState) -> Option<KitchenMove> {
    match state {
        LineState::Received => Some(KitchenMove::Cooking),
        LineState::Cooking => Some(KitchenMove::Ready),
        LineState::Ready => Some(KitchenMove::Served),
        LineState::Held | LineState::Served | LineState::Voided => None,
    }
}

/// The slips after a move, by the rule that the server uses; what is served goes.
fn apply(view: Option<&mut KitchenView>, id: LineId, said: KitchenMove) {
    let Some(view) = view else { return };
    for slip in &mut view.slips {
        for line in slip.lines.iter_mut().filter(|line| line.line_id == id) {
            line.state = line.state.after(said).unwrap_or(line.state);
        }
        slip.lines.retain(|line| line.state != LineState::Served);
    }
    view.slips.retain(|slip| !slip.lines.is_empty());
}
