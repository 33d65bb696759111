//! What corrects a payment, and what is handed out before it: counter-entries, corrected means, tips, provisional notes. The Z adds up with all.

use crate::support::{Client, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

async fn pay(client: &Client, body: Value) -> Value {
    let paid = client.post("/api/payments/split", &body).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    paid.body
}

async fn ticket(client: &Client, no: &Value) -> String {
    client.get(&format!("/api/nf525/tickets/{no}")).await.body["text"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_refund_is_a_counter_entry_by_the_same_means_and_never_more_than_was_paid() {
    let app = TestApp::start().await;
    let (alice, camille, owner) = (app.signed_in("alice").await, app.signed_in("camille").await, app.signed_in("gerant").await);
    let order = crate::paying::table_12(&alice).await;
    let paid = pay(&camille, json!({"order_id": order, "cover_number": 1, "amount": 25.5, "method": "CHEQUE"})).await;
    let path = format!("/api/payments/{}/refund", paid["payment_id"]);
    assert_eq!(camille.post(&path, &json!({"reason": "Erreur"})).await.status, 403, "only the owner");
    for (field, wrong) in [
        ("reason", json!({"reason": " "})),
        ("amount", json!({"amount": 25.51, "reason": "Erreur"})),
        ("amount", json!({"amount": 0, "reason": "Erreur"})),
        ("amount", json!({"amount": -1, "reason": "Erreur"})),
        ("lines", json!({"lines": [999_999], "reason": "Erreur"})),
        ("approval_code", json!({"approval_code": "123", "reason": "Erreur"})),
    ] {
        let refused = owner.post(&path, &wrong).await;
        assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!(field)), "{}", refused.text);
    }
    let request = json!({"amount": 10, "reason": "Plat non conforme", "uuid": Uuid::now_v7()});
    let refund = owner.post(&path, &request).await;
    assert_eq!((refund.status, &refund.body["amount"], &refund.body["method"]), (201, &json!(10), &json!("CHEQUE")), "{}", refund.text);
    assert_eq!((&refund.body["ticket_no"], &refund.body["corrects"]), (&json!(2), &json!(1)));
    let again = owner.post(&path, &request).await;
    assert_eq!(
        (again.status, again.header("idempotent-replay"), &again.body),
        (201, Some("true"), &refund.body),
        "the same again gives nothing back"
    );
    let text = ticket(&owner, &json!(2)).await;
    assert!(text.contains("-10,00"), "{text}");
    let why: String = sqlx::query_scalar("select metadata->'corrects'->>'reason' from audit_logs where chain = 'T' and seq = 2")
        .fetch_one(&app.owner)
        .await
        .unwrap();
    assert_eq!(why, "Plat non conforme");

    let rest = owner.post(&path, &json!({"reason": "Erreur"})).await;
    assert_eq!((rest.status, &rest.body["amount"]), (201, &json!(15.5)), "{}", rest.text);
    assert_eq!(owner.post(&path, &json!({"reason": "Erreur"})).await.status, 422, "nothing is left");
    let bill = camille.get(&format!("/api/orders/{order}/bill")).await.body;
    assert_eq!((&bill["shares"][0]["status"], &bill["shares"][0]["payment"]["refunded"]), (&json!("paid"), &json!(25.5)));

    let z = camille.post("/api/nf525/close", &json!({})).await.body;
    assert_eq!((&z["summary"]["total_ttc"], &z["summary"]["by_method"]["CHEQUE"]), (&json!(0), &json!(0)), "{z}");
    assert_eq!((&z["summary"]["perpetual_total"], &z["summary"]["perpetual_absolute"]), (&json!(0), &json!(51)));
    let verified = camille.get("/api/nf525/verify").await.body;
    assert_eq!(verified["ok"], true, "{verified}");
}

#[tokio::test]
async fn a_line_goes_back_and_a_card_needs_the_number_of_its_refund() {
    let app = TestApp::with_terminal(server::config::Terminal::Manual).await;
    let (alice, camille, owner) = (app.signed_in("alice").await, app.signed_in("camille").await, app.signed_in("gerant").await);
    let order = crate::paying::table_12(&alice).await;
    camille.put(&format!("/api/orders/{order}/split"), &json!({"mode": "equal", "parts": 1})).await;
    let paid = pay(&camille, json!({"order_id": order, "cover_number": 1, "amount": 102, "method": "CB", "approval_code": "A1B2C3"})).await;
    let bill = camille.get(&format!("/api/orders/{order}/bill")).await.body;
    let wine =
        bill["items"].as_array().unwrap().iter().find(|item| item["name"].as_str().unwrap().contains("Cahors")).unwrap()["line_id"].clone();
    let path = format!("/api/payments/{}/refund", paid["payment_id"]);
    let refused = owner.post(&path, &json!({"lines": [wine], "reason": "Bouchonné"})).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (422, &json!("approval_code_required")), "{}", refused.text);
    let refund = owner.post(&path, &json!({"lines": [wine], "reason": "Bouchonné", "approval_code": "R77"})).await;
    assert_eq!((refund.status, &refund.body["amount"]), (201, &json!(28)), "{}", refund.text);
    let text = ticket(&owner, &refund.body["ticket_no"]).await;
    assert!(text.contains("Cahors") && !text.contains("Magret") && text.contains("-28,00"), "{text}");
    assert_eq!(owner.post(&path, &json!({"lines": [wine], "reason": "x", "approval_code": "R78"})).await.status, 422, "once");
    let x = camille.get("/api/nf525/x").await.body;
    assert_eq!(x["by_method"]["CB"], json!(74), "{x}");
}

#[tokio::test]
async fn a_wrong_means_is_corrected_by_a_signed_transfer() {
    let app = TestApp::start().await;
    let (alice, camille, owner) = (app.signed_in("alice").await, app.signed_in("camille").await, app.signed_in("gerant").await);
    let order = crate::paying::table_12(&alice).await;
    let paid = pay(&camille, json!({"order_id": order, "cover_number": 1, "amount": 25.5, "method": "ESPECES"})).await;
    let path = format!("/api/payments/{}/method", paid["payment_id"]);
    assert_eq!(alice.post(&path, &json!({"method": "CHEQUE", "reason": "x"})).await.status, 403);
    let same = camille.post(&path, &json!({"method": "ESPECES", "reason": "x"})).await;
    assert_eq!((same.status, &same.body["errors"][0]["code"]), (422, &json!("same_method")));
    let corrected = camille.post(&path, &json!({"method": "TR", "reason": "C’était un titre"})).await;
    assert_eq!(
        (corrected.status, &corrected.body["from"], &corrected.body["to"]),
        (201, &json!("ESPECES"), &json!("TR")),
        "{}",
        corrected.text
    );
    let bill = camille.get(&format!("/api/orders/{order}/bill")).await.body;
    assert_eq!(bill["shares"][0]["payment"]["method"], "TR");
    let refund = owner.post(&format!("/api/payments/{}/refund", paid["payment_id"]), &json!({"amount": 5.5, "reason": "x"})).await;
    assert_eq!(refund.body["method"], "TR", "back by what it really was");
    let z = camille.post("/api/nf525/close", &json!({})).await.body;
    assert_eq!((&z["summary"]["by_method"]["ESPECES"], &z["summary"]["by_method"]["TR"]), (&json!(0), &json!(20)), "{z}");
    let verified = camille.get("/api/nf525/verify").await.body;
    assert_eq!(verified["ok"], true, "{verified}");
}

#[tokio::test]
async fn a_tip_is_outside_the_sale_and_a_discount_is_on_the_ticket() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = crate::paying::table_12(&alice).await;
    let off = camille.post(&format!("/api/orders/{order}/discount"), &json!({"percent": 10, "reason": "Attente trop longue"})).await;
    assert_eq!(off.body["total"], json!(91.8), "{}", off.text);
    let paid =
        pay(&camille, json!({"order_id": order, "cover_number": 1, "amount": 22.95, "method": "ESPECES", "tip": 2, "tendered": 30})).await;
    assert_eq!((&paid["change"], &paid["remaining_amount"]), (&json!(5.05), &json!(68.85)));
    let text = ticket(&camille, &paid["ticket_no"]).await;
    for part in ["22,95", "30,00", "5,05"] {
        assert!(text.contains(part), "{part} is missing from\n{text}");
    }
    let signed: Value =
        sqlx::query_scalar("select metadata::jsonb from audit_logs where chain = 'T' and seq = 1").fetch_one(&app.owner).await.unwrap();
    assert_eq!(signed["payments"][0]["tip"], json!(200));
    let discount = &signed["lines"][0]["discount"];
    assert_eq!((&discount["amount"], &discount["reason"], &discount["by"]), (&json!(60), &json!("Attente trop longue"), &json!("Camille")));
    let short = json!({"order_id": order, "cover_number": 2, "amount": 22.95, "method": "ESPECES", "tip": 2, "tendered": 23});
    assert_eq!(camille.post("/api/payments/split", &short).await.body["errors"][0]["code"], "less_than_due");
    let x = camille.get("/api/nf525/x").await.body;
    assert_eq!((&x["total_ttc"], &x["by_method"]["ESPECES"]), (&json!(22.95), &json!(22.95)), "{x}");
    for cover in 2..=4 {
        pay(&camille, json!({"order_id": order, "cover_number": cover, "amount": 22.95, "method": "CHEQUE"})).await;
    }
    let taken_off: i64 = sqlx::query_scalar(
        "select sum((line->'discount'->>'amount')::bigint)::bigint from audit_logs, jsonb_array_elements(metadata::jsonb->'lines') as line where chain = 'T'",
    )
    .fetch_one(&app.owner)
    .await
    .unwrap();
    assert_eq!(taken_off, 1020, "the tickets together say all of it, to the cent");
    let z = camille.post("/api/nf525/close", &json!({})).await.body;
    assert_eq!(z["summary"]["tips"]["ESPECES"], json!(2), "{z}");
    let verified = camille.get("/api/nf525/verify").await.body;
    assert_eq!(verified["ok"], true, "{verified}");
}

#[tokio::test]
async fn a_note_is_numbered_says_that_it_is_none_and_marks_the_table() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = crate::paying::table_12(&alice).await;
    let path = format!("/api/orders/{order}/note");
    let note = alice.post(&path, &json!({})).await;
    assert_eq!((note.status, &note.body["note_no"]), (200, &json!(1)), "{}", note.text);
    let text = note.body["text"].as_str().unwrap();
    for part in ["NOTE", "provisoire", "Magret", "102,00"] {
        assert!(text.contains(part), "{part} is missing from\n{text}");
    }
    assert!(!text.contains(" %") && !text.contains("HT"), "no split by rate:\n{text}");
    let tables = alice.get("/api/tables").await.body;
    assert_eq!(tables.as_array().unwrap().iter().find(|table| table["id"] == 12).unwrap()["status"], "bill");
    assert_eq!(alice.post(&path, &json!({})).await.body["note_no"], json!(2));
    assert_eq!(alice.post("/api/orders/424242/note", &json!({})).await.status, 404);
    let verified = camille.get("/api/nf525/verify").await.body;
    assert_eq!(verified["ok"], true, "{verified}");
}
