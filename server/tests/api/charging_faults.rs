//! A card while something of ours breaks: the process, its connections, the database's patience, a person's word.

use crate::charging::{OnLine, Scene, says};
use crate::support::Answer;
use domain::terminal::Outcome;
use domain::terminal::concert::Speech;
use serde_json::{Value, json};
use server::services::recovering::recover;
use server::state::Shared;
use server::{db, run};
use sqlx::PgPool;
use std::time::Duration;
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

/// Waits until a question has a true answer.
async fn until(what: &str, mut question: impl AsyncFnMut() -> bool) {
    let asked = async {
        while !question().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked).await.unwrap_or_else(|_| panic!("{what}: never"));
}

async fn count(owner: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(owner).await.unwrap()
}

/// Another process on the same database.
async fn another_process(scene: &Scene, training: bool) -> Shared {
    let pool = db::connect((*scene.app.owner.connect_options()).clone(), 2).await.unwrap();
    let config = server::config::Config { training, terminal: server::config::Terminal::Manual, ..scene.app.config.clone() };
    run::open_house(&config, pool).await.unwrap()
}

async fn refuse(scene: &Scene, id: &Value) -> Answer {
    scene.resolve(id, json!({"outcome": "not_accepted", "reason": "Rien sur le TPE"})).await
}

/// An attempt that nobody works on.
async fn left_behind(scene: &Scene, cover: i16, state: &str, worker: i64, till: &str) -> Value {
    // Each on a line that costs as much as the share owes.
    let line: i64 = sqlx::query_scalar("select id from order_lines order by unit_price_cents desc, id offset $1 limit 1")
        .bind(i64::from(cover - 1) % 2)
        .fetch_one(&scene.app.owner)
        .await
        .unwrap();
    let id: i64 = sqlx::query_scalar(
        "with attempt as (insert into payment_attempts
             (reference, order_id, share_number, amount_cents, terminal, till, user_id, worker, state, training)
             values (upper(substr(md5(random()::text), 1, 10)), $1, $3, 2550, 'elsewhere' || $3, $6, 4, $5, $4, false) returning id),
         part as (insert into attempt_parts select id, $2, 2550 from attempt)
         select id from attempt",
    )
    .bind(scene.order.as_i64().unwrap())
    .bind(line)
    .bind(cover)
    .bind(state)
    .bind(worker)
    .bind(till)
    .fetch_one(&scene.app.owner)
    .await
    .unwrap();
    json!(id)
}

/// Makes the first so many writes of a table fail with this code.
async fn fail_at_first(owner: &PgPool, table: &str, times: u32, code: &str) {
    let sql = format!(
        "create sequence refused; grant usage on sequence refused to comptoir_app;
         create function refuse_at_first() returns trigger language plpgsql as $$
         begin
             if nextval('refused') <= {times} then raise exception 'not now' using errcode = '{code}'; end if;
             return new;
         end $$;
         create trigger refuse_at_first before insert on {table} for each row execute function refuse_at_first();"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(owner).await.unwrap();
}

#[tokio::test]
async fn nobody_says_no_while_the_terminal_may_still_say_yes() {
    let scene = Scene::listening(&["slow:3000"], SECOND, Duration::from_secs(30)).await;
    let mut events = scene.app.house.bus.listen();
    let id = scene.charge(1).await.body["payment_id"].clone();
    let payment = scene.payment(&id).await;
    assert_eq!(payment["status"], "unknown");
    let early = refuse(&scene, &id).await;
    assert_eq!((says(&early), &early.body["until"]), ((409, "still_listening"), &payment["listening_until"]));
    scene.until(&id, "approved", &mut events).await;
    assert_eq!(scene.share(1).await["status"], "paid");
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn once_nobody_listens_any_more_a_person_says_how_it_ended() {
    let scene = Scene::listening(&["silent"], SECOND, SECOND).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    until("the line is closed", async || refuse(&scene, &id).await.status == 200).await;
    assert_eq!(scene.share(1).await["status"], "unpaid");
}

#[tokio::test]
async fn a_person_who_read_the_ticket_need_not_wait() {
    let scene = Scene::listening(&["silent"], SECOND, Duration::from_secs(60)).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    let accepted = scene.resolve(&id, json!({"outcome": "accepted", "reason": "Ticket du TPE lu"})).await;
    assert_eq!((accepted.status, &accepted.body["status"]), (200, &json!("approved")), "{}", accepted.text);
}

#[tokio::test]
async fn a_person_says_what_the_ticket_shows_when_the_terminal_took_less() {
    let scene = Scene::patient(&["silent"], SECOND).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    let says_so =
        async |amount: Value| scene.resolve(&id, json!({"outcome": "accepted", "amount": amount, "reason": "Ticket du TPE lu"})).await;
    assert_eq!(says_so(json!(25.51)).await.status, 422, "more than was asked for");
    assert_eq!(says_so(json!(0)).await.status, 422);
    let less = says_so(json!(20)).await;
    assert_eq!((less.status, &less.body["amount_booked"]), (200, &json!(20)), "{}", less.text);
    let bill = scene.camille.get(&format!("/api/orders/{}/bill", scene.order)).await.body;
    assert_eq!((&bill["paid"], &bill["remaining"]), (&json!(20), &json!(82)));
}

#[tokio::test]
async fn a_tip_by_card_is_charged_and_is_no_sale() {
    let scene = Scene::playing(&["approve", "partial"]).await;
    let tipped = |cover: u32| json!({"order_id": scene.order, "cover_number": cover, "amount": 25.5, "tip": 2.5, "method": "CB"});
    let paid = scene.camille.post("/api/payments/split", &tipped(1)).await;
    assert_eq!((paid.status, &paid.body["remaining_amount"]), (201, &json!(76.5)), "{}", paid.text);
    assert_eq!(scene.terminal.charged()[0].amount, domain::Cents(2800));
    // 14.00 of 28.00: less than the share, and no tip.
    let less = scene.camille.post("/api/payments/split", &tipped(2)).await;
    assert_eq!(
        (less.status, &less.body["amount_booked"], &less.body["remaining_amount"]),
        (201, &json!(14), &json!(62.5)),
        "{}",
        less.text
    );
    let tips: Vec<i64> = sqlx::query_scalar("select tip_cents from payments order by id").fetch_all(&scene.app.owner).await.unwrap();
    assert_eq!(tips, [250, 0]);
}

#[tokio::test]
async fn a_contradiction_is_kept_with_its_amount_and_closes_no_day_until_somebody_decides() {
    let line = OnLine::playing(&["slow:3000"], SECOND).await;
    let scene = &line.scene;
    let id = scene.charge(1).await.body["payment_id"].clone();
    assert_eq!(refuse(scene, &id).await.status, 200);
    until("the terminal says otherwise", async || scene.payment(&id).await["contradictions"][0].is_object()).await;
    let payment = scene.payment(&id).await;
    let contradiction = &payment["contradictions"][0];
    assert_eq!(
        (&payment["status"], &contradiction["says"], &contradiction["amount"], &contradiction["stood"], &contradiction["decision"]),
        (&json!("declined"), &json!("approved"), &json!(25.5), &json!("declined"), &Value::Null)
    );
    assert!(payment["history"][5]["why"].as_str().unwrap().contains("25,50"), "{payment}");
    let close = scene.camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!((says(&close), &close.body["payment_ids"]), ((409, "unresolved_payments"), &json!([id])));

    let decide = async |body: Value| scene.camille.post(&format!("/api/payments/{id}/contradictions/{}", contradiction["id"]), &body).await;
    assert_eq!(decide(json!({"decision": "refunded", "reason": " "})).await.status, 422);
    let decided = decide(json!({"decision": "refunded", "reason": "Remboursé au TPE, ticket 14"})).await;
    assert_eq!((decided.status, &decided.body["contradictions"][0]["by"]), (200, &json!("Camille")), "{}", decided.text);
    assert_eq!(says(&decide(json!({"decision": "kept", "reason": "Non"})).await), (409, "not_unknown"));
    assert_eq!(scene.camille.post("/api/nf525/close", &json!({})).await.status, 200);
    assert_eq!(count(&scene.app.owner, "select count(*) from payments").await, 0);
}

#[tokio::test]
async fn a_refusal_after_somebody_said_accepted_is_a_contradiction_too() {
    let scene = Scene::patient(&["silent"], SECOND).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    assert_eq!(scene.resolve(&id, json!({"outcome": "accepted", "reason": "Ticket lu"})).await.status, 200);
    let attempt = domain::PaymentId::new(id.as_i64().unwrap()).unwrap();
    let said = Outcome::Declined { code: "AF04".to_owned() };
    db::words::insert(&scene.app.house.db, attempt, &said, true).await.unwrap();
    recover(&scene.app.house).await;
    assert_eq!(scene.payment(&id).await["contradictions"][0]["says"], json!("declined"));
    assert_eq!(says(&scene.camille.post("/api/nf525/close", &json!({})).await), (409, "unresolved_payments"));
    // What is known already is no contradiction.
    let same = Outcome::Approved { approval_code: None, amount: domain::Cents(2550) };
    db::words::insert(&scene.app.house.db, attempt, &same, true).await.unwrap();
    recover(&scene.app.house).await;
    assert_eq!(scene.payment(&id).await["contradictions"].as_array().unwrap().len(), 1);
}

/// Ends the connection that says that a process lives; its number in the database.
const KILL: &str = "select count(pg_terminate_backend(pid)) from pg_locks
                    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
                      and ((classid::bigint << 32) | objid::bigint) = $1";

#[tokio::test]
async fn a_process_that_lost_a_connection_keeps_its_attempts_and_one_that_left_loses_them() {
    let scene = Scene::patient(&["silent"], Duration::from_secs(60)).await;
    let (id, answer) = scene.at_the_terminal(1).await;
    let other = another_process(&scene, false).await;
    let worker = scene.app.house.worker.id;
    for _ in 0..3 {
        let killed: i64 = sqlx::query_scalar(KILL).bind(worker).fetch_one(&scene.app.owner).await.unwrap();
        assert_eq!(killed, 1, "it says that it lives");
        for _ in 0..10 {
            recover(&other).await;
            assert_eq!(scene.payment(&id).await["status"], "sent", "its process lives");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let holds = "select count(*) from pg_locks where locktype = 'advisory' and ((classid::bigint << 32) | objid::bigint) = $1";
        until("it says so again", async || {
            sqlx::query_scalar::<_, i64>(holds).bind(worker).fetch_one(&scene.app.owner).await.unwrap() == 1
        })
        .await;
    }

    scene.app.house.worker.leaving.cancel();
    until("it is gone", async || scene.payment(&id).await["status"] == "unknown").await;
    let payment = scene.payment(&id).await;
    assert_eq!(payment["history"][3]["why"], json!("process_gone"), "{payment}");
    assert_eq!(says(&scene.cash(1).await), (409, "payment_in_progress"));
    assert_eq!(scene.resolve(&id, json!({"outcome": "accepted", "reason": "Ticket lu"})).await.body["status"], "approved");
    assert_eq!(scene.share(1).await["status"], "paid");
    answer.abort();
}

#[tokio::test]
async fn a_browser_that_goes_away_during_the_first_commit_leaves_nothing_half_done() {
    let scene = Scene::playing(&["approve"]).await;
    // The commit of an attempt waits for us.
    sqlx::raw_sql(
        "create function wait_for_us() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(4242); return null; end $$;
         create constraint trigger wait_for_us after insert on payment_attempts deferrable initially deferred
             for each row execute function wait_for_us();",
    )
    .execute(&scene.app.owner)
    .await
    .unwrap();
    let mut ours = scene.app.owner.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(4242)").execute(&mut *ours).await.unwrap();
    let uuid = Uuid::now_v7();
    assert!(tokio::time::timeout(Duration::from_millis(500), scene.charge_as(1, uuid)).await.is_err(), "it went away");
    ours.commit().await.unwrap();
    until("it is paid", async || scene.share(1).await["status"] == "paid").await;
    let again = scene.charge_as(1, uuid).await;
    assert_eq!((again.status, again.header("idempotent-replay")), (201, Some("true")));
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn what_this_process_left_behind_itself_is_swept() {
    let scene = Scene::playing(&["approve"]).await;
    let worker = scene.app.house.worker.id;
    let created = left_behind(&scene, 1, "created", worker, "01").await;
    let sent = left_behind(&scene, 2, "sent", worker, "01").await;
    until("never sent", async || scene.payment(&created).await["status"] == "not_sent").await;
    until("nobody knows", async || scene.payment(&sent).await["status"] == "unknown").await;
    assert_eq!(scene.charge(1).await.status, 201);
}

#[tokio::test]
async fn what_a_dead_process_never_sent_is_free_and_what_it_said_it_sent_is_unknown() {
    let scene = Scene::playing(&["approve"]).await;
    let created = left_behind(&scene, 1, "created", 77, "01").await;
    let sending = left_behind(&scene, 2, "sending", 77, "01").await;
    assert_eq!(scene.share(1).await["status"], "pending");
    until("never sent", async || scene.payment(&created).await["status"] == "not_sent").await;
    until("nobody knows", async || scene.payment(&sending).await["status"] == "unknown").await;
    assert_eq!(scene.charge(1).await.status, 201);
}

#[tokio::test]
async fn one_row_that_cannot_be_read_stops_neither_the_others_nor_the_start() {
    let scene = Scene::playing(&["approve"]).await;
    // A till that no terminal knows: the database takes it, and we cannot.
    left_behind(&scene, 1, "sent", 77, "00").await;
    let good = left_behind(&scene, 2, "sent", 77, "01").await;
    let other = another_process(&scene, false).await;
    until("the good one is ended", async || {
        recover(&other).await;
        scene.payment(&good).await["status"] == "unknown"
    })
    .await;
    assert_eq!(scene.cash(3).await.status, 201, "and the house is open");
}

#[tokio::test]
async fn an_approval_that_cannot_be_booked_yet_is_stored_and_booked_later() {
    let scene = Scene::playing(&["approve"]).await;
    fail_at_first(&scene.app.owner, "payments", 3, "P0001").await;
    let paid = scene.charge(1).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    assert_eq!(count(&scene.app.owner, "select last_value from refused").await, 4, "it was tried again");
    assert_eq!(count(&scene.app.owner, "select count(*) from attempt_words where effect = 'taken'").await, 1);
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_crash_between_the_terminal_s_word_and_the_booking_is_finished_by_whoever_comes() {
    let scene = Scene::playing(&["approve"]).await;
    let id = left_behind(&scene, 1, "sent", 77, "01").await;
    let said = Outcome::Approved { approval_code: Some("A1".to_owned()), amount: domain::Cents(2550) };
    db::words::insert(&scene.app.house.db, domain::PaymentId::new(id.as_i64().unwrap()).unwrap(), &said, false).await.unwrap();
    // Two at once: it is booked once.
    let other = another_process(&scene, false).await;
    tokio::join!(recover(&scene.app.house), recover(&other));
    let payment = scene.payment(&id).await;
    assert_eq!((&payment["status"], &payment["approval_code"]), (&json!("approved"), &json!("A1")), "{payment}");
    assert_eq!(count(&scene.app.owner, "select count(*) from payments").await, 1);
    assert_eq!(scene.share(1).await["status"], "paid");
    assert_eq!(scene.camille.get("/api/nf525/verify").await.body["ok"], json!(true));
}

#[tokio::test]
async fn a_word_that_is_not_booked_yet_comes_before_a_person_s() {
    let scene = Scene::patient(&["silent"], SECOND).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    fail_at_first(&scene.app.owner, "payments", 1000, "P0001").await;
    let said = Outcome::Approved { approval_code: None, amount: domain::Cents(2550) };
    db::words::insert(&scene.app.house.db, domain::PaymentId::new(id.as_i64().unwrap()).unwrap(), &said, true).await.unwrap();
    assert_ne!(refuse(&scene, &id).await.status, 200, "the terminal has said yes");
    assert_eq!(scene.share(1).await["status"], "unknown", "and its share stays locked");
    let close = scene.camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!(says(&close), (409, "unresolved_payments"));
    sqlx::raw_sql("drop trigger refuse_at_first on payments").execute(&scene.app.owner).await.unwrap();
    until("it is booked", async || scene.payment(&id).await["status"] == "approved").await;
    assert_eq!(says(&refuse(&scene, &id).await), (409, "not_unknown"));
}

#[tokio::test]
async fn a_late_result_is_acknowledged_only_once_it_is_stored() {
    let line = OnLine::speaking(Speech::Fixed, &["slow:2000"], SECOND, Duration::from_secs(20)).await;
    let scene = &line.scene;
    fail_at_first(&scene.app.owner, "attempt_words", 1, "P0001").await;
    let mut events = scene.app.house.bus.listen();
    let id = scene.charge(1).await.body["payment_id"].clone();
    // Not acknowledged the first time, it is offered a second time.
    scene.until(&id, "approved", &mut events).await;
    assert_eq!(count(&scene.app.owner, "select last_value from refused").await, 2);
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_serial_line_is_listened_to_while_nobody_pays() {
    let line = OnLine::playing(&["slow:2000"], SECOND).await;
    let scene = &line.scene;
    let mut events = scene.app.house.bus.listen();
    let given_up = scene.charge(1).await;
    assert_eq!(says(&given_up), (504, "terminal_unknown"));
    scene.until(&given_up.body["payment_id"], "approved", &mut events).await;
    assert_eq!(scene.terminal.requests(), 1, "no other payment woke the line");
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn money_of_training_and_money_that_counts_never_meet() {
    let scene = Scene::playing(&["drop-after-request"]).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    let number = domain::PaymentId::new(id.as_i64().unwrap()).unwrap();
    let school = another_process(&scene, true).await;
    let camille =
        domain::api::SessionUser { id: domain::UserId::new(4).unwrap(), name: "Camille".to_owned(), role: domain::Role::Caissier };
    let accepted = serde_json::from_value(json!({"outcome": "accepted", "reason": "Ticket lu"})).unwrap();
    let refused = server::services::resolving::resolve(&school, &camille, number, &accepted).await.unwrap_err();
    assert!(matches!(refused, server::error::Error::OtherMode), "{refused}");
    // What the terminal says is stored by anybody, and booked by a process of its mode.
    let said = Outcome::Approved { approval_code: None, amount: domain::Cents(2550) };
    scene.app.house.worker.leaving.cancel();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    db::words::insert(&school.db, number, &said, true).await.unwrap();
    recover(&school).await;
    assert_eq!(count(&scene.app.owner, "select count(*) from payments").await, 0);
    recover(&scene.app.house).await;
    assert_eq!(count(&scene.app.owner, "select count(*) from audit_logs where chain = 'T'").await, 1);
    assert_eq!(count(&scene.app.owner, "select count(*) from audit_logs where chain = 'X'").await, 0);
}

#[tokio::test]
async fn a_terminal_that_is_still_listened_to_gets_no_second_dialogue() {
    let scene = Scene::listening(&["silent"], SECOND, Duration::from_secs(3)).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    assert_eq!(scene.payment(&id).await["status"], "unknown");
    assert_eq!(says(&scene.charge(2).await), (409, "terminal_busy"));
    assert_eq!(scene.cash(3).await.status, 201, "cash needs no terminal");
    assert_eq!(scene.terminal.requests(), 1);
    scene.terminal.play(vec![server::sim::tpe::Script::Approve]);
    until("the line is closed", async || scene.charge(2).await.status == 201).await;
    assert_eq!(scene.terminal.most_at_once(), 1, "one guest at a time");
    assert_eq!(scene.payment(&id).await["status"], "unknown", "and the first is still nobody's");
}

#[tokio::test]
async fn approved_means_booked_and_the_database_holds_to_it() {
    let scene = Scene::playing(&["drop-after-request"]).await;
    let id = scene.charge(1).await.body["payment_id"].as_i64().unwrap();
    let approve = sqlx::query("update payment_attempts set state = 'approved', booked_cents = 2550 where id = $1").bind(id);
    let refused = approve.execute(&scene.app.owner).await.expect_err("no payment").to_string();
    assert!(refused.contains("is approved and not booked"), "{refused}");
    let pay = sqlx::query(
        "insert into payments (id, order_id, share_number, method, amount_cents, status, user_id, audit_log_id)
         overriding system value values ($1, $2, 1, 'CB', 2550, 'approved', 4, 99)",
    );
    // Not what is tried here, and it would be looked at first.
    sqlx::raw_sql("alter table payments drop constraint payments_record").execute(&scene.app.owner).await.unwrap();
    let refused = pay.bind(id).bind(scene.order.as_i64()).execute(&scene.app.owner).await.expect_err("no approval").to_string();
    assert!(refused.contains("is by card and not approved"), "{refused}");
}

/// "Not sent: try again" is true of a part and of several shares too: they were cut or joined the first time.
#[tokio::test]
async fn what_was_not_sent_may_be_asked_again_in_the_same_words() {
    for (amount, more, owed) in [(25.5, json!({"part": 10}), 92), (51.0, json!({"also": [2]}), 51)] {
        let scene = Scene::playing(&["refuse", "refuse", "approve"]).await;
        let mut body = json!({"order_id": scene.order, "cover_number": 1, "amount": amount, "method": "CB", "uuid": Uuid::now_v7()});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        for _ in 0..2 {
            assert_eq!(says(&scene.camille.post("/api/payments/split", &body).await), (503, "terminal_unavailable"), "{body}");
        }
        let paid = scene.camille.post("/api/payments/split", &body).await;
        assert_eq!((paid.status, &paid.body["remaining_amount"]), (201, &json!(owed)), "{}", paid.text);
        scene.ledgers_agree().await;
    }
}

/// Whoever settles holds the attempt for as long as that takes; what the terminal says is stored all the same.
#[tokio::test]
async fn a_word_is_stored_while_its_attempt_is_held() {
    let scene = Scene::patient(&["silent"], SECOND).await;
    let id = domain::PaymentId::new(scene.charge(1).await.body["payment_id"].as_i64().unwrap()).unwrap();
    let mut holding = scene.app.house.db.begin().await.unwrap();
    db::attempts::hold(&mut *holding, id).await.unwrap().unwrap();
    let said = Outcome::Approved { approval_code: None, amount: domain::Cents(2550) };
    let stored = tokio::time::timeout(SECOND * 3, db::words::insert(&scene.app.house.db, id, &said, true)).await;
    stored.expect("it does not wait").unwrap();
    holding.rollback().await.unwrap();
}

async fn journal_says(scene: &Scene, code: &str) -> i64 {
    sqlx::query_scalar("select count(*) from audit_logs where chain = 'J' and metadata ->> 'code' = lower($1)")
        .bind(code)
        .fetch_one(&scene.app.owner)
        .await
        .unwrap()
}

/// An attempt that a person ended as not accepted, and a terminal that says later that it took so much.
pub async fn contradicted(scene: &Scene, cents: i64) -> (Value, Value) {
    let id = scene.charge(1).await.body["payment_id"].clone();
    assert_eq!(refuse(scene, &id).await.status, 200);
    let said = Outcome::Approved { approval_code: Some("A1".to_owned()), amount: domain::Cents(cents) };
    db::words::insert(&scene.app.house.db, domain::PaymentId::new(id.as_i64().unwrap()).unwrap(), &said, true).await.unwrap();
    recover(&scene.app.house).await;
    let word = scene.payment(&id).await["contradictions"][0]["id"].clone();
    (id, word)
}

#[tokio::test]
async fn an_approval_that_is_not_booked_is_not_kept_but_booked() {
    for (cents, left) in [(2550, 76.5), (2000, 82.0)] {
        let scene = Scene::patient(&["silent"], SECOND).await;
        let (id, word) = contradicted(&scene, cents).await;
        let decide = async |decision: &str| {
            let body = json!({"decision": decision, "reason": "Ticket du TPE lu"});
            scene.camille.post(&format!("/api/payments/{id}/contradictions/{word}"), &body).await
        };
        assert_eq!(decide("kept").await.status, 422, "the card is charged and nothing is booked");
        assert_eq!(says(&scene.camille.post("/api/nf525/close", &json!({})).await), (409, "unresolved_payments"));
        let booked = decide("booked").await;
        assert_eq!(
            (booked.status, &booked.body["status"], &booked.body["contradictions"][0]["decision"]),
            (200, &json!("approved"), &json!("booked")),
            "{}",
            booked.text
        );
        let bill = scene.camille.get(&format!("/api/orders/{}/bill", scene.order)).await.body;
        assert_eq!(bill["remaining"].as_f64(), Some(left), "{bill}");
        assert_eq!(count(&scene.app.owner, "select count(*) from audit_logs where chain = 'T'").await, 1);
        assert_eq!(says(&decide("refunded").await), (409, "not_unknown"));
        assert_eq!(scene.camille.get("/api/nf525/verify").await.body["ok"], json!(true));
        assert_eq!(scene.camille.post("/api/nf525/close", &json!({})).await.status, 200);
        for code in ["PAYMENT_RESOLVED", "PAYMENT_CONTRADICTED", "CONTRADICTION_DECIDED"] {
            assert_eq!(journal_says(&scene, code).await, 1, "{code}");
        }
    }
}

#[tokio::test]
async fn an_approval_whose_share_is_paid_by_other_means_can_only_be_given_back() {
    let scene = Scene::patient(&["silent"], SECOND).await;
    let (id, word) = contradicted(&scene, 2550).await;
    assert_eq!(scene.cash(1).await.status, 201);
    let decide = async |decision: &str| {
        let body = json!({"decision": decision, "reason": "Remboursé au TPE"});
        scene.camille.post(&format!("/api/payments/{id}/contradictions/{word}"), &body).await
    };
    let gone = decide("booked").await;
    assert_eq!((gone.status, gone.text.contains("share_is_gone")), (422, true), "{}", gone.text);
    assert_eq!(journal_says(&scene, "CONTRADICTION_DECIDED").await, 0, "nothing was decided");
    assert_eq!(decide("refunded").await.status, 200);
    assert_eq!(count(&scene.app.owner, "select count(*) from payments").await, 1);
}

#[tokio::test]
async fn an_attempt_that_ended_does_not_begin_again_without_a_decision() {
    let scene = Scene::playing(&["decline"]).await;
    let id = scene.charge(1).await.body["payment_id"].as_i64().unwrap();
    let reopen = sqlx::query("update payment_attempts set state = 'unknown' where id = $1").bind(id);
    assert!(reopen.execute(&scene.app.owner).await.is_err());
}

#[tokio::test]
async fn money_that_no_payment_explains_is_shown_until_a_person_has_said_what_became_of_it() {
    let scene = Scene::playing(&["another-first:1000"]).await;
    assert_eq!(scene.charge(1).await.status, 201);
    let strays = scene.camille.get("/api/payments/strays").await.body;
    assert_eq!((&strays[0]["amount"], &strays[0]["reference"]), (&json!(25.5), &json!("ZZZZZZZZZZ")), "{strays}");
    assert_eq!(journal_says(&scene, "PAYMENT_CONTRADICTED").await, 1);
    let id = &strays[0]["id"];
    let decide = async |decision: &str, reason: &str| {
        scene.camille.post(&format!("/api/payments/strays/{id}"), &json!({"decision": decision, "reason": reason})).await
    };
    assert_eq!(decide("refunded", " ").await.status, 422);
    assert_eq!(decide("booked", "Ticket lu").await.status, 422, "there is nothing that it could be booked for");
    let decided = decide("refunded", "Remboursé au TPE").await;
    assert_eq!((decided.status, &decided.body["by"]), (200, &json!("Camille")), "{}", decided.text);
    assert_eq!(says(&decide("kept", "Non").await), (409, "not_unknown"));
    assert_eq!(scene.camille.get("/api/payments/strays").await.body, json!([]));
    assert_eq!(journal_says(&scene, "CONTRADICTION_DECIDED").await, 1);
}

/// A Caisse-AP terminal that answers late and names nobody: what it says is stored as it says it.
#[tokio::test]
async fn a_late_answer_without_a_name_is_kept() {
    let scene = Scene::listening(&["late-no-echo:2000"], SECOND, Duration::from_secs(10)).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    until("it is shown", async || scene.camille.get("/api/payments/strays").await.body[0]["amount"] == json!(25.5)).await;
    assert_eq!(scene.payment(&id).await["status"], "unknown", "nobody can tell whose it is");
}
