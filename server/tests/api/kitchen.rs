use crate::events;
use crate::support::{Answer, Client, TestApp};
use serde_json::{Value, json};

#[tokio::test]
async fn the_kitchen_sees_dishes_and_moves_them_on() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let order = json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 2, "note": "rosé"}, {"wine_id": 34, "qty": 1}]});
    let order_id = alice.post("/api/orders", &order).await.body["order_id"].clone();

    let slips = alice.get("/api/kitchen").await.body["slips"].clone();
    assert_eq!(slips.as_array().unwrap().len(), 1);
    assert_eq!((&slips[0]["table"], &slips[0]["server_name"]), (&json!("5"), &json!("Alice")));
    let lines = slips[0]["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "wine is not cooked");
    assert_eq!((&lines[0]["qty"], &lines[0]["note"], &lines[0]["state"]), (&json!(2), &json!("rosé"), &json!("received")));

    let path = format!("/api/kitchen/lines/{}", lines[0]["line_id"]);
    for (said, state) in [("cooking", "cooking"), ("ready", "ready"), ("ready", "ready"), ("recalled", "cooking"), ("ready", "ready")] {
        let moved = alice.post(&path, &json!({"state": said})).await;
        assert_eq!((moved.status, &moved.body["state"]), (200, &json!(state)));
    }
    let tables = alice.get("/api/tables").await.body;
    assert_eq!(tables.as_array().unwrap().iter().find(|table| table["id"] == 5).unwrap()["status"], "ready");

    assert_eq!(alice.post(&path, &json!({"state": "served"})).await.status, 200);
    assert_eq!(alice.get("/api/kitchen").await.body["slips"], json!([]));
    assert_eq!(alice.get(&format!("/api/orders/{order_id}")).await.body["lines"][0]["state"], "served");
    let late = alice.post(&path, &json!({"state": "cooking"})).await;
    assert_eq!((late.status, late.code()), (409, "line_state"));
    assert_eq!(alice.post("/api/kitchen/lines/424242", &json!({"state": "ready"})).await.status, 404);
}

/// Sends an order and returns its number and the numbers of its lines.
async fn order(client: &Client, table: i64, items: Value) -> (Value, Vec<Value>) {
    let answer = client.post("/api/orders", &json!({"table_id": table, "items": items})).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let (id, round) = (answer.body["order_id"].clone(), answer.body["round"].clone());
    let lines = client.get(&format!("/api/orders/{id}")).await.body["lines"].clone();
    let of_round = lines.as_array().unwrap().iter().filter(|line| line["round"] == round).map(|line| line["line_id"].clone()).collect();
    (id, of_round)
}

async fn states(client: &Client, order: &Value) -> Vec<String> {
    let order = client.get(&format!("/api/orders/{order}")).await.body;
    order["lines"].as_array().unwrap().iter().map(|line| line["state"].as_str().unwrap().to_owned()).collect()
}

async fn move_slip(client: &Client, order: &Value, round: i64, said: Value) -> Answer {
    client.post(&format!("/api/kitchen/slips/{order}/{round}"), &said).await
}

#[tokio::test]
async fn a_whole_slip_is_bumped_served_and_called_back() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let dishes =
        json!([{"dish_id": 2, "qty": 2}, {"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 1}, {"dish_id": 61, "qty": 1, "hold": true}]);
    let (id, lines) = order(&alice, 5, dishes).await;

    let bumped = move_slip(&alice, &id, 1, json!({"state": "ready"})).await;
    assert_eq!(
        (bumped.status, &bumped.body),
        (200, &json!({"state": "ready", "line_ids": [lines[0], lines[1]]})),
        "neither wine nor what is held"
    );
    assert_eq!(states(&alice, &id).await, ["ready", "ready", "received", "held"]);
    let again = move_slip(&alice, &id, 1, json!({"state": "ready"})).await;
    assert_eq!((again.status, again.body), (200, bumped.body), "said twice is said once");

    let finished = alice.get("/api/kitchen").await.body["finished"].clone();
    let courses: Vec<(&Value, &Value)> = finished.as_array().unwrap().iter().map(|slip| (&slip["course"], &slip["dishes"])).collect();
    assert_eq!(courses, [(&json!(1), &json!(["2 × Œuf mayonnaise"])), (&json!(2), &json!(["1 × Magret de canard"]))]);
    let back = move_slip(&alice, &id, 1, json!({"state": "recalled", "line_ids": finished[1]["line_ids"]})).await;
    assert_eq!((back.status, &back.body["line_ids"]), (200, &json!([lines[1]])));
    assert_eq!(
        move_slip(&alice, &id, 1, json!({"state": "recalled", "line_ids": [lines[1]]})).await.status,
        200,
        "called back twice is once"
    );
    assert_eq!(states(&alice, &id).await[..2], ["ready", "cooking"]);

    let served = move_slip(&alice, &id, 1, json!({"state": "served"})).await;
    assert_eq!(served.body["line_ids"], json!([lines[0]]), "what is on the stove stays there");
    assert_eq!(states(&alice, &id).await[..2], ["served", "cooking"]);

    let unknown = move_slip(&alice, &id, 9, json!({"state": "ready"})).await;
    assert_eq!((unknown.status, unknown.code()), (404, "not_found"));
    let nothing = move_slip(&alice, &id, 1, json!({"state": "ready", "line_ids": [lines[3]]})).await;
    assert_eq!((nothing.status, nothing.code()), (409, "line_state"), "what is held is called first");
    assert_eq!(move_slip(&alice, &id, 1, json!({"state": "ready", "surprise": 1})).await.status, 422);
}

#[tokio::test]
async fn a_line_that_nobody_saw_is_not_finished() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let (id, lines) = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}, {"dish_id": 14, "qty": 1, "hold": true}])).await;
    // The second is called in the moment in which the kitchen bumps the slip that it saw.
    assert_eq!(alice.post(&format!("/api/orders/{id}/courses/2/fire"), &json!({})).await.status, 200);
    move_slip(&alice, &id, 1, json!({"state": "ready", "line_ids": [lines[0]]})).await;
    assert_eq!(states(&alice, &id).await, ["ready", "received"]);
}

#[tokio::test]
async fn two_screens_that_bump_at_once_agree_and_tell_once() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let (id, lines) = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}, {"dish_id": 14, "qty": 1}])).await;
    let (mut of_alice, mut of_bob) = (events::open(&app, &alice, None).await.unwrap(), events::open(&app, &bob, None).await.unwrap());
    let ready = json!({"state": "ready"});
    let answers =
        futures::future::join_all((0..12).map(|i| move_slip(if i % 2 == 0 { &alice } else { &bob }, &id, 1, ready.clone()))).await;
    for answer in answers {
        assert_eq!((answer.status, &answer.body["line_ids"]), (200, &json!(lines)));
    }
    let mut told = Vec::new();
    for _ in &lines {
        let ready = events::next_named(&mut of_alice, "dish_ready").await.expect("she is told");
        told.push(ready["data"]["line_id"].clone());
    }
    // The last event tells both that nothing else will come.
    order(&bob, 6, json!([{"dish_id": 12, "qty": 1}])).await;
    for socket in [&mut of_alice, &mut of_bob] {
        while let Some(event) = events::next(socket).await {
            assert_ne!(event["event"], "dish_ready", "each dish once, and only whoever looks after the table");
            if event["data"]["table_id"] == 6 {
                break;
            }
        }
    }
    assert_eq!(told, lines);
}

#[tokio::test]
async fn the_kitchen_sees_what_waits_what_is_called_and_what_was_taken_off() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let cuisson = json!([{"group": "Cuisson", "choice": "Saignant"}]);
    let dishes = json!([{"dish_id": 2, "qty": 3}, {"dish_id": 11, "qty": 1, "options": cuisson, "hold": true}]);
    let (id, lines) = order(&alice, 5, dishes).await;
    let slip = async || alice.get("/api/kitchen").await.body["slips"][0].clone();

    let held = slip().await["lines"][1].clone();
    assert_eq!((&held["state"], &held["choices"], &held["told_at"]), (&json!("held"), &json!(["Saignant"]), &Value::Null));
    alice.post(&format!("/api/orders/{id}/courses/2/fire"), &json!({})).await;
    let fired = slip().await["lines"][1].clone();
    assert_eq!(fired["state"], "received");
    assert!(fired["called_at"].is_string() && fired["told_at"] == fired["called_at"], "its age counts from the call: {fired}");

    let void = |line: &Value, qty: u32| (format!("/api/orders/{id}/lines/{line}/void"), json!({"qty": qty, "reason": "Client parti"}));
    for (path, body) in [void(&lines[0], 1), void(&lines[1], 1)] {
        assert_eq!(alice.post(&path, &body).await.status, 200);
    }
    let seen = slip().await;
    assert_eq!(seen["lines"].as_array().unwrap().len(), 1);
    assert_eq!(seen["lines"][0]["qty"], 2);
    let voids: Vec<(&Value, &Value, &Value)> =
        seen["voids"].as_array().unwrap().iter().map(|void| (&void["qty"], &void["name"], &void["reason"])).collect();
    let reason = json!("Client parti");
    assert_eq!(voids, [(&json!(1), &json!("Œuf mayonnaise"), &reason), (&json!(1), &json!("Entrecôte"), &reason)]);

    // What nobody had told the kitchen is no news to it.
    let (other, of_other) = order(&alice, 6, json!([{"dish_id": 12, "qty": 1, "hold": true}])).await;
    let (path, body) = (format!("/api/orders/{other}/lines/{}/void", of_other[0]), json!({"qty": 1}));
    assert_eq!(alice.post(&path, &body).await.status, 200);
    assert_eq!(alice.get("/api/kitchen").await.body["slips"].as_array().unwrap().len(), 1);

    sqlx::query("update line_voids set at = at - interval '10 minutes'").execute(&app.owner).await.unwrap();
    assert_eq!(slip().await["voids"], Value::Null, "after ten minutes it is no news any more");
}

#[tokio::test]
async fn a_dish_that_was_told_held_and_called_for_is_not_late_when_it_is_called() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let (id, _) = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let table = async || {
        let tables = alice.get("/api/tables").await.body;
        tables.as_array().unwrap().iter().find(|table| table["id"] == 5).unwrap().clone()
    };
    let line = async || alice.get("/api/kitchen").await.body["slips"][0]["lines"][0].clone();
    sqlx::raw_sql(
        "update kitchen_slips set created_at = created_at - interval '20 minutes';
         update order_lines set created_at = created_at - interval '20 minutes'",
    )
    .execute(&app.owner)
    .await
    .unwrap();
    assert_eq!(table().await["status"], "waiting");
    assert_eq!(alice.post(&format!("/api/orders/{id}/courses/2/hold"), &json!({})).await.status, 200);
    assert_eq!((&line().await["told_at"], &table().await["pending_since"]), (&Value::Null, &Value::Null));

    assert_eq!(alice.post(&format!("/api/orders/{id}/courses/2/fire"), &json!({})).await.status, 200);
    let (line, table) = (line().await, table().await);
    assert!(line["told_at"].is_string() && line["told_at"] == line["called_at"], "its age counts from the call: {line}");
    assert_eq!((&table["status"], &table["pending_since"]), (&json!("occupied"), &line["called_at"]));
}

/// Every query of the screen, as PostgreSQL plans it.
async fn plan(app: &TestApp, sql: &str, parameter: &str) -> String {
    // `as "qty!"` and the like are for the macro; PostgreSQL takes them as names.
    let sql = format!("explain {}", sql.replace("$1", parameter));
    let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&app.owner).await.unwrap();
    rows.join("\n")
}

#[tokio::test]
async fn years_of_orders_do_not_slow_the_kitchen_down() {
    let app = TestApp::start().await;
    for sql in [
        "insert into orders (table_id, covers, server_user_id, status, opened_at, closed_at)
         select 1 + n % 20, 2, 1, 'paid_complete', now() - n * interval '20 minutes', now() from generate_series(1, 20000) n",
        "insert into kitchen_slips (order_id, table_id, round, created_at, sent_at) select id, table_id, 1, opened_at, opened_at from orders",
        "insert into order_lines (order_id, item_id, kind, name, qty, unit_price_cents, vat_rate, course, round, state, state_at, slip_id)
         select s.order_id, 12, 'dish', 'Magret de canard', 1, 2400, 1000, 2, 1,
                case when s.id % 1000 = 0 then 'cooking' else 'served' end, s.created_at, s.id
         from kitchen_slips s, generate_series(1, 3)",
        "insert into line_voids (line_id, qty, reason, user_id, slip_id, at)
         select id, 1, 'Erreur', 1, slip_id, state_at from order_lines where id % 10 = 0",
        "analyze",
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&app.owner).await.unwrap();
    }
    for (sql, parameter, index) in [
        (include_str!("../../src/db/kitchen_slips.sql"), "", "order_lines_in_kitchen"),
        (include_str!("../../src/db/kitchen_voids.sql"), "10", "line_voids_told"),
        (include_str!("../../src/db/kitchen_finished.sql"), "100", "order_lines_done"),
    ] {
        let plan = plan(&app, sql, parameter).await;
        assert!(plan.contains(index), "{index} is not used:\n{plan}");
        for table in ["order_lines", "orders", "kitchen_slips", "line_voids"] {
            assert!(!plan.contains(&format!("Seq Scan on {table} ")), "all of {table} is read:\n{plan}");
        }
    }
}
