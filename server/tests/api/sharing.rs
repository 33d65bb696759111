//! Scenario 2: any bill is divided in any way, paid by any means, and always to the cent.

use crate::support::{Answer, Client, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

/// A table with lines of whole euros: `(item, qty)` of the demo menu.
async fn table(alice: &Client, table: u32, items: &[(u32, u32)]) -> Value {
    let items: Vec<Value> = items.iter().map(|(item, qty)| json!({"item_id": item, "qty": qty})).collect();
    let order = alice.post("/api/orders", &json!({"table_id": table, "covers": 2, "items": items})).await;
    assert_eq!(order.status, 201, "{}", order.text);
    order.body["order_id"].clone()
}

async fn bill(client: &Client, order: &Value) -> Value {
    let bill = client.get(&format!("/api/orders/{order}/bill")).await;
    assert_eq!(bill.status, 200, "{}", bill.text);
    bill.body
}

async fn split(client: &Client, order: &Value, how: &Value) -> Answer {
    client.put(&format!("/api/orders/{order}/split"), how).await
}

async fn pay(client: &Client, order: &Value, cover: u64, amount: &Value, method: &str) -> Answer {
    client.post("/api/payments/split", &json!({"order_id": order, "cover_number": cover, "amount": amount, "method": method})).await
}

fn cents(amount: &Value) -> i64 {
    let text = amount.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, "0"));
    whole.parse::<i64>().unwrap() * 100 + format!("{decimals:0<2}").parse::<i64>().unwrap()
}

fn amounts(shares: &Value) -> Vec<(u64, i64)> {
    shares.as_array().unwrap().iter().map(|share| (share["cover_number"].as_u64().unwrap(), cents(&share["amount"]))).collect()
}

/// The line of an article on a bill.
fn line(bill: &Value, name: &str) -> Value {
    let lines = bill["items"].as_array().unwrap();
    lines.iter().find(|line| line["name"].as_str().unwrap().contains(name)).unwrap_or_else(|| panic!("no {name}"))["line_id"].clone()
}

/// By line: what is paid, what is open, and what the line costs.
async fn adds_up(app: &TestApp, client: &Client, order: &Value) {
    let bill = bill(client, order).await;
    let (total, paid, remaining) = (cents(&bill["total"]), cents(&bill["paid"]), cents(&bill["remaining"]));
    assert_eq!(paid + remaining, total, "{bill}");
    let open: i64 =
        bill["shares"].as_array().unwrap().iter().filter(|share| share["status"] != "paid").map(|share| cents(&share["amount"])).sum();
    assert_eq!(open, remaining, "shares are what is left: {bill}");
    let order: i64 = order.as_i64().unwrap();
    let (owned, settled): (i64, i64) = sqlx::query_as(
        "select coalesce(sum(p.amount_cents), 0)::bigint, (select coalesce(sum(amount_cents), 0)::bigint from payments where order_id = $1)
         from share_parts p join payments m on m.id = p.payment_id where m.order_id = $1",
    )
    .bind(order)
    .fetch_one(&app.owner)
    .await
    .unwrap();
    assert_eq!((owned, settled), (paid, paid), "parts, payments and the bill say the same");
    let overpaid: i64 = sqlx::query_scalar(
        "select count(*) from order_lines l where l.order_id = $1 and unit_price_cents * (qty - voided_qty) - discount_cents
             < (select coalesce(sum(p.amount_cents), 0) from share_parts p where p.line_id = l.id)",
    )
    .bind(order)
    .fetch_one(&app.owner)
    .await
    .unwrap();
    assert_eq!(overpaid, 0, "no line is paid twice");
}

#[tokio::test]
async fn a_bottle_by_three_and_each_their_dish_then_the_rest_equally() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = table(&alice, 7, &[(12, 2), (34, 1)]).await;
    let before = bill(&camille, &order).await;
    let (magret, cahors) = (line(&before, "Magret"), line(&before, "Cahors"));
    let third = json!({"line_id": cahors, "qty": "1/3"});
    let dish = json!({"line_id": magret, "qty": 1});
    let how = json!({"mode": "items", "shares": [[dish, third], [dish, third], [third]]});
    let shares = split(&camille, &order, &how).await;
    assert_eq!(shares.status, 200, "{}", shares.text);
    assert_eq!(amounts(&shares.body["shares"]), [(1, 3334), (2, 3333), (3, 933)]);
    assert_eq!(shares.body["shares"][2]["items"], json!([{"line_id": cahors, "qty": "1/3", "amount": 9.33}]));

    assert_eq!(pay(&camille, &order, 2, &json!(33.33), "ESPECES").await.body["remaining"], "2/3");
    let now = bill(&camille, &order).await;
    assert_eq!(now["items"][0]["remaining_qty"], json!(1));
    assert_eq!(now["items"][1]["remaining_qty"], json!(0.666));
    let ticket = camille.get("/api/nf525/tickets/1").await.body["text"].as_str().unwrap().to_owned();
    assert!(ticket.contains("Magret") && ticket.contains("24,00") && ticket.contains("9,33"), "{ticket}");

    let rest = split(&camille, &order, &json!({"mode": "equal", "parts": 2})).await;
    assert_eq!(amounts(&rest.body["shares"]), [(1, 2134), (2, 3333), (3, 2133)], "what is paid stays");
    adds_up(&app, &camille, &order).await;
}

#[tokio::test]
async fn what_does_not_add_up_is_refused_and_changes_nothing() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = table(&alice, 7, &[(12, 2), (34, 1)]).await;
    let before = bill(&camille, &order).await;
    let (magret, cahors) = (line(&before, "Magret"), line(&before, "Cahors"));
    let claim = |line: &Value, qty: Value| json!({"line_id": line, "qty": qty});
    for wrong in [
        json!({"mode": "amounts", "amounts": [50, 25]}),
        json!({"mode": "amounts", "amounts": [50, 26.01]}),
        json!({"mode": "items", "shares": [[claim(&magret, json!(2))]]}),
        json!({"mode": "items", "shares": [[claim(&magret, json!(1)), claim(&cahors, json!(1))]]}),
        json!({"mode": "items", "shares": [[claim(&magret, json!(2)), claim(&cahors, json!("2/3"))]]}),
        json!({"mode": "items", "shares": [[claim(&magret, json!(2)), claim(&cahors, json!(1))], [claim(&magret, json!(1))]]}),
    ] {
        let refused = split(&camille, &order, &wrong).await;
        assert_eq!((refused.status, refused.code()), (422, "does_not_add_up"), "{wrong}: {}", refused.text);
        assert_eq!(refused.body["errors"][0]["code"], "does_not_add_up");
    }
    for wrong in [
        json!({"mode": "amounts", "amounts": [76, 0]}),
        json!({"mode": "amounts", "amounts": [77, -1]}),
        json!({"mode": "amounts", "amounts": []}),
        json!({"mode": "items", "shares": [[claim(&magret, json!(2)), claim(&cahors, json!(1))], []]}),
        json!({"mode": "items", "shares": [[claim(&magret, json!(2)), claim(&cahors, json!(1)), {"line_id": 999_999, "qty": 1}]]}),
        json!({"mode": "items", "shares": [[claim(&magret, json!("1/0"))]]}),
        json!({"mode": "items", "parts": 2}),
        json!({"mode": "equal", "parts": 0}),
        json!({"mode": "equal", "parts": 2, "amounts": [1]}),
        json!({"mode": "thirds"}),
    ] {
        let refused = split(&camille, &order, &wrong).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid"), "{wrong}: {}", refused.text);
    }
    assert_eq!(bill(&camille, &order).await, before);
    assert_eq!(split(&camille, &json!(424_242), &json!({"mode": "equal", "parts": 2})).await.status, 404);
}

#[tokio::test]
async fn amounts_then_items_of_what_is_left() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = table(&alice, 7, &[(12, 2), (34, 1)]).await;
    let before = bill(&camille, &order).await;
    let (magret, cahors) = (line(&before, "Magret"), line(&before, "Cahors"));
    let shares = split(&camille, &order, &json!({"mode": "amounts", "amounts": [19, 20.5, 36.5]})).await;
    assert_eq!(amounts(&shares.body["shares"]), [(1, 1900), (2, 2050), (3, 3650)]);
    // A quarter is paid: each line is three quarters of what it was.
    assert_eq!(pay(&camille, &order, 1, &json!(19), "CHEQUE").await.status, 201);
    let now = bill(&camille, &order).await;
    assert_eq!((&now["items"][0]["remaining_qty"], &now["items"][1]["remaining_qty"]), (&json!(1.5), &json!(0.75)));
    let whole = json!({"mode": "items", "shares": [[{"line_id": magret, "qty": 1}], [{"line_id": magret, "qty": 1}, {"line_id": cahors, "qty": 1}]]});
    let left = json!({"mode": "items", "shares": [[{"line_id": magret, "qty": 0.75}], [{"line_id": magret, "qty": 0.75}, {"line_id": cahors, "qty": 0.75}]]});
    for how in [whole, left] {
        let shares = split(&camille, &order, &how).await;
        assert_eq!(amounts(&shares.body["shares"]), [(1, 1900), (2, 1800), (3, 3900)], "{}", shares.text);
    }
    assert_eq!(pay(&camille, &order, 3, &json!(39), "ESPECES").await.status, 201);
    assert_eq!(pay(&camille, &order, 2, &json!(18), "ESPECES").await.body["status"], "order_complete");
    adds_up(&app, &camille, &order).await;
}

#[tokio::test]
async fn several_shares_at_once_and_several_means_on_one() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = crate::paying::table_12(&alice).await;
    let request = json!({"order_id": order, "cover_number": 2, "also": [4], "amount": 51, "method": "ESPECES", "tendered": 60, "uuid": Uuid::now_v7()});
    let both = camille.post("/api/payments/split", &request).await;
    assert_eq!((both.status, &both.body["remaining"], &both.body["change"]), (201, &json!("2/3"), &json!(9)), "{}", both.text);
    assert_eq!(camille.post("/api/payments/split", &request).await.body, both.body, "the same again pays once");
    assert_eq!(amounts(&bill(&camille, &order).await["shares"]), [(1, 2550), (2, 5100), (3, 2550)]);

    // Twenty-five euros in vouchers, the rest in cash.
    let vouchers = json!({"order_id": order, "cover_number": 1, "amount": 25.5, "part": 25, "method": "TR"});
    let vouchers = camille.post("/api/payments/split", &vouchers).await;
    assert_eq!(
        (&vouchers.body["status"], &vouchers.body["amount_booked"], &vouchers.body["change"]),
        (&json!("partial"), &json!(25), &json!(0))
    );
    assert!(vouchers.body.get("warnings").is_none(), "{}", vouchers.text);
    assert_eq!(amounts(&bill(&camille, &order).await["shares"]), [(1, 2500), (2, 5100), (3, 2550), (4, 50)]);
    assert_eq!(pay(&camille, &order, 4, &json!(0.5), "ESPECES").await.status, 201);
    let over = pay(&camille, &order, 3, &json!(25.5), "TR").await;
    assert_eq!(
        (&over.body["status"], &over.body["warnings"]),
        (&json!("order_complete"), &json!(["tr_over_daily_limit"])),
        "warned, not refused"
    );
    adds_up(&app, &camille, &order).await;
}

#[tokio::test]
async fn only_cash_gives_change() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = crate::paying::table_12(&alice).await;
    for (field, body) in [
        ("tendered", json!({"cover_number": 1, "amount": 25.5, "method": "CHEQUE", "tendered": 30})),
        ("tendered", json!({"cover_number": 1, "amount": 25.5, "method": "TR", "tendered": 20})),
        ("tip", json!({"cover_number": 1, "amount": 25.5, "method": "TR", "tip": 2})),
        ("tip", json!({"cover_number": 1, "amount": 25.5, "method": "ESPECES", "tip": -2})),
        ("part", json!({"cover_number": 1, "amount": 25.5, "part": 26, "method": "ESPECES"})),
        ("part", json!({"cover_number": 1, "amount": 25.5, "part": 0, "method": "ESPECES"})),
        ("also", json!({"cover_number": 1, "also": [9], "amount": 51, "method": "ESPECES"})),
        ("also", json!({"cover_number": 1, "also": [1], "amount": 51, "method": "ESPECES"})),
    ] {
        let mut body = body;
        body["order_id"] = order.clone();
        let answer = camille.post("/api/payments/split", &body).await;
        assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!(field)), "{}", answer.text);
    }
    let voucher = json!({"order_id": order, "cover_number": 1, "amount": 25.5, "method": "TR", "tendered": 27});
    let voucher = camille.post("/api/payments/split", &voucher).await;
    assert_eq!((voucher.status, &voucher.body["change"]), (201, &json!(0)), "{}", voucher.text);
}

#[tokio::test]
async fn a_discount_makes_every_share_smaller_and_leaves_what_is_paid() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = crate::paying::table_12(&alice).await;
    assert_eq!(pay(&camille, &order, 1, &json!(25.5), "ESPECES").await.status, 201);
    let path = format!("/api/orders/{order}/discount");
    let ten = json!({"percent": 10, "reason": "Attente trop longue", "uuid": Uuid::now_v7()});
    assert_eq!(alice.post(&path, &ten).await.status, 403);
    for _ in 0..2 {
        let view = camille.post(&path, &ten).await;
        assert_eq!((view.status, cents(&view.body["total"])), (200, 9435), "once: {}", view.text);
    }
    let after = bill(&camille, &order).await;
    assert_eq!((cents(&after["total"]), cents(&after["discount"]), cents(&after["remaining"])), (9435, 765, 6885));
    assert_eq!(amounts(&after["shares"]), [(1, 2550), (2, 2295), (3, 2295), (4, 2295)]);
    for (field, wrong) in [
        ("reason", json!({"percent": 10, "reason": " "})),
        ("percent", json!({"reason": "x"})),
        ("percent", json!({"percent": 10, "amount": 1, "reason": "x"})),
        ("percent", json!({"percent": 0, "reason": "x"})),
        ("amount", json!({"amount": 68.86, "reason": "x"})),
        ("amount", json!({"amount": -1, "reason": "x"})),
        ("line_id", json!({"amount": 1, "line_id": 999_999, "reason": "x"})),
    ] {
        let refused = camille.post(&path, &wrong).await;
        assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!(field)), "{}", refused.text);
    }
    let magret = line(&after, "Magret");
    let view = camille.post(&path, &json!({"line_id": magret, "amount": 5, "reason": "Trop cuit"})).await;
    assert_eq!(view.status, 200, "{}", view.text);
    adds_up(&app, &camille, &order).await;
    let facts: Vec<(String, i64)> = sqlx::query_as(
        "select d.reason, sum(p.amount_cents)::bigint from discounts d join discount_parts p on p.discount_id = d.id group by d.id order by d.id",
    )
    .fetch_all(&app.owner)
    .await
    .unwrap();
    assert_eq!(facts, [("Attente trop longue".to_owned(), 765), ("Trop cuit".to_owned(), 500)]);
}

#[tokio::test]
async fn what_is_taken_off_moved_or_joined_after_a_division_adds_up_and_cooks_nothing_twice() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    let order = table(&alice, 7, &[(12, 3), (34, 1)]).await;
    let other = table(&alice, 8, &[(12, 1)]).await;
    let slips = async || {
        sqlx::query_scalar::<_, i64>("select count(*) from kitchen_slips where kind = 'fire'").fetch_one(&app.owner).await.unwrap()
    };
    let told = slips().await;
    let before = bill(&camille, &order).await;
    let (magret, cahors) = (line(&before, "Magret"), line(&before, "Cahors"));
    assert_eq!(
        camille.post(&format!("/api/orders/{order}/discount"), &json!({"line_id": magret, "percent": 50, "reason": "Offert"})).await.status,
        200
    );
    let how = json!({"mode": "items", "shares": [[{"line_id": magret, "qty": 1}], [{"line_id": magret, "qty": 2}, {"line_id": cahors, "qty": 1}]]});
    assert_eq!(amounts(&split(&camille, &order, &how).await.body["shares"]), [(1, 1200), (2, 5200)]);
    let void = alice.post(&format!("/api/orders/{order}/lines/{magret}/void"), &json!({"qty": 1, "reason": "Erreur"})).await;
    assert_eq!(void.status, 200, "{}", void.text);
    let after = bill(&camille, &order).await;
    assert_eq!((cents(&after["total"]), amounts(&after["shares"])), (5200, vec![(1, 800), (2, 4400)]), "half price each, one less");
    adds_up(&app, &camille, &order).await;

    assert_eq!(alice.post(&format!("/api/orders/{order}/transfer"), &json!({"table_id": 9})).await.status, 200);
    assert_eq!(amounts(&bill(&camille, &order).await["shares"]), [(1, 800), (2, 4400)], "the guests took their bill with them");
    assert_eq!(alice.post(&format!("/api/orders/{other}/merge"), &json!({"into_order_id": order})).await.status, 200);
    let merged = bill(&camille, &order).await;
    assert_eq!(amounts(&merged["shares"]), [(1, 800), (2, 4400), (3, 2400)]);
    assert_eq!(merged["shares"][2]["label"], "Reste");
    adds_up(&app, &camille, &order).await;
    assert_eq!(slips().await, told, "nothing was told to the kitchen again");
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }
}

/// Splits, payments of every kind, discounts, removals and new rounds in any order, through the real routes.
#[tokio::test]
async fn shares_and_payments_are_the_bill_whatever_happens() {
    let app = TestApp::start().await;
    let (alice, camille) = (app.signed_in("alice").await, app.signed_in("camille").await);
    for seed in 1..=6u64 {
        let mut dice = Dice(seed * 7919);
        let order = table(&alice, 10, &[(12, 3), (34, 1), (71, 2)]).await;
        let mut refused = 0;
        for _ in 0..40 {
            let now = bill(&camille, &order).await;
            let open: Vec<&Value> = now["shares"].as_array().unwrap().iter().filter(|share| share["status"] == "unpaid").collect();
            if open.is_empty() {
                break;
            }
            let share = open[usize::try_from(dice.roll(open.len() as u64)).unwrap()];
            let lines = now["items"].as_array().unwrap();
            let line = &lines[usize::try_from(dice.roll(lines.len() as u64)).unwrap()];
            let answer = match dice.roll(9) {
                0 => split(&camille, &order, &json!({"mode": "equal", "parts": dice.roll(6)})).await,
                1 => {
                    let left = cents(&now["remaining"]);
                    let first = i64::try_from(dice.roll(u64::try_from(left).unwrap())).unwrap();
                    let euros = |cents: i64| serde_json::from_str::<Value>(&format!("{}.{:02}", cents / 100, cents % 100)).unwrap();
                    split(&camille, &order, &json!({"mode": "amounts", "amounts": [euros(first), euros(left - first)]})).await
                }
                2 | 3 => {
                    let mut shares = vec![Vec::new(), Vec::new(), Vec::new()];
                    for line in lines.iter().filter(|line| cents(&line["due"]) > 0) {
                        let whole = line["unclaimed"].as_u64();
                        match (whole, dice.roll(2)) {
                            (Some(whole), 0) => {
                                shares[usize::try_from(dice.roll(3)).unwrap()].push(json!({"line_id": line["line_id"], "qty": whole}));
                            }
                            (Some(whole), _) => shares
                                .iter_mut()
                                .for_each(|share| share.push(json!({"line_id": line["line_id"], "qty": format!("{whole}/3")}))),
                            (None, _) => shares[0].push(json!({"line_id": line["line_id"], "qty": line["unclaimed"]})),
                        }
                    }
                    shares.retain(|share| !share.is_empty());
                    split(&camille, &order, &json!({"mode": "items", "shares": shares})).await
                }
                4 | 5 => {
                    pay(
                        &camille,
                        &order,
                        share["cover_number"].as_u64().unwrap(),
                        &share["amount"],
                        ["ESPECES", "TR", "CHEQUE"][usize::try_from(dice.roll(3)).unwrap()],
                    )
                    .await
                }
                6 => {
                    let body = json!({"order_id": order, "cover_number": share["cover_number"], "amount": share["amount"], "part": 3, "method": "ESPECES"});
                    camille.post("/api/payments/split", &body).await
                }
                7 => {
                    camille
                        .post(
                            &format!("/api/orders/{order}/discount"),
                            &json!({"line_id": line["line_id"], "percent": dice.roll(40), "reason": "Geste"}),
                        )
                        .await
                }
                _ => {
                    alice
                        .post(
                            &format!("/api/orders/{order}/lines/{}/void", line["line_id"].as_u64().unwrap()),
                            &json!({"qty": 1, "reason": "Erreur"}),
                        )
                        .await
                }
            };
            assert!(answer.status < 500, "{}", answer.text);
            refused += u32::from(answer.status >= 400);
            // What was paid is as it was.
            let after = bill(&camille, &order).await;
            for paid in now["shares"].as_array().unwrap().iter().filter(|share| share["status"] == "paid") {
                assert!(after["shares"].as_array().unwrap().contains(paid), "{paid} is gone from {after}");
            }
            adds_up(&app, &camille, &order).await;
        }
        assert!(refused < 30, "the dice do mostly what can be done");
        // Whatever is left is paid; the table is free for the next one.
        loop {
            let now = bill(&camille, &order).await;
            let Some(share) = now["shares"].as_array().unwrap().iter().find(|share| share["status"] == "unpaid").cloned() else { break };
            let paid = pay(&camille, &order, share["cover_number"].as_u64().unwrap(), &share["amount"], "ESPECES").await;
            assert_eq!(paid.status, 201, "{}", paid.text);
        }
        if alice.get(&format!("/api/orders/{order}")).await.body["status"] == "open" {
            assert_eq!(alice.post(&format!("/api/orders/{order}/release"), &json!({})).await.status, 200);
        }
    }
    let rates: i64 = sqlx::query_scalar(
        "select count(*) from (
             select l.order_id, l.vat_rate, sum(unit_price_cents * (qty - voided_qty) - discount_cents) as sold,
                    sum((select coalesce(sum(p.amount_cents), 0) from share_parts p where p.line_id = l.id)) as paid
             from order_lines l group by 1, 2) as by_rate where sold <> paid",
    )
    .fetch_one(&app.owner)
    .await
    .unwrap();
    assert_eq!(rates, 0, "each rate of each order is paid to the cent");
    let verified = camille.get("/api/nf525/verify").await.body;
    assert_eq!(verified["ok"], true, "{verified}");
}
