//! When something that the till works with counts as failed.
//!
//! Everything answers late now and then. What has not answered for a while has failed, which the technical journal says once (*mode dégradé*); the first
//! answer ends it, which is said too. Selling goes on either way.

use std::time::Duration;

/// How long a part may be silent before it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What is new about a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It has failed.
    Begun,
    /// It works again.
    Ended,
}

/// One part, looked at now and then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Watched {
    silent_since: Option<Duration>,
}

impl Watched {
    /// A look at it: whether it answered, at a moment of a clock that never goes back, and whether it is written that it has failed. Returns what is
    /// to be written.
    pub fn look(&mut self, answers: bool, now: Duration, is_written: bool) -> Option<Turn> {
        if answers {
            self.silent_since = None;
            return is_written.then_some(Turn::Ended);
        }
        let since = *self.silent_since.get_or_insert(now);
        if is_written || now.saturating_sub(since) < PATIENCE {
            return None;
        }
        // Should somebody else write that it works, a whole while passes before it is written again.
        self.silent_since = Some(now);
        Some(Turn::Begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever it does: begun and ended take turns, nothing begins before its time or while it answers, and what has answered is not left as failed.
        #[test]
        fn it_is_said_once_and_taken_back_once(looks in proptest::collection::vec((any::<bool>(), 0_u64..50), 0..60)) {
            let (mut watched, mut now, mut written) = (Watched::default(), Duration::ZERO, false);
            let mut silent_since = None;
            for (answers, later) in looks {
                now += Duration::from_secs(later);
                silent_since = if answers { None } else { silent_since.or(Some(now)) };
                let turn = watched.look(answers, now, written);
                match turn {
                    Some(Turn::Begun) => prop_assert!(!written && silent_since.is_some_and(|since| now - since >= PATIENCE)),
                    Some(Turn::Ended) => prop_assert!(written && answers),
                    None => {}
                }
                written = match turn { Some(turn) => turn == Turn::Begun, None => written };
                prop_assert!(!(answers && written));
                prop_assert!(written || silent_since.is_none_or(|since| now - since < PATIENCE));
            }
        }
    }
}
