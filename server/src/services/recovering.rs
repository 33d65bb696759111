//! What others left behind: words of a terminal that were stored and not acted upon, attempts that nobody drives any more, lines that nobody
//! listens to. At the start, and every second from then on ([`crate::workers::attempts`]).
//!
//! What was not sent is not sent; of everything else nobody knows. One attempt that cannot be ended stays, and stops no other.

use super::concluding::{Word, conclude, take};
use crate::db;
use crate::db::attempts::Attended;
use crate::error::{Error, Result};
use crate::state::House;
use domain::attempt::AttemptEvent;
use std::collections::HashMap;

/// Ends what others left behind.
pub async fn recover(house: &House) {
    // Words first: they are known ends, and what follows knows none.
    match db::words::all_waiting(&house.db, None).await {
        Ok(words) => {
            for word in words {
                match take(house, word).await {
                    Ok(_) => {}
                    Err(Error::OtherMode) => tracing::debug!(word, "an answer of a terminal waits for a process of the other mode"),
                    Err(error) => tracing::error!(%error, word, "an answer of a terminal cannot be booked; it will be tried again"),
                }
            }
        }
        Err(error) => tracing::warn!(%error, "no look at what terminals said"),
    }
    match db::attempts::attended(&house.db).await {
        Ok(attended) => {
            let mut gone = HashMap::new();
            for attempt in attended {
                if let Err(error) = let_go(house, attempt, &mut gone).await {
                    tracing::error!(%error, payment = attempt.id.get(), "an attempt cannot be ended; it will be tried again");
                }
            }
        }
        Err(error) => tracing::warn!(%error, "no look at attempts that were left behind"),
    }
}

/// Ends an attempt that nobody drives. `gone` is what is known of processes so far.
async fn let_go(house: &House, attempt: Attended, gone: &mut HashMap<i64, bool>) -> Result<()> {
    let (nobody_drives, why) = if attempt.worker == house.worker.id {
        (!house.worker.drives(attempt.id), "left_behind")
    } else {
        let is_gone = match gone.get(&attempt.worker) {
            Some(is_gone) => *is_gone,
            None => {
                let is_gone = db::processes::is_gone(&house.db, attempt.worker).await?;
                gone.insert(attempt.worker, is_gone);
                is_gone
            }
        };
        (is_gone, "process_gone")
    };
    if !nobody_drives {
        return Ok(());
    }
    if attempt.is_listened_to {
        return db::attempts::hang_up(&house.db, attempt.id).await;
    }
    match conclude(house, attempt.id, &AttemptEvent::Orphaned, &Word::of_the_machine(why)).await {
        Ok(_) => {
            tracing::warn!(payment = attempt.id.get(), why, "an attempt was left behind");
            Ok(())
        }
        // Somebody else was faster.
        Err(Error::NotUnknown) => Ok(()),
        Err(error) => Err(error),
    }
}
