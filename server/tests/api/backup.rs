//! The database in a file, and back: with the real program, its private PostgreSQL, and `kill -9` in between.

use crate::folder::folder;
use crate::program::{Person, Till};
use serde_json::json;
use server::adapters::signer::Signer;
use server::cluster::{Cluster, Durability};
use sqlx::{Connection, PgConnection, PgPool};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn comptoir(data: &Path, arguments: &[&str]) -> Output {
    command(data, arguments).output().unwrap()
}

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command.args(arguments).env("COMPTOIR_DATA", data).env("RUST_LOG", "error").env("TPE_URL", "none");
    command.env_remove("DATABASE_URL").env_remove("REDIS_URL").env_remove("FISCAL_KEY_FILE").env_remove("FISCAL_ANCHORS");
    command
}

/// The database of a data folder, while nobody serves it.
async fn looked_into<T>(data: &Path, look: impl AsyncFnOnce(&Cluster, PgPool) -> T) -> T {
    let cluster = Cluster::start(data, Durability::Full).await.unwrap();
    let db = PgPool::connect_with(cluster.connect_options()).await.unwrap();
    let seen = look(&cluster, db.clone()).await;
    db.close().await;
    cluster.stop().await.unwrap();
    seen
}

const RESTORED: &str = "select count(*) from audit_logs where metadata ->> 'code' = 'restored'";

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn what_was_backed_up_while_serving_comes_back_whole_and_the_journal_says_so() {
    let (first, second) = (folder(), folder());
    let (data, other) = (first.path().join("data"), second.path().join("data"));
    let backup = first.path().join("soir.sauvegarde");
    let backup_name = backup.to_str().unwrap();

    let till = Till::serve(&data, &[("TPE_URL", "none")]).await;
    let camille = till.sign_in("camille").await;
    let sell = async || {
        let order = json!({"table_id": 5, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
        let order = camille.post("/api/orders", &order).await.1["order_id"].clone();
        let paid = json!({"order_id": order, "cover_number": 1, "amount": 24, "method": "ESPECES"});
        assert_eq!(camille.post("/api/payments/split", &paid).await.0, 201);
    };
    sell().await;
    let made = comptoir(&data, &["backup", "--out", backup_name]);
    assert!(made.status.success(), "{}", said(&made));
    assert!(!comptoir(&data, &["backup", "--out", backup_name]).status.success(), "nothing is written over");
    // Sold and closed after the backup: it will be missing.
    sell().await;
    assert_eq!(camille.post("/api/nf525/close", &json!({})).await.0, 200);
    let anchors = data.join("fiscal-anchors.jsonl");
    till.kill().await;
    let cluster = Cluster::start(&data, Durability::Full).await.unwrap();
    let db = PgPool::connect_with(cluster.connect_options()).await.unwrap();
    let digest: String =
        sqlx::query_scalar("select metadata -> 'details' ->> 'backup_sha256' from audit_logs where metadata ->> 'code' = 'backed_up'")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(digest, domain::fiscal::sha256_hex(&std::fs::read(&backup).unwrap()));
    db.close().await;
    cluster.stop().await.unwrap();

    // Without the key there is nothing to go on with.
    let refused = comptoir(&other, &["restore", backup_name]);
    assert!(!refused.status.success() && said(&refused).contains("FISCAL_KEY_FILE"), "{}", said(&refused));
    std::fs::create_dir_all(&other).unwrap();
    std::fs::copy(data.join("fiscal-key.pem"), other.join("fiscal-key.pem")).unwrap();
    // A file that is cut restores nothing, and the whole one then does.
    let cut = first.path().join("cut");
    let bytes = std::fs::read(&backup).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let refused = comptoir(&other, &["restore", cut.to_str().unwrap()]);
    assert!(!refused.status.success(), "{}", said(&refused));
    let restored = comptoir(&other, &["restore", backup_name]);
    assert!(restored.status.success(), "{}", said(&restored));
    let again = comptoir(&other, &["restore", backup_name]);
    assert!(!again.status.success() && said(&again).contains("already"), "{}", said(&again));

    let printed = said(&restored);
    assert!(printed.contains("Camille (camille), caissier") && printed.contains("Gérant (gerant), admin"), "{printed}");
    // What the folder of before kept of its closings names the one that is lost.
    let compared = comptoir(&other, &["fiscal", "verify", "--anchors", anchors.to_str().unwrap()]);
    assert_eq!(compared.status.code(), Some(2), "{}", said(&compared));
    assert!(said(&compared).contains("G 1 anchor_differs"), "{}", said(&compared));

    let sound = comptoir(&other, &["fiscal", "verify", "--json"]);
    assert!(sound.status.success(), "{}", said(&sound));
    let till = Till::serve(&other, &[("TPE_URL", "none")]).await;
    let before = Person { base: till.base.clone(), http: camille.http.clone(), cookie: camille.cookie.clone(), answers: Arc::default() };
    assert_eq!(before.get("/api/tables").await.0, 401, "whoever was signed in before the backup is not any more");
    let camille = till.sign_in("camille").await;
    assert_eq!(camille.get("/api/tables").await.0, 200);
    let x = camille.get("/api/nf525/x").await.1;
    assert_eq!((&x["total_ttc"], &x["count"]), (&json!(24), &json!(1)), "what was sold before the backup, and nothing else: {x}");
    // It goes on.
    let order = json!({"table_id": 6, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
    assert_eq!(camille.post("/api/orders", &order).await.0, 201);
    till.kill().await;

    let journal = comptoir(&other, &["fiscal", "verify"]);
    assert!(journal.status.success(), "{}", said(&journal));
    let cluster = Cluster::start(&other, Durability::Full).await.unwrap();
    let db = PgPool::connect_with(cluster.connect_options()).await.unwrap();
    let details: Vec<(String, String)> = sqlx::query_as(
        "select metadata -> 'details' ->> 'backup_sha256', metadata -> 'details' ->> 'last_record' from audit_logs
         where metadata ->> 'code' = 'restored'",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    db.close().await;
    cluster.stop().await.unwrap();
    assert_eq!(details.len(), 1, "{details:?}");
    assert_eq!(details[0].0, domain::fiscal::sha256_hex(&bytes));
}

/// A till with one sale and somebody signed in, all of it in a backup of before sessions were left out. Returns the backup and the cookie.
async fn old_backup(data: &Path) -> (PathBuf, String) {
    let till = Till::serve(data, &[("TPE_URL", "none")]).await;
    let camille = till.sign_in("camille").await;
    let order = json!({"table_id": 5, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
    let order = camille.post("/api/orders", &order).await.1["order_id"].clone();
    let paid = json!({"order_id": order, "cover_number": 1, "amount": 24, "method": "ESPECES"});
    assert_eq!(camille.post("/api/payments/split", &paid).await.0, 201);
    till.stop().await;
    let backup = data.with_extension("old");
    looked_into(data, async |cluster, db| {
        let sessions: i64 = sqlx::query_scalar("select count(*) from sessions").fetch_one(&db).await.unwrap();
        assert!(sessions > 0);
        let socket = cluster.connect_options().get_socket().unwrap().clone();
        let mut dump = Command::new(cluster.program("pg_dump"));
        dump.args(["--format=custom", "--username=comptoir", "--dbname=comptoir", "--host"]).arg(socket).arg("--file").arg(&backup);
        dump.args(["--port", &cluster.connect_options().get_port().to_string()]);
        assert!(dump.status().unwrap().success());
    })
    .await;
    (backup, camille.cookie)
}

fn with_key_of(data: &Path, other: &Path) {
    std::fs::create_dir_all(other).unwrap();
    std::fs::copy(data.join("fiscal-key.pem"), other.join("fiscal-key.pem")).unwrap();
}

async fn a_cookie_of_before_opens_nothing(other: &Path, cookie: String) {
    let till = Till::serve(other, &[("TPE_URL", "none")]).await;
    let before = Person { base: till.base.clone(), http: reqwest::Client::new(), cookie, answers: Arc::default() };
    assert_eq!(before.get("/api/tables").await.0, 401);
    till.kill().await;
}

#[tokio::test]
async fn with_another_key_or_a_setting_of_no_use_nothing_is_restored_and_the_right_one_restores_it() {
    let (first, second) = (folder(), folder());
    let (data, other) = (first.path().join("data"), second.path().join("data"));
    let (backup, cookie) = old_backup(&data).await;
    let backup = backup.to_str().unwrap();
    std::fs::create_dir_all(&other).unwrap();
    Signer::open(&other.join("fiscal-key.pem"), true).unwrap();
    let refused = comptoir(&other, &["restore", backup]);
    assert!(!refused.status.success() && said(&refused).contains("nothing was restored: FISCAL_KEY_FILE"), "{}", said(&refused));
    std::fs::remove_file(other.join("fiscal-key.pem")).unwrap();
    with_key_of(&data, &other);
    let nobody = second.path().join("nobody.json");
    std::fs::write(&nobody, "{}").unwrap();
    let refused = command(&other, &["restore", backup]).env("ESTABLISHMENT_FILE", &nobody).output().unwrap();
    assert!(!refused.status.success() && said(&refused).contains("ESTABLISHMENT_FILE"), "{}", said(&refused));
    looked_into(&other, async |_, db| {
        let names: Vec<String> = sqlx::query_scalar("select datname::text from pg_database order by 1").fetch_all(&db).await.unwrap();
        assert_eq!(names, ["comptoir", "postgres", "template0", "template1"], "nothing stays of them");
        let tables: i64 = sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'").fetch_one(&db).await.unwrap();
        assert_eq!(tables, 0);
    })
    .await;
    let restored = comptoir(&other, &["restore", backup]);
    assert!(restored.status.success(), "{}", said(&restored));
    looked_into(&other, async |_, db| {
        assert_eq!(sqlx::query_scalar::<_, i64>(RESTORED).fetch_one(&db).await.unwrap(), 1);
        let names: Vec<String> = sqlx::query_scalar("select datname::text from pg_database order by 1").fetch_all(&db).await.unwrap();
        assert_eq!(names, ["comptoir", "postgres", "template0", "template1"]);
    })
    .await;
    a_cookie_of_before_opens_nothing(&other, cookie).await;
}

/// The worst moment: everything is there, its record too, and it only lacks its name. Somebody who looks into the empty database holds it up.
#[tokio::test]
async fn a_restore_that_is_killed_left_nothing_and_is_made_again() {
    let (first, second) = (folder(), folder());
    let (data, other) = (first.path().join("data"), second.path().join("data"));
    let (backup, cookie) = old_backup(&data).await;
    let backup = backup.to_str().unwrap();
    with_key_of(&data, &other);
    looked_into(&other, async |cluster, _| {
        let beside = cluster.connect_options().database("comptoir_restoring");
        let mut restoring = command(&other, &["restore", backup]).stdout(Stdio::null()).spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            assert!(Instant::now() < until && restoring.try_wait().unwrap().is_none(), "it is recorded before it has its name");
            if let Ok(mut connection) = PgConnection::connect_with(&beside).await
                && let Ok(1) = sqlx::query_scalar::<_, i64>(RESTORED).fetch_one(&mut connection).await
            {
                let _ = connection.close().await;
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        restoring.kill().unwrap();
        restoring.wait().unwrap();
    })
    .await;
    let missing = comptoir(&other, &["fiscal", "verify"]);
    assert!(!missing.status.success(), "there is no journal: {}", said(&missing));
    let restored = comptoir(&other, &["restore", backup]);
    assert!(restored.status.success(), "{}", said(&restored));
    looked_into(&other, async |_, db| {
        assert_eq!(sqlx::query_scalar::<_, i64>(RESTORED).fetch_one(&db).await.unwrap(), 1);
    })
    .await;
    let sound = comptoir(&other, &["fiscal", "verify"]);
    assert!(sound.status.success(), "{}", said(&sound));
    a_cookie_of_before_opens_nothing(&other, cookie).await;
}

#[tokio::test]
async fn a_backup_writes_through_no_link_and_only_for_its_owner() {
    let first = folder();
    let data = first.path().join("data");
    Till::serve(&data, &[("TPE_URL", "none")]).await.stop().await;
    let (out, elsewhere) = (first.path().join("soir.sauvegarde"), first.path().join("elsewhere"));
    std::fs::write(&elsewhere, "somebody's").unwrap();
    std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o644)).unwrap();
    symlink(&elsewhere, first.path().join("soir.unfinished")).unwrap();
    let made = comptoir(&data, &["backup", "--out", out.to_str().unwrap()]);
    assert!(made.status.success(), "{}", said(&made));
    assert_eq!(std::fs::read(&elsewhere).unwrap(), b"somebody's");
    let written = std::fs::symlink_metadata(&out).unwrap();
    assert!(written.is_file() && written.permissions().mode() & 0o777 == 0o600, "{written:?}");
}
