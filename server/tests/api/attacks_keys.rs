//! Attacks with a key, stolen or of one's own, and with an older copy of the database: what is sound by itself is compared with what lies elsewhere.

use crate::attacks::{as_owner, evening, flaws, is_on_every_screen, is_said, said_so_far};
use crate::records::sell;
use crate::support::TestApp;
use serde_json::json;
use server::adapters::signer::Signer;
use server::services::archive::check::{check, check_order};
use server::services::archive::make;
use server::services::keys;
use server::services::recording;
use server::services::self_check::{self, Depth};
use server::services::verifying::{self, Asked};

/// Whoever has the key signs as well as the till does. What is changed alone breaks what was built upon it; all of it written again is sound by
/// itself, and only what lies elsewhere can tell.
#[tokio::test]
async fn a_stolen_key_signs_and_is_found_by_what_was_built_upon_it_or_lies_elsewhere() {
    let (app, ..) = evening().await;
    let anchors = std::fs::read_to_string(&app.house.anchoring.file).unwrap();
    let anchors = domain::fiscal::Anchor::read_all(&anchors).unwrap();
    let with_anchors = async || {
        let report = verifying::verify_as(&app.house.db, Asked { anchors: anchors.clone(), ..Asked::default() }).await.unwrap().0;
        report.flaws.iter().map(|flaw| format!("{} {} {}", flaw.chain, flaw.seq, flaw.code)).collect::<Vec<_>>()
    };
    assert_eq!(with_anchors().await, Vec::<String>::new());
    sqlx::raw_sql("create table kept_logs as table audit_logs").execute(&app.owner).await.unwrap();

    // The last ticket, another coffee: the end of the chain is remembered with another signature.
    as_owner(&app, &written_again(&app, 7, 7).await).await;
    let found = flaws(&app).await;
    assert!(found.contains(&"T 5 head_differs".to_owned()), "{found:?}");
    println!("détecté   {:45} T 5 head_differs", "steal the key, sign the last ticket again");
    // A ticket before: the next one was signed over the signature that it had.
    as_owner(&app, BACK).await;
    as_owner(&app, &written_again(&app, 4, 4).await).await;
    let found = flaws(&app).await;
    assert!(found.contains(&"T 5 previous_signature_differs".to_owned()), "{found:?}");
    println!("détecté   {:45} T 5 previous_signature_differs", "steal the key, sign a ticket again");
    // All that follows as well, and what is remembered of the ends.
    as_owner(&app, BACK).await;
    let heads = "update fiscal_heads h set last_signature = l.signature, last_hash = l.hash_current from audit_logs l
                 where l.chain = h.chain and l.register = h.register and l.seq = h.last_seq";
    as_owner(&app, &format!("{}; {heads}", written_again(&app, 4, 7).await)).await;
    as_owner(&app, "update order_lines set name = 'Eau' where name = 'Expresso'").await;
    let found = flaws(&app).await;
    assert!(found.iter().all(|flaw| flaw.ends_with("line_differs")), "by itself it is sound: {found:?}");
    assert!(with_anchors().await.contains(&"G 1 anchor_differs".to_owned()), "{:?}", with_anchors().await);
    assert!(self_check::check(&app.house, Depth::Whole).await.unwrap() > 0, "the till compares with what it keeps elsewhere itself");
    assert_eq!(said_so_far(&app).await, 1);
    is_on_every_screen(&app).await;
    println!("détecté   {:45} G 1 anchor_differs", "steal the key, write everything again");
}

/// The journal as it was.
const BACK: &str = "update audit_logs l set metadata = k.metadata, content_sha256 = k.content_sha256, data_to_sign = k.data_to_sign,
    hash_current = k.hash_current, hash_previous = k.hash_previous, signature = k.signature from kept_logs k where k.id = l.id";

/// What writes records again with the till's own key, with another coffee in the first, and everything in the others that names what came before.
async fn written_again(app: &TestApp, first: i64, last: i64) -> String {
    let records: Vec<(i64, String, String, String, String, String, String)> = sqlx::query_as(
        "select id, metadata::text, content_sha256, data_to_sign, hash_current, hash_previous, signature from audit_logs where id between $1 and $2 order by id",
    )
    .bind(first)
    .bind(last)
    .fetch_all(&app.owner)
    .await
    .unwrap();
    let mut changed: Vec<(String, String)> = Vec::new();
    let mut sql = Vec::new();
    for (id, content, digest, text, hash, previous, signature) in records {
        let again = |text: &str| changed.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let content = if id == first { content.replace("Expresso", "Eau") } else { again(&content) };
        let sha256 = domain::fiscal::sha256_hex(content.as_bytes());
        let text = again(&text).replace(&digest, &sha256);
        let (new_hash, signed) = (domain::fiscal::sha256_hex(text.as_bytes()), app.house.signer.sign(&text).unwrap());
        sql.push(format!(
            "update audit_logs set metadata = $json${content}$json$::json, content_sha256 = '{sha256}', data_to_sign = $text${text}$text$,
                 hash_current = '{new_hash}', hash_previous = '{}', signature = '{signed}' where id = {id}",
            again(&previous)
        ));
        changed.extend([(digest, sha256), (hash, new_hash), (signature, signed)]);
    }
    sql.join(";")
}

#[tokio::test]
async fn a_key_of_ones_own_signs_nothing() {
    let (app, alice, camille) = evening().await;
    let original = app.house.signer.public_key_pem().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let own = Signer::open(&folder.path().join("own.pem"), true).unwrap();
    // Added to the table by the owner, and used for one record.
    let text: String = sqlx::query_scalar("select data_to_sign from audit_logs where id = 7").fetch_one(&app.owner).await.unwrap();
    let signature = own.sign(&text).unwrap();
    let (id, pem) = (own.key_id(), own.public_key_pem());
    as_owner(
        &app,
        &format!(
            "insert into fiscal_keys values ('{id}', 'RS256', '{pem}', now() - interval '1 year', null);
             update audit_logs set key_id = '{id}', signature = '{signature}' where id = 7"
        ),
    )
    .await;
    let found = flaws(&app).await;
    assert!(found.contains(&"T 5 unknown_key".to_owned()), "a key that no record announced is not trusted: {found:?}");
    assert!(found.iter().any(|flaw| flaw == "T 5 head_differs"), "and the heads remember the other signature: {found:?}");

    // Everything signed again: only what lies outside the database can tell.
    let rows: Vec<(i64, String)> =
        sqlx::query_as("select id, data_to_sign from audit_logs order by id").fetch_all(&app.owner).await.unwrap();
    let mut sql = format!("delete from fiscal_keys where key_id <> '{id}';");
    for (row, text) in rows {
        let signature = own.sign(&text).unwrap();
        sql += &format!("update audit_logs set key_id = '{id}', signature = '{signature}' where id = {row};");
    }
    as_owner(&app, &sql).await;
    let asked = Asked { public_key: Some(original), ..Asked::default() };
    let report = verifying::verify_as(&app.house.db, asked).await.unwrap().0;
    assert!(!report.ok && report.flaws.iter().any(|flaw| flaw.code == "unknown_key"));
    let anchors = std::fs::read_to_string(&app.house.anchoring.file).unwrap();
    let anchors = domain::fiscal::Anchor::read_all(&anchors).unwrap();
    let report = verifying::verify_as(&app.house.db, Asked { anchors, ..Asked::default() }).await.unwrap().0;
    assert!(
        report.flaws.iter().any(|flaw| flaw.code == "anchor_differs" && (flaw.chain.as_str(), flaw.seq) == ("G", 1)),
        "{:?}",
        report.flaws
    );
    // The till itself finds that its anchors differ; what it signs of it is by the key that the journal no longer knows.
    assert!(self_check::check(&app.house, Depth::Whole).await.map_or(true, |flaws| flaws > 0));
    is_on_every_screen(&app).await;
    let _ = (alice, camille);
}

#[tokio::test]
async fn an_announced_key_is_trusted_and_the_old_one_signs_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (app, alice, camille) = evening().await;
    let file = folder.path().join("fiscal-key.pem");
    std::fs::copy(&app.config.fiscal_key_file, &file).unwrap();
    let first = app.house.signer.public_key_pem().to_owned();
    keys::rotate(&app.house, &file, "Gérant").await.unwrap();
    // This process still holds the old key: it may not write any more.
    let order = alice.post("/api/orders", &json!({"table_id": 6, "covers": 1, "items": [{"item_id": 71, "qty": 1}]})).await;
    let request = json!({"order_id": order.body["order_id"], "cover_number": 1, "amount": 2.5, "method": "ESPECES"});
    assert_eq!(camille.post("/api/payments/split", &request).await.status, 500, "the old key is refused by the database");
    let mut config = app.config.clone();
    config.fiscal_key_file = file;
    let house = server::run::open_house(&config, app.house.db.clone()).await.unwrap();
    let mut tx = house.db.begin().await.unwrap();
    recording::event(&house, &mut tx, domain::fiscal::EventCode::Started, "", []).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    let report = verifying::verify_as(&app.house.db, Asked { public_key: Some(first), ..Asked::default() }).await.unwrap().0;
    assert!(report.ok, "the auditor's copy of the first key is enough: {:?}", report.flaws);
    let refused = server::run::open_house(&app.config, app.house.db.clone()).await.err().unwrap().to_string();
    assert!(refused.contains("FISCAL_KEY_FILE"), "{refused}");
}

#[tokio::test]
async fn an_older_copy_of_the_database_is_noticed_and_said() {
    let (app, alice, camille) = evening().await;
    let heads = "create table kept_heads as table fiscal_heads; create table kept_periods as table fiscal_periods";
    sqlx::raw_sql(heads).execute(&app.owner).await.unwrap();
    sell(&alice, &camille, 6).await;
    camille.post("/api/nf525/close", &json!({})).await;
    let (archives, day) =
        (tempfile::tempdir().unwrap(), sqlx::query_scalar("select max(date) from audit_logs").fetch_one(&app.owner).await.unwrap());
    let before = archives.path().join("before.zip");
    make(&app.house, "", day, day, &before).await.unwrap();
    let restore = "delete from share_parts where payment_id in (select id from payments where audit_log_id > 7); delete from payments where audit_log_id > 7;
                   delete from fiscal_periods; delete from audit_logs where id > 7; insert into fiscal_periods select * from kept_periods;
                   delete from fiscal_heads; insert into fiscal_heads select * from kept_heads; drop table kept_heads, kept_periods";
    as_owner(&app, restore).await;
    assert_eq!(flaws(&app).await, Vec::<String>::new(), "by itself an older copy is sound");
    is_said(&app).await;
    assert!(app.house.integrity.flaws().iter().any(|flaw| flaw.code == "anchor_differs"));
    let said: i64 =
        sqlx::query_scalar("select count(*) from audit_logs where metadata ->> 'code' = 'restored'").fetch_one(&app.owner).await.unwrap();
    assert!(said >= 1);

    // It sells on and closes past the number that is missing: two futures, of which the file of anchors knows both.
    sell(&alice, &camille, 7).await;
    assert_eq!(camille.post("/api/nf525/close", &json!({})).await.status, 200);
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    assert!(self_check::check(&app.house, Depth::Whole).await.unwrap() > 0);
    let found = app.house.integrity.flaws();
    assert!(found.iter().any(|flaw| (flaw.chain.as_str(), flaw.seq, flaw.code.as_str()) == ("G", 2, "anchor_differs")), "{found:?}");
    println!("détecté   {:45} G 2 anchor_differs", "go on from an older copy");
    // And so do two archives, one of each future.
    let day = sqlx::query_scalar("select max(date) from audit_logs").fetch_one(&app.owner).await.unwrap();
    let after = archives.path().join("after.zip");
    make(&app.house, "", day, day, &after).await.unwrap();
    let (before, after) = (check(&before, None, Vec::new()).await.unwrap(), check(&after, None, Vec::new()).await.unwrap());
    let order = check_order(&[before, after]);
    assert!(!order.is_empty(), "two archives that cannot follow each other");
    println!("détecté   {:45} {}", "archives of two futures", order[0].code);
}
