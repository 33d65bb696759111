//! A long press: the expert's short way. It never is the only way to anything.

use leptos::prelude::*;

/// A press counts as long after this, in milliseconds.
#[cfg(feature = "hydrate")]
const LONG_MS: u32 = 450;

/// Watches one press at a time.
#[derive(Clone, Copy)]
pub struct LongPress {
    #[cfg(feature = "hydrate")]
    running: StoredValue<Option<gloo_timers::callback::Timeout>, LocalStorage>,
    was_long: StoredValue<bool>,
}

impl LongPress {
    /// Nothing is pressed.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it belongs to a component")]
    pub fn new() -> Self {
        Self {
            #[cfg(feature = "hydrate")]
            running: StoredValue::new_local(None),
            was_long: StoredValue::new(false),
        }
    }

    /// A finger came down.
    pub fn begin(self, long: impl FnOnce() + 'static) {
        self.was_long.set_value(false);
        #[cfg(feature = "hydrate")]
        self.running.set_value(Some(gloo_timers::callback::Timeout::new(LONG_MS, move || {
            if self.was_long.try_set_value(true).is_none() {
                long();
            }
        })));
        #[cfg(not(feature = "hydrate"))]
        drop(long);
    }

    /// Whether a finger is down, or just was for long: a context menu that the browser opens now means the same press.
    #[must_use]
    pub fn is_pressed(self) -> bool {
        #[cfg(feature = "hydrate")]
        let down = self.running.try_with_value(Option::is_some).unwrap_or(false);
        #[cfg(not(feature = "hydrate"))]
        let down = false;
        down || self.was_long.try_get_value().unwrap_or(false)
    }

    /// Another button came down: whatever was pressed before is over.
    pub fn forget(self) {
        self.end();
        self.was_long.set_value(false);
    }

    /// The finger went up, or away.
    pub fn end(self) {
        #[cfg(feature = "hydrate")]
        self.running.set_value(None);
    }

    /// Whether the press was long, so that the click that follows it means nothing. Asked once per press.
    #[must_use]
    pub fn take_was_long(self) -> bool {
        self.was_long.try_update_value(std::mem::take).unwrap_or(false)
    }
}
