//! Sending what is typed: it is written down on the phone, and goes out from there by itself.

use super::ordering::Ordering;
use crate::browser::http::house_time;
use crate::browser::live::Link;
use crate::browser::outbox::{News, Sent};
use crate::components::notice::Tone;
use crate::draft::Draft;
use crate::error::CallError;
use crate::i18n::order::order as texts;
use crate::i18n::{queue, t};
use domain::api::{SentStatus, SyncRequest};
use domain::order::IfOccupied;
use domain::sync::{Ask, Conflict, IN_TOUCH, Intent};
use leptos::prelude::*;
use leptos::task::spawn_local;
use time::OffsetDateTime;
use uuid::Uuid;

impl Ordering {
    /// Sends what is typed.
    pub fn send(self) {
        let Some((session, live, toaster)) = self.parts.try_get_value() else { return };
        let Some(user) = session.user_untracked().filter(|_| !self.busy.get_untracked()) else { return };
        let outbox = self.outbox;
        let total = self.menu.data.with_untracked(|menu| {
            menu.as_ref()
                .map(|menu| self.draft.with_untracked(|draft| draft.total(self.table_id, menu)))
                .filter(|(_, can_be_ordered)| *can_be_ordered)
        });
        self.draft.update(|draft| draft.freeze(self.table_id));
        let Some((order, resolves)) = self.draft.with_untracked(|draft| Some((draft.sending.clone()?, draft.resolves))) else { return };
        let uuid = order.uuid.unwrap_or_else(Uuid::now_v7);
        let order_id = untrack(|| self.known_order());
        // Two waiters in touch with the house who type at one table at the same moment help each other out. Of an order that a phone without
        // a network could not know of, a person hears; so, too, of one that was typed in the seconds before the silence was noticed.
        let now = OffsetDateTime::now_utc();
        let if_occupied = (live.link_untracked() == Link::Online).then_some(IfOccupied::Append);
        let append_until = if_occupied.and_then(|_| house_time(now)).and_then(|now| now.checked_add(IN_TOUCH));
        let request = SyncRequest {
            uuid: Some(uuid),
            table_id: order.table_id,
            items: order.items,
            covers: order.covers,
            offline_timestamp: now,
            if_occupied,
            append_until,
            order_id,
            after: if order_id.is_none() { outbox.last_of(self.table_id) } else { None },
            total: total.map(|(total, _)| total),
            resolves,
            typed_by: Some(user.id),
        };
        let intent = Intent::new(uuid, outbox.next_seq(), user.id, Ask::Sync(request));
        self.busy.set(true);
        self.problem.set(None);
        spawn_local(async move {
            // Nothing is left typed: `freeze` took it all.
            match outbox.keep(intent.clone(), &Draft::default()).await {
                Ok(()) => {
                    self.draft.try_update(Draft::accepted);
                    if live.link_untracked() == Link::Offline {
                        toaster.say(Tone::Info, queue::t().kept_here);
                    }
                }
                // Before the order is lost, not after: it stays typed on this page until the network is back.
                Err(_) if live.link_untracked() == Link::Offline => {
                    self.settle(Draft::refused).await;
                    self.problem.try_set(Some(queue::t().cannot_keep.to_owned()));
                }
                Err(_) => {
                    self.draft.try_update(Draft::accepted);
                    toaster.say(Tone::Warning, t().not_kept);
                    outbox.send_unkept(intent);
                }
            }
            self.busy.try_set(false);
        });
    }

    /// What became of an order of this table.
    pub(super) fn heard(self, news: &News) {
        let shown = self.order.data.try_with_untracked(|order| order.as_ref().map(|order| order.order_id)).flatten();
        let same_guests = news.intent.order_id().is_some_and(|order| Some(order) == shown);
        if news.intent.table_id() != self.table_id && !same_guests {
            return;
        }
        let Some((_, _, toaster)) = self.parts.try_get_value() else { return };
        match &news.sent {
            Sent::Taken(accepted) => {
                self.accepted_as.try_set(Some(accepted.order_id));
                let waits = match &news.intent.ask {
                    Ask::Sync(request) => request.items.iter().all(|wish| wish.hold),
                    Ask::Plain(request) => request.items.iter().all(|wish| wish.hold),
                };
                match accepted.status {
                    SentStatus::Sent if waits => toaster.say(Tone::Info, texts().sent_waiting),
                    SentStatus::Sent => toaster.say(Tone::Good, t().sent),
                    SentStatus::PendingErp => toaster.say(Tone::Info, t().sent_pending),
                }
                self.unfolded.try_set(true);
                self.order.refresh();
                self.floor.refresh();
            }
            Sent::TakenBefore(order) => {
                self.accepted_as.try_set(*order);
                toaster.say(Tone::Info, queue::t().taken_before);
                self.order.refresh();
                self.floor.refresh();
            }
            // Whoever just typed it, here, can put it right here.
            Sent::Conflict(conflict @ (Conflict::DishOut { .. } | Conflict::Refused { .. }))
                if self.outbox.was_typed_here(news.intent.uuid) =>
            {
                self.problem.try_set(Some(queue::t().conflict(conflict)));
                self.menu.refresh();
                self.take_back(&news.intent);
            }
            Sent::Conflict(conflict) => {
                self.problem.try_set(Some(queue::t().conflict(conflict)));
                self.floor.refresh();
                self.order.refresh();
            }
            Sent::Elsewhere => {
                let Ask::Sync(request) = &news.intent.ask else { return };
                let mut was_this = false;
                self.draft.try_update(|draft| was_this = draft.sent_elsewhere(news.intent.uuid, &request.items));
                if was_this {
                    // What was added here since is kept again: the other tab forgot it with what it sent.
                    self.edit(|_| {});
                    toaster.say(Tone::Info, queue::t().sent_elsewhere);
                }
            }
        }
    }

    /// Gives the lines of an order back, to be corrected. What is sent then takes its place.
    fn take_back(self, intent: &Intent) {
        let Ask::Sync(request) = intent.ask.clone() else { return };
        let uuid = intent.uuid;
        self.draft.try_update(|draft| draft.take_back(request.items, request.covers, uuid));
        let Some(draft) = self.draft.try_get_untracked() else { return };
        spawn_local(async move {
            // On a phone that cannot write, the card stays as well; sent again from here, it takes the place of that order all the same.
            let _card_stays = self.outbox.take_back(uuid, self.table_id, &draft).await;
        });
    }
}

/// Whether the server may yet have, or take, what was sent: then exactly the same is sent again, under the same number.
pub(super) fn is_undecided(error: &CallError) -> bool {
    match error {
        CallError::Unreachable(_) => true,
        CallError::Refused(problem) => matches!(problem.status, 401 | 408 | 429) || problem.status >= 500,
    }
}
