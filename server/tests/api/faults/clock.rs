//! A clock that jumps by hours, and what must not wait for the time at which it once was.

use super::machine::postmaster;
use crate::folder::folder;
use crate::program::PATIENCE;
use crate::support::TestApp;
use serde_json::json;
use server::cluster::{Cluster, Durability};
use sqlx::Connection;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// The time that a server and its database are told. The file lies where the database's own user can read it.
pub struct Clock {
    file: PathBuf,
    library: PathBuf,
    _database: Child,
}

impl Clock {
    /// With a database in this folder that goes by it, and that a server will take over.
    pub async fn with_a_database(data: &Path) -> Self {
        let folders = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
        let library = folders.into_iter().find(|library| library.exists()).expect("libfaketime, which .ci/setup test installs");
        let file = std::env::temp_dir().join(format!("comptoir-clock-{}", Uuid::now_v7()));
        jump(&file, 0);
        // The till makes its database and says how it calls it; the same is called again under another clock.
        let cluster = Cluster::start(data, Durability::Full).await.unwrap();
        let called = std::fs::read(format!("/proc/{}/cmdline", postmaster(data).unwrap())).unwrap();
        let called: Vec<String> = called.split(|byte| *byte == 0).map(|word| String::from_utf8(word.to_owned()).unwrap()).collect();
        cluster.stop().await.unwrap();
        let of = std::fs::metadata(data.join("postgres/data")).unwrap();
        let words: Vec<&String> = called.iter().filter(|word| !word.is_empty()).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).uid(of.uid()).gid(of.gid()).current_dir("/").env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let database = command.envs(told(&library, &file)).spawn().unwrap();
        // Until it says that it is ready, a till would start one of its own, by the time of the machine.
        let deadline = Instant::now() + PATIENCE;
        let ready =
            || std::fs::read_to_string(data.join("postgres/data/postmaster.pid")).is_ok_and(|said| said.trim_end().ends_with("ready"));
        while !ready() {
            assert!(Instant::now() < deadline, "the database under another clock is never ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { file, library, _database: database }
    }

    pub fn told(&self) -> Vec<(&'static str, String)> {
        told(&self.library, &self.file)
    }

    /// So many hours from the machine's own, at once.
    pub fn jump(&self, hours: i64) {
        jump(&self.file, hours);
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Intervals are measured by a clock that never jumps, as on any machine.
fn told(library: &Path, file: &Path) -> Vec<(&'static str, String)> {
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let yes = || "1".to_owned();
    vec![
        ("LD_PRELOAD", path(library)),
        ("FAKETIME_TIMESTAMP_FILE", path(file)),
        ("FAKETIME_NO_CACHE", yes()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", yes()),
        ("FAKETIME_DISABLE_SHM", yes()),
    ]
}

fn jump(file: &Path, hours: i64) {
    let draft = file.with_extension("new");
    std::fs::write(&draft, format!("{hours:+}h")).unwrap();
    std::fs::rename(&draft, file).unwrap();
}

/// What was to wait for seconds when the clock went back by hours waits for nothing: the slip, the print, the person who mistyped.
#[tokio::test]
async fn nobody_waits_for_the_time_at_which_the_clock_once_was() {
    let app = TestApp::start().await;
    let forward = "now() + interval '3 hours'";
    let ask = |sql: String| sqlx::query(sqlx::AssertSqlSafe(sql));
    let stranger = app.stranger();
    let sign_in = |pin: &str| json!({"username": "camille", "pin": pin});
    for _ in 0..6 {
        stranger.post("/api/auth/login", &sign_in("0000")).await;
    }
    assert_eq!(stranger.post("/api/auth/login", &sign_in("1234")).await.status, 429, "locked, as it should be");
    for table in ["sign_in_failures", "sign_in_peers"] {
        ask(format!("update {table} set locked_until = {forward}")).execute(&app.owner).await.unwrap();
    }
    assert_eq!(stranger.post("/api/auth/login", &sign_in("1234")).await.status, 200);

    let alice = app.signed_in("alice").await;
    let order = json!({"table_id": 5, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
    assert_eq!(alice.post("/api/orders", &order).await.status, 201);
    ask("update kitchen_slips set sent_at = null".to_owned()).execute(&app.owner).await.unwrap();
    let claim = || server::db::outbox::claim(&app.house.db, Duration::from_secs(10), Duration::from_secs(60));
    ask("update kitchen_slips set next_attempt_at = now() + interval '50 seconds'".to_owned()).execute(&app.owner).await.unwrap();
    assert!(claim().await.unwrap().is_none(), "it waits, as it should");
    ask(format!("update kitchen_slips set next_attempt_at = {forward}, claimed_until = {forward}")).execute(&app.owner).await.unwrap();
    assert!(claim().await.unwrap().is_some());

    let dead = 77;
    ask(format!("insert into processes (id, seen_at) values ({dead}, clock_timestamp())")).execute(&app.owner).await.unwrap();
    let is_gone = || server::db::processes::is_gone(&app.house.db, dead);
    assert!(!is_gone().await.unwrap(), "seen a moment ago");
    ask(format!("update processes set seen_at = {forward} where id = {dead}")).execute(&app.owner).await.unwrap();
    // A database that has just begun takes nobody for gone.
    let deadline = Instant::now() + PATIENCE;
    while !is_gone().await.unwrap() {
        assert!(Instant::now() < deadline, "it is never gone");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The database began at nine, and now it is seven: whoever died meanwhile is gone, and a card's share is not locked for two hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_died_is_gone_though_the_database_began_in_the_future() {
    let folder = folder();
    let data = folder.path().join("data");
    let clock = Clock::with_a_database(&data).await;
    let cluster = Cluster::start(&data, Durability::Full).await.unwrap();
    let mut db = sqlx::PgConnection::connect_with(&cluster.connect_options()).await.unwrap();
    // As the migrations make it, as far as this looks at it.
    sqlx::query("create table processes (id bigint primary key, seen_at timestamptz not null default clock_timestamp())")
        .execute(&mut db)
        .await
        .unwrap();
    let dead = 77;
    server::db::processes::beat(&mut db, dead).await.unwrap();
    clock.jump(-2);
    let began: bool =
        sqlx::query_scalar("select pg_postmaster_start_time() > clock_timestamp() + interval '1 hour'").fetch_one(&mut db).await.unwrap();
    assert!(began, "the clock did not go back");
    assert!(server::db::processes::is_gone(&mut db, dead).await.unwrap());
    db.close().await.unwrap();
    cluster.stop().await.unwrap();
}
