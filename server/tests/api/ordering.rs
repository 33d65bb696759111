use crate::support::TestApp;
use serde_json::{Value, json};
use uuid::Uuid;

fn magret_and_cahors() -> Value {
    json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 1}]})
}

#[tokio::test]
async fn the_reference_order_reaches_the_house() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let answer = alice.post("/api/orders", &magret_and_cahors()).await;
    assert_eq!(answer.status, 201);
    assert_eq!((&answer.body["status"], &answer.body["round"]), (&json!("sent"), &json!(1)));

    let order = alice.get(&format!("/api/orders/{}", answer.body["order_id"])).await.body;
    assert_eq!((&order["total"], &order["covers"], &order["status"]), (&json!(52), &json!(4), &json!("open")));
    assert_eq!(order["lines"][0]["name"], "Magret de canard");
    assert_eq!(order["lines"][1]["vat_rate"], json!(20));

    let tables = alice.get("/api/tables").await.body;
    let table = tables.as_array().unwrap().iter().find(|table| table["id"] == 5).unwrap();
    assert_eq!(
        (&table["status"], &table["server_name"], &table["order_id"]),
        (&json!("occupied"), &json!("Alice"), &answer.body["order_id"])
    );
}

#[tokio::test]
async fn the_same_uuid_again_changes_nothing() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let mut request = magret_and_cahors();
    request["uuid"] = json!(Uuid::now_v7());
    let first = alice.post("/api/orders", &request).await;
    let again = alice.post("/api/orders", &request).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!((first.header("idempotent-replay"), again.header("idempotent-replay")), (None, Some("true")));
    let lines: i64 = sqlx::query_scalar("select count(*) from order_lines").fetch_one(&app.owner).await.unwrap();
    assert_eq!(lines, 2);

    request["items"][0]["qty"] = json!(2);
    let other = alice.post("/api/orders", &request).await;
    assert_eq!((other.status, other.code()), (409, "idempotency_mismatch"));
}

#[tokio::test]
async fn the_id_may_come_in_the_header_and_belongs_to_the_person() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let key = Uuid::now_v7().to_string();
    let send = |client: &crate::support::Client, body: Value| {
        let client = client.clone();
        let request = client.request(reqwest::Method::POST, "/api/orders").header("idempotency-key", &key).json(&body);
        async move { client.send(request).await }
    };
    let first = send(&alice, magret_and_cahors()).await;
    let again = send(&alice, magret_and_cahors()).await;
    assert_eq!((first.status, first.body), (201, again.body.clone()));
    assert_eq!(again.header("idempotent-replay"), Some("true"));
    assert_eq!(send(&bob, magret_and_cahors()).await.code(), "idempotency_mismatch");
    let mut other = magret_and_cahors();
    other["uuid"] = json!(Uuid::now_v7());
    assert_eq!(send(&alice, other).await.status, 422);
}

#[tokio::test]
async fn sixteen_copies_at_once_are_one_order() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let mut request = magret_and_cahors();
    request["uuid"] = json!(Uuid::now_v7());
    let copies = (0..16).map(|_| alice.post("/api/orders", &request));
    let answers = futures::future::join_all(copies).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replay").is_none()).count(), 1);
    let rounds: i32 = sqlx::query_scalar("select rounds from orders").fetch_one(&app.owner).await.unwrap();
    assert_eq!(rounds, 1);
}

#[tokio::test]
async fn two_waiters_on_one_table_never_erase_each_other() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let requests = (0..20).map(|i| {
        let client = if i % 2 == 0 { &alice } else { &bob };
        async move { client.post("/api/orders", &json!({"table_id": 7, "items": [{"item_id": 71, "qty": 1}]})).await }
    });
    let answers = futures::future::join_all(requests).await;
    assert!(answers.iter().all(|answer| answer.status == 201));
    let mut rounds: Vec<i64> = answers.iter().map(|answer| answer.body["round"].as_i64().unwrap()).collect();
    rounds.sort_unstable();
    assert_eq!(rounds, (1..=20).collect::<Vec<_>>(), "one order, twenty rounds");
}

#[tokio::test]
async fn a_phone_that_asks_is_told_who_has_the_table() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let first = alice.post("/api/orders", &magret_and_cahors()).await;
    let mut request = magret_and_cahors();
    request["if_occupied"] = json!("reject");
    let refused = bob.post("/api/orders", &request).await;
    assert_eq!((refused.status, refused.code()), (409, "table_occupied"));
    assert_eq!(refused.body["order_id"], first.body["order_id"]);
    assert_eq!(refused.body["opened_by"], json!({"id": 1, "name": "Alice"}));
    assert_eq!(alice.post("/api/orders", &request).await.status, 201, "her own table is no conflict");
}

#[tokio::test]
async fn what_is_invalid_is_named_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let bad = json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 0}, {"dish_id": 9999, "qty": 10000}]});
    let answer = alice.post("/api/orders", &bad).await;
    assert_eq!((answer.status, answer.code()), (422, "invalid"));
    let fields: Vec<&str> = answer.body["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["items[0].qty", "items[1].qty", "items[1].item_id"]);
    assert_eq!(alice.post("/api/orders", &json!({"table_id": 999, "items": [{"dish_id": 12, "qty": 1}]})).await.status, 422);
    let stored: i64 = sqlx::query_scalar(
        "select (select count(*) from orders) + (select count(*) from order_lines) + (select count(*) from idempotency)",
    )
    .fetch_one(&app.owner)
    .await
    .unwrap();
    assert_eq!(stored, 0);
}

#[tokio::test]
async fn a_formule_is_priced_and_taxed_by_what_it_contains() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let choice = |group, item_id: i64| json!({"group": group, "item_id": item_id});
    let components = json!([choice("Entrée", 2), choice("Plat", 14), choice("Boisson", 43)]);
    let answer = alice.post("/api/orders", &json!({"table_id": 5, "items": [{"item_id": 90, "qty": 1, "components": components}]})).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let bill = alice.get(&format!("/api/orders/{}/bill", answer.body["order_id"])).await.body;
    assert_eq!(bill["total"], json!(24));
    let rates: Vec<&Value> = bill["vat"].as_array().unwrap().iter().map(|line| &line["rate"]).collect();
    assert_eq!(rates, [&json!(10), &json!(20)]);
}

#[tokio::test]
async fn the_menu_is_sent_once() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let menu = alice.get("/api/menu").await;
    let magret = menu.body["items"].as_array().unwrap().iter().find(|item| item["id"] == 12).unwrap().clone();
    assert_eq!((&magret["price"], &magret["vat_rate"]), (&json!(24), &json!(10)));
    assert_eq!((&magret["wine_pairing"]["id"], &magret["wine_pairing"]["price"]), (&json!(34), &json!(28)));
    let etag = menu.header("etag").unwrap();
    let again = alice.send(alice.request(reqwest::Method::GET, "/api/menu").header("if-none-match", etag)).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}

#[tokio::test]
async fn old_answers_are_forgotten_and_nothing_happens_twice() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let day = |ago: u64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, now - ago * 86_400, 0))
    };
    // Sent a month ago, by a phone with the right time, by one without, and by a program.
    let (right, wrong, program) = (day(31), day(400), Uuid::new_v4());
    let order = |uuid: Uuid| json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}], "uuid": uuid});
    for uuid in [right, wrong, program] {
        assert_eq!(alice.post("/api/orders", &order(uuid)).await.status, 201, "a phone that lost the time sells on");
    }
    sqlx::query("update idempotency set created_at = now() - interval '31 days'").execute(&app.owner).await.unwrap();
    sqlx::query("update users set created_at = now() - interval '300 days'").execute(&app.owner).await.unwrap();
    let today = Uuid::now_v7();
    assert_eq!(alice.post("/api/orders", &order(today)).await.status, 201);

    assert_eq!(server::db::idempotency::forget_old(&app.house.db).await.unwrap(), 1);
    let late = alice.post("/api/orders", &order(right)).await;
    assert_eq!((late.status, late.code()), (409, "request_too_old"));
    for uuid in [wrong, program, today] {
        assert_eq!(alice.post("/api/orders", &order(uuid)).await.header("idempotent-replay"), Some("true"));
    }
    let rounds: i32 = sqlx::query_scalar("select rounds from orders").fetch_one(&app.owner).await.unwrap();
    assert_eq!(rounds, 4);
}
