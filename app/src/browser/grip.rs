//! A finger, a pen or a mouse that holds something on a surface and moves it. Whole CSS pixels: nothing on the plan is finer.

use leptos::ev::PointerEvent;
use leptos::html::Div;
use leptos::prelude::NodeRef;

/// Where the pointer is, and how large the surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grip {
    /// From the left and upper edge of the window.
    pub at: (i32, i32),
    /// Width and height of the surface.
    pub surface: (i32, i32),
}

/// Reads where the pointer is. With `hold`, the surface gets everything that this pointer does until it is lifted, wherever it goes.
/// `None` on the server, and for a second finger or another button of the mouse.
#[must_use]
pub fn grip(surface: NodeRef<Div>, event: &PointerEvent, hold: bool) -> Option<Grip> {
    #[cfg(feature = "hydrate")]
    {
        use leptos::prelude::GetUntracked;
        let surface = surface.get_untracked()?;
        if !event.is_primary() || (hold && event.button() != 0) {
            return None;
        }
        if hold {
            // A pointer that is gone already has nothing to hold.
            let _gone = surface.set_pointer_capture(event.pointer_id());
        }
        Some(Grip { at: (event.client_x(), event.client_y()), surface: (surface.client_width(), surface.client_height()) })
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (surface, event, hold);
        None
    }
}
