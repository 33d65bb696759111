//! The plan: states that tables go through, what phones are told, and editors who never erase each other.

use crate::support::{Client, TestApp};
use domain::api::Event;
use serde_json::{Value, json};

async fn table(client: &Client, id: i64) -> Value {
    let tables = client.get("/api/tables").await.body;
    tables.as_array().unwrap().iter().find(|table| table["id"] == id).cloned().unwrap_or(Value::Null)
}

async fn order_magret(client: &Client, table: i64) -> Value {
    let answer = client.post("/api/orders", &json!({"table_id": table, "items": [{"dish_id": 12, "qty": 1}]})).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.body["order_id"].clone()
}

/// Lets time pass for everything that was ordered.
async fn minutes_pass(app: &TestApp, minutes: i32) {
    for (table, column) in
        [("kitchen_slips", "created_at"), ("order_lines", "created_at"), ("order_lines", "state_at"), ("orders", "opened_at")]
    {
        let sql = format!("update {table} set {column} = {column} - make_interval(mins => $1)");
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(minutes).execute(&app.owner).await.unwrap();
    }
}

fn room_mut(plan: &mut Value, room: usize) -> &mut Vec<Value> {
    plan["rooms"][room]["tables"].as_array_mut().unwrap()
}

fn new_table(name: &str) -> Value {
    json!({"name": name, "seats": 2, "x": 50, "y": 50, "width": 20, "height": 16, "rotation": 45, "round": true})
}

#[tokio::test]
async fn a_table_goes_through_its_states() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    assert_eq!(table(&alice, 5).await["status"], "free");

    let order = order_magret(&alice, 5).await;
    let now = table(&alice, 5).await;
    assert_eq!((&now["status"], now["pending_since"].is_string()), (&json!("occupied"), true));

    minutes_pass(&app, 14).await;
    assert_eq!(table(&alice, 5).await["status"], "occupied");
    minutes_pass(&app, 2).await;
    let now = table(&alice, 5).await;
    assert_eq!((&now["status"], &now["since"]), (&json!("waiting"), &now["pending_since"]));

    let asked = app.signed_in("alice").await;
    let line = alice.get(&format!("/api/orders/{order}")).await.body["lines"][0]["line_id"].clone();
    assert_eq!(asked.post(&format!("/api/kitchen/lines/{line}"), &json!({"state": "cooking"})).await.status, 200);
    let cooking = table(&alice, 5).await;
    assert_eq!((&cooking["status"], &cooking["since"]), (&json!("waiting"), &now["since"]), "begun is not brought");

    asked.post(&format!("/api/kitchen/lines/{line}"), &json!({"state": "ready"})).await;
    let now = table(&alice, 5).await;
    assert_eq!((&now["status"], &now["pending_since"]), (&json!("ready"), &Value::Null));
    asked.post(&format!("/api/kitchen/lines/{line}"), &json!({"state": "served"})).await;
    assert_eq!(table(&alice, 5).await["status"], "occupied");

    let camille = app.signed_in("camille").await;
    let share = json!({"order_id": order, "cover_number": 1, "amount": 6, "method": "ESPECES"});
    let paid = camille.post("/api/payments/split", &share).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    let now = table(&alice, 5).await;
    assert_eq!((&now["status"], &now["remaining"]), (&json!("bill"), &json!(18)));
    let off = camille.post(&format!("/api/orders/{order}/discount"), &json!({"amount": 3, "reason": "Attente trop longue"})).await;
    assert_eq!((off.status, &table(&alice, 5).await["remaining"]), (200, &json!(15)), "a discount is not owed: {}", off.text);
}

#[tokio::test]
async fn a_phone_learns_all_it_shows_from_the_event() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let mut events = app.house.bus.listen();
    let order = order_magret(&alice, 5).await;
    let told = loop {
        if let Event::TableChanged { table_id, status, order_id, now } = events.recv().await.unwrap().1.clone() {
            break (table_id, status, order_id, now.expect("the event carries the table"));
        }
    };
    let shown: domain::api::TableView = serde_json::from_str(&table(&alice, 5).await.to_string()).unwrap();
    let mut known =
        domain::api::TableView { as_of: shown.as_of - time::Duration::hours(1), covers: None, remaining: None, ..shown.clone() };
    known.take(told.1, told.2, &told.3);
    assert_eq!(known, domain::api::TableView { as_of: told.3.as_of, ..shown });
    assert_eq!((told.0, json!(told.2)), (known.id, order));
    assert_eq!(told.3.remaining_cents, Some(2400));
}

#[tokio::test]
async fn only_who_runs_the_house_draws_it() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    let plan = gerant.get("/api/floor").await.body;
    assert_eq!((plan["rooms"][0]["name"].as_str(), plan["rooms"][0]["tables"].as_array().unwrap().len()), (Some("Salle"), 14));
    for username in ["alice", "camille", "audit"] {
        let client = app.signed_in(username).await;
        assert_eq!(client.get("/api/floor").await.status, 403, "{username}");
        assert_eq!(client.put("/api/floor", &plan).await.status, 403, "{username}");
    }
    assert_eq!(app.stranger().put("/api/floor", &plan).await.status, 401);
    assert_eq!(gerant.get("/api/floor").await.body, plan, "nothing was stored");
}

#[tokio::test]
async fn the_house_is_drawn_anew_and_numbers_stay() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    let mut events = app.house.bus.listen();
    let mut plan = gerant.get("/api/floor").await.body;
    // Two tables swap their names, one moves to another room, one is new, and so is a room.
    room_mut(&mut plan, 0)[0]["name"] = json!(" 2 ");
    room_mut(&mut plan, 0)[1]["name"] = json!("1");
    let moved = room_mut(&mut plan, 0).remove(4);
    room_mut(&mut plan, 1).push(moved);
    plan["rooms"].as_array_mut().unwrap().insert(0, json!({"name": "Bar", "tables": [new_table("B1")]}));
    let answer = gerant.put("/api/floor", &plan).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["version"], json!(plan["version"].as_i64().unwrap() + 1));
    assert_eq!(gerant.get("/api/floor").await.body, answer.body);
    assert_eq!(answer.body["rooms"][0]["tables"][0]["id"], 21);

    let alice = app.signed_in("alice").await;
    assert_eq!(table(&alice, 1).await["name"], "2");
    assert_eq!(table(&alice, 2).await["name"], "1");
    assert_eq!(table(&alice, 5).await["room"], "Terrasse");
    let b1 = table(&alice, 21).await;
    assert_eq!((&b1["room"], &b1["rotation"], &b1["width"], &b1["status"]), (&json!("Bar"), &json!(45), &json!(20), &json!("free")));
    order_magret(&alice, 21).await;
    assert!(matches!(events.recv().await.unwrap().1, Event::FloorChanged { version } if json!(version) == answer.body["version"]));
}

#[tokio::test]
async fn two_editors_never_erase_each_other() {
    let app = TestApp::start().await;
    let (one, other) = (app.signed_in("gerant").await, app.signed_in("gerant").await);
    let read = one.get("/api/floor").await.body;
    let drawn = |name: &str| {
        let mut plan = read.clone();
        room_mut(&mut plan, 0).push(new_table(name));
        plan
    };
    let (mine, yours) = (drawn("A"), drawn("B"));
    // Both at the same moment: one wins, whichever.
    let answers = tokio::join!(one.put("/api/floor", &mine), other.put("/api/floor", &yours));
    let mut outcomes = [(answers.0.status, answers.0.code()), (answers.1.status, answers.1.code())];
    outcomes.sort();
    assert_eq!(outcomes, [(200, ""), (409, "plan_changed")]);
    let tables: i64 = sqlx::query_scalar("select count(*) from tables where active").fetch_one(&app.owner).await.unwrap();
    assert_eq!(tables, 21);
}

#[tokio::test]
async fn a_faulty_drawing_changes_nothing() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    let plan = gerant.get("/api/floor").await.body;
    let faulty = |change: &dyn Fn(&mut Value)| {
        let mut plan = plan.clone();
        change(&mut plan);
        plan
    };
    for (body, field, code) in [
        (faulty(&|plan| plan["rooms"] = json!([])), "rooms", "no_room"),
        (faulty(&|plan| plan["rooms"][1]["name"] = json!("salle")), "rooms[1].name", "room_name_taken"),
        (faulty(&|plan| plan["rooms"][0]["name"] = json!("   ")), "rooms[0].name", "room_name"),
        (faulty(&|plan| room_mut(plan, 0)[1]["name"] = json!("20")), "rooms[1].tables[5].name", "table_name_taken"),
        (faulty(&|plan| room_mut(plan, 0)[1]["seats"] = json!(0)), "rooms[0].tables[1].seats", "seats_out_of_range"),
        (faulty(&|plan| room_mut(plan, 0)[1]["x"] = json!(100)), "rooms[0].tables[1].x", "outside_the_room"),
        (faulty(&|plan| room_mut(plan, 0)[1]["id"] = json!(1)), "rooms[0].tables[1].id", "listed_twice"),
        (faulty(&|plan| room_mut(plan, 0)[1]["id"] = json!(999)), "rooms[0].tables[1].id", "unknown_table"),
        (faulty(&|plan| plan["rooms"][1]["id"] = json!(999)), "rooms[1].id", "unknown_room"),
        (faulty(&|plan| room_mut(plan, 0)[1]["colour"] = json!("red")), "body", "malformed"),
        (faulty(&|plan| room_mut(plan, 0)[1]["x"] = json!(-1)), "body", "malformed"),
    ] {
        let answer = gerant.put("/api/floor", &body).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid"), "{}", answer.text);
        let first = &answer.body["errors"][0];
        assert_eq!((first["field"].as_str(), first["code"].as_str()), (Some(field), Some(code)));
    }
    assert_eq!(gerant.get("/api/floor").await.body, plan);
}

#[tokio::test]
async fn a_table_leaves_the_plan_when_nobody_sits_there_and_stays_in_the_history() {
    let app = TestApp::start().await;
    let (gerant, alice, camille) = (app.signed_in("gerant").await, app.signed_in("alice").await, app.signed_in("camille").await);
    let order = order_magret(&alice, 5).await;
    let mut plan = gerant.get("/api/floor").await.body;
    let removed = room_mut(&mut plan, 0).remove(4);
    assert_eq!(removed["id"], 5);

    let answer = gerant.put("/api/floor", &plan).await;
    assert_eq!((answer.status, answer.code(), &answer.body["table"]), (409, "table_in_use", &json!("5")), "{}", answer.text);
    assert!(answer.body["detail"].as_str().unwrap().contains("table 5"));
    assert_eq!(table(&alice, 5).await["status"], "occupied");

    for share in 1..=4 {
        let paid =
            camille.post("/api/payments/split", &json!({"order_id": order, "cover_number": share, "amount": 6, "method": "ESPECES"})).await;
        assert_eq!(paid.status, 201, "{}", paid.text);
    }
    let answer = gerant.put("/api/floor", &plan).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(table(&alice, 5).await, Value::Null);
    assert_eq!(alice.get(&format!("/api/orders/{order}")).await.body["table"], "5", "the order still names it");

    let refused = alice.post("/api/orders", &json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}]})).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (422, &json!("unknown_table")));
    let elsewhere = order_magret(&alice, 6).await;
    let refused = alice.post(&format!("/api/orders/{elsewhere}/transfer"), &json!({"table_id": 5})).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (422, &json!("unknown_table")));

    // Its name is free again, and the old one can come back under another.
    let mut plan = answer.body;
    room_mut(&mut plan, 0).push(new_table("5"));
    let answer = gerant.put("/api/floor", &plan).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut plan = answer.body;
    let mut back = removed;
    back["name"] = json!("5 bis");
    room_mut(&mut plan, 0).push(back);
    assert_eq!(gerant.put("/api/floor", &plan).await.status, 200);
    assert_eq!(table(&alice, 5).await["name"], "5 bis");
}

#[tokio::test]
async fn an_order_and_an_editor_at_the_same_moment_never_leave_guests_at_no_table() {
    let app = TestApp::start().await;
    let (gerant, alice) = (app.signed_in("gerant").await, app.signed_in("alice").await);
    for table_id in 6..=10 {
        let mut plan = gerant.get("/api/floor").await.body;
        room_mut(&mut plan, 0).retain(|table| table["id"] != table_id);
        let body = json!({"table_id": table_id, "items": [{"dish_id": 12, "qty": 1}]});
        let (saved, ordered) = tokio::join!(gerant.put("/api/floor", &plan), alice.post("/api/orders", &body));
        assert!(
            matches!((saved.status, ordered.status), (200, 422) | (409, 201)),
            "{} {} / {} {}",
            saved.status,
            saved.text,
            ordered.status,
            ordered.text
        );
    }
    let lost: i64 =
        sqlx::query_scalar("select count(*) from orders o join tables t on t.id = o.table_id where o.status = 'open' and not t.active")
            .fetch_one(&app.owner)
            .await
            .unwrap();
    assert_eq!(lost, 0);
}
