//! Which app and which server understand each other.
//!
//! A phone may come back after weeks with the app of then, and a house may go back to yesterday's server. An order that is misunderstood is
//! worse than one that waits, so every request of the queue says what it speaks, and neither side guesses.

/// What this build speaks. Raised when an older build would understand a request or an answer wrongly; a new optional field needs no
/// new number.
pub const CONTRACT: u32 = 1;
/// The oldest that this build still understands as a server. Raised only when older apps have to be told to reload.
pub const OLDEST_CONTRACT: u32 = 1;
/// The header in which a request says it.
pub const CONTRACT_HEADER: &str = "comptoir-contract";

/// What a server makes of what a request speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// It is understood.
    Understood,
    /// An app that has to be reloaded first; its queue stays.
    TooOld,
    /// An app that is ahead of this server: it waits.
    TooNew,
}

/// Judges the header of a request. A program that says nothing speaks the first contract.
#[must_use]
pub fn understood(header: Option<&str>) -> Spoken {
    match header.map_or(Ok(1), |spoken| spoken.trim().parse::<u32>()) {
        Ok(spoken) if spoken < OLDEST_CONTRACT => Spoken::TooOld,
        Ok(spoken) if spoken <= CONTRACT => Spoken::Understood,
        Ok(_) | Err(_) => Spoken::TooNew,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_guesses_what_another_version_means() {
        let (before, after) = ((OLDEST_CONTRACT - 1).to_string(), (CONTRACT + 1).to_string());
        for (header, spoken) in [
            (None, Spoken::Understood),
            (Some("1"), Spoken::Understood),
            (Some(before.as_str()), Spoken::TooOld),
            (Some(after.as_str()), Spoken::TooNew),
            (Some("deux"), Spoken::TooNew),
        ] {
            assert_eq!(understood(header), spoken, "{header:?}");
        }
    }
}
