//! A dish is ready: what a kitchen system says, who is told, who sees to it, and who is told when nobody does.

use crate::events::{caught_up, next, next_named, open, say, since};
use crate::kitchen_system::{Kitchen, hurried};
use crate::support::{Answer, Client, TestApp};
use serde_json::{Value, json};
use server::config::{Erp, Escalation};
use server::jwt::{LONGEST, Secret, sign};
use server::services::notifying;
use server::sim::erp::Script;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const SECRET: &str = "a kitchen and a till share thirty-two bytes";

/// A house with a kitchen system that is listened to.
async fn house_with(kitchen: &Kitchen) -> TestApp {
    let erp = kitchen.erp();
    let app = TestApp::with(|config| {
        config.erp = Some(erp);
        config.erp_secret = Secret::new(SECRET);
        config.escalation = Escalation::NEVER;
    })
    .await;
    app.tell_kitchen();
    app
}

async fn hook_with(app: &TestApp, token: Option<&str>, body: &Value) -> Answer {
    let stranger = app.stranger();
    let mut request = stranger.request(reqwest::Method::POST, "/api/webhooks/erp/dish-ready").json(body);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    stranger.send(request).await
}

fn token() -> String {
    sign(&Secret::new(SECRET).unwrap(), "erp", OffsetDateTime::now_utc() + LONGEST)
}

async fn hook(app: &TestApp, body: &Value) -> Answer {
    hook_with(app, Some(&token()), body).await
}

/// Sends an order and returns its number and the kitchen's number of its slip.
async fn order(app: &TestApp, client: &Client, table: i64, items: Value) -> (i64, String) {
    let answer = client.post("/api/orders", &json!({"table_id": table, "items": items})).await;
    assert_eq!((answer.status, &answer.body["status"]), (201, &json!("sent")), "{}", answer.text);
    let id = answer.body["order_id"].as_i64().unwrap();
    let slip = sqlx::query_scalar("select erp_order_id from kitchen_slips where order_id = $1 order by id desc limit 1");
    (id, slip.bind(id).fetch_one(&app.owner).await.unwrap())
}

async fn states(client: &Client, order: i64) -> Vec<String> {
    let order = client.get(&format!("/api/orders/{order}")).await.body;
    order["lines"].as_array().unwrap().iter().map(|line| line["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_kitchen_system_s_word_reaches_the_waiter_of_the_table_and_nobody_else() {
    let kitchen = Kitchen::open(Script::default());
    let app = house_with(&kitchen).await;
    let (alice, bob, charlie) = (app.signed_in("alice").await, app.signed_in("bob").await, app.signed_in("charlie").await);
    let (id, slip) = order(&app, &alice, 5, json!([{"dish_id": 12, "qty": 1}, {"dish_id": 14, "qty": 1}])).await;
    order(&app, &bob, 8, json!([{"dish_id": 12, "qty": 1}])).await;
    order(&app, &charlie, 12, json!([{"dish_id": 12, "qty": 1}])).await;

    let said = json!({"erp_order_id": slip, "dish_name": "Magret canard", "table_id": 5});
    assert_eq!(hook(&app, &said).await.body, json!({"status": "stored"}), "no phone of hers is there");
    assert_eq!(states(&alice, id).await, ["ready", "received"]);
    let mut missed = open(&app, &alice, None).await.unwrap();
    let ready = next_named(&mut missed, "dish_ready").await.expect("what waits is said when she comes");
    assert_eq!(ready["data"]["dish"], "Magret de canard", "as the menu writes it");
    assert_eq!((&ready["data"]["table"], &ready["data"]["order_id"], &ready["id"]), (&json!("5"), &json!(id), &json!(1)));
    assert!(ready["data"]["timestamp"].as_str().unwrap().contains('h'));

    // Two devices of hers, one of each of the others.
    let mut of_alice = [since(&app, &alice, 1).await, since(&app, &alice, 1).await];
    let mut others = [open(&app, &bob, None).await.unwrap(), open(&app, &charlie, None).await.unwrap()];
    let second = json!({"erp_order_id": slip, "dish_name": "Confit de canard", "table_id": 5, "event_id": "e-2"});
    let name: String = sqlx::query_scalar("select name from menu_items where id = 14").fetch_one(&app.owner).await.unwrap();
    let second = json!({"dish_name": name, "erp_order_id": second["erp_order_id"], "table_id": 5, "event_id": "e-2"});
    assert_eq!(hook(&app, &second).await.body, json!({"status": "notified"}));
    for socket in &mut of_alice {
        let ready = next_named(socket, "dish_ready").await.expect("each of her devices is told");
        assert_eq!((&ready["id"], &ready["data"]["dish"]), (&json!(2), &json!(name)));
    }
    // The last event of the day tells the others that nothing else will come.
    order(&app, &alice, 6, json!([{"dish_id": 12, "qty": 1}])).await;
    for socket in &mut others {
        let mut seen = Vec::new();
        while let Some(event) = next(socket).await {
            let is_last = event["event"] == "table_changed" && event["data"]["table_id"] == 6;
            seen.push(event);
            if is_last {
                break;
            }
        }
        assert!(seen.iter().any(|event| event["event"] == "order_changed"), "they see the plan change");
        assert!(seen.iter().all(|event| event["event"] != "dish_ready"), "and are not told: {seen:?}");
    }
}

#[tokio::test]
async fn the_same_event_is_said_once_and_one_more_plate_is_one_more() {
    let kitchen = Kitchen::open(Script::default());
    let app = house_with(&kitchen).await;
    let alice = app.signed_in("alice").await;
    let (_, slip) = order(&app, &alice, 5, json!([{"dish_id": 12, "qty": 2}])).await;
    let said = |event: Option<&str>| {
        let mut body = json!({"erp_order_id": slip, "dish_name": "MAGRET DE CANARD", "table_id": 5});
        if let Some(event) = event {
            body["event_id"] = json!(event);
        }
        body
    };
    let mut statuses = Vec::new();
    for event in [Some("e-1"), Some("e-1"), None, Some("e-2"), Some("e-2")] {
        statuses.push(hook(&app, &said(event)).await.body["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(statuses, ["stored", "duplicate", "duplicate", "stored", "duplicate"]);

    // At once, from several connections: one is stored.
    let at_once = futures::future::join_all((0..8).map(|_| {
        let app = &app;
        let body = said(Some("e-3"));
        async move { hook(app, &body).await.body["status"].as_str().unwrap().to_owned() }
    }));
    let answers = at_once.await;
    assert_eq!(answers.iter().filter(|status| *status == "stored").count(), 1, "{answers:?}");
    let numbers: Vec<i64> = sqlx::query_scalar("select id from dish_events order by id").fetch_all(&app.owner).await.unwrap();
    assert_eq!(numbers, [1, 2, 3], "a refused repetition leaves no hole");
}

#[tokio::test]
async fn a_whole_line_is_said_with_how_many_plates_it_has_and_one_more_plate_is_one() {
    let kitchen = Kitchen::open(Script::default());
    let app = house_with(&kitchen).await;
    let alice = app.signed_in("alice").await;
    let (id, slip) = order(&app, &alice, 5, json!([{"dish_id": 12, "qty": 3}])).await;
    let mut socket = open(&app, &alice, None).await.unwrap();
    for (event, dish) in [("e-1", "Magret"), ("e-2", "Magret de canard"), ("e-3", "Magret de canard")] {
        let body = json!({"erp_order_id": slip, "dish_name": dish, "table_id": 5, "event_id": event});
        assert_eq!(hook(&app, &body).await.status, 200);
    }
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(next_named(&mut socket, "dish_ready").await.unwrap()["data"]["qty"].clone());
    }
    assert_eq!(told, [1, 3, 1], "not on the slip, the whole line, one more plate");
    let line = alice.get(&format!("/api/orders/{id}")).await.body["lines"][0]["line_id"].clone();
    let void = json!({"qty": 1, "reason": "Parti"});
    assert_eq!(alice.post(&format!("/api/orders/{id}/lines/{line}/void"), &void).await.status, 200);
    let waiting = alice.get("/api/pass").await.body;
    let plates: Vec<&Value> = waiting.as_array().unwrap().iter().map(|dish| &dish["qty"]).collect();
    assert_eq!(plates, [1, 2, 1], "what was taken off nobody comes for");
    let mut missed = open(&app, &alice, None).await.unwrap();
    next_named(&mut missed, "dish_ready").await.unwrap();
    assert_eq!(next_named(&mut missed, "dish_ready").await.unwrap()["data"]["qty"], 2, "nor is it said of what was missed");
}

#[tokio::test]
async fn only_a_good_token_opens_the_webhook() {
    let kitchen = Kitchen::open(Script::default());
    let app = house_with(&kitchen).await;
    let body = json!({"erp_order_id": "K-404", "dish_name": "Magret", "table_id": 5});
    let (secret, now) = (Secret::new(SECRET).unwrap(), OffsetDateTime::now_utc());
    let other = Secret::new("another secret of thirty-two bytes, too").unwrap();
    for bad in [
        None,
        Some("nonsense".to_owned()),
        Some(sign(&other, "erp", now + Duration::from_secs(60))),
        Some(sign(&secret, "till", now + Duration::from_secs(60))),
        Some(sign(&secret, "erp", now - Duration::from_secs(1))),
        Some(sign(&secret, "erp", now + Duration::from_secs(7200))),
    ] {
        let answer = hook_with(&app, bad.as_deref(), &body).await;
        assert_eq!((answer.status, answer.code(), answer.header("www-authenticate")), (401, "bad_token", Some("Bearer")), "{bad:?}");
    }
    let answer = hook(&app, &body).await;
    assert_eq!((answer.status, answer.code()), (404, "unknown_erp_order"));
    for bad in [json!({"erp_order_id": "K-1", "table_id": 5}), json!({"erp_order_id": " ", "dish_name": "x", "table_id": 5})] {
        assert_eq!(hook(&app, &bad).await.status, 422, "{bad}");
    }
    assert_eq!(hook(&app, &json!({"erp_order_id": 1, "dish_name": " ", "table_id": 5})).await.code(), "invalid");

    let without = TestApp::start().await;
    let answer = hook_with(&without, Some(&token()), &body).await;
    assert_eq!((answer.status, answer.code()), (503, "webhook_not_configured"));
}

#[tokio::test]
async fn a_hundred_webhooks_at_once_are_told_in_the_order_of_their_numbers() {
    let kitchen = Kitchen::open(Script::default());
    let app = house_with(&kitchen).await;
    let alice = app.signed_in("alice").await;
    let (_, slip) = order(&app, &alice, 5, json!([{"dish_id": 12, "qty": 1}])).await;
    let mut socket = open(&app, &alice, None).await.unwrap();
    let token = token();
    let answers = futures::future::join_all((0..100).map(|i| {
        let body = json!({"erp_order_id": slip, "dish_name": format!("Plat {i}"), "table_id": 5, "event_id": format!("e-{i}")});
        let (app, token) = (&app, &token);
        async move { hook_with(app, Some(token), &body).await.status }
    }))
    .await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    let (mut numbers, mut dishes) = (Vec::new(), BTreeSet::new());
    while numbers.len() < 100 {
        let ready = next_named(&mut socket, "dish_ready").await.expect("a hundred are told");
        numbers.push(ready["id"].as_i64().unwrap());
        dishes.insert(ready["data"]["dish"].as_str().unwrap().to_owned());
    }
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>(), "none missing, none twice, none out of order");
    assert_eq!(dishes.len(), 100);
}

/// `comptoir sim erp` that calls back, once it listens.
async fn simulated_kitchen(port: u16, app: &TestApp, secret: &str) -> tokio::process::Child {
    let mut kitchen = Command::new(env!("CARGO_BIN_EXE_comptoir"))
        .args(["sim", "erp", "--listen", &format!("127.0.0.1:{port}"), "--ready-after-ms", "20", "--webhook"])
        .arg(format!("http://{}/api/webhooks/erp/dish-ready", app.address))
        .env("ERP_JWT_SECRET", secret)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(kitchen.stdout.take().unwrap()).lines();
    assert!(said.next_line().await.unwrap().unwrap().contains("ERP_URL"));
    kitchen
}

#[tokio::test]
async fn the_simulated_kitchen_says_itself_that_dishes_are_ready() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let app = TestApp::with(|config| {
        let orders = format!("http://127.0.0.1:{port}/orders").parse().unwrap();
        config.erp = Some(Erp { orders, wait: Duration::from_secs(5), with_drinks: false, ca_file: None, pace: hurried() });
        config.erp_secret = Secret::new(SECRET);
        config.escalation = Escalation::NEVER;
    })
    .await;
    app.tell_kitchen();
    let mut kitchen = simulated_kitchen(port, &app, SECRET).await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let (mut of_alice, mut of_bob) = (open(&app, &alice, None).await.unwrap(), open(&app, &bob, None).await.unwrap());
    let (id, _) = order(&app, &alice, 5, json!([{"dish_id": 12, "qty": 1}, {"dish_id": 14, "qty": 1}])).await;
    let mut told = Vec::new();
    for _ in 0..2 {
        let ready = next_named(&mut of_alice, "dish_ready").await.expect("her phone hears what the kitchen says");
        assert_eq!((&ready["data"]["table"], &ready["data"]["order_id"]), (&json!("5"), &json!(id)));
        told.push((ready["id"].as_i64().unwrap(), ready["data"]["line_id"].is_i64()));
    }
    assert_eq!(told, [(1, true), (2, true)]);
    assert_eq!(states(&alice, id).await, ["ready", "ready"]);

    // A kitchen that does not share the secret is not listened to.
    kitchen.kill().await.unwrap();
    let _stranger = simulated_kitchen(port, &app, "another secret of thirty-two bytes, too").await;
    let (id, _) = order(&app, &alice, 6, json!([{"dish_id": 12, "qty": 1}])).await;
    assert_eq!(next_named(&mut of_alice, "dish_ready").await, None);
    assert_eq!(states(&alice, id).await, ["received"]);
    assert_eq!(next_named(&mut of_bob, "dish_ready").await, None, "and nobody else was told anything");
}

/// Makes a line of a built-in kitchen ready and returns the number of the order and of the line.
async fn ready(client: &Client, table: i64) -> (i64, i64) {
    let answer = client.post("/api/orders", &json!({"table_id": table, "items": [{"dish_id": 12, "qty": 1}]})).await;
    let order = answer.body["order_id"].as_i64().unwrap();
    let lines = client.get(&format!("/api/orders/{order}")).await.body["lines"].clone();
    let line = lines.as_array().unwrap().last().unwrap()["line_id"].as_i64().unwrap();
    assert_eq!(client.post(&format!("/api/kitchen/lines/{line}"), &json!({"state": "ready"})).await.status, 200);
    (order, line)
}

#[tokio::test]
async fn after_a_hand_over_the_new_waiter_is_told() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let mut hers = open(&app, &alice, None).await.unwrap();
    let (order, line) = ready(&alice, 5).await;
    // Told before the table changes hands; otherwise that word would be for Bob already.
    assert_eq!(next_named(&mut hers, "dish_ready").await.unwrap()["id"], 1);
    drop(hers);
    let mut of_bob = open(&app, &bob, None).await.unwrap();
    // Otherwise what waits for him already may be told to him as missed.
    caught_up(&mut of_bob).await;
    assert_eq!(alice.post(&format!("/api/orders/{order}/handover"), &json!({"user_id": 2})).await.status, 200);
    let told = next_named(&mut of_bob, "dish_ready").await.expect("Bob is told what waits already");
    assert_eq!((&told["id"], &told["data"]["event_id"], &told["data"]["line_id"]), (&json!(2), &json!(1), &json!(line)));
    assert_eq!(told["data"]["server_name"], "Bob");
    // What comes later is his, and no longer hers.
    let mut of_alice = since(&app, &alice, 1).await;
    for state in ["recalled", "ready"] {
        let answer = alice.post(&format!("/api/kitchen/lines/{line}"), &json!({"state": state})).await;
        assert_eq!(answer.status, 200, "{state}: {}", answer.body);
    }
    assert_eq!(next_named(&mut of_bob, "dish_ready").await.expect("Bob is told, who looks after it now")["id"], 3);
    assert_eq!(next_named(&mut of_alice, "dish_ready").await, None);
}

#[tokio::test]
async fn whoever_sees_to_a_dish_is_written_down_once_and_others_cannot() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let (order, line) = ready(&alice, 5).await;
    let (mut of_alice, mut of_bob) = (open(&app, &alice, None).await.unwrap(), open(&app, &bob, None).await.unwrap());
    let event = next_named(&mut of_alice, "dish_ready").await.unwrap()["data"]["event_id"].clone();
    let seen = json!({"event": "dish_acknowledged", "data": {"order_id": order, "event_id": event}});
    say(&mut of_bob, &seen).await;
    assert_eq!(next_named(&mut of_bob, "nack").await.unwrap()["data"], json!({"event_id": event}), "it is not his");
    for _ in 0..2 {
        say(&mut of_alice, &seen).await;
        assert_eq!(next_named(&mut of_alice, "ack").await.unwrap()["data"], json!({"event_id": event}), "at least once");
    }
    let ends: Vec<(String, i64)> = sqlx::query_as("select how, user_id from dish_ends").fetch_all(&app.owner).await.unwrap();
    assert_eq!(ends, [("acknowledged".to_owned(), 1)]);
    let lines = alice.get("/api/kitchen").await.body["slips"][0]["lines"].clone();
    assert_eq!((&lines[0]["line_id"], &lines[0]["seen_by"]), (&json!(line), &json!("Alice")), "the kitchen sees who comes");

    // The reference document's form names the order alone.
    let (order, _) = ready(&alice, 6).await;
    say(&mut of_alice, &json!({"event": "dish_acknowledged", "data": {"order_id": order}})).await;
    assert_eq!(next_named(&mut of_alice, "ack").await.unwrap()["data"]["event_id"], 2);
    // Served, it waits for nobody: whoever comes back is not called.
    let (_, line) = ready(&alice, 9).await;
    alice.post(&format!("/api/kitchen/lines/{line}"), &json!({"state": "served"})).await;
    let mut fresh = open(&app, &alice, None).await.unwrap();
    assert_eq!(next_named(&mut fresh, "dish_ready").await, None);
}

#[tokio::test]
async fn a_dish_that_nobody_comes_for_is_told_to_the_room_then_to_the_till() {
    let app = TestApp::with(|config| {
        config.escalation = Escalation { colleagues: Some(Duration::from_secs(60)), till: Some(Duration::from_secs(180)) };
    })
    .await;
    let (alice, bob, charlie) = (app.signed_in("alice").await, app.signed_in("bob").await, app.signed_in("charlie").await);
    let camille = app.signed_in("camille").await;
    // Bob works in the same room, Charlie in the other.
    let rooms: Vec<(i64, i64)> = sqlx::query_as("select id, room_id from tables order by id").fetch_all(&app.owner).await.unwrap();
    let (first, second) = (rooms[0].1, rooms.last().unwrap().1);
    assert!(first != second, "two rooms");
    let of_room = |room| rooms.iter().filter(move |(_, of)| *of == room).map(|(id, _)| *id);
    let tables: Vec<i64> = of_room(first).take(2).chain(of_room(second).take(1)).collect();
    for (client, table) in [(&bob, tables[1]), (&charlie, tables[2])] {
        client.post("/api/orders", &json!({"table_id": table, "items": [{"dish_id": 12, "qty": 1}]})).await;
    }
    let (order, _) = ready(&alice, tables[0]).await;
    let mut sockets = Vec::new();
    for client in [&alice, &bob, &charlie, &camille] {
        sockets.push(open(&app, client, None).await.unwrap());
    }
    assert!(next_named(&mut sockets[0], "dish_ready").await.is_some());
    let age = async |seconds: i32| {
        let older = "update dish_events set at = at - make_interval(secs => $1) where about is null";
        sqlx::query(older).bind(f64::from(seconds)).execute(&app.owner).await.unwrap();
        // The worker of the server looks as well; whoever is first, it is said once.
        notifying::escalate(&app.house).await.unwrap();
    };
    age(61).await;
    let told = next_named(&mut sockets[1], "dish_escalated").await.expect("Bob is told");
    assert_eq!((&told["data"]["level"], &told["data"]["server_name"]), (&json!("colleagues"), &json!("Alice")));
    age(120).await;
    let told = next_named(&mut sockets[3], "dish_escalated").await.expect("the till is told");
    assert_eq!((&told["data"]["level"], &told["data"]["event_id"]), (&json!("till"), &json!(1)));
    assert_eq!(next_named(&mut sockets[2], "dish_escalated").await, None, "Charlie has enough to do in the other room");
    notifying::escalate(&app.house).await.unwrap();
    let said: Vec<i16> = sqlx::query_scalar("select level from dish_events order by id").fetch_all(&app.owner).await.unwrap();
    assert_eq!(said, [0, 1, 2], "each once");

    // Bob may take it now, and then it is over for everybody.
    say(&mut sockets[1], &json!({"event": "dish_acknowledged", "data": {"order_id": order, "event_id": 1}})).await;
    assert!(next_named(&mut sockets[1], "ack").await.is_some());
    let waits = app.signed_in("gerant").await.get("/api/pass/waits").await;
    assert_eq!(waits.status, 200, "{}", waits.text);
    let whole = &waits.body["whole"];
    assert_eq!((&whole["dishes"], &whole["escalated"], &waits.body["waiting"]), (&json!(1), &json!(1), &json!(0)));
    assert!((180..200).contains(&whole["median_s"].as_i64().unwrap()), "{whole}");
    assert_eq!(waits.body["hours"][0]["waits"], *whole);
}
