//! When a phone asks whether the server is there.
//!
//! An open socket and an open Wi-Fi say nothing: a network that fell silent leaves both as they were. So a phone that somebody looks at asks,
//! every five seconds while it is answered, sooner after silence, soonest when something waits to be sent. Chance spreads the questions, so
//! that five hundred phones that lost the same server do not come back in the same moment. As in [`super::Queue`], there is no clock here.

use crate::backoff::Backoff;
use std::time::Duration;

/// While the server is there: asked so often, give or take nothing but chance.
const STEADY: Backoff = Backoff { first: Duration::from_secs(5), longest: Duration::from_secs(5), jitter: 1_000 };
/// After silence: 1, 2, 4 s, less up to a half.
const SEEKING: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(4), jitter: 5_000 };
/// A server that is slower than this is not there.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// Whoever seeks gives up sooner, every other time: a question that was asked into the silence is never answered, and the next one may be.
const SHORT_PATIENCE: Duration = Duration::from_secs(2);

/// What the phone knows of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watch {
    /// Questions without an answer, in a row.
    unheard: u32,
    /// How often something else than a question went without an answer since a question was last answered that nobody needed.
    lost: u32,
}

/// The next question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// So long from now.
    pub pause: Duration,
    /// And it has so long to be answered.
    pub patience: Duration,
}

impl Watch {
    /// A question was answered. `known` when nobody doubted that the server is there.
    pub fn heard(&mut self, known: bool) {
        self.unheard = 0;
        if known {
            self.lost = 0;
        }
    }

    /// A question was not answered in time.
    pub fn unheard(&mut self) {
        self.unheard = self.unheard.saturating_add(1);
    }

    /// From now on the server is thought not to be there. When no question found that out, something else did that was asked of it.
    pub fn lost(&mut self) {
        if self.unheard == 0 {
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// The next question: `is_lost` when the server is thought not to be there, `waits` when something is to be sent, `chance` (0 to 10 000)
    /// makes it sooner. A server that answers this and nothing else is sought less eagerly each time.
    #[must_use]
    pub fn next(&self, is_lost: bool, waits: bool, chance: u16) -> Look {
        if !is_lost {
            return Look { pause: STEADY.delay(1, chance), patience: PATIENCE };
        }
        let eagerness = if waits { 1 } else { self.unheard.saturating_add(1) };
        let patience = if self.unheard.is_multiple_of(2) { SHORT_PATIENCE } else { PATIENCE };
        Look { pause: SEEKING.delay(eagerness.max(self.lost), chance), patience }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backoff::WHOLE;
    use proptest::prelude::*;

    const PHONES: u64 = 500;

    /// A phone alone with a network that falls silent at one moment and is back at another: `(noticed, returned)`, both in milliseconds.
    fn silence(chance: &mut impl FnMut() -> u16, from: u64, until: u64, waits: bool) -> (u64, u64) {
        let (mut watch, mut now, mut noticed) = (Watch::default(), 0, None);
        // Where in its round of questions it is when everything begins.
        now += u64::from(chance()) / 2;
        loop {
            let Look { pause, patience } = watch.next(noticed.is_some(), waits, chance());
            now += u64::try_from(pause.as_millis()).unwrap();
            if now < from || now >= until {
                watch.heard(noticed.is_none());
                if let Some(noticed) = noticed {
                    return (noticed, now);
                }
                if now >= until {
                    return (until, now);
                }
                continue;
            }
            now += u64::try_from(patience.as_millis()).unwrap();
            watch.unheard();
            if noticed.is_none() {
                watch.lost();
                noticed = Some(now);
            }
        }
    }

    /// Chance that is the same in each run.
    fn dice(mut seed: u64) -> impl FnMut() -> u16 {
        move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u16::try_from((seed >> 33) % u64::from(WHOLE + 1)).unwrap()
        }
    }

    proptest! {
        #[test]
        fn silence_is_noticed_within_eight_seconds_and_its_end_within_seven_or_four_with_something_to_send(
            seed: u64, from in 10_000u64..30_000, lasts in 8_000u64..900_000, waits: bool,
        ) {
            let (noticed, returned) = silence(&mut dice(seed), from, from + lasts, waits);
            prop_assert!(noticed - from <= 8_000, "noticed after {} ms", noticed - from);
            let within = if waits { 4_000 } else { 7_000 };
            prop_assert!(returned - (from + lasts) <= within, "back after {} ms", returned - (from + lasts));
        }

        #[test]
        fn a_question_always_comes_and_never_at_once(unheard in 0u32..1_000, lost in 0u32..1_000, is_lost: bool, waits: bool, chance in 0..=WHOLE) {
            let Look { pause, patience } = Watch { unheard, lost }.next(is_lost, waits, chance);
            prop_assert!(pause >= Duration::from_millis(500) && pause <= Duration::from_secs(5));
            prop_assert!(patience >= SHORT_PATIENCE && patience <= PATIENCE);
        }
    }

    #[test]
    fn a_return_typically_takes_two_seconds() {
        let mut waits: Vec<u64> = (0..PHONES).map(|phone| silence(&mut dice(phone), 20_000, 60_000, true).1 - 60_000).collect();
        waits.sort_unstable();
        let median = waits[waits.len() / 2];
        assert!(median <= 2_000, "median {median} ms");
    }

    #[test]
    fn five_hundred_phones_do_not_ask_in_the_same_moment() {
        for waits in [true, false] {
            // They all lost it in the same moment, as when a server is restarted, and something waits on each.
            let mut moments: Vec<u64> = (0..PHONES)
                .map(|phone| {
                    let mut chance = dice(phone);
                    let mut watch = Watch::default();
                    watch.lost();
                    let mut now = 0;
                    loop {
                        now += u64::try_from(watch.next(true, waits, chance()).pause.as_millis()).unwrap();
                        if now >= 20_000 {
                            return now;
                        }
                        // Refused at once.
                        watch.unheard();
                    }
                })
                .collect();
            moments.sort_unstable();
            let most = moments.iter().map(|from| moments.iter().filter(|at| (*from..from + 100).contains(*at)).count()).max().unwrap();
            assert!(most <= 120, "{most} of {PHONES} within a tenth of a second");
        }
    }

    #[test]
    fn a_server_that_answers_questions_and_nothing_else_is_sought_less_eagerly() {
        let mut watch = Watch::default();
        let mut pauses = Vec::new();
        for _ in 0..4 {
            watch.lost();
            pauses.push(watch.next(true, true, 0).pause.as_secs());
            watch.heard(false);
        }
        assert_eq!(pauses, [1, 2, 4, 4]);
        watch.heard(true);
        watch.lost();
        assert_eq!(watch.next(true, true, 0).pause.as_secs(), 1, "two answers running: forgotten");
        // One silence after another is no such thing.
        let mut watch = Watch::default();
        for _ in 0..4 {
            watch.unheard();
            watch.lost();
            assert_eq!(watch.next(true, true, 0).pause.as_secs(), 1);
            watch.heard(false);
        }
    }
}
