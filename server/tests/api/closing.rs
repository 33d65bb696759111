use crate::support::{Client, TestApp};
use serde_json::{Value, json};
use server::services::verifying::{self, Asked};
use time::OffsetDateTime;

/// Sells one coffee and returns the ticket's number.
async fn sell(alice: &Client, camille: &Client, table: u32) -> i64 {
    let order = alice.post("/api/orders", &json!({"table_id": table, "covers": 1, "items": [{"item_id": 71, "qty": 1}]})).await;
    let request = json!({"order_id": order.body["order_id"], "cover_number": 1, "amount": 2.5, "method": "ESPECES"});
    let paid = camille.post("/api/payments/split", &request).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    paid.body["ticket_no"].as_i64().unwrap()
}

async fn flaws(app: &TestApp) -> Vec<String> {
    let report = verifying::verify(&app.house.db).await.unwrap();
    assert_eq!(report.ok, report.flaws.is_empty());
    report.flaws.iter().map(|flaw| format!("{} {} {}", flaw.chain, flaw.seq, flaw.code)).collect()
}

async fn attack(app: &TestApp, sql: &'static str) {
    let mut tx = app.owner.begin().await.unwrap();
    sqlx::raw_sql("alter table audit_logs disable trigger all").execute(&mut *tx).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap();
    for trigger in ["audit_logs_no_change", "audit_logs_no_truncate", "audit_logs_no_insert", "audit_logs_key"] {
        let enable = format!("alter table audit_logs enable always trigger {trigger}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(enable)).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_day_is_sold_closed_and_sound() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    for table in 1..=3 {
        sell(&alice, &camille, table).await;
    }
    let x = camille.get("/api/nf525/x").await.body;
    assert_eq!((&x["total_ttc"], &x["count"], &x["z_number"]), (&json!(7.5), &json!(3), &Value::Null));

    let z = camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!(z.status, 200, "{}", z.text);
    let summary = &z.body["summary"];
    assert_eq!((&summary["z_number"], &summary["total_ttc"], &summary["by_method"]["ESPECES"]), (&json!(1), &json!(7.5), &json!(7.5)));
    // 0.23 of tax in each coffee: the Z is the sum of its tickets.
    assert_eq!((&summary["total_tva"], &summary["perpetual_total"]), (&json!(0.69), &json!(7.5)));
    assert_eq!(z.body["signature"].as_str().unwrap().len(), 342);
    assert!(z.body["ticket"].as_str().unwrap().contains("7,50"));

    let again = camille.post("/api/nf525/close", &json!({})).await.body;
    assert_eq!((&again["already_closed"], &again["audit_log_id"]), (&json!(true), &z.body["audit_log_id"]));

    sell(&alice, &camille, 4).await;
    let second = camille.post("/api/nf525/close", &json!({})).await.body;
    assert_eq!((&second["summary"]["z_number"], &second["summary"]["total_ttc"]), (&json!(2), &json!(2.5)));
    assert_eq!(second["summary"]["perpetual_total"], json!(10));
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    let verified = camille.get("/api/nf525/verify").await.body;
    assert_eq!((&verified["ok"], &verified["records"]), (&json!(true), &json!(8)));
}

#[tokio::test]
async fn fifty_payments_and_two_closings_at_once_leave_no_gap_and_each_ticket_in_one_z() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    sell(&alice, &camille, 20).await;
    let rounds = (1..=10).map(|table| {
        let (alice, camille) = (&alice, &camille);
        async move {
            for _ in 0..5 {
                sell(alice, camille, table).await;
            }
        }
    });
    let closings = async {
        let body = json!({});
        let both = futures::future::join(camille.post("/api/nf525/close", &body), camille.post("/api/nf525/close", &body));
        let (one, two) = both.await;
        assert_eq!((one.status, two.status), (200, 200), "{} {}", one.text, two.text);
    };
    futures::future::join(futures::future::join_all(rounds), closings).await;
    camille.post("/api/nf525/close", &json!({})).await;

    let seqs: Vec<i64> =
        sqlx::query_scalar("select seq from audit_logs where chain = 'T' order by seq").fetch_all(&app.owner).await.unwrap();
    assert_eq!(seqs, (1..=51).collect::<Vec<_>>());
    let closed: i64 =
        sqlx::query_scalar("select (sum(amount) * 100)::bigint from audit_logs where chain = 'G'").fetch_one(&app.owner).await.unwrap();
    assert_eq!(closed, 51 * 250);
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_empty_day_closes_and_a_day_to_come_does_not() {
    let app = TestApp::start().await;
    let camille = app.signed_in("camille").await;
    let tomorrow = camille.post("/api/nf525/close", &json!({"date": "2999-01-01"})).await;
    assert_eq!((tomorrow.status, &tomorrow.body["errors"][0]["code"]), (422, &json!("in_the_future")));
    for never in ["2001-01-01", "0001-01-01"] {
        assert_eq!(camille.post("/api/nf525/close", &json!({"date": never})).await.status, 422, "{never} was no day of this till");
    }
    let empty = camille.post("/api/nf525/close", &json!({})).await.body;
    assert_eq!((&empty["summary"]["total_ttc"], &empty["summary"]["count"]), (&json!(0), &json!(0)));
    let (alice, camille) = (app.signed_in("alice").await, camille);
    sell(&alice, &camille, 1).await;
    let next = camille.post("/api/nf525/close", &json!({})).await.body;
    assert_eq!((&next["summary"]["z_number"], &next["summary"]["total_ttc"]), (&json!(2), &json!(2.5)));
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}

/// A zone like that of Paris, whose clock changes at this moment: from 3:00 back to 2:00, or from 2:00 on to 3:00.
fn zone_changing(at: OffsetDateTime, back: bool) -> String {
    // So far ahead of Greenwich that it is three, or two, there.
    let hour = if back { 3 } else { 2 };
    let mut ahead = time::Duration::hours(hour) - (at.time() - time::Time::MIDNIGHT);
    if ahead < time::Duration::hours(-12) {
        ahead += time::Duration::DAY;
    }
    let (day, hour_more) = ((at + ahead).ordinal(), time::Duration::HOUR);
    // The other change of that year is far away.
    let other = if day > 180 { day - 120 } else { day + 120 };
    // POSIX counts how far a zone is behind Greenwich, and days from 0.
    let behind = |ahead: time::Duration| {
        let seconds = ahead.whole_seconds();
        let sign = if seconds > 0 { "-" } else { "" };
        format!("{sign}{:02}:{:02}:{:02}", seconds.abs() / 3_600, seconds.abs() / 60 % 60, seconds.abs() % 60)
    };
    let (winter, summer) = if back { (ahead - hour_more, ahead) } else { (ahead, ahead + hour_more) };
    let (begins, ends) = if back { (other, day) } else { (day, other) };
    format!("WIN{}SUM{},{}/2,{}/3", behind(winter), behind(summer), begins - 1, ends - 1)
}

async fn a_service_passes(back: bool) {
    let mut app = TestApp::start().await;
    let change = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap() + time::Duration::seconds(40);
    app.config.time_zone = zone_changing(change, back);
    let app = app.another().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    sell(&alice, &camille, 1).await;
    assert!(OffsetDateTime::now_utc() < change, "sold before the change");
    sqlx::query("select pg_sleep_until($1)").bind(change).execute(&app.owner).await.unwrap();
    sell(&alice, &camille, 2).await;

    let tickets: Vec<(String, String)> =
        sqlx::query_as("select date::text, substr(local_ts, 9, 4) from audit_logs where chain = 'T' order by seq")
            .fetch_all(&app.owner)
            .await
            .unwrap();
    let [(day, before), (same_day, after)] = tickets.as_slice() else { panic!("two tickets: {tickets:?}") };
    let hours = if back { ("0259", "0200") } else { ("0159", "0300") };
    assert_eq!((before.as_str(), after.as_str()), hours, "the clock of the restaurant");
    assert_eq!(day, same_day, "a service is one day");
    let z = camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!((z.status, &z.body["summary"]["count"], &z.body["summary"]["total_ttc"]), (200, &json!(2), &json!(5)), "{}", z.text);
    let again = camille.post("/api/nf525/close", &json!({})).await.body;
    assert_eq!(
        (&again["already_closed"], &again["audit_log_id"]),
        (&json!(true), &z.body["audit_log_id"]),
        "an hour that comes twice closes once"
    );
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_service_that_the_clock_goes_back_in_is_one_day() {
    a_service_passes(true).await;
}

#[tokio::test]
async fn a_service_that_the_clock_goes_on_in_is_one_day() {
    a_service_passes(false).await;
}

#[tokio::test]
async fn a_forgotten_day_stops_no_sale_and_is_closed_first() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    sell(&alice, &camille, 1).await;
    // What a day's wait would have done.
    let yesterday = "alter table fiscal_periods disable trigger fiscal_periods_no_change;
         alter table audit_logs disable trigger audit_logs_no_change;
         update fiscal_periods set service_day = service_day - 1;
         update audit_logs set date = date - 1;
         alter table audit_logs enable always trigger audit_logs_no_change;
         alter table fiscal_periods enable always trigger fiscal_periods_no_change";
    sqlx::raw_sql(yesterday).execute(&app.owner).await.unwrap();
    sell(&alice, &camille, 2).await;
    sell(&alice, &camille, 3).await;
    let today: String = sqlx::query_scalar("select max(service_day)::text from fiscal_periods").fetch_one(&app.owner).await.unwrap();
    let refused = camille.post("/api/nf525/close", &json!({"date": today})).await;
    assert_eq!((refused.status, refused.code()), (409, "previous_period_open"));
    let totals = [camille.post("/api/nf525/close", &json!({})).await, camille.post("/api/nf525/close", &json!({"date": today})).await]
        .map(|answer| answer.body["summary"]["total_ttc"].clone());
    assert_eq!(totals, [json!(2.5), json!(5)]);
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn in_training_everything_goes_to_chain_x_and_says_so() {
    let app = TestApp::in_training().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let no = sell(&alice, &camille, 1).await;
    let z = camille.post("/api/nf525/close", &json!({})).await.body;
    let ticket = camille.get(&format!("/api/nf525/tickets/{no}")).await.body;
    assert!(ticket["text"].as_str().unwrap().contains("FORMATION") && z["ticket"].as_str().unwrap().contains("FORMATION"));
    sell(&alice, &camille, 2).await;
    assert_eq!(camille.post("/api/nf525/close", &json!({})).await.body["summary"]["z_number"], json!(2));
    let chains: Vec<String> = sqlx::query_scalar("select distinct chain::text from audit_logs").fetch_all(&app.owner).await.unwrap();
    assert_eq!(chains, ["X"]);
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_till_itself_cannot_touch_what_is_written() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    sell(&alice, &camille, 1).await;
    for attempt in [
        "update audit_logs set amount = 9999",
        "delete from audit_logs",
        "truncate audit_logs",
        "alter table audit_logs disable trigger all",
    ] {
        let error = sqlx::raw_sql(attempt).execute(&app.house.db).await.unwrap_err().to_string();
        assert!(error.contains("permission denied") || error.contains("must be owner"), "{attempt}: {error}");
    }
    for attempt in [
        "update audit_logs set amount = 9999",
        "delete from audit_logs",
        "truncate audit_logs cascade",
        "set session_replication_role = replica; update audit_logs set amount = 1",
    ] {
        let mut connection = app.owner.acquire().await.unwrap();
        let error = sqlx::raw_sql(attempt).execute(&mut *connection).await.unwrap_err().to_string();
        assert!(error.contains("Modification audit_logs interdite (NF525)"), "{attempt}: {error}");
        sqlx::raw_sql("set session_replication_role = origin").execute(&mut *connection).await.unwrap();
    }
    // What the till may touch at all it may not touch twice.
    camille.post("/api/nf525/close", &json!({})).await;
    for attempt in [
        "update fiscal_periods set start_seq = 2",
        "update fiscal_periods set closed_at = null, audit_log_id = null",
        "delete from fiscal_periods",
        "update fiscal_keys set public_key_pem = ''",
    ] {
        let error = sqlx::raw_sql(attempt).execute(&app.house.db).await.unwrap_err().to_string();
        assert!(error.contains("permission denied") || error.contains("interdite"), "{attempt}: {error}");
    }
    for attempt in [
        "update payments set amount_cents = 1",
        "delete from payments",
        "delete from fiscal_periods",
        "update fiscal_periods set end_seq = 0",
    ] {
        assert!(sqlx::raw_sql(attempt).execute(&app.owner).await.is_err(), "{attempt}");
    }
}

#[tokio::test]
async fn a_table_of_the_caller_does_not_stand_in_for_ours() {
    let app = TestApp::start().await;
    // The copies that tests work on do not inherit this, a migrated database has it.
    let may: bool = sqlx::query_scalar("select has_database_privilege('comptoir_app', 'demo_template', 'temporary')")
        .fetch_one(&app.owner)
        .await
        .unwrap();
    assert!(!may, "the till makes no temporary tables");
    let mut connection = app.house.db.acquire().await.unwrap();
    for step in [
        "create temporary table fiscal_heads (like public.fiscal_heads)",
        "grant all on pg_temp.fiscal_heads to public",
        "select from fiscal_lock('01', 'T', 'UTC')",
    ] {
        sqlx::raw_sql(step).execute(&mut *connection).await.unwrap();
    }
    let written: i64 = sqlx::query_scalar("select count(*) from pg_temp.fiscal_heads").fetch_one(&mut *connection).await.unwrap();
    assert_eq!(written, 0, "the journal's functions use the journal's tables");
}

#[tokio::test]
async fn one_altered_byte_is_found_and_named() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    for table in 1..=5 {
        sell(&alice, &camille, table).await;
    }
    camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!(flaws(&app).await, Vec::<String>::new());

    attack(&app, "update audit_logs set metadata = replace(metadata::text, 'Expresso', 'Expressp')::json where chain = 'T' and seq = 3")
        .await;
    let found = flaws(&app).await;
    assert!(!found.is_empty() && found.iter().all(|flaw| flaw.starts_with("T 3 ")), "{found:?}");
    attack(&app, "update audit_logs set metadata = replace(metadata::text, 'Expressp', 'Expresso')::json where chain = 'T' and seq = 3")
        .await;
    assert_eq!(flaws(&app).await, Vec::<String>::new());

    // A row that is no record any more hides nothing else.
    attack(&app, "update audit_logs set transaction_type = 'TICKEX' where chain = 'T' and seq = 4").await;
    assert!(flaws(&app).await.iter().any(|flaw| flaw.ends_with("unreadable_record")), "{:?}", flaws(&app).await);
    attack(&app, "update audit_logs set transaction_type = 'TICKET' where chain = 'T' and seq = 4").await;
    assert_eq!(flaws(&app).await, Vec::<String>::new());

    attack(&app, "delete from audit_logs where chain = 'T' and seq = 2").await;
    assert!(flaws(&app).await.iter().any(|flaw| flaw.starts_with("T 2 ")));
}

#[tokio::test]
async fn a_lost_tail_a_switched_off_guard_and_another_key_are_seen() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    for table in 1..=3 {
        sell(&alice, &camille, table).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let other = server::adapters::signer::Signer::open(&folder.path().join("other.pem"), true).unwrap();
    let report = verifying::verify_as(&app.house.db, Asked { public_key: Some(other.public_key_pem().to_owned()), ..Asked::default() })
        .await
        .unwrap()
        .0;
    assert!(report.inconclusive && !report.ok);

    sqlx::raw_sql("alter table audit_logs disable trigger audit_logs_no_change").execute(&app.owner).await.unwrap();
    assert_eq!(flaws(&app).await, ["* 0 guard_disabled"]);
    attack(&app, "delete from audit_logs where chain = 'T' and seq = 3").await;
    assert!(flaws(&app).await.iter().any(|flaw| flaw == "T 3 lost_tail"), "{:?}", flaws(&app).await);
}
