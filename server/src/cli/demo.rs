//! `comptoir demo`: the demo restaurant, loaded into an empty database.

use std::process::ExitCode;

use crate::config::Config;

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let _ = config;
    anyhow::bail!("`demo` is not there yet")
}
