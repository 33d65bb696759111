//! The private PostgreSQL cluster, on the real thing: real programs, real kills.
//!
//! Every story is bounded in time, because what is tested here is precisely that nothing hangs.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

#[path = "ground/folder.rs"]
mod folder;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use folder::folder;
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};
use server::cluster::{Cluster, Durability};
use sqlx::{Connection as _, PgConnection, PgPool, postgres::PgPoolOptions};

/// More than any story needs on a slow machine; a hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(90);

async fn within<T>(story: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, story).await.expect("it should not take that long")
}

async fn start(data: &Path) -> Cluster {
    Cluster::start(data, Durability::Throwaway).await.expect("PostgreSQL starts")
}

/// The server's process, by its own account of it.
fn pid(cluster_root: &Path) -> Option<Pid> {
    let text = fs::read_to_string(cluster_root.join("data/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok().map(Pid::from_raw)
}

async fn one(cluster: &Cluster) -> i32 {
    let mut connection = PgConnection::connect_with(&cluster.connect_options()).await.expect("a connection");
    sqlx::query_scalar("select 1").fetch_one(&mut connection).await.expect("an answer")
}

/// Waits until the supervisor has started another server; until then, helpers of the dead one may still answer.
async fn replaced(cluster_root: &Path, killed: Pid) {
    while pid(cluster_root).is_none_or(|now| now == killed) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asks until the pool has found the server again.
async fn written(pool: &PgPool) -> i64 {
    loop {
        if let Ok(count) = sqlx::query_scalar("select count(*) from kept").fetch_one(pool).await {
            return count;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_cluster_is_created_used_and_stopped_cleanly() {
    within(async {
        let data = folder();
        let root = data.path().join("postgres");
        let cluster = start(data.path()).await;
        assert_eq!(one(&cluster).await, 1);
        assert_eq!(fs::metadata(&root).expect("the cluster").permissions().mode() & 0o777, 0o700, "nobody else may enter");

        let mut connection = PgConnection::connect_with(&cluster.connect_options()).await.expect("a connection");
        let addresses: String = sqlx::query_scalar("show listen_addresses").fetch_one(&mut connection).await.expect("an answer");
        assert_eq!(addresses, "", "no network address");

        // A connection that is still open must not hold up the end.
        cluster.stop().await.expect("a clean stop");
        assert_eq!(pid(&root), None, "a clean end removes the pid file");
    })
    .await;
}

#[tokio::test]
async fn a_killed_server_comes_back_with_what_was_committed() {
    within(async {
        let data = folder();
        // A throwaway cluster may lose its last moments; that is what makes it fast.
        let cluster = Cluster::start(data.path(), Durability::Full).await.expect("PostgreSQL starts");
        let pool = PgPoolOptions::new().connect_with(cluster.connect_options()).await.expect("a pool");
        sqlx::query("create table kept (n int)").execute(&pool).await.expect("a table");
        sqlx::query("insert into kept values (1)").execute(&pool).await.expect("a row");

        let killed = pid(&data.path().join("postgres")).expect("a running server");
        kill(killed, Signal::SIGKILL).expect("the kill");

        replaced(&data.path().join("postgres"), killed).await;
        assert_eq!(written(&pool).await, 1);
        pool.close().await;
        cluster.stop().await.expect("a clean stop");
    })
    .await;
}

#[tokio::test]
async fn a_second_start_shares_the_server_and_the_last_one_stops_it() {
    within(async {
        let data = folder();
        let root = data.path().join("postgres");
        let (first, second) = tokio::join!(start(data.path()), start(data.path()));
        let server = pid(&root);

        first.stop().await.expect("the first one leaves");
        assert_eq!(one(&second).await, 1, "the second one still uses the server");
        assert_eq!(pid(&root), server, "and it is the same server");
        second.stop().await.expect("the last one stops it");
        assert_eq!(pid(&root), None);
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_creation_is_begun_again() {
    within(async {
        let data = folder();
        let root = data.path().join("postgres");
        // What a `kill -9` during initdb leaves.
        fs::create_dir_all(root.join("data.unfinished/base")).expect("an unfinished cluster");
        if geteuid().is_root() {
            let account = nix::unistd::User::from_name("postgres").ok().flatten();
            let owner = account.map(|user| user.uid.as_raw());
            std::os::unix::fs::chown(&root, owner, None).expect("handed over");
        }
        let cluster = start(data.path()).await;
        assert_eq!(one(&cluster).await, 1);
        cluster.stop().await.expect("a clean stop");
    })
    .await;
}

#[tokio::test]
async fn a_stale_pid_file_does_not_prevent_the_start() {
    within(async {
        let data = folder();
        let pid_file = data.path().join("postgres/data/postmaster.pid");
        start(data.path()).await.stop().await.expect("a clean stop");
        // After a power cut, the number may belong to any process: here, to this one.
        fs::write(&pid_file, format!("{}\n", std::process::id())).expect("a stale file");
        let cluster = start(data.path()).await;
        assert_eq!(one(&cluster).await, 1);
        cluster.stop().await.expect("a clean stop");
    })
    .await;
}

/// A program that ends without stopping its cluster (killed, or while a static holds it): what it leaves is gone a moment later.
#[tokio::test]
async fn a_throwaway_cluster_that_nobody_stops_leaves_nothing() {
    within(async {
        let data = folder().keep();
        fs::write(data.join("fiscal-key.pem"), "a key of this test").expect("a file beside the cluster");
        let begun = data.clone();
        // As at the end of a program, whoever would start the server again is gone first.
        let program = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let cluster = runtime.block_on(start(&begun));
            drop(runtime);
            drop(cluster);
        });
        tokio::task::spawn_blocking(|| program.join()).await.expect("a thread").expect("the server started");
        while data.exists() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn root_may_keep_its_data_where_nobody_else_may_enter() {
    if !geteuid().is_root() {
        return;
    }
    within(async {
        let home = folder();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).expect("a private folder");
        let data = home.path().join("data");
        let cluster = start(&data).await;
        assert_eq!(one(&cluster).await, 1);

        let note = fs::read_to_string(data.join("postgres.location")).expect("a note that says where the cluster is");
        let root = Path::new(note.trim()).to_path_buf();
        assert!(root.starts_with("/var/lib/comptoir"), "{}", root.display());
        cluster.stop().await.expect("a clean stop");

        let again = start(&data).await;
        assert_eq!(one(&again).await, 1);
        again.stop().await.expect("a clean stop");
        fs::remove_dir_all(root).expect("nothing stays behind");
    })
    .await;
}

/// A service keeps its till in a folder that is its own; root saves it, checks it, sets it up.
#[tokio::test]
async fn root_uses_the_cluster_of_whom_the_data_folder_is() {
    if !geteuid().is_root() {
        return;
    }
    within(async {
        let theirs = nix::unistd::User::from_name("nobody").ok().flatten().expect("an account");
        let data = folder();
        fs::set_permissions(data.path(), fs::Permissions::from_mode(0o700)).expect("a private folder");
        // Whatever group the folder has: PostgreSQL must not get root's.
        std::os::unix::fs::chown(data.path(), Some(theirs.uid.as_raw()), Some(0)).expect("handed over");

        let missing = Cluster::start_existing(data.path(), Durability::Throwaway).await.expect_err("nothing is there");
        assert!(missing.to_string().contains("holds no till"), "{missing}");
        assert_eq!(fs::read_dir(data.path()).expect("the folder").count(), 0, "and nothing was made");

        let cluster = start(data.path()).await;
        let again = Cluster::start_existing(data.path(), Durability::Full).await.expect("it is there now");
        assert_eq!(one(&again).await, 1);
        for entry in fs::read_dir(data.path()).expect("the folder") {
            let entry = entry.expect("a file");
            let owner = std::os::unix::fs::MetadataExt::uid(&entry.metadata().expect("an owner"));
            assert_eq!(owner, theirs.uid.as_raw(), "the service must be able to use {}", entry.path().display());
        }
        assert!(data.path().join("postgres/data").is_dir(), "in the data folder and not elsewhere");
        let status =
            fs::read_to_string(format!("/proc/{}/status", pid(&data.path().join("postgres")).expect("a server"))).expect("a process");
        let group =
            status.lines().find_map(|line| line.strip_prefix("Gid:")).expect("a group").split_whitespace().next().map(str::to_owned);
        assert_eq!(group, Some(theirs.gid.to_string()), "in its own group");
        again.stop().await.expect("the guest leaves");
        cluster.stop().await.expect("a clean stop");
    })
    .await;
}

/// As in a container whose folder belongs to a number of the machine around it.
#[tokio::test]
async fn a_data_folder_of_a_number_without_an_account_gets_the_one_that_root_lends() {
    if !geteuid().is_root() {
        return;
    }
    within(async {
        let data = folder();
        std::os::unix::fs::chown(data.path(), Some(54_321), Some(54_321)).expect("handed over");
        let cluster = start(data.path()).await;
        assert_eq!(one(&cluster).await, 1);
        cluster.stop().await.expect("a clean stop");
    })
    .await;
}
