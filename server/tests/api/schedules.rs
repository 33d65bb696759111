//! The random schedules of the rules, against the real server: real HTTP, a real PostgreSQL whose connections are killed.
//! `COMPTOIR_SCHEDULES=10000 cargo test -p server --test api schedules -- --nocapture` runs as many as one has time for.

use crate::support::{Answer, Client, TestApp};
use crate::tally::tally;
use domain::api::SyncRequest;
use domain::{Cents, ItemId, OrderId, TableId};
use schedule::{House, Reply, Schedule, Summary};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

#[path = "../../../app/domain/tests/sync/schedule.rs"]
mod schedule;

/// Kills whatever the server has open in this database.
const KILL: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and state in ('active', 'idle in transaction')";

struct Real {
    app: TestApp,
    waiters: [Client; 3],
    owner: Client,
    /// Lines of earlier schedules.
    lines_before: i64,
    /// Answers that the server could not give, although nobody had cut anything.
    defects: Vec<String>,
}

impl Real {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let waiters = [app.signed_in("alice").await, app.signed_in("bob").await, app.signed_in("charlie").await];
        let owner = app.signed_in("gerant").await;
        Self { app, waiters, owner, lines_before: 0, defects: Vec::new() }
    }

    /// A house in which nobody sits, as on the first day.
    async fn clear(&mut self) {
        sqlx::query("update orders set status = 'paid_complete', closed_at = now() where status = 'open'")
            .execute(&self.app.owner)
            .await
            .unwrap();
        self.lines_before = sqlx::query_scalar("select coalesce(max(id), 0) from order_lines").fetch_one(&self.app.owner).await.unwrap();
        for item in [12, 14, 34] {
            self.set_available(ItemId::from_row(item), true).await;
        }
    }

    async fn post(&mut self, phone: usize, path: &str, body: &Value, cut: Option<u32>) -> Option<Reply> {
        let killer = async {
            // Half of the cuts only lose the answer.
            if let Some(after) = cut.filter(|cut| cut % 2 == 0) {
                tokio::time::sleep(Duration::from_micros(u64::from(after))).await;
                sqlx::query(KILL).execute(&self.app.owner).await.unwrap();
            }
        };
        let (answer, ()): (Answer, ()) = tokio::join!(self.waiters[phone].post(path, body), killer);
        if cut.is_some() {
            return None;
        }
        if answer.status >= 500 {
            self.defects.push(answer.text.clone());
        }
        Some((answer.status, answer.text))
    }

    /// A connection that was killed may be noticed only when it is used: asked again, like any phone does.
    async fn get(&self, client: &Client, path: &str) -> Value {
        for _ in 0..5 {
            let answer = client.get(path).await;
            if answer.status == 200 {
                return answer.body;
            }
        }
        panic!("{path} is not answered");
    }
}

impl House for Real {
    async fn sync(&mut self, phone: usize, request: &SyncRequest, cut: Option<u32>) -> Option<Reply> {
        let body = serde_json::to_value(request).unwrap();
        self.post(phone, "/api/orders/sync", &body, cut).await
    }

    async fn give_up(&mut self, phone: usize, uuid: Uuid, cut: Option<u32>) -> Option<Reply> {
        self.post(phone, &format!("/api/orders/sync/{uuid}/drop"), &json!({"reason": "Clients partis"}), cut).await
    }

    async fn floor(&mut self) -> BTreeMap<TableId, OrderId> {
        let rows: Vec<(i64, i64)> =
            sqlx::query_as("select table_id, id from orders where status = 'open'").fetch_all(&self.app.owner).await.unwrap();
        rows.into_iter().map(|(table, order)| (TableId::from_row(table), OrderId::from_row(order))).collect()
    }

    async fn menu(&mut self) -> BTreeMap<ItemId, Cents> {
        let menu = self.get(&self.owner, "/api/menu").await;
        let menu: domain::menu::Menu = serde_json::from_value(menu).unwrap();
        menu.items
            .into_iter()
            .filter(|item| item.available && [12, 14, 34].contains(&item.id.get()))
            .map(|item| (item.id, item.price))
            .collect()
    }

    async fn settle(&mut self, table: TableId) {
        sqlx::query("update orders set status = 'paid_complete', closed_at = now() where status = 'open' and table_id = $1")
            .bind(table.get())
            .execute(&self.app.owner)
            .await
            .unwrap();
    }

    async fn join_or_move(&mut self, from: TableId, to: TableId) {
        let floor = self.floor().await;
        let Some(order) = floor.get(&from) else { return };
        match floor.get(&to) {
            Some(into) => self.waiters[0].post(&format!("/api/orders/{order}/merge"), &json!({"into_order_id": into})).await,
            None => self.waiters[0].post(&format!("/api/orders/{order}/transfer"), &json!({"table_id": to})).await,
        };
    }

    async fn set_available(&mut self, item: ItemId, available: bool) {
        self.owner.put(&format!("/api/menu/items/{item}/availability"), &json!({"available": available})).await;
    }

    #[expect(clippy::float_arithmetic, reason = "a body says euros as a number")]
    async fn raise_price(&mut self, item: ItemId) {
        let items = self.get(&self.owner, "/api/menu/items").await;
        let Some(mut article) = items.as_array().into_iter().flatten().find(|article| article["id"] == json!(item)).cloned() else {
            return;
        };
        for of_the_view in ["id", "available", "back_at", "pairings"] {
            article.as_object_mut().unwrap().remove(of_the_view);
        }
        article["price"] = json!(article["price"].as_f64().unwrap() + 1.0);
        let answer = self.owner.put(&format!("/api/menu/items/{item}"), &article).await;
        assert!(answer.status == 200 || answer.status >= 500, "{}", answer.text);
    }

    async fn notes(&mut self) -> BTreeMap<String, u32> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("select note, sum(qty) from order_lines where id > $1 and note is not null group by note")
                .bind(self.lines_before)
                .fetch_all(&self.app.owner)
                .await
                .unwrap();
        rows.into_iter().map(|(note, count)| (note, u32::try_from(count).unwrap())).collect()
    }
}

/// These schedules, one after the other, in a house of their own.
async fn lane(seeds: impl Iterator<Item = u64>) -> (Summary, Vec<String>) {
    let mut house = Real::open().await;
    let mut all = Summary::default();
    for seed in seeds {
        house.clear().await;
        let one = Schedule::run(&mut house, seed, 80, [5, 6, 7], [12, 14, 34]).await;
        all += one;
    }
    (all, house.defects)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_every_order_is_there_once_and_every_conflict_was_shown() {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let (first, many) = (number("COMPTOIR_FIRST_SCHEDULE").unwrap_or(0), number("COMPTOIR_SCHEDULES").unwrap_or(25));
    // A house does one schedule after the other; several houses do not wait for each other.
    let lanes = if many > 100 { 4 } else { 1 };
    let begun = Instant::now();
    let played =
        futures::future::join_all((0..lanes).map(|at| lane((first + at..first + many).step_by(usize::try_from(lanes).unwrap())))).await;
    let mut all = Summary::default();
    let mut defects = Vec::new();
    for (one, found) in played {
        all += one;
        defects.extend(found);
    }
    println!("{many} schedules in {:.0} s: {all:?}; {} answers of 5xx", begun.elapsed().as_secs_f32(), defects.len());
    let (conflicts, crashes, lost) = (all.conflicts, all.crashes, all.lost);
    tally(&json!({"schedules": many, "conflicts": conflicts, "crashes": crashes, "lost": lost, "answers_of_5xx": defects.len()}));
    let faults: Vec<&String> = defects.iter().filter(|text| !text.contains("database_unavailable")).collect();
    assert!(faults.is_empty(), "{faults:?}");
    assert!(all.conflicts > 0 && all.crashes > 0 && all.lost > 0, "a schedule in which nothing goes wrong shows nothing: {all:?}");
}
