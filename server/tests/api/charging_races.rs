//! Many at once: whoever comes first pays, everybody else is told so, and nobody hears of the database's own quarrels.

use crate::charging::{Scene, says};
use crate::support::{Answer, TestApp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

const CLIENTS: usize = 64;

/// How often each answer was given.
fn tally(answers: &[Answer]) -> BTreeMap<(u16, String), usize> {
    let mut tally = BTreeMap::new();
    for answer in answers {
        *tally.entry((answer.status, answer.code().to_owned())).or_default() += 1;
    }
    tally
}

async fn hammer(scene: &Scene, body: &(impl Fn(usize) -> Value + Sync)) -> Vec<Answer> {
    futures::future::join_all((0..CLIENTS).map(|client| async move { scene.camille.post("/api/payments/split", &body(client)).await }))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_in_cash_on_one_share_one_pays() {
    let scene = Scene::playing(&["approve"]).await;
    let order = scene.order.clone();
    let body = |_| json!({"order_id": order, "cover_number": 1, "amount": 25.5, "method": "ESPECES", "uuid": Uuid::now_v7()});
    let tally = tally(&hammer(&scene, &body).await);
    assert_eq!(tally, BTreeMap::from([((201, String::new()), 1), ((409, "already_paid".to_owned()), CLIENTS - 1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_by_card_on_one_share_one_is_charged() {
    let scene = Scene::playing(&["slow:50"]).await;
    let order = scene.order.clone();
    let body = |_| json!({"order_id": order, "cover_number": 1, "amount": 25.5, "method": "CB", "uuid": Uuid::now_v7()});
    let answers = hammer(&scene, &body).await;
    let paid = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!((paid, answers.iter().filter(|answer| answer.status == 409).count()), (1, CLIENTS - 1), "{:?}", tally(&answers));
    assert_eq!(scene.terminal.charged().len(), 1);
    scene.ledgers_agree().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_by_any_means_on_one_share_one_pays() {
    let scene = Scene::playing(&["approve"]).await;
    let order = scene.order.clone();
    for cover in 1..=4 {
        let body = |client: usize| {
            let method = if client.is_multiple_of(2) { "CB" } else { "ESPECES" };
            json!({"order_id": order, "cover_number": cover, "amount": 25.5, "method": method, "uuid": Uuid::now_v7()})
        };
        let answers = hammer(&scene, &body).await;
        let paid = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!((paid, answers.iter().filter(|answer| answer.status == 409).count()), (1, CLIENTS - 1), "{:?}", tally(&answers));
    }
    let bill = scene.camille.get(&format!("/api/orders/{order}/bill")).await.body;
    assert_eq!((&bill["paid"], &bill["remaining"]), (&json!(102), &json!(0)));
    scene.ledgers_agree().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_request_get_its_answer_whatever_it_is() {
    let scene = Scene::playing(&["approve", "decline", "approve", "cancel", "approve", "decline", "approve"]).await;
    for (cover, wanted) in [(1, 201), (2, 402), (2, 201), (3, 402), (3, 201), (4, 402), (4, 201)] {
        let uuid = Uuid::now_v7();
        let answers = futures::future::join_all((0..16).map(|_| scene.charge_as(cover, uuid))).await;
        assert!(answers.iter().all(|answer| answer.status == wanted), "{:?}", tally(&answers));
    }
    assert_eq!((scene.terminal.requests(), scene.terminal.charged().len()), (7, 4));
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn the_request_that_waits_is_told_what_became_of_its_payment_meanwhile() {
    let scene = Scene::playing(&["slow:1500"]).await;
    let (id, answer) = scene.at_the_terminal(1).await;
    // Somebody took our process for gone, and a person has read the terminal's ticket.
    sqlx::query("update payment_attempts set state = 'unknown' where id = $1").bind(id.as_i64()).execute(&scene.app.owner).await.unwrap();
    assert_eq!(scene.resolve(&id, json!({"outcome": "accepted", "reason": "Ticket lu"})).await.status, 200);
    let told = answer.await.unwrap();
    assert_eq!((told.status, &told.body["payment_id"], &told.body["remaining"]), (201, &id, &json!("3/4")), "{}", told.text);
    assert_eq!(scene.payment(&id).await["contradictions"], Value::Null, "the terminal says the same");
    scene.ledgers_agree().await;
}

/// Holds the end of the journal, and then asks for the order that a payment holds: whoever waited first is given up by the database.
async fn quarrel(scene: &Scene) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut ours = scene.app.owner.begin().await.unwrap();
    sqlx::query("insert into fiscal_heads values ('*', '*', 0, '', '') on conflict do nothing").execute(&mut *ours).await.unwrap();
    sqlx::query("select 1 from fiscal_heads where register = '*' for update").execute(&mut *ours).await.unwrap();
    ours
}

#[tokio::test]
async fn a_deadlock_reaches_nobody() {
    let scene = Scene::playing(&["approve"]).await;
    assert_eq!(scene.cash(4).await.status, 201);
    for by_card in [false, true] {
        let cover = if by_card { 2 } else { 1 };
        let before: i64 = deadlocks(&scene.app).await;
        let mut ours = quarrel(&scene).await;
        let order = scene.order.as_i64().unwrap();
        let (answer, ()) = tokio::join!(async { if by_card { scene.charge(cover).await } else { scene.cash(cover).await } }, async {
            // Until it waits for us.
            while !waits(&scene.app).await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            sqlx::query("select 1 from orders where id = $1 for update").bind(order).execute(&mut *ours).await.unwrap();
            ours.rollback().await.unwrap();
        });
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert!(deadlocks(&scene.app).await > before, "there was one");
    }
    scene.ledgers_agree().await;
}

async fn waits(app: &TestApp) -> bool {
    let sql = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
    sqlx::query_scalar(sql).fetch_one(&app.owner).await.unwrap()
}

async fn deadlocks(app: &TestApp) -> i64 {
    // What each connection counted arrives a moment after its transaction.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    sqlx::query_scalar("select deadlocks from pg_stat_database where datname = current_database()").fetch_one(&app.owner).await.unwrap()
}

#[tokio::test]
async fn a_serialization_failure_reaches_nobody() {
    let scene = Scene::playing(&["approve"]).await;
    sqlx::raw_sql(
        "create sequence refused; grant usage on sequence refused to comptoir_app;
         create function quarrel() returns trigger language plpgsql as $$
         begin
             if nextval('refused') % 3 <> 0 then raise exception 'not now' using errcode = 'serialization_failure'; end if;
             return new;
         end $$;
         create trigger quarrel before insert on payments for each row execute function quarrel();
         create trigger quarrel before insert on payment_attempts for each row execute function quarrel();",
    )
    .execute(&scene.app.owner)
    .await
    .unwrap();
    for cover in 1..=2 {
        assert_eq!(scene.cash(cover).await.status, 201);
    }
    for cover in 3..=4 {
        let paid = scene.charge(cover).await;
        assert_eq!(paid.status, 201, "{}", paid.text);
    }
    assert_eq!(says(&scene.charge(4).await), (409, "already_paid"));
    scene.ledgers_agree().await;
}
