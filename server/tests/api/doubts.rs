//! What waits for a person's word, what a terminal can be asked meanwhile, and what is given away.

use crate::charging::{OnLine, Scene, caisse_ap, says};
use crate::charging_faults::contradicted;
use crate::support::{Answer, TestApp};
use domain::terminal::caisse_ap::Dialect;
use domain::terminal::concert::Speech;
use domain::terminal::{Probed, Till};
use serde_json::{Value, json};
use server::config::{ConcertLine, Framing, Terminal};
use server::db;
use server::sim::tpe::Simulator;
use server::sim::tpe::line::PseudoTerminal;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

async fn to_check(scene: &Scene) -> Value {
    scene.camille.get("/api/payments/to-check").await.body
}

async fn close(scene: &Scene) -> Answer {
    scene.camille.post("/api/nf525/close", &json!({})).await
}

/// A card that was charged for share 1 under a name that is none of ours, and an attempt that ended without.
async fn stray(scene: &Scene) -> Value {
    let unknown = scene.charge(1).await;
    assert_eq!(says(&unknown), (504, "terminal_unknown"), "{}", unknown.text);
    let id = unknown.body["payment_id"].clone();
    let open = to_check(scene).await;
    assert_eq!((&open["open"][0]["payment_id"], &open["open"][0]["table"]), (&id, &json!("12")), "{open}");
    assert_eq!((&open["open"][0]["amount"], &open["open"][0]["by"]), (&json!(25.5), &json!("Camille")));
    let blocked = close(scene).await;
    assert_eq!((says(&blocked), &blocked.body["payment_ids"]), ((409, "unresolved_payments"), &json!([id])));
    assert_eq!(scene.resolve(&id, json!({"outcome": "not_accepted", "reason": "Rien à ce nom"})).await.status, 200);
    let waiting = to_check(scene).await;
    assert_eq!((&waiting["open"], &waiting["strays"][0]["stray"]["amount"]), (&json!([]), &json!(25.5)), "{waiting}");
    waiting["strays"][0]["stray"]["id"].clone()
}

#[tokio::test]
async fn money_without_a_payment_closes_no_day_until_a_person_has_booked_it_for_a_share() {
    let scene = Scene::playing(&["wrong-echo"]).await;
    let id = stray(&scene).await;
    let blocked = close(&scene).await;
    assert_eq!((says(&blocked), &blocked.body["strays"]), ((409, "unresolved_payments"), &json!([id])), "{}", blocked.text);
    let order = scene.order.clone();
    let decide = async |cover: u32| {
        let share = json!({"order_id": order, "cover_number": cover});
        let body = json!({"decision": "booked", "reason": "Ticket présenté", "approval_code": "A1B2", "share": share});
        scene.camille.post(&format!("/api/payments/strays/{id}"), &body).await
    };
    let split = async |parts: u32| {
        let body = json!({"mode": "equal", "parts": parts});
        assert_eq!(scene.camille.put(&format!("/api/orders/{order}/split"), &body).await.status, 200);
    };
    split(8).await;
    let less = decide(1).await;
    assert_eq!((less.status, less.text.contains("owes_less")), (422, true), "{}", less.text);
    assert_eq!(decide(77).await.status, 422);
    assert_eq!(scene.camille.get("/api/payments/strays").await.body.as_array().unwrap().len(), 1, "nothing was decided");

    // Half of the bill is owed; what the card paid is taken out of it, and the rest stays a share.
    split(2).await;
    let booked = decide(1).await;
    assert_eq!(
        (booked.status, &booked.body["decision"], &booked.body["by"]),
        (200, &json!("booked"), &json!("Camille")),
        "{}",
        booked.text
    );
    let payment = scene.payment(&booked.body["booked_as"]).await;
    assert_eq!(
        (&payment["status"], &payment["amount"], &payment["approval_code"], &payment["ticket_no"]),
        (&json!("approved"), &json!(25.5), &json!("A1B2"), &json!(1)),
        "{payment}"
    );
    assert_eq!(payment["history"].as_array().unwrap().last().unwrap()["why"], json!("Ticket présenté"));
    let bill = scene.camille.get(&format!("/api/orders/{order}/bill")).await.body;
    assert_eq!((&bill["paid"], &bill["remaining"]), (&json!(25.5), &json!(76.5)), "{bill}");
    let wrong_means = json!({"method": "ESPECES", "reason": "Erreur"});
    let certain = scene.camille.post(&format!("/api/payments/{}/method", booked.body["booked_as"]), &wrong_means).await;
    assert!(certain.text.contains("taken_by_terminal"), "{}", certain.text);
    assert_eq!(says(&decide(2).await), (409, "not_unknown"), "once");
    assert_eq!(to_check(&scene).await, json!({"open": [], "contradictions": [], "strays": []}));
    let z = close(&scene).await;
    assert_eq!((z.status, &z.body["summary"]["by_method"]["CB"]), (200, &json!(25.5)), "{}", z.text);
    assert_eq!(scene.camille.get("/api/nf525/verify").await.body["ok"], json!(true));
}

#[tokio::test]
async fn whatever_it_is_somebody_can_decide_and_close() {
    for decision in ["refunded", "kept"] {
        let scene = Scene::playing(&["wrong-echo"]).await;
        let id = stray(&scene).await;
        let path = format!("/api/payments/strays/{id}");
        let share = json!({"order_id": scene.order, "cover_number": 1});
        for wrong in [
            json!({"decision": decision, "reason": "Ticket lu", "share": share}),
            json!({"decision": "booked", "reason": "Ticket lu"}),
            json!({"decision": decision, "reason": "Ticket lu", "approval_code": "é"}),
            json!({"decision": decision, "reason": ""}),
        ] {
            assert_eq!(scene.camille.post(&path, &wrong).await.status, 422, "{wrong}");
        }
        let body = json!({"decision": decision, "reason": "Remboursé au TPE", "approval_code": "R7"});
        assert_eq!(scene.camille.post(&path, &body).await.status, 200);
        assert_eq!(close(&scene).await.status, 200);
        let kept: String = sqlx::query_scalar("select approval_code from stray_decisions").fetch_one(&scene.app.owner).await.unwrap();
        assert_eq!(kept, "R7");
        let taken_back = sqlx::query("delete from stray_decisions").execute(&scene.app.owner).await;
        assert!(taken_back.is_err(), "a decision stays");
    }
}

#[tokio::test]
async fn of_two_who_book_the_same_money_one_does() {
    let scene = Scene::playing(&["wrong-echo"]).await;
    let id = stray(&scene).await;
    let other = json!({"table_id": 4, "covers": 1, "items": [{"dish_id": 12, "qty": 2}]});
    let other = scene.camille.post("/api/orders", &other).await.body["order_id"].clone();
    let decide = |order: Value| {
        let body = json!({"decision": "booked", "reason": "Ticket présenté", "share": {"order_id": order, "cover_number": 1}});
        let (camille, path) = (scene.camille.clone(), format!("/api/payments/strays/{id}"));
        async move { camille.post(&path, &body).await }
    };
    let answers =
        futures::future::join_all((0..12).map(|turn| decide(if turn % 2 == 0 { scene.order.clone() } else { other.clone() }))).await;
    let booked = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)), "{:?}", answers.iter().map(says).collect::<Vec<_>>());
    assert_eq!(booked, 1);
    let payments: i64 = sqlx::query_scalar("select count(*) from payments").fetch_one(&scene.app.owner).await.unwrap();
    assert_eq!(payments, 1);
}

#[tokio::test]
async fn a_contradiction_says_whose_it_is_and_whether_it_can_still_be_booked() {
    let scene = Scene::patient(&["silent"], SECOND).await;
    let (id, word) = contradicted(&scene, 2550).await;
    let doubt = to_check(&scene).await["contradictions"][0].clone();
    assert_eq!(
        (&doubt["payment"]["payment_id"], &doubt["payment"]["cover_number"], &doubt["said"]["amount"], &doubt["can_be_booked"]),
        (&id, &json!(1), &json!(25.5), &json!(true)),
        "{doubt}"
    );
    assert_eq!(scene.cash(1).await.status, 201);
    assert_eq!(to_check(&scene).await["contradictions"][0]["can_be_booked"], json!(false), "its share is paid");
    let body = json!({"decision": "refunded", "reason": "Remboursé au TPE", "approval_code": "R1"});
    assert_eq!(scene.camille.post(&format!("/api/payments/{id}/contradictions/{word}"), &body).await.status, 200);
    assert_eq!(to_check(&scene).await["contradictions"], json!([]));
}

async fn query(scene: &Scene, id: &Value) -> Answer {
    scene.camille.post(&format!("/api/payments/{id}/query"), &json!({})).await
}

/// Whatever the terminal says of its last ticket, the payment is as it was until a person has said how it ended.
async fn asked_for_its_last_ticket(scene: &Scene) {
    let unknown = scene.charge(1).await;
    assert_eq!(says(&unknown), (504, "terminal_unknown"), "{}", unknown.text);
    let id = unknown.body["payment_id"].clone();
    assert_eq!(scene.payment(&id).await["can_ask_terminal"], json!(true));
    let requests = scene.terminal.requests();
    let said = query(scene, &id).await;
    assert_eq!(
        (said.status, &said.body["answer"], &said.body["amount"], &said.body["approval_code"]),
        (200, &json!("same_payment"), &json!(25.5), &json!("123456")),
        "{}",
        said.text
    );
    assert_eq!(
        (&said.body["payment"]["status"], scene.terminal.requests(), scene.terminal.charged().len()),
        (&json!("unknown"), requests, 1)
    );
    let last = said.body["payment"]["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["to"], &last["by"]), (&json!("unknown"), &json!("Camille")));
    assert!(last["why"].as_str().unwrap().starts_with("duplicata: same_payment, 25,50"), "{last}");
    let booked: i64 = sqlx::query_scalar("select count(*) from payments").fetch_one(&scene.app.owner).await.unwrap();
    assert_eq!(booked, 0, "evidence books nothing");

    // The next guest: the last ticket is another's.
    assert_eq!(scene.charge(2).await.status, 201);
    assert_eq!(query(scene, &id).await.body["answer"], json!("other_payment"));
    assert_eq!(scene.resolve(&id, json!({"outcome": "accepted", "reason": "Ticket lu", "approval_code": "123456"})).await.status, 200);
    assert_eq!(says(&query(scene, &id).await), (409, "not_unknown"));
    scene.ledgers_agree().await;
}

#[tokio::test]
async fn a_terminal_is_asked_for_its_last_ticket_over_tcp() {
    asked_for_its_last_ticket(&Scene::playing(&["drop-after-request", "approve"]).await).await;
}

#[tokio::test]
async fn a_terminal_is_asked_for_its_last_ticket_on_a_serial_line() {
    let tagged = Speech::Tagged(Dialect::default());
    let line = OnLine::speaking(tagged, &["drop-answer:0", "approve"], Duration::from_secs(2), Duration::ZERO).await;
    asked_for_its_last_ticket(&line.scene).await;
}

#[tokio::test]
async fn a_terminal_that_another_process_asks_for_its_last_ticket_is_busy_and_the_other_way_round() {
    let scene = Scene::playing(&["drop-after-request", "approve"]).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    // As whoever asks keeps it, and as whoever begins a payment at it does before its commit.
    let name: String = sqlx::query_scalar("select terminal from payment_attempts").fetch_one(&scene.app.owner).await.unwrap();
    let mut elsewhere = scene.app.owner.begin().await.unwrap();
    assert!(db::attempts::keep_terminal(&mut elsewhere, &name).await.unwrap());
    let (requests, attempts) = (scene.terminal.requests(), "select count(*) from payment_attempts");
    assert_eq!(says(&scene.charge(2).await), (409, "terminal_busy"));
    assert_eq!(says(&query(&scene, &id).await), (409, "terminal_busy"));
    let stored: i64 = sqlx::query_scalar(attempts).fetch_one(&scene.app.owner).await.unwrap();
    assert_eq!((stored, scene.terminal.requests()), (1, requests), "nothing of it was begun");
    elsewhere.commit().await.unwrap();
    assert_eq!(query(&scene, &id).await.body["answer"], json!("same_payment"));
    assert_eq!(scene.charge(2).await.status, 201);
}

#[tokio::test]
async fn what_a_terminal_cannot_be_asked_is_said() {
    let line = OnLine::playing(&["drop-answer:0"], Duration::from_secs(2)).await;
    let id = line.scene.charge(1).await.body["payment_id"].clone();
    let payment = line.scene.payment(&id).await;
    assert_eq!((&payment["status"], &payment["can_ask_terminal"]), (&json!("unknown"), &Value::Null), "fixed fields have no such question");
    assert_eq!(query(&line.scene, &id).await.body["answer"], json!("unsupported"));

    // It has taken nothing yet.
    let scene = Scene::patient(&["silent"], SECOND).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    assert_eq!(query(&scene, &id).await.body["answer"], json!("refused"));
    // As long as it may still say it itself it is asked nothing.
    let scene = Scene::listening(&["silent"], SECOND, Duration::from_secs(60)).await;
    let id = scene.charge(1).await.body["payment_id"].clone();
    assert_eq!(says(&query(&scene, &id).await), (409, "still_listening"));
    assert_eq!(scene.payment(&id).await["can_ask_terminal"], Value::Null);
}

#[tokio::test]
async fn whether_a_terminal_is_there_is_asked_without_asking_for_money() {
    let scene = Scene::playing(&["approve"]).await;
    let terminal = scene.app.house.terminal.clone().unwrap();
    assert_eq!(terminal.probe().await, Probed::Answers);
    assert_eq!((scene.terminal.requests(), scene.app.stranger().get("/health/ready").await.body), (0, json!({"status": "ready"})));
    let metrics = scene.app.stranger().get("/metrics").await.text;
    assert!(metrics.contains("comptoir_terminal_up 1") && metrics.contains("comptoir_money_to_check 0"), "{metrics}");

    for speech in [Speech::Fixed, Speech::Tagged(Dialect::default())] {
        let line = OnLine::speaking(speech, &["approve"], Duration::from_secs(20), Duration::ZERO).await;
        let terminal = line.scene.app.house.terminal.clone().unwrap();
        assert_eq!((terminal.probe().await, line.scene.terminal.requests()), (Probed::Answers, 0));
        assert_eq!(line.scene.charge(1).await.status, 201, "and then it is paid at");
    }

    // Nobody picks up.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let app = TestApp::with_terminal(caisse_ap(port, SECOND, Duration::ZERO)).await;
    assert_eq!(app.house.terminal.as_deref().unwrap().probe().await, Probed::Unreachable);
    let ready = app.stranger().get("/health/ready").await;
    assert_eq!((ready.status, &ready.body["degraded"]), (200, &json!(["terminal"])), "the house sells on");
    // What is written of it goes by the payments that could not reach it.
    let parts = async || server::services::degraded::look(&app.house).await.unwrap();
    assert_eq!(parts().await, [("redis", true), ("terminal", true), ("kitchen_system", true), ("anchors", true)]);
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order =
        alice.post("/api/orders", &json!({"table_id": 1, "covers": 1, "items": [{"item_id": 71, "qty": 1}]})).await.body["order_id"]
            .clone();
    let paid = camille.post("/api/payments/split", &json!({"order_id": order, "cover_number": 1, "amount": 2.5, "method": "CB"})).await;
    assert_eq!(paid.status, 503, "{}", paid.text);
    assert_eq!(parts().await, [("redis", true), ("terminal", false), ("kitchen_system", true), ("anchors", true)]);
    // The cable is back: the line answers before anybody pays by card again.
    let _back = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let house = app.another_process(None).await;
    assert_eq!(
        server::services::degraded::look(&house).await.unwrap(),
        [("redis", true), ("terminal", true), ("kitchen_system", true), ("anchors", true)]
    );

    let silent = PseudoTerminal::open().unwrap();
    let path = silent.name().to_owned();
    let (patience, late) = (SECOND, Duration::ZERO);
    let line = ConcertLine { path, baud: 9600, framing: Framing::EightNone, speech: Speech::Fixed, till: Till::FIRST, patience, late };
    let app = TestApp::with_terminal(Terminal::Concert(line)).await;
    assert_eq!(app.house.terminal.as_deref().unwrap().probe().await, Probed::Unreachable);
}

#[tokio::test]
async fn what_was_not_sent_is_given_up_and_what_was_sent_is_not() {
    // A terminal that does not pick up: two calls wait in its queue, and the third is not taken.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let _waiting = futures::future::join_all([TcpStream::connect(address), TcpStream::connect(address)]).await;
    let scene = Scene::with(Simulator::playing(Vec::new()), caisse_ap(address.port(), Duration::from_secs(20), Duration::ZERO)).await;
    let body = json!({"order_id": scene.order, "cover_number": 1, "amount": 25.5, "method": "CB", "uuid": Uuid::now_v7()});
    let camille = scene.camille.clone();
    let paying = tokio::spawn(async move { camille.post("/api/payments/split", &body).await });
    let id = tokio::time::timeout(SECOND * 2, async {
        loop {
            let share = scene.share(1).await;
            if share["status"] == "pending" {
                break share["payment_id"].clone();
            }
        }
    });
    let id = id.await.expect("it is stored before the terminal is reached");
    let given_up = scene.camille.post(&format!("/api/payments/{id}/abort"), &json!({})).await;
    assert_eq!((given_up.status, &given_up.body["status"]), (200, &json!("not_sent")), "{}", given_up.text);
    assert_eq!(scene.share(1).await["status"], "unpaid");
    assert_eq!(says(&paying.await.unwrap()), (503, "terminal_unavailable"), "nothing was taken");
    assert_eq!(scene.steps(&id).await, ["created", "not_sent"]);

    let scene = Scene::playing(&["slow:2000"]).await;
    let (id, answer) = scene.at_the_terminal(1).await;
    let late = scene.camille.post(&format!("/api/payments/{id}/abort"), &json!({})).await;
    assert_eq!((says(&late), late.text.contains("touche rouge")), ((409, "too_late_to_abort"), true), "{}", late.text);
    assert_eq!(answer.await.unwrap().status, 201);
    scene.ledgers_agree().await;
}

/// What all tickets say was taken off, in cents.
async fn taken_off(app: &TestApp) -> i64 {
    sqlx::query_scalar(
        "select coalesce(sum((line->'discount'->>'amount')::bigint), 0)::bigint
         from audit_logs, jsonb_array_elements(metadata::jsonb->'lines') as line where chain = 'T'",
    )
    .fetch_one(&app.owner)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_bill_that_is_all_on_the_house_leaves_a_ticket_over_nothing() {
    let app = TestApp::start().await;
    let camille = app.signed_in("camille").await;
    let order = crate::paying::table_12(&camille).await;
    let off = camille.post(&format!("/api/orders/{order}/discount"), &json!({"percent": 100, "reason": "Geste commercial"})).await;
    assert_eq!((off.status, &off.body["total"], &off.body["status"]), (200, &json!(0), &json!("open")), "guests may go on: {}", off.text);
    let released = camille.post(&format!("/api/orders/{order}/release"), &json!({})).await;
    assert_eq!(
        (released.status, &released.body["status"], &released.body["ticket_no"]),
        (200, &json!("paid_complete"), &json!(1)),
        "{}",
        released.text
    );
    let text = camille.get("/api/nf525/tickets/1").await.body["text"].as_str().unwrap().to_owned();
    for part in ["Magret", "Geste commercial", "0,00"] {
        assert!(text.contains(part), "{part} is missing from\n{text}");
    }
    assert_eq!(taken_off(&app).await, 10_200);
    let bill = camille.get(&format!("/api/orders/{order}/bill")).await.body;
    assert_eq!(bill["closed"], json!(true), "{bill}");
    let printed = camille.post("/api/nf525/tickets/1/decline", &json!({})).await;
    assert_eq!(printed.status, 204, "{}", printed.text);
    let z = camille.post("/api/nf525/close", &json!({})).await.body;
    let paper = z["ticket"].as_str().unwrap();
    assert_eq!((&z["summary"]["count"], &z["summary"]["total_ttc"]), (&json!(0), &json!(0)), "nothing was paid:\n{paper}");
    assert!(paper.contains("Remises accordées                     102,00"), "{paper}");
    assert_eq!(camille.get("/api/nf525/verify").await.body["ok"], json!(true));
}

#[tokio::test]
async fn every_discount_is_on_a_ticket_whenever_it_came() {
    for last in [100, 50] {
        let app = TestApp::start().await;
        let camille = app.signed_in("camille").await;
        let order = crate::paying::table_12(&camille).await;
        let line = camille.get(&format!("/api/orders/{order}")).await.body["lines"][1]["line_id"].clone();
        let discount = async |body: Value| {
            let off = camille.post(&format!("/api/orders/{order}/discount"), &body).await;
            assert_eq!(off.status, 200, "{}", off.text);
        };
        let pay = async |cover: u32| {
            let bill = camille.get(&format!("/api/orders/{order}/bill")).await.body;
            let share = bill["shares"].as_array().unwrap().iter().find(|share| share["cover_number"] == cover).unwrap().clone();
            let body = json!({"order_id": order, "cover_number": cover, "amount": share["amount"], "method": "ESPECES"});
            let paid = camille.post("/api/payments/split", &body).await;
            assert_eq!(paid.status, 201, "{}", paid.text);
        };
        discount(json!({"percent": 10, "reason": "Attente"})).await;
        pay(1).await;
        discount(json!({"line_id": line, "percent": 100, "reason": "Bouchonné"})).await;
        pay(2).await;
        discount(json!({"amount": 3.33, "reason": "Fidélité"})).await;
        pay(3).await;
        discount(json!({"percent": last, "reason": "Geste commercial"})).await;
        if last < 100 {
            pay(4).await;
        }
        let (off, status): (i64, String) =
            sqlx::query_as("select sum(l.discount_cents)::bigint, min(o.status) from order_lines l join orders o on o.id = l.order_id")
                .fetch_one(&app.owner)
                .await
                .unwrap();
        assert_eq!((taken_off(&app).await, status.as_str()), (off, "paid_complete"), "all of it, to the cent");
        let verified = camille.get("/api/nf525/verify").await.body;
        assert_eq!(verified["ok"], json!(true), "{verified}");
    }
}

#[tokio::test]
async fn the_same_note_is_written_once() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let order = crate::paying::table_12(&alice).await;
    let path = format!("/api/orders/{order}/note");
    let uuid = Uuid::now_v7();
    let notes = futures::future::join_all((0..8).map(|_| async { alice.post(&path, &json!({"uuid": uuid})).await })).await;
    assert!(notes.iter().all(|note| (note.status, &note.body) == (200, &notes[0].body)), "{}", notes[0].text);
    assert_eq!(notes.iter().filter(|note| note.header("idempotent-replay") == Some("true")).count(), 7);
    let without_a_body = alice.send(alice.request(reqwest::Method::POST, &path)).await;
    assert_eq!((without_a_body.status, &without_a_body.body["note_no"]), (200, &json!(2)), "{}", without_a_body.text);
    let header = alice.request(reqwest::Method::POST, &path).header("idempotency-key", uuid.to_string());
    assert_eq!(alice.send(header).await.body["note_no"], json!(1));
}

#[tokio::test]
async fn devices_that_sign_in_under_one_name_at_the_same_moment_all_get_in() {
    let app = TestApp::start().await;
    let login = json!({"username": "camille", "pin": "1234"});
    let answers = futures::future::join_all((0..4).map(|_| async { app.stranger().post("/api/auth/login", &login).await.status })).await;
    assert_eq!(answers, [200; 4]);
}
