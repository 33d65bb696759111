//! One question to the server at a time, and what is shown while it is asked and when it is refused.

use super::Billing;
use crate::browser::live::{Live, use_live};
use crate::components::notice::{Notice, Tone, explain};
use crate::error::CallError;
use crate::session::{Session, use_session};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// See the module.
#[derive(Clone, Copy)]
pub(super) struct Asking {
    billing: Billing,
    session: Session,
    live: Live,
    /// A question is on its way.
    pub(super) busy: RwSignal<bool>,
    refused: RwSignal<Option<CallError>>,
}

impl Asking {
    pub(super) fn begin(billing: Billing) -> Self {
        Self { billing, session: use_session(), live: use_live(), busy: RwSignal::new(false), refused: RwSignal::new(None) }
    }

    /// Asks; a good answer goes to `then`, and the bill is read again whatever came.
    pub(super) fn ask<T: 'static>(self, question: impl Future<Output = Result<T, CallError>> + 'static, then: impl FnOnce(T) + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.refused.set(None);
        spawn_local(async move {
            let answer = question.await;
            self.live.heard_of_call(&answer);
            self.busy.try_set(false);
            match answer {
                Ok(answer) => then(answer),
                Err(error) => {
                    self.session.heed(&error);
                    self.refused.try_set(Some(error));
                }
            }
            self.billing.bill.refresh();
        });
    }

    /// The sentence about the last refusal.
    pub(super) fn refusal(self) -> Option<impl IntoView> {
        self.refused.get().map(|error| view! { <Notice tone=Tone::Bad>{explain(&error)}</Notice> })
    }
}
