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

/// Holds the end of the journal, lets `act` hold its order and wait for the journal, and then asks for that order: two wait for each other, and the
/// database gives up one. Which one depends on the moment: it is whoever notices, a second after it began to wait. So this is played until it was
/// `act`; its answer must be the same each time.
async fn quarrel<A: Future<Output = Answer>>(scene: &Scene, mut act: impl FnMut() -> A) {
    for round in 0.. {
        assert!(round < 8, "the database never gave up what was asked");
        let mut ours = scene.app.owner.begin().await.unwrap();
        sqlx::query("insert into fiscal_heads values ('*', '*', 0, '', '') on conflict do nothing").execute(&mut *ours).await.unwrap();
        sqlx::query("select 1 from fiscal_heads where register = '*' for update").execute(&mut *ours).await.unwrap();
        let me: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *ours).await.unwrap();
        let order = scene.order.as_i64().unwrap();
        let (answer, it_was_given_up) = tokio::join!(act(), async {
            // Until it waits for us, and for nobody else.
            while !waits_for(&scene.app, me).await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // It holds the order. We get it only when it was given up.
            let asked = sqlx::query("select 1 from orders where id = $1 for update").bind(order).execute(&mut *ours).await;
            ours.rollback().await.unwrap();
            asked.is_ok()
        });
        assert!([200, 201].contains(&answer.status), "{}", answer.text);
        if it_was_given_up {
            return;
        }
    }
}

#[tokio::test]
async fn a_deadlock_reaches_nobody() {
    let scene = Scene::playing(&["approve"]).await;
    let order = scene.order.clone();
    let split = json!({"mode": "equal", "parts": 40});
    assert_eq!(scene.camille.put(&format!("/api/orders/{order}/split"), &split).await.status, 200);
    let shares = scene.camille.get(&format!("/api/orders/{order}/bill")).await.body["shares"].clone();
    let mut next = 0..40;
    let mut share = || shares[next.next().unwrap()].clone();
    let pay = async |share: Value, method: &'static str| {
        let body = json!({"order_id": order, "cover_number": share["cover_number"], "amount": share["amount"], "method": method});
        scene.camille.post("/api/payments/split", &body).await
    };
    let paid = pay(share(), "ESPECES").await.body["payment_id"].clone();
    quarrel(&scene, || pay(share(), "ESPECES")).await;
    quarrel(&scene, || pay(share(), "CB")).await;
    let gerant = scene.app.signed_in("gerant").await;
    let refund = async || gerant.post(&format!("/api/payments/{paid}/refund"), &json!({"amount": 0.01, "reason": "Erreur"})).await;
    quarrel(&scene, refund).await;
    let mut means = ["TR", "CHEQUE"].into_iter().cycle();
    let correct = async |method: &'static str| {
        scene.camille.post(&format!("/api/payments/{paid}/method"), &json!({"method": method, "reason": "Erreur"})).await
    };
    quarrel(&scene, || correct(means.next().unwrap())).await;
    let note = async || scene.camille.post(&format!("/api/orders/{order}/note"), &json!({})).await;
    quarrel(&scene, note).await;
    scene.ledgers_agree().await;
}

/// Whether somebody waits for a lock that this connection holds.
async fn waits_for(app: &TestApp, holder: i32) -> bool {
    let sql = "select exists (select from pg_locks where not granted and $1 = any(pg_blocking_pids(pid)))";
    sqlx::query_scalar(sql).bind(holder).fetch_one(&app.owner).await.unwrap()
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
