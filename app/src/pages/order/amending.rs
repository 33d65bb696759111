//! Changing what the server has: removals, courses, other tables, other people, what is out. Each needs the network and its answer; what
//! was refused is said where it was asked.

use super::ordering::Ordering;
use super::sending::is_undecided;
use crate::browser::store;
use crate::calls;
use crate::components::notice::{Tone, explain};
use crate::draft::Draft;
use crate::error::CallError;
use crate::i18n::order::order as texts;
use domain::api::{Availability, CourseCall, CoversRequest, HandoverRequest, MergeRequest, OrderView, TransferRequest, VoidRequest};
use domain::order::KitchenMove;
use domain::{ItemId, LineId, OrderId, TableId, UserId};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::future::Future;
use uuid::Uuid;

impl Ordering {
    /// Asks for a change; shows the order as it is then, closes the sheet and says what was done.
    fn amend(self, call: impl Future<Output = Result<OrderView, CallError>> + 'static, said: impl Into<String>) {
        let said = said.into();
        spawn_local(async move {
            if let Ok(order) = self.ask(call).await {
                self.order.data.try_set(Some(order));
                self.done(&said);
            }
        });
    }

    /// One change at a time.
    async fn ask<T>(self, call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
        let Some((session, live, _)) = self.parts.try_get_value() else { return call.await };
        self.amending.try_set(true);
        self.refusal.try_set(None);
        let answer = call.await;
        live.heard_of_call(&answer);
        self.amending.try_set(false);
        if let Err(error) = &answer {
            session.heed(error);
            self.refuse(explain(error));
        }
        // Whatever the answer was: what is shown is asked for anew.
        self.order.refresh();
        self.floor.refresh();
        answer
    }

    /// Says no where the person looks: in the open sheet, or else over the page.
    fn refuse(self, sentence: String) {
        if self.open.try_get_untracked() == Some(true) {
            self.refusal.try_set(Some(sentence));
        } else if let Some((_, _, toaster)) = self.parts.try_get_value() {
            toaster.say(Tone::Bad, sentence);
        }
    }

    fn done(self, said: &str) {
        self.close();
        if let Some((_, _, toaster)) = self.parts.try_get_value() {
            toaster.say(Tone::Good, said);
        }
    }

    fn order_id(self) -> Option<OrderId> {
        untrack(|| self.open_order()).map(|order| order.order_id)
    }

    /// A waiter brought a dish to the table.
    pub fn served(self, line: LineId) {
        spawn_local(async move {
            let _said = self.ask(calls::move_line(line, KitchenMove::Served)).await;
        });
    }

    /// Takes something off that was sent. While the answer is unknown `asked` keeps the request, so that asking again is the same removal.
    pub fn take_off(self, line: LineId, request: VoidRequest, asked: RwSignal<Option<VoidRequest>>) {
        let Some(order) = self.order_id() else { return };
        spawn_local(async move {
            match self.ask(calls::void_line(order, line, request.clone())).await {
                Ok(order) => {
                    self.order.data.try_set(Some(order));
                    self.done(texts().taken_off);
                }
                Err(error) if is_undecided(&error) => {
                    asked.try_set(Some(request));
                    self.refuse(texts().unanswered.to_owned());
                }
                Err(_) => {
                    asked.try_set(None);
                }
            }
        });
    }

    /// *Réclamer*, or *mettre en attente*.
    pub fn call_course(self, course: u8, call: CourseCall) {
        let Some(order) = self.order_id() else { return };
        let said = match call {
            CourseCall::Fire => texts().course_called,
            CourseCall::Hold => texts().course_held,
        };
        self.amend(calls::course(order, course, call), said);
    }

    /// The guests want to pay, or have changed their minds.
    pub fn ask_bill(self, asked: bool) {
        let Some(order) = self.order_id() else { return };
        self.amend(calls::ask_bill(order, asked), if asked { texts().bill_asked } else { texts().unask_bill });
    }

    /// Corrects how many guests sit there. What was typed is over with it: the order says the same.
    pub fn set_covers(self, covers: u16) {
        let Some(order) = self.order_id() else { return };
        spawn_local(async move {
            let request = CoversRequest { covers, uuid: Some(Uuid::now_v7()) };
            if let Ok(order) = self.ask(calls::set_covers(order, request)).await {
                self.order.data.try_set(Some(order));
                self.settle(|draft| draft.covers = None).await;
                self.done(texts().covers_kept);
            }
        });
    }

    /// Gives the table to somebody else.
    pub fn hand_over(self, user_id: UserId, name: &str) {
        let Some(order) = self.order_id() else { return };
        let request = HandoverRequest { user_id, uuid: Some(Uuid::now_v7()) };
        self.amend(calls::hand_over(order, request), format!("{} {name}", texts().handed));
    }

    /// Frees the table of guests who owe nothing, and goes back to the plan.
    pub fn release(self) {
        let Some(order) = self.order_id() else { return };
        spawn_local(async move {
            if self.ask(calls::release(order)).await.is_ok() {
                self.done(texts().released);
                self.leave_to.try_set(Some("/plan".to_owned()));
            }
        });
    }

    /// Names the request that takes the guests to that table. Asked again after a lost answer it is the same request; once it is answered
    /// the page goes with them.
    fn request_id(self, to: TableId) -> Uuid {
        let mut id = Uuid::now_v7();
        self.going.try_update_value(|going| match going {
            Some((table, known)) if *table == to => id = *known,
            _ => *going = Some((to, id)),
        });
        id
    }

    /// Moves the guests, with what is ordered and what is typed, to a free table.
    pub fn move_to(self, table_id: TableId) {
        let order = self.order_id();
        spawn_local(async move {
            let request = TransferRequest { table_id, uuid: Some(self.request_id(table_id)) };
            if let Some(order) = order
                && self.ask(calls::transfer(order, request)).await.is_err()
            {
                return;
            }
            self.follow_guests(table_id, texts().moved).await;
        });
    }

    /// Puts this table's order on the bill of another.
    pub fn join(self, into: OrderId, table_id: TableId) {
        let Some(order) = self.order_id() else { return };
        spawn_local(async move {
            let request = MergeRequest { into_order_id: into, uuid: Some(self.request_id(table_id)) };
            if self.ask(calls::merge(order, request)).await.is_ok() {
                self.follow_guests(table_id, texts().joined).await;
            }
        });
    }

    /// What is typed goes where the guests go, and so does the page.
    async fn follow_guests(self, table_id: TableId, said: &str) {
        if let Some(mut typed) = self.draft.try_get_untracked() {
            // Who sits there already is counted there.
            typed.covers = None;
            if !typed.is_empty() {
                typed.resume(store::draft::<Draft>(table_id).await.unwrap_or_default());
                if store::move_draft(self.table_id, table_id, &typed).await.is_err() {
                    // It stays on screen, at the old table, rather than nowhere.
                    self.done(crate::i18n::t().not_kept);
                    return;
                }
            }
            self.draft.try_set(Draft::default());
            store::drop_draft(self.table_id).await;
        }
        self.done(said);
        self.leave_to.try_set(Some(format!("/table/{table_id}")));
    }

    /// Says whether something can be ordered now, to every phone.
    pub fn set_available(self, item: ItemId, availability: Availability) {
        let said = if availability.available { texts().now_back } else { texts().now_out };
        spawn_local(async move {
            if self.ask(calls::set_availability(item, availability)).await.is_ok() {
                self.menu.refresh();
                self.done(said);
            }
        });
    }
}
