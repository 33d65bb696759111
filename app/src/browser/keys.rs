//! Keys that are pressed anywhere on a page: the expert's short way, like a long press.

#[cfg(feature = "hydrate")]
use leptos::prelude::*;

/// A key that was pressed.
#[derive(Debug)]
pub struct Pressed<'a> {
    /// Its name, as browsers call it: `a`, `7`, `Enter`, `ArrowLeft` …
    pub key: &'a str,
    /// With the shift key.
    pub shift: bool,
    /// With the control or command key.
    pub control: bool,
    /// Somebody types into a field, which wants the key itself.
    pub in_field: bool,
    /// A button or a link has the focus, to which Enter belongs.
    pub on_control: bool,
}

/// Calls back for every key, as long as the calling component is on screen; `true` means that the key is used up. Does nothing on the
/// server.
pub fn listen(heard: impl Fn(&Pressed<'_>) -> bool + 'static) {
    #[cfg(feature = "hydrate")]
    {
        let heard = StoredValue::new_local(heard);
        Effect::new(move |_| {
            let handle = window_event_listener(leptos::ev::keydown, move |event| {
                if event.alt_key() || event.is_composing() {
                    return;
                }
                let (in_field, on_control) = target_of(&event);
                let key = event.key();
                let (shift, control) = (event.shift_key(), event.ctrl_key() || event.meta_key());
                let pressed = Pressed { key: &key, shift, control, in_field, on_control };
                if heard.try_with_value(|heard| heard(&pressed)) == Some(true) {
                    event.prevent_default();
                }
            });
            on_cleanup(move || handle.remove());
        });
    }
    #[cfg(not(feature = "hydrate"))]
    drop(heard);
}

#[cfg(feature = "hydrate")]
fn target_of(event: &leptos::ev::KeyboardEvent) -> (bool, bool) {
    use wasm_bindgen::JsCast;
    let name = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()).map(|element| element.tag_name());
    match name.as_deref() {
        Some("INPUT" | "SELECT" | "TEXTAREA") => (true, false),
        Some("BUTTON" | "A" | "SUMMARY") => (false, true),
        _ => (false, false),
    }
}
