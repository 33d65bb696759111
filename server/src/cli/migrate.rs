//! `comptoir migrate`: the tables brought up to date, by a role that may; `serve` can then work with less.

use std::process::ExitCode;

use crate::config::Config;

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    crate::run::migrate(config).await?;
    Ok(ExitCode::SUCCESS)
}
