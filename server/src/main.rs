//! The program `comptoir`: reads the command line and the environment, then hands over to the library.

use std::process::ExitCode;

use clap::Parser as _;
use server::{
    cli::{self, Cli},
    config::Config,
    telemetry,
};

/// The command or a variable is wrong; clap uses the same code.
const USAGE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let config = match telemetry::init().and_then(|()| Config::from_env()) {
        Ok(config) => config,
        Err(error) => return complain(&error, USAGE),
    };
    match cli::run(cli, config).await {
        Ok(code) => code,
        // The alternate form puts the causes on the same line.
        Err(error) => complain(&format_args!("{error:#}"), 1),
    }
}

#[expect(clippy::print_stderr, reason = "a person at a terminal reads this, whatever RUST_LOG says")]
fn complain(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("comptoir: {error}");
    ExitCode::from(code)
}
