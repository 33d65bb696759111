//! A further round for guests who are there is one statement, whichever way it comes; what is anything else goes the long way, and ends as it would
//! have without a short one.

use crate::support::{Answer, Client, TestApp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

fn kept(table: u64, extras: Value) -> Value {
    let mut request = json!({
        "uuid": Uuid::now_v7(), "table_id": table, "items": [{"dish_id": 12, "qty": 1}], "offline_timestamp": "2026-11-25T20:41:00+01:00",
    });
    request.as_object_mut().unwrap().extend(extras.as_object().unwrap().clone());
    request
}

async fn sync(client: &Client, request: &Value) -> Answer {
    client.post("/api/orders/sync", request).await
}

/// The same on the way of programs.
fn plain(kept: &Value) -> Value {
    json!({"uuid": kept["uuid"], "table_id": kept["table_id"], "items": kept["items"]})
}

/// Sends it, and says whether one statement stored it.
async fn sent(app: &TestApp, client: &Client, path: &str, request: &Value) -> (Answer, bool) {
    let before = app.house.rounds.stored();
    let answer = client.post(path, request).await;
    (answer, app.house.rounds.stored() > before)
}

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&app.owner).await.unwrap()
}

#[tokio::test]
async fn a_kept_round_for_guests_who_are_there_is_one_statement_and_everything_else_is_not() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let first = kept(8, json!({}));
    let (opened, short) = sent(&app, &alice, "/api/orders/sync", &first).await;
    assert_eq!((opened.status, short), (201, false), "it opens the table");
    let order = opened.body["order_id"].clone();
    let until = |seconds| (OffsetDateTime::now_utc() + time::Duration::seconds(seconds)).format(&Rfc3339).unwrap();
    let elsewhere = kept(9, json!({}));
    assert_eq!(sync(&alice, &elsewhere).await.status, 201);
    let refused = kept(8, json!({}));
    assert_eq!(sync(&bob, &refused).await.code(), "table_occupied");

    let whose = [("alice", &alice), ("bob", &bob)];
    for (who, extras, status, short) in [
        ("alice", json!({}), 201, true),
        ("alice", json!({"if_occupied": "reject"}), 201, true),
        ("alice", json!({"order_id": order, "total": 24, "typed_by": 1}), 201, true),
        // Known guests are followed, whoever looks after them.
        ("bob", json!({"order_id": order}), 201, true),
        ("bob", json!({"order_id": order, "table_id": 12}), 201, true),
        ("bob", json!({"if_occupied": "append"}), 201, true),
        ("bob", json!({"if_occupied": "append", "append_until": until(60)}), 201, true),
        ("alice", json!({"append_until": until(-60)}), 201, true),
        // As many guests as there are.
        ("alice", json!({"covers": 4}), 201, true),
        ("alice", json!({"covers": 3, "offline_timestamp": until(0)}), 201, false),
        ("alice", json!({"covers": 3}), 201, true),
        ("alice", json!({"order_id": order, "after": first["uuid"]}), 201, true),
        ("alice", json!({"after": first["uuid"]}), 201, false),
        ("bob", json!({"resolves": refused["uuid"], "if_occupied": "append"}), 201, false),
        ("bob", json!({}), 409, false),
        ("bob", json!({"if_occupied": "append", "append_until": until(-1)}), 409, false),
        ("alice", json!({"total": 23}), 409, false),
        ("alice", json!({"covers": 100}), 422, false),
        ("alice", json!({"order_id": 9999}), 422, false),
        ("alice", json!({"items": [{"dish_id": 9999, "qty": 1}]}), 422, false),
    ] {
        let client = whose.iter().find(|(name, _)| *name == who).unwrap().1;
        let request = kept(8, extras.clone());
        let (answer, was_short) = sent(&app, client, "/api/orders/sync", &request).await;
        assert_eq!((answer.status, was_short), (status, short), "{who} {extras}: {}", answer.text);
        let (again, was_short) = sent(&app, client, "/api/orders/sync", &request).await;
        assert!(!was_short);
        if status == 201 {
            assert_eq!((again.status, &again.text, &answer.body["order_id"]), (200, &answer.text, &order), "{who} {extras}");
            let known: (i64, Option<i64>, OffsetDateTime, String, Option<i64>, Option<OffsetDateTime>) = sqlx::query_as(
                "select user_id, table_id, offline_at, outcome, order_id, settled_at from sync_intents where uuid = $1::uuid and conflict is null",
            )
            .bind(request["uuid"].as_str().unwrap())
            .fetch_one(&app.owner)
            .await
            .unwrap();
            let moment = |name: &Value| OffsetDateTime::parse(name.as_str().unwrap(), &Rfc3339).unwrap();
            assert_eq!((known.0, known.1, known.4), (if who == "alice" { 1 } else { 2 }, request["table_id"].as_i64(), order.as_i64()));
            assert_eq!((known.3.as_str(), known.5), ("taken", Some(moment(&answer.body["server_timestamp"]))));
            let apart = known.2 - moment(&request["offline_timestamp"]);
            assert!(apart.abs() < time::Duration::milliseconds(1), "its own time is kept: {apart}");
        } else {
            assert_eq!((again.status, again.code()), (status, answer.code()), "{who} {extras}");
        }
    }
    // What a person was asked about is taken the long way when the answer is another by then.
    assert_eq!(alice.post(&format!("/api/orders/{order}/handover"), &json!({"user_id": 2})).await.status, 200);
    let asked = kept(9, json!({"if_occupied": "reject"}));
    assert_eq!(sync(&bob, &asked).await.code(), "table_occupied");
    let nine = sync(&alice, &kept(9, json!({}))).await.body["order_id"].clone();
    assert_eq!(alice.post(&format!("/api/orders/{nine}/handover"), &json!({"user_id": 2})).await.status, 200);
    let (taken, short) = sent(&app, &bob, "/api/orders/sync", &asked).await;
    assert_eq!((taken.status, short), (201, false), "{}", taken.text);

    // Guests who sit with others by now, and guests who have left.
    let merged = bob.post(&format!("/api/orders/{order}/merge"), &json!({"into_order_id": nine})).await;
    assert_eq!(merged.status, 200, "{}", merged.text);
    let (followed, short) = sent(&app, &alice, "/api/orders/sync", &kept(8, json!({"order_id": order}))).await;
    assert_eq!((followed.status, short, &followed.body["order_id"]), (201, false, &nine), "{}", followed.text);
    sqlx::query("update orders set status = 'paid_complete', closed_at = now() where status = 'open'").execute(&app.owner).await.unwrap();
    let (gone, short) = sent(&app, &alice, "/api/orders/sync", &kept(8, json!({"order_id": order}))).await;
    assert_eq!((gone.status, gone.code(), short), (409, "order_closed", false));

    let astray = "select count(*) from order_lines l left join kitchen_slips s on s.id = l.slip_id
                  where l.kind = 'dish' and (s.id is null or s.round <> l.round and s.order_id = l.order_id)";
    assert_eq!(count(&app, astray).await, 0, "every dish is on the slip of its round");
}

#[tokio::test]
async fn a_round_of_a_program_is_one_statement_while_the_number_of_guests_stays() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let round = |extras: Value| {
        let mut request = plain(&kept(8, json!({})));
        request.as_object_mut().unwrap().extend(extras.as_object().unwrap().clone());
        request
    };
    for (extras, status, short, covers) in [
        (json!({}), 201, false, 4),
        (json!({}), 201, true, 4),
        (json!({"covers": 4}), 201, true, 4),
        (json!({"covers": 6}), 201, false, 6),
        (json!({"covers": 6}), 201, true, 6),
        (json!({"covers": 0}), 422, false, 6),
    ] {
        let (answer, was_short) = sent(&app, &alice, "/api/orders", &round(extras.clone())).await;
        assert_eq!((answer.status, was_short), (status, short), "{extras}: {}", answer.text);
        assert_eq!(count(&app, "select covers::bigint from orders").await, covers, "{extras}");
    }
    assert_eq!(count(&app, "select count(*) from order_events where kind = 'covers'").await, 1);
}

#[tokio::test]
async fn sixty_four_phones_at_once_are_each_taken_once() {
    const TABLES: u64 = 16;
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    for table in 1..=TABLES {
        assert_eq!(sync(&alice, &kept(table, json!({}))).await.status, 201);
    }
    // Four phones at each table, each sending twice, as one does whose answer was lost.
    let asked: Vec<Value> = (0..64).map(|phone| kept(1 + phone % TABLES, json!({}))).collect();
    let twice = asked.iter().chain(&asked).map(|request| {
        let alice = &alice;
        async move { (request["uuid"].clone(), sync(alice, request).await) }
    });
    let mut answers: HashMap<String, (String, u32)> = HashMap::new();
    for (uuid, answer) in futures::future::join_all(twice).await {
        assert!([200, 201].contains(&answer.status), "{}", answer.text);
        let (text, first) = answers.entry(uuid.to_string()).or_insert_with(|| (answer.text.clone(), 0));
        assert_eq!(*text, answer.text, "both copies hear the same");
        *first += u32::from(answer.status == 201);
    }
    assert_eq!((answers.len(), answers.values().all(|(_, first)| *first == 1)), (64, true), "one of two copies was the first");
    assert!(app.house.rounds.stored_together() > 0, "some of so many came while others were being stored");
    let rounds: Vec<(i32, i64, i64)> = sqlx::query_as(
        "select rounds, (select count(*) from order_lines where order_id = o.id), (select count(*) from sync_intents
         where order_id = o.id and outcome = 'taken' and settled_at is not null) from orders o",
    )
    .fetch_all(&app.owner)
    .await
    .unwrap();
    assert_eq!(rounds, vec![(5, 5, 5); TABLES as usize]);
}

#[tokio::test]
async fn one_id_on_both_ways_at_once_is_one_round() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let tables: Vec<u64> = (1..=12).collect();
    for table in &tables {
        assert_eq!(sync(&alice, &kept(*table, json!({}))).await.status, 201);
    }
    let lines = async || count(&app, "select count(*) from order_lines").await;
    for _ in 0..4 {
        let before = lines().await;
        // Half of them name the order on one of the ways, so that both may be stored in one statement.
        let pairs = tables.iter().map(|table| {
            let (alice, table) = (&alice, *table);
            async move {
                let request = kept(table, if table % 2 == 0 { json!({}) } else { json!({"order_id": table}) });
                let order = plain(&request);
                (request.clone(), tokio::join!(sync(alice, &request), alice.post("/api/orders", &order)))
            }
        });
        for (request, (kept, order)) in futures::future::join_all(pairs).await {
            assert_eq!((kept.status == 201) as u8 + (order.status == 201) as u8, 1, "{} {}", kept.text, order.text);
            let other = if kept.status == 201 { &order } else { &kept };
            assert_eq!((other.status, other.code()), (409, "idempotency_mismatch"), "{}", other.text);
            let taken: bool = sqlx::query_scalar("select exists (select from sync_intents where uuid = $1::uuid and outcome = 'taken')")
                .bind(request["uuid"].as_str().unwrap())
                .fetch_one(&app.owner)
                .await
                .unwrap();
            assert_eq!(taken, kept.status == 201);
        }
        assert_eq!(lines().await - before, tables.len() as i64);
    }
}

#[tokio::test]
async fn sent_given_up_and_decided_about_at_once_it_is_one_of_them() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let tables: Vec<u64> = (1..=12).collect();
    for table in &tables {
        assert_eq!(sync(&alice, &kept(*table, json!({}))).await.status, 201);
    }
    for turn in 0..6 {
        let before = count(&app, "select count(*) from order_lines").await;
        let races = tables.iter().map(|table| {
            let (alice, table) = (&alice, *table);
            async move {
                let request = kept(table, json!({}));
                if turn % 2 == 0 {
                    let path = format!("/api/orders/sync/{}/drop", request["uuid"].as_str().unwrap());
                    let (sent, dropped) =
                        tokio::join!(sync(alice, &request), async { alice.post(&path, &json!({"reason": "Erreur"})).await });
                    let ended = if sent.status == 201 { (dropped.status, "already_synced") } else { (sent.status, "intent_over") };
                    assert_eq!(ended.0, 409, "{} {}", sent.text, dropped.text);
                    let code = if sent.status == 201 { dropped.code() } else { sent.code() };
                    assert_eq!(code, ended.1);
                    assert_eq!((sent.status == 201) as u8 + (dropped.status == 200) as u8, 1, "{} {}", sent.text, dropped.text);
                    i64::from(sent.status == 201)
                } else {
                    let decision = kept(table, json!({"resolves": request["uuid"]}));
                    let (sent, decided) = tokio::join!(sync(alice, &request), sync(alice, &decision));
                    assert_eq!((sent.status == 201) as u8 + (decided.status == 201) as u8, 1, "{} {}", sent.text, decided.text);
                    let (other, code) = if sent.status == 201 { (decided, "already_synced") } else { (sent, "intent_over") };
                    assert_eq!((other.status, other.code()), (409, code), "{}", other.text);
                    1
                }
            }
        });
        let stored: i64 = futures::future::join_all(races).await.iter().sum();
        assert_eq!(count(&app, "select count(*) from order_lines").await - before, stored);
    }
}

#[tokio::test]
async fn a_kept_round_waits_for_an_order_that_somebody_holds_and_keeps_nobody_waiting() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let order = sync(&alice, &kept(8, json!({}))).await.body["order_id"].clone();
    assert_eq!(sync(&alice, &kept(9, json!({}))).await.status, 201);
    let mut held = app.owner.begin().await.unwrap();
    sqlx::query("select from orders where id = $1 for update").bind(order.as_i64().unwrap()).execute(&mut *held).await.unwrap();
    let waits = tokio::spawn({
        let alice = alice.clone();
        async move { sync(&alice, &kept(8, json!({}))).await.status }
    });
    for _ in 0..8 {
        let other = tokio::time::timeout(Duration::from_secs(4), sync(&alice, &kept(9, json!({})))).await.expect("others do not wait");
        assert_eq!(other.status, 201);
    }
    assert!(!waits.is_finished());
    held.rollback().await.unwrap();
    assert_eq!(waits.await.unwrap(), 201);
}
