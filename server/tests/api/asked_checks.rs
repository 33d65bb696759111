//! Checks and archives that somebody asks for: none of them stops a sale, and nothing of them stays.

use crate::folder::folder;
use crate::program::Till;
use crate::records::sell;
use crate::support::TestApp;
use serde_json::json;
use server::cluster::{Cluster, Durability};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use time::Date;

/// A hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn thirty_who_check_the_journal_at_once_stop_no_sale() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    sell(&alice, &camille, 1).await;
    // Every check stops in the middle.
    let mut held = app.owner.begin().await.unwrap();
    sqlx::query("lock table fiscal_keys in access exclusive mode").execute(&mut *held).await.unwrap();
    let checking: Vec<_> = (0..30)
        .map(|_| {
            let camille = camille.clone();
            tokio::spawn(async move { camille.get("/api/nf525/verify").await })
        })
        .collect();
    let waiting = "select count(*) from pg_locks where relation = 'fiscal_keys'::regclass and not granted";
    let until = Instant::now() + PATIENCE;
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&app.owner).await.unwrap() == 0 {
        assert!(Instant::now() < until, "none of them checks");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for table in 1..=4 {
        let order = json!({"table_id": table, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
        let taken = tokio::time::timeout(Duration::from_secs(3), alice.post("/api/orders", &order)).await.expect("an order is answered");
        assert_eq!(taken.status, 201, "{}", taken.text);
    }
    let checks: i64 = sqlx::query_scalar(waiting).fetch_one(&app.owner).await.unwrap();
    assert_eq!(checks, 1, "one at a time");
    held.commit().await.unwrap();
    for answer in futures::future::join_all(checking).await {
        let answer = answer.unwrap();
        assert_eq!((answer.status, &answer.body["ok"]), (200, &json!(true)), "{}", answer.text);
    }
}

fn archives_in(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    all.filter(|path| path.to_string_lossy().contains("comptoir-archive-")).collect()
}

#[tokio::test]
async fn nothing_stays_of_an_archive_whose_reader_went_away() {
    let (folder, temporary) = (folder(), folder());
    let data = folder.path().join("data");
    let till = Till::serve(&data, &[("TPE_URL", "none"), ("TMPDIR", temporary.path().to_str().unwrap())]).await;
    let gerant = till.sign_in("gerant").await;
    let order = json!({"table_id": 5, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
    let order = gerant.post("/api/orders", &order).await.1["order_id"].clone();
    let paid = json!({"order_id": order, "cover_number": 1, "amount": 24, "method": "ESPECES"});
    assert_eq!(gerant.post("/api/payments/split", &paid).await.0, 201);
    // Nobody writes into the journal: the archive is packed, and waits for its record.
    let cluster = Cluster::start(&data, Durability::Full).await.unwrap();
    let owner = sqlx::PgPool::connect_with(cluster.connect_options()).await.unwrap();
    let today: Date = sqlx::query_scalar("select max(date) from audit_logs").fetch_one(&owner).await.unwrap();
    let mut held = owner.begin().await.unwrap();
    sqlx::query("select 1 from fiscal_heads for update").execute(&mut *held).await.unwrap();
    let asking = gerant.http.get(format!("{}/api/nf525/archive?from={today}&to={today}", till.base)).header("cookie", &gerant.cookie);
    let asking = tokio::spawn(asking.send());
    let until = Instant::now() + PATIENCE;
    let packed = loop {
        let there = archives_in(temporary.path());
        if let Some(packed) = there.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "zip")) {
            break packed;
        }
        assert!(Instant::now() < until && !asking.is_finished(), "it is packed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(std::fs::metadata(&packed).unwrap().permissions().mode() & 0o777, 0o600);
    for work in archives_in(temporary.path()).iter().filter(|path| path.is_dir()) {
        assert_eq!(std::fs::metadata(work).unwrap().permissions().mode() & 0o777, 0o700);
    }
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    let until = Instant::now() + PATIENCE;
    while !archives_in(temporary.path()).is_empty() {
        assert!(Instant::now() < until, "{:?}", archives_in(temporary.path()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    held.rollback().await.unwrap();
    // Whoever stays gets it, and nothing of it stays either.
    let whole = gerant.http.get(format!("{}/api/nf525/archive?from={today}&to={today}", till.base)).header("cookie", &gerant.cookie);
    let whole = whole.send().await.unwrap();
    assert_eq!(whole.status(), 200);
    assert!(!whole.bytes().await.unwrap().is_empty());
    assert_eq!(archives_in(temporary.path()), Vec::<PathBuf>::new());
    owner.close().await;
    cluster.stop().await.unwrap();
    till.kill().await;
}
