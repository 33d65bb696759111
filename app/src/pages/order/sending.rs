//! Sending what is typed. Pressed again after a lost answer, it sends the same again.

use super::ordering::Ordering;
use crate::browser::http::post_order;
use crate::components::notice::{Tone, explain};
use crate::draft::Draft;
use crate::error::CallError;
use crate::i18n::order::order as texts;
use crate::i18n::t;
use domain::api::SentStatus;
use leptos::prelude::*;
use leptos::task::spawn_local;

impl Ordering {
    /// Sends what is typed.
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
                    SentStatus::Sent if request.items.iter().all(|wish| wish.hold) => toaster.say(Tone::Info, texts().sent_waiting),
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
                    // Something may have run out since this phone heard of the menu: then the line says so itself.
                    self.menu.refresh();
                }
                let sentence = if matches!(error, CallError::Unreachable(_)) { t().kept_here.to_owned() } else { explain(&error) };
                self.problem.try_set(Some(sentence));
                false
            }
        }
    }
}

/// Whether the server may yet have, or take, what was sent: then exactly the same is sent again, under the same number.
pub(super) fn is_undecided(error: &CallError) -> bool {
    match error {
        CallError::Unreachable(_) => true,
        CallError::Refused(problem) => matches!(problem.status, 401 | 408 | 429) || problem.status >= 500,
    }
}
