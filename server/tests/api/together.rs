//! Many phones send at the same moment.

use crate::support::TestApp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

fn round(table: u64, uuid: Uuid) -> Value {
    json!({"table_id": table, "items": [{"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 1}], "uuid": uuid})
}

#[tokio::test]
async fn rounds_stored_together_are_each_stored_once() {
    const TABLES: u64 = 12;
    const EACH: usize = 8;
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    for table in 1..=TABLES {
        assert_eq!(alice.post("/api/orders", &round(table, Uuid::now_v7())).await.status, 201);
    }
    // Each twice, as a phone does whose answer was lost; all at once.
    let asked: Vec<(u64, Uuid)> = (0..EACH).flat_map(|_| (1..=TABLES).map(|table| (table, Uuid::now_v7()))).collect();
    let twice = asked.iter().chain(&asked).map(|(table, uuid)| {
        let (alice, table, uuid) = (&alice, *table, *uuid);
        async move { (uuid, alice.post("/api/orders", &round(table, uuid)).await) }
    });
    let mut answers: HashMap<Uuid, Value> = HashMap::new();
    for (uuid, answer) in futures::future::join_all(twice).await {
        assert_eq!(answer.status, 201, "{}", answer.body);
        let first = answers.entry(uuid).or_insert_with(|| answer.body.clone());
        assert_eq!(*first, answer.body, "both copies hear the same");
    }
    assert!(app.house.rounds.stored_together() > 0, "some of so many came while others were being stored");
    let rounds: Vec<(i32, i64, i64)> = sqlx::query_as(
        "select rounds, (select count(*) from order_lines where order_id = o.id), (select count(*) from kitchen_slips where order_id = o.id) from orders o",
    )
    .fetch_all(&app.owner)
    .await
    .unwrap();
    let all = EACH + 1;
    assert_eq!(rounds, vec![(all as i32, 2 * all as i64, all as i64); TABLES as usize]);
    // Every line is of the round whose slip tells of it, and only the dish is told.
    let astray: i64 = sqlx::query_scalar(
        "select count(*) from order_lines l left join kitchen_slips s on s.id = l.slip_id
         where (l.kind = 'dish') <> (s.id is not null) or s.order_id <> l.order_id or s.round <> l.round",
    )
    .fetch_one(&app.owner)
    .await
    .unwrap();
    assert_eq!(astray, 0);
    let mut told: Vec<(u64, u64)> =
        answers.values().map(|body| (body["order_id"].as_u64().unwrap(), body["round"].as_u64().unwrap())).collect();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), asked.len(), "no two were told the same round");
}

#[tokio::test]
async fn an_order_that_somebody_holds_keeps_nobody_else_waiting() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let mut orders = HashMap::new();
    for table in 1..=10 {
        let answer = alice.post("/api/orders", &round(table, Uuid::now_v7())).await;
        orders.insert(table, answer.body["order_id"].as_i64().unwrap());
    }
    let mut held = app.owner.begin().await.unwrap();
    sqlx::query("select from orders where id = $1 for update").bind(orders[&1]).execute(&mut *held).await.unwrap();
    let waits = tokio::spawn({
        let alice = alice.clone();
        async move { alice.post("/api/orders", &round(1, Uuid::now_v7())).await.status }
    });
    let others = (0..5).flat_map(|_| 2..=10).map(|table| {
        let alice = &alice;
        async move { alice.post("/api/orders", &round(table, Uuid::now_v7())).await.status }
    });
    let answered = tokio::time::timeout(Duration::from_secs(4), futures::future::join_all(others)).await.expect("others do not wait");
    assert!(answered.iter().all(|status| *status == 201));
    assert!(!waits.is_finished());
    held.rollback().await.unwrap();
    assert_eq!(waits.await.unwrap(), 201);
}
