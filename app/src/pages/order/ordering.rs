//! Taking an order, as the page's parts share it: what is known of table, menu and open order, the draft, and the sheet over the page.

use super::panels::Panel;
use crate::browser::leaving::ask_before_closing;
use crate::browser::live::{Live, use_live};
use crate::browser::outbox::{Outbox, use_outbox};
use crate::browser::{Cached, store, use_cached, use_cached_for};
use crate::calls;
use crate::components::notice::Tone;
use crate::components::toast::{Toaster, use_toaster};
use crate::draft::{Draft, DraftLine};
use crate::i18n::order::order as texts;
use crate::i18n::t;
use crate::session::{Session, use_session};
use domain::api::{Event, OrderStatus, OrderView, TableView};
use domain::menu::{Allergen, Menu, MenuItem, Pairing};
use domain::order::{ItemRequest, OptionChosen};
use domain::sync::{Ask, Intent};
use domain::{ItemId, OrderId, TableId};
use leptos::prelude::*;
use leptos::task::spawn_local;
use uuid::Uuid;

/// The order page of one table.
#[derive(Debug, Clone, Copy)]
pub struct Ordering {
    /// The table.
    pub table_id: TableId,
    /// The plan, for the table's name, seats and open order.
    pub floor: Cached<Vec<TableView>>,
    /// What can be ordered.
    pub menu: Cached<Menu>,
    /// The open order.
    pub order: Cached<OrderView>,
    /// What is being typed.
    pub draft: RwSignal<Draft>,
    /// Something is being sent.
    pub busy: RwSignal<bool>,
    /// Why the last sending did not succeed.
    pub problem: RwSignal<Option<String>>,
    /// Whether all lines are shown on a phone.
    pub unfolded: RwSignal<bool>,
    /// What the sheet shows, or showed last.
    pub panel: RwSignal<Option<Panel>>,
    /// Whether the sheet is open.
    pub open: RwSignal<bool>,
    /// What the guest must not eat, as it was searched for last: the sheet warns of what brings it.
    pub avoided: RwSignal<Vec<Allergen>>,
    /// What was sent is being changed.
    pub amending: RwSignal<bool>,
    /// Why that was refused.
    pub refusal: RwSignal<Option<String>>,
    /// Where the page goes next, when the guests went elsewhere.
    pub leave_to: RwSignal<Option<String>>,
    /// Where the guests were asked to be taken last, under which id.
    pub(super) going: StoredValue<Option<(TableId, Uuid)>>,
    pub(super) accepted_as: RwSignal<Option<OrderId>>,
    /// The orders on this phone that the server does not have.
    pub outbox: Outbox,
    pub(super) known_order: Memo<Option<OrderId>>,
    pub(super) parts: StoredValue<(Session, Live, Toaster)>,
}

impl Ordering {
    /// Begins, with what the phone kept of this table.
    pub fn begin(table_id: TableId) -> Self {
        let floor: Cached<Vec<TableView>> = use_cached("floor", calls::floor);
        let accepted_as = RwSignal::new(None);
        let order_id = Memo::new(move |_| floor.data.with(|floor| open_order(floor.as_deref(), table_id)).or(accepted_as.get()));
        let ordering = Self {
            table_id,
            floor,
            menu: use_cached("menu", calls::menu),
            order: use_cached_for(move || order_id.get(), |id| format!("order-{id}"), calls::order),
            draft: RwSignal::new(Draft::default()),
            busy: RwSignal::new(false),
            problem: RwSignal::new(None),
            unfolded: RwSignal::new(false),
            panel: RwSignal::new(None),
            open: RwSignal::new(false),
            avoided: RwSignal::new(Vec::new()),
            amending: RwSignal::new(false),
            refusal: RwSignal::new(None),
            leave_to: RwSignal::new(None),
            going: StoredValue::new(None),
            accepted_as,
            outbox: use_outbox(),
            known_order: order_id,
            parts: StoredValue::new((use_session(), use_live(), use_toaster())),
        };
        // Other tables matter too: guests may move to them.
        floor.follow(|event| matches!(event, Event::TableChanged { .. }));
        ordering.menu.follow(|event| matches!(event, Event::MenuChanged { .. }));
        ordering.order.follow(move |event| match event {
            Event::OrderChanged { order_id: changed } | Event::DishReady(domain::api::DishNews { order_id: changed, .. }) => {
                order_id.get_untracked() == Some(*changed)
            }
            _ => false,
        });
        ordering.outbox.listen(move |news| ordering.heard(news));
        // On a phone that keeps nothing this page is all there is of what is typed.
        ask_before_closing(move || {
            untrack(|| !ordering.outbox.keeps()) && ordering.draft.try_with_untracked(Draft::is_worth_keeping) == Some(true)
        });
        Effect::new(move |_| {
            spawn_local(async move {
                if let Some(mut kept) = store::draft::<Draft>(table_id).await {
                    ordering.outbox.adopt(&mut kept).await;
                    ordering.draft.try_update(|draft| draft.resume(kept));
                }
            });
        });
        ordering
    }

    /// The table, once the plan is known.
    pub fn table(self) -> Option<TableView> {
        self.floor.data.with(|floor| floor.iter().flatten().find(|table| table.id == self.table_id).cloned())
    }

    /// The name of the table; until the plan is known its number stands for it, in most houses they are the same.
    pub fn table_name(self) -> String {
        self.table().map_or_else(|| self.table_id.to_string(), |table| table.name)
    }

    /// The open order of this table, as far as this phone knows.
    pub fn known_order(self) -> Option<OrderId> {
        self.known_order.get()
    }

    /// What this phone sends for this table and the server does not have.
    pub fn on_their_way(self) -> Vec<ItemRequest> {
        let items = |intent: Intent| match intent.ask {
            Ask::Sync(request) => request.items,
            Ask::Plain(request) => request.items,
        };
        self.outbox.of_table(self.table_id).into_iter().flat_map(items).collect()
    }

    /// The order of the guests who sit there now. An order that moved to another table is not theirs any more.
    pub fn open_order(self) -> Option<OrderView> {
        self.order.data.get().filter(|order| order.status == OrderStatus::Open && order.table_id == self.table_id)
    }

    /// How many guests: as typed, as ordered, or the seats of the table.
    pub fn covers(self) -> u32 {
        let typed = self.draft.with(|draft| draft.covers.or(draft.sending.as_ref().and_then(|request| request.covers)));
        let ordered = || self.open_order().map(|order| order.covers);
        typed.or_else(ordered).or_else(|| self.table().map(|table| table.seats)).map_or(1, u32::from)
    }

    /// Something of the menu, once it is known.
    pub fn item(self, id: ItemId) -> Option<MenuItem> {
        self.menu.data.with(|menu| menu.as_ref()?.item(id).cloned())
    }

    /// What something on the menu is called, and what must be declared of it with these answers.
    pub(super) fn part(self, id: ItemId, chosen: &[OptionChosen]) -> Option<(String, Vec<Allergen>)> {
        self.menu.data.with(|menu| menu.as_ref()?.item(id).map(|item| (item.name.clone(), item.allergens_with(chosen))))
    }

    /// The name of something on the menu; empty when nothing is known of it.
    pub fn name_of(self, id: ItemId) -> String {
        self.menu.data.with(|menu| menu.as_ref().and_then(|menu| menu.item(id)).map(|item| item.name.clone()).unwrap_or_default())
    }

    /// Opens the sheet.
    pub fn show(self, panel: Panel) {
        self.refusal.set(None);
        self.panel.set(Some(panel));
        self.open.set(true);
    }

    /// Closes the sheet.
    pub fn close(self) {
        self.open.try_set(false);
    }

    /// Changes the draft, and keeps it on the phone.
    pub fn edit(self, change: impl FnOnce(&mut Draft)) {
        self.draft.update(change);
        let forsaken = self.draft.try_update_untracked(Draft::forsaken).flatten();
        let draft = self.draft.get_untracked();
        let (_, _, toaster) = self.parts.get_value();
        let table_id = self.table_id;
        spawn_local(async move {
            // Said once; from then on the bar over the page says it.
            if keep(table_id, &draft).await.is_err() && self.outbox.found_out_keeping_nothing() {
                toaster.say(Tone::Warning, t().not_kept);
            }
            if let Some(uuid) = forsaken {
                self.outbox.forsake(table_id, uuid, crate::i18n::queue::t().lines_removed).await;
            }
        });
    }

    /// An answer, or a second thought, may come after the waiter left the page; then the kept draft is changed, not the one that was on
    /// screen.
    pub(super) async fn settle(self, change: impl FnOnce(&mut Draft)) {
        if self.draft.try_with_untracked(|_| ()).is_some() {
            self.edit(change);
        } else {
            let mut kept = store::draft::<Draft>(self.table_id).await.unwrap_or_default();
            change(&mut kept);
            let _told_when_typed = keep(self.table_id, &kept).await;
        }
    }

    /// A tap on a dish: it is on the order, or asks what has to be asked first. One that is out shows its card.
    pub fn tap(self, item: &MenuItem) {
        self.take(item, false);
    }

    /// A long press on a dish: with the wine that the house suggests.
    pub fn tap_with_wine(self, item: &MenuItem) {
        self.take(item, true);
    }

    fn take(self, item: &MenuItem, with_wine: bool) {
        if !item.available {
            self.show(Panel::Dish(item.id));
        } else if !item.components.is_empty() {
            self.show(Panel::Compose(item.clone()));
        } else if item.options.iter().any(|group| group.required) {
            self.show(Panel::Choose(item.clone(), with_wine));
        } else {
            self.add_with(item.id, with_wine);
        }
    }

    /// Puts one on the order, and its wine when that is wanted.
    pub fn add_with(self, line: impl Into<DraftLine>, with_wine: bool) {
        let line = line.into();
        // A finger that rests is no event: nothing is followed from here.
        let wine = untrack(|| self.wines_for(line.item_id)).into_iter().next().filter(|_| with_wine);
        self.add(line);
        if let Some(wine) = wine {
            self.add(wine.id);
        }
    }

    /// Puts something on the order.
    pub fn add(self, line: impl Into<DraftLine>) {
        self.problem.set(None);
        self.menu.data.with_untracked(|menu| {
            self.edit(|draft| match menu {
                Some(menu) => draft.add_to_course(line, menu),
                None => draft.add(line),
            });
        });
    }

    /// Takes a line off, and offers to put it back.
    pub fn remove(self, key: u32) {
        let mut removed = None;
        let name = self.draft.with_untracked(|draft| draft.line(key).map(|line| line.item_id)).map(|id| untrack(|| self.name_of(id)));
        self.edit(|draft| removed = draft.remove(key));
        let (Some(removed), (_, _, toaster)) = (removed, self.parts.get_value()) else { return };
        let put_back = move || {
            let removed = removed.clone();
            spawn_local(self.settle(move |draft| draft.put_back(removed)));
        };
        let _goes_by_itself = toaster.offer(format!("{} {}", texts().removed, name.unwrap_or_default()), texts().undo, put_back);
    }

    /// The wines to suggest with a dish, the best first: none that is out, and none at all once one of them is on the draft.
    pub fn wines_for(self, dish: ItemId) -> Vec<Pairing> {
        let wines = self.menu.data.with(|menu| menu.as_ref().map(|menu| menu.suggest_wines(dish)).unwrap_or_default());
        let is_chosen = |wine: &Pairing| {
            self.draft.with(|draft| draft.count_of(wine.id) > 0 || wine.glass.as_ref().is_some_and(|glass| draft.count_of(glass.id) > 0))
        };
        if wines.iter().any(is_chosen) { Vec::new() } else { wines }
    }
}

/// Keeps a draft on the phone; one without content is forgotten.
async fn keep(table_id: TableId, draft: &Draft) -> Result<(), store::NotKept> {
    if !draft.is_worth_keeping() {
        store::drop_draft(table_id).await;
        return Ok(());
    }
    store::put_draft(table_id, draft).await
}

fn open_order(floor: Option<&[TableView]>, table_id: TableId) -> Option<OrderId> {
    floor?.iter().find(|table| table.id == table_id)?.order_id
}
