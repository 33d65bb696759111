//! Telling somebody who does not look: a notification of the system, and the phone that shakes.
//!
//! A notification goes through the service worker, because only then a phone shows it while the page sleeps and a tap on it comes back to us
//! (`public/sw-notify.js`). Browsers ask the person before the first one, and ask only once: so we ask at a moment at which it makes sense, in
//! our own words first.

use crate::i18n::pass::Notice;
use domain::api::PushSubscription;
use leptos::prelude::*;

/// Whether this device may show notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It cannot: no service worker, or an address that the browser does not trust.
    Impossible,
    /// Nobody has said anything yet.
    NotAsked,
    /// It may.
    Granted,
    /// Somebody said no; only the browser's settings change that.
    Denied,
}

/// What may be shown; in context where it is needed.
#[derive(Debug, Clone, Copy)]
pub struct Notifications {
    permission: RwSignal<Permission>,
    /// Somebody said *later* on this device.
    put_off: RwSignal<bool>,
}

impl Notifications {
    /// Of this device. Impossible on the server, and until the page is there.
    #[must_use]
    pub fn of_this_device() -> Self {
        let here = Self { permission: RwSignal::new(Permission::Impossible), put_off: RwSignal::new(false) };
        #[cfg(feature = "hydrate")]
        Effect::new(move |_| {
            here.permission.set(system::permission());
            here.put_off.set(system::was_put_off());
        });
        here
    }

    /// Whether to offer them: nobody was asked, and nobody said *later*.
    #[must_use]
    pub fn is_to_be_offered(self) -> bool {
        self.permission.get() == Permission::NotAsked && !self.put_off.get()
    }

    /// Whether it may.
    #[must_use]
    pub fn permission(self) -> Permission {
        self.permission.get()
    }

    /// Lets the browser ask. Called by a tap.
    pub fn ask(self) {
        #[cfg(feature = "hydrate")]
        leptos::task::spawn_local(async move {
            self.permission.set(system::ask().await);
        });
    }

    /// Somebody says *later*: this device does not offer it again until they look for it themselves.
    pub fn put_off(self) {
        self.put_off.set(true);
        #[cfg(feature = "hydrate")]
        system::put_off();
    }

    /// Shows something, if nobody looks at the page and the device may.
    pub fn show_if_hidden(self, notice: Notice) {
        #[cfg(feature = "hydrate")]
        if system::is_hidden() && self.permission.get_untracked() == Permission::Granted {
            leptos::task::spawn_local(system::show(notice));
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = notice;
    }

    /// Asks the browser for an address at its push service, so that this phone is told while it sleeps. Nothing when it may show nothing, or
    /// has no such service.
    pub async fn subscribe(self, public_key: &str) -> Option<PushSubscription> {
        #[cfg(feature = "hydrate")]
        if self.permission.get_untracked() == Permission::Granted {
            return system::subscribe(public_key).await;
        }
        let _ = public_key;
        None
    }

    /// Takes away what is shown under this tag.
    pub fn take_away(self, tag: String) {
        #[cfg(feature = "hydrate")]
        if self.permission.get_untracked() == Permission::Granted {
            leptos::task::spawn_local(system::take_away(tag));
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = tag;
    }
}

/// Shakes the phone, where it can be shaken.
pub fn shake() {
    #[cfg(feature = "hydrate")]
    system::shake();
}

/// Calls back when somebody taps a notification while the app is open, with the address of the page that it is about.
pub fn when_opened(open: impl Fn(String) + 'static) {
    #[cfg(feature = "hydrate")]
    system::when_opened(open);
    #[cfg(not(feature = "hydrate"))]
    let _ = open;
}

#[cfg(feature = "hydrate")]
mod system {
    use super::{Notice, Permission, PushSubscription};
    use js_sys::{Array, JSON, Object, Reflect};
    use leptos::prelude::{document, window};
    use wasm_bindgen::prelude::{Closure, JsValue};
    use wasm_bindgen::{JsCast, UnwrapThrowExt};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{
        MessageEvent, NotificationOptions, NotificationPermission, PushManager, PushSubscriptionOptionsInit, ServiceWorkerRegistration,
        VisibilityState,
    };

    /// Under which the device remembers that somebody said *later*.
    const PUT_OFF: &str = "comptoir-notify-later";
    /// Long, short, long: in a pocket one buzz is nothing.
    const SHAKE_MS: [u32; 3] = [200, 100, 200];

    fn has(what: &JsValue, name: &str) -> bool {
        Reflect::get(what, &JsValue::from_str(name)).is_ok_and(|found| !found.is_undefined())
    }

    pub(super) fn permission() -> Permission {
        if !has(&window(), "Notification") || !has(&window().navigator(), "serviceWorker") {
            return Permission::Impossible;
        }
        read(web_sys::Notification::permission())
    }

    fn read(permission: NotificationPermission) -> Permission {
        match permission {
            NotificationPermission::Granted => Permission::Granted,
            NotificationPermission::Denied => Permission::Denied,
            _ => Permission::NotAsked,
        }
    }

    pub(super) async fn ask() -> Permission {
        if let Ok(asking) = web_sys::Notification::request_permission() {
            let _answered = JsFuture::from(asking).await;
        }
        permission()
    }

    pub(super) fn was_put_off() -> bool {
        let storage = window().local_storage().ok().flatten();
        storage.and_then(|storage| storage.get_item(PUT_OFF).ok().flatten()).is_some()
    }

    pub(super) fn put_off() {
        if let Ok(Some(storage)) = window().local_storage() {
            // A browser that keeps nothing offers it again after the next start.
            let _kept = storage.set_item(PUT_OFF, "1");
        }
    }

    pub(super) fn is_hidden() -> bool {
        document().visibility_state() == VisibilityState::Hidden
    }

    async fn registration() -> Option<ServiceWorkerRegistration> {
        let ready = window().navigator().service_worker().ready().ok()?;
        JsFuture::from(ready).await.ok()?.dyn_into().ok()
    }

    pub(super) async fn show(notice: Notice) {
        let Some(registration) = registration().await else { return };
        let options = NotificationOptions::new();
        options.set_body(&notice.body);
        options.set_tag(&notice.tag);
        options.set_icon("/icons/icon-192.png");
        options.set_require_interaction(true);
        let data = Object::new();
        let _set = Reflect::set(&data, &"url".into(), &notice.url.into());
        let _set = Reflect::set(&options, &"data".into(), &data);
        let _set = Reflect::set(&options, &"renotify".into(), &JsValue::TRUE);
        let _set = Reflect::set(&options, &"vibrate".into(), &pattern());
        // A device that refuses shows the card in the app.
        if let Ok(showing) = registration.show_notification_with_options(&notice.title, &options) {
            let _shown = JsFuture::from(showing).await;
        }
    }

    /// One that this browser has already is given again, unless it was made for another key of the house: then it is given up first.
    pub(super) async fn subscribe(public_key: &str) -> Option<PushSubscription> {
        let registration = registration().await?;
        if !has(&registration, "pushManager") {
            return None;
        }
        let manager = registration.push_manager().ok()?;
        let subscription = match subscribe_at(&manager, public_key).await {
            Some(subscription) => subscription,
            None => {
                let old: web_sys::PushSubscription = JsFuture::from(manager.get_subscription().ok()?).await.ok()?.dyn_into().ok()?;
                JsFuture::from(old.unsubscribe().ok()?).await.ok()?;
                subscribe_at(&manager, public_key).await?
            }
        };
        crate::json::read(&JSON::stringify(&subscription).ok()?.as_string()?).ok()
    }

    async fn subscribe_at(manager: &PushManager, public_key: &str) -> Option<JsValue> {
        let options = PushSubscriptionOptionsInit::new();
        options.set_user_visible_only(true);
        options.set_application_server_key_opt_str(Some(public_key));
        JsFuture::from(manager.subscribe_with_options(&options).ok()?).await.ok()
    }

    pub(super) async fn take_away(tag: String) {
        let Some(registration) = registration().await else { return };
        let Ok(getting) = registration.get_notifications() else { return };
        let Ok(shown) = JsFuture::from(getting).await else { return };
        for notification in Array::from(&shown).iter() {
            let is_it = Reflect::get(&notification, &"tag".into()).is_ok_and(|found| found == tag.as_str());
            if let (true, Ok(notification)) = (is_it, notification.dyn_into::<web_sys::Notification>()) {
                notification.close();
            }
        }
    }

    fn pattern() -> JsValue {
        SHAKE_MS.into_iter().map(JsValue::from).collect::<Array>().into()
    }

    pub(super) fn shake() {
        let navigator = window().navigator();
        // Before anybody has touched the page a browser refuses, and complains.
        let touched =
            Reflect::get(&navigator, &"userActivation".into()).and_then(|activation| Reflect::get(&activation, &"hasBeenActive".into()));
        if has(&navigator, "vibrate") && touched.is_ok_and(|touched| touched.is_truthy()) {
            let _shaken = navigator.vibrate_with_pattern(&pattern());
        }
    }

    pub(super) fn when_opened(open: impl Fn(String) + 'static) {
        let navigator = window().navigator();
        if !has(&navigator, "serviceWorker") {
            return;
        }
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
            let path = Reflect::get(&message.data(), &"open".into()).ok().and_then(|path| path.as_string());
            if let Some(path) = path.filter(|path| path.starts_with('/') && !path.starts_with("//")) {
                open(path);
            }
        });
        let container = navigator.service_worker();
        container.add_event_listener_with_callback("message", heard.as_ref().unchecked_ref()).unwrap_throw();
        heard.forget();
    }
}
