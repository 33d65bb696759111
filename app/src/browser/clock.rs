//! The time, for "since 12 min". The server renders none: what a clock says differs between server and browser, and hydration would
//! trip over it. The browser fills it in after the first page is there, and again every few seconds.

use leptos::prelude::*;
use time::OffsetDateTime;

/// The clock; in context everywhere.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    now: RwSignal<Option<i64>>,
}

impl Clock {
    /// A clock that does not run yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "there is one clock, made by the app")]
    pub fn new() -> Self {
        Self { now: RwSignal::new(None) }
    }

    /// The time, to the second; `None` before the browser has one.
    #[must_use]
    pub fn now(self) -> Option<OffsetDateTime> {
        self.now.get().and_then(|now| OffsetDateTime::from_unix_timestamp(now).ok())
    }

    /// Whole minutes since then, never negative (clocks of phones differ); `None` before the browser has a time.
    #[must_use]
    pub fn minutes_since(self, then: OffsetDateTime) -> Option<i64> {
        self.now.get().map(|now| ((now - then.unix_timestamp()) / 60).max(0))
    }

    /// Seconds since 1970; `None` before the browser has a time.
    #[must_use]
    pub fn seconds(self) -> Option<i64> {
        self.now.get()
    }

    /// The same, for whoever need not be told when it changes.
    #[must_use]
    pub fn seconds_untracked(self) -> Option<i64> {
        self.now.get_untracked()
    }

    /// Starts it. Does nothing on the server.
    pub(super) fn start(self) {
        #[cfg(feature = "hydrate")]
        {
            let tick = move || {
                self.now.try_set(Some(now_in_seconds()));
            };
            tick();
            gloo_timers::callback::Interval::new(10_000, tick).forget();
        }
    }
}

#[cfg(feature = "hydrate")]
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit in 64 bits")]
fn now_in_seconds() -> i64 {
    js_sys::Date::now() as i64 / 1000
}

/// The next time that the clock on the wall says that hour: what is out tonight is looked at again before the next service. `None` on the
/// server, which does not know where the phone is.
#[must_use]
pub fn next_at(hour: u32) -> Option<OffsetDateTime> {
    #[cfg(feature = "hydrate")]
    {
        let then = js_sys::Date::new_0();
        if then.get_hours() >= hour {
            then.set_date(then.get_date() + 1);
        }
        then.set_hours(hour);
        then.set_minutes(0);
        then.set_seconds(0);
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit in 64 bits")]
        let seconds = then.get_time() as i64 / 1000;
        OffsetDateTime::from_unix_timestamp(seconds).ok()
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = hour;
        None
    }
}

/// Hour and minute of a moment on the wall of where this device is; UTC on the server, which does not know where that is.
#[must_use]
pub fn on_the_wall(at: OffsetDateTime) -> (u8, u8) {
    #[cfg(feature = "hydrate")]
    {
        let date = js_sys::Date::new_0();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of our time fit in 53 bits")]
        date.set_time((at.unix_timestamp() * 1000) as f64);
        (u8::try_from(date.get_hours()).unwrap_or(0), u8::try_from(date.get_minutes()).unwrap_or(0))
    }
    #[cfg(not(feature = "hydrate"))]
    {
        (at.hour(), at.minute())
    }
}

/// The clock of this tab.
#[must_use]
pub fn use_clock() -> Clock {
    use_context().unwrap_or_else(Clock::new)
}

/// `7 min`, `1 h 05`.
#[must_use]
pub fn spell_minutes(minutes: i64) -> String {
    match minutes {
        ..60 => format!("{minutes}\u{a0}min"),
        _ => format!("{}\u{a0}h\u{a0}{:02}", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_said_as_people_say_them() {
        assert_eq!(spell_minutes(0), "0\u{a0}min");
        assert_eq!(spell_minutes(59), "59\u{a0}min");
        assert_eq!(spell_minutes(65), "1\u{a0}h\u{a0}05");
    }
}
