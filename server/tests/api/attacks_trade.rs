//! Attacks of the trade: what is done with the till itself rather than with its database. The second half of the list of [`crate::attacks`].

use crate::attacks::{as_owner, flaws};
use crate::records::sell;
use crate::support::{Client, TestApp};
use domain::fiscal::Chain;
use serde_json::{Value, json};
use server::services::clock::{self, Reading};
use time::Duration;

/// Technical events of this code: who, and what else there is to know.
async fn events(app: &TestApp, code: &str) -> Vec<(String, Value)> {
    sqlx::query_as("select metadata ->> 'operator', (metadata -> 'details')::jsonb from audit_logs where chain = 'J' and metadata ->> 'code' = $1 order by id")
        .bind(code)
        .fetch_all(&app.owner)
        .await
        .unwrap()
}

fn coffee(rate: f64, price: f64) -> Value {
    json!({"kind": "drink", "name": "Expresso", "category": "Boissons", "price": price, "vat_rate": rate})
}

async fn order_coffee(alice: &Client, table: u32) -> i64 {
    let order = alice.post("/api/orders", &json!({"table_id": table, "covers": 1, "items": [{"item_id": 71, "qty": 1}]})).await;
    order.body["order_id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_wrong_rate_is_said_when_it_is_set_and_stands_on_the_z() {
    let app = TestApp::start().await;
    let (alice, camille, gerant) = (app.signed_in("alice").await, app.signed_in("camille").await, app.signed_in("gerant").await);
    let ordered_before = order_coffee(&alice, 1).await;
    let changed = gerant.put("/api/menu/items/71", &coffee(5.5, 2.5)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let said = events(&app, "menu_changed").await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!((said[0].0.as_str(), &said[0].1["rate"], &said[0].1["item"]), ("Gérant", &json!("5,5\u{a0}%"), &json!("Expresso")));
    assert!(said[0].1["rate_before"].as_str().is_some_and(|rate| rate != "5,5\u{a0}%"), "{said:?}");

    // What was ordered keeps the rate that it was ordered at; what comes after has the new one; the Z shows both.
    let request = json!({"order_id": ordered_before, "cover_number": 1, "amount": 2.5, "method": "ESPECES"});
    assert_eq!(camille.post("/api/payments/split", &request).await.status, 201);
    sell(&alice, &camille, 2).await;
    let z = camille.post("/api/nf525/close", &json!({})).await.body;
    let rates: Vec<f64> = z["summary"]["vat"].as_array().unwrap().iter().map(|vat| vat["rate"].as_f64().unwrap()).collect();
    assert_eq!(rates.len(), 2, "{z}");
    assert!(rates.contains(&5.5), "{rates:?}");
    println!("dit       {:45} menu_changed, et les deux taux sur le Z", "set another rate");

    // A rate that is not the signed one, in the line that was paid or in the record.
    let line = sqlx::query("update order_lines set vat_rate = 2000 where order_id = $1").bind(ordered_before).execute(&app.house.db).await;
    assert!(line.unwrap_err().to_string().contains("encaissée"));
    println!("refusé    update order_lines set vat_rate = …");
    sqlx::raw_sql(
        "alter table audit_logs disable trigger audit_logs_no_change; update audit_logs set vat = '2000:250' where id = (select min(id) from audit_logs where chain = 'T');
         alter table audit_logs enable always trigger audit_logs_no_change",
    )
    .execute(&app.owner)
    .await
    .unwrap();
    assert!(flaws(&app).await.contains(&"T 1 signed_text_differs".to_owned()));
    println!("détecté   {:45} T 1 signed_text_differs", "another rate in the record");
}

#[tokio::test]
async fn there_is_no_ticket_without_its_record() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = order_coffee(&alice, 1).await;
    for no in [0, 1, 2] {
        assert_eq!(camille.get(&format!("/api/nf525/tickets/{no}")).await.status, 404);
        assert_eq!(camille.post(&format!("/api/nf525/tickets/{no}/print"), &json!({})).await.status, 404);
    }
    // What can be had before paying says what it is, and is a record too.
    let note = alice.post(&format!("/api/orders/{order}/note"), &json!({})).await;
    assert_eq!(note.status, 200, "{}", note.text);
    let text = note.text.to_uppercase();
    assert!(text.contains("PROVISOIRE") && !text.contains("TICKET N"), "{}", note.text);
    let recorded: i64 = sqlx::query_scalar("select count(*) from audit_logs where chain = 'N'").fetch_one(&app.owner).await.unwrap();
    assert_eq!(recorded, 1);

    // When nothing can be signed, nothing is sold: no money without its record, and no ticket.
    sqlx::raw_sql("alter function fiscal_append rename to fiscal_append_gone").execute(&app.owner).await.unwrap();
    let request = json!({"order_id": order, "cover_number": 1, "amount": 2.5, "method": "ESPECES"});
    let refused = camille.post("/api/payments/split", &request).await;
    assert!(refused.status >= 500, "{}", refused.text);
    let booked: i64 = sqlx::query_scalar("select count(*) from payments").fetch_one(&app.owner).await.unwrap();
    assert_eq!((booked, camille.get("/api/nf525/tickets/1").await.status), (0, 404));
    sqlx::raw_sql("alter function fiscal_append_gone rename to fiscal_append").execute(&app.owner).await.unwrap();
    let paid = camille.post("/api/payments/split", &request).await;
    assert_eq!((paid.status, &paid.body["ticket_no"]), (201, &json!(1)), "{}", paid.text);
    let (content, text): (String, String) = (
        sqlx::query_scalar("select metadata::text from audit_logs where chain = 'T'").fetch_one(&app.owner).await.unwrap(),
        camille.get("/api/nf525/tickets/1").await.text,
    );
    assert!(content.contains("\"ticket_no\":1,") && text.contains("Expresso"));
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    println!("impossible {:44} 404 sans enregistrement, rien n'est encaissé sans signature", "a ticket off the record");
}

#[tokio::test]
async fn a_clock_that_is_set_forward_is_in_the_technical_journal() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    sell(&alice, &camille, 1).await;
    let before = clock::read(&app.house).await.unwrap();
    let later = |clock: Duration, running: Duration| Reading { now: before.now + clock, running: before.running + running };
    // A night without a guest, and what the network corrects, are nothing to speak of; nor is a clock that goes back, which the next record says.
    for quiet in [
        later(Duration::hours(9), Duration::hours(9)),
        later(Duration::minutes(6), Duration::minutes(2)),
        later(-Duration::hours(1), Duration::minutes(1)),
    ] {
        assert!(!clock::compare(&app.house, before, quiet).await.unwrap());
    }
    let tomorrow = later(Duration::hours(24), Duration::minutes(1));
    assert!(clock::compare(&app.house, before, tomorrow).await.unwrap());
    let said = events(&app, "clock_went_forward").await;
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].1["now"], json!(domain::fiscal::utc_timestamp(tomorrow.now)));
    assert_eq!(said[0].1["expected"], json!(domain::fiscal::utc_timestamp(before.now + Duration::minutes(1))));
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    println!("dit       {:45} clock_went_forward", "set the clock forward");
}

#[tokio::test]
async fn a_line_that_the_kitchen_or_a_guest_knew_is_not_taken_off_unsaid() {
    let app = TestApp::start().await;
    let (alice, gerant) = (app.signed_in("alice").await, app.signed_in("gerant").await);
    let order = order_coffee(&alice, 1).await;
    let note = alice.post(&format!("/api/orders/{order}/note"), &json!({})).await;
    assert_eq!(note.status, 200, "{}", note.text);
    let line = alice.get(&format!("/api/orders/{order}")).await.body["lines"][0]["line_id"].as_i64().unwrap();
    let taken = alice.post(&format!("/api/orders/{order}/lines/{line}/void"), &json!({"qty": 1, "reason": "parti sans payer"})).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let said = events(&app, "line_voided").await;
    assert_eq!(said.len(), 1, "{said:?}");
    let (who, details) = &said[0];
    assert_eq!(
        (who.as_str(), &details["line"], &details["reason"], &details["qty"]),
        ("Alice", &json!("Expresso"), &json!("parti sans payer"), &json!("1"))
    );
    let released = alice.post(&format!("/api/orders/{order}/release"), &json!({})).await;
    assert_eq!(released.status, 200, "{}", released.text);
    assert_eq!(events(&app, "note_cancelled").await[0].1["notes"], json!("1"));
    // And the Z names the note that nobody paid.
    let z = gerant.post("/api/nf525/close", &json!({})).await;
    assert_eq!(z.status, 200, "{}", z.text);
    let left: Value = sqlx::query_scalar("select metadata::jsonb -> 'detail' -> 'notes_left' from audit_logs where chain = 'G'")
        .fetch_one(&app.owner)
        .await
        .unwrap();
    assert_eq!(left[0]["given_up"], json!(true), "{left}");
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    println!("dit       {:45} line_voided, note_cancelled, note nommée sur le Z", "print the note, take the cash, cancel");
}

#[tokio::test]
async fn who_works_here_and_what_is_on_the_menu_is_in_the_technical_journal_or_nothing_changes() {
    let app = TestApp::start().await;
    let gerant = app.signed_in("gerant").await;
    let new = json!({"username": "denise", "name": "Denise", "role": "serveur", "pin": "4321"});
    let added = gerant.post("/api/users", &new).await;
    assert_eq!(added.status, 201, "{}", added.text);
    let path = format!("/api/users/{}", added.body["id"]);
    let change = json!({"name": "Denise", "role": "caissier", "active": true, "pin": "8765"});
    assert_eq!(gerant.put(&path, &change).await.status, 200);
    let said = events(&app, "people_changed").await;
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        (&said[1].1["role_before"], &said[1].1["role"], &said[1].1["pin"]),
        (&json!("serveur"), &json!("caissier"), &json!("changé"))
    );
    assert!(!format!("{said:?}").contains("8765") && !format!("{said:?}").contains("4321"), "a PIN is nobody's business");
    // The same again says nothing.
    assert_eq!(gerant.put(&path, &json!({"name": "Denise", "role": "caissier", "active": true})).await.status, 200);
    assert_eq!(events(&app, "people_changed").await.len(), 2);

    assert_eq!(gerant.put("/api/menu/items/71", &coffee(10.0, 2.7)).await.status, 200);
    let said = events(&app, "menu_changed").await;
    assert_eq!(said[0].1["price"], json!(domain::Cents(270).to_french()), "{said:?}");

    // One transaction: what cannot be recorded does not happen.
    sqlx::raw_sql("alter function fiscal_append rename to fiscal_append_gone").execute(&app.owner).await.unwrap();
    assert!(gerant.put("/api/menu/items/71", &coffee(10.0, 9.9)).await.status >= 500);
    assert!(gerant.put(&path, &json!({"name": "Denise", "role": "admin", "active": true})).await.status >= 500);
    sqlx::raw_sql("alter function fiscal_append_gone rename to fiscal_append").execute(&app.owner).await.unwrap();
    let (price, role): (i64, String) =
        sqlx::query_as("select m.price_cents, u.role from menu_items m, users u where m.id = 71 and u.username = 'denise'")
            .fetch_one(&app.owner)
            .await
            .unwrap();
    assert_eq!((price, role.as_str()), (270, "caissier"));
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_other_than_at_the_last_start_is_said() {
    let app = TestApp::start().await;
    let start = async |zone: &str| {
        server::services::starting::say_started(&app.house, vec![("time_zone", zone.to_owned()), ("terminal", "none".to_owned())])
            .await
            .unwrap();
    };
    start("Europe/Paris").await;
    start("Europe/Paris").await;
    assert_eq!(events(&app, "setting_changed").await, []);
    start("Indian/Reunion").await;
    let said = events(&app, "setting_changed").await;
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].1, json!({"setting": "time_zone", "before": "Europe/Paris", "now": "Indian/Reunion"}));
    assert_eq!(events(&app, "started").await.len(), 3);
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    let end = server::db::journal::end(&app.house.db, "01", Chain::J).await.unwrap();
    assert!(end.record >= 4);
}

#[tokio::test]
async fn what_the_rules_forbid_is_refused_and_said() {
    let app = TestApp::start().await;
    let (alice, camille, gerant) = (app.signed_in("alice").await, app.signed_in("camille").await, app.signed_in("gerant").await);
    sell(&alice, &camille, 1).await;
    let payment: i64 = sqlx::query_scalar("select id from payments").fetch_one(&app.owner).await.unwrap();
    let path = format!("/api/payments/{payment}/refund");
    let too_much = gerant.post(&path, &json!({"amount": 99, "reason": "erreur"})).await;
    assert_eq!(too_much.status, 422, "{}", too_much.text);
    // The same again is the same.
    assert_eq!(gerant.post(&path, &json!({"amount": 99, "reason": "erreur"})).await.status, 422);
    // Nor do two that take turns fill the journal.
    sell(&alice, &camille, 2).await;
    let other: i64 = sqlx::query_scalar("select max(id) from payments").fetch_one(&app.owner).await.unwrap();
    for id in [other, payment, other, payment] {
        assert_eq!(gerant.post(&format!("/api/payments/{id}/refund"), &json!({"amount": 99, "reason": "erreur"})).await.status, 422);
    }
    // What was only mistyped is nobody's business.
    assert_eq!(gerant.post(&path, &json!({"amount": 1, "reason": ""})).await.status, 422);
    assert_eq!(gerant.post("/api/payments/99999/refund", &json!({"amount": 1, "reason": "erreur"})).await.status, 404);
    let said = events(&app, "refused").await;
    let of = |id: i64| ("Gérant".to_owned(), json!({"tried": "refund", "why": "more_than_paid", "payment": id.to_string()}));
    assert_eq!(said, [of(payment), of(other)]);

    let stranger = app.stranger();
    for _ in 0..8 {
        let guess = stranger.post("/api/auth/login", &json!({"username": "camille", "pin": "0000"})).await;
        assert!(matches!(guess.status, 401 | 429), "{}", guess.text);
    }
    assert!(stranger.post("/api/auth/login", &json!({"username": "nobody", "pin": "0000"})).await.status >= 401);
    // Written after the answer.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while events(&app, "refused").await.len() < 3 {
        assert!(std::time::Instant::now() < deadline, "it is never said");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let said = events(&app, "refused").await;
    assert_eq!(said.len(), 3, "once, when the name was locked: {said:?}");
    assert_eq!(said[2].1, json!({"tried": "sign_in", "why": "locked", "name": "Camille"}));
    assert_eq!(flaws(&app).await, Vec::<String>::new());
    // On another day the same is another try.
    as_owner(&app, "update audit_logs set date = date - 1 where metadata ->> 'code' = 'refused'").await;
    assert_eq!(gerant.post(&path, &json!({"amount": 99, "reason": "erreur"})).await.status, 422);
    assert_eq!(events(&app, "refused").await.len(), 4);
    println!("dit       {:45} refused", "give back more than sold, guess a PIN");
}

#[tokio::test]
async fn what_fails_for_a_minute_is_said_once_and_so_is_its_end() {
    use server::services::degraded::{Watch, heed};
    let app = TestApp::start().await;
    let (mut here, mut other) = (Watch::default(), Watch::default());
    let at = |seconds| std::time::Duration::from_secs(seconds);
    let mut look = async |terminal: bool, redis: bool, seconds: u64| {
        // Two processes on one database look at the same.
        for watch in [&mut here, &mut other] {
            heed(&app.house, watch, &[("terminal", terminal), ("redis", redis)], at(seconds)).await.unwrap();
        }
    };
    look(true, true, 0).await;
    look(false, true, 20).await;
    look(true, true, 40).await;
    look(false, true, 60).await;
    look(false, true, 119).await;
    assert_eq!((events(&app, "degraded_begun").await, events(&app, "degraded_ended").await), (vec![], vec![]), "not for a minute yet");
    look(false, false, 120).await;
    look(false, false, 140).await;
    let terminal = (String::new(), json!({"part": "terminal"}));
    assert_eq!(events(&app, "degraded_begun").await, std::slice::from_ref(&terminal));
    look(false, true, 300).await;
    assert_eq!(events(&app, "degraded_ended").await, []);
    // A process that begins now knows from the journal what was said.
    let mut begun_anew = Watch::default();
    heed(&app.house, &mut begun_anew, &[("terminal", true)], at(0)).await.unwrap();
    look(true, true, 320).await;
    assert_eq!((events(&app, "degraded_begun").await.len(), events(&app, "degraded_ended").await), (1, vec![terminal]));
    let codes: Vec<i64> = sqlx::query_scalar(
        "select (metadata ->> 'nf525_code')::bigint from audit_logs where metadata ->> 'code' like 'degraded%' order by id",
    )
    .fetch_all(&app.owner)
    .await
    .unwrap();
    assert_eq!(codes, [70, 120]);
    // One of them looks, so that two that reach different things do not contradict each other for a whole evening.
    let second = app.another_process(None).await;
    let mut first = 0;
    for house in [&app.house, &second] {
        first += u32::from(server::db::processes::is_first(&house.db, house.worker.id).await.unwrap());
    }
    assert_eq!(first, 1);
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}
