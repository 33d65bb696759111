//! The lines that the server has, course by course: where each stands, what can be called for, what can wait.

use super::ordering::Ordering;
use super::panels::Panel;
use super::ticket::Under;
use crate::components::icon::{Glyph, Icon};
use crate::components::state::StateChip;
use crate::draft::Place;
use crate::i18n::order::order as texts;
use crate::i18n::t;
use domain::api::{CourseCall, LineView, SentStatus};
use domain::order::LineState;
use leptos::prelude::*;
use std::collections::BTreeMap;

/// All of them.
#[component]
pub(super) fn SentLines(ordering: Ordering, lines: Vec<LineView>) -> impl IntoView {
    let mut courses: BTreeMap<u8, Vec<LineView>> = BTreeMap::new();
    for line in lines {
        courses.entry(line.course).or_default().push(line);
    }
    let course = move |(course, lines): (u8, Vec<LineView>)| {
        let calls = calls(&lines);
        let lines = lines.into_iter().map(|line| view! { <SentLine ordering=ordering line=line/> }).collect_view();
        view! {
            <div class="course" data-testid=format!("sent-course-{course}")>
                <div class="course-head"><h3>{texts().place(Place::of(course))}</h3><Calls ordering=ordering course=course calls=calls/></div>
                <ul>{lines}</ul>
            </div>
        }
    };
    courses.into_iter().map(course).collect_view()
}

/// What a waiter can say about a course: first let it wait, then call for it. A kitchen system that is not ours hears of a dish once.
fn calls(lines: &[LineView]) -> Vec<CourseCall> {
    let mut cooked = lines.iter().filter(|line| line.kind.is_cooked());
    let waits_here = |line: &LineView| line.state == LineState::Received && !line.beyond_call;
    let can_be_called = |line: &LineView| line.state == LineState::Held || (waits_here(line) && !line.called);
    let hold = cooked.clone().any(waits_here).then_some(CourseCall::Hold);
    let fire = cooked.any(can_be_called).then_some(CourseCall::Fire);
    hold.into_iter().chain(fire).collect()
}

#[component]
fn Calls(ordering: Ordering, course: u8, calls: Vec<CourseCall>) -> impl IntoView {
    let button = move |call: CourseCall| {
        let (word, glyph, class, testid) = match call {
            CourseCall::Fire => (texts().call, Glyph::Call, "button call", "fire"),
            CourseCall::Hold => (texts().wait, Glyph::Pause, "button hold", "hold"),
        };
        let label = (call == CourseCall::Hold).then_some(texts().hold);
        view! {
            <button type="button" class=class aria-label=label data-testid=testid disabled=move || ordering.amending.get() on:click=move |_| ordering.call_course(course, call)>
                <Icon glyph=glyph/>{word}
            </button>
        }
    };
    view! { <div class="course-calls">{calls.into_iter().map(button).collect_view()}</div> }
}

/// A line that the server has. Touched, it can be taken off.
#[component]
fn SentLine(ordering: Ordering, line: LineView) -> impl IntoView {
    let LineView { line_id, name, qty, voided_qty, total, state, note, part_of, options, kitchen, called, refused, .. } = line;
    let is_voided = state == LineState::Voided;
    let answers = options.into_iter().map(|answer| answer.choice).collect::<Vec<_>>().join(", ");
    let partly = (voided_qty > 0 && !is_voided).then(|| texts().partly_voided(qty + voided_qty, voided_qty));
    let main = view! {
        <span class="line-qty">{if is_voided { voided_qty } else { qty }}</span>
        <span class="line-name">
            <span class="line-words">{name}</span>
            <Under text=part_of/>
            <Under text=Some(answers).filter(|answers| !answers.is_empty())/>
            <Under text=note/>
            <Under text=partly/>
        </span>
        <span class="line-price number">{total.to_string()}</span>
    };
    let main = if is_voided {
        view! { <div class="line-main">{main}</div> }.into_any()
    } else {
        view! { <button type="button" class="line-main" data-testid=format!("sent-{line_id}") on:click=move |_| ordering.show(Panel::TakeOff(line_id))>{main}</button> }
            .into_any()
    };
    let pending = kitchen == Some(SentStatus::PendingErp) && state == LineState::Received;
    let chip = if pending && refused {
        view! { <span class="chip state-refused" data-testid="line-state"><Icon glyph=Glyph::Alert/>{texts().refused}</span> }.into_any()
    } else if pending {
        view! { <span class="chip state-pending" data-testid="line-state"><Icon glyph=Glyph::Clock/>{texts().pending}</span> }.into_any()
    } else {
        view! { <StateChip state=Some(state)/> }.into_any()
    };
    let called = (called && matches!(state, LineState::Received | LineState::Cooking))
        .then(|| view! { <span class="chip state-called" data-testid="line-called"><Icon glyph=Glyph::Call/>{texts().called}</span> });
    let serve = (state == LineState::Ready).then(|| {
        view! { <button type="button" class="button" data-testid=format!("served-{line_id}") on:click=move |_| ordering.served(line_id)>{t().dish_served}</button> }
    });
    view! {
        <li class="line" class:is-voided=is_voided>
            {main}
            <div class="line-tools">{chip}{called}{serve}</div>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::menu::ItemKind;
    use domain::{Cents, ItemId, LineId, VatRate};

    fn line(kind: ItemKind, state: LineState, called: bool) -> LineView {
        LineView {
            line_id: LineId::from_row(1),
            item_id: ItemId::from_row(12),
            kind,
            name: "Magret".into(),
            qty: 1,
            voided_qty: 0,
            unit_price: Cents(2400),
            total: Cents(2400),
            discount: Cents::ZERO,
            discount_reason: None,
            discount_by: None,
            vat_rate: VatRate::INTERMEDIATE_10,
            state,
            note: None,
            course: 2,
            round: 1,
            part_of: None,
            options: vec![],
            kitchen: None,
            called,
            refused: false,
            beyond_call: false,
        }
    }

    #[test]
    fn only_what_the_kitchen_never_heard_of_is_taken_off_without_a_reason() {
        use ItemKind::{Dish, Wine};
        use LineState::{Held, Received};
        assert!(!line(Dish, Held, false).was_told(), "held from the first");
        for told in [SentStatus::Sent, SentStatus::PendingErp] {
            assert!(LineView { kitchen: Some(told), ..line(Dish, Held, false) }.was_told(), "told, and then held");
        }
        assert!(line(Dish, Received, false).was_told() && line(Wine, Received, false).was_told());
    }

    #[test]
    fn only_what_the_kitchen_can_still_hear_is_offered() {
        use CourseCall::{Fire, Hold};
        use ItemKind::{Dish, Wine};
        use LineState::{Cooking, Held, Received, Served, Voided};
        assert_eq!(calls(&[line(Dish, Held, false)]), [Fire]);
        assert_eq!(calls(&[line(Dish, Received, false)]), [Hold, Fire]);
        assert_eq!(calls(&[line(Dish, Received, true)]), [Hold]);
        assert_eq!(calls(&[line(Dish, Received, true), line(Dish, Held, false)]), [Hold, Fire]);
        let elsewhere = |state| LineView { beyond_call: true, ..line(Dish, state, false) };
        assert_eq!(calls(&[elsewhere(Received)]), [], "the kitchen system has no ear for it");
        assert_eq!(calls(&[elsewhere(Received), line(Dish, Held, false)]), [Fire], "what waits it has not been told of");
        for state in [Cooking, Served, Voided] {
            assert_eq!(calls(&[line(Dish, state, false)]), []);
        }
        assert_eq!(calls(&[line(Wine, Received, false)]), []);
    }
}
