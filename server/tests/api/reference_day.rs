//! The day of the reference document, through the whole house: 87 payments, and a Z with exactly its figures.

use crate::support::TestApp;
use serde_json::{Value, json};
use server::config::Terminal;
use server::services::verifying;

/// Means, payments but the last, their parts at 10 % and at 20 %, and the last payment's. In cents. Each but the last has whole cents of tax, so that the sum
/// of the tickets' taxes is the tax of the document's totals: 53.14 in 318.82 at 20 %, 212.54 in 2337.98 at 10 %.
type Means = (&'static str, u32, (i64, i64), (i64, i64));
const DAY: [Means; 3] =
    [("CB", 59, (3_036, 528), (3_524, 730)), ("ESPECES", 19, (1_936, 0), (1_966, 0)), ("TR", 6, (1_771, 0), (1_774, 0))];

#[tokio::test]
async fn the_day_of_the_reference_document_closes_with_exactly_its_figures() {
    let app = TestApp::with_terminal(Terminal::Manual).await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let mut payments = 0;
    for (method, but_last, each, last) in DAY {
        for (at_ten, at_twenty) in (0..but_last).map(|_| each).chain([last]) {
            // 12 is a dish at 10 %, 34 a wine at 20 %.
            sqlx::query("update menu_items set price_cents = case id when 12 then $1 else $2 end where id in (12, 34)")
                .bind(at_ten)
                .bind(at_twenty)
                .execute(&app.owner)
                .await
                .unwrap();
            app.house.menu.forget().await;
            let mut items = vec![json!({"dish_id": 12, "qty": 1})];
            if at_twenty > 0 {
                items.push(json!({"wine_id": 34, "qty": 1}));
            }
            let order = alice.post("/api/orders", &json!({"table_id": 1 + payments % 20, "covers": 1, "items": items})).await;
            assert_eq!(order.status, 201, "{}", order.text);
            let cents = at_ten + at_twenty;
            let amount: Value = serde_json::from_str(&format!("{}.{:02}", cents / 100, cents % 100)).unwrap();
            let mut request = json!({"order_id": order.body["order_id"], "cover_number": 1, "amount": amount, "method": method});
            if method == "CB" {
                request["approval_code"] = json!("123456");
            }
            let paid = camille.post("/api/payments/split", &request).await;
            assert_eq!(paid.status, 201, "{}", paid.text);
            payments += 1;
        }
    }
    let z = camille.post("/api/nf525/close", &json!({})).await.body;
    let summary = &z["summary"];
    assert_eq!((payments, &summary["count"]), (87, &json!(87)));
    assert_eq!(summary["by_method"], json!({"CB": 2145.3, "ESPECES": 387.5, "TR": 124, "CHEQUE": 0}));
    assert_eq!((&summary["total_ttc"], &summary["total_tva"]), (&json!(2656.8), &json!(265.68)));
    let vat =
        json!([{"rate": 10, "net": 2125.44, "vat": 212.54, "gross": 2337.98}, {"rate": 20, "net": 265.68, "vat": 53.14, "gross": 318.82}]);
    assert_eq!(summary["vat"], vat);
    assert_eq!((&summary["perpetual_total"], &summary["perpetual_absolute"]), (&json!(2656.8), &json!(2656.8)));
    let text = z["ticket"].as_str().unwrap().replace(['\u{a0}', '\u{202f}'], " ");
    for figure in ["2 656,80", "265,68", "2 145,30", "387,50", "124,00", "318,82", "2 337,98"] {
        assert!(text.contains(figure), "{figure} in\n{text}");
    }
    let report = verifying::verify(&app.house.db).await.unwrap();
    assert!(report.ok, "{:?}", report.flaws);
}
