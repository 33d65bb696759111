//! Everything that is recorded besides sales, and the closings that sum it.

use crate::support::{Client, TestApp};
use domain::api::Method;
use domain::fiscal::{EventCode, MoneyKind, NoteLine, PrintMeans, TicketLine, TicketPayment};
use domain::{Cents, OrderId, VatRate};
use serde_json::{Value, json};
use server::services::recording::{self, NewMoney, NewNote, NewTicket};
use server::services::{closing, starting, verifying};
use uuid::Uuid;

async fn flaws(app: &TestApp) -> Vec<String> {
    let report = verifying::verify(&app.house.db).await.unwrap();
    report.flaws.iter().map(|flaw| format!("{} {} {}", flaw.chain, flaw.seq, flaw.code)).collect()
}

/// Sells one coffee and returns the ticket's number and its order.
pub async fn sell(alice: &Client, camille: &Client, table: u32) -> (i64, i64) {
    let order = alice.post("/api/orders", &json!({"table_id": table, "covers": 1, "items": [{"item_id": 71, "qty": 1}]})).await;
    let request = json!({"order_id": order.body["order_id"], "cover_number": 1, "amount": 2.5, "method": "ESPECES"});
    let paid = camille.post("/api/payments/split", &request).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    (paid.body["ticket_no"].as_i64().unwrap(), order.body["order_id"].as_i64().unwrap())
}

fn counter_entry(cents: i64) -> NewTicket<'static> {
    NewTicket {
        table: "1",
        covers: 1,
        share: None,
        operator: "Gérant",
        order_ref: Uuid::nil().to_string(),
        lines: vec![TicketLine {
            name: "Expresso".to_owned(),
            qty_thousandths: 1000,
            unit_price: Cents(250),
            amount: Cents(-cents),
            rate: VatRate::INTERMEDIATE_10,
            discount: None,
        }],
        payments: vec![TicketPayment::of(Method::Especes, Cents(-cents))],
        notes: Vec::new(),
    }
}

/// Makes the open period one of an earlier day, as waiting would have done.
async fn let_time_pass(app: &TestApp, day: &str) {
    let sql = format!(
        "alter table fiscal_periods disable trigger fiscal_periods_no_change;
         alter table audit_logs disable trigger audit_logs_no_change;
         update fiscal_periods set service_day = ({day})::date where closed_at is null;
         update audit_logs l set date = p.service_day from fiscal_periods p
         where p.closed_at is null and l.id >= p.first_record and l.transaction_type = 'TICKET';
         alter table audit_logs enable always trigger audit_logs_no_change;
         alter table fiscal_periods enable always trigger fiscal_periods_no_change"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&app.owner).await.unwrap();
}

async fn chains(app: &TestApp) -> Vec<(String, String)> {
    sqlx::query_as("select chain::text, transaction_type from audit_logs order by id").fetch_all(&app.owner).await.unwrap()
}

#[tokio::test]
async fn every_kind_of_record_is_in_the_z_and_the_journal_is_sound() {
    for training in [false, true] {
        let app = if training { TestApp::in_training().await } else { TestApp::start().await };
        let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
        for (kind, amount, reason) in [("float", 150, ""), ("in", 10, "monnaie"), ("out", 50, "banque")] {
            let moved = camille.post("/api/cash/movements", &json!({"kind": kind, "amount": amount, "reason": reason})).await;
            assert_eq!(moved.status, 201, "{}", moved.text);
        }
        let (ticket_no, order) = sell(&alice, &camille, 1).await;
        let house = &app.house;
        let mut tx = house.db.begin().await.unwrap();
        let order = OrderId::from_row(order);
        let lines = vec![NoteLine { name: "Expresso".to_owned(), qty_thousandths: 1000, unit_price: Cents(250), amount: Cents(250) }];
        let note = NewNote { order, order_ref: Uuid::nil().to_string(), table: "1", covers: 1, operator: "Alice", lines };
        recording::note(house, &mut tx, note).await.unwrap();
        let refund = recording::refund(house, &mut tx, ticket_no, "tiède", counter_entry(100)).await.unwrap();
        let original = server::db::journal::by_number(&mut *tx, "01", house.ticket_chain(), ticket_no).await.unwrap().unwrap();
        for (means, expected) in [(PrintMeans::Declined, 0), (PrintMeans::Paper, 1), (PrintMeans::Browser, 2)] {
            assert_eq!(recording::print(house, &mut tx, &original, means, "Camille").await.unwrap().0, expected);
        }
        assert_eq!(recording::print(house, &mut tx, &refund, PrintMeans::Paper, "Camille").await.unwrap().0, 0);
        let transfer = NewMoney {
            kind: MoneyKind::Transfer,
            amount: Cents(150),
            method: Method::Especes,
            to: Some(Method::Cb),
            ticket_no: Some(ticket_no),
            reason: "erreur de touche",
            operator: "Camille",
        };
        let transferred = recording::money(house, &mut tx, transfer).await.unwrap();
        // What the services store beside these two.
        for sql in [
            format!(
                "with given as (insert into refunds (payment_id, method, amount_cents, reason, user_id, audit_log_id)
                                select id, 'ESPECES', 100, 'tiède', 5, {} from payments returning id, payment_id)
                 insert into refund_parts select given.id, s.line_id, 100 from given join share_parts s using (payment_id)",
                refund.id
            ),
            format!(
                "insert into method_transfers (payment_id, from_method, to_method, reason, user_id, audit_log_id)
                 select id, 'ESPECES', 'CB', 'erreur de touche', 4, {} from payments",
                transferred.id
            ),
        ] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *tx).await.unwrap();
        }
        let tip = NewMoney {
            kind: MoneyKind::Tip,
            amount: Cents(300),
            method: Method::Cb,
            to: None,
            ticket_no: None,
            reason: "",
            operator: "Camille",
        };
        recording::money(house, &mut tx, tip).await.unwrap();
        recording::event(house, &mut tx, EventCode::MenuChanged, "Gérant", [("avant", "2,50".to_owned())]).await.unwrap();
        tx.commit().await.unwrap();
        let counted = camille.post("/api/cash/movements", &json!({"kind": "count", "amount": 109.5})).await;
        assert_eq!(counted.status, 201, "{}", counted.text);

        let x = camille.get("/api/nf525/x").await.body;
        // 150 + 10 - 50 + 2.50 sold - 1 given back - 1.50 that was a card: 110 expected.
        assert_eq!((&x["cash"]["expected"], &x["cash"]["difference"]), (&json!(110), &json!(-0.5)), "{x}");
        let z = camille.post("/api/nf525/close", &json!({})).await.body;
        let summary = &z["summary"];
        assert_eq!(
            (&summary["total_ttc"], &summary["by_method"]["CB"], &summary["by_method"]["ESPECES"]),
            (&json!(1.5), &json!(1.5), &json!(0))
        );
        assert_eq!((&summary["perpetual_total"], &summary["perpetual_absolute"]), (&json!(1.5), &json!(3.5)));
        assert_eq!((&summary["tips"]["CB"], &summary["refunds"], &summary["cash"]["float"]), (&json!(3), &json!(-1), &json!(150)));
        assert_eq!(flaws(&app).await, Vec::<String>::new());
        let used: std::collections::BTreeSet<String> = chains(&app).await.into_iter().map(|(chain, _)| chain).collect();
        let expected = if training { "JX" } else { "DGJNPT" };
        assert_eq!(used.into_iter().collect::<String>(), expected);
    }
}

#[tokio::test]
async fn no_more_is_given_back_than_was_sold() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let (ticket_no, _) = sell(&alice, &camille, 1).await;
    for (cents, fits) in [(300, false), (200, true), (100, false), (50, true), (1, false)] {
        let mut tx = app.house.db.begin().await.unwrap();
        let refunded = recording::refund(&app.house, &mut tx, ticket_no, "essai", counter_entry(cents)).await;
        assert_eq!(refunded.is_ok(), fits, "{cents}: {refunded:?}");
        tx.commit().await.unwrap();
    }
    let mut tx = app.house.db.begin().await.unwrap();
    assert!(recording::refund(&app.house, &mut tx, 99, "essai", counter_entry(1)).await.is_err(), "no such ticket");
    drop(tx);
    // Recorded without the service that stores the refund beside it: that is missed, and nothing else.
    assert_eq!(flaws(&app).await, ["T 2 refund_missing", "T 3 refund_missing"]);
}

#[tokio::test]
async fn cash_moves_once_and_says_why() {
    let app = TestApp::start().await;
    let camille = app.signed_in("camille").await;
    for (body, field) in [
        (json!({"kind": "out", "amount": 5}), "reason"),
        (json!({"kind": "in", "amount": 0, "reason": "x"}), "amount"),
        (json!({"kind": "count", "amount": -1}), "amount"),
        (json!({"kind": "float", "amount": 1_000_000}), "amount"),
    ] {
        let refused = camille.post("/api/cash/movements", &body).await;
        assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!(field)), "{}", refused.text);
    }
    let body = json!({"kind": "out", "amount": 20, "reason": "pain", "uuid": Uuid::new_v4()});
    let (first, second) = (camille.post("/api/cash/movements", &body).await, camille.post("/api/cash/movements", &body).await);
    assert_eq!((first.status, second.status, &first.body), (201, 201, &second.body));
    assert_eq!(second.header("idempotent-replay"), Some("true"));
    assert_eq!(camille.get("/api/nf525/x").await.body["cash"]["out"], json!(20));
    let alice = app.signed_in("alice").await;
    assert_eq!(alice.post("/api/cash/movements", &json!({"kind": "count", "amount": 1})).await.status, 403);
}

#[tokio::test]
async fn a_month_is_the_sum_of_its_days_and_a_year_of_its_months() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let early = camille.post("/api/nf525/close", &json!({"kind": "month"})).await;
    assert_eq!((early.status, &early.body["errors"][0]["code"]), (422, &json!("nothing_to_close")));
    sell(&alice, &camille, 1).await;
    let_time_pass(&app, "date_trunc('year', service_day) - interval '1 day'").await;
    sell(&alice, &camille, 2).await;
    let open = camille.post("/api/nf525/close", &json!({"kind": "month"})).await;
    assert_eq!((open.status, &open.body["errors"][0]["code"]), (422, &json!("nothing_to_close")), "no day of it is closed: {}", open.text);
    let z = camille.post("/api/nf525/close", &json!({})).await.body;
    assert_eq!(z["summary"]["total_ttc"], json!(2.5));
    let year_first = camille.post("/api/nf525/close", &json!({"kind": "year"})).await;
    assert_eq!(year_first.status, 422, "{}", year_first.text);

    let month = camille.post("/api/nf525/close", &json!({"kind": "month"})).await;
    assert_eq!(month.status, 200, "{}", month.text);
    let summary = &month.body["summary"];
    assert_eq!((&summary["total_ttc"], &summary["count"], &summary["z_number"]), (&json!(2.5), &json!(1), &json!(1)));
    assert!(summary["period"].as_str().unwrap().ends_with("-12"), "{summary}");
    let again = camille.post("/api/nf525/close", &json!({"kind": "month", "date": summary["service_day"]})).await.body;
    assert_eq!((&again["already_closed"], &again["audit_log_id"]), (&json!(true), &month.body["audit_log_id"]));
    let year = camille.post("/api/nf525/close", &json!({"kind": "year"})).await;
    assert_eq!((year.status, &year.body["summary"]["total_ttc"]), (200, &json!(2.5)), "{}", year.text);
    // The second day is of this month, which has not ended.
    camille.post("/api/nf525/close", &json!({})).await;
    let early = camille.post("/api/nf525/close", &json!({"kind": "month", "date": null})).await;
    assert_eq!((early.status, &early.body["errors"][0]["code"]), (422, &json!("not_ended")), "{}", early.text);
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_recorded_on_a_day_of_a_closed_month() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    sell(&alice, &camille, 1).await;
    let_time_pass(&app, "date_trunc('month', service_day) - interval '1 day'").await;
    camille.post("/api/nf525/close", &json!({})).await;
    assert_eq!(camille.post("/api/nf525/close", &json!({"kind": "month"})).await.status, 200);
    let last: String = sqlx::query_scalar("select max(last_day)::text from fiscal_long_periods").fetch_one(&app.owner).await.unwrap();
    let refused = camille.post("/api/nf525/close", &json!({"date": last})).await.body;
    assert_eq!(refused["already_closed"], json!(true), "its Z again, not a further one");
    sell(&alice, &camille, 1).await;
    let day: bool = sqlx::query_scalar("select bool_and(service_day > $1::date) from fiscal_periods where closed_at is null")
        .bind(&last)
        .fetch_one(&app.owner)
        .await
        .unwrap();
    assert!(day);
}

#[tokio::test]
async fn what_was_forgotten_is_closed_by_the_machine_and_names_nobody() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    sell(&alice, &camille, 1).await;
    assert_eq!(closing::catch_up(&app.house).await.unwrap(), 0, "today is nobody's oversight");
    let_time_pass(&app, "date_trunc('year', service_day) - interval '1 day'").await;
    sell(&alice, &camille, 2).await;
    assert_eq!(closing::catch_up(&app.house).await.unwrap(), 3, "a day, its month and its year");
    assert_eq!(closing::catch_up(&app.house).await.unwrap(), 0);
    let operators: Vec<Value> =
        sqlx::query_scalar("select metadata::jsonb -> 'operator' from audit_logs where chain = 'G'").fetch_all(&app.owner).await.unwrap();
    assert_eq!(operators, vec![json!(""); 3]);
    assert_eq!(flaws(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn tickets_say_who_sells_as_a_file_says_it_and_a_change_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("etablissement.json");
    // The accent spelled as two characters, as some keyboards do.
    let leon = json!({"name": "Chez Le\u{301}on", "address": ["3 place du Marché", "69001 Lyon"], "siret": "73282932000074", "naf": "5610A", "vat_no": "FR44732829320"});
    std::fs::write(&file, leon.to_string()).unwrap();
    let app = TestApp::with(|config| config.establishment.clone_from(&file)).await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = alice.post("/api/orders", &json!({"table_id": 5, "covers": 1, "items": [{"item_id": 71, "qty": 1}]})).await;
    let request = json!({"order_id": order.body["order_id"], "cover_number": 1, "amount": 2.5, "method": "ESPECES"});
    let ticket_no = camille.post("/api/payments/split", &request).await.body["ticket_no"].clone();
    let ticket = camille.get(&format!("/api/nf525/tickets/{ticket_no}")).await.body;
    let text = ticket["text"].as_str().unwrap();
    for part in ["Chez L\u{e9}on", "69001 Lyon", "SIRET 73282932000074", "TVA FR44732829320"] {
        assert!(text.contains(part), "{part} is missing from\n{text}");
    }

    let open = async |text: &str| {
        std::fs::write(&file, text).unwrap();
        server::run::open_house(&app.config, app.house.db.clone()).await
    };
    let mut wrong = leon.clone();
    wrong["siret"] = json!("73282932000075");
    for (text, says) in
        [(wrong.to_string(), "siret"), ("{".to_owned(), "ESTABLISHMENT_FILE"), (json!({"name": "x"}).to_string(), "address")]
    {
        let refused = format!("{:#}", open(&text).await.err().expect("it is refused"));
        assert!(refused.contains(says) && refused.contains("ESTABLISHMENT_FILE"), "{refused}");
    }
    starting::say_started(&app.house, Vec::new()).await.unwrap();
    let mut sold = leon;
    sold["name"] = json!("Chez Léa");
    let house = open(&sold.to_string()).await.unwrap();
    starting::say_started(&house, Vec::new()).await.unwrap();
    let said: i64 = sqlx::query_scalar("select count(*) from audit_logs where metadata->>'code' = 'identity_changed'")
        .fetch_one(&app.owner)
        .await
        .unwrap();
    assert_eq!(said, 1);
}
