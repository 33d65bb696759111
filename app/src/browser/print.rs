//! Paper that the browser prints on.

/// A roll of thermal paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Roll {
    /// 80 mm, of which 72 are printed: 48 columns.
    #[default]
    Wide,
    /// 58 mm, of which 48 are printed: 32 columns.
    Narrow,
}

impl Roll {
    /// Characters in a row.
    #[must_use]
    pub const fn columns(self) -> usize {
        match self {
            Self::Wide => 48,
            Self::Narrow => 32,
        }
    }

    /// How wide it is.
    #[must_use]
    pub const fn millimetres(self) -> u32 {
        match self {
            Self::Wide => 80,
            Self::Narrow => 58,
        }
    }
}

/// Where the choice is kept on this device.
#[cfg(feature = "hydrate")]
const KEPT: &str = "roll";

/// The roll that this device prints on, as last chosen. The wide one on the server.
#[must_use]
pub fn kept_roll() -> Roll {
    #[cfg(feature = "hydrate")]
    {
        let kept = leptos::prelude::window().local_storage().ok().flatten().and_then(|storage| storage.get_item(KEPT).ok().flatten());
        if kept.as_deref() == Some("58") {
            return Roll::Narrow;
        }
    }
    Roll::Wide
}

/// Remembers the roll of this device. Does nothing on the server.
pub fn keep_roll(roll: Roll) {
    #[cfg(feature = "hydrate")]
    if let Ok(Some(storage)) = leptos::prelude::window().local_storage() {
        let _refused = storage.set_item(KEPT, if roll == Roll::Narrow { "58" } else { "80" });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = roll;
}

/// Opens the browser's print dialog once the page shows what was just set; the style sheet leaves only the paper. Does nothing on the server.
pub fn print_page_soon() {
    #[cfg(feature = "hydrate")]
    leptos::prelude::request_animation_frame(|| {
        // The first frame draws it, the second comes after that.
        leptos::prelude::request_animation_frame(|| {
            let _refused = leptos::prelude::window().print();
        });
    });
}

/// Calls back when the browser has printed, or was told not to, as long as the calling component is on screen.
pub fn when_printed(done: impl Fn() + 'static) {
    #[cfg(feature = "hydrate")]
    {
        use leptos::prelude::*;
        let done = StoredValue::new_local(done);
        Effect::new(move |_| {
            let handle = window_event_listener_untyped("afterprint", move |_| {
                done.try_with_value(|done| done());
            });
            on_cleanup(move || handle.remove());
        });
    }
    #[cfg(not(feature = "hydrate"))]
    drop(done);
}
