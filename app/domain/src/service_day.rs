//! The day a sale belongs to. A service may pass midnight: what is sold at half past midnight belongs to the evening before.

use time::{Date, Duration, PrimitiveDateTime};

/// The hour, on the clock of the restaurant, at which a new service day begins.
pub const DAY_STARTS_AT_HOUR: i64 = 5;

/// The service day of a local time.
#[must_use]
pub fn service_day(local: PrimitiveDateTime) -> Date {
    local.saturating_sub(Duration::hours(DAY_STARTS_AT_HOUR)).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn after_midnight_still_belongs_to_the_evening_before() {
        assert_eq!(service_day(datetime!(2026-02-02 23:59:59)), date!(2026 - 02 - 02));
        assert_eq!(service_day(datetime!(2026-02-03 00:30)), date!(2026 - 02 - 02));
        assert_eq!(service_day(datetime!(2026-02-03 04:59:59)), date!(2026 - 02 - 02));
        assert_eq!(service_day(datetime!(2026-02-03 05:00)), date!(2026 - 02 - 03));
    }
}
