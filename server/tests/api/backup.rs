//! The database in a file, and back: with the real program, its private PostgreSQL, and `kill -9` in between.

use crate::folder::folder;
use crate::program::Till;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Output};

fn comptoir(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command.args(arguments).env("COMPTOIR_DATA", data).env("RUST_LOG", "error").env("TPE_URL", "none");
    command.env_remove("DATABASE_URL").env_remove("REDIS_URL").env_remove("FISCAL_KEY_FILE").env_remove("FISCAL_ANCHORS");
    command.output().unwrap()
}

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
    // Sold after the backup: it will be missing.
    sell().await;
    till.kill().await;
    let cluster = server::cluster::Cluster::start(&data, server::cluster::Durability::Full).await.unwrap();
    let db = sqlx::PgPool::connect_with(cluster.connect_options()).await.unwrap();
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

    let sound = comptoir(&other, &["fiscal", "verify", "--json"]);
    assert!(sound.status.success(), "{}", said(&sound));
    let till = Till::serve(&other, &[("TPE_URL", "none")]).await;
    let camille = till.sign_in("camille").await;
    let x = camille.get("/api/nf525/x").await.1;
    assert_eq!((&x["total_ttc"], &x["count"]), (&json!(24), &json!(1)), "what was sold before the backup, and nothing else: {x}");
    // It goes on.
    let order = json!({"table_id": 6, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
    assert_eq!(camille.post("/api/orders", &order).await.0, 201);
    till.kill().await;

    let journal = comptoir(&other, &["fiscal", "verify"]);
    assert!(journal.status.success(), "{}", said(&journal));
    let cluster = server::cluster::Cluster::start(&other, server::cluster::Durability::Full).await.unwrap();
    let db = sqlx::PgPool::connect_with(cluster.connect_options()).await.unwrap();
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
