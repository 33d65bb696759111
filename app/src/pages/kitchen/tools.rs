//! What stands above the slips: the day's counts, sound, calling back, and whether anything arrives at all.

use super::columns::slug;
use super::stove::Stove;
use crate::browser::clock::spell_minutes;
use crate::browser::sound::SoundState;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone};
use crate::components::sheet::Sheet;
use crate::i18n;
use crate::i18n::kitchen::t;
use crate::session::use_session;
use domain::api::FinishedSlip;
use domain::kitchen::{AllDay, Column, all_day};
use domain::order::KitchenMove;
use domain::role::Right;
use leptos::prelude::*;

/// How many of each dish are to be done; folds.
#[component]
pub(super) fn AllDayStrip(stove: Stove) -> impl IntoView {
    let t = t();
    let counts = Memo::new(move |_| stove.now.with(|view| view.as_ref().map(all_day).unwrap_or_default()));
    let total = move || counts.with(|counts| counts.iter().map(|dish| dish.to_do).sum::<u32>());
    let dish = |AllDay { name, to_do, held }| {
        let held = (held > 0).then(|| view! { <small>{t.held_count(held)}</small> });
        view! { <li><strong class="number">{to_do}</strong><span>{name}</span>{held}</li> }
    };
    view! {
        <details class="all-day" data-testid="all-day">
            <summary><Icon glyph=Glyph::Down/><span>{t.all_day}</span><span class="number">{move || t.dish_count(total())}</span></summary>
            <ul>{move || counts.get().into_iter().map(dish).collect_view()}</ul>
        </details>
    }
}

/// Sound, and the way to what was finished last.
#[component]
pub(super) fn Tools(stove: Stove, recalling: RwSignal<bool>) -> impl IntoView {
    let t = t();
    let sound = move || match stove.sound.state() {
        SoundState::Off => (Glyph::SoundOff, t.sound_off),
        SoundState::Asleep => (Glyph::SoundOff, t.sound_asleep),
        SoundState::On => (Glyph::Sound, t.sound_on),
    };
    let is_on = move || (stove.sound.state() != SoundState::Off).to_string();
    let session = use_session();
    view! {
        <div class="kitchen-tools">
            <Show when=move || session.may(Right::Administer)>
                <a class="button" href="/passe" data-testid="pass-waits"><Icon glyph=Glyph::Clock/>{i18n::pass::t().waits_title}</a>
            </Show>
            <button type="button" class="button" data-testid="recall" on:click=move |_| recalling.set(true)>
                <Icon glyph=Glyph::Undo/>{t.recall}
            </button>
            <button type="button" class="button" aria-pressed=is_on data-testid="sound" on:click=move |_| stove.sound.toggle()>
                {move || view! { <Icon glyph=sound().0/> }}<span>{move || sound().1}</span>
            </button>
        </div>
    }
}

/// Says that nothing new arrives, and how old what is shown is.
#[component]
pub(super) fn CutOff(stove: Stove) -> impl IntoView {
    let t = t();
    let is_cut_off = Memo::new(move |_| stove.cut_off());
    move || {
        is_cut_off.get().map(|since| {
            let sentence = move || match since {
                Some(since) => {
                    let age = stove.minutes_since(since).map(|minutes| t.as_of(minutes)).unwrap_or_default();
                    format!("{}\u{a0}: {age}, {}", t.cut_off, t.cut_off_detail)
                }
                None => stove.failure().unwrap_or_else(|| t.cut_off.to_owned()),
            };
            view! {
                <div data-testid="kitchen-cut-off">
                    <Notice tone=Tone::Warning>
                        <strong>{sentence}</strong>
                        <button type="button" class="button quiet" on:click=move |_| stove.refresh()>{i18n::t().retry}</button>
                    </Notice>
                </div>
            }
        })
    }
}

/// What is new: said to whoever cannot see it, shown as a frame to whoever cannot hear it.
#[component]
pub(super) fn News(stove: Stove) -> impl IntoView {
    let is_new = Memo::new(move |_| stove.fresh.with(|fresh| !fresh.is_empty()));
    view! {
        <p class="visually-hidden" role="status" aria-live="polite" data-testid="kitchen-news">{move || stove.said.get()}</p>
        <Show when=move || is_new.get()><div class="kitchen-flash" aria-hidden="true"></div></Show>
    }
}

/// What was finished last, to be called back.
#[component]
pub(super) fn RecallSheet(stove: Stove, open: RwSignal<bool>) -> impl IntoView {
    let t = t();
    let finished = Memo::new(move |_| stove.now.with(|view| view.as_ref().map(|view| view.finished.clone()).unwrap_or_default()));
    view! {
        <Sheet open=open title=t.finished>
            <p class="quiet-text">{t.recall_detail}</p>
            {move || {
                let slips = finished.get();
                if slips.is_empty() {
                    return view! { <p class="finished-none">{t.finished_none}</p> }.into_any();
                }
                view! { <ul class="finished">{slips.into_iter().map(|slip| view! { <Finished stove=stove slip=slip/> }).collect_view()}</ul> }.into_any()
            }}
        </Sheet>
    }
}

#[component]
fn Finished(stove: Stove, slip: FinishedSlip) -> impl IntoView {
    let t = t();
    let FinishedSlip { order_id, table, round, course, at, line_ids, dishes } = slip;
    let column = Column::of_course(course);
    let table = i18n::t().table_named(&table);
    let age = move || stove.minutes_since(at).map(spell_minutes);
    let recall = move |_| stove.move_slip(order_id, round, line_ids.clone(), KitchenMove::Recalled);
    view! {
        <li>
            <p><strong>{table.clone()}</strong>" · "{t.column(column)}" · "<span class="number">{age}</span><small>{dishes.join(", ")}</small></p>
            <button type="button" class="button" data-testid=format!("recall-{order_id}-{round}-{}", slug(column)) on:click=recall>
                <Icon glyph=Glyph::Undo/>{t.recall}<span class="visually-hidden">" : "{table}</span>
            </button>
        </li>
    }
}
