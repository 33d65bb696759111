//! A circuit breaker: stop calling a system that does not answer, and find out gently when it is back.
//!
//! *Closed* lets every call through and counts failures in a row. Enough of them *open* it: nothing is called for a pause. Then it is
//! *half-open*: exactly one call, the probe, goes out; its answer closes the breaker, its failure opens it for another pause.
//!
//! Time is passed in, as the time since any fixed moment: there is no clock here. Whoever calls holds a [`Permit`] per call, so that a
//! call that began before the breaker changed its mind cannot change it again when it ends late.

use std::time::Duration;

/// When to stop calling and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// So many failures in a row open the breaker. Zero counts as one.
    pub failures: u32,
    /// Nothing is called for so long.
    pub pause: Duration,
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Calls go through.
    Closed,
    /// No call goes through.
    Open,
    /// One call may go through, or is on its way.
    HalfOpen,
}

/// The right to make one call. It is given back as an outcome: answered, failed or unused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// The breaker's count of changes when the call was allowed.
    change: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Duration,
    },
    /// A probe is on its way. One that has not come back by then is lost, and another may go.
    Probing {
        until: Duration,
    },
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Breaker {
    patience: Patience,
    state: State,
    /// Raised by every change of state: a permit of an older count decides nothing any more.
    change: u64,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub const fn new(patience: Patience) -> Self {
        Self { patience, state: State::Closed { failures: 0 }, change: 0 }
    }

    /// Where it stands at this time.
    #[must_use]
    pub fn phase(&self, now: Duration) -> Phase {
        match self.state {
            State::Closed { .. } => Phase::Closed,
            State::Open { until } if now < until => Phase::Open,
            State::Open { .. } | State::Probing { .. } => Phase::HalfOpen,
        }
    }

    /// Asks to make one call. `None`: not now.
    pub fn admit(&mut self, now: Duration) -> Option<Permit> {
        match self.state {
            State::Closed { .. } => {}
            State::Open { until } | State::Probing { until } if now >= until => {
                self.become_state(State::Probing { until: now.saturating_add(self.patience.pause) });
            }
            State::Open { .. } | State::Probing { .. } => return None,
        }
        Some(Permit { change: self.change })
    }

    /// The call was answered, whatever the answer says: the system lives.
    pub fn answered(&mut self, permit: Permit) {
        if permit.change != self.change {
            return;
        }
        match &mut self.state {
            State::Closed { failures } => *failures = 0,
            State::Open { .. } | State::Probing { .. } => self.become_state(State::Closed { failures: 0 }),
        }
    }

    /// The call was not answered.
    pub fn failed(&mut self, permit: Permit, now: Duration) {
        if permit.change != self.change {
            return;
        }
        let open = State::Open { until: now.saturating_add(self.patience.pause) };
        match &mut self.state {
            State::Closed { failures } if failures.saturating_add(1) < self.patience.failures => *failures += 1,
            State::Closed { .. } | State::Open { .. } | State::Probing { .. } => self.become_state(open),
        }
    }

    /// No call was made after all. A probe that was not needed may be made by the next who asks.
    pub fn unused(&mut self, permit: Permit) {
        if permit.change == self.change && matches!(self.state, State::Probing { .. }) {
            self.become_state(State::Open { until: Duration::ZERO });
        }
    }

    /// The system was heard of in another way: it lives. Calls that are on their way decide nothing any more.
    pub fn heard(&mut self) {
        self.become_state(State::Closed { failures: 0 });
    }

    fn become_state(&mut self, state: State) {
        self.state = state;
        self.change += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATIENCE: Patience = Patience { failures: 5, pause: Duration::from_secs(30) };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn opened(now: Duration) -> Breaker {
        let mut breaker = Breaker::new(PATIENCE);
        for _ in 0..5 {
            let permit = breaker.admit(now).unwrap();
            breaker.failed(permit, now);
        }
        breaker
    }

    #[test]
    fn the_fifth_failure_in_a_row_opens_it_for_thirty_seconds() {
        let mut breaker = Breaker::new(PATIENCE);
        for _ in 0..4 {
            let permit = breaker.admit(at(0)).unwrap();
            breaker.failed(permit, at(0));
        }
        let permit = breaker.admit(at(0)).unwrap();
        breaker.answered(permit);
        for _ in 0..4 {
            let permit = breaker.admit(at(1)).unwrap();
            breaker.failed(permit, at(1));
        }
        assert_eq!(breaker.phase(at(1)), Phase::Closed, "four, an answer, four: never five in a row");
        let permit = breaker.admit(at(2)).unwrap();
        breaker.failed(permit, at(2));
        assert_eq!((breaker.phase(at(2)), breaker.phase(at(31)), breaker.phase(at(32))), (Phase::Open, Phase::Open, Phase::HalfOpen));
        assert_eq!(breaker.admit(at(31)), None);
    }

    #[test]
    fn the_probe_decides() {
        let mut breaker = opened(at(0));
        let probe = breaker.admit(at(30)).unwrap();
        assert_eq!(breaker.admit(at(30)), None, "one probe");
        breaker.failed(probe, at(35));
        assert_eq!((breaker.admit(at(64)), breaker.phase(at(65))), (None, Phase::HalfOpen), "another pause, from the failure on");
        let probe = breaker.admit(at(65)).unwrap();
        breaker.answered(probe);
        assert_eq!(breaker.phase(at(65)), Phase::Closed);
    }

    #[test]
    fn a_probe_that_was_not_needed_is_there_for_the_next() {
        let mut breaker = opened(at(0));
        let probe = breaker.admit(at(30)).unwrap();
        breaker.unused(probe);
        assert!(breaker.admit(at(30)).is_some());
    }

    #[test]
    fn a_lost_probe_does_not_keep_it_shut_for_ever() {
        let mut breaker = opened(at(0));
        let lost = breaker.admit(at(30)).unwrap();
        assert_eq!(breaker.admit(at(59)), None);
        let second = breaker.admit(at(60)).unwrap();
        breaker.answered(lost);
        assert_eq!(breaker.phase(at(60)), Phase::HalfOpen, "the lost one decides nothing any more");
        breaker.answered(second);
        assert_eq!(breaker.phase(at(60)), Phase::Closed);
    }

    #[test]
    fn a_call_from_before_it_was_heard_of_does_not_count() {
        let mut breaker = Breaker::new(PATIENCE);
        let late: Vec<Permit> = (0..10).map(|_| breaker.admit(at(0)).unwrap()).collect();
        for permit in &late[..5] {
            breaker.failed(*permit, at(1));
        }
        breaker.heard();
        assert_eq!(breaker.phase(at(1)), Phase::Closed);
        for permit in &late {
            breaker.failed(*permit, at(2));
        }
        assert_eq!(breaker.phase(at(2)), Phase::Closed);
    }

    #[derive(Debug, Clone, Copy)]
    enum Act {
        Ask,
        Answer(usize),
        Fail(usize),
        Unused(usize),
        Wait(u64),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            4 => Just(Act::Ask),
            1 => (0usize..8).prop_map(Act::Answer),
            4 => (0usize..8).prop_map(Act::Fail),
            1 => (0usize..8).prop_map(Act::Unused),
            2 => (0u64..20).prop_map(Act::Wait),
        ];
        prop::collection::vec(act, 0..300)
    }

    proptest! {
        #[test]
        fn never_more_than_one_probe_and_no_call_while_open(acts in acts()) {
            let mut breaker = Breaker::new(PATIENCE);
            let mut now = Duration::ZERO;
            let mut calls: Vec<Permit> = Vec::new();
            // The probe that is out, and since when.
            let mut probe: Option<(Permit, Duration)> = None;
            for act in acts {
                match act {
                    Act::Wait(seconds) => now += at(seconds),
                    Act::Ask => {
                        let before = breaker.phase(now);
                        let permit = breaker.admit(now);
                        match before {
                            Phase::Closed => prop_assert!(permit.is_some()),
                            Phase::Open => prop_assert_eq!(permit, None),
                            Phase::HalfOpen => {
                                let out = probe.is_some_and(|(_, since)| now < since + PATIENCE.pause);
                                prop_assert_eq!(permit.is_some(), !out, "one probe, and a lost one is replaced after a pause");
                                if let Some(permit) = permit {
                                    probe = Some((permit, now));
                                }
                            }
                        }
                        calls.extend(permit);
                    }
                    Act::Answer(i) | Act::Fail(i) | Act::Unused(i) if !calls.is_empty() => {
                        let permit = calls.swap_remove(i % calls.len());
                        let before = breaker.phase(now);
                        let is_probe = probe.is_some_and(|(out, _)| out == permit);
                        match act {
                            Act::Answer(_) => breaker.answered(permit),
                            Act::Fail(_) => breaker.failed(permit, now),
                            _ => breaker.unused(permit),
                        }
                        let after = breaker.phase(now);
                        if is_probe {
                            probe = None;
                        } else if before != Phase::Closed {
                            prop_assert_eq!(after, before, "a call that is not the probe changes nothing while it is not closed");
                        }
                        if before == Phase::Closed && after != Phase::Closed {
                            prop_assert!(matches!(act, Act::Fail(_)), "only a failure opens it");
                        }
                    }
                    Act::Answer(_) | Act::Fail(_) | Act::Unused(_) => {}
                }
            }
        }

        #[test]
        fn it_opens_exactly_after_so_many_failures_in_a_row(outcomes in prop::collection::vec(any::<bool>(), 0..60), failures in 1u32..8) {
            let mut breaker = Breaker::new(Patience { failures, pause: at(30) });
            let mut in_a_row = 0;
            for answered in outcomes {
                let permit = breaker.admit(at(0)).unwrap();
                if answered {
                    breaker.answered(permit);
                    in_a_row = 0;
                } else {
                    breaker.failed(permit, at(0));
                    in_a_row += 1;
                }
                prop_assert_eq!(breaker.phase(at(0)) == Phase::Open, in_a_row == failures);
                if in_a_row == failures {
                    break;
                }
            }
        }
    }
}
