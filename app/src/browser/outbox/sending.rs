//! Sending: the pure queue says what is sent when, this asks the server and tells the queue what came of it.

use super::{News, Outbox, Sent};
use crate::browser::http;
use domain::sync::{Answer, Ask, Effect as Act, Intent, IntentState};
use leptos::prelude::*;
use leptos::task::spawn_local;
use uuid::Uuid;

impl Outbox {
    /// Sends what can be sent now, if this tab is the one that sends.
    pub(super) fn send(self) {
        if self.is_sender.try_get_value() != Some(true) {
            return;
        }
        let now = now_ms();
        let effects = self.queue.try_update_value(|queue| queue.send(now)).unwrap_or_default();
        for effect in effects {
            if let Act::Send(intent) = effect {
                spawn_local(async move {
                    let answer = match (&intent.ask, &intent.state) {
                        (_, IntentState::Dropping { reason }) => http::drop_intent(intent.uuid, reason).await,
                        (Ask::Sync(request), _) => http::sync_order(request).await,
                        (Ask::Plain(request), _) => http::send_plain(request).await,
                    };
                    self.answered(*intent, answer);
                });
            }
        }
        #[cfg(feature = "hydrate")]
        if let Some(at) = self.queue.try_with_value(|queue| queue.next_wake(now)).flatten() {
            super::signals::look_again_in(self, at.saturating_sub(now));
        }
    }

    /// The server does not answer: nothing is tried for a while, and what is on its way is taken back.
    #[cfg(feature = "hydrate")]
    pub(super) fn fell_silent(self) {
        self.queue.try_update_value(|queue| queue.fell_silent(now_ms(), chance()));
        http::stop_waiting(js_sys::Date::now());
    }

    fn answered(self, intent: Intent, answer: Answer) {
        let parts = self.parts.try_get_value().flatten();
        if let Some((_, live)) = parts.filter(|_| answer != Answer::TakenBack) {
            live.set_answered(!matches!(answer, Answer::Unanswered(_)));
        }
        let effects = self.queue.try_update_value(|queue| queue.answered(intent.uuid, answer, now_ms(), chance())).unwrap_or_default();
        for effect in effects {
            self.perform(&intent, effect);
        }
        self.show_soon();
        self.send();
    }

    fn perform(self, intent: &Intent, effect: Act) {
        let tell = |sent: Sent| {
            self.tell(&News { intent: intent.clone(), sent });
        };
        match effect {
            Act::Keep(kept) => spawn_local(async move { self.write_down(&kept).await }),
            Act::Forget(uuid) => self.forget(uuid),
            Act::Taken(_, accepted) => tell(Sent::Taken(*accepted)),
            Act::TakenBefore(_, order) => tell(Sent::TakenBefore(order)),
            Act::Show(uuid) => {
                if let Some(conflict) = self.queue.with_value(|queue| queue.get(uuid).and_then(|one| one.conflict().cloned())) {
                    tell(Sent::Conflict(conflict));
                }
            }
            Act::AskWho => {
                if let Some((session, live)) = self.parts.try_get_value().flatten() {
                    spawn_local(session.find_out(live));
                }
            }
            Act::Reload => {
                self.outdated.try_set(true);
            }
            Act::Send(_) => {}
        }
    }
}

/// By the phone's clock, in milliseconds since 1970.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit in 64 bits")]
fn now_ms() -> i64 {
    #[cfg(feature = "hydrate")]
    {
        js_sys::Date::now() as i64
    }
    #[cfg(not(feature = "hydrate"))]
    {
        (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64
    }
}

/// 0 to 10 000, at random.
pub(super) fn chance() -> u16 {
    let [high, low, ..] = Uuid::new_v4().into_bytes();
    u16::from_be_bytes([high, low]) % 10_001
}
