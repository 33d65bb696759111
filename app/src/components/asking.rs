//! One question to the server at a time, and what is shown while it is asked and when it is refused.

use super::notice::{Notice, Tone, explain};
use crate::browser::Cached;
use crate::browser::live::{Live, use_live};
use crate::error::CallError;
use crate::session::{Session, use_session};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// See the module.
#[derive(Clone, Copy)]
pub struct Asking {
    refresh: Callback<()>,
    session: Session,
    live: Live,
    /// A question is on its way.
    pub busy: RwSignal<bool>,
    refused: RwSignal<Option<CallError>>,
}

impl Asking {
    /// Asks about something that is on screen: it is read again after every answer.
    pub fn begin<T: Send + Sync + 'static>(of: Cached<T>) -> Self {
        Self {
            refresh: Callback::new(move |()| of.refresh()),
            session: use_session(),
            live: use_live(),
            busy: RwSignal::new(false),
            refused: RwSignal::new(None),
        }
    }

    /// Asks; a good answer goes to `then`, and what is on screen is read again whatever came.
    pub fn ask<T: 'static>(self, question: impl Future<Output = Result<T, CallError>> + 'static, then: impl FnOnce(T) + 'static) {
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
            self.refresh.try_run(());
        });
    }

    /// The sentence about the last refusal.
    pub fn refusal(self) -> Option<impl IntoView> {
        self.refused.get().map(|error| view! { <Notice tone=Tone::Bad>{explain(&error)}</Notice> })
    }
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asking").finish_non_exhaustive()
    }
}
