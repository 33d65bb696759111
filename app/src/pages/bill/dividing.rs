//! The sheets in which the rest of a bill is divided by items or by amounts.

use super::sorting::{MOST_SHARES, Sorting};
use super::{Asking, Billing};
use crate::calls;
use crate::components::icon::{Glyph, Icon};
use crate::components::notice::{Notice, Tone};
use crate::components::sheet::Sheet;
use crate::i18n::bill::bill as texts;
use domain::api::SplitRequest;
use domain::share::{LineLeft, Split, Units};
use domain::{Cents, LineId};
use leptos::prelude::*;

/// The sheet in which lines are tapped onto shares.
#[component]
pub(super) fn ItemsSheet(billing: Billing, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Sheet open=open title=texts().divide_items>
            <Items billing=billing open=open/>
        </Sheet>
    }
}

#[component]
fn Items(billing: Billing, open: RwSignal<bool>) -> impl IntoView {
    let (names, sorting) = billing.bill.data.with_untracked(|bill| {
        let items = bill.as_ref().map(|bill| bill.items.as_slice()).unwrap_or_default();
        let covers = bill.as_ref().map_or(2, |bill| usize::from(bill.covers));
        let names: Vec<(LineId, String)> = items.iter().map(|item| (item.line_id, item.name.clone())).collect();
        (names, Sorting::begin(items.iter().map(domain::api::BillItem::left).collect(), covers.min(6)))
    });
    let names = StoredValue::new(names);
    let sorting = RwSignal::new(sorting);
    let current = RwSignal::new(0_usize);
    let asking = Asking::begin(billing.bill);
    let amounts = Memo::new(move |_| sorting.with(Sorting::amounts));
    let tabs = move || {
        let count = sorting.with(Sorting::count);
        (0..count)
            .map(|share| {
                let pressed = move || if current.get() == share { "true" } else { "false" };
                let amount = move || amounts.with(|(amounts, _)| amounts.get(share).copied().unwrap_or_default().to_string());
                view! {
                    <button type="button" class="sort-tab" aria-pressed=pressed data-testid=format!("sort-share-{}", share + 1) on:click=move |_| current.set(share)>
                        <span>{format!("Part {}", share + 1)}</span><span class="number">{amount}</span>
                    </button>
                }
            })
            .collect_view()
    };
    let lines = move || {
        let lines = sorting.with_untracked(|sorting| sorting.lines().to_vec());
        lines.into_iter().map(|line| view! { <SortedLine line=line names=names sorting=sorting current=current/> }).collect_view()
    };
    let rest = move || amounts.with(|(_, rest)| *rest);
    let divide = move |_| {
        let how = SplitRequest(Split::Items(sorting.with_untracked(Sorting::claims)));
        asking.ask(calls::split(billing.order, how), move |bill| {
            billing.bill.data.set(Some(bill));
            open.set(false);
        });
    };
    view! {
        <div class="panel sort">
            <p class="quiet-text">{texts().divide_items_help}</p>
            <div class="sort-tabs" role="group" aria-label=texts().shares_tabs>
                {tabs}
                <button type="button" class="round" aria-label=texts().add_share disabled=move || sorting.with(|s| s.count() >= MOST_SHARES) on:click=move |_| sorting.update(Sorting::add_share)><Icon glyph=Glyph::Plus/></button>
                <button type="button" class="round" aria-label=texts().remove_share disabled={move || sorting.with(|s| s.count() <= 2)} on:click=move |_| {
                    sorting.update(Sorting::remove_share);
                    current.update(|at| *at = (*at).min(sorting.with_untracked(Sorting::count) - 1));
                }><Icon glyph=Glyph::Minus/></button>
            </div>
            <ul class="sort-lines">{lines}</ul>
            {move || asking.refusal()}
            <div class="panel-foot sort-foot">
                <button type="button" class="round" aria-label=texts().undo disabled=move || !sorting.with(Sorting::can_undo) on:click=move |_| sorting.update(Sorting::undo)><Icon glyph=Glyph::Undo/></button>
                <p class="sort-rest" role="status">
                    {move || if rest() > Cents::ZERO { texts().unassigned } else { texts().all_assigned }}" "
                    <span class="number" data-testid="unassigned">{move || rest().to_string()}</span>
                </p>
                <button type="button" class="button primary" data-testid="divide-now" disabled=move || asking.busy.get() on:click=divide>
                    <Icon glyph=Glyph::Split/>{move || if asking.busy.get() { texts().dividing } else { texts().divide_now }}
                </button>
            </div>
        </div>
    }
}

/// A line: a tap gives one of it to the share that is chosen.
#[component]
fn SortedLine(
    line: LineLeft,
    names: StoredValue<Vec<(LineId, String)>>,
    sorting: RwSignal<Sorting>,
    current: RwSignal<usize>,
) -> impl IntoView {
    let id = line.line_id;
    let name = names.with_value(|names| names.iter().find(|(line, _)| *line == id).map(|(_, name)| name.clone()).unwrap_or_default());
    let free = move || sorting.with(|sorting| sorting.free(id));
    let is_free = move || free() > Units::thousandths(1);
    let owners = move || {
        sorting.with(|sorting| {
            let owns = |share: usize| (share, sorting.has(share, id));
            (0..sorting.count()).map(owns).filter(|(_, units)| *units > Units::ZERO).collect::<Vec<_>>()
        })
    };
    let chips = move || {
        owners()
            .into_iter()
            .map(|(share, units)| view! { <span class="chip" class:is-current=move || current.get() == share>{format!("Part {} : {units}", share + 1)}</span> })
            .collect_view()
    };
    let give = move |_| sorting.update(|sorting| sorting.give(current.get_untracked(), id));
    view! {
        <li class="sort-line" class:is-done=move || !is_free()>
            <button type="button" class="sort-give" data-testid=format!("give-{id}") disabled=move || !is_free() on:click=give>
                <span class="sort-name">{name}</span>
                <span class="number">{line.due.to_string()}</span>
                <span class="sort-free quiet-text">{move || if is_free() { format!("× {}", free()) } else { "✓".to_owned() }}</span>
            </button>
            <div class="sort-owners">
                {chips}
                <button type="button" class="button small" data-testid=format!("between-{id}") on:click=move |_| sorting.update(|sorting| sorting.between_all(id))>
                    <Icon glyph=Glyph::Users/>{texts().between_all}
                </button>
                <Show when=move || !owners().is_empty()>
                    <button type="button" class="button small" on:click=move |_| sorting.update(|sorting| sorting.take_back(id))>
                        <Icon glyph=Glyph::Undo/>{texts().give_back}
                    </button>
                </Show>
            </div>
        </li>
    }
}

/// The sheet in which each share is an amount.
#[component]
pub(super) fn AmountsSheet(billing: Billing, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Sheet open=open title=texts().divide_amounts>
            <Amounts billing=billing open=open/>
        </Sheet>
    }
}

#[component]
fn Amounts(billing: Billing, open: RwSignal<bool>) -> impl IntoView {
    let left: Cents =
        billing.bill.data.with_untracked(|bill| bill.as_ref().map(|bill| bill.items.iter().map(|item| item.due).sum()).unwrap_or_default());
    let typed = RwSignal::new(vec![String::new(), String::new()]);
    let asking = Asking::begin(billing.bill);
    // What was typed so far; `None` while something cannot be read.
    let amounts = Memo::new(move |_| {
        let read = |text: &String| Cents::parse(text.trim()).ok().filter(|amount| *amount > Cents::ZERO);
        typed.with(|typed| typed.iter().filter(|text| !text.trim().is_empty()).map(read).collect::<Option<Vec<Cents>>>())
    });
    let rest = move || amounts.with(|amounts| amounts.as_ref().map(|amounts| left - amounts.iter().copied().sum()));
    let ready = move || {
        rest().is_some_and(|rest| rest >= Cents::ZERO)
            && amounts.with(|amounts| amounts.as_ref().is_some_and(|amounts| !amounts.is_empty()))
    };
    let row = move |place: usize| {
        view! {
            <div class="field">
                <label for=format!("amount-{place}")>{format!("Part {}", place + 1)}</label>
                <input
                    id=format!("amount-{place}")
                    class="input number"
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    data-testid=format!("amount-{}", place + 1)
                    prop:value=move || typed.with(|typed| typed.get(place).cloned().unwrap_or_default())
                    on:input=move |event| typed.update(|typed| if let Some(text) = typed.get_mut(place) { *text = event_target_value(&event) })
                />
            </div>
        }
    };
    let count = Memo::new(move |_| typed.with(Vec::len));
    let divide = move |_| {
        let mut amounts = amounts.get_untracked().unwrap_or_default();
        let rest = left - amounts.iter().copied().sum();
        amounts.extend((rest > Cents::ZERO).then_some(rest));
        asking.ask(calls::split(billing.order, SplitRequest(Split::Amounts(amounts))), move |bill| {
            billing.bill.data.set(Some(bill));
            open.set(false);
        });
    };
    view! {
        <div class="panel">
            <p class="quiet-text">{texts().divide_amounts_help}</p>
            <div class="amount-rows">{move || (0..count.get()).map(row).collect_view()}</div>
            <button type="button" class="button" disabled=move || count.get() >= MOST_SHARES on:click=move |_| typed.update(|typed| typed.push(String::new()))>
                <Icon glyph=Glyph::Plus/>{texts().add_amount}
            </button>
            <div class="cash-due" role="status">
                <p>{crate::i18n::t().remaining}</p>
                <p class="cash-amount number" data-testid="amounts-left">{move || rest().map_or_else(|| "—".to_owned(), |rest| rest.to_string())}</p>
            </div>
            <Show when=move || rest().is_some_and(Cents::is_negative)><Notice tone=Tone::Warning>{texts().too_much}</Notice></Show>
            {move || asking.refusal()}
            <div class="panel-foot">
                <button type="button" class="button primary" data-testid="divide-now" disabled=move || !ready() || asking.busy.get() on:click=divide>
                    <Icon glyph=Glyph::Split/>{move || if asking.busy.get() { texts().dividing } else { texts().divide_now }}
                </button>
            </div>
        </div>
    }
}
