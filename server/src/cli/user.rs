//! `comptoir user …`: who may sign in, set up before anybody can.

use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use domain::Role;
use unicode_normalization::UnicodeNormalization;

use super::fiscal::with_house;
use crate::config::Config;
use crate::db;
use crate::run::Database;
use crate::services::people;
use crate::services::signing_in::is_pin;
use crate::state::House;

/// What can be done with users. A PIN is read from standard input, never from the command line, where every process could see it.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Add a person; the PIN is read from standard input
    Add {
        /// The name to sign in with
        name: String,
        /// serveur, caissier, admin or auditeur
        #[arg(long)]
        role: Role,
    },
    /// Give a person a new PIN, read from standard input; ends that person's sessions
    Pin {
        /// The name to sign in with
        name: String,
    },
    /// List everybody who may sign in, with roles
    List,
}

pub(super) async fn run(command: User, config: Config) -> anyhow::Result<ExitCode> {
    // With the house, because who may sign in is a matter of the journal.
    with_house(Database::open(&config).await?, &config, async |house| apply(command, house).await).await?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
async fn apply(command: User, house: &House) -> anyhow::Result<()> {
    match command {
        User::Add { name, role } => {
            // As names are spelled everywhere else, however the keyboard spelled it.
            let name: String = name.nfc().collect();
            let username = name.to_lowercase();
            match people::add_from_outside(house, &username, &name, role, &read_pin()?).await? {
                Some(id) => println!("{username}: {role}, number {id}"),
                None => bail!("{username} is taken"),
            }
        }
        User::Pin { name } => {
            let name: String = name.nfc().collect();
            ensure!(people::change_pin_from_outside(house, &name.to_lowercase(), &read_pin()?).await?, "nobody is called {name}");
        }
        User::List => {
            for user in db::users::sign_in_names(&house.db).await? {
                println!("{}\t{}", user.username, user.role);
            }
        }
    }
    Ok(())
}

fn read_pin() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read a PIN from standard input")?;
    let pin = line.trim().to_owned();
    ensure!(is_pin(&pin), "a PIN is four to eight digits, on one line of standard input");
    Ok(pin)
}
