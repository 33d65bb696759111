use crate::support::TestApp;
use serde_json::json;

#[tokio::test]
async fn the_kitchen_sees_dishes_and_moves_them_on() {
    let app = TestApp::start().await;
    let alice = app.signed_in("alice").await;
    let order = json!({"table_id": 5, "items": [{"dish_id": 12, "qty": 2, "note": "rosé"}, {"wine_id": 34, "qty": 1}]});
    let order_id = alice.post("/api/orders", &order).await.body["order_id"].clone();

    let slips = alice.get("/api/kitchen").await.body["slips"].clone();
    assert_eq!(slips.as_array().unwrap().len(), 1);
    assert_eq!((&slips[0]["table"], &slips[0]["server_name"]), (&json!("5"), &json!("Alice")));
    let lines = slips[0]["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "wine is not cooked");
    assert_eq!((&lines[0]["qty"], &lines[0]["note"], &lines[0]["state"]), (&json!(2), &json!("rosé"), &json!("received")));

    let path = format!("/api/kitchen/lines/{}", lines[0]["line_id"]);
    for (said, state) in [("cooking", "cooking"), ("ready", "ready"), ("ready", "ready"), ("recalled", "cooking"), ("ready", "ready")] {
        let moved = alice.post(&path, &json!({"state": said})).await;
        assert_eq!((moved.status, &moved.body["state"]), (200, &json!(state)));
    }
    let tables = alice.get("/api/tables").await.body;
    assert_eq!(tables.as_array().unwrap().iter().find(|table| table["id"] == 5).unwrap()["status"], "ready");

    assert_eq!(alice.post(&path, &json!({"state": "served"})).await.status, 200);
    assert_eq!(alice.get("/api/kitchen").await.body["slips"], json!([]));
    assert_eq!(alice.get(&format!("/api/orders/{order_id}")).await.body["lines"][0]["state"], "served");
    let late = alice.post(&path, &json!({"state": "cooking"})).await;
    assert_eq!((late.status, late.code()), (409, "line_state"));
    assert_eq!(alice.post("/api/kitchen/lines/424242", &json!({"state": "ready"})).await.status, 404);
}
