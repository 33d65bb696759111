//! How long to wait before trying again: twice as long each time, up to a limit, and not all at the same moment.
//!
//! The kitchen system is asked again after 1, 2, 4 … 60 s, a phone's queue after 30, 60, 120 s, its socket after 1, 2, 4 … 30 s. Chance is
//! passed in, as a share in basis points: there is no randomness here.

use std::time::Duration;

/// A share of one, in basis points.
pub const WHOLE: u16 = 10_000;

/// Delays that double.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Before the second try.
    pub first: Duration,
    /// Never longer.
    pub longest: Duration,
    /// How much of a delay chance may take away, in basis points: many who failed together do not come back together.
    pub jitter: u16,
}

impl Backoff {
    /// For the kitchen system: 1, 2, 4 … 60 s, less up to a quarter.
    pub const KITCHEN: Self = Self { first: Duration::from_secs(1), longest: Duration::from_secs(60), jitter: 2_500 };
    /// For a phone's queue: 30, 60, 120 s, less up to a tenth.
    pub const PHONE: Self = Self { first: Duration::from_secs(30), longest: Duration::from_secs(120), jitter: 1_000 };

    /// For the socket of a phone: at most 1, 2, 4 … 30 s, of which chance takes up to three quarters. When a server comes back, five hundred
    /// phones do not ask in the same moment, and all are back within seconds.
    pub const SOCKET: Self = Self { first: Duration::from_secs(1), longest: Duration::from_secs(30), jitter: 7_500 };

    /// The delay after so many failures in a row, before chance: the first for one, never over the longest, never under a millisecond.
    #[must_use]
    pub fn before_chance(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1);
        let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest).max(Duration::from_millis(1))
    }

    /// The delay after so many failures in a row. `chance` (0 to 10 000) says how much of the jitter is taken away: all of it at 10 000.
    #[must_use]
    pub fn delay(&self, failures: u32, chance: u16) -> Duration {
        let whole = self.before_chance(failures);
        let taken = u32::from(self.jitter.min(WHOLE)) * u32::from(chance.min(WHOLE)) / u32::from(WHOLE);
        let left = whole.saturating_mul(u32::from(WHOLE) - taken) / u32::from(WHOLE);
        left.max(Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_kitchen_is_asked_after_one_two_four_and_at_most_sixty_seconds() {
        let seconds: Vec<u64> = (1..=9).map(|failures| Backoff::KITCHEN.before_chance(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(Backoff::KITCHEN.delay(3, WHOLE), Duration::from_secs(3), "all of the jitter is a quarter");
    }

    #[test]
    fn a_phone_tries_after_thirty_sixty_and_a_hundred_and_twenty_seconds() {
        let seconds: Vec<u64> = (1..=4).map(|failures| Backoff::PHONE.before_chance(failures).as_secs()).collect();
        assert_eq!(seconds, [30, 60, 120, 120]);
        assert_eq!(Backoff::PHONE.delay(1, WHOLE), Duration::from_secs(27), "all of the jitter is a tenth");
    }

    #[test]
    fn phones_that_lost_their_server_together_come_back_one_by_one() {
        let first: Vec<u128> = [0, 2_500, 5_000, 7_500, WHOLE].map(|chance| Backoff::SOCKET.delay(1, chance).as_millis()).into();
        assert_eq!(first, [1_000, 812, 625, 437, 250]);
    }

    fn any_backoff() -> impl Strategy<Value = Backoff> {
        (0u64..100_000, 0u64..1_000_000, any::<u16>()).prop_map(|(first, more, jitter)| Backoff {
            first: Duration::from_millis(first),
            longest: Duration::from_millis(first + more),
            jitter,
        })
    }

    proptest! {
        #[test]
        fn delays_are_bounded_and_never_zero(backoff in any_backoff(), failures: u32, chance: u16) {
            let (whole, delay) = (backoff.before_chance(failures), backoff.delay(failures, chance));
            prop_assert!(delay >= Duration::from_millis(1) && delay <= whole);
            prop_assert!(whole <= backoff.longest.max(Duration::from_millis(1)));
            let least = whole * u32::from(WHOLE - backoff.jitter.min(WHOLE)) / u32::from(WHOLE);
            prop_assert!(delay >= least, "chance takes no more than the jitter");
        }

        #[test]
        fn before_chance_a_delay_never_shrinks(backoff in any_backoff(), failures in 0u32..100) {
            prop_assert!(backoff.before_chance(failures) <= backoff.before_chance(failures + 1));
        }

        #[test]
        fn more_chance_never_waits_longer(backoff in any_backoff(), failures in 0u32..100, chance in 0u16..10_000) {
            prop_assert!(backoff.delay(failures, chance + 1) <= backoff.delay(failures, chance));
        }
    }
}
