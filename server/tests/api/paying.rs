use crate::support::{Answer, Client, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

/// Table 12 of the reference example: 102.00 for four covers.
pub async fn table_12(alice: &Client) -> Value {
    let items = json!([{"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 1}, {"dish_id": 11, "qty": 1, "options": [{"group": "Cuisson", "choice": "Saignant"}]}, {"dish_id": 6, "qty": 1}, {"dish_id": 1, "qty": 1}]);
    let order = alice.post("/api/orders", &json!({"table_id": 12, "covers": 4, "items": items})).await;
    assert_eq!(order.status, 201, "{}", order.text);
    order.body["order_id"].clone()
}

async fn pay(client: &Client, order: &Value, cover: u32, amount: &Value) -> Answer {
    client.post("/api/payments/split", &json!({"order_id": order, "cover_number": cover, "amount": amount, "method": "ESPECES"})).await
}

#[tokio::test]
async fn four_covers_pay_a_quarter_each_and_the_table_is_free() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = table_12(&alice).await;
    let bill = camille.get(&format!("/api/orders/{order}/bill")).await.body;
    assert_eq!((&bill["total"], &bill["remaining"]), (&json!(102), &json!(102)));
    assert_eq!(bill["shares"].as_array().unwrap().len(), 4);

    for (cover, remaining, amount) in [(2, "3/4", 76.5), (1, "2/4", 51.0), (4, "1/4", 25.5)] {
        let paid = pay(&camille, &order, cover, &json!(25.5)).await;
        assert_eq!(paid.status, 201, "{}", paid.text);
        assert_eq!((&paid.body["status"], &paid.body["remaining"]), (&json!("paid"), &json!(remaining)));
        assert_eq!(paid.body["remaining_amount"].as_f64(), Some(amount));
    }
    let last = pay(&camille, &order, 3, &json!(25.50)).await;
    assert_eq!((&last.body["status"], &last.body["remaining"]), (&json!("order_complete"), &json!("0/4")));
    let tables = alice.get("/api/tables").await.body;
    assert_eq!(tables.as_array().unwrap().iter().find(|table| table["id"] == 12).unwrap()["status"], "free");
    assert_eq!(pay(&camille, &order, 3, &json!(25.5)).await.code(), "already_paid");
}

#[tokio::test]
async fn cash_gives_change_and_a_ticket() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = alice.post("/api/orders", &json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 1}]})).await;
    let order = order.body["order_id"].clone();
    let path = format!("/api/orders/{order}/split");
    assert_eq!(camille.put(&path, &json!({"mode": "equal", "parts": 1})).await.body["shares"][0]["amount"], json!(52));

    let request = json!({"order_id": order, "cover_number": 1, "amount": 52, "method": "ESPECES", "tendered": 60});
    let paid = camille.post("/api/payments/split", &request).await;
    assert_eq!((&paid.body["change"], &paid.body["ticket_no"]), (&json!(8), &json!(1)));

    let ticket = camille.get("/api/nf525/tickets/1").await.body;
    let text = ticket["text"].as_str().unwrap();
    for part in ["Magret de canard", "Cahors 2018", "52,00", "60,00", "8,00", "SIRET", "Camille"] {
        assert!(text.contains(part), "{part} is missing from\n{text}");
    }
    assert!(!text.to_lowercase().contains("certifié") && !text.contains("FORMATION"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 48), "{text}");
}

#[tokio::test]
async fn the_same_uuid_pays_once() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = table_12(&alice).await;
    let request = json!({"order_id": order, "cover_number": 1, "amount": 25.5, "method": "ESPECES", "uuid": Uuid::now_v7()});
    let copies = (0..8).map(|_| camille.post("/api/payments/split", &request));
    let answers = futures::future::join_all(copies).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replay").is_none()).count(), 1);
    let paid: i64 = sqlx::query_scalar("select sum(amount_cents)::bigint from payments").fetch_one(&app.owner).await.unwrap();
    assert_eq!(paid, 2550);
}

#[tokio::test]
async fn sixty_four_cashiers_on_one_share_give_one_201_and_sixty_three_409() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = table_12(&alice).await;
    let amount = json!(25.5);
    let attempts = (0..64).map(|_| pay(&camille, &order, 1, &amount));
    let answers = futures::future::join_all(attempts).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| (answer.status, answer.code()) == (409, "already_paid")).count(), 63);
}

#[tokio::test]
async fn shares_add_up_whatever_the_table_decides_meanwhile() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = table_12(&alice).await;
    assert_eq!(pay(&camille, &order, 1, &json!(25.5)).await.status, 201);
    // Another round, then the rest by three, then by one.
    alice.post("/api/orders", &json!({"table_id": 12, "items": [{"item_id": 71, "qty": 3}, {"item_id": 78, "qty": 1}]})).await;
    let path = format!("/api/orders/{order}/split");
    let shares = camille.put(&path, &json!({"mode": "equal", "parts": 3})).await.body["shares"].clone();
    let amounts: Vec<String> = shares.as_array().unwrap().iter().map(|share| share["amount"].to_string()).collect();
    assert_eq!(amounts, ["25.5", "29.84", "29.83", "29.83"]);
    assert_eq!(pay(&camille, &order, 3, &json!(29.83)).await.body["remaining"], "2/4");
    camille.put(&path, &json!({"mode": "equal", "parts": 1})).await;
    assert_eq!(pay(&camille, &order, 2, &json!(59.67)).await.body["status"], "order_complete");

    let (paid, owned, total): (i64, i64, i64) = sqlx::query_as(
        "select (select sum(amount_cents) from payments)::bigint, (select sum(amount_cents) from share_parts)::bigint,
                (select sum(qty * unit_price_cents) from order_lines)::bigint",
    )
    .fetch_one(&app.owner)
    .await
    .unwrap();
    assert_eq!((paid, owned), (total, total));
    let unequal: i64 = sqlx::query_scalar(
        "select count(*) from order_lines l where qty * unit_price_cents <> (select sum(amount_cents) from share_parts where line_id = l.id)",
    )
    .fetch_one(&app.owner)
    .await
    .unwrap();
    assert_eq!(unequal, 0, "each line is paid exactly");
}

#[tokio::test]
async fn what_the_screen_no_longer_shows_is_refused() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = table_12(&alice).await;
    let stale = pay(&camille, &order, 1, &json!(25)).await;
    assert_eq!((stale.status, stale.code()), (409, "amount_mismatch"));
    for (field, body) in [
        ("cover_number", json!({"order_id": order, "cover_number": 9, "amount": 25.5, "method": "ESPECES"})),
        ("tendered", json!({"order_id": order, "cover_number": 1, "amount": 25.5, "method": "ESPECES", "tendered": 20})),
        ("amount", json!({"order_id": order, "cover_number": 1, "amount": -28, "method": "ESPECES"})),
        ("order_id", json!({"order_id": 424_242, "cover_number": 1, "amount": 25.5, "method": "ESPECES"})),
    ] {
        let answer = camille.post("/api/payments/split", &body).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!(field)), "{}", answer.text);
    }
    let path = format!("/api/orders/{order}/split");
    assert_eq!(camille.put(&path, &json!({"mode": "equal", "parts": 0})).await.status, 422);
    assert_eq!(alice.put(&path, &json!({"mode": "equal", "parts": 2})).await.status, 403, "a waiter does not split");
    let stored: i64 = sqlx::query_scalar("select count(*) from payments").fetch_one(&app.owner).await.unwrap();
    assert_eq!(stored, 0);
}

/// Whether the statement that stores a payment would find the bill and the journal as they were read; nothing of it stays.
async fn is_unchanged(app: &TestApp, order: &Value, mark: &str, last: i64, key: Option<Uuid>) -> bool {
    let mut tx = app.house.db.begin().await.unwrap();
    let sql = "select fiscal_pay_if_unchanged($1, $2, $3, $4, '\\x00', '{}')";
    let asked = sqlx::query_scalar(sql).bind(order.as_i64()).bind(mark).bind(last).bind(key);
    let unchanged: bool = asked.fetch_one(&mut *tx).await.unwrap();
    if !unchanged {
        let held: i64 = sqlx::query_scalar("select count(*) from idempotency where key = $1 and xmin::text = pg_current_xact_id()::text")
            .bind(key)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        assert_eq!(held, 0, "an id of which nothing came");
    }
    tx.rollback().await.unwrap();
    unchanged
}

async fn marked(app: &TestApp, order: &Value) -> (String, i64) {
    let sql = "select fiscal_bill_mark($1, fiscal_bill_facts($1)), last_seq from fiscal_heads where chain = '*'";
    sqlx::query_as(sql).bind(order.as_i64()).fetch_one(&app.owner).await.unwrap()
}

#[tokio::test]
async fn whatever_touches_a_bill_or_the_journal_is_seen() {
    let app = TestApp::start().await;
    let (alice, camille, gerant) = (app.signed_in("alice").await, app.signed_in("camille").await, app.signed_in("gerant").await);
    let order = table_12(&alice).await;
    let other =
        alice.post("/api/orders", &json!({"table_id": 5, "covers": 1, "items": [{"item_id": 71, "qty": 1}]})).await.body["order_id"]
            .clone();
    assert_eq!(pay(&camille, &other, 1, &json!(2.5)).await.status, 201, "the journal has begun");
    let of_order = |rest: &str| format!("/api/orders/{order}/{rest}");
    let line = alice.get(&format!("/api/orders/{order}")).await.body["lines"][0]["line_id"].clone();
    let one = json!({"dish_id": 1, "qty": 1});
    let steps: [(&str, reqwest::Method, String, Value); 8] = [
        ("one more dish", reqwest::Method::POST, "/api/orders".to_owned(), json!({"table_id": 12, "items": [one]})),
        ("another division", reqwest::Method::PUT, of_order("split"), json!({"mode": "equal", "parts": 2})),
        ("more guests", reqwest::Method::POST, of_order("covers"), json!({"covers": 6})),
        ("a note", reqwest::Method::POST, of_order("note"), json!({})),
        ("a discount", reqwest::Method::POST, of_order("discount"), json!({"line_id": line, "amount": 1, "reason": "geste commercial"})),
        ("another share", reqwest::Method::POST, "/api/payments/split".to_owned(), Value::Null),
        (
            "money into the drawer",
            reqwest::Method::POST,
            "/api/cash/movements".to_owned(),
            json!({"kind": "in", "amount": 10, "reason": "monnaie"}),
        ),
        ("a closing", reqwest::Method::POST, "/api/nf525/close".to_owned(), json!({})),
    ];
    for (what, method, path, body) in steps {
        let (mark, last) = marked(&app, &order).await;
        assert!(is_unchanged(&app, &order, &mark, last, Some(Uuid::now_v7())).await, "before {what}");
        let body = if body.is_null() {
            let bill = camille.get(&of_order("bill")).await.body;
            let free = bill["shares"].as_array().unwrap().iter().find(|share| share["status"] != "paid").unwrap();
            json!({"order_id": order, "cover_number": free["cover_number"], "amount": free["amount"], "method": "ESPECES"})
        } else {
            body
        };
        let done = gerant.send(gerant.request(method, &path).json(&body)).await;
        assert!((200..300).contains(&done.status), "{what}: {} {}", done.status, done.text);
        assert!(!is_unchanged(&app, &order, &mark, last, Some(Uuid::now_v7())).await, "{what} is not seen");
    }
    // An id that was used, and an order that somebody holds.
    let (mark, last) = marked(&app, &order).await;
    let used: Uuid = sqlx::query_scalar("insert into idempotency (key, digest) values (gen_random_uuid(), '\\x01') returning key")
        .fetch_one(&app.owner)
        .await
        .unwrap();
    assert!(!is_unchanged(&app, &order, &mark, last, Some(used)).await);
    let mut held = app.owner.begin().await.unwrap();
    sqlx::query("select from orders where id = $1 for update").bind(order.as_i64()).execute(&mut *held).await.unwrap();
    assert!(!is_unchanged(&app, &order, &mark, last, None).await);
    held.rollback().await.unwrap();
    assert!(is_unchanged(&app, &order, &mark, last, None).await);
}

#[tokio::test]
async fn a_share_that_nobody_disturbs_takes_two_questions_and_any_other_ends_the_same() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = table_12(&alice).await;
    let unchanged = || app.house.paid_unchanged.load(std::sync::atomic::Ordering::Relaxed);
    // The first record of all, or of a day, says more than a ticket.
    assert_eq!(pay(&camille, &order, 1, &json!(25.5)).await.status, 201);
    let first = unchanged();
    let uuid = Uuid::now_v7();
    let request = json!({"order_id": order, "cover_number": 2, "amount": 25.5, "method": "ESPECES", "tendered": 30, "uuid": uuid});
    let paid = camille.post("/api/payments/split", &request).await;
    assert_eq!((paid.status, unchanged() - first), (201, 1), "{}", paid.text);
    let again = camille.post("/api/payments/split", &request).await;
    assert_eq!((again.status, &again.body, again.header("idempotent-replay")), (201, &paid.body, Some("true")));
    let other = json!({"order_id": order, "cover_number": 3, "amount": 25.5, "method": "ESPECES", "uuid": uuid});
    assert_eq!(camille.post("/api/payments/split", &other).await.status, 409, "that id was of another request");

    // Somebody holds the order: it is waited for, and paid under locks.
    let mut held = app.owner.begin().await.unwrap();
    sqlx::query("select from orders where id = $1 for update").bind(order.as_i64()).execute(&mut *held).await.unwrap();
    let amount = json!(25.5);
    let (paid, ()) = futures::future::join(pay(&camille, &order, 3, &amount), async {
        let waits = "select count(*) from pg_stat_activity
                     where wait_event_type = 'Lock' and datname = current_database() and query like '%for update%'";
        let seen = tokio::time::timeout(std::time::Duration::from_secs(10), async {
            while sqlx::query_scalar::<_, i64>(waits).fetch_one(&app.owner).await.unwrap() == 0 {
                tokio::task::yield_now().await;
            }
        });
        seen.await.expect("the order is waited for");
        held.rollback().await.unwrap();
    })
    .await;
    assert_eq!((paid.status, unchanged() - first), (201, 1), "{}", paid.text);
    let last = pay(&camille, &order, 4, &json!(25.5)).await;
    assert_eq!((&last.body["status"], unchanged() - first), (&json!("order_complete"), 2));
    let settled: (i64, i64) =
        sqlx::query_as("select count(*), sum(amount_cents)::bigint from payments").fetch_one(&app.owner).await.unwrap();
    assert_eq!(settled, (4, 10_200));
    let report = server::services::verifying::verify(&app.house.db).await.unwrap();
    assert!(report.ok, "{:?}", report.flaws);
}
