//! Leaving a page on which something is not saved: the browser asks before the tab closes, the page asks before a link is followed.

use leptos::ev::MouseEvent;
#[cfg(feature = "hydrate")]
use leptos::prelude::*;

/// Lets the browser ask before the tab goes, as long as there is something to lose. Does nothing on the server.
pub fn ask_before_closing(has_something_to_lose: impl Fn() -> bool + 'static) {
    #[cfg(feature = "hydrate")]
    {
        let asks = StoredValue::new_local(has_something_to_lose);
        Effect::new(move |_| {
            let handle = window_event_listener_untyped("beforeunload", move |event| {
                if asks.try_with_value(|asks| asks()) == Some(true) {
                    event.prevent_default();
                }
            });
            on_cleanup(move || handle.remove());
        });
    }
    #[cfg(not(feature = "hydrate"))]
    drop(has_something_to_lose);
}

/// The page of this app to which a click would lead.
#[must_use]
pub fn way_out(click: &MouseEvent) -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let target = click.target()?.dyn_into::<web_sys::Element>().ok()?;
        target.closest("a[href]").ok()??.get_attribute("href")
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = click;
        None
    }
}
