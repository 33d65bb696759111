//! `comptoir backup` and `comptoir restore`: the till's private database in one file, and back from it.
//!
//! The file is what `pg_dump` writes of one moment, while the till goes on serving. The fiscal key is not in it, so that whoever finds a backup cannot
//! sign; it has to be kept elsewhere, as always. Nor is who was signed in: nobody comes back in by a cookie of before. A restore goes into an empty data
//! folder, whole or not at all (see [`crate::db::restoring`]), and is recorded in the journal: from then on everybody sees that what was recorded after the
//! backup is not there.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::Context;
use clap::Args;
use domain::api::UserView;
use domain::fiscal::EventCode;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::process::Command;

use crate::config::Config;
use crate::db;
use crate::db::restoring;
use crate::run::{self, Database};
use crate::services::{people, recording};

const KEPT_ELSEWHERE: &str = "DATABASE_URL names a database that somebody else keeps: they back it up with PostgreSQL's own means. This command is for the till's own";

/// Where to.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Where from.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// A file that `comptoir backup` wrote
    file: PathBuf,
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
pub(super) async fn back_up(wanted: Backup, config: Config) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(!wanted.out.exists(), "{} exists already", wanted.out.display());
    let database = Database::open_existing(&config).await?;
    let written = async {
        let bytes = dump(&database, &wanted.out).await?;
        let digest = digest(&wanted.out)?;
        // The file is whole whatever becomes of this.
        let said = say_backed_up(&database, &config, &digest).await;
        anyhow::Ok((bytes, digest, said))
    }
    .await;
    database.close().await;
    let (bytes, digest, said) = written?;
    println!("{} ({bytes} octets, SHA-256 {digest})", wanted.out.display());
    if let Err(error) = said {
        super::fiscal::complain(&error.context("the backup is whole, but the technical journal does not say that it was made"));
    }
    println!("La clé de signature n'y est pas : gardez {} ailleurs.", config.fiscal_key_file.display());
    Ok(ExitCode::SUCCESS)
}

/// In the technical journal of what was backed up, after the moment of the backup.
async fn say_backed_up(database: &Database, config: &Config, digest: &str) -> anyhow::Result<()> {
    anyhow::ensure!(config.fiscal_key_file.exists(), "FISCAL_KEY_FILE: {} is not there", config.fiscal_key_file.display());
    let pool = db::connect(database.till(), 4).await?;
    let house = run::open_house(&run::without_devices(config), pool.clone()).await?;
    let mut tx = house.db.begin().await?;
    recording::event(&house, &mut tx, EventCode::BackedUp, "", [("backup_sha256", digest.to_owned())]).await?;
    tx.commit().await?;
    drop(house);
    pool.close().await;
    Ok(())
}

/// Under its name once it is whole and on the disk. For nobody else to read: it holds who works here and what was sold.
async fn dump(database: &Database, out: &Path) -> anyhow::Result<u64> {
    use std::os::unix::fs::OpenOptionsExt;
    let unfinished = out.with_extension("unfinished");
    // What a backup left that was killed. Somebody's link or file of that name is put away, and nothing is written through it.
    let _ = std::fs::remove_file(&unfinished);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .with_context(|| format!("cannot write {}", unfinished.display()))?;
    let mut program = client(database, &database.options, "pg_dump")?;
    program.arg("--format=custom").args(restoring::OF_THE_MOMENT.map(|table| format!("--exclude-table-data=public.{table}")));
    let done = program.stdout(file.try_clone()?).spawn()?.wait_with_output().await?;
    if !done.status.success() {
        std::fs::remove_file(&unfinished)?;
        anyhow::bail!("pg_dump: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    file.sync_all()?;
    std::fs::rename(&unfinished, out)?;
    Ok(out.metadata()?.len())
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
pub(super) async fn restore(wanted: Restore, config: Config) -> anyhow::Result<ExitCode> {
    let digest = digest(&wanted.file)?;
    anyhow::ensure!(
        config.fiscal_key_file.exists(),
        "FISCAL_KEY_FILE: put the key of this journal at {} first; the backup does not hold it",
        config.fiscal_key_file.display()
    );
    let database = Database::open(&config).await?;
    let restored = fill(&database, &wanted.file, &config, &digest).await;
    database.close().await;
    let Restored { last, people } = restored?;
    println!("Restauré jusqu'à l'enregistrement n° {last} ; la restauration est inscrite au journal des événements techniques.");
    println!(
        "Plus personne n'est connecté (avec REDIS_URL : une minute après). Peuvent se connecter, avec le code qu'ils avaient lors de la sauvegarde :"
    );
    for person in people.iter().filter(|person| person.active) {
        println!("  {} ({}), {}", person.name, person.username, person.role);
    }
    println!("Vérifiez avec « comptoir fiscal verify --anchors » ce qui a été enregistré après la sauvegarde.");
    Ok(ExitCode::SUCCESS)
}

/// What came back.
struct Restored {
    /// The last record before that of the restore.
    last: i64,
    people: Vec<UserView>,
}

async fn fill(database: &Database, file: &Path, config: &Config, digest: &str) -> anyhow::Result<Restored> {
    anyhow::ensure!(database.program("pg_restore").is_some(), KEPT_ELSEWHERE);
    let name = database.options.get_database().context("a private cluster names its database")?;
    ensure_empty(database).await?;
    let mut server = PgConnection::connect_with(&database.options.clone().database("postgres")).await?;
    anyhow::ensure!(restoring::begin(&mut server).await?, "another restore into this data folder is under way");
    let restored = async {
        let restored = fill_beside(database, file, config, digest).await?;
        ensure_empty(database).await?;
        restoring::take_the_place(&mut server, name).await?;
        anyhow::Ok(restored)
    }
    .await;
    if restored.is_err() {
        // What cannot be cleared away now the next restore clears away.
        let _ = restoring::give_up(&mut server).await;
    }
    server.close().await?;
    restored.context("nothing was restored")
}

async fn ensure_empty(database: &Database) -> anyhow::Result<()> {
    let mut owner = PgConnection::connect_with(&database.options).await?;
    let is_empty = restoring::is_empty(&mut owner).await?;
    owner.close().await?;
    anyhow::ensure!(is_empty, "the data folder holds a database already: restore into another one (COMPTOIR_DATA)");
    Ok(())
}

/// Everything, the record of the restore included, in a database that nobody finds yet. Another key than that of its journal, or a setting of no use,
/// shows here.
async fn fill_beside(database: &Database, file: &Path, config: &Config, digest: &str) -> anyhow::Result<Restored> {
    let beside = database.options.clone().database(restoring::UNFINISHED);
    let mut owner = PgConnection::connect_with(&beside).await?;
    restoring::make_roles(&mut owner).await?;
    let done = client(database, &beside, "pg_restore")?.args(["--exit-on-error", "--single-transaction"]).arg(file).output().await?;
    anyhow::ensure!(done.status.success(), "pg_restore: {}", String::from_utf8_lossy(&done.stderr).trim());
    db::migrate(&beside).await.context("the database of the backup refuses the schema")?;
    restoring::forget_the_moment(&mut owner).await?;
    owner.close().await?;
    let pool = db::connect(beside.username(db::TILL), 4).await?;
    let last = db::journal::end(&pool, crate::state::REGISTER, domain::fiscal::Chain::T).await?.record;
    let house = run::open_house(&run::without_devices(config), pool.clone()).await?;
    let mut tx = house.db.begin().await?;
    let details = [("backup_sha256", digest.to_owned()), ("last_record", last.to_string())];
    recording::event(&house, &mut tx, EventCode::Restored, "", details).await?;
    tx.commit().await?;
    let people = people::everybody(&house).await?;
    drop(house);
    pool.close().await;
    Ok(Restored { last, people })
}

/// A client program of the private cluster.
fn client(database: &Database, options: &PgConnectOptions, program: &str) -> anyhow::Result<Command> {
    let path = database.program(program).context(KEPT_ELSEWHERE)?;
    let socket = options.get_socket().context("a private cluster listens on a socket")?;
    let mut command = Command::new(path);
    command
        .arg("--host")
        .arg(socket)
        .args(["--port", &options.get_port().to_string(), "--username", options.get_username(), "--no-password"])
        .args(["--dbname", options.get_database().unwrap_or("comptoir")])
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    for name in ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGOPTIONS", "PGSERVICE"] {
        command.env_remove(name);
    }
    Ok(command)
}

fn digest(path: &Path) -> anyhow::Result<String> {
    let mut file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut digest = Sha256::new();
    std::io::copy(&mut file, &mut digest)?;
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
