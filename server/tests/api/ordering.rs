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

/// A round for the guests of an order.
fn meant(order: &Value, table: i64) -> Value {
    json!({"table_id": table, "order_id": order, "items": [{"item_id": 71, "qty": 1}]})
}

async fn open_orders(app: &TestApp) -> Vec<(i64, i32)> {
    sqlx::query_as("select table_id, rounds from orders where status = 'open' order by table_id").fetch_all(&app.owner).await.unwrap()
}

#[tokio::test]
async fn a_round_follows_its_guests_and_opens_nothing_for_those_who_left() {
    let app = TestApp::start().await;
    let (alice, bob, camille) = (app.signed_in("alice").await, app.signed_in("bob").await, app.signed_in("camille").await);
    let order = alice.post("/api/orders", &magret_and_cahors()).await.body["order_id"].clone();
    // She knew who has the table.
    let mut asking = meant(&order, 5);
    asking["if_occupied"] = json!("reject");
    assert_eq!(bob.post("/api/orders", &asking).await.status, 201);
    assert_eq!(alice.post(&format!("/api/orders/{order}/transfer"), &json!({"table_id": 6})).await.status, 200);
    assert_eq!(alice.post("/api/orders", &meant(&order, 5)).await.body["order_id"], order, "moved");
    assert_eq!(open_orders(&app).await, [(6, 3)]);

    let others = bob.post("/api/orders", &json!({"table_id": 7, "items": [{"item_id": 71, "qty": 1}]})).await.body["order_id"].clone();
    assert_eq!(alice.post(&format!("/api/orders/{order}/merge"), &json!({"into_order_id": others})).await.status, 200);
    let before = alice.get(&format!("/api/orders/{others}")).await.body["covers"].clone();
    let mut joined = meant(&order, 5);
    joined["covers"] = json!(2);
    joined["uuid"] = json!(Uuid::now_v7());
    let first = alice.post("/api/orders", &joined).await;
    assert_eq!((first.status, &first.body["order_id"]), (201, &others), "put together");
    let now = alice.get(&format!("/api/orders/{others}")).await.body;
    assert_eq!(now["covers"], before, "two was said of some of them");

    let bill = camille.get(&format!("/api/orders/{others}/bill")).await.body;
    for share in bill["shares"].as_array().unwrap() {
        let part = json!({"order_id": others, "cover_number": share["cover_number"], "amount": share["amount"], "method": "ESPECES"});
        assert_eq!(camille.post("/api/payments/split", &part).await.status, 201, "{bill}");
    }
    let gone = alice.post("/api/orders", &meant(&order, 5)).await;
    assert_eq!((gone.status, gone.code()), (409, "order_closed"));
    assert_eq!(open_orders(&app).await, [], "no order is opened for guests who left");
    let again = alice.post("/api/orders", &joined).await;
    assert_eq!((again.body, again.headers.contains_key("idempotent-replay")), (first.body, true), "what was taken stays taken");
    assert_eq!(alice.post("/api/orders", &meant(&json!(9999), 5)).await.status, 422);
}

#[tokio::test]
async fn a_round_that_waits_for_the_end_of_its_order_opens_no_other() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let order = alice.post("/api/orders", &magret_and_cahors()).await.body["order_id"].clone();
    let into = alice.post("/api/orders", &json!({"table_id": 7, "items": [{"item_id": 71, "qty": 1}]})).await.body["order_id"].clone();
    for (end, expected) in [
        (format!("status = 'merged', merged_into = {into}, closed_at = now() where id = {order}"), (201, into.clone())),
        (format!("status = 'paid_complete', closed_at = now() where id = {into}"), (409, Value::Null)),
    ] {
        let mut ending = app.owner.begin().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("update orders set {end}"))).execute(&mut *ending).await.unwrap();
        let waiting = tokio::spawn({
            let (alice, round) = (alice.clone(), meant(&order, 5));
            async move { alice.post("/api/orders", &round).await }
        });
        // Until it waits for what this transaction holds.
        let mut waits = false;
        while !waits {
            let waiting = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
            waits = sqlx::query_scalar(waiting).fetch_one(&app.owner).await.unwrap();
        }
        ending.commit().await.unwrap();
        let answer = waiting.await.unwrap();
        assert_eq!((answer.status, answer.body["order_id"].clone()), expected, "{}", answer.text);
    }
    assert_eq!(open_orders(&app).await, []);
}

#[tokio::test]
async fn a_later_round_says_how_many_they_are_until_somebody_has_paid() {
    let app = TestApp::start().await;
    let (alice, bob, camille) = (app.signed_in("alice").await, app.signed_in("bob").await, app.signed_in("camille").await);
    let order = alice.post("/api/orders", &magret_and_cahors()).await.body["order_id"].clone();
    let round = |covers: i64| json!({"table_id": 5, "covers": covers, "items": [{"item_id": 71, "qty": 1}]});
    let covers = async || alice.get(&format!("/api/orders/{order}")).await.body["covers"].clone();
    for said in [4, 3, 3] {
        assert_eq!(bob.post("/api/orders", &round(said)).await.status, 201);
        assert_eq!(covers().await, json!(said));
    }
    let facts = async || -> Vec<(i64, Value)> {
        sqlx::query_as("select user_id, detail from order_events where kind = 'covers' order by id").fetch_all(&app.owner).await.unwrap()
    };
    assert_eq!(facts().await, [(2, json!({"from": 4, "to": 3}))], "said once, by him");

    // What a phone kept from before that is older news.
    let kept = json!({
        "uuid": Uuid::now_v7(), "table_id": 5, "order_id": order, "covers": 6, "offline_timestamp": "2020-01-01T12:00:00Z",
        "items": [{"item_id": 71, "qty": 1}],
    });
    assert_eq!((alice.post("/api/orders/sync", &kept).await.status, covers().await), (201, json!(3)));

    let bill = camille.get(&format!("/api/orders/{order}/bill")).await.body;
    let share = &bill["shares"][0];
    let part = json!({"order_id": order, "cover_number": share["cover_number"], "amount": share["amount"], "method": "ESPECES"});
    assert_eq!(camille.post("/api/payments/split", &part).await.status, 201);
    assert_eq!(alice.post("/api/orders", &round(5)).await.status, 201, "the round is taken");
    assert_eq!((covers().await, facts().await.len()), (json!(3), 1), "the shares stay as they are");
}

#[tokio::test]
async fn nobody_waits_for_ever_for_a_connection() {
    use server::db::lane::Lane;
    let app = TestApp::start().await;
    let lane = std::sync::Arc::new(Lane::new(app.house.db.clone(), 1, std::time::Duration::from_millis(200)));
    let (lent, was_lent) = tokio::sync::oneshot::channel();
    let (give_back, given_back) = tokio::sync::oneshot::channel::<()>();
    let keeping = tokio::spawn({
        let lane = lane.clone();
        async move {
            lane.lend(async |_| {
                lent.send(()).unwrap();
                Ok(given_back.await.is_ok())
            })
            .await
        }
    });
    was_lent.await.unwrap();
    let second = tokio::time::timeout(std::time::Duration::from_secs(20), lane.lend(async |_| Ok(()))).await.unwrap();
    assert!(matches!(second, Err(server::error::Error::DatabaseDown(_))), "{second:?}");
    give_back.send(()).unwrap();
    assert!(keeping.await.unwrap().unwrap());
    assert!(lane.lend(async |_| Ok(())).await.is_ok());
}

#[tokio::test]
async fn a_database_that_lets_nobody_else_in_is_unavailable() {
    let app = TestApp::start().await;
    let full = "do $$ begin raise exception 'sorry, too many clients already' using errcode = '53300'; end $$";
    let error: server::error::Error = sqlx::raw_sql(full).execute(&app.owner).await.unwrap_err().into();
    assert!(matches!(error, server::error::Error::DatabaseDown(_)), "{error:?}");
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_at_the_limit() {
    use axum::body::{Body, Bytes};
    use axum::{Router, middleware, routing::post};
    use std::time::Duration;
    use tower::ServiceExt;
    let app = TestApp::start().await;
    let limited = middleware::from_fn_with_state((app.house.clone(), Duration::from_millis(300)), server::http::guard::to_the_end);
    let echo = Router::new().route("/", post(async |body: Bytes| body)).layer(limited);
    let ask = async |body: Body| {
        let request = axum::extract::Request::post("/").body(body).unwrap();
        tokio::time::timeout(Duration::from_secs(10), echo.clone().oneshot(request)).await.expect("an answer").unwrap().status().as_u16()
    };
    let trickle = futures::stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from_static(b" ")), ()))
    });
    assert_eq!(ask(Body::from_stream(trickle)).await, 503);
    assert!(app.house.writing.is_empty(), "nothing was begun");
    assert_eq!((ask(Body::from("whole")).await, ask(Body::from(vec![b' '; 300_000])).await), (200, 413));
}
