//! Orders that phones kept arrive late, twice, in the wrong order, and after others did something else.

use crate::support::{Answer, Client, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

fn kept(table: i64, extras: Value) -> Value {
    let mut request = json!({
        "uuid": Uuid::now_v7(), "table_id": table, "items": [{"dish_id": 12, "qty": 1}], "offline_timestamp": "2026-11-25T20:41:00+01:00",
    });
    for (name, value) in extras.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

async fn sync(client: &Client, request: &Value) -> Answer {
    client.post("/api/orders/sync", request).await
}

async fn give_up(client: &Client, uuid: &Value, reason: &str) -> Answer {
    client.post(&format!("/api/orders/sync/{}/drop", uuid.as_str().unwrap()), &json!({"reason": reason})).await
}

async fn settle(app: &TestApp, order: &Value) {
    sqlx::query("update orders set status = 'paid_complete', closed_at = now() where id = $1")
        .bind(order.as_i64().unwrap())
        .execute(&app.owner)
        .await
        .unwrap();
}

async fn rounds(app: &TestApp) -> Vec<(i64, i32)> {
    sqlx::query_as("select table_id, rounds from orders where status = 'open' order by table_id").fetch_all(&app.owner).await.unwrap()
}

#[tokio::test]
async fn a_kept_order_is_taken_once_and_its_replay_is_the_same_body() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let request = kept(8, json!({}));
    let first = sync(&alice, &request).await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(first.body["status"], "sent");
    assert!(first.body["server_timestamp"].as_str().unwrap().contains('T'));
    let again = sync(&alice, &request).await;
    assert_eq!((again.status, &again.text, again.header("idempotent-replay")), (200, &first.text, Some("true")));
    assert_eq!(rounds(&app).await, [(8, 1)]);

    let mut other = request.clone();
    other["items"][0]["qty"] = json!(2);
    assert_eq!(sync(&alice, &other).await.code(), "idempotency_mismatch");
    let bob = app.signed_in("bob").await;
    assert_eq!(sync(&bob, &request).await.code(), "idempotency_mismatch", "nobody else's name is put under it");

    let mut nameless = request.clone();
    nameless.as_object_mut().unwrap().remove("uuid");
    assert_eq!((sync(&alice, &nameless).await.status, sync(&alice, &kept(999, json!({}))).await.status), (422, 422));
    let typed_at: time::OffsetDateTime =
        sqlx::query_scalar("select offline_at from sync_intents where outcome = 'taken'").fetch_one(&app.owner).await.unwrap();
    assert_eq!(typed_at, time::macros::datetime!(2026-11-25 19:41 UTC), "its own time is kept");
}

#[tokio::test]
async fn sixteen_copies_at_once_are_one_round() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let request = kept(8, json!({}));
    let answers = futures::future::join_all((0..16).map(|_| sync(&alice, &request))).await;
    assert!(answers.iter().all(|answer| answer.text == answers[0].text), "{}", answers[0].text);
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(rounds(&app).await, [(8, 1)]);
}

#[tokio::test]
async fn a_table_that_somebody_else_opened_is_for_a_person_to_decide() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let open = bob.post("/api/orders", &json!({"table_id": 8, "items": [{"dish_id": 12, "qty": 1}]})).await;
    let request = kept(8, json!({}));
    let refused = sync(&alice, &request).await;
    assert_eq!((refused.status, refused.code()), (409, "table_occupied"));
    assert_eq!(refused.body["order_id"], open.body["order_id"]);
    assert_eq!(refused.body["opened_by"], json!({"id": 2, "name": "Bob"}));
    assert_eq!(refused.body["choices"], json!(["append", "other_table", "drop"]));

    // She knew that Bob has the table: helping out is no conflict.
    assert_eq!(sync(&alice, &kept(8, json!({"order_id": open.body["order_id"]}))).await.status, 201);

    let decision = kept(8, json!({"resolves": request["uuid"], "if_occupied": "append"}));
    let taken = sync(&alice, &decision).await;
    assert_eq!((taken.status, &taken.body["order_id"]), (201, &open.body["order_id"]));
    assert_eq!(sync(&alice, &request).await.code(), "intent_over", "a late copy of what was decided about changes nothing");
    assert_eq!(give_up(&alice, &request["uuid"], "Erreur").await.code(), "intent_over");
    assert_eq!(sync(&alice, &kept(8, json!({"resolves": request["uuid"]}))).await.code(), "intent_over", "decided once");
    assert_eq!(rounds(&app).await, [(8, 3)]);
    let decided: Vec<(String, i64)> = sqlx::query_as("select kind, user_id from sync_decisions").fetch_all(&app.owner).await.unwrap();
    assert_eq!(decided, [("append".to_owned(), 1)]);
}

#[tokio::test]
async fn another_table_and_giving_up_are_decisions_too() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    bob.post("/api/orders", &json!({"table_id": 8, "items": [{"dish_id": 12, "qty": 1}]})).await;
    let (first, second) = (kept(8, json!({})), kept(8, json!({})));
    let next = kept(8, json!({"after": first["uuid"]}));
    assert_eq!((sync(&alice, &first).await.status, sync(&alice, &second).await.status), (409, 409));
    let elsewhere = sync(&alice, &kept(9, json!({"resolves": first["uuid"]}))).await;
    assert_eq!(elsewhere.status, 201);
    // The next round of those guests follows them.
    assert_eq!(sync(&alice, &next).await.body["order_id"], elsewhere.body["order_id"]);

    assert_eq!(give_up(&alice, &second["uuid"], " ").await.status, 422);
    assert_eq!(give_up(&bob, &second["uuid"], "Pas à moi").await.status, 403);
    let dropped = give_up(&alice, &second["uuid"], "Clients partis").await;
    assert_eq!((dropped.status, &dropped.body["uuid"]), (200, &second["uuid"]));
    let again = give_up(&alice, &second["uuid"], "Clients partis").await;
    assert_eq!((again.status, again.text), (200, dropped.text));
    assert_eq!(sync(&alice, &second).await.code(), "intent_over", "what was given up is never taken");
    let plain = |kept: &Value| json!({"uuid": kept["uuid"], "table_id": kept["table_id"], "items": kept["items"]});
    for over in [&first, &second] {
        let refused = alice.post("/api/orders", &plain(over)).await;
        assert_eq!((refused.status, refused.code()), (409, "intent_over"), "nor on the other way");
    }
    assert_eq!(give_up(&alice, &next["uuid"], "Trop tard").await.code(), "already_synced");
    assert_eq!(rounds(&app).await, [(8, 1), (9, 2)]);

    // Given up before it ever arrived.
    let never = kept(10, json!({}));
    assert_eq!(give_up(&alice, &never["uuid"], "Erreur").await.status, 200);
    assert_eq!(sync(&alice, &never).await.code(), "intent_over");
    let reasons: Vec<(String, String)> =
        sqlx::query_as("select kind, reason from sync_decisions order by id").fetch_all(&app.owner).await.unwrap();
    let named = |kind: &str, reason: &str| (kind.to_owned(), reason.to_owned());
    assert_eq!(reasons, [named("other_table", ""), named("drop", "Clients partis"), named("drop", "Erreur")]);
}

#[tokio::test]
async fn a_round_goes_to_its_guests_wherever_they_sit_by_now() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let order = sync(&alice, &kept(5, json!({}))).await.body["order_id"].clone();
    let meant = |table| kept(table, json!({"order_id": order}));
    assert_eq!(alice.post(&format!("/api/orders/{order}/transfer"), &json!({"table_id": 6})).await.status, 200);
    assert_eq!(sync(&alice, &meant(5)).await.body["order_id"], order, "moved");

    let others = bob.post("/api/orders", &json!({"table_id": 7, "items": [{"dish_id": 12, "qty": 1}]})).await.body["order_id"].clone();
    assert_eq!(alice.post(&format!("/api/orders/{order}/merge"), &json!({"into_order_id": others})).await.status, 200);
    assert_eq!(sync(&alice, &meant(5)).await.body["order_id"], others, "joined");

    settle(&app, &others).await;
    let gone = sync(&alice, &meant(5)).await;
    assert_eq!((gone.status, gone.code(), &gone.body["order_id"]), (409, "order_closed", &Value::Null));
    assert_eq!(gone.body["choices"], json!(["append", "other_table", "drop"]));
    assert_eq!(rounds(&app).await, [], "no order was opened for guests who left");
    assert_eq!(sync(&alice, &kept(5, json!({"order_id": 9999}))).await.status, 422);
}

#[tokio::test]
async fn what_is_out_and_what_costs_more_is_for_a_person() {
    let app = TestApp::start().await;
    let (alice, owner) = (app.signed_in("alice").await, app.signed_in("gerant").await);
    let dear = kept(5, json!({"total": 23}));
    let refused = sync(&alice, &dear).await;
    assert_eq!((refused.status, refused.code(), &refused.body["total_cents"]), (409, "price_changed", &json!(2400)));
    assert_eq!(sync(&alice, &kept(5, json!({"total": 24, "resolves": dear["uuid"]}))).await.status, 201);

    assert_eq!(owner.put("/api/menu/items/12/availability", &json!({"available": false})).await.status, 204);
    let out = sync(&alice, &kept(5, json!({}))).await;
    assert_eq!((out.status, &out.body["errors"][0]["code"]), (422, &json!("unavailable")));
    let open: Vec<String> =
        sqlx::query_scalar("select conflict from sync_intents where outcome = 'conflict'").fetch_all(&app.owner).await.unwrap();
    assert_eq!(open, ["invalid"], "the house knows that somebody has to decide");
    assert_eq!(rounds(&app).await, [(5, 1)]);
}

#[tokio::test]
async fn an_order_is_never_taken_in_another_name() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let request = kept(5, json!({"typed_by": 1}));
    assert_eq!(sync(&bob, &request).await.code(), "typed_by_other");
    assert_eq!(sync(&alice, &request).await.status, 201);
}

#[tokio::test]
async fn the_house_knows_which_phone_keeps_what() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let phone = Uuid::now_v7();
    let report = |held: u32, leaving: bool| json!({"held": held, "conflicts": 1, "app": "0.1.0", "leaving": leaving});
    assert_eq!(alice.put(&format!("/api/devices/{phone}"), &report(2, false)).await.status, 204);
    assert_eq!(alice.put("/api/devices/7", &report(2, false)).await.status, 404);
    let seen = camille.get("/api/devices").await.body;
    assert_eq!(seen["devices"][0]["device_id"], json!(phone));
    assert_eq!((&seen["devices"][0]["user_name"], &seen["devices"][0]["held"]), (&json!("Alice"), &json!(2)));
    assert_eq!(seen["devices"][0]["left"], json!(false));

    // An order typed before the day was closed arrives after it: it is in the open period, and the house is told.
    sync(&alice, &kept(5, json!({}))).await;
    camille.post("/api/nf525/close", &json!({})).await;
    let typed_at =
        (time::OffsetDateTime::now_utc() - time::Duration::minutes(5)).format(&time::format_description::well_known::Rfc3339).unwrap();
    let late = sync(&alice, &kept(6, json!({"offline_timestamp": typed_at}))).await;
    let seen = camille.get("/api/devices").await.body;
    assert_eq!(seen["late"].as_array().map(Vec::len), Some(1), "{seen}");
    assert_eq!(seen["late"][0]["order_id"], late.body["order_id"]);
    alice.put(&format!("/api/devices/{phone}"), &report(0, true)).await;
    assert_eq!(camille.get("/api/devices").await.body["devices"][0]["left"], json!(true));
}

#[tokio::test]
async fn given_up_and_sent_the_other_way_at_once_it_is_one_of_both() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    for _ in 0..12 {
        let uuid = json!(Uuid::now_v7());
        let plain = json!({"uuid": uuid, "table_id": 8, "items": [{"item_id": 71, "qty": 1}]});
        let before = rounds(&app).await;
        let (sent, dropped) = tokio::join!(alice.post("/api/orders", &plain), give_up(&alice, &uuid, "Erreur"));
        assert_eq!((sent.status == 201) as u8 + (dropped.status == 200) as u8, 1, "{} {}", sent.text, dropped.text);
        assert_eq!(rounds(&app).await != before, sent.status == 201);
    }
}

#[tokio::test]
async fn an_app_that_speaks_otherwise_is_not_guessed_at() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let said = async |spoken: &str, request: &Value| {
        alice.send(alice.request(reqwest::Method::POST, "/api/orders/sync").header("comptoir-contract", spoken).json(request)).await
    };
    let request = kept(5, json!({}));
    let old = said("0", &request).await;
    assert_eq!((old.status, old.code()), (426, "app_outdated"));
    let new = said("2", &request).await;
    assert_eq!((new.status, new.code()), (503, "server_outdated"));
    let stored: i64 = sqlx::query_scalar("select count(*) from sync_intents").fetch_one(&app.owner).await.unwrap();
    assert_eq!((stored, rounds(&app).await.len()), (0, 0), "it is still the phone's");
    assert_eq!(said("1", &request).await.status, 201);
    assert_eq!(sync(&alice, &request).await.status, 200, "a program that says nothing speaks the first contract");
}

/// A phone of the first build sends again what it had sent before the server was updated: unless the digest is what it was, the server
/// takes that for another request under a number that is taken, and the order never leaves the phone.
#[tokio::test]
async fn a_request_of_the_first_build_has_the_digest_that_it_had_then() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let mut intent: Value = serde_json::from_str(include_str!("../../../app/domain/tests/sync/previous/v1-waiting.json")).unwrap();
    let mut request = intent["ask"]["sync"].take();
    request.as_object_mut().unwrap().remove("order_id");
    let taken = sync(&alice, &request).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    let digest: String = sqlx::query_scalar("select encode(digest, 'hex') from idempotency where key = $1::uuid")
        .bind(request["uuid"].as_str().unwrap())
        .fetch_one(&app.owner)
        .await
        .unwrap();
    assert_eq!(digest, "6614495dcfa43a044627dd9d607b55aa03db3b76789157242e8ebb9ce8c91cbb");
}

#[tokio::test]
async fn a_phone_without_a_word_may_keep_orders() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let phone = Uuid::now_v7();
    let report = |leaving: bool| json!({"held": 0, "app": "0.1.0", "leaving": leaving});
    let is_silent = async || camille.get("/api/devices").await.body["devices"][0]["silent"].clone();
    alice.put(&format!("/api/devices/{phone}"), &report(false)).await;
    assert_eq!(is_silent().await, json!(false));
    let an_age_ago = "update devices set seen_at = now() - interval '4 minutes'";
    sqlx::query(an_age_ago).execute(&app.owner).await.unwrap();
    assert_eq!(is_silent().await, json!(true), "it said that it keeps nothing, and then lost the network");
    alice.put(&format!("/api/devices/{phone}"), &report(true)).await;
    sqlx::query(an_age_ago).execute(&app.owner).await.unwrap();
    assert_eq!(is_silent().await, json!(false), "whoever signed out keeps nothing that could be sent unseen");
}

#[tokio::test]
async fn what_was_typed_in_touch_with_the_house_joins_strangers_only_for_a_moment() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let until = |seconds| {
        let moment = time::OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
        json!({"if_occupied": "append", "append_until": moment.format(&time::format_description::well_known::Rfc3339).unwrap()})
    };
    let order = sync(&bob, &kept(8, json!({}))).await.body["order_id"].clone();

    // Both in touch: a second waiter helps out.
    let in_touch = kept(8, until(2));
    let joined = sync(&alice, &in_touch).await;
    assert_eq!((joined.status, &joined.body["order_id"]), (201, &order), "{}", joined.text);

    // Typed in touch, as far as she could see, and held up by a silence that nobody had noticed yet.
    let held_up = sync(&alice, &kept(8, until(-1))).await;
    assert_eq!((held_up.status, held_up.code()), (409, "table_occupied"));
    assert_eq!(held_up.body["opened_by"]["name"], "Bob");
    assert_eq!(sync(&alice, &kept(9, until(-60))).await.status, 201, "a free table is free, and so is her own");
    assert_eq!(sync(&alice, &kept(9, until(-60))).await.status, 201);

    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    let again = sync(&alice, &in_touch).await;
    assert_eq!((again.status, &again.text), (200, &joined.text), "what was taken is taken, whenever it is sent again");
    assert_eq!(rounds(&app).await, [(8, 2), (9, 2)]);
}
