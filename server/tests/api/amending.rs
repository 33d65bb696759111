//! What changes an order that was taken.

use crate::support::{Answer, Client, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

async fn order(client: &Client, table: i64, items: Value) -> i64 {
    let answer = client.post("/api/orders", &json!({"table_id": table, "items": items})).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.body["order_id"].as_i64().unwrap()
}

async fn whole(client: &Client, order: i64) -> Value {
    client.get(&format!("/api/orders/{order}")).await.body
}

fn line_named<'o>(order: &'o Value, name: &str) -> &'o Value {
    order["lines"].as_array().unwrap().iter().find(|line| line["name"] == name).unwrap()
}

async fn void(client: &Client, order: i64, line: &Value, body: Value) -> Answer {
    client.post(&format!("/api/orders/{order}/lines/{}/void", line["line_id"]), &body).await
}

async fn table(client: &Client, id: i64) -> Value {
    let tables = client.get("/api/tables").await.body;
    tables.as_array().unwrap().iter().find(|table| table["id"] == id).unwrap().clone()
}

/// Slips that tell the kitchen to cook: none of these changes may add one.
async fn fired(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from kitchen_slips where kind = 'fire'").fetch_one(&app.owner).await.unwrap()
}

#[tokio::test]
async fn something_is_taken_off_with_a_reason_and_the_fact_stays() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let id = order(&alice, 5, json!([{"dish_id": 12, "qty": 3}, {"wine_id": 34, "qty": 1}])).await;
    let before = whole(&alice, id).await;
    let magret = line_named(&before, "Magret de canard");

    let silent = void(&alice, id, magret, json!({"qty": 1, "reason": "  "})).await;
    assert_eq!((silent.status, &silent.body["errors"][0]["code"]), (422, &json!("reason_required")));
    for qty in [0, 4, 10_000] {
        assert_eq!(void(&alice, id, magret, json!({"qty": qty, "reason": "Erreur"})).await.status, 422);
    }
    let after = void(&alice, id, magret, json!({"qty": 1, "reason": "Client a changé d’avis"})).await;
    assert_eq!(after.status, 200, "{}", after.text);
    let left = line_named(&after.body, "Magret de canard");
    assert_eq!((&left["qty"], &left["voided_qty"], &left["total"], &after.body["total"]), (&json!(2), &json!(1), &json!(48), &json!(76)));
    let bill = alice.get(&format!("/api/orders/{id}/bill")).await.body;
    assert_eq!(bill["total"], json!(76));

    let gone = void(&alice, id, magret, json!({"qty": 2, "reason": "Plat retourné"})).await;
    assert_eq!(line_named(&gone.body, "Magret de canard")["state"], "voided");
    assert_eq!(void(&alice, id, magret, json!({"qty": 1, "reason": "Encore"})).await.status, 404, "nothing is left of it");
    let facts: Vec<(i32, String, i64)> =
        sqlx::query_as("select qty, reason, user_id from line_voids order by id").fetch_all(&app.owner).await.unwrap();
    assert_eq!(facts, [(1, "Client a changé d’avis".to_owned(), 1), (2, "Plat retourné".to_owned(), 1)]);
    let removals: i64 = sqlx::query_scalar("select count(*) from kitchen_slips where kind = 'void'").fetch_one(&app.owner).await.unwrap();
    assert_eq!((removals, fired(&app).await), (2, 1), "the kitchen is told of removals and cooks nothing again");
    // The till's own role may not touch what was recorded.
    assert!(sqlx::query("update line_voids set reason = 'autre'").execute(&app.house.db).await.is_err());
}

#[tokio::test]
async fn a_removal_that_is_sent_twice_happens_once() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let id = order(&alice, 5, json!([{"dish_id": 12, "qty": 5}])).await;
    let before = whole(&alice, id).await;
    let body = json!({"qty": 1, "reason": "Erreur", "uuid": Uuid::now_v7()});
    let copies = (0..8).map(|_| void(&alice, id, &before["lines"][0], body.clone()));
    let answers = futures::future::join_all(copies).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text == answers[0].text));
    assert_eq!(answers[0].body["lines"][0]["qty"], 4);
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replay").is_none()).count(), 1);
}

/// The same request twice, and once more under its id with something else in it: the first answer to the byte, said to be one; then 409.
async fn answered_once(client: &Client, path: &str, mut body: Value, other: Value) -> Answer {
    body["uuid"] = json!(Uuid::now_v7());
    let first = client.post(path, &body).await;
    assert_eq!((first.status, first.header("idempotent-replay")), (200, None), "{path}: {}", first.text);
    let again = client.post(path, &body).await;
    assert_eq!((again.status, again.header("idempotent-replay")), (200, Some("true")), "{path}: {}", again.text);
    assert_eq!(again.text, first.text, "{path}");
    let mut reused = other;
    reused["uuid"] = body["uuid"].clone();
    assert_eq!(client.post(path, &reused).await.code(), "idempotency_mismatch", "{path}");
    first
}

#[tokio::test]
async fn every_change_is_answered_once_and_its_answer_repeated() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let id = order(&alice, 5, json!([{"dish_id": 12, "qty": 5}])).await;
    let into = order(&alice, 9, json!([{"dish_id": 12, "qty": 1}])).await;
    let line = whole(&alice, id).await["lines"][0]["line_id"].clone();
    let void = format!("/api/orders/{id}/lines/{line}/void");
    let voided = answered_once(&alice, &void, json!({"qty": 1, "reason": "Erreur"}), json!({"qty": 2, "reason": "Erreur"})).await;
    assert_eq!(voided.body["lines"][0]["qty"], 4);
    let covers = answered_once(&alice, &format!("/api/orders/{id}/covers"), json!({"covers": 2}), json!({"covers": 3})).await;
    assert_eq!(covers.body["covers"], 2);
    let given = answered_once(&alice, &format!("/api/orders/{id}/handover"), json!({"user_id": 2}), json!({"user_id": 3})).await;
    assert_eq!(given.body["server_name"], "Bob");
    let moved = answered_once(&alice, &format!("/api/orders/{id}/transfer"), json!({"table_id": 7}), json!({"table_id": 8})).await;
    assert_eq!(moved.body["table_id"], 7);
    // After this the order is closed: without its id the second request would be a refusal.
    let merged =
        answered_once(&alice, &format!("/api/orders/{id}/merge"), json!({"into_order_id": into}), json!({"into_order_id": 999})).await;
    assert_eq!((&merged.body["order_id"], &merged.body["covers"]), (&json!(into), &json!(8)));
    // To where they sit already.
    let other = order(&alice, 13, json!([{"dish_id": 12, "qty": 1}])).await;
    let path = format!("/api/orders/{other}/transfer");
    answered_once(&alice, &path, json!({"table_id": 13}), json!({"table_id": 14})).await;
    // The header says the same as the body's id.
    let other = order(&alice, 11, json!([{"dish_id": 12, "qty": 1}])).await;
    let by_header = async || {
        let request = alice.request(reqwest::Method::POST, &format!("/api/orders/{other}/transfer"));
        alice.send(request.header("idempotency-key", "0196f5a0-0000-4000-8000-000000000001").json(&json!({"table_id": 12}))).await
    };
    assert_eq!(by_header().await.header("idempotent-replay"), None);
    assert_eq!(by_header().await.header("idempotent-replay"), Some("true"));

    let kinds: Vec<String> = sqlx::query_scalar("select kind from order_events order by id").fetch_all(&app.owner).await.unwrap();
    assert_eq!(kinds, ["covers", "handover", "transfer", "merge", "merge", "transfer"], "each happened once");
}

#[tokio::test]
async fn the_number_of_guests_is_corrected_until_somebody_has_paid_a_share() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let id = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let path = format!("/api/orders/{id}/covers");
    for covers in [0, 100] {
        assert_eq!(alice.post(&path, &json!({"covers": covers})).await.status, 422);
    }
    let shares = async || alice.get(&format!("/api/orders/{id}/bill")).await.body["shares"].as_array().unwrap().len();
    assert_eq!(shares().await, 4, "the seats of the table");
    assert_eq!(alice.post(&path, &json!({"covers": 3})).await.body["covers"], 3);
    assert_eq!(shares().await, 3);
    alice.post(&path, &json!({"covers": 3})).await;
    let facts: Vec<(Value, i64)> = sqlx::query_as("select detail, user_id from order_events").fetch_all(&app.owner).await.unwrap();
    assert_eq!(facts, [(json!({"from": 4, "to": 3}), 1)], "saying what is already so is no fact");

    let paid = camille.post("/api/payments/split", &json!({"order_id": id, "cover_number": 1, "amount": 8, "method": "ESPECES"})).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    let refused = alice.post(&path, &json!({"covers": 2})).await;
    assert_eq!((refused.status, refused.code()), (409, "partly_paid"));
    assert_eq!((shares().await, alice.post("/api/orders/999/covers", &json!({"covers": 2})).await.status), (3, 404));
}

#[tokio::test]
async fn what_is_paid_cannot_be_taken_off() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let id = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 1}])).await;
    let paid = camille.post("/api/payments/split", &json!({"order_id": id, "cover_number": 1, "amount": 13, "method": "ESPECES"})).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    let before = whole(&alice, id).await;
    let refused = void(&alice, id, &before["lines"][0], json!({"qty": 1, "reason": "Erreur"})).await;
    assert_eq!((refused.status, refused.code()), (409, "partly_paid"));
}

#[tokio::test]
async fn a_course_waits_until_it_is_called() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let id = order(&alice, 5, json!([{"dish_id": 2, "qty": 1}, {"dish_id": 12, "qty": 1, "hold": true}])).await;
    let before = whole(&alice, id).await;
    let magret = line_named(&before, "Magret de canard");
    assert_eq!((&magret["state"], &magret["kitchen"]), (&json!("held"), &Value::Null));
    let too_early = alice.post(&format!("/api/kitchen/lines/{}", magret["line_id"]), &json!({"state": "ready"})).await;
    assert_eq!((too_early.status, too_early.code()), (409, "line_state"));

    let fire = format!("/api/orders/{id}/courses/2/fire");
    let called = alice.post(&fire, &Value::Null).await;
    let magret = line_named(&called.body, "Magret de canard");
    assert_eq!((&magret["state"], &magret["kitchen"], &magret["called"]), (&json!("received"), &json!("sent"), &json!(true)));
    assert_eq!(fired(&app).await, 2, "one slip for what was sent, one for what was called");
    let facts = async || -> (i64, String) {
        let sql = "select (select count(*) from order_events where kind = 'fire'), (select max(called_at) from order_lines)::text";
        sqlx::query_as(sql).fetch_one(&app.owner).await.unwrap()
    };
    let before = facts().await;
    alice.post(&fire, &Value::Null).await;
    assert_eq!(fired(&app).await, 2, "calling again cooks nothing again");
    assert_eq!(facts().await, before, "and stores nothing again");

    let hold = format!("/api/orders/{id}/courses/2/hold");
    let held = alice.post(&hold, &Value::Null).await;
    assert_eq!(line_named(&held.body, "Magret de canard")["state"], "held");
    // The kitchen knew of it: making it wait is no way to take it off without a reason.
    let silent = void(&alice, id, magret, json!({"qty": 1})).await;
    assert_eq!((silent.status, &silent.body["errors"][0]["code"]), (422, &json!("reason_required")));
    alice.post(&fire, &Value::Null).await;
    alice.post(&format!("/api/kitchen/lines/{}", magret["line_id"]), &json!({"state": "cooking"})).await;
    let too_late = alice.post(&hold, &Value::Null).await;
    assert_eq!((too_late.status, too_late.code()), (409, "already_in_kitchen"), "what is begun goes on");
    // What waits may be taken off without saying why.
    let other = order(&alice, 6, json!([{"dish_id": 12, "qty": 1, "hold": true}])).await;
    let before = whole(&alice, other).await;
    assert_eq!(void(&alice, other, &before["lines"][0], json!({"qty": 1})).await.status, 200);
    assert_eq!(alice.post(&format!("/api/orders/{other}/courses/77/fire"), &Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_call_that_comes_again_late_cooks_nothing() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let id = order(&alice, 5, json!([{"dish_id": 2, "qty": 1}, {"dish_id": 12, "qty": 1, "hold": true}])).await;
    let say = async |path: &str, key: &str| {
        let request = alice.request(reqwest::Method::POST, &format!("/api/orders/{id}/{path}"));
        alice.send(request.header("idempotency-key", key)).await
    };
    let (first, second) = ("0196f5a0-0000-4000-8000-00000000000a", "0196f5a0-0000-4000-8000-00000000000b");
    let called = say("courses/2/fire", first).await;
    assert_eq!((called.status, called.header("idempotent-replay")), (200, None));
    assert_eq!(say("courses/2/hold", second).await.status, 200);
    let slips = fired(&app).await;
    let again = say("courses/2/fire", first).await;
    assert_eq!((again.status, again.header("idempotent-replay"), &again.body), (200, Some("true"), &called.body));
    assert_eq!(fired(&app).await, slips, "the call of a moment ago does not undo the wait");
    assert_eq!(line_named(&whole(&alice, id).await, "Magret de canard")["state"], "held");
    assert_eq!(say("courses/1/fire", first).await.code(), "idempotency_mismatch");
    assert_eq!(say("courses/2/hold", first).await.code(), "idempotency_mismatch");

    let free = order(&alice, 6, json!([{"dish_id": 12, "qty": 1, "hold": true}])).await;
    let before = whole(&alice, free).await;
    assert_eq!(void(&alice, free, &before["lines"][0], json!({"qty": 1})).await.status, 200);
    let release = async || {
        let request = alice.request(reqwest::Method::POST, &format!("/api/orders/{free}/release"));
        alice.send(request.header("idempotency-key", "0196f5a0-0000-4000-8000-00000000000c")).await
    };
    let (once, again) = (release().await, release().await);
    assert_eq!((once.status, again.status, again.header("idempotent-replay")), (200, 200, Some("true")));
    assert_eq!(once.body, again.body);
}

#[tokio::test]
async fn guests_move_to_a_free_table_and_to_no_other() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let id = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let taken = order(&bob, 6, json!([{"dish_id": 12, "qty": 1}])).await;
    let transfer = format!("/api/orders/{id}/transfer");
    let refused = alice.post(&transfer, &json!({"table_id": 6})).await;
    assert_eq!((refused.status, refused.code(), &refused.body["order_id"]), (409, "table_occupied", &json!(taken)));
    assert_eq!(alice.post(&transfer, &json!({"table_id": 999})).await.status, 422);
    let moved = alice.post(&transfer, &json!({"table_id": 7})).await;
    assert_eq!((moved.status, &moved.body["table_id"]), (200, &json!(7)));
    assert_eq!((&table(&alice, 5).await["status"], &table(&alice, 7).await["order_id"]), (&json!("free"), &json!(id)));
    assert_eq!(fired(&app).await, 2, "moving cooks nothing again");
    assert_eq!(alice.post("/api/orders/999/transfer", &json!({"table_id": 7})).await.status, 404);
}

#[tokio::test]
async fn two_transfers_to_one_table_at_once_never_put_two_orders_there() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let mut ids = Vec::new();
    for table in 1..=6 {
        ids.push(order(&alice, table, json!([{"item_id": 71, "qty": 1}])).await);
    }
    // Six move to one table while six new orders are taken for it.
    let moves = ids.iter().map(|id| {
        let alice = alice.clone();
        async move { alice.post(&format!("/api/orders/{id}/transfer"), &json!({"table_id": 20})).await.status }
    });
    let orders = (0..6).map(|_| {
        let alice = alice.clone();
        async move { alice.post("/api/orders", &json!({"table_id": 20, "items": [{"item_id": 71, "qty": 1}]})).await.status }
    });
    let (moves, orders) = tokio::join!(futures::future::join_all(moves), futures::future::join_all(orders));
    assert!(moves.iter().all(|status| [200, 409].contains(status)), "{moves:?}");
    assert!(orders.iter().all(|status| *status == 201), "{orders:?}");
    let open: i64 =
        sqlx::query_scalar("select count(*) from orders where table_id = 20 and status = 'open'").fetch_one(&app.owner).await.unwrap();
    assert_eq!(open, 1);
}

#[tokio::test]
async fn two_tables_become_one_bill() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let from = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let into = order(&alice, 6, json!([{"wine_id": 34, "qty": 1}])).await;
    let merged = alice.post(&format!("/api/orders/{from}/merge"), &json!({"into_order_id": into})).await;
    assert_eq!((merged.status, &merged.body["order_id"], &merged.body["total"]), (200, &json!(into), &json!(52)), "{}", merged.text);
    assert_eq!((&merged.body["covers"], &table(&alice, 5).await["status"]), (&json!(8), &json!("free")));
    assert_eq!(whole(&alice, from).await["status"], "merged");
    assert_eq!(fired(&app).await, 1, "putting tables together cooks nothing again");
    let again = alice.post(&format!("/api/orders/{from}/merge"), &json!({"into_order_id": into})).await;
    assert_eq!((again.status, again.code()), (409, "order_closed"));
    assert_eq!(alice.post(&format!("/api/orders/{into}/merge"), &json!({"into_order_id": into})).await.status, 422);

    // Lines whose order is partly paid stay where the money is.
    let other = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    camille.post("/api/payments/split", &json!({"order_id": into, "cover_number": 1, "amount": 6.5, "method": "ESPECES"})).await;
    let refused = alice.post(&format!("/api/orders/{into}/merge"), &json!({"into_order_id": other})).await;
    assert_eq!((refused.status, refused.code()), (409, "partly_paid"));
    let joined = alice.post(&format!("/api/orders/{other}/merge"), &json!({"into_order_id": into})).await;
    assert_eq!((joined.status, &joined.body["total"]), (200, &json!(76)), "{}", joined.text);
    let bill = alice.get(&format!("/api/orders/{into}/bill")).await.body;
    assert_eq!((&bill["paid"], &bill["remaining"]), (&json!(6.5), &json!(69.5)));
}

#[tokio::test]
async fn a_table_is_given_to_somebody_who_is_there() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let id = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let handover = format!("/api/orders/{id}/handover");
    let given = alice.post(&handover, &json!({"user_id": 2})).await;
    assert_eq!((given.status, &given.body["server_name"]), (200, &json!("Bob")));
    assert_eq!(table(&alice, 5).await["server_user_id"], 2);
    for nobody in [6, 999] {
        assert_eq!(alice.post(&handover, &json!({"user_id": nobody})).await.status, 422, "the auditor takes no orders, 999 is nobody");
    }
}

#[tokio::test]
async fn a_table_that_owes_nothing_can_be_freed() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let id = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let release = format!("/api/orders/{id}/release");
    let owing = alice.post(&release, &Value::Null).await;
    assert_eq!((owing.status, owing.code()), (409, "not_settled"));
    let before = whole(&alice, id).await;
    void(&alice, id, &before["lines"][0], json!({"qty": 1, "reason": "Partis"})).await;
    let freed = alice.post(&release, &Value::Null).await;
    assert_eq!((&freed.body["status"], freed.header("idempotent-replay")), (&json!("cancelled"), None));
    assert_eq!(table(&alice, 5).await["status"], "free");
    // Others sit there by now.
    let others = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let again = alice.post(&release, &Value::Null).await;
    assert_eq!((again.status, &again.text, again.header("idempotent-replay")), (200, &freed.text, Some("true")), "the answer was lost");
    let again = alice.post("/call/release", &json!({"order": id})).await;
    assert_eq!((again.status, &again.text), (200, &freed.text));
    assert_eq!(app.signed_in("bob").await.post(&release, &Value::Null).await.code(), "order_closed", "for whoever did not free it");
    assert_eq!(table(&alice, 5).await["order_id"], json!(others));
    let facts: i64 = sqlx::query_scalar("select count(*) from order_events where kind = 'release'").fetch_one(&app.owner).await.unwrap();
    assert_eq!(facts, 1);
}

#[tokio::test]
async fn sixteen_taps_free_a_table_once_and_write_one_ticket() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let id = order(&alice, 5, json!([{"item_id": 71, "qty": 1}])).await;
    let gift = camille.post(&format!("/api/orders/{id}/discount"), &json!({"percent": 100, "reason": "Offert"})).await;
    assert_eq!(gift.status, 200, "{}", gift.text);
    let body = json!({"order": id});
    let taps = (0..16).map(|_| alice.post("/call/release", &body));
    let answers = futures::future::join_all(taps).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text == answers[0].text), "{}", answers[0].text);
    assert!(answers[0].body["ticket_no"].is_i64(), "each hears which ticket it left: {}", answers[0].text);
    let once: (i64, i64) = sqlx::query_as(
        "select (select count(*) from order_events where kind = 'release'), (select count(*) from audit_logs where chain = 'T')",
    )
    .fetch_one(&app.owner)
    .await
    .unwrap();
    assert_eq!(once, (1, 1));
}

#[tokio::test]
async fn asking_for_the_bill_again_changes_nothing() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let id = order(&alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let ask = async |asked: bool| alice.post("/call/ask-bill", &json!({"order": id, "asked": asked})).await;
    let stored = async || -> (i64, Option<String>) {
        let sql = "select (select count(*) from order_events where kind = 'bill_asked'), bill_asked_at::text from orders";
        sqlx::query_as(sql).fetch_one(&app.owner).await.unwrap()
    };
    let answers = futures::future::join_all((0..16).map(|_| ask(true))).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text == answers[0].text), "{}", answers[0].text);
    assert_eq!((&answers[0].body["bill_asked"], stored().await.0), (&json!(true), 1));
    let since = stored().await;
    ask(true).await;
    assert_eq!(stored().await, since, "they wait since the first tap");
    futures::future::join_all((0..16).map(|_| ask(false))).await;
    assert_eq!(stored().await, (2, None));
}

#[tokio::test]
async fn options_are_priced_by_the_house_and_told_to_the_kitchen() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let items = |options: Value| json!([{"dish_id": 11, "qty": 2, "options": options}]);
    let silent = alice.post("/api/orders", &json!({"table_id": 5, "items": items(json!([]))})).await;
    assert_eq!((silent.status, &silent.body["errors"][0]["code"]), (422, &json!("option_required")));
    let id = order(&alice, 5, items(json!([{"group": "Cuisson", "choice": "Saignant"}, {"group": "Sauce", "choice": "Béarnaise"}]))).await;
    let order = whole(&alice, id).await;
    assert_eq!((&order["total"], &order["lines"][0]["unit_price"]), (&json!(62), &json!(31)));
    let kitchen = alice.get("/api/kitchen").await.body;
    assert_eq!(kitchen["slips"][0]["lines"][0]["choices"], json!(["Saignant", "Béarnaise"]));
}

#[tokio::test]
async fn what_the_database_gave_up_for_another_is_made_again_and_reaches_nobody() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let items = json!([{"dish_id": 12, "qty": 2}]);
    let mut orders = Vec::new();
    for table in [1, 2] {
        let taken = alice.post("/api/orders", &json!({"table_id": table, "covers": 2, "items": items})).await;
        orders.push(taken.body["order_id"].clone());
    }
    let (order, other) = (&orders[0], &orders[1]);
    let line = alice.get(&format!("/api/orders/{order}")).await.body["lines"][0]["line_id"].clone();
    sqlx::raw_sql(
        "create sequence refused; grant usage on sequence refused to comptoir_app;
         create function quarrel() returns trigger language plpgsql as $$
         begin
             if nextval('refused') <= 2 then raise exception 'not now' using errcode = 'deadlock_detected'; end if;
             return new;
         end $$;
         create trigger quarrel before insert on line_voids for each row execute function quarrel();
         create trigger quarrel before update on orders for each row execute function quarrel();",
    )
    .execute(&app.owner)
    .await
    .unwrap();
    for (path, body) in [
        (format!("/api/orders/{order}/lines/{line}/void"), json!({"qty": 1, "reason": "Erreur de saisie"})),
        (format!("/api/orders/{order}/handover"), json!({"user_id": 2})),
        (format!("/api/orders/{order}/transfer"), json!({"table_id": 9})),
        (format!("/api/orders/{other}/merge"), json!({"into_order_id": order})),
    ] {
        sqlx::query("alter sequence refused restart").execute(&app.owner).await.unwrap();
        let answer = alice.post(&path, &body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let tries: i64 = sqlx::query_scalar("select last_value from refused").fetch_one(&app.owner).await.unwrap();
        assert!(tries >= 3, "{path} was refused twice");
    }
    let whole = alice.get(&format!("/api/orders/{order}")).await.body;
    assert_eq!((&whole["table_id"], &whole["server_name"]), (&json!(9), &json!("Bob")), "{whole}");
    let quantity: i64 = whole["lines"].as_array().unwrap().iter().map(|line| line["qty"].as_i64().unwrap()).sum();
    assert_eq!(quantity, 3, "each once: {whole}");
}
