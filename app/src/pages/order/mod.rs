//! Taking an order: four taps from the table to the kitchen. Table, dish, the wine under the new line, *Envoyer*.
//!
//! Favourites come first, nothing ever asks before the first dish, and the bar that sends is always in sight. On a phone the lines fold
//! into that bar; on a desktop they stand beside the menu. One DOM for both.

mod actions;
mod amending;
mod catalogue;
mod choices;
mod dish;
mod finding;
mod formule;
mod line_sheet;
mod ordering;
mod panels;
mod removal;
mod sending;
mod sent;
mod ticket;
mod typed;
mod wine;

use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Freshness};
use crate::components::page::Page;
use crate::components::stepper::Stepper;
use crate::i18n::order::order as texts;
use crate::i18n::t;
use catalogue::Catalogue;
use domain::TableId;
use domain::order::MAX_COVERS;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};
use ordering::Ordering;
use panels::{Panel, Panels};
use ticket::Ticket;

/// The order of the table that the address names.
#[component]
pub fn OrderPage() -> impl IntoView {
    let params = use_params_map();
    let table_id = Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<TableId>().ok()));
    // From one table straight to another: everything begins anew.
    move || match table_id.get() {
        Some(table_id) => view! { <TableOrder table_id=table_id/> }.into_any(),
        None => view! { <NoSuchTable/> }.into_any(),
    }
}

#[component]
fn NoSuchTable() -> impl IntoView {
    let t = t();
    view! {
        <Page title=t.no_such_table back="/plan">
            <Empty glyph=Glyph::Plan title=t.no_such_table/>
            <p class="centred"><a class="button primary" href="/plan">{t.back_to_plan}</a></p>
        </Page>
    }
}

#[component]
fn TableOrder(table_id: TableId) -> impl IntoView {
    let t = t();
    let ordering = Ordering::begin(table_id);
    let unknown = move || ordering.floor.data.with(Option::is_some) && ordering.table().is_none();
    let title = Signal::derive(move || t.table_named(&ordering.table_name()));
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(to) = ordering.leave_to.get() {
            // Back leads to the plan, not to the table that the guests left.
            navigate(&to, NavigateOptions { replace: true, ..NavigateOptions::default() });
        }
    });
    let actions = move || {
        let bill = ordering.open_order().map(|order| {
            view! { <a class="button" href=format!("/addition/{}", order.order_id) data-testid="bill"><Icon glyph=Glyph::Receipt/>{t.bill}</a> }
        });
        let more = ordering.floor.data.with(Option::is_some).then(|| {
            view! {
                <button type="button" class="round more" aria-label=texts().actions data-testid="table-actions" on:click=move |_| ordering.show(Panel::Actions)>
                    <Icon glyph=Glyph::More/>
                </button>
            }
        });
        view! { {bill}{more} }
    };
    view! {
        <Page title=title back="/plan" class="order" own_bar=true actions=actions>
            <Show when=move || !unknown() fallback=move || view! { <Empty glyph=Glyph::Plan title=t.no_such_table/> }>
                <div class="order-menu">
                    <Freshness of=ordering.menu/>
                    <Catalogue ordering=ordering>
                        <Stepper
                            value=Signal::derive(move || ordering.covers())
                            label=t.covers
                            unit=t.covers
                            less=t.fewer_covers
                            more=t.more_covers
                            most=u32::from(MAX_COVERS)
                            on_change=move |covers: u32| ordering.edit(|draft| draft.covers = u16::try_from(covers).ok())
                        />
                        <KeepCovers ordering=ordering/>
                    </Catalogue>
                </div>
                <Ticket ordering=ordering/>
            </Show>
            <Panels ordering=ordering/>
        </Page>
    }
}

/// Guests who came or left without ordering: their number goes with the next round, or alone with a tap here.
#[component]
fn KeepCovers(ordering: Ordering) -> impl IntoView {
    let corrected = Memo::new(move |_| {
        let typed = ordering.draft.with(|draft| draft.covers.filter(|_| draft.is_empty()))?;
        ordering.open_order().is_some_and(|order| order.covers != typed).then_some(typed)
    });
    move || {
        corrected.get().map(|covers| {
            view! {
                <button
                    type="button"
                    class="button keep-covers"
                    data-testid="keep-covers"
                    disabled=move || ordering.amending.get()
                    on:click=move |_| ordering.set_covers(covers)
                >
                    <Icon glyph=Glyph::Check/>
                    {texts().keep_covers}
                </button>
            }
        })
    }
}
