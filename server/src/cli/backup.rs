//! `comptoir backup` and `comptoir restore`: the till's private database in one file, and back from it.
//!
//! The file is what `pg_dump` writes of one moment, while the till goes on serving. The fiscal key is not in it, so that whoever finds a backup cannot
//! sign; it has to be kept elsewhere, as always. A restore goes into an empty data folder, whole or not at all, and is recorded in the journal: from then
//! on everybody sees that what was recorded after the backup is not there.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::Context;
use clap::Args;
use domain::fiscal::EventCode;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::process::Command;

use crate::config::Config;
use crate::db;
use crate::run::{self, Database};
use crate::services::recording;

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
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .with_context(|| format!("cannot write {}", unfinished.display()))?;
    let done = client(database, "pg_dump", &["--format=custom"])?.stdout(file.try_clone()?).spawn()?.wait_with_output().await?;
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
    let last = restored?;
    println!("Restauré jusqu'à l'enregistrement n° {last} ; la restauration est inscrite au journal des événements techniques.");
    println!("Vérifiez avec « comptoir fiscal verify --anchors » ce qui a été enregistré après la sauvegarde.");
    Ok(ExitCode::SUCCESS)
}

async fn fill(database: &Database, file: &Path, config: &Config, digest: &str) -> anyhow::Result<i64> {
    let mut owner = PgConnection::connect_with(&database.options).await?;
    let tables: i64 =
        sqlx::query_scalar(AssertSqlSafe("select count(*) from pg_tables where schemaname = 'public'")).fetch_one(&mut owner).await?;
    anyhow::ensure!(tables == 0, "the data folder holds a database already: restore into another one (COMPTOIR_DATA)");
    // What belongs to the server and not to one database is not in the file.
    sqlx::raw_sql(ROLES).execute(&mut owner).await?;
    owner.close().await?;
    let done = client(database, "pg_restore", &["--exit-on-error", "--single-transaction"])?.arg(file).output().await?;
    anyhow::ensure!(done.status.success(), "pg_restore: {}; nothing was restored", String::from_utf8_lossy(&done.stderr).trim());
    database.migrate().await?;
    let pool = db::connect(database.till(), 4).await?;
    let last = db::journal::end(&pool, crate::state::REGISTER, domain::fiscal::Chain::T).await?.record;
    let house = run::open_house(&run::without_devices(config), pool.clone()).await?;
    let mut tx = house.db.begin().await?;
    let details = [("backup_sha256", digest.to_owned()), ("last_record", last.to_string())];
    recording::event(&house, &mut tx, EventCode::Restored, "", details).await?;
    tx.commit().await?;
    drop(house);
    pool.close().await;
    Ok(last)
}

/// As the migrations make them.
const ROLES: &str = "do $$
begin
    if not exists (select from pg_roles where rolname = 'comptoir_owner') then create role comptoir_owner nologin; end if;
    if not exists (select from pg_roles where rolname = 'comptoir_app') then create role comptoir_app nologin; end if;
    if not exists (select from pg_roles where rolname = 'comptoir_till') then create role comptoir_till login noinherit; end if;
    execute format('revoke temporary on database %I from public', current_database());
end
$$;
grant comptoir_owner, comptoir_app to current_user;
grant comptoir_app to comptoir_till";

/// A client program of the private cluster.
fn client(database: &Database, program: &str, arguments: &[&str]) -> anyhow::Result<Command> {
    let path = database.program(program).context(KEPT_ELSEWHERE)?;
    let options = &database.options;
    let socket = options.get_socket().context("a private cluster listens on a socket")?;
    let mut command = Command::new(path);
    command
        .args(arguments)
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
