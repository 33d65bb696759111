//! What has just come or moved takes no tap for a moment. When something leaves a list the next one slides to where it was: the second of two
//! quick taps is meant for what was there, not for what is there now.

use leptos::html::ElementType;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;

/// So long nothing that moved is tapped on purpose, in milliseconds: somebody has to see it first.
#[cfg(feature = "hydrate")]
const SETTLES_IN_MS: u32 = 400;

/// Whether something stands where it stood a moment ago.
#[derive(Debug, Clone, Copy)]
pub struct Settling {
    is_moving: RwSignal<bool>,
    look: Callback<()>,
}

impl Settling {
    /// Watches an element. `changes` follows whatever may move it: it is looked at after each change. Scrolling moves nothing, the finger
    /// knows of it.
    #[must_use]
    pub fn of<E>(node: NodeRef<E>, changes: impl Fn() + 'static) -> Self
    where
        E: ElementType,
        E::Output: JsCast + Clone + 'static,
    {
        let is_moving = RwSignal::new(false);
        #[cfg(feature = "hydrate")]
        let look = {
            let place = StoredValue::new(None::<(i32, i32)>);
            // A tap may come between the change and the picture of it.
            let is_due = StoredValue::new(false);
            let moves = StoredValue::new(0_u32);
            let look = Callback::new(move |()| {
                if is_due.try_update_value(std::mem::take) != Some(true) {
                    return;
                }
                let Some(element) = node.try_get_untracked().flatten() else { return };
                let element: &web_sys::HtmlElement = element.unchecked_ref();
                let here = Some((element.offset_left(), element.offset_top()));
                if place.try_update_value(|place| std::mem::replace(place, here)) == Some(here) {
                    return;
                }
                let Some(this) = moves.try_update_value(|moves| {
                    *moves += 1;
                    *moves
                }) else {
                    return;
                };
                is_moving.try_set(true);
                gloo_timers::callback::Timeout::new(SETTLES_IN_MS, move || {
                    if moves.try_get_value() == Some(this) {
                        is_moving.try_set(false);
                    }
                })
                .forget();
            });
            Effect::new(move |_| {
                changes();
                is_due.set_value(true);
                request_animation_frame(move || look.try_run(()).unwrap_or_default());
            });
            look
        };
        #[cfg(not(feature = "hydrate"))]
        let look = {
            let _ = (node, changes);
            Callback::new(|()| {})
        };
        Self { is_moving, look }
    }

    /// For the style sheet.
    #[must_use]
    pub fn is_moving(self) -> bool {
        self.is_moving.get()
    }

    /// Whether a tap at this moment was meant for something else.
    #[must_use]
    pub fn is_too_soon(self) -> bool {
        self.look.run(());
        self.is_moving.get_untracked()
    }
}
