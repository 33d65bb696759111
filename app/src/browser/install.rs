//! The installed app: registers the service worker, and says when a new version waits.
//!
//! A new version never takes over by itself: in the middle of an order nothing may change under the waiter's fingers. The bar offers it;
//! a tap tells the waiting worker to take over, and the page starts again once it did. Other tabs go on with what they have, and say so.

use leptos::prelude::*;

/// Whether a new version waits; in context everywhere.
#[derive(Debug, Clone, Copy)]
pub struct Updates {
    waiting: RwSignal<bool>,
    /// Another tab let the new version take over.
    elsewhere: RwSignal<bool>,
}

impl Updates {
    pub(super) fn new() -> Self {
        Self { waiting: RwSignal::new(false), elsewhere: RwSignal::new(false) }
    }

    /// Whether a new version waits for a tap.
    #[must_use]
    pub fn waiting(self) -> bool {
        self.waiting.get()
    }

    /// Whether this tab still runs what another tab of this browser has replaced.
    #[must_use]
    pub fn taken_elsewhere(self) -> bool {
        self.elsewhere.get()
    }

    /// Registers the worker and watches for its successors. Does nothing on the server.
    pub(super) fn watch(self) {
        #[cfg(feature = "hydrate")]
        worker::watch(self.waiting, self.elsewhere);
    }

    /// Lets the new version take over, and starts again with it. Where none waits the page is loaded anew, from the server if it answers.
    pub fn take(self) {
        #[cfg(feature = "hydrate")]
        worker::take_over();
    }
}

/// The updates of this tab.
#[must_use]
pub fn use_updates() -> Updates {
    use_context().unwrap_or_else(Updates::new)
}

#[cfg(feature = "hydrate")]
mod worker {
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use std::cell::Cell;
    use wasm_bindgen::prelude::{Closure, JsValue};
    use wasm_bindgen::{JsCast, UnwrapThrowExt};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{ServiceWorker, ServiceWorkerContainer, ServiceWorkerRegistration, ServiceWorkerState};

    /// How often an open app asks for a new version, in milliseconds.
    const LOOK_EVERY_MS: u32 = 30 * 60 * 1000;

    /// `None` where the browser has no workers: an address without TLS other than localhost.
    fn container() -> Option<ServiceWorkerContainer> {
        let navigator = window().navigator();
        let there = js_sys::Reflect::get(&navigator, &JsValue::from_str("serviceWorker")).is_ok_and(|found| !found.is_undefined());
        there.then(|| navigator.service_worker())
    }

    thread_local! {
        /// This tab asked for it.
        static ASKED: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn watch(waiting: RwSignal<bool>, elsewhere: RwSignal<bool>) {
        let Some(container) = container() else { return };
        // The very first worker replaces nobody.
        let is_replaced = container.controller().is_some();
        on(&container, "controllerchange", move || {
            if ASKED.get() {
                let _leaving = window().location().reload();
            } else if is_replaced {
                waiting.set(false);
                elsewhere.set(true);
            }
        });
        spawn_local(async move {
            let Ok(registered) = JsFuture::from(container.register("/sw.js")).await else { return };
            let registration: ServiceWorkerRegistration = registered.unchecked_into();
            note_waiting(&registration, waiting);
            let found = registration.clone();
            on(&registration, "updatefound", move || {
                let Some(worker) = found.installing() else { return };
                let (state, registration) = (worker.clone(), found.clone());
                on(&worker, "statechange", move || {
                    if state.state() == ServiceWorkerState::Installed {
                        note_waiting(&registration, waiting);
                    }
                });
            });
            gloo_timers::callback::Interval::new(LOOK_EVERY_MS, move || {
                let _asked = registration.update();
            })
            .forget();
        });
    }

    /// The very first worker replaces nobody: that is no new version.
    fn note_waiting(registration: &ServiceWorkerRegistration, waiting: RwSignal<bool>) {
        let replaces = container().is_some_and(|container| container.controller().is_some());
        waiting.set(replaces && registration.waiting().is_some());
    }

    pub(super) fn take_over() {
        spawn_local(async move {
            if let Some(worker) = next_worker().await {
                ASKED.set(true);
                let _sent = worker.post_message(&JsValue::from_str("skip-waiting"));
            } else {
                let _leaving = window().location().reload();
            }
        });
    }

    /// The worker of the new version, if one waits.
    async fn next_worker() -> Option<ServiceWorker> {
        let found = JsFuture::from(container()?.get_registration()).await.ok()?;
        found.dyn_into::<ServiceWorkerRegistration>().ok()?.waiting()
    }

    /// Listens as long as the tab lives.
    fn on(target: &web_sys::EventTarget, event: &str, heard: impl FnMut() + 'static) {
        let closure = Closure::<dyn FnMut()>::new(heard);
        target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref()).unwrap_throw();
        closure.forget();
    }
}
