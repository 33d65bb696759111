//! What `make bench` takes for the limit is what the server does: its statements, read from where the compiler keeps them, run and store the same.

#[path = "../../benches/service/statements.rs"]
mod statements;

use crate::records::sell;
use crate::support::TestApp;
use serde_json::json;
use sqlx::{Connection, PgConnection};

/// So many transactions of one client.
const TIMES: i64 = 20;

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&app.owner).await.unwrap()
}

/// Runs a script so many times, one after the other, and all of them succeed.
async fn run(app: &TestApp, script: &statements::Script) {
    let output = statements::pgbench(&app.owner.connect_options(), 1, ["-t", &TIMES.to_string()], script).await;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains(&format!("processed: {TIMES}/{TIMES}")), "{said}\n{}", script.text);
}

#[tokio::test]
async fn the_limit_of_an_order_stores_what_an_order_stores() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let round = json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 1}], "covers": 2});
    assert_eq!(alice.post("/api/orders", &round).await.status, 201);
    let shape = "select count(*) from (select distinct kind, name, qty, unit_price_cents, vat_rate, course, state, slip_id is null from order_lines) as one";
    let before = count(&app, shape).await;
    for (told, waiting) in [(true, 0), (false, TIMES)] {
        let lines = count(&app, "select count(*) from order_lines").await;
        run(&app, &statements::round(5, 5, told)).await;
        assert_eq!(count(&app, "select count(*) from order_lines").await, lines + 2 * TIMES);
        assert_eq!(count(&app, "select count(*) from kitchen_slips where sent_at is null").await, waiting);
    }
    // One real round, and two times as many of the limit; each left its answer.
    assert_eq!(i64::from(sqlx::query_scalar::<_, i32>("select rounds from orders").fetch_one(&app.owner).await.unwrap()), 1 + 2 * TIMES);
    assert_eq!(count(&app, "select count(*) from idempotency where answer::text like '%round%'").await, 2 * TIMES);
    assert_eq!(count(&app, shape).await, before, "their lines are those of the real round");
}

#[tokio::test]
async fn the_limit_of_a_share_writes_a_record_a_payment_and_its_parts() {
    let app = TestApp::in_training().await;
    // A day is open, and the journal has begun.
    sell(&app.signed_in("alice").await, &app.signed_in("camille").await, 5).await;
    let mut owner = PgConnection::connect_with(&app.owner.connect_options()).await.unwrap();
    let lines = "insert into order_lines (order_id, item_id, kind, name, qty, unit_price_cents, vat_rate, course, round)
         select o.id, 12, 'dish', 'Magret de canard', 1, price, 1000, 2, 1 from orders o, unnest(array[7400, 2800]) price where o.status = 'open'";
    sqlx::query("insert into orders (table_id, covers, server_user_id) select id, 4, 1 from tables where id between 6 and 8")
        .execute(&mut owner)
        .await
        .unwrap();
    sqlx::query(lines).execute(&mut owner).await.unwrap();
    let first: i64 = sqlx::query_scalar("select min(id) from orders where status = 'open'").fetch_one(&mut owner).await.unwrap();
    let (payments, parts) = (count(&app, "select count(*) from payments").await, count(&app, "select count(*) from share_parts").await);
    let tickets = "select last_seq from fiscal_heads where chain = 'X'";
    let before = count(&app, tickets).await;
    run(&app, &statements::cash_share(first, first + 2, 1)).await;
    assert_eq!(count(&app, "select count(*) from payments").await, payments + TIMES);
    assert_eq!(count(&app, "select count(*) from share_parts").await, parts + 2 * TIMES);
    assert_eq!(count(&app, tickets).await, before + TIMES);
    assert_eq!(count(&app, "select count(*) from idempotency where answer::text like '%\"payment_id\" : 1}%'").await, TIMES);
    run(&app, &statements::cash_share(first, first + 2, 2)).await;
}
