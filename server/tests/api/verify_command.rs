//! `comptoir fiscal verify` as an inspector types it: the real program, its exit codes, an archive, a checkpoint.

use crate::folder::folder;
use crate::program::Till;
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use std::path::Path;
use std::process::{Command, Output};

const SOUND: i32 = 0;
const USAGE: i32 = 1;
const FLAW: i32 = 2;
const CANNOT_TELL: i32 = 3;

fn comptoir(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command.args(arguments).env("COMPTOIR_DATA", data).env("RUST_LOG", "error").env("TPE_URL", "none");
    command.env_remove("DATABASE_URL").env_remove("REDIS_URL").env_remove("FISCAL_KEY_FILE").env_remove("FISCAL_ANCHORS");
    command.output().unwrap()
}

/// The exit code, and what was answered in JSON.
fn verify(data: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = comptoir(data, &[&["fiscal", "verify", "--json"], arguments].concat());
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

async fn as_owner(data: &Path, sql: &'static str) {
    let cluster = Cluster::start(data, Durability::Full).await.unwrap();
    let db = sqlx::PgPool::connect_with(cluster.connect_options()).await.unwrap();
    sqlx::raw_sql(sql).execute(&db).await.unwrap();
    db.close().await;
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_command_says_sound_or_names_the_flaw_or_that_it_cannot_tell() {
    let folder = folder();
    let data = folder.path().join("data");
    let till = Till::serve(&data, &[("TPE_URL", "none")]).await;
    let camille = till.sign_in("camille").await;
    for table in [5, 6] {
        let order = json!({"table_id": table, "covers": 1, "items": [{"dish_id": 12, "qty": 1}]});
        let order = camille.post("/api/orders", &order).await.1["order_id"].clone();
        let paid = json!({"order_id": order, "cover_number": 1, "amount": 24, "method": "ESPECES"});
        assert_eq!(camille.post("/api/payments/split", &paid).await.0, 201);
    }
    let (status, closed) = camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!(status, 200, "{closed}");
    let day = closed["summary"]["service_day"].as_str().unwrap_or_else(|| panic!("{closed}")).to_owned();
    till.kill().await;

    // The database, whole and then from where that stopped.
    let checkpoint = folder.path().join("reached.json");
    let checkpoint = checkpoint.to_str().unwrap();
    let (code, report) = verify(&data, &["--checkpoint", checkpoint]);
    assert_eq!((code, &report["ok"], &report["flaws"]), (SOUND, &json!(true), &json!([])), "{report}");
    let records = report["records"].as_u64().unwrap();
    assert!(records >= 4, "{report}");
    let (code, report) = verify(&data, &["--checkpoint", checkpoint]);
    assert_eq!((code, &report["records"]), (SOUND, &json!(records)), "nothing was added: {report}");

    // An archive, with the key that the auditor kept, and with another one.
    let archive = folder.path().join("archive.zip");
    let made = comptoir(&data, &["fiscal", "archive", "--from", &day, "--to", &day, "--out", archive.to_str().unwrap()]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let archive = archive.to_str().unwrap();
    let nowhere = folder.path().join("nowhere");
    let (code, report) = verify(&nowhere, &["--archive", archive]);
    assert_eq!(code, SOUND, "{report}");
    assert!(!nowhere.exists(), "an archive needs no database");
    let strange = folder.path().join("strange.pem");
    let own = server::adapters::signer::Signer::open(&folder.path().join("own.pem"), true).unwrap();
    std::fs::write(&strange, own.public_key_pem()).unwrap();
    let (code, report) = verify(&nowhere, &["--archive", archive, "--pubkey", strange.to_str().unwrap()]);
    assert_eq!((code, &report["inconclusive"]), (CANNOT_TELL, &json!(true)), "{report}");

    // What is no archive cannot be judged; what was typed wrong is neither sound nor false.
    let no_archive = folder.path().join("no-archive.zip");
    std::fs::write(&no_archive, "PK and nothing else").unwrap();
    assert_eq!(verify(&nowhere, &["--archive", no_archive.to_str().unwrap()]).0, CANNOT_TELL);
    for wrong in [
        &["--pubkey", "/nowhere/key.pem"][..],
        &["--pubkey", archive],
        &["--anchors", archive],
        &["--nonsense"],
        &["--checkpoint", checkpoint, "--archive", archive],
    ] {
        assert_eq!(verify(&data, wrong).0, USAGE, "{wrong:?}");
    }

    // A word in a record of the archive, by somebody with a zip program; bytes that are no archive any more; a row in the database.
    let bent = folder.path().join("bent.zip");
    crate::archive::changed(Path::new(archive), &bent, "journal.jsonl", |bytes| {
        Some(String::from_utf8(bytes).unwrap().replacen("Magret", "Filet ", 1).into_bytes())
    });
    let (code, report) = verify(&nowhere, &["--archive", bent.to_str().unwrap()]);
    assert_eq!(code, FLAW, "{report}");
    assert!(report["flaws"].as_array().unwrap().iter().any(|flaw| flaw["code"] == "content_digest_differs"), "{report}");
    let mut bytes = std::fs::read(archive).unwrap();
    let name = b"journal.jsonl";
    let inside = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len() + 64;
    bytes[inside] ^= 0x40;
    std::fs::write(&bent, bytes).unwrap();
    let (code, report) = verify(&nowhere, &["--archive", bent.to_str().unwrap()]);
    assert!(matches!(code, FLAW | CANNOT_TELL), "never sound: {code} {report}");
    // A database that this program has not brought up to date yet is not judged.
    as_owner(&data, "create table kept as table _sqlx_migrations; delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)").await;
    let (code, report) = verify(&data, &[]);
    assert_eq!((code, &report["flaws"][0]["code"]), (CANNOT_TELL, &json!("schema_differs")), "{report}");
    as_owner(&data, "insert into _sqlx_migrations select * from kept on conflict do nothing; drop table kept").await;
    assert_eq!(verify(&data, &[]).0, SOUND);
    as_owner(
        &data,
        "alter table payments disable trigger payments_no_change; update payments set amount_cents = 100, tendered_cents = null where id = (select min(id) from payments);
         alter table payments enable always trigger payments_no_change",
    )
    .await;
    for arguments in [&[][..], &["--checkpoint", checkpoint]] {
        let (code, report) = verify(&data, arguments);
        assert_eq!(code, FLAW, "{arguments:?}: {report}");
        let is_named = |flaw: &Value| (&flaw["chain"], &flaw["seq"], &flaw["code"]) == (&json!("T"), &json!(1), &json!("payment_differs"));
        assert!(report["flaws"].as_array().unwrap().iter().any(is_named), "{arguments:?}: {report}");
    }
    // A database that is not there.
    let output = Command::new(env!("CARGO_BIN_EXE_comptoir"))
        .args(["fiscal", "verify"])
        .env("COMPTOIR_DATA", &nowhere)
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(CANNOT_TELL), "{}", String::from_utf8_lossy(&output.stderr));
}
