//! The command line: one file per command, each ending in a call of what the library offers.
//!
//! A person reads what goes wrong here, so an error ends as one line on standard error and exit code 1. `fiscal verify` has further codes:
//! 2 for a flaw, 3 when it cannot tell.

mod backup;
mod demo;
mod fiscal;
mod migrate;
mod serve;
mod sim;
mod sim_printer;
mod sim_tpe;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::adapters::push::vapid;
use crate::config::Config;

/// A French restaurant till.
#[derive(Debug, Parser)]
#[command(name = "comptoir", version, about, after_help = "Configuration is read from the environment; see README.md.")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the till: pages, programs, workers
    Serve,
    /// Bring the database's tables up to date and stop
    Migrate,
    /// Load the demo restaurant into an empty database
    Demo,
    /// Write the database into one file, while the till serves
    Backup(backup::Backup),
    /// Fill an empty data folder from such a file, and record that in the journal
    Restore(backup::Restore),
    /// The fiscal journal
    #[command(subcommand)]
    Fiscal(fiscal::Fiscal),
    /// The people who may sign in
    #[command(subcommand)]
    User(user::User),
    /// Machines to develop and test against
    #[command(subcommand)]
    Sim(sim::Sim),
    /// Print a new key for `VAPID_PRIVATE_KEY`, with which phones that sleep are told
    PushKey,
}

/// Does what the command line asks for.
///
/// # Errors
/// What went wrong, for the person who typed the command.
pub async fn run(cli: Cli, config: Config) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve => serve::run(config).await,
        Command::Migrate => migrate::run(config).await,
        Command::Demo => demo::run(config).await,
        Command::Backup(wanted) => backup::back_up(wanted, config).await,
        Command::Restore(wanted) => backup::restore(wanted, config).await,
        Command::Fiscal(command) => fiscal::run(command, config).await,
        Command::User(command) => user::run(command, config).await,
        Command::PushKey => push_key(),
        Command::Sim(command) => sim::run(command, config.erp_secret, CancellationToken::new()).await,
    }
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn push_key() -> anyhow::Result<ExitCode> {
    println!("{}", vapid::write_key(&vapid::new_key()));
    Ok(ExitCode::SUCCESS)
}
