//! `comptoir fiscal …`: the journal, checked by whoever doubts it, archived, and the papers that go with it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use domain::api::VerifyReport;
use domain::fiscal::{Anchor, CORE_VERSION, Checkpoint};
use time::Date;

use crate::adapters::signer::fingerprint;
use crate::config::Config;
use crate::db;
use crate::run::{self, Database};
use crate::services::verifying::{Asked, verify_as};
use crate::services::{archive, keys};

const SOUND: u8 = 0;
const FLAW: u8 = 2;
const CANNOT_TELL: u8 = 3;

/// What can be done with the journal from outside.
#[derive(Debug, Subcommand)]
pub(super) enum Fiscal {
    /// Check every record, link and signature (exit code: 0 sound, 1 usage, 2 flaw, 3 cannot tell)
    Verify(Verify),
    /// Make a signed archive of a span of days, twelve months at most
    Archive(MakeArchive),
    /// Sign with a new key from now on; stop every `comptoir serve` first and start it again after
    RotateKey,
    /// Write the attestation of the publisher (CGI art. 286-I-3° bis) with the versions of this program, to be filled in and signed
    Attestation,
}

/// How to verify.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Check this archive and not the database; several: in their order, each against the one before
    #[arg(long, value_name = "FILE")]
    archive: Vec<PathBuf>,
    /// Trust this public key (PEM) and not the one that the database or the archive holds
    #[arg(long, value_name = "PEM")]
    pubkey: Option<PathBuf>,
    /// Compare with what was kept elsewhere of each closing
    #[arg(long, value_name = "FILE")]
    anchors: Option<PathBuf>,
    /// Go on from where the last sound verification stopped, and remember where this one did
    #[arg(long, value_name = "FILE", conflicts_with = "archive")]
    checkpoint: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Which archive.
#[derive(Debug, Args)]
pub(super) struct MakeArchive {
    /// First service day, YYYY-MM-DD
    #[arg(long, value_parser = day)]
    from: Date,
    /// Last service day, YYYY-MM-DD
    #[arg(long, value_parser = day)]
    to: Date,
    /// A folder, or the file to write
    #[arg(long, value_name = "PATH", default_value = ".")]
    out: PathBuf,
}

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).map_err(|_| "give a day as YYYY-MM-DD".to_owned())
}

pub(super) async fn run(command: Fiscal, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        Fiscal::Verify(verify) => run_verify(verify, &config).await,
        Fiscal::Archive(wanted) => make_archive(wanted, config).await,
        Fiscal::RotateKey => rotate_key(config).await,
        Fiscal::Attestation => attestation(&config),
    }
}

async fn run_verify(verify: Verify, config: &Config) -> anyhow::Result<ExitCode> {
    let read = |path: &PathBuf, name: &str| std::fs::read_to_string(path).with_context(|| format!("{name} {}", path.display()));
    // What was typed wrong is code 1; from here on what cannot be told is code 3.
    let public_key = verify.pubkey.as_ref().map(|path| read(path, "--pubkey")).transpose()?;
    if let Some(pem) = &public_key {
        fingerprint(pem).context("--pubkey")?;
    }
    let anchors = match &verify.anchors {
        Some(path) => Anchor::read_all(&read(path, "--anchors")?)
            .map_err(|line| anyhow::anyhow!("--anchors {}: line {line} is no anchor", path.display()))?,
        None => Vec::new(),
    };
    let checkpoint = match verify.checkpoint.as_ref().filter(|path| path.exists()) {
        Some(path) => {
            Some(serde_json::from_str::<Checkpoint>(&read(path, "--checkpoint")?).context("--checkpoint: not one of this version")?)
        }
        None => None,
    };
    let report = if verify.archive.is_empty() {
        let asked = Asked { public_key, anchors, checkpoint, from: None };
        check_database(config, asked).await.map(|(report, reached)| {
            if let Some(path) = verify.checkpoint.as_ref().filter(|_| report.ok)
                && let Err(error) = serde_json::to_vec(&reached).map_err(std::io::Error::other).and_then(|text| std::fs::write(path, text))
            {
                complain(&anyhow::Error::new(error).context("--checkpoint: not written"));
            }
            report
        })
    } else {
        check_archives(&verify.archive, public_key.as_deref(), &anchors).await
    };
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            complain(&error.context("cannot tell"));
            return Ok(ExitCode::from(CANNOT_TELL));
        }
    };
    print(&report, verify.json)?;
    Ok(ExitCode::from(match (report.ok, report.inconclusive) {
        (true, false) => SOUND,
        (_, true) => CANNOT_TELL,
        _ => FLAW,
    }))
}

async fn check_database(config: &Config, asked: Asked) -> anyhow::Result<(VerifyReport, Checkpoint)> {
    let database = Database::open_existing(config).await?;
    let checked = async {
        let pool = db::connect(database.options.clone(), 2).await?;
        let checked = verify_as(&pool, asked).await?;
        pool.close().await;
        anyhow::Ok(checked)
    }
    .await;
    database.close().await;
    checked
}

async fn check_archives(paths: &[PathBuf], public_key: Option<&str>, anchors: &[Anchor]) -> anyhow::Result<VerifyReport> {
    let mut checked = Vec::with_capacity(paths.len());
    for path in paths {
        checked.push(archive::check::check(path, public_key, anchors.to_vec()).await?);
    }
    let order = archive::check::check_order(&checked);
    let inconclusive = order.is_empty() && checked.iter().all(|one| one.report.ok || one.report.inconclusive);
    let records = checked.iter().map(|one| one.report.records).sum();
    let flaws: Vec<_> = checked.into_iter().flat_map(|one| one.report.flaws).chain(order).collect();
    Ok(VerifyReport { ok: flaws.is_empty(), records, inconclusive: inconclusive && !flaws.is_empty(), flaws })
}

/// Opens the house for one act, without serving.
pub(super) async fn with_house<T>(
    database: Database,
    config: &Config,
    act: impl AsyncFnOnce(&crate::state::House) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let done = async {
        database.migrate().await?;
        let pool = db::connect(database.till(), 4).await?;
        let house = run::open_house(&run::without_devices(config), pool.clone()).await?;
        let done = act(&house).await;
        drop(house);
        pool.close().await;
        done
    }
    .await;
    database.close().await;
    done
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
async fn make_archive(wanted: MakeArchive, config: Config) -> anyhow::Result<ExitCode> {
    let made = with_house(Database::open_existing(&config).await?, &config, async |house| {
        let is_folder = wanted.out.is_dir();
        let draft = if is_folder { wanted.out.join("archive-fiscale.zip") } else { wanted.out.clone() };
        let made = archive::make(house, "", wanted.from, wanted.to, &draft).await?;
        let path = if is_folder { wanted.out.join(&made.name) } else { draft.clone() };
        if is_folder {
            std::fs::rename(&draft, &path)?;
        }
        Ok((path, made))
    })
    .await?;
    let (path, made) = made;
    println!("{}", path.display());
    if made.report.ok {
        return Ok(ExitCode::from(SOUND));
    }
    println!(
        "Le journal présente {} défaut(s) : l'archive le dit, et un événement technique 90 a été enregistré.",
        made.report.flaws.len()
    );
    Ok(ExitCode::from(FLAW))
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
async fn rotate_key(config: Config) -> anyhow::Result<ExitCode> {
    let file = config.fiscal_key_file.clone();
    let record =
        with_house(Database::open_existing(&config).await?, &config, async |house| Ok(keys::rotate(house, &file, "").await?)).await?;
    println!("Nouvelle clé de signature dans {}, annoncée par l'événement technique n° {}.", file.display(), record.seq);
    println!("Gardez une copie de la nouvelle clé et de l'ancienne ailleurs, puis redémarrez chaque « comptoir serve ».");
    Ok(ExitCode::from(SOUND))
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn attestation(config: &Config) -> anyhow::Result<ExitCode> {
    let key = crate::adapters::signer::Signer::open(&config.fiscal_key_file, false)
        .map_or_else(|_| "(aucune clé : la caisse n'a pas encore été démarrée)".to_owned(), |signer| signer.fingerprint());
    let text = include_str!("../../docs/attestation.txt")
        .replace("{version}", env!("CARGO_PKG_VERSION"))
        .replace("{noyau}", CORE_VERSION)
        .replace("{empreinte}", &key);
    print!("{text}");
    Ok(ExitCode::from(SOUND))
}

#[expect(clippy::print_stderr, reason = "a person at a terminal reads this")]
pub(super) fn complain(error: &anyhow::Error) {
    eprintln!("comptoir: {error:#}");
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
