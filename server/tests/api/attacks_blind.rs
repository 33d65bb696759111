//! Attacks on the check itself: what keeps it from reading, from seeing everything, or from going on saying what it saw. What they hide must be found all
//! the same, and that something was to be hidden.

use crate::attacks::{as_owner, evening, everything_else, flaws, is_on_every_screen, is_said, leave, said_so_far};
use crate::support::TestApp;
use serde_json::json;
use server::services::self_check::{self, Depth};
use server::services::{anchoring, verifying};
use sqlx::{AssertSqlSafe, PgPool};

/// A table that is not there: named, whatever of the rest can still be read.
#[tokio::test]
async fn a_table_that_the_owner_drops_is_missed() {
    for table in ["audit_logs", "fiscal_heads", "fiscal_keys", "payments", "order_lines", "fiscal_periods", "refunds"] {
        let (app, _, camille) = evening().await;
        // Renamed, which is dropped for whoever looks for it.
        for sql in [
            format!("alter table {table} rename to put_away"),
            format!("alter table put_away rename to {table}"),
            format!("drop table {table} cascade"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&app.owner).await.unwrap();
            let report = verifying::verify(&app.house.db).await.unwrap();
            if sql.ends_with(&format!("rename to {table}")) {
                assert!(report.ok, "{sql}: {:?}", report.flaws);
                continue;
            }
            let named = report.flaws.iter().any(|flaw| flaw.code == "table_missing" && flaw.detail.contains(table));
            assert!(named && !report.ok && !report.inconclusive, "{sql}: {:?}", report.flaws);
        }
        let written = self_check::check(&app.house, Depth::Whole).await;
        let is_journal = ["audit_logs", "fiscal_heads", "fiscal_keys"].contains(&table);
        assert_eq!(written.is_err(), is_journal, "{table}: {written:?}");
        assert!(app.house.integrity.is_flawed(), "{table}");
        // The manager who asks is told so too, and not that something went wrong.
        let answer = camille.get("/api/nf525/verify").await;
        assert_eq!((answer.status, &answer.body["ok"]), (200, &json!(false)), "{table}: {}", answer.text);
        println!("détecté   {:45} table_missing", format!("drop {table}"));
        leave(app).await;
    }
}

/// What blinds a part of the check is a flaw by itself, and keeps nothing else from being found.
#[tokio::test]
async fn a_part_that_cannot_be_compared_hides_nothing_else() {
    let edited = "update payments set amount_cents = 100, tendered_cents = null where audit_log_id = 1";
    for (attack, sql, expected) in [
        ("drop a table", "drop table prints cascade", "* 0 table_missing"),
        ("rename a column", "alter table method_transfers rename column to_method to put_away", "* 0 facts_unreadable"),
        ("take a right to read", "revoke select on fiscal_corrections from comptoir_app", "* 0 facts_unreadable"),
        (
            "a content of the same kind that nothing can be compared with",
            "alter table audit_logs disable trigger audit_logs_no_change; update audit_logs set metadata = '{\"payments\":1}' where id = 3;
             alter table audit_logs enable always trigger audit_logs_no_change",
            "T 3 facts_unreadable",
        ),
        (
            "a technical event that cannot be taken apart",
            "alter table audit_logs disable trigger audit_logs_no_change; drop index audit_logs_key_rotations, audit_logs_degraded;
             update audit_logs set metadata = '{\"code\":\"\\u0000\"}' where id = 6; alter table audit_logs enable always trigger audit_logs_no_change",
            "J 1 content_digest_differs",
        ),
    ] {
        let (app, ..) = evening().await;
        as_owner(&app, edited).await;
        sqlx::raw_sql(sql).execute(&app.owner).await.unwrap();
        let found = flaws(&app).await;
        for flaw in [expected, "T 1 payment_differs"] {
            assert!(found.contains(&flaw.to_owned()), "{attack}: no {flaw} in {found:?}");
        }
        is_said(&app).await;
        println!("détecté   {attack:45} {expected}");
        leave(app).await;
    }
    for (attack, sql) in [
        ("rename a column of the journal", "alter table audit_logs rename column extra to put_away"),
        ("take the right to read the journal", "revoke select on audit_logs from comptoir_app"),
    ] {
        let (app, _, camille) = evening().await;
        sqlx::raw_sql(sql).execute(&app.owner).await.unwrap();
        assert!(flaws(&app).await.contains(&"* 0 journal_unreadable".to_owned()), "{attack}");
        assert!(self_check::check(&app.house, Depth::Whole).await.is_err(), "{attack}: it can be recorded after all");
        assert!(app.house.integrity.is_flawed());
        let answer = camille.get("/api/nf525/verify").await;
        assert_eq!((answer.status, &answer.body["ok"]), (200, &json!(false)), "{attack}: {}", answer.text);
        println!("détecté   {attack:45} journal_unreadable");
        leave(app).await;
    }
}

/// A journal that takes nothing any more cannot hold a technical event about itself; the screens still tell.
#[tokio::test]
async fn what_cannot_be_written_any_more_is_on_every_screen() {
    let (app, ..) = evening().await;
    as_owner(&app, "delete from fiscal_heads").await;
    assert!(self_check::check(&app.house, Depth::Whole).await.is_err(), "the number of the event is taken");
    let who = app.signed_in("camille").await.post("/call/who", &json!({})).await.body;
    assert_eq!(who["journal"], json!("flawed"), "{who}");
}

/// What only the reading of the whole finds stays on the screens while the last records are read again and again, and is not said a second time.
#[tokio::test]
async fn what_the_whole_check_found_stays_until_it_finds_it_gone() {
    let (app, ..) = evening().await;
    // Nor is a chain that ends before them taken for one that lost its end: G 1 and J 1 stand there.
    assert_eq!(self_check::check(&app.house, Depth::Recent(1)).await.unwrap(), 0);
    let edit =
        |by: i64| format!("update share_parts set amount_cents = amount_cents + {by} where payment_id = (select min(id) from payments)");
    as_owner(&app, &edit(1)).await;
    assert!(self_check::check(&app.house, Depth::Whole).await.unwrap() > 0);
    for _ in 0..3 {
        assert!(self_check::check(&app.house, Depth::Recent(2)).await.unwrap() > 0);
        assert!(
            app.house.integrity.flaws().iter().any(|flaw| (flaw.chain.as_str(), flaw.seq, flaw.code.as_str()) == ("T", 1, "share_differs"))
        );
        is_on_every_screen(&app).await;
        assert_eq!(said_so_far(&app).await, 1, "{:?}", app.house.integrity.flaws());
    }
    as_owner(&app, &edit(-1)).await;
    assert_eq!(self_check::check(&app.house, Depth::Whole).await.unwrap(), 0);
    assert!(!app.house.integrity.is_flawed());
    println!("détecté   {:45} T 1 share_differs", "wait until only the last records are read");
}

/// What somebody holds or cancels while it is checked keeps nothing from being said that was found, and is said itself.
#[tokio::test]
async fn who_holds_a_table_stops_the_check_of_nothing_else() {
    let (app, ..) = evening().await;
    as_owner(&app, "update payments set amount_cents = 100, tendered_cents = null where audit_log_id = 1").await;
    let mut holding = app.owner.begin().await.unwrap();
    sqlx::raw_sql("lock table method_transfers in access exclusive mode").execute(&mut *holding).await.unwrap();
    assert!(self_check::check(&app.house, Depth::Whole).await.unwrap() > 0);
    let known: Vec<String> = app.house.integrity.flaws().into_iter().map(|flaw| flaw.code).collect();
    assert!(known.contains(&"payment_differs".to_owned()) && known.contains(&"check_failed".to_owned()), "{known:?}");
    assert_eq!(said_so_far(&app).await, 1, "what was found is signed, what failed is not");
    holding.rollback().await.unwrap();
    assert!(self_check::check(&app.house, Depth::Whole).await.unwrap() > 0);
    assert!(app.house.integrity.flaws().iter().all(|flaw| flaw.code != "check_failed"));
    assert_eq!(said_so_far(&app).await, 1);
    println!("détecté   {:45} check_failed", "hold a table while it is checked");
}

/// Nobody is accused for it.
#[tokio::test]
async fn a_check_that_did_not_work_is_said_as_that() {
    let (app, ..) = evening().await;
    let mut holding = app.owner.begin().await.unwrap();
    sqlx::raw_sql("lock table method_transfers in access exclusive mode").execute(&mut *holding).await.unwrap();
    assert_eq!(self_check::check(&app.house, Depth::Whole).await.unwrap(), 1);
    let camille = app.signed_in("camille").await;
    assert_eq!(camille.post("/call/who", &json!({})).await.body["journal"], json!("unchecked"));
    holding.rollback().await.unwrap();
    assert_eq!(self_check::check(&app.house, Depth::Whole).await.unwrap(), 0);
    assert_eq!(camille.post("/call/who", &json!({})).await.body["journal"], json!("sound"));
}

/// An event that says that it was said already silences nobody unless it was signed.
#[tokio::test]
async fn a_made_up_event_silences_nobody() {
    let (app, ..) = evening().await;
    as_owner(&app, "update payments set amount_cents = 100, tendered_cents = null where audit_log_id = 1").await;
    assert!(self_check::check(&app.house, Depth::Whole).await.unwrap() > 0);
    assert_eq!(said_so_far(&app).await, 1);
    // Its digest stays what it is; its signature does not.
    as_owner(&app, "update audit_logs set signature = repeat('A', 342) where metadata ->> 'code' = 'integrity_flaw'").await;
    as_owner(&app, "update payments set amount_cents = 250 where audit_log_id = 1").await;
    assert!(self_check::check(&app.house, Depth::Whole).await.unwrap() > 0, "the event itself is forged now");
    assert_eq!(said_so_far(&app).await, 2);
    println!("détecté   {:45} signature_invalid", "an event 90 of one's own");
}

/// A flaw of the last records does not fade when they are not the last any more, and a guard that is put back is seen within the hour.
#[tokio::test]
async fn what_a_recent_check_found_stays_until_the_whole_finds_it_gone() {
    let (app, alice, camille) = evening().await;
    as_owner(&app, "update payments set amount_cents = 100, tendered_cents = null where audit_log_id = 7").await;
    sqlx::raw_sql("alter table refunds disable trigger refunds_no_change").execute(&app.owner).await.unwrap();
    assert!(self_check::check(&app.house, Depth::Recent(2)).await.unwrap() > 0);
    let has = |code: &str| app.house.integrity.flaws().iter().any(|flaw| flaw.code == code);
    assert!(has("payment_differs") && has("guard_disabled"));
    for table in [6, 7, 8] {
        crate::records::sell(&alice, &camille, table).await;
    }
    sqlx::raw_sql("alter table refunds enable always trigger refunds_no_change").execute(&app.owner).await.unwrap();
    assert!(self_check::check(&app.house, Depth::Recent(2)).await.unwrap() > 0);
    assert!(has("payment_differs") && !has("guard_disabled"));
}

/// Money that was given back is hidden, given back again, and put where it was: each record by itself is sound.
#[tokio::test]
async fn a_refund_that_is_hidden_to_be_made_again_is_found() {
    let (app, alice, camille) = evening().await;
    let (ticket, _) = crate::records::sell(&alice, &camille, 9).await;
    let payment: i64 = sqlx::query_scalar("select max(id) from payments").fetch_one(&app.owner).await.unwrap();
    let gerant = app.signed_in("gerant").await;
    let refund = async || gerant.post(&format!("/api/payments/{payment}/refund"), &json!({"amount": 2.5, "reason": "tiède"})).await;
    let first = refund().await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(refund().await.status, 422, "all of it was given back");
    as_owner(&app, "update refunds set payment_id = (select min(id) from payments)").await;
    let found = flaws(&app).await;
    assert!(found.contains(&format!("T {} refund_differs", ticket + 1)), "{found:?}");
    as_owner(
        &app,
        "create table kept_corrections as table fiscal_corrections; create table kept_parts as table refund_parts; create table kept_refunds as table refunds;
         delete from refund_parts; delete from refunds; delete from fiscal_corrections",
    )
    .await;
    let again = refund().await;
    assert_eq!(again.status, 201, "{}", again.text);
    as_owner(
        &app,
        &format!(
            "update kept_refunds set payment_id = {payment}; insert into refunds overriding system value select * from kept_refunds;
             insert into refund_parts select * from kept_parts; insert into fiscal_corrections select * from kept_corrections"
        ),
    )
    .await;
    let found = flaws(&app).await;
    assert_eq!(found, [format!("T {} more_than_sold", ticket + 1), format!("T {} more_than_sold", ticket + 2)]);
    is_said(&app).await;
    println!("détecté   {:45} more_than_sold", "give back twice what was sold once");
}

/// Settings that the owner gives a login or a database do not reach what the till asks.
#[tokio::test]
async fn settings_of_a_login_do_not_reach_the_check() {
    let (app, alice, camille) = evening().await;
    everything_else(&app, &alice, &camille).await;
    as_owner(&app, "update payments set amount_cents = 100, tendered_cents = null where audit_log_id = 1").await;
    let options = app.owner.connect_options();
    let name = options.get_database().unwrap();
    // A sound copy of what was changed, for whoever looks there first.
    let aside = format!(
        "create schema aside; create table aside.payments as table payments; update aside.payments set amount_cents = 250 where audit_log_id = 1;
         grant usage on schema aside to comptoir_app; grant select on aside.payments to comptoir_app;
         alter database {name} set search_path = aside, public; alter database {name} set statement_timeout = '1ms'"
    );
    sqlx::raw_sql(AssertSqlSafe(aside)).execute(&app.owner).await.unwrap();
    let misled = PgPool::connect_with((*options).clone()).await.unwrap();
    let path: String = sqlx::query_scalar("show search_path").fetch_one(&misled).await.unwrap();
    assert_eq!(path, "aside, public", "the setting is there");
    misled.close().await;
    let till = server::db::connect((*options).clone(), 2).await.unwrap();
    let report = verifying::verify(&till).await.unwrap();
    assert!(report.flaws.iter().any(|flaw| (flaw.seq, flaw.code.as_str()) == (1, "payment_differs")), "{:?}", report.flaws);
    till.close().await;
    println!("sans effet {:44}", "a path or a limit of time given to the login");
}

/// Of a schema that is not this version's nothing is proven, and nothing is passed over in silence either.
#[tokio::test]
async fn a_schema_of_another_version_proves_nothing_and_is_said() {
    let (app, ..) = evening().await;
    for (version, sql) in [
        ("a later one", "insert into _sqlx_migrations values (999999, 'later', now(), true, '', 0)"),
        ("an older one", "delete from _sqlx_migrations where version > 1; drop table fiscal_notes cascade"),
    ] {
        sqlx::raw_sql(sql).execute(&app.owner).await.unwrap();
        let report = verifying::verify(&app.house.db).await.unwrap();
        assert!(!report.ok && report.inconclusive, "{version}: {report:?}");
        assert_eq!(report.flaws.iter().map(|flaw| flaw.code.as_str()).collect::<Vec<_>>(), ["schema_differs"], "{version}");
        // Nothing is signed that would be a false alarm for ever; the screens tell.
        assert_eq!(self_check::check(&app.house, Depth::Whole).await.unwrap(), 1);
        assert_eq!(said_so_far(&app).await, 0);
        let who = app.signed_in("camille").await.post("/call/who", &json!({})).await.body;
        assert_eq!(who["journal"], json!("unchecked"), "{version}: {who}");
    }
    // What the records themselves show is shown whatever the schema.
    as_owner(&app, "update audit_logs set amount = 1 where id = 1").await;
    let report = verifying::verify(&app.house.db).await.unwrap();
    assert!(!report.inconclusive && report.flaws.iter().any(|flaw| flaw.code == "signed_text_differs"), "{report:?}");
}

/// A database that begins anew beside the anchors of another does not begin a second journal with the numbers of the first.
#[tokio::test]
async fn an_empty_journal_beside_old_anchors_begins_nothing() {
    let (app, ..) = evening().await;
    assert_eq!(anchoring::before_the_first_record(&app.house).await.unwrap(), 0, "its own anchors");
    let anew = TestApp::start().await;
    assert_eq!(anchoring::before_the_first_record(&anew.house).await.unwrap(), 0);
    let config = server::config::Config { fiscal_anchors: app.config.fiscal_anchors.clone(), ..anew.config.clone() };
    let house = server::run::open_house(&config, anew.house.db.clone()).await.unwrap();
    as_owner(&anew, "truncate audit_logs cascade; delete from fiscal_heads").await;
    assert_eq!(anchoring::before_the_first_record(&house).await.unwrap(), 1, "one closing of another database");
    println!("refusé    {:45}", "an empty journal beside old anchors");
}
