//! `comptoir fiscal …`: the journal, checked by whoever doubts it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use domain::api::VerifyReport;

use crate::adapters::signer::Checker;
use crate::config::Config;
use crate::db;
use crate::run::Database;
use crate::services::journal;

const SOUND: u8 = 0;
const FLAW: u8 = 2;
const CANNOT_TELL: u8 = 3;

/// What can be done with the journal from outside.
#[derive(Debug, Subcommand)]
pub(super) enum Fiscal {
    /// Check every record, link and signature (exit code: 0 sound, 1 usage, 2 flaw, 3 cannot tell)
    Verify(Verify),
}

/// How to verify.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Trust this public key (PEM) and not the one that the database holds
    #[arg(long, value_name = "PEM")]
    pubkey: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Fiscal, config: Config) -> anyhow::Result<ExitCode> {
    let Fiscal::Verify(verify) = command;
    let pubkey =
        verify.pubkey.map(|path| std::fs::read_to_string(&path).with_context(|| format!("--pubkey {}", path.display()))).transpose()?;
    let report = match Database::open(&config).await {
        Ok(database) => {
            let report = check(&database, pubkey.as_deref()).await;
            database.close().await;
            report
        }
        Err(error) => Err(error),
    };
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            complain(&error);
            return Ok(ExitCode::from(CANNOT_TELL));
        }
    };
    print(&report, verify.json)?;
    Ok(ExitCode::from(match (&report, report.inconclusive) {
        (report, false) if report.ok => SOUND,
        (_, true) => CANNOT_TELL,
        _ => FLAW,
    }))
}

async fn check(database: &Database, pubkey: Option<&str>) -> anyhow::Result<VerifyReport> {
    let pool = db::connect(database.options.clone(), 2).await?;
    let report = match pubkey {
        Some(pem) => journal::verify(&pool, &Checker::with_key(pem)?).await?,
        None => journal::verify_with_stored_keys(&pool).await?,
    };
    pool.close().await;
    Ok(report)
}

#[expect(clippy::print_stderr, reason = "a person at a terminal reads this")]
fn complain(error: &anyhow::Error) {
    eprintln!("comptoir: cannot tell: {error:#}");
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn print(report: &VerifyReport, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
        return Ok(());
    }
    for flaw in &report.flaws {
        println!("{} {} {}: {}", flaw.chain, flaw.seq, flaw.code, flaw.detail);
    }
    if report.ok {
        println!("Journal sain : {} enregistrements vérifiés.", report.records);
    } else {
        println!("{} défaut(s) sur {} enregistrements.", report.flaws.len(), report.records);
    }
    Ok(())
}
