//! After years: an order, a payment and a Z on a database of a thousand lines, of a hundred thousand, and of as many as `COMPTOIR_LINES` says. They
//! should cost the same. In a cluster of its own: what other measurements left behind would make the smallest size a large one.

use crate::folder::folder;
use crate::report::{Report, Row};
use crate::watched::{Server, free_address};
use serde_json::{Value, json};
use server::cluster::{Cluster, Durability};
use server::db;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::Instant;

/// Days at each size, and bills of each.
const DAYS: usize = 5;
const BILLS: usize = 30;
/// Larger than what the same costs at the smallest size by no more than this.
const FLAT: f64 = 1.5;

/// Somebody who orders, settles and closes, one after the other.
struct Cashier {
    http: reqwest::Client,
    base: String,
    cookie: String,
}

impl Cashier {
    /// What was answered, and after how many microseconds.
    async fn post(&self, path: &str, body: &Value) -> (Value, f64) {
        let began = Instant::now();
        let answer = self.http.post(format!("{}{path}", self.base)).header("cookie", &self.cookie).json(body).send().await.unwrap();
        let took = began.elapsed().as_secs_f64() * 1e6;
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        (answer.json().await.unwrap(), took)
    }

    async fn bill(&self, table: usize) -> (f64, f64) {
        let items = json!([{"dish_id": 12, "qty": 1}, {"wine_id": 34, "qty": 1}]);
        let order = json!({"table_id": table, "covers": 1, "items": items, "uuid": uuid::Uuid::now_v7()});
        let (order, ordering) = self.post("/api/orders", &order).await;
        let pay = json!({
            "order_id": order["order_id"], "cover_number": 1, "amount": 52, "method": "ESPECES", "uuid": uuid::Uuid::now_v7(),
        });
        (ordering, self.post("/api/payments/split", &pay).await.1)
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// All of it.
pub async fn measure(report: &mut Report) {
    let folder = folder();
    let cluster = Cluster::start(folder.path(), Durability::Full).await.unwrap();
    let options = cluster.connect_options();
    db::migrate(&options).await.unwrap();
    let mut owner = PgConnection::connect_with(&options).await.unwrap();
    let server = Server::start_at(folder.path(), &free_address(), &[("TPE_URL", "none")]).await;
    let cookie = server.sign_in("camille").await;
    let cashier = Cashier { http: reqwest::Client::new(), base: format!("http://{}", server.address), cookie };
    // One real ticket, the model of the others, and a day that is closed.
    cashier.bill(1).await;
    cashier.post("/api/nf525/close", &json!({})).await;

    let largest = std::env::var("COMPTOIR_LINES").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000_u64);
    let mut sizes = vec![1_000, 100_000, largest];
    sizes.retain(|size| *size <= largest);
    sizes.dedup();
    let (mut filled, mut settled, mut smallest) = (0, 2, None);
    for lines in sizes {
        let sql = include_str!("../../tests/scale/fill.sql").replace("{orders}", &((lines - filled) / 10).to_string());
        let began = Instant::now();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
        let filling = began.elapsed().as_secs();
        filled = lines;
        // Besides what is filled, the two lines of each bill that was settled here.
        let there: i64 = sqlx::query_scalar("select count(*) from order_lines").fetch_one(&mut owner).await.unwrap();
        assert_eq!(there, i64::try_from(lines).unwrap() + settled, "so many lines are there");
        let (mut ordering, mut paying, mut closing) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..DAYS {
            for n in 0..BILLS {
                settled += 2;
                let (order, payment) = cashier.bill(1 + n % 20).await;
                ordering.push(order);
                paying.push(payment);
            }
            closing.push(cashier.post("/api/nf525/close", &json!({})).await.1);
        }
        let size: String =
            sqlx::query_scalar("select pg_size_pretty(pg_database_size(current_database()))").fetch_one(&mut owner).await.unwrap();
        let here = [("order", median(ordering)), ("cash payment", median(paying)), ("Z of 30 tickets", median(closing))];
        let at_first = *smallest.get_or_insert(here);
        for ((what, ours), (_, then)) in here.into_iter().zip(at_first) {
            let row = Row::new(format!("{what} at {lines} lines"), "µs", ours, then)
                .with_detail(json!({ "database": size, "lines_there": there, "filled_in_s": filling }));
            // The smallest is what the others are held against.
            report.add(if lines == 1_000 {
                row
            } else {
                row.with_target("under 1.5 times what it costs at 1 000", |row| row.ratio() < FLAT).aiming_at(FLAT * then)
            });
        }
    }
    server.stop().await;
    owner.close().await.unwrap();
    cluster.stop().await.unwrap();
}
