//! Taking an order, as the page's parts share it: what is known of table, menu and open order, the draft, and sending it.

use crate::browser::http::post_order;
use crate::browser::live::{Live, use_live};
use crate::browser::{Cached, store, use_cached, use_cached_for};
use crate::calls;
use crate::components::notice::{Tone, explain};
use crate::components::toast::{Toaster, use_toaster};
use crate::draft::Draft;
use crate::error::CallError;
use crate::i18n::t;
use crate::session::{Session, use_session};
use domain::api::{Event, OrderStatus, OrderView, SentStatus, TableView};
use domain::menu::{Menu, MenuItem, Pairing};
use domain::order::{ComponentChoice, KitchenMove};
use domain::{ItemId, LineId, OrderId, TableId};
use leptos::prelude::*;
use leptos::task::spawn_local;

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
    /// The *formule* that is or was composed last.
    pub formule: RwSignal<Option<MenuItem>>,
    /// Whether it is being composed.
    pub composing: RwSignal<bool>,
    accepted_as: RwSignal<Option<OrderId>>,
    parts: StoredValue<(Session, Live, Toaster)>,
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
            formule: RwSignal::new(None),
            composing: RwSignal::new(false),
            accepted_as,
            parts: StoredValue::new((use_session(), use_live(), use_toaster())),
        };
        floor.follow(move |event| matches!(event, Event::TableChanged { table_id: changed, .. } if *changed == table_id));
        ordering.menu.follow(|event| matches!(event, Event::MenuChanged { .. }));
        ordering.order.follow(move |event| match event {
            Event::OrderChanged { order_id: changed } | Event::DishReady { order_id: changed, .. } => {
                order_id.get_untracked() == Some(*changed)
            }
            _ => false,
        });
        Effect::new(move |_| {
            spawn_local(async move {
                if let Some(kept) = store::draft::<Draft>(table_id).await {
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

    /// The order of the guests who sit there now.
    pub fn open_order(self) -> Option<OrderView> {
        self.order.data.get().filter(|order| order.status == OrderStatus::Open)
    }

    /// How many guests: as typed, as ordered, or the seats of the table.
    pub fn covers(self) -> u32 {
        let typed = self.draft.with(|draft| draft.covers.or(draft.sending.as_ref().and_then(|request| request.covers)));
        let ordered = || self.open_order().map(|order| order.covers);
        typed.or_else(ordered).or_else(|| self.table().map(|table| table.seats)).map_or(1, u32::from)
    }

    /// Changes the draft, and keeps it on the phone.
    pub fn edit(self, change: impl FnOnce(&mut Draft)) {
        self.draft.update(change);
        let draft = self.draft.get_untracked();
        let (_, _, toaster) = self.parts.get_value();
        let table_id = self.table_id;
        spawn_local(async move {
            if keep(table_id, &draft).await.is_err() {
                toaster.say(Tone::Warning, t().not_kept);
            }
        });
    }

    /// A tap on a dish: it is on the order, or its *formule* opens.
    pub fn tap(self, item: &MenuItem) {
        if item.components.is_empty() {
            self.add(item.id, Vec::new());
        } else {
            self.formule.set(Some(item.clone()));
            self.composing.set(true);
        }
    }

    /// Puts one on the order.
    pub fn add(self, item_id: ItemId, components: Vec<ComponentChoice>) {
        self.problem.set(None);
        self.edit(|draft| draft.add(item_id, components));
    }

    /// A long press on a dish: with the wine that the house suggests.
    pub fn tap_with_wine(self, item: &MenuItem) {
        self.tap(item);
        let wine = self.menu.data.with_untracked(|menu| self.draft.with_untracked(|draft| suggested_wine(menu.as_ref(), draft, item.id)));
        if let Some(wine) = wine.filter(|_| item.components.is_empty()) {
            self.add(wine.id, Vec::new());
        }
    }

    /// The wine to suggest with a dish: not out, and not on the draft already.
    pub fn wine_for(self, dish: ItemId) -> Option<Pairing> {
        self.menu.data.with(|menu| self.draft.with(|draft| suggested_wine(menu.as_ref(), draft, dish)))
    }

    /// Sends what is typed. Pressed again after a lost answer, it sends the same again.
    pub fn send(self) {
        if self.busy.get_untracked() {
            return;
        }
        // What was typed after a lost answer follows what has to be sent again.
        let rest_follows = self.draft.with_untracked(|draft| draft.sending.is_some() && !draft.lines.is_empty());
        self.edit(|draft| draft.freeze(self.table_id));
        if self.draft.with_untracked(|draft| draft.sending.is_none()) {
            return;
        }
        self.busy.set(true);
        self.problem.set(None);
        spawn_local(async move {
            if self.send_frozen().await && rest_follows {
                self.edit(|draft| draft.freeze(self.table_id));
                self.send_frozen().await;
            }
            self.busy.try_set(false);
        });
    }

    /// Says whether the server has it.
    async fn send_frozen(self) -> bool {
        let Some(request) = self.draft.try_with_untracked(|draft| draft.sending.clone()).flatten() else { return false };
        let Some((session, live, toaster)) = self.parts.try_get_value() else { return false };
        let answer = post_order(&request).await;
        live.heard_of_call(&answer);
        match answer {
            Ok(accepted) => {
                self.settle(Draft::accepted).await;
                self.accepted_as.try_set(Some(accepted.order_id));
                match accepted.status {
                    SentStatus::Sent => toaster.say(Tone::Good, t().sent),
                    SentStatus::PendingErp => toaster.say(Tone::Info, t().sent_pending),
                }
                self.unfolded.try_set(true);
                self.order.refresh();
                self.floor.refresh();
                true
            }
            Err(error) => {
                session.heed(&error);
                let kept = is_undecided(&error);
                if !kept {
                    self.settle(Draft::refused).await;
                }
                let sentence = if matches!(error, CallError::Unreachable(_)) { t().kept_here.to_owned() } else { explain(&error) };
                self.problem.try_set(Some(sentence));
                false
            }
        }
    }

    /// An answer may come after the waiter left the page; then the kept draft is settled, not the one that was on screen.
    async fn settle(self, change: fn(&mut Draft)) {
        if self.draft.try_with_untracked(|_| ()).is_some() {
            self.edit(change);
        } else if let Some(mut kept) = store::draft::<Draft>(self.table_id).await {
            change(&mut kept);
            let _told_when_typed = keep(self.table_id, &kept).await;
        }
    }

    /// A waiter brought a dish to the table.
    pub fn served(self, line: LineId) {
        let (session, live, toaster) = self.parts.get_value();
        spawn_local(async move {
            let answer = calls::move_line(line, KitchenMove::Served).await;
            live.heard_of_call(&answer);
            if let Err(error) = answer {
                session.heed(&error);
                toaster.say(Tone::Bad, explain(&error));
            }
            self.order.refresh();
        });
    }
}

/// Keeps a draft on the phone; one without content is forgotten.
async fn keep(table_id: TableId, draft: &Draft) -> Result<(), store::NotKept> {
    if *draft == Draft::default() {
        store::drop_draft(table_id).await;
        return Ok(());
    }
    store::put_draft(table_id, draft).await
}

/// Whether the server may yet have, or take, what was sent: then exactly the same is sent again, under the same number.
fn is_undecided(error: &CallError) -> bool {
    match error {
        CallError::Unreachable(_) => true,
        CallError::Refused(problem) => matches!(problem.status, 401 | 408 | 429) || problem.status >= 500,
    }
}

fn suggested_wine(menu: Option<&Menu>, draft: &Draft, dish: ItemId) -> Option<Pairing> {
    let wine = menu?.item(dish)?.wine_pairing.clone()?;
    let can_be_had = menu?.item(wine.id).is_some_and(|wine| wine.available);
    (can_be_had && draft.count_of(wine.id) == 0).then_some(wine)
}

fn open_order(floor: Option<&[TableView]>, table_id: TableId) -> Option<OrderId> {
    floor?.iter().find(|table| table.id == table_id)?.order_id
}
