//! What the process says while it runs: lines for a person on a terminal, JSON for a program anywhere else.
//!
//! `RUST_LOG` chooses what is said, in the usual syntax (`info`, `server=debug,sqlx=warn`).

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::ConfigError;

/// Said when `RUST_LOG` does not decide. sqlx reports every slow statement by itself; the rest of it is of no use to who runs a till.
const DEFAULT: &str = "info,sqlx::query=warn";

/// Begins to write events to standard error. Standard output is left to what commands answer.
///
/// # Errors
/// When `RUST_LOG` cannot be understood.
pub fn init() -> Result<(), ConfigError> {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    let filter = filter(&wanted)?;
    let base = fmt().with_env_filter(filter).with_writer(stderr);
    // A second call would be a defect of a test, and harmless.
    let _ = if stderr().is_terminal() {
        base.with_target(false).try_init()
    } else {
        // All spans: the one of the request is not the innermost, which is the session's.
        base.json().flatten_event(true).with_current_span(false).with_span_list(true).try_init()
    };
    Ok(())
}

fn filter(wanted: &str) -> Result<EnvFilter, ConfigError> {
    let wanted = if wanted.trim().is_empty() { DEFAULT } else { wanted };
    EnvFilter::try_new(wanted).map_err(|_| ConfigError {
        name: "RUST_LOG",
        accepted: "give a level such as info, or a list such as server=debug,sqlx=warn".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_understood_or_refused_by_name() {
        for good in ["", "  ", "debug", "server=debug,sqlx=warn"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        assert_eq!(filter("server=loud").map_err(|error| error.name).err(), Some("RUST_LOG"));
    }
}
