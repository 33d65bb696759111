//! `comptoir demo`: the demo restaurant, loaded into an empty database.

use std::process::ExitCode;

use crate::config::Config;

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    crate::run::demo(config).await?;
    Ok(ExitCode::SUCCESS)
}
