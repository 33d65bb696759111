//! The one sheet over the order page, and what it can show. Nothing of it stands between a person and *Envoyer* unless the kitchen cannot
//! do without an answer.

use super::actions::{Actions, Colleagues, JoinQuestion, Tables};
use super::choices::Choose;
use super::dish::DishCard;
use super::formule::Compose;
use super::line_sheet::LineSheet;
use super::ordering::Ordering;
use super::removal::Removal;
use crate::components::notice::{Notice, Tone};
use crate::components::sheet::Sheet;
use crate::i18n::order::order as texts;
use domain::menu::MenuItem;
use domain::{ItemId, LineId, OrderId, TableId};
use leptos::prelude::*;

/// What the sheet shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Panel {
    /// The questions of a dish, before it is on the order; with its wine or without.
    Choose(MenuItem, bool),
    /// The choices of a *formule*.
    Compose(MenuItem),
    /// A line being typed.
    Line(u32),
    /// Everything about something on the menu.
    Dish(ItemId),
    /// Taking a line off that was sent.
    TakeOff(LineId),
    /// What can be done with the table.
    Actions,
    /// Where the guests go.
    Move,
    /// Whose bill they join.
    Join,
    /// Whether they really join it: its order, and where that is.
    JoinQuestion(OrderId, TableId),
    /// Who looks after them.
    HandOver,
}

/// The sheet.
#[component]
pub(super) fn Panels(ordering: Ordering) -> impl IntoView {
    let title = Signal::derive(move || ordering.panel.with(|panel| panel.as_ref().map(|panel| title(ordering, panel)).unwrap_or_default()));
    let content = move || {
        ordering.panel.get().map(|panel| match panel {
            Panel::Choose(item, with_wine) => view! { <Choose ordering=ordering item=item with_wine=with_wine/> }.into_any(),
            Panel::Compose(formule) => view! { <Compose ordering=ordering formule=formule/> }.into_any(),
            Panel::Line(key) => view! { <LineSheet ordering=ordering key=key/> }.into_any(),
            Panel::Dish(id) => view! { <DishCard ordering=ordering id=id/> }.into_any(),
            Panel::TakeOff(line) => view! { <Removal ordering=ordering line=line/> }.into_any(),
            Panel::Actions => view! { <Actions ordering=ordering/> }.into_any(),
            Panel::Move => view! { <Tables ordering=ordering occupied_only=false/> }.into_any(),
            Panel::Join => view! { <Tables ordering=ordering occupied_only=true/> }.into_any(),
            Panel::JoinQuestion(order, table) => view! { <JoinQuestion ordering=ordering into=order table=table/> }.into_any(),
            Panel::HandOver => view! { <Colleagues ordering=ordering/> }.into_any(),
        })
    };
    view! {
        <Sheet open=ordering.open title=title>
            {move || ordering.refusal.get().map(|sentence| view! { <div data-testid="refusal"><Notice tone=Tone::Bad>{sentence}</Notice></div> })}
            {content}
        </Sheet>
    }
}

fn title(ordering: Ordering, panel: &Panel) -> String {
    let t = texts();
    match panel {
        Panel::Choose(item, _) | Panel::Compose(item) => item.name.clone(),
        Panel::Line(key) => {
            ordering.draft.with(|draft| draft.line(*key).map(|line| line.item_id)).map(|id| ordering.name_of(id)).unwrap_or_default()
        }
        Panel::Dish(id) => ordering.name_of(*id),
        Panel::TakeOff(_) => t.take_off.to_owned(),
        Panel::Actions => crate::i18n::t().table_named(&ordering.table_name()),
        Panel::Move => t.move_table.to_owned(),
        Panel::Join => t.join_table.to_owned(),
        Panel::JoinQuestion(..) => t.join_question.to_owned(),
        Panel::HandOver => t.hand_over.to_owned(),
    }
}
