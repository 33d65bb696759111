//! A screen that stays lit while a page is shown, for whoever reads it with both hands full.
//!
//! A browser takes this back whenever the page is hidden, and may refuse it: an old one, one without encryption, a battery that runs low.

use leptos::prelude::*;

/// Keeps the screen lit until the page is left. True while the browser does not: the screen may go dark then, and a person should know.
#[must_use]
pub fn keep_awake() -> RwSignal<bool> {
    let refused = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let held = StoredValue::new_local(None::<lock::Lock>);
        let ask = move || {
            leptos::task::spawn_local(async move {
                if lock::is_hidden() {
                    return;
                }
                let lock = lock::ask(move || {
                    if !lock::is_hidden() {
                        refused.try_set(true);
                    }
                });
                let lock = lock.await;
                // Refused because nobody looks any more is no refusal: it is asked for again when somebody does.
                refused.try_set(lock.is_none() && !lock::is_hidden());
                if let Some(Some(too_late)) = held.try_set_value(lock) {
                    too_late.release();
                }
            });
        };
        ask();
        let seen = window_event_listener_untyped("visibilitychange", move |_| ask());
        on_cleanup(move || {
            seen.remove();
            if let Some(Some(lock)) = held.try_update_value(Option::take) {
                lock.release();
            }
        });
    });
    refused
}

/// The browser's side. Through reflection: not every browser has it, and the bindings call it unstable.
#[cfg(feature = "hydrate")]
mod lock {
    use js_sys::{Function, Promise, Reflect};
    use leptos::prelude::{document, window};
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::{Closure, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::VisibilityState;

    /// As long as the browser grants it.
    pub(super) struct Lock(JsValue);

    impl Lock {
        pub(super) fn release(self) {
            let release = Reflect::get(&self.0, &"release".into()).and_then(JsCast::dyn_into::<Function>);
            // What is no longer held cannot be given back.
            let _gone = release.and_then(|release| release.call0(&self.0));
        }
    }

    pub(super) fn is_hidden() -> bool {
        document().visibility_state() == VisibilityState::Hidden
    }

    pub(super) async fn ask(taken_back: impl FnOnce() + 'static) -> Option<Lock> {
        let locks = Reflect::get(&window().navigator(), &"wakeLock".into()).ok()?;
        let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
        let asked: Promise = request.call1(&locks, &"screen".into()).ok()?.dyn_into().ok()?;
        let lock = JsFuture::from(asked).await.ok()?;
        Reflect::set(&lock, &"onrelease".into(), &Closure::once_into_js(taken_back)).ok()?;
        Some(Lock(lock))
    }
}
