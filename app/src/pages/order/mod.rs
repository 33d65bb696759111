//! Taking an order: four taps from the table to the kitchen. Table, dish, the wine under the new line, *Envoyer*.
//!
//! Favourites come first, nothing ever asks before the first dish, and the bar that sends is always in sight. On a phone the lines fold
//! into that bar; on a desktop they stand beside the menu. One DOM for both.

mod catalogue;
mod formule;
mod lines;
mod ordering;

use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Empty, Freshness};
use crate::components::page::Page;
use crate::components::stepper::Stepper;
use crate::i18n::t;
use catalogue::Catalogue;
use domain::TableId;
use domain::order::MAX_COVERS;
use formule::FormuleSheet;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use lines::Ticket;
use ordering::Ordering;

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
    // Until the plan is known the number stands for the name; in most houses they are the same.
    let title = Signal::derive(move || {
        let name = ordering.table().map_or_else(|| table_id.to_string(), |table| table.name);
        t.table_named(&name)
    });
    let bill = move || {
        ordering.open_order().map(|order| {
            view! { <a class="button" href=format!("/addition/{}", order.order_id) data-testid="bill"><Icon glyph=Glyph::Receipt/>{t.bill}</a> }
        })
    };
    view! {
        <Page title=title back="/plan" class="order" own_bar=true actions=bill>
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
                    </Catalogue>
                </div>
                <Ticket ordering=ordering/>
            </Show>
            <FormuleSheet ordering=ordering/>
        </Page>
    }
}
