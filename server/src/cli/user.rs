//! `comptoir user …`: who may sign in, set up before anybody can.

use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use domain::Role;
use sqlx::PgPool;

use crate::config::Config;
use crate::db;
use crate::run::Database;
use crate::services::signing_in::{hash_pin, is_pin};

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
    let database = Database::open(&config).await?;
    let done = async {
        database.migrate().await?;
        let pool = db::connect(database.options.clone(), 1).await?;
        let done = apply(command, &pool).await;
        pool.close().await;
        done
    }
    .await;
    database.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
async fn apply(command: User, pool: &PgPool) -> anyhow::Result<()> {
    match command {
        User::Add { name, role } => {
            let username = name.to_lowercase();
            let hash = hash_pin(&read_pin()?).await?;
            match db::users::add(pool, &username, &name, role, &hash).await? {
                Some(id) => println!("{username}: {role}, number {id}"),
                None => bail!("{username} is taken"),
            }
        }
        User::Pin { name } => {
            let hash = hash_pin(&read_pin()?).await?;
            let mut tx = pool.begin().await?;
            ensure!(db::users::change_pin(&mut tx, &name.to_lowercase(), &hash).await?, "nobody is called {name}");
            tx.commit().await?;
        }
        User::List => {
            for user in db::users::sign_in_names(pool).await? {
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
