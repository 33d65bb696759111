//! Often asked for, seldom done: hundreds of answers in a row are a few changes for the eye, and one transaction writes many of them down.

use leptos::prelude::*;

/// Does what is asked of it at most once in so many milliseconds. Gone with the component that made it, and what was asked for with it.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    every_ms: u32,
    /// When it was done last, by the phone's clock, in milliseconds.
    last: StoredValue<i64>,
    is_due: StoredValue<bool>,
}

impl Pace {
    /// At most once in so many milliseconds.
    #[must_use]
    pub fn new(every_ms: u32) -> Self {
        Self { every_ms, last: StoredValue::new(0), is_due: StoredValue::new(false) }
    }

    /// The same, at another pace from now on: what was done at the one before counts.
    #[must_use]
    pub const fn every(self, ms: u32) -> Self {
        Self { every_ms: ms, ..self }
    }

    /// Does it next, in a task of its own, when the last time is long enough ago; otherwise as soon as it is. Asked for again before that,
    /// it is done once, so `act` looks at what is so by then. Does nothing on the server, where nothing happens often.
    pub fn soon(self, act: impl FnOnce() + 'static) {
        #[cfg(feature = "hydrate")]
        {
            if self.is_due.try_update_value(|due| std::mem::replace(due, true)) != Some(false) {
                return;
            }
            let every = i64::from(self.every_ms);
            // A clock may be set back.
            let rest = (self.last.try_get_value().unwrap_or(0) + every - now_ms()).clamp(0, every);
            let rest = u32::try_from(rest).unwrap_or(self.every_ms);
            gloo_timers::callback::Timeout::new(rest, move || {
                if self.is_due.try_update_value(std::mem::take) == Some(true) {
                    self.last.try_set_value(now_ms());
                    act();
                }
            })
            .forget();
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (self.every_ms, self.last, self.is_due, act);
    }

    /// Whether something was asked for that is not done yet. It is not done any more: whoever asks does it now.
    #[must_use]
    pub fn take(self) -> bool {
        self.is_due.try_update_value(std::mem::take) == Some(true)
    }
}

/// By the phone's clock, in milliseconds since 1970.
#[cfg(feature = "hydrate")]
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit in 64 bits")]
fn now_ms() -> i64 {
    js_sys::Date::now() as i64
}
